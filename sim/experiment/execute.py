"""Carry out a plan: what is missing is run, what is there is kept, and the run's folder tells the
whole story.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from sim.experiment.attempts import Failure
from sim.experiment.compiling import compile_for, seconds_to_compile
from sim.experiment.costs import at_once, seconds_of, waiting_kernels
from sim.experiment.environment import program_hash
from sim.experiment.manifest import Source, begun, described_source, iso, makers_of, seal
from sim.experiment.plan import ENGINES, Plan, Task, asked_of
from sim.experiment.precision import reached, to_precision
from sim.experiment.progress import Silence, clock, watch
from sim.experiment.second import at_half_size
from sim.experiment.speed import slowness
from sim.experiment.summary import merge, write_summary
from sim.experiment.work import Workers, work
from sim.kernels.compiled import kept_in
from sim.machine import processors
from sim.scenario.scale import scale_of
from sim.store import (
    REPORT,
    StoreError,
    adopt,
    clean,
    damaged,
    finished,
    finished_runs,
    log,
    publish,
    read_manifest,
    start_run,
    to_json,
    write_manifest,
)

if TYPE_CHECKING:
    from sim.scenario.design import Cell

# Homes of which several threads are sooner done than one: with fewer, handing over what is to be
# done takes longer than doing it.
_FOR_THREADS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """The folder of a run, and what failed in it. *reused*: it had been run before."""

    path: Path
    failures: tuple[Failure, ...]
    reused: bool = False


class Interrupted(KeyboardInterrupt):
    """Ctrl-C: what is finished is kept in *path*, and the same command goes on from there."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"interrupted; what was finished is kept in {path}")
        self.path = path


@dataclass(frozen=True, slots=True)
class Options:
    """How to carry a plan out: *jobs* replications at once (None: as many as fit), *quiet* or
    with progress, on a *backend* (`sim.experiment.work.Workers`); *again*, though it was done.
    """

    jobs: int | None = None
    quiet: bool = True
    backend: str = "loky"
    again: bool = False


_PLAIN: Final = Options()


def execute(
    plan: Plan,
    out: Path,
    source: Source,
    options: Options = _PLAIN,
    *,
    then: Callable[[Path], object] | None = None,
) -> Outcome:
    """Carry out *plan* in a folder under *out*, by its *options*; a run of the same plan that is
    unfinished or damaged is taken up, and one that is finished and sound is what is asked for.

    *then* is called with the folder when there are results, before `latest` names it, and of a
    finished run when what it makes is not there or damaged.

    Raises `StoreError` when results cannot be written, and `Interrupted` on Ctrl-C. What fails is
    told in the outcome; the rest is kept.
    """
    if not options.again and (run := done_before(plan, out, source)) is not None:
        if then is not None and not _has_report(run):
            then(run)
        publish(run)
        return Outcome(run, (), reused=True)
    run, resumed = start_run(out, plan.name, plan.hash)
    started = datetime.now(UTC)
    manifest = begun(run, plan, source, started)
    size = f"{len(plan.tasks)} replications of {len(plan.cells)} cells, engine {plan.engine}"
    log(run, f"{'resumed' if resumed else 'started'}: {size}")
    failures: list[Failure] = []
    with _told_when_cut_short(run, manifest):
        plan, warnings = _carried_out(plan, run, options, failures)
        if plan.most:  # only now it is known how many replications there are
            manifest = begun(run, plan, source, started) | {"precision": reached(plan)}
        manifest |= makers_of(run, _kept(plan, failures))
    seal(run, manifest, started, failures, warnings)
    if then is not None and len(failures) < len(plan.tasks):
        then(run)
    publish(run)
    return Outcome(run, tuple(failures))


@contextmanager
def _told_when_cut_short(run: Path, manifest: Mapping[str, Any]) -> Iterator[None]:
    """Tell in the log and the *manifest* of *run* why it was cut short, and leave it clean."""
    try:
        yield
    except KeyboardInterrupt:
        log(run, "interrupted")
        told = {"status": "interrupted", "exit": 130, "ended": iso(datetime.now(UTC))}
        write_manifest(run, {**manifest, **told})
        raise Interrupted(run) from None
    except StoreError as refusal:
        with suppress(StoreError):
            log(run, f"stopped: {refusal}")
        raise
    finally:
        with suppress(StoreError):  # what cannot be cleaned now is cleaned by who comes next
            clean(run)


def _carried_out(
    plan: Plan, run: Path, options: Options, failures: list[Failure]
) -> tuple[Plan, list[str]]:
    """Run what *run* lacks of *plan* and sum it up; add to *failures*. Return the plan of all that
    was run in the end, and the warnings to keep.
    """
    team = _team(plan, options)

    def run_missing(batch: Plan) -> list[str]:
        return _run_what_is_missing(run, batch, team, options, failures)

    try:
        plan, warnings = to_precision(plan, run, team.jobs, run_missing)
        at_half_size(run, plan, team)
    finally:
        team.processes.dismiss()
    write_summary(run, plan, merge(run, _kept(plan, failures)))
    return plan, warnings


