"""When devices change version (S1-03, S1-06): Poisson local updates, and national releases with a
take-up delay.

A device's next change is one column of 32-bit seconds (`NEVER` for none); advancing a day is one
sequential scan of it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.draws import block_at, blocks_at, gap_s, is_below, pick, quad_of, word
from sim.kernels.growing import longer
from sim.kernels.seconds import NEVER

_BLOCKS: Final = 256  # drawn at a time


@njit(nogil=True)
def happens(key, place, index, occasion, threshold, out):
    """Write into bool *out* whether the share *threshold* (uint64) happens to each of uint32
    *index* at one *occasion*.
    """
    last = np.int64(-1)
    words = block_at(key, place, 0, occasion)
    for i in range(np.uint64(len(index))):
        quad = quad_of(index[i])
        if quad != last:
            words = block_at(key, place, quad, occasion)
            last = quad
        out[i] = is_below(words, index[i], threshold)


@njit(nogil=True)
def chosen(key, place, n, threshold):
    """Return the uint32 numbers in [0, n) to which *threshold* happens at occasion 0, in order."""
    out = np.empty(n + 4, np.uint32)  # each is written, and stays if it is chosen
    count = np.uint64(0)
    number = np.uint64(0)
    words = np.empty((4, _BLOCKS), np.uint32)
    for first_quad in range(0, (n + 3) >> 2, _BLOCKS):
        blocks_at(key, place, first_quad, words)
        for block in range(np.uint64(_BLOCKS)):
            for lane in range(np.uint64(4)):
                out[count] = number
                drawn = np.uint64(words[lane, block])
                is_chosen = number < np.uint64(n) and drawn < threshold
                count += np.uint64(is_chosen)
                number += np.uint64(1)
    return out[:count].copy()


@njit(nogil=True)
def schedule(key, place, index, takes_part, occasion, rate_per_s, start_s, before_s, next_change):
    """Write each participant's next change: one gap of *rate_per_s* after *start_s*, or `NEVER` if
    that is not before *before_s*.
    """
    last = np.int64(-1)
    words = block_at(key, place, 0, occasion)
    for i in range(np.uint64(len(index))):
        if takes_part[i]:
            quad = quad_of(index[i])
            if quad != last:
                words = block_at(key, place, quad, occasion)
                last = quad
            when = start_s + gap_s(pick(words, index[i]), rate_per_s)
            next_change[i] = when if when < before_s else NEVER


@njit(nogil=True)
def changes_due(key, place, index, version, next_change, until_s, rate_per_s, release):
    """Return (row, second, new version) of every change before *until_s*, by row and then time, and
    move `next_change` past it.

    *release* > 0: each device changes at most once, to that release. Otherwise changes follow one
    another by Poisson gaps of *rate_per_s*, each raising the version by one; the gap that precedes
    change n is drawn at occasion n.
    """
    n = np.uint64(0)
    for i in range(np.uint64(len(next_change))):
        n += np.uint64(next_change[i] < until_s)
    due = np.empty(n, np.int64)
    n = np.uint64(0)
    for i in range(np.uint64(len(next_change))):
        if next_change[i] < until_s:
            due[n] = i
            n += np.uint64(1)
    capacity = len(due) + (len(due) >> 1) + 16
    row = np.empty(capacity, np.int32)
    when = np.empty(capacity, np.int32)
    new = np.empty(capacity, np.uint16)
    count = 0
    for device in due:
        changed = np.int64(version[device])
        while next_change[device] < until_s:
            if count == capacity:
                capacity *= 2
                row = longer(row, capacity)
                when = longer(when, capacity)
                new = longer(new, capacity)
            second = np.int64(next_change[device])
            changed = np.int64(release) if release > 0 else changed + 1
            row[count] = device
            when[count] = second
            new[count] = changed
            count += 1
            if release > 0:
                next_change[device] = NEVER
            else:
                drawn = word(key, place, index[device], changed)
                next_change[device] = min(second + gap_s(drawn, rate_per_s), NEVER)
    return row[:count].copy(), when[:count].copy(), new[:count].copy()


@njit(nogil=True)
def shares_out(key, place, index, thresholds):
    """Return uint8, for each of *index* the first of the cumulative uint64 *thresholds* above its
    word (their number if none is).
    """
    out = np.empty(len(index), np.uint8)
    for i in range(np.uint64(len(index))):
        drawn = np.uint64(word(key, place, index[i], 0))
        user = 0
        while user < len(thresholds) and drawn >= thresholds[user]:
            user += 1
        out[i] = user
    return out
