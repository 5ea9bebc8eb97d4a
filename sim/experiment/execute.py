"""Carry out a plan: what is missing is run, what is there is kept, and the run's folder tells the whole story."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from time import monotonic
from typing import Any

from sim import __version__
from sim.experiment.attempts import Failure
from sim.experiment.costs import at_once, seconds_of
from sim.experiment.plan import ENGINES, Plan, Task
from sim.experiment.precision import reached, to_precision
from sim.experiment.progress import watch
from sim.experiment.summary import factors_of, merge, window_of, write_summary
from sim.experiment.work import Workers, work
from sim.kernels.identity import kernel_hash
from sim.store import StoreError, adopt, clean, finished, hashes, log, provenance, publish, sha256, start_run, write_file, write_manifest
from sim.streams import PREFIXES, STREAMS
from sim.units import DAY_S


@dataclass(frozen=True, slots=True)
class Outcome:
    """The folder of a run, and what failed in it."""

    path: Path
    failures: tuple[Failure, ...]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C: everything finished so far is kept in *path*, and the same command goes on from there."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"interrupted; what was finished is kept in {path}")
        self.path = path


@dataclass(frozen=True, slots=True)
class Source:
    """What the user asked for: the *file* (or name), its *text*, and the changes set on it."""

    file: str
    text: str
    sets: tuple[str, ...]


def resolved_text(plan: Plan) -> str:
    """Return every cell's scenario in full, as YAML documents that each begin with the cell's name."""
    from sim.scenario.load import resolved

    return "---\n".join(f"# cell: {cell.name}\n{resolved(cell.scenario)}" for cell in plan.cells)


def _described(plan: Plan, source: Source, started: datetime) -> dict[str, Any]:
    """Return the manifest of a run of *plan* as far as it is known when it starts."""
    factors = factors_of(plan)
    kinds = sorted({f"{prefix}{kind}" for cell in plan.cells for kind in cell.scenario.traffic.kinds for prefix in PREFIXES if not prefix.startswith("alert.")})
    cells = []
    for cell in plan.cells:
        window = window_of(cell.scenario)
        cells.append({
            "name": cell.name, "option": cell.option, "points": list(cell.points),
            "levels": {path: level[cell.name] for path, level in factors.items()}, "replications": cell.scenario.replications,
            "seed": cell.scenario.seed, "warm_up_s": window.warm_up_s, "length_s": window.length_s,
        })  # fmt: skip
    return {
        "name": plan.name, "question": plan.question, "plan": plan.hash, "status": "running", "engine": plan.engine, "cells": cells,
        "comparator": plan.comparator, "metrics": list(plan.metrics), "primary": plan.primary, "seed": plan.cells[0].scenario.seed,
        "design": plan.design, "precision": "",
        "streams": [*STREAMS, *kinds], "version": __version__, "source": plan.source, "kernels": kernel_hash(), "made_with": provenance(),
        "scenario": {"file": source.file, "text": source.text, "sha256": sha256(source.text.encode()), "sets": list(source.sets)},
        "resolved_sha256": sha256(resolved_text(plan).encode()), "started": _iso(started), "files": {}, "warnings": [], "failures": [],
    }  # fmt: skip


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _begun(run: Path, plan: Plan, source: Source, started: datetime) -> dict[str, Any]:
    """Write manifest and worlds of *plan* into *run*, and return the manifest."""
    manifest = _described(plan, source, started)
    write_manifest(run, manifest)
    write_file(run / "resolved.yaml", resolved_text(plan).encode())
    return manifest


def execute(
    plan: Plan, out: Path, source: Source, *, jobs: int | None = None, quiet: bool = True, backend: str = "loky", then: Callable[[Path], object] | None = None
) -> Outcome:
    """Carry out *plan* in a folder under *out*, *jobs* replications at once; a run of the same plan that is unfinished or damaged is taken up.

    *backend*: see `sim.experiment.work.Workers`. *then* is called with the folder when there are results, before `latest` names it: a run that was
    killed in it counts as unfinished.

    Raises `StoreError` when results cannot be written, and `Interrupted` on Ctrl-C. What fails is told in the outcome; the rest is kept.
    """
    run, resumed = start_run(out, plan.name, plan.hash)
    started = datetime.now(UTC)
    manifest = _begun(run, plan, source, started)
    log(run, f"{'resumed' if resumed else 'started'}: {len(plan.tasks)} replications of {len(plan.cells)} cells, engine {plan.engine}")
    failures: list[Failure] = []
    try:
        team = _team(plan, jobs, backend)
        plan, warnings = to_precision(plan, run, team.jobs, lambda batch: _run_what_is_missing(run, batch, team, quiet, failures))
        if plan.most:  # only now it is known how many replications there are
            manifest = _begun(run, plan, source, started) | {"precision": reached(plan)}
        lost = {(failure.cell, failure.replication) for failure in failures}
        write_summary(run, plan, merge(run, [task for task in plan.tasks if (task.address.cell, task.address.replication) not in lost]))
    except KeyboardInterrupt:
        log(run, "interrupted")
        write_manifest(run, manifest | {"status": "interrupted", "exit": 130, "ended": _iso(datetime.now(UTC))})
        raise Interrupted(run) from None
    except StoreError as refusal:
        with suppress(StoreError):
            log(run, f"stopped: {refusal}")
        raise
    finally:
        with suppress(StoreError):  # what cannot be cleaned now is cleaned by who comes next
            clean(run)
    ended = datetime.now(UTC)
    single = [cell.name for cell in plan.cells if cell.scenario.replications == 1]
    warnings += [f"one replication of {', '.join(single) if len(single) < len(plan.cells) else 'each cell'}: no interval"] * bool(single)
    told = [{"cell": failure.cell, "replication": failure.replication, "cause": failure.cause} for failure in failures]
    manifest |= {"status": "failed" if failures else "complete", "exit": 1 if failures else 0, "ended": _iso(ended), "warnings": warnings, "failures": told}
    write_manifest(run, manifest | {"seconds": round((ended - started).total_seconds(), 3), "files": hashes(run)})
    log(run, manifest["status"])
    if then is not None and len(failures) < len(plan.tasks):
        then(run)
    publish(run)
    return Outcome(run, tuple(failures))


def _team(plan: Plan, jobs: int | None, backend: str) -> Workers:
    """Return who works on *plan*: what of the processors is not needed for replications is for threads."""
    n = at_once(plan, jobs)
    return Workers(n, max(1, (os.cpu_count() or 1) // n), backend)


def _run_what_is_missing(run: Path, plan: Plan, workers: Workers, quiet: bool, failures: list[Failure]) -> list[str]:
    """Run the tasks of *plan* that are not done in *run*; add to *failures*; return the warnings to keep."""
    warnings = [f"deleted what a killed process left: {name}" for folder in [run.parent, *run.parent.glob("*-*/")] for name in clean(folder)]
    addresses = [task.address for task in plan.tasks]
    done, damaged = finished(run, addresses)
    if adopted := adopt(run, addresses):
        log(run, f"{adopted} replications taken from runs beside this one")
        done |= finished(run, addresses)[0]
    warnings += damaged
    for warning in warnings:
        log(run, warning)
    # One replication of every cell after another: they share an estate, which a worker keeps for as long as it is the same.
    missing = sorted((task for task in plan.tasks if task.address not in done), key=lambda task: task.address.replication)
    weights = {id(task): seconds_of(task.cell.scenario, plan.engine) for task in missing}
    module = ENGINES[plan.engine]
    if len(missing) == 1:
        workers = replace(workers, jobs=1, threads=os.cpu_count() or 1)
    if (workers.jobs > 1 or workers.backend != "loky") and plan.engine == "fast":
        _compile_kernels(module, missing)
    began = monotonic()
    with watch([task.cell.name for task in missing], sum(weights.values()), quiet=quiet) as progress:
        failures += work(run, missing, module, workers, lambda task: progress.advance(weights[id(task)], task.cell.name))
    for failure in failures:
        log(run, f"cell {failure.cell}, replication {failure.replication} failed: {failure.cause}\n{failure.trace}".rstrip())
    took = f"{len(missing) - len(failures)} replications in {monotonic() - began:.1f} s"
    log(run, f"{took}, {workers.jobs} at once with {workers.threads} threads; {len(done)} were there")
    return warnings


def _compile_kernels(module: str, tasks: Sequence[Task]) -> None:
    """Run a hamlet under every rule that *tasks* use, so that workers find each kernel compiled and do not each compile it."""
    seen: dict[tuple[object, ...], Task] = {}
    for task in tasks:
        scenario = task.cell.scenario
        seen.setdefault((scenario.reporting.rule, scenario.reporting.phase.source, scenario.updates.local.driver, len(scenario.network)), task)
    for task in seen.values():
        scenario = task.cell.scenario
        window = scenario.window.model_copy(update={"warm_up": 0, "length": DAY_S})
        hamlet = scenario.model_copy(update={"window": window, "estate": scenario.estate.model_copy(update={"premises": 20})})
        try:
            import_module(module).replicate(hamlet, 0)
        except Exception:  # noqa: BLE001  (what is wrong with a world is told by its own replications)
            continue
