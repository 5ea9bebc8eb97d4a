"""The points of a design: which levels go together, before options multiply them.

A point is a mapping from factor to level; what it leaves out stays as it is in the scenario. Points
are numbered in the order the design makes them, and the number is kept with every cell that stands
for one: cells of different options at one point differ in their option alone, also where a factor
applies to only some of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Final

from sim.scenario.experiments import SAMPLED, Experiment
from sim.scenario.factors import Factor, Level
from sim.scenario.faults import Fault, ScenarioError, did_you_mean
from sim.scenario.samples import unit_points
from sim.scenario.tree import Node, text_of
from sim.units import shown

OPTION: Final = "option"


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a design: its *name* ("" where its levels name it) and its *levels* by factor."""

    name: str
    levels: dict[str, Level]


def points(
    experiment: Experiment, tree: Node, factors: Sequence[Factor], seed: object
) -> list[Point]:
    """Return the points of the design of *experiment*, read from *tree*; raises `ScenarioError`
    when it is none.
    """
    _refuse(experiment, tree, factors)
    names = [factor.path for factor in factors]
    if experiment.cases:
        return _cases(tree)
    if experiment.design in SAMPLED:
        assert experiment.points is not None
        rows = unit_points(experiment.design, names, experiment.points, seed)
        digits = len(str(len(rows) - 1))
        return [
            Point(
                f"s{n:0{digits}}", {factor.path: factor.at(row[factor.path]) for factor in factors}
            )
            for n, row in enumerate(rows)
        ]
    if experiment.design == "one_at_a_time":
        alone = [
            Point(f"{factor.path.rpartition('.')[2]}_{level.text}", {factor.path: level})
            for factor in factors
            for level in factor.ends
        ]
        return [Point("base", {}), *alone]
    levels = [factor.levels for factor in factors]
    rows_of = product(*levels) if experiment.design == "grid" else zip(*levels, strict=True)
    return [Point("", dict(zip(names, row, strict=True))) for row in rows_of] or [Point("", {})]


def n_points(experiment: Experiment, factors: Sequence[Factor]) -> int:
    """Return how many points the design of *experiment* has, without making them."""
    sizes = [len(factor.levels) for factor in factors]
    n = experiment.points or 0
    return {
        "grid": prod(sizes),
        "list": max(sizes, default=1),
        "cases": len(experiment.cases),
        "latin_hypercube": n,
        "sobol": n,
        "saltelli": n * (len(factors) + 2),
        "one_at_a_time": 1 + sum(len(factor.ends) for factor in factors),
    }["cases" if experiment.cases else experiment.design]


def applied(point: Point, option: str, factors: Sequence[Factor]) -> dict[str, Level]:
    """Return the levels of *point* that apply to *option*; a factor that depends on one that does
    not apply does not either.
    """
    levels = dict(point.levels)
    for factor in factors:  # a condition is on factors written above
        for name, wanted in factor.when:
            here = option if name == OPTION else levels[name].text if name in levels else None
            if here not in wanted:
                levels.pop(factor.path, None)
    return levels


def is_excluded(experiment: Experiment, option: str, levels: Mapping[str, Level]) -> bool:
    """Whether `exclude` leaves out the cell of *option* at *levels*."""
    here = {OPTION: option} | {name: level.text for name, level in levels.items()}
    source = experiment._source
    assert source is not None
    return any(
        all(here.get(name) in _texts(wanted) for name, wanted in entry.items())
        for entry in _exclusions(source)
    )


def _texts(node: Node) -> list[str]:
    return (
        [text_of(child) for child in node.value]
        if isinstance(node.value, list)
        else [text_of(node)]
    )


def _exclusions(tree: Node) -> Iterator[dict[str, Node]]:
    assert isinstance(tree.value, dict)
    node = tree.value.get("exclude")
    for entry in node.value if node is not None and isinstance(node.value, list) else []:
        assert isinstance(entry.value, dict)
        yield entry.value


