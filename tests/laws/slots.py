"""One queue through the kernel of the network's servers, as arrays in and arrays out."""

from __future__ import annotations

import numpy as np
from numba import njit

from sim.kernels.net import shared
from sim.kernels.pool import ATTEMPT
from sim.kernels.serving import serve
from tests.oracles import nets

WAITING, REFUSED = np.int32(-2), np.int32(-1)


@njit
def _served(net, slot, left, n_waiting, departs):  # type: ignore[no-untyped-def]
    own = shared(net)
    room = own.room
    ids = np.arange(len(slot)).astype(np.int32)
    unit = 0
    for s in range(len(left)):
        first = unit
        while unit < len(slot) and slot[unit] == s:
            room.moving[0, unit].at = s
            room.moving[0, unit].who = unit
            unit += 1
        room.n_moving[1] = 0
        serve(own, 0, 0, ids[first:unit], s, left[s])
        for i in range(room.n_moving[1]):
            departs[room.moving[1, i].who] = s
        for i in range(room.slot[0].n_refused):
            departs[room.refused[i].who] = -1
        left[s] -= room.n_moving[1]
        n_waiting[s] += own.pool.lines[0].n


def serve_slots(
    slot: np.ndarray, left: np.ndarray, buffer: int, n_waiting: np.ndarray
) -> np.ndarray:
    """Return the slot in which each unit departs, `WAITING` or `REFUSED`, of one queue, first in
    first out.

    *slot* are the slots in which units arrive, in order. *left*, what each slot allows, is reduced
    by what is used; *n_waiting* is raised by those who wait after each slot. *buffer* < 0:
    unlimited.
    """
    queues = nets.empty_queues()
    queues.limits["buffer"] = buffer
    net = nets.net(queues=queues, pool=nets.empty_pool(0, len(slot) + 1))
    n = len(slot) + 1
    room = net.room._replace(moving=np.zeros((2, n), ATTEMPT), refused=np.zeros(n, ATTEMPT))
    departs = np.full(len(slot), WAITING, np.int32)
    _served(net._replace(room=room), np.asarray(slot, np.int32), left, n_waiting, departs)
    return departs
