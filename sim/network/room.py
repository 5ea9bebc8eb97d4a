"""Memory for attempts and messages: made small, and larger when they become many."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.kernels.lines import Lane
from sim.kernels.net import Room
from sim.kernels.pool import ATTEMPT, CHUNK_PLACES, ENDED, HEIGHTS, LINE, MESSAGE, Pool
from sim.kernels.serving import SERVICE
from sim.network.layout import Layout

FIRST_ROOM: Final = 4096
GROWTH: Final = 4  # memory that nobody touches costs nothing, copying what is there does
# seconds of the wheels of what comes again; what is further away goes round more than once
WHEEL_S: Final = 1 << 13


def small_pool(layout: Layout, comes_again: bool) -> Pool:
    """Return a pool for a few attempts; *comes_again*: whether any will ever come again."""
    n_lines = layout.n_servers * layout.n_places
    n_lanes = Lane.ARRIVES + len(layout.specs) if comes_again else 0
    n_messages = 0 if layout.retry is None else FIRST_ROOM
    n_chunks = FIRST_ROOM // CHUNK_PLACES
    return Pool(
        messages=np.empty(n_messages, MESSAGE),
        free=np.empty(n_messages, np.int64),
        attempts=np.empty(n_chunks * CHUNK_PLACES, ATTEMPT),
        after=np.empty(n_chunks, np.int64),
        before=np.empty(n_chunks, np.int64),
        free_chunks=np.empty(n_chunks, np.int64),
        lines=np.zeros(n_lines + n_lanes * WHEEL_S, LINE),
        wheels=n_lines,
        wheel_s=WHEEL_S,
        ended=np.empty(FIRST_ROOM, ENDED),
        heights=np.zeros(1, HEIGHTS),
    )


def grown(pool: Pool, needed: NDArray[Any]) -> Pool:
    """Return *pool* with all it holds, and room for what is *needed* (`NEEDED`) at least."""
    heights, needs = pool.heights[0], needed[0]
    messages = int(heights.used_messages + needs.n_messages) if len(pool.messages) else 0
    chunks = int(heights.used_chunks + needs.n_chunks)
    columns = {
        "messages": (messages, 1),
        "free": (messages, 1),
        "attempts": (chunks, CHUNK_PLACES),
        "after": (chunks, 1),
        "before": (chunks, 1),
        "free_chunks": (chunks, 1),
        "ended": (int(needs.n_ended), 1),
    }
    larger: dict[str, Any] = {}
    for name, (length, each) in columns.items():
        old = getattr(pool, name)
        if length * each > len(old):
            larger[name] = np.empty(max(length * each, GROWTH * len(old)), old.dtype)
            larger[name].view(np.uint8)[: old.nbytes] = old.view(np.uint8)
    return pool._replace(**larger)


def room_for(n: int, layout: Layout, before: Room | None = None) -> Room:
    """Return scratch for steps in which up to *n* attempts move, keeping who is known to wait in
    *before*.
    """
    n_regions = len(layout.n_cells)
    servers = [layout.servers(k) for k in range(len(layout.specs))]
    few = max(
        [layout.servers(k) for k, spec in enumerate(layout.specs) if spec.stage != "cell"],
        default=1,
    )
    ids, more_ids, by_region, server, draft_number = (np.empty(n, np.int32) for _ in range(5))
    return Room(
        moving=np.empty((2, n), ATTEMPT),
        n_moving=np.zeros(2, np.int64),
        refused=np.empty(n, ATTEMPT),
        due=np.empty(n, ATTEMPT),
        ids=ids,
        by_region=by_region,
        first_of_region=np.zeros(n_regions + 1, np.int64),
        server=server,
        first=np.zeros(max(*servers, *layout.n_cells, 1) + 2, np.int64),
        verdict=np.empty(n, np.bool_),
        keys=np.empty(n, np.uint64),
        more_keys=np.empty(n, np.uint64),
        more_ids=more_ids,
        digits=np.zeros(257, np.int64),
        draft_kind=np.empty(n, np.int16),
        draft_number=draft_number,
        by_kind=np.zeros((few, len(layout.kinds)), np.int64),
        measured=np.zeros(len(layout.kinds), np.int64),
        is_calm=np.zeros(few, np.bool_),
        cells_waiting=np.zeros(n_regions, np.int64) if before is None else before.cells_waiting,
        slot=np.zeros(1, SERVICE),
    )
