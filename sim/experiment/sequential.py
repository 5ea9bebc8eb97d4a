"""How many replications are enough: until every interval asked for is narrow, and stays so while a
few more are looked at.

The rule is that of Hoad, Robinson and Davies (2010). The running mean of n replications has the
half-width h(n) = t(0.975; n−1) · s/√n; n is precise when h(n) is within the width asked for, for
every target at once. A single precise n may be luck, so n counts as reached only when the next f(n)
are precise as well: f(n) = 5 up to 100 replications, and 5 % of n beyond. The values are taken in
the order of their replications, and those counted end where the rule first says so: how many
workers there were, and how far ahead they had run, moves no result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# Hoad, Robinson and Davies: 5 replications up to 100, then that many in a hundred
_LOOK_AHEAD: Final = 5
_LOOK_AHEAD_OF: Final = 100
_LEAST: Final = 3

Values = NDArray[np.float64]
Replication = Mapping[tuple[str, str], float]  # of one cell: every metric and group


@dataclass(frozen=True, slots=True)
class Target:
    """A half-width to reach: *width* of the mean when *relative*, otherwise in the *unit* of the
    *metric*; of a *group*, or "" for `all` (else each one).
    """

    metric: str
    group: str
    width: float
    relative: bool
    unit: str

    def __str__(self) -> str:
        where = f" of {self.group}" if self.group else ""
        return (
            f"{self.metric}{where} within {self.width * 100:g} % of its mean"
            if self.relative
            else f"{self.metric}{where} within {self.width:g} {self.unit}"
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the replications of a cell say: *counted* of them give its results, at least *more* are
    still needed, and *shortfall* says what was not reached.
    """

    counted: int
    more: int
    shortfall: str


def look_ahead(n: int) -> int:
    """Return f(n): how many further replications must be precise before n is believed."""
    return _LOOK_AHEAD * max(n, _LOOK_AHEAD_OF) // _LOOK_AHEAD_OF


def half_widths(values: Values) -> tuple[Values, Values]:
    """Return the running means of *values* (nan: no value in that replication) and their t
    half-widths, nan where there are fewer than two.
    """
    from scipy.special import stdtrit

    there = np.isfinite(values)
    n = np.cumsum(there).astype(np.float64)
    first = values[there][0] if there.any() else 0.0
    from_first = np.where(there, values - first, 0.0)  # a large mean would swallow a small spread
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.cumsum(from_first) / n
        square = np.maximum(np.cumsum(from_first**2) - n * mean**2, 0.0) / (n - 1)
        half = np.where(n > 1, stdtrit(np.maximum(n - 1, 1), 0.975) * np.sqrt(square / n), np.nan)
    return mean + first, half


def judge(
    replications: Sequence[Replication], targets: Sequence[Target], least: int, most: int
) -> Verdict:
    """Return what the *replications* of one cell, in order, say of *targets*: at least *least*, at
    most *most* are to be run.
    """
    ran, least = len(replications), min(max(least, _LEAST), most)
    if ran < least:
        return Verdict(ran, least - ran, "")
    columns, hopeless = [], []
    for target in targets:
        keys = _keys(target, replications)
        hopeless += [] if keys else [f"{target.metric} has no value there"]
        for key in keys:
            values = np.array([one.get(key, np.nan) for one in replications])
            if never := int(np.isinf(values).sum()):
                hopeless.append(
                    f"{target.metric} is not reached in {never} of {ran} replications, so its mean"
                    " has no width"
                )
            elif target.relative and not np.nan_to_num(values).any():
                hopeless.append(
                    f"{target.metric} is 0 in all {ran} replications, and no part of 0 is a width;"
                    " ask for a half-width in its unit instead"
                )
            else:
                columns.append((target, values))
    if not columns:
        return Verdict(ran, 0, "; ".join(hopeless))
    precise, missed = _precise(columns)
    precise[: least - 1] = False
    streak = int(np.argmin(precise[::-1])) if not precise.all() else ran
    # the first of those that are precise up to the last; without any, the next
    start = ran - streak + 1
    stop = _stop(precise)
    if stop is not None or ran >= most:
        missed = (
            []
            if stop is not None
            else missed or [f"the precision held for the last {streak} replications alone"]
        )
        limit = [f"after {most} replications, the most allowed, {told}" for told in missed]
        return Verdict(stop or most, 0, "; ".join([*hopeless, *limit]))
    return Verdict(ran, min(start + look_ahead(start), most) - ran, "")


def _keys(target: Target, replications: Sequence[Replication]) -> list[tuple[str, str]]:
    """Return the metric and group of every value that *target* speaks of."""
    found = dict.fromkeys(key for one in replications for key in one if key[0] == target.metric)
    if target.group:
        return [key for key in found if key[1] == target.group]
    return [key for key in found if key[1] == "all"] or list(found)


def _precise(columns: Sequence[tuple[Target, Values]]) -> tuple[NDArray[np.bool_], list[str]]:
    """Return whether all *columns* are precise after each replication, and a sentence for each that
    is not after the last.
    """
    precise, missed = np.ones(len(columns[0][1]), bool), []
    for target, values in columns:
        mean, half = half_widths(values)
        bound = target.width * np.abs(mean) if target.relative else np.full_like(mean, target.width)
        within = half <= bound
        precise &= within
        if not within[-1]:
            missed.append(
                f"{target} is not reached: {_reached(mean[-1], half[-1], bound[-1], len(values))}"
            )
    return precise, missed


def _reached(mean: Any, half: Any, bound: Any, n: int) -> str:
    """Return how far *n* replications came, and about how many it would take."""
    if not np.isfinite(half):
        return "fewer than two replications have a value"
    if not bound:
        return f"its mean is 0 ± {half:.2g}, and no part of 0 is a width"
    return (
        f"it is {mean:.4g} ± {half:.2g}, and about {n * (half / bound) ** 2:,.0f} replications"
        " would do"
    )


def _stop(precise: NDArray[np.bool_]) -> int | None:
    """Return the number of replications at which the rule stops, or None when it does not yet: n
    and f(n) more are precise.
    """
    start = None
    for n, holds in enumerate(precise.tolist(), start=1):
        if not holds:
            start = None
        elif start is None:
            start = n
        if start is not None and n == start + look_ahead(start):
            return n
    return None
