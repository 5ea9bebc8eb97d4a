"""Replications kept by what they are: tables as Parquet, addressed by content."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sim.store.files import (
    StoreError,
    in_a_sentence,
    open_new,
    read_file,
    remove,
    sha256,
    slug,
    temporary_name,
    to_json,
)
from sim.tables import TABLES, Tables
from sim.tables.column import Column

if TYPE_CHECKING:
    import pyarrow as pa

CELL_FILE: Final = "cell.json"
# What a replication does not depend on: how it is asked for, measured and shown.
_NOT_THE_MODEL: Final = frozenset({
    "cli", "experiment", "metrics", "report", "history.py", "machine.py", "__init__.py",
    "__main__.py",
})  # fmt: skip


def schema(columns: Iterable[Column]) -> pa.Schema:
    """Return the Arrow schema of declared *columns*."""
    import pyarrow as pa

    return pa.schema(
        [(c.name, pa.string() if c.dtype == "str" else pa.type_for_alias(c.dtype)) for c in columns]
    )


def _parquet(table: pa.Table) -> bytes:
    """Return *table* as Parquet: equal tables, equal bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def arrow(name: str, frame: Any) -> pa.Table:
    """Return *frame* with the declared schema of table *name* and no metadata; a column that is
    missing or not declared raises `ValueError`.
    """
    import pyarrow as pa

    if list(frame.columns) != TABLES[name].names:
        raise ValueError(
            f"table {name}: columns {list(frame.columns)} are not the declared {TABLES[name].names}"
        )
    fields = schema(TABLES[name].columns)
    return pa.Table.from_arrays(
        [pa.array(frame[field.name].to_numpy(), field.type, from_pandas=True) for field in fields],
        schema=fields,
    )


def _read_arrow(data: bytes) -> pa.Table:
    """Return Parquet *data* as an Arrow table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)


def read_parquet(data: bytes) -> Any:
    """Return Parquet *data* as a pandas data frame."""
    return _read_arrow(data).to_pandas(use_threads=False)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a replication of a cell is kept: *key* is the SHA-256 of everything its result depends
    on.
    """

    cell: str
    replication: int
    key: str

    @property
    def folder(self) -> str:
        return f"{slug(self.cell)}-{self.replication}-{self.key[:12]}"


def source_hash() -> str:
    """Return the SHA-256 of the model's source: what a replication's result depends on beside its
    scenario.
    """
    here = Path(__file__).parents[1]
    names = (path.relative_to(here) for path in sorted(here.rglob("*.py")))
    return sha256(
        to_json(
            [
                [name.as_posix(), sha256((here / name).read_bytes())]
                for name in names
                if name.parts[0] not in _NOT_THE_MODEL
            ]
        )
    )


def cell_key(
    scenario: str,
    environment: Mapping[str, Any],
    *,
    model: str,
    seed: int,
    replication: int,
    engine: str,
) -> str:
    """Return the key of one replication of the resolved *scenario* text (without its name, question
    and replications) by a *model* version in an *environment*, a mapping of JSON values.
    """
    asked = {"scenario": scenario, "seed": seed, "replication": replication, "engine": engine}
    return sha256(to_json({**environment, **asked, "model": model}))


def plan_hash(addresses: Iterable[Address]) -> str:
    """Return the SHA-256 of a plan: every cell's name and every key, in order."""
    return sha256(to_json([[a.cell, a.replication, a.key] for a in addresses]))


def _packed(tables: Tables) -> dict[str, bytes]:
    """Return the Parquet file of each of *tables*, by the file's name."""
    return {
        f"{name}.parquet": _parquet(arrow(name, frame)) for name, frame in sorted(tables.items())
    }


def write_cell(run: Path, address: Address, tables: Tables, made_by: Mapping[str, str]) -> None:
    """Keep one replication's *tables* in *run*, and who made them: the folder appears complete, or
    not at all. Raises `StoreError`.

    It is not flushed to the disk: a killed process loses nothing by that, and what a power cut
    takes is found by its hash and run again.
    """
    _keep(run, address, _packed(tables), made_by)


