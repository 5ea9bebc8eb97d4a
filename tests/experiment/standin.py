"""A stand-in for the model: declared tables, made up from the address of the replication, in no time."""

from __future__ import annotations

from sim.kernels.draws import word
from sim.streams import stream_key
from sim.tables import TABLES, Tables, frame

TEXT = {"kind": "version_report", "stage": "dsp", "server": "dsp", "ledger": "smi", "device_type": "ppmid", "region": "north", "fate": "delivered"}


def made_up(seed: int, replication: int, n: int = 5) -> Tables:
    """Return every declared table with *n* rows of numbers drawn for (*seed*, *replication*)."""
    key = stream_key(seed, replication, "report.loss")
    tables = {}
    for t, (name, table) in enumerate(TABLES.items()):
        columns = {}
        for c, column in enumerate(table.columns):
            text = [TEXT.get(column.name, "all")] * n
            columns[column.name] = text if column.dtype == "str" else [int(word(key, t, c, row)) % 100 + 1 for row in range(n)]
        tables[name] = frame(name, columns)
    return tables
