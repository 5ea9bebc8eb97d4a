"""F9: load after a trigger against load before, time to drain against the length of an outage, and
what waits minute by minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from sim.report.aftermath import Aftermath, Outcome
from sim.report.drawing import COLOURS, FAINT, INK, POINTS, SHAPES, SOFT, new, styled
from sim.report.servers import servers_of
from sim.report.words import rounded
from sim.tables import TIMELINE_BIN_S

_WIDE, _TALL = (0.12, 0.85), 4.6


def _axes(figure: Figure, rows_of_key: int) -> Any:
    """Return axes with room below for a key of so many rows."""
    low = 0.13 + 0.055 * rows_of_key
    return figure.add_axes((_WIDE[0], low, _WIDE[1], 0.97 - low))


def _look(number: int) -> dict[str, Any]:
    return {"color": COLOURS[number % len(COLOURS)], "marker": SHAPES[number % len(SHAPES)]}


def _key(figure: Figure, handles: Sequence[Any]) -> None:
    look: dict[str, Any] = {
        "frameon": False,
        "fontsize": POINTS - 1,
        "handletextpad": 0.4,
        "columnspacing": 1.2,
    }
    figure.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 0), ncols=3, **look)


def _error(low: float, high: float, value: float) -> Any:
    """Return the arms of an error bar, none where there is no interval."""
    return (
        [[max(0.0, value - low)], [max(0.0, high - value)]]
        if isfinite(low) and isfinite(high)
        else None
    )


def _rows_of_key(world: Aftermath, extra: int) -> int:
    return -(-(len(world.policies) + extra) // 3)


def _named(world: Aftermath, extra: Sequence[Any]) -> list[Any]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], **_look(n), linestyle="-", linewidth=1, markersize=6, label=policy)
        for n, policy in enumerate(world.policies)
    ] + [*extra]


@styled
def loop(world: Aftermath) -> Figure:
    """Return the loop of the longest outage: load in the last hour (up) against load before
    (across), a line a policy; on the grey line the two are equal.
    """
    from matplotlib.lines import Line2D

    figure = new(_TALL)
    axes = _axes(figure, _rows_of_key(world, 1))
    longest = world.outages[-1]
    most = 100 * max(outcome.before.value for outcome in world.of(None, longest))
    least = 100 * min(outcome.before.value for outcome in world.of(None, longest))
    axes.plot(
        [0.9 * least, 1.08 * most], [0.9 * least, 1.08 * most], color=FAINT, linewidth=3, zorder=1
    )
    axes.axhline(100, color=SOFT, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    axes.text(
        1.08 * most, 100, "capacity", fontsize=POINTS - 1, color=SOFT, va="bottom", ha="right"
    )
    for number, policy in enumerate(world.policies):
        outcomes = world.of(policy, longest)
        axes.plot(
            [100 * o.before.value for o in outcomes],
            [100 * o.after.value for o in outcomes],
            color=_look(number)["color"],
            linewidth=1,
            zorder=2,
        )
        for outcome in outcomes:
            _point(axes, outcome, number)
    axes.set_xlim(0.9 * least, 1.08 * most)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("load before the trigger, % of capacity")
    axes.set_ylabel("load in the last hour, % of capacity")
    _key(
        figure,
        _named(world, [Line2D([], [], color=FAINT, linewidth=3, label="load up: after = before")]),
    )
    return figure


def _point(axes: Any, outcome: Outcome, number: int) -> None:
    """Draw one outcome: filled where the world came back, hollow where it did not."""
    look = _look(number)
    x, y = outcome.before, outcome.after
    axes.errorbar(
        100 * x.value,
        100 * y.value,
        xerr=_error(100 * x.low, 100 * x.high, 100 * x.value),
        yerr=_error(100 * y.low, 100 * y.high, 100 * y.value),
        fmt=look["marker"],
        color=look["color"],
        markersize=7,
        markerfacecolor=look["color"] if outcome.returns else "white",
        markeredgewidth=1.2,
        elinewidth=1,
        zorder=3,
    )


@styled
def drain(world: Aftermath, level: float) -> Figure:
    """Return time to drain against length of the outage at one *level* of traffic, a mark a policy,
    with the closed forms; undrained on the upper edge.
    """
    from matplotlib.lines import Line2D

    figure = new(_TALL)
    axes = _axes(figure, _rows_of_key(world, 2))
    here = world.of(None, None, level)
    limits = [
        value / 60
        for o in here
        for value in (
            o.drain.value if o.drain else 0,
            o.drain.high if o.drain and isfinite(o.drain.high) else 0,
        )
    ]
    fluid = [o.fluid.value / 60 for o in here if o.fluid]
    top = 2 * max([*limits, *fluid, 1.0])
    lengths = np.linspace(0, 1.04 * world.outages[-1], 50)
    load = here[0].before.value
    if fluid and load < 1:
        axes.plot(
            lengths / 60, lengths / 60 * load / (1 - load), color=FAINT, linewidth=3, zorder=1
        )
    for number, policy in enumerate(world.policies):
        own = world.of(policy, None, level)
        if fluid and own and own[0].most > 1 and own[0].work < 1:
            longest = [(own[0].longest_drain_s(length) or 0) / 60 for length in lengths]
            axes.plot(
                lengths / 60,
                longest,
                color=_look(number)["color"],
                linewidth=1.2,
                linestyle=":",
                zorder=1,
            )
        # Beside one another, so that marks at one outage can be told apart.
        aside = (number - (len(world.policies) - 1) / 2) * 0.008 * world.outages[-1]
        for outcome in own:
            _drained(axes, outcome, number, aside, top)
    axes.set_xlim(0, 1.06 * world.outages[-1] / 60)
    axes.set_yscale("symlog", linthresh=1, linscale=0.4)
    axes.set_ylim(0, top)
    axes.yaxis.set_major_formatter(lambda value, _: rounded(value, 3))
    axes.set_xlabel("length of the outage, min")
    axes.set_ylabel("time to drain after it, min")
    forms = [
        Line2D([], [], color=FAINT, linewidth=3, label="closed form, no retries"),
        Line2D([], [], color=INK, linestyle=":", label="with all retries"),
    ]
    _key(figure, _named(world, forms if fluid else ()))
    return figure


def _drained(axes: Any, outcome: Outcome, number: int, aside_s: float, top: float) -> None:
    look = _look(number)
    x = (outcome.outage_s + aside_s) / 60
    if outcome.drain is None:
        axes.plot(
            x,
            top,
            clip_on=False,
            markerfacecolor="white",
            markeredgewidth=1.2,
            markersize=8,
            **look,
        )
        return
    low, value, high = (
        minutes / 60 for minutes in (outcome.drain.low, outcome.drain.value, outcome.drain.high)
    )
    axes.errorbar(
        x,
        value,
        yerr=_error(low, high, value),
        fmt=look["marker"],
        color=look["color"],
        markersize=6,
        elinewidth=1,
        zorder=3,
    )


@styled
def waits(world: Aftermath) -> Figure:
    """Return what waits minute by minute, in seconds of work at capacity, a line a policy, at the
    outage and load that tell policies apart.
    """
    figure = new(_TALL)
    axes = _axes(figure, _rows_of_key(world, 0))
    here = world.of(None, *world.focus)
    for outcome in here:
        hours, seconds = _waiting(world, outcome)
        axes.plot(
            hours,
            seconds,
            color=_look(world.policies.index(outcome.policy))["color"],
            linewidth=1.6,
        )
        mark = slice(0, None, max(1, len(hours) // 9))
        axes.plot(
            hours[mark],
            seconds[mark],
            linestyle="",
            markersize=5,
            **_look(world.policies.index(outcome.policy)),
        )
    axes.axvspan(
        here[0].start_s / 3600,
        (here[0].start_s + here[0].outage_s) / 3600,
        color="#eeeeee",
        zorder=0,
        linewidth=0,
    )
    axes.set_yscale("symlog", linthresh=1, linscale=0.4)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda value, _: rounded(value, 3))
    axes.set_xlabel("hours from the start of the window")
    axes.set_ylabel("what waits, s of work")
    _key(figure, _named(world, ()))
    return figure


def _waiting(world: Aftermath, outcome: Outcome) -> tuple[Any, Any]:
    """Return the hour of the end of each minute after warm-up, and what waits there ÷ capacity, a
    mean over replications.
    """
    stage, _, server = outcome.place.partition("/")
    parts = []
    for table in world.study.tables("timeline", outcome.cell).values():
        rows = table[
            (table["stage"] == stage)
            & (table["server"] == server)
            & (table["start_s"] >= world.study.window(outcome.cell).warm_up_s)
        ]
        parts.append(rows.sort_values("start_s"))
    spec = next(one for one in outcome.cell.scenario.network if one.stage == stage)
    here = {place.server: place.capacity for place in servers_of(outcome.cell, spec)}
    capacity = here[server]
    mean = np.mean([part["waiting_n"].to_numpy() for part in parts], axis=0)
    return (parts[0]["start_s"].to_numpy() + TIMELINE_BIN_S) / 3600, mean / capacity
