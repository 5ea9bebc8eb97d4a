"""What a run says on the terminal: the question, the answer in a paragraph, what else to know, and
the tables.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from os import PathLike
from typing import Final

from sim.metrics.results import Results
from sim.report import (
    ages,
    cheapest,
    endings,
    firmware,
    flips,
    general,
    halves,
    inert,
    mitigations,
    published,
    recovery,
    sample,
    storm,
)
from sim.report.evidence import doubtful, footing
from sim.report.findings import Findings
from sim.report.grids import Grid, condensed, wrapped
from sim.report.study import Study
from sim.report.words import once

_INTERVAL: Final = re.compile(r" ± |\(\S+ to \S+")


def findings(run: str | PathLike[str] | Results | Study) -> Findings:
    """Return what there is to say of a *run*: as H1 to H5, H8 or H9, of firmware otherwise, or in
    general, by what it asks, compares and measures.

    Raises `StoreError` when there is no run, or it is not as it was written.
    """
    return _of(run if isinstance(run, Study) else Study(run))


@lru_cache(maxsize=1)  # the page and the terminal say the same of a run, one after the other
def _of(study: Study) -> Findings:
    if not study.cells:
        return Findings("Nothing was finished, so there is nothing to say.", (), (), (), (), ())
    found = _of_any(study)
    if flips.fits(study):
        found = flips.findings(study, found)
    foot = doubtful(study)
    old = ages.fits(study)
    known = published.fits(study)
    grids = (
        *([published.grid(study)] if known else []), *found.grids,
        *(ages.grid(study) if old else ()),
    )  # fmt: skip
    carried = published.sentence(study) if known else ""
    said = once(" ".join(filter(None, (sample.preface(study), carried, found.answer))))
    more = [*endings.points(study), *inert.points(study), *sample.points(study)]
    notes = [f"Note: {note}" for note in study.manifest.get("notes", ())]  # older runs have none
    points = (
        *found.points,
        *([ages.sentence(study)] if old else []),
        *more,
        *halves.points(study),
        *notes,
    )
    return replace(
        found,
        answer=said,
        points=tuple(map(once, points)),
        grids=tuple(_footed(grid, foot) for grid in grids),
    )


def _footed(grid: Grid, foot: str) -> Grid:
    """Return *grid* with its *foot* where it holds an interval."""
    grid = condensed(grid)
    if not any(_INTERVAL.search(text) for row in grid.rows for text in row):
        return grid
    return replace(grid, note=" ".join(filter(None, (grid.note, foot))))


def _of_any(study: Study) -> Findings:
    if mitigations.fits(study):
        return mitigations.findings(study)
    if recovery.fits(study):
        return recovery.findings(study)
    if firmware.fits(study):
        return firmware.findings(study)
    if storm.fits(study):
        return storm.findings(study)
    return cheapest.findings(study) if cheapest.fits(study) else general.findings(study)


def answer(run: str | PathLike[str] | Results | Study) -> str:
    """Return as plain text what a *run* answers. Raises `StoreError` when there is no run, or it is
    not as it was written.
    """
    study = run if isinstance(run, Study) else Study(run)
    found = findings(study)
    said = [wrapped(found.answer), *(wrapped(f"- {point}", "  ") for point in found.points)]
    parts = [wrapped(study.question if study.question != "none" else study.name)] + (
        [] if found.last else said
    )
    parts += [grid.text() for grid in found.grids if not grid.page_only]
    parts += [wrapped(footing(study))] if study.cells else []
    parts += [wrapped(f"Warning: {warning}", "  ") for warning in study.manifest["warnings"]]
    return "\n\n".join(parts + (said if found.last else []))
