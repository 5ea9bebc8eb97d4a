"""Firmware worlds: which of their questions a run asks, and the tables that any of them has."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Final

from sim.report import (
    cheapest,
    endings,
    forwarding,
    funnel,
    general,
    policies,
    rollouts,
    sample,
    screening,
    storm,
    suspended,
)
from sim.report.evidence import is_sample
from sim.report.findings import Findings
from sim.report.lives import varied
from sim.report.study import Study

SAMPLE: Final = (
    "This is a sample of the estate: shares and ages scale with it, counts are those of the sample,"
    " and peaks do not scale at all."
)
# By what the question says, and else by which leaves tell the worlds apart; the first that fits.
_ASKED: Final = {
    "(H1)": storm,
    "(H2)": cheapest,
    "(H3)": policies,
    "(H4)": screening,
    "(H5)": forwarding,
    "(H13)": rollouts,
}
_VARIED: Final = {
    "firmware.screening.": screening,
    "firmware.ota.mp105": suspended,
    "firmware.campaign.": rollouts,
    "firmware.ota.exchange": forwarding,
    "updates.": policies,
    "reporting.": forwarding,
}


def fits(study: Study) -> bool:
    """Whether every cell of *study* is a firmware world."""
    return all(cell.scenario.firmware is not None for cell in study.cells)


def findings(study: Study) -> Findings:
    """Return what the report says of *study*: the section it asks for, with how images fared over
    the air.
    """
    section = _section(study)
    found = general.findings(study) if section is None else section.findings(study)
    if section is None:
        return replace(found, grids=(*found.grids, *funnel.grids(study)))
    if len(study.cells) == 1:
        found = replace(
            found, answer=f"{endings.told(study, study.cells[0])} {found.answer}".strip()
        )
    doubts = (*(sample.doubt(study, SAMPLE) if is_sample(study) else ()), *found.doubts)
    metrics = tuple(dict.fromkeys([*found.metrics, *funnel.METRICS, *study.metrics]))
    return replace(
        found, grids=(*found.grids, *funnel.grids(study)), doubts=doubts, metrics=metrics
    )


def _section(study: Study) -> ModuleType | None:
    """Return the module that answers *study*; None where it is a metric like any other that is
    asked for.
    """
    asked = [section for tag, section in _ASKED.items() if tag in study.question]
    paths = varied(study)
    asked += [
        section
        for start, section in _VARIED.items()
        if any(path.startswith(start) for path in paths)
    ]
    asked += [policies] if len(study.cells) == 1 else []
    return next((section for section in asked if section.fits(study)), None)
