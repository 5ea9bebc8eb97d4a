"""The physical limit beside the engine: draw an instant for every alert, count it in its second,
pass the counts through two slot queues. No estate, no ledger, no tables, no device after it has
been counted.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sim.kernels.draws import block, scaled, word

DAY_S = 86_400
# Nothing is kept: Numba would not notice that a draw which is inlined here has changed.


@njit(nogil=True)
def draw_and_count(key, place, n, day, counts):  # type: ignore[no-untyped-def]
    """Add to int32 *counts* the instants of *n* devices on *day*."""
    k0, k1 = np.uint32(key & np.uint64(0xFFFFFFFF)), np.uint32(key >> np.uint64(32))
    for quad in range(np.uint64(n >> 2)):
        words = block(np.uint32(quad), np.uint32(day), np.uint32(place), np.uint32(0), k0, k1)
        counts[np.uint64(scaled(words[0], DAY_S))] += 1
        counts[np.uint64(scaled(words[1], DAY_S))] += 1
        counts[np.uint64(scaled(words[2], DAY_S))] += 1
        counts[np.uint64(scaled(words[3], DAY_S))] += 1


@njit(nogil=True)
def pass_on(counts, capacity, waiting, served):  # type: ignore[no-untyped-def]
    """Write what leaves a server in each second; return what still waits."""
    for second in range(np.uint64(len(counts))):
        total = waiting + counts[second]
        served[second] = min(total, capacity)
        waiting = total - served[second]
    return waiting


def alerts_counted(regions: tuple[int, ...], days: int, csp_per_s: int, dsp_per_s: int) -> int:
    """Return how many alerts of *regions* (devices in each) left the DSP or wait, over *days*."""
    through, backlog = 0, [0] * (len(regions) + 1)
    counts = np.zeros(DAY_S, np.int32)
    served = np.zeros(DAY_S, np.int64)
    at_dsp = np.zeros(DAY_S, np.int64)
    for day in range(days):
        at_dsp[:] = 0
        for region, n in enumerate(regions):
            counts[:] = 0
            draw_and_count(np.uint64(20190801), region, n, day, counts)
            backlog[region] = pass_on(counts, csp_per_s, backlog[region], served)
            at_dsp += served
        backlog[-1] = pass_on(at_dsp, dsp_per_s, backlog[-1], served)
        through += int(served.sum())
    return through + sum(backlog)


@njit(nogil=True)
def message_ranks(key, place, index, leave):  # type: ignore[no-untyped-def]
    """Return the uint32 ranks of named messages, by their senders' places and premises numbers and
    the seconds they left.
    """
    rank = np.empty(len(index), np.uint32)
    for i in range(len(index)):
        rank[i] = word(key, place[i], np.int64(index[i]), np.int64(leave[i]))
    return rank
