"""One attempt at one replication: here, or in a worker process that may be killed while it runs.

A replication that raises is a failure with its cause. A worker that is killed cannot tell; so it
leaves a mark on disk while it runs, and the next attempt at the same replication counts the marks:
who has killed its worker twice is given up by name, wherever the workers are.
"""

from __future__ import annotations

import errno
import platform
import signal
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from pathlib import Path
from threading import current_thread, main_thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from sim.experiment.environment import environment, maker, unlike, whereabouts
from sim.experiment.plan import Task
from sim.store import StoreError, write_cell

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

CHANCES: Final = 2
KILLED: Final = "its worker process was killed twice (out of memory, or silent: see run.log)"
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one replication of a cell has no result: *cause* in a sentence, *trace* for the log.

    With *no_room* no other can be kept either. *refused_by* is the address of a worker that did not
    take the work, for its environment is another (`sim.experiment.environment`).
    """

    cell: str
    replication: int
    cause: str
    trace: str
    no_room: bool = False
    refused_by: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt ended: its *failure*, None when its result is kept, and the *seconds* that it
    took of the clock, None where nobody could say so.
    """

    failure: Failure | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Job:
    """What workers need to know beside the task: the folder *run*, the *module* of the engine,
    *threads* for each, the *runner* they work for, and the *environment* that they must have.
    """

    run: Path
    module: str
    threads: int
    runner: str
    environment: Mapping[str, Any]

    def mark(self, task: Task, chance: int) -> Path:
        """Return the file that says that attempt number *chance* at *task* has begun; with the
        runner gone it is an orphan to `clean`.
        """
        return self.run / "cells" / f".started-{task.address.folder}-{chance}.{self.runner}.tmp"

    def begun(self, task: Task) -> int:
        """Return how many attempts at *task* have begun and not ended."""
        return sum(self.mark(task, chance).exists() for chance in range(CHANCES))


def engine(module: str, threads: int) -> Callable[[Scenario, int], Any]:
    """Return `replicate` of the engine in *module*, with *threads* where it has use for them."""
    replicate = import_module(module).replicate
    if "threads" in signature(replicate).parameters:
        return lambda scenario, replication: replicate(scenario, replication, threads=threads)
    return lambda scenario, replication: replicate(scenario, replication)


def failed(task: Task, cause: str, **more: Any) -> Failure:
    """Return that *task* failed of *cause*, with *more* of what `Failure` tells."""
    about = {"trace": ""} | more
    return Failure(task.address.cell, task.address.replication, cause, **about)


def attempt(job: Job, task: Task) -> Attempt:
    """Run *task* and keep its tables; return how that ended."""
    began = monotonic()
    return Attempt(_attempt(job, task), monotonic() - began)


def _attempt(job: Job, task: Task) -> Failure | None:
    """Run *task* and keep its tables; return why that failed, or None."""
    try:
        replicate = engine(job.module, job.threads)
        tables = replicate(task.cell.scenario, task.address.replication)
        write_cell(job.run, task.address, tables, maker())
    except StoreError as refusal:
        return failed(task, str(refusal), no_room=_is_no_room(refusal.__cause__))
    except Exception as error:  # noqa: BLE001  (it is this replication's failure; the others go on)
        return failed(task, f"{type(error).__name__}: {error}", trace=traceback.format_exc())
    return None


def _is_no_room(error: object) -> bool:
    """Whether *error* says that nothing else can be written either."""
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def another_environment(worker: str, differences: Sequence[str]) -> str:
    """Return that *worker*, by address and host, refuses, for it has *differences* from the job's
    environment (`sim.experiment.environment.unlike`).
    """
    return f"worker {worker} has another environment: {'; '.join(differences)}"


def attempt_elsewhere(job: Job, task: Task) -> Attempt:
    """Do `attempt` in a worker process, with a mark on disk while it runs. A worker of another
    environment refuses. Ctrl-C is the parent's to answer.
    """
    if differences := list(unlike(environment(), job.environment)):
        worker = whereabouts()
        told = another_environment(f"{worker} on {platform.node()}", differences)
        return Attempt(failed(task, told, refused_by=worker), None)
    if current_thread() is main_thread():  # a Dask worker runs tasks in other threads
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    for mark in (job.mark(task, chance) for chance in range(CHANCES)):
        try:
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch(exist_ok=False)
        except FileExistsError:
            continue
        except OSError as error:
            cause = f"cannot write {mark}: {error.strerror}"
            return Attempt(failed(task, cause, no_room=_is_no_room(error)), None)
        ended = attempt(job, task)
        mark.unlink(missing_ok=True)
        return ended
    return Attempt(failed(task, KILLED), None)
