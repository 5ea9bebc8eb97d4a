"""Write the generated pages anew: `make docs`. Tests hold the committed pages to what this module
returns.

`docs/data_dictionary.md` comes from `sim/tables`, `docs/transitions.md` from `sim/transitions.py`,
`docs/rules.md` from `sim/rules.py`, `docs/options.md` from `sim/policies.py`, `sim/faults.py` and
`sim/mitigations.py`. `docs/traceability.md` comes from a search for item ids: the items are listed
in `docs/items.csv`, and a module, test or scenario claims an item by naming it (a range such as
R0–R6 or V1–V3 names every item in it).
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.rules import ReportingRule

ROOT = Path(__file__).resolve().parent.parent
_RULES_ARE = (
    "Who tells the inventory which version runs, and when: the rows of `sim/rules.py`, which both"
    " engines ask, and from which the schema, the labels and this page are made."
)
_OPTIONS_ARE = (
    "What a scenario can choose, beside its reporting rule: the rows of `sim/policies.py`,"
    " `sim/faults.py` and `sim/mitigations.py`, which both engines ask, and from which the schema"
    " and this page are made."
)
_TABLES_ARE = (
    "Every column of every result table, from `sim/tables`. They are Parquet files in a result's"
    " `tables` folder."
)
_MADE = "<!-- Made by `make docs`; do not edit. -->"
_ID = re.compile(
    r"(?<![\w.-])(?P<stem>S[123]-(?=\d\d)|[FHRV])(?P<first>\d{1,2})(?:(?:[–…-]| to"
    r" )(?P=stem)?(?P<last>\d{1,2}))?(?![\w%]|\.\d)"
)
_SOURCES = {
    "modelled by": ("sim", "*.py"),
    "tested by": ("tests", "*.py"),
    "asked or shown by": ("scenarios", "*.yaml"),
}
_KINDS = {
    "question": "Headline questions",
    "seed": (
        "What the source documents ask (S1: firmware to in-home devices; S2: commands by way of the"
        " PPMID; S3: a central firmware library)"
    ),
    "fact": "Facts that a credible model must honour",
    "rule": "Reporting rules",
    "target": "Validation targets",
}


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table with its *heads* and *rows* of cells."""
    body = [f"| {' | '.join(cell or '–' for cell in cells)} |" for cells in rows]
    return ["", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *body]


def _yes(holds: bool) -> str:
    return "yes" if holds else ""


def _of_what(for_alerts: bool, of_senders: bool) -> str:
    if for_alerts:
        return "alerts"
    return "alerts and reports" if of_senders else "all messages"


def data_dictionary() -> str:
    """Return the page that documents every column of every result table."""
    sys.path.insert(0, str(ROOT))
    from sim.estate.columns import DEVICE_COLUMNS, PREMISES_COLUMNS
    from sim.tables import TABLES

    lines = [_MADE, "# Data dictionary", "", _TABLES_ARE]
    for table in TABLES.values():
        lines += [
            "",
            f"## `{table.name}`",
            "",
            f"One row is {table.row}; written by the {table.writer}.",
        ]
        lines += _table(
            ("column", "type", "unit", "meaning"),
            ((f"`{c.name}`", c.dtype, c.unit, c.meaning) for c in table.columns),
        )
    lines += [
        "",
        "# Columns of the estate",
        "",
        "What a running world holds, from `sim/estate/columns.py`; never written to disk.",
    ]
    for title, columns in (("device row", DEVICE_COLUMNS), ("premises", PREMISES_COLUMNS)):
        lines += ["", f"## One {title}"]
        lines += _table(
            ("column", "type", "unit", "meaning", "only writer"),
            ((f"`{c.name}`", c.dtype, c.unit, c.meaning, c.writer) for c in columns),
        )
    return "\n".join(lines) + "\n"


def transitions() -> str:
    """Return the page that shows every machine of a firmware world: its states as a diagram, its
    transitions as a table.
    """
    sys.path.insert(0, str(ROOT))
    from sim.transitions import TRANSITIONS

    lines = [
        _MADE,
        "# What can happen",
        "",
        (
            "Every transition of a firmware world, from `sim/transitions.py`. What is not a row"
            " here cannot happen."
        ),
    ]
    for machine in dict.fromkeys(row.machine for row in TRANSITIONS):
        rows = [row for row in TRANSITIONS if row.machine == machine]
        ends = dict.fromkeys(
            row.next for row in rows if row.next not in {other.state for other in rows}
        )
        lines += [
            "",
            f"## {machine.capitalize()} ({rows[0].item})",
            "",
            "```mermaid",
            "stateDiagram-v2",
            f"    [*] --> {rows[0].state}",
        ]
        lines += [f"    {row.state} --> {row.next}: {row.event}" for row in rows] + [
            f"    {state} --> [*]" for state in ends
        ]
        lines += ["```"]
        lines += _table(
            ("state", "event", "next", "meaning"),
            ((row.state, row.event, row.next, row.meaning) for row in rows),
        )
    return "\n".join(lines) + "\n"


def named(text: str) -> set[str]:
    """Return the ids that *text* names, ranges spelled out."""
    found = set()
    for match in _ID.finditer(text):
        first, stem = int(match["first"]), match["stem"]
        width = 2 if stem.startswith("S") else 1
        found |= {
            f"{stem}{number:0{width}}" for number in range(first, int(match["last"] or first) + 1)
        }
    return found


