"""What all replications say together: an estimate for each cell, metric and group, and the
differences from the comparator.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf, nan
from pathlib import Path
from typing import Any, Final

from sim.experiment.plan import Plan, Task, comparator_of
from sim.metrics import METRICS, Window, comparable, measure
from sim.metrics.comparing import holm
from sim.metrics.estimates import Estimate
from sim.scenario.design import Cell
from sim.scenario.schema import Scenario
from sim.store import MergedTables, read_cell, write_file
from sim.units import added

# By cell, by replication, by metric and group.
Measured = dict[str, dict[int, dict[tuple[str, str], float]]]
Row = tuple[Any, ...]

SUMMARY: Final = ("metric", "group", "value", "half_width", "n", "unit")
INTERVALS: Final = (
    "cell", "metric", "group", "low", "high", "method", "warning", "condition", "condition_share",
    "replications",
)  # fmt: skip
DIFFERENCES: Final = (
    "cell",
    "comparator",
    "metric",
    "group",
    "difference",
    "half_width",
    "unpaired_half_width",
    "n",
    "unit",
    "low",
    "high",
    "variance_reduction",
    "p",
    "p_holm",
    "warning",
    "condition",
    "condition_share",
    "condition_other_share",
    "replications",
)
_VALUES: Final = ("cell", "replication", "metric", "group", "value")


def window_of(scenario: Scenario) -> Window:
    """Return what the metrics must know of *scenario* beside its tables."""
    return Window(scenario.window.warm_up, scenario.window.length)


def factors_of(plan: Plan) -> dict[str, dict[str, str]]:
    """Return the level of each factor for each cell, by factor then cell; the options are a factor
    named `option`.
    """
    paths = ["option"] * any(cell.option for cell in plan.cells) + list(
        dict.fromkeys(path for cell in plan.cells for path in cell.levels)
    )
    return {
        path: {
            cell.name: cell.option if path == "option" else cell.levels.get(path, "")
            for cell in plan.cells
        }
        for path in paths
    }


def merge(run: Path, tasks: Iterable[Task]) -> Measured:
    """Write the merged tables of the finished *tasks* of *run*, in their order, and return the
    metrics of each.
    """
    measured: Measured = {}
    with MergedTables(run) as merged:
        for task in tasks:
            cell, replication = task.cell.name, task.address.replication
            tables = read_cell(run, task.address)
            merged.add(cell, replication, tables)
            measured.setdefault(cell, {})[replication] = measured_in(tables, task.cell.scenario)
    return measured


def measured_in(tables: Mapping[str, Any], scenario: Scenario) -> dict[tuple[str, str], float]:
    """Return the metrics of one replication of *scenario*, from its Arrow *tables*: their columns
    as they are, for data frames of them cost more to make.
    """
    columns: Any = {
        name: dict(zip(table.column_names, table.columns, strict=True))
        for name, table in tables.items()
    }
    return measure(
        columns | {"arrivals": tables["arrivals"].to_pandas()}, window_of(scenario)
    )  # measured by groups


def _keys(replications: Iterable[Mapping[tuple[str, str], float]]) -> list[tuple[str, str]]:
    """Return every (metric, group) of a cell's *replications*: in the order of `METRICS`, `all`
    before the groups by name.
    """
    found = {key for values in replications for key in values}
    place = {name: number for number, name in enumerate(METRICS)}
    return sorted(found, key=lambda key: (place[key[0]], key[1] != "all", key[1]))


def summary(plan: Plan, measured: Measured) -> tuple[Sequence[str], list[Row], list[Row]]:
    """Return the header and rows of `summary.csv`, and the rows of `intervals.csv`: what its
    half-widths leave out.
    """
    factors = factors_of(plan)
    rows, intervals = [], []
    for cell in (cell for cell in plan.cells if cell.name in measured):
        levels = [level[cell.name] for level in factors.values()]
        replications = [values for _, values in sorted(measured[cell.name].items())]
        shares = _shares(replications)
        for key in _keys(replications):
            metric = METRICS[key[0]]
            found = metric.estimate([values[key] for values in replications if key in values])
            found = metric.conditioned(found, key[1], shares)
            half_width, low, high = _interval(found)
            rows.append((cell.name, *levels, *key, found.value, half_width, found.n, found.unit))
            tail = metric.kind.method(found.n), found.warning, *_condition(found), len(replications)
            intervals.append((cell.name, *key, low, high, *tail))
    return ("cell", *factors, *SUMMARY), rows, intervals


def _shares(
    replications: Sequence[Mapping[tuple[str, str], float]],
) -> dict[tuple[str, str], float]:
    """Return the mean of every share that a metric is conditional on, over a cell's *replications*.
    """
    names = {metric.of.share for metric in METRICS.values() if metric.of is not None}
    keys = [key for key in _keys(replications) if key[0] in names]
    values = {key: [one[key] for one in replications if key in one] for key in keys}
    return {key: added(found) / len(found) for key, found in values.items()}


def _condition(found: Estimate) -> tuple[str, float]:
    """Return whom *found* speaks of, and their share of all; "" and 1 where that is all."""
    return (found.condition.who, found.condition.share) if found.condition else ("", 1.0)


def differences(plan: Plan, measured: Measured) -> list[Row]:
    """Return the rows of `differences.csv`: each cell less its comparator, replication by
    replication, where both have the metric.
    """
    pairs = [
        (cell, other) for cell in plan.cells if (other := comparator_of(plan, cell)) is not None
    ]
    return [
        row
        for cell, other in pairs
        for row in _differences(cell, other, plan.metrics or tuple(METRICS), measured)
    ]


def _differences(
    cell: Cell, other: Cell, asked: Sequence[str], measured: Measured
) -> Iterator[Row]:
    """Yield the rows of one pair; the metrics *asked* for, over every group together, are the
    family that Holm's correction is over.
    """
    mine, theirs = measured.get(cell.name, {}), measured.get(other.name, {})
    shared = sorted(mine.keys() & theirs.keys())
    shares, others = (_shares([values[r] for r in shared]) for values in (mine, theirs))
    pairs = {
        key: [(mine[r][key], theirs[r][key]) for r in shared if key in mine[r] and key in theirs[r]]
        for key in _keys(mine[r] for r in shared)
    }
    samples = {
        key: ([a for a, _ in values], [b for _, b in values]) for key, values in pairs.items()
    }
    found = {
        key: METRICS[key[0]].conditioned(METRICS[key[0]].difference(*both), key[1], shares, others)
        for key, both in samples.items() if comparable(*both)
    }  # fmt: skip
    family = [key for key in found if key[0] in asked and key[1] == "all"]
    corrected = dict(zip(family, holm([found[key].p for key in family]), strict=True))
    for key, apart in found.items():
        tail = apart.low, apart.high, apart.gain, apart.p, corrected.get(key, nan), apart.warning
        other_share = nan if apart.condition is None else apart.condition.other
        yield (
            cell.name,
            other.name,
            *key,
            apart.value,
            apart.half_width,
            apart.unpaired_half_width,
            apart.n,
            apart.unit,
            *tail,
            *_condition(apart),
            other_share,
            len(shared),
        )


def to_csv(header: Sequence[str], rows: Iterable[Row]) -> bytes:
    """Return CSV; text that a spreadsheet would take for a formula begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(map(_field, row) for row in (header, *rows))
    return text.getvalue().encode()


