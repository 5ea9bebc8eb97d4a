"""How far versions have come apart by the end of the warm-up: records are right at first, when
nothing has changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, exp, log
from typing import Final

from sim.scenario.faults import Note
from sim.scenario.firmware import Firmware
from sim.scenario.reach import LOCALLY, goes_by_air, is_offered
from sim.scenario.schema import Scenario
from sim.units import DAY_S, added, format_duration, format_share
from sim.words import Trigger

# What must have changed, of what changes at all, before the state measured is not that of the
# start.
_SETTLED: Final = 0.99
# A window in which fewer of the others change than this is about the network, not about records.
_ABOUT_RECORDS: Final = 0.1
_HALF_A_PERCENT: Final = 0.005


def unsettled(world: Scenario) -> Iterator[Note]:
    """Yield a note where fewer than 99 % of the devices that wait for a change have had one by the
    end of the warm-up. In a world without firmware's life only where neither a timer nor a read
    writes what has not changed.
    """
    sentence = _steady(world) if world.firmware is None else _lived(world, world.firmware)
    if sentence:
        yield "warm_up", sentence


def _steady(world: Scenario) -> str:
    updates, reporting = world.updates, world.reporting
    local = updates.local
    rule = reporting.traits
    waits = rule.trigger in (Trigger.NONE, Trigger.CHANGE) or (
        rule.reads_the_hub and not reporting.read.refreshes_smi
    )
    has_takers = any(world.estate.devices[name] > 0 for name in LOCALLY)
    is_local = updates.has_local and local.rate > 0 and local.take_up > 0
    if not (waits and has_takers and is_local):
        return ""
    changed = changed_by(world, world.window.warm_up)
    later = changed_by(world, world.window.warm_up + world.window.length)
    if changed >= _SETTLED or later - changed < _ABOUT_RECORDS * (1 - changed):
        return ""
    start, each_s = 0, 1 / float(local.rate)
    if local.driver == "releases":
        start, each_s = local.first_release, local.delay
    days = ceil((start - log(1 - _SETTLED) * each_s) / DAY_S)
    share = f"only {_percent(changed)} of the devices that are updated locally have changed"
    return f"{_short(world, share)} {days} d would be enough for 99 %."


def changed_by(world: Scenario, second: int) -> float:
    """Return the share of the devices that take part in local updates that have changed their
    version by *second*, in a world without firmware's life. A release takes the place of one that
    is not installed yet, and waits as long.
    """
    local = world.updates.local
    if local.driver == "poisson":
        return 1 - exp(-float(local.rate) * second)
    return 1 - exp(-max(0, second - local.first_release) / local.delay)


def _lived(world: Scenario, firmware: Firmware) -> str:
    waiting, changed = [], []
    for name, model in firmware.models.items():
        weight = world.estate.devices[model.type] * model.share
        ever, by_end = most_changed(world, firmware, name)
        waiting.append(weight * ever)
        changed.append(weight * min(by_end, ever))
    if not added(waiting) or added(changed) / added(waiting) >= _SETTLED:
        return ""
    share = added(changed) / added(waiting)
    few = f"at most {_percent(share)}" if share >= _HALF_A_PERCENT else "next to none"
    return _short(world, f"{few} of the devices that some release reaches have changed")


def most_changed(world: Scenario, firmware: Firmware, name: str) -> tuple[float, float]:
    """Return at most which share of the devices of model *name* ever changes version, and which
    has by the end of the warm-up: bounds, for hours, screening and all that keeps images back are
    left out.
    """
    ota = firmware.ota
    local = firmware.local
    warm_up = world.window.warm_up
    listed_after = firmware.pipeline.assurance.low + firmware.pipeline.listing
    ever = by_end = 0.0
    for release in firmware.releases:
        if release.model != name:
            continue
        if goes_by_air(world, release):
            ever = 1.0
            begins = max(release.first + listed_after + firmware.campaign.lead, ota.start)
            by_end = 1.0 if begins < warm_up else by_end
        if is_offered(world, release):
            ever = max(ever, local.take_up)
            since = warm_up - release.first - local.lead
            by_end = max(by_end, local.take_up * _installed(firmware, since))
    return ever, by_end


def _installed(firmware: Firmware, since: int) -> float:
    """Return the share of those who take part that have installed an image offered *since* seconds.
    """
    if since <= 0:
        return 0.0
    channels = firmware.local.channels.values()
    return added(channel.share * (1 - exp(-since / channel.delay)) for channel in channels)


def _short(world: Scenario, share: str) -> str:
    """Return the note that no more than a *share* of the devices has changed in the warm-up."""
    warm_up = world.window.warm_up
    early = "so the share of wrong records has not settled when measuring begins."
    if warm_up == 0:
        return f"There is no warm-up: every version is known at first, {early}"
    return f"The warm-up ({format_duration(warm_up)}) is short: {share} by its end, {early}"


def _percent(share: float) -> str:
    return format_share(round(share, 2))
