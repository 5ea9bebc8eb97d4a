"""Which is best, and whether the run can tell: no sentence names a winner that its interval does
not.

Whoever leads is compared with each other pair by pair, replication by replication. An other whose
paired difference is not told from nought, by its interval and by Holm's p, is a rival.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, inf, isfinite, isnan, log10, nan, sqrt
from typing import Final, Generic, TypeVar

from sim.metrics import METRICS, Difference, Estimate, Metric, comparable
from sim.metrics.comparing import holm
from sim.metrics.intervals import CONFIDENCE, quantile_t, wilson
from sim.report.study import Cell, Study
from sim.report.words import listed, number, rounded

_POWER: Final = 0.8  # of the runs proposed, how many should tell
_MANY: Final = 10_000  # replications that nobody would run
_NAMED: Final = 4  # rivals in a sentence; more are counted
DUST: Final = 1e-12  # what is no difference, but of floating-point sums
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """One of those compared: *what* it is, its *estimate*, and its *values* by replication."""

    what: T
    estimate: Estimate
    values: Mapping[int, float]


class Ranking(Generic[T]):
    """*entries* of one metric, in the order of their means, the lowest first."""

    def __init__(self, metric: Metric, entries: Sequence[Entry[T]]) -> None:
        self.metric = metric
        self.entries = sorted(entries, key=lambda entry: entry.estimate.value)

    def __bool__(self) -> bool:
        return bool(self.entries)

    @property
    def lowest(self) -> Entry[T]:
        """The entry with the lowest mean."""
        return self.entries[0]

    @property
    def highest(self) -> Entry[T]:
        """The entry with the highest mean."""
        return self.entries[-1]

    @cached_property
    def alike(self) -> bool:
        """Whether all entries are the same in every replication."""
        return all(entry.values == self.lowest.values for entry in self.entries)

    def apart(self, one: Entry[T], other: Entry[T]) -> Difference | None:
        """Return *one* less the *other*, pair by pair; None where one was never reached."""
        shared = sorted(one.values.keys() & other.values.keys())
        samples = [one.values[r] for r in shared], [other.values[r] for r in shared]
        return self.metric.difference(*samples) if comparable(*samples) else None

    def rivals(self, leader: Entry[T]) -> list[Entry[T]]:
        """Return the entries that the run cannot tell from the *leader*, the nearest first: those
        whose paired difference is not real by its interval and by Holm's p over all of them.
        """
        others = [entry for entry in self.entries if entry is not leader]
        apart = [self.apart(leader, other) for other in others]
        real = holm([nan if found is None else found.p for found in apart])
        found = [
            other for other, difference, p in zip(others, apart, real, strict=True)
            if not self._told(leader, other, difference, p)
        ]  # fmt: skip
        return sorted(found, key=lambda entry: self._away(leader, entry))

    def ends_told(self) -> bool:
        """Whether the run tells the lowest from the highest, of as many pairs as there are."""
        n = len(self.entries)
        apart = self.apart(self.lowest, self.highest)
        p = nan if apart is None else min(1.0, apart.p * n * (n - 1) / 2)
        return self._told(self.lowest, self.highest, apart, p)

    @staticmethod
    def _away(leader: Entry[T], other: Entry[T]) -> float:
        apart = abs(leader.estimate.value - other.estimate.value)
        return 0.0 if isnan(apart) else apart

    @staticmethod
    def _told(leader: Entry[T], other: Entry[T], apart: Difference | None, p: float) -> bool:
        """Whether two are told apart; where one was never reached, by how often each was."""
        if apart is not None:
            return excludes_nought(apart) and p < 1 - CONFIDENCE
        (low, high), (other_low, other_high) = (_reached(entry.values) for entry in (leader, other))
        return low > other_high or other_low > high

    def doubt_of(self, what: T, called: Callable[[T], str]) -> str:
        """Return the `doubt` of the entry that is *what*; "" where there is none."""
        return next((self.doubt(entry, called) for entry in self.entries if entry.what is what), "")

    def doubt(self, leader: Entry[T], called: Callable[[T], str]) -> str:
        """Return "", or that the run cannot tell *leader* from its rivals, each as it is *called*,
        and how many replications would.
        """
        rivals = self.rivals(leader)
        if not rivals:
            return ""
        names = [called(rival.what) for rival in rivals]
        whom = listed(names) if len(names) <= _NAMED else f"{len(names)} others"
        if all(rival.values == leader.values for rival in rivals):
            return f", the same as {whom}"
        needs = [
            inf if (apart := self.apart(leader, rival)) is None else needed(apart)
            for rival in rivals
        ]
        return f", though this run cannot tell it from {whom}{would(needs)}"


def _reached(values: Mapping[int, float]) -> tuple[float, float]:
    """Return the ends of Wilson's interval of the share of replications that reached a value."""
    low, high = wilson(sum(map(isfinite, values.values())), len(values))
    return float(low), float(high)