def _cases(tree: Node) -> list[Point]:
    assert isinstance(tree.value, dict)
    listed = tree.value["cases"].value
    if isinstance(listed, dict):
        named = list(listed.items())
    else:
        assert isinstance(listed, list)
        named = []
        for case in listed:
            assert isinstance(case.value, dict)
            is_named = set(case.value) == {"name", "set"}
            named.append(
                (text_of(case.value["name"]), case.value["set"]) if is_named else ("", case)
            )
    return [
        Point(
            name,
            {
                path: Level(text_of(value), ((path, value),), value)
                for path, value in case.value.items()
            },
        )
        for name, case in named
        if isinstance(case.value, dict)
    ]


def _refuse(experiment: Experiment, tree: Node, factors: Sequence[Factor]) -> None:
    """Raise `ScenarioError` when design, factors, cases and points do not go together, or `exclude`
    names what is not there.
    """
    faults = [*_unfit(experiment, tree, factors), *_unknown_exclusions(experiment, tree, factors)]
    if faults:
        raise ScenarioError(faults)


def _unfit(experiment: Experiment, tree: Node, factors: Sequence[Factor]) -> Iterator[Fault]:
    assert isinstance(tree.value, dict)
    design = experiment.design
    n = experiment.points
    entries = tree.value
    place = entries.get("design", tree)
    if experiment.cases or design == "cases":
        if not experiment.cases:
            yield place.fault("design", "an empty design; cases are due: a list of {path: value}")
        for key in ("factors", "points"):
            if experiment.cases and entries.get(key) is not None:
                yield entries[key].fault(
                    key,
                    "is beside cases, which say all themselves; keep one of the two",
                    at_key=True,
                )
        if experiment.cases and design not in ("cases", "grid"):
            yield place.fault(
                "design", f"is {design}, and cases are listed one by one; leave the design out"
            )
        return
    if not factors and (design in SAMPLED or design == "one_at_a_time"):
        yield place.fault("design", f"an empty design; {design} varies factors, and there are none")
    elif design in SAMPLED and n is None:
        yield place.fault(
            "design",
            f"{design} draws points from the ranges of the factors; write how many (points: 64)",
        )
    elif design not in SAMPLED and n is not None:
        yield entries["points"].fault(
            "points",
            f"a design of {design} has as many points as its levels make; leave points out, or"
            " sample",
            at_key=True,
        )
    elif design in ("sobol", "saltelli") and n is not None and n & (n - 1):
        below = 1 << n.bit_length() - 1
        yield entries["points"].fault(
            "points",
            f"{n} is not a power of 2, which a Sobol' sequence needs to be even; write {below} or"
            f" {2 * below}",
        )
    if design in ("grid", "list"):
        sizes = {factor.path: len(factor.levels) for factor in factors}
        for factor in factors:
            if factor.sampled:
                yield factor.place.fault(
                    f"factors.{factor.path}",
                    f"has a range, and a {design} takes levels; list them, or sample"
                    " (latin_hypercube, sobol)",
                )
        if design == "list" and len(set(sizes.values())) > 1:
            told = ", ".join(f"{path} has {size}" for path, size in sizes.items())
            yield entries["factors"].fault(
                "factors", f"a list takes as many levels from every factor; {told}"
            )


def _unknown_exclusions(
    experiment: Experiment, tree: Node, factors: Sequence[Factor]
) -> Iterator[Fault]:
    known: dict[str, list[str]] = {
        factor.path: [level.text for level in factor.levels] for factor in factors
    }
    for point in _cases(tree) if experiment.cases else []:
        for path, level in point.levels.items():
            known.setdefault(path, []).append(level.text)
    known |= {OPTION: list(experiment.options)} if experiment.options else {}
    for number, entry in enumerate(_exclusions(tree)):
        for name, node in entry.items():
            path = f"exclude.{number}.{name}"
            if name not in known:
                yield node.fault(
                    path,
                    "does not vary here; what does:"
                    f" {', '.join(known) or 'nothing'}{did_you_mean(name, known)}",
                    at_key=True,
                )
            elif not known[name]:
                yield node.fault(
                    path,
                    "is sampled from a range, and has no level to leave out; narrow its range"
                    " instead",
                    at_key=True,
                )
            else:
                few = ", ".join(dict.fromkeys(known[name][:12]))
                wrong = [text for text in _texts(node) if text not in known[name]]
                yield from (
                    node.fault(
                        path,
                        f"{shown(text)} is not a level of {name}; they are"
                        f" {few}{did_you_mean(text, known[name])}",
                    )
                    for text in wrong
                )
