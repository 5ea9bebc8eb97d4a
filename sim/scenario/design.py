"""An experiment becomes cells: one scenario for each option at each point of its design.

A cell is the experiment's scenario under its `set`, then the option, then the levels, then its seed
and replications, then `--set`. Cells stand in the order of the file: options first, then the points
of the design, the last factor fastest. What two points or more ask of an option alike, because a
factor does not apply to it or two samples round to one value, is one cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Final

from sim.scenario.combinations import Point, applied, is_excluded, n_points, points
from sim.scenario.compose import composed, located, overlaid, put, read, shipped
from sim.scenario.experiments import Experiment
from sim.scenario.factors import OF_THE_EXPERIMENT, Factor, Level, belongs, factors
from sim.scenario.faults import MOST_FAULTS, Fault, ScenarioError, did_you_mean
from sim.scenario.schema import Scenario
from sim.scenario.stages import canonical
from sim.scenario.tree import Node, find
from sim.scenario.validate import scenario_of
from sim.units import shown

__all__ = ["MOST_CELLS", "Cell", "Factor", "cells", "factors_of"]

MOST_CELLS: Final = 10_000  # more are made when they are asked for twice
_MOST_AT_ALL: Final = 1_000_000
_ABOUT_THE_FILE: Final = ("schema_version", "name", "question", "extends", "seed", "replications")


@dataclass(frozen=True, slots=True)
class Cell:
    """One world of an experiment: its *name* (a slug), the *option* ("" where there is none), the
    *levels* as written, by factor, and the *scenario*.

    *points* are the points of the design it stands for, numbered from 0 in the design's order:
    cells of two options that share one are to be compared.
    """

    name: str
    option: str
    levels: dict[str, str]
    scenario: Scenario
    points: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A cell before its scenario is built: *overlay* to lay on and *levels* to put in, and the
    *place* in the file that stands for it.
    """

    name: str
    option: str
    levels: dict[str, Level]
    overlay: Node | None
    place: Node
    points: list[int]


def factors_of(experiment: Experiment) -> tuple[Factor, ...]:
    """Return what varies in *experiment*, in the order of the file (cases vary no factor); raises
    `ScenarioError` with what is wrong with them.
    """
    tree = _tree(experiment)
    return factors(experiment, tree, _base(experiment, tree))


def cells(source: Scenario | Experiment, *, yes: bool = False) -> tuple[Cell, ...]:
    """Return the cells of an experiment, or the one cell `base` of a scenario; raises
    `ScenarioError` with the faults of all cells.

    More than `MOST_CELLS` are a fault too, unless *yes*.
    """
    if isinstance(source, Scenario):
        return (Cell("base", "", {}, source),)
    tree = _tree(source)
    base = _base(source, tree)
    plans = _plans(source, tree, base, yes=yes)
    standing = _faults_of(base)
    found: list[Cell] = []
    faults: list[Fault] = []
    for plan in plans:
        try:
            scenario = scenario_of(_tree_of(source, base, plan), [], tree.file)
        except ScenarioError as problem:
            faults += [
                fault if fault in standing else _placed(fault, plan, tree.file)
                for fault in problem.faults
            ]
            if len(faults) >= MOST_FAULTS:
                break
        else:
            found.append(
                Cell(
                    plan.name,
                    plan.option,
                    {name: level.text for name, level in plan.levels.items()},
                    scenario,
                    tuple(plan.points),
                )
            )
    if faults:
        raise ScenarioError(faults)
    return tuple(found)


def _tree(experiment: Experiment) -> Node:
    assert experiment._source is not None, "an experiment comes from load()"
    return experiment._source


def _plans(experiment: Experiment, tree: Node, base: Node, *, yes: bool) -> list[_Plan]:
    """Return a plan for every cell; raises `ScenarioError` for what is wrong with the design
    itself.
    """
    options: list[tuple[str, Node | None, Node]] = [*_options(tree)] or [("", None, tree)]
    varied = _varied(experiment, tree, base, options)
    n_cells = len(options) * n_points(experiment, varied)
    _refuse_design(experiment, (tree, base), n_cells, varied, yes=yes)
    seed = experiment.seed if experiment.seed is not None else find(base, ("seed",))[0].value
    design = points(experiment, tree, varied, seed)
    taken: set[str] = set()
    plans: list[_Plan] = []
    for option, overlay, place in options:
        known: dict[tuple[tuple[str, str], ...], _Plan] = {}
        for number, point in enumerate(design):
            levels = applied(point, option, varied)
            key = tuple((name, level.text) for name, level in levels.items())
            if key in known:
                known[key].points.append(number)
            elif not is_excluded(experiment, option, levels):
                here = [*levels.values()][-1].place if levels and overlay is None else place
                known[key] = _Plan(
                    _name(option, point, levels, taken), option, levels, overlay, here, [number]
                )
        plans += known.values()
    if not plans:
        node = _entry(tree, "exclude") or tree
        raise ScenarioError(
            [node.fault("exclude", "an empty design: it leaves out every cell", at_key=True)]
        )
    _refuse_comparison(experiment, tree, plans)
    return plans


