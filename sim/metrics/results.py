"""A finished run, read from its folder alone: tables as data frames, metrics as estimates. It needs
nothing of the simulation, now or in ten years.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from sim import history
from sim.metrics import METRICS, Window, measure
from sim.metrics.estimates import Estimate, read_back
from sim.store import StoreError, find_run, read_file, read_manifest, read_parquet, sha256
from sim.tables import TABLES


def _of_today(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return *manifest* with the metrics that were asked for under their names of today."""
    asked: dict[str, Any] = {"metrics": [history.metric(name) for name in manifest["metrics"]]}
    if manifest.get("primary"):
        asked["primary"] = history.metric(manifest["primary"])
    design = manifest.get("design")
    if design and (analysis := design.get("analysis")):
        sought = [history.metric(name) for name in analysis["sensitivity"]]
        named: dict[str, Any] = {"sensitivity": sought}
        if analysis["choose"]:
            named["choose"] = history.metric(analysis["choose"])
        asked["design"] = design | {"analysis": analysis | named}
    return manifest | asked


class Results:
    """The results in a run folder, a folder of runs (its latest), or under a scenario's name in
    `results/`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the results at *path*; raises `StoreError` when there are none or the manifest is
        damaged.
        """
        self.path: Path = find_run(os.fspath(path), Path("results"))
        self.manifest: dict[str, Any] = _of_today(read_manifest(self.path))

    def __repr__(self) -> str:
        return f"Results({str(self.path)!r})"

    def _file(self, name: str) -> bytes:
        """Return a file the manifest vouches for; raises `StoreError` when it is missing or
        altered.
        """
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
        """`summary.csv`, one row for each cell, metric and group, with the ends, method and warning
        that `intervals.csv` holds of each.
        """
        factors = list(self.manifest["cells"][0]["levels"])
        text = ("cell", *factors, "metric", "group", "unit")
        rows = self._measures("summary.csv", text, ("half_width",))
        if "intervals.csv" not in self.manifest["files"]:  # made before there was one
            return rows
        text = ("cell", "metric", "group", "method", "warning", "condition")
        intervals = self._measures("intervals.csv", text, ("low", "high", "condition_share"))
        return rows.merge(intervals, on=["cell", "metric", "group"], how="left")

    def _measures(self, name: str, text: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
        """Return file *name* with the metrics under their names of today; the columns *text* are
        taken as they stand, those of *numbers* may be nan.
        """
        frame = pd.read_csv(
            io.BytesIO(self._file(name)),
            dtype=dict.fromkeys(text, "str"),
            keep_default_na=False,
            na_values=dict.fromkeys(numbers, ["nan", ""]),
        )
        return frame.assign(metric=frame["metric"].map(history.metric))

    @cached_property
    def half(self) -> dict[tuple[str, str, str], float] | None:
        """The metrics of one replication of each cell at half the run's size, by cell, metric and
        group; None where that was not run.
        """
        if "half.csv" not in self.manifest["files"]:
            return None
        rows = self._measures("half.csv", ("cell", "metric", "group"), ("value",))
        each = zip(rows["cell"], rows["metric"], rows["group"], rows["value"], strict=True)
        return {(cell, metric, group): float(value) for cell, metric, group, value in each}

    def has(self, name: str) -> bool:
        """Whether the run has a table *name*, which may be a name that it had before."""
        return self._file_of(name) in self.manifest["files"]

    def _file_of(self, name: str) -> str:
        """Return the file of table *name*, under the name that it had when it was written."""
        today = history.table(name)
        names = [today, *(old for old, new in history.TABLES.items() if new == today)]
        files = [f"tables/{each}.parquet" for each in names]
        return next((file for file in files if file in self.manifest["files"]), files[0])

    def table(self, name: str) -> pd.DataFrame:
        """Return a merged table of `sim.tables`, `values` or `differences`: `cell`, `replication`,
        then its columns. A table that was renamed answers to its old name too, and a column that
        was is there under both; one that the table did not have then says so (`history.ADDED`).
        Raises `StoreError` when there is none.
        """
        today = history.table(name)
        renamed, added = history.columns(today), history.ADDED.get(today, {})
        frame: pd.DataFrame = read_parquet(self._file(self._file_of(name)))
        frame = frame.rename(columns=renamed)
        if "metric" in frame:
            frame["metric"] = frame["metric"].map(history.metric)
        frame = frame.assign(**{new: n for new, n in added.items() if new not in frame})
        return frame.assign(**{old: frame[new] for old, new in renamed.items() if new in frame})

    def metric(self, name: str, group: str = "all", cell: str | None = None) -> Estimate:
        """Return the estimate of a metric; *cell* may be left out when there is one. Raises
        `KeyError` with what there is.
        """
        if cell is None and len(self.cells) > 1:
            raise KeyError(f"which cell? There are {', '.join(self.cells)}")
        rows, name = self.summary, history.metric(name)
        for column, value, what in (
            ("cell", cell or self.cells[0], "cell"),
            ("metric", name, "metric"),
            ("group", group, f"group of {name}"),
        ):
            known = list(dict.fromkeys(rows[column]))
            rows = rows[rows[column] == value]
            if rows.empty:
                raise KeyError(f"no {what} {value!r}; there are {', '.join(known)}")
        never = METRICS[name].never if name in METRICS else "not reached"
        return read_back(rows.iloc[0].to_dict(), never=never)

    def values(self) -> pd.DataFrame:
        """Return every metric of every replication: `cell`, `replication`, `metric`, `group`,
        `value`; of a run without the file, measured again.

        Raises `StoreError` when the tables are missing or altered.
        """
        if self.has("values"):
            return self.table("values")
        tables = {name: self.table(name) for name in TABLES if self.has(name)}
        windows = {
            cell["name"]: Window(cell["warm_up_s"], cell["length_s"])
            for cell in self.manifest["cells"]
        }
        done: Any = tables["population"].groupby(["cell", "replication"], sort=False).groups
        found = []
        for cell, replication in done:
            part = {
                name: table[(table["cell"] == cell) & (table["replication"] == replication)]
                for name, table in tables.items()
            }
            found += [
                (cell, replication, *key, value)
                for key, value in measure(part, windows[cell]).items()
            ]
        return pd.DataFrame(found, columns=["cell", "replication", "metric", "group", "value"])
