"""Factors that moved nothing: whatever their level, every number of the run is the same."""

from __future__ import annotations

from collections import defaultdict

from sim.report.study import Cell, Study
from sim.report.words import listed


def points(study: Study) -> tuple[str, ...]:
    """Name the factors of *study* that changed no number; nothing where each changed one."""
    idle = factors(study)
    if not idle:
        return ()
    verb = "changes" if len(idle) == 1 else "change"
    return (
        (
            f"{listed(idle)} {verb} no number here: at each level, the others being equal, every"
            " metric of every replication is the same. Nothing in these worlds reads it, or it"
            " acts beyond them."
        ),
    )


def factors(study: Study) -> list[str]:
    """Return the factors that vary, and between whose levels no value of any replication differs.
    """
    paths = dict.fromkeys(path for cell in study.cells for path in cell.levels)
    return [path for path in paths if _is_idle(study, path)]


def _is_idle(study: Study, path: str) -> bool:
    """Whether cells that differ in the level of *path* alone have the same values, and there are
    any.
    """
    alike: dict[tuple[str, tuple[tuple[str, str], ...]], list[Cell]] = defaultdict(list)
    for cell in study.cells:
        others = tuple(sorted((name, level) for name, level in cell.levels.items() if name != path))
        alike[cell.option, others].append(cell)
    pairs = [
        cells for cells in alike.values() if len({cell.levels.get(path) for cell in cells}) > 1
    ]
    return bool(pairs) and all(
        study.prints[cell.name] == study.prints[cells[0].name] for cells in pairs for cell in cells
    )
