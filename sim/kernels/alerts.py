"""Which devices and hubs raise alerts, and how fast chatter comes (docs/model.md section 11)."""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.draws import block_at, bounded_pareto, gap_s, is_below, word
from sim.kernels.seconds import NEVER


@njit(nogil=True)
def raisers(fitted_key, who_key, place, n, fitted, who):
    """Return the uint32 numbers in [0, n) of premises whose device at *place* is there and raises
    alerts: shares *fitted* and *who*, uint64 thresholds.
    """
    out = np.empty(n if who > np.uint64(0) else 0, np.uint32)
    count = np.uint64(0)
    for quad in range(np.uint64((n + 3) >> 2) if who > np.uint64(0) else np.uint64(0)):
        c, p = np.uint32(quad), np.uint32(place)
        there = block_at(fitted_key, p, c, 0)
        chosen = block_at(who_key, p, c, 0)
        for lane in range(np.uint64(4)):
            number = quad * np.uint64(4) + lane
            if (
                number < np.uint64(n)
                and is_below(there, lane, fitted)
                and is_below(chosen, lane, who)
            ):
                out[count] = number
                count += np.uint64(1)
    return out[:count].copy()


@njit(nogil=True)
def first_chatter(rate_key, gap_key, place, index, rate_per_s, tail, spread, rate, due):
    """Write float64 *rate*, each sender's own in 1/s, and int32 *due*, the second of its alert
    number 0.
    """
    for i in range(np.uint64(len(index))):
        rate[i] = rate_per_s * bounded_pareto(word(rate_key, place, index[i], 0), tail, spread)
        due[i] = min(gap_s(word(gap_key, place, index[i], 0), rate[i]), NEVER)
