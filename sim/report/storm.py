"""H1: is a daily version report an alert storm, for which phase, where, how big, and what does it push aside?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from sim.metrics import Difference, Estimate
from sim.report import collateral, sample
from sim.report.evidence import is_sample
from sim.report.findings import Findings, Picture
from sim.report.grids import Grid
from sim.report.ranking import above, of_cells
from sim.report.servers import READ, Place, places
from sim.report.study import Cell, Study
from sim.report.words import capitalised, counted, duration, interval, listed, number, often, percent, span, time_of
from sim.units import DAY_S, format_duration, format_time_of_day

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRICS: Final = (
    "csp_alerts_per_s_mean", "csp_alerts_per_s_peak", "csp_alerts_per_60s_peak", "csp_alerts_per_900s_peak", "csp_peak_to_mean_ratio", "csp_delay_s_p99",
    "csp_waiting_share", "csp_peak_waiting_n", "csp_refused_share", "late_per_day", "baseline_uplift_share",
)  # fmt: skip


def fits(study: Study) -> bool:
    """Whether *study* compares reporting with no reporting on a network of limited capacity: what H1 asks."""
    pairs = [(cell, study.comparator_of(cell)) for cell in study.cells]
    silent = {other.scenario.reporting.rule for _, other in pairs if other is not None}
    return silent == {"none"} and any(name.endswith("alerts_per_s_peak") for name in study.metrics) and all(places(cell) for cell, _ in pairs)


def plain(cell: Cell) -> str:
    """Return a cell's name as words, for a sentence."""
    return cell.called.replace("_", " ")


def how(cell: Cell) -> str:
    """Return in words how the senders of *cell* choose their moment."""
    scenario = cell.scenario
    phase = scenario.reporting.phase
    if phase.source == "fixed_clock":
        return f"every clock strikes {format_time_of_day(phase.at)}, give or take {format_duration(phase.jitter)}"
    if phase.source == "hashed":
        return f"each sender has a moment of its own, hashed over {'a day' if phase.window == DAY_S else span(phase.window)}"
    if phase.source == "power_on":
        cuts = sorted({cut.region for cut in scenario.faults.power_cuts})
        return "timers start when the power comes on" + (f", here after a power cut in the {listed(cuts)}" if cuts else "")
    release = scenario.updates.local.driver == "releases" and scenario.updates.policy == "local_and_ota"
    return "timers start again when new firmware does" + (", here after a national release" if release else "")


class Storm:
    """What the run says of one set of reporting devices: the cells that report, compared with the one that does not."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.all = [cell for cell in study.cells if study.comparator_of(cell) is not None]
        heaviest = max(self.all, key=lambda cell: (len(cell.scenario.reporting.devices), self.peak(cell)[1].value))
        self.levels = heaviest.levels
        self.cells = [cell for cell in self.all if cell.levels == self.levels]
        self.worst = max(self.cells, key=lambda cell: (self.is_storm(cell), self.pressure(cell)))
        self.calmest = min(self.cells, key=lambda cell: (not self.is_calm(cell), self.pressure(cell)))

    def at(self, cell: Cell, place: Place, metric: str) -> Estimate | None:
        """Return a stage's *metric* at *place*."""
        return self.study.estimate(cell, f"{place.stage}_{metric}", place.group)

    def peak(self, cell: Cell) -> tuple[Place, Estimate]:
        """Return where the alerts of one second are the largest multiple of what is passed on, and how many they are."""
        found = [(place, peak) for place in places(cell) if (peak := self.at(cell, place, "alerts_per_s_peak")) is not None]
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
        """Return where something waits more often than without reports: where it is a storm."""
        found = []
        for place in places(cell):
            more = self.study.difference(cell, f"{place.stage}_waiting_share", place.group)
            if more is not None and above(more) and sample.exceeds(self.study, cell, place):
                found.append(place)
        return found

    def is_storm(self, cell: Cell) -> bool:
        """Whether something waits more often than without reports."""
        return bool(self.waits(cell))

    def is_calm(self, cell: Cell) -> bool:
        """Whether the run can tell that *cell* is no storm; a sample may be able to tell neither."""
        return not self.is_storm(cell) and sample.stays_below(self.study, cell)

    def late(self, cell: Cell) -> Difference | None:
        """Return how many more messages a day of other kinds are late than without reports."""
        other = self.silent(cell)
        return collateral.late(self.study, cell, other, collateral.others(self.study, other))

    def late_kinds(self, cell: Cell) -> list[tuple[str, Difference, float]]:
        """Return each other kind of which more messages are late: its name, how many more a day, and how many there are a day."""
        return collateral.late_kinds(self.study, cell, self.silent(cell))

    def silent(self, cell: Cell) -> Cell:
        """Return the world of *cell* without reports."""
        other = self.study.comparator_of(cell)
        assert other is not None
        return other


