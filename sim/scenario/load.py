"""Read a scenario or an experiment by name or path, and write a scenario out in full."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence

from sim.scenario.compose import (
    assignments,
    composed,
    located,
    put,
    read,
    shipped,
    without_its_premises,
)
from sim.scenario.experiments import Experiment
from sim.scenario.faults import Fault, ScenarioError
from sim.scenario.schema import Scenario
from sim.scenario.stages import canonical
from sim.scenario.tree import Node, core
from sim.scenario.validate import experiment_of, scenario_of

__all__ = ["Fault", "ScenarioError", "load", "resolved", "shipped"]


def load(name_or_path: str | os.PathLike[str], sets: Sequence[str] = ()) -> Scenario | Experiment:
    """Return the scenario or experiment called or at *name_or_path*, changed by *sets* (each
    `path=value`); raises `ScenarioError`.

    For an experiment, a path that begins with one of its own keys changes the experiment; any other
    is set in the scenario of every cell, last of all.
    """
    changes = assignments(sets)
    path = located(name_or_path)
    tree, faults = read(path)
    if isinstance(tree.value, dict) and "experiment" in tree.value:
        own = [
            (where, value)
            for where, value in changes
            if where.partition(".")[0] in Experiment.model_fields
        ]
        tree = _changed(tree, own)
        experiment = experiment_of(tree, faults)
        experiment._source = tree
        experiment._sets = tuple(change for change in changes if change not in own)
        return experiment
    tree, faults = composed(path)
    return scenario_of(_changed(without_its_premises(tree, changes), changes), faults, tree.file)


def _changed(tree: Node, changes: Sequence[tuple[str, Node]]) -> Node:
    faults: list[Fault] = []
    known: dict[str, str] = {}
    for path, value in changes:
        leaf = canonical(path, tree)
        if leaf in known:
            faults.append(value.fault(path, f"is {known[leaf]}, which is set already", at_key=True))
        known[leaf] = path
        try:
            tree = put(tree, path.split("."), value)
        except ScenarioError as problem:
            faults += problem.faults
    if faults:
        raise ScenarioError(faults)
    return tree


def resolved(scenario: Scenario) -> str:
    """Return *scenario* as canonical YAML: every field, with its unit, in the schema's order. It
    loads to an equal scenario, and its hash identifies it.
    """
    return (
        "\n".join(_lines(scenario.model_dump(mode="json", exclude_none=True, by_alias=True), ""))
        + "\n"
    )


def _lines(mapping: dict[str, object], indent: str) -> Iterator[str]:
    for key, value in mapping.items():
        if isinstance(value, dict) and value:
            yield f"{indent}{_text(key)}:"
            yield from _lines(value, indent + "  ")
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            yield f"{indent}{_text(key)}:"
            for item in value:
                first, *rest = _lines(item, indent + "    ")
                yield f"{indent}  - {first.lstrip()}"
                yield from rest
        elif isinstance(value, list):
            yield f"{indent}{_text(key)}: [{', '.join(_text(item) for item in value)}]"
        else:
            yield f"{indent}{_text(key)}: {_text(value)}"


def _text(value: object) -> str:
    """Return a single value as YAML: text is quoted unless it is plainly text."""
    if (
        isinstance(value, str)
        and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_ ./%-]*", value)
        and not value.endswith(" ")
        and isinstance(core(value), str)
    ):
        return value
    return json.dumps(value, ensure_ascii=False)
