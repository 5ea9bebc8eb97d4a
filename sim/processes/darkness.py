"""What darkens premises, from the calendar of faults: power cuts and hub reboots together
(docs/model.md section 5).
"""

from __future__ import annotations

import numpy as np

from sim.calendar import strokes
from sim.faults import DARKENING, FAULTS
from sim.kernels.darkness import Strokes
from sim.kernels.draws import threshold
from sim.world import World


def strokes_in(world: World, region: int) -> Strokes:
    """Return what darkens premises of *region*, in order of time."""
    found = [
        (second, what, number, entry)
        for what in DARKENING
        for number, (second, entry) in enumerate(strokes(world.scenario, world.replication, what))
        if world.estate.regions.index(entry.region) == region
    ]
    found.sort(key=lambda stroke: stroke[0])
    curves = [
        [(threshold(point.share), point.time) for point in entry.curve]
        or [(2**32, entry.restoration)]
        for *_, entry in found
    ]
    points = np.array([point for curve in curves for point in curve], np.int64).reshape(-1, 2)
    streams = ("footprint", "restoration")
    keys = {
        what: [world.key(f"{FAULTS[what].event}.{stream}") for stream in streams]
        for what in DARKENING
    }
    return Strokes(
        start=np.array([second for second, *_ in found], np.int64),
        ends=np.array([second + entry.duration for second, *_, entry in found], np.int64),
        number=np.array([number for _, _, number, _ in found], np.int64),
        threshold=np.array([threshold(entry.share) for *_, entry in found], np.uint64),
        footprint=np.array([keys[what][0] for _, what, *_ in found], np.uint64),
        restoration=np.array([keys[what][1] for _, what, *_ in found], np.uint64),
        is_cut=np.array([what == "power_cuts" for _, what, *_ in found], np.bool_),
        first=np.cumsum([0, *map(len, curves)]),
        shares=points[:, 0].copy(),
        times=points[:, 1].copy(),
    )
