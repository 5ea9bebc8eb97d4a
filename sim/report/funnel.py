"""Over the air, in tables: what became of each job, how far attempts came, and how long each step
took; of any firmware world that sends images.
"""

from __future__ import annotations

from typing import Final

from sim.metrics.firmware_air import STEPS
from sim.report.grids import Grid
from sim.report.lives import called
from sim.report.study import Cell, Study
from sim.report.words import interval, lasting, percent

METRICS: Final = (
    "job_end_share",
    "attempt_step_share",
    "goodput_share",
    "attempts_per_job_mean",
    "ota_step_s_p50",
    "ota_step_s_p95",
    "ota_step_s_p99",
)
STAGES: Final = ("distribution", "han", "activation", "response", "whole")
_SAID: Final = {
    "distribution": "DSP to hub",
    "han": "hub to device",
    "activation": "held to running",
    "response": "running to answer",
    "whole": "DSP to record",
}
_QUANTILES: Final = ("p50", "p95", "p99")
_MOST: Final = 40  # cells in a table
_ACROSS: Final = 6  # cells that stand side by side
_SHORT: Final = 8  # cells beyond which a terminal leaves the tables to the page


def grids(study: Study) -> tuple[Grid, ...]:
    """Return the tables of *study*: none where no image was sent."""
    cells = [cell for cell in study.cells if study.groups(cell, "attempt_step_share")][:_MOST]
    return (_jobs(study, cells), _attempts(study, cells), _times(study, cells)) if cells else ()


def _jobs(study: Study, cells: list[Cell]) -> Grid:
    ends = {cell.name: study.groups(cell, "job_end_share") for cell in cells}
    names = list(
        dict.fromkeys(end for own in ends.values() for end, share in own.items() if share.value)
    )
    names.sort(key=lambda end: -max(own[end].value for own in ends.values() if end in own))
    note = (
        "A job is a version offered to a device; each ends in exactly one way, so the shares add up"
        " to 100 %. Open: not ended when the window did."
    )
    title = "A1. What became of each job over the air"
    if len(cells) > _ACROSS:
        rows = tuple(
            (called(cell), *(percent(ends[cell.name].get(end)) for end in names)) for cell in cells
        )
        return Grid(
            title, ("world", *(end.replace("_", " ") for end in names)), rows, note, page_only=True
        )
    rows = tuple(
        (end.replace("_", " "), *(percent(ends[cell.name].get(end)) for cell in cells))
        for end in names
    )
    return Grid(title, ("end", *(called(cell) for cell in cells)), rows, note, page_only=True)


def _attempts(study: Study, cells: list[Cell]) -> Grid:
    rows = []
    for cell in cells:
        shares = study.groups(cell, "attempt_step_share")
        rows.append(
            (
                called(cell),
                *(percent(shares.get(step)) for step in STEPS[1:]),
                percent(study.estimate(cell, "goodput_share")),
                interval(study.estimate(cell, "attempts_per_job_mean")),
            )
        )
    head = ("world", *STEPS[1:], "goodput", "attempts a job")
    note = (
        "Of the attempts that the DSP checked: accepted by it, taken by the hub, held by the"
        " device, running, answered, recorded. Goodput: images recorded ÷ images sent."
    )
    return Grid(
        "A2. How far attempts over the air come",
        head,
        tuple(rows),
        note,
        page_only=len(cells) > _SHORT,
    )


def _times(study: Study, cells: list[Cell]) -> Grid:
    rows = []
    for cell in cells:
        for stage in STAGES:
            found = [study.estimate(cell, f"ota_step_s_{name}", stage) for name in _QUANTILES]
            if all(value is not None for value in found):
                rows.append((called(cell), _SAID[stage], *map(lasting, found)))
    head = ("world", "step", *_QUANTILES)
    note = (
        "Times that 50, 95 and 99 % of the attempts do not exceed; means over replications,"
        " intervals in summary.csv (ota_step_s). Read from bands of half an octave, linearly within"
        " a band: true to a factor of 1.41."
    )
    return Grid("A3. How long each step takes", head, tuple(rows), note, page_only=len(cells) > 1)
