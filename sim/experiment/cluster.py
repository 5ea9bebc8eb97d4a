"""Workers under a Dask scheduler: one of our own on this machine, or any that somebody else's deployer started (Slurm, Kubernetes, ssh).

The scheduler starts a task again when its worker is gone; the marks of `sim.experiment.attempts`
see to it that one that kills its worker is given up by name. Workers give signs of life to the
scheduler, and one that is silent is started again; one of another environment refuses. Tasks go to
workers through the scheduler, results come back through files: all that travels home is a number
and a sentence for each.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, cast

from sim.experiment.attempts import KILLED, Attempt, Job, attempt_elsewhere, failed
from sim.experiment.plan import Task
from sim.experiment.pulse import Listener, tell_of_silence
from sim.store import StoreError, finished, log, remove, temporary_name

if TYPE_CHECKING:
    from distributed import Client

LOCAL: Final = "local"
_LOOPBACK: Final = "127.0.0.1"
_STARTS: Final = 3
_LOOK_S: Final = 5.0
_PATIENCE_S: Final = 60.0


def on_dask(
    job: Job, tasks: Sequence[Task], jobs: int, address: str
) -> Iterator[tuple[int, Attempt]]:
    """Yield the number of each of *tasks* as it ends, and how that was, from workers under the
    scheduler at *address*.

    `local` is a scheduler and *jobs* worker processes of our own, on the loopback interface alone.
    Workers elsewhere run one thread a task, for theirs are not ours to count. Raises `StoreError`
    when the scheduler is out of reach, and when no worker has the environment that *job* needs.
    """
    with ExitStack() as stack:
        _hush()
        try:
            client = _own(job.run, jobs, stack) if address == LOCAL else _theirs(address, stack)
        except (OSError, ValueError) as error:
            raise StoreError(f"cannot reach dask:{address}: {error}", 1) from error
        job = job if address == LOCAL else replace(job, threads=1)
        yield from _results(_Futures(client, job, tasks, address), job, tasks)


def misaddressed(address: str) -> str | None:
    """Return why nothing could be at *address*, or None: there may be a scheduler there."""
    from distributed.comm.addressing import parse_address, parse_host_port
    from distributed.comm.registry import get_backend

    try:
        scheme, place = parse_address(address)
        get_backend(scheme)
        if scheme != "inproc":
            parse_host_port(place)
    except ValueError as reason:
        return str(reason)
    return None


def _hush() -> None:
    """Let Dask's own logs be silent in this process: what they would say of a lost connection, with
    a traceback, is said in our sentence. A cluster of our own restores what it changes itself.
    """
    import distributed  # noqa: F401  (it gives its loggers their levels)

    known = list(logging.root.manager.loggerDict)
    for name in (name for name in known if name.startswith("distributed")):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _own(run: Path, jobs: int, stack: ExitStack) -> Client:
    """Return a client of a new scheduler with *jobs* processes of one thread; all of it ends with *stack* or with us."""
    import dask
    from distributed import Client, LocalCluster

    scratch = temporary_name(run / "dask")
    stack.callback(remove, scratch)
    # Whoever is out of memory is ended by the system; a worker that goes is replaced however often, for it is the tasks that have a limit.
    stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 10**6}))
    local = {
        "n_workers": jobs,
        "threads_per_worker": 1,
        "processes": True,
        "memory_limit": 0,
        "local_directory": str(scratch),
    }
    for again in reversed(range(_STARTS)):
        try:
            cluster = LocalCluster(
                host=_LOOPBACK, dashboard_address=f"{_LOOPBACK}:0", silence_logs="CRITICAL", **local
            )
            break
        except RuntimeError as error:  # a worker was gone before it had begun
            if not again:
                raise ConnectionError(f"{error.__cause__ or error}") from error
    return stack.enter_context(Client(stack.enter_context(cluster), set_as_default=False))


def _theirs(address: str, stack: ExitStack) -> Client:
    """Return a client of the scheduler at *address*."""
    from distributed import Client

    client = Client(address, set_as_default=False)
    stack.callback(_leave, client)
    return client


def _leave(client: Client) -> None:
    """Leave a scheduler, also one that is gone: then there is nobody to tell, now or when the client is swept up."""
    with suppress(Exception):
        client.close()
    client.status = "closed"


class _Futures:
    """The tasks given to a scheduler at *address* by *client*, and who of its workers may do them.

    A worker that has refused one, for its environment is another, is given no more of them.
    """

    def __init__(self, client: Client, job: Job, tasks: Sequence[Task], address: str) -> None:
        self._client, self._job, self._tasks, self.address = client, job, tasks, address
        self.ended: SimpleQueue[Any] = SimpleQueue()
        self.waiting: dict[str, int] = {}
        self._held: dict[int, Any] = {}  # who lets go of a future calls it off
        self._refused: dict[str, str] = {}
        self._kept_for: dict[int, set[str]] = {}
        self._listener, self._alone_s = Listener(), 0.0

    def submit(self, number: int) -> None:
        """Give task *number* to the scheduler, for workers that have not refused."""
        fit = self._fit() if self._refused else None
        how = {"pure": False, "workers": None if fit is None else sorted(fit)}
        future = self._client.submit(
            attempt_elsewhere, self._job, number, self._tasks[number], **how
        )
        self._held[number] = future
        if fit is not None:
            self._kept_for[number] = fit
        self.wait_for(future, number)

    def wait_for(self, future: Any, number: int) -> None:
        """Wait for *future*, which does task *number*."""
        self.waiting[future.key] = number
        future.add_done_callback(self.ended.put)

    def let_go(self, number: int) -> None:
        """Task *number* is done."""
        del self._held[number]
        self._kept_for.pop(number, None)

    def refused(self, number: int, worker: str, told: str) -> None:
        """Give task *number*, which *worker* refused, to another; raise `StoreError` when there is
        nobody left.
        """
        if worker not in self._refused:
            log(self._job.run, f"a worker refused: {told}")
        self._refused[worker] = told
        if not self._fit():
            sentence = next(iter(self._refused.values()))
            told = f"no worker of dask:{self.address} fits: {sentence}"
            raise StoreError(told, 1)
        self.submit(number)

    def _workers(self) -> dict[str, Any]:
        """Return the scheduler's workers by address, each with when it was last heard."""
        try:
            known = self._client.scheduler_info(n_workers=-1).get("workers", {})
        except OSError:  # the scheduler is out of reach: its futures will say so
            return {}
        return {address: worker["last_seen"] for address, worker in known.items()}

    def _fit(self) -> set[str]:
        return set(self._workers()) - self._refused.keys()

    def next(self) -> Any:
        """Return the next future that has ended. While there is no worker it waits: a minute for
        one of our own, for others as long as it takes.
        """
        while True:
            try:
                return self.ended.get(timeout=_LOOK_S)
            except Empty:
                self._look()

    def _look(self) -> None:
        """See who is there and who is silent."""
        workers = self._workers()
        self._alone_s = 0.0 if workers else self._alone_s + _LOOK_S
        if self._alone_s == _LOOK_S:
            log(self._job.run, f"waiting for workers of dask:{self.address}")
        if self._alone_s > _PATIENCE_S and self.address == LOCAL:
            raise StoreError("worker processes end before they begin", 1)
        if silent := self._listener.silent(workers, _LOOK_S):
            for worker in silent:
                tell_of_silence(self._job.run, worker)
            with suppress(ValueError):  # one without a nanny: its scheduler drops it in its time
                self._client.restart_workers(silent, raise_for_error=False)
        for number, fit in list(self._kept_for.items()):
            if not fit & workers.keys() and workers.keys() - self._refused.keys():
                key = self._held[number].key  # whom it was kept for has gone; others have come
                del self.waiting[key]
                self.submit(number)


