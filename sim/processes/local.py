"""Local updates (S1-03, S1-06): a Poisson process per participating device, or national releases
taken up over weeks.

Release dates are one calendar for the country, so devices change together: the second driver
clusters changes in time, and with them staleness and alerts.
"""

from __future__ import annotations

from math import floor

from sim.estate.estate import UPDATED_LOCALLY
from sim.kernels.seconds import NEVER
from sim.kernels.upgrades import schedule
from sim.processes.interval import bring_up_to_date
from sim.turns import Turn
from sim.world import Process, World


def local_updates(world: World) -> Process:
    """Set every participant's first Poisson change; the columns carry the rest."""
    local = world.scenario.updates.local
    if local.driver == "poisson" and local.rate > 0:
        _schedule(world, "local.gap", 0, float(local.rate), 0, int(NEVER))
    yield world.wait(0, Turn.CHANGES)


def releases(world: World) -> Process:
    """Publish one release after another; each participant installs it in its own time, unless the
    next one overtakes it.
    """
    local = world.scenario.updates.local
    if local.driver != "releases" or local.rate == 0:
        return
    number = 1
    while (published_s := local.first_release + floor((number - 1) / local.rate)) < world.horizon_s:
        yield world.wait(published_s - world.now_s, Turn.DECISIONS)
        bring_up_to_date(world)
        world.progress.release = number
        overtaken_s = local.first_release + floor(number / local.rate)
        _schedule(world, "local.release_delay", number, 1.0 / local.delay, published_s, overtaken_s)
        number += 1


def _schedule(
    world: World, stream: str, occasion: int, rate_per_s: float, start_s: int, before_s: int
) -> None:
    for rows in world.estate.slices:
        if rows.device_type in UPDATED_LOCALLY:
            schedule(
                world.key(stream),
                rows.place,
                world.estate.view("index", rows),
                world.estate.view("takes_part", rows),
                occasion,
                rate_per_s,
                start_s,
                before_s,
                world.estate.view("next_change_s", rows),
            )
