"""A value with its error: means over replications, and differences between cells that met the same
luck.

Replications are independent, so the mean of n values x of a near-normal quantity has the t interval
x̄ ± t(0.975; n−1) · s/√n,  s² = Σ(x−x̄)²/(n−1); what is not near normal has the interval of its
kind (`sim.metrics.intervals`). Cells share their luck replication by replication, so a difference
is estimated from the n differences, pair by pair; the width that unpaired samples would have had
(Welch) is kept beside it to show what the pairing gained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from math import inf, isfinite, isnan, nan, sqrt
from typing import Any, Final

import numpy as np

from sim.metrics.intervals import Kind, bounds, quantile_t, warnings
from sim.metrics.wording import UNREACHED, with_interval
from sim.units import added

ONE: Final = "one replication: no interval"
ANYWHERE: Final = (-inf, inf)
LEAST_SAID: Final = 1e-4  # a condition met by fewer is told as less than that
AS_GOOD_AS_ALL: Final = 0.9995  # a condition met by more than this is not worth a word


@dataclass(frozen=True, slots=True)
class Condition:
    """What a number speaks of: the *share* of all (of a difference, also that of the *other*) that
    are those *who* it is taken over, such as "messages that arrive". Shares are fractions.
    """

    share: float
    who: str
    other: float | None = None

    def __str__(self) -> str:
        """Say "of the 1.2 % of messages that arrive"; nothing where as good as all of them do."""
        shares = [share for share in (self.share, self.other) if share is not None]
        if all(share >= AS_GOOD_AS_ALL for share in shares):
            return ""
        return f"of the {' and '.join(dict.fromkeys(map(_part, shares)))} of {self.who}"


def _part(share: float) -> str:
    """Return a *share* of all in words."""
    if isnan(share):
        return "unknown share"
    return f"{100 * share:.3g} %" if share >= LEAST_SAID or not share else "less than 0.01 %"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over *n* replications with the half-width of its 95 % interval (nan when there is one
    replication), in *unit*.

    *bounds* are the ends of the interval, which need not lie evenly about the value; *caution* is
    what a reader must know beside the number. A value of infinity was not reached in some of the
    replications, as *caution* says, or in all; it has no interval, and *never* is what it is
    called. *condition* says whom it speaks of, where that is not all; *replications* is how many
    there were, where *n* of them have a value (0: just those).
    """

    value: float
    half_width: float
    n: int
    unit: str
    _: KW_ONLY
    bounds: tuple[float, float] | None = None
    caution: str = ""
    condition: Condition | None = None
    replications: int = 0
    never: str = "not reached"

    @property
    def low(self) -> float:
        return self.value - self.half_width if self.bounds is None else self.bounds[0]

    @property
    def high(self) -> float:
        return self.value + self.half_width if self.bounds is None else self.bounds[1]

    @property
    def warning(self) -> str:
        """What a reader must know beside the number: where its interval is known to cover less than
        95 %; empty when nothing.
        """
        return self.caution or (ONE if self.n == 1 else "")

    @property
    def about(self) -> str:
        """Whom it speaks of and in how many replications, in brackets; empty where that is all."""
        told = [str(self.condition or "")]
        if self.n < self.replications:
            told.append(f"in {self.n} of {self.replications} replications")
        return f" ({', '.join(filter(None, told))})" if any(told) else ""

    def said(self, scale: float = 1, unit: str = "") -> str:
        """Return it times *scale* in *unit*, with its interval and, in brackets, whom it speaks of
        where that is not all; of what was never reached, that.
        """
        if self.value == inf:
            return self.never + self.caution.removeprefix(UNREACHED) + self.about
        ends = self.low * scale, self.high * scale
        most = scale if self.unit == "share" else inf
        text = with_interval(self.value * scale, self.half_width * scale, ends, unit, most)
        if self.about and text.endswith(")"):
            return f"{text[:-1]}; {self.about.removeprefix(' (')}"
        return text + self.about

    def __str__(self) -> str:
        text = self.said(100, "%") if self.unit == "share" else self.said(1, self.unit)
        told = self.n > 1 and self.warning and isfinite(self.value)
        return f"{text}{f', {self.warning}' if told else ''} (n = {self.n})"


def read_back(row: Mapping[Any, Any], value: str = "value", never: str = "not reached") -> Estimate:
    """Return the estimate in a *row* of `summary.csv` (or of differences, their column *value*), of
    this version or of one that knew no bounds, warnings or conditions; *never* is what infinity is
    called.
    """
    bounds = (float(row["low"]), float(row["high"])) if "low" in row else None
    condition = None
    if row.get("condition"):
        other = row.get("condition_other_share", nan)
        condition = Condition(
            float(row["condition_share"]),
            str(row["condition"]),
            None if isnan(other) else float(other),
        )
    return Estimate(
        float(row[value]),
        float(row["half_width"]),
        int(row["n"]),
        str(row["unit"]),
        bounds=bounds,
        caution=str(row.get("warning", "")),
        condition=condition,
        replications=int(row.get("replications", 0)),
        never=never,
    )


