"""Rollouts that finished, as points: what a campaign gives in days, and what it takes in false
outage alerts.
"""

from __future__ import annotations

from typing import Final

from sim.metrics import Estimate
from sim.report.frontier import Point, dominators, frontier
from sim.report.lives import called
from sim.report.study import Cell, Study

FALSE: Final = "cut"  # the cause of an outage alert when an activation cuts the supply


def false_kind(cell: Cell) -> str | None:
    """Return the kind of alert that tells of a supply cut by an activation; None where none is
    raised.
    """
    alerts = cell.scenario.alerts
    return next((name for name in alerts.active if alerts.kinds[name].cause == FALSE), None)


def alarms(study: Study, cell: Cell, metric: str) -> Estimate | None:
    """Return *metric* of the false outage alerts of *cell*."""
    kind = false_kind(cell)
    return None if kind is None else study.estimate(cell, metric, kind)


class Rollouts:
    """The rollouts that finished in every replication, each a point: days to finish, and the false
    outage alerts of the busiest second at the DSP.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.places: dict[str, tuple[Estimate, Estimate]] = {}
        for cell in study.cells:
            days = study.estimate(cell, "campaign_days_mean")
            peak = alarms(study, cell, "dsp_kind_per_s_peak")
            if days is not None and peak is not None and days.n >= days.replications:
                self.places[cell.name] = days, peak
        self.points: dict[str, Point] = {
            name: (days.value, peak.value) for name, (days, peak) in self.places.items()
        }
        self.best = frontier(self.points)
        self.beaten_by = dominators(self.points)
        self.called = {cell.name: called(cell) for cell in study.cells}

    def clear(self, name: str, other: str) -> bool:
        """Whether the intervals bear out that *other* is no slower and no louder than *name*; with
        one replication, whether the values do.
        """
        pairs = zip(self.places[name], self.places[other], strict=True)
        return all(
            ours.n == 1 or theirs.high <= ours.low or theirs.value == ours.value
            for ours, theirs in pairs
        )
