"""What each percentage point fewer wrong records costs in messages, from rule to rule along the
frontier.
"""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Final

from sim.report.contest import PRICED, TYPE, WRONG
from sim.report.study import base_leaves
from sim.report.words import rounded
from sim.scenario.assumptions import load_assumptions

if TYPE_CHECKING:
    from sim.report.contest import Choice, Contest

HEAD: Final = "£ M a year per percentage point"
_PRICE: Final = "reporting.price"
_M: Final = 1e6
_NOTHING: Final = "–"


def of(contest: Contest, choice: Choice) -> str:
    """Return what the rule on the frontier costs more than the one before it there, a year and in
    the whole estate, for each percentage point of PPMID records that it leaves wrong less.
    """
    before = next((one for one, other in pairwise(contest.best) if other is choice), None)
    if before is None:
        return _NOTHING
    dearer = contest.study.paired(choice.cell, before.cell, PRICED)
    fewer = contest.study.paired(before.cell, choice.cell, WRONG, TYPE)
    if dearer is None or fewer is None or not fewer.value:
        return _NOTHING
    devices = _devices(choice) / 100 / _M  # a percentage point is a hundredth
    value = dearer.value * devices / fewer.value
    if fewer.n == 1 or not isfinite(fewer.half_width) or fewer.low <= 0:
        return f"about {rounded(value, 2)}"
    ends = max(0.0, dearer.low) * devices / fewer.high, dearer.high * devices / fewer.low
    return f"{rounded(value, 2)} ({rounded(ends[0], 2)} to {rounded(ends[1], 2)})"


def _devices(choice: Choice) -> float:
    """Return how many devices of the types that report the base estate has, as expected."""
    estate, reporting = choice.cell.scenario.estate, choice.cell.scenario.reporting
    return int(base_leaves()["estate.premises"]) * sum(
        estate.devices[name] for name in reporting.devices
    )


def note(contest: Contest) -> str:
    """Say on which price the column rests, and how good that is; nothing without one."""
    price = contest.choices[0].cell.scenario.reporting.price
    if price is None:
        return ""
    known = next(each for each in load_assumptions() if each.path == _PRICE)
    return (
        f"{HEAD}: what the rule costs more than the one before it on the frontier, in the whole"
        f" estate, ÷ the percentage points it leaves wrong less, at £{price:g} a message (grade"
        f" {known.grade}, from £{known.low} to £{known.high}, and in proportion to it); in"
        " brackets, both intervals together."
    )
