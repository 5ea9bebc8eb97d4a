"""Whether genuine alerts arrive in time, and what would save those that do not."""

from __future__ import annotations

from typing import Final

from sim.report.floor import unreached, who
from sim.report.ranking import above, negative, of_cells, untold
from sim.report.remedies import Remedies
from sim.report.words import capitalised, interval, percent

_NEVER: Final = "genuine_suppressed_share"
_LATE: Final = "genuine_delayed_share"
_MISSED: Final = "genuine_loss_share"


def in_time(remedies: Remedies) -> str:
    """Say how many genuine alerts of the storm never come and how many late, under which remedy
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
        told += f" {capitalised(who(storm.scenario))}, and no remedy mends that."
    more = _saved(remedies, _NEVER, "arrive"), _saved(remedies, _MISSED, "arrive in time")
    return f"{told} {' '.join(filter(None, more)) or 'No remedy here makes more of them arrive.'}"


def _saved(remedies: Remedies, metric: str, what: str) -> str:
    """Say under which remedy more of the genuine alerts *what* than in the storm, by *metric*: the
    share that does not; "" where none makes more of them do so.
    """
    study = remedies.study
    ranking = of_cells(study, remedies.cells, metric)
    storm = remedies.storms[0]
    best = ranking.lowest
    less = study.paired(best.what, storm, metric)
    if less is None or not above(negative(less)):
        return ""
    never, late = (study.estimate(best.what, name) for name in (_NEVER, _LATE))
    return (
        f"Most {what} under {remedies.called(best.what)}{ranking.doubt(best, remedies.called)}:"
        f" {percent(never)} never arrive and {percent(late)} come late, which is"
        f" {interval(negative(less), 100, 'percentage points')} more that {what}{untold(less)}."
    )
