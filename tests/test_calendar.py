"""The calendar of faults: what is scheduled, what strikes by an addressed clock, and in which
order.
"""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from sim.calendar import strokes
from sim.kernels import draws
from sim.streams import stream_key

HORIZON_S = 10_000


def _entry(
    name: str, start: int | None = None, rate: Fraction | None = None, every: int | None = None
) -> SimpleNamespace:
    return SimpleNamespace(name=name, start=start, rate=rate, every=every)


def _struck(
    entries: list[SimpleNamespace], replication: int = 0, what: str = "wan_outages"
) -> list[tuple[int, str]]:
    window = SimpleNamespace(warm_up=1_000, length=HORIZON_S - 1_000)
    scenario: Any = SimpleNamespace(
        seed=7, window=window, faults=SimpleNamespace(**{what: tuple(entries)})
    )
    return [(second, entry.name) for second, entry in strokes(scenario, replication, what)]


def test_scheduled_strokes_are_merged_in_order_of_time_then_of_the_file():
    entries = [
        _entry("often", start=500, every=4_000),
        _entry("once", start=4_500),
        _entry("first", start=0),
        _entry("too late", start=HORIZON_S),
    ]

    assert _struck(entries) == [
        (0, "first"),
        (500, "often"),
        (4_500, "often"),
        (4_500, "once"),
        (8_500, "often"),
    ]


def test_an_addressed_clock_draws_at_the_list_the_entry_and_the_stroke():
    rate = Fraction(1, 900)
    key = stream_key(7, 3, "fault.gap")
    seconds, second, occasion = [], 0, 0
    while (
        second := second + int(draws.gap_s(draws.word(key, 3, 1, occasion), float(rate)))
    ) < HORIZON_S:
        seconds.append(second)
        occasion += 1

    struck = _struck(
        [_entry("never", rate=Fraction(0)), _entry("server", rate=rate)],
        replication=3,
        what="stage_outages",
    )

    assert struck == [(second, "server") for second in seconds]
    assert len(seconds) > 3


def test_lists_and_replications_have_their_own_luck():
    entries = [_entry("one", rate=Fraction(1, 500)), _entry("other", rate=Fraction(1, 500))]

    ways = [
        _struck(entries),
        _struck(entries, replication=1),
        _struck(entries, what="power_cuts"),
        _struck(entries[:1]),
    ]

    assert len({tuple(way) for way in ways}) == 4
    assert [second for second, name in ways[0] if name == "one"] == [
        second for second, _ in ways[3]
    ], "one more entry moves nobody"
