"""Which is best, and whether the run can tell: no sentence names a winner that its interval does not.

Whoever leads is compared with each other pair by pair, replication by replication. An other whose
paired difference has an interval with nought in it is a rival: the run cannot tell the two apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, isfinite, log10
from typing import Final, Generic, TypeVar

from sim.metrics import METRICS, Difference, Estimate, Metric, comparable
from sim.report.study import Cell, Study
from sim.report.words import listed, number, rounded

_MANY: Final = 10_000  # replications that nobody would run
_NAMED: Final = 4  # rivals in a sentence; more are counted
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
        """Return the entries that the run cannot tell from the *leader*, the nearest first."""
        others = [entry for entry in self.entries if entry is not leader and not self._told(leader, entry)]
        return sorted(others, key=lambda entry: abs(entry.estimate.value - leader.estimate.value))

    def _told(self, leader: Entry[T], other: Entry[T]) -> bool:
        """Whether the run tells *leader* and *other* apart."""
        apart = self.apart(leader, other)
        if apart is None:
            return isfinite(leader.estimate.value) != isfinite(other.estimate.value)
        return excludes_nought(apart)

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
        needs = [needed(apart) for rival in rivals if (apart := self.apart(leader, rival)) is not None]
        return f", though this run cannot tell it from {whom}{would(needs)}"


def would(needs: list[float]) -> str:
    """Return how many replications would tell, of all that are needed the fewest."""
    least = min(needs, default=float("inf"))
    if not isfinite(least):
        return ""
    if least > _MANY:
        return f" (more than {number(_MANY)} replications would be needed)"
    return f" (about {rounded(least, 2)} replications would)"


def excludes_nought(apart: Difference) -> bool:
    """Whether the interval of a difference tells it from nought; one replication never does."""
    dust = 1e-12 * max(1.0, abs(apart.value))
    return apart.n > 1 and (apart.low > dust or apart.high < -dust)


def needed(apart: Difference) -> float:
    """Return about how many replications would tell a difference from nought, if it stays as it is:
    n · (half-width ÷ difference)²; infinite where nothing is known of it.
    """
    if apart.n == 1 or not apart.value:
        return float("inf")
    n = max(apart.n * (apart.half_width / abs(apart.value)) ** 2, apart.n + 1)
    unit = float(10 ** max(0, ceil(log10(n)) - 2))
    return ceil(n / unit) * unit


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
