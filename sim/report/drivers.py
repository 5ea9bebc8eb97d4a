"""Which assumptions drive a metric, and by how much: the numbers of F15, in a table and in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.metrics import METRICS, Estimate
from sim.metrics.sensitivity import (
    Index,
    Sample,
    caution,
    elementary_effects,
    first_order,
    luck_share,
    sobol,
    tornado,
)
from sim.report.grids import Grid
from sim.report.space import Axis, Space
from sim.report.words import counted, interval, listed, number

SALTELLI: Final = "saltelli"
_HEADS: Final = {
    "effect": "low to high end",
    "first order": "alone, %",
    "total": "in all, %",
    "mu*": "μ*",
    "sigma": "σ",
}


@dataclass(frozen=True, slots=True)
class Drivers:
    """What drives *metric* (*what* says of which option): the *indices* of each assumption by
    method, by the path of its axis, largest effect first.

    *explained* is the share of the variance that straight lines explain, *luck* the share that is
    luck; nan where not known. *cautions* are what to know.
    """

    metric: str
    what: str
    n: int
    axes: tuple[Axis, ...]
    indices: dict[str, dict[str, Index]]
    explained: float
    luck: float
    cautions: tuple[str, ...]

    @property
    def constant(self) -> bool:
        """Whether it is the same in every world."""
        return not any(
            (index.value, index.low, index.high) != (0, 0, 0)
            for of in self.indices.values()
            for index in of.values()
        )

    @property
    def unit(self) -> str:
        """The unit of effects: percentage points of a share."""
        return (
            "percentage points"
            if METRICS[self.metric].unit == "share"
            else METRICS[self.metric].unit
        )

    @property
    def scale(self) -> float:
        """What effects are multiplied by to be in that unit."""
        return 100.0 if METRICS[self.metric].unit == "share" else 1.0


def drivers(
    space: Space, metric: str, what: str, y: NDArray[np.float64], methods: tuple[str, ...]
) -> Drivers:
    """Return what drives *metric*, which is *y* at the points of *space*, by the *methods* asked
    for that its design allows (none asked for: all).
    """
    sample = space.sample(y, f"{metric}/{what}", space.axes)
    effects, explained = tornado(sample)
    found, cautions = list(effects), [caution(sample)]
    if sample.design != "one_at_a_time":
        more, told = _shares(sample, methods)
        found += more
        cautions += told
    indices: dict[str, dict[str, Index]] = {}
    for index in found:
        indices.setdefault(index.name, {})[index.method] = index
    order = {axis.path: axis for axis in space.axes}
    axes = tuple(order[index.name] for index in effects)
    return Drivers(
        metric,
        what,
        len(sample.x),
        axes,
        indices,
        explained,
        luck_share(sample),
        tuple(filter(None, cautions)),
    )


def _shares(sample: Sample, methods: tuple[str, ...]) -> tuple[list[Index], list[str]]:
    """Return the shares of the variance, and elementary effects, as far as the design has them, and
    why not further.
    """
    structured = sample.design == SALTELLI
    if not structured:
        missing = [
            name
            for name, method in (("total shares", "sobol"), ("elementary effects", "morris"))
            if method in methods
        ]
        told = [
            f"{listed(missing)} need the points of a saltelli design; these are of"
            f" {sample.design.replace('_', ' ')}".capitalize()
        ] * bool(missing)
        return first_order(sample), told
    try:
        found = sobol(sample) if not methods or "sobol" in methods else []
        return (
            found + (elementary_effects(sample) if not methods or "morris" in methods else []),
            [],
        )
    except ValueError as broken:
        return first_order(sample), [f"First orders from bins: {broken}"]
    except ImportError:
        return first_order(sample), [
            "Sobol' indices need SALib (pip install with the extra sensitivity)"
        ]


def shown(index: Index | None, scale: float = 1.0) -> str:
    """Return *index* with half the width of its interval."""
    if index is None:
        return "–"
    ends = index.low, index.high
    return interval(Estimate(index.value, (index.high - index.low) / 2, 0, "", bounds=ends), scale)


def table(found: Drivers, grades: Mapping[str, str], number_of_table: str) -> Grid:
    """Return the table of *found*, with the evidence *grades* of the assumptions by path."""
    methods = [method for method in _HEADS if any(method in of for of in found.indices.values())]
    scales = {
        "effect": found.scale,
        "mu*": found.scale,
        "sigma": found.scale,
        "first order": 100.0,
        "total": 100.0,
    }
    rows = tuple(
        (
            axis.path,
            axis.reach,
            grades[axis.path],
            *(shown(found.indices[axis.path].get(method), scales[method]) for method in methods),
        )
        for axis in found.axes
    )
    unit = f", in {found.unit}" if found.unit else ""
    heads = ("assumption", "range", "grade", *(_HEADS[method] for method in methods))
    return Grid(f"{number_of_table}. What drives {_words(found)}{unit}", heads, rows, _note(found))


def _words(found: Drivers) -> str:
    return f"{found.metric.replace('_', ' ')}{f' of {found.what}' if found.what else ''}"


def _note(found: Drivers) -> str:
    """Return how to read the table of *found*."""
    parts = [f"Over {counted(found.n, 'world')}; intervals of 95 %, over points and replications."]
    if not isnan(found.explained):
        parts.append(
            "Low to high end: of straight lines, which explain"
            f" {number(round(100 * found.explained, 1))} % of the variance."
        )
    if any("first order" in of for of in found.indices.values()):
        parts.append("Alone, in all: shares of the variance.")
    if any("mu*" in of for of in found.indices.values()):
        parts.append(
            "μ*, σ: mean size and spread of the change over the whole range, from each base point."
        )
    if not isnan(found.luck):
        parts.append(
            f"{number(round(100 * found.luck, 1))} % of the variance is luck, and taken off the"
            " shares."
        )
    return " ".join([*parts, *(f"{told}." for told in found.cautions)])


def sentence(found: Drivers) -> str:
    """Return which assumptions drive the metric, in words."""
    if found.constant:
        return f"{_words(found).capitalize()} is the same in every world."
    clear = [axis for axis in found.axes if found.indices[axis.path]["effect"].clear]
    if not clear:
        return f"No assumption moves {_words(found)} by more than chance."
    told = []
    for axis in clear[:3]:
        index = found.indices[axis.path]["effect"]
        share = found.indices[axis.path].get("total") or found.indices[axis.path].get("first order")
        part = (
            f", {shown(share, 100)} % of the variance" if share is not None and share.clear else ""
        )
        ends = (
            (axis.levels[0], axis.levels[-1])
            if axis.levels
            else (axis.shown(axis.low), axis.shown(axis.high))
        )
        told.append(
            f"{axis.called} ({' to '.join(ends)}:"
            f" {'+' if index.value > 0 else ''}{shown(index, found.scale)} {found.unit}{part})"
            .replace("+−", "−")
        )
    others = counted(len(found.axes) - len(clear), "other assumption")
    rest = f"; {others} by no more than chance" if len(clear) < len(found.axes) else ""
    return f"What moves {_words(found)} most: {listed(told)}{rest}."
