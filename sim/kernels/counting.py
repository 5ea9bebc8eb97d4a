"""Counting messages by second without ever holding one: the existing load, and the bins of a day.
"""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.draws import block_at, pick, poisson_count


@njit(nogil=True)
def poisson_arrivals(key, region, start_s, stop_s, thresholds, first, out):
    """Write int32 *out*, the Poisson number of messages in each second of [start, stop).

    *thresholds* uint64 are the inversion tables of the 24 hours of the day one after the other;
    those of hour h are [first[h], first[h + 1]).
    """
    last = np.int64(-1)
    words = block_at(key, region, 0, 0)
    for second in range(start_s, stop_s):
        quad = np.int64(second >> 2)
        if quad != last:
            words = block_at(key, region, quad, 0)
            last = quad
        hour = (second // 3600) % 24
        out[second - start_s] = poisson_count(
            pick(words, second), thresholds[first[hour] : first[hour + 1]]
        )


@njit(nogil=True)
def largest_bins(counts, k, n_bins, out_n, out_at):
    """Write into one-element *out_n*, *out_at* the largest sum over k consecutive counts and where
    its bin starts, over *n_bins* bins.
    """
    out_n[0], out_at[0] = 0, -1
    for b in range(n_bins):
        total = np.int64(0)
        for i in range(k):
            total += counts[b * k + i]
        if total > out_n[0]:
            out_n[0], out_at[0] = total, b * k