def _varied(
    experiment: Experiment,
    tree: Node,
    base: Node,
    options: list[tuple[str, Node | None, Node]],
) -> tuple[Factor, ...]:
    """Return what varies beside the *options*; raises `ScenarioError` with all that cannot."""
    faults = [*_not_of_a_world(tree, options)]
    try:
        varied = factors(experiment, tree, base)
    except ScenarioError as problem:
        raise ScenarioError([*faults, *problem.faults]) from None
    if faults:
        raise ScenarioError(faults)
    return varied


def _not_of_a_world(tree: Node, options: list[tuple[str, Node | None, Node]]) -> Iterator[Fault]:
    """Yield a fault for each thing that an option or a case sets and that is of the experiment."""
    named = [(f"options.{name}", overlay) for name, overlay, _ in options if overlay is not None]
    cases = _entry(tree, "cases")
    listed = [] if cases is None else cases.value
    if isinstance(listed, list):
        named += [(f"cases.{n}", case) for n, case in enumerate(listed)]
    if isinstance(listed, dict):
        named += [(f"cases.{name}", case) for name, case in listed.items()]
    for where, block in named:
        entries = block.value if isinstance(block.value, dict) else {}
        inner = entries["set"].value if set(entries) == {"name", "set"} else entries
        for path, value in inner.items() if isinstance(inner, dict) else ():
            if path in OF_THE_EXPERIMENT:
                yield value.fault(f"{where}.{path}", belongs(path), at_key=True)


def _name(option: str, point: Point, levels: dict[str, Level], taken: set[str]) -> str:
    """Return a name for the cell of *option* at *point* that is not among those *taken*, and take
    it.
    """
    name = _slug(
        [option, *([point.name] if point.name else [level.text for level in levels.values()])]
    )
    name = next(
        unique
        for unique in chain([name], (f"{name[:58]}_{n}" for n in count(2)))
        if unique not in taken
    )
    taken.add(name)
    return name


def _options(tree: Node) -> Iterator[tuple[str, Node, Node]]:
    """Yield name, overlay and place in the file of every option."""
    node = _entry(tree, "options")
    if node is None:
        return
    if isinstance(node.value, dict):
        named = [(name, child) for name, child in node.value.items() if child.value is not None]
    else:
        assert isinstance(node.value, list)
        named = []
        for item in node.value:
            if isinstance(item.value, dict):
                named.append((str(item.value["name"].value), item.value["set"]))
            else:
                named.append((str(item.value).rpartition("/")[2], item))
    for name, child in named:
        yield (
            name,
            child if isinstance(child.value, dict) else _shipped_overlay(child, tree.file),
            child,
        )


def _shipped_overlay(node: Node, file: str) -> Node:
    """Return what the scenario file that *node* names changes itself, beside what it extends."""
    reference, ours = str(node.value), shipped()
    if reference in ours or f"policies/{reference}" in ours:
        path = located(reference if reference in ours else f"policies/{reference}")
    else:
        path = Path(file).parent / reference
    try:
        tree, faults = read(path)
    except ScenarioError as problem:
        if problem.faults[0].message != "no such file":
            raise
        hint = did_you_mean(reference, [name.removeprefix("policies/") for name in ours])
        message = (
            f"{shown(reference)} is neither a shipped overlay nor a file beside this one; sim list"
            f" shows what is shipped{hint}"
        )
        raise ScenarioError([node.fault("options", message)]) from None
    if faults:
        raise ScenarioError(faults)
    assert isinstance(tree.value, dict)
    return replace(
        tree, value={key: child for key, child in tree.value.items() if key not in _ABOUT_THE_FILE}
    )


def _entry(tree: Node, key: str) -> Node | None:
    assert isinstance(tree.value, dict)
    node = tree.value.get(key)
    return node if node is not None and node.value is not None else None


