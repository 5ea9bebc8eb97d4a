"""A run as H8 sees it: a storm, the same world without it, and what each mitigation makes of it,
paired replication by replication.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import inf, isfinite
from typing import Final

from sim.metrics import Difference, Estimate, Metric, estimate
from sim.metrics.intervals import Kind
from sim.metrics.metric import ABOVE_NOUGHT
from sim.report import collateral
from sim.report.ranking import above
from sim.report.servers import Place, places
from sim.report.study import Cell, Study
from sim.report.words import interval

DELAY: Final = "end_to_end_delay_s_p90"
CALM: Final = ("no_storm", "no_report")  # options that are the world without the storm
# options that are the storm without a mitigation, where the comparator is not
STORM: Final = ("storm", "unprotected")
BUILDERS: Final = {
    "device": "device makers",
    "hub": "hub makers",
    "cell": "CSP",
    "csp": "CSP",
    "dsp": "DSP",
    "user": "users",
}
_NOTHING: Final = ("[]", "0 s")  # a setting that says that there is none
_ROW: Final = re.compile(r"network\.(\w+)\.mitigations\.(\d+)\.([\w.]+)")
_STAGE: Final = re.compile(r"network\.(\w+)\.([\w.]+)")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a mitigation changes: at which *layer* (a stage), and the *setting* in words.
    """

    layer: str
    setting: str


def _settings(cell: Cell) -> dict[str, set[str]]:
    """Return what each layer of *cell* is set to: a text for every mitigation, and one for every
    other leaf of a stage, of reporting and of updates.
    """
    rows: dict[tuple[str, str], dict[str, str]] = {}
    found: dict[str, set[str]] = {}
    for path, value in cell.leaves.items():
        if (match := _ROW.match(path)) is not None:
            rows.setdefault((match[1], match[2]), {})[match[3]] = value
        elif (
            (match := _STAGE.match(path)) is not None
            and match[2] not in ("stage", "mitigations")
            and value not in _NOTHING
        ):
            found.setdefault(match[1], set()).add(f"{match[2]} {value}")
        elif path.split(".")[0] in ("reporting", "updates"):
            found.setdefault("device", set()).add(
                f"{path.partition('.')[2].replace('.', ' ')} {value}"
            )
    for (stage, _), fields in rows.items():
        told = ", ".join(
            f"{name} {value}"
            for name, value in fields.items()
            if name != "kind" and value not in _NOTHING
        )
        found.setdefault(stage, set()).add(
            f"{fields['kind'].replace('_', ' ')} ({told})"
            if told
            else fields["kind"].replace("_", " ")
        )
    return found


def changes(cell: Cell, storm: Cell) -> tuple[Change, ...]:
    """Return what *cell* has that the *storm* without mitigation has not, layer by layer."""
    mine, theirs = _settings(cell), _settings(storm)
    return tuple(
        Change(layer, setting)
        for layer in BUILDERS
        for setting in sorted(mine.get(layer, set()) - theirs.get(layer, set()))
    )


def _nearest(cell: Cell, others: Iterable[Cell]) -> Cell | None:
    """Return the one of *others* that shares most levels with *cell*; the first of several."""
    return max(
        others,
        key=lambda other: sum(
            other.levels.get(path) == level for path, level in cell.levels.items()
        ),
        default=None,
    )


