"""How wide an interval is, by the kind of quantity: t, Wilson or bootstrap; and when it is known to
cover less than it claims.

*values* have the shape (samples, n): n replications of each sample; bounds and warnings have the
shape (samples,). What each kind covers, law by law and n by n, is measured in `docs/statistics.md`,
and the thresholds here come from that table. Sources: Wilson (1927) with Newcombe's (1998)
continuity correction; Efron (1987), BCa; Hesterberg (2015), its expansion for small n.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from hashlib import shake_256
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

CONFIDENCE: Final = 0.95
RESAMPLES: Final = 4000
# replications below which the interval of what is not a mean or a share covers less for some law;
# beyond, where values look skewed
TRUSTED_FROM: Final = 200
BOOTSTRAP_FROM: Final = 10  # below, resampled means cannot reach far enough, and t covers more
_SKEWED: Final = 1.0
_ODD: Final = 3.5  # standard errors of skewness that normal samples hardly ever show
_Z: Final = 1.959963984540054  # normal quantile of a two-sided 95 % interval
Numbers = NDArray[np.float64]
Bounds = tuple[Numbers, Numbers]


class Kind(StrEnum):
    """What a metric's value in one replication is, which decides its interval over replications."""

    MEAN = "mean"  # an average over many devices or seconds, so near normal: t
    SHARE = "share"  # a yes (1) or a no (0): Wilson
    SKEWED = "skewed"  # a peak, a quantile, a longest time, what happens to few: bootstrap, BCa
    UNKNOWN = "unknown"  # of any law: t, not trusted for few replications

    def method(self, n: int) -> str:
        """Return what its interval of *n* replications is called."""
        if self is Kind.SHARE:
            return "Wilson"
        return "BCa" if self is Kind.SKEWED and n >= BOOTSTRAP_FROM else "t"


def resamples(address: str, n: int, times: int) -> NDArray[np.int64]:
    """Return (times, n) numbers in [0, n), as drawn with replacement: always the same ones for an
    *address*.
    """
    words = np.frombuffer(shake_256(address.encode()).digest(4 * times * n), "<u4").astype(
        np.uint64
    )
    return ((words * np.uint64(n)) >> np.uint64(32)).astype(np.int64).reshape(times, n)