def _keep(
    run: Path, address: Address, files: Mapping[str, bytes], made_by: Mapping[str, str]
) -> None:
    """Keep a replication's Parquet *files*, by name, as `write_cell` does."""
    final = run / "cells" / address.folder
    hashes = {name: sha256(data) for name, data in files.items()}
    listed = to_json({"key": address.key, "files": hashes, "made_by": dict(made_by)})
    contents = {**files, CELL_FILE: listed}
    with in_a_sentence(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_name(final)
        try:
            temporary.mkdir()
            for name, data in contents.items():
                with open_new(temporary / name) as file:
                    file.write(data)
            os.rename(temporary, final)
        except OSError:
            if not final.is_dir():
                raise
            return  # another runner of the same plan was first, with the same bytes
        finally:
            remove(temporary)


def _sound_files(run: Path, address: Address) -> dict[str, bytes]:
    """Return the Parquet files of a replication by table; raises `StoreError` that names the first
    that is missing, altered or not a plain file.
    """
    return _sound_files_in(run / "cells" / address.folder, address.key)[0]


def _sound_files_in(folder: Path, key: str) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the same of the replication with *key* that *folder* holds, and who made it."""
    if folder.is_symlink() or folder.parent.is_symlink():
        raise StoreError(f"{folder} is reached through a symbolic link", 3)
    data = read_file(folder / CELL_FILE)
    try:
        content = json.loads(data)
        sound = to_json(content) == data and content["key"] == key
        files: dict[str, str] = dict(content["files"])
        made_by: dict[str, str] = dict(content.get("made_by", {}))
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = False
        files = {}
        made_by = {}
    if not sound:
        raise StoreError(f"{folder / CELL_FILE} is damaged", 3)
    if {path.name for path in folder.iterdir()} != {CELL_FILE, *files}:
        raise StoreError(f"{folder} does not hold the files that its {CELL_FILE} lists", 3)
    tables = {}
    for name, want in files.items():
        data = read_file(folder / name)
        if sha256(data) != want:
            raise StoreError(
                f"{folder / name} is damaged: its SHA-256 is not the one in {CELL_FILE}", 3
            )
        tables[name.removesuffix(".parquet")] = data
    return tables, made_by


def made_by(run: Path, address: Address) -> dict[str, str]:
    """Return who made a finished replication, as `write_cell` was told; nothing where that was
    before it was asked. Raises `StoreError` when its `cell.json` is missing or damaged.
    """
    path = run / "cells" / address.folder / CELL_FILE
    try:
        return dict(json.loads(read_file(path)).get("made_by", {}))
    except (ValueError, AttributeError, TypeError):
        raise StoreError(f"{path} is damaged", 3) from None


def read_cell(run: Path, address: Address) -> dict[str, pa.Table]:
    """Return the Arrow tables of a finished replication; raises `StoreError` when anything about it
    is not as it was written.
    """
    return {name: _read_arrow(data) for name, data in _sound_files(run, address).items()}


def same(run: Path, address: Address, tables: Tables) -> dict[str, bool]:
    """Return, of each table that a finished replication has, whether *tables* would be kept as the
    same bytes; what a version of before did not write yet is not asked. Raises `StoreError` as
    `read_cell`.
    """
    new = {name.removesuffix(".parquet"): data for name, data in _packed(tables).items()}
    kept = _sound_files(run, address)
    return {name: kept[name] == new.get(name) for name in sorted(kept)}


def set_aside(run: Path, address: Address) -> Path:
    """Rename a damaged replication out of the way and return its new path, so that it is run again
    and can still be looked at.
    """
    folder = run / "cells" / address.folder
    number = 1
    while (aside := folder.with_name(f"{folder.name}.corrupt{number}")).exists():
        number += 1
    with in_a_sentence(aside):
        os.rename(folder, aside)
    return aside


def finished(run: Path, addresses: Iterable[Address]) -> tuple[set[Address], list[str]]:
    """Return which of *addresses* are done in *run*, and a sentence for each one found damaged and
    set aside.
    """
    done, warnings = set(), []
    for address in addresses:
        if not os.path.lexists(run / "cells" / address.folder):
            continue
        try:
            _sound_files(run, address)
            done.add(address)
        except StoreError as damage:
            aside = set_aside(run, address)
            warnings.append(f"{damage}; set aside as {aside.name} and run again")
    return done, warnings


def adopt(run: Path, addresses: Iterable[Address], others: Iterable[Path]) -> int:
    """Copy into *run* each replication of *addresses* that it lacks and one of the *others*,
    folders of runs, keeps sound; return how many.

    A replication is what its key says, so a run that is asked for more of them, or a sweep that was
    widened, does again only what nobody has done.
    """
    cells = (other / "cells" for other in sorted(others) if other != run)
    elsewhere = (folder for each in cells if each.is_dir() for folder in each.iterdir())
    kept = {
        folder.name.rpartition("-")[2]: folder
        for folder in elsewhere
        if not folder.name.startswith(".")
    }
    n = 0
    for address in addresses:
        folder = kept.get(address.key[:12])
        if folder is None or os.path.lexists(run / "cells" / address.folder):
            continue
        with suppress(StoreError):  # what is damaged there is its own run's to tell; here it is run
            tables, maker = _sound_files_in(folder, address.key)
            files = {f"{name}.parquet": data for name, data in tables.items()}
            _keep(run, address, files, maker)
            n += 1
    return n
