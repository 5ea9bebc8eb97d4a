"""What a storm pushes aside: messages of other kinds that become late, by paired difference from
the world without it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sim.metrics import Difference, paired_difference
from sim.metrics.intervals import Kind
from sim.metrics.metric import ABOVE_NOUGHT
from sim.report.study import Cell, Study
from sim.units import added

REPORT: Final = "version_report"


def others(study: Study, calm: Cell) -> dict[str, int]:
    """Return the kinds of message that travel in the *calm* world, version reports apart, each with
    its target in seconds: what a storm can push aside.
    """
    found: dict[str, int] = {}
    for table in study.tables("targets", calm).values():
        found |= {
            kind: int(target)
            for kind, target, n in zip(table["kind"], table["target_s"], table["n"], strict=True)
            if n and kind != REPORT
        }
    return dict(sorted(found.items()))


def _per_day(study: Study, cell: Cell, kinds: Collection[str], column: str) -> dict[int, float]:
    days = study.window(cell).days
    return {
        r: float(table[table["kind"].isin(list(kinds))][column].sum()) / days
        for r, table in study.tables("targets", cell).items()
    }


def late(study: Study, cell: Cell, calm: Cell, kinds: Collection[str]) -> Difference | None:
    """Return how many more messages a day of *kinds* are late in *cell* than in the *calm* world;
    None where they share no replication.
    """
    mine, theirs = (_per_day(study, world, kinds, "n_late") for world in (cell, calm))
    shared = sorted(mine.keys() & theirs.keys())
    if not shared:
        return None
    samples = [mine[r] for r in shared], [theirs[r] for r in shared]
    return paired_difference(*samples, "messages/d", Kind.SKEWED, ABOVE_NOUGHT)


def late_classes(study: Study, cell: Cell, calm: Cell) -> dict[int, Difference]:
    """Return `late` for each class of response time, by its target in seconds, the shortest first.
    """
    kinds = others(study, calm)
    classes = {
        target: [kind for kind, own in kinds.items() if own == target]
        for target in sorted(set(kinds.values()))
    }
    found: dict[int, Any] = {
        target: late(study, cell, calm, members) for target, members in classes.items()
    }
    return {target: more for target, more in found.items() if more is not None}


def late_kinds(study: Study, cell: Cell, calm: Cell) -> list[tuple[str, Difference, float]]:
    """Return each other kind of which more messages are late than in the *calm* world: its name,
    how many more a day, and how many there are a day.
    """
    found = []
    for kind in others(study, calm):
        more, there = late(study, cell, calm, [kind]), _per_day(study, cell, [kind], "n")
        if more is not None and more.value > 0:
            found.append((kind, more, added(there.values()) / len(there)))
    return sorted(found, key=lambda one: -one[1].value)
