"""How records are kept: reports by timers, at reads and of changes, rule by rule
(`docs/firmware.md` section 7).
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from sim.british_time import strikes_s
from sim.twin.devices import first_anchor
from sim.twin.firmware.estate import Living
from sim.twin.firmware.moments import until
from sim.twin.firmware.world import devices_of, is_able
from sim.words import HomeEvent, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.twin.estate import Premises, Sender
    from sim.twin.firmware.world import FirmwareWorld
    from sim.twin.messages import Process


def start_reports(world: FirmwareWorld) -> None:
    """Start a timer or a clock of reads for every sender that is able to report."""
    rule = world.scenario.reporting.traits
    for home in world.homes():
        for sender in world.senders(home) if is_able(world, home) else ():
            if can_report(world, home, sender):
                if rule.timer:
                    world.env.process(timed_reports(world, home, sender))
                elif rule.is_read and world.scenario.reporting.read.rate > 0:
                    world.env.process(reads(world, home, sender))


def can_report(world: FirmwareWorld, home: Premises, sender: Sender) -> bool:
    """Return whether *sender* is not off: of a hub, whether any device it speaks of is not; a cloud
    knows those that take part in local updates.
    """
    if not isinstance(sender, Living):
        return any(device.reports and not device.is_off for device in devices_of(home))
    return not sender.is_off and (sender.takes_part or not world.scenario.reporting.traits.is_cloud)


def timed_reports(world: FirmwareWorld, home: Premises, sender: Sender) -> Process:
    """Report once a period."""
    anchor, period_s = first_anchor(world, sender), world.timer_period_s
    for number in count(1):
        due = anchor + number * period_s
        yield until(world, strikes_s(due, world.clock_moves), HomeEvent.TIMER, sender.slot)
        report(world, home, sender, "report.loss", due // period_s)


def reads(world: FirmwareWorld, home: Premises, sender: Sender) -> Process:
    """Answer the reads of a supplier, who comes by a clock for each device."""
    while True:
        gap_s = world.luck.gap_s(
            float(world.scenario.reporting.read.rate),
            "read.gap",
            sender.place,
            sender.index,
            world.now_s,
        )
        yield until(world, world.now_s + gap_s, HomeEvent.READ, sender.slot)
        report(world, home, sender, "report.loss", world.now_s)


def report(
    world: FirmwareWorld, home: Premises, sender: Sender, stream: str, occasion: int
) -> None:
    """Make a report now; unless it is lost, write what it carries. Whoever cannot report makes
    none.
    """
    reporting = world.scenario.reporting
    if not (is_able(world, home) and can_report(world, home, sender)):
        return
    rule = reporting.traits
    world.tell("carried" if rule.is_carried else "version_report")
    if rule.is_asked:
        world.tell("request")
    if world.luck.happens(reporting.loss, stream, sender.place, sender.index, occasion):
        return
    for device, version in carried(world, home, sender):
        if rule.has_detail and device.smi.is_kept and version != device.smi.version:
            world.tell("detail")
        if rule.trigger is Trigger.AUDIT:
            world.read("audit", device)
        world.write(device, world.now_s, version)


def carried(world: FirmwareWorld, home: Premises, sender: Sender) -> Iterator[tuple[Living, int]]:
    """Yield the devices that a report of *sender* speaks of, and the version it says they run."""
    reporting = world.scenario.reporting
    if reporting.traits.reads_the_hub and not reporting.read.refreshes_smi:
        return
    for device in devices_of(home):
        if device is sender or (sender is home.hub and device.reports):
            if not reporting.traits.hub_keeps:
                yield device, device.version_true
            elif device.hub_record.state != "unknown":
                yield device, device.hub_record.version
