"""Workers under a Dask scheduler: one of our own on this machine, or any that somebody else's deployer started (Slurm, Kubernetes, ssh).

The scheduler starts a task again when its worker is gone; the marks of `sim.experiment.attempts` see to it that one that kills its worker is given up by name.
Tasks go to workers through the scheduler, results come back through files: all that travels home is a number and a sentence for each.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from sim.experiment.attempts import KILLED, Failure, Job, attempt_apart, failed
from sim.experiment.plan import Task
from sim.store import StoreError, finished, log, remove, temporary_name

if TYPE_CHECKING:
    from distributed import Client

LOCAL: Final = "local"
_LOOPBACK: Final = "127.0.0.1"
_STARTS: Final = 3
_LOOK_S: Final = 5.0
_PATIENCE_S: Final = 60.0


def on_dask(job: Job, tasks: Sequence[Task], jobs: int, address: str) -> Iterator[tuple[int, Failure | None]]:
    """Yield the number of each of *tasks* as it ends, with its failure if it has one, from workers under the scheduler at *address*.

    `local` is a scheduler and *jobs* worker processes of our own, on the loopback interface alone. Workers elsewhere run one thread a task, for theirs are not
    ours to count. Raises `StoreError` when the scheduler is out of reach.
    """
    with ExitStack() as stack:
        try:
            client = _own(job.run, jobs, stack) if address == LOCAL else _theirs(address, stack)
        except (OSError, ValueError) as error:
            raise StoreError(f"cannot reach dask:{address}: {error}", 1) from error
        yield from _results(client, job if address == LOCAL else replace(job, threads=1), tasks, address)


def _own(run: Path, jobs: int, stack: ExitStack) -> Client:
    """Return a client of a new scheduler with *jobs* processes of one thread; all of it ends with *stack* or with us."""
    import dask
    from distributed import Client, LocalCluster

    scratch = temporary_name(run / "dask")
    stack.callback(remove, scratch)
    # Whoever is out of memory is ended by the system; a worker that goes is replaced however often, for it is the tasks that have a limit.
    stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 10**6}))
    local = {"n_workers": jobs, "threads_per_worker": 1, "processes": True, "memory_limit": 0, "local_directory": str(scratch)}
    for again in reversed(range(_STARTS)):
        try:
            cluster = LocalCluster(host=_LOOPBACK, dashboard_address=f"{_LOOPBACK}:0", silence_logs="CRITICAL", **local)
            break
        except RuntimeError as error:  # a worker was gone before it had begun
            if not again:
                raise ConnectionError(f"{error.__cause__ or error}") from error
    return stack.enter_context(Client(stack.enter_context(cluster), set_as_default=False))


def _theirs(address: str, stack: ExitStack) -> Client:
    """Return a client of the scheduler at *address*; what its own log would say of a lost connection is said in our sentence."""
    from distributed import Client

    for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    client = Client(address, set_as_default=False)
    stack.callback(_leave, client)
    return client


def _leave(client: Client) -> None:
    """Leave a scheduler, also one that is gone: then there is nobody to tell, now or when the client is swept up."""
    with suppress(Exception):
        client.close()
    client.status = "closed"


def _results(client: Client, job: Job, tasks: Sequence[Task], address: str) -> Iterator[tuple[int, Failure | None]]:
    """Yield as `on_dask`. A task that the scheduler gives up is given to it once more: it may have waited on workers that others killed."""
    from distributed import KilledWorker

    ended: SimpleQueue[Any] = SimpleQueue()
    futures, waiting, again = dict[int, Any](), dict[str, int](), set[int]()

    def submit(number: int) -> None:
        future = client.submit(attempt_apart, job, number, tasks[number], pure=False)
        waiting[future.key] = number
        future.add_done_callback(ended.put)
        futures[number] = future  # who lets go of it calls it off

    for number in range(len(tasks)):
        submit(number)
    while waiting:
        future = _next(client, ended, job.run, address)
        number, status = waiting.pop(future.key), future.status
        if status in ("finished", "cancelled"):
            try:
                yield future.result()
            except (OSError, CancelledError) as gone:
                raise StoreError(f"lost dask:{address} with {len(waiting) + 1} replications to go; what was finished is kept", 1) from gone
        elif finished(job.run, [tasks[number].address])[0]:
            yield number, None
        elif status != "error":  # it was done, and its worker went before it could say so
            waiting[future.key] = number
            future.add_done_callback(ended.put)
            continue
        elif not isinstance(error := future.exception(), KilledWorker):  # an attempt raises nothing: it could not be made
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise StoreError(f"dask:{address} cannot do the work ({reason}); scheduler and workers need this simulator and its packages", 1)
        elif number in again:
            yield number, failed(tasks[number], KILLED)
        else:
            again.add(number)
            submit(number)
            continue
        del futures[number]


def _next(client: Client, ended: SimpleQueue[Any], run: Path, address: str) -> Any:
    """Return the next future that has *ended*. While there is no worker it waits: a minute for one of our own, for others as long as it takes."""
    alone_s = 0.0
    while True:
        try:
            return ended.get(timeout=_LOOK_S)
        except Empty:
            alone_s = 0.0 if client.ncores() else alone_s + _LOOK_S
        if alone_s == _LOOK_S:
            log(run, f"waiting for workers of dask:{address}")
        if alone_s > _PATIENCE_S and address == LOCAL:
            raise StoreError("worker processes end before they begin", 1)
