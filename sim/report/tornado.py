"""F15: the effect of each assumption as a tornado, and its shares of the variance, each with its
interval.
"""

from __future__ import annotations

from math import isfinite

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.report.drawing import COLOURS, POINTS, SHAPES, SOFT, new, styled
from sim.report.drivers import Drivers
from sim.report.words import rounded

_ROW_IN = 0.34
_FOOT_IN = 0.6
_HEAD_IN = 0.3
_SHARES = ("first order", "total")


@styled
def tornado(found: Drivers) -> Figure:
    """Return the figure of *found*: a row for each assumption, the largest effect on top."""
    n = len(found.axes)
    height = _ROW_IN * n + _FOOT_IN + _HEAD_IN
    figure = new(height)
    shares = any(method in of for of in found.indices.values() for method in _SHARES)
    bottom, tall = _FOOT_IN / height, _ROW_IN * n / height
    left = figure.add_axes((0.33, bottom, 0.34 if shares else 0.62, tall))
    _effects(left, found)
    if shares:
        right = figure.add_axes((0.72, bottom, 0.25, tall))
        _shares(right, found)
    return figure


def _rows(axes: Axes, n: int) -> None:
    axes.set_ylim(n - 0.5, -0.5)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.locator_params(axis="x", nbins=4)
    axes.xaxis.set_major_formatter(lambda value, _: rounded(value, 4))


def _effects(axes: Axes, found: Drivers) -> None:
    for row, axis in enumerate(found.axes):
        index = found.indices[axis.path]["effect"]
        value = index.value * found.scale
        arms = [
            [max(0.0, arm) * found.scale]
            for arm in (index.value - index.low, index.high - index.value)
        ]
        axes.barh(row, value, height=0.55, color=COLOURS[0] if value > 0 else COLOURS[1])
        if all(isfinite(arm) for [arm] in arms):
            axes.errorbar(
                value, row, xerr=arms, fmt="none", ecolor="#1a1a1a", capsize=3, linewidth=1
            )
    names = [axis.path if len(axis.path) <= 26 else f"…{axis.path[-25:]}" for axis in found.axes]
    axes.set_yticks(range(len(names)), names, fontsize=POINTS - 1)
    axes.axvline(0, color=SOFT, linewidth=0.8)
    _rows(axes, len(names))
    axes.set_xlabel(f"low to high end, {found.unit}".rstrip(", "), fontsize=POINTS - 1)


def _shares(axes: Axes, found: Drivers) -> None:
    for place, method in enumerate(_SHARES):
        known = [
            (row, of[method])
            for row, axis in enumerate(found.axes)
            if method in (of := found.indices[axis.path])
        ]
        if known:
            rows = [row + (0.15 if place else -0.15) for row, _ in known]
            values = [100 * index.value for _, index in known]
            errors = [
                [100 * max(0.0, index.value - index.low) for _, index in known],
                [100 * max(0.0, index.high - index.value) for _, index in known],
            ]
            label = "alone" if method == "first order" else "in all"
            axes.errorbar(
                values,
                rows,
                xerr=errors,
                fmt=SHAPES[place],
                color=COLOURS[place + 2],
                markersize=4,
                capsize=2,
                linewidth=1,
                label=label,
            )
    axes.set_yticks(range(len(found.axes)), [""] * len(found.axes))
    _rows(axes, len(found.axes))
    axes.set_xlabel("share of variance, %", fontsize=POINTS - 1)
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.05, 1.0),
        ncols=2,
        frameon=False,
        fontsize=POINTS - 2,
        handletextpad=0.1,
        columnspacing=0.8,
    )
