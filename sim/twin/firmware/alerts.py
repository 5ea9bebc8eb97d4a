"""Alerts that updates raise: an image transferred, received, activated, and supply that an
activation cuts (`docs/firmware.md` section 5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.turns import Turn, pause
from sim.twin.hubs import raise_message
from sim.twin.messages import Message

if TYPE_CHECKING:
    from sim.twin.firmware.estate import Living
    from sim.twin.firmware.world import FirmwareWorld
    from sim.twin.messages import Process


def sound(world: FirmwareWorld, device: Living, cause: str) -> None:
    """Raise now the alerts of *cause* that *device* or its hub raises."""
    for kind in world.scenario.alerts.active:
        if world.scenario.alerts.kinds[kind].cause == cause:
            ring(world, device, kind)


def ring(world: FirmwareWorld, device: Living, kind: str) -> None:
    """Raise now an alert of *kind*, if *device* or its hub is among those that do."""
    spec, home = world.scenario.alerts.kinds[kind], device.premises
    sender = home.hub if spec.sender == "hub" else device
    if spec.sender in ("hub", device.device_type) and world.luck.happens(
        spec.share, f"alert.who.{kind}", sender.place, sender.index, 0
    ):
        raise_message(world, Message(kind, world.now_s, sender.region, home, sender, "alert"))


def cut_supply(world: FirmwareWorld, device: Living, length_s: int) -> None:
    """Cut the supply of the hub of *device* for *length_s*: alerts follow, of a cut that lasts, and
    of its end.
    """
    for kind in world.scenario.alerts.active:
        spec = world.scenario.alerts.kinds[kind]
        if spec.cause == "cut" and spec.after is not None and length_s > spec.after:
            world.env.process(ring_later(world, device, kind, spec.after))
        if spec.cause == "cut_restored":
            world.env.process(ring_later(world, device, kind, length_s))


def ring_later(world: FirmwareWorld, device: Living, kind: str, delay_s: int) -> Process:
    """Raise an alert of *kind* after *delay_s*."""
    yield pause(world.env, delay_s, Turn.TRAFFIC)
    ring(world, device, kind)
