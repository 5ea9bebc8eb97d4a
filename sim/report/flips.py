"""H15: which assumption would flip the decision? What drives it (F15), and the boxes in which
another option is the better one (T15), in plain words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.metrics import METRICS, Difference
from sim.metrics.flips import Box, Decision, decide
from sim.metrics.selection import select
from sim.report.drivers import Drivers, drivers, sentence, table
from sim.report.evidence import MEANING, grade_of
from sim.report.findings import Findings, Picture
from sim.report.floor import beneath
from sim.report.grids import Grid
from sim.report.ranking import Entry, Ranking, negative
from sim.report.space import Axis, Space
from sim.report.study import Study
from sim.report.words import counted, interval, listed, number
from sim.units import added

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_DRIVEN: Final = 4  # tables of drivers; a reader wants no more
_FEWEST: Final = 8  # points: fewer tell nothing of a region
# of figures, tables and doubts about single cells; more would not be read, and are in summary.csv
_MOST_CELLS: Final = 40
_DOUBTS: Final = (
    "Beyond the ranges: nothing is said of worlds outside those of T15b.",
    (
        "What was not varied: an assumption that is not in T15b stands at its value, and may flip"
        " the decision as well."
    ),
    "Boundaries that no box follows: they show as a low coverage or density.",
)


@dataclass(frozen=True, slots=True)
class _Question:
    """What an experiment asks: which option has the better *metric* of a *group*, *low* or *high*,
    where differences below *zone* do not matter.
    """

    metric: str
    group: str
    prefer: str
    zone: float

    @property
    def matters(self) -> str:
        """The smallest difference that matters, with its unit."""
        share = METRICS[self.metric].unit == "share"
        unit = "percentage points" if share else METRICS[self.metric].unit
        return f"{number(self.zone * (100 if share else 1))} {unit}".strip()


@dataclass(frozen=True, slots=True)
class _Column:
    """One column that boxes are found in: an *axis*, or whether it is at one *level* of its words.
    """

    axis: Axis
    level: str


def fits(study: Study) -> bool:
    """Whether the run was asked to analyse a design of assumptions."""
    design = study.manifest.get("design")
    return bool(
        design and design["analysis"] and (design["factors"] or design["analysis"]["choose"])
    )


def findings(study: Study, plain: Findings) -> Findings:
    """Return what the report says of *study* beside, and before, what is *plain* to say of any run.
    """
    space = Space(study)
    analysis = space.design["analysis"]
    methods = tuple(analysis["methods"])
    question, y = _question(space, analysis)
    flips = question is not None and (not methods or "flips" in methods)
    moved = flips and space.design["kind"] == "one_at_a_time"
    decision = (
        _decided(space, question, y)
        if question and flips and not moved and len(space.points) >= _FEWEST
        else None
    )
    driven = (
        _driven(space, analysis, question, y, decision)
        if len(space.points) > 2 and space.axes and methods not in (("flips",), ("select",))
        else []
    )
    grades = {axis.path: grade_of(axis.leaf) for axis in space.axes}
    told = tuple(
        _moved_alone(space, question, y)
        if question and moved
        else _sentences(space, question, decision, grades)
    )
    if question and y and (not methods or "select" in methods):
        told += _selected(question, space)
    told += tuple(sentence(found) for found in driven)
    if told and question:
        told += beneath(question.metric, [axis.leaf for axis in space.axes])
    asked = [question.metric if question else analysis["choose"] or ""]
    told += tuple(filter(None, map(space.never, dict.fromkeys([*asked, *analysis["sensitivity"]]))))
    grids = _boxes_grid(space, question, decision) + _evidence_grid(space, decision, grades)
    driven = [found for found in driven if not found.constant]
    grids += tuple(
        table(found, grades, f"T15{letter}") for found, letter in zip(driven, "cdef", strict=False)
    )
    pictures = tuple(_picture(found, place, len(driven)) for place, found in enumerate(driven))
    names = tuple(
        dict.fromkeys([*([question.metric] if question else []), *analysis["sensitivity"]])
    )
    if not told:
        return plain
    if len(study.cells) > _MOST_CELLS:
        return Findings(told[0], told[1:], grids, pictures, _DOUBTS, names, last=True)
    grids += tuple(replace(grid, page_only=True) for grid in plain.grids)
    return Findings(
        told[0],
        told[1:],
        grids,
        pictures + plain.pictures,
        plain.doubts,
        tuple(dict.fromkeys([*names, *plain.metrics])),
        last=True,
    )


# -- the decision ----------------------------------------------------------------------------------


def _question(
    space: Space, analysis: dict[str, Any]
) -> tuple[_Question | None, dict[str, NDArray[np.float64]]]:
    """Return what is to be chosen, and that metric at the points by option; nothing where there is
    no choice.
    """
    metric, group = analysis["choose"], analysis["group"]
    y = space.y(metric, group) if metric and len(space.options) > 1 else {}
    if not y:
        return None, {}
    width = analysis["smallest_difference"]
    first = space.design.get("first")
    means = [values[:first] for values in space.replications(metric, group).values()]
    scale = (
        min(abs(added(values) / len(values)) for values in means)
        if width and width["relative"]
        else 1.0
    )
    return (
        _Question(metric, group, analysis["prefer"], width["amount"] * scale if width else 0.0),
        y,
    )


def _columns(space: Space) -> tuple[list[_Column], NDArray[np.float64]]:
    """Return the columns in which boxes are found, and the points' places in them: one for an axis
    of numbers, one for each level of words.
    """
    columns, places = [], []
    for axis, x in zip(space.axes, space.x.T, strict=True):
        if not axis.levels:
            columns.append(_Column(axis, ""))
            places.append(x)
        for place, level in enumerate(
            axis.levels if len(axis.levels) != 2 else axis.levels[1:], start=len(axis.levels) == 2
        ):
            columns.append(_Column(axis, level))
            places.append((x == place).astype(np.float64))
    return columns, np.stack(places, axis=1) if places else np.empty((len(space.points), 0))


def _decided(space: Space, question: _Question, y: dict[str, NDArray[np.float64]]) -> Decision:
    address = f"{space.study.manifest['plan']}/{question.metric}/{question.group}"
    return decide(
        _columns(space)[1], y, prefer=question.prefer, zone=question.zone, address=address
    )


def _selected(question: _Question, space: Space) -> tuple[str, ...]:
    """Return what ranking and selection says of the options over all points, where a smallest
    difference was given.
    """
    values = space.replications(question.metric, question.group)
    first = min(space.design.get("first", 0), *map(len, values.values()))
    if not question.zone or first < 3:
        return ()
    found = select(values, question.zone, first, prefer=question.prefer)
    what = f"the {_better(question)} {_of(question)}, all worlds together"
    if found.best:
        sure = (
            f"if it leads by {question.matters} or more, this is right with a probability of"
            f" {number(100 * found.sure)} % (Kim and Nelson)"
        )
        return (f"{found.best} has {what}: {sure}.",)
    more = counted(max(1, found.most - found.n), "replication")
    return (
        (
            f"Which option has {what}, is not decided between {listed(found.standing)}: up to"
            f" {more} more of each may be needed (Kim and Nelson)."
        ),
    )


def _better(question: _Question) -> str:
    return "lowest" if question.prefer == "low" else "highest"


def _of(question: _Question) -> str:
    return question.metric.replace("_", " ") + (
        f" of {question.group}" if question.group != "all" else ""
    )


# -- words -----------------------------------------------------------------------------------------


def _condition(space: Space, box: Box) -> str:
    """Return the region of *box* in words: "the rate of version changes exceeds 4.1 /year (3.9 to
    4.4) and ...".
    """
    columns = _columns(space)[0]
    told: list[str] = []
    for number_of in dict.fromkeys(end.number for end in box.ends):
        column, ends = columns[number_of], [end for end in box.ends if end.number == number_of]
        if column.level:
            other = column.axis.levels[0] if len(column.axis.levels) == 2 else f"not {column.level}"
            told.append(f"{column.axis.called} is {column.level if ends[0].above else other}")
            continue
        parts = []
        for end in sorted(ends, key=lambda end: not end.above):
            low, high = (column.axis.shown(value) for value in end.interval)
            parts.append(
                f"{'exceeds' if end.above else 'is below'} {column.axis.shown(end.at)} (95 %"
                f" interval {low} to {high})"
            )
        told.append(f"{column.axis.called} {' and '.join(parts)}")
    return listed(told)


def _share(value: float, reach: tuple[float, float]) -> str:
    told, low, high = (number(round(100 * share)) for share in (value, *reach))
    return f"{told} % ({low} to {high})"


def _sentences(
    space: Space, question: _Question | None, decision: Decision | None, grades: dict[str, str]
) -> list[str]:
    if question is None or decision is None:
        return []
    n = len(space.points)
    first = f"Over {counted(len(space.points), 'world')} within the ranges of the assumptions"
    best = f"{decision.prefer} has the {_better(question)} {_of(question)} on average"
    if not decision.wins:
        return [f"{first}, {best}, and in every one of them: no assumption flips the decision."]
    rivals = listed(
        [f"{name} in {number(round(100 * wins / n, 1))} %" for name, wins in decision.wins.items()]
    )
    told = []
    if not decision.boxes:
        told.append(
            f"{first}, {best}. Another option is the better one in some ({rivals}), but in no"
            " region that can be told from chance."
        )
    else:
        unless = "; or unless ".join(
            f"{_condition(space, box)}: then prefer {box.rival}" for box in decision.boxes
        )
        told.append(f"Prefer {decision.prefer} unless {unless}.")
        by = f" by more than {question.matters}" if question.zone else ""
        told.append(
            f"{first}, {best}, and no other is better{by} in"
            f" {number(round(100 * decision.share, 1))} % of them. Better is {rivals}."
        )
        for place, box in enumerate(decision.boxes, start=1):
            which = (
                f"Region {place}, of {box.rival},"
                if len(decision.boxes) > 1
                else f"The region of {box.rival}"
            )
            told.append(
                f"{which} holds {_share(box.coverage, box.coverage_interval)} of the worlds in"
                f" which it is the better one; in {_share(box.density, box.density_interval)} of"
                " the worlds of the region it is (95 % intervals from redrawn worlds and"
                " replications)."
            )
        told.append(_flipping(space, decision, grades))
    return told


def _moved_alone(space: Space, question: _Question, y: dict[str, NDArray[np.float64]]) -> list[str]:
    """Return what is best at the first point, and at which end of which assumption, moved alone,
    another option is the better one.
    """
    sign = 1 if question.prefer == "high" else -1
    best = max(y, key=lambda name: sign * float(y[name][0].mean()))
    told = []
    for place in range(1, len(space.points)):
        rival = max(y, key=lambda name: sign * float(y[name][place].mean()))
        apart = METRICS[question.metric].difference(
            y[rival][place].tolist(), y[best][place].tolist()
        )
        if sign * apart.value > question.zone:
            moved = [
                axis
                for axis, here, there in zip(space.axes, space.x[place], space.x[0], strict=True)
                if here != there
            ]
            where = listed(
                [
                    f"{axis.called} at {axis.at(space.x[place][space.axes.index(axis)])}"
                    for axis in moved
                ]
            )
            sure = (
                ""
                if apart.n > 1 and sign * (apart.low if sign > 0 else apart.high) > 0
                else ", which may be chance"
            )
            told.append(
                f"With {where} alone, {rival} is the better one, by"
                f" {_said(apart, question.metric)}{sure}."
            )
    ranking = _at_first(question, y)
    first = (
        f"With every assumption as it is, {best} has the {_better(question)}"
        f" {_of(question)}{ranking.doubt_of(best, str)}"
    )
    if not told:
        return [f"{first}; no assumption moved alone to the end of its range changes that."]
    return [f"Prefer {best}, unless an assumption is as follows. {told[0]}", *told[1:], f"{first}."]


def _at_first(question: _Question, y: dict[str, NDArray[np.float64]]) -> Ranking[str]:
    """Return the options ranked at the first point, where every assumption is as it is."""
    metric = METRICS[question.metric]
    values = {name: [float(value) for value in of[0]] for name, of in y.items()}
    return Ranking(
        metric,
        [Entry(name, metric.estimate(of), dict(enumerate(of))) for name, of in values.items()],
    )


def _flippers(space: Space, decision: Decision | None) -> list[Axis]:
    """Return the assumptions that bound a region in which the decision flips."""
    columns = _columns(space)[0]
    return list(
        dict.fromkeys(
            columns[end.number].axis
            for box in (decision.boxes if decision else ())
            for end in box.ends
        )
    )


def _flipping(space: Space, decision: Decision, grades: dict[str, str]) -> str:
    flippers = _flippers(space, decision)
    named = listed([f"{axis.path} (evidence of grade {grades[axis.path]})" for axis in flippers])
    rest = [axis.path for axis in space.axes if axis not in flippers]
    also = (
        f" {listed(rest)} {'bounds' if len(rest) == 1 else 'bound'} no such region within the"
        " ranges tried."
        if rest
        else ""
    )
    return (
        f"{'The assumption that flips' if len(flippers) == 1 else 'The assumptions that flip'} the"
        f" decision: {named}.{also}"
    )


def _boxes_grid(
    space: Space, question: _Question | None, decision: Decision | None
) -> tuple[Grid, ...]:
    if question is None or decision is None or not decision.boxes:
        return ()
    rows = tuple(
        (
            decision.prefer,
            _condition(space, box),
            box.rival,
            _share(box.coverage, box.coverage_interval),
            _share(box.density, box.density_interval),
        )
        for box in decision.boxes
    )
    note = (
        "Coverage: share of the worlds in which the other is the better one that lie in the region."
        " Density: share of the region's worlds in which it is."
    )
    return (
        Grid(
            "T15a. Where the decision flips",
            ("prefer", "unless", "then prefer", "coverage", "density"),
            rows,
            note,
            page_only=True,
        ),
    )


def _evidence_grid(
    space: Space, decision: Decision | None, grades: dict[str, str]
) -> tuple[Grid, ...]:
    if not space.axes:
        return ()
    flippers = _flippers(space, decision)
    known = sorted(
        space.axes,
        key=lambda axis: (axis not in flippers, "DCBA–".find(grades[axis.path]), axis.path),
    )
    rows = tuple(
        (
            axis.path,
            axis.reach,
            grades[axis.path],
            MEANING.get(grades[axis.path], "–"),
            "yes" if axis in flippers else "no",
        )
        for axis in known
    )
    return (
        Grid(
            "T15b. The assumptions varied, by evidence",
            ("assumption", "range", "grade", "evidence", "flips the decision"),
            rows,
        ),
    )


def _said(apart: Difference, metric: str) -> str:
    """Return the size of a difference of *metric*, with its unit."""
    share = METRICS[metric].unit == "share"
    size = negative(apart) if apart.value < 0 else apart
    return interval(
        size, 100 if share else 1, "percentage points" if share else METRICS[metric].unit
    )


# -- drivers ---------------------------------------------------------------------------------------


def _driven(
    space: Space,
    analysis: dict[str, Any],
    question: _Question | None,
    y: dict[str, NDArray[np.float64]],
    decision: Decision | None,
) -> list[Drivers]:
    """Return what drives the lead of the preferred option, and each metric asked for, of the
    preferred option.
    """
    methods = tuple(analysis["methods"])
    found = []
    best = decision.prefer if decision else (space.options[0] if space.options else "")
    if question:
        sign = 1 if question.prefer == "high" else -1
        ranked = sorted(y, key=lambda name: -sign * float(y[name].mean()))
        best, rival = ranked[0], next(iter(decision.wins), ranked[1]) if decision else ranked[1]
        found.append(
            drivers(space, question.metric, f"{best} less {rival}", y[best] - y[rival], methods)
        )
    for metric in analysis["sensitivity"]:
        group = question.group if question and question.metric == metric else "all"
        values = space.y(metric, group)
        if values:
            found.append(drivers(space, metric, best, values[best], methods))
    return found[:_MOST_DRIVEN]


def _picture(found: Drivers, place: int, n: int) -> Picture:
    name = "f15_drivers" if n == 1 else f"f15_drivers_{place + 1}"
    title = (
        f"What drives {found.metric.replace('_', ' ')}{f' of {found.what}' if found.what else ''}"
    )
    read = (
        "Left: the metric at the high end of each assumption less that at its low end. Right:"
        " shares of the variance. Bars: 95 % intervals."
    )
    return Picture(name, title, read, sentence(found), partial(_draw, found))


def _draw(found: Drivers) -> Figure:
    from sim.report.tornado import tornado

    return tornado(found)
