"""The seconds in which images are offered: daily hours, save in blackouts (`docs/firmware.md`
section 6).
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from sim.planning import NEVER_S
from sim.units import DAY_S, YEAR_S

if TYPE_CHECKING:
    from sim.scenario.air import Campaign

_END_S: Final = 60 * YEAR_S  # longer than any window; what is not open before it never is


class Openings:
    """Open seconds of a scenario's `campaign` block, counted by arithmetic: however long the wait,
    one look costs a bisection.
    """

    def __init__(self, campaign: Campaign) -> None:
        self._at_s = campaign.open.at
        self._length_s = min(campaign.open.length, DAY_S)
        self._begins, self._ends = _free(
            sorted(
                (blackout.start, blackout.start + blackout.duration)
                for blackout in campaign.blackouts
            )
        )
        self._before = [0]  # open seconds before each stretch without a blackout, and in all
        for begin, end in zip(self._begins, self._ends, strict=True):
            self._before.append(self._before[-1] + self._in_hours(end) - self._in_hours(begin))

    def opening(self, start_s: int, k: int) -> int:
        """Return the *k*-th (k = 0, 1, …) open second at or after *start_s*; `NEVER_S` if there is
        none in 60 years from the window's start.
        """
        rank = self._n_before(start_s) + k
        stretch = bisect_right(self._before, rank) - 1
        if stretch >= len(self._begins):
            return NEVER_S
        days, rest = divmod(
            self._in_hours(self._begins[stretch]) + rank - self._before[stretch], self._length_s
        )
        return days * DAY_S + rest + self._at_s

    def spans(self, start_s: int, n: int) -> tuple[list[int], list[int]]:
        """Return the begins and lengths (s) of the open spans from *start_s* on that together hold
        at least *n* seconds, or all there are.

        In order of time and disjoint; one ends where its daily hours or a blackout end it, so that
        two may touch.
        """
        begins: list[int] = []
        lengths: list[int] = []
        held, second = 0, start_s
        while held < n and (begin := self.opening(second, 0)) < NEVER_S:
            closes = begin + self._length_s - (begin - self._at_s) % DAY_S
            second = min(closes, self._ends[bisect_right(self._begins, begin) - 1])
            begins.append(begin)
            lengths.append(second - begin)
            held += lengths[-1]
        return begins, lengths

    def _in_hours(self, second: int) -> int:
        """Return how many seconds before *second* lie in daily hours, counted from the opening at
        `open.at` of day 0 (negative before it).
        """
        days, rest = divmod(second - self._at_s, DAY_S)
        return days * self._length_s + min(rest, self._length_s)

    def _n_before(self, second: int) -> int:
        """Return how many open seconds lie in [0, *second*)."""
        stretch = bisect_right(self._begins, second) - 1
        if stretch < 0:
            return 0
        return (
            self._before[stretch]
            + self._in_hours(min(second, self._ends[stretch]))
            - self._in_hours(self._begins[stretch])
        )


def _free(blackouts: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Return begins and ends of what *blackouts*, in order of their start, leave of the 60 years.
    """
    begins = []
    ends = []
    free = 0
    for start, end in [*blackouts, (_END_S, _END_S)]:
        if free < min(start, _END_S):
            begins.append(free)
            ends.append(min(start, _END_S))
        free = max(free, end)
    return begins, ends
