"""How far versions have come apart by the end of the warm-up: before, records are right because
nothing has changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, exp, log
from typing import Final

from sim.scenario.firmware import Firmware
from sim.scenario.schema import Scenario
from sim.units import DAY_S, added, format_duration, format_share

Note = tuple[str, str]
# What must have changed, of what changes at all, before the state measured is not that of the start.
_SETTLED: Final = 0.99
# A window in which fewer change than this is about the network, and not about records.
_ABOUT_RECORDS: Final = 0.1
_HALF_A_PERCENT: Final = 0.005
# Rules by which a record that was right at first is not confirmed until a device changes.
_UNTIMED: Final = ("none", "on_change")


def unsettled(world: Scenario) -> Iterator[Note]:
    """Yield a note where fewer than 99 % of the devices that wait for a change have had one in the
    warm-up. In a world without firmware's life only where no timer and no read tells a version all
    the same.
    """
    if world.updates.policy != "local_and_ota" and world.firmware is None:
        return
    sentence = _steady(world) if world.firmware is None else _lived(world, world.firmware)
    if sentence:
        yield "warm_up", sentence


def _steady(world: Scenario) -> str:
    local, warm_up = world.updates.local, world.window.warm_up
    if world.reporting.rule not in _UNTIMED or not (local.rate and local.take_up):
        return ""
    unchanged = exp(-_changes_by(world, warm_up))
    measured = _changes_by(world, warm_up + world.window.length) - _changes_by(world, warm_up)
    if 1 - unchanged >= _SETTLED or 1 - exp(-measured) < _ABOUT_RECORDS:
        return ""
    long_enough = ""
    if local.driver == "poisson":
        days = ceil(-log(1 - _SETTLED) / float(local.rate) / DAY_S)
        long_enough = f" After {days} d 99 % would have changed."
    share = f"{_percent(1 - unchanged)} of the devices that are updated locally change"
    return f"{_told(warm_up, share)}{long_enough}"


def _told(warm_up: int, share: str) -> str:
    """Return the note that no more than a *share* of the devices has changed in the warm-up."""
    right = "right, because nothing has changed yet."
    if warm_up == 0:
        return f"There is no warm-up: what is measured begins with every record {right}"
    return (
        f"In the warm-up ({format_duration(warm_up)}) {share}; the record of the others is {right}"
    )


def _changes_by(world: Scenario, second: int) -> float:
    """Return how many changes a device that takes part has had by *second*, in the mean."""
    local = world.updates.local
    if local.driver == "poisson":
        return float(local.rate) * second
    gap, release, waited = 1 / float(local.rate), float(local.first_release), 0.0
    while release < second:
        waited += second - release
        release += gap
    return waited / local.delay


def _lived(world: Scenario, firmware: Firmware) -> str:
    """Return what to note of a world with firmware's life: an upper bound, as hours, screening and
    all that keeps images back are left out.
    """
    warm_up = world.window.warm_up
    waiting, changed = [], []
    for name, model in firmware.models.items():
        weight = world.estate.devices[model.type] * model.share
        most, by_end = _most_changed(world, firmware, name, warm_up)
        waiting.append(weight * most)
        changed.append(weight * min(by_end, most))
    total = added(waiting)
    if not total or added(changed) / total >= _SETTLED:
        return ""
    share = added(changed) / total
    few = f"at most {_percent(share)}" if share >= _HALF_A_PERCENT else "next to none"
    return _told(warm_up, f"{few} of the devices that releases reach can have had one")


def _most_changed(
    world: Scenario, firmware: Firmware, name: str, warm_up: int
) -> tuple[float, float]:
    """Return at most which share of the devices of model *name* ever change, and which have by the
    end of the warm-up.
    """
    ota, local, model = firmware.ota, firmware.local, firmware.models[name]
    takes_part = world.updates.policy == "local_and_ota" and model.type in ("ppmid", "ihd")
    listed = firmware.pipeline.assurance.low + firmware.pipeline.listing + firmware.campaign.lead
    ever = by_end = 0.0
    for release in firmware.releases:
        if release.model != name:
            continue
        if model.type in ota.types and release.release_class in ota.classes:
            ever = 1.0
            if max(release.first + listed, ota.start) < warm_up:
                by_end = 1.0
        if takes_part and release.release_class in local.classes:
            ever = max(ever, local.take_up)
            since = warm_up - release.first - local.lead
            by_end = max(by_end, local.take_up * _installed(firmware, since))
    return ever, by_end


def _installed(firmware: Firmware, since: int) -> float:
    """Return the share of those who take part that have installed an image offered *since* seconds."""
    if since <= 0:
        return 0.0
    channels = firmware.local.channels.values()
    return added(channel.share * (1 - exp(-since / channel.delay)) for channel in channels)


def _percent(share: float) -> str:
    return format_share(round(share, 2))
