"""What the twin's processes share: the clock, the luck, the estate, the stages, and everything that was ever sent."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sim.turns import Turn
from sim.twin.estate import Luck, Premises, Region, Sender
from sim.twin.hubs import Desks
from sim.twin.messages import VERSION_REPORT, Attempt, Message, Process
from sim.twin.moments import Gathering
from sim.twin.sending import arrive, order_at_door
from sim.twin.stages import Stage, lay_out_stages

if TYPE_CHECKING:
    import simpy

    from sim.scenario.schema import Scenario

HUB_RULES: Final = ("hub_poll", "hub_batch")


@dataclass(eq=False)
class TwinWorld:
    """One small world. *messages* is every message raised, named and anonymous; *han_writes_s* the second of every HAN write to a hub.

    *left_s* holds by (region number, "first" or "retry") when attempts left that a retry row is for; *touched* counts by (stage, number of the row, its kind,
    kind of message, "stopped" or "put_off").
    """

    scenario: Scenario
    env: simpy.Environment
    luck: Luck
    regions: list[Region]
    messages: list[Message] = field(default_factory=list)
    han_writes_s: list[int] = field(default_factory=list)
    left_s: dict[tuple[int, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    touched: Counter[tuple[str, int, str, str, str]] = field(default_factory=Counter)
    stages: list[Stage] = field(init=False)
    desks: Desks = field(init=False)
    door: Gathering[Attempt] = field(init=False)

    def __post_init__(self) -> None:
        self.stages = lay_out_stages(self.scenario, self.env, self.luck, self.regions, self.note)
        self.desks = Desks(self)
        self.door = Gathering(self.env, Turn.RECORDS, order_at_door, lambda attempts: arrive(attempts, int(self.env.now)))

    @property
    def warm_up_s(self) -> int:
        return self.scenario.window.warm_up

    @property
    def horizon_s(self) -> int:
        return self.scenario.window.warm_up + self.scenario.window.length

    @property
    def timer_period_s(self) -> int:
        reporting = self.scenario.reporting
        return reporting.heartbeat if reporting.rule == "on_change_heartbeat" else reporting.period

    def homes(self) -> list[Premises]:
        return [home for region in self.regions for home in region.premises]

    def senders(self, home: Premises) -> list[Sender]:
        """Return those of *home* who send version reports: nobody, its hub if a device of it reports, or its reporting devices."""
        rule = self.scenario.reporting.rule
        reporting = [device for device in home.devices if device.reports]
        if rule == "none" or not reporting:
            return []
        return [home.hub] if rule in HUB_RULES else list(reporting)

    def raise_report(self, home: Premises, sender: Sender, cause: str, loss_occasion: int) -> None:
        """Raise a version report now."""
        self.raise_message(Message(VERSION_REPORT, int(self.env.now), sender.region, home, sender, cause, loss_occasion))

    def raise_message(self, message: Message) -> None:
        """Send a named *message* on its way through its device and hub."""
        self.messages.append(message)
        self.env.process(self.desks.errand(message))

    def load(self, message: Message) -> None:
        """Let a version report carry what its sender knows now of each device it speaks of."""
        reporting, home = self.scenario.reporting, message.home
        if message.kind != VERSION_REPORT or (reporting.rule == "hub_store" and not reporting.read.refreshes_smi):
            return
        for device in home.devices:
            if device is message.sender or (message.sender is home.hub and device.reports):
                is_stored = reporting.rule in (*HUB_RULES, "hub_store")
                message.carries.append((device, device.hub_record.version if is_stored else device.version_true))

    def note(self, stage: str, number: int, row: str, message: Message, what: str) -> None:
        """Note that a row stopped *message* or put it off, if it counts."""
        if message.raised_s >= self.warm_up_s:
            self.touched[stage, number, row, message.kind, what] += 1


def start(world: TwinWorld) -> None:
    """Start every process of the world: the twin's table of contents."""
    from sim.twin import alerts, devices, faults, traffic

    def begin(process: Process) -> simpy.Process:
        return world.env.process(process)

    scenario = world.scenario
    participants = [device for home in world.homes() for device in home.devices if device.takes_part]
    if scenario.updates.local.driver == "releases":
        begin(devices.release_calendar(world, participants))
    else:
        for device in participants:
            begin(devices.local_updates(world, device))
    begin(faults.clock_locks(world))
    for home in world.homes():
        for sender in world.senders(home):
            if scenario.reporting.rule == "hub_store":
                begin(devices.reads(world, home, sender))
            elif scenario.reporting.rule != "on_change":
                sender.timer = begin(devices.timed_reports(world, home, sender))
        if scenario.reporting.phase.source == "power_on":
            begin(faults.power(world, home))
    alerts.start_alerts(world)
    if scenario.traffic.level > 0:
        for region in world.regions:
            for kind in sorted(scenario.traffic.kinds):
                begin(traffic.anonymous_traffic(world, region, kind))
