"""Where messages queue most: the server that a run turns on, at whatever stage it stands."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from sim.metrics import Estimate
from sim.report.servers import Place
from sim.report.study import Cell, Study
from sim.report.words import interval, percent
from sim.scenario.schema import Stage
from sim.units import format_rate


@dataclass(frozen=True, slots=True)
class Pressed:
    """A server of limited capacity, which *passes_on* so much: what *comes* there ÷ capacity (None: it passes on nothing), the
    share of seconds after which something is *waiting*, and what is *left* at the end.
    """

    place: Place
    passes_on: str
    comes: Estimate | None
    waiting: Estimate
    left: Estimate | None

    @property
    def pressure(self) -> tuple[float, float]:
        """What the worst server has most of: time with something waiting, then load."""
        return self.waiting.value, float("inf") if self.comes is None else self.comes.value


def bottleneck(study: Study, cell: Cell) -> Pressed | None:
    """Return the server of *cell* that is pressed most; None where every capacity is unlimited."""
    found = [one for stage in cell.scenario.network for one in _of_stage(study, cell, stage)]
    return max(found, key=lambda one: one.pressure, default=None)


def _of_stage(study: Study, cell: Cell, stage: Stage) -> list[Pressed]:
    """Return the servers of a *stage* of limited capacity."""
    if stage.capacity is None:
        return []
    waits = study.groups(cell, f"{stage.stage}_waiting_share")
    if stage.stage == "dsp":
        whole = study.estimate(cell, "dsp_waiting_share")
        waits = {} if whole is None else {"all": whole}
    found = []
    for group, waiting in waits.items():
        comes = study.estimate(cell, f"{stage.stage}_load_share", group)
        left = study.estimate(cell, f"{stage.stage}_waiting_at_end_n", group)
        cells = cell.n_cells.get(group, 1) if stage.stage == "cell" else 1
        place = Place(stage.stage, group, _name(stage.stage, group), float(stage.capacity) * cells)
        each = " a cell" if stage.stage == "cell" else ""
        found.append(Pressed(place, format_rate(stage.capacity) + each, comes if stage.capacity else None, waiting, left))
    return found


def _name(stage: str, group: str) -> str:
    """Return what a server is called."""
    if stage == "dsp":
        return "DSP"
    return f"{'WAN cells' if stage == 'cell' else stage.upper() if stage == 'csp' else stage} {group}"


def load(found: Estimate) -> str:
    """Say what comes to a server, ÷ capacity: what it uses, or how many times over more comes."""
    if not isfinite(found.value) or found.value <= 1:
        return f"it uses {percent(found)} of its capacity"
    return f"{interval(found, 1, 'times')} what it passes on comes to it"


def told(study: Study, cell: Cell) -> str:
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
    return f"the bottleneck is {worst.place} ({worst.passes_on}): {comes}, {waits}{left}"
