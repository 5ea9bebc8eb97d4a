"""One queue through the kernel of the network's servers, as arrays in and arrays out."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from sim.kernels.pool import MESSAGE, NONE
from sim.kernels.servers import SERVER, STAGE, Queues, serve

WAITING, REFUSED = np.int32(-2), np.int32(-1)
_PLAIN: Final = np.zeros(1, STAGE)
_PLAIN[["levels", "codel_target", "codel_interval"]] = (1, -1, -1)
_SIZES: Final = np.zeros(1, np.int64)


@njit
def _served(messages, queues, stage, levels, slot, left, n_waiting, departs):  # type: ignore[no-untyped-def]
    ids = np.arange(len(slot)).astype(np.int32)
    served = np.empty(len(slot), np.int32)
    refused = np.empty(len(slot), np.int32)
    unit = 0
    for s in range(len(left)):
        first = unit
        while unit < len(slot) and slot[unit] == s:
            messages[unit].at = s
            unit += 1
        n_served, n_refused = serve(
            messages,
            queues,
            stage,
            levels,
            _SIZES,
            0,
            ids[first:unit],
            unit - first,
            s,
            left[s],
            served,
            refused,
        )
        for i in range(n_served):
            departs[served[i]] = s
        for i in range(n_refused):
            departs[refused[i]] = -1
        left[s] -= n_served
        n_waiting[s] += queues.n[0, 0]


def serve_slots(
    slot: np.ndarray, left: np.ndarray, buffer: int, n_waiting: np.ndarray
) -> np.ndarray:
    """Return the slot in which each unit departs, `WAITING` or `REFUSED`, of one queue, first in
    first out.

    *slot* are the slots in which units arrive, in order. *left*, what each slot allows, is reduced
    by what is used; *n_waiting* is raised by those who wait after each slot. *buffer* < 0:
    unlimited.
    """
    limits = np.array([(0, 0, 0, buffer, -1)], SERVER)
    ends, numbers = (lambda: np.full((1, 1), NONE, np.int32)), (lambda: np.zeros((1, 1), np.int32))
    queues = Queues(limits, np.zeros(1, np.int64), ends(), ends(), numbers(), numbers())
    departs = np.full(len(slot), WAITING, np.int32)
    _served(
        np.zeros(max(len(slot), 1), MESSAGE),
        queues,
        _PLAIN[0],
        np.zeros(1, np.int8),
        np.asarray(slot, np.int32),
        left,
        n_waiting,
        departs,
    )
    return departs
