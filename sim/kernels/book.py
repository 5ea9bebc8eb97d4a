"""What the network's kernels count."""

from __future__ import annotations

from enum import IntEnum, unique
from typing import Final, NamedTuple

import numpy as np

from sim.kernels.stepping import record


@unique
class Stir(IntEnum):
    """What a second in which a server is in somebody's way is remembered by: places in
    `Book.stirs`.
    """

    WAITING = 0  # after its service
    LATE = 1  # of those served: raised longer before than the target of their kind
    TURNED_AWAY = 2  # throttled or refused


@unique
class Around(IntEnum):
    """What is told of each second around a peak: places in `Book.around`."""

    ARRIVED = 0
    SERVED = 1
    WAITING = 2
    LATE = 3


CELL_COUNTS: Final = record([
    ("peak", "i8"),          # most that came to a cell in a second
    ("n_over", "i8"),        # seconds of cells in which more came than it could serve
    ("n_waiting", "i8"),     # seconds of cells in which somebody waited
    ("peak_waiting", "i8"),  # most that waited at a cell
])  # fmt: skip

BUSIEST: Final = record([
    ("region", "i8"),  # of the cell to which most came in one second; -1: nobody came to any
    ("cell", "i8"),    # its number among the cells of all regions
    ("peak", "i8"),    # how many
    ("at", "i8"),      # the first second in which so many did
])  # fmt: skip


class Book(NamedTuple):
    """What is counted. By recorded server, kind and second of the day: int32 *seen*. By `Stir`,
    server, second and kind: int32 *stirs*, nothing but zero where bool *stirred* is not set of the
    server; int32 *held* (server × kind): who waits now. Who is served is what came, waited before,
    and neither waits nor was turned away. By server × kind: int64 *undelayed*, int32 *delays*. By
    kind: int32 *ends* (end to end), int64 *fates* (× fate × stage), *late*, *attempts* (× messages,
    attempts, wasted); by row and kind *stopped* (× stopped, put off). By region *cells*
    (`CELL_COUNTS`), and int32 *over* (× second): how many get more than they can serve. One record
    *busiest* (`BUSIEST`) and int32 *around* (`Around` × kind × second) from its peak on. int32
    *deliver*: second at the SMI's door by origin.
    """

    seen: np.ndarray
    stirs: np.ndarray
    stirred: np.ndarray
    held: np.ndarray
    undelayed: np.ndarray
    delays: np.ndarray
    ends: np.ndarray
    fates: np.ndarray
    late: np.ndarray
    attempts: np.ndarray
    stopped: np.ndarray
    cells: np.ndarray
    over: np.ndarray
    busiest: np.ndarray
    around: np.ndarray
    deliver: np.ndarray