class Remedies:
    """The cells of a run as storms (without a mitigation), calm worlds, and mitigations."""

    def __init__(self, study: Study) -> None:
        self.study = study
        named = study.manifest["comparator"]
        self.calms = [cell for cell in study.cells if cell.option in CALM]
        self.storms = [
            cell
            for cell in study.cells
            if named is not None and named in (cell.option, cell.name) and cell not in self.calms
        ]
        self.storms = self.storms or [cell for cell in study.cells if cell.option in STORM]
        self.all = [
            cell for cell in study.cells if self.storms and cell not in (*self.calms, *self.storms)
        ]

    @cached_property
    def sweeps(self) -> dict[str, list[Cell]]:
        """The options of which several settings were tried, while there was one storm, with their
        cells.
        """
        by_option = {
            option: [cell for cell in self.all if cell.option == option]
            for option in dict.fromkeys(cell.option for cell in self.all)
        }
        return {
            option: cells
            for option, cells in by_option.items()
            if len(cells) > 1 and len(self.storms) == 1
        }

    @cached_property
    def cells(self) -> list[Cell]:
        """The mitigations, from the devices up; of one of which several settings were tried, the
        one that makes fewest late, and delays least.
        """
        tried = [cell for cells in self.sweeps.values() for cell in cells]
        best = [min(cells, key=self._harm) for cells in self.sweeps.values()]
        order = list(BUILDERS)
        found = [cell for cell in self.all if cell not in tried or cell in best]
        return sorted(
            found,
            key=lambda cell: [order.index(layer) for layer in self.layers(cell)] or [len(order)],
        )

    def _harm(self, cell: Cell) -> tuple[float, float]:
        late, delay = self.late(cell), self.delay(cell)
        longest = self.study.estimate(cell, DELAY, self._delayed(cell))
        never = longest is not None and not isfinite(longest.value)
        longer = inf if never else delay.value if delay is not None else 0.0
        return late.value if late is not None and above(late) else 0.0, longer

    def storm(self, cell: Cell) -> Cell:
        """Return the storm that *cell* mitigates."""
        found = _nearest(cell, self.storms)
        assert found is not None
        return found

    def calm(self, cell: Cell) -> Cell | None:
        """Return the world of *cell* without the storm; None where the run has none."""
        return _nearest(cell, self.calms)

    def layers(self, cell: Cell) -> list[str]:
        """Return the layers at which *cell* differs from the storm."""
        return list(dict.fromkeys(change.layer for change in changes(cell, self.storm(cell))))

    def called(self, cell: Cell) -> str:
        """Return a name for readers: the option, and the levels in which cells of it differ."""
        varied = [
            path
            for path in cell.levels
            if len(
                {
                    other.levels.get(path)
                    for other in self.study.cells
                    if other.option == cell.option
                }
            )
            > 1
        ]
        told = ", ".join(f"{factor_name(cell, path)} {cell.levels[path]}" for path in varied)
        name = cell.called.replace("_", " ")
        return f"{name} ({told})" if told and cell.option else name

    @cached_property
    def worst(self) -> Place:
        """Where the storm adds to the busiest second the largest multiple of what is passed on."""
        storm = self.storms[0]
        return max(
            places(storm),
            key=lambda place: (self._peak(storm, place) - self._peak(self.calm(storm), place))
            / place.capacity,
        )

    def _peak(self, cell: Cell | None, place: Place) -> float:
        found = (
            None
            if cell is None
            else self.study.estimate(cell, f"{place.stage}_messages_per_s_peak", place.group)
        )
        return 0.0 if found is None else found.value

    def cut(self, cell: Cell) -> Estimate | None:
        """Return the share by which *cell* lowers the busiest second at the worst place: 1 − peak ÷
        peak of the storm, replication by replication.
        """
        return ratio(self.cuts(cell))

    def cuts(self, cell: Cell) -> dict[int, float]:
        """Return `cut` by replication."""
        metric, group = f"{self.worst.stage}_messages_per_s_peak", self.worst.group
        mine, theirs = (
            self.study.series(world, metric, group) for world in (cell, self.storm(cell))
        )
        return {
            r: 1 - mine[r] / theirs[r] for r in sorted(mine.keys() & theirs.keys()) if theirs[r]
        }

    def longest_queue(self, cell: Cell) -> Estimate | None:
        """Return the most messages that wait at any one server of limited capacity."""
        found = [
            queue
            for place in places(cell)
            if (queue := self.study.estimate(cell, f"{place.stage}_peak_waiting_n", place.group))
            is not None
        ]
        return max(found, key=lambda queue: queue.value, default=None)

    def late(self, cell: Cell) -> Difference | None:
        """Return how many more messages a day of other kinds are late than without the storm: its
        collateral.
        """
        calm = self.calm(cell)
        return (
            None
            if calm is None
            else collateral.late(self.study, cell, calm, collateral.others(self.study, calm))
        )

    def delay(self, cell: Cell) -> Difference | None:
        """Return how much longer than in the storm 90 % of the version reports (or of all messages,
        where there are none) take at most.
        """
        return self.study.paired(cell, self.storm(cell), DELAY, self._delayed(cell))

    def _delayed(self, cell: Cell) -> str:
        reports = self.study.estimate(cell, DELAY, collateral.REPORT)
        return collateral.REPORT if reports else "all"

    def delay_text(self, cell: Cell) -> str:
        """Return `delay` as it is said; where 90 % of them never arrive, here or in the storm,
        that.
        """
        for world, where in ((cell, ""), (self.storm(cell), " in the storm")):
            found = self.study.estimate(world, DELAY, self._delayed(cell))
            if found is not None and not isfinite(found.value):
                return interval(found) + where
        return interval(self.delay(cell))

    def genuine(self, cell: Cell, what: str) -> Estimate | None:
        """Return the share of genuine alerts that are `suppressed`, `delayed`, or either (`loss`).
        """
        return self.study.estimate(cell, f"genuine_{what}_share")

    def loses(self, cell: Cell) -> bool:
        """Whether more genuine alerts are suppressed or delayed than in its `yardstick`."""
        more = self._more_lost(cell, self.yardstick(cell))
        return more is not None and above(more)

    def yardstick(self, cell: Cell) -> Cell:
        """Return the world beside which it is seen what *cell* loses of the genuine alerts: the one
        without the storm, or, where none are raised there, the storm.
        """
        calm = self.calm(cell)
        has_any = calm is not None and self.genuine(calm, "loss") is not None
        return calm if calm is not None and has_any else self.storm(cell)

    def costs(self, cell: Cell) -> Difference | None:
        """Return by how much *cell* itself raises the share of genuine alerts suppressed or
        delayed, above that of the storm; None where it does not.
        """
        more = self._more_lost(cell, self.storm(cell))
        return more if more is not None and above(more) else None

    def _more_lost(self, cell: Cell, other: Cell) -> Difference | None:
        return self.study.paired(cell, other, "genuine_loss_share")

    def stops(self, cell: Cell) -> bool:
        """Whether no more messages of other kinds are late than without the storm: none by all that
        is known, or at most `HARMLESS` of the storm's.
        """
        more = self.late(cell)
        return more is not None and not above(more) and not self.untold(cell)

    def untold(self, cell: Cell) -> bool:
        """Whether the run cannot tell if *cell* stops the storm: its interval holds both no harm
        and more than `HARMLESS` of the storm's.
        """
        more, harm = self.late(cell), self.late(self.storm(cell))
        if more is None or harm is None or above(more) or more.n == 1:
            return False
        return more.high > HARMLESS * max(harm.value, 0.0) + 1e-12

    def outcome(self, cell: Cell) -> int:
        """Return what comes of *cell*: 0 nothing waits longer, 1 something waits and harms nobody,
        2 other messages are late, 3 it outlives its trigger.
        """
        returned = self.study.estimate(cell, "returned_to_normal_share")
        if returned is not None and returned.value < 1:
            return 3
        if not self.stops(cell):
            return 2
        calm = self.calm(cell)
        assert calm is not None
        queues = [self.longest_queue(world) for world in (cell, calm)]
        return int(
            queues[0] is not None and queues[1] is not None and queues[0].value > queues[1].value
        )

    def stopped(self, cell: Cell, column: str) -> dict[str, Estimate]:
        """Return `n_stopped` or `n_put_off` of *cell* a day by kind of message, where there are
        any; of rows that the storm has not.
        """
        theirs = {
            (str(stage), str(kind))
            for table in self.study.tables("rows", self.storm(cell)).values()
            for stage, kind in _rows_of(table)
        }
        days = self.study.window(cell).days
        by_kind = dict[str, dict[int, float]]()
        tables = self.study.tables("rows", cell)
        for r, table in tables.items():
            for stage, mitigation, kind, n in zip(
                table["stage"],
                table["mitigation"],
                table["kind"],
                table[column].tolist(),
                strict=True,
            ):
                if (stage, mitigation) not in theirs:
                    sums = by_kind.setdefault(kind, dict.fromkeys(tables, 0.0))
                    sums[r] += n / days
        return {
            kind: estimate(list(sums.values()), "messages/d", Kind.SKEWED, ABOVE_NOUGHT)
            for kind, sums in sorted(by_kind.items()) if any(sums.values())
        }  # fmt: skip


def _rows_of(table: Mapping[str, Iterable[str]]) -> Iterable[tuple[str, str]]:
    return zip(table["stage"], table["mitigation"], strict=True)


HARMLESS: Final = 0.01  # of the messages that a storm makes late: what may be left of it
CUT: Final = Metric(lambda tables, window: {}, "share", "", Kind.SKEWED, within=(-inf, 1))


def ratio(values: Mapping[int, float]) -> Estimate | None:
    """Return the estimate of a share of at most one from its *values* by replication; None for
    none.
    """
    return CUT.estimate([value for _, value in sorted(values.items())]) if values else None


def factor_name(cell: Cell, path: str) -> str:
    """Return a factor in words: of a mitigation its kind and the field ("jitter window"), otherwise
    the last parts of its path.
    """
    match, kind = _ROW.fullmatch(path), ""
    if match is not None:
        stage = cell.asked.network[int(match[1])].stage if match[1].isdecimal() else match[1]
        kind = cell.leaves.get(f"network.{stage}.mitigations.{match[2]}.kind", "")
    words = f"{kind} {match[3]}" if match and kind else " ".join(path.split(".")[-2:])
    return words.replace("_", " ")
