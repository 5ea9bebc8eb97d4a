"""An interval in which nobody is in anybody's way: all stages see the same counts, each later by
the latencies before it.
"""

from __future__ import annotations

import numpy as np

from sim.kernels.attempts import Scalar
from sim.kernels.compiled import njit
from sim.words import StageKind


@njit(nogil=True)
def pass_quietly(setup, leaving, book):
    """Let everybody pass every stage in the second they come to it (no cells, no rows that count,
    nobody waiting).
    """
    c = setup.c
    n_regions, n_kinds, n_seconds = leaving.counts.shape
    for k in range(len(setup.stages)):
        stage = setup.stages[k]
        n = min(n_seconds, max(np.int64(0), c[Scalar.HORIZON] - stage.before - leaving.start))
        skip = max(np.int64(0), c[Scalar.WARM_UP] - stage.before - leaving.start)
        first = leaving.start + stage.before - c[Scalar.DAY_START]
        for v in range(stage.n):
            to = stage.recorded + v
            if stage.what == StageKind.USER:
                for kind in range(leaving.by_user.shape[1]):
                    _add(
                        leaving.by_user[v, kind],
                        leaving.by_user_measured[v, kind],
                        book,
                        to,
                        c[Scalar.N_ANONYMOUS] + kind,
                        first,
                        skip,
                        n,
                    )
                continue
            for region in range(n_regions):
                if stage.what != StageKind.CSP or region == v:
                    for kind in range(n_kinds):
                        if stage.what == StageKind.CSP and setup.central[kind]:
                            continue
                        _add(
                            leaving.counts[region, kind],
                            leaving.measured[region, kind],
                            book,
                            to,
                            kind,
                            first,
                            skip,
                            n,
                        )


@njit(nogil=True)
def _add(counts, measured, book, recorded, kind, first, skip, n):
    """Add the counts of one server and kind to the book: second i is that of `first` + i."""
    seen = book.seen[recorded, kind]
    served = book.served[recorded]
    total = np.int64(0)
    for i in range(n):
        total += measured[i]
    for i in range(skip, n):
        seen[first + i] += counts[i]
        served[first + i] += counts[i]
    book.undelayed[recorded, kind] += total
