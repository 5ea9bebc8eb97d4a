"""Workers under a Dask scheduler: one of our own on this machine, or any that somebody else's
deployer started (Slurm, Kubernetes, ssh).

The scheduler starts a task again when its worker is gone; the marks of `sim.experiment.attempts`
see to it that one that kills its worker is given up by name. Workers give signs of life to the
scheduler, and one that is silent is started again; one of another environment refuses. Tasks go to
workers through the scheduler, results come back through files: all that travels home is how long it
took and, of a failure, a sentence.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, suppress
from dataclasses import replace
from math import inf
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

from sim.experiment.answering import question
from sim.experiment.attempts import (
    KILLED,
    Attempt,
    Job,
    another_environment,
    attempt_elsewhere,
    failed,
)
from sim.experiment.environment import unlike
from sim.experiment.plan import Task
from sim.experiment.pulse import Listener, tell_of_silence
from sim.store import StoreError, finished, log, remove, temporary_name

if TYPE_CHECKING:
    from distributed import Client

LOCAL: Final = "local"
_LOOPBACK: Final = "127.0.0.1"
_STARTS: Final = 3
_AHEAD: Final = 2  # replications given to each thread: one that it does, one that waits
_LOOK_S: Final = 5.0
_SOON_S: Final = 0.5  # while there is nobody to give work to
_RESTART_S: Final = 10.0
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
        except (OSError, ValueError, TypeError, RuntimeError, ImportError) as error:
            raise StoreError(f"cannot reach dask:{address}: {error}", 1) from error
        job = job if address == LOCAL else replace(job, threads=1)
        yield from _results(_Team(client, job, address), job, tasks)


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
    """Return a client of a new scheduler with *jobs* processes of one thread; all of it ends with
    *stack* or with us.
    """
    import dask
    from distributed import Client, LocalCluster

    scratch = temporary_name(run / "dask")
    stack.callback(remove, scratch)
    # Whoever is out of memory is ended by the system; a worker that goes is replaced however often,
    # for it is the tasks that have a limit.
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
    """Leave a scheduler, also one that is gone: then there is nobody to tell, now or when the
    client is swept up.
    """
    with suppress(Exception):
        client.close()
    client.status = "closed"


class _Team:
    """The workers of a scheduler: who is there, who is silent, and who has the environment that the
    work needs. Each that arrives is asked, by a task for it alone, before it is given any.
    """

    def __init__(self, client: Client, job: Job, address: str) -> None:
        self._client = client
        self._job = job
        self.address = address
        self._ended: SimpleQueue[Any] = SimpleQueue()
        self._asked: dict[str, tuple[str, Any]] = {}  # by key: the worker and the future
        self._threads: dict[str, int] = {}
        self._fit: set[str] = set()
        self._refused: dict[str, str] = {}
        self._listener = Listener()
        self._alone_s = 0.0
        self._looked = -inf

    def room(self) -> int:
        """Return how many replications the fit workers may be given together."""
        return _AHEAD * sum(self._threads[worker] for worker in self._fit)

    def submit(self, task: Task) -> tuple[Any, set[str]]:
        """Give *task* to the fit workers; return its future, and who they are."""
        fit = set(self._fit)
        how = {"pure": False, "workers": sorted(fit)}
        return self._client.submit(attempt_elsewhere, self._job, task, **how), fit

    def hear_of(self, future: Any) -> None:
        """Let `next` return *future* when it has ended."""
        future.add_done_callback(self._ended.put)

    def next(self) -> Any:
        """Return the next of the submitted futures that has ended; None when none has for a while,
        and when there may be more room.
        """
        if monotonic() - self._looked >= (_LOOK_S if self._fit else _SOON_S):
            self._look()
            self._looked = monotonic()
        try:
            future = self._ended.get(timeout=_LOOK_S if self._fit else _SOON_S)
        except Empty:
            return None
        if future.key not in self._asked:
            return future
        self._answered(future)
        return None

    def has(self, workers: set[str]) -> bool:
        """Whether any of *workers* is still there and fit."""
        return bool(workers & self._fit)

    def refused(self, worker: str, told: str) -> None:
        """Give *worker* nothing more; raise `StoreError` when that was the last."""
        log(self._job.run, f"refused: {told}")
        self._fit.discard(worker)
        self._refused[worker] = told
        if not (self._fit or self._asked):
            sentence = "; ".join(self._refused.values())
            raise StoreError(f"no worker of dask:{self.address} fits: {sentence}", 1)

    def _answered(self, future: Any) -> None:
        """Take the answer of a worker to the question for its environment."""
        worker, _ = self._asked.pop(future.key)
        if worker not in self._threads:
            return
        if future.status == "error":  # it was killed meanwhile
            return
        try:
            host, known, reason = future.result(timeout=_LOOK_S)
        except (OSError, CancelledError):
            return  # it has gone, or hangs; it is asked again if it comes back
        if reason:
            told = f"worker {worker} on {host} has another simulator, or none ({reason})"
            self.refused(worker, told)
        elif differences := list(unlike(known, self._job.environment)):
            self.refused(worker, another_environment(f"{worker} on {host}", differences))
        else:
            self._fit.add(worker)

    def _look(self) -> None:
        """See who has come, who has gone, and who is silent."""
        if self._client.status == "closed":
            raise _lost(self.address)
        if self._client.status != "running":  # it is looking for its scheduler
            return
        workers = self._client.scheduler_info(n_workers=-1).get("workers", {})
        self._threads = {worker: known["nthreads"] for worker, known in workers.items()}
        self._fit &= workers.keys()
        self._refused = {worker: self._refused[worker] for worker in self._refused.keys() & workers}
        self._asked = {key: asked for key, asked in self._asked.items() if asked[0] in workers}
        known = self._fit | self._refused.keys() | {worker for worker, _ in self._asked.values()}
        for worker in workers.keys() - known:
            future = self._client.submit(question(), workers=[worker], pure=False, priority=1)
            self._asked[future.key] = worker, future
            self.hear_of(future)
        self._wait_for_workers(bool(workers))
        signs = {worker: known["last_seen"] for worker, known in workers.items()}
        for worker in self._listener.silent(signs, _LOOK_S if self._fit else _SOON_S):
            consequence = "its nanny ends and replaces it"
            try:
                self._client.restart_workers([worker], timeout=_RESTART_S, raise_for_error=False)
            except (ValueError, KeyError, OSError):  # it has no nanny, or has gone meanwhile
                consequence = "its scheduler drops it in its own time"
            tell_of_silence(self._job.run, worker, consequence)

    def _wait_for_workers(self, are_there: bool) -> None:
        """Say when there is nobody; of our own, wait a minute, of others as long as it takes."""
        before_s, passed_s = self._alone_s, _LOOK_S if self._fit else _SOON_S
        self._alone_s = 0.0 if are_there else before_s + passed_s
        if before_s == 0 < self._alone_s:
            log(self._job.run, f"waiting for workers of dask:{self.address}")
        if self._alone_s > _PATIENCE_S and self.address == LOCAL:
            raise StoreError("worker processes end before they begin", 1)


def _results(team: _Team, job: Job, tasks: Sequence[Task]) -> Iterator[tuple[int, Attempt]]:
    """Yield as `on_dask`. A task that the scheduler gives up is given to it once more: it may have
    waited on workers that others killed.
    """
    todo, again = deque(range(len(tasks))), set[int]()
    given: dict[str, tuple[int, Any, set[str]]] = {}  # by key: number, future, whom it is for
    while todo or given:
        while todo and len(given) < team.room():
            number = todo.popleft()
            future, fit = team.submit(tasks[number])
            given[future.key] = number, future, fit
            team.hear_of(future)
        future = team.next()
        for key in [key for key, (_, _, fit) in given.items() if not team.has(fit)]:
            number, _, _ = given.pop(key)  # all whom it was for have gone, or refused it
            todo.appendleft(number)  # who lets go of a future calls it off
        if future is None or future.key not in given:
            continue
        number, _, fit = given.pop(future.key)
        ended = _ended(future, job, tasks[number], team.address)
        if ended is None:  # its worker went, or hangs, before it could say so
            given[future.key] = number, future, fit
            team.hear_of(future)
        elif ended.failure is not None and ended.failure.refused_by:
            todo.appendleft(number)
            team.refused(ended.failure.refused_by, ended.failure.cause)
        elif ended.failure is not None and ended.failure.cause == KILLED and number not in again:
            again.add(number)
            todo.appendleft(number)
        else:
            yield number, ended


def _lost(address: str) -> StoreError:
    return StoreError(f"lost the scheduler of dask:{address}; what was finished is kept", 1)


def _ended(future: Any, job: Job, task: Task, address: str) -> Attempt | None:
    """Return how the attempt of *future* at *task* ended; None when nobody can say so yet. Raises
    `StoreError` when the scheduler at *address* is gone or cannot do the work.
    """
    if future.status in ("finished", "cancelled"):
        try:
            return cast("Attempt", future.result(timeout=_LOOK_S))
        except TimeoutError:  # the worker that has it hangs
            pass
        except (OSError, CancelledError) as gone:
            raise _lost(address) from gone
    if finished(job.run, [task.address])[0]:
        return Attempt(None, None)
    if future.status != "error":
        return None
    if (reason := _why_impossible(future)) is not None:
        needed = "scheduler and workers need this simulator and its packages"
        raise StoreError(f"dask:{address} cannot do the work ({reason}); {needed}", 1)
    return Attempt(failed(task, KILLED), None)


def _why_impossible(future: Any) -> str | None:
    """Return why *future* could not be begun, for what it does raises nothing; None: its worker was
    killed.
    """
    from distributed import KilledWorker

    error = future.exception()
    if isinstance(error, KilledWorker):
        return None
    return f"{type(error).__name__}: {error}".splitlines()[0]
