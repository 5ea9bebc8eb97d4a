"""Power cuts (S1-18): a region goes dark, and when its lights come back every clock that starts with the power starts together."""

from __future__ import annotations

import numpy as np

from sim.estate.build import timer_period_s
from sim.estate.estate import place
from sim.kernels.draws import threshold
from sim.kernels.upgrades import cut_and_restore
from sim.processes.interval import bring_up_to_date
from sim.turns import Turn
from sim.world import Process, World


def power_cuts(world: World) -> Process:
    """Take the premises of each cut off supply in turn, and say when each gets it back."""
    cuts = world.scenario.faults.power_cuts
    for number, cut in sorted(enumerate(cuts), key=lambda numbered: numbered[1].start):
        if cut.start >= world.horizon_s:
            break
        yield world.wait(cut.start - world.now_s, Turn.FAULTS)
        bring_up_to_date(world)
        region = world.estate.regions.index(cut.region)
        dark_until_s = world.estate.dark_until_s[region]
        taken = cut_and_restore(
            world.key("cut.footprint"), world.key("cut.restoration"), place(region, 0), number, np.uint64(threshold(cut.share)),
            cut.start + cut.duration, cut.restoration, dark_until_s,
        )
        if world.scenario.reporting.phase.source == "power_on":
            period_s = timer_period_s(world.scenario)
            for senders in world.estate.senders:
                if senders.region == region:
                    off = taken[senders.index]
                    senders.due_s[off] = dark_until_s[senders.index[off]] + np.int32(period_s)
