"""Addressed luck: Philox4x32-10 (Salmon et al., SC11), a counter-based generator with nothing to
consume.

A word is a pure function of (key, place, index, occasion): *key* from `sim.streams.stream_key`,
*place* = region number * 8 + slot, *index* = number of the premises in its region, *occasion* =
which time this is. Four neighbouring premises share one block, so a sweep over a region costs a
quarter of the rounds.
"""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import njit

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_32 = np.uint64(32)
_INV32 = 2.0**-32


@njit(inline="always")
def block(c0, c1, c2, c3, k0, k1):
    """Return the four 32-bit words of Philox4x32-10 for counter (c0, c1, c2, c3) and key (k0, k1),
    all uint32.
    """
    x0 = np.uint64(c0)
    x1 = np.uint64(c1)
    x2 = np.uint64(c2)
    x3 = np.uint64(c3)
    a, b = np.uint64(k0), np.uint64(k1)
    for _ in range(10):
        p0 = _M0 * x0
        p1 = _M1 * x2
        x0 = (p1 >> _32) ^ x1 ^ a
        x1 = p1 & _LOW
        x2 = (p0 >> _32) ^ x3 ^ b
        x3 = p0 & _LOW
        a = (a + _W0) & _LOW
        b = (b + _W1) & _LOW
    return np.uint32(x0), np.uint32(x1), np.uint32(x2), np.uint32(x3)


@njit(inline="always")
def pick(words, index):
    """Return the word of a block that belongs to premises *index*, without a branch: which it is
    nobody could foretell.
    """
    low = np.uint64(words[0]) | np.uint64(words[1]) << _32
    high = np.uint64(words[2]) | np.uint64(words[3]) << _32
    two = (np.uint64(index) >> np.uint64(1) & np.uint64(1)) * _ALL
    return np.uint32((low ^ ((low ^ high) & two)) >> (np.uint64(index) & np.uint64(1)) * _32 & _LOW)


@njit(inline="always")
def is_below(words, index, threshold):
    """Whether the word of a block that belongs to premises *index* is below uint64 *threshold*."""
    return np.uint64(pick(words, index)) < threshold


@njit(inline="always")
def quad_of(index):
    """Return the number of the block of premises *index*."""
    return np.int64(np.uint64(index) >> np.uint64(2))


@njit(inline="always")
def block_at(key, place, quad, occasion):
    """Return the four words drawn at (key, place, occasion) by premises 4 *quad* to 4 *quad* + 3;
    the arguments are those of `word`.
    """
    k = np.uint64(key)
    return block(
        np.uint32(quad),
        np.uint32(np.uint64(np.int64(occasion)) & _LOW),
        np.uint32(place),
        np.uint32(0),
        np.uint32(k & _LOW),
        np.uint32(k >> _32),
    )


@njit(nogil=True)
def blocks_at(key, place, quad, words):
    """Write into uint32 *words* (4 × n) the words of n blocks side by side, from *quad* on, drawn
    on the first occasion: many at a time, a word costs a nanosecond.
    """
    for i in range(np.uint64(words.shape[1])):
        drawn = block_at(key, place, quad + np.int64(i), 0)
        words[0, i] = drawn[0]
        words[1, i] = drawn[1]
        words[2, i] = drawn[2]
        words[3, i] = drawn[3]


@njit()
def word(key, place, index, occasion):
    """Return the uint32 drawn at (key, place, index, occasion); *key* is uint64, the rest
    non-negative integers below 2^32 (occasion is taken modulo 2^32).
    """
    words = block_at(key, place, quad_of(index), occasion)
    return pick(words, np.int64(index))


@njit(inline="always")
def scaled(drawn, n):
    """Return the whole number in [0, n) at the same place as *drawn* in [0, 2^32)."""
    return np.int64((np.uint64(drawn) * np.uint64(n)) >> _32)


@njit()
def gap_s(drawn, rate_per_s):
    """Return a gap in whole seconds, 1 / *rate_per_s* on average, of a clock that strikes in any
    second with that chance: 0 < rate ≤ 1 /s, so that a gap is at least one.
    """
    if rate_per_s >= 1.0:
        return np.int64(1)
    return np.int64(1) + np.int64(
        np.floor(np.log((np.float64(drawn) + 0.5) * _INV32) / np.log1p(-rate_per_s))
    )


@njit()
def bounded_pareto(drawn, tail, spread):
    """Return a multiple of mean 1 with a heavy tail: bounded Pareto of exponent *tail* > 0 other
    than 1, the largest *spread* > 1 times the smallest.
    """
    least = (tail - 1.0) / tail * (1.0 - spread**-tail) / (1.0 - spread ** (1.0 - tail))
    return least * (1.0 - (np.float64(drawn) + 0.5) * _INV32 * (1.0 - spread**-tail)) ** (
        -1.0 / tail
    )


def threshold(share: float) -> int:
    """Return the number of words that count as "it happens" for *share* in [0, 1]: 0 for never,
    2^32 for always.
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"a share lies in [0, 1], not {share!r}")
    return int(share * 2**32 + 0.5)


def poisson_cdf_thresholds(mean: float) -> np.ndarray:
    """Return the uint64 thresholds of P(X <= n), n = 0, 1, …, up to 1 in 32 bits, for a Poisson
    count of *mean* >= 0.

    The count of a word is the number of thresholds at or below it (`np.searchsorted(…,
    side="right")`). The terms are summed outwards from the mode in logarithms, so means of many
    thousands are exact to the 32 bits a word has.
    """
    from math import exp, lgamma, log, sqrt

    if not mean >= 0.0:
        raise ValueError(f"a Poisson mean is not negative: {mean!r}")
    if mean == 0.0:
        return np.array([2**32], dtype=np.uint64)
    top = int(mean + 12.0 * sqrt(mean) + 40.0)
    terms = [exp(n * log(mean) - mean - lgamma(n + 1.0)) for n in range(top + 1)]
    cdf, total = [], 0.0
    for term in terms:
        total += term
        cdf.append(threshold(min(total, 1.0)))
    last = next((n for n, t in enumerate(cdf) if t >= 2**32), len(cdf) - 1)
    cdf[last] = 2**32
    return np.array(cdf[: last + 1], dtype=np.uint64)


@njit()
def poisson_count(drawn, thresholds):
    """Return the Poisson count of *drawn* by inversion in *thresholds* (bisection; no wrap, no
    loss).
    """
    low, high = 0, len(thresholds) - 1
    value = np.uint64(drawn)
    while low < high:
        middle = (low + high) >> 1
        if value < thresholds[middle]:
            high = middle
        else:
            low = middle + 1
    return low


@njit()
def which_below(key, place, start, threshold, out):
    """Write into bool *out* which of the premises from *start* on draw below *threshold* (uint64)
    on their first occasion.
    """
    for i in range(len(out)):
        out[i] = np.uint64(word(key, place, start + i, 0)) < threshold
