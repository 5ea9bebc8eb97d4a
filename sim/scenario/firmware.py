"""Firmware's whole life in a scenario: models, releases, the local channel and reads (S1-01 …
S1-18; `docs/firmware.md`).
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from sim.scenario import read_when as when
from sim.scenario.air import Campaign, FromNothing, Ota, ReleaseClass
from sim.scenario.bounds import ANOTHER_DAY, AS_VERSION, IN_ORDER, NOT_ALWAYS, some, weights
from sim.scenario.days import FromStart
from sim.scenario.fields import (
    OF_THE_ESTATE,
    ClockRate,
    Closed,
    Duration,
    Flag,
    Name,
    Number,
    PositiveDuration,
    PositiveRate,
    Share,
    Size,
    Weight,
    choice,
    count,
    distinct,
)
from sim.scenario.forms import AddsUp, BeforeTheEnd, NameOf
from sim.scenario.week import DaysOfWeek
from sim.words import Design, DeviceType

MOST_VERSIONS: Final = 100
LIVING: Final = DeviceType.words()
LivingType = Annotated[str, choice(*LIVING)]
VersionNumber = Annotated[int, count(0, MOST_VERSIONS)]


VersionKey = Annotated[VersionNumber, AS_VERSION]


class Model(Closed):
    """A device model: what share of its type it is, and what it does with an image."""

    type: LivingType = Field(description="Device type.")
    share: Share = Field(
        description="Share of the devices of its type; the shares of a type add up to 1."
    )
    size: Annotated[Size, some("an image"), when.OF_AIR] = Field(description="Bytes of an image.")
    sleepy: Annotated[Flag, when.OF_AIR] = Field(
        description="Whether it sleeps between the blocks of an image."
    )
    downgrades: Annotated[str, choice("refused", "allowed")] = Field(
        description="Whether it refuses (anti-rollback) or allows a version lower than its own."
    )
    permitted: Annotated[dict[VersionKey, tuple[VersionNumber, ...]], IN_ORDER] = Field(
        default={},
        description=(
            "Version: the versions from which it may be installed; a version not named may be"
            " installed from any (MP231)."
        ),
    )
    asks_from: Annotated[VersionNumber, when.ASKS] = Field(
        description=(
            "First version whose devices ask to be screened before a local update; older"
            " firmware never does."
        )
    )
    cut: Annotated[Share, when.OF_AIR] = Field(
        description="Share of activations that cut the hub's supply (ESME only; MP102)."
    )


class Release(Closed):
    """A row of releases: images of one model, built once or again and again."""

    model: Annotated[Name, NameOf(("firmware.models",), "model", "firmware.models has:")] = Field(
        description="Model they are for."
    )
    release_class: ReleaseClass = Field(
        alias="class", description="security, defect, specification, feature or non_core."
    )
    first: FromStart = Field(description="When the first is built, from the start of the window.")
    every: PositiveDuration | None = Field(
        default=None, description="Time from one to the next; without it, there is one."
    )


class Pipeline(Closed):
    """From build to the Central Products List (CPL)."""

    assurance: FromNothing = Field(description="Time that assurance takes.")
    reject: Annotated[Share, NOT_ALWAYS] = Field(
        description="Share of submissions that the CPL gateway rejects."
    )
    resubmit: PositiveDuration = Field(description="Time from a rejected submission to the next.")
    listing: Duration = Field(description="Time from an accepted submission to the listing.")
    data_error: Share = Field(
        description="Share of listings whose data are valid and wrong, so that hashes do not match."
    )
    correction: Duration = Field(description="Time until wrong data are corrected.")
    withdrawn: Share = Field(description="Share of listings that are taken off the list again.")
    withdrawn_after: PositiveDuration = Field(description="Time from listing until then.")


class Channel(Closed):
    """A way by which devices are updated locally."""

    share: Share = Field(
        description="Share of those that take part; the shares of all channels add up to 1."
    )
    delay: PositiveDuration = Field(
        description="Mean time from an offer to the attempt, exponential."
    )


class Hours(Closed):
    """When in the week people do it; only ratios matter."""

    days: DaysOfWeek = Field(
        description=(
            "Weights of days of the week by name; the others weigh 1 (null takes an"
            " inherited one away)."
        )
    )
    hours: Annotated[tuple[Weight, ...], weights(24, "hours of the day")] = Field(
        description="Weights of the 24 hours of the day."
    )


class Local(Closed):
    """The local channel: PPMIDs and IHDs that are updated without the WAN."""

    take_up: Annotated[Share, when.TAKING_PART] = Field(
        description="Share of PPMIDs and IHDs that take part."
    )
    classes: Annotated[tuple[ReleaseClass, ...], AfterValidator(distinct)] = Field(
        description="Classes of release that manufacturers offer locally."
    )
    lead: Duration = Field(
        description=(
            "Time from build to the local offer; shorter than the CPL takes, what is offered is not"
            " yet listed."
        )
    )
    variant: Annotated[Share, when.LOCAL] = Field(
        description="Share of attempts with an image that was never submitted."
    )
    channels: Annotated[
        dict[Name, Channel],
        IN_ORDER,
        when.LOCAL,
        AddsUp("names no way of updating; give at least one"),
    ] = Field(description="Ways of updating, by name.")
    hours: Annotated[Hours | None, when.LOCAL] = Field(
        default=None, description="Weights of days and hours; without it, any time is as good."
    )


class GatewayOutage(Closed):
    """A time in which the token gateway is down."""

    start: Annotated[FromStart, BeforeTheEnd()] = Field(
        description="When it begins, from the start of the window."
    )
    every: PositiveDuration | None = Field(
        default=None, description="Time after which it comes again; without it, it comes once."
    )
    duration: PositiveDuration = Field(description="How long it lasts.")


class Screening(Closed):
    """What stands between a local update and a device."""

    design: Annotated[str, choice(*Design.words())] = Field(
        description=(
            "none, signature, allow_list, token (asked of a gateway) or audit (after the fact)."
        )
    )
    signed: Annotated[Share, when.SIGNATURE] = Field(
        description="Share of variants that carry a valid signature all the same (signature)."
    )
    list_age: Annotated[Duration, when.ALLOW_LIST] = Field(
        description="Age of the list a device holds (allow_list)."
    )
    fail: Annotated[str, choice("open", "closed"), when.TOKEN] = Field(
        description="What a device does while the gateway is down (token)."
    )
    gateway_outages: Annotated[tuple[GatewayOutage, ...], when.TOKEN] = Field(
        default=(), description="When the gateway is down (token)."
    )
    capacity: Annotated[PositiveRate | None, when.TOKEN] = Field(
        default=None,
        description="Requests the gateway answers, counted by the hour; without it, all (token).",
        json_schema_extra=OF_THE_ESTATE,
    )
    install: Annotated[PositiveDuration, when.TOKEN] = Field(
        description="Longest time from a token to the installation (token)."
    )
    token_life: Annotated[PositiveDuration, when.TOKEN] = Field(
        description="How long a token is good (token)."
    )
    retry: Annotated[PositiveDuration, ANOTHER_DAY, when.TOKEN] = Field(
        description="Time until an attempt that was turned away is made again (token)."
    )
    false_accept: Annotated[Share, when.SCREENED] = Field(
        description="Share of what should be stopped that passes."
    )
    false_reject: Annotated[Share, when.SCREENED] = Field(
        description="Share of what should pass that is stopped."
    )


class Call(Closed):
    """Reads that follow a change: somebody calls, and looks."""

    share: Share = Field(
        description="Share of version changes after which somebody reads the record."
    )
    delay: Annotated[PositiveDuration, when.CALLED] = Field(
        description="Mean time until then, exponential."
    )


class Prices(Closed):
    """What a wrong decision costs, in pounds."""

    missed: Number = Field(description="A device that needed the version was not found.")
    wasted: Number = Field(description="An image went to a device that had it.")
    wrong_path: Number = Field(description="An image went to a device that cannot take it.")
    false_compliance: Number = Field(description="A device was taken to be up to date and is not.")
    false_alarm: Number = Field(description="A device was taken to be out of date and is not.")


class Reads(Closed):
    """Reads of the inventory (8.2) and of devices (11.2), by process."""

    install: ClockRate = Field(description="Reads at installation and commissioning, per premises.")
    gain: ClockRate = Field(
        description="Changes of supplier, per premises; the gaining supplier reads."
    )
    call: Call = Field(description="Reads after a change.")
    compliance: PositiveDuration = Field(
        description="Time from one compliance report on every device to the next."
    )
    event_delay: Annotated[PositiveDuration, when.EVENT_READ] = Field(
        description="Time from a local install to the read it triggers (rule event_read)."
    )
    prices: Prices = Field(description="What wrong decisions cost.")


class Firmware(Closed):
    """Firmware's whole life. With this block the world follows docs/firmware.md."""

    step: PositiveDuration = Field(
        description="Time between rows of the table of days; it changes no other result."
    )
    models: Annotated[dict[Name, Model], IN_ORDER] = Field(description="Device models, by name.")
    releases: tuple[Release, ...] = Field(description="Rows of releases.")
    off: Annotated[dict[LivingType, Share], IN_ORDER] = Field(
        description=(
            "Share of devices of a type that are switched off for ever; a type not named has none."
        )
    )
    pipeline: Pipeline = Field(description="From build to the Central Products List.")
    local: Local = Field(description="The local channel.")
    screening: Annotated[Screening, when.LOCAL] = Field(
        description="What stands between a local update and a device."
    )
    ota: Ota = Field(description="Updates over the air.")
    campaign: Annotated[Campaign, when.AIR] = Field(
        description="How a version goes out over the air."
    )
    reads: Reads = Field(description="Reads of the inventory and of devices.")


class Ban(Closed):
    """A ban on local updates."""

    start: FromStart = Field(description="When it begins, from the start of the window.")
    grace: Duration = Field(description="Time after that in which nobody is held to it.")
    scope: Annotated[str, choice("everywhere", "where_ota_works")] = Field(
        description="Where it holds."
    )
    compliance: Share = Field(description="Share of owners who obey.")
