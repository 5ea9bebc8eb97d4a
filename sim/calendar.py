"""When what goes wrong strikes (`docs/model.md` section 5): the scheduled and the addressed strokes
of each list of faults, in one order for both engines.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sim.faults import FAULTS
from sim.kernels import draws
from sim.kernels.dials import Dial, dial_of
from sim.scenario.reach import clock_moves
from sim.streams import stream_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.scenario.schema import Scenario

LISTS: Final = tuple(FAULTS)  # the place in it is the place of the draw


def strokes(scenario: Scenario, replication: int, what: str) -> tuple[tuple[int, Any], ...]:
    """Return the calendar of the list *what* (one of `LISTS`) of *scenario*'s faults in
    *replication*: (second, entry of the list) in order of time.

    Seconds lie in [0, horizon); ties go by the order of the file. The place in the result is the
    stroke number under which footprints are drawn.
    """
    horizon_s = scenario.window.warm_up + scenario.window.length
    key = np.uint64(stream_key(scenario.seed, replication, "fault.gap"))
    found = []
    for number, entry in enumerate(getattr(scenario.faults, what)):
        clock = (
            _scheduled(entry)
            if entry.start is not None
            else _addressed(key, LISTS.index(what), number, float(entry.rate))
        )
        for second in clock:
            if second >= horizon_s:
                break
            found.append((second, number, entry))
    return tuple(
        (second, entry) for second, _, entry in sorted(found, key=lambda stroke: stroke[:2])
    )


def _scheduled(entry: Any) -> Iterator[int]:
    """Yield the start of *entry*, and each later stroke where it strikes again."""
    yield entry.start
    if entry.every is not None:
        yield from count(entry.start + entry.every, entry.every)


def _addressed(key: np.uint64, place: int, index: int, rate_per_s: float) -> Iterator[int]:
    """Yield the strokes of the exponential clock at (*place*, *index*); a rate of 0 has none."""
    second = 0
    for occasion in count() if rate_per_s > 0 else ():
        second += int(draws.gap_s(draws.word(key, place, index, occasion), rate_per_s))
        yield second


def dial(scenario: Scenario) -> Dial:
    """Return what the fixed clocks of version reports read in *scenario*."""
    return dial_of(clock_moves(scenario.window, scenario.reporting))


def triggers(scenario: Scenario, replication: int) -> list[tuple[str, str, int, int]]:
    """Return the rows of table `triggers`: every stroke of every list, by start, list and file."""
    found = []
    for what in LISTS:
        for second, entry in strokes(scenario, replication, what):
            end_s = second
            if FAULTS[what].has_end:
                end_s += entry.duration
            if FAULTS[what].darkens:
                end_s += entry.curve[-1].time if entry.curve else entry.restoration
            found.append(
                (
                    what,
                    f"{entry.stage}/{entry.server}" if what == "stage_outages" else entry.region,
                    second,
                    end_s,
                )
            )
    return sorted(found, key=lambda row: row[2])
