"""Days of the calendar: weeks by name, and dates in place of durations, both from the window's
first day.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sim.scenario.compose import shipped
from sim.scenario.days import calendar_of
from sim.scenario.design import cells
from sim.scenario.experiments import Experiment
from sim.scenario.faults import ScenarioError
from sim.scenario.load import load, resolved
from sim.scenario.schema import Scenario
from sim.scenario.week import WEEK

DAYS = "firmware.local.hours.days"


def _world(*sets: str, of: str = "gb_firmware") -> Scenario:
    scenario = load(of, sets)
    assert isinstance(scenario, Scenario)
    return scenario


def _by_date(world: Scenario) -> list[tuple[date, float]]:
    """Return the first seven dates of *world* and the weight of each."""
    assert world.firmware is not None
    assert world.firmware.local.hours is not None
    days = world.firmware.local.hours.days
    return [
        (world.window.start + timedelta(days=number), weight) for number, weight in enumerate(days)
    ]


def _shipped_worlds() -> list[Scenario]:
    found = []
    for name in shipped():
        try:
            loaded = load(name)
        except ScenarioError:
            continue  # a layer, which is laid on others
        found += [loaded] if isinstance(loaded, Scenario) else [cells(loaded, yes=True)[0].scenario]
    return [
        world
        for world in found
        if world.firmware is not None and world.firmware.local.hours is not None
    ]


def test_every_shipped_world_has_its_weekend_at_the_weekend():
    worlds = _shipped_worlds()

    assert len({world.window.start for world in worlds}) > 2
    for world in worlds:
        assert {f"{day:%a}" for day, weight in _by_date(world) if weight > 1} == {"Sat", "Sun"}


@given(
    start=st.dates(date(1990, 1, 1), date(2090, 1, 1)),
    weights=st.dictionaries(st.sampled_from(WEEK), st.sampled_from([0.5, 2.0, 7.0])),
)
def test_days_keep_their_names_wherever_the_window_starts(start, weights):
    """Those that are not named weigh 1; what is written out says it again by name, and reads the
    same.
    """
    sets = [f"{DAYS}.{day}={weights.get(day, 'null')}" for day in WEEK]
    world = _world(f"window.start={start}", *sets)

    expected = [weights.get(f"{day:%a}".lower(), 1.0) for day, _ in _by_date(world)]
    assert [weight for _, weight in _by_date(world)] == expected
    written = resolved(world)
    assert all(f"{day}: {weights.get(day, 1.0)}\n" in written for day in WEEK)


def test_what_is_written_out_reads_the_same_and_can_be_moved(tmp_path):
    """A world that extends it may start on another day: the weekend stays where it is."""
    world = _world("window.start=2027-03-05")
    path = tmp_path / "resolved.yaml"
    path.write_text(resolved(world), encoding="utf-8")

    assert load(path) == world
    moved = load(path, ["window.start=2027-03-06"])
    assert isinstance(moved, Scenario)
    assert {f"{day:%a}" for day, weight in _by_date(moved) if weight > 1} == {"Sat", "Sun"}


def test_seven_weights_in_a_list_count_from_the_first_day():
    """As runs of before wrote them."""
    world = _world("window.start=2026-07-01", f"{DAYS}=[1, 2, 3, 4, 5, 6, 7]")

    assert [weight for _, weight in _by_date(world)] == [1, 2, 3, 4, 5, 6, 7]
    assert "wed: 1.0\n" in resolved(world)


@pytest.mark.parametrize(
    "sets",
    [
        ("firmware.ota.start=WHEN",),
        ("firmware.ota.hub_ready.start=WHEN",),
        ("firmware.ota.mp105.start=WHEN",),
        (
            (
                "firmware.ota.exchange={start: WHEN, share: 30 %, curve: [{share: 100 %, time: 1"
                " d}], reseed: true}"
            ),
        ),
        ("updates.ban={start: WHEN, grace: 0 s, scope: everywhere, compliance: 50 %}",),
        ("firmware.releases.0.first=WHEN",),
        ("updates.local.first_release=WHEN",),
        ("firmware.campaign.blackouts=[{start: WHEN, duration: 14 d}]",),
        ("firmware.screening.gateway_outages=[{start: WHEN, duration: 1 d}]",),
        (
            "network=[{stage: dsp}]",
            "faults.stage_outages=[{stage: dsp, server: all, start: WHEN, duration: 1 d}]",
        ),
    ],
    ids=lambda sets: sets[-1].partition("=")[0],
)
def test_a_date_is_the_duration_from_the_first_day(sets):
    """00:00 of it; and it stays that day where the window starts on another."""

    def world(start: str, when: str) -> Scenario:
        return _world(f"window.start={start}", *(one.replace("WHEN", when) for one in sets))

    assert world("2026-01-01", "2026-07-01") == world("2026-01-01", "181 d")
    assert world("2026-02-01", "2026-07-01") == world("2026-02-01", "150 d")


@pytest.mark.parametrize(
    ("start", "clock", "hours"),
    [
        ("2026-10-24", "utc", 48),
        ("2026-10-24", "local", 49),
        ("2026-03-28", "local", 47),
        ("2026-07-01", "local", 48),
    ],
)
def test_a_date_begins_at_midnight_on_the_wall(start, clock, hours):
    """Two days on, one of them with an hour more, or less."""
    day = date.fromisoformat(start) + timedelta(days=2)
    world = _world(f"window={{start: {start}, clock: {clock}}}", f"firmware.ota.start={day}")

    assert world.firmware is not None
    assert world.firmware.ota.start == hours * 3600


@pytest.mark.parametrize(
    "window", ["{start: soon}", "{start: null}", "null", "3", "{start: 2026-02-30}"]
)
def test_a_window_at_fault_is_told_of_itself_alone(window):
    """What is dated, or named, from its first day is not at fault for it."""
    sets = [f"window={window}", "firmware.ota.start=2026-03-01", f"{DAYS}={{sat: 2}}"]

    with pytest.raises(ScenarioError) as refused:
        load("gb_firmware", sets)

    assert {fault.path.partition(".")[0] for fault in refused.value.faults} == {"window"}


def test_a_day_without_a_calendar_is_refused():
    """Who makes a world of values, and not of a file, says when it starts."""
    tree = _world().model_dump(mode="json", by_alias=True, exclude_none=True)

    with pytest.raises(ValidationError, match="no window says when the world starts"):
        Scenario.model_validate(tree)
    assert Scenario.model_validate(tree, context=calendar_of(tree)) == _world()


def test_an_experiment_varies_a_date(tmp_path):
    """Each cell counts from its own window."""
    path = tmp_path / "dates.yaml"
    path.write_text(
        "schema_version: 1\nexperiment: dates\nquestion: When?\nscenario: gb_firmware\n"
        "options:\n  soon: {window.start: 2026-01-01}\n  later: {window.start: 2026-02-01}\n"
        "factors: {firmware.ota.start: [2026-03-01, 90 d]}\ndesign: grid\n",
        encoding="utf-8",
    )
    loaded = load(path)
    assert isinstance(loaded, Experiment)
    days = [
        cell.scenario.firmware.ota.start // 86_400
        for cell in cells(loaded)
        if cell.scenario.firmware is not None
    ]
    assert days == [59, 90, 28, 90]