def _kept(plan: Plan, failures: Iterable[Failure]) -> list[Task]:
    """Return the tasks of *plan* that have a result: all but the *failures*."""
    lost = {(failure.cell, failure.replication) for failure in failures}
    return [
        task for task in plan.tasks if (task.address.cell, task.address.replication) not in lost
    ]


def done_before(plan: Plan, out: Path, source: Source) -> Path | None:
    """Return the newest run under *out* that is finished, all of it sound but perhaps its report,
    and was asked for just what *plan* and *source* ask for, of the same program; None: none is.
    """
    asked = asked_of(plan) | {"scenario": described_source(source), "program": program_hash()}
    for run, manifest in finished_runs(out, plan.name, plan.hash):
        known = {name: manifest.get(name) for name in asked}
        if to_json(known) == to_json(asked) and not damaged(run, manifest, but=REPORT):
            return run
    return None


def _has_report(run: Path) -> bool:
    """Whether *run* has a report and nothing of it is missing or altered."""
    manifest = read_manifest(run)
    return "report.html" in manifest["files"] and not damaged(run, manifest)


def _team(plan: Plan, options: Options) -> Workers:
    """Return who works on *plan*: where there are homes enough, what of the processors is not
    needed for replications is for threads.
    """
    n = at_once(plan, options.jobs)
    return Workers(n, _threads_of(plan.cells, n), options.backend)


def _threads_of(cells: Iterable[Cell], jobs: int) -> int:
    """Return how many threads each of *jobs* replications of *cells* has."""
    scenarios = [cell.scenario for cell in cells]
    homes = max(scenario.estate.premises * scale_of(scenario) for scenario in scenarios)
    return max(1, processors() // jobs) if homes >= _FOR_THREADS else 1


def _run_what_is_missing(
    run: Path, plan: Plan, workers: Workers, options: Options, failures: list[Failure]
) -> list[str]:
    """Run the tasks of *plan* that are not done in *run*; add to *failures*; return the warnings to
    keep.
    """
    missing, warnings = _left_to_do(run, plan, options.again)
    if len(missing) == 1:
        workers = replace(workers, jobs=1, threads=_threads_of([missing[0].cell], 1))
    weights = [(task.cell.name, seconds_of(task.cell.scenario, plan.engine)) for task in missing]
    together = workers.jobs if workers.are_ours else 0
    with watch(weights, together, quiet=options.quiet) as progress:
        _compile_first(plan, missing, workers, progress)
        began = monotonic()

        def advance(task: Task, seconds: float | None) -> None:
            progress.advance(task.cell.name, seconds)

        lost = work(run, missing, ENGINES[plan.engine], workers, advance)
    failures += lost
    _log_failures(run, lost)
    took = f"{len(missing) - len(lost)} replications in {monotonic() - began:.1f} s"
    there = len(plan.tasks) - len(missing)
    log(run, f"{took}, {workers.jobs} at once with {workers.threads} threads; {there} were there")
    return warnings


def _log_failures(run: Path, failures: Iterable[Failure]) -> None:
    """Say in the log of *run* what failed, each with its trace."""
    for failure in failures:
        where = f"cell {failure.cell}, replication {failure.replication}"
        log(run, f"{where} failed: {failure.cause}\n{failure.trace}".rstrip())


def _left_to_do(run: Path, plan: Plan, again: bool) -> tuple[list[Task], list[str]]:
    """Return the tasks of *plan* that are not done in *run*, nor, unless *again*, in a run beside
    it, from which they are taken over; and what there is to warn of.
    """
    folders = [run.parent, *run.parent.glob("*-*/")]
    orphans = [name for folder in folders for name in clean(folder)]
    warnings = [f"deleted what a killed process left: {name}" for name in orphans]
    addresses = [task.address for task in plan.tasks]
    done, damages = finished(run, addresses)
    if not again and (adopted := adopt(run, addresses, run.parent.glob("*/"))):
        log(run, f"{adopted} replications taken from runs beside this one")
        done |= finished(run, addresses)[0]
    warnings += damages
    for warning in warnings:
        log(run, warning)
    # One replication of every cell after another: they share an estate, which a worker keeps for as
    # long as it is the same.
    missing = (task for task in plan.tasks if task.address not in done)
    return sorted(missing, key=lambda task: task.address.replication), warnings


def _compile_first(
    plan: Plan, missing: Sequence[Task], workers: Workers, progress: Silence
) -> None:
    """Compile what the *missing* tasks of *plan* need, where nobody has; say so to *progress*."""
    waiting = waiting_kernels(plan) if missing else set()
    if waiting:
        about = clock(slowness() * seconds_to_compile(waiting))
        often = "once" if kept_in() is not None else "in each process, for nothing can be kept"
        progress.phase(f"compiling, {often}, about {about}")
    is_apart = workers.jobs > 1 or workers.backend != "loky"
    if waiting or (is_apart and plan.engine == "fast"):
        compile_for(ENGINES[plan.engine], (task.cell.scenario for task in missing))
    progress.begin()
