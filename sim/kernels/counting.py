"""Counting messages by second without ever holding one: the existing load, and the bins of a day.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.draws import blocks_at

_HOUR_S: Final = 3600
_BLOCKS: Final = _HOUR_S // 4 + 1  # of four seconds, that an hour lies in
_FIRST_BITS: Final = np.uint64(8)  # of a word, that the guide looks at
_REST: Final = np.uint64(32) - _FIRST_BITS
_ONE: Final = np.uint64(1)
_TWO: Final = np.uint64(2)
_THREE: Final = np.uint64(3)


class PoissonTables(NamedTuple):
    """The uint64 *thresholds* of Poisson counts in the 24 hours of a day, one after the other:
    those of hour h are [*first*[h], *first*[h + 1]), as `poisson_cdf_thresholds` gives them. int32
    *guide* (hour × first bits of a word): the least count of a word that begins so.
    """

    thresholds: np.ndarray
    first: np.ndarray
    guide: np.ndarray


def guided(tables: list[np.ndarray]) -> PoissonTables:
    """Return the thresholds *tables*, one an hour, as one, with their guide."""
    n = 1 << int(_FIRST_BITS)
    least = np.arange(n, dtype=np.uint64) << _REST
    guide = np.zeros((len(tables), n), np.int32)
    first = np.zeros(len(tables) + 1, np.int64)
    for hour, table in enumerate(tables):
        guide[hour] = np.searchsorted(table, least, side="right")
        first[hour + 1] = first[hour] + len(table)
    return PoissonTables(
        np.concatenate(tables),
        first,
        guide,
    )


@njit(nogil=True)
def poisson_arrivals(key, region, start_s, stop_s, tables, out):
    """Write int32 *out*, the Poisson number of messages in each second of [start, stop), by
    *tables* (`PoissonTables`): the number of thresholds at or below the word of that second.
    """
    words = np.empty((4, _BLOCKS), np.uint32)
    begin = np.int64(start_s)
    while begin < stop_s:
        since_start = begin // _HOUR_S
        end = min(stop_s, (since_start + 1) * _HOUR_S)
        hour = since_start % 24
        first_quad = begin >> 2
        blocks_at(key, region, first_quad, words)
        first = tables.first[hour]
        thresholds = tables.thresholds[first:]
        guide = tables.guide[hour]
        counts = out[begin - start_s : end - start_s]
        at = np.uint64(begin - (first_quad << 2))
        for s in range(np.uint64(len(counts))):
            drawn = np.uint64(words[at & _THREE, at >> _TWO])
            begins = drawn >> _REST
            n = np.uint64(guide[begins])
            while thresholds[n] <= drawn:
                n += _ONE
            counts[s] = n
            at += _ONE
        begin = end


@njit(nogil=True)
def largest_bins(counts, k, n_bins, out_n, out_at):
    """Write into one-element *out_n*, *out_at* the largest sum over k consecutive counts and where
    its bin starts, over *n_bins* bins.
    """
    out_n[0], out_at[0] = 0, -1
    for b in range(n_bins):
        total = np.int64(0)
        for i in range(k):
            total += counts[b * k + i]
        if total > out_n[0]:
            out_n[0], out_at[0] = total, b * k
