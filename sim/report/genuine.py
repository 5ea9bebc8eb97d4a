"""Whether genuine alerts arrive in time, and what would save those that do not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sim.report.floor import unreached, who
from sim.report.ranking import above, negative, of_cells, untold
from sim.report.remedies import Remedies
from sim.report.words import capitalised, interval, listed, percent

if TYPE_CHECKING:
    from sim.report.study import Cell

_NEVER: Final = "genuine_suppressed_share"
_LATE: Final = "genuine_delayed_share"
_MISSED: Final = "genuine_loss_share"
# A gain below a tenth of a percentage point is none that anybody would build something for.
_WORTH: Final = 0.001


def in_time(remedies: Remedies) -> str:
    """Say how many genuine alerts of the storm never come and how many late, under which mitigation
    most of them come at all, and under which most come in time; "" where none is raised.
    """
    study, storm = remedies.study, remedies.storms[0]
    never, late = (study.estimate(storm, metric) for metric in (_NEVER, _LATE))
    if never is None or late is None:
        return ""
    told = (
        f"Of the genuine alerts under {remedies.called(storm)}, {percent(never)} never arrive and"
        f" {percent(late)} come late; the others arrive in time."
    )
    if unreached(storm.scenario):
        told += f" {capitalised(who(storm.scenario))}, and no mitigation mends that."
    more = _saved(remedies, _NEVER, "arrive"), _saved(remedies, _MISSED, "arrive in time")
    return (
        f"{told} {' '.join(filter(None, more)) or 'No mitigation here makes more of them arrive.'}"
    )


def _saved(remedies: Remedies, metric: str, what: str) -> str:
    """Say under which mitigation more of the genuine alerts *what* than in the storm, by *metric*:
    the share that does not; that it is next to none where it is; "" where none makes more do so.
    """
    study = remedies.study
    ranking = of_cells(study, remedies.cells, metric)
    storm = remedies.storms[0]
    best = ranking.lowest
    less = study.paired(best.what, storm, metric)
    if less is None or not above(negative(less)):
        return ""
    if less.value > -_WORTH:
        most = interval(negative(less), 100, "percentage points")
        return f"None makes noticeably more of them {what}: the most is {most}."
    never, late = (study.estimate(best.what, name) for name in (_NEVER, _LATE))
    return (
        f"Most {what} under {remedies.called(best.what)}{ranking.doubt(best, remedies.called)}:"
        f" {percent(never)} never arrive and {percent(late)} come late, which is"
        f" {interval(negative(less), 100, 'percentage points')} more that {what}{untold(less)}"
        f"{_price(remedies, best.what)}."
    )


def _price(remedies: Remedies, cell: Cell) -> str:
    """Say which storm *cell* makes, where it makes one: what was kept comes at once."""
    cut, queue = remedies.cut(cell), remedies.longest_queue(cell)
    if cut is None or cut.high >= 0 or queue is None:
        return ""
    times = replace(cut, value=1 - cut.value, half_width=cut.half_width, bounds=None)
    return (
        ". It makes a storm of its own, for what was kept comes at once: the busiest second at"
        f" {remedies.worst} brings {interval(times)} times as many, and up to {interval(queue)}"
        " wait"
    )


def lost(remedies: Remedies) -> str:
    """Name what loses genuine alerts that the storm would not, with how many and of which code
    most.
    """
    told = []
    than = "the storm does" if remedies.calms else f"{remedies.called(remedies.storms[0])} does"
    for cell in remedies.cells:
        if (more := remedies.costs(cell)) is not None:
            points = interval(more, 100, "percentage points")
            told.append(f"{remedies.called(cell)} {points} more{_worst_code(remedies, cell)}")
    if not told:
        return ""
    return (
        "What loses the alert that matters: of the genuine alerts, these suppress or delay more"
        f" than {than}: {listed(told)}."
    )


def _worst_code(remedies: Remedies, cell: Cell) -> str:
    """Name the alert code of which *cell* loses most more than the storm does, with both shares."""
    study, storm = remedies.study, remedies.storm(cell)
    now, before = (study.groups(world, "genuine_loss_share") for world in (cell, storm))
    worst = max(
        now.keys() & before.keys(),
        key=lambda code: now[code].value - before[code].value,
        default="",
    )
    if not worst or now[worst].value <= before[worst].value:
        return ""
    named = sorted(
        name
        for name, kind in cell.scenario.alerts.kinds.items()
        if kind.code == worst and name in cell.scenario.alerts.active
    )
    told = f"{named[0].replace('_', ' ')}, {worst}" if len(named) == 1 else worst
    return f" (of {told}, {percent(now[worst])} in place of {percent(before[worst])})"
