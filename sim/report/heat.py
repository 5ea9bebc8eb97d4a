"""F1: load by time of day, as a multiple of what each server passes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor, log10
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sim.report.drawing import ALERT, POINTS, SOFT, new, styled
from sim.report.servers import Place, peaks_by_quarter, places
from sim.report.study import Cell, Study
from sim.report.words import number, rounded

_ROW_IN = 0.23
_GAP_IN = 0.34
_LEFT = 0.2
_RIGHT = 0.9


@styled
def load_by_time_of_day(study: Study, cells: Sequence[Cell]) -> Figure:
    """Return a heat-map with a panel for each server, a row for each of *cells* and a column for
    each quarter of an hour.

    Colour: the busiest second of each kind of message in the quarter, added up, ÷ capacity, on a
    log scale.
    """
    servers = [
        {cell.name: place for cell in cells for place in places(cell) if place.name == name}
        for name in _names(cells)
    ]
    loads = [
        np.array(
            [
                peaks_by_quarter(study, cell, own[cell.name]) if cell.name in own else [0.0] * 96
                for cell in cells
            ]
        )
        for own in servers
    ]
    norm = _scale(np.concatenate(loads))
    height = len(servers) * (len(cells) * _ROW_IN + _GAP_IN) + 1.25
    figure = new(height)
    top = 1 + 0.08 / height
    for number_of, (own, load) in enumerate(zip(servers, loads, strict=True), start=1):
        panel = len(cells) * _ROW_IN / height
        top -= _GAP_IN / height
        axes = figure.add_axes((_LEFT, top - panel, _RIGHT - _LEFT, panel))
        _panel(axes, load, norm, last=number_of == len(servers))
        _rows(axes, study, cells, own)
        top -= panel
    _colour_bar(figure, norm, height)
    return figure


def _names(cells: Sequence[Cell]) -> list[str]:
    """Return the name of every server of any of *cells*, in the order of the stages."""
    return list(dict.fromkeys(place.name for cell in cells for place in places(cell)))


def _scale(loads: Any) -> LogNorm:
    """Return a log scale that holds the loads, with 1.0 well inside."""
    some = loads[loads > 0]
    low, high = (some.min(), some.max()) if some.size else (0.1, 1.0)
    return LogNorm(
        10.0 ** min(-1, max(-3, floor(log10(low)))), 10.0 ** max(1, ceil(2 * log10(high)) / 2)
    )


def _panel(axes: Any, loads: Any, norm: LogNorm, *, last: bool) -> None:
    """Draw one server: a row for each cell, and what is above capacity boxed."""
    axes.pcolormesh(
        np.arange(97),
        np.arange(len(loads) + 1),
        np.ma.masked_equal(loads, 0),
        norm=norm,
        cmap="cividis_r",
        rasterized=True,
    )
    for row, values in enumerate(loads):
        for start, end in _runs(values > 1):
            axes.add_patch(
                Rectangle(
                    (start, row + 0.04),
                    end - start,
                    0.92,
                    fill=False,
                    edgecolor=ALERT,
                    linewidth=1.6,
                )
            )
    axes.set_ylim(len(loads), 0)
    axes.set_xticks(
        np.arange(0, 97, 12), [f"{hour:02d}" for hour in range(0, 25, 3)] if last else [""] * 9
    )
    axes.tick_params(length=0, axis="y")
    if last:
        axes.set_xlabel("hour of the day")


def _rows(axes: Any, study: Study, cells: Sequence[Cell], own: Mapping[str, Place]) -> None:
    """Say which server this is; name each row on the left, and give its busiest second of all on
    the right.
    """
    capacities = sorted({place.capacity for place in own.values()})
    passes_on = (
        number(capacities[0])
        if len(capacities) == 1
        else f"{number(capacities[0])} to {number(capacities[-1])}"
    )
    first = next(iter(own.values()))
    told = f"{first.name}: passes on {passes_on} a second"
    if first.in_bytes:
        told = f"{first.name}: passes on {first.passes_on}, taken in messages of the mean size"
    axes.set_title(told, pad=3, loc="left", fontweight="bold")
    axes.set_yticks(
        np.arange(len(cells)) + 0.5, [_short(cell.called) for cell in cells], fontsize=POINTS - 1
    )
    for row, cell in enumerate(cells):
        if cell.name not in own:
            continue
        place = own[cell.name]
        peak = study.estimate(cell, f"{place.stage}_messages_per_s_peak", place.group)
        times = peak.value / place.capacity if peak is not None else 0.0
        look: dict[str, Any] = (
            {"color": ALERT, "fontweight": "bold"} if times > 1 else {"color": SOFT}
        )
        axes.text(
            97.5,
            row + 0.5,
            f"{rounded(times, 3)}×",
            va="center",
            ha="left",
            fontsize=POINTS - 1,
            **look,
        )


def _short(name: str) -> str:
    return name if len(name) <= 15 else f"{name[:14]}…"


def _runs(mask: Any) -> list[tuple[int, int]]:
    """Return start and end of every run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _colour_bar(figure: Figure, norm: LogNorm, height: float) -> None:
    axes = figure.add_axes((_LEFT, 0.42 / height, _RIGHT - _LEFT, 0.12 / height))
    bar = figure.colorbar(ScalarMappable(norm, "cividis_r"), cax=axes, orientation="horizontal")
    decades = range(round(log10(norm.vmin or 1)), floor(log10(norm.vmax or 1)) + 1)
    bar.set_ticks([10.0**d for d in decades], labels=[f"{number(10.0**d)}×" for d in decades])
    bar.ax.minorticks_off()
    bar.ax.axvline(1, color=ALERT, linewidth=2.5)
    figure.text(
        _LEFT,
        0.03 / height,
        "busiest second ÷ capacity; orange: 1.0 and above",
        fontsize=POINTS - 1,
        color=SOFT,
    )
