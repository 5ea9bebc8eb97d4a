"""Worker processes of this machine, by joblib's loky: kept from one batch to the next, listened to,
and gone when the run has ended.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import islice
from typing import Any, Final

from sim.experiment.attempts import Attempt, Job, attempt_elsewhere
from sim.experiment.plan import Task
from sim.experiment.pulse import (
    LOOK_S,
    Listener,
    end,
    forget_signs,
    give_signs_of_life,
    signs_of,
    tell_of_silence,
)

_AHEAD: Final = 2  # replications handed over for each worker: one that it does, one that waits
_IDLE_S: Final = 300  # after which a worker that nobody needs ends
_THREADS_OF: Final = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def begin_worker(*signs: Any) -> None:
    """Begin a worker process, which gives *signs* of life (`give_signs_of_life`).

    It keeps the memory of one replication for the next (`sim.network.room.Shelf`). loky takes a
    process that has grown by 300 MB for one that leaks, and ends it; it has no public way to say
    otherwise.
    """
    from joblib.externals.loky import process_executor

    process_executor._MAX_MEMORY_LEAK_SIZE = sys.maxsize
    give_signs_of_life(*signs)


class Processes:
    """The worker processes of one run. They are its own: a pool of loky's that the user has in the
    same program is another.
    """

    def __init__(self) -> None:
        self._pool: Any = None
        self._made_for: tuple[Job, int] | None = None

    def batch(
        self, job: Job, tasks: Mapping[int, Task], jobs: int
    ) -> Iterator[tuple[int, Attempt]]:
        """Yield the number of each of *tasks* as it ends, and how that was, *jobs* at once.

        Few are handed over at a time, so that little is lost with a worker. Raises loky's
        `BrokenProcessPool` when one was killed.
        """
        pool = self._pool_for(job, jobs)
        listener, todo = Listener(), iter(tasks.items())
        running: dict[Future[Attempt], int] = {}
        while True:
            for number, task in islice(todo, _AHEAD * jobs - len(running)):
                running[pool.submit(attempt_elsewhere, job, task)] = number
            if not running:
                return
            for future in wait(running, LOOK_S, FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
            for worker in listener.silent(signs_of(job.run, job.runner, self._workers())):
                tell_of_silence(job.run, f"process {worker}", "it is ended and replaced")
                end(worker)

    def _workers(self) -> list[int]:
        """Return the process numbers of the pool's workers; nothing public of loky's names them."""
        return list(self._pool._processes)

    def _pool_for(self, job: Job, jobs: int) -> Any:
        """Return a pool of *jobs* processes for *job*: that of the last batch where it still is."""
        from joblib.externals.loky import ProcessPoolExecutor

        if self._made_for == (job, jobs):
            return self._pool
        self.dismiss()
        (job.run / "cells").mkdir(parents=True, exist_ok=True)
        signs = (job.run, job.runner, os.getpid())
        threads = dict.fromkeys(_THREADS_OF, str(job.threads))
        how = {"initializer": begin_worker, "initargs": signs, "env": threads}
        self._pool = ProcessPoolExecutor(max_workers=jobs, timeout=_IDLE_S, **how)
        self._made_for = job, jobs
        return self._pool

    def dismiss(self) -> None:
        """End the processes, if there are any, and delete the signs of life that they gave."""
        if self._made_for is None:
            return
        # To end them ourselves is to lose them all, which loky has a way for; its own way to end
        # them at a shutdown may meet a replication that was handed over just then.
        for worker in self._workers():
            end(worker)
        self._pool.shutdown(wait=True)
        forget_signs(self._made_for[0].run, self._made_for[0].runner)
        self._pool = self._made_for = None
