"""What a metric declares of itself beside how it is measured: what its interval may be, and whom it
speaks of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf, isfinite, nan
from typing import Final, TypeVar

from sim.metrics.estimates import Condition, Difference, Estimate, estimate, paired_difference
from sim.metrics.intervals import Kind
from sim.metrics.load import Values, Window
from sim.tables import Tables

Measure = Callable[[Tables, Window], Values]
Shares = Mapping[tuple[str, str], float]  # by metric and group
SHARE: Final = (0.0, 1.0)
ABOVE_NOUGHT: Final = (0.0, inf)
_E = TypeVar("_E", bound=Estimate)


@dataclass(frozen=True, slots=True)
class Of:
    """Whom a metric speaks of where that is not all: those *who* came so far, and the metric that
    is their *share* of all, of the same group or else of all together.
    """

    share: str
    who: str


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured, in which *unit*, what its *groups* are beside `all` ("" for none), and of
    which *kind* it is, which decides its interval.

    *of* is what it is conditional on; None: it speaks of all. *within* is what a value can be: by
    default 0 to 1 of a share, and else 0 and up. *never* is what is said of a value of infinity.
    """

    measure: Measure
    unit: str
    groups: str
    kind: Kind = Kind.UNKNOWN
    of: Of | None = None
    within: tuple[float, float] | None = None
    never: str = "not reached"

    @property
    def definition(self) -> str:
        """The docstring of the function that measures it."""
        function = self.measure.func if isinstance(self.measure, partial) else self.measure
        return " ".join((function.__doc__ or "").split())

    @property
    def reach(self) -> tuple[float, float]:
        """The least and the most that a value can be; no interval ends beyond."""
        return self.within or (SHARE if self.unit == "share" else ABOVE_NOUGHT)

    def estimate(self, values: Sequence[float]) -> Estimate:
        """Return the mean of *values* over replications, with its interval."""
        found = estimate(values, self.unit, self.kind, self.reach)
        return replace(found, never=self.never)

    def difference(self, values: Sequence[float], others: Sequence[float]) -> Difference:
        """Return the mean of *values* − *others*, pair by pair, with its interval; all finite."""
        return paired_difference(values, others, self.unit, self.kind, self.reach)

    def share_of(self, group: str, shares: Shares) -> float:
        """Return the share of all that *group* speaks of, among those known; nan where unknown."""
        if self.of is None:
            return 1.0
        return shares.get((self.of.share, group), shares.get((self.of.share, "all"), nan))

    def conditioned(self, found: _E, group: str, shares: Shares, other: Shares | None = None) -> _E:
        """Return *found*, of *group*, with the condition that it is under, by the *shares* known
        of its cell; a difference also by those of the *other* cell.
        """
        if self.of is None:
            return found
        theirs = None if other is None else self.share_of(group, other)
        return replace(
            found, condition=Condition(self.share_of(group, shares), self.of.who, theirs)
        )


def comparable(values: Sequence[float], others: Sequence[float]) -> bool:
    """Whether two samples have a paired difference: as many of each, and every value reached."""
    return len(values) == len(others) > 0 and all(map(isfinite, (*values, *others)))
