"""An experiment becomes cells: one scenario for each option at each combination of levels.

A cell is the experiment's scenario under its `set`, then the option, then the levels, then its seed and replications, then `--set`. Cells stand in the order of
the file: options first, then the levels, the last factor fastest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, count, product
from math import prod
from pathlib import Path
from typing import Final

from sim.scenario.compose import composed, located, overlaid, put, read, shipped
from sim.scenario.experiments import Experiment
from sim.scenario.faults import MOST_FAULTS, Fault, ScenarioError, did_you_mean
from sim.scenario.schema import Scenario
from sim.scenario.tree import Node, text_of
from sim.scenario.validate import scenario_of
from sim.units import shown

MOST_CELLS: Final = 10_000
_ABOUT_THE_FILE: Final = ("schema_version", "name", "question", "extends", "seed", "replications")


@dataclass(frozen=True, slots=True)
class Cell:
    """One world of an experiment: its *name* (a slug), the *option* ("" where there is none), the *levels* as written, by path, and the *scenario*."""

    name: str
    option: str
    levels: dict[str, str]
    scenario: Scenario


@dataclass(frozen=True, slots=True)
class _Plan:
    """A cell before its scenario is built: *overlays* to lay on and *levels* to put in, and the *place* in the file that stands for it."""

    name: str
    option: str
    levels: tuple[tuple[str, Node], ...]
    overlay: Node | None
    place: Node


def cells(source: Scenario | Experiment) -> tuple[Cell, ...]:
    """Return the cells of an experiment, or the one cell `base` of a scenario; raises `ScenarioError` with the faults of all cells."""
    if isinstance(source, Scenario):
        return (Cell("base", "", {}, source),)
    tree = source._source
    assert tree is not None, "an experiment comes from load()"
    plans = _plans(source, tree)
    base = _base(source, tree)
    standing = _faults_of(base)
    found: list[Cell] = []
    faults: list[Fault] = []
    for plan in plans:
        try:
            scenario = scenario_of(_tree_of(source, base, plan), [], tree.file)
        except ScenarioError as problem:
            faults += [fault if fault in standing else _placed(fault, plan, tree.file) for fault in problem.faults]
            if len(faults) >= MOST_FAULTS:
                break
        else:
            found.append(Cell(plan.name, plan.option, {path: text_of(level) for path, level in plan.levels}, scenario))
    if faults:
        raise ScenarioError(faults)
    return tuple(found)


def _plans(experiment: Experiment, tree: Node) -> list[_Plan]:
    """Return a plan for every cell; raises `ScenarioError` for what is wrong with the design itself."""
    options: list[tuple[str, Node | None, Node]] = [*_options(tree)] or [("", None, tree)]
    factors = _factors(tree)
    _refuse_design(experiment, tree, len(options), factors)
    levels = [[(path, level) for level in values] for path, values in factors.items()]
    combinations = list(product(*levels) if experiment.design == "grid" else zip(*levels, strict=True)) or [()]
    taken: set[str] = set()
    plans = []
    for option, overlay, place in options:
        for combination in combinations:
            name = _slug([option, *(text_of(level) for _, level in combination)])
            name = next(unique for unique in chain([name], (f"{name[:58]}_{n}" for n in count(2))) if unique not in taken)
            taken.add(name)
            plans.append(_Plan(name, option, combination, overlay, combination[-1][1] if combination and overlay is None else place))
    _refuse_comparison(experiment, tree, plans)
    return plans


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
        yield name, child if isinstance(child.value, dict) else _shipped_overlay(child, tree.file), child


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
        message = f"{shown(reference)} is neither a shipped overlay nor a file beside this one; sim list shows what is shipped{hint}"
        raise ScenarioError([node.fault("options", message)]) from None
    if faults:
        raise ScenarioError(faults)
    assert isinstance(tree.value, dict)
    return replace(tree, value={key: child for key, child in tree.value.items() if key not in _ABOUT_THE_FILE})


def _factors(tree: Node) -> dict[str, list[Node]]:
    node = _entry(tree, "factors")
    entries = node.value if node is not None and isinstance(node.value, dict) else {}
    return {path: child.value for path, child in entries.items() if isinstance(child.value, list)}


def _entry(tree: Node, key: str) -> Node | None:
    assert isinstance(tree.value, dict)
    node = tree.value.get(key)
    return node if node is not None and node.value is not None else None


def _refuse_design(experiment: Experiment, tree: Node, n_options: int, factors: dict[str, list[Node]]) -> None:
    node = _entry(tree, "factors") or tree
    faults = []
    sizes = {path: len(levels) for path, levels in factors.items()}
    if experiment.design == "list" and len(set(sizes.values())) > 1:
        counts = ", ".join(f"{path} has {n}" for path, n in sizes.items())
        faults.append(node.fault("factors", f"a list takes as many levels from every factor; {counts}"))
    n_cells = n_options * (prod(sizes.values()) if experiment.design == "grid" else max(sizes.values(), default=1))
    if n_cells > MOST_CELLS:
        faults.append(node.fault("factors", f"{n_cells:,} cells; an experiment has at most {MOST_CELLS:,}"))
    for path, levels in factors.items():
        texts = [text_of(level) for level in levels]
        faults += [level.fault(f"factors.{path}", f"the level {text_of(level)} is listed twice") for i, level in enumerate(levels) if texts[i] in texts[:i]]
    for path, value in experiment._sets:
        if any(f"{path}.".startswith(f"{factor}.") for factor in factors):
            faults.append(value.fault(path, "is a factor of this experiment and takes its levels; set factors instead", at_key=True))
    if faults:
        raise ScenarioError(faults)


def _refuse_comparison(experiment: Experiment, tree: Node, plans: list[_Plan]) -> None:
    faults = []
    known = list(dict.fromkeys([plan.option for plan in plans if plan.option] + [plan.name for plan in plans]))
    comparator = _entry(tree, "comparator")
    if comparator is not None and experiment.comparator not in known:
        name = str(experiment.comparator)
        few = f"{', '.join(known[:12])}{', ...' if len(known) > 12 else ''}"
        faults.append(comparator.fault("comparator", f"{shown(name)} is neither an option nor a cell; they are {few}{did_you_mean(name, known)}"))
    primary = _entry(tree, "primary")
    if primary is not None and experiment.metrics and experiment.primary not in experiment.metrics:
        hint = did_you_mean(str(experiment.primary), experiment.metrics)
        faults.append(primary.fault("primary", f"{experiment.primary} is not among the metrics: {', '.join(experiment.metrics)}{hint}"))
    if faults:
        raise ScenarioError(faults)


def _base(experiment: Experiment, tree: Node) -> Node:
    """Return the tree of the scenario the experiment starts from, under its `set`."""
    ours = shipped()
    path = located(experiment.scenario) if experiment.scenario in ours else Path(tree.file).parent / experiment.scenario
    node = _entry(tree, "scenario")
    assert node is not None
    try:
        base, faults = composed(path)
    except ScenarioError as problem:
        if problem.faults[0].message != "no such file":
            raise
        hint = did_you_mean(experiment.scenario, ours)
        message = f"{shown(experiment.scenario)} is neither the name of a shipped scenario nor a file beside this one{hint}"
        raise ScenarioError([node.fault("scenario", message)]) from None
    if isinstance(base.value, dict) and "experiment" in base.value:
        raise ScenarioError([node.fault("scenario", "is an experiment; an experiment starts from a scenario")])
    if faults:
        raise ScenarioError(faults)
    overlay = _entry(tree, "set")
    return base if overlay is None else overlaid(base, overlay)


def _tree_of(experiment: Experiment, base: Node, plan: _Plan) -> Node:
    tree = base if plan.overlay is None else overlaid(base, plan.overlay)
    for path, level in plan.levels:
        tree = put(tree, path.split("."), level)
    source = experiment._source
    assert source is not None
    for key in ("seed", "replications"):
        value = _entry(source, key)
        tree = tree if value is None else put(tree, (key,), value)
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
    """Return *fault* with a place in the experiment's own file: a fault that only an option or a level brings about stands in neither file alone."""
    if fault.file in (file, "--set"):
        return fault
    return replace(fault, file=plan.place.file, line=plan.place.line, column=plan.place.column, message=f"in cell {plan.name}: {fault.message}")


def _slug(parts: list[str]) -> str:
    """Return a name for the cell of *parts* that can be a folder: "p4-1d-0p5pc"."""
    words = []
    for part in filter(None, parts):
        word = part.lower().replace("%", "pc").replace("/", "per").replace(".", "p")
        word = re.sub(r"(?<=[0-9]) +(?=[a-z])", "", word)
        words.append(re.sub(r"[^a-z0-9_-]+", "_", word).strip("_-") or "x")
    return "-".join(words)[:64].strip("_-") or "base"
