"""The fast path and the twin where fixed clocks follow British time, across its jumps: every table
equal, every message.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd
import pytest

from sim import run, twin
from sim.scenario.checks import findings
from sim.scenario.days import calendar_of
from sim.scenario.reach import clock_moves
from sim.scenario.schema import Scenario
from sim.tables import Tables, Trace
from tests.twins import firmware
from tests.twins.worlds import Dice, world

TIMED = ("hub_poll", "periodic", "hub_batch", "on_change_heartbeat")
DAY_S = 86_400
STORMS, LIVES = range(24), range(20)
RULES = (*TIMED, "digest", "piggy_back", "cloud")


def _made(tree: dict[str, Any]) -> Scenario:
    return Scenario.model_validate(tree, context=calendar_of(tree))


def _local(scenario: Scenario, start: str, period: str, jitter: str, at: str) -> dict[str, Any]:
    tree = scenario.model_dump(mode="json", by_alias=True, exclude_none=True)
    tree["window"] |= {"start": start, "clock": "local"}
    tree["reporting"] |= {"period": period, "heartbeat": period}
    tree["reporting"]["phase"] |= {"source": "fixed_clock", "jitter": jitter, "at": at}
    return tree


def storm(number: int) -> Scenario:
    """Return a world of some hours of a day on which clocks move, in some of them set by hand
    meanwhile.
    """
    dice = Dice(4_000_000 + number)
    start = dice.one_of(("2026-03-29", "2026-10-25", "2026-10-24"))
    period = dice.one_of(("3700 s", "3700 s", "2 h", "24 h"))
    jitter = dice.one_of(("0 s", "45 s"))
    at = dice.one_of(("01:00", "01:00:01", "01:20", "01:59:59", "02:00", "03:30"))
    tree = _local(world(number), start, period, jitter, at)
    tree["window"] |= {"length": dice.one_of(("5 h", "30 h")) if start != "2026-10-24" else "30 h"}
    tree["reporting"] |= {"rule": TIMED[number % len(TIMED)]}
    tree["updates"]["local"]["rate"], tree["traffic"]["level"] = "2 /h", "0 %"
    if number % 3 == 1 and start != "2026-10-24":
        tree["estate"] |= {"premises": 40, "regions": {"north": "100 %"}}
        tree["faults"] = {"clock_locks": [
            {"region": "north", "share": "60 %", "at": "01:40", "spread": "40 min",
             "start": dice.one_of(("90 min", "130 min", "170 min"))},
        ]}  # fmt: skip
    return _made(tree)


@cache
def _timed() -> list[Scenario]:
    """Return firmware worlds whose reports have a timer."""
    made = (firmware.world(number) for number in range(200))
    return [scenario for scenario in made if scenario.reporting.rule in RULES][: len(LIVES)]


def life(number: int) -> Scenario:
    """Return a firmware world in which clocks move half way, or more than once."""
    dice = Dice(5_000_000 + number)
    made = _timed()[number]
    half = pd.Timestamp(dice.one_of(("2026-03-29", "2026-10-25"))) - pd.Timedelta(
        (made.window.warm_up + made.window.length) // (2 * DAY_S), "D"
    )
    period = dice.one_of(("3601 s", "5 h", "24 h", "7 d"))
    return _made(
        _local(
            made,
            f"{half:%Y-%m-%d}",
            period,
            "0 s",
            dice.one_of(("01:00", "01:20", "02:00", "03:30")),
        )
    )


@cache
def _pair(make: Any, number: int) -> tuple[Tables, Tables, Trace, Trace]:
    fast_trace, trace = Trace([], []), Trace([], [])
    scenario = make(number)
    fast = run.replicate(scenario, 0, trace=fast_trace, batch_s=(DAY_S, 5_000)[number % 2])
    return fast, twin.replicate(scenario, 0, trace=trace), fast_trace, trace


WORLDS = [
    pytest.param(make, number, id=f"{make.__name__}-{number}")
    for make, numbers in ((storm, STORMS), (life, LIVES))
    for number in numbers
]


@pytest.mark.parametrize(("make", "number"), WORLDS)
def test_fast_equals_twin(make: Any, number: int):
    fast, expected, fast_trace, trace = _pair(make, number)

    for name, table in expected.items():
        pd.testing.assert_frame_equal(fast[name], table, check_exact=True, obj=name)
    assert sorted(fast_trace.messages) == sorted(trace.messages)
    assert fast_trace.lives == trace.lives


def test_the_worlds_would_be_accepted_and_their_clocks_move():
    worlds = [storm(number) for number in STORMS] + [life(number) for number in LIVES]

    for scenario in worlds:
        assert not list(findings({name: getattr(scenario, name) for name in Scenario.model_fields}))
    moved = [
        sum(by_s for _, by_s in clock_moves(scenario.window, scenario.reporting))
        for scenario in worlds
    ]
    assert {-3_600, 3_600} <= set(moved)
    assert sum(map(bool, moved)) > len(worlds) / 2


def test_the_jumps_matter():
    """By UTC the same worlds mostly end otherwise: their reports leave at other seconds."""
    numbers = [number for number in STORMS if storm(number).reporting.timer_s < DAY_S]
    worlds = [
        storm(number).model_copy(
            update={"window": storm(number).window.model_copy(update={"clock": "utc"})}
        )
        for number in numbers
    ]
    utc = [run.replicate(scenario, 0)["fates"] for scenario in worlds]
    assert (
        sum(
            not table.equals(_pair(storm, number)[0]["fates"])
            for table, number in zip(utc, numbers, strict=True)
        )
        > len(numbers) / 4
    )
