"""What a change of version brings with it: the hub may hear of it, it may be told, read, and asked
about (`docs/firmware.md` sections 7 and 8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.twin.estate import Change
from sim.twin.firmware.moments import until
from sim.twin.firmware.reports import report
from sim.words import HomeEvent, Trigger

if TYPE_CHECKING:
    from sim.twin.firmware.estate import Living
    from sim.twin.firmware.world import FirmwareWorld
    from sim.twin.messages import Process


def change_version(world: FirmwareWorld, device: Living, version: int) -> None:
    """Give *device* another version now."""
    now_s = world.now_s
    reporting = world.scenario.reporting
    call = world.firmware.reads.call
    device.version_true = version
    device.smi.change(now_s, version)
    heard = None
    if device.hub_record.is_kept:
        heard = not world.luck.happens(
            reporting.han_loss, "han.loss", device.place, device.index, now_s
        )
        if heard:
            device.hub_record.hear(now_s, version)
        else:
            device.hub_record.change(now_s, version)
    device.changes.append(Change(now_s, version, heard))
    if reporting.traits.at_change and device.reports and device.told_s != now_s:
        device.told_s = now_s
        world.env.process(told(world, device))
    if not device.is_call_waiting and world.luck.happens(
        call.share, "reads.call", device.place, device.index, now_s
    ):
        device.is_call_waiting = True
        world.env.process(called(world, device))


def told(world: FirmwareWorld, device: Living) -> Process:
    """Tell of a change in the second of it."""
    yield until(world, world.now_s, HomeEvent.REPORT, device.slot)
    report(world, device.premises, device, "change.loss", world.now_s)


def called(world: FirmwareWorld, device: Living) -> Process:
    """Somebody calls about *device* a while after it has changed, and reads its record."""
    delay_s = world.luck.gap_s(
        1 / world.firmware.reads.call.delay,
        "reads.call_delay",
        device.place,
        device.index,
        world.now_s,
    )
    yield until(world, world.now_s + delay_s, HomeEvent.CALL, device.slot)
    device.is_call_waiting = False
    world.read("call", device)


def ask_for_read(world: FirmwareWorld, device: Living) -> None:
    """After a local install, ask for a read of *device*, unless one waits already (rule
    event_read).
    """
    if (
        world.scenario.reporting.traits.trigger is Trigger.EVENT
        and device.reports
        and not device.is_read_waiting
    ):
        device.is_read_waiting = True
        world.env.process(read_later(world, device))


def read_later(world: FirmwareWorld, device: Living) -> Process:
    """Read *device* when that is due."""
    yield until(world, world.now_s + world.firmware.reads.event_delay, HomeEvent.READ, device.slot)
    device.is_read_waiting = False
    report(world, device.premises, device, "report.loss", world.now_s)
