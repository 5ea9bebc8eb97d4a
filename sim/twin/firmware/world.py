"""What the processes of a firmware world share beside the network: images, hubs, jobs, and a log of
everything that happened.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from sim.planning import releases
from sim.planning.campaigns import Programme
from sim.twin.estate import Premises, Sender
from sim.twin.firmware.estate import HubLife, Living, hub_life, row_types
from sim.twin.world import TwinWorld
from sim.words import VARIANT, Reach

if TYPE_CHECKING:
    from sim.planning.releases import Image
    from sim.scenario.firmware import Firmware
    from sim.twin.firmware.estate import Job


@dataclass(eq=False)
class FirmwareWorld(TwinWorld):
    """A small firmware world.

    Logs, each with its second first, warm-up included: *tried* (device, channel, image, screened,
    outcome), *readings* (process, device, state), *decisions* (process, device, outcome), *told*
    (kind), *found* (device, age), *forgotten* (device).
    """

    jobs: list[Job] = field(default_factory=list)
    tried: list[tuple[int, Living, str, bool, str]] = field(default_factory=list)
    readings: list[tuple[int, str, Living, str]] = field(default_factory=list)
    decisions: list[tuple[int, str, Living, str]] = field(default_factory=list)
    told: list[tuple[int, str]] = field(default_factory=list)
    found: list[tuple[int, Living, int]] = field(default_factory=list)
    forgotten: list[tuple[int, Living]] = field(default_factory=list)
    tried_by_hour: Counter[int] = field(default_factory=Counter)
    images: dict[str, dict[int, Image]] = field(init=False)
    hubs: dict[Premises, HubLife] = field(init=False)
    programme: Programme = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.images = defaultdict(dict)
        made = releases.images(self.scenario, self.luck.replication)
        for image in made:
            self.images[image.model][image.version] = image
        self.programme = Programme(self.scenario, made)
        self.hubs = {home: hub_life(self.scenario, self.luck, home) for home in self.homes()}

    @property
    def firmware(self) -> Firmware:
        assert self.scenario.firmware is not None, "a firmware world has a firmware block"
        return self.scenario.firmware

    @property
    def row_types(self) -> tuple[str, ...]:
        return row_types(self.scenario)

    @property
    def confirms(self) -> bool:
        return False

    @property
    def now_s(self) -> int:
        return int(self.env.now)

    def living(self) -> Iterator[Living]:
        """Yield every device."""
        for home in self.homes():
            yield from devices_of(home)

    def senders(self, home: Premises) -> list[Sender]:
        """Return those of *home* who report: nobody, its hub if a device of it reports, or its
        reporting devices.
        """
        rule = self.scenario.reporting.traits
        reporting = [device for device in home.devices if device.reports]
        if rule.is_silent or not reporting:
            return []
        return [home.hub] if rule.by_hub else list(reporting)

    def is_on_cpl(self, device: Living, version: int, second: int) -> bool:
        """Return whether base *version* of the model of *device* is on the CPL at *second*; version
        0 always is.
        """
        return version == 0 or releases.is_listed(self.images[device.model_name][version], second)

    def goal(self, device: Living, second: int) -> int:
        """Return the highest version of the model of *device* on the CPL at *second*."""
        return releases.highest_listed(self.images[device.model_name].values(), second)

    def tell(self, kind: str) -> None:
        """Log a message of *kind*."""
        self.told.append((self.now_s, kind))

    def read(self, process: str, device: Living) -> None:
        """Log that *process* reads the SMI's record of *device*."""
        self.readings.append((self.now_s, process, device, device.smi.state))

    def decide(self, process: str, device: Living, outcome: str) -> None:
        """Log what *process* makes of such a read."""
        self.decisions.append((self.now_s, process, device, outcome))

    def write(self, device: Living, made_s: int, version: int) -> None:
        """Write evidence into the SMI; an audit of records finds what should not be there."""
        before = device.smi.version
        device.smi.write(self.now_s, made_s, version, device.version_true)
        if self.firmware.screening.design == "audit" and device.smi.version != before:
            is_found = version >= VARIANT or not self.is_on_cpl(device, version, self.now_s)
            if is_found:
                self.found.append((self.now_s, device, self.now_s - device.changes[-1].second))


def devices_of(home: Premises) -> list[Living]:
    """Return the devices of *home*, by slot."""
    return sorted(cast("list[Living]", home.devices), key=lambda device: device.slot)


def is_able(world: FirmwareWorld, home: Premises) -> bool:
    """Return whether what leaves *home* can arrive."""
    return home.reach is Reach.REACHED or world.scenario.reporting.traits.is_cloud
