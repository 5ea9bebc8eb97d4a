"""All replications in one table: whose rows they are, in the order of the plan, complete or not
there.
"""

from __future__ import annotations

import os

import pandas as pd
import pytest

import sim.store.merged as merged
from sim.store import MergedTables, StoreError, read_parquet
from sim.store.cells import arrow
from sim.tables import TABLES
from tests.experiment.standin import made_up


def read(run, name):
    """Return a merged table."""
    return read_parquet((run / f"tables/{name}.parquet").read_bytes())


def packed(seed, replication):
    """Return made-up tables as they are read."""
    return {name: arrow(name, frame) for name, frame in made_up(seed, replication).items()}


def write(run):
    """Merge two replications of two cells."""
    with MergedTables(run) as tables:
        tables.add("b", 0, packed(1, 0))
        tables.add("a", 1, packed(1, 1))


@pytest.mark.parametrize("rows_at_once", [1, 7, 100_000])
def test_rows_say_whose_they_are(tmp_path, monkeypatch, rows_at_once):
    """`cell` and `replication` come first; rows keep the order of the plan, however many are
    written at once.
    """
    monkeypatch.setattr(merged, "_ROWS_AT_ONCE", rows_at_once)
    write(tmp_path)

    assert {path.stem for path in (tmp_path / "tables").iterdir()} == set(TABLES)
    for name, table in TABLES.items():
        frame = read(tmp_path, name)
        assert list(frame.columns) == ["cell", "replication", *table.names]
        assert list(frame["cell"]) == ["b"] * 5 + ["a"] * 5
        assert list(frame["replication"]) == [0] * 5 + [1] * 5
        pd.testing.assert_frame_equal(
            frame.iloc[5:, 2:].reset_index(drop=True), made_up(1, 1)[name]
        )


def test_equal_tables_are_equal_bytes(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    write(tmp_path / "1")
    write(tmp_path / "2")

    assert [p.read_bytes() for p in sorted(tmp_path.glob("1/tables/*"))] == [
        p.read_bytes() for p in sorted(tmp_path.glob("2/tables/*"))
    ]


def test_no_replications_are_empty_tables(tmp_path):
    with MergedTables(tmp_path):
        pass
    assert len(read(tmp_path, "days")) == 0
    assert list(read(tmp_path, "days").columns) == ["cell", "replication", *TABLES["days"].names]


@pytest.mark.parametrize("call", [1, 5, 11])
def test_a_full_disk_leaves_the_old_tables(tmp_path, monkeypatch, call):
    """All files are replaced, or none, and no temporary is left."""
    write(tmp_path)
    before = [path.read_bytes() for path in sorted((tmp_path / "tables").iterdir())]
    calls = iter(range(1, 100))
    fsync = os.fsync

    def full(descriptor):
        if next(calls) == call:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"), MergedTables(tmp_path) as tables:
        tables.add("c", 0, packed(2, 0))
    assert [path.read_bytes() for path in sorted((tmp_path / "tables").iterdir())] == before


def test_a_table_that_is_not_declared_is_an_error(tmp_path):
    with pytest.raises(KeyError, match="unheard_of"), MergedTables(tmp_path) as tables:
        tables.add("c", 0, {"unheard_of": packed(1, 0)["days"]})
    assert list((tmp_path / "tables").iterdir()) == []
