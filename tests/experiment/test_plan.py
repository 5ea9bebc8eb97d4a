"""What a plan takes, and whether the machine has it."""

from __future__ import annotations

import pytest

import sim.experiment.costs as plans
from sim.experiment import misfit, needs, planned
from sim.experiment.costs import free_disk, free_memory
from sim.experiment.plan import comparator_of
from sim.scenario.load import load


def plan_of(*sets):
    """Return the plan of gb_base under *sets*."""
    return planned(load("gb_base", sets), "fast")


@pytest.mark.parametrize(
    ("sets", "alerts_per_year"),
    [
        (["reporting.rule=none"], 0),
        (["reporting.rule=periodic"], 20e6 * 0.88 * 365),
        (["reporting.rule=hub_batch", "reporting.period=7 d"], 20e6 * 0.88 * 365 / 7),
        (["reporting.rule=on_change"], 20e6 * 0.88 * 4 * 0.25),
        (["reporting.rule=on_change", "updates.policy=ota_only"], 0),
        (["reporting.rule=on_change_heartbeat"], 20e6 * 0.88 * (4 * 0.25 + 365 / 7)),
        (["reporting.rule=hub_store"], 20e6 * 0.88 * 0.1),
        (["traffic.level=100 %", "traffic.kinds.dcc_alert.alert=false"], 20e6 * (2 + 1.65 + 0.89) * 0.955794 * 365),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_alerts_are_the_expected_number(sets, alerts_per_year):
    """The rates of the scenario, over a year of three replications."""
    need = needs(plan_of(*sets, "window.warm_up=0 s"), jobs=1)

    assert need.alerts == pytest.approx(3 * alerts_per_year, rel=1e-6)
    assert need.device_years == pytest.approx(3 * 20e6 * 0.89)


def test_more_takes_more():
    """Time grows with devices, days and cells; memory with devices and with what runs at once."""
    small, large, longer = plan_of("estate.premises=1000"), plan_of(), plan_of("window.length=730 d")

    assert needs(small, 1).seconds < needs(large, 1).seconds < needs(longer, 1).seconds
    assert needs(large, 2).memory == 2 * needs(large, 1).memory > 2 * needs(small, 1).memory
    assert needs(large, 3).disk == needs(small, 1).disk > needs(plan_of("replications=1"), 1).disk


def test_as_many_at_once_as_memory_allows(monkeypatch):
    """Without --jobs, the plan is cut to the machine; with it, the user is believed until it cannot fit."""
    plan = plan_of()
    one = needs(plan, 1).memory
    monkeypatch.setattr(plans.os, "cpu_count", lambda: 8)
    for free, jobs in ((one, 1), (3 * one, 2), (100 * one, 3)):
        monkeypatch.setattr(plans, "free_memory", lambda free=free: free)
        assert needs(plan, None).jobs == jobs
    monkeypatch.setattr(plans, "free_memory", lambda: None)
    assert needs(plan, None).jobs == 3
    assert needs(plan, 2).jobs == 2


def test_what_does_not_fit_is_refused_with_the_numbers(monkeypatch, tmp_path):
    """Above 80 % of what is free, of memory or disk."""
    need = needs(plan_of(), 1)
    assert misfit(need, tmp_path) is None
    with monkeypatch.context() as patch:
        patch.setattr(plans, "free_memory", lambda: int(need.memory / 0.81))
        assert misfit(need, tmp_path) is None or "memory" in misfit(need, tmp_path)
        patch.setattr(plans, "free_memory", lambda: int(need.memory / 0.79))
        assert misfit(need, tmp_path) is None
        patch.setattr(plans, "free_memory", lambda: int(need.memory))
        assert "GB of memory" in misfit(need, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(plans, "free_disk", lambda out: need.disk)
        assert "GB of disk" in misfit(need, tmp_path)


def test_the_machine_is_asked(tmp_path):
    """Free memory is known here; a folder that does not exist yet is on its parent's disk."""
    assert free_memory() > 50_000_000
    assert free_disk(tmp_path / "not/yet") == pytest.approx(free_disk(tmp_path), rel=0.01)


def test_the_comparator_is_a_cell_or_an_option_at_the_same_levels(experiment):
    """An option compares like with like; a cell is one for all."""
    by_option = planned(experiment(), "fast")
    names = {cell.name: other.name if (other := comparator_of(by_option, cell)) else None for cell in by_option.cells}

    assert names == {"quiet-0pc": None, "quiet-5pc": None, "daily-0pc": "quiet-0pc", "daily-5pc": "quiet-5pc"}
