"""How far along: a bar with rate and time left on a terminal, a plain line now and then elsewhere.
Always on stderr.
"""

from __future__ import annotations

import math
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from time import monotonic
from typing import Any, Final, TextIO

_EVERY_SHARE: Final = 0.1
_EVERY_S: Final = 30.0
_QUICK_S: Final = 2.0  # what is over sooner needs no progress


def clock(seconds: float) -> str:
    """Return *seconds* as a person says them: "8 s", "3 min", "2.5 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


class Silence:
    """Progress that nobody watches."""

    def __init__(self, tasks: Sequence[tuple[str, float]], at_once: int = 1) -> None:
        """Begin with nothing done of *tasks*, each the name of its cell and its weight, which is
        its expected work; *at_once* of them are done at the same time (0: nobody knows).
        """
        self.total = len(tasks)
        self.weight = sum(weight for _, weight in tasks)
        self.at_once = at_once
        self._weight_of = dict(tasks)
        self._left = Counter(cell for cell, _ in tasks)
        self._took_s: defaultdict[str, float] = defaultdict(float)
        self._timed = Counter[str]()
        self.cells = len(self._left)
        self.cells_done = 0
        self.done = 0
        self.done_weight = 0.0
        self.started = monotonic()

    def __enter__(self) -> Silence:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing was opened."""

    def phase(self, name: str) -> None:
        """Say what is done before the first of the tasks; the clock starts anew."""
        self.started = monotonic()

    def begin(self) -> None:
        """The first task starts now."""
        self.started = monotonic()

    def advance(self, cell: str, seconds: float | None) -> None:
        """One more replication is done, of *cell*; it took *seconds*, if that is known."""
        self.done += 1
        self._left[cell] -= 1
        if seconds is not None:
            self._timed[cell] += 1
            self._took_s[cell] += seconds
        self.cells_done += self._left[cell] == 0
        self.done_weight += self._weight_of[cell]

    def seconds_left(self) -> float:
        """Return how long the rest takes, by what those of the same cell took; a cell of which none
        is done takes what its weight says, as the done ones did theirs.
        """
        took_s = math.fsum(self._took_s.values())
        timed = sum(n * self._weight_of[cell] for cell, n in self._timed.items())
        by_weight = took_s / timed if timed else 0.0
        rest_s = sum(
            (
                n * (self._took_s[cell] / self._timed[cell])
                if self._timed[cell]
                else n * self._weight_of[cell] * by_weight
            )
            for cell, n in self._left.items()
        )
        passed_s = max(monotonic() - self.started, 1e-9)
        together = self.at_once or max(1.0, took_s / passed_s)
        return rest_s / min(together, max(1, self._left.total()))

    def text(self) -> str:
        """Return how far along, the rate and the time left."""
        passed = max(monotonic() - self.started, 1e-9)
        share = self.done_weight / self.weight if self.weight else 1.0
        left = f" in {clock(passed)}"
        if self.done < self.total:
            left = f", {clock(self.seconds_left())} left" if self._timed else ""
        cells = f"{self.cells_done} of {self.cells} cells, " if self.cells > 1 else ""
        rate = f"{self.done / passed:.3g} a second"
        return f"{cells}{self.done} of {self.total} replications ({share:.0%}), {rate}{left}"


class Lines(Silence):
    """A plain line each tenth of the work or half minute, whichever comes first, on *stream*."""

    def __init__(self, tasks: Sequence[tuple[str, float]], at_once: int, stream: TextIO) -> None:
        super().__init__(tasks, at_once)
        self._stream = stream
        self._said_share = 0.0
        self._said_at = monotonic()

    def _say(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()

    def phase(self, name: str) -> None:
        """Say it in a line of its own."""
        super().phase(name)
        self._say(name)

    def advance(self, cell: str, seconds: float | None) -> None:
        """One more is done; say so when it is time."""
        super().advance(cell, seconds)
        share = self.done_weight / self.weight
        if monotonic() - self.started < _QUICK_S:
            return
        is_due = share - self._said_share >= _EVERY_SHARE or self.done == self.total
        if is_due or monotonic() - self._said_at >= _EVERY_S:
            self._said_share = share
            self._said_at = monotonic()
            self._say(self.text())


class Bar(Silence):
    """A bar on the terminal *stream*, gone when the work is done."""

    def __init__(self, tasks: Sequence[tuple[str, float]], at_once: int, stream: TextIO) -> None:
        super().__init__(tasks, at_once)
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        columns: list[Any] = [BarColumn(), TextColumn("{task.description}", markup=False)]
        self._bar = Progress(*columns, console=Console(file=stream), transient=True)
        self._task = self._bar.add_task(self.text(), total=self.weight)

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def phase(self, name: str) -> None:
        """Say it beside the bar."""
        super().phase(name)
        self._bar.update(self._task, description=name)

    def begin(self) -> None:
        """Say that nothing is done yet."""
        super().begin()
        self._bar.update(self._task, description=self.text())

    def advance(self, cell: str, seconds: float | None) -> None:
        """One more is done; move the bar."""
        super().advance(cell, seconds)
        self._bar.update(self._task, completed=self.done_weight, description=self.text())


def watch(
    tasks: Sequence[tuple[str, float]],
    at_once: int,
    *,
    quiet: bool,
    stream: TextIO | None = None,
) -> Silence:
    """Return progress for *tasks*, the cell's name and weight of each, of which *at_once* are done
    together, fit for where stderr (or *stream*) goes.
    """
    stream = stream or sys.stderr
    if quiet or not tasks:
        return Silence(tasks, at_once)
    return Bar(tasks, at_once, stream) if stream.isatty() else Lines(tasks, at_once, stream)
