"""Where the numbers of `gb_base` and `gb_firmware` come from: for each, a range, a grade of
evidence and a source.

Grades: A, an exact public figure or specification; B, derived from public figures; C, one source,
dated or second-hand, or a proposal; D, no public figure was found, so the value is a stated
assumption and belongs in a sensitivity run.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Final

from sim.scenario.compose import read, shipped, shipped_folder
from sim.scenario.leaves import leaves_of

GRADES: Final = ("A", "B", "C", "D")
_ABOUT_THE_FILE: Final = ("schema_version", "extends", "name", "question")
# the first that gives a leaf is the one whose value has the row
_BASES: Final = ("gb_base", "gb_firmware", "firmware/p1", "firmware/meters")


@dataclass(frozen=True, slots=True)
class Assumption:
    """One leaf of a base: its *path* and *value* as written, the plausible *low* and *high*,
    *unit*, *grade* A to D, public *source* and *note*.
    """

    path: str
    value: str
    low: str
    high: str
    unit: str
    grade: str
    source: str
    note: str


def load_assumptions() -> tuple[Assumption, ...]:
    """Return every row of `scenarios/assumptions.csv`, in the order of the file."""
    with (shipped_folder() / "assumptions.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(Assumption(**row) for row in csv.DictReader(stream))


def base_leaves() -> dict[str, str]:
    """Return path and value of every leaf of `gb_base` that says something of the world, and of
    those that firmware adds; a list of values is one leaf.
    """
    found: dict[str, str] = {}
    for base in _BASES:
        tree, _ = read(shipped()[base])
        assert isinstance(tree.value, dict)
        own = {name: child for name, child in tree.value.items() if name not in _ABOUT_THE_FILE}
        leaves = [leaf for name, child in own.items() for leaf in leaves_of(child, name).items()]
        found |= {
            path: value
            for path, value in leaves
            if value != "null"
            and not any(each == path or each.startswith(f"{path}.") for each in found)
        }
    return found
