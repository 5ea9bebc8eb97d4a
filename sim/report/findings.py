"""What a report is made of, whatever the question: an answer, what else to know, tables, figures,
and what would change it all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.report.grids import Grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure not yet drawn: its file *name*, a *title* that says the finding, how to *read* it,
    and what a listener needs instead (*alt*).
    """

    name: str
    title: str
    read: str
    alt: str
    draw: Callable[[], Figure]

    def _repr_svg_(self) -> str:
        """Show the figure, with its title, where a notebook would show a value."""
        from sim.report.drawing import files

        return files(self.draw(), self.title, self.read)["svg"].decode("utf-8")


@dataclass(frozen=True, slots=True)
class Findings:
    """The *answer* in one paragraph; *points* beside it; *grids* and *pictures*; what would change
    the answer (*doubts*); the *metrics* they rest on.

    On a terminal answer and points come *last* where they are many and the tables long.
    """

    answer: str
    points: tuple[str, ...]
    grids: tuple[Grid, ...]
    pictures: tuple[Picture, ...]
    doubts: tuple[str, ...]
    metrics: tuple[str, ...]
    last: bool = False
