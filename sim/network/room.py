"""Memory for attempts and messages: made small, and larger when they become many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.kernels.book import Around
from sim.kernels.lines import Lane
from sim.kernels.net import Room
from sim.kernels.pool import ATTEMPT, CHUNK_PLACES, ENDED, HEIGHTS, LINE, MESSAGE, Pool
from sim.kernels.serving import SERVICE
from sim.network.layout import Layout

FIRST_ROOM: Final = 4096
GROWTH: Final = 4  # memory that nobody touches costs nothing, copying what is there does
# seconds of the wheels of what comes again; what is further away goes round more than once
WHEEL_S: Final = 1 << 13


class Shelf:
    """Memory that a network of this process has left for the next. What was once touched need not
    be asked of the system again, which clears it page by page: a fifth of a national storm.

    Arrays that belong together, a set, are on the shelf or with one network, never both. Who takes
    them finds in them whatever was left there.
    """

    def __init__(self) -> None:
        self._sets: dict[str, dict[str, Any]] = {}

    def take(self, what: str) -> dict[str, Any]:
        """Return the arrays, by name, of the set *what*; none where it is not on the shelf."""
        return self._sets.pop(what, {})

    def keep(self, what: str, arrays: dict[str, Any]) -> None:
        """Put *arrays* on the shelf as the set *what*, in the place of one that lies there."""
        self._sets[what] = arrays

    def clear(self) -> None:
        """Forget all there is."""
        self._sets.clear()


SHELF: Final = Shelf()
_BY_CHUNK: Final = dict.fromkeys(("after", "before", "free_chunks"), np.int64)
_RECORDS: Final = {"messages": MESSAGE, "free": np.int64}
_PLACES: Final = dict.fromkeys(("ids", "by_region", "server", "more_ids", "draft_number"), np.int32)
_SCRATCH: Final = _PLACES | {
    "refused": ATTEMPT,
    "due": ATTEMPT,
    "draft_kind": np.int16,
    "verdict": np.bool_,
    "keys": np.uint64,
    "more_keys": np.uint64,
}


def _new(dtypes: Mapping[str, Any], n: int) -> dict[str, Any]:
    """Return arrays of *n* values, one of each of *dtypes*."""
    return {name: np.empty(n, dtype) for name, dtype in dtypes.items()}


def small_pool(layout: Layout, comes_again: bool) -> Pool:
    """Return a pool for a few attempts at least; *comes_again*: whether any will ever come again.
    """
    n_lines = layout.n_servers * layout.n_places
    n_lanes = Lane.ARRIVES + len(layout.specs) if comes_again else 0
    chunks = SHELF.take("chunks")
    if not chunks:
        chunks = _new(_BY_CHUNK, FIRST_ROOM // CHUNK_PLACES)
        chunks |= _new({"attempts": ATTEMPT, "ended": ENDED}, FIRST_ROOM)
    records = _new(_RECORDS, 0)
    if layout.retry is not None:
        records = SHELF.take("records") or _new(_RECORDS, FIRST_ROOM)
    return Pool(
        **chunks,
        **records,
        lines=np.zeros(n_lines + n_lanes * WHEEL_S, LINE),
        wheels=n_lines,
        wheel_s=WHEEL_S,
        heights=np.zeros(1, HEIGHTS),
    )


def grown(pool: Pool, needed: NDArray[Any], expected: int = 0) -> Pool:
    """Return *pool* with all it holds, and room for what is *needed* (`NEEDED`) at least; where it
    grows, for as many attempts as are *expected*.
    """
    heights, needs = pool.heights[0], needed[0]
    messages = int(heights.used_messages + needs.n_messages) if len(pool.messages) else 0
    chunks = int(heights.used_chunks + needs.n_chunks)
    if chunks > len(pool.after):
        chunks = max(chunks, expected // CHUNK_PLACES)
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
            length = max(length, GROWTH * len(old) // each)
            larger[name] = np.empty(length * each, old.dtype)
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
    arrays = SHELF.take("room")
    if not arrays or len(arrays["ids"]) < n:
        arrays = _new(_SCRATCH, n) | {"moving": np.empty((2, n), ATTEMPT)}
    return Room(
        **arrays,
        n_moving=np.zeros(2, np.int64),
        first_of_region=np.zeros(n_regions + 1, np.int64),
        first=np.zeros(max(*servers, *layout.n_cells, 1) + 2, np.int64),
        digits=np.zeros(257, np.int64),
        by_kind=np.zeros((few, len(layout.kinds)), np.int64),
        measured=np.zeros(len(layout.kinds), np.int64),
        cell_did=np.zeros((len(Around), len(layout.kinds)), np.int64),
        is_calm=np.zeros(few, np.bool_),
        cells_waiting=np.zeros(n_regions, np.int64) if before is None else before.cells_waiting,
        slot=np.zeros(1, SERVICE),
    )


def leave_behind(pool: Pool, room: Room) -> None:
    """Leave what any network can use of *pool* and *room* for the next."""
    for what, names, group in (
        ("chunks", [*_BY_CHUNK, "attempts", "ended"], pool),
        ("records", [*_RECORDS], pool),
        ("room", [*_SCRATCH, "moving"], room),
    ):
        arrays = {name: getattr(group, name) for name in names}
        if len(arrays[names[0]]):
            SHELF.keep(what, arrays)
