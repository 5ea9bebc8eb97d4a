"""The rules of an experiment as a contest: what each costs, what it leaves wrong, and which are
worth having.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sim.metrics import Difference, Estimate
from sim.report.floor import Floor, unreached
from sim.report.frontier import dominators, frontier
from sim.report.lives import by_levels
from sim.report.study import Cell, Study
from sim.units import format_duration

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

COST = "messages_per_device_year"
WRONG = "record_wrong_share"
TYPE = "ppmid"
PRICED: Final = "messages_gbp_per_device_year"
PAST: Final = "record_wrong_past_7d_share"
# The bar of the working group's question (H2): an inventory at least 99 % right within 7 days.
RIGHT_ENOUGH: Final = 0.01
_MOST: Final = 6  # worlds of a table


@dataclass(frozen=True, slots=True)
class Choice:
    """A rule of the experiment with its settings: its *cell*, what it *costs* (messages per
    device-year), the share of records it leaves *wrong*, and the share it leaves wrong for more
    than 7 days (*late*; where a run of before did not measure that, all that are wrong).
    """

    cell: Cell
    cost: Estimate
    wrong: Estimate
    late: Estimate

    @property
    def family(self) -> str:
        """The rule with its number: "R3 periodic"."""
        rule = self.cell.scenario.reporting.traits
        return f"{rule.label} {rule.name}"

    @property
    def label(self) -> str:
        """The rule and its period, for a mark in a figure."""
        reporting = self.cell.scenario.reporting
        rule = reporting.traits
        if rule.timer:
            return f"{rule.label} {format_duration(reporting.timer_s)}"
        to_smi = " to SMI" if rule.reads_the_hub and reporting.read.refreshes_smi else ""
        return f"{rule.label} {rule.name}{to_smi}"

    @property
    def plain(self) -> str:
        """The rule, its number and its period, for a sentence: "R3 (periodic, every 1 d)"."""
        return in_words(self.cell.scenario)


def in_words(scenario: Scenario) -> str:
    """Return the reporting rule of *scenario*, its number and its period, for a sentence."""
    reporting = scenario.reporting
    rule = reporting.traits
    if rule.timer and rule.at_change:
        heartbeat = format_duration(reporting.timer_s)
        return f"{rule.label} (on change, with a heartbeat of {heartbeat})"
    if rule.timer:
        return f"{rule.label} ({rule.name}, every {format_duration(reporting.timer_s)})"
    passed_on = rule.reads_the_hub and reporting.read.refreshes_smi
    to_smi = ", passed on to the SMI" if passed_on else ""
    return f"{rule.label} ({rule.name}{to_smi})"


def choices(study: Study, cells: Sequence[Cell]) -> tuple[Choice, ...]:
    """Return those of *cells* that have a cost and a share of records wrong, the cheapest first."""
    found = []
    for cell in cells:
        cost, wrong = study.estimate(cell, COST), study.estimate(cell, WRONG, TYPE)
        if cost is not None and wrong is not None:
            found.append(Choice(cell, cost, wrong, study.estimate(cell, PAST, TYPE) or wrong))
    return tuple(sorted(found, key=lambda choice: (choice.cost.value, choice.wrong.value)))


def worlds(study: Study) -> list[list[Cell]]:
    """Return the cells of *study* world by world where it has the same few options in a few of
    them; else all in one.
    """
    groups = by_levels(study)
    options = [[cell.option for cell in cells] for cells in groups]
    is_table = 1 < len(groups) <= _MOST and all(each == options[0] for each in options)
    return groups if is_table else [list(study.cells)]


class Contest:
    """The choices among *cells* (without them, of the first of the `worlds`), and which of them are
    worth having.
    """

    def __init__(self, study: Study, cells: Sequence[Cell] = ()) -> None:
        self.study = study
        self.choices = choices(study, cells or worlds(study)[0])
        self.by_name = {choice.cell.name: choice for choice in self.choices}
        points = {
            name: (choice.cost.value, choice.wrong.value) for name, choice in self.by_name.items()
        }
        self.best = tuple(self.by_name[name] for name in frontier(points))
        self.beaten_by = {name: self.by_name[other] for name, other in dominators(points).items()}

    @property
    def comparator(self) -> Choice | None:
        """The choice that the run compares the others with; None where there is none among them."""
        named = self.study.manifest["comparator"]
        ours = (one for one in self.choices if named in (one.cell.name, one.cell.option))
        return next(ours, None)

    @property
    def so_long(self) -> str:
        """What the bar is about, after "records": wrong for more than 7 days, or in a run of before
        that did not measure it, wrong.
        """
        known = all(self.study.estimate(one.cell, PAST, TYPE) for one in self.choices)
        return "wrong for more than 7 days" if known else "wrong"

    @property
    def floor(self) -> Floor | None:
        """What no rule can mend, of records that are wrong so long; None where all are reached, or
        nothing shows what a record does that nobody reports.
        """
        silent = [one for one in self.choices if one.cell.scenario.reporting.traits.is_silent]
        if not silent or not unreached(silent[0].cell.scenario):
            return None
        return Floor(unreached(silent[0].cell.scenario), silent[0].late)

    def called(self, choice: Choice) -> str:
        """Return the name of *choice* in sentences: its rule in words where that is its own, else
        the name of its cell.
        """
        alone = [other.plain for other in self.choices].count(choice.plain) == 1
        return choice.plain if alone else choice.cell.called

    def label(self, choice: Choice) -> str:
        """Return what marks *choice* in a figure: its rule and period where that is its own, else
        the name of its cell.
        """
        return (
            choice.label
            if [other.label for other in self.choices].count(choice.label) == 1
            else choice.cell.called
        )

    def paired(self, choice: Choice, other: Choice) -> tuple[Difference, Difference]:
        """Return the paired differences, *choice* − *other*, of cost and of share wrong."""
        cost = self.study.paired(choice.cell, other.cell, COST)
        wrong = self.study.paired(choice.cell, other.cell, WRONG, TYPE)
        assert cost is not None
        assert wrong is not None
        return cost, wrong

    def clear(self, choice: Choice, other: Choice) -> bool:
        """Whether the 95 % intervals bear out that *other* is no dearer and no more wrong than
        *choice*; with one replication, whether the values do.
        """
        return all(
            (apart.high if apart.n > 1 else apart.value) <= 1e-12
            for apart in self.paired(other, choice)
        )
