"""Firmware's whole life in a scenario: models, releases, the local channel, the air, campaigns and reads (S1-01 … S1-18; `docs/firmware.md`)."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from sim.scenario.bounds import ANOTHER_DAY, AS_VERSION, IN_ORDER, NOT_ALWAYS, RISING, TO_ALL, WITHIN_A_DAY, some, weights
from sim.scenario.fields import (
    OF_THE_ESTATE,
    Closed,
    Duration,
    Flag,
    Name,
    Number,
    PositiveDuration,
    PositiveRate,
    Rate,
    Share,
    Size,
    TimeOfDay,
    Weight,
    choice,
    count,
    distinct,
)
from sim.scenario.outages import Restored

MOST_VERSIONS: Final = 100
CLASSES: Final = ("security", "defect", "specification", "feature", "non_core")
LIVING: Final = ("ppmid", "ihd", "hcalcs", "esme", "gsme")
ReleaseClass = Annotated[Literal["security", "defect", "specification", "feature", "non_core"], choice(*CLASSES)]
LivingType = Annotated[Literal["ppmid", "ihd", "hcalcs", "esme", "gsme"], choice(*LIVING)]
AirType = Annotated[Literal["ppmid", "hcalcs", "esme", "gsme"], choice("ppmid", "hcalcs", "esme", "gsme")]
VersionNumber = Annotated[int, count(0, MOST_VERSIONS)]
Milliseconds = Annotated[int, count(1, 60_000)]


VersionKey = Annotated[VersionNumber, AS_VERSION]


class Between(Closed):
    """A time drawn evenly from `low` to `high`, both included."""

    low: PositiveDuration = Field(description="Shortest.")
    high: PositiveDuration = Field(description="Longest.")


class FromNothing(Closed):
    """A time drawn evenly from `low`, which may be 0, to `high`."""

    low: Duration = Field(description="Shortest.")
    high: Duration = Field(description="Longest.")


class Model(Closed):
    """A device model: what share of its type it is, and what it does with an image."""

    type: LivingType = Field(description="Device type.")
    share: Share = Field(description="Share of the devices of its type; the shares of a type add up to 1.")
    size: Annotated[Size, some("an image")] = Field(description="Bytes of an image.")
    sleepy: Flag = Field(description="Whether it sleeps between the blocks of an image.")
    downgrades: Annotated[Literal["refused", "allowed"], choice("refused", "allowed")] = Field(
        description="Whether it refuses (anti-rollback) or allows a version lower than its own."
    )
    permitted: Annotated[dict[VersionKey, tuple[VersionNumber, ...]], IN_ORDER] = Field(
        default={}, description="Version: the versions from which it may be installed; a version not named may be installed from any (MP231)."
    )
    asks_from: VersionNumber = Field(description="First version whose devices ask to be screened before a local update; older firmware never does.")
    cut: Share = Field(description="Share of activations that cut the hub's supply (ESME only; MP102).")


class Release(Closed):
    """A row of releases: images of one model, built once or again and again."""

    model: Name = Field(description="Model they are for.")
    release_class: ReleaseClass = Field(alias="class", description="security, defect, specification, feature or non_core.")
    first: Duration = Field(description="When the first is built, from the start of the window.")
    every: PositiveDuration | None = Field(default=None, description="Time from one to the next; without it, there is one.")


class Pipeline(Closed):
    """From build to the Central Products List (CPL)."""

    assurance: FromNothing = Field(description="Time that assurance takes.")
    reject: Annotated[Share, NOT_ALWAYS] = Field(description="Share of submissions that the CPL gateway rejects.")
    resubmit: PositiveDuration = Field(description="Time from a rejected submission to the next.")
    listing: Duration = Field(description="Time from an accepted submission to the listing.")
    data_error: Share = Field(description="Share of listings whose data are valid and wrong, so that hashes do not match.")
    correction: Duration = Field(description="Time until wrong data are corrected.")
    withdrawn: Share = Field(description="Share of listings that are taken off the list again.")
    withdrawn_after: PositiveDuration = Field(description="Time from listing until then.")


class Channel(Closed):
    """A way by which devices are updated locally."""

    share: Share = Field(description="Share of those that take part; the shares of all channels add up to 1.")
    delay: PositiveDuration = Field(description="Mean time from an offer to the attempt, exponential.")


class Hours(Closed):
    """When in the week people do it; only ratios matter."""

    days: Annotated[tuple[Weight, ...], weights(7, "days of the week")] = Field(description="Weights of the 7 days of the week, from the window's first day.")
    hours: Annotated[tuple[Weight, ...], weights(24, "hours of the day")] = Field(description="Weights of the 24 hours of the day (UTC).")


class Local(Closed):
    """The local channel: PPMIDs and IHDs that are updated without the WAN."""

    take_up: Share = Field(description="Share of PPMIDs and IHDs that take part.")
    classes: Annotated[tuple[ReleaseClass, ...], AfterValidator(distinct)] = Field(description="Classes of release that manufacturers offer locally.")
    lead: Duration = Field(description="Time from build to the local offer; shorter than the CPL takes, what is offered is not yet listed.")
    variant: Share = Field(description="Share of attempts with an image that was never submitted.")
    channels: Annotated[dict[Name, Channel], IN_ORDER] = Field(description="Ways of updating, by name.")
    hours: Hours | None = Field(default=None, description="Weights of days and hours; without it, any time is as good.")


class GatewayOutage(Closed):
    """A time in which the token gateway is down."""

    start: Duration = Field(description="When it begins.")
    every: PositiveDuration | None = Field(default=None, description="Time after which it comes again; without it, it comes once.")
    duration: PositiveDuration = Field(description="How long it lasts.")


class Screening(Closed):
    """What stands between a local update and a device."""

    design: Annotated[Literal["none", "signature", "allow_list", "token", "audit"], choice("none", "signature", "allow_list", "token", "audit")] = Field(
        description="none, signature, allow_list, token (asked of a gateway) or audit (after the fact)."
    )
    signed: Share = Field(description="Share of variants that carry a valid signature all the same (signature).")
    list_age: Duration = Field(description="Age of the list a device holds (allow_list).")
    fail: Annotated[Literal["open", "closed"], choice("open", "closed")] = Field(description="What a device does while the gateway is down (token).")
    gateway_outages: tuple[GatewayOutage, ...] = Field(default=(), description="When the gateway is down (token).")
    capacity: PositiveRate | None = Field(
        default=None,
        description="Requests the gateway answers, counted by the hour; without it, all (token).",
        json_schema_extra=OF_THE_ESTATE,
    )
    install: PositiveDuration = Field(description="Longest time from a token to the installation (token).")
    token_life: PositiveDuration = Field(description="How long a token is good (token).")
    retry: Annotated[PositiveDuration, ANOTHER_DAY] = Field(description="Time until an attempt that was turned away is made again (token).")
    false_accept: Share = Field(description="Share of what should be stopped that passes.")
    false_reject: Share = Field(description="Share of what should pass that is stopped.")


class HubReady(Closed):
    """When hubs can update PPMIDs and HCALCSs: a wave of hub firmware."""

    start: Duration = Field(description="When the wave begins, from the start of the window.")
    curve: Annotated[tuple[Restored, ...], RISING] = Field(
        description="Shares of hubs that are ready by a time after that; those past the last share never are."
    )


class Exchange(Closed):
    """Hubs that are exchanged (2G/3G to 4G)."""

    start: Duration = Field(description="When the exchange begins.")
    share: Share = Field(description="Share of hubs that are exchanged.")
    curve: Annotated[tuple[Restored, ...], TO_ALL] = Field(description="Shares of those that are exchanged by a time after that; ends with 100 %.")
    reseed: Flag = Field(description="Whether a new hub asks its devices for their versions.")


class Activation(Closed):
    """The command that makes a device run an image it holds."""

    wait: Between = Field(description="Time from an image held to activation (11.3, immediate or future-dated); a PPMID does not wait.")
    failure: Share = Field(description="Share of activations that fail.")


class Response(Closed):
    """The answer that tells the DSP, by which the inventory is written."""

    delay: Between = Field(description="Time from activation to the answer's arrival.")
    loss: Share = Field(description="Share of answers that are lost.")
    patience: PositiveDuration = Field(description="Time without an answer after which the supplier looks again.")


class Mp105(Closed):
    """The repair of devices left Suspended: reading their version (11.2) is allowed."""

    start: Duration = Field(description="From when, from the start of the window.")
    read: Between = Field(description="Time from looking to the answer of the read.")


class Ota(Closed):
    """Updates over the air."""

    types: Annotated[tuple[AirType, ...], AfterValidator(distinct)] = Field(description="Device types that are updated over the air.")
    classes: Annotated[tuple[ReleaseClass, ...], AfterValidator(distinct)] = Field(description="Classes of release sent over the air.")
    start: Duration = Field(description="When it begins, from the start of the window.")
    hub_ready: HubReady = Field(description="When hubs can serve PPMIDs and HCALCSs.")
    exchange: Exchange | None = Field(default=None, description="Exchange of hubs; without it, none.")
    distribution: Annotated[dict[Name, Between], IN_ORDER] = Field(description="Time from the DSP's check to the hub, by CSP region.")
    capacity: Annotated[dict[Name, PositiveRate], IN_ORDER] = Field(
        description="Devices that a CSP region can be offered images for, by region.",
        json_schema_extra=OF_THE_ESTATE,
    )
    loss: Share = Field(description="Share of images lost on the WAN.")
    block: Annotated[Size, some("a block")] = Field(description="Bytes of a block on the HAN.")
    interval_awake: Milliseconds = Field(description="Milliseconds from block to block of a device that is awake.")
    interval_sleepy: Milliseconds = Field(description="The same of a sleepy one.")
    interruption: Share = Field(description="Share of transfers that are interrupted, again at each resumption.")
    resume: PositiveDuration = Field(description="Time that an interruption costs.")
    activation: Activation = Field(description="How an image held comes to run.")
    response: Response = Field(description="How its success is told.")
    mp105: Mp105 | None = Field(default=None, description="Repair of devices left Suspended; without it, there is none.")
    retries: Annotated[int, count(0, 7)] = Field(description="How often an attempt that failed is made again.")
    retry_after: PositiveDuration = Field(description="Time until then.")
    cut_length: Between = Field(description="How long an activation that cuts the hub's supply does so.")


class Ramp(Closed):
    """Groups of a campaign: constant shares, shares that grow, or shares as listed."""

    kind: Annotated[Literal["constant", "exponential", "groups"], choice("constant", "exponential", "groups")] = Field(
        description="constant (share again and again), exponential (first, then factor times more each) or groups (shares as listed)."
    )
    step: PositiveDuration = Field(description="Shortest time a group takes, in open seconds.")
    share: Share | None = Field(default=None, description="Share of each group (constant).")
    first: Share | None = Field(default=None, description="Share of the first group (exponential).")
    factor: Annotated[int, count(2, 100)] | None = Field(default=None, description="Each group is so many times the one before (exponential).")
    shares: tuple[Share, ...] = Field(default=(), description="Shares of the groups; they add up to 1 (groups).")


class Open(Closed):
    """Daily hours in which images are offered."""

    at: TimeOfDay = Field(description="When they begin (UTC).")
    length: Annotated[PositiveDuration, WITHIN_A_DAY] = Field(description="How long they last; at most a day.")


class Blackout(Closed):
    """A time in which nothing is offered."""

    start: Duration = Field(description="When it begins.")
    duration: PositiveDuration = Field(description="How long it lasts.")


class Campaign(Closed):
    """How a version goes out over the air: in groups, with a gate after each."""

    lead: Duration = Field(description="Time from listing to the first group.")
    order: Annotated[Literal["random", "by_cell", "by_supplier", "by_risk"], choice("random", "by_cell", "by_supplier", "by_risk")] = Field(
        description="Who comes first: random, by_cell, by_supplier or by_risk (oldest record first)."
    )
    priority: Annotated[tuple[ReleaseClass, ...], AfterValidator(distinct)] = Field(description="Every class, most urgent first.")
    at_once: Annotated[int, count(1, 1000)] = Field(description="Campaigns that run at a time.")
    ramp: Ramp = Field(description="Its groups.")
    open: Open = Field(description="Daily hours in which images are offered.")
    blackouts: tuple[Blackout, ...] = Field(default=(), description="Times in which none are.")
    soak: Duration = Field(description="Time from the end of a group to its gate.")
    approval: Duration = Field(description="Time from a gate passed to the next group.")
    least: Annotated[int, count(1, 1_000_000_000)] = Field(description="Outcomes that must be known before failures can stop a campaign.")
    error_threshold: Share = Field(description="Share of known outcomes that fail above which a campaign is aborted.")
    success_threshold: Share = Field(description="Share of known outcomes that succeed below which a gate stays shut.")
    gates: Annotated[int, count(0, 1000)] = Field(description="How often a shut gate is tried again.")
    sweeps: Annotated[int, count(0, 1000)] = Field(description="How often those left over are all tried again.")
    sweep_every: Duration = Field(description="Time from a gate to the sweep after it.")


class Call(Closed):
    """Reads that follow a change: somebody calls, and looks."""

    share: Share = Field(description="Share of version changes after which somebody reads the record.")
    delay: PositiveDuration = Field(description="Mean time until then, exponential.")


class Prices(Closed):
    """What a wrong decision costs, in pounds."""

    missed: Number = Field(description="A device that needed the version was not found.")
    wasted: Number = Field(description="An image went to a device that had it.")
    wrong_path: Number = Field(description="An image went to a device that cannot take it.")
    false_compliance: Number = Field(description="A device was taken to be up to date and is not.")
    false_alarm: Number = Field(description="A device was taken to be out of date and is not.")


class Reads(Closed):
    """Reads of the inventory (8.2) and of devices (11.2), by process."""

    install: Rate = Field(description="Reads at installation and commissioning, per premises.")
    gain: Rate = Field(description="Changes of supplier, per premises; the gaining supplier reads.")
    call: Call = Field(description="Reads after a change.")
    compliance: PositiveDuration = Field(description="Time from one compliance report on every device to the next.")
    event_delay: PositiveDuration = Field(description="Time from a local install to the read it triggers (rule event_read).")
    prices: Prices = Field(description="What wrong decisions cost.")


class Firmware(Closed):
    """Firmware's whole life. With this block the world follows docs/firmware.md."""

    step: PositiveDuration = Field(description="Time between rows of the table of days; it changes no other result.")
    models: Annotated[dict[Name, Model], IN_ORDER] = Field(description="Device models, by name.")
    releases: tuple[Release, ...] = Field(description="Rows of releases.")
    off: Annotated[dict[LivingType, Share], IN_ORDER] = Field(
        description="Share of devices of a type that are switched off for ever; a type not named has none."
    )
    pipeline: Pipeline = Field(description="From build to the Central Products List.")
    local: Local = Field(description="The local channel.")
    screening: Screening = Field(description="What stands between a local update and a device.")
    ota: Ota = Field(description="Updates over the air.")
    campaign: Campaign = Field(description="How a version goes out over the air.")
    reads: Reads = Field(description="Reads of the inventory and of devices.")


class Ban(Closed):
    """A ban on local updates."""

    start: Duration = Field(description="When it begins, from the start of the window.")
    grace: Duration = Field(description="Time after that in which nobody is held to it.")
    scope: Annotated[Literal["everywhere", "where_ota_works"], choice("everywhere", "where_ota_works")] = Field(description="Where it holds.")
    compliance: Share = Field(description="Share of owners who obey.")
