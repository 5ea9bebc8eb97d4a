"""Who is dark, and for how long (docs/model.md section 5): the strokes of power cuts and hub
reboots, and the spells that they make together.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.kernels.compiled import njit
from sim.kernels.draws import block_at, is_below, word
from sim.kernels.growing import longer
from sim.kernels.seconds import NEVER


class Strokes(NamedTuple):
    """What darkens premises of one region, in order of time, one entry a stroke.

    *start* and *ends* int64: seconds, *ends* before any restoration; *number* int64: in the
    calendar of its list; *threshold* uint64: of the share it takes; *footprint* and *restoration*
    uint64: the keys it draws under; *is_cut* bool. The restoration curve of stroke i are the points
    [first[i], first[i + 1]) of *shares* (int64 thresholds, rising to 2^32) and *times* (int64).
    """

    start: NDArray[Any]
    ends: NDArray[Any]
    number: NDArray[Any]
    threshold: NDArray[Any]
    footprint: NDArray[Any]
    restoration: NDArray[Any]
    is_cut: NDArray[Any]
    first: NDArray[Any]
    shares: NDArray[Any]
    times: NDArray[Any]


@njit(nogil=True)
def back_after(drawn, shares, times):
    """Return the time after which the share *drawn* / 2^32 is back: the inverse of the curve
    through (0, 0) and the points (*shares*, *times*).
    """
    at = np.int64(drawn)
    share = np.int64(0)
    time = np.int64(0)
    for i in range(len(shares)):
        if at < shares[i]:
            return time + ((at - share) * (times[i] - time)) // (shares[i] - share)
        share, time = shares[i], times[i]
    return time


@njit(nogil=True)
def darken(strokes, s, place, dark_until, lit):
    """Darken the premises that stroke *s* takes, each until its restoration or the later end of
    what else darkens it; return a mask of them.

    int32 *lit*, where it is not empty, is moved on to the end of the spell before the present one.
    """
    taken = np.zeros(len(dark_until), np.bool_)
    shares = strokes.shares[strokes.first[s] : strokes.first[s + 1]]
    times = strokes.times[strokes.first[s] : strokes.first[s + 1]]
    for quad in range(np.uint64((len(dark_until) + 3) >> 2)):
        words = block_at(strokes.footprint[s], place, quad, strokes.number[s])
        for lane in range(np.uint64(4)):
            number = quad * np.uint64(4) + lane
            if number < np.uint64(len(dark_until)) and is_below(words, lane, strokes.threshold[s]):
                taken[number] = True
                if len(lit) > 0 and dark_until[number] < strokes.start[s]:
                    lit[number] = dark_until[number]
                restored = strokes.ends[s] + back_after(
                    word(strokes.restoration[s], place, np.int64(number), strokes.number[s]),
                    shares,
                    times,
                )
                dark_until[number] = min(max(np.int64(dark_until[number]), restored), NEVER)
    return taken


@njit(nogil=True)
def dark_spells(strokes, place, n):
    """Return (premises number uint32, begin, end int32, whether it is an outage) of the dark spells
    of *n* premises, by number and then time.
    """
    capacity = 1024
    home, outage = np.empty(capacity, np.uint32), np.empty(capacity, np.bool_)
    begin, end = np.empty(capacity, np.int32), np.empty(capacity, np.int32)
    words, count = np.empty((len(strokes.start), 4), np.uint32), 0
    for quad in range(np.uint64((n + 3) >> 2)):
        for s in range(len(strokes.start)):
            key = strokes.footprint[s]
            drawn = block_at(key, place, quad, strokes.number[s])
            words[s, 0], words[s, 1], words[s, 2], words[s, 3] = drawn
        if count + 4 * len(strokes.start) > capacity:
            capacity = 2 * capacity + 4 * len(strokes.start)
            home = longer(home, capacity)
            outage = longer(outage, capacity)
            begin = longer(begin, capacity)
            end = longer(end, capacity)
        for lane in range(np.uint64(4)):
            number = quad * np.uint64(4) + lane
            lights = np.int64(-1)  # when the spell that is being put together ends
            for s in range(len(strokes.start) if number < np.uint64(n) else 0):
                if np.uint64(words[s, lane]) >= strokes.threshold[s]:
                    continue
                a, b = strokes.first[s], strokes.first[s + 1]
                drawn = word(strokes.restoration[s], place, np.int64(number), strokes.number[s])
                restored = strokes.ends[s] + back_after(
                    drawn, strokes.shares[a:b], strokes.times[a:b]
                )
                if strokes.start[s] > lights:
                    home[count] = number
                    begin[count] = strokes.start[s]
                    outage[count] = False
                    count += 1
                lights = max(lights, restored)
                end[count - 1] = min(lights, NEVER)
                outage[count - 1] = outage[count - 1] or strokes.is_cut[s]
    return home[:count].copy(), begin[:count].copy(), end[:count].copy(), outage[:count].copy()


@njit(nogil=True)
def lock_clocks(
    footprint_key, skew_key, place, index, number, threshold, read, at_s, spread_s, period_s, due
):
    """Move int32 *due*, the timers of the senders that clock lock *number* takes, to the first of
    their new anchor after *read*, the second, or what their clocks read in it.
    """
    for i in range(np.uint64(len(index))):
        if np.uint64(word(footprint_key, place, index[i], number)) < threshold:
            skew = (
                np.int64(word(skew_key, place, index[i], number)) * np.int64(spread_s)
            ) >> np.int64(32)
            due[i] = read - (read - at_s - skew) % period_s + period_s
