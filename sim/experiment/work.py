"""Run tasks, several at once; results pass through files only.

A replication that raises is a failure with its cause. When a worker process is killed (out of memory, say), joblib loses the whole batch: what was finished is
on disk, what was running is told by marks that workers leave, and is run again alone; what kills its worker again is given up by name.
"""

from __future__ import annotations

import os
import signal
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from pathlib import Path
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any, Final

from sim.experiment.plan import Task
from sim.store import StoreError, clean, write_cell

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

_MARK: Final = ".started-{folder}.{pid}.tmp"  # an orphan to `clean` once its writer is gone


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one replication of a cell has no result: *cause* in a sentence, *trace* for the log."""

    cell: str
    replication: int
    cause: str
    trace: str


@dataclass(frozen=True, slots=True)
class Workers:
    """Who works: *jobs* processes at once of *threads* each, here (`loky`) or where a Dask scheduler sends them (`dask:ADDRESS`, which sees our folders)."""

    jobs: int
    threads: int
    backend: str = "loky"

    @property
    def scheduler(self) -> str | None:
        return self.backend.removeprefix("dask:") if self.backend.startswith("dask:") else None


def _engine(module: str, threads: int) -> Callable[[Scenario, int], Any]:
    """Return `replicate` of the engine in *module*, with *threads* where it has any use for them."""
    replicate = import_module(module).replicate
    if "threads" in signature(replicate).parameters:
        return lambda scenario, replication: replicate(scenario, replication, threads=threads)
    return lambda scenario, replication: replicate(scenario, replication)


def attempt(run: Path, task: Task, module: str, threads: int) -> Failure | None:
    """Run *task* with the engine in *module* and keep its tables in *run*; return why that failed, or None."""
    address = task.address
    try:
        write_cell(run, address, _engine(module, threads)(task.cell.scenario, address.replication))
    except StoreError as refusal:
        return Failure(address.cell, address.replication, str(refusal), "")
    except Exception as error:  # noqa: BLE001  (whatever a replication raises is that replication's failure; the others go on)
        return Failure(address.cell, address.replication, f"{type(error).__name__}: {error}", traceback.format_exc())
    return None


def _attempt_in_worker(run: Path, number: int, task: Task, module: str, threads: int) -> tuple[int, Failure | None]:
    """Do `attempt` in a worker process, with a mark on disk while it runs. Ctrl-C is the parent's to answer."""
    if current_thread() is main_thread():  # a Dask worker runs tasks in other threads
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    mark = run / "cells" / _MARK.format(folder=task.address.folder, pid=os.getpid())
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    except OSError as error:
        return number, Failure(task.address.cell, task.address.replication, f"cannot write {mark}: {error.strerror}", "")
    failure = attempt(run, task, module, threads)
    mark.unlink(missing_ok=True)
    return number, failure


def work(run: Path, tasks: Sequence[Task], module: str, workers: Workers, done: Callable[[Task], None]) -> list[Failure]:
    """Run *tasks* with the engine in *module*; call *done* after each; return what failed, in the order of the tasks."""
    if workers.jobs == 1 and workers.scheduler is None:
        failures = {}
        for number, task in enumerate(tasks):
            failures[number] = attempt(run, task, module, workers.threads)
            done(task)
    else:
        failures = _in_parallel(run, tasks, module, workers, done)
    return [failure for _, failure in sorted(failures.items()) if failure is not None]


def _in_parallel(run: Path, tasks: Sequence[Task], module: str, workers: Workers, done: Callable[[Task], None]) -> dict[int, Failure | None]:
    """Return the failure, or None, of every task by number. A batch that lost a worker is tried again without those that were running, then those alone."""
    found: dict[int, Failure | None] = {}
    together, alone = list(range(len(tasks))), list[int]()
    while together or alone:
        batch = together or alone[:1]
        try:
            for number, failure in _batch(run, {number: tasks[number] for number in batch}, module, workers):
                found[number] = failure
                done(tasks[number])
        except _worker_lost():
            running = {number for number in batch if any((run / "cells").glob(f".started-{tasks[number].address.folder}.*"))} - set(found)
            if not together:
                task = tasks[alone[0]]
                found[alone[0]] = Failure(task.address.cell, task.address.replication, "its worker process was killed twice (out of memory?)", "")
                done(task)
            alone += sorted(running)
            clean(run)
        together = [number for number in together if number not in found and number not in alone]
        alone = [number for number in dict.fromkeys(alone) if number not in found]
    return found


def _worker_lost() -> type[Exception]:
    from joblib.externals.loky.process_executor import BrokenProcessPool

    return BrokenProcessPool  # type: ignore[no-any-return]


def _batch(run: Path, batch: Mapping[int, Task], module: str, workers: Workers) -> Iterator[tuple[int, Failure | None]]:
    """Yield number and failure of each task of the *batch* as it ends, in worker processes; those here die with us."""
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky import get_reusable_executor

    calls = (delayed(_attempt_in_worker)(run, number, task, module, workers.threads) for number, task in batch.items())
    here: dict[str, Any] = {"backend": "loky", "n_jobs": max(2, workers.jobs)}
    there: dict[str, Any] = {"backend": "dask", "scheduler_host": workers.scheduler}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")  # it recycles a worker that has grown; nothing is lost
        try:
            with parallel_config(**(here if workers.scheduler is None else there)):
                yield from Parallel(return_as="generator_unordered", batch_size=1)(calls)
        except KeyboardInterrupt:
            get_reusable_executor().shutdown(wait=True, kill_workers=True)
            raise
        except OSError as error:
            raise StoreError(f"cannot reach {workers.backend}: {error}", 1) from error