def _field(value: Any) -> Any:
    """Return a *value* as a field of CSV: text that a spreadsheet would take for a formula is
    defused.
    """
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def _interval(found: Estimate) -> tuple[float | None, float | None, float | None]:
    """Return half-width and ends of an interval; nothing where the value was never reached."""
    if found.value == inf:
        return None, None, None
    return found.half_width, found.low, found.high


def write_summary(run: Path, plan: Plan, measured: Measured) -> None:
    """Write `summary.csv`, `intervals.csv`, `tables/values.parquet` and, where there is a
    comparator, `differences.csv` and `tables/differences.parquet`.
    """
    header, rows, intervals = summary(plan, measured)
    write_file(run / "summary.csv", to_csv(header, rows))
    write_file(run / "intervals.csv", to_csv(INTERVALS, intervals))
    values = [
        (cell, r, *key, value)
        for cell, replications in measured.items()
        for r, found in sorted(replications.items())
        for key, value in found.items()
    ]
    write_file(run / "tables" / "values.parquet", _parquet(_VALUES, values))
    if plan.comparator is not None:
        rows = differences(plan, measured)
        write_file(run / "differences.csv", to_csv(DIFFERENCES, rows))
        write_file(run / "tables" / "differences.parquet", _parquet(DIFFERENCES, rows))


def _parquet(header: Sequence[str], rows: Sequence[Row]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = dict.fromkeys(
        ("cell", "comparator", "metric", "group", "unit", "warning", "condition"), pa.string()
    )
    kinds = (
        dict.fromkeys(header, pa.float64())
        | {"n": pa.int32(), "replication": pa.int32(), "replications": pa.int32()}
        | text
    )
    columns = list(zip(*rows, strict=True)) or [()] * len(header)
    arrays = [pa.array(column, kinds[name]) for name, column in zip(header, columns, strict=True)]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(arrays, names=list(header)), sink, compression="zstd")
    return bytes(sink.getvalue())
