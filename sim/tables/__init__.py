"""Every column of every result table: name, type, unit, meaning, and who writes it.

The fast path and the twin fill the same tables; metrics and reports read nothing else. A column
that is not here cannot be written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.tables.column import Column, Table
from sim.tables.firmware import OF_FIRMWARE
from sim.tables.given import OF_WHAT_IS_GIVEN
from sim.tables.network import OF_THE_NETWORK
from sim.tables.records import OF_RECORDS

TABLES: Final[dict[str, Table]] = {
    table.name: table for table in (*OF_THE_NETWORK, *OF_WHAT_IS_GIVEN, *OF_RECORDS, *OF_FIRMWARE)
}
FIRMWARE_TABLES: Final = tuple(table.name for table in OF_FIRMWARE)
Tables = dict[str, pd.DataFrame]

# Bands of staleness: half-octaves from an hour to 43 years, each wide enough to fill and narrow
# enough to read a quantile from.
STALENESS_EDGES_S: Final[tuple[int, ...]] = (
    0,
    *(int(3600 * 2 ** (i / 2)) for i in range(41)),
    2**40,
)
AROUND_PEAK_S: Final = 900  # before a server's fullest second, and after it
PEAK_BINS_S: Final[tuple[int, ...]] = (1, 60, 900)
# Bands of latency over the air: half-octaves from a second to eleven years.
LATENCY_EDGES_S: Final[tuple[int, ...]] = (
    0,
    *sorted({int(2 ** (i / 2)) for i in range(57)}),
    2**40,
)
TIMELINE_BIN_S: Final = 60
# of warm-up and window together; longer worlds have no timeline
TIMELINE_LONGEST_S: Final = 8 * 86_400


def frame(name: str, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> pd.DataFrame:
    """Return *columns* as the declared table *name*: its columns, in order, in their types.

    Raises `ValueError` when a column is missing, not declared, or holds what its type does not.
    """
    declared = TABLES[name]
    if set(columns) != set(declared.names):
        told, due = sorted(columns), sorted(declared.names)
        raise ValueError(f"table {name}: columns {told} are not the declared {due}")
    if not any(len(column) for column in columns.values()):
        return _empty(name).copy()
    return pd.DataFrame({c.name: _typed(name, c, columns[c.name]) for c in declared.columns})


@cache
def _empty(name: str) -> pd.DataFrame:
    """Return table *name* without a row, as most tables of a small world are."""
    return pd.DataFrame({c.name: pd.Series([], dtype=c.dtype) for c in TABLES[name].columns})


def _typed(name: str, column: Column, values: Sequence[Any] | NDArray[Any]) -> Any:
    """Return *values* as an array of the column's type, in which none is another than it was."""
    if column.dtype == "str":
        return pd.array(values, dtype="str")
    given = np.asarray(values)
    with np.errstate(invalid="ignore"):  # what has no number is refused below
        array = given.astype(column.dtype)
    if array.dtype.kind in "iub" and not np.array_equal(array, given):
        raise ValueError(f"table {name}: a value of {column.name} is no {column.dtype}")
    return array


@dataclass(slots=True)
class Trace:
    """What both engines remember of a small world when asked, so that they can be compared device
    by device and message by message.

    *messages*: one row a named message, whatever became of it: kind, region, slot, index (its
    sender's address), raised_s, cause ("timer", "change", "read" or "alert"), fate, stage (where it
    ended, as in `fates`), at_s (second it passed the SMI's door; -1 if it did not). *devices*: one
    row a device row at the end: row, region, slot, index, version_true, version_smi, version_hub,
    wrong_since_smi_s, wrong_since_hub_s (-1 while not WRONG), confirmed_s (when the latest report
    written was made). *lives*: the same of a firmware world: region, slot, index, version_true,
    version_smi, version_hub (255: UNKNOWN; 0 where no rule keeps it or, of an IHD, the SMI), state
    of the job (`sim.words.JobState`), its version and attempt (0 while idle), wrong_since_smi_s,
    wrong_since_hub_s; by region, slot and index.
    """

    messages: list[tuple[str, str, int, int, int, str, str, str, int]]
    devices: list[tuple[int, str, int, int, int, int, int, int, int, int]]
    lives: list[tuple[str, int, int, int, int, int, str, int, int, int, int]] = field(
        default_factory=list
    )
