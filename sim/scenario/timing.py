"""What comes too seldom, or too early, to be seen in the window of a world."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sim.scenario.read_when import TIMED
from sim.scenario.schema import Scenario
from sim.units import format_duration

Note = tuple[str, str]
_FAULTS: Final = ("power_cuts", "hub_reboots", "wan_outages", "stage_outages", "clock_locks")


def seldom(world: Scenario) -> Iterator[Note]:
    """Yield a note for each timer of *world* that is longer than what is measured, and each fault
    that comes less often than it says or is over before.
    """
    yield from _timers(world)
    for name in _FAULTS:
        for place, fault in enumerate(getattr(world.faults, name)):
            sentence = _stroke(world, f"faults.{name}.{place}", fault)
            if sentence:
                yield f"faults.{name}.{place}", sentence


def _timers(world: Scenario) -> Iterator[Note]:
    reporting, window = world.reporting, world.window
    measured = format_duration(window.length)
    for path, period in _periods(world):
        if period > window.length:
            yield (
                path,
                f"The window is short for {path}: {format_duration(period)} from one to the next,"
                f" and {measured} are measured, so not every sender has its turn.",
            )
    if world.firmware is not None and reporting.rule != "none":
        every = world.firmware.reads.compliance
        end = window.warm_up + window.length
        if end // every == window.warm_up // every:
            yield (
                "firmware.reads.compliance",
                f"No compliance report falls into what is measured: one comes every"
                f" {format_duration(every)} (firmware.reads.compliance).",
            )


def _periods(world: Scenario) -> Iterator[tuple[str, int]]:
    """Yield path and seconds of every timer that senders have."""
    reporting = world.reporting
    if reporting.rule == "on_change_heartbeat":
        yield "reporting.heartbeat", reporting.heartbeat
    elif reporting.rule in TIMED:
        yield "reporting.period", reporting.period
    for stage in world.network:
        for place, row in enumerate(stage.mitigations):
            if row.kind == "batch":
                yield f"network.{stage.stage}.mitigations.{place}.period", row.period


def _stroke(world: Scenario, path: str, fault: Any) -> str:
    """Return what a reader of the fault at *path* may not expect; "" where there is nothing."""
    warm_up = world.window.warm_up
    end = warm_up + world.window.length
    if fault.rate is not None:
        expected = float(fault.rate * end)
        if expected < 1:
            return (
                f"{path} comes {expected:.2g} times on average in this world, so there may be"
                " replications without it."
            )
        return ""
    if fault.every is not None:
        if fault.start + fault.every >= end:
            every = format_duration(fault.every)
            return (
                f"{path} would come again after {every}, past the end of the world: it comes once."
            )
        return ""
    lasts = getattr(fault, "duration", None)
    if lasts is not None and fault.start + lasts <= warm_up:
        over = format_duration(fault.start + lasts)
        return (
            f"{path} ends at {over}, before measuring begins at {format_duration(warm_up)}: times"
            " count from the start of the warm-up."
        )
    return ""
