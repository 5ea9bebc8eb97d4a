"""What devices and premises are at second 0: model, readiness of the hub, first reads
(docs/firmware.md section 1).
"""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.draws import word
from sim.kernels.seconds import NEVER


@njit(nogil=True)
def by_curve(key, place, start_s, shares, times, out):
    """Write into int32 *out*, for each premises, *start_s* and the inverse at its word of a curve
    of uint64 *shares* by *times*; `NEVER` past the last.
    """
    for home in range(len(out)):
        drawn = np.uint64(word(key, place, home, 0))
        low = np.uint64(0)
        early = np.int64(0)
        out[home] = NEVER
        for i in range(len(shares)):
            if drawn < shares[i]:
                late = np.int64(((drawn - low) * np.uint64(times[i] - early)) // (shares[i] - low))
                out[home] = min(start_s + early + late, NEVER)
                break
            low, early = shares[i], times[i]


@njit(nogil=True)
def exchanged(key, place, share, out):
    """Write `NEVER` into int32 *out* for the hubs that are not exchanged."""
    for home in range(len(out)):
        if np.uint64(word(key, place, home, 0)) >= share:
            out[home] = NEVER


@njit(nogil=True)
def strokes_between(firsts, period_s, from_s, until_s):
    """Return how many of first, first + period, … lie in [from, until), summed over int32 *firsts*.
    """
    n = np.int64(0)
    for first in firsts:
        n += _before(until_s, np.int64(first), period_s) - _before(
            from_s, np.int64(first), period_s
        )
    return n


@njit(nogil=True, inline="always")
def _before(second, first, period_s):
    return np.int64(0) if second <= first else (second - first + period_s - 1) // period_s


@njit(nogil=True)
def look_up(devices, starts, fitted, rows):
    """Write whose row is whose (`sim.kernels.firmware.columns.Region`)."""
    for kind in range(5):
        at = starts[kind]
        for block in range(len(rows)):
            rows[block, kind] = at
            mask = np.uint64(0)
            while at < starts[kind + 1] and devices[at].index >> np.uint32(6) == block:
                mask |= np.uint64(1) << np.uint64(devices[at].index & np.uint32(63))
                at += 1
            fitted[block, kind] = mask