def _results(futures: _Futures, job: Job, tasks: Sequence[Task]) -> Iterator[tuple[int, Attempt]]:
    """Yield as `on_dask`. A task that the scheduler gives up is given to it once more: it may have
    waited on workers that others killed.
    """
    again, address = set[int](), futures.address
    for number in range(len(tasks)):
        futures.submit(number)
    while futures.waiting:
        future = futures.next()
        if future.key not in futures.waiting:  # given to others since
            continue
        number, status = futures.waiting.pop(future.key), future.status
        if status in ("finished", "cancelled"):
            ended = _taken(future, address, len(futures.waiting) + 1)
            if ended.failure is not None and ended.failure.refused_by:
                futures.refused(number, ended.failure.refused_by, ended.failure.cause)
                continue
            yield number, ended
        elif finished(job.run, [tasks[number].address])[0]:
            yield number, Attempt(None, 0.0)
        elif status != "error":  # it was done, and its worker went before it could say so
            futures.wait_for(future, number)
            continue
        elif (told := _why_impossible(future, address)) is not None:
            raise StoreError(told, 1)
        elif number in again:
            yield number, Attempt(failed(tasks[number], KILLED), 0.0)
        else:
            again.add(number)
            futures.submit(number)
            continue
        futures.let_go(number)


def _taken(future: Any, address: str, left: int) -> Attempt:
    """Return how the attempt of *future* ended; raise `StoreError`, with *left* to go, when the
    scheduler is gone.
    """
    try:
        return cast("Attempt", future.result()[1])
    except (OSError, CancelledError) as gone:
        told = f"lost dask:{address} with {left} replications to go; what was finished is kept"
        raise StoreError(told, 1) from gone


def _why_impossible(future: Any, address: str) -> str | None:
    """Return why no attempt could be made, for one raises nothing; None: its worker was killed."""
    from distributed import KilledWorker

    error = future.exception()
    if isinstance(error, KilledWorker):
        return None
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    needed = "scheduler and workers need this simulator and its packages"
    return f"dask:{address} cannot do the work ({reason}); {needed}"
