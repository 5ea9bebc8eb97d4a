"""What passed each server within a quarter of an hour of its fullest second, second by second.

Which second that is, is known when the world has ended; so the days go by, and of each the end is
kept until the next has passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.kernels.book import Around
from sim.tables import AROUND_PEAK_S

_LENGTH_S: Final = 2 * AROUND_PEAK_S + 2  # both sides, the peak, and the second before them


class AroundPeak:
    """The seconds around the peak of one server, at *at_s* (-1: it has none), of some kinds.

    What is kept (and given) is int32, by kind and second: arrived, waiting after the service of
    the second, late of those served, turned away.
    """

    def __init__(self, n_kinds: int) -> None:
        self.at_s = -1
        self._kept = np.zeros((4, n_kinds, _LENGTH_S), np.int32)
        self._tail = np.zeros((4, n_kinds, AROUND_PEAK_S + 1), np.int32)

    def pass_day(self, day: Sequence[NDArray[Any]], start_s: int, at_s: int) -> None:
        """Let *day*, the four by kind and second from *start_s* on, be over; the fullest second so
        far is *at_s*.
        """
        if at_s != self.at_s:
            self.at_s = at_s
            self._kept[:] = 0
            self._keep(self._tail, start_s - self._tail.shape[2])
        self._keep(day, start_s)
        for tail, counts in zip(self._tail, day, strict=True):
            tail[:] = counts[:, -tail.shape[1] :]

    def _keep(self, source: Sequence[NDArray[Any]] | NDArray[Any], start_s: int) -> None:
        """Keep what *source*, which begins at *start_s*, has of the seconds around the peak."""
        begin_s = self.at_s - AROUND_PEAK_S - 1
        since_s = max(start_s, begin_s)
        until_s = min(start_s + source[0].shape[1], begin_s + _LENGTH_S)
        if self.at_s < 0 or since_s >= until_s:
            return
        for kept, counts in zip(self._kept, source, strict=True):
            kept[:, since_s - begin_s : until_s - begin_s] = counts[
                :, since_s - start_s : until_s - start_s
            ]

    def told(self, always_late: NDArray[Any]) -> NDArray[Any]:
        """Return int32 `Around` × kind × second, from `AROUND_PEAK_S` before the peak on; of the
        kinds that are *always_late* (bool) all who are served are late.
        """
        arrived, waiting, late, turned_away = self._kept[:, :, 1:]
        waited_before = self._kept[1, :, :-1]
        served = arrived + waited_before
        served -= waiting
        served -= turned_away
        told: dict[Around, NDArray[Any]] = {
            Around.ARRIVED: arrived,
            Around.SERVED: served,
            Around.WAITING: waiting,
            Around.LATE: np.where(always_late[:, None], served, late),
        }
        return np.stack([told[what] for what in Around])


def eventful(
    told: NDArray[Any], kinds: Sequence[str], first_s: int, since_s: int, until_s: int
) -> Iterator[tuple[Any, ...]]:
    """Yield of each of *kinds* its name, the seconds in [since, until) in which anything happened,
    and one array of each `Around`; *told* begins at *first_s*.
    """
    seconds = first_s + np.arange(told.shape[2])
    within = seconds >= since_s
    within &= seconds < until_s
    for name in sorted(kinds):
        of_kind = told[:, kinds.index(name)]
        chosen = of_kind.any(axis=0)
        chosen &= within
        yield name, seconds[chosen], *of_kind[:, chosen]
