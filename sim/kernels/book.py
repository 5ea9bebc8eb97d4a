"""What the network's kernels count."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from sim.kernels.stepping import record

CELL_COUNTS: Final = record([
    ("peak", "i8"),          # most that came to a cell in a second
    ("n_over", "i8"),        # seconds of cells in which more came than it could serve
    ("n_waiting", "i8"),     # seconds of cells in which somebody waited
    ("peak_waiting", "i8"),  # most that waited at a cell
])  # fmt: skip


class Book(NamedTuple):
    """What is counted. By recorded server, kind and second of the day: int32 *seen*; by server and
    second: *served*, *waits*. By server × kind: int64 *undelayed*, int32 *delays*. By kind: int32
    *ends* (end to end), int64 *fates* (× fate × stage), *late*, *attempts* (× messages, attempts,
    wasted); by row and kind *stopped* (× stopped, put off). By region *cells* (`CELL_COUNTS`), and
    int32 *over* (× second): how many get more than they can serve. int32 *deliver*: second at the
    SMI's door by member of the interval.
    """

    seen: np.ndarray
    served: np.ndarray
    waits: np.ndarray
    undelayed: np.ndarray
    delays: np.ndarray
    ends: np.ndarray
    fates: np.ndarray
    late: np.ndarray
    attempts: np.ndarray
    stopped: np.ndarray
    cells: np.ndarray
    over: np.ndarray
    deliver: np.ndarray
