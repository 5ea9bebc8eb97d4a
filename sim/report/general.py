"""Any other run: the metrics asked for, cell by cell, with what the comparator makes of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Final

from sim.metrics import METRICS, Estimate
from sim.metrics.wording import UNREACHED
from sim.report import sample
from sim.report.bottleneck import bottleneck, pressed_most
from sim.report.evidence import is_sample
from sim.report.findings import Findings, Picture
from sim.report.grids import Grid
from sim.report.lives import called
from sim.report.ranking import Ranking, excludes_nought, needed, of_cells, would
from sim.report.servers import READ, places
from sim.report.study import Cell, Study
from sim.report.words import capitalised, counted, interval, listed, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Sentence = Callable[[Study, Cell, Estimate], str]
_PRESSED: Final = ("load_share", "waiting_share", "waiting_at_end_n")
_MOST_ROWS: Final = 40  # of a heat-map; more would not be read
_MOST_CELLS: Final = 300  # of a table; more are for summary.csv


def shown(found: Estimate | None) -> str:
    """Return an estimate with its unit; a share of more than one, of what can be that, as a
    multiple.
    """
    if found is None:
        return "–"
    if found.unit == "share" and found.value > 1:
        return interval(found, 1, "×")
    return percent(found) if found.unit == "share" else interval(found, 1, found.unit)


def asked(study: Study) -> tuple[str, ...]:
    """Return the metrics that the run declares, or the usual ones, as far as any cell has them."""
    return tuple(
        name
        for name in study.metrics or _usual(study)
        if any(study.estimate(cell, name) for cell in study.cells)
    )


def _usual(study: Study) -> tuple[str, ...]:
    """Return what a run is asked that does not say: of the network, at the stages of its
    bottlenecks.
    """
    worst = [one for cell in study.cells if (one := bottleneck(study, cell)) is not None]
    stages = dict.fromkeys(["dsp", *(one.place.stage for one in worst)])
    pressed = [f"{stage}_{name}" for stage in stages for name in _PRESSED]
    names = list(USUAL)
    after = names.index(WAITING)
    return (*names[:after], *pressed, *names[after + 1 :])


def findings(study: Study) -> Findings:
    """Return what the report says of *study*."""
    metrics = asked(study)
    doubts = [
        "The assumptions of grade D below have no public evidence; change them with --set and run"
        " again."
    ]
    part = (
        "This is a sample of the estate: shares and ages of records scale with it, peaks and queues"
        " do not."
    )
    doubts = [*(sample.doubt(study, part) if is_sample(study) else ()), *doubts]
    return Findings(
        answer=_answer(study, metrics),
        points=_points(study, metrics),
        grids=_grids(study, metrics),
        pictures=_pictures(study, metrics),
        doubts=tuple(doubts),
        metrics=metrics,
    )


def main(study: Study, metrics: tuple[str, ...]) -> str:
    """Return the metric the answer turns on: the primary one, or the first."""
    primary = study.manifest["primary"]
    return str(primary) if primary in metrics else metrics[0]


def words(name: str) -> str:
    """Return a metric's name as words."""
    return name.replace("_", " ")


def _answer(study: Study, metrics: tuple[str, ...]) -> str:
    if not metrics:
        return "The metrics asked for apply to none of the cells."
    if len(study.cells) == 1:
        still = _RECORDS if _is_still(study, study.cells[0]) else ()
        parts = [_told(study, study.cells[0], name) for name in metrics if name not in still]
        return f"{capitalised('; '.join(part for part in parts if part))}."
    name = main(study, metrics)
    ranking = of_cells(study, study.cells, name)
    return f"{_ends(ranking, words(name))} {_against(study, name)}".strip()


def _is_still(study: Study, cell: Cell) -> bool:
    """Whether nobody reports in *cell* and no version changes: of records there is nothing to say.
    """
    changes = study.estimate(cell, "changes_per_device_year")
    return cell.scenario.reporting.traits.is_silent and (changes is None or not changes.value)