def findings(study: Study) -> Findings:
    """Return what the report says of *study*."""
    storm = Storm(study)
    return Findings(
        answer=_answer(storm), points=_points(storm), grids=_grids(storm), pictures=(_picture(storm),), doubts=_doubts(storm),
        metrics=tuple(dict.fromkeys([*METRICS, *(name.replace("csp", "dsp") for name in METRICS if name.startswith("csp"))])),
    )  # fmt: skip


# -- sentences ---------------------------------------------------------------------------------------------------------------------------------------------


def _reporters(cell: Cell) -> str:
    return listed([device.upper() for device in sorted(cell.scenario.reporting.devices, reverse=True)])


def _answer(storm: Storm) -> str:
    storms = [cell for cell in storm.cells if storm.is_storm(cell)]
    hidden = [cell for cell in storm.cells if not storm.is_storm(cell) and not storm.is_calm(cell)]
    untold = " ".join(_untold(storm, cell) for cell in hidden)
    worst = storm.worst
    uplift = storm.study.estimate(worst, "baseline_uplift_share")
    reports = f"One report {often(worst.scenario.reporting.period)} from each {_reporters(worst)}"
    more = f"adds {percent(uplift)} to the messages that are carried already" if uplift else "is all there is to carry"
    if not storms and hidden:
        return f"This sample cannot tell. {reports} {more}. {untold}"
    if not storms:
        return f"No, at this scale and capacity: {reports[0].lower()}{reports[1:]} {more}, and {_most(storm)}."
    verdict = "Yes, it can be."
    if len(storms) == len(storm.cells):
        verdict = "Yes, however the moment is chosen."
    elif len(storms) + len(hidden) < len(storm.cells):
        verdict = "Yes, it can be; what decides is when each sender reports."
    ways = f"{len(storms)} of the {counted(len(storm.cells), 'way')} of choosing the moment make a storm (more comes in a second than a stage passes on)"
    doubt = of_cells(storm.study, storms, *storm.metric(worst)).doubt_of(worst, plain)
    sentences = [verdict, f"{reports} {more}; {ways}: {listed(list(map(plain, storms)))}.", f"The worst is {_told(storm, worst)}{doubt}."]
    return " ".join(filter(None, (*sentences, _remedy(storm), untold)))


def _untold(storm: Storm, cell: Cell) -> str:
    """Say of which way of choosing the moment a sample cannot tell whether it is a storm."""
    return f"Of {plain(cell)} this sample cannot tell: {sample.cannot_tell(storm.study, cell)}."


def _most(storm: Storm) -> str:
    """Say what waits where there is no storm, and how far the highest peak comes."""
    place, peak = storm.peak(storm.worst)
    load = f"{interval(peak)} alerts in one second at {place}, {_share(peak, place)} what it passes on"
    return f"{_waiting(storm, storm.worst)} at any stage; the most is {load} ({plain(storm.worst)})"


def _share(peak: Estimate, place: Place) -> str:
    if peak.value >= place.capacity:
        return interval(peak, 1 / place.capacity, "times")
    return f"{interval(peak, 100 / place.capacity, '%')} of"


