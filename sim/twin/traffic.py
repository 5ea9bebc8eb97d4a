"""The traffic of others: anonymous messages, a Poisson count a second (`docs/model.md` section 7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.kernels import draws
from sim.turns import Turn, pause
from sim.twin import sending
from sim.twin.faults import release_s
from sim.twin.messages import Message, Process
from sim.units import added

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario
    from sim.twin.estate import Region
    from sim.twin.world import TwinWorld


def anonymous_traffic(world: TwinWorld, region: Region, kind: str) -> Process:
    """Send the anonymous messages of one *kind* in *region*, each from a home and with a rank of
    its own.
    """
    spec = world.scenario.traffic
    weights = spec.profiles[spec.kinds[kind].profile]
    average = added(weights) / len(weights)
    mean_per_s = (
        spec.level
        * float(spec.kinds[kind].rate)
        * population(world.scenario, region, spec.kinds[kind].per)
    )
    thresholds = [draws.poisson_cdf_thresholds(mean_per_s * weight / average) for weight in weights]
    key = world.luck.key(f"traffic.{kind}")
    for second in range(world.horizon_s):
        n = int(
            draws.poisson_count(
                draws.word(key, region.number, second, 0), thresholds[second // 3600 % 24]
            )
        )
        if n == 0:
            continue
        yield pause(world.env, second - int(world.env.now), Turn.TRAFFIC)
        for number in range(n):
            world.env.process(departure(world, _message(world, region, kind, second, number, n)))


def _message(
    world: TwinWorld, region: Region, kind: str, second: int, number: int, n: int
) -> Message:
    """Return message *number* of the *n* anonymous of *kind* that *region* sends in *second*."""
    at = world.luck.scaled(region.n_premises, f"home.{kind}", region.number, second, number)
    rank = ((2 * number + 1) << 31) // n
    is_central = world.scenario.traffic.kinds[kind].made_at == "dsp"
    home = region.premises[at]
    return Message(kind, second, region, home, number=number, rank=rank, is_central=is_central)


def departure(world: TwinWorld, message: Message) -> Process:
    """Let an anonymous *message* leave now, or when its link is free, if its hub can keep it so
    long.
    """
    world.messages.append(message)
    free_s = message.raised_s if message.is_central else release_s(message.home, message.raised_s)
    if free_s > message.raised_s:
        if world.hub is None or world.hub.buffer is None:
            message.end("expired")
            return
        yield pause(world.env, free_s - message.raised_s, Turn.TRAFFIC)
    sending.leave(world, message)


def population(scenario: Scenario, region: Region, per: str) -> float:
    """Return the expected number of what sends a kind of traffic in *region*: meters, devices or
    premises.
    """
    fitted = scenario.estate.devices
    if per == "meter":
        return region.n_premises * added(
            share for name, share in fitted.items() if name in ("esme", "gsme")
        )
    if per == "device":
        return region.n_premises * (2 + added(fitted.values()))
    return float(region.n_premises)