def would(needs: list[float], tell: str = "") -> str:
    """Return how many replications would *tell* what the run cannot, of all needed the most."""
    most = max(needs, default=inf)
    if not isfinite(most):
        return ""
    if most > _MANY:
        return f" (more than {number(_MANY)} replications would be needed)"
    return f" (about {rounded(most, 2)} replications would{tell})"


def above(more: Difference) -> bool:
    """Whether a difference lies above nought with its interval; with one replication, its value."""
    return (more.low if more.n > 1 else more.value) > DUST


def excludes_nought(apart: Difference) -> bool:
    """Whether the interval of a difference tells it from nought; one replication never does."""
    return apart.n > 1 and (above(apart) or above(negative(apart)))


def needed(apart: Difference) -> float:
    """Return about how many replications would tell a difference from nought in four runs of five,
    if it and its spread s stay as they are: the least m with (t(0.975; m−1) + t(0.8; m−1)) · s ÷ √m
    ≤ |difference|. Infinite where nothing is known of it.
    """
    if apart.n == 1 or not apart.value:
        return inf
    arm = max(apart.value - apart.low, apart.high - apart.value)
    spread = arm * sqrt(apart.n) / quantile_t(apart.n - 1)
    return replications_for(abs(apart.value), spread, apart.n + 1)


def replications_for(gap: float, spread: float, least: int) -> float:
    """Return how many replications of that *spread* tell a *gap* in four runs of five, in two
    digits.
    """
    if not gap > 0:
        return inf

    def enough(n: int) -> bool:
        return (quantile_t(n - 1) + quantile_t(n - 1, _POWER)) * spread <= gap * sqrt(n)

    low, high = least - 1, least
    while not enough(high):
        low, high = high, 2 * high
        if high > _MANY * 100:
            return float(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    unit = float(10 ** max(0, ceil(log10(high)) - 2))
    return ceil(high / unit) * unit


def untold(apart: Difference) -> str:
    """Return "", or that the run cannot tell this difference from nought, and what would."""
    if apart.n == 1 or excludes_nought(apart) or not (apart.value or apart.half_width):
        return ""
    return f", which this run cannot tell from none{would([needed(apart)])}"


def negative(apart: Difference) -> Difference:
    """Return a difference the other way round."""
    ends = None if apart.bounds is None else (-apart.bounds[1], -apart.bounds[0])
    return replace(apart, value=-apart.value, bounds=ends)


def of_cells(study: Study, cells: Sequence[Cell], metric: str, group: str = "all") -> Ranking[Cell]:
    """Return those of *cells* that have *metric* of a *group*, ranked."""
    found = [(cell, study.estimate(cell, metric, group)) for cell in cells]
    return Ranking(METRICS[metric], [
        Entry(cell, estimate, study.series(cell, metric, group))
        for cell, estimate in found if estimate is not None
    ])  # fmt: skip


def of_groups(study: Study, cell: Cell, metric: str) -> Ranking[str]:
    """Return the groups of *metric* in *cell*, ranked."""
    found = study.groups(cell, metric).items()
    return Ranking(METRICS[metric], [
        Entry(group, estimate, study.series(cell, metric, group)) for group, estimate in found
    ])  # fmt: skip