def claims(folder: str, pattern: str) -> dict[str, list[str]]:
    """Return, for each id, the files of *folder* that name it."""
    files: dict[str, list[str]] = {}
    for path in sorted((ROOT / folder).rglob(pattern)):
        for item in named(path.read_text(encoding="utf-8")):
            if item.startswith("F") and "report" in path.parts:
                continue  # a figure there, not a fact
            if "house" in path.parts:
                continue  # a test of this page: it names ids to see them found
            files.setdefault(item, []).append(path.relative_to(ROOT / folder).as_posix())
    return files


def traceability() -> str:
    """Return the page that says which file claims which item; an item that no module claims is not
    modelled yet.
    """
    with (ROOT / "docs/items.csv").open(encoding="utf-8", newline="") as file:
        items = list(csv.DictReader(file))
    found = {title: claims(*where) for title, where in _SOURCES.items()}
    lines = [
        _MADE,
        "# Traceability",
        "",
        (
            "An item is claimed by naming its id. What nothing claims is **not yet modelled**: it"
            " waits for an issue of its own."
        ),
    ]
    for kind, title in _KINDS.items():
        lines += [
            "",
            f"## {title}",
            "",
            f"| id | what | {' | '.join(_SOURCES)} |",
            "|---|---|---|---|---|",
        ]
        for item in (item for item in items if item["kind"] == kind):
            cells = [
                ", ".join(f"`{name}`" for name in found[title].get(item["id"], []))
                for title in _SOURCES
            ]
            if not any(cells):
                cells[0] = "not yet modelled"
            lines.append(
                f"| {item['id']} | {item['what']} | {' | '.join(cell or '–' for cell in cells)} |"
            )
    return "\n".join(lines) + "\n"


def _carries(rule: ReportingRule) -> str:
    if rule.is_silent:
        return ""
    return "what the hub knows" if rule.hub_keeps else "what runs"


def rules() -> str:
    """Return the page of the reporting rules: what each is, column by column."""
    sys.path.insert(0, str(ROOT))
    from sim.rules import RULES
    from sim.words import Trigger

    made = {
        Trigger.NONE: "never",
        Trigger.READ: "when it is read, at `read.rate`",
        Trigger.AUDIT: "when it is read, at `read.rate`",
        Trigger.CHANGE: "at each change",
        Trigger.EVENT: "after each local update and change of supplier",
        Trigger.TIMER: "by a timer of `{timer}`",
        Trigger.CHANGE_AND_TIMER: "at each change, and by a timer of `{timer}`",
    }
    lines = [_MADE, "# Reporting rules", "", _RULES_ARE]
    lines += _table(
        (
            "rule", "id", "sender", "when", "carries", "request before it",
            "only in a firmware world",
        ),
        (
            (
                rule.label, f"`{rule.id}`", rule.speaks,
                made[rule.trigger].format(timer=rule.timer), _carries(rule),
                _yes(rule.is_asked), _yes(rule.needs_firmware),
            )
            for rule in RULES.values()
        ),
    )  # fmt: skip
    lines += ["", *(f"- **{rule.label}, {rule.name}.** {rule.means}" for rule in RULES.values())]
    return "\n".join(lines) + "\n"


def options() -> str:
    """Return the page of policies, faults and mitigations: what each is, column by column."""
    sys.path.insert(0, str(ROOT))
    from sim.faults import FAULTS
    from sim.mitigations import MITIGATIONS
    from sim.policies import POLICIES

    lines = [_MADE, "# Options", "", _OPTIONS_ARE, "", "## Policies of local updates"]
    lines += _table(
        ("id", "label", "name", "layer", "what it means", "local updates"),
        (
            (
                f"`{row.id}`", ", ".join(row.labels), row.name, row.layer, row.means,
                _yes(row.has_local),
            )
            for row in POLICIES.values()
        ),
    )  # fmt: skip
    counted = "A list's place counts from 0: strokes are drawn under it."
    lines += ["", "## Lists of faults", "", counted]
    lines += _table(
        (
            "place", "id", "name", "layer", "what it means", "premises go dark",
            "in a firmware world",
        ),
        (
            (
                str(place), f"`{row.id}`", row.name, row.layer, row.means, _yes(row.darkens),
                _yes(row.in_firmware),
            )
            for place, row in enumerate(FAULTS.values())
        ),
    )  # fmt: skip
    lines += ["", "## Mitigations", "", "The law of each is in [mitigations](mitigations.md)."]
    lines += _table(
        ("id", "name", "layer", "what it means", "of what", "most"),
        (
            (
                f"`{row.id}`", row.name, ", ".join(row.layers), row.means,
                _of_what(row.for_alerts, row.of_senders),
                row.once_in and f"one in a {row.once_in}",
            )
            for row in MITIGATIONS.values()
        ),
    )  # fmt: skip
    return "\n".join(lines) + "\n"


PAGES = {
    "docs/data_dictionary.md": data_dictionary,
    "docs/options.md": options,
    "docs/rules.md": rules,
    "docs/traceability.md": traceability,
    "docs/transitions.md": transitions,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (ROOT / name).write_text(page(), encoding="utf-8")
