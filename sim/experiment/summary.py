"""What all replications say together: an estimate for each cell, metric and group, and the differences from the comparator."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sim.experiment.plan import Plan, Task, comparator_of
from sim.metrics import METRICS, Window, estimate, measure, paired_difference
from sim.scenario.design import Cell
from sim.scenario.schema import Scenario
from sim.store import MergedTables, read_cell, write_file

# By cell, by replication, by metric and group.
Measured = dict[str, dict[int, dict[tuple[str, str], float]]]
Row = tuple[Any, ...]

SUMMARY: Final = ("metric", "group", "value", "half_width", "n", "unit")
DIFFERENCES: Final = ("cell", "comparator", "metric", "group", "difference", "half_width", "unpaired_half_width", "n", "unit")


def window_of(scenario: Scenario) -> Window:
    """Return what the metrics must know of *scenario* beside its tables."""
    kinds = [name for name, kind in scenario.traffic.kinds.items() if kind.alert]
    return Window(scenario.window.warm_up, scenario.window.length, (*kinds, "version_report"))


def factors_of(plan: Plan) -> dict[str, dict[str, str]]:
    """Return the level of each factor for each cell, by factor then cell; the options are a factor named `option`."""
    paths = ["option"] * any(cell.option for cell in plan.cells) + list(dict.fromkeys(path for cell in plan.cells for path in cell.levels))
    return {path: {cell.name: cell.option if path == "option" else cell.levels.get(path, "") for cell in plan.cells} for path in paths}


def merge(run: Path, tasks: Iterable[Task]) -> Measured:
    """Write the merged tables of the finished *tasks* of *run*, in their order, and return the metrics of each."""
    measured: Measured = {}
    with MergedTables(run) as merged:
        for task in tasks:
            cell, replication = task.cell.name, task.address.replication
            tables = read_cell(run, task.address)
            merged.add(cell, replication, tables)
            measured.setdefault(cell, {})[replication] = measure(tables, window_of(task.cell.scenario))
    return measured


def _keys(replications: Iterable[Mapping[tuple[str, str], float]]) -> list[tuple[str, str]]:
    """Return every (metric, group) of a cell's *replications*: in the order of `METRICS`, `all` before the groups by name."""
    found = {key for values in replications for key in values}
    place = {name: number for number, name in enumerate(METRICS)}
    return sorted(found, key=lambda key: (place[key[0]], key[1] != "all", key[1]))


def summary(plan: Plan, measured: Measured) -> tuple[Sequence[str], list[Row]]:
    """Return the header and rows of `summary.csv`."""
    factors = factors_of(plan)
    rows = []
    for cell in (cell for cell in plan.cells if cell.name in measured):
        levels = [level[cell.name] for level in factors.values()]
        replications = [values for _, values in sorted(measured[cell.name].items())]
        for key in _keys(replications):
            found = estimate([values[key] for values in replications if key in values], METRICS[key[0]].unit)
            rows.append((cell.name, *levels, *key, found.value, found.half_width, found.n, found.unit))
    return ("cell", *factors, *SUMMARY), rows


def differences(plan: Plan, measured: Measured) -> list[Row]:
    """Return the rows of `differences.csv`: each cell less its comparator, replication by replication, where both have the metric."""
    return [row for cell in plan.cells if (other := comparator_of(plan, cell)) is not None for row in _differences(cell, other, measured)]


def _differences(cell: Cell, other: Cell, measured: Measured) -> Iterator[Row]:
    mine, theirs = measured.get(cell.name, {}), measured.get(other.name, {})
    shared = sorted(mine.keys() & theirs.keys())
    for key in _keys(mine[r] for r in shared):
        pairs = [(mine[r][key], theirs[r][key]) for r in shared if key in mine[r] and key in theirs[r]]
        if pairs:
            found = paired_difference([a for a, _ in pairs], [b for _, b in pairs], METRICS[key[0]].unit)
            yield cell.name, other.name, *key, found.value, found.half_width, found.unpaired_half_width, found.n, found.unit


def to_csv(header: Sequence[str], rows: Iterable[Row]) -> bytes:
    """Return CSV; text that a spreadsheet would take for a formula begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in (header, *rows):
        writer.writerow([f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value for value in row])
    return text.getvalue().encode()


def write_summary(run: Path, plan: Plan, measured: Measured) -> None:
    """Write `summary.csv` and, where there is a comparator, `differences.csv` and `tables/differences.parquet`."""
    write_file(run / "summary.csv", to_csv(*summary(plan, measured)))
    if plan.comparator is not None:
        rows = differences(plan, measured)
        write_file(run / "differences.csv", to_csv(DIFFERENCES, rows))
        write_file(run / "tables" / "differences.parquet", _differences_parquet(rows))


def _differences_parquet(rows: Sequence[Row]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {name: pa.float64() for name in ("difference", "half_width", "unpaired_half_width")} | {"n": pa.int32()}
    columns = list(zip(*rows, strict=True)) or [()] * len(DIFFERENCES)
    arrays = [pa.array(column, kinds.get(name, pa.string())) for name, column in zip(DIFFERENCES, columns, strict=True)]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(arrays, names=list(DIFFERENCES)), sink, compression="zstd")
    return bytes(sink.getvalue())
