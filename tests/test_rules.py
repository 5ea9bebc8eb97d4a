"""The rules R0 to R11 as rows: each trait has the rules it is to have, written out once more here.

Both engines ask the rows, so a wrong row would be wrong in both and they would agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import pytest

from sim.rules import RULES, ReportingRule
from sim.words import Trigger

# What the documents and the model's pages say of each rule, trait by trait.
TRAITS: Final[dict[str, tuple[Callable[[ReportingRule], object], str]]] = {
    "speaks": (lambda rule: rule.speaks, "R1 R2 R3 R4 R5 R6 R7 R8 R9 R10 R11"),
    "the hub sends": (lambda rule: rule.by_hub, "R2 R4 R7 R8"),
    "hubs keep versions": (lambda rule: rule.hub_keeps, "R1 R2 R4 R7 R8"),
    "has a timer": (lambda rule: rule.timer, "R2 R3 R4 R6 R7 R8 R9"),
    "the timer is the period": (lambda rule: rule.timer == "period", "R2 R3 R4 R7 R8 R9"),
    "the timer is the heartbeat": (lambda rule: rule.timer == "heartbeat", "R6"),
    "every device speaks by a timer alone": (lambda rule: rule.is_each_device_by_timer, "R3"),
    "a change makes a report": (lambda rule: rule.at_change, "R5 R6"),
    "is read at a rate": (lambda rule: rule.is_read, "R1 R11"),
    "is read at the hub": (lambda rule: rule.reads_the_hub, "R1"),
    "is read after events": (lambda rule: rule.trigger is Trigger.EVENT, "R10"),
    "is a sample that is counted": (lambda rule: rule.trigger is Trigger.AUDIT, "R11"),
    "is asked for": (lambda rule: rule.is_asked, "R1 R2 R10 R11"),
    "goes with other traffic": (lambda rule: rule.is_carried, "R8"),
    "has a detail": (lambda rule: rule.has_detail, "R7"),
    "goes by the customer's broadband": (lambda rule: rule.is_cloud, "R9"),
    "is of a firmware world": (lambda rule: rule.needs_firmware, "R7 R8 R9 R10 R11"),
}


@pytest.mark.parametrize("trait", TRAITS)
def test_a_trait_has_its_rules(trait: str):
    has, expected = TRAITS[trait]

    assert " ".join(rule.label for rule in RULES.values() if has(rule)) == expected


def test_rules_are_numbered_as_they_stand():
    assert [rule.label for rule in RULES.values()] == [f"R{n}" for n in range(len(RULES))]
    assert [*RULES] == [rule.id for rule in RULES.values()]


def test_triggers_and_timers_agree():
    """A timer has a period, and what has none is not by a timer."""
    by_timer = {Trigger.TIMER, Trigger.CHANGE_AND_TIMER}

    assert all((rule.trigger in by_timer) is bool(rule.timer) for rule in RULES.values())
    assert all(bool(rule.speaks) is (rule.trigger is not Trigger.NONE) for rule in RULES.values())


def test_no_module_asks_for_a_rule_by_name(root):
    """A rule is what its columns say: its id stands in one file of the package."""
    ids = "|".join(sorted(set(RULES) - {"none", "digest", "audit", "cloud"}))  # words of others too
    naming = [
        path.relative_to(root).as_posix()
        for path in sorted((root / "sim").rglob("*.py"))
        if re.search(rf"""["']({ids})["']""", path.read_text(encoding="utf-8"))
    ]

    assert naming == ["sim/rules.py"]
    asked = re.compile(r"reporting\.rule (==|!=|in|not in)")
    assert [
        p.name for p in (root / "sim").rglob("*.py") if asked.search(p.read_text("utf-8"))
    ] == []
