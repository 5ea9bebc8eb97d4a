"""Every column of every result table: name, type, unit, meaning, and who writes it.

The fast path and the twin fill the same tables; metrics and reports read nothing else. A column that is not here cannot be written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its NumPy *dtype* (`str` for text), *unit* ("" where none) and *meaning* in one sentence."""

    name: str
    dtype: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Table:
    """A declared table: what one row is, who writes it, and its columns in order."""

    name: str
    row: str
    writer: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


_STAGE = Column("stage", "str", "", "Stage: csp, dsp or user; `end_to_end` is from leaving the hub to the SMI.")
_SERVER = Column("server", "str", "", "Server within the stage: a region, a user, or `dsp`; `all` for end to end.")
_KIND = Column("kind", "str", "", "Message kind: `version_report` or a kind of the scenario's traffic.")
_LEDGER = Column("ledger", "str", "", "`smi` or `hub`.")
_TYPE = Column("device_type", "str", "", "ppmid, ihd or hcalcs.")

_ALL = (
    Table("arrivals", "a stage, server, kind and quarter of an hour of the day", "recorder", (
        _STAGE, _SERVER, _KIND,
        Column("quarter", "int16", "15 min of day", "Quarter of an hour of the UTC day, 0 to 95."),
        Column("n", "int64", "messages", "Arrivals at the stage in that quarter, summed over the measured days."),
        Column("peak_1_n", "int64", "messages/s", "Most arrivals in any one second of that quarter."),
    )),
    Table("peaks", "a stage, server, kind and bin length", "recorder", (
        _STAGE, _SERVER,
        Column("kind", "str", "", "Message kind; `alerts` sums version reports and the kinds marked as alerts; `all` sums everything."),
        Column("k_s", "int32", "s", "Bin length k of `peak_k`: 1, 60 or 900; bins start at multiples of k."),
        Column("peak_n", "int64", "messages", "Most arrivals in any bin of k seconds, after warm-up."),
        Column("at_s", "int64", "s", "Start of the first bin that reaches the peak, from the window's start; -1 when nothing arrived."),
    )),
    Table("stages", "a stage and server", "recorder", (
        _STAGE, _SERVER,
        Column("capacity_per_s", "float64", "messages/s", "Capacity; infinite when none is given."),
        Column("measured_s", "int64", "s", "Seconds measured."),
        Column("over_capacity_s", "int64", "s", "Seconds with more arrivals than capacity allows in that second."),
        Column("waiting_s", "int64", "s", "Seconds after whose service something still waited."),
        Column("peak_waiting_n", "int64", "messages", "Most messages waiting after any second's service."),
        Column("waiting_at_end_n", "int64", "messages", "Messages waiting after the last second's service."),
    )),
    Table("delays", "a stage, server, kind and delay", "recorder", (
        _STAGE, _SERVER, _KIND,
        Column("delay_s", "int32", "s", "Whole seconds from arrival to departure (end to end: from leaving the hub to the SMI)."),
        Column("n", "int64", "messages", "Messages with that delay."),
    )),
    Table("fates", "a kind, fate and place", "recorder", (
        _KIND,
        Column("fate", "str", "", "delivered, refused, lost, expired or in_flight."),
        Column("stage", "str", "", "Where a refused message was refused; empty otherwise."),
        Column("n", "int64", "messages", "Messages sent after warm-up that ended so."),
    )),
    Table("segments", "a segment and kind", "recorder", (
        Column("segment", "str", "", "han, wan, dsp (GBCS bytes) or user (XML bytes)."),
        _KIND,
        Column("n", "int64", "messages", "Messages sent after warm-up that crossed the segment."),
        Column("bytes", "int64", "B", "Bytes they made there."),
    )),
    Table("ledgers", "a ledger, device type and region", "ledgers", (
        _LEDGER, _TYPE,
        Column("region", "str", "", "CSP region."),
        Column("n_devices", "int64", "devices", "Devices of the type."),
        Column("n_reporting", "int64", "devices", "Of those, devices whose type reports under the scenario."),
        Column("right_s", "int64", "device s", "Device-seconds RIGHT after warm-up."),
        Column("wrong_s", "int64", "device s", "Device-seconds WRONG."),
        Column("unknown_s", "int64", "device s", "Device-seconds UNKNOWN."),
        Column("staleness_s2", "float64", "device s²", "Time integral of staleness, summed over devices."),
        Column("confirmation_s2", "float64", "device s²", "Time integral of confirmation age, summed over devices that are confirmed."),
        Column("n_confirmed", "int64", "devices", "Devices over which confirmation age is kept."),
        Column("n_changes", "int64", "changes", "Version changes after warm-up."),
        Column("n_repairs", "int64", "repairs", "WRONG episodes begun after warm-up that ended."),
        Column("repair_s", "int64", "device s", "Their summed length."),
    )),
    Table("staleness", "a ledger, device type and staleness band", "ledgers", (
        _LEDGER, _TYPE,
        Column("low_s", "int64", "s", "Staleness from (inclusive)."),
        Column("high_s", "int64", "s", "Staleness to (exclusive)."),
        Column("device_s", "int64", "device s", "Device-seconds WRONG with a staleness in the band."),
    )),
    Table("days", "a ledger, device type and day", "ledgers", (
        _LEDGER, _TYPE,
        Column("day", "int32", "d", "Day from the window's start (warm-up included)."),
        Column("n_wrong", "int64", "devices", "Records WRONG at the end of that day."),
    )),
    Table("targets", "a kind with a target", "recorder", (
        _KIND,
        Column("target_s", "int64", "s", "Response-time target of the kind."),
        Column("n", "int64", "messages", "Messages sent after warm-up that entered the network."),
        Column("n_late", "int64", "messages", "Those that reached the SMI's door later than the target, were refused, or were still travelling past it."),
    )),
    Table("population", "a count", "run", (
        Column("what", "str", "", "premises, meters, hubs, gpf, esme, gsme, ppmid, ihd, hcalcs, reporting, senders."),
        Column("region", "str", "", "CSP region."),
        Column("n", "int64", "", "How many."),
    )),
)
TABLES: Final[dict[str, Table]] = {table.name: table for table in _ALL}
Tables = dict[str, pd.DataFrame]

