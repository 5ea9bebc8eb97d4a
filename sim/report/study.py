"""A run as its report sees it: what was asked, the world of each cell, and every estimate; read
from its folder alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from os import PathLike
from typing import Any

from sim.metrics import METRICS, Difference, Estimate, Window, comparable
from sim.metrics.estimates import difference_of, read_back
from sim.metrics.results import Results
from sim.scenario.leaves import leaves_of
from sim.scenario.load import load, resolved
from sim.scenario.read_when import counts_bytes
from sim.scenario.scale import scaled
from sim.scenario.schema import Scenario
from sim.scenario.tree import parse
from sim.scenario.validate import scenario_of
from sim.store import read_file


@dataclass(frozen=True, slots=True)
class Cell:
    """One world of a run: its *name*, its *option* ("" where there is none), the *levels* of its
    factors, its *scenario*, and that as text by leaf.

    *n_cells* says how many WAN cells each region has, where they are a stage; *asked* is the world
    as it was asked for, of which *scenario* is the part that was simulated; *capacities* are
    messages a second by stage and server, where a capacity is in bytes.
    """

    name: str
    option: str
    levels: dict[str, str]
    scenario: Scenario
    leaves: dict[str, str]
    n_cells: dict[str, int]
    asked: Scenario
    capacities: dict[tuple[str, str], float]

    @property
    def called(self) -> str:
        """What tells it from cells of the same levels: its option, or its name where there are no
        options.
        """
        return self.option or self.name


def base_leaves(name: str = "gb_base") -> dict[str, str]:
    """Return the leaves of a shipped base scenario (that of firmware worlds is gb_firmware),
    written as a resolved scenario writes them.
    """
    base = load(name)
    assert isinstance(base, Scenario)
    return leaves_of(parse(resolved(base), name)[0])


class Study:
    """A run read for its report. *cells* holds the cells that have results, in order."""

    def __init__(self, run: str | PathLike[str] | Results) -> None:
        """Read *run*, results or where they are; raises `StoreError` when they are missing or not
        as they were written.
        """
        self.results = run if isinstance(run, Results) else Results(run)
        self.manifest = self.results.manifest
        self.name = str(self.manifest["name"])
        self.question = str(self.manifest["question"])
        self.metrics: tuple[str, ...] = tuple(self.manifest["metrics"])
        measured = set(self.results.summary["cell"])
        self.cells = tuple(cell for cell in self._cells() if cell.name in measured)

    def _cells(self) -> Iterable[Cell]:
        file = self.results.path / "resolved.yaml"
        listed = {cell["name"]: cell["levels"] for cell in self.manifest["cells"]}
        for text in read_file(file).decode("utf-8").split("---\n"):
            tree, faults = parse(text, str(file))
            name = text.partition("\n")[0].removeprefix("# cell: ")
            levels = {path: str(level) for path, level in listed[name].items() if path != "option"}
            asked = scenario_of(tree, faults, str(file))
            has_cells = any(stage.stage == "cell" for stage in asked.network)
            n_cells = self._wan_cells(name) if has_cells else {}
            option, leaves = str(listed[name].get("option", "")), leaves_of(tree)
            capacities = self._capacities(name) if counts_bytes(asked) else {}
            yield Cell(name, option, levels, scaled(asked), leaves, n_cells, asked, capacities)

    def _capacities(self, cell: str) -> dict[tuple[str, str], float]:
        """Return what each server of *cell* passes on in messages a second, a mean over
        replications.
        """
        whole = self.results.table("stages")
        means = whole[whole["cell"] == cell].groupby(["stage", "server"])["capacity_per_s"].mean()
        servers: Any = means.items()
        return {(str(stage), str(server)): float(n) for (stage, server), n in servers}

    def _wan_cells(self, cell: str) -> dict[str, int]:
        """Return how many WAN cells each region of *cell* has; every replication says the same."""
        whole = self.results.table("cells")
        here = whole[whole["cell"] == cell]
        return dict(zip(here["region"].tolist(), here["n_cells"].tolist(), strict=True))

    @cached_property
    def _estimates(self) -> dict[tuple[str, str, str], Estimate]:
        rows: Any = self.results.summary.to_dict("records")
        never = {name: metric.never for name, metric in METRICS.items()}
        return {
            (row["cell"], row["metric"], row["group"]): read_back(
                row, never=never.get(row["metric"], "not reached")
            )
            for row in rows
        }

    @cached_property
    def _differences(self) -> dict[tuple[str, str, str], Difference]:
        if self.manifest["comparator"] is None:
            return {}
        rows: Any = self.results.table("differences").to_dict("records")
        return {(row["cell"], row["metric"], row["group"]): difference_of(row) for row in rows}

    @cached_property
    def cautions(self) -> dict[str, int]:
        """What there is to know against the intervals of the metrics asked for, and of how many
        estimates and differences it holds, the commonest first.
        """
        asked = set(self.metrics or METRICS)
        found = [
            estimate
            for (_, metric, _), estimate in (*self._estimates.items(), *self._differences.items())
            if metric in asked and estimate.n > 1
        ]
        counts = Counter(
            estimate.warning for estimate in found if estimate.warning and isfinite(estimate.value)
        )
        return dict(counts.most_common())

    def estimate(self, cell: Cell, metric: str, group: str = "all") -> Estimate | None:
        """Return the estimate of *metric* for a *group* in *cell*; None where it does not apply."""
        return self._estimates.get((cell.name, metric, group))

    def groups(self, cell: Cell, metric: str) -> dict[str, Estimate]:
        """Return the estimates of *metric* in *cell* by group, without `all`."""
        return {
            group: found
            for (name, of, group), found in self._estimates.items()
            if (name, of) == (cell.name, metric) and group != "all"
        }

    def difference(self, cell: Cell, metric: str, group: str = "all") -> Difference | None:
        """Return the paired difference of *metric* between *cell* and its comparator; None where
        there is none.
        """
        return self._differences.get((cell.name, metric, group))

    def comparator_of(self, cell: Cell) -> Cell | None:
        """Return the cell that *cell* is compared with: the one named, or the one of the option
        named with the same levels; None for that cell itself.
        """
        named = self.manifest["comparator"]
        for other in self.cells:
            if named is not None and (
                other.name == named or (other.option == named and other.levels == cell.levels)
            ):
                return None if other is cell else other
        return None

    def window(self, cell: Cell) -> Window:
        """Return what a metric must know of *cell* beside its tables."""
        found = next(entry for entry in self.manifest["cells"] if entry["name"] == cell.name)
        return Window(found["warm_up_s"], found["length_s"])

    @cached_property
    def _parts(self) -> dict[str, dict[tuple[str, int], Any]]:
        return {}

    def tables(self, name: str, cell: Cell) -> dict[int, Any]:
        """Return table *name* of *cell* by replication, for every replication that was finished; a
        table may be empty.
        """
        for wanted in dict.fromkeys(("population", name)):  # every replication has a population
            if wanted not in self._parts:
                whole = self.results.table(wanted)
                groups: Any = whole.groupby(["cell", "replication"], sort=True)
                self._parts[wanted] = {
                    (str(cell_name), int(r)): part for (cell_name, r), part in groups
                } | {("", -1): whole.iloc[:0]}
        replications = sorted(
            replication for of, replication in self._parts["population"] if of == cell.name
        )
        parts = self._parts[name]
        return {
            replication: parts.get((cell.name, replication), parts["", -1])
            for replication in replications
        }

    @cached_property
    def by_metric(self) -> Any:
        """Every value of the run: `cell`, `replication`, `value`, indexed by metric and group."""
        return self.results.values().set_index(["metric", "group"]).sort_index()

    @cached_property
    def prints(self) -> dict[str, int]:
        """A number by cell that is the same for cells whose every value is."""
        values: Any = self.results.values()
        keys = ["replication", "metric", "group"]
        found = {}
        for cell, rows in values.groupby("cell", sort=False):
            ordered = rows.sort_values(keys)
            names = tuple(ordered[keys].itertuples(index=False, name=None))
            found[str(cell)] = hash((names, ordered["value"].to_numpy().tobytes()))
        return found

    @cached_property
    def _series(self) -> dict[tuple[str, str], dict[str, dict[int, float]]]:
        return {}

    def series(self, cell: Cell, metric: str, group: str = "all") -> dict[int, float]:
        """Return *metric* of a *group* in *cell* by replication, as the run's files have it."""
        key = metric, group
        if key not in self._series:
            found: dict[str, dict[int, float]] = {}
            if key in self.by_metric.index:
                for name, replication, value in self.by_metric.loc[[key]].itertuples(index=False):
                    found.setdefault(name, {})[replication] = value
            self._series[key] = found
        return self._series[key].get(cell.name, {})

    def paired(self, cell: Cell, other: Cell, metric: str, group: str = "all") -> Difference | None:
        """Return the paired difference of *metric* between any two cells, *cell* − *other*; None
        where they share no replication, or it was never reached in one.
        """
        mine, theirs = (self.series(each, metric, group) for each in (cell, other))
        shared = sorted(mine.keys() & theirs.keys())
        samples = [mine[r] for r in shared], [theirs[r] for r in shared]
        if not comparable(*samples):
            return None
        apart = METRICS[metric].difference(*samples)
        shares = (self._shares(each, metric, group) for each in (cell, other))
        return METRICS[metric].conditioned(apart, group, *shares)

    def _shares(self, cell: Cell, metric: str, group: str) -> dict[tuple[str, str], float]:
        """Return the share that *metric* of a *group* is conditional on in *cell*, and that of all.
        """
        of = METRICS[metric].of
        if of is None:
            return {}
        found = {(of.share, each): self.estimate(cell, of.share, each) for each in (group, "all")}
        return {key: share.value for key, share in found.items() if share is not None}
