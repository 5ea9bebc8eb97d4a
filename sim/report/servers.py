"""Where messages queue: the servers of limited capacity, and how hard each is pressed by the time
of day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sim.metrics import Estimate
from sim.report.study import Cell, Study
from sim.report.words import interval
from sim.scenario.fields import of_server
from sim.scenario.network import Stage
from sim.scenario.row_checks import server_names
from sim.scenario.scale import CENTRAL, scale_of
from sim.units import format_rate, format_speed

# How to read a heat-map of `peaks_by_quarter`.
READ: Final = (
    "each column a quarter of an hour of the day. Colour: the busiest second of the quarter (kind"
    " by kind, added up, at most the busiest of all), ÷ what the server passes on in a second; on"
    " the right, the busiest of the row. Boxed in orange: above 1.0, more than it passes on."
)


@dataclass(frozen=True, slots=True)
class Place:
    """A server of a stage: its *stage*, the *group* under which metrics know it, a *name* for
    readers, its capacity in messages a second, what it *passes_on* as it was written ("250 kB/s ×
    1/100" in a hundredth of the estate), and whether that is *in_bytes*.
    """

    stage: str
    group: str
    name: str
    capacity: float
    passes_on: str
    in_bytes: bool

    @property
    def server(self) -> str:
        """The name under which tables and scenarios know it."""
        return "dsp" if self.stage == "dsp" else self.group

    def __str__(self) -> str:
        return f"the {self.name}" if self.stage == "dsp" else self.name


def name_of(stage: str, server: str) -> str:
    """Return what a *server* of a *stage* is called: "CSP north", "WAN cells south", "DSP"."""
    if stage == "dsp":
        return "DSP"
    return f"{ {'cell': 'WAN cells', 'csp': 'CSP'}.get(stage, stage)} {server}"


def servers_of(cell: Cell, stage: Stage) -> list[Place]:
    """Return the servers of a *stage* of *cell* with a capacity, if that is 0; WAN cells are a
    region's together.
    """
    if stage.capacity is None:
        return []
    found = []
    for server in sorted(server_names(stage.stage, cell.scenario.estate)):
        capacity = of_server(stage.capacity, server)
        if capacity is None:
            continue
        in_messages = float(capacity.rate)
        if capacity.in_bytes:
            in_messages = cell.capacities[stage.stage, server]
        group = "all" if stage.stage == "dsp" else server
        n = cell.n_cells[server] if stage.stage == "cell" else 1
        name, written = name_of(stage.stage, server), _as_asked(cell, stage.stage, server)
        found.append(Place(stage.stage, group, name, in_messages * n, written, capacity.in_bytes))
    return found


def _as_asked(cell: Cell, stage: str, server: str) -> str:
    """Return the capacity of a *server* of *cell* as it was asked for, and its scale."""
    spec = next(one for one in cell.asked.network if one.stage == stage)
    capacity = of_server(spec.capacity, server)
    assert capacity is not None
    write = format_speed if capacity.in_bytes else format_rate
    if stage == "cell":
        return f"{write(capacity.rate)} a cell"
    scale = scale_of(cell.asked)
    return write(capacity.rate) + (f" × {scale}" if scale < 1 and stage in CENTRAL else "")


def places(cell: Cell) -> list[Place]:
    """Return the servers on the way to the SMI that pass on something, but not everything at once,
    in the order of the stages.
    """
    network = [stage for stage in cell.scenario.network if stage.stage != "user"]
    found = [place for stage in network for place in servers_of(cell, stage)]
    return [place for place in found if place.capacity]


def against(peak: Estimate, place: Place, whole: str) -> str:
    """Set a *peak* of alerts beside what *place* passes on, *whole* as words or a number; of bytes
    there is no such multiple, for what else comes has other sizes.
    """
    if place.in_bytes:
        return f"which passes on {place.passes_on}"
    return f"{share(peak, place)} {whole} it passes on"


def share(peak: Estimate, place: Place) -> str:
    """Return a *peak* of messages as a multiple of what *place* passes on, or as a share "of" it.
    """
    if peak.value >= place.capacity:
        return interval(peak, 1 / place.capacity, "times")
    return f"{interval(peak, 100 / place.capacity, '%')} of"


def peaks_by_quarter(study: Study, cell: Cell, place: Place) -> list[float]:
    """Return for each quarter of an hour of the day the most that can have come to *place* in one
    second, ÷ capacity; a mean over replications.

    That is the busiest second of each kind, added up, but no more than the busiest second of all
    together: exact where a row is highest, else a bound.
    """
    arrivals, peaks = study.tables("arrivals", cell), study.tables("peaks", cell)
    server = place.server
    means = [0.0] * 96
    for r, table in arrivals.items():
        here = table[(table["stage"] == place.stage) & (table["server"] == server)]
        of_all = peaks[r][
            (peaks[r]["stage"] == place.stage)
            & (peaks[r]["server"] == server)
            & (peaks[r]["kind"] == "all")
            & (peaks[r]["k_s"] == 1)
        ]
        most = float(of_all["peak_n"].max())
        for quarter, peak in here.groupby("quarter")["peak_1_n"].sum().items():
            means[quarter] += min(peak, most) / len(arrivals) / place.capacity
    return means
