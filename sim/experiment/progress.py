"""How far along: a bar with rate and time left on a terminal, a plain line now and then elsewhere. Always on stderr."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from time import monotonic
from types import TracebackType
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

    def __init__(self, cells: Sequence[str], weight: float) -> None:
        """Begin with nothing done of one replication for each entry of *cells*, the cell's name, and of *weight* work."""
        self.total, self.weight = len(cells), weight
        self._left = Counter(cells)
        self.cells, self.cells_done = len(self._left), 0
        self.done, self.done_weight, self.started = 0, 0.0, monotonic()

    def __enter__(self) -> Silence:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing was opened."""

    def advance(self, weight: float, cell: str) -> None:
        """One more replication is done, of *cell*; *weight* is its share of the work."""
        self.done += 1
        self._left[cell] -= 1
        self.cells_done += self._left[cell] == 0
        self.done_weight += weight

    def text(self) -> str:
        """Return how far along, the rate and the time left."""
        passed = max(monotonic() - self.started, 1e-9)
        share = self.done_weight / self.weight if self.weight else 1.0
        left = f", {clock(passed * (1 - share) / share)} left" if share and self.done < self.total else f" in {clock(passed)}"
        cells = f"{self.cells_done} of {self.cells} cells, " if self.cells > 1 else ""
        return f"{cells}{self.done} of {self.total} replications ({share:.0%}), {self.done / passed:.3g} a second{left}"


class Lines(Silence):
    """A plain line each tenth of the work or half minute, whichever comes first, on *stream*."""

    def __init__(self, cells: Sequence[str], weight: float, stream: TextIO) -> None:
        super().__init__(cells, weight)
        self._stream, self._said_share, self._said_at = stream, 0.0, monotonic()

    def advance(self, weight: float, cell: str) -> None:
        """One more is done; say so when it is time."""
        super().advance(weight, cell)
        share = self.done_weight / self.weight
        if monotonic() - self.started < _QUICK_S:
            return
        if share - self._said_share >= _EVERY_SHARE or monotonic() - self._said_at >= _EVERY_S or self.done == self.total:
            self._said_share, self._said_at = share, monotonic()
            self._stream.write(self.text() + "\n")
            self._stream.flush()


class Bar(Silence):
    """A bar on the terminal *stream*, gone when the work is done."""

    def __init__(self, cells: Sequence[str], weight: float, stream: TextIO) -> None:
        super().__init__(cells, weight)
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        columns: list[Any] = [BarColumn(), TextColumn("{task.description}", markup=False)]
        self._bar = Progress(*columns, console=Console(file=stream), transient=True)
        self._task = self._bar.add_task(self.text(), total=weight)

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()

    def advance(self, weight: float, cell: str) -> None:
        """One more is done; move the bar."""
        super().advance(weight, cell)
        self._bar.update(self._task, completed=self.done_weight, description=self.text())


def watch(cells: Sequence[str], weight: float, *, quiet: bool, stream: TextIO | None = None) -> Silence:
    """Return progress for one replication of each of *cells* and *weight* work together, fit for where stderr (or *stream*) goes."""
    stream = stream or sys.stderr
    if quiet or not cells:
        return Silence(cells, weight)
    return Bar(cells, weight, stream) if stream.isatty() else Lines(cells, weight, stream)
