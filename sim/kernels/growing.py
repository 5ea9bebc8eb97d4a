"""Arrays that turn out too short, made longer."""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import njit


@njit(nogil=True)
def longer(array, capacity):
    """Return a copy of *array* with room for *capacity* items; what follows its own is not written.
    """
    copy = np.empty(capacity, array.dtype)
    copy[: len(array)] = array
    return copy
