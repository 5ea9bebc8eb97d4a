"""Rollouts as points: days to finish across, false outage alerts of the busiest second up."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from sim.metrics import Estimate
from sim.report.drawing import COLOURS, FAINT, INK, POINTS, SHAPES, SOFT, new, styled
from sim.report.words import rounded

if TYPE_CHECKING:
    from sim.report.finished import Rollouts

_PLOT_IN = 3.6


@styled
def trade(rollouts: Rollouts) -> Figure:
    """Return a mark with its intervals for each rollout that finished, those on the frontier joined
    by steps, dominated ones grey, with a key below.
    """
    names = list(rollouts.points)
    rows = -(-len(names) // 2)
    height = _PLOT_IN + 0.65 + 0.2 * rows
    figure = new(height)
    axes = figure.add_axes((0.12, (0.6 + 0.2 * rows) / height, 0.85, (_PLOT_IN - 0.05) / height))
    steps = [rollouts.points[name] for name in rollouts.best]
    axes.step(
        [x for x, _ in steps],
        [y for _, y in steps],
        where="post",
        color=INK,
        linewidth=1.2,
        zorder=2,
    )
    for place, name in enumerate(names):
        _mark(axes, place + 1, *rollouts.places[name], _look(rollouts, name))
    axes.set_xlim(left=0, right=1.08 * max(x for x, _ in rollouts.points.values()))
    axes.set_ylim(bottom=0)
    axes.grid(color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_formatter(lambda value, _: rounded(value, 4))
    axes.yaxis.set_major_formatter(lambda value, _: rounded(value, 4))
    axes.set_xlabel("days to finish a campaign")
    axes.set_ylabel("false outage alerts in 1 s")
    _key(figure, rollouts, names)
    return figure


def _look(rollouts: Rollouts, name: str) -> dict[str, Any]:
    """Return how a rollout is drawn: a shape and colour for its option, grey where another is no
    slower and no louder.
    """
    options = list(dict.fromkeys(cell.option for cell in rollouts.study.cells))
    own = options.index(next(cell.option for cell in rollouts.study.cells if cell.name == name))
    beaten = name in rollouts.beaten_by
    colour = FAINT if beaten else COLOURS[own % len(COLOURS)]
    return {
        "marker": SHAPES[own % len(SHAPES)],
        "color": colour,
        "markeredgecolor": SOFT if beaten else INK,
    }


def _mark(axes: Any, place: int, days: Estimate, peak: Estimate, look: dict[str, Any]) -> None:
    """Draw one rollout as a mark with a cross, and its number beside it."""
    arms = [
        (
            [[max(0.0, e.value - e.low)], [max(0.0, e.high - e.value)]]
            if isfinite(e.low) and isfinite(e.high)
            else None
        )
        for e in (days, peak)
    ]
    look = {
        "linestyle": "",
        "markersize": 7,
        "markeredgewidth": 0.8,
        "elinewidth": 1.1,
        "ecolor": SOFT,
        "zorder": 3,
    } | look
    axes.errorbar(days.value, peak.value, xerr=arms[0], yerr=arms[1], **look)
    axes.annotate(
        str(place),
        (days.value, peak.value),
        (5, 4),
        textcoords="offset points",
        fontsize=POINTS - 2.5,
        color=SOFT,
    )


def _key(figure: Figure, rollouts: Rollouts, names: list[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            linestyle="",
            markersize=7,
            markeredgewidth=0.8,
            label=f"{place}  {rollouts.called[name]}",
            **_look(rollouts, name),
        )
        for place, name in enumerate(names, start=1)
    ]
    figure.legend(
        handles=handles,
        loc="lower center",
        bbox_to_anchor=(0.5, 0),
        ncols=2,
        frameon=False,
        fontsize=POINTS - 1,
        handletextpad=0.3,
    )
