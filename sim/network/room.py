"""Memory for messages with names: made small, and larger when they become many."""

from __future__ import annotations

from typing import Final

import numpy as np

from sim.kernels.net import Room
from sim.kernels.pool import ENDED, EVENT, MESSAGE, NONE, Pool
from sim.network.layout import Layout

FIRST_ROOM: Final = 4096
# seconds of the wheel of events; those further away go round more than once
WHEEL_S: Final = 1 << 17


def small_pool(with_events: bool) -> Pool:
    """Return a pool for a few messages; *with_events*: whether any will ever come again."""
    n_events = 2 * FIRST_ROOM if with_events else 0
    wheel = WHEEL_S if with_events else 1
    return Pool(
        np.zeros(FIRST_ROOM, MESSAGE),
        np.zeros(FIRST_ROOM, np.int32),
        np.zeros(n_events, EVENT),
        np.zeros(n_events, np.int32),
        np.full(wheel, NONE, np.int32),
        np.zeros(wheel, np.int32),
        np.zeros(FIRST_ROOM, ENDED),
        np.zeros(5, np.int64),
    )


def grown(pool: Pool, n_messages: int, n_ended: int) -> Pool:
    """Return *pool* with room for *n_messages* and *n_ended* at least, and all it holds."""
    columns = {"messages": n_messages, "free": n_messages, "ended": n_ended}
    if len(pool.events):
        columns |= {"events": 2 * n_messages, "free_events": 2 * n_messages}
    larger = {}
    for name, n in columns.items():
        old = getattr(pool, name)
        if n > len(old):
            larger[name] = np.empty(n, old.dtype)
            larger[name].view(np.uint8)[: old.nbytes] = old.view(np.uint8)
    return pool._replace(**larger)


def room_for(pool: Pool, layout: Layout, before: Room | None = None) -> Room:
    """Return scratch for all messages of *pool*, keeping who is under way in *before*."""
    n = len(pool.messages)
    n_regions = len(layout.n_cells)
    n_stages = len(layout.specs)
    servers = [layout.servers(k) for k in range(n_stages)] or [1]
    few = max(
        [layout.servers(k) for k, spec in enumerate(layout.specs) if spec.stage != "cell"],
        default=1,
    )
    box = np.full((max(n_stages, 1), 3), NONE, np.int32)
    box[:, 2] = 0
    ids, more_ids, server, served, refused = (np.empty(n, np.int32) for _ in range(5))
    return Room(
        box,
        ids,
        more_ids,
        np.empty(n, np.uint64),
        np.empty(n, np.uint64),
        server,
        served,
        refused,
        np.empty(n, np.bool_),
        np.zeros(max(*servers, *layout.n_cells, 1) + 2, np.int64),
        np.zeros((few, len(layout.kinds)), np.int64),
        np.zeros(few, np.bool_),
        np.zeros(n_regions, np.int64) if before is None else before.cells_waiting,
        np.empty(n, np.int16),
        np.empty(n, np.int32),
    )
