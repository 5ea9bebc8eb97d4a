"""Two runs beside each other, metric by metric; and how sure one may be of each difference when
many were looked at.

Cells of the same name are compared, or the only cells of both. Where their seeds agree they met the
same luck, so they are compared pair by pair, replication by replication; otherwise as two
independent samples, by Welch. A run of a version whose tables say nothing to today's metrics is
compared by its summary alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import hypot, inf, isfinite, isnan, nan, sqrt
from typing import TYPE_CHECKING, Any, Final

from sim.metrics import METRICS
from sim.metrics.estimates import Difference, Estimate, mean_and_square, read_back, welch
from sim.metrics.metric import Metric
from sim.units import added

if TYPE_CHECKING:
    from sim.metrics.results import Results

NEVER: Final = "not reached in one of the runs: no difference"
# of another version
_UNNAMED: Final = Metric(lambda tables, window: {}, "", "", within=(-inf, inf))
Key = tuple[str, str]
Measured = dict[str, dict[Key, dict[int, float]]]  # by cell, by metric and group, by replication


@dataclass(frozen=True, slots=True)
class Apart:
    """A *metric* of a *group* in one *cell* of two runs: *mine*, *theirs*, and the *difference*
    theirs − mine, *paired* by luck or not.
    """

    cell: str
    metric: str
    group: str
    mine: float
    theirs: float
    difference: Difference
    paired: bool


def holm(p: Sequence[float]) -> list[float]:
    """Return the p values *p* of one family corrected by Holm (1979): called real below 5 %, not
    one is false in 95 % of families, however they depend.

    A p that is nan is no test, stays nan, and does not count in the family.
    """
    order = sorted(
        (place for place, value in enumerate(p) if not isnan(value)), key=lambda place: p[place]
    )
    corrected = list(p)
    least = 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, (len(order) - rank) * p[place]))
        corrected[place] = least
    return corrected


def matched(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, str]:
    """Return which cells of two runs belong together, by name; two runs of one cell each are
    compared whatever they are called.
    """
    if len(mine) == len(theirs) == 1:
        return {next(iter(mine)): next(iter(theirs))}
    return {cell: cell for cell in mine if cell in theirs}


def compared(mine: Results, theirs: Results, *, every_group: bool) -> tuple[list[Apart], list[str]]:
    """Return the metrics of *theirs* less those of *mine*, of every group or of all together, and
    what there is to know; Holm's family is all of them.
    """
    notes: list[str] = []
    seeds = [
        {cell["name"]: cell.get("seed", run.manifest.get("seed")) for cell in run.manifest["cells"]}
        for run in (mine, theirs)
    ]
    pairs = matched(*seeds)
    samples = [_measured(run) for run in (mine, theirs)]
    if None in samples:
        notes.append(
            "The tables of one run say nothing to today's metrics: compared by the summaries,"
            " unpaired, without p."
        )
        rows = _by_summary(mine, theirs, pairs, every_group)
    else:
        rows = []
        for cell, other in pairs.items():
            same = seeds[0][cell] == seeds[1][other]
            pair = [samples[0].get(cell, {}), samples[1].get(other, {})]  # type: ignore[union-attr]
            rows += _cells(cell, pair, same, every_group)
    notes += _notes(seeds, pairs)
    corrected = holm([row.difference.p for row in rows])
    return [
        replace(row, difference=replace(row.difference, p_holm=p))
        for row, p in zip(rows, corrected, strict=True)
    ], notes


def _measured(run: Results) -> Measured | None:
    """Return every value of *run*; None where its tables are not those of today."""
    found: Measured = {}
    try:
        values = run.values()
    except (KeyError, ValueError):
        return None
    for cell, replication, metric, group, value in values.itertuples(index=False):
        found.setdefault(cell, {}).setdefault((metric, group), {})[replication] = value
    return found


def _cells(
    cell: str,
    values: Sequence[Mapping[Key, Mapping[int, float]]],
    same_luck: bool,
    every_group: bool,
) -> list[Apart]:
    """Return the differences between two cells of the *values* by metric and replication."""
    keys = [key for key in values[0] if key in values[1] and (every_group or key[1] == "all")]
    shares = [{key: added(of.values()) / len(of) for key, of in run.items()} for run in values]
    rows = [_apart(cell, key, (values[0][key], values[1][key]), same_luck) for key in keys]
    return [replace(row, difference=_conditioned(row, *shares)) for row in rows]


def _conditioned(row: Apart, mine: Mapping[Key, float], theirs: Mapping[Key, float]) -> Difference:
    """Return the difference of *row* with whom it speaks of, by the shares in both runs."""
    return METRICS.get(row.metric, _UNNAMED).conditioned(row.difference, row.group, mine, theirs)


def _apart(
    cell: str, key: Key, values: tuple[Mapping[int, float], Mapping[int, float]], same_luck: bool
) -> Apart:
    """Return how the *values* of a metric and group by replication, of two runs, differ; what was
    never reached in one of them has no difference.
    """
    metric = METRICS.get(key[0], _UNNAMED)
    a, b = values
    shared = sorted(a.keys() & b.keys())
    if same_luck and shared:
        a, b = ({r: values[r] for r in shared} for values in (a, b))
    mine, theirs = list(a.values()), list(b.values())
    means = added(mine) / len(mine), added(theirs) / len(theirs)
    if not all(map(isfinite, means)):
        alike = 0.0 if sorted(mine) == sorted(theirs) else nan
        found = Difference(alike, nan, min(len(a), len(b)), metric.unit, nan, caution=NEVER)
        return Apart(cell, *key, *means, found, paired=False)
    if same_luck and shared:
        return Apart(cell, *key, *means, metric.difference(theirs, mine), paired=True)
    found = unpaired_difference(theirs, mine, metric.unit)
    return Apart(cell, *key, *means, found, paired=False)


def unpaired_difference(values: Sequence[float], others: Sequence[float], unit: str) -> Difference:
    """Return the mean of *values* less that of *others*, two independent samples, with Welch's
    interval and p.
    """
    from scipy.special import stdtr

    (mean, a), (other, b) = mean_and_square(values), mean_and_square(others)
    n = min(len(values), len(others))
    half = welch(values, others)
    if isnan(half):
        return Difference(mean - other, nan, n, unit, nan, caution="one replication: no interval")
    error = sqrt(a + b)
    degrees = (a + b) ** 2 / (a**2 / (len(values) - 1) + b**2 / (len(others) - 1)) if error else nan
    p = float(2 * stdtr(degrees, -abs(mean - other) / error)) if error else float(mean == other)
    return Difference(mean - other, half, n, unit, half, p=p)


def _by_summary(
    mine: Results, theirs: Results, pairs: Mapping[str, str], every_group: bool
) -> list[Apart]:
    """Return the differences between the estimates of two summaries, as of independent samples."""
    ours, its = _estimates(mine), _estimates(theirs)
    rows = []
    for (cell, metric, group), a in ours.items():
        b = its.get((pairs.get(cell, ""), metric, group))
        if b is not None and (every_group or group == "all"):
            apart = _independent(a, b)
            rows.append(Apart(cell, metric, group, a.value, b.value, apart, paired=False))
    return rows


def _estimates(run: Results) -> dict[tuple[str, str, str], Estimate]:
    """Return the estimates in the summary of *run*, by cell, metric and group."""
    records: Any = run.summary.to_dict("records")
    return {(row["cell"], row["metric"], row["group"]): read_back(row) for row in records}


def _independent(a: Estimate, b: Estimate) -> Difference:
    """Return *b* less *a*, of independent samples; 0 where neither was ever reached."""
    apart = 0.0 if a.value == b.value else b.value - a.value
    half = hypot(_arm(a), _arm(b))
    caution = a.warning or b.warning
    return Difference(apart, half, min(a.n, b.n), a.unit, half, caution=caution)


def _arm(found: Estimate) -> float:
    """Return how far an interval reaches from its value at the most."""
    return max(found.value - found.low, found.high - found.value)


def _notes(seeds: Sequence[Mapping[str, Any]], pairs: Mapping[str, str]) -> list[str]:
    """Return what is to be known of which cells were compared, and whether by the same luck."""
    notes = []
    strangers = [cell for cell, other in pairs.items() if seeds[0][cell] != seeds[1][other]]
    if strangers:
        few = ", ".join(strangers[:3]) + (", ..." if len(strangers) > 3 else "")
        notes.append(
            f"The seeds differ ({few}): the runs met different luck, and are compared unpaired."
        )
    for cells, known, name in (
        (seeds[0], pairs.keys(), "RUN"),
        (seeds[1], set(pairs.values()), "OTHER"),
    ):
        alone = [cell for cell in cells if cell not in known]
        if alone:
            notes.append(
                f"Only in {name}:"
                f" {', '.join(alone[:5])}{f' and {len(alone) - 5} more' if len(alone) > 5 else ''}."
            )
    return notes
