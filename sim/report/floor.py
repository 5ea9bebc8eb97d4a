"""What no report can mend: premises that are never reached, whose records go wrong as if nobody
reported.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final

from sim.metrics import Estimate
from sim.scenario.assumptions import load_assumptions
from sim.units import format_decimal, format_share

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

_SILENT: Final = "estate.not_communicating_share"
_UNREACHED: Final = ("estate.no_wan_share", _SILENT)


@dataclass(frozen=True, slots=True)
class Floor:
    """The premises that are never *reached* (their share *unreached*: without WAN, or with a hub
    that never communicates) and the share of records that go wrong where nobody reports (*silent*).

    A report never leaves such premises, so that their records are under every rule what they are
    under none. Shares are fractions.
    """

    unreached: float
    silent: Estimate

    @property
    def value(self) -> Estimate:
        """The share of all records that is wrong under every rule: their product."""
        return _moved(self.silent, self.unreached, 0)

    def reached(self, found: Estimate) -> Estimate:
        """Return the share among premises that are reached, of what is *found* among all."""
        rest = 1 - self.unreached
        return _moved(found, 1 / rest, -self.unreached * self.silent.value / rest)

    def turning(self, found: Estimate, most: Estimate) -> Estimate:
        """Return the share of premises never reached up to which a rule that leaves *found* wrong
        here leaves at most *most* wrong. Its interval has the least favourable ends of all three.
        """
        inside, silent = self.reached(found), self.silent
        low = _crossing(most.low, inside.high, silent.high)
        value = _crossing(most.value, inside.value, silent.value)
        high = _crossing(most.high, inside.low, silent.low)
        return Estimate(value, (high - low) / 2, found.n, "share", bounds=(low, high))


def _crossing(most: float, reached: float, silent: float) -> float:
    """Return up to which share of premises never reached at most *most* is wrong of all: none where
    *reached* alone has more, all where *silent* alone has less.
    """
    if reached >= most:
        return 0.0
    if silent <= most:
        return 1.0
    return (most - reached) / (silent - reached)


def _moved(found: Estimate, factor: float, shift: float) -> Estimate:
    """Return *found* times *factor*, plus *shift*, of a share: never below nought."""
    low, value, high = (max(0.0, factor * x + shift) for x in (found.low, found.value, found.high))
    return replace(found, value=value, half_width=factor * found.half_width, bounds=(low, high))


def unreached(scenario: Scenario) -> float:
    """Return the share of premises of *scenario* that are never reached, as written in decimals."""
    estate = scenario.estate
    shares = (estate.no_wan_share, estate.not_communicating_share)
    return float(min(sum(Decimal(repr(share)) for share in shares), Decimal(1)))


def who(scenario: Scenario) -> str:
    """Say which premises of *scenario* are never reached, and what is known of how many they are.
    """
    estate = scenario.estate
    return (
        f"{format_share(unreached(scenario))} of premises are never reached"
        f" ({format_share(estate.no_wan_share)} without WAN,"
        f" {format_share(estate.not_communicating_share)} whose hub never communicates:"
        f" {_evidence()})"
    )


def beneath(metric: str, varied: Collection[str]) -> tuple[str, ...]:
    """Say, of a choice by *metric* where the leaves *varied* are, what is alike under every option.
    """
    if not metric.startswith("record_wrong") or not set(varied) & set(_UNREACHED):
        return ()
    return (
        (
            "A floor is under all options: premises without WAN, or whose hub never communicates,"
            " never report, and their records go wrong alike whichever rule is chosen. Their share"
            " is varied here; it moves how wrong the inventory is, and parts no two rules by"
            " itself."
        ),
    )


@cache
def _evidence() -> str:
    """Say how good the evidence is for the share of hubs that never communicate, and its range."""
    row = next(row for row in load_assumptions() if row.path == _SILENT)
    return f"grade {row.grade}, from {row.low} to {row.high}"


def share(of: float) -> str:
    """Return a share as a percentage of three digits."""
    return f"{format_decimal(Decimal(f'{100 * of:.3g}'))} %"
