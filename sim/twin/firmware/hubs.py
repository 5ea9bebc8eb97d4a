"""Hubs that are exchanged: their records go with them (`docs/firmware.md` section 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.twin.firmware.moments import until
from sim.twin.firmware.world import devices_of
from sim.words import HomeEvent

if TYPE_CHECKING:
    from sim.twin.estate import Premises
    from sim.twin.firmware.world import FirmwareWorld
    from sim.twin.messages import Process


def exchange(world: FirmwareWorld, home: Premises) -> Process:
    """Exchange the hub of *home*: it forgets its devices, and may ask those that are not off at
    once.
    """
    assert world.firmware.ota.exchange is not None, "there is an exchange"
    yield until(world, world.hubs[home].exchanged_s, HomeEvent.EXCHANGE)
    for device in devices_of(home):
        if device.hub_record.is_kept:
            world.forgotten.append((world.now_s, device))
            device.hub_record.forget(world.now_s, device.version_true)
            if world.firmware.ota.exchange.reseed and not device.is_off:
                device.hub_record.hear(world.now_s, device.version_true)
