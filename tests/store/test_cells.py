"""Replications on disk: whole or not at all, and any altered byte is found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

import pandas as pd
import pytest

from sim.store import (
    Address,
    StoreError,
    adopt,
    cell_key,
    clean,
    finished,
    made_by,
    plan_hash,
    read_cell,
    sha256,
    source_hash,
    write_cell,
    writer,
)
from sim.store.files import born
from sim.tables import TABLES
from tests.experiment.mischief import FullDisk
from tests.experiment.standin import made_up

MAKER = {"host": "here"}


@pytest.fixture
def address() -> Address:
    return Address("daily, fixed clock", 3, sha256(b"a key"))


@pytest.fixture
def run(tmp_path, address):
    """Return a run folder with one finished replication."""
    write_cell(tmp_path, address, made_up(1, 3), MAKER)
    return tmp_path


def cell_files(run, address):
    """Return the files of the replication."""
    return sorted((run / "cells" / address.folder).iterdir())


def test_what_is_read_is_what_was_written(run, address):
    """Every table comes back with its values and types."""
    tables = read_cell(run, address)

    assert set(tables) == set(TABLES)
    for name, frame in made_up(1, 3).items():
        pd.testing.assert_frame_equal(tables[name].to_pandas(), frame)


def test_equal_tables_are_equal_bytes(run, address, tmp_path_factory):
    """Nothing but the tables goes into the files: no time, no machine, no name."""
    other = tmp_path_factory.mktemp("other")
    write_cell(other, Address("another name", 0, address.key), made_up(1, 3), MAKER)

    twin = cell_files(other, Address("another name", 0, address.key))
    assert [path.read_bytes() for path in cell_files(run, address)] == [
        path.read_bytes() for path in twin
    ]


def test_a_second_writer_changes_nothing(run, address):
    """Two runners of one plan may both finish a replication."""
    before = [path.stat().st_mtime_ns for path in cell_files(run, address)]
    write_cell(run, address, made_up(1, 3), MAKER)

    assert [path.stat().st_mtime_ns for path in cell_files(run, address)] == before
    assert [path.name for path in (run / "cells").iterdir()] == [address.folder]


def test_a_table_with_other_columns_is_refused(tmp_path, address):
    """A column that is not declared cannot be written."""
    tables = made_up(1, 3)
    tables["days"] = tables["days"].assign(extra=1)

    with pytest.raises(ValueError, match="days"):
        write_cell(tmp_path, address, tables, MAKER)
    assert not (tmp_path / "cells" / address.folder).exists()


@pytest.mark.parametrize("number", range(60))
def test_every_flipped_bit_is_found(run, address, number):
    """Sixty flips, spread over all bytes of all files: each is named, set aside, and only then is
    the replication not done.
    """
    files = cell_files(run, address)
    at = number * sum(path.stat().st_size for path in files) // 60
    for path in files:
        if at < path.stat().st_size:
            break
        at -= path.stat().st_size
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << number % 8
    path.write_bytes(data)

    done, warnings = finished(run, [address])
    assert done == set()
    assert len(warnings) == 1
    assert address.folder in warnings[0]
    assert path.name in warnings[0]
    assert not (run / "cells" / address.folder).exists()


@pytest.mark.parametrize("tenths", range(10))
def test_every_truncation_is_found(run, address, tenths):
    """A file cut short at any tenth of its length, or a missing one, is not taken for done."""
    files = cell_files(run, address)
    path = files[tenths % len(files)]
    path.write_bytes(path.read_bytes()[: path.stat().st_size * tenths // 10])

    done, warnings = finished(run, [address])
    assert done == set()
    assert str(path) in warnings[0]


@pytest.mark.parametrize("mischief", ["missing", "extra", "link", "pipe", "folder link"])
def test_only_plain_files_of_the_list_count(run, address, mischief):
    """Links are not followed and pipes are not waited for."""
    path = cell_files(run, address)[2]
    if mischief == "extra":
        (path.parent / "more.parquet").write_bytes(b"")
    elif mischief == "folder link":
        os.rename(path.parent, run / "elsewhere")
        path.parent.symlink_to(run / "elsewhere")
    else:
        path.rename(run / "moved")
        if mischief == "link":
            path.symlink_to(run / "moved")
        elif mischief == "pipe":
            os.mkfifo(path)

    assert finished(run, [address])[0] == set()


def test_set_aside_folders_do_not_meet(run, address):
    """The same replication may be damaged more than once; each is kept for a look."""
    for _ in range(2):
        cell_files(run, address)[1].unlink()
        finished(run, [address])
        write_cell(run, address, made_up(1, 3), MAKER)

    assert sorted(path.name for path in (run / "cells").iterdir()) == [
        address.folder,
        f"{address.folder}.corrupt1",
        f"{address.folder}.corrupt2",
    ]
    assert finished(run, [address]) == ({address}, [])


def test_a_full_disk_leaves_nothing_half_done(tmp_path, address):
    """Whichever write fails, the replication is not there, and a sentence says so."""
    with FullDisk(10**9, once=True) as counted:
        write_cell(tmp_path / "0", address, made_up(1, 3), MAKER)
    assert counted.calls > 2 * len(TABLES)

    for call in range(1, counted.calls + 1):
        run = tmp_path / str(call)
        with (
            FullDisk(call, once=False),
            pytest.raises(StoreError, match="cannot write .*No space left on device"),
        ):
            write_cell(run, address, made_up(1, 3), MAKER)
        assert [path for path in run.rglob("*") if path != run / "cells"] == []
    assert read_cell(tmp_path / "0", address).keys() == TABLES.keys()


def test_orphans_are_cleaned_and_work_in_hand_is_not(run):
    """A temporary name says whose it is; only what nobody here writes is deleted, be its writer
    gone or its number used again.
    """
    cells = run / "cells"
    host, _, mine = writer().partition(".")
    dead = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    began = born(dead.pid)
    dead.kill()
    while born(dead.pid):  # until it has ended, and nobody has asked after it: a zombie
        time.sleep(0.01)
    orphans = [
        f".x-0-abc.{host}.999999999-17.tmp",
        f".y-0-abc.{host}.{os.getpid()}-1.tmp",
        f".z-0-abc.{host}.{dead.pid}-{began}.tmp",
    ]
    for name in orphans:
        (cells / name).mkdir()
        (cells / name / "part").write_bytes(b"half")
    (run / f".manifest.json.{host}.999999998-0.tmp").write_bytes(b"half")
    in_hand = cells / f".y-0-abc.{host}.{mine}.tmp"
    in_hand.mkdir()

    assert clean(run) == [f".manifest.json.{host}.999999998-0.tmp", *orphans]
    assert [path for path in cells.iterdir() if path.name.startswith(".")] == [in_hand]
    dead.communicate()


def test_another_machines_work_is_left_until_it_is_useless(run, address):
    """Its processes cannot be asked after: what it writes goes when the final folder is there, or
    after an hour.
    """
    cells = run / "cells"
    fresh, useless, old = (
        cells / f".{name}.elsewhere.7-1.tmp"
        for name in ("fresh-0-abc", address.folder, "old-0-abc")
    )
    for path in (fresh, useless, old):
        path.mkdir()
    os.utime(old, (0, 0))

    assert clean(run) == sorted([useless.name, old.name])
    assert fresh.exists()


def test_a_writer_whose_temporary_is_taken_away_has_not_lost(run, address, monkeypatch):
    """A cleaner on another machine sees the final folder, of another runner of the same plan, and
    deletes ours in the making: there is nothing left to do.
    """

    def deleted_before(path):
        shutil.rmtree(path.parent)
        return open(path, "xb")

    monkeypatch.setattr("sim.store.cells.open_new", deleted_before)
    write_cell(run, address, made_up(1, 3), MAKER)

    monkeypatch.undo()
    assert finished(run, [address]) == ({address}, [])


def test_the_key_is_of_everything_a_result_depends_on():
    """Each part of the key changes it."""
    made_in = {"source": "s", "kernels": "k", "python": "3.11.0", "packages": {"numpy": "2"}}
    base = {"model": "0.1.0", "seed": 1, "replication": 0, "engine": "fast"}
    parts = ({"model": "0.2"}, {"seed": 2}, {"replication": 1}, {"engine": "twin"})
    others = (
        {"source": "t"}, {"kernels": "l"}, {"python": "3.12.0"}, {"packages": {"numpy": "3"}},
    )  # fmt: skip
    keys = {cell_key("world", made_in, **base), cell_key("world 2", made_in, **base)}
    keys |= {cell_key("world", made_in, **(base | part)) for part in parts}
    keys |= {cell_key("world", made_in | other, **base) for other in others}

    assert len(keys) == 10


def test_who_made_it_is_kept_and_goes_with_it(run, address, tmp_path):
    """Into every run that takes the replication over."""
    wider = tmp_path / "wider"
    (wider / "cells").mkdir(parents=True)
    assert made_by(run, address) == MAKER
    os.rename(run / "cells", tmp_path / "first-cells")
    (tmp_path / "first").mkdir()
    os.rename(tmp_path / "first-cells", tmp_path / "first/cells")
    assert adopt(wider, [address], tmp_path.glob("*/")) == 1
    assert made_by(wider, address) == MAKER


def test_the_plan_is_its_cells_and_keys(address):
    """Another name, replication or key is another plan."""
    others = [
        Address("b", 3, address.key),
        Address(address.cell, 4, address.key),
        Address(address.cell, 3, "0" * 64),
    ]
    assert (
        len({plan_hash([a]) for a in (address, *others)} | {plan_hash([address, others[0]])}) == 5
    )


def test_the_source_hash_is_of_the_model_alone(tmp_path, monkeypatch, root):
    """A changed kernel makes old replications useless; a changed report does not."""
    import sim.store.cells as cells

    shutil.copytree(root / "sim", tmp_path / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(cells, "__file__", str(tmp_path / "sim/store/cells.py"))
    before = source_hash()
    (tmp_path / "sim/report").mkdir(exist_ok=True)
    (tmp_path / "sim/report/pages.py").write_text("changed = True\n")
    assert source_hash() == before
    (tmp_path / "sim/kernels/counting.py").write_text("changed = True\n")
    assert source_hash() != before
