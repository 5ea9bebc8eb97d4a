"""Who lives in a firmware world: devices with a model, and hubs that become ready or are exchanged
(`docs/firmware.md` section 1).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sim.kernels import draws
from sim.planning import NEVER_S
from sim.scenario.firmware import LIVING
from sim.transitions import after
from sim.twin.estate import SLOTS, Device, Luck, Premises, Region, build_premises, lay_out_regions
from sim.twin.firmware.ledgers import Walked
from sim.words import VARIANT

if TYPE_CHECKING:
    from sim.planning.campaigns import Campaign
    from sim.scenario.firmware import Model
    from sim.scenario.schema import Scenario

LOCALLY_UPDATED: Final = ("ppmid", "ihd")


@dataclass(eq=False, slots=True, kw_only=True)
class Living(Device):
    """A device, and its life where there is a model of its type.

    *trial* is the local update it will try, *job* what comes to it over the air, *suspended* lists
    the spells in which the SMI has it Suspended.
    """

    model_name: str
    owned: Model | None
    is_off: bool
    channel: str
    smi: Walked
    hub_record: Walked
    trial: Trial | None = None
    job: Job | None = None
    suspended: list[tuple[int, int | None]] = field(default_factory=list)
    told_s: int = -1
    is_call_waiting: bool = False
    is_read_waiting: bool = False

    @property
    def model(self) -> Model:
        """Return its model, which whoever changes version has."""
        assert self.owned is not None, f"there is no model of {self.device_type}"
        return self.owned

    @property
    def base(self) -> int:
        """Version it runs, whether or not it is a variant of it."""
        return self.version_true % VARIANT

    def suspend(self, now_s: int) -> None:
        """The SMI has the device Suspended."""
        self.suspended.append((now_s, None))

    def resume(self, now_s: int) -> None:
        """The SMI has the device Suspended no longer."""
        if self.suspended and self.suspended[-1][1] is None:
            self.suspended[-1] = (self.suspended[-1][0], now_s)


@dataclass(eq=False, slots=True)
class Try:
    """One attempt of a job: when the DSP checked it, and when it came further (None: it did not).
    """

    checked_s: int
    accepted_s: int | None = None
    taken_s: int | None = None
    held_s: int | None = None
    told_s: int | None = None  # told to run it
    runs_s: int | None = None
    answered_s: int | None = None  # the answer arrived, be it success or not
    succeeded_s: int | None = None  # the answer arrived, and was success
    recorded_s: int | None = None
    failed: tuple[int, str] | None = None  # when and why, if another attempt follows


@dataclass(eq=False, slots=True)
class Job:
    """A *version* on its way to *device*.

    *first_s* is the second it is first offered for, *due_s* that of its attempt, *ended* how it
    ended, at *ended_s* ("": open).
    """

    device: Living
    campaign: Campaign
    version: int
    first_s: int
    due_s: int
    attempt: int = 0
    state: str = "idle"
    ended: str = ""
    ended_s: int = -1
    tries: list[Try] = field(default_factory=list)

    @property
    def occasion(self) -> int:
        return 8 * self.version + self.attempt

    def follow(self, event: str) -> None:
        """Let *event* happen to it."""
        self.state = after("job", self.state, event)

    def end(self, event: str, how: str, now_s: int) -> None:
        """End it by *event*, now."""
        self.follow(event)
        self.ended = how
        self.ended_s = now_s
        self.device.job = None
        assert self.state == "idle", "a job that has ended leaves its device idle"


@dataclass(eq=False, slots=True)
class Trial:
    """A local update that *device* means to make, and how far it has come in machine `attempt`."""

    device: Living
    version: int
    is_variant: bool
    state: str = "none"

    def follow(self, event: str) -> None:
        """Let *event* happen to it."""
        self.state = after("attempt", self.state, event)


@dataclass(eq=False, slots=True)
class HubLife:
    """When a hub can serve PPMIDs and HCALCSs, when it is exchanged (`NEVER_S`: never), and until
    when its HAN is busy with an image.
    """

    ready_s: int
    exchanged_s: int
    free_s: int = 0


def row_types(scenario: Scenario) -> tuple[str, ...]:
    """Return the types with device rows, in their order: meters only where a model is of their
    type.
    """
    assert scenario.firmware is not None, "a firmware world has a firmware block"
    modelled = {model.type for model in scenario.firmware.models.values()}
    return tuple(name for name in LIVING if name not in ("esme", "gsme") or name in modelled)


def build(scenario: Scenario, luck: Luck) -> list[Region]:
    """Return the whole estate, device rows numbered by region, type and premises."""
    regions, row = lay_out_regions(scenario), 0
    for region in regions:
        region.premises = [
            settle(scenario, luck, region, index) for index in range(region.n_premises)
        ]
        for device_type in row_types(scenario):
            for device in region.devices(device_type):
                device.row = row
                row += 1
    return regions


def settle(scenario: Scenario, luck: Luck, region: Region, index: int) -> Premises:
    """Return one premises with all its living devices."""
    home = build_premises(scenario, luck, region, index)
    home.devices = [
        living(scenario, luck, home, name) for name in row_types(scenario) if home.fitted.get(name)
    ]
    return home


def living(scenario: Scenario, luck: Luck, home: Premises, device_type: str) -> Living:
    """Return the device of *device_type* in *home*."""
    firmware, place = scenario.firmware, home.region.number * 8 + SLOTS[device_type]
    assert firmware is not None, "a firmware world has a firmware block"
    is_off = any(
        name == device_type and luck.happens(share, "firmware.off", place, home.index, 0)
        for name, share in firmware.off.items()
    )
    models = [
        (name, firmware.models[name].share)
        for name in sorted(firmware.models)
        if firmware.models[name].type == device_type
    ]
    model_name = (
        first_of(models, luck.word("firmware.model", place, home.index, 0)) if models else ""
    )
    channels = [
        (name, firmware.local.channels[name].share) for name in sorted(firmware.local.channels)
    ]
    may_try = device_type in LOCALLY_UPDATED and luck.happens(
        firmware.local.take_up, "local.takes_part", place, home.index, 0
    )
    return Living(
        home.region,
        SLOTS[device_type],
        home.index,
        premises=home,
        device_type=device_type,
        reports=device_type in scenario.reporting.devices,
        takes_part=may_try,
        smi=Walked(is_kept=device_type != "ihd"),
        hub_record=Walked(is_kept=scenario.reporting.traits.hub_keeps),
        model_name=model_name,
        owned=firmware.models.get(model_name),
        is_off=is_off,
        channel=first_of(channels, luck.word("local.channel", place, home.index, 0)),
    )


def first_of(shares: list[tuple[str, float]], word: int) -> str:
    """Return the first name whose cumulative share exceeds *word*; the last takes the rest."""
    cumulative = 0.0
    for name, share in shares:
        cumulative += share
        if word < draws.threshold(min(cumulative, 1.0)):
            return name
    return shares[-1][0]


def hub_life(scenario: Scenario, luck: Luck, home: Premises) -> HubLife:
    """Return the life of the hub of *home*."""
    assert scenario.firmware is not None, "a firmware world has a firmware block"
    ota, at = scenario.firmware.ota, (home.hub.place, home.index, 0)
    ready_s, exchanged_s = along(ota.hub_ready, luck.word("hub.ready", *at)), NEVER_S
    if ota.exchange is not None and luck.happens(ota.exchange.share, "hub.exchanged", *at):
        exchanged_s = along(ota.exchange, luck.word("hub.exchange", *at))
    return HubLife(min(ready_s, exchanged_s), exchanged_s)


def along(wave: Any, word: int) -> int:
    """Return the second at which *word* is reached by the curve of *wave*, after its start;
    `NEVER_S` past its last point.
    """
    shares = [0, *(draws.threshold(point.share) for point in wave.curve)]
    times_s = [0, *(point.time for point in wave.curve)]
    i = bisect_right(shares, word)
    if i == len(shares):
        return NEVER_S
    return int(
        wave.start
        + times_s[i - 1]
        + ((word - shares[i - 1]) * (times_s[i] - times_s[i - 1])) // (shares[i] - shares[i - 1])
    )
