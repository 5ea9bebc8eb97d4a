"""Replicate until what is asked for is precise enough: rounds of replications, cell by cell, in
batches that keep the workers busy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sim.experiment.choosing import choice_of, judge_options
from sim.experiment.plan import Plan, Task, addresses
from sim.experiment.sequential import Replication, Verdict, judge
from sim.experiment.summary import measured_in
from sim.store import StoreError, read_cell

if TYPE_CHECKING:
    from sim.scenario.design import Cell

_MOST_TOLD: Final = 20


def to_precision(
    plan: Plan, run: Path, at_once: int, carry_out: Callable[[Plan], list[str]]
) -> tuple[Plan, list[str]]:
    """Carry out *plan* in *run* by *carry_out*, and add replications to the cells that need them,
    in batches for *at_once* workers, until none does.

    Return the plan of the replications that count, and what there is to warn of. A plan without
    targets, or a choice to make, is carried out as it is.
    """
    warnings, choice = carry_out(plan), choice_of(plan.design)
    if not plan.targets and choice is None:
        return plan, warnings
    least = {cell.name: cell.scenario.replications for cell in plan.cells}
    known: dict[str, list[Replication]] = {cell.name: [] for cell in plan.cells}
    tasks = plan.tasks
    while True:
        for task in tasks:
            known[task.cell.name].append(_measured(run, task))
        verdicts = {
            name: judge(replications, plan.targets, least[name], plan.most)
            for name, replications in known.items()
        }
        if choice is not None:
            verdicts = judge_options(plan, choice, known, max(least.values()), verdicts)
        wanting = [cell for cell in plan.cells if verdicts[cell.name].more]
        if not wanting:
            break
        each = -(-at_once // len(wanting))
        grown = [
            _grown(
                cell, min(len(known[cell.name]) + max(verdicts[cell.name].more, each), plan.most)
            )
            for cell in wanting
        ]
        tasks = tuple(
            task for cell in grown for task in _tasks(cell, plan)[len(known[cell.name]) :]
        )
        warnings += carry_out(replace(plan, tasks=tasks))
    cells = tuple(_grown(cell, verdicts[cell.name].counted) for cell in plan.cells)
    return replace(
        plan, cells=cells, tasks=tuple(task for cell in cells for task in _tasks(cell, plan))
    ), warnings + _told(verdicts)


def reached(plan: Plan) -> str:
    """Return how many replications *plan*, carried out to its targets, took, in a sentence."""
    n = sorted(cell.scenario.replications for cell in plan.cells)
    choice = choice_of(plan.design)
    aims = [*map(str, plan.targets), *([f"the choice by {choice.metric}"] if choice else [])]
    return (
        f"{n[0]}{f' to {n[-1]}' if n[0] < n[-1] else ''} replications of each cell, for"
        f" {', '.join(aims)}"
    )


def _measured(run: Path, task: Task) -> Mapping[tuple[str, str], float]:
    """Return the metrics of *task*; of one that failed, none."""
    try:
        return measured_in(read_cell(run, task.address), task.cell.scenario)
    except StoreError:
        return {}


def _grown(cell: Cell, replications: int) -> Cell:
    return replace(cell, scenario=cell.scenario.model_copy(update={"replications": replications}))


def _tasks(cell: Cell, plan: Plan) -> list[Task]:
    return [Task(cell, address) for address in addresses(cell, plan.engine, plan.environment)]


def _told(verdicts: Mapping[str, Verdict]) -> list[str]:
    told: list[Any] = [
        f"cell {name}: {verdict.shortfall}"
        for name, verdict in verdicts.items()
        if verdict.shortfall
    ]
    return told[:_MOST_TOLD] + [f"and {len(told) - _MOST_TOLD} more cells"] * (
        len(told) > _MOST_TOLD
    )