# Bands of staleness: half-octaves from an hour to 43 years, each wide enough to fill and narrow enough to read a quantile from.
STALENESS_EDGES_S: Final[tuple[int, ...]] = (0, *(int(3600 * 2 ** (i / 2)) for i in range(41)), 2**40)
PEAK_BINS_S: Final[tuple[int, ...]] = (1, 60, 900)


def frame(name: str, columns: dict[str, object]) -> pd.DataFrame:
    """Return *columns* as the declared table *name*: its columns, in order, in their types.

    Raises `ValueError` when a column is missing or not declared.
    """
    declared = TABLES[name]
    if set(columns) != set(declared.names):
        raise ValueError(f"table {name}: columns {sorted(columns)} are not the declared {sorted(declared.names)}")
    return pd.DataFrame({c.name: pd.Series(columns[c.name], dtype=c.dtype) for c in declared.columns})


@dataclass(slots=True)
class Trace:
    """What both engines remember of a small world when asked, so that they can be compared device by device and message by message.

    *messages*: one row a version report that enters the network: region, slot, index (its sender's address), leave_s, cause ("timer", "change" or "read"),
    fate (delivered, refused or in_flight), at_s (second written to the SMI; -1 if it is not). *devices*: one row a device row at the end: row, region,
    slot, index, version_true, version_smi, version_hub, wrong_since_smi_s, wrong_since_hub_s (-1 while not WRONG), confirmed_s (when the latest report
    written left).
    """

    messages: list[tuple[str, int, int, int, str, str, int]]
    devices: list[tuple[int, str, int, int, int, int, int, int, int, int]]
