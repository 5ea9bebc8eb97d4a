"""A value with its error: means over replications, and differences between cells that met the same luck.

Replications are independent, so the mean of n values x has the t interval  x̄ ± t(0.975; n−1) · s/√n,  s² = Σ(x−x̄)²/(n−1). Cells share their luck replication
by replication, so a difference is estimated from the n differences, pair by pair; the width that unpaired samples would have had (Welch) is kept beside it to
show what the pairing gained. A t interval of few, skewed values covers less than it claims; a mean over a whole estate seldom is skewed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan, sqrt

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over *n* replications with the half-width of its 95 % interval (nan when there is one replication), in *unit*."""

    value: float
    half_width: float
    n: int
    unit: str

    @property
    def low(self) -> float:
        return self.value - self.half_width

    @property
    def high(self) -> float:
        return self.value + self.half_width

    @property
    def warning(self) -> str:
        """What a reader must know beside the number; empty when nothing."""
        return "one replication: no interval" if self.n == 1 else ""

    def __str__(self) -> str:
        error = f" ± {self.half_width:.2g}" if isfinite(self.half_width) else f" ({self.warning})"
        return f"{self.value:.6g}{error} {self.unit} (n = {self.n})"


@dataclass(frozen=True, slots=True)
class Difference(Estimate):
    """A paired difference; *unpaired_half_width* is the half-width two independent samples of these spreads would have given."""

    unpaired_half_width: float


def _mean_and_square(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and squared standard error of *values*, summed in their order; the error of one value is nan."""
    n = len(values)
    mean = sum(values) / n
    if n == 1:
        return mean, nan
    return mean, sum((value - mean) ** 2 for value in values) / (n - 1) / n


def _quantile(degrees: float) -> float:
    """Return the t quantile of a two-sided 95 % interval."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + CONFIDENCE / 2))


def estimate(values: Sequence[float], unit: str) -> Estimate:
    """Return the mean of *values*, one for each replication in order, with its t interval. Raises `ValueError` for no values."""
    if not values:
        raise ValueError("no replications, no estimate")
    mean, square = _mean_and_square(values)
    half_width = _quantile(len(values) - 1) * sqrt(square) if len(values) > 1 else nan
    return Estimate(mean, half_width, len(values), unit)


def paired_difference(values: Sequence[float], others: Sequence[float], unit: str) -> Difference:
    """Return the mean of *values* − *others*, replication by replication, with its t interval. Raises `ValueError` when they are not as many."""
    if len(values) != len(others):
        raise ValueError(f"{len(values)} and {len(others)} replications make no pairs")
    paired = estimate([value - other for value, other in zip(values, others, strict=True)], unit)
    return Difference(paired.value, paired.half_width, paired.n, unit, _welch(values, others))


def _welch(values: Sequence[float], others: Sequence[float]) -> float:
    """Return the half-width of the difference of two independent means, by Welch's degrees of freedom."""
    n = len(values)
    if n == 1:
        return nan
    (_, a), (_, b) = _mean_and_square(values), _mean_and_square(others)
    degrees = (a + b) ** 2 * (n - 1) / (a**2 + b**2) if a or b else inf
    return _quantile(degrees) * sqrt(a + b) if a or b else 0.0
