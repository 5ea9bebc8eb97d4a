"""Whether what is found of reporting rules holds where losses come in bursts: the same rules in
other worlds of the run, in which WAN cells are out for days.
"""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING, Final

from sim.report.contest import RIGHT_ENOUGH, Contest, worlds
from sim.report.grids import Grid
from sim.report.lives import told_levels
from sim.report.words import interval, listed, percent, rounded
from sim.units import format_duration, format_share

if TYPE_CHECKING:
    from sim.metrics import Estimate
    from sim.report.contest import Choice
    from sim.report.study import Cell
    from sim.scenario.schema import Scenario

_ALIKE: Final = "; the rules on the frontier are the same"


def elsewhere(contest: Contest) -> list[Contest]:
    """Return the same rules in each other world of the run, one by one."""
    mine = {choice.cell.name for choice in contest.choices}
    return [
        Contest(contest.study, cells)
        for cells in worlds(contest.study)
        if cells[0].name not in mine
    ]


def told(contest: Contest) -> str:
    """Say what becomes of the choice, and of the frontier, in the other worlds."""
    return " ".join(_told(contest, other) for other in elsewhere(contest))


def _told(contest: Contest, other: Contest) -> str:
    first, there = _cheapest(contest), _cheapest(other)
    where = f"Where {_world(other.choices[0].cell)}, "
    if first is None:
        return ""
    same = next(one for one in other.choices if one.cell.option == first.cell.option)
    bar, left = format_share(RIGHT_ENOUGH), percent(_inside(other, same))
    now = f"{contest.called(first)} leaves {left} {contest.so_long} where premises are reached"
    if there is None:
        best = min(other.choices, key=lambda one: one.late.value)
        least = f"{percent(_inside(other, best))}, under {contest.called(best)}"
        verdict = f", and none leaves at most {bar} there: at least {least}"
    elif there is same:
        verdict = ", and is still the cheapest that does" + _unsure(other, there)
    else:
        verdict = (
            f", and the cheapest that leaves at most {bar} there is {contest.called(there)}:"
            f" {interval(there.cost)} messages, {percent(_inside(other, there))}"
            f"{_unsure(other, there)}"
        )
    return f"{where}{now}{verdict}{_frontiers(contest, other)}."


def _cheapest(contest: Contest) -> Choice | None:
    """Return the cheapest rule that is right enough where premises are reached."""
    return next(
        (one for one in contest.choices if _inside(contest, one).value <= RIGHT_ENOUGH), None
    )


def _inside(contest: Contest, choice: Choice) -> Estimate:
    """Return what *choice* leaves wrong so long where premises are reached."""
    return contest.floor.reached(choice.late) if contest.floor is not None else choice.late


def _unsure(contest: Contest, choice: Choice) -> str:
    found = _inside(contest, choice)
    return (
        ""
        if found.n == 1 or found.high <= RIGHT_ENOUGH
        else f" (its interval reaches past {format_share(RIGHT_ENOUGH)})"
    )


def _frontiers(contest: Contest, other: Contest) -> str:
    """Say how the frontier of *other* differs from that of *contest*."""
    ours, theirs = ({one.cell.option: one for one in each.best} for each in (contest, other))
    come, gone = (
        [contest.called(one) for name, one in these.items() if name not in those]
        for these, those in ((theirs, ours), (ours, theirs))
    )  # fmt: skip
    if not come and not gone:
        return _ALIKE
    changes = [
        f"{verb} {listed(names)}" for verb, names in (("gains", come), ("loses", gone)) if names
    ]
    return f"; the frontier {listed(changes)}"


def _world(cell: Cell) -> str:
    """Say in a clause what is otherwise in the world of *cell*."""
    out = _out(cell.scenario)
    if out is None:
        return told_levels(cell)
    hub = next((stage for stage in cell.scenario.network if stage.stage == "hub"), None)
    kept = (
        ", and hubs keep the latest report until they are back"
        if hub is not None and hub.buffer
        else ""
    )
    return f"WAN cells are out {out} at a time{kept}"


def _out(scenario: Scenario) -> str | None:
    """Say for which share of the time a WAN cell is out, and for how long each time; None where no
    outages come at a rate, or they are not the same in all regions.
    """
    outages = scenario.faults.wan_outages
    alike = {(outage.share, outage.rate, outage.duration) for outage in outages}
    if len(alike) != 1 or {outage.region for outage in outages} != set(scenario.estate.regions):
        return None
    ((share, rate, duration),) = alike
    if rate is None:
        return None
    out = 1 - exp(-share * float(rate) * duration)
    return f"{rounded(100 * out, 3)} % of the time, {format_duration(duration)}"


def grid(contest: Contest) -> tuple[Grid, ...]:
    """Return what each rule leaves wrong in each world of the run; nothing where there is one."""
    others = elsewhere(contest)
    if not others:
        return ()
    rows = []
    for choice in contest.choices:
        there = [
            next(one for one in world.choices if one.cell.option == choice.cell.option)
            for world in (contest, *others)
        ]
        rows.append(
            (contest.called(choice), interval(choice.cost), *(percent(one.late) for one in there))
        )
    heads = [
        (
            "reports lost one by one"
            if _out(contest.choices[0].cell.scenario) is None
            else _world(contest.choices[0].cell)
        )
    ]
    heads += [_world(world.choices[0].cell) for world in others]
    note = (
        f"PPMID records {contest.so_long}, of all, in each world. A report that meets a link that"
        " is out is lost, unless its hub keeps it."
    )
    return (
        Grid(
            "T2b. The same rules where losses come in bursts",
            ("rule", "messages per device-year", *heads),
            tuple(rows),
            note,
        ),
    )