def _ends(ranking: Ranking[Cell], what: str) -> str:
    """Say where a metric is lowest and where highest, as far as the run can tell."""
    low, high = ranking.lowest, ranking.highest
    cells = counted(len(ranking.entries), "cell")
    if ranking.alike:
        each = "" if len(ranking.entries) == 1 else ", the same in each"
        return f"Of {cells}, {what} is {shown(low.estimate)}{each}."
    if not ranking.ends_told():
        least, most = shown(low.estimate), shown(high.estimate)
        return (
            f"This run cannot tell where {what} is lowest or highest: of {cells}, from {least} in"
            f" {called(low.what)} to {most} in {called(high.what)}{_what_would(ranking)}."
        )
    ends = [
        f"{end} in {called(entry.what)} ({shown(entry.estimate)}){ranking.doubt(entry, called)}"
        for end, entry in (("lowest", low), ("highest", high))
    ]  # fmt: skip
    return f"Of {cells}, {what} is {ends[0]}, and {ends[1]}."


def _what_would(ranking: Ranking[Cell]) -> str:
    """Return how many replications would tell the two ends apart."""
    apart = ranking.apart(ranking.lowest, ranking.highest)
    if apart is None or apart.n == 1:
        return " (one replication has no interval)"
    return would([needed(apart)], " tell these two apart")


def _told(study: Study, cell: Cell, name: str) -> str:
    """Return one estimate as part of a sentence; "" where it is told by that of another."""
    found = study.estimate(cell, name)
    if found is not None and name in USUAL:
        return USUAL[name](study, cell, found)
    return f"{words(name)} is {shown(found)}" if study.metrics else ""


def _as(template: str, unit: str = "") -> Sentence:
    """Return what says an estimate as *template*, in its *unit* where the template has none."""

    def say(study: Study, cell: Cell, found: Estimate) -> str:
        text = percent(found) if found.unit == "share" else interval(found, 1, unit)
        return template.format(text)

    return say


def _pressed(study: Study, cell: Cell, found: Estimate) -> str:
    """Say where the network is pressed most, whatever stage that is."""
    return pressed_most(study, cell)


def _delay(study: Study, cell: Cell, found: Estimate) -> str:
    """Say how soon messages arrive; where 99 % of them never do, how many do at all."""
    if isfinite(found.value):
        return f"99 % of all messages are there within {interval(found, 1, 's')}"
    arrived = percent(study.estimate(cell, "end_to_end_passed_share"))
    where = found.caution.removeprefix(UNREACHED)
    return (
        f"{arrived} of all messages have arrived when the window ends, and there is no time within"
        f" which 99 % do{where}"
    )


WAITING: Final = "dsp_waiting_share"
_RECORDS: Final = (
    *("record_right_share", "record_unknown_share", "record_wrong_share", "staleness_days_mean"),
    "messages_per_device_year",
)
# What a run is asked when it does not say (load, delay and harm; records; cost), and how it is
# said.
USUAL: Final[dict[str, Sentence]] = {
    "dsp_messages_per_s_mean": _as("{} messages a second reach the DSP on average"),
    "dsp_alerts_per_s_mean": _as("{} of them alerts"),
    "dsp_alerts_per_s_peak": _as("the busiest second has {} alerts"),
    WAITING: _pressed,
    "end_to_end_delay_s_p99": _delay,
    "late_per_day": _as("{} messages a day miss their target"),
    "record_right_share": _as("the inventory has a right record {} of all device time"),
    "record_unknown_share": _as("it has none {} of the time"),
    "record_wrong_share": _as("a record is wrong for {}"),
    "staleness_days_mean": _as("on average a record is stale by {}", "d"),
    "messages_per_device_year": _as("reporting takes {} messages per device-year"),
    "bytes_per_day_wan": _as("{} bytes a day cross the SM WAN"),
}


