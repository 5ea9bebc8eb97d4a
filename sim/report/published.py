"""Figures that were published of the estate and month of a scenario, beside those of the run."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sim.metrics import Estimate
from sim.metrics.estimates import estimate
from sim.metrics.intervals import Kind
from sim.metrics.metric import ABOVE_NOUGHT
from sim.report.grids import Grid
from sim.report.study import Cell, Study, base_leaves
from sim.report.words import interval, listed, number
from sim.scenario.compose import shipped_folder
from sim.scenario.scale import scale_of

_MESSAGES: Final = ("on_demand", "future_dated", "scheduled_read")
_ALL: Final = (*_MESSAGES, "device_alert", "dcc_alert")
_DEVICES: Final = ("hubs", "gpf", "esme", "gsme", "ppmid", "ihd", "hcalcs")


@dataclass(frozen=True, slots=True)
class Figure:
    """A *value* published under the name *figure*, in *unit*; *tolerance* is the share of it that
    its rounding and age leave open, *source* who said it.
    """

    figure: str
    value: float
    unit: str
    tolerance: float
    source: str

    def agrees(self, found: Estimate) -> bool:
        """Whether what was *found* lies within the tolerance."""
        return abs(found.value - self.value) <= self.tolerance * self.value


@cache
def figures(scenario: str) -> tuple[Figure, ...]:
    """Return what was published of the shipped *scenario*: its rows of `scenarios/published.csv`.
    """
    with (shipped_folder() / "published.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["scenario"] == scenario]
    return tuple(
        Figure(
            row["figure"], float(row["value"]), row["unit"], float(row["tolerance"]), row["source"]
        )
        for row in rows
    )


def _arrived(*kinds: str) -> Callable[[Mapping[str, Any]], float]:
    def n(tables: Mapping[str, Any]) -> float:
        table = tables["arrivals"]
        own = table[(table["stage"] == "dsp") & table["kind"].isin(kinds)]
        return float(own["n"].sum())

    return n


def _a_premises(*what: str) -> Callable[[Mapping[str, Any]], float]:
    def n(tables: Mapping[str, Any]) -> float:
        counts = tables["population"].groupby("what")["n"].sum()
        return float(sum(counts[name] for name in what) / counts["premises"])

    return n


# What each figure counts in the tables of a replication; a rate is divided by the seconds measured.
_COUNTED: Final = {
    "messages": _arrived(*_MESSAGES), "device alerts": _arrived("device_alert"),
    "DCC alerts": _arrived("dcc_alert"), "all traffic": _arrived(*_ALL),
    "devices a premises": _a_premises(*_DEVICES), "meters a premises": _a_premises("meters"),
}  # fmt: skip


def measured(study: Study, cell: Cell, figure: Figure) -> Estimate:
    """Return what the run of *cell* has where *figure* was published."""
    arrivals, population = (study.tables(name, cell) for name in ("arrivals", "population"))
    values = [
        _COUNTED[figure.figure]({"arrivals": arrivals[r], "population": population[r]})
        for r in sorted(arrivals)
    ]
    if figure.unit:  # a count, of the part of the estate that was simulated
        values = [value / float(scale_of(cell.asked)) for value in values]
    if figure.unit == "a second":
        values = [value / study.window(cell).length_s for value in values]
    return estimate(values, figure.unit, Kind.MEAN, ABOVE_NOUGHT)


def fits(study: Study) -> bool:
    """Whether *study* is of one world of which figures were published, with all its premises and
    days, or a part of them in proportion.
    """
    if len(study.cells) != 1 or not figures(study.name):
        return False
    shipped, asked = base_leaves(study.name), study.cells[0].leaves
    return all(asked[path] == shipped[path] for path in ("estate.premises", "window.length"))


def sentence(study: Study) -> str:
    """Say how many of the figures published the run has, and which not."""
    known = figures(study.name)
    off = [one for one in known if not one.agrees(measured(study, study.cells[0], one))]
    told = f"{len(known) - len(off)} of {len(known)} figures published lie within their tolerance"
    but = f"; {listed([one.figure for one in off])} do not" if off else ""
    return (
        f"Of what it was calibrated on, {told}{but}. The rates were set from these figures, so that"
        " this says that the model carries what it is given, and no more."
    )


def grid(study: Study) -> Grid:
    """Return each figure as published and as it is here."""
    rows = []
    for figure in figures(study.name):
        found = measured(study, study.cells[0], figure)
        verdict = "yes" if figure.agrees(found) else "no"
        name = f"{figure.figure} {figure.unit}".strip()
        off = f"{100 * (found.value / figure.value - 1):+.2f} %".replace("-", "−")
        rows.append(
            (
                name,
                number(figure.value),
                interval(found),
                off,
                f"{100 * figure.tolerance:g} %",
                verdict,
                figure.source,
            )
        )
    head = ("figure", "published", "here", "apart", "tolerance", "within it", "source")
    return Grid("What was published, beside this run", head, tuple(rows))
