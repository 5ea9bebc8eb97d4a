"""The twin's own estate: one Python object a premises, hub and device, drawn at the addresses of
`docs/model.md` section 3.

Small worlds only: a premises costs about a kilobyte here and four bytes in `sim.estate`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Final

import numpy as np

from sim.kernels import draws
from sim.streams import stream_key
from sim.twin.ledgers import Record
from sim.units import added
from sim.words import Reach

if TYPE_CHECKING:
    from simpy import Process

    from sim.scenario.schema import Scenario

SLOTS: Final = {"hub": 0, "esme": 1, "gsme": 2, "gpf": 3, "ppmid": 4, "ihd": 5, "hcalcs": 6}
ROW_TYPES: Final = ("ppmid", "ihd", "hcalcs")  # device rows, in this order within a region
LOCALLY_UPDATED: Final = ("ppmid", "ihd")


class Luck:
    """Every draw of one replication, by address."""

    def __init__(self, seed: int, replication: int) -> None:
        self._seed = seed
        self.replication = replication
        self._keys: dict[str, np.uint64] = {}

    def key(self, stream: str) -> np.uint64:
        if stream not in self._keys:
            self._keys[stream] = np.uint64(stream_key(self._seed, self.replication, stream))
        return self._keys[stream]

    def word(self, stream: str, place: int, index: int, occasion: int) -> int:
        """Return the 32-bit word at (stream, place, index, occasion)."""
        return int(draws.word(self.key(stream), place, index, occasion))

    def happens(self, share: float, stream: str, place: int, index: int, occasion: int) -> bool:
        return self.word(stream, place, index, occasion) < draws.threshold(share)

    def scaled(self, n: int, stream: str, place: int, index: int, occasion: int) -> int:
        """Return a whole number in [0, n)."""
        return (self.word(stream, place, index, occasion) * n) >> 32

    def gap_s(self, rate_per_s: float, stream: str, place: int, index: int, occasion: int) -> int:
        """Return a gap of an exponential clock of *rate_per_s*, in whole seconds, at least one."""
        return int(draws.gap_s(self.word(stream, place, index, occasion), rate_per_s))


@dataclass(eq=False, slots=True)
class Sender:
    """What has an address and may send: a hub or a device."""

    region: Region
    slot: int
    index: int
    anchor: int = 0
    timer: Process | None = None

    @property
    def place(self) -> int:
        return self.region.number * 8 + self.slot


@dataclass(frozen=True, slots=True)
class Dark:
    """An interval [start, end) without a hub: of one cut or reboot, or (a spell) of several that
    touch; *is_outage*: a cut takes part.
    """

    start_s: int
    end_s: int
    is_outage: bool


@dataclass(frozen=True, slots=True)
class LinkOutage:
    """An interval [start, end) in which the WAN cell of a premises is out, and by when this
    premises has connected again if nothing else is in the way.
    """

    start_s: int
    end_s: int
    connected_s: int


@dataclass(eq=False, slots=True)
class Premises:
    """One premises: its hub, its device rows, who may hear it, and what will go wrong: what makes
    it dark, the spells of that, and outages of its link.
    """

    region: Region
    index: int
    hub: Sender
    reach: Reach
    user: str
    fitted: dict[str, bool]
    devices: list[Device] = field(default_factory=list)
    dark: list[Dark] = field(default_factory=list)
    spells: list[Dark] = field(default_factory=list)
    link_outages: list[LinkOutage] = field(default_factory=list)

    def sender(self, what: str) -> Sender | None:
        """Return the hub or the device of type *what*, or None where none is fitted."""
        if what == "hub":
            return self.hub
        rows = [device for device in self.devices if device.device_type == what]
        if rows or not self.fitted[what]:
            return rows[0] if rows else None
        return Sender(self.region, SLOTS[what], self.index)


@dataclass(frozen=True, slots=True)
class Change:
    """A version change: when, to which version, and whether the hub heard of it (None: it does not
    listen).
    """

    second: int
    version: int
    heard: bool | None


@dataclass(eq=False, slots=True, kw_only=True)
class Device(Sender):
    """One device row: the version it runs, what the SMI and its hub hold about it, and its changes
    so far.
    """

    row: int = -1
    premises: Premises
    device_type: str
    reports: bool
    takes_part: bool
    smi: Record
    hub_record: Record
    version_true: int = 0
    changes: list[Change] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Region:
    """A CSP region: its place in the order of names, and its premises."""

    name: str
    number: int
    n_premises: int
    premises: list[Premises] = field(default_factory=list)

    def devices(self, device_type: str) -> list[Device]:
        return [
            device
            for home in self.premises
            for device in home.devices
            if device.device_type == device_type
        ]


def lay_out_regions(scenario: Scenario) -> list[Region]:
    """Return the regions by name with their numbers of premises: by Webster's method, ties to the
    region first by name.

    No region gets fewer than its quota less the number of regions, so only the places above that
    are ranked.
    """
    spec = scenario.estate
    names = sorted(spec.regions)
    shares = [Fraction(spec.regions[name]) for name in names]
    n_premises = [
        max(0, floor(spec.premises * share / sum(shares)) - len(names)) for share in shares
    ]
    places = [
        (-share / (2 * n + 1), i)
        for i, share in enumerate(shares)
        for n in range(n_premises[i], n_premises[i] + 2 * len(names) + 2)
    ]
    for _, i in sorted(places)[: spec.premises - sum(n_premises)]:
        n_premises[i] += 1
    return [
        Region(name, number, n)
        for number, (name, n) in enumerate(zip(names, n_premises, strict=True))
    ]


def build_premises(scenario: Scenario, luck: Luck, region: Region, index: int) -> Premises:
    """Return one premises with all its devices; rows are numbered later."""
    place = region.number * 8
    fitted: dict[str, bool] = {
        name: luck.happens(share, "estate.fitted", place + SLOTS[name], index, 0)
        for name, share in scenario.estate.devices.items()
    }
    hub = Sender(region, SLOTS["hub"], index)
    home = Premises(
        region,
        index,
        hub,
        _reach(scenario, luck, place, index),
        _user(scenario, luck, place, index),
        fitted,
    )
    home.devices = [_device(scenario, luck, home, name) for name in ROW_TYPES if fitted.get(name)]
    return home


def _reach(scenario: Scenario, luck: Luck, place: int, index: int) -> Reach:
    spec = scenario.estate
    if luck.happens(spec.no_wan_share, "estate.reach", place, index, 0):
        return Reach.NO_WAN
    if luck.happens(
        min(spec.no_wan_share + spec.not_communicating_share, 1.0), "estate.reach", place, index, 0
    ):
        return Reach.NOT_COMMUNICATING
    return Reach.REACHED


def _user(scenario: Scenario, luck: Luck, place: int, index: int) -> str:
    users = sorted(scenario.estate.users.items())
    total = added(share for _, share in users)
    cumulative = 0.0
    for name, share in users:
        cumulative += share
        if name == users[-1][0] or luck.happens(
            min(cumulative / total, 1.0), "estate.user", place, index, 0
        ):
            return name
    raise ValueError("an estate has at least one user")


def _device(scenario: Scenario, luck: Luck, home: Premises, device_type: str) -> Device:
    spec, slot = scenario.updates, SLOTS[device_type]
    may_change = device_type in LOCALLY_UPDATED and spec.has_local
    return Device(
        home.region,
        slot,
        home.index,
        premises=home,
        device_type=device_type,
        reports=device_type in scenario.reporting.devices,
        takes_part=may_change
        and luck.happens(
            spec.local.take_up, "local.takes_part", home.region.number * 8 + slot, home.index, 0
        ),
        # the SMI has no firmware record of a Type 2 device
        smi=Record(is_kept=device_type != "ihd"),
        hub_record=Record(is_kept=scenario.reporting.traits.hub_keeps),
    )


def build(scenario: Scenario, luck: Luck) -> list[Region]:
    """Return the whole estate, device rows numbered by region, type and premises."""
    regions = lay_out_regions(scenario)
    row = 0
    for region in regions:
        region.premises = [
            build_premises(scenario, luck, region, index) for index in range(region.n_premises)
        ]
        for device_type in ROW_TYPES:
            for device in region.devices(device_type):
                device.row = row
                row += 1
    return regions
