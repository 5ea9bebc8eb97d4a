"""What a server's capacity allows in each slot: whole messages of an exact rate."""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import njit


@njit(nogil=True)
def allowance(numerator, denominator, start, stop):
    """Return int64 what a capacity of numerator/denominator per slot allows in each slot of [start,
    stop): floor((s+1) r) - floor(s r).
    """
    out = np.empty(stop - start, np.int64)
    whole, part = numerator // denominator, numerator % denominator
    credit = (start * part) % denominator
    for i in range(stop - start):
        credit += part
        out[i] = whole + (credit >= denominator)
        credit -= denominator * (credit >= denominator)
    return out
