"""A network of nothing, for kernels that are tested one at a time: two regions of three premises,
three kinds (the first anonymous, the last version reports), three stages of which none has rows.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from sim.kernels.book import BUSIEST, CELL_COUNTS, Book
from sim.kernels.links import Links
from sim.kernels.net import Net
from sim.kernels.pool import ATTEMPT, CHUNK_PLACES, ENDED, HEIGHTS, LINE, MESSAGE, Pool
from sim.kernels.protection import ROW, ROW_MEMORY, SENDER_MEMORY, Rows
from sim.kernels.servers import OUTAGE, SERVER, STAGE, Queues
from sim.kernels.setup import ATTEMPTS, BUDGET, RetryTerms, Setup
from sim.kernels.traffic import FLOW, MEMBER, ORIGIN, Leaving
from sim.network.room import room_for

N_KINDS, N_REGIONS, N_STAGES, N_SERVERS, N_PLACES, HORIZON_S = 3, 2, 3, 3, 3, 2000
WHEEL_S, N_LANES, N_LINES = 8, 2 + N_STAGES, N_SERVERS * N_PLACES
KEYS = np.array([11, 0x0123_4567_89AB_CDEF, 13, 14], np.uint64)


def no_setup(**known: Any) -> Setup:
    """Return what a step is told: nothing is limited, nothing is retried, but for what is *known*.
    """
    stages = np.zeros(N_STAGES, STAGE)
    stages["levels"] = 1
    stages["codel_target"] = stages["codel_interval"] = stages["codel_row"] = -1
    groups = {
        **dict.fromkeys(("warm_up_s", "day_start_s", "latency_s"), 0),
        **dict.fromkeys(("horizon_s", "stop_s"), HORIZON_S),
        **dict.fromkeys(("n_stages", "n_open"), N_STAGES),
        **dict.fromkeys(("has_users", "hubs_keep", "is_traced", "homes_matter"), False),
        "cells_watched": False,
        "premises_per_cell": 100,
        "n_anonymous": 1,
        "stages": stages,
        "levels": np.zeros((N_STAGES, N_KINDS), np.int8),
        "sizes": np.zeros((N_STAGES, N_KINDS), np.int64),
        "outages": np.zeros(0, OUTAGE),
        "retry": RetryTerms(0, 1, 0, 0, 0, -1, -1),
        "retried": np.zeros(N_KINDS, np.bool_),
        "keys": KEYS,
        "home_keys": np.zeros(N_KINDS, np.uint64),
        "kind_user": np.full(N_KINDS, -1),
        "targets": np.full(N_KINDS, 100),
        "gasps": np.zeros(N_KINDS, np.bool_),
        "central": np.zeros(N_KINDS, np.bool_),
        "premises_first": np.array([0, 3, 6]),
        "user_of": np.zeros(0, np.uint8),
        "dark_until": np.zeros(0, np.int32),
        "budget": np.zeros(N_REGIONS, BUDGET),
        "made": np.zeros((N_REGIONS, 0), ATTEMPTS),
    }
    return Setup(**groups | known)


def nobody_leaves(n_members: int = 1) -> Leaving:
    """Return an interval in which nobody leaves, with some members to point to."""
    nothing = np.zeros((N_REGIONS, N_KINDS, 0), np.int32)
    return Leaving(
        0, nothing, nothing, nothing, nothing[:0], nothing[:0],
        np.zeros((N_REGIONS, 0), np.uint8), np.zeros((N_REGIONS, 0), np.int32),
        n_members, np.zeros(1, np.int64), np.zeros(n_members, MEMBER), np.zeros(n_members, ORIGIN),
        np.zeros(1, FLOW),
        np.zeros(N_KINDS, np.bool_), np.zeros(0, np.uint8),
    )  # fmt: skip


def empty_pool(n_messages: int = 20, n_chunks: int = 60) -> Pool:
    """Return memory for a few, with wheels that turn soon."""
    return Pool(
        messages=np.zeros(n_messages, MESSAGE),
        free=np.zeros(n_messages, np.int64),
        attempts=np.zeros(n_chunks * CHUNK_PLACES, ATTEMPT),
        after=np.zeros(n_chunks, np.int64),
        before=np.zeros(n_chunks, np.int64),
        free_chunks=np.zeros(n_chunks, np.int64),
        lines=np.zeros(N_LINES + N_LANES * WHEEL_S, LINE),
        wheels=N_LINES,
        wheel_s=WHEEL_S,
        ended=np.zeros(200, ENDED),
        heights=np.zeros(1, HEIGHTS),
    )


def no_links() -> Links:
    """Return links that are never down."""
    return Links(
        *(np.zeros(0, np.int64) for _ in range(4)), np.zeros((0, 1), np.bool_), 0, np.uint64(1), 100
    )


def no_rows() -> Rows:
    """Return no mitigations."""
    return Rows(
        np.zeros((0, 1), ROW), np.zeros((0, N_KINDS), np.bool_), np.zeros((0, 1), ROW_MEMORY),
        np.zeros(0, np.int32), np.zeros(N_KINDS, np.int64), np.ones(1), np.zeros(1, np.int64),
        np.zeros(1, np.uint64), np.zeros(1, SENDER_MEMORY), np.zeros((1, 1), np.int32),
    )  # fmt: skip


def empty_queues() -> Queues:
    """Return servers without limits."""
    limits = np.zeros(N_SERVERS, SERVER)
    limits["buffer"] = limits["lifo"] = -1
    return Queues(limits, np.zeros(N_SERVERS, np.int64), np.zeros((N_SERVERS, N_PLACES), np.int32))


def blank_book() -> Book:
    """Return counts of nothing."""
    flat, nothing = np.zeros((0, 0), np.int32), np.zeros((0, 0, 0), np.int32)
    return Book(
        nothing, np.zeros((0, 0, 0, 0), np.int32), np.zeros(0, np.bool_), flat,
        np.zeros((0, 0), np.int64), flat,
        np.zeros((N_KINDS, 2 * HORIZON_S), np.int32),
        np.zeros((N_KINDS, 7, N_STAGES + 2), np.int64),
        np.zeros(N_KINDS, np.int64), np.zeros((N_KINDS, 3), np.int64),
        np.zeros((1, N_KINDS, 2), np.int64), np.zeros(N_REGIONS, CELL_COUNTS), flat,
        np.full(1, -1, BUSIEST), nothing,
        np.zeros(0, np.int32),
    )  # fmt: skip


def net(**groups: Any) -> Net:
    """Return a network of nothing but *groups*."""
    layout: Any = SimpleNamespace(
        n_cells=[1] * N_REGIONS, specs=[], kinds=["anonymous", "alert", "version_report"]
    )
    nothing = {
        "setup": no_setup(), "leaving": nobody_leaves(), "pool": empty_pool(), "links": no_links(),
        "rows": no_rows(), "queues": empty_queues(), "book": blank_book(),
        "room": room_for(300, layout),
    }  # fmt: skip
    return Net(**nothing | groups)
