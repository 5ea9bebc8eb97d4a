"""What the twin's processes share: the clock, the luck, the estate, the stages, and everything that
was ever sent.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sim.planning.sizes import VERSION_REPORT
from sim.scenario.reach import clock_moves
from sim.turns import Turn
from sim.twin.estate import ROW_TYPES, Luck, Premises, Region, Sender
from sim.twin.messages import Attempt, Message
from sim.twin.moments import Gathering
from sim.twin.stages import Stage, lay_out_stages
from sim.words import MessageCause

if TYPE_CHECKING:
    import simpy

    from sim.british_time import Moves
    from sim.scenario.schema import Scenario


@dataclass(eq=False)
class TwinWorld:
    """One small world. *messages* is every message raised, named and anonymous; *han_writes_s* the
    second of every HAN write to a hub.

    *left_s* holds by (region number, "first" or "retry") when attempts left that a retry row is
    for; *touched* counts by (stage, number of the row, its kind, kind of message, "stopped" or
    "put_off"). *desks* are rows of device and hub by sender and kind, *makings* where its messages
    of a second meet to be made, *shelves* where a hub keeps them while its link is down; *door* is
    the SMI's.
    """

    scenario: Scenario
    env: simpy.Environment
    luck: Luck
    regions: list[Region]
    messages: list[Message] = field(default_factory=list)
    han_writes_s: list[int] = field(default_factory=list)
    left_s: dict[tuple[int, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    touched: Counter[tuple[str, int, str, str, str]] = field(default_factory=Counter)
    desks: dict[Any, Any] = field(default_factory=dict)
    makings: dict[Any, Gathering[Message]] = field(default_factory=dict)
    shelves: dict[Any, list[Message]] = field(default_factory=dict)
    stages: list[Stage] = field(init=False)
    door: Gathering[Attempt] = field(init=False)

    def __post_init__(self) -> None:
        self.stages = lay_out_stages(self.scenario, self.env, self.luck, self.regions, self.note)
        self.door = Gathering(self.env, Turn.RECORDS, _order_written, self.deliver)
        self.hub = next((spec for spec in self.scenario.network if spec.stage == "hub"), None)

    @property
    def warm_up_s(self) -> int:
        return self.scenario.window.warm_up

    @property
    def horizon_s(self) -> int:
        return self.scenario.window.warm_up + self.scenario.window.length

    @property
    def timer_period_s(self) -> int:
        return self.scenario.reporting.timer_s

    @cached_property
    def clock_moves(self) -> Moves:
        """Return when the fixed clocks of reports move, and by how many seconds."""
        return clock_moves(self.scenario.window, self.scenario.reporting)

    @property
    def row_types(self) -> tuple[str, ...]:
        """Return the types with device rows, in their order."""
        return ROW_TYPES

    @property
    def confirms(self) -> bool:
        """Return whether confirmation ages and days are kept."""
        return True

    def homes(self) -> list[Premises]:
        return [home for region in self.regions for home in region.premises]

    def senders(self, home: Premises) -> list[Sender]:
        """Return those of *home* who send version reports: nobody, its hub if a device of it
        reports, or its reporting devices.
        """
        rule = self.scenario.reporting.traits
        reporting = [device for device in home.devices if device.reports]
        if rule.is_silent or not reporting:
            return []
        return [home.hub] if rule.by_hub else list(reporting)

    def load(self, message: Message) -> None:
        """Let a version report carry what its sender knows now of each device it speaks of."""
        reporting, home = self.scenario.reporting, message.home
        if message.kind != VERSION_REPORT or (
            reporting.traits.reads_the_hub and not reporting.read.refreshes_smi
        ):
            return
        for device in home.devices:
            if device is message.sender or (message.sender is home.hub and device.reports):
                is_stored = reporting.traits.hub_keeps
                message.carries.append(
                    (device, device.hub_record.version if is_stored else device.version_true)
                )

    def note(self, stage: str, number: int, row: str, message: Message, what: str) -> None:
        """Note that a row stopped *message* or put it off, if it counts."""
        if message.raised_s >= self.warm_up_s:
            self.touched[stage, number, row, message.kind, what] += 1

    def deliver(self, attempts: list[Attempt]) -> list[bool]:
        """Deliver the messages of *attempts* now and write what they carry into the SMI; return
        which had not ended before.
        """
        return [self._deliver(attempt) for attempt in attempts]

    def _deliver(self, attempt: Attempt) -> bool:
        message = attempt.message
        attempt.is_wasted = message.has_ended
        if not attempt.is_wasted:
            message.end("delivered")
            message.at_s = int(self.env.now)
            for device, version in message.carries:
                device.smi.write(message.at_s, message.made_s, version, device.version_true)
        return not attempt.is_wasted


def _order_written(attempt: Attempt) -> tuple[int, int]:
    """Return what orders the writing of one second: who was made first, a timer before a change;
    anonymous messages write nothing.
    """
    message = attempt.message
    return message.made_s, -1 if message.sender is None else MessageCause.of(message.cause)
