"""The space of assumptions that an experiment went through: its axes, its points, and a metric at
each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.metrics.sensitivity import Sample
from sim.report.study import Cell, Study
from sim.report.words import capitalised, rounded
from sim.units import DURATIONS, RATES, SIZES

Numbers = NDArray[np.float64]
_UNITS: Final[dict[str, float]] = {
    **{unit: float(worth) for unit, worth in DURATIONS.items()},
    **{unit: 1 / length for unit, length in RATES.items()},
    **{unit: float(worth) for unit, worth in SIZES.items()},
    "%": 0.01,
    "": 1.0,
}
_QUANTITY: Final = re.compile(
    r"(?P<number>[-+]?[0-9][0-9_.]*(?:e[-+]?[0-9]+)?) ?(?P<unit>\S*)", re.ASCII
)
# What assumptions are called in a sentence; another is called by its path.
CALLED: Final = {
    "updates.local.rate": "the rate of version changes",
    "updates.local.take_up": "the share of displays that update locally",
    "updates.local.delay": "the delay of an installation",
    "reporting.loss": "the share of reports lost",
    "reporting.han_loss": "the share of HAN writes lost",
    "reporting.read.rate": "the rate of reads",
    "reporting.period": "the reporting period",
    "reporting.heartbeat": "the heartbeat",
    "reporting.phase.window": "the window of reports",
    "reporting.phase.jitter": "the jitter of reports",
    "reporting.phase.source": "the phase source",
    "traffic.level": "the level of other traffic",
    "estate.premises": "the number of premises",
    "estate.no_wan_share": "the share of premises without WAN",
    "estate.devices.ppmid": "the number of PPMIDs per premises",
    "estate.devices.ihd": "the number of IHDs per premises",
    "estate.not_communicating_share": "the share of premises that do not communicate",
}


def quantity(text: str, unit: str) -> float | None:
    """Return the number that *text* is in *unit*; None where it is no quantity of that kind."""
    match = _QUANTITY.fullmatch(text)
    if match is None or match["unit"] not in _UNITS:
        return None
    worth = _UNITS[match["unit"]] / _UNITS[unit]
    number = float(match["number"].replace("_", ""))
    return number if match["unit"] == unit else float(f"{number * worth:.12g}")


@dataclass(frozen=True, slots=True)
class Axis:
    """One assumption that was varied: the *path* it is known by, the leaf its value stands in, its
    *unit*, its ends, and its *levels* where those are words.
    """

    path: str
    leaf: str
    unit: str
    low: float
    high: float
    levels: tuple[str, ...]

    @property
    def called(self) -> str:
        """What it is called in a sentence."""
        return CALLED.get(self.leaf, CALLED.get(self.path, self.path))

    @property
    def reach(self) -> str:
        """Its range, or its levels."""
        return ", ".join(self.levels) or f"{self.shown(self.low)} to {self.shown(self.high)}"

    def at(self, value: float) -> str:
        """Return the place *value* on it: a level, or a quantity."""
        return self.levels[round(value)] if self.levels else self.shown(value)

    def shown(self, value: float) -> str:
        """Return *value* with its unit; durations in the largest of which the low end, or else the
        high end, is one or more.
        """
        if self.unit not in DURATIONS:
            return f"{rounded(value, 3)} {self.unit}".strip()
        seconds = (self.low or self.high) * _UNITS[self.unit]
        unit = next((unit for unit in ("d", "h", "min") if seconds >= _UNITS[unit]), "s")
        return f"{rounded(value * _UNITS[self.unit] / _UNITS[unit], 3)} {unit}"


def _axis(factor: dict[str, Any]) -> Axis:
    """Return the axis of a *factor* of the manifest: of numbers where all levels are quantities of
    one kind, of words otherwise.
    """
    path = factor["path"]
    leaf = factor["paths"][0]
    unit = factor["unit"]
    if factor["kind"] != "levels":
        return Axis(path, leaf, unit, factor["low"], factor["high"], ())
    levels = factor["levels"]
    first = _QUANTITY.fullmatch(levels[0])
    unit = first["unit"] if first is not None and first["unit"] in _UNITS else ""
    numbers = [quantity(level, unit) for level in levels]
    known = [number for number in numbers if number is not None]
    if len(known) == len(levels) and len(factor["paths"]) == 1 and len(known) > 1:
        return Axis(path, leaf, unit, min(known), max(known), ())
    return Axis(path, leaf, "", 0.0, float(len(levels) - 1), tuple(levels))


class Space:
    """The points of a run's design, on axes, with what was measured there. Points at which a cell
    has no result are left out.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.design: dict[str, Any] = study.manifest.get("design") or {
            "kind": "",
            "factors": [],
            "analysis": None,
        }
        self.axes = tuple(_axis(factor) for factor in self.design["factors"])
        self.options = tuple(dict.fromkeys(cell.option for cell in study.cells))

    @cached_property
    def _cells(self) -> dict[tuple[int, str], Cell]:
        entries = {entry["name"]: entry for entry in self.study.manifest["cells"]}
        return {
            (point, cell.option): cell
            for cell in self.study.cells
            for point in entries[cell.name].get("points", [0])
        }

    @cached_property
    def points(self) -> tuple[int, ...]:
        """The numbers of the points at which every option has a result."""
        every = sorted({point for point, _ in self._cells})
        return tuple(
            point
            for point in every
            if all((point, option) in self._cells for option in self.options)
        )

    @cached_property
    def x(self) -> Numbers:
        """Each point's place on each axis; the middle of the axis where an assumption does not
        apply.
        """
        return np.array(
            [[self._place(axis, point) for axis in self.axes] for point in self.points]
        ).reshape(len(self.points), len(self.axes))

    def _place(self, axis: Axis, point: int) -> float:
        for option in self.options:
            cell = self._cells[point, option]
            if axis.levels and cell.levels.get(axis.path) in axis.levels:
                return float(axis.levels.index(cell.levels[axis.path]))
            known = quantity(cell.leaves.get(axis.leaf, ""), axis.unit) if not axis.levels else None
            if known is not None and (
                cell.levels.get(axis.path) or self.design["kind"] == "one_at_a_time"
            ):
                return known
        return (axis.low + axis.high) / 2

    def y(self, metric: str, group: str) -> dict[str, Numbers]:
        """Return *metric* of a *group* at the points, (points, replications), by option: the
        replications that all cells have; nothing where one has none.
        """
        if (metric, group) not in self.study.by_metric.index:
            return {}
        table = self.study.by_metric.loc[[(metric, group)]].pivot(
            index="cell", columns="replication", values="value"
        )
        names = {
            option: [self._cells[point, option].name for point in self.points]
            for option in self.options
        }
        if any(name not in table.index for each in names.values() for name in each):
            return {}
        table = table.loc[
            list(dict.fromkeys(name for each in names.values() for name in each))
        ].dropna(axis="columns")
        if not table.shape[1] or not np.isfinite(table.to_numpy(np.float64)).all():
            return {}
        return {option: table.loc[each].to_numpy(np.float64) for option, each in names.items()}

    def never(self, metric: str) -> str:
        """Return that *metric* was not reached in some worlds, so that nothing can be told of what
        drives it; "" where it was in all.
        """
        if (metric, "all") not in self.study.by_metric.index:
            return ""
        found = self.study.by_metric.loc[[(metric, "all")]]
        worlds = found["cell"][~np.isfinite(found["value"])].nunique()
        if not worlds:
            return ""
        name = metric.replace("_", " ")
        where = f"{worlds:,} of {found['cell'].nunique():,} worlds"
        return f"{capitalised(name)} was not reached in {where}, so what drives it is not told."

    def replications(self, metric: str, group: str) -> dict[str, list[float]]:
        """Return the mean of *metric* of a *group* over each option's cells, replication by
        replication from 0, up to the first that a cell lacks.
        """
        if (metric, group) not in self.study.by_metric.index:
            return {}
        table = self.study.by_metric.loc[[(metric, group)]].pivot(
            index="cell", columns="replication", values="value"
        )
        found = {}
        for option in self.options:
            means = table.loc[
                [
                    cell.name
                    for cell in self.study.cells
                    if cell.option == option and cell.name in table.index
                ]
            ].mean(skipna=False)
            means = means.where(np.isfinite(means))
            found[option] = [
                float(value)
                for value in means[
                    : int(means.isna().to_numpy().argmax()) if means.isna().any() else len(means)
                ]
            ]
        return found

    def sample(self, y: Numbers, name: str, axes: Sequence[Axis]) -> Sample:
        """Return *y* at the points as a sample over *axes*, its resampling addressed by the run's
        plan and a *name*.
        """
        places = [self.axes.index(axis) for axis in axes]
        low, high = (np.array([getattr(axis, end) for axis in axes]) for end in ("low", "high"))
        words = tuple(bool(axis.levels) for axis in axes)
        address = f"{self.study.manifest['plan']}/{name}"
        if np.ptp(y) <= 1e-12 * np.abs(y).max():
            y = np.full_like(y, y.flat[0])  # the dust of sums is no effect
        return Sample(
            tuple(axis.path for axis in axes),
            words,
            self.x[:, places],
            low,
            high,
            y,
            self.design["kind"],
            address,
        )
