"""What goes wrong, and when: power cuts, reboots, outages of links and servers, clocks that are set
alike (H9; `docs/model.md`, section 5).
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from sim.faults import FAULTS
from sim.scenario.days import FromStart
from sim.scenario.fields import (
    ClockRate,
    Closed,
    Duration,
    Name,
    PositiveDuration,
    Share,
    TimeOfDay,
    choice,
)
from sim.scenario.forms import BeforeTheEnd, NameOf
from sim.units import format_duration, format_share


class Restored(Closed):
    """One point of a restoration curve."""

    share: Share = Field(description="Share of the premises taken that are back.")
    time: Duration = Field(description="By when they are back, from the end of the duration.")


def rising(points: tuple[Restored, ...]) -> tuple[Restored, ...]:
    """Refuse a curve whose shares do not rise, or whose times fall."""
    for before, after in zip(points, points[1:], strict=False):
        if (
            int(after.share * 2**32 + 0.5) <= int(before.share * 2**32 + 0.5)
            or after.time < before.time
        ):
            late, early = (
                f"{format_share(point.share)} by {format_duration(point.time)}"
                for point in (after, before)
            )
            raise ValueError(
                f"{late} comes after {early}; shares must rise and times must not fall from one"
                " point to the next"
            )
    return points


def _whole(points: tuple[Restored, ...]) -> tuple[Restored, ...]:
    """Refuse a curve that does not rise to all."""
    if rising(points) and points[-1].share != 1:
        raise ValueError(
            f"the last point is {format_share(points[-1].share)}; a curve ends with 100 %, when all"
            " are back"
        )
    return points


RegionName = Annotated[Name, NameOf(("estate.regions",), "region", "the regions are")]


class _Regional(Closed):
    region: RegionName
    share: Share


class _Stroke(Closed):
    called: ClassVar[str]

    start: Annotated[FromStart | None, BeforeTheEnd("the {called} starts")] = Field(
        default=None, description="When it begins, from the start of the window (or give a rate)."
    )
    rate: ClockRate | None = Field(
        default=None, description="How often it comes, at random (or give a start)."
    )
    every: PositiveDuration | None = Field(
        default=None,
        description=(
            "Time after which it comes again; without it, it comes once (only with a start)."
        ),
    )


class _Darkness(_Stroke, _Regional):
    duration: PositiveDuration = Field(description="How long it lasts at least.")
    restoration: Duration = Field(
        default=0,
        description="Time after that within which they come back, uniformly (or give a curve).",
    )
    curve: Annotated[tuple[Restored, ...], AfterValidator(_whole)] = Field(
        default=(),
        description=(
            "Shares that are back by a time after that, rising to 100 % (or give a restoration)."
        ),
    )


class PowerCut(_Darkness):
    """A power cut: premises of a region go dark together and come back within a while."""

    called = FAULTS["power_cuts"].event

    region: RegionName = Field(description="CSP region of the premises.")
    share: Share = Field(description="Share of the region's premises that it takes.")


class HubReboot(_Darkness):
    """A wave of reboots: hubs of a region are off together, with supply, and come back within a
    while.
    """

    called = FAULTS["hub_reboots"].event

    region: RegionName = Field(description="CSP region of the hubs.")
    share: Share = Field(description="Share of the region's hubs that it takes.")


class WanOutage(_Stroke, _Regional):
    """An outage of WAN cells: the links of their premises are down."""

    called = FAULTS["wan_outages"].event

    region: RegionName = Field(description="CSP region of the cells.")
    share: Share = Field(description="Share of the region's WAN cells that it takes.")
    duration: PositiveDuration = Field(description="How long it lasts.")


class StageOutage(_Stroke):
    """An outage, or a maintenance window, of a stage: it serves nobody, and what arrives waits or
    is refused.
    """

    called = FAULTS["stage_outages"].event

    stage: Annotated[str, choice("csp", "dsp", "user")] = Field(
        description="Stage that is out: csp, dsp or user."
    )
    server: Name = Field(description="Server of it: a region at csp, a user at user, or all.")
    duration: PositiveDuration = Field(description="How long it lasts.")


class ClockLock(_Stroke, _Regional):
    """Clocks that are set to one time: senders of version reports of a region whose timers strike
    together from then on.
    """

    called = FAULTS["clock_locks"].event

    region: RegionName = Field(description="CSP region of the senders.")
    share: Share = Field(description="Share of the region's senders that it takes.")
    at: TimeOfDay = Field(description="Time of day from which their timers count.")
    spread: Duration = Field(
        default=0, description="How far clocks are off, uniformly; without it, not at all."
    )


def _list_of(row: str) -> Any:
    return Field(default=(), description=f"{FAULTS[row].means} In any order.")


class Faults(Closed):
    """What goes wrong."""

    power_cuts: tuple[PowerCut, ...] = _list_of("power_cuts")
    hub_reboots: tuple[HubReboot, ...] = _list_of("hub_reboots")
    wan_outages: tuple[WanOutage, ...] = _list_of("wan_outages")
    stage_outages: tuple[StageOutage, ...] = _list_of("stage_outages")
    clock_locks: tuple[ClockLock, ...] = _list_of("clock_locks")