def _refuse_design(
    experiment: Experiment,
    trees: tuple[Node, Node],
    n_cells: int,
    varied: tuple[Factor, ...],
    *,
    yes: bool,
) -> None:
    """Raise `ScenarioError` for a design of too many cells, or a factor that is set from outside.
    *trees* are the experiment and the scenario that it starts from.
    """
    tree, base = trees
    node = _entry(tree, "factors") or _entry(tree, "cases") or tree
    faults = []
    if n_cells > _MOST_AT_ALL:
        faults.append(
            node.fault(
                "factors", f"{n_cells:,} cells; no experiment has more than {_MOST_AT_ALL:,}"
            )
        )
    elif n_cells > MOST_CELLS and not yes:
        faults.append(
            node.fault(
                "factors", f"{n_cells:,} cells; more than {MOST_CELLS:,} are made only with --yes"
            )
        )
    paths = [canonical(path, base) for factor in varied for path in factor.paths]
    for path, value in experiment._sets:
        if any(f"{canonical(path, base)}.".startswith(f"{factor}.") for factor in paths):
            faults.append(
                value.fault(
                    path,
                    "is a factor of this experiment and takes its levels; set factors instead",
                    at_key=True,
                )
            )
    if faults:
        raise ScenarioError(faults)


def _refuse_comparison(experiment: Experiment, tree: Node, plans: list[_Plan]) -> None:
    faults = []
    known = list(
        dict.fromkeys(
            [plan.option for plan in plans if plan.option] + [plan.name for plan in plans]
        )
    )
    comparator = _entry(tree, "comparator")
    if comparator is not None and experiment.comparator not in known:
        name = str(experiment.comparator)
        few = f"{', '.join(known[:12])}{', ...' if len(known) > 12 else ''}"
        faults.append(
            comparator.fault(
                "comparator",
                f"{shown(name)} is neither an option nor a cell; they are"
                f" {few}{did_you_mean(name, known)}",
            )
        )
    primary = _entry(tree, "primary")
    if primary is not None and experiment.metrics and experiment.primary not in experiment.metrics:
        hint = did_you_mean(str(experiment.primary), experiment.metrics)
        faults.append(
            primary.fault(
                "primary",
                f"{experiment.primary} is not among the metrics:"
                f" {', '.join(experiment.metrics)}{hint}",
            )
        )
    if faults:
        raise ScenarioError(faults)


def _base(experiment: Experiment, tree: Node) -> Node:
    """Return the tree of the scenario the experiment starts from, under its `set`."""
    ours = shipped()
    path = (
        located(experiment.scenario)
        if experiment.scenario in ours
        else Path(tree.file).parent / experiment.scenario
    )
    node = _entry(tree, "scenario")
    assert node is not None
    try:
        base, faults = composed(path)
    except ScenarioError as problem:
        if problem.faults[0].message != "no such file":
            raise
        hint = did_you_mean(experiment.scenario, ours)
        message = (
            f"{shown(experiment.scenario)} is neither the name of a shipped scenario nor a file"
            f" beside this one{hint}"
        )
        raise ScenarioError([node.fault("scenario", message)]) from None
    if isinstance(base.value, dict) and "experiment" in base.value:
        raise ScenarioError(
            [node.fault("scenario", "is an experiment; an experiment starts from a scenario")]
        )
    if faults:
        raise ScenarioError(faults)
    overlay = _entry(tree, "set")
    return base if overlay is None else overlaid(base, overlay)


def _tree_of(experiment: Experiment, base: Node, plan: _Plan) -> Node:
    tree = base if plan.overlay is None else overlaid(base, plan.overlay)
    for level in plan.levels.values():
        for path, value in level.changes:
            tree = put(tree, path.split("."), value)
    source = experiment._source
    assert source is not None
    for key in ("seed", "replications"):
        own = _entry(source, key)
        tree = tree if own is None else put(tree, (key,), own)
    for path, value in experiment._sets:
        tree = put(tree, path.split("."), value)
    return tree


def _faults_of(base: Node) -> tuple[Fault, ...]:
    try:
        scenario_of(base, [], base.file)
    except ScenarioError as problem:
        return problem.faults
    return ()


def _placed(fault: Fault, plan: _Plan, file: str) -> Fault:
    """Return *fault* with a place in the experiment's own file: a fault that only an option or a
    level brings about stands in neither file alone.
    """
    if fault.file in (file, "--set"):
        return fault
    return replace(
        fault,
        file=plan.place.file,
        line=plan.place.line,
        column=plan.place.column,
        message=f"in cell {plan.name}: {fault.message}",
    )


def _slug(parts: list[str]) -> str:
    """Return a name for the cell of *parts* that can be a folder: "p4-1d-0p5pc"."""
    words = []
    for part in filter(None, parts):
        word = part.lower().replace("%", "pc").replace("/", "per").replace(".", "p")
        word = re.sub(r"(?<=[0-9]) +(?=[a-z])", "", word)
        words.append(re.sub(r"[^a-z0-9_-]+", "_", word).strip("_-") or "x")
    return "-".join(words)[:64].strip("_-") or "base"
