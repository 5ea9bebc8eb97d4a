"""What devices, hubs and suppliers do, one plain SimPy process each (`docs/model.md` sections 4 and
6).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import count
from math import floor
from typing import TYPE_CHECKING

import simpy

from sim.british_time import reading, strikes_s
from sim.calendar import strokes
from sim.turns import Turn, pause
from sim.twin.estate import Change, Device, Premises, Sender
from sim.twin.hubs import raise_report
from sim.twin.messages import Process
from sim.twin.moments import LOCKS, Moment

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario
    from sim.twin.world import TwinWorld


# -- version changes -------------------------------------------------------------------------------


def local_updates(world: TwinWorld, device: Device) -> Process:
    """Change the version of *device* again and again, a gap after the change before."""
    rate = world.scenario.updates.local.rate
    for number in count():
        yield pause(
            world.env,
            world.luck.gap_s(float(rate), "local.gap", device.place, device.index, number),
            Turn.CHANGES,
        )
        change_version(world, device, device.version_true + 1)


def release_calendar(world: TwinWorld, participants: list[Device]) -> Process:
    """Publish a release every 1/rate seconds; each participant installs it after a delay of its
    own, unless the next release comes first.
    """
    for number in count(1):
        published_s = release_s(world.scenario, number)
        next_s = release_s(world.scenario, number + 1)
        yield pause(world.env, published_s - int(world.env.now), Turn.CHANGES)
        for device in participants:
            delay_s = world.luck.gap_s(
                1 / world.scenario.updates.local.delay,
                "local.release_delay",
                device.place,
                device.index,
                number,
            )
            if published_s + delay_s < next_s:
                world.env.process(installation(world, device, number, delay_s))


def release_s(scenario: Scenario, number: int) -> int:
    """Return the second at which release *number* (from 1) is published."""
    local = scenario.updates.local
    return floor(local.first_release + (number - 1) / local.rate)


def installation(world: TwinWorld, device: Device, release: int, delay_s: int) -> Process:
    """Install *release* on *device* after *delay_s*."""
    yield pause(world.env, delay_s, Turn.CHANGES)
    change_version(world, device, release)


def change_version(world: TwinWorld, device: Device, version: int) -> None:
    """Give *device* a version now, and do what its rule asks for at a change."""
    reporting, now_s = world.scenario.reporting, int(world.env.now)
    device.version_true = version
    heard = None
    if reporting.traits.hub_keeps:
        heard = not world.luck.happens(
            reporting.han_loss, "han.loss", device.place, device.index, now_s
        )
        world.han_writes_s.append(now_s)
        if heard:
            device.hub_record.version = version
    device.changes.append(Change(now_s, version, heard))
    device.smi.settle(now_s, version)
    device.hub_record.settle(now_s, version)
    if device.reports and reporting.traits.at_change:
        world.env.process(report_of_change(world, device, now_s))
    if device.timer is not None and reporting.phase.source == "activation":
        restart_timer(device, now_s)


def report_of_change(world: TwinWorld, device: Device, changed_s: int) -> Process:
    """Report a change, late by up to twice the jitter."""
    late_s = world.luck.scaled(
        2 * world.scenario.reporting.phase.jitter,
        "change.jitter",
        device.place,
        device.index,
        changed_s,
    )
    yield pause(world.env, late_s, Turn.TRAFFIC)
    raise_report(world, device.premises, device, "change", changed_s)


# -- timers and reads ------------------------------------------------------------------------------


def timed_reports(world: TwinWorld, home: Premises, sender: Sender) -> Process:
    """Report once a period, strayed by the jitter; whoever interrupts has set a new anchor."""
    period_s, jitter_s = world.timer_period_s, world.scenario.reporting.phase.jitter
    sender.anchor = first_anchor(world, sender)
    number = 1
    while True:
        due = sender.anchor + number * period_s
        stray_s = (
            world.luck.scaled(
                2 * jitter_s, "report.jitter", sender.place, sender.index, due // period_s
            )
            - jitter_s
        )
        leave_s = strikes_s(due, world.clock_moves) + stray_s
        number += 1
        if leave_s < int(world.env.now):
            continue
        try:
            yield pause(world.env, leave_s - int(world.env.now), Turn.TRAFFIC)
            raise_report(world, home, sender, "timer", due // period_s)
        except simpy.Interrupt:
            number = 1


def first_anchor(world: TwinWorld, sender: Sender) -> int:
    """Return the anchor of a timer at the start of the window: a second, or a reading of a fixed
    clock.
    """
    phase, period_s = world.scenario.reporting.phase, world.timer_period_s
    if phase.source == "fixed_clock":
        return phase.at % period_s - period_s
    if phase.source == "hashed":
        return (
            phase.at
            + world.luck.scaled(phase.window, "phase.hashed", sender.place, sender.index, 0)
        ) % period_s - period_s
    return -world.luck.scaled(period_s, "phase.start", sender.place, sender.index, 0)


def reads(world: TwinWorld, home: Premises, device: Sender) -> Process:
    """Answer a supplier's reads for *device*."""
    for second in seconds_at_rate(world, "read.gap", device, world.scenario.reporting.read.rate):
        yield pause(world.env, second - int(world.env.now), Turn.TRAFFIC)
        raise_report(world, home, device, "read", second)


def seconds_at_rate(world: TwinWorld, stream: str, sender: Sender, rate: Fraction) -> Iterator[int]:
    """Yield the seconds at which something of *rate* happens to *sender*: a gap after each,
    addressed by its second.
    """
    second = 0
    while rate > 0:
        second += world.luck.gap_s(float(rate), stream, sender.place, sender.index, second)
        yield second


# -- clocks that are set alike ---------------------------------------------------------------------


def power(world: TwinWorld, home: Premises) -> Process:
    """Start the timers of *home* again wherever its power (or its hub) comes back: from the latest
    restoration known when it went.
    """
    restored_s = 0
    for dark in home.dark:
        yield pause(world.env, dark.start_s - int(world.env.now), Turn.FAULTS)
        restored_s = max(restored_s, dark.end_s)
        for sender in world.senders(home):
            restart_timer(sender, restored_s)


def clock_locks(world: TwinWorld) -> Process:
    """Set the clocks of part of a region's senders to one time, stroke by stroke."""
    if not world.timer_period_s:
        return
    by_name = {region.name: region for region in world.regions}
    for number, (start_s, lock) in enumerate(
        strokes(world.scenario, world.luck.replication, "clock_locks")
    ):
        yield Moment(world.env, start_s - int(world.env.now), LOCKS)
        read = reading(start_s, world.clock_moves)
        for sender in (
            sender for home in by_name[lock.region].premises for sender in world.senders(home)
        ):
            if world.luck.happens(lock.share, "lock.footprint", sender.place, sender.index, number):
                at_s = lock.at + world.luck.scaled(
                    lock.spread, "lock.skew", sender.place, sender.index, number
                )
                restart_timer(sender, read - (read - at_s) % world.timer_period_s)


def restart_timer(sender: Sender, anchor: int) -> None:
    """Give the timer of *sender* a new anchor; the report it waits to send is dropped."""
    sender.anchor = anchor
    if sender.timer is not None:
        sender.timer.interrupt()
