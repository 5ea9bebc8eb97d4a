"""The existing load: scheduled reads, service requests and today's alerts, as counts by second (F9;
validation targets V1 to V3).

What a storm pushes aside has to be there to be pushed. It is calibrated to the published month of
July 2022; its profile over the day is an assumption.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.kernels.counting import PoissonTables, guided, poisson_arrivals
from sim.kernels.draws import poisson_cdf_thresholds
from sim.units import added
from sim.world import World


def existing_load(world: World, start_s: int, stop_s: int) -> NDArray[Any]:
    """Return int32 regions × kinds × seconds, the anonymous messages that enter in [start, stop);
    no kinds when the level is 0.
    """
    traffic, estate = world.scenario.traffic, world.estate
    kinds = list(traffic.kinds.items()) if traffic.level else []
    counts = np.zeros((len(estate.regions), len(kinds), stop_s - start_s), np.int32)
    for i, (name, kind) in enumerate(kinds):
        for region in range(len(estate.regions)):
            n = senders(world, kind.per, region)
            mean_per_s = traffic.level * float(kind.rate) * n
            profile = tuple(traffic.profiles[kind.profile])
            poisson_arrivals(
                world.key(f"traffic.{name}"),
                region,
                start_s,
                stop_s,
                hourly_tables(mean_per_s, profile),
                counts[region, i],
            )
    return counts


def senders(world: World, per: str, region: int) -> float:
    """Return how many *per* (meter, device or premises) a region is expected to have."""
    shares, premises = world.scenario.estate.devices, world.estate.n_premises[region]
    if per == "premises":
        return float(premises)
    counted = ("esme", "gsme") if per == "meter" else tuple(shares)
    # every premises has a hub and a gas proxy
    return premises * (added(shares[name] for name in counted) + (2.0 if per == "device" else 0.0))


@lru_cache(maxsize=256)
def hourly_tables(mean_per_s: float, profile: tuple[float, ...]) -> PoissonTables:
    """Return the Poisson inversion tables of the 24 hours of a day with *profile*, its mean
    *mean_per_s*.
    """
    average = added(profile) / len(profile)
    tables = []
    for weight in profile:
        mean = mean_per_s * weight / average
        tables.append(poisson_cdf_thresholds(mean))
    return guided(tables)
