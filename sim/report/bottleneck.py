"""Where messages queue most: the server that a run turns on, at whatever stage it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from sim.metrics import Estimate
from sim.report.servers import Place, servers_of
from sim.report.study import Cell, Study
from sim.report.words import interval, percent
from sim.scenario.network import Stage


@dataclass(frozen=True, slots=True)
class Pressed:
    """A server of limited capacity: what *comes* there ÷ capacity (None:
    it passes on nothing), the share of seconds after which something is *waiting*, and what is
    *left* at the end.
    """

    place: Place
    comes: Estimate | None
    waiting: Estimate
    left: Estimate | None

    @property
    def pressure(self) -> tuple[float, float]:
        """What the worst server has most of: time with something waiting, then load."""
        return self.waiting.value, inf if self.comes is None else self.comes.value


def bottleneck(study: Study, cell: Cell) -> Pressed | None:
    """Return the server of *cell* that is pressed most; None where every capacity is unlimited."""
    found = [one for stage in cell.scenario.network for one in _of_stage(study, cell, stage)]
    return max(found, key=lambda one: one.pressure, default=None)


def _of_stage(study: Study, cell: Cell, stage: Stage) -> Iterator[Pressed]:
    """Yield the servers of a *stage* of limited capacity."""
    for place in servers_of(cell, stage):
        comes, waiting, left = (
            study.estimate(cell, f"{stage.stage}_{name}", place.group)
            for name in ("load_share", "waiting_share", "waiting_at_end_n")
        )  # fmt: skip
        if waiting is not None:
            yield Pressed(place, comes, waiting, left)


def load(found: Estimate) -> str:
    """Say what comes to a server, ÷ capacity: what it uses, or how many times over more comes."""
    if found.value <= 1:
        return f"it uses {percent(found)} of its capacity"
    return f"{interval(found, 1, 'times')} what it passes on comes to it"


def pressed_most(study: Study, cell: Cell) -> str:
    """Say which server of *cell* is the bottleneck, how hard it is pressed, and what is left."""
    worst = bottleneck(study, cell)
    if worst is None:
        return "no stage has a limited capacity, so nothing can wait"
    comes = "it passes on nothing (its capacity is 0)" if worst.comes is None else load(worst.comes)
    if not worst.waiting.value:
        return f"nothing waits anywhere; nearest to its limit is {worst.place}: {comes}"
    waits = f"something waits there {percent(worst.waiting)} of the time"
    left = ""
    if worst.left is not None and worst.left.value > worst.place.capacity:
        left = f", and {interval(worst.left)} messages still wait when the window ends"
    return f"the bottleneck is {worst.place} ({worst.place.passes_on}): {comes}, {waits}{left}"
