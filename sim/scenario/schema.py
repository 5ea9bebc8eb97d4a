"""The shape of a scenario: every field, what it holds, and the sentence that documents it.

The models are closed (an unknown key is a fault) and frozen. No field has a default number: a field
without which a scenario means something definite (a stage with no `capacity` is unlimited) may be
left out, every other must be given, usually by extending `gb_base`.
"""

from __future__ import annotations

from math import isclose
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from sim import history
from sim.policies import POLICIES
from sim.rules import RULES, ReportingRule
from sim.scenario import read_when as when
from sim.scenario.alerts import Alerts
from sim.scenario.days import FromStart
from sim.scenario.faults import did_you_mean
from sim.scenario.fields import (
    OF_THE_ESTATE,
    OTHERS,
    Clock,
    ClockRate,
    Closed,
    Day,
    Driver,
    Duration,
    Flag,
    Name,
    Number,
    PhaseSource,
    Policy,
    PositiveDuration,
    Reporter,
    Rule,
    Scale,
    Share,
    Size,
    Text,
    TimeOfDay,
    choice,
    count,
    distinct,
    in_order,
)
from sim.scenario.firmware import Ban, Firmware
from sim.scenario.network import Stage, as_on_the_way
from sim.scenario.outages import Faults
from sim.scenario.traffic import Traffic
from sim.units import added, listed

DEVICE_TYPES: Final = ("esme", "gsme", "ppmid", "ihd", "hcalcs")
LEDGER_TYPES: Final = ("ppmid", "ihd", "hcalcs")


def _version(number: int) -> int:
    if not 1 <= number <= history.SCHEMA_VERSION:
        written = history.SCHEMA_VERSION
        raise ValueError(f"{number} is not a version this program reads; write {written}")
    return number


def _whole(shares: dict[str, float]) -> dict[str, float]:
    """Refuse shares of a whole that do not add up to it, or that leave no server's name free for
    the tables' `all`.
    """
    total = added(shares.values())
    if not isclose(total, 1, rel_tol=0, abs_tol=1e-9):
        raise ValueError(
            f"the shares of {', '.join(list(shares)[:8]) or 'nothing'} add up to {total:.9g}; they"
            " must add up to 1 (null takes an inherited one away)"
            + _one_too_many(shares)
        )
    if "all" in shares:
        raise ValueError("all is kept for the sum over all of them; choose another name")
    if OTHERS in shares:
        raise ValueError(f"{OTHERS} is kept for those that are not named; choose another name")
    if len(shares) > 250:
        raise ValueError(f"{len(shares)} entries; at most 250")
    return in_order(shares)


def _one_too_many(shares: dict[str, float]) -> str:
    """Return a question about a name without which *shares* add up, if it is like another."""
    for name in shares:
        others = {other: share for other, share in shares.items() if other != name}
        hint = did_you_mean(name, others)
        if hint and isclose(added(others.values()), 1, rel_tol=0, abs_tol=1e-9):
            return f"; they do without {name}{hint}"
    return ""


def _every_type(shares: dict[str, float]) -> dict[str, float]:
    missing = [name for name in DEVICE_TYPES if name not in shares]
    if missing:
        raise ValueError(
            f"lacks {', '.join(missing)}; give the share of premises for each of"
            f" {', '.join(DEVICE_TYPES)}"
        )
    return in_order(shares)


DeviceType = Annotated[str, choice(*DEVICE_TYPES)]
VERSION_TOLD: Final = f"Version of this schema: {history.SCHEMA_VERSION}."
Version = Annotated[int, AfterValidator(_version), count(0, 1_000_000)]
Seed = Annotated[int, count(0, 2**63 - 1)]
Replications = Annotated[int, count(1, 100_000)]


class Window(Closed):
    """When the world runs: from 00:00 of the start day, and what happens after the warm-up is
    measured.
    """

    start: Day = Field(description="First day of the world; its clock starts at 00:00.")
    clock: Annotated[Clock, when.MOVED] = Field(
        default="utc",
        description=(
            "utc (without it, this) or local: British time, whose jumps fixed clocks and"
            " dates follow; other hours of the day go on in the time of the first day."
        ),
    )
    warm_up: Duration = Field(
        description="Time that runs first and is not measured, so that records and timers settle."
    )
    length: PositiveDuration = Field(description="Time that is measured, after the warm-up.")


