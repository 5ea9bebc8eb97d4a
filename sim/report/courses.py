"""How records and devices stand over the years: lines with a band that holds every replication, in
panels side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.figure import Figure

from sim.report.drawing import COLOURS, POINTS, SOFT, new, styled
from sim.report.lives import Numbers
from sim.report.words import rounded

_PANEL_IN = 1.45
_GAP_IN = 0.34
_FOOT_IN = 0.5
_KEY_IN = 0.2
_STROKES: Final = ((0, (5, 2)), "-", (0, (1, 1.5)), (0, (5, 2, 1, 2)), (0, (8, 2)), (0, (3, 1)))
_LETTERS: Final = 66  # of titles side by side
YEAR_D: Final = 365.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a panel: its *name* in the key, a row of *values* (shares, or counts) for each
    replication, and which *look* it has.
    """

    name: str
    values: Numbers
    look: int


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: its *title*, the *days* of its lines, the *lines*, and the days *shaded* (None:
    none).
    """

    title: str
    days: Numbers
    lines: Sequence[Line]
    shaded: tuple[float, float] | None = None


@styled
def panels(shown: Sequence[Panel], label: str, across: int, scale: float = 100.0) -> Figure:
    """Return *shown* in rows of *across*, on one scale up (*label*; values times *scale*) and one
    across, with one key below.
    """
    rows = -(-len(shown) // across)
    names = list(dict.fromkeys((line.name, line.look) for panel in shown for line in panel.lines))
    height = rows * (_PANEL_IN + _GAP_IN) + _FOOT_IN + _KEY_IN * -(-len(names) // 3)
    figure = new(height)
    top = (
        max(
            (
                float(line.values.max())
                for panel in shown
                for line in panel.lines
                if line.values.size
            ),
            default=0.0,
        )
        * scale
    )
    years = (
        max((float(panel.days[-1]) for panel in shown if len(panel.days)), default=0.0) > 2 * YEAR_D
    )
    left, width = 0.11, 0.87 / across
    for number, panel in enumerate(shown):
        row, column = divmod(number, across)
        bottom = 1 - ((row + 1) * (_PANEL_IN + _GAP_IN)) / height
        axes = figure.add_axes((left + column * width, bottom, width - 0.05, _PANEL_IN / height))
        _panel(axes, panel, scale, YEAR_D if years else 1.0, _LETTERS // across)
        axes.set_ylim(0, 1.06 * top if top else 1)
        axes.yaxis.set_major_formatter(lambda value, _: rounded(value, 3))
        axes.locator_params(axis="y", nbins=4)
        if column:
            axes.set_yticklabels([])
        if number + across < len(shown):
            axes.set_xticklabels([])
        else:
            axes.set_xlabel(
                f"{'years' if years else 'days'} from the start{' of the window' * (across < 3)}",
                fontsize=POINTS - 1,
            )
    figure.text(
        0.012,
        1 - rows * (_PANEL_IN + _GAP_IN) / 2 / height,
        label,
        rotation=90,
        va="center",
        ha="left",
        fontsize=POINTS,
    )
    _key(figure, names)
    return figure


def _look(number: int) -> dict[str, Any]:
    return {"color": COLOURS[number % len(COLOURS)], "linestyle": _STROKES[number % len(_STROKES)]}


def _panel(axes: Any, panel: Panel, scale: float, unit: float, letters: int) -> None:
    """Draw one panel: the mean of each line, and a band from its least to its largest replication.
    """
    axes.set_title(
        panel.title if len(panel.title) <= letters else f"{panel.title[:letters - 1]}…",
        pad=4,
        loc="left",
        fontsize=POINTS - 0.5,
        fontweight="bold",
    )
    if panel.shaded is not None:
        axes.axvspan(
            panel.shaded[0] / unit, panel.shaded[1] / unit, color="#eeeeee", linewidth=0, zorder=0
        )
    for line in panel.lines:
        if not line.values.size:
            continue
        days, values = panel.days / unit, line.values * scale
        axes.fill_between(
            days,
            values.min(axis=0),
            values.max(axis=0),
            color=_look(line.look)["color"],
            alpha=0.25,
            linewidth=0,
        )
        axes.plot(days, values.mean(axis=0), linewidth=1.5, **_look(line.look))
    if len(panel.days):
        axes.set_xlim(panel.days[0] / unit, panel.days[-1] / unit)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=POINTS - 1.5, colors=SOFT)
    axes.locator_params(axis="x", nbins=6)


def _key(figure: Figure, names: Sequence[tuple[str, int]]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], linewidth=1.5, label=name, **_look(look)) for name, look in names]
    figure.legend(
        handles=handles,
        loc="lower center",
        bbox_to_anchor=(0.5, 0),
        ncols=3,
        frameon=False,
        fontsize=POINTS - 1,
        handlelength=2.6,
    )