@dataclass(frozen=True, slots=True)
class Difference(Estimate):
    """A paired difference; *unpaired_half_width* is the half-width two independent samples of these
    spreads would have given.

    *p* is that of the two-sided paired t test that there is no difference, nan with one
    replication; *p_holm* after Holm's correction over the metrics asked for, nan where no family
    was looked at.
    """

    unpaired_half_width: float
    _: KW_ONLY
    p: float = nan
    p_holm: float = nan

    @property
    def gain(self) -> float:
        """The variance reduction of pairing, (unpaired ÷ paired half-width)²: how many times the
        replications unpaired cells would need to know as much.
        """
        if not self.half_width:
            return inf if self.unpaired_half_width else nan
        return (self.unpaired_half_width / self.half_width) ** 2


def difference_of(row: Mapping[str, Any]) -> Difference:
    """Return the difference in a *row* of the differences of a run, of this version or of an
    earlier one.
    """
    found = read_back(row, "difference")
    return Difference(
        found.value,
        found.half_width,
        found.n,
        found.unit,
        float(row["unpaired_half_width"]),
        bounds=found.bounds,
        caution=found.caution,
        condition=found.condition,
        replications=found.replications,
        p=float(row.get("p", nan)),
        p_holm=float(row.get("p_holm", nan)),
    )


def mean_and_square(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and squared standard error of *values*, summed in their order; the error of one
    value is nan.
    """
    n = len(values)
    mean = added(values) / n
    if n == 1:
        return mean, nan
    return mean, added((value - mean) ** 2 for value in values) / (n - 1) / n


def estimate(
    values: Sequence[float],
    unit: str,
    kind: Kind = Kind.UNKNOWN,
    reach: tuple[float, float] = ANYWHERE,
) -> Estimate:
    """Return the mean of *values*, one for each replication in order, with the interval of its
    *kind*, which ends where its *reach* does: what a value of the *unit* can be at all. Raises
    `ValueError` for no values.
    """
    if not values:
        raise ValueError("no replications, no estimate")
    n = len(values)
    if never := added(value == inf for value in values):
        some = f"{UNREACHED} in {never} of {n} replications" if never < n else ""
        return Estimate(inf, nan, n, unit, caution=some)
    mean, square = mean_and_square(values)
    if n == 1:
        return Estimate(mean, nan, n, unit, caution=ONE)
    row = np.array([values], np.float64)
    [caution] = warnings(row, kind)
    if kind.method(n) == "t":
        half = quantile_t(n - 1) * sqrt(square)
        low, high = mean - half, mean + half
        if reach[0] <= low and high <= reach[1]:
            return Estimate(mean, half, n, unit, caution=caution)
    else:
        low, high = (float(end[0]) for end in bounds(row, kind))
    ends = max(low, reach[0]), min(high, reach[1])
    return Estimate(mean, (ends[1] - ends[0]) / 2, n, unit, bounds=ends, caution=caution)


def paired_difference(
    values: Sequence[float],
    others: Sequence[float],
    unit: str,
    kind: Kind = Kind.UNKNOWN,
    reach: tuple[float, float] = ANYWHERE,
) -> Difference:
    """Return the mean of *values* − *others*, replication by replication, with the interval of its
    *kind*; shares differ by t, at any n not trusted blindly. *reach* is that of each value.

    Raises `ValueError` when they are not as many, or one of them was never reached.
    """
    if len(values) != len(others):
        raise ValueError(f"{len(values)} and {len(others)} replications make no pairs")
    if not all(map(isfinite, (*values, *others))):
        raise ValueError("what was never reached has no difference from anything")
    apart = [value - other for value, other in zip(values, others, strict=True)]
    kind = Kind.UNKNOWN if kind is Kind.SHARE else kind
    paired = estimate(apart, unit, kind, (reach[0] - reach[1], reach[1] - reach[0]))
    return Difference(
        paired.value,
        paired.half_width,
        paired.n,
        unit,
        welch(values, others),
        bounds=paired.bounds,
        caution=paired.caution,
        p=_p(apart),
    )


def _p(apart: Sequence[float]) -> float:
    """Return the two-sided p of a t test that the mean of *apart* is nought."""
    from scipy.special import stdtr

    mean, square = mean_and_square(apart)
    if len(apart) == 1:
        return nan
    if square <= (1e-12 * mean) ** 2:
        return 0.0 if mean else 1.0
    return float(2 * stdtr(len(apart) - 1, -abs(mean) / sqrt(square)))


def welch(values: Sequence[float], others: Sequence[float]) -> float:
    """Return the half-width of the difference of two independent means, by Welch's degrees of
    freedom; nan where either has one value.
    """
    if min(len(values), len(others)) == 1:
        return nan
    (_, a), (_, b) = mean_and_square(values), mean_and_square(others)
    degrees = (
        (a + b) ** 2 / (a**2 / (len(values) - 1) + b**2 / (len(others) - 1)) if a or b else inf
    )
    return quantile_t(degrees) * sqrt(a + b) if a or b else 0.0