class EstateSpec(Closed):
    """What exists: premises, the devices in them, where they are and who is responsible for them.
    """

    premises: Annotated[int, count(1, 40_000_000)] = Field(
        description="Premises with a Communications Hub and a gas proxy (GPF).",
        json_schema_extra=OF_THE_ESTATE,
    )
    scale: Scale | None = Field(
        default=None,
        description=(
            "Part of the estate that is simulated, with all that is of the estate in"
            " proportion; without it, all."
        ),
    )
    devices: Annotated[dict[DeviceType, Share], AfterValidator(_every_type)] = Field(
        description="Share of premises that have a device of each type."
    )
    regions: Annotated[dict[Name, Share], AfterValidator(_whole)] = Field(
        description="Share of premises in each CSP region; the shares add up to 1."
    )
    premises_per_cell: Annotated[int, count(1, 40_000_000), when.CELLS] = Field(
        description="Premises in one WAN cell."
    )
    no_wan_share: Share = Field(
        description="Share of premises without WAN coverage: their hub can never send or be read."
    )
    not_communicating_share: Share = Field(
        description="Share of premises with coverage whose hub never communicates."
    )
    users: Annotated[dict[Name, Share], AfterValidator(_whole), when.USERS] = Field(
        description="Share of premises each DSP user is responsible for; they add up to 1."
    )


class LocalUpdates(Closed):
    """Version changes of PPMIDs and IHDs that do not come over the air."""

    driver: Driver = Field(
        description=(
            "poisson: each device by its own clock; releases: all from one calendar of releases."
        )
    )
    rate: ClockRate = Field(
        description=(
            "Changes per device that takes part (poisson), or releases nationally (releases)."
        )
    )
    take_up: Share = Field(description="Share of PPMIDs and IHDs that take part in local updates.")
    first_release: Annotated[FromStart, when.BY_RELEASES] = Field(
        description=(
            "When the first release is published, from the start of the window (releases only)."
        )
    )
    delay: Annotated[PositiveDuration, when.BY_RELEASES] = Field(
        description="Mean time from a release to its installation, exponential (releases only)."
    )


_LABELLED: Final = [f"{row.id} ({', '.join(row.labels)})" for row in POLICIES.values()]
_POLICIES: Final = listed(_LABELLED, "or")


class Updates(Closed):
    """How firmware versions change."""

    policy: Policy = Field(description=f"{_POLICIES}: whether devices update locally.")
    local: Annotated[LocalUpdates, when.STEADY_LOCAL] = Field(
        description=(
            "Local updates, where the policy allows them; in a firmware world"
            " firmware.local takes their place."
        )
    )
    ban: Ban | None = Field(
        default=None, description="A ban on local updates (firmware worlds only); without it, none."
    )

    @property
    def has_local(self) -> bool:
        """Whether the policy lets devices be updated in the home."""
        return POLICIES[self.policy].has_local


class Phase(Closed):
    """Where in its period a sender reports: the storm is made here."""

    source: Annotated[PhaseSource, when.TIMER] = Field(
        description=(
            "What fixes the moment: fixed_clock, power_on, activation or hashed (from the"
            " device's identity)."
        )
    )
    at: Annotated[TimeOfDay, when.CLOCK] = Field(
        description="Time of day of a fixed clock, and the start of the hashed window."
    )
    window: Annotated[Duration, when.HASHED] = Field(
        description="Length of the window over which hashed senders spread."
    )
    jitter: Annotated[Duration, when.JITTERED] = Field(
        description=(
            "A report leaves up to this much before or after its time, uniformly; 0 s in a"
            " firmware world."
        )
    )


class Read(Closed):
    """Reading a version from the hub by service request (rule hub_store)."""

    rate: ClockRate = Field(description="Reads per reporting device.")
    refreshes_smi: Annotated[Flag, when.STORED] = Field(
        description="Whether the answer to a read is written to the inventory."
    )


