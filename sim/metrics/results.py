"""A finished run, read from its folder alone: tables as data frames, metrics as estimates. It needs nothing of the simulation, now or in ten years."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from sim.metrics import Window, measure
from sim.metrics.estimates import Estimate, read_back
from sim.store import StoreError, find_run, read_file, read_manifest, read_parquet, sha256
from sim.tables import TABLES


class Results:
    """The results in a run folder, a folder of runs (its latest), or under a scenario's name in `results/`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the results at *path*; raises `StoreError` when there are none or the manifest is damaged."""
        self.path: Path = find_run(os.fspath(path), Path("results"))
        self.manifest: dict[str, Any] = read_manifest(self.path)

    def __repr__(self) -> str:
        return f"Results({str(self.path)!r})"

    def _file(self, name: str) -> bytes:
        """Return a file the manifest vouches for; raises `StoreError` when it is missing or altered."""
        data = read_file(self.path / name)
        if sha256(data) != self.manifest["files"].get(name):
            raise StoreError(f"{self.path / name} is not as it was written", 3)
        return data

    @property
    def cells(self) -> list[str]:
        """The names of the cells, in order."""
        return [cell["name"] for cell in self.manifest["cells"]]

    @property
    def report_path(self) -> Path:
        """Where the report is."""
        return self.path / "report.html"

    @cached_property
    def summary(self) -> pd.DataFrame:
        """`summary.csv`, one row for each cell, metric and group, with the ends, method and warning that `intervals.csv` holds of each."""
        factors = list(self.manifest["cells"][0]["levels"])
        rows = self._csv("summary.csv", ("cell", *factors, "metric", "group", "unit"), ("half_width",))
        if "intervals.csv" not in self.manifest["files"]:  # made before there was one
            return rows
        intervals = self._csv("intervals.csv", ("cell", "metric", "group", "method", "warning"), ("low", "high"))
        return rows.merge(intervals, on=["cell", "metric", "group"], how="left")

    def _csv(self, name: str, text: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
        """Return file *name*; the columns *text* are taken as they stand, those of *numbers* may be nan."""
        return pd.read_csv(io.BytesIO(self._file(name)), dtype=dict.fromkeys(text, "str"), keep_default_na=False, na_values=dict.fromkeys(numbers, ["nan"]))

    def table(self, name: str) -> pd.DataFrame:
        """Return a merged table of `sim.tables`, `values` or `differences`: `cell`, `replication`, then its columns. Raises `StoreError` when there is none."""
        frame: pd.DataFrame = read_parquet(self._file(f"tables/{name}.parquet"))
        return frame

    def metric(self, name: str, group: str = "all", cell: str | None = None) -> Estimate:
        """Return the estimate of a metric; *cell* may be left out when there is one. Raises `KeyError` with what there is."""
        if cell is None and len(self.cells) > 1:
            raise KeyError(f"which cell? There are {', '.join(self.cells)}")
        rows = self.summary
        for column, value, what in (("cell", cell or self.cells[0], "cell"), ("metric", name, "metric"), ("group", group, f"group of {name}")):
            known = list(dict.fromkeys(rows[column]))
            rows = rows[rows[column] == value]
            if rows.empty:
                raise KeyError(f"no {what} {value!r}; there are {', '.join(known)}")
        return read_back(rows.iloc[0].to_dict())

    def values(self) -> pd.DataFrame:
        """Return every metric of every replication: `cell`, `replication`, `metric`, `group`, `value`; of a run without the file, measured again.

        Raises `StoreError` when the tables are missing or altered.
        """
        if "tables/values.parquet" in self.manifest["files"]:
            return self.table("values")
        tables = {name: self.table(name) for name in TABLES if f"tables/{name}.parquet" in self.manifest["files"]}
        windows = {cell["name"]: Window(cell["warm_up_s"], cell["length_s"]) for cell in self.manifest["cells"]}
        done: Any = tables["population"].groupby(["cell", "replication"], sort=False).groups
        found = []
        for cell, replication in done:
            part = {name: table[(table["cell"] == cell) & (table["replication"] == replication)] for name, table in tables.items()}
            found += [(cell, replication, *key, value) for key, value in measure(part, windows[cell]).items()]
        return pd.DataFrame(found, columns=["cell", "replication", "metric", "group", "value"])
