"""Which seconds are too much for some WAN cell: thousands of cells, counted a stretch of seconds at a time."""

from __future__ import annotations

import numpy as np

from sim.kernels.attempts import N_ANONYMOUS, PER_CELL
from sim.kernels.compiled import njit
from sim.kernels.protection import allowed_by_shapes
from sim.kernels.servers import UNLIMITED, share_of_slot
from sim.kernels.traffic import home


@njit(nogil=True)
def crowd(setup, leaving, rows, stage, region, n_cells, stretch):  # type: ignore[no-untyped-def]
    """Write `Leaving.crowded` and `Leaving.busiest` of *region*, whose cells are *n_cells*, *stretch* seconds at a time."""
    n_seconds, n_regions = leaving.counts.shape[2], leaving.counts.shape[0]
    came = np.zeros((stretch, n_cells), np.int32)
    for begin in range(0, n_seconds, stretch):
        end = min(begin + stretch, n_seconds)
        came[:] = 0
        for i in range(begin, end):
            place, row = i * n_regions + region, came[i - begin]
            for j in range(leaving.first[place], leaving.first[place + 1]):
                row[np.int64(leaving.members[j].premises) // setup.c[PER_CELL]] += 1
            for kind in range(setup.c[N_ANONYMOUS]):
                for k in range(np.int64(leaving.total[region, kind, i])):
                    row[home(setup, region, kind, leaving.start + i, k) // setup.c[PER_CELL]] += 1
            s = leaving.start + i + stage.before
            allowed = UNLIMITED if stage.denominator == 0 else share_of_slot(stage.numerator, stage.denominator, s)
            most = row.max()
            leaving.busiest[region, i] = most
            leaving.crowded[region, i] = most > allowed_by_shapes(rows, stage, s, allowed)
