"""Ways of choosing the moment of a report, and what a run says of each: is it a storm?"""

from __future__ import annotations

from sim.metrics import Difference, Estimate
from sim.report import collateral, sample
from sim.report.ranking import above
from sim.report.servers import Place, places
from sim.report.study import Cell, Study
from sim.report.words import listed, span
from sim.units import DAY_S, format_duration, format_time_of_day


def plain(cell: Cell) -> str:
    """Return a cell's name as words, for a sentence."""
    return cell.called.replace("_", " ")


def how(cell: Cell) -> str:
    """Return in words how the senders of *cell* choose their moment."""
    scenario = cell.scenario
    phase = scenario.reporting.phase
    if phase.source == "fixed_clock":
        at, stray = format_time_of_day(phase.at), format_duration(phase.jitter)
        return f"every clock strikes {at}, give or take {stray}"
    if phase.source == "hashed":
        over = "a day" if phase.window == DAY_S else span(phase.window)
        return f"each sender has a moment of its own, hashed over {over}"
    if phase.source == "power_on":
        cuts = sorted({cut.region for cut in scenario.faults.power_cuts})
        return "timers start when the power comes on" + (
            f", here after a power cut in the {listed(cuts)}" if cuts else ""
        )
    release = scenario.updates.local.driver == "releases" and scenario.updates.has_local
    return "timers start again when new firmware does" + (
        ", here after a national release" if release else ""
    )


class Storm:
    """What the run says of one set of reporting devices: the cells that report, compared with the
    one that does not.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.all = [cell for cell in study.cells if study.comparator_of(cell) is not None]
        heaviest = max(
            self.all,
            key=lambda cell: (len(cell.scenario.reporting.devices), self.peak(cell)[1].value),
        )
        self.levels = heaviest.levels
        self.cells = [cell for cell in self.all if cell.levels == self.levels]
        self.worst = max(self.cells, key=lambda cell: (self.is_storm(cell), self.pressure(cell)))
        self.calmest = min(
            self.cells, key=lambda cell: (not self.is_calm(cell), self.pressure(cell))
        )

    def at(self, cell: Cell, place: Place, metric: str) -> Estimate | None:
        """Return a stage's *metric* at *place*."""
        return self.study.estimate(cell, f"{place.stage}_{metric}", place.group)

    def peak(self, cell: Cell) -> tuple[Place, Estimate]:
        """Return where the alerts of one second are the largest multiple of what is passed on, and
        how many they are.
        """
        found = [
            (place, peak)
            for place in places(cell)
            if (peak := self.at(cell, place, "alerts_per_s_peak")) is not None
        ]
        return max(found, key=lambda pair: pair[1].value / pair[0].capacity)

    def pressure(self, cell: Cell) -> float:
        """Return that multiple."""
        place, peak = self.peak(cell)
        return peak.value / place.capacity

    def metric(self, cell: Cell) -> tuple[str, str]:
        """Return the metric and group of the peak of *cell*."""
        place, _ = self.peak(cell)
        return f"{place.stage}_alerts_per_s_peak", place.group

    def waits(self, cell: Cell) -> list[Place]:
        """Return where something waits more often than without reports, and luck does not explain
        it: where it is a storm.
        """
        waits = self._waits_more(cell)
        return [place for place in waits if sample.exceeds(self.study, cell, place)]

    def _waits_more(self, cell: Cell) -> list[Place]:
        """Return where something waits more often than without reports."""
        found = []
        for place in places(cell):
            more = self.study.difference(cell, f"{place.stage}_waiting_share", place.group)
            if more is not None and above(more):
                found.append(place)
        return found

    def is_storm(self, cell: Cell) -> bool:
        """Whether something waits more often than without reports."""
        return bool(self.waits(cell))

    def is_calm(self, cell: Cell) -> bool:
        """Whether the run can tell that *cell* is no storm; a sample may be able to tell neither.
        """
        return not self._waits_more(cell) and sample.stays_below(self.study, cell)

    def late(self, cell: Cell) -> Difference | None:
        """Return how many more messages a day of other kinds are late than without reports."""
        other = self.silent(cell)
        return collateral.late(self.study, cell, other, collateral.others(self.study, other))

    def late_kinds(self, cell: Cell) -> list[tuple[str, Difference, float]]:
        """Return each other kind of which more messages are late: its name, how many more a day,
        and how many there are a day.
        """
        return collateral.late_kinds(self.study, cell, self.silent(cell))

    def silent(self, cell: Cell) -> Cell:
        """Return the world of *cell* without reports."""
        other = self.study.comparator_of(cell)
        assert other is not None
        return other
