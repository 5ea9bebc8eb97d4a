"""Updates over the air in a scenario: hubs and the WAN, activation, repair, and campaigns (S1-01 …
S1-18; `docs/firmware.md`).
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from sim.scenario import read_when as when
from sim.scenario.bounds import IN_ORDER, RISING, TO_ALL, WITHIN_A_DAY, some
from sim.scenario.days import FromStart
from sim.scenario.fields import (
    OF_THE_ESTATE,
    Closed,
    Duration,
    Flag,
    Name,
    PositiveDuration,
    PositiveRate,
    Share,
    Size,
    TimeOfDay,
    choice,
    count,
    distinct,
)
from sim.scenario.forms import AddsUp, BeforeTheEnd, EachOf, NameOf, NeededBy, NotBelow
from sim.scenario.outages import Restored
from sim.words import RolloutOrder

CLASSES: Final = ("security", "defect", "specification", "feature", "non_core")
ReleaseClass = Annotated[str, choice(*CLASSES)]
AirType = Annotated[str, choice("ppmid", "hcalcs", "esme", "gsme")]
Milliseconds = Annotated[int, count(1, 60_000)]


_NOT_SHORTER: Final = NotBelow("low", "the longest time of {} is shorter than the shortest of {}")
_BY_REGION: Final = (
    EachOf("estate.regions", "give one for each region: {all}"),
    NameOf(("estate.regions",), "region", "the regions are"),
)


def _for(kind: str) -> NeededBy:
    return NeededBy("a ramp", "kind", (kind,), " (null takes an inherited one away)")


class Between(Closed):
    """A time drawn evenly from `low` to `high`, both included."""

    low: PositiveDuration = Field(description="Shortest.")
    high: Annotated[PositiveDuration, _NOT_SHORTER] = Field(description="Longest.")


class FromNothing(Closed):
    """A time drawn evenly from `low`, which may be 0, to `high`."""

    low: Duration = Field(description="Shortest.")
    high: Annotated[Duration, _NOT_SHORTER] = Field(description="Longest.")


class HubReady(Closed):
    """When hubs can update PPMIDs and HCALCSs: a wave of hub firmware."""

    start: FromStart = Field(description="When the wave begins, from the start of the window.")
    curve: Annotated[tuple[Restored, ...], RISING] = Field(
        description=(
            "Shares of hubs that are ready by a time after that; those past the last share"
            " never are."
        )
    )


class Exchange(Closed):
    """Hubs that are exchanged (2G/3G to 4G)."""

    start: Annotated[FromStart, BeforeTheEnd()] = Field(
        description="When the exchange begins, from the start of the window."
    )
    share: Share = Field(description="Share of hubs that are exchanged.")
    curve: Annotated[tuple[Restored, ...], TO_ALL] = Field(
        description="Shares of those that are exchanged by a time after that; ends with 100 %."
    )
    reseed: Flag = Field(description="Whether a new hub asks its devices for their versions.")


class Activation(Closed):
    """The command that makes a device run an image it holds."""

    wait: Between = Field(
        description=(
            "Time from an image held to activation (11.3, immediate or future-dated); a PPMID does"
            " not wait."
        )
    )
    failure: Share = Field(description="Share of activations that fail.")


class Response(Closed):
    """The answer that tells the DSP, by which the inventory is written."""

    delay: Between = Field(description="Time from activation to the answer's arrival.")
    loss: Share = Field(description="Share of answers that are lost.")
    patience: PositiveDuration = Field(
        description="Time without an answer after which the supplier looks again."
    )


class Mp105(Closed):
    """The repair of devices left Suspended: reading their version (11.2) is allowed."""

    start: FromStart = Field(description="From when, from the start of the window.")
    read: Between = Field(description="Time from looking to the answer of the read.")


class Ota(Closed):
    """Updates over the air."""

    types: Annotated[tuple[AirType, ...], AfterValidator(distinct)] = Field(
        description="Device types that are updated over the air."
    )
    classes: Annotated[tuple[ReleaseClass, ...], AfterValidator(distinct)] = Field(
        description="Classes of release sent over the air."
    )
    start: FromStart = Field(description="When it begins, from the start of the window.")
    hub_ready: Annotated[HubReady, when.AIR_OR_BAN] = Field(
        description="When hubs can serve PPMIDs and HCALCSs."
    )
    exchange: Exchange | None = Field(
        default=None, description="Exchange of hubs; without it, none."
    )
    distribution: Annotated[dict[Name, Between], IN_ORDER, when.AIR, *_BY_REGION] = Field(
        description="Time from the DSP's check to the hub, by CSP region."
    )
    capacity: Annotated[dict[Name, PositiveRate], IN_ORDER, when.AIR, *_BY_REGION] = Field(
        description="Devices that a CSP region can be offered images for, by region.",
        json_schema_extra=OF_THE_ESTATE,
    )
    loss: Annotated[Share, when.AIR] = Field(description="Share of images lost on the WAN.")
    block: Annotated[Size, some("a block"), when.AIR] = Field(
        description="Bytes of a block on the HAN."
    )
    interval_awake: Annotated[Milliseconds, when.AWAKE] = Field(
        description="Milliseconds from block to block of a device that is awake."
    )
    interval_sleepy: Annotated[Milliseconds, when.SLEEPY] = Field(
        description="The same of a sleepy one."
    )
    interruption: Annotated[Share, when.AIR] = Field(
        description="Share of transfers that are interrupted, again at each resumption."
    )
    resume: Annotated[PositiveDuration, when.INTERRUPTED] = Field(
        description="Time that an interruption costs."
    )
    activation: Annotated[Activation, when.AIR] = Field(
        description="How an image held comes to run."
    )
    response: Annotated[Response, when.AIR] = Field(description="How its success is told.")
    mp105: Annotated[Mp105 | None, when.AIR] = Field(
        default=None, description="Repair of devices left Suspended; without it, there is none."
    )
    retries: Annotated[int, count(0, 7), when.AIR] = Field(
        description="How often an attempt that failed is made again."
    )
    retry_after: Annotated[PositiveDuration, when.RETRIED] = Field(description="Time until then.")
    cut_length: Annotated[Between, when.CUTS] = Field(
        description="How long an activation that cuts the hub's supply does so."
    )


class Ramp(Closed):
    """Groups of a campaign: constant shares, shares that grow, or shares as listed."""

    kind: Annotated[str, choice("constant", "exponential", "groups")] = Field(
        description=(
            "constant (share again and again), exponential (first, then factor times more"
            " each) or groups (shares as listed)."
        )
    )
    step: PositiveDuration = Field(description="Shortest time a group takes, in open seconds.")
    share: Annotated[Share | None, when.CONSTANT, _for("constant")] = Field(
        default=None, description="Share of each group (constant)."
    )
    first: Annotated[Share | None, when.EXPONENTIAL, _for("exponential")] = Field(
        default=None, description="Share of the first group (exponential)."
    )
    factor: Annotated[
        Annotated[int, count(2, 100)] | None, when.EXPONENTIAL, _for("exponential")
    ] = Field(default=None, description="Each group is so many times the one before (exponential).")
    shares: Annotated[tuple[Share, ...], when.GROUPS, _for("groups"), AddsUp()] = Field(
        default=(), description="Shares of the groups; they add up to 1 (groups)."
    )


class Open(Closed):
    """Daily hours in which images are offered."""

    at: TimeOfDay = Field(description="When they begin.")
    length: Annotated[PositiveDuration, WITHIN_A_DAY] = Field(
        description="How long they last; at most a day."
    )


class Blackout(Closed):
    """A time in which nothing is offered."""

    start: Annotated[FromStart, BeforeTheEnd()] = Field(
        description="When it begins, from the start of the window."
    )
    duration: PositiveDuration = Field(description="How long it lasts.")


class Campaign(Closed):
    """How a version goes out over the air: in groups, with a gate after each."""

    lead: Duration = Field(description="Time from listing to the first group.")
    order: Annotated[str, choice(*RolloutOrder.words())] = Field(
        description=(
            "Who comes first: random, by_cell, by_supplier or by_risk (oldest record first)."
        )
    )
    priority: Annotated[
        tuple[ReleaseClass, ...],
        AfterValidator(distinct),
        EachOf(CLASSES, "name every class, most urgent first"),
    ] = Field(description="Every class, most urgent first.")
    at_once: Annotated[int, count(1, 1000)] = Field(description="Campaigns that run at a time.")
    ramp: Ramp = Field(description="Its groups.")
    open: Open = Field(description="Daily hours in which images are offered.")
    blackouts: tuple[Blackout, ...] = Field(default=(), description="Times in which none are.")
    soak: Duration = Field(description="Time from the end of a group to its gate.")
    approval: Duration = Field(description="Time from a gate passed to the next group.")
    least: Annotated[int, count(1, 1_000_000_000)] = Field(
        description="Outcomes that must be known before failures can stop a campaign."
    )
    error_threshold: Share = Field(
        description="Share of known outcomes that fail above which a campaign is aborted."
    )
    success_threshold: Share = Field(
        description="Share of known outcomes that succeed below which a gate stays shut."
    )
    gates: Annotated[int, count(0, 1000)] = Field(
        description="How often a shut gate is tried again."
    )
    sweeps: Annotated[int, count(0, 1000)] = Field(
        description="How often those left over are all tried again."
    )
    sweep_every: Annotated[Duration, when.SWEPT] = Field(
        description="Time from a gate to the sweep after it."
    )
