"""Firmware worlds as their reports see them: what tells the cells apart, and how records and
devices stand from step to step of the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.report.study import Cell, Study
from sim.units import DAY_S

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Course:
    """Shares of devices over the window: *days* from its start, and a row for each replication of
    *wrong*, *unknown*, *behind* and *suspended*.
    """

    days: Numbers
    wrong: Numbers
    unknown: Numbers
    behind: Numbers
    suspended: Numbers

    @property
    def right(self) -> Numbers:
        """The share that is neither WRONG nor UNKNOWN."""
        right: Numbers = 1 - self.wrong - self.unknown
        return right


def course(study: Study, cell: Cell, ledger: str, types: tuple[str, ...]) -> Course:
    """Return the course of *ledger* in *cell*, of devices of *types* together; without moments
    where the run kept none.
    """
    parts: dict[str, list[Numbers]] = {
        name: [] for name in ("n_wrong", "n_unknown", "n_behind", "n_suspended")
    }
    days = np.zeros(0)
    ledgers = study.tables("ledgers", cell)
    for r, table in study.tables("states", cell).items():
        own = ledgers[r]
        n = float(
            own[(own["ledger"] == ledger) & own["device_type"].isin(types)]["n_devices"].sum()
        )
        rows: Any = table[(table["ledger"] == ledger) & table["device_type"].isin(types)]
        sums = rows.groupby("at_s", sort=True)[list(parts)].sum()
        days = sums.index.to_numpy(np.float64) / DAY_S
        for name, part in parts.items():
            part.append(sums[name].to_numpy(np.float64) / n if n else np.zeros(len(sums)))
    return Course(days, *(np.array(part) if part else np.zeros((0, 0)) for part in parts.values()))


def living(study: Study) -> tuple[str, ...]:
    """Return the device types that have a life in any cell, in the order of the scenario."""
    return tuple(
        dict.fromkeys(
            model.type
            for cell in study.cells
            if cell.scenario.firmware
            for model in cell.scenario.firmware.models.values()
        )
    )


def with_records(study: Study) -> tuple[str, ...]:
    """Return the types of which the SMI keeps a record: all but the IHD."""
    return tuple(name for name in living(study) if name != "ihd")


def varied(study: Study) -> frozenset[str]:
    """Return the leaves in which the cells of *study* differ, their names and questions aside."""
    paths = {path for cell in study.cells for path in cell.leaves}
    return frozenset(
        path
        for path in paths
        if len({cell.leaves.get(path) for cell in study.cells}) > 1
        and path not in ("name", "question")
    )


def called(cell: Cell) -> str:
    """Return the name of a cell for readers: its option, and the levels of its factors."""
    return ", ".join(
        part for part in (cell.option.replace("_", " "), told_levels(cell)) if part
    ) or cell.name.replace("_", " ")


def told_levels(cell: Cell) -> str:
    """Return the levels of the factors of *cell* in words, "lead 10 d, no reseed"; empty where
    there are none.
    """
    told = []
    for path, level in cell.levels.items():
        name = path.rpartition(".")[2].replace("_", " ")
        flags = {"true": name, "false": f"no {name}"}
        told.append(flags.get(level, f"{name} {level.replace('_', ' ')}"))
    return ", ".join(told)


def option(cell: Cell) -> str:
    """Return the option of *cell* in words, which tells it from others of its levels; the name of a
    cell that has none.
    """
    return cell.option.replace("_", " ") or called(cell)


def by_levels(study: Study) -> list[list[Cell]]:
    """Return the cells of *study* in groups of the same levels: worlds that differ in their options
    alone; where there are none, all in one group.
    """
    groups: dict[tuple[str, ...], list[Cell]] = {}
    for cell in study.cells:
        groups.setdefault(tuple(cell.levels.values()) if cell.option else (), []).append(cell)
    return list(groups.values())


def at_levels(cells: list[Cell]) -> str:
    """Return what a sentence says of the levels of a group: " (lead 10 d)", or nothing."""
    return f" ({told_levels(cells[0])})" if cells[0].option and cells[0].levels else ""


def mean_counts(
    study: Study, cell: Cell, table: str, by: tuple[str, ...]
) -> dict[tuple[Any, ...], float]:
    """Return the sum of `n` of a *table* of *cell* by the values of the columns *by*: a mean over
    replications, so that parts still add up to the whole.
    """
    parts = study.tables(table, cell)
    sums: dict[tuple[Any, ...], float] = {}
    for part in parts.values():
        for *key, n in zip(*(part[name].tolist() for name in by), part["n"].tolist(), strict=True):
            sums[tuple(key)] = sums.get(tuple(key), 0.0) + n / len(parts)
    return sums
