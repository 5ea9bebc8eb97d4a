"""Run tasks, several at once, here or where Dask has workers; results pass through files only.

Here joblib's loky starts the processes. When one of them is killed (out of memory, say), loky gives up the whole batch: what was finished is on disk, what was
running has left its mark and is run again alone, and what kills its worker again is given up by name.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sim.experiment.attempts import KILLED, Failure, Job, attempt, attempt_apart, failed
from sim.experiment.plan import Task
from sim.store import StoreError, born, finished, remove, temporary_name, writer

_SHARED_MEMORY: Final = Path("/dev/shm")
_FRUITLESS: Final = 3  # batches lost before any of it began, after which workers are taken to be unable to


@dataclass(frozen=True, slots=True)
class Workers:
    """Who works: *jobs* processes at once of *threads* each.

    *backend* says where: `loky`, processes of this machine; `dask:local`, the same under a Dask scheduler of our own; `dask:ADDRESS`, the workers of the
    scheduler there, which all see the results' folder under the same path.
    """

    jobs: int
    threads: int
    backend: str = "loky"


def work(run: Path, tasks: Sequence[Task], module: str, workers: Workers, done: Callable[[Task], None]) -> list[Failure]:
    """Run *tasks* with the engine in *module*; call *done* after each; return what failed, in the order of the tasks.

    Raises `StoreError` at the first that could not be kept because nothing can be (no room, a read-only disk), and when the backend is out of reach.
    """
    job, failures = Job(run, module, workers.threads, writer()), dict[int, Failure]()
    try:
        for number, failure in _attempts(job, tasks, workers) if tasks else ():
            if failure is not None and failure.no_room:
                raise StoreError(failure.cause, 1)
            if failure is not None:
                failures[number] = failure
            done(tasks[number])
    finally:
        for mark in (run / "cells").glob(f".started-*.{job.runner}.tmp"):
            remove(mark)
    return [failure for _, failure in sorted(failures.items())]


def _attempts(job: Job, tasks: Sequence[Task], workers: Workers) -> Iterator[tuple[int, Failure | None]]:
    """Yield the number of each task as it ends, with its failure if it has one."""
    if workers.backend != "loky":
        from sim.experiment.cluster import on_dask

        return on_dask(job, tasks, workers.jobs, workers.backend.removeprefix("dask:"))
    if workers.jobs == 1:
        return ((number, attempt(job, task)) for number, task in enumerate(tasks))
    return _in_processes(job, tasks, workers.jobs)


def _in_processes(job: Job, tasks: Sequence[Task], jobs: int) -> Iterator[tuple[int, Failure | None]]:
    """Yield as `_attempts`, from processes of this machine. A batch that lost one is tried again without those that were running, then those alone."""
    from joblib.externals.loky.process_executor import BrokenProcessPool

    left, alone, fruitless = dict(enumerate(tasks)), list[int](), 0
    _sweep()
    while left:
        together = [number for number in left if number not in alone]
        batch = {number: left[number] for number in together or alone[:1]}
        try:
            for number, failure in _batch(job, batch, jobs):
                del left[number]
                yield number, failure
        except BrokenProcessPool:
            kept = _kept(job, batch, left)
            begun = [number for number in batch if number in left and number not in kept and job.begun(left[number])]
            lost = {number: KILLED for number in begun if not together}
            fruitless = 0 if kept or begun else fruitless + 1
            if fruitless == _FRUITLESS:
                lost = dict.fromkeys(left, "worker processes end before they begin")
            alone += [number for number in begun if number not in alone]
            for number in [*kept, *lost]:
                task = left.pop(number)
                yield number, failed(task, lost[number]) if number in lost else None
        alone = [number for number in alone if number in left]


def _sweep() -> None:
    """Delete the semaphores that loky gave a name to in processes that were killed with all who would have cleaned up after them."""
    for path in _SHARED_MEMORY.glob("sem.loky-*"):
        creator = path.name.split("-")[1]
        with suppress(OSError):  # another user's
            if creator.isdigit() and not born(int(creator)):
                path.unlink()


def _kept(job: Job, batch: Iterable[int], left: Mapping[int, Task]) -> list[int]:
    """Return which of *batch* are on disk although nobody could say so any more."""
    there = {left[number].address: number for number in batch if number in left}
    return sorted(there[address] for address in finished(job.run, there)[0])


def _batch(job: Job, batch: Mapping[int, Task], jobs: int) -> Iterator[tuple[int, Failure | None]]:
    """Yield as `_attempts` for one *batch* in worker processes, which die with us."""
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor

    calls = (delayed(attempt_apart)(job, number, task) for number, task in batch.items())
    how = {"n_jobs": max(2, jobs), "backend": "loky", "return_as": "generator_unordered", "batch_size": 1}
    scratch = temporary_name(job.run / "joblib")  # for arrays that would be shared; there are none, but it makes the folder
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")  # it recycles a worker that has grown; nothing is lost
        try:
            yield from Parallel(**how, max_nbytes=None, temp_folder=str(scratch))(calls)
        except (KeyboardInterrupt, GeneratorExit):
            get_reusable_executor().shutdown(wait=True, kill_workers=True)
            raise
        finally:
            remove(scratch)
