"""Run tasks, several at once, here or where Dask has workers; results pass through files only.

Here joblib's loky starts the processes. When one of them is killed (out of memory, say, or by us
because it hangs), loky gives up the whole batch: what was finished is on disk, what was running has
left its mark and is run again alone, and what kills its worker again is given up by name.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sim.experiment.attempts import KILLED, Attempt, Failure, Job, attempt, failed
from sim.experiment.environment import environment
from sim.experiment.plan import Task
from sim.experiment.processes import Processes
from sim.store import StoreError, born, finished, remove, writer

_SHARED_MEMORY: Final = Path("/dev/shm")
Attempts = Generator[tuple[int, Attempt], None, None]  # the number of each task, as it ends
_FRUITLESS: Final = 3  # batches lost before any of it began: workers are taken to be unable to


@dataclass(frozen=True, slots=True)
class Workers:
    """Who works: *jobs* processes at once of *threads* each.

    *backend* says where: `loky`, processes of this machine; `dask:local`, the same under a Dask
    scheduler of our own; `dask:ADDRESS`, the workers of the scheduler there, which all see the
    results' folder under the same path. *processes* are those of `loky`, kept until dismissed.
    """

    jobs: int
    threads: int
    backend: str = "loky"
    processes: Processes = field(default_factory=Processes, compare=False)

    @property
    def are_ours(self) -> bool:
        """Whether they are as many as *jobs*; nobody knows how many somebody else's are."""
        return self.backend in ("loky", "dask:local")


def work(
    run: Path,
    tasks: Sequence[Task],
    module: str,
    workers: Workers,
    done: Callable[[Task, float | None], None],
) -> list[Failure]:
    """Run *tasks* with the engine in *module*; call *done* after each, with its seconds where they
    are known; return what failed, in the order of the tasks.

    Raises `StoreError` at the first that could not be kept because nothing can be (no room, a
    read-only disk), when the backend is out of reach, and when its workers have another
    environment.
    """
    job = Job(run, module, workers.threads, writer(), environment())
    failures = dict[int, Failure]()
    try:
        with closing(_attempts(job, tasks, workers)) as attempts:
            for number, ended in attempts:
                if (failure := ended.failure) is not None:
                    failures[number] = _borne(failure)
                done(tasks[number], ended.seconds)
    except BaseException:
        workers.processes.dismiss()  # or they would go on with what they were handed
        raise
    finally:
        for mark in (run / "cells").glob(f".started-*.{job.runner}.tmp"):
            remove(mark)
    return [failure for _, failure in sorted(failures.items())]


def _borne(failure: Failure) -> Failure:
    """Return *failure*; raise `StoreError` when no other replication would fare better."""
    if failure.no_room or failure.refused_by:
        raise StoreError(failure.cause, 1)
    return failure


def _attempts(job: Job, tasks: Sequence[Task], workers: Workers) -> Attempts:
    """Yield the number of each task as it ends, and how that was."""
    if not tasks:
        return
    if workers.backend != "loky":
        from sim.experiment.cluster import on_dask

        yield from on_dask(job, tasks, workers.jobs, workers.backend.removeprefix("dask:"))
    elif workers.jobs == 1:
        yield from ((number, attempt(job, task)) for number, task in enumerate(tasks))
    else:
        yield from _in_processes(job, tasks, workers)


def _in_processes(job: Job, tasks: Sequence[Task], workers: Workers) -> Attempts:
    """Yield as `_attempts`, from processes of this machine. A batch that lost one is tried again
    without those that were running, then those alone.
    """
    from joblib.externals.loky.process_executor import BrokenProcessPool

    left = dict(enumerate(tasks))
    alone = list[int]()
    fruitless = 0
    _sweep()
    while left:
        together = [number for number in left if number not in alone]
        batch = {number: left[number] for number in together or alone[:1]}
        try:
            for number, ended in workers.processes.batch(job, batch, workers.jobs):
                del left[number]
                yield number, ended
        except BrokenProcessPool:
            workers.processes.dismiss()
            kept = _kept(job, batch, left)
            begun = [
                number
                for number in batch
                if number in left and number not in kept and job.begun(left[number])
            ]
            lost = {number: KILLED for number in begun if not together}
            fruitless = 0 if kept or begun else fruitless + 1
            if fruitless == _FRUITLESS:
                lost = dict.fromkeys(left, "worker processes end before they begin")
            alone += [number for number in begun if number not in alone]
            for number in [*kept, *lost]:
                task = left.pop(number)
                failure = failed(task, lost[number]) if number in lost else None
                yield number, Attempt(failure, None)
        alone = [number for number in alone if number in left]


def _sweep() -> None:
    """Delete the semaphores that loky gave a name to in processes that were killed with all who
    would have cleaned up after them.
    """
    for path in _SHARED_MEMORY.glob("sem.loky-*"):
        creator = path.name.split("-")[1]
        with suppress(OSError):  # another user's
            if creator.isdigit() and not born(int(creator)):
                path.unlink()


def _kept(job: Job, batch: Iterable[int], left: Mapping[int, Task]) -> list[int]:
    """Return which of *batch* are on disk although nobody could say so any more."""
    there = {left[number].address: number for number in batch if number in left}
    return sorted(there[address] for address in finished(job.run, there)[0])