def _told(storm: Storm, cell: Cell) -> str:
    """Return what happens in *cell*: where, how big, how long, and what is pushed aside."""
    place, peak = storm.peak(cell)
    told = f"{plain(cell)} ({how(cell)}): {interval(peak)} alerts in one second at {place}, {_share(peak, place)} the {number(place.capacity)} it passes on"
    queues = [(where, storm.at(cell, where, "peak_waiting_n")) for where in storm.waits(cell)]
    if queues:
        where, longest = max(queues, key=lambda pair: pair[1].value if pair[1] else 0)
        length_s = storm.study.window(cell).length_s
        of_what = "day" if length_s == DAY_S else f"{duration(length_s)} measured"
        waiting = storm.at(cell, where, "waiting_share")
        time = f", and something waits there for {time_of(waiting, length_s)} of the {of_what}" if waiting else ""
        told += f"; up to {interval(longest)} messages wait {'there' if where == place else f'at {where}'}{time}"
    return f"{told}; {_pushed_aside(storm, cell)}"


def _pushed_aside(storm: Storm, cell: Cell) -> str:
    kinds = storm.late_kinds(cell)
    if not kinds:
        return "no message of another kind becomes late"
    targets = collateral.others(storm.study, storm.silent(cell))
    return listed([
        f"{interval(more)} more {kind.replace('_', '-')} messages a day miss their target of {format_duration(targets[kind])}"
        f" ({interval(more, 100 / a_day, '%')} of them)"
        for kind, more, a_day in kinds
    ])  # fmt: skip


def _remedy(storm: Storm) -> str:
    """Return how the storm is addressed: by the choice of moment under which the same reports do least."""
    if not storm.is_calm(storm.calmest):
        return ""
    place, peak = storm.peak(storm.worst)
    calm = storm.at(storm.calmest, place, "alerts_per_s_peak")
    late = storm.late(storm.calmest)
    harm = "no message of another kind becomes late" if late is None or late.value == 0 else f"{interval(late)} more messages of other kinds a day are late"
    whose = f"{plain(storm.calmest)} ({how(storm.calmest)})"
    falls = f"falls from {interval(peak)} to {interval(calm)}"
    return f"The moment alone can address it: under {whose} the same peak {falls}, {_waiting(storm, storm.calmest)}, and {harm}."


def _waiting(storm: Storm, cell: Cell) -> str:
    """Return what waits in a *cell* that is no storm: nothing, or no more than without reports as far as the run can tell."""
    shares = [storm.at(cell, place, "waiting_share") for place in places(cell)]
    if not any(share is not None and share.value for share in shares):
        return "nothing waits"
    more = [storm.study.difference(cell, f"{place.stage}_waiting_share", place.group) for place in places(cell)]
    same = all(apart is None or not apart.value for apart in more)
    return f"no more waits than without reports{'' if same else ' that this run can tell'}"


def _points(storm: Storm) -> tuple[str, ...]:
    others = [cell for cell in storm.cells if storm.is_storm(cell) and cell is not storm.worst]
    points = [f"{_told(storm, cell)}." for cell in others]
    return tuple(point for point in (*points, _protection(storm), _idle_reports(storm), _enough(storm)) if point)


def _protection(storm: Storm) -> str:
    """Say why protection that counts per device cannot help: a proof, since it holds for every draw."""
    timed = [cell.scenario.reporting for cell in storm.cells if cell.scenario.reporting.rule == "periodic"]
    if len(timed) < len(storm.cells):
        return ""
    gap_s = min(reporting.period - 2 * reporting.phase.jitter for reporting in timed)
    return (
        "The protection in service (SECMP0062) never acts here, and this is a proof, not a measurement: it counts copies of one alert from one device within a"
        f" window, and two reports of one device are never less than {span(gap_s)} apart (the period less twice the jitter; a restart only makes"
        " the gap longer). In any shorter window it counts one, whatever the threshold. A storm of many devices with one alert each is not what it looks for."
    )


