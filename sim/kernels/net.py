"""All that the network's kernels share in one step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sim.kernels.attempts import Book, Setup
from sim.kernels.links import Links
from sim.kernels.pool import Pool
from sim.kernels.protection import Rows
from sim.kernels.servers import Queues
from sim.kernels.traffic import Leaving


class Room(NamedTuple):
    """Scratch: int32 *box*, who is under way to each stage (first, last, number); room for a slot's
    arrivals (*ids*, *server*) and what becomes of them; int64 *by_kind*: arrivals by server and
    kind; bool *is_calm* by server; int64 *cells_waiting* by region; int16 *draft_kind* and int32
    *draft_number* of those about to get a name.
    """

    box: np.ndarray
    ids: np.ndarray
    more_ids: np.ndarray
    keys: np.ndarray
    more_keys: np.ndarray
    server: np.ndarray
    served: np.ndarray
    refused: np.ndarray
    verdict: np.ndarray
    first: np.ndarray
    by_kind: np.ndarray
    is_calm: np.ndarray
    cells_waiting: np.ndarray
    draft_kind: np.ndarray
    draft_number: np.ndarray


class Net(NamedTuple):
    """Everything a step touches, by what it is."""

    setup: Setup
    leaving: Leaving
    pool: Pool
    links: Links
    rows: Rows
    queues: Queues
    book: Book
    room: Room