def _named(needs_firmware: bool) -> str:
    """Return the rules that need a firmware world, or the others, with their labels."""
    rows = [rule for rule in RULES.values() if rule.needs_firmware is needs_firmware]
    return ", ".join(f"{rule.id} ({rule.label})" for rule in rows)


class Reporting(Closed):
    """How devices tell the Smart Metering Inventory (SMI) which version they run."""

    rule: Rule = Field(
        description=(
            f"Who reports and when: {_named(False)}; in a firmware world also {_named(True)}."
        )
    )
    devices: Annotated[tuple[Reporter, ...], AfterValidator(distinct)] = Field(
        description=(
            "Device types that report: of ppmid, ihd, hcalcs (esme and gsme too in a"
            " firmware world)."
        )
    )
    period: Annotated[PositiveDuration, when.PERIOD] = Field(
        description=(
            "Time between reports of one sender (hub_poll, periodic, hub_batch; digest,"
            " piggy_back, cloud)."
        )
    )
    heartbeat: Annotated[PositiveDuration, when.HEARTBEAT] = Field(
        description="Time between the timed reports of on_change_heartbeat."
    )
    phase: Phase = Field(description="Where in its period a sender reports.")
    loss: Annotated[Share, when.REPORTED] = Field(
        description=(
            "Share of reports lost on their way, independently, beside what the network refuses."
        )
    )
    han_loss: Annotated[Share, when.KEPT_BY_HUBS] = Field(
        description="Share of version changes that the hub misses."
    )
    read: Annotated[Read, when.READ] = Field(
        description="Reads by service request, under hub_store and audit."
    )
    target: Annotated[PositiveDuration, when.ON_THE_NETWORK] = Field(
        description="Response-time target of a version report."
    )
    size: Annotated[Size, when.SIZED] = Field(
        description="Bytes of a version report between device and DSP (GBCS)."
    )
    request_size: Annotated[Size, when.ASKED] = Field(
        description="Bytes of the request that asks for a version."
    )
    xml_overhead: Size = Field(
        description="Bytes that the XML envelope adds on the way from the DSP to a user."
    )
    fan_out: Annotated[int, count(0, 1000), when.ON_THE_NETWORK] = Field(
        description="Copies of a report that the DSP sends to users."
    )
    price: Number | None = Field(
        default=None, description="What one more message costs, in pounds; null where nobody asks."
    )

    @property
    def traits(self) -> ReportingRule:
        """What the rule is, column by column."""
        return RULES[self.rule]

    @property
    def timer_s(self) -> int:
        """Period of the rule's timer in seconds; 0 where it has none."""
        return int(getattr(self, self.traits.timer)) if self.traits.timer else 0


class Scenario(Closed):
    """One world, written down."""

    schema_version: Version = Field(description=VERSION_TOLD)
    name: Name = Field(description="Name of the scenario; results are filed under it.")
    question: Text = Field(
        description="The question the scenario answers; none for a building block."
    )
    seed: Seed = Field(description="Number from which all luck of the world follows.")
    replications: Replications = Field(
        description="How often the world is run, each time with other luck."
    )
    window: Window = Field(description="When the world runs.")
    estate: EstateSpec = Field(description="What exists.")
    updates: Updates = Field(description="How firmware versions change.")
    reporting: Reporting = Field(description="How the inventory learns of versions.")
    traffic: Traffic = Field(description="The traffic that is there already.")
    network: Annotated[tuple[Stage, ...], AfterValidator(as_on_the_way)] = Field(
        description="Stages on the way, in order; [] for none."
    )
    network_for: Annotated[int, count(1, 40_000_000)] | None = Field(
        default=None,
        description="Premises that the capacities of the network are for; without it, nobody says.",
    )
    faults: Faults = Field(description="What goes wrong.")
    alerts: Alerts = Field(
        default=Alerts(), description="Alerts that have a sender; without the block, none."
    )
    firmware: Firmware | None = Field(
        default=None,
        description="Firmware's whole life, by docs/firmware.md; without the block, none.",
    )
