"""Signs of life: who works for a runner touches a file every two seconds, from a thread of its own.

A worker that gives none for a minute hangs (stopped, swapped out, on a dead disk) and is ended by
its runner; how long a replication was foretold to take decides nothing, for machines are slow. The
same thread sees when the runner is gone, and ends its worker: nobody would take the result.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, Final

from sim.store import log, remove

SILENCE_S = 60.0  # tests shorten it
LOOK_S: Final = 1.0
_BEAT_S: Final = 2.0
_TO_BEGIN: Final = 5  # times the silence that is allowed before the first sign


def _sign(run: Path, runner: str, worker: int) -> Path:
    """Return the file that process *worker* touches; with the runner gone it is an orphan."""
    return run / "cells" / f".alive-{worker}.{runner}.tmp"


def give_signs_of_life(run: Path, runner: str, parent: int) -> None:
    """Begin to give signs of life from this worker process, to *runner*, process *parent*, which
    works on the folder *run*; end the process when its parent is another.
    """
    Thread(target=_live, args=(_sign(run, runner, os.getpid()), parent), daemon=True).start()


def _live(sign: Path, parent: int) -> None:
    while os.getppid() == parent:
        with suppress(OSError):  # a disk that is full is told by who writes results to it
            sign.touch()
        time.sleep(_BEAT_S)
    os._exit(1)


class Listener:
    """Tells who has been silent for `SILENCE_S`, from the signs of life that it is shown."""

    def __init__(self) -> None:
        self._last: dict[Any, object] = {}
        self._silence_s: dict[Any, float] = {}
        self._looked = time.monotonic()

    def silent(self, signs: Mapping[Any, object], look_s: float = LOOK_S) -> list[Any]:
        """Return who of *signs* (worker → anything that changes while it lives; 0: no sign yet, for
        it loads its packages, which may take a while longer) is silent.

        To be called every *look_s* seconds or so. What passed unseen counts as two looks at most: a
        runner that was asleep itself has not listened.
        """
        now = time.monotonic()
        passed_s, self._looked = min(now - self._looked, 2 * look_s), now
        for worker, sign in signs.items():
            heard = self._last.get(worker) != sign
            self._silence_s[worker] = 0.0 if heard else self._silence_s[worker] + passed_s
        self._last = dict(signs)
        silent = [
            worker
            for worker, sign in signs.items()
            if self._silence_s[worker] >= (SILENCE_S if sign else _TO_BEGIN * SILENCE_S)
        ]
        self._silence_s |= dict.fromkeys(silent, 0.0)  # told once
        return silent


def signs_of(run: Path, runner: str, workers: Iterable[int]) -> dict[int, int]:
    """Return when each process of *workers* last gave a sign, in nanoseconds by the disk's clock;
    0: never yet.
    """
    signs = {}
    for worker in workers:
        try:
            signs[worker] = _sign(run, runner, worker).stat().st_mtime_ns
        except OSError:
            signs[worker] = 0
    return signs


def end(worker: int) -> None:
    """Kill process *worker*: one that is stopped answers to nothing less."""
    with suppress(OSError):  # it is gone already
        os.kill(worker, getattr(signal, "SIGKILL", signal.SIGTERM))


def tell_of_silence(run: Path, worker: str, consequence: str) -> None:
    """Name the silent *worker* in the log of *run*, and what comes of it."""
    log(run, f"worker {worker}: no sign of life for {SILENCE_S:.0f} s; {consequence}")


def forget_signs(run: Path, runner: str) -> None:
    """Delete every sign that was given to *runner*."""
    for sign in (run / "cells").glob(f".alive-*.{runner}.tmp"):
        with suppress(OSError):  # a disk gone read-only is told by who writes results to it
            remove(sign)
