"""What goes wrong in homes (S1-18, S1-19; docs/model.md section 5): the power, the hubs, the
clocks.

A region goes dark, and when its lights come back every clock that starts with the power starts
together. Links and servers that are down are no processes: whoever needs them looks them up in the
calendar.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.calendar import dial, strokes
from sim.estate.estate import place
from sim.kernels.darkness import Strokes, darken, lock_clocks
from sim.kernels.dials import reading
from sim.kernels.draws import threshold
from sim.kernels.seconds import NEVER
from sim.processes.darkness import strokes_in
from sim.processes.interval import bring_up_to_date
from sim.turns import Turn
from sim.world import Process, World


def faults(world: World) -> Process:
    """Darken premises, and lock clocks, stroke by stroke; of one second power cuts first, then
    reboots, then clocks.
    """
    locks = strokes(world.scenario, world.replication, "clock_locks")
    dark = [(region, strokes_in(world, region)) for region in range(len(world.estate.regions))]
    due = [
        (int(second), 0, region, s)
        for region, those in dark
        for s, second in enumerate(those.start)
    ]
    due += [(second, 1, number, 0) for number, (second, _) in enumerate(locks)]
    for second, is_lock, region_or_number, s in sorted(due):
        yield world.wait(second - world.now_s, Turn.FAULTS)
        bring_up_to_date(world)
        if is_lock:
            lock(world, region_or_number, *locks[region_or_number])
        else:
            go_dark(world, region_or_number, dark[region_or_number][1], s)


def go_dark(world: World, region: int, those: Strokes, s: int) -> None:
    """Let stroke *s* take its premises of *region*; timers that start with the power start again
    when it is back.
    """
    dark_until_s = world.estate.dark_until_s[region]
    taken = darken(those, s, place(region, 0), dark_until_s, world.progress.lit_s[region])
    if world.scenario.reporting.phase.source == "power_on" and world.scenario.reporting.timer_s:
        period_s = world.scenario.reporting.timer_s
        for senders in world.estate.senders:
            if senders.region == region:
                off = taken[senders.index]
                senders.due_s[off] = np.minimum(
                    dark_until_s[senders.index[off]].astype(np.int64) + period_s, NEVER
                )


def lock(world: World, number: int, start_s: int, entry: Any) -> None:
    """Let clock lock *number* set the timers of its senders."""
    region = world.estate.regions.index(entry.region)
    read = int(reading(*dial(world.scenario), start_s))
    for senders in world.estate.senders if world.scenario.reporting.timer_s else ():
        if senders.region == region:
            lock_clocks(
                world.key("lock.footprint"),
                world.key("lock.skew"),
                senders.place,
                senders.index,
                number,
                np.uint64(threshold(entry.share)),
                read,
                entry.at,
                entry.spread,
                world.scenario.reporting.timer_s,
                senders.due_s,
            )