def _idle_reports(storm: Storm) -> str:
    """Say what the reports of devices without a record do."""
    if "ihd" not in storm.worst.scenario.reporting.devices:
        return ""
    fewer = [cell for cell in storm.all if cell.option == storm.worst.option and "ihd" not in cell.scenario.reporting.devices]
    if not fewer:
        return ""
    place, peak = storm.peak(storm.worst)
    without = storm.at(fewer[0], place, "alerts_per_s_peak")
    return (
        f"Reports from IHDs add load and no knowledge: the inventory keeps no firmware record of an IHD. Without them, {plain(storm.worst)} peaks at"
        f" {interval(without)} alerts in one second instead of {interval(peak)}."
    )


def _enough(storm: Storm) -> str:
    """Say from which capacity on the calmest way fits: the value at which the answer turns."""
    needs = []
    for place in places(storm.calmest):
        peak = storm.at(storm.calmest, place, "messages_per_s_peak")
        if peak is not None:
            needs.append(f"{interval(peak)} at {place} (assumed: {number(place.capacity)})")
    return (
        f"No capacity is published. The busiest second under {plain(storm.calmest)}, all other traffic included, needs {listed(needs)}: with less, it would"
        " queue as well."
    )


def _doubts(storm: Storm) -> tuple[str, ...]:
    doubts = [
        "Capacities: none is published (grade D). A stage that passes on less than the figures given above makes calm options storms as well; one that passes"
        " on more shortens the queues of the others, and removes none whose peak is many times its size.",
        "The hours of the existing traffic: the daily profiles are assumptions (grade D), and they say how much meets the storm.",
    ]
    if not any(row.kind == "retry" for stage in storm.worst.scenario.network for row in stage.mitigations):
        doubts.append("Retries: a message that is late is not sent again here. Where senders do, a queue feeds itself.")
    fixed = [cell for cell in storm.cells if cell.scenario.reporting.phase.source == "fixed_clock"]
    if fixed:
        at = format_time_of_day(fixed[0].scenario.reporting.phase.at)
        doubts.append(f"The hour of the fixed clock: what is pushed aside at {at} is what travels at {at}; at a busier hour the same storm meets more.")
    if not any(stage.priority for stage in storm.worst.scenario.network):
        doubts.append("Priorities: messages are served in the order they come. If on-demand messages went first, the storm would wait and not they.")
    return (*(sample.doubt(storm.study, sample.PEAKS) if is_sample(storm.study) else ()), *doubts)


# -- tables and figure -------------------------------------------------------------------------------------------------------------------------------------


def _grids(storm: Storm) -> tuple[Grid, ...]:
    """Return T1 in three parts for each set of reporting devices; the terminal prints those of the heaviest."""
    every = list(dict.fromkeys(tuple(cell.levels.items()) for cell in storm.study.cells))
    every.sort(key=lambda levels: dict(levels) != storm.levels)
    return tuple(grid for levels in every for grid in _grids_of(storm, dict(levels)))


