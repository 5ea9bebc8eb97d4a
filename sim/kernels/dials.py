"""What fixed clocks read, and when they strike (docs/model.md section 6).

A dial is a clock as numbers: from second `start_s[i]` on it shows the second plus `ahead_s[i]`, but
never less than `before[i]`, what it showed just before. One that no one moves has one row.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.kernels.compiled import njit


class Dial(NamedTuple):
    """int64 *start_s*, *ahead_s* and *before*: a row for second 0, and one for each move."""

    start_s: NDArray[Any]
    ahead_s: NDArray[Any]
    before: NDArray[Any]


@cache
def dial_of(moves: tuple[tuple[int, int], ...]) -> Dial:
    """Return the dial of a clock that *moves*: (second, seconds by which it moves), by second."""
    rows = [(0, 0, -1)]
    for second, by_s in moves:
        _, ahead, before = rows[-1]
        rows.append((second, ahead + by_s, max(second - 1 + ahead, before)))
    return Dial(*(np.array(column, np.int64) for column in zip(*rows, strict=True)))


@njit(nogil=True, _nrt=False)  # makes no array, and is called from kernels that count none
def strikes(start_s, ahead_s, before, due):
    """Return the first second in which the clock shows *due*, a reading, or more."""
    i = 0
    while i + 1 < len(before) and before[i + 1] < due:
        i += 1
    return max(start_s[i], due - ahead_s[i])


@njit(nogil=True, _nrt=False)
def reading(start_s, ahead_s, before, second):
    """Return what the clock shows in *second*."""
    i = 0
    while i + 1 < len(start_s) and start_s[i + 1] <= second:
        i += 1
    return max(second + ahead_s[i], before[i])
