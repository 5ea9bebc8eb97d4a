"""The numbers in notes are those of a run: what has changed by the end of a warm-up, when clocks
strike, when compliance is reported, when a fault is over.
"""

from __future__ import annotations

import pytest

from sim.run import replicate
from sim.scenario.load import load
from sim.scenario.notes import notes_of
from sim.scenario.schema import Scenario
from sim.scenario.settling import changed_by, most_changed
from sim.tables import Trace

PREMISES = 4000


def world(base: str, *sets: str) -> Scenario:
    scenario = load(base, (f"estate.premises={PREMISES}", "network=[]", *sets))
    assert isinstance(scenario, Scenario)
    return scenario


def noted(scenario: Scenario) -> str:
    return " ".join(notes_of([scenario]))


def takers_changed(scenario: Scenario) -> float:
    """Return the share of those who take part in local updates that have changed by the end."""
    trace = Trace([], [])
    replicate(scenario, 0, trace=trace)
    slots = {4, 5}  # PPMIDs and IHDs
    versions = [row[4] for row in trace.devices if row[2] in slots]
    return sum(version > 0 for version in versions) / len(versions)


@pytest.mark.parametrize(
    "local",
    [
        "{driver: poisson, rate: 4 /year, take_up: 100 %}",
        "{driver: releases, rate: 52 /year, first_release: 0 d, delay: 60 d, take_up: 100 %}",
        "{driver: releases, rate: 12 /year, first_release: 10 d, delay: 20 d, take_up: 100 %}",
    ],
)
def test_as_many_have_changed_as_is_said(local: str) -> None:
    """Within five standard errors of a share of some 3,500 devices."""
    scenario = world(
        "gb_base",
        f"updates.local={local}",
        "window={warm_up: 0 d, length: 30 d}",
        "reporting.rule=on_change",
    )
    due = changed_by(scenario, 30 * 86_400)
    assert takers_changed(scenario) == pytest.approx(due, abs=5 * (0.25 / 3500) ** 0.5)


@pytest.mark.parametrize("sets", [(), ("updates.policy=ota_only",), ("firmware.local.lead=5 d",)])
def test_no_more_have_changed_than_is_said(sets: tuple[str, ...]) -> None:
    """Of each type, by the end of the warm-up, at which the world ends."""
    whole = world("gb_firmware", *sets)
    assert whole.firmware is not None
    trace = Trace([], [])
    replicate(world("gb_firmware", "window={warm_up: 0 d, length: 90 d}", *sets), 0, trace=trace)
    for device_type, slot in (("ppmid", 4), ("ihd", 5), ("hcalcs", 6)):
        running = [life[3] for life in trace.lives if life[1] == slot]
        models = [model for model in whole.firmware.models.items() if model[1].type == device_type]
        most = sum(
            model.share * most_changed(whole, whole.firmware, name)[1] for name, model in models
        )
        changed = sum(version > 0 for version in running) / len(running)
        assert changed <= most + 5 * (0.25 / len(running)) ** 0.5, device_type


@pytest.mark.parametrize(
    ("warm_up", "length"), [(91, 9), (90, 1), (90, 2), (0, 91), (0, 92), (92, 89), (92, 91)]
)
def test_compliance_is_reported_where_no_note_says_that_it_is_not(
    warm_up: int, length: int
) -> None:
    scenario = world("firmware/p2", f"window={{warm_up: {warm_up} d, length: {length} d}}")
    decisions = replicate(scenario, 0)["decisions"]
    is_made = bool((decisions["process"] == "compliance").any())
    assert is_made != ("No compliance report is made" in noted(scenario))


@pytest.mark.parametrize("at", ["00:00", "03:00", "08:59:59", "09:00"])
@pytest.mark.parametrize("warm_up", ["1 h", "25 h", "49 h"])
def test_a_clock_strikes_where_no_note_says_that_it_does_not(at: str, warm_up: str) -> None:
    scenario = world(
        "gb_base",
        f"window={{warm_up: {warm_up}, length: 8 h}}",
        "reporting.rule=periodic",
        "reporting.period=2 d",
        f'reporting.phase={{source: fixed_clock, at: "{at}"}}',
    )
    assert strikes(scenario) != is_told_never_to_strike(scenario)


@pytest.mark.parametrize("clock", ["utc", "local"])
@pytest.mark.parametrize(
    ("start", "length", "at"),
    [
        ("2026-10-25", "1 d", "23:30"),
        ("2026-10-25", "23 h", "22:30"),
        ("2026-10-25", "1 d", "22:59"),
        ("2026-03-29", "23 h", "23:30"),
        ("2026-03-29", "22 h", "23:30"),
        ("2026-03-29", "1 h", "01:30"),
    ],
)
def test_a_clock_that_moves_strikes_where_no_note_says_that_it_does_not(
    start: str, length: str, at: str, clock: str
) -> None:
    """The day of October has 25 hours, that of March 23."""
    scenario = world(
        "gb_base",
        f"window={{start: {start}, clock: {clock}, warm_up: 0 s, length: {length}}}",
        "reporting={rule: periodic, period: 1 d}",
        f'reporting.phase={{source: fixed_clock, at: "{at}"}}',
    )
    assert strikes(scenario) != is_told_never_to_strike(scenario)


def strikes(scenario: Scenario) -> bool:
    """Return whether the clock of reports strikes while *scenario* is measured."""
    fates = replicate(scenario, 0)["fates"]
    return bool((fates["kind"] == "version_report").any())


def is_told_never_to_strike(scenario: Scenario) -> bool:
    return "the clock of the reports never strikes" in noted(scenario)


@pytest.mark.parametrize(
    "back", ["restoration: 0 s", "restoration: 2 h", "curve: [{share: 100 %, time: 2 h}]"]
)
def test_a_fault_that_is_over_is_felt_no_more(back: str) -> None:
    cut = f"{{region: north, share: 100 %, start: 0 s, duration: 1 h, {back}}}"
    scenario = world(
        "gb_base",
        "window={warm_up: 2 h, length: 3 h}",
        f"faults.power_cuts=[{cut}]",
        "alerts.active=[supply_restored]",
    )
    fates = replicate(scenario, 0)["fates"]
    is_over = "faults.power_cuts.0 is over at 1 h" in noted(scenario)
    assert fates.empty == is_over
