"""What an experiment asks of its results: metrics that exist, precisions that can be reached, and
the design that analyses need to know.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sim.experiment.sequential import Target
from sim.metrics import METRICS
from sim.scenario.assumptions import load_assumptions
from sim.scenario.design import Cell, Factor, cells, factors_of
from sim.scenario.experiments import Experiment, Width
from sim.scenario.faults import Fault, ScenarioError, did_you_mean
from sim.scenario.tree import Node, find


def sound_cells(experiment: Experiment, *, yes: bool = False) -> tuple[Cell, ...]:
    """Return the cells of *experiment* (more than `sim.scenario.design.MOST_CELLS` only if *yes*);
    raises `ScenarioError` with the faults of all of them, and of what it asks of its results.
    """
    every: tuple[Cell, ...] = ()
    faults: list[Fault] = []
    try:
        every = cells(experiment, yes=yes)
    except ScenarioError as problem:
        faults += problem.faults
    try:
        targets_of(experiment)
    except ScenarioError as problem:
        faults += problem.faults
    if faults:
        raise ScenarioError(faults)
    return every


def targets_of(experiment: Experiment) -> tuple[Target, ...]:
    """Return the precisions that *experiment* asks for; raises `ScenarioError` for a metric that
    does not exist, and for a unit that is not the metric's.
    """
    tree = experiment._source
    assert tree is not None
    faults = [
        fault
        for path, name in _named(experiment)
        if (fault := _unknown(tree, path, name)) is not None
    ]
    targets = []
    for name, width in experiment.precision.items():
        metric, _, group = name.partition(".")
        if metric in METRICS:
            faults += _wrong_unit(tree, name, width, METRICS[metric].unit)
            targets.append(
                Target(metric, group, width.amount, width.relative, METRICS[metric].unit)
            )
    selects = experiment.analysis is not None and "select" in experiment.analysis.methods
    if experiment.most_replications is not None and not targets and not selects:
        faults.append(
            find(tree, ("most_replications",))[0].fault(
                "most_replications", "limits a precision, and none is asked for", at_key=True
            )
        )
    if faults:
        raise ScenarioError(faults)
    return tuple(targets)


def most_replications(experiment: Experiment, least: int) -> int:
    """Return the most replications of a cell on the way to a precision, of which *least* are run
    first; raises `ScenarioError` when that is more.
    """
    most = experiment.most_replications
    if most is None:
        most = max(int(row.high) for row in load_assumptions() if row.path == "replications")
    if most < least:
        assert experiment._source is not None
        node = find(experiment._source, ("most_replications",))[0]
        raise ScenarioError(
            [
                node.fault(
                    "most_replications",
                    f"{most} is fewer than the {least} replications that come first",
                )
            ]
        )
    return most


def described(experiment: Experiment) -> dict[str, Any]:
    """Return the design of *experiment* and the analysis it asks for, as the manifest keeps them.
    """
    analysis = experiment.analysis.model_dump(mode="python") if experiment.analysis else None
    kind = "cases" if experiment.cases else experiment.design
    return {
        "kind": kind,
        "points": experiment.points,
        "factors": [_factor(factor) for factor in factors_of(experiment)],
        "analysis": analysis,
    }


def _factor(factor: Factor) -> dict[str, Any]:
    return {
        "path": factor.path,
        "paths": list(factor.paths),
        "kind": factor.kind,
        "levels": [level.text for level in factor.levels],
        "low": factor.low,
        "mode": factor.mode,
        "high": factor.high,
        "unit": factor.unit,
        "distribution": factor.distribution,
        "when": {name: list(levels) for name, levels in factor.when},
    }


def _named(experiment: Experiment) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the place and name of every metric that *experiment* speaks of."""
    yield from ((("precision", name), name.partition(".")[0]) for name in experiment.precision)
    yield from ((("metrics", index), name) for index, name in enumerate(experiment.metrics))
    if experiment.primary is not None:
        yield ("primary",), experiment.primary
    if experiment.analysis is not None:
        yield from (
            (("analysis", "sensitivity", index), name)
            for index, name in enumerate(experiment.analysis.sensitivity)
        )
        if experiment.analysis.choose is not None:
            yield ("analysis", "choose"), experiment.analysis.choose


def _unknown(tree: Node, path: tuple[str | int, ...], name: str) -> Fault | None:
    if name in METRICS:
        return None
    node = find(tree, path)[0]
    return node.fault(
        ".".join(map(str, path)),
        f"is not a metric{did_you_mean(name, METRICS)}",
        at_key=path[0] == "precision",
    )


def _wrong_unit(tree: Node, name: str, width: Width, unit: str) -> Iterator[Fault]:
    if width.unit and width.unit != unit:
        told = (
            f"{width.unit} is not the unit of the metric; write a number of {unit}"
            if unit
            else "the metric has no unit; write a number alone"
        )
        yield find(tree, ("precision", name))[0].fault(
            f"precision.{name}", f"{told}, or a share of its mean (2 %)"
        )
