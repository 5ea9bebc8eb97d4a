"""Which seconds are too much for some WAN cell: thousands of cells, counted a stretch of seconds at
a time.
"""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.protection import allowed_by_shapes
from sim.kernels.servers import bytes_allowed, messages_allowed
from sim.kernels.traffic import home


@njit(nogil=True)
def cells_of(setup, region):
    """Return how many cells *region* has."""
    n = setup.premises_first[region + 1] - setup.premises_first[region]
    return (n + setup.premises_per_cell - 1) // setup.premises_per_cell


@njit(nogil=True)
def crowd(setup, leaving, rows, queues, k, region, stretch):
    """Write `Leaving.crowded` and `Leaving.busiest` of *region*, whose cells are alike, at stage
    *k*, *stretch* seconds at a time.
    """
    n_seconds, n_regions = leaving.counts.shape[2], leaving.counts.shape[0]
    stage = setup.stages[k]
    sizes = setup.sizes[k]
    first = np.int64(0)
    for before in range(region):
        first += cells_of(setup, before)
    n_cells = cells_of(setup, region)
    limit = queues.limits[stage.first + first]
    came = np.zeros((stretch, n_cells), np.int32)
    load = np.zeros((stretch, n_cells if limit.in_bytes else 0), np.int64)
    for begin in range(0, n_seconds, stretch):
        end = min(begin + stretch, n_seconds)
        came[:], load[:] = 0, 0
        for i in range(begin, end):
            place = i * n_regions + region
            row = came[i - begin]
            row_b = load[i - begin]
            for j in range(leaving.first[place], leaving.first[place + 1]):
                member = leaving.members[j]
                cell = np.int64(member.premises) // setup.premises_per_cell
                row[cell] += 1
                if limit.in_bytes:
                    row_b[cell] += sizes[leaving.flows[member.flow].kind]
            for kind in range(setup.n_anonymous):
                if setup.central[kind]:
                    continue
                for number in range(np.int64(leaving.total[region, kind, i])):
                    cell = (
                        home(setup, region, kind, leaving.start + i, number)
                        // setup.premises_per_cell
                    )
                    row[cell] += 1
                    if limit.in_bytes:
                        row_b[cell] += sizes[kind]
            s = leaving.start + i + stage.before
            most = row.max()
            allowed = allowed_by_shapes(rows, stage, first, s, messages_allowed(limit, s))
            over = limit.in_bytes and row_b.max() > bytes_allowed(limit, s)
            leaving.busiest[region, i] = most
            leaving.crowded[region, i] = most > allowed or over
