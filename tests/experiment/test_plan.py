"""What a plan takes, and whether the machine has it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import sim.experiment.costs as plans
import sim.experiment.expected as expected
import sim.experiment.speed as speed
from sim.experiment import misfit, needs, planned
from sim.experiment.costs import free_disk
from sim.experiment.environment import environment
from sim.experiment.plan import addresses, comparator_of
from sim.machine import free_memory
from sim.scenario.design import Cell
from sim.scenario.faults import ScenarioError
from sim.scenario.load import load, resolved


@pytest.fixture(autouse=True)
def _reference_machine(monkeypatch):
    """Let this be the machine that the costs are of."""
    monkeypatch.setattr(plans, "slowness", lambda: 1.0)


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
        (
            ["traffic.level=100 %", "traffic.kinds.dcc_alert.alert=false"],
            20e6 * (2 + 1.65 + 0.89) * 0.955794 * 365,
        ),
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
    small = plan_of("estate.premises=1000")
    large = plan_of()
    longer = plan_of("window.length=730 d")

    assert needs(small, 1).seconds < needs(large, 1).seconds < needs(longer, 1).seconds
    assert needs(large, 2).memory == 2 * needs(large, 1).memory > 2 * needs(small, 1).memory
    assert needs(large, 3).disk == needs(small, 1).disk > needs(plan_of("replications=1"), 1).disk


def test_as_many_at_once_as_memory_allows(monkeypatch):
    """Without --jobs, the plan is cut to the machine; with it, the user is believed until it cannot
    fit.
    """
    plan = plan_of()
    one = needs(plan, 1).memory
    monkeypatch.setattr(plans, "processors", lambda: 8)
    for free, jobs in ((one, 1), (3 * one, 2), (100 * one, 3)):
        monkeypatch.setattr(plans, "free_memory", lambda free=free: free)
        assert needs(plan, None).jobs == jobs
    monkeypatch.setattr(plans, "free_memory", lambda: None)
    assert needs(plan, None).jobs == 3
    assert needs(plan, 2).jobs == 2


@pytest.mark.parametrize(
    ("sets", "crowds"),
    [
        (["reporting.rule=none"], []),
        (["reporting.rule=periodic"], []),
        (
            [
                "reporting.rule=periodic",
                'reporting.phase={source: fixed_clock, at: "03:00", jitter: 10 s}',
                "window.length=2 d",
            ],
            [(17.6e6, 2.0)],
        ),
        (
            ["reporting.rule=periodic", "reporting.phase.window=1 h", "window.length=2 d"],
            [(17.6e6, 2.0)],
        ),
        (["reporting.rule=periodic", "reporting.phase.window=1 h", "network=[]"], []),
        (
            [
                "reporting.rule=periodic",
                "reporting.phase.source=power_on",
                "window.length=2 d",
                (
                    "faults.power_cuts=[{region: north, share: 50 %, start: 6 h, duration: 2 h,"
                    " restoration: 10 min}]"
                ),
            ],
            [(3.52e6, 2.0)],
        ),
        (
            [
                "alerts.active=[power_outage, supply_restored]",
                "window.length=2 d",
                (
                    "faults.power_cuts=[{region: north, share: 10 %, start: 6 h, every: 12 h,"
                    " duration: 2 h, curve: [{share: 100 %, time: 10 h}]}]"
                ),
            ],
            [(0.8e6, 4.0)],
        ),
    ],
)
def test_a_crowd_is_what_comes_faster_than_it_is_served(sets, crowds):
    """Many within a moment, more a second than the least stage passes on; how many, and how often.
    """
    (cell,) = plan_of("window.warm_up=0 s", *sets).cells
    assert [(pytest.approx(n), times) for n, times in expected.crowds(cell.scenario)] == crowds


@pytest.mark.parametrize(
    ("sets", "quiet"),
    [
        # two in one second, some sixty times a day
        (["network=[{stage: csp, capacity: 1.1 /s}, {stage: dsp, capacity: 2.6 /s}]"], False),
        (["network=[{stage: csp, capacity: 11 /s}, {stage: dsp, capacity: 26 /s}]"], True),
        # more on average than it passes on
        (["network=[{stage: csp, capacity: 11 /s}, {stage: dsp, capacity: 0.1 /s}]"], False),
        (["network=[{stage: dsp, capacity: 26 /s}]", "reporting.phase.window=1 min"], False),
        (
            ["network=[{stage: dsp, capacity: 26 /s, mitigations: [{kind: lifo, above: 100}]}]"],
            False,
        ),
        (["network=[]"], True),
        (["network=[{stage: dsp, capacity: 8 kB/s}]"], True),
        (["network=[{stage: dsp, capacity: 132 B/s}]"], False),
        (["network=[{stage: user, capacity: 2 kB/s}]"], False),  # of DUIS: one message a second
    ],
)
def test_a_world_is_quiet_where_no_slot_of_a_day_is_over_full(sets, quiet):
    """Ten thousand daily reports: one in nine seconds over the country, Poisson."""
    (cell,) = plan_of(
        "estate.premises=11236", "window.warm_up=0 s", "reporting.rule=periodic", *sets
    ).cells
    assert expected.is_quiet(cell.scenario) is quiet


def test_a_slower_machine_takes_longer(monkeypatch):
    """By as much as it is slower."""
    seconds = needs(plan_of(), 1).seconds
    monkeypatch.setattr(plans, "slowness", lambda: 2.5)
    assert needs(plan_of(), 1).seconds == pytest.approx(2.5 * seconds)


def test_the_speed_is_measured_once(monkeypatch, tmp_path):
    """What is kept is believed of the same machine, and measured again where it cannot be read."""
    monkeypatch.setattr("sim.kernels.compiled.kept_in", lambda: tmp_path)
    taken = iter([0.3, 0.2, 0.1, 0.4, 0.5] * 3)
    monkeypatch.setattr(speed, "_exercise", lambda: next(taken))
    measured = speed.slowness.__wrapped__
    assert measured() == measured() == pytest.approx(0.1 / speed.REFERENCE_S)
    (kept,) = tmp_path.rglob("speed.json")
    kept.write_text("torn")
    assert measured() == pytest.approx(0.1 / speed.REFERENCE_S)
    kept.write_text(kept.read_text().replace(os.uname().nodename, "another"))
    measured()
    assert next(taken, None) is None


def test_where_nothing_can_be_kept_the_speed_is_measured_each_time(monkeypatch):
    """No home, an unwritable package: not a reason to stop."""
    monkeypatch.setattr("sim.kernels.compiled.kept_in", lambda: None)
    taken = iter([0.3, 0.2, 0.1, 0.4, 0.5] * 2)
    monkeypatch.setattr(speed, "_exercise", lambda: next(taken))
    measured = speed.slowness.__wrapped__

    assert measured() == measured() == pytest.approx(0.1 / speed.REFERENCE_S)
    assert next(taken, None) is None


def test_a_precision_may_take_all_that_is_allowed(experiment, tmp_path):
    """The first replications, and the most."""
    path = tmp_path / "small.yaml"
    experiment()
    path.write_text(path.read_text() + "precision: {late_share: 1 %}\nmost_replications: 50\n")
    need, plain = needs(planned(load(path), "fast"), 1), needs(planned(experiment(), "fast"), 1)
    assert need.seconds == plain.seconds == plain.most_seconds < need.most_seconds
    assert need.disk > plain.disk


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
        patch.setattr(plans, "address_space", lambda: need.memory)
        assert "GB of addresses; ulimit -v allows" in misfit(need, tmp_path)
        patch.setattr(plans, "address_space", lambda: 10 * need.memory)
        assert misfit(need, tmp_path) is None
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
    names = {
        cell.name: other.name if (other := comparator_of(by_option, cell)) else None
        for cell in by_option.cells
    }

    assert names == {
        "quiet-0pc": None,
        "quiet-5pc": None,
        "daily-0pc": "quiet-0pc",
        "daily-5pc": "quiet-5pc",
    }


def test_without_the_compiler_the_fast_engine_is_for_small_worlds(monkeypatch):
    """A sentence before anything starts: uncompiled, a nation would take for ever."""
    monkeypatch.setattr("numba.core.config.DISABLE_JIT", 1)

    with pytest.raises(ScenarioError, match=r"NUMBA_DISABLE_JIT: is set, .* --engine twin"):
        plan_of()
    assert planned(load("gb_base"), "twin").tasks
    assert planned(load("gb_base", ["estate.premises=1000"]), "fast").tasks
    with pytest.raises(ScenarioError, match=r"at most 1,000 premises \(1,001 are asked for\)"):
        planned(load("gb_base", ["estate.premises=1001"]), "fast")


def test_the_twin_needs_no_compiler(root, tmp_path):
    """With the compiler switched off it gives the summary that it gives with it."""
    small = ["estate.premises=20", "window.warm_up=0 d", "window.length=1 d", "replications=1"]
    sets = [word for change in small for word in ("--set", change)]
    summaries = set()
    for switch in "01":
        out = tmp_path / switch
        command = [
            sys.executable,
            "-m",
            "sim",
            "run",
            "gb_base",
            *sets,
            "--engine",
            "twin",
            "--out",
            out,
        ]
        subprocess.run(
            command, cwd=root, env=os.environ | {"NUMBA_DISABLE_JIT": switch}, check=True
        )
        summaries.add(next(out.glob("*/*/summary.csv")).read_bytes())

    assert len(summaries) == 1


@pytest.mark.parametrize("name", ["gb_base", "gb_firmware"])
def test_a_replication_is_found_by_what_was_written_out(name):
    """Its world as text; what it is called, asks, or how many there are says nothing of it."""
    scenario = load(name)
    told = scenario.model_copy(
        update={"name": "other", "question": "Is it: so?\nReally", "replications": 1}
    )
    here = addresses(Cell("c", "", {}, scenario), "fast", environment())
    there = addresses(Cell("c", "", {}, told), "fast", environment(), written=resolved(told))
    assert here[:1] == there
    moved = resolved(told).replace("start: 2026-01-01", "start: 2026-01-02")
    assert addresses(Cell("c", "", {}, told), "fast", environment(), written=moved) != there
