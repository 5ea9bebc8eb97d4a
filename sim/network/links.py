"""Which links are down when, from the calendar of WAN outages (docs/model.md section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.calendar import strokes
from sim.estate.estate import Estate, place
from sim.kernels.draws import threshold
from sim.kernels.links import Links
from sim.kernels.upgrades import happens
from sim.streams import stream_key

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario


def links_of(scenario: Scenario, replication: int, estate: Estate) -> Links:
    """Return every stroke of the scenario's WAN outages in *replication*."""
    struck = strokes(scenario, replication, "wan_outages")
    cells = np.arange(-(-max(estate.n_premises) // estate.premises_per_cell), dtype=np.uint32)
    covers = np.zeros((len(struck), len(cells)), np.bool_)
    key = np.uint64(stream_key(scenario.seed, replication, "wan.footprint"))
    for number, (_, outage) in enumerate(struck):
        happens(
            key,
            place(estate.regions.index(outage.region), 0),
            cells,
            number,
            np.uint64(threshold(outage.share)),
            covers[number],
        )
    spreads = [
        row.spread
        for stage in scenario.network
        for row in stage.mitigations
        if row.kind == "staggered_reconnect"
    ]
    start = np.array([second for second, _ in struck], np.int64)
    return Links(
        region=np.array([estate.regions.index(outage.region) for _, outage in struck], np.int64),
        start=start,
        stop=start + np.array([outage.duration for _, outage in struck], np.int64),
        number=np.arange(len(struck)),
        covers=covers,
        spread=max(spreads, default=0),
        key=np.uint64(stream_key(scenario.seed, replication, "wan.reconnect")),
        premises_per_cell=estate.premises_per_cell,
    )
