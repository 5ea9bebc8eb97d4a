"""What the twin's processes share: the clock, the luck, the estate, the stages, and everything that was ever sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sim.kernels import draws
from sim.twin.estate import Luck, Premises, Reach, Region, Sender
from sim.twin.stages import VERSION_REPORT, Message, Stage, journey

if TYPE_CHECKING:
    import simpy

    from sim.scenario.schema import Scenario

HUB_RULES: Final = ("hub_poll", "hub_batch")


@dataclass(eq=False)
class TwinWorld:
    """One small world. *messages* is every message sent, named and anonymous; *han_writes_s* the second of every HAN write to a hub."""

    scenario: Scenario
    env: simpy.Environment
    luck: Luck
    regions: list[Region]
    stages: list[Stage]
    messages: list[Message] = field(default_factory=list)
    han_writes_s: list[int] = field(default_factory=list)

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

    def send_report(self, home: Premises, sender: Sender, cause: str, loss_occasion: int) -> None:
        """Send a version report now: it expires when its hub cannot send, may be lost, and else enters the network."""
        reporting, now_s = self.scenario.reporting, int(self.env.now)
        message = Message(VERSION_REPORT, now_s, sender.region, sender, home, cause)
        message.rank = self.luck.word("message.rank", sender.place, sender.index, now_s)
        for device in home.devices:
            if device is sender or (sender is home.hub and device.reports):
                if reporting.rule in (*HUB_RULES, "hub_store"):
                    message.carries.append((device, device.hub_record.version))
                else:
                    message.carries.append((device, device.version_true))
        if reporting.rule == "hub_store" and not reporting.read.refreshes_smi:
            message.carries = []
        self.messages.append(message)
        stream = "change.loss" if cause == "change" else "report.loss"
        if home.reach is not Reach.REACHED or now_s < home.dark_until_s:
            message.fate = "expired"
        elif self.luck.word(stream, sender.place, sender.index, loss_occasion) < draws.threshold(reporting.loss):
            message.fate = "lost"
        else:
            self.env.process(journey(self.env, message, self.stages))
