"""MP105: devices left Suspended because an answer was lost, and what the repair makes of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from sim.metrics import Estimate
from sim.report.findings import Findings, Picture
from sim.report.floor import share
from sim.report.grids import Grid
from sim.report.lives import (
    at_levels,
    by_levels,
    called,
    course,
    living,
    option,
    told_levels,
    with_records,
)
from sim.report.ranking import negative, untold
from sim.report.study import Cell, Study
from sim.report.words import interval, listed, percent, rounded
from sim.scenario.scale import scale_of
from sim.units import DAY_S, format_share

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRICS: Final = (
    "suspended_devices_end",
    "suspended_device_days",
    "suspended_device_share",
    "record_wrong_share",
    "job_end_share",
    "job_recorded_share",
)
_MOST: Final = 6


def fits(study: Study) -> bool:
    """Whether any device was ever Suspended."""
    return any(
        (days := study.estimate(cell, "suspended_device_days")) is not None and days.value
        for cell in study.cells
    )


def findings(study: Study) -> Findings:
    """Return what the report says of *study*."""
    return Findings(
        answer=_answer(study),
        points=tuple(filter(None, (_nation(study), _records(study), _start(study)))),
        grids=(_grid(study),),
        pictures=_pictures(study),
        doubts=_DOUBTS,
        metrics=METRICS,
    )


_DOUBTS: Final = (
    (
        "How many answers are lost is an assumption (grade D), and what is left Suspended is"
        " proportional to it; whether the state grows for ever is not."
    ),
    (
        "A supplier is taken to look again after a fixed patience. Who never looks leaves devices"
        " Suspended with the repair as without."
    ),
)


def _focus(study: Study) -> list[Cell]:
    """Return the cells that the answer is of: of the levels tried, the middle ones."""
    groups = by_levels(study)
    return groups[len(groups) // 2]


def _ends(study: Study) -> list[tuple[Cell, Estimate]]:
    found = [
        (cell, n)
        for cell in _focus(study)
        if (n := study.estimate(cell, "suspended_devices_end")) is not None
    ]
    days = {cell.name: study.estimate(cell, "suspended_device_days") for cell, _ in found}
    return sorted(
        found,
        key=lambda pair: (
            pair[1].value,
            of.value if (of := days[pair[0].name]) is not None else 0.0,
        ),
    )


def _answer(study: Study) -> str:
    found = _ends(study)
    (best, fewest), (worst, most) = found[0], found[-1]
    days = study.window(worst).days
    where, less = at_levels(_focus(study)), study.paired(best, worst, "suspended_devices_end")
    told = (
        f"Without an answer a device stays Suspended: at the end of {rounded(days, 4)} days{where},"
        f" under ‘{option(worst)}’, {_left(study, worst, most)}"
    )
    if best is worst:
        return f"{told}."
    apart = (
        "" if less is None else f", {interval(negative(less))} fewer, pair by pair{untold(less)}"
    )
    return f"{told}; under ‘{option(best)}’ {_left(study, best, fewest)}{apart}."


def _left(study: Study, cell: Cell, n: Estimate) -> str:
    return (
        f"{interval(n)} devices are ({interval(study.estimate(cell, 'suspended_device_days'))}"
        " device-days)"
    )


def _nation(study: Study) -> str:
    """Say how many are Suspended in the nation under the worst, and what multiplication gives: the
    chance that of all answers of a device one is lost.
    """
    worst, most = _ends(study)[-1]
    firmware = worst.scenario.firmware
    sent = {
        n for table in study.tables("campaigns", worst).values()
        for n in table[table["started_s"] >= 0].groupby("model").size()
    }  # fmt: skip
    scale = scale_of(worst.asked)
    told = []
    if scale != 1:
        told.append(f"In the nation that is {interval(most, float(1 / scale))} devices.")
    if firmware is None or not most.value or firmware.ota.mp105 is not None or len(sent) != 1:
        return " ".join(told)
    loss, n = firmware.ota.response.loss, sent.pop()
    tables, types = study.tables("ledgers", worst).values(), living(study)
    whole = sum(
        float(
            table[(table["ledger"] == "smi") & table["device_type"].isin(types)]["n_devices"].sum()
        )
        for table in tables
    )
    here = replace(most, unit="share", condition=None)
    told.append(
        f"By multiplication of inputs, of devices that take {n} images in these years 1 − (1 −"
        f" {format_share(loss)})^{n} = {share(1 - (1 - loss) ** n)} have lost an answer; of all"
        " meters, also those that no image reaches, the run has"
        f" {interval(here, 100 * len(tables) / whole, '%')}."
    )
    return " ".join(told)


def _records(study: Study) -> str:
    found = [
        f"{option(cell)} {percent(share)}"
        for cell in _focus(study)
        if (share := study.estimate(cell, "record_wrong_share")) is not None
    ]
    return f"What it means for the inventory, in records wrong: {listed(found)}." if found else ""


def _repair(cell: Cell) -> float | None:
    """Return the day from which *cell* has the repair; None where it never has."""
    block = cell.scenario.firmware.ota.mp105 if cell.scenario.firmware else None
    return (
        None
        if block is None
        or block.start >= cell.scenario.window.warm_up + cell.scenario.window.length
        else block.start / DAY_S
    )


def _start(study: Study) -> str:
    told = [
        f"{option(cell)} on day {rounded(start, 4)}"
        for cell in _focus(study)
        if (start := _repair(cell)) is not None
    ]
    return (
        f"The repair (reading the version of a Suspended device, 11.2) begins: {listed(told)}."
        if told
        else ""
    )


def _grid(study: Study) -> Grid:
    names = [
        name
        for name in with_records(study)
        if any(
            (n := study.estimate(cell, "suspended_device_days", name)) and n.value
            for cell in study.cells
        )
    ]
    rows = []
    for cell in study.cells:
        start = _repair(cell)
        ended = study.groups(cell, "job_end_share")
        rows.append(
            (
                called(cell),
                "never" if start is None else f"day {rounded(start, 4)}",
                interval(study.estimate(cell, "suspended_devices_end")),
                *(interval(study.estimate(cell, "suspended_devices_end", name)) for name in names),
                interval(study.estimate(cell, "suspended_device_days")),
                percent(ended.get("repaired")),
                percent(study.estimate(cell, "record_wrong_share")),
            )
        )
    head = (
        "world",
        "repair from",
        "Suspended at the end",
        *(f"of them {name.upper()}" for name in names),
        "device-days Suspended",
        "jobs repaired",
        "records wrong",
    )
    note = (
        "Suspended: the answer to an activation was lost; the inventory keeps the old version."
        " Repaired: jobs that ended by a later read."
    )
    return Grid("TS. Suspended devices, with and without the repair", head, tuple(rows), note)


def _pictures(study: Study) -> tuple[Picture, ...]:
    if not len(course(study, study.cells[0], "smi", with_records(study)).days):
        return ()
    found = _ends(study)
    title = (
        f"At the end{at_levels(_focus(study))} {interval(found[-1][1])} devices are Suspended under"
        f" ‘{option(found[-1][0])}’"
    )
    if len(found) > 1:
        title += f", {interval(found[0][1])} under ‘{option(found[0][0])}’"
    read = (
        "Devices Suspended at the end of each step after warm-up. Lines: means over replications;"
        " bands hold every replication."
    )
    return (
        Picture(
            "fs_suspended",
            title,
            read,
            f"Suspended devices over time. {title}.",
            partial(_draw, study),
        ),
    )


def _draw(study: Study) -> Figure:
    from sim.report.courses import Line, Panel, panels

    shown = []
    for cells in by_levels(study)[:_MOST]:
        courses = [course(study, cell, "smi", with_records(study)) for cell in cells[:_MOST]]
        lines = [
            Line(option(cell), own.suspended, number)
            for number, (cell, own) in enumerate(zip(cells, courses, strict=False))
        ]
        shown.append(
            Panel(
                told_levels(cells[0]) if len(study.cells) > len(cells) else "",
                courses[0].days,
                lines,
            )
        )
    return panels(shown, "% Suspended", 1 if len(shown) == 1 else 2)
