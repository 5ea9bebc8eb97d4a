"""One metric, cell by cell, with its interval."""

from __future__ import annotations

from math import isfinite
from typing import Any

from matplotlib.figure import Figure

from sim.metrics import Estimate
from sim.report.drawing import COLOURS, POINTS, new, styled
from sim.report.study import Study
from sim.report.words import rounded

_MOST: int = 40


@styled
def by_cell(study: Study, metric: str) -> Figure:
    """Return a dot with its 95 % interval for each cell of *study* that has *metric*; of more than
    forty cells, the first forty.
    """
    found = [
        (cell.name, estimate)
        for cell in study.cells
        if (estimate := study.estimate(cell, metric)) is not None
    ][:_MOST]
    figure = new(0.27 * len(found) + 0.8)
    axes = figure.add_axes(
        (
            0.38,
            0.55 / (0.27 * len(found) + 0.8),
            0.57,
            0.27 * len(found) / (0.27 * len(found) + 0.8),
        )
    )
    scale = 100 if found[0][1].unit == "share" else 1
    for row, (_, estimate) in enumerate(found):
        _dot(axes, row, estimate, scale)
    axes.set_yticks(
        range(len(found)),
        [name if len(name) <= 28 else f"{name[:27]}…" for name, _ in found],
        fontsize=POINTS - 1,
    )
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter(lambda value, _: rounded(value, 6))
    axes.set_xlabel(
        f"{metric.replace('_', ' ')}, {'%' if scale == 100 else found[0][1].unit}".rstrip(", ")
    )
    return figure


def _dot(axes: Any, row: int, found: Estimate, scale: float) -> None:
    """Draw one estimate times *scale*, with its interval; of what was never reached, say so."""
    if not isfinite(found.value):
        where = {"xycoords": ("axes fraction", "data"), "va": "center", "fontsize": POINTS - 1}
        axes.annotate(found.never, (0.02, row), **where)
        return
    arms = (found.value - found.low, found.high - found.value)
    error = [[max(0.0, arm) * scale if isfinite(arm) else 0.0] for arm in arms]
    look = {"fmt": "o", "color": COLOURS[0], "markersize": 5, "capsize": 3}
    axes.errorbar(found.value * scale, row, xerr=error, **look)
