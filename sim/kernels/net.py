"""All that the network's kernels share in one step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sim.kernels.book import Book
from sim.kernels.compiled import njit
from sim.kernels.links import Links
from sim.kernels.pool import Pool
from sim.kernels.protection import Rows
from sim.kernels.references import refer
from sim.kernels.servers import Queues
from sim.kernels.setup import Setup
from sim.kernels.traffic import Leaving


class Room(NamedTuple):
    """Scratch of one step. *moving* (`ATTEMPT`, 2 × any): who comes to the stage at work and who
    leaves it, by turns, int64 *n_moving* of them; *refused* and *due*: who is refused in a slot,
    and what comes again in a step. Places of arrivals: int32 *ids*, *by_region* from int64
    *first_of_region*, by *server* from int64 *first*; bool *verdict*: whom a row stops. uint64
    *keys*, *more_keys*, int32 *more_ids*, int64 *digits*: to sort with; int16 *draft_kind* and
    int32 *draft_number*: who is about to get a name. int64 *by_kind*: arrivals by server and kind;
    *measured* by kind; *cell_did* (`Around` × kind): what a cell does in a slot; bool *is_calm* by
    server; int64 *cells_waiting* by region; one record *slot* (`SERVICE`).
    """

    moving: np.ndarray
    n_moving: np.ndarray
    refused: np.ndarray
    due: np.ndarray
    ids: np.ndarray
    by_region: np.ndarray
    first_of_region: np.ndarray
    server: np.ndarray
    first: np.ndarray
    verdict: np.ndarray
    keys: np.ndarray
    more_keys: np.ndarray
    more_ids: np.ndarray
    digits: np.ndarray
    draft_kind: np.ndarray
    draft_number: np.ndarray
    by_kind: np.ndarray
    measured: np.ndarray
    cell_did: np.ndarray
    is_calm: np.ndarray
    cells_waiting: np.ndarray
    slot: np.ndarray


class Net(NamedTuple):
    """Everything a step touches, by what it is: the groups themselves outside the kernels, and
    references to them within.
    """

    setup: Setup
    leaving: Leaving
    pool: Pool
    links: Links
    rows: Rows
    queues: Queues
    book: Book
    room: Room


@njit(nogil=True, inline="always")
def shared(net):
    """Return *net* with references to its groups, which are good until the caller returns."""
    return Net(
        refer(net.setup),
        refer(net.leaving),
        refer(net.pool),
        refer(net.links),
        refer(net.rows),
        refer(net.queues),
        refer(net.book),
        refer(net.room),
    )
