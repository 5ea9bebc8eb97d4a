"""Where messages queue: the servers of limited capacity, and how hard each is pressed by the time of day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sim.report.study import Cell, Study
from sim.scenario.schema import Stage

# How to read a heat-map of `peaks_by_quarter`.
READ: Final = (
    "each column a quarter of an hour of the day. Colour: the busiest second of the quarter (kind by kind, added up, at most the busiest of all), ÷ what the"
    " server passes on in a second; on the right, the busiest of the row. Boxed in orange: above 1.0, more than it passes on."
)


@dataclass(frozen=True, slots=True)
class Place:
    """A server of a stage: its *stage*, the *group* under which metrics know it, a *name* for readers, and its capacity a second."""

    stage: str
    group: str
    name: str
    capacity: float

    def __str__(self) -> str:
        return f"the {self.name}" if self.stage == "dsp" else self.name


def name_of(stage: str, server: str) -> str:
    """Return what a *server* of a *stage* is called: "CSP north", "WAN cells south", "DSP"."""
    if stage == "dsp":
        return "DSP"
    return f"{ {'cell': 'WAN cells', 'csp': 'CSP'}.get(stage, stage)} {server}"


def servers_of(cell: Cell, stage: Stage) -> list[Place]:
    """Return the servers of a *stage* of *cell* with a capacity, if that is 0; WAN cells are a region's
    together.
    """
    if stage.capacity is None:
        return []
    estate = cell.scenario.estate
    groups = {"cell": estate.regions, "csp": estate.regions, "dsp": ("all",), "user": estate.users}
    found = []
    for group in sorted(groups.get(stage.stage, ())):
        n = cell.n_cells[group] if stage.stage == "cell" else 1
        name = name_of(stage.stage, group)
        found.append(Place(stage.stage, group, name, float(stage.capacity) * n))
    return found


def places(cell: Cell) -> list[Place]:
    """Return the servers on the way to the SMI that pass on something, but not everything at once, in
    the order of the stages.
    """
    network = [stage for stage in cell.scenario.network if stage.stage != "user" and stage.capacity]
    return [place for stage in network for place in servers_of(cell, stage)]


def peaks_by_quarter(study: Study, cell: Cell, place: Place) -> list[float]:
    """Return for each quarter of an hour of the day the most that can have come to *place* in one second, ÷ capacity; a mean over replications.

    That is the busiest second of each kind, added up, but no more than the busiest second of all together: exact where a row is highest, else a bound.
    """
    arrivals, peaks = study.tables("arrivals", cell), study.tables("peaks", cell)
    server = "dsp" if place.stage == "dsp" else place.group
    means = [0.0] * 96
    for r, table in arrivals.items():
        here = table[(table["stage"] == place.stage) & (table["server"] == server)]
        of_all = peaks[r][(peaks[r]["stage"] == place.stage) & (peaks[r]["server"] == server) & (peaks[r]["kind"] == "all") & (peaks[r]["k_s"] == 1)]
        most = float(of_all["peak_n"].max())
        for quarter, peak in here.groupby("quarter")["peak_1_n"].sum().items():
            means[quarter] += min(peak, most) / len(arrivals) / place.capacity
    return means
