"""Reporting rules R0 to R11, a row each: who tells the inventory which version runs, and when.

A rule is what its columns say: no module asks for a rule by name. `docs/rules.md` is written from
here, and so are the schema, the labels and what a plan expects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sim.words import Trigger


@dataclass(frozen=True, slots=True)
class ReportingRule:
    """A reporting rule: its *label* and *id*, its plain *name*, and what it *means* in a sentence.

    *speaks*: who sends, `device`, `hub` or nobody (empty). *trigger*: what makes it speak. *timer*:
    the leaf of `reporting` that is the period of its timer, empty without. *hub_keeps*: hubs keep
    versions, and a report tells what the hub knows. *is_asked*: a request goes before each message.
    *is_carried*: it goes with other traffic. *has_detail*: a further message follows where the
    inventory differs. *is_cloud*: it goes by the customer's broadband. *needs_firmware*: only in a
    firmware world.
    """

    label: str
    id: str
    name: str
    means: str
    speaks: str
    trigger: Trigger
    timer: str = ""
    hub_keeps: bool = False
    is_asked: bool = False
    is_carried: bool = False
    has_detail: bool = False
    is_cloud: bool = False
    needs_firmware: bool = False

    @property
    def is_silent(self) -> bool:
        """Whether nobody reports."""
        return not self.speaks

    @property
    def by_hub(self) -> bool:
        """Whether hubs send, each for its devices."""
        return self.speaks == "hub"

    @property
    def at_change(self) -> bool:
        """Whether a change makes a report."""
        return self.trigger in (Trigger.CHANGE, Trigger.CHANGE_AND_TIMER)

    @property
    def is_each_device_by_timer(self) -> bool:
        """Whether every device speaks by a timer, and at no other time."""
        return self.trigger is Trigger.TIMER and not self.by_hub and not self.is_cloud

    @property
    def is_read(self) -> bool:
        """Whether somebody reads at a rate (`reporting.read.rate`)."""
        return self.trigger in (Trigger.READ, Trigger.AUDIT)

    @property
    def reads_the_hub(self) -> bool:
        """Whether a read is of what the hub keeps, and may leave the inventory as it is."""
        return self.is_read and self.hub_keeps


_ROWS: Final = (
    ReportingRule(
        "R0", "none", "none",
        "Nobody reports.",
        speaks="", trigger=Trigger.NONE,
    ),
    ReportingRule(
        "R1", "hub_store", "hub read",
        "The hub stores the versions of its devices, and somebody reads them there.",
        speaks="device", trigger=Trigger.READ, hub_keeps=True, is_asked=True,
    ),
    ReportingRule(
        "R2", "hub_poll", "hub poll",
        "Every hub is asked by a timer for the versions it stores.",
        speaks="hub", trigger=Trigger.TIMER, timer="period", hub_keeps=True, is_asked=True,
    ),
    ReportingRule(
        "R3", "periodic", "periodic",
        "Every device tells its version by a timer.",
        speaks="device", trigger=Trigger.TIMER, timer="period",
    ),
    ReportingRule(
        "R4", "hub_batch", "hub batch",
        "Every hub tells the versions it stores by a timer.",
        speaks="hub", trigger=Trigger.TIMER, timer="period", hub_keeps=True,
    ),
    ReportingRule(
        "R5", "on_change", "on change",
        "A device tells its version when it changes.",
        speaks="device", trigger=Trigger.CHANGE,
    ),
    ReportingRule(
        "R6", "on_change_heartbeat", "change + heartbeat",
        "A device tells its version when it changes, and by a slow timer.",
        speaks="device", trigger=Trigger.CHANGE_AND_TIMER, timer="heartbeat",
    ),
    ReportingRule(
        "R7", "digest", "digest",
        "Every hub tells a digest of its versions by a timer, and the details where the inventory"
        " differs.",
        speaks="hub", trigger=Trigger.TIMER, timer="period", hub_keeps=True, has_detail=True,
        needs_firmware=True,
    ),
    ReportingRule(
        "R8", "piggy_back", "piggy-back",
        "Every hub tells the versions it stores with traffic that goes anyway.",
        speaks="hub", trigger=Trigger.TIMER, timer="period", hub_keeps=True, is_carried=True,
        needs_firmware=True,
    ),
    ReportingRule(
        "R9", "cloud", "cloud",
        "Devices that take part in local updates tell their versions by the customer's broadband,"
        " also without WAN.",
        speaks="device", trigger=Trigger.TIMER, timer="period", is_cloud=True, needs_firmware=True,
    ),
    ReportingRule(
        "R10", "event_read", "event read",
        "Somebody reads a device after each local update and each change of supplier.",
        speaks="device", trigger=Trigger.EVENT, is_asked=True, needs_firmware=True,
    ),
    ReportingRule(
        "R11", "audit", "audit",
        "Somebody reads devices at random, and counts how many records were right.",
        speaks="device", trigger=Trigger.AUDIT, is_asked=True, needs_firmware=True,
    ),
)  # fmt: skip
RULES: Final = {rule.id: rule for rule in _ROWS}
