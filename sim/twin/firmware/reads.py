"""Reads of the inventory as a workload, and the decisions made on them (`docs/firmware.md` section
8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.twin.firmware.moments import SCANS, until
from sim.twin.firmware.reports import report
from sim.twin.firmware.world import devices_of
from sim.twin.moments import Moment
from sim.words import VARIANT, HomeEvent, Trigger

if TYPE_CHECKING:
    from sim.planning.releases import Image
    from sim.twin.estate import Premises
    from sim.twin.firmware.estate import Living
    from sim.twin.firmware.world import FirmwareWorld
    from sim.twin.messages import Process


def start_reads(world: FirmwareWorld) -> None:
    """Start the clocks of every premises, the compliance reports, and a process for every security
    release that will be listed.
    """
    for home in world.homes():
        if world.firmware.reads.install > 0:
            world.env.process(installs(world, home))
        if world.firmware.reads.gain > 0:
            world.env.process(gains(world, home))
    world.env.process(compliance(world))
    for image in (image for versions in world.images.values() for image in versions.values()):
        if image.release_class == "security" and image.listed_s < world.horizon_s:
            world.env.process(incident(world, image))


def installs(world: FirmwareWorld, home: Premises) -> Process:
    """Read every device of *home* whenever something is installed there."""
    while True:
        gap_s = world.luck.gap_s(
            float(world.firmware.reads.install),
            "reads.install",
            home.hub.place,
            home.index,
            world.now_s,
        )
        yield until(world, world.now_s + gap_s, HomeEvent.INSTALL)
        for device in devices_of(home):
            world.read("install", device)


def gains(world: FirmwareWorld, home: Premises) -> Process:
    """Read every device of *home* whenever its supplier changes; under rule event_read the gaining
    supplier then reads the devices themselves.
    """
    while True:
        gap_s = world.luck.gap_s(
            float(world.firmware.reads.gain), "reads.gain", home.hub.place, home.index, world.now_s
        )
        yield until(world, world.now_s + gap_s, HomeEvent.GAIN)
        for device in devices_of(home):
            world.read("gain", device)
            ask_whether_up_to_date(world, "gain", device)
        for device in devices_of(home):
            if device.reports and world.scenario.reporting.traits.trigger is Trigger.EVENT:
                report(world, home, device, "report.loss", world.now_s)


def compliance(world: FirmwareWorld) -> Process:
    """Report on the compliance of every device with a record, again and again."""
    while True:
        yield Moment(world.env, world.firmware.reads.compliance, SCANS)
        for device in (device for device in world.living() if device.smi.is_kept):
            world.read("compliance", device)
            ask_whether_up_to_date(world, "compliance", device)


def incident(world: FirmwareWorld, image: Image) -> Process:
    """Look for the devices that need a security release when it is listed."""
    yield Moment(world.env, image.listed_s, SCANS)
    for device in (
        device
        for device in world.living()
        if device.smi.is_kept and device.model_name == image.model
    ):
        world.read("incident", device)
        said, runs = device.smi.version % VARIANT >= image.version, device.base >= image.version
        world.decide(
            "incident", device, "right" if said == runs else "missed" if said else "false_alarm"
        )


def ask_whether_up_to_date(world: FirmwareWorld, process: str, device: Living) -> None:
    """Decide whether *device* is up to date, if there is a record of it."""
    if device.smi.is_kept:
        goal = world.goal(device, world.now_s)
        said, runs = device.smi.version % VARIANT >= goal, device.base >= goal
        world.decide(
            process,
            device,
            "right" if said == runs else "false_compliance" if said else "false_alarm",
        )
