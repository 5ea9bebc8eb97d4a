"""What will be run: cells × replications, each with its key."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from sim import __version__
from sim.experiment.environment import environment
from sim.scenario.faults import Fault, ScenarioError
from sim.store import Address, cell_key, plan_hash, sha256, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sim.experiment.sequential import Target
    from sim.scenario.design import Cell
    from sim.scenario.experiments import Experiment
    from sim.scenario.schema import Scenario

ENGINES: Final[dict[str, str]] = {"fast": "sim.run", "twin": "sim.twin"}
UNCOMPILED_MOST: Final = 1_000  # premises of a world that somebody steps through


@dataclass(frozen=True, slots=True)
class Task:
    """One replication of one cell."""

    cell: Cell
    address: Address


@dataclass(frozen=True, slots=True)
class Plan:
    """All the tasks of a scenario (an experiment of one cell) or an experiment, in order.

    With *targets* the tasks are the first of each cell, and more are added, *most* at most, until
    each target is reached (`sim.experiment.precision`). *hash* is of what was asked for: it stays
    the same when tasks are added. *environment* is what makes them (`sim.experiment.environment`),
    a part of each key; *design* tells how the cells came about.
    """

    name: str
    question: str
    cells: tuple[Cell, ...]
    tasks: tuple[Task, ...]
    engine: str
    comparator: str | None
    metrics: tuple[str, ...]
    primary: str | None
    hash: str
    environment: Mapping[str, Any]
    targets: tuple[Target, ...] = ()
    most: int = 0
    design: dict[str, Any] | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to note of its worlds (`sim.scenario.notes`)."""
        from sim.scenario.notes import notes_of

        return notes_of([cell.scenario for cell in self.cells])


def planned(loaded: Scenario | Experiment, engine: str, *, yes: bool = False) -> Plan:
    """Return the plan of what was loaded; more cells than `MOST_CELLS` only if *yes*. Raises
    `ScenarioError` when a cell is not a possible world.
    """
    from sim.scenario.design import cells
    from sim.scenario.experiments import Experiment

    if isinstance(loaded, Experiment):
        from sim.experiment.aims import sound_cells

        sound = sound_cells(loaded, yes=yes)
        refuse_without_compiler(engine, [cell.scenario for cell in sound])
        return _of_experiment(loaded, sound, engine)
    cell = replace(cells(loaded)[0], name=loaded.name)
    refuse_without_compiler(engine, [cell.scenario])
    tasks, whole = _tasks_of([cell], engine)
    asked = (loaded.name, loaded.question, (cell,), tasks, engine)
    return Plan(*asked, None, (), None, whole, environment())


def _tasks_of(cells: Sequence[Cell], engine: str) -> tuple[tuple[Task, ...], str]:
    """Return every replication of *cells*, in order, and the hash of them all."""
    made_in = environment()
    each = ((cell, address) for cell in cells for address in addresses(cell, engine, made_in))
    tasks = tuple(Task(cell, address) for cell, address in each)
    return tasks, plan_hash(task.address for task in tasks)


def _of_experiment(loaded: Experiment, every: tuple[Cell, ...], engine: str) -> Plan:
    """Return the plan of the experiment *loaded*, of the cells *every*."""
    from sim.experiment.aims import described, most_replications, targets_of

    targets = targets_of(loaded)
    tasks, whole = _tasks_of(every, engine)
    first, design = max(cell.scenario.replications for cell in every), described(loaded)
    selects = bool(design["analysis"] and "select" in design["analysis"]["methods"])
    most = most_replications(loaded, first) if targets or selects else 0
    if targets or selects:
        aims = [str(target) for target in targets]
        analysis = [design["analysis"]] if selects else []
        whole = sha256(to_json([whole, aims, most, *analysis]))
    design |= {"first": first}
    what = (loaded.experiment, loaded.question, every, tasks, engine)
    about = (loaded.comparator, loaded.metrics, loaded.primary)
    return Plan(*what, *about, whole, environment(), targets, most, design)


def asked_of(plan: Plan) -> dict[str, Any]:
    """Return what *plan* asks beside its worlds, as a manifest keeps it: two plans of one hash that
    differ in it have the same tables and another summary or report.
    """
    return {
        "question": plan.question,
        "comparator": plan.comparator,
        "metrics": list(plan.metrics),
        "primary": plan.primary,
        "design": plan.design,
    }


def refuse_without_compiler(engine: str, scenarios: Iterable[Scenario]) -> None:
    """Raise `ScenarioError` when *engine* is made of kernels, their compiler is switched off, and
    one of *scenarios* has more premises than anybody would step through.
    """
    if engine != "fast":
        return
    from sim.kernels.stepping import compiles
    from sim.scenario.scale import scaled

    if compiles():
        return
    most = max(scaled(scenario).estate.premises for scenario in scenarios)
    if most > UNCOMPILED_MOST:
        told = (
            "is set, and uncompiled kernels, which are for a debugger, run at most"
            f" {UNCOMPILED_MOST:,} premises ({most:,} are asked for); unset it, use --engine twin,"
            f" or --set estate.premises={UNCOMPILED_MOST}"
        )
        raise ScenarioError([Fault("environment", 1, 1, "NUMBA_DISABLE_JIT", told)])


def addresses(
    cell: Cell,
    engine: str,
    made_in: Mapping[str, Any],
    model: str = __version__,
    written: str | None = None,
) -> list[Address]:
    """Return the address of each replication of *cell* by a *model* version, *made_in* an
    environment. *written* is the cell's scenario as that version wrote it out.

    Neither its name, nor its question, nor how many there are is part of what each one is.
    """
    from sim.scenario.load import resolved

    scenario = cell.scenario
    text = resolved(scenario) if written is None else written
    for leaf, stands in (("name", "any"), ("question", "none"), ("replications", "1")):
        text = re.sub(rf"^{leaf}: .*$", f"{leaf}: {stands}", text, count=1, flags=re.MULTILINE)
    about: dict[str, Any] = {"model": model, "seed": scenario.seed, "engine": engine}
    return [
        Address(cell.name, r, cell_key(text, made_in, replication=r, **about))
        for r in range(scenario.replications)
    ]


def comparator_of(plan: Plan, cell: Cell) -> Cell | None:
    """Return the cell that *cell* is compared with: the one named, or the one of the option named
    at the same points; None for that cell itself.
    """
    for other in plan.cells:
        same_points = other.option == plan.comparator and set(cell.points) <= set(other.points)
        if plan.comparator is not None and (other.name == plan.comparator or same_points):
            return None if other is cell else other
    return None
