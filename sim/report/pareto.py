"""F2: what each rule costs against what it leaves wrong, with the frontier."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import floor, isfinite, log10
from typing import Any

from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from sim.metrics import Estimate
from sim.report.contest import RIGHT_ENOUGH, Choice, Contest
from sim.report.drawing import COLOURS, FAINT, INK, POINTS, SHAPES, SOFT, new, styled
from sim.report.words import rounded

_HEIGHT_IN = 5.2
# Where a label may stand: offsets from its mark in points, the nearest first.
_AROUND = [
    (dx * r, dy * r)
    for r in (1.0, 1.6, 2.4, 3.4, 4.6)
    for dx, dy in ((7, 4), (7, -11), (-7, 4), (-7, -11), (0, 8), (0, -15), (9, -4), (-9, -4))
]


@styled
def frontier_plot(contest: Contest) -> Figure:
    """Return messages per device-year (log) against % of PPMID records wrong (log), a mark a rule,
    95 % intervals as crosses; dominated rules grey.

    A rule that sends nothing, or leaves nothing wrong, stands on the edge at 0.
    """
    figure = new(_HEIGHT_IN)
    axes = figure.add_axes((0.13, 0.25, 0.84, 0.73))
    x, y = (
        _Axis([getattr(choice, side).value * scale for choice in contest.choices])
        for side, scale in (("cost", 1), ("wrong", 100))
    )
    y.include(100 * RIGHT_ENOUGH)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(x.low, x.high)
    axes.set_ylim(y.low, y.high)
    for ticks, axis in ((axes.xaxis, x), (axes.yaxis, y)):
        ticks.set_ticks(*axis.ticks())
        ticks.set_ticks([], minor=True)
    axes.grid(color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.axhline(100 * RIGHT_ENOUGH, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
    if contest.floor is not None:
        silent = next(each for each in contest.choices if each.late is contest.floor.silent)
        least = 100 * contest.floor.unreached * silent.wrong.value
        axes.axhline(least, color=SOFT, linewidth=1, linestyle=(0, (1, 2)))
    _line(axes, contest.best, x, y)
    marks = [_mark(axes, choice, contest, x, y) for choice in contest.choices]
    axes.set_xlabel("messages per device-year")
    axes.set_ylabel("% of PPMID records wrong")
    _key(figure, contest)
    _labels(figure, axes, contest, marks)
    return figure


class _Axis:
    """A log axis on which nought has a place: below the smallest value, marked 0."""

    def __init__(self, values: Sequence[float]) -> None:
        some = [value for value in values if value > 0] or [1.0]
        self._has_zero = len(some) < len(values)
        self._low = min(some)
        self._high = max(some)
        self._values = values

    def include(self, value: float) -> None:
        """Make room for *value*."""
        self._low, self._high = min(self._low, value), max(self._high, value)

    @property
    def zero(self) -> float:
        """Where nought stands."""
        return self._low / 4

    @property
    def low(self) -> float:
        return self.zero / 1.6 if self._has_zero else self._low / 1.8

    @property
    def high(self) -> float:
        return self._high * 2.2

    def at(self, value: float) -> float:
        """Return where *value* stands."""
        return value if value > 0 else self.zero

    def ticks(self) -> tuple[list[float], list[str]]:
        """Return ticks at 1, 2 and 5 of every decade (1 alone where there are many), and at nought.
        """
        decades = range(floor(log10(self._low)) - 1, floor(log10(self.high)) + 1)
        steps = (1, 2, 5) if len(decades) <= 4 else (1,)
        ticks = [step * 10.0**decade for decade in decades for step in steps]
        kept = [
            tick
            for tick in ticks
            if (self.zero * 1.5 if self._has_zero else self.low) < tick < self.high
        ]
        return ([self.zero] if self._has_zero else []) + kept, (["0"] if self._has_zero else []) + [
            rounded(tick, 6) for tick in kept
        ]


def _arms(found: Estimate, scale: float) -> list[list[float]] | None:
    """Return how far an interval reaches below and above its value; None where there is none."""
    ends = found.value - found.low, found.high - found.value
    return [[max(0.0, end) * scale] for end in ends] if all(map(isfinite, ends)) else None


def _line(axes: Any, best: Sequence[Choice], x: _Axis, y: _Axis) -> None:
    """Draw the frontier as steps: what can be had for a given number of messages."""
    axes.step(
        [x.at(c.cost.value) for c in best],
        [y.at(100 * c.wrong.value) for c in best],
        where="post",
        color=INK,
        linewidth=1.2,
        zorder=2,
    )


def _look(choice: Choice) -> tuple[str, str]:
    number_of_rule = int(choice.family.split()[0][1:]) % len(SHAPES)
    return COLOURS[number_of_rule], SHAPES[number_of_rule]


def _mark(axes: Any, choice: Choice, contest: Contest, x: _Axis, y: _Axis) -> tuple[float, float]:
    """Draw one rule as a mark with a cross; return where."""
    colour, shape = _look(choice)
    beaten = choice.cell.name in contest.beaten_by
    place = x.at(choice.cost.value), y.at(100 * choice.wrong.value)
    errors = [_arms(found, scale) for found, scale in ((choice.cost, 1), (choice.wrong, 100))]
    axes.errorbar(
        *place,
        xerr=errors[0] if choice.cost.value else None,
        yerr=errors[1],
        fmt=shape,
        markersize=7,
        zorder=3 if beaten else 4,
        elinewidth=1.2,
        color=FAINT if beaten else colour,
        markeredgecolor=FAINT if beaten else INK,
        markeredgewidth=0.8,
        ecolor=SOFT if beaten else INK,
    )
    return place


def _key(figure: Figure, contest: Contest) -> None:
    """Draw the key below the axes: shape and colour of each rule."""
    from matplotlib.lines import Line2D

    families = {choice.family: _look(choice) for choice in contest.choices}
    entries = [
        Line2D(
            [],
            [],
            color=colour,
            marker=shape,
            linestyle="",
            markersize=7,
            markeredgecolor=INK,
            markeredgewidth=0.8,
            label=family,
        )
        for family, (colour, shape) in sorted(families.items())
    ]
    figure.legend(
        handles=entries,
        loc="lower center",
        bbox_to_anchor=(0.5, 0),
        ncols=3,
        frameon=False,
        fontsize=POINTS - 1,
        handletextpad=0.2,
        columnspacing=1.2,
    )


def _labels(
    figure: Figure, axes: Any, contest: Contest, marks: Sequence[tuple[float, float]]
) -> None:
    """Write each label beside its mark, at the nearest place where it meets neither mark, line,
    label nor edge; those on the frontier choose first.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer: Any = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    edge = axes.get_window_extent(renderer)
    corners = axes.transData.transform(marks)
    taken = [Bbox.from_bounds(px - 6, py - 6, 12, 12) for px, py in corners] + _line_boxes(
        axes, contest, marks, edge
    )
    order = sorted(
        range(len(marks)), key=lambda i: contest.choices[i].cell.name in contest.beaten_by
    )
    for i in order:
        beaten = contest.choices[i].cell.name in contest.beaten_by
        look = {"color": SOFT} if beaten else {"color": INK, "fontweight": "bold"}
        label = axes.annotate(
            contest.label(contest.choices[i]),
            marks[i],
            (0, 0),
            textcoords="offset points",
            fontsize=POINTS - 1,
            **look,
        )
        for offset in _AROUND:
            label.set_position(offset)
            label.set_horizontalalignment(
                "left" if offset[0] > 0 else "right" if offset[0] < 0 else "center"
            )
            box = label.get_window_extent(renderer)
            if (
                edge.x0 <= box.x0
                and box.x1 <= edge.x1
                and edge.y0 <= box.y0
                and box.y1 <= edge.y1
                and not box.count_overlaps(taken)
            ):
                break
        taken.append(label.get_window_extent(renderer))


def _line_boxes(
    axes: Any, contest: Contest, marks: Sequence[tuple[float, float]], edge: Bbox
) -> list[Bbox]:
    """Return where the steps of the frontier and the line of the bar run, in pixels."""
    place = {choice.cell.name: mark for choice, mark in zip(contest.choices, marks, strict=True)}
    steps = axes.transData.transform([place[choice.cell.name] for choice in contest.best])
    bar = axes.transData.transform((1, 100 * RIGHT_ENOUGH))[1]
    boxes = [Bbox.from_extents(edge.x0, bar - 1, edge.x1, bar + 1)]
    for (x0, y0), (x1, y1) in pairwise(steps):
        boxes += [
            Bbox.from_extents(x0, y0 - 1, x1, y0 + 1),
            Bbox.from_extents(x1 - 1, min(y0, y1), x1 + 1, max(y0, y1)),
        ]
    return boxes