def _grids_of(storm: Storm, levels: dict[str, str]) -> tuple[Grid, ...]:
    cells = [cell for cell in storm.study.cells if cell.levels == levels]
    whose = "".join(f" ({path}: {level})" for path, level in levels.items())
    load, delays = [], []
    for stage in dict.fromkeys(place.stage for cell in cells for place in places(cell)):
        for cell in cells:
            here = [place for place in places(cell) if place.stage == stage]
            place = max(here, key=lambda place: found.value if (found := storm.at(cell, place, "alerts_per_s_peak")) else 0)
            kept = ("alerts_per_s_mean", "alerts_per_s_peak", "alerts_per_60s_peak", "alerts_per_900s_peak", "peak_to_mean_ratio")
            load.append((place.name, cell.called, *(interval(storm.at(cell, place, metric)) for metric in kept)))
            waits = percent(storm.at(cell, place, "waiting_share")), interval(storm.at(cell, place, "peak_waiting_n"))
            of_stage = [storm.study.estimate(cell, f"{stage}_{metric}") for metric in ("delay_s_p99", "refused_share")]
            delays.append((place.name, cell.called, *waits, interval(of_stage[0]), percent(of_stage[1])))
    loud = [cell for cell in cells if storm.study.comparator_of(cell) is not None]
    classes = sorted({target for cell in loud for target in collateral.others(storm.study, storm.silent(cell)).values()})
    options = [_harm(storm, cell, classes) for cell in loud]
    note = "Alerts: version reports and the existing alerts. A CSP row is the region with the highest peak."
    heads = ("stage", "option", "mean/s", "peak in 1 s", "peak in 60 s", "peak in 900 s", "peak ÷ mean")
    waiting = ("stage", "option", "time waiting", "longest queue", "p99 delay, s", "refused")
    spans = (f"of target {format_duration(target)}" for target in classes)
    harm = ("option", "added to the load", "other messages made late a day", *spans, "of kinds", "reports late a day")
    later = "Made late: more than without reports, as a paired difference. Late: beyond the target of the kind, refused, or still waiting past it."
    apart = levels != storm.levels
    return (
        Grid(f"T1a. Alerts that arrive{whose}", heads, tuple(load), note, page_only=apart),
        Grid(f"T1b. What they meet{whose}", waiting, tuple(delays), "Delay and refusals: of all kinds, at all servers of the stage.", page_only=apart),
        Grid(f"T1c. What reporting adds and pushes aside{whose}", harm, tuple(options), later, page_only=apart),
        *_cells_grid(storm, cells, whose),
    )


def _cells_grid(storm: Storm, cells: list[Cell], whose: str) -> tuple[Grid, ...]:
    """Return T1d, what single WAN cells meet, where they are a stage."""
    wanted = ("busiest_cell_messages_per_s_peak", "busiest_cell_peak_waiting_n"), ("all_cells_over_capacity_share", "all_cells_waiting_share")
    rows = []
    for cell in cells:
        for region, peak in storm.study.groups(cell, wanted[0][0]).items():
            every = (place for place in places(cell) if (place.stage, place.group) == ("cell", region))
            passes_on = next((place.passes_on for place in every), "all")
            longest, *shares = (storm.study.estimate(cell, metric, region) for metric in (wanted[0][1], *wanted[1]))
            rows.append((region, cell.called, number(cell.n_cells[region]), passes_on, interval(peak), interval(longest), *map(percent, shares)))
    heads = ("region", "option", "cells", "passes on", "busiest second of a cell", "longest queue of a cell", "time over capacity", "time waiting")
    note = "Times: of all cells together. T1a and T1b take a region's cells as one."
    return (Grid(f"T1d. Single WAN cells{whose}", heads, tuple(rows), note, page_only=True),) if rows else ()


def _harm(storm: Storm, cell: Cell, classes: list[int]) -> tuple[str, ...]:
    kinds = listed([kind for kind, _, _ in storm.late_kinds(cell)]) or "none"
    by_class = collateral.late_classes(storm.study, cell, storm.silent(cell))
    own = storm.study.estimate(cell, "late_per_day", collateral.REPORT)
    more = (interval(by_class.get(target)) for target in classes)
    return cell.called, percent(storm.study.estimate(cell, "baseline_uplift_share")), interval(storm.late(cell)), *more, kinds, interval(own)


def _picture(storm: Storm) -> Picture:
    place, peak = storm.peak(storm.worst)
    title = f"{capitalised(plain(storm.worst))} brings {place} {_share(peak, place)} what it passes on in a second"
    if storm.is_calm(storm.calmest):
        calm_place, calm = storm.peak(storm.calmest)
        title += f"; {plain(storm.calmest)}, at most {_share(calm, calm_place)} it"
    read = f"Each row is a way of choosing the moment, {READ}"
    alt = f"Heat-map of load by time of day for {listed([cell.called for cell in storm.cells])} at the CSP regions and the DSP. {title}."
    return Picture("f1_load_by_time_of_day", title, read, alt, partial(_draw, storm))


def _draw(storm: Storm) -> Figure:
    from sim.report.heat import load_by_time_of_day

    silent = storm.study.comparator_of(storm.worst)
    return load_by_time_of_day(storm.study, [cell for cell in (silent, *storm.cells) if cell is not None])