def quantile_t(degrees: float, share: float = 0.5 + CONFIDENCE / 2) -> float:
    """Return the *share* quantile of Student's t; by default that of a two-sided 95 % interval."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, share))


def bounds(values: Numbers, kind: Kind) -> Bounds:
    """Return the ends of the 95 % interval of the mean of each row of *values*; at least two
    replications.
    """
    method = kind.method(values.shape[1])
    return {"t": _t, "Wilson": _wilson, "BCa": _bca}[method](values)


def _centred(values: Numbers) -> tuple[Numbers, Numbers]:
    """Return the mean of each row, and what remains; of equal values exactly nothing remains."""
    means = values.mean(axis=1)
    means = np.where(_equal(values), values[:, 0], means)
    return means, values - means[:, None]


def _t(values: Numbers) -> Bounds:
    n = values.shape[1]
    means, rest = _centred(values)
    half = quantile_t(n - 1) * np.sqrt((rest**2).sum(axis=1) / (n - 1) / n)
    return means - half, means + half


def _wilson(values: Numbers) -> Bounds:
    n = values.shape[1]
    return wilson(values.sum(axis=1), n)


def wilson(hits: Any, n: Any) -> Bounds:
    """Return Wilson's 95 % interval, corrected for continuity, of a share of which *hits* were seen
    in *n* independent trials (n > 0).
    """
    hits, n = np.asarray(hits, np.float64), np.asarray(n, np.float64)
    p = hits / n
    middle, width = 2 * hits + _Z**2, 2 * (n + _Z**2)
    low = (
        middle - 1 - _Z * np.sqrt(np.maximum(_Z**2 - 2 - 1 / n + 4 * p * (n * (1 - p) + 1), 0))
    ) / width
    high = (
        middle + 1 + _Z * np.sqrt(np.maximum(_Z**2 + 2 - 1 / n + 4 * p * (n * (1 - p) - 1), 0))
    ) / width
    return np.where(p <= 0, 0.0, np.maximum(low, 0)), np.where(p >= 1, 1.0, np.minimum(high, 1))


@lru_cache(maxsize=8)
def _times_drawn(n: int) -> Numbers:
    """Return how often each of n values is drawn in each resample, (n, resamples)."""
    drawn = resamples(f"replications/{n}", n, RESAMPLES)
    return np.stack([(drawn == i).sum(axis=1) for i in range(n)]).astype(np.float64)


def _bca(values: Numbers) -> Bounds:
    """The bias-corrected and accelerated bootstrap, its normal quantile widened to √(n/(n − 1)) ·
    t, as a few replications need.
    """
    from scipy.special import ndtr, ndtri

    samples, n = values.shape
    means, rest = _centred(values)
    resampled = np.zeros((samples, RESAMPLES))
    # in a fixed order and without a library's own threads: the same bytes everywhere
    for i, times in enumerate(_times_drawn(n)):
        resampled += rest[:, i, None] * times
    resampled /= n
    resampled.sort(axis=1)
    dust = 1e-12 * np.abs(rest).max(axis=1)[:, None]
    below = ((resampled < -dust).sum(axis=1) + (resampled <= dust).sum(axis=1)) / 2 / RESAMPLES
    bias = ndtri(np.clip(below, 0.5 / RESAMPLES, 1 - 0.5 / RESAMPLES))
    squares = (rest**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        bend = np.where(squares > 0, (rest**3).sum(axis=1) / (6 * squares**1.5), 0.0)
    ends = []
    for z in (-1, 1):
        moved = bias + z * np.sqrt(n / (n - 1)) * quantile_t(n - 1)
        slack = 1 - bend * moved
        share = np.where(slack > 0, ndtr(bias + moved / np.where(slack > 0, slack, 1)), 0.5 + z / 2)
        ends.append(means + _at(resampled, share))
    return ends[0], ends[1]


def _at(ordered: Numbers, share: Numbers) -> Numbers:
    """Return the quantile *share* of each *ordered* row, linearly between values."""
    place = np.clip(share, 0, 1) * (ordered.shape[1] - 1)
    low = np.floor(place).astype(np.int64)
    rows = np.arange(len(ordered))
    first, second = ordered[rows, low], ordered[rows, np.minimum(low + 1, ordered.shape[1] - 1)]
    found: Numbers = first + (place - low) * (second - first)
    return found


def warnings(values: Numbers, kind: Kind) -> list[str]:
    """Return what a reader must know beside the interval of each row of *values*; "" where nothing
    is known against it.
    """
    samples, n = values.shape
    if n == 1:
        return ["one replication: no interval"] * samples
    if kind is Kind.SHARE:
        return [""] * samples
    if n < TRUSTED_FROM and kind is not Kind.MEAN:
        few = (
            f"{n} replications of"
            f" {'a skewed quantity' if kind is Kind.SKEWED else 'a quantity of unknown law'}:"
            " covers less than 95 %"
        )
        return [few] * samples
    limit = (
        _SKEWED
        if kind is not Kind.MEAN
        else _ODD * np.sqrt(6 * (n - 2) / ((n + 1) * (n + 3))) if n > 2 else np.inf
    )
    skewed = np.where(np.abs(_skewness(values)) > limit, "skewed values: covers less than 95 %", "")
    told: list[str] = np.where(
        _equal(values), "all values equal: ± 0 is not certainty", skewed
    ).tolist()
    return told


def _equal(values: Numbers) -> NDArray[np.bool_]:
    """Return whether all values of each row are equal, but for the dust of floating-point sums."""
    same: NDArray[np.bool_] = np.ptp(values, axis=1) <= 1e-12 * np.abs(values).max(axis=1)
    return same


def _skewness(values: Numbers) -> Numbers:
    """Return the sample skewness m₃ ÷ m₂^1.5 of each row; 0 where all values are equal."""
    _, rest = _centred(values)
    second, third = (rest**2).mean(axis=1), (rest**3).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(second > 0, third / second**1.5, 0.0)
