"""What a result stands on: how much of the estate, how many replications, and how good the evidence
is behind each value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sim.report.study import Study, base_leaves
from sim.report.words import counted, listed
from sim.scenario.assumptions import Assumption, load_assumptions
from sim.scenario.scale import scale_of
from sim.units import format_share

MEANING: Final = {
    "A": "published and checked",
    "B": "published",
    "C": "derived, or from a similar system",
    "D": "an assumption without public evidence",
}
_ABOUT_THE_FILE: Final = frozenset({"schema_version", "name", "question"})
_SCALE: Final = "estate.scale"
_MOST_VALUES: Final = 4  # of a leaf that varies; a reader wants the others from the scenario itself


@dataclass(frozen=True, slots=True)
class Assumed:
    """A leaf of the scenario: its *value* here (all of them, where cells differ), its *base* value,
    and the evidence behind the base value.
    """

    path: str
    value: str
    base: str
    reach: str
    grade: str
    source: str
    note: str

    @property
    def changed(self) -> bool:
        """Whether the scenario, or one of its cells, departs from the base."""
        return self.value != self.base


def assumed(study: Study) -> tuple[Assumed, ...]:
    """Return every leaf of the run's worlds: what departs from the base first, then the weakest
    evidence first.
    """
    of_firmware = all(cell.scenario.firmware is not None for cell in study.cells)
    base = base_leaves("gb_firmware" if of_firmware else "gb_base")
    known = {row.path: row for row in load_assumptions()}
    paths = [
        path
        for path in dict.fromkeys(path for cell in study.cells for path in cell.leaves)
        if path.split(".")[0] not in _ABOUT_THE_FILE
    ]
    rows = [_assumed(path, study, base, known) for path in paths]
    return tuple(sorted(rows, key=lambda row: (not row.changed, "DCBA–".index(row.grade))))


def _assumed(
    path: str, study: Study, base: Mapping[str, str], known: Mapping[str, Assumption]
) -> Assumed:
    values = list(dict.fromkeys(cell.leaves.get(path, "absent") for cell in study.cells))
    value = " | ".join(values[:_MOST_VALUES]) + (
        f" | … ({len(values)} values)" if len(values) > _MOST_VALUES else ""
    )
    row = _row(path, known)
    if path == _SCALE:
        told = (
            "no assumption: how much of the estate is simulated, with what is of it in proportion"
        )
        return Assumed(path, value, base.get(path, "1"), "", "–", told, "")
    if row is None:
        source = (
            "left out: the scenario has none"
            if value == base.get(path)
            else "set by this scenario, without a row of evidence"
        )
        return Assumed(
            path,
            value,
            base.get(path, "absent"),
            "",
            "–" if value == base.get(path) else "D",
            source,
            "",
        )
    low, high = (_alike(end, value) for end in (row.low, row.high))
    reach = f"{low} to {high}" if low != high else low
    return Assumed(path, value, base.get(path, "absent"), reach, row.grade, row.source, row.note)


def _alike(end: str, value: str) -> str:
    """Return the *end* of a range as its *value* is written: a share in per cent, thousands without
    a mark.
    """
    if value.endswith(" %") and end and not end.endswith("%"):
        return format_share(float(end))
    return end.replace("_", "")


def _row(path: str, known: Mapping[str, Assumption]) -> Assumption | None:
    """Return the row of *path*, or of the nearest block above it that has one."""
    while path and path not in known:
        path = path.rpartition(".")[0]
    return known.get(path)


def grade_of(path: str) -> str:
    """Return the grade of the evidence behind the base value of the leaf *path*; "–" where there is
    none.
    """
    row = _row(path, {row.path: row for row in load_assumptions()})
    return row.grade if row else "–"


def grades(rows: tuple[Assumed, ...]) -> str:
    """Return how many leaves have each grade, in words."""
    counts = {grade: sum(row.grade == grade for row in rows) for grade in MEANING}
    return listed([f"{n} of grade {grade} ({MEANING[grade]})" for grade, n in counts.items() if n])


def scale(study: Study) -> str:
    """Return how much of the base estate the run simulates."""
    sizes = sorted({cell.scenario.estate.premises for cell in study.cells})
    whole = int(base_leaves()["estate.premises"])
    shown = listed([f"{size:,}" for size in sizes])
    parts = {(scale_of(cell.asked), cell.asked.estate.premises) for cell in study.cells}
    if len(parts) == 1 and (part := next(iter(parts)))[0] < 1:
        of = f"{shown} of {part[1]:,} premises"
        return f"a scale of {part[0]}: {of}, and their network in proportion"
    if sizes[0] < whole:
        return f"a sample of {shown} premises (the base estate has {whole:,})"
    return f"{shown} premises, the full estate"


def is_sample(study: Study) -> bool:
    """Whether any cell has fewer premises than the base estate."""
    return min(cell.scenario.estate.premises for cell in study.cells) < int(
        base_leaves()["estate.premises"]
    )


def replications(study: Study) -> str:
    """Return how many replications stand behind each estimate, and what the intervals are."""
    numbers = sorted({cell.scenario.replications for cell in study.cells})
    if numbers == [1]:
        return "one replication: no interval"
    spans = (
        counted(numbers[0], "replication")
        if len(numbers) == 1
        else f"{numbers[0]} to {numbers[-1]} replications"
    )
    return f"means of {spans} with their 95 % intervals"


def doubtful(study: Study) -> str:
    """Return what to know of the intervals in a table of *study*, for the foot of the table."""
    if all(cell.scenario.replications == 1 for cell in study.cells):
        return ""
    few = any("covers less" in caution for caution in study.cautions)
    less = "; of peaks, quantiles and what is seldom, so few replications cover less" if few else ""
    return (
        f"± or (a to b): 95 % interval{less}. An estimate without: the same in every replication."
    )


def footing(study: Study) -> str:
    """Return the sentence under every figure: scale, replications and interval, and the worst grade
    of evidence used.
    """
    worst = max(row.grade for row in assumed(study) if row.grade in MEANING)
    return (
        f"{scale(study)[0].upper()}{scale(study)[1:]}; {replications(study)}; weakest evidence"
        f" used: grade {worst} ({MEANING[worst]})."
    )
