"""F8: the outcome of a storm by two settings of a mitigation, and what every mitigation does to
harm, peak and genuine alerts.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, Final

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sim.metrics import Estimate
from sim.report.drawing import COLOURS, INK, POINTS, SOFT, new, styled
from sim.report.remedies import Remedies, factor_name
from sim.report.study import Cell
from sim.report.words import interval, rounded

# From harmless to worst; told apart in grey print by the letter as well.
_FILLS: Final = ("#d9ece4", "#bcd7ea", "#f4c08e", "#d55e00")
_ROW_IN: Final = 0.27


@styled
def diagram(remedies: Remedies, cells: Sequence[Cell], paths: Sequence[str]) -> Figure:
    """Return a square for each pair of levels of the two factors *paths*: coloured by outcome, with
    its letter and the messages of other kinds made late.
    """
    across, up = (list(dict.fromkeys(cell.levels[path] for cell in cells)) for path in paths)
    height = 0.62 * len(up) + 1.1
    figure = new(height)
    axes = figure.add_axes((0.16, 0.62 / height, 0.82, 0.62 * len(up) / height))
    for cell in cells:
        x, y = across.index(cell.levels[paths[0]]), up.index(cell.levels[paths[1]])
        outcome = remedies.outcome(cell)
        ink = "white" if outcome == 3 else INK
        axes.add_patch(
            Rectangle((x + 0.03, y + 0.03), 0.94, 0.94, facecolor=_FILLS[outcome], edgecolor="none")
        )
        axes.text(
            x + 0.5,
            y + 0.62,
            "ABCD"[outcome],
            ha="center",
            va="center",
            fontweight="bold",
            color=ink,
        )
        axes.text(
            x + 0.5,
            y + 0.27,
            interval(remedies.late(cell)),
            ha="center",
            va="center",
            fontsize=POINTS - 2.5,
            color=ink,
        )
    axes.set_xlim(0, len(across))
    axes.set_ylim(0, len(up))
    axes.set_xticks([n + 0.5 for n in range(len(across))], across)
    axes.set_yticks([n + 0.5 for n in range(len(up))], up)
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel(factor_name(cells[0], paths[0]))
    axes.set_ylabel(factor_name(cells[0], paths[1]))
    return figure


@styled
def ladder(remedies: Remedies) -> Figure:
    """Return a row for the storm and each mitigation: other messages late, cut of the peak, genuine
    alerts lost or delayed, each with its interval.
    """
    cells = [*remedies.storms, *remedies.cells]
    height = _ROW_IN * len(cells) + 1.0
    figure = new(height)
    columns: list[tuple[str, list[Estimate | None], float]] = [
        ("others late a day", [remedies.late(cell) for cell in cells], 1),
        (
            "peak cut, %",
            [None if cell in remedies.storms else remedies.cut(cell) for cell in cells],
            100,
        ),
        ("genuine lost\nor delayed, %", [remedies.genuine(cell, "loss") for cell in cells], 100),
    ]
    for place, (head, values, scale) in enumerate(columns):
        axes = figure.add_axes(
            (0.34 + 0.225 * place, 0.62 / height, 0.19, _ROW_IN * len(cells) / height)
        )
        _column(axes, values, scale)
        axes.set_yticks(
            range(len(cells)),
            [_short(remedies, cell) for cell in cells] if place == 0 else [""] * len(cells),
            fontsize=POINTS - 1,
        )
        axes.set_xlabel(head, fontsize=POINTS - 1)
        if place == 0:
            axes.set_xscale("symlog", linthresh=1, linscale=0.4)
            axes.set_xlim(
                left=min(
                    0.0,
                    *(value.low for value in values if value is not None and isfinite(value.low)),
                    0.0,
                )
            )
        axes.locator_params(axis="x", nbins=4) if place else None
        axes.xaxis.set_major_formatter(lambda value, _: _tick(value))
    return figure


def _column(axes: Any, values: Sequence[Estimate | None], scale: float) -> None:
    for row, value in enumerate(values):
        if value is not None:
            low, high = (
                max(0.0, end) * scale if isfinite(end) else 0.0
                for end in (value.value - value.low, value.high - value.value)
            )
            axes.errorbar(
                value.value * scale,
                row,
                xerr=[[low], [high]],
                fmt="o",
                color=COLOURS[0],
                markersize=5,
                capsize=2,
            )
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.axvline(0, color=SOFT, linewidth=0.8)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", labelsize=POINTS - 2)


def _tick(value: float) -> str:
    """Return a tick in few letters: "10k", "2M"."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{rounded(value / size, 3)}{letter}"
    return rounded(value, 3)


def _short(remedies: Remedies, cell: Cell) -> str:
    name = (
        cell.called.replace("_", " ") if cell.option in remedies.sweeps else remedies.called(cell)
    )
    return name if len(name) <= 26 else f"{name[:25]}…"