def _comparator(study: Study) -> str:
    """Return what the comparator of the run is called."""
    name = str(study.manifest["comparator"])
    return next((called(cell) for cell in study.cells if cell.name == name), name.replace("_", " "))


def _against(study: Study, name: str) -> str:
    pairs = [(cell, study.difference(cell, name)) for cell in study.cells]
    settled = [
        called(cell) for cell, found in pairs if found is not None and excludes_nought(found)
    ]
    compared = [cell for cell, found in pairs if found is not None]
    if not compared:
        return ""
    told = (
        f"The 95 % interval of the paired difference from {_comparator(study)} excludes nought for"
    )
    if len(settled) > _MOST_ROWS:
        return f"{told} {len(settled):,} of {counted(len(compared), 'cell')}."
    return (
        f"{told} {listed(settled)}."
        if settled
        else f"{told} none of {counted(len(compared), 'cell')}."
    )


def _points(study: Study, metrics: tuple[str, ...]) -> tuple[str, ...]:
    if not metrics or len(study.cells) == 1 or len(study.cells) > _MOST_ROWS:
        return ()
    name = main(study, metrics)
    found = [(cell, study.difference(cell, name)) for cell in study.cells]
    return tuple(
        f"{words(name)}, {called(cell)} less its comparator: {shown(difference)}, paired."
        for cell, difference in found
        if difference is not None
    )


def _grids(study: Study, metrics: tuple[str, ...]) -> tuple[Grid, ...]:
    if len(study.cells) == 1:
        rows = []
        for name in metrics:
            groups = study.groups(study.cells[0], name)
            rows.append((name, "all", shown(study.estimate(study.cells[0], name))))
            rows += [(name, group, shown(found)) for group, found in groups.items()]
        return (Grid("T1. What was measured", ("metric", "group", "value"), tuple(rows)),)
    units = {name: "" if METRICS[name].unit == "share" else METRICS[name].unit for name in metrics}
    heads = tuple(f"{words(name)}, {unit}".rstrip(", ") for name, unit in units.items())
    told = {name: percent if METRICS[name].unit == "share" else interval for name in metrics}
    cells = [
        (cell.name, *(told[name](study.estimate(cell, name)) for name in metrics))
        for cell in study.cells[:_MOST_CELLS]
    ]
    note = "Of every group together; the others are in summary.csv."
    if len(study.cells) > _MOST_CELLS:
        note += f" The first {_MOST_CELLS} of {len(study.cells):,} cells; all are in summary.csv."
    return (Grid("T1. What was measured, by cell", ("cell", *heads), tuple(cells), note),)


def _pictures(study: Study, metrics: tuple[str, ...]) -> tuple[Picture, ...]:
    pictures = []
    if metrics and len(study.cells) > 1:
        name = main(study, metrics)
        title = f"{words(name)}, by cell"
        read = "Dot: the mean over replications; bar: its 95 % interval."
        pictures.append(
            Picture(
                "f1_by_cell",
                capitalised(title),
                read,
                _answer(study, metrics),
                partial(_draw_cells, study, name),
            )
        )
    loads = {cell.name: study.estimate(cell, "dsp_messages_per_s_mean") for cell in study.cells}
    busy = [
        cell
        for cell in study.cells
        if places(cell) and (load := loads[cell.name]) is not None and load.value > 0
    ]
    if busy and len(busy) * len(places(busy[0])) <= _MOST_ROWS:
        title = "Load over the day, as a multiple of what each server passes on"
        pictures.append(
            Picture(
                "f2_load_by_time_of_day",
                title,
                f"Each row is a cell, {READ}",
                title,
                partial(_draw_load, study, busy),
            )
        )
    return tuple(pictures)


def _draw_cells(study: Study, name: str) -> Figure:
    from sim.report.dots import by_cell

    return by_cell(study, name)


def _draw_load(study: Study, cells: list[Cell]) -> Figure:
    from sim.report.heat import load_by_time_of_day

    return load_by_time_of_day(study, cells)
