"""What comes too seldom, too early or too late to be seen in the window of a world."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp
from typing import Any, Final

from sim.british_time import reading
from sim.faults import FAULTS
from sim.scenario.faults import Note
from sim.scenario.fields import LONGEST_S
from sim.scenario.reach import clock_moves, end_s
from sim.scenario.schema import Scenario
from sim.units import format_duration, format_share

_RARE: Final = 0.01


def unseen(world: Scenario) -> Iterator[Note]:
    """Yield a note for each timer of *world* that is longer than what is measured, each fault that
    comes less often than it says or is over before, and each beginning after the end.
    """
    yield from _timers(world)
    yield from _compliance(world)
    for path, start in _starts(world):
        if start >= end_s(world):
            ends = format_duration(end_s(world))
            yield path, f"{path} is {format_duration(start)}, and the world ends at {ends}."
    for name, row in FAULTS.items():
        for place, fault in enumerate(getattr(world.faults, name)):
            path = f"faults.{name}.{place}"
            if row.darkens and _restarts_timers(world):
                continue  # it is there to set clocks, whenever it ends
            if sentence := " ".join(_stroke(world, path, fault)):
                yield path, sentence


def _restarts_timers(world: Scenario) -> bool:
    return bool(world.reporting.timer_s) and world.reporting.phase.source == "power_on"


def _timers(world: Scenario) -> Iterator[Note]:
    """Yield a note for each timer of which some senders, or all, never fire while it is measured.
    """
    length, reporting = world.window.length, world.reporting
    for path, period in _periods(world):
        every, measured = format_duration(period), format_duration(length)
        is_of_reports = path.startswith("reporting.")
        is_restarted = is_of_reports and _restarts_timers(world) and world.faults.power_cuts
        if is_of_reports and reporting.phase.source == "fixed_clock":
            if not _strikes(world, period):
                told = f"never strikes in the {measured} that are measured."
                yield path, f"{path} is {every}: the clock of the reports {told}"
        elif period > length and not is_restarted:
            told = "not every sender reports in that time."
            yield path, f"{path} is {every}, and only {measured} are measured: {told}"


def _strikes(world: Scenario, period: int) -> bool:
    """Whether the fixed clock of reports strikes, but for its jitter, while it is measured."""
    first, jitter = world.reporting.phase.at % period, world.reporting.phase.jitter
    last, before = (
        reading(second - 1, clock_moves(world.window, world.reporting))
        for second in (end_s(world) + jitter, world.window.warm_up - jitter)
    )
    latest = first + (last - first) // period * period
    return latest >= max(before + 1, first)


def _periods(world: Scenario) -> Iterator[tuple[str, int]]:
    """Yield path and seconds of every timer that senders have."""
    reporting = world.reporting
    if reporting.timer_s:
        yield f"reporting.{reporting.traits.timer}", reporting.timer_s
    for stage in world.network:
        for place, row in enumerate(stage.mitigations):
            if row.kind == "batch":
                yield f"network.{stage.stage}.mitigations.{place}.period", row.period


def _compliance(world: Scenario) -> Iterator[Note]:
    if world.firmware is None:
        return
    every = world.firmware.reads.compliance
    first = max(1, -(-world.window.warm_up // every)) * every
    if first >= end_s(world):
        yield (
            "firmware.reads.compliance",
            (
                "No compliance report is made while it is measured: one is due every"
                f" {format_duration(every)} (firmware.reads.compliance)."
            ),
        )


def _starts(world: Scenario) -> Iterator[tuple[str, int]]:
    """Yield path and second of what begins once."""
    local, firmware = world.updates.local, world.firmware
    if firmware is None:
        if world.updates.has_local and local.driver == "releases":
            yield "updates.local.first_release", local.first_release
        return
    yield "firmware.ota.start", firmware.ota.start
    yield "firmware.ota.hub_ready.start", firmware.ota.hub_ready.start
    if firmware.ota.exchange is not None:
        yield "firmware.ota.exchange.start", firmware.ota.exchange.start


def _stroke(world: Scenario, path: str, fault: Any) -> Iterator[str]:
    """Yield what a reader of the fault at *path* may not expect."""
    warm_up, end = world.window.warm_up, end_s(world)
    if getattr(fault, "share", 1) == 0:
        yield f"{path} takes nobody: its share is 0 %."
        return
    if fault.rate is not None:
        seen = 1 - exp(-float(fault.rate * end))
        if seen < 1 - _RARE:
            share = format_share(round(seen, 2)) if seen >= _RARE else "fewer than 1 %"
            yield f"{path} comes in {share} of the replications, and in the others never."
        return
    if fault.every is not None and fault.start + fault.every >= end:
        yield f"{path} comes once: {format_duration(fault.every)} later the world is over."
    over = fault.start + _lasts(fault)
    if over <= warm_up and (fault.every is None or fault.start + fault.every >= end):
        yield (
            f"{path} is over at {format_duration(over)}, before measuring begins at"
            f" {format_duration(warm_up)} (times count from the start of the warm-up)."
        )


def _lasts(fault: Any) -> int:
    """Return the seconds from the start of *fault* until all are back; of a lock of clocks, which
    has no end, more than there are.
    """
    if not hasattr(fault, "duration"):
        return LONGEST_S
    curve = getattr(fault, "curve", ())
    back = curve[-1].time if curve else getattr(fault, "restoration", 0)
    return int(fault.duration + back)
