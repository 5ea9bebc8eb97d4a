"""What H3's numbers owe to their inputs: records that nobody reports, homes never reached, prices.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from sim.report.floor import Floor, share, unreached, who
from sim.report.grids import Grid
from sim.report.lives import called
from sim.report.study import Cell, Study
from sim.report.words import alone, capitalised, number, percent
from sim.scenario.assumptions import load_assumptions
from sim.units import format_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.scenario.firmware import Firmware

_OF: Final = "ppmid"  # the type of which the inventory keeps records and people update devices
_MOST: Final = 0.5  # of a sum of money: what it is said to rest on


# -- what nobody reports ---------------------------------------------------------------------------


def in_the_long_run(cell: Cell) -> float | None:
    """Return the share of PPMID records that is wrong in the long run where nobody reports, by
    multiplication of inputs: take-up of local updates × devices that are on. None where that
    does not apply; a ban leaves wrong what went wrong before it.
    """
    scenario, updates = cell.scenario, cell.scenario.updates
    firmware = scenario.firmware
    if firmware is None or not scenario.reporting.traits.is_silent:
        return None
    if not updates.has_local or updates.ban is not None:
        return None
    return float(firmware.local.take_up * (1 - firmware.off.get(_OF, 0)))


def closed_form(cells: Sequence[Cell], study: Study) -> str:
    """Say what the records that nobody reports owe to the inputs, of the first of *cells*."""
    for cell in cells:
        long_run, found = in_the_long_run(cell), study.estimate(cell, "record_wrong_share", _OF)
        if long_run is not None and found is not None:
            firmware = cell.scenario.firmware
            assert firmware is not None
            return (
                f"What nobody reports goes wrong as the inputs say: under {called(cell)}"
                f" {_factors(firmware)} = {share(long_run)} of PPMID records in the long run, by"
                f" multiplication; the run has {percent(found)}, with the time it takes to get"
                " there. What is no input is how policies differ in it, and who is misled."
            )
    return ""


def _factors(firmware: Firmware) -> str:
    on = format_share(1 - firmware.off.get(_OF, 0))
    return f"a take-up of local updates of {format_share(firmware.local.take_up)} × {on} of them on"


def grid(study: Study) -> tuple[Grid, ...]:
    """Set what multiplication gives beside what the run has, for policies without a report."""
    rows = [
        (called(cell), share(long_run), percent(study.estimate(cell, "record_wrong_share", _OF)))
        for cell in study.cells if (long_run := in_the_long_run(cell)) is not None
    ]  # fmt: skip
    head = ("policy", "PPMID records wrong in the long run, by multiplication", "in the run")
    note = (
        "Take-up of local updates × devices that are on: two inputs. The run has less, since the"
        " years in which records come apart count, and images over the air put some right."
    )
    return (Grid("T3e. What is an input, beside the run", head, tuple(rows), note),) if rows else ()


# -- homes that are never reached ------------------------------------------------------------------


def floor(study: Study, cells: Sequence[Cell]) -> str:
    """Say how much of what a policy with reports leaves wrong is homes never reached, and at which
    share of them it would be no better than the best policy without; of *cells*, the least wrong
    first, the first that has another like it without reports.
    """
    silent = [cell for cell in cells if cell.scenario.reporting.traits.is_silent]
    pairs = ((one, _like(one, silent)) for one in cells if one not in silent)
    best, bare = next(((one, other) for one, other in pairs if other is not None), (None, None))
    if best is None or bare is None or not unreached(best.scenario):
        return ""
    found, wrong = (study.estimate(one, "record_wrong_share") for one in (best, bare))
    assert found is not None
    assert wrong is not None
    below = Floor(unreached(best.scenario), wrong)
    told = (
        f"The floor: {who(best.scenario)}, and never report. Where nobody does, under"
        f" {called(bare)}, {percent(wrong)} of records are wrong; so about"
        f" {alone(below.value, 100, '%')} of all are under every policy with such local updates, by"
        f" multiplication: two inputs, and no result. {capitalised(called(best))} leaves"
        f" {alone(found, 100, '%')}. Each point more of such premises adds about"
        f" {wrong.value - below.reached(found).value:.2g} points"
    )
    others = [(other, study.estimate(other, "record_wrong_share")) for other in silent]
    better = [
        (one, part) for one, part in others if part and found.value < part.value < wrong.value
    ]
    if not better:
        return f"{told}."
    rival, least = min(better, key=lambda pair: pair[1].value)
    return (
        f"{told}, and at {percent(below.turning(found, least))} never reached it would be no better"
        f" than {called(rival)}, which has {alone(least, 100, '%')} without a report."
    )


def _like(cell: Cell, others: Sequence[Cell]) -> Cell | None:
    """Return the one of *others* that differs from *cell* in its reports alone."""
    return next((other for other in others if _but_reports(other) == _but_reports(cell)), None)


def _but_reports(cell: Cell) -> dict[str, str]:
    own = ("reporting", "name", "question")
    return {path: leaf for path, leaf in cell.leaves.items() if path.split(".")[0] not in own}


# -- what a wrong decision costs -------------------------------------------------------------------


def price(study: Study, cell: Cell) -> str:
    """Say on which price the cost of decisions in error rests under *cell*, and how good its
    evidence is; "" where no one price makes most of it.
    """
    costs: dict[tuple[float, str], float] = {}
    for table in study.tables("decisions", cell).values():
        for outcome, each, n in zip(table["outcome"], table["price"], table["n"], strict=True):
            costs[each, outcome] = costs.get((each, outcome), 0.0) + each * n
    whole = sum(costs.values())
    if not whole:
        return ""
    (each, outcome), most = max(costs.items(), key=lambda item: item[1])
    if most < _MOST * whole:
        return ""
    return (
        f"{share(most / whole)} of that rests on one price, £{number(each)} for each"
        f" {outcome.replace('_', ' ')} ({_grade(outcome)}): it moves with that."
    )


@cache
def _grade(outcome: str) -> str:
    row = next(row for row in load_assumptions() if row.path == f"firmware.reads.prices.{outcome}")
    return f"grade {row.grade}, from £{row.low} to £{row.high}"
