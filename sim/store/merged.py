"""The tables of all replications in one file each, written as they come, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from sim.store.cells import schema
from sim.store.files import StoreError, flush, in_a_sentence, open_new, settle, temporary_name
from sim.tables import TABLES

if TYPE_CHECKING:
    import pyarrow as pa

# one row group: large enough to compress, small enough for any memory
_ROWS_AT_ONCE: Final = 100_000


class MergedTables:
    """Writes `tables/<name>.parquet` of a run: `cell`, `replication`, then the declared columns.
    The files appear when all are complete.
    """

    def __init__(self, run: Path) -> None:
        self._folder = run / "tables"
        self._parts: dict[str, list[pa.Table]] = {name: [] for name in TABLES}
        self._files: dict[str, BinaryIO] = {}
        self._writers: dict[str, Any] = {}

    def __enter__(self) -> MergedTables:
        import pyarrow as pa
        import pyarrow.parquet as pq

        keys = [("cell", pa.string()), ("replication", pa.int32())]
        try:
            with in_a_sentence(self._folder):
                self._folder.mkdir(exist_ok=True)
                for name, table in TABLES.items():
                    self._files[name] = open_new(self._temporary(name))
                    self._writers[name] = pq.ParquetWriter(
                        self._files[name],
                        pa.schema([*keys, *schema(table.columns)]),
                        compression="zstd",
                    )
        except StoreError:
            self._abandon()
            raise
        return self

    def _final(self, name: str) -> Path:
        return self._folder / f"{name}.parquet"

    def _temporary(self, name: str) -> Path:
        return temporary_name(self._final(name))

    def add(self, cell: str, replication: int, tables: Mapping[str, pa.Table]) -> None:
        """Add one replication's *tables*, of the declared schemas, under its *cell* and number."""
        import pyarrow as pa

        for name, table in tables.items():
            writer = self._writers[name]
            keys = [
                pa.repeat(pa.scalar(key, kind), len(table))
                for key, kind in ((cell, pa.string()), (replication, pa.int32()))
            ]
            self._parts[name].append(pa.table([*keys, *table.columns], schema=writer.schema))
            if sum(map(len, self._parts[name])) >= _ROWS_AT_ONCE:
                self._flush(name)

    def _flush(self, name: str) -> None:
        import pyarrow as pa

        parts, self._parts[name] = self._parts[name], []
        if parts:
            with in_a_sentence(self._final(name)):
                self._writers[name].write_table(
                    pa.concat_tables(parts).combine_chunks(), row_group_size=_ROWS_AT_ONCE
                )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._publish()
        finally:
            self._abandon()

    def _abandon(self) -> None:
        """Close what is open and delete what did not get its final name."""
        for writer in self._writers.values():
            writer.is_open = False  # a writer cut short has nothing to finish
        for name, file in self._files.items():
            with suppress(OSError):  # what it still holds is not wanted
                file.close()
            self._temporary(name).unlink(missing_ok=True)

    def _publish(self) -> None:
        with in_a_sentence(self._folder):
            for name, writer in self._writers.items():
                self._flush(name)
                writer.close()
                flush(self._files[name])
            for name in self._writers:
                os.replace(self._temporary(name), self._final(name))
            settle(self._folder)
