"""Clocks of a rate (docs/model.md section 2): reads of devices, and alerts at random."""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.draws import gap_s, word
from sim.kernels.growing import longer
from sim.kernels.seconds import NEVER


@njit(nogil=True)
def first_gaps(key, place, index, rate_per_s, out):
    """Write int32 *out*, the first stroke of each clock of *rate_per_s*; `NEVER` where it is 0."""
    for i in range(len(index)):
        out[i] = NEVER
        if rate_per_s > 0:
            out[i] = min(gap_s(word(key, place, index[i], 0), rate_per_s), NEVER)


@njit(nogil=True)
def strokes(key, place, index, rate, stop_s, due, number):
    """Return int32 (row, second) of the strokes before *stop_s*, by row and then second, and move
    on int32 *due*, the next stroke of each clock.

    *index* are the premises of the clocks, *rate* in 1/s is of each, or one of all. The gap after a
    stroke is drawn at its second; where int64 *number* has how many each clock has struck, at that.
    """
    expected = 0.0
    for i in range(np.uint64(len(index))):
        if due[i] < stop_s:
            expected += 1.0 + (stop_s - due[i]) * rate[i % len(rate)]
    capacity = np.int64(expected + 6.0 * np.sqrt(expected)) + 16
    row, second = np.empty(capacity, np.int32), np.empty(capacity, np.int32)
    count = 0
    for i in range(np.uint64(len(index))):
        when = np.int64(due[i])
        if when >= stop_s:
            continue
        rate_per_s = rate[i % len(rate)]
        while when < stop_s:
            if count == capacity:
                capacity *= 2
                row, second = longer(row, capacity), longer(second, capacity)
            row[count], second[count] = i, when
            count += 1
            occasion = when
            if len(number) > 0:
                number[i] += 1
                occasion = number[i]
            when += gap_s(word(key, place, index[i], occasion), rate_per_s)
        due[i] = min(when, NEVER)
    return row[:count], second[:count]
