"""A run as H9 sees it: policies, how long what went wrong lasted, how loaded the world was, and
what became of it afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import inf, isfinite
from typing import Final

from sim.faults import FAULTS
from sim.metrics import Estimate
from sim.report.servers import name_of
from sim.report.study import Cell, Study
from sim.report.words import NO_INTERVAL, interval, number

LOAD: Final = "traffic.level"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one cell: its *policy*, *what* went wrong (a list of faults) and for how long,
    and estimates; *drain* and *fluid* may not apply (None). *slowest* is the time to drain as it is
    said; *drain* is that where every replication drained.

    *start_s* is when it began; *place* is the server that is looked at, a group of the metrics
    (`dsp/dsp`). A message is sent at most 1 + *cap* times, and retries are at most *budget* of the
    first attempts of the last *window_s*.
    """

    cell: Cell
    policy: str
    what: str
    place: str
    start_s: int
    outage_s: int
    before: Estimate
    after: Estimate
    returned: Estimate
    slowest: Estimate | None
    drain: Estimate | None
    fluid: Estimate | None
    cap: float
    budget: float
    window_s: float

    @property
    def returns(self) -> bool:
        """Whether every replication was back to normal in its last hour."""
        return self.returned.value == 1

    @property
    def metastable(self) -> bool:
        """Whether the storm outlived its trigger: the world carried its load before, and in the
        last hour no less arrives than can be passed on.
        """
        return not self.returns and self.before.value < 1 <= self.after.value

    @property
    def never_forgets(self) -> bool:
        """Whether its budget counts since the world began."""
        return self.window_s == inf

    @property
    def allowed(self) -> float:
        """Retries for each first attempt that the budget lets pass. It looks at the seconds before,
        so that each window has what is due in one second on top: at most the cap of what one second
        brings.
        """
        return self.budget + self.cap / self.window_s

    @property
    def most(self) -> float:
        """How often a message may be sent, on average, however long it waits."""
        return 1 + min(self.cap, self.allowed)

    @property
    def work(self) -> float:
        """Load before, were every message sent as often as it may be: below 1 it must drain."""
        return self.most * self.before.value

    def longest_drain_s(self, outage_s: float) -> float | None:
        """Return the longest that fluid takes to drain after an outage, were everything sent as
        often as the policy lets it; None where it need not drain.

        With a = 1 + cap and load ρ: outage · aρ / (1 − aρ). With a = 1 + allowed, what was saved
        before it comes on top: + budget · ρ · min(start, window) / (1 − aρ).
        """
        load, found = self.before.value, []
        saved_s = self.budget * min(self.start_s, self.window_s)
        for more, before_s in ((self.cap, 0.0), (self.allowed, saved_s)):
            arriving = (1 + more) * load
            if arriving < 1:
                work_s = arriving * outage_s + load * before_s
                found.append(work_s / (1 - arriving))
        return min(found, default=None)


def reached(found: Estimate | None) -> Estimate | None:
    """Return *found* where it was reached in every replication; None where it was not."""
    return found if found is not None and isfinite(found.value) else None


def _retries(cell: Cell) -> tuple[float, float, float]:
    """Return the cap, the budget and its window of retries of *cell*; no retries are a cap of 0, no
    budget is an infinite one, and one without a window looks back for ever.
    """
    for stage in cell.scenario.network:
        for row in stage.mitigations:
            if row.kind == "retry":
                budget = inf
                if row.budget is not None:
                    budget = float(row.budget)
                return float(row.cap), budget, row.budget_window or inf
    return 0.0, inf, inf


def _struck(what: str, place: str, loads: Iterable[str]) -> list[str]:
    """Return the servers of *loads* that an outage of the server *place* took (`csp/all`: all of a
    stage); none for what strikes homes or links.
    """
    if what != "stage_outages":
        return []
    stage, _, server = place.partition("/")
    return [
        group
        for group in loads
        if group == place or (server == "all" and group.partition("/")[0] == stage)
    ]


class Aftermath:
    """Every cell in which something went wrong and enough time was left to see what came of it."""

    def __init__(self, study: Study) -> None:
        self.study = study
        varied = {
            path
            for cell in study.cells
            for path in cell.levels
            if len({other.levels.get(path) for other in study.cells}) > 1
        }
        self._policy_paths = sorted(
            path for path in varied if path != LOAD and not path.endswith(".duration")
        )
        self.outcomes = tuple(
            found for cell in study.cells if (found := self._outcome(cell)) is not None
        )

    def _outcome(self, cell: Cell) -> Outcome | None:
        triggers = next(iter(self.study.tables("triggers", cell).values()))
        loads = self.study.groups(cell, "load_after_share")
        if not len(triggers) or not loads:
            return None
        last = triggers.iloc[int(triggers["end_s"].to_numpy().argmax())]
        place = max(
            _struck(str(last["what"]), str(last["place"]), loads) or loads,
            key=lambda group: loads[group].value,
        )
        found = {
            name: self.study.estimate(cell, name, place)
            for name in ("load_before_share", "drain_fluid_s")
        }
        returned = self.study.estimate(cell, "returned_to_normal_share")
        before = found["load_before_share"]
        if returned is None or before is None:
            return None
        slowest = self.study.estimate(cell, "drain_time_s")
        return Outcome(
            cell,
            self._policy(cell),
            str(last["what"]),
            place,
            int(last["start_s"]),
            int(last["end_s"] - last["start_s"]),
            before,
            loads[place],
            returned,
            slowest,
            reached(slowest),
            reached(found["drain_fluid_s"]),
            *_retries(cell),
        )

    def _policy(self, cell: Cell) -> str:
        others = [
            f"{path.rpartition('.')[2]} {cell.levels[path]}"
            for path in self._policy_paths
            if path in cell.levels
        ]
        return ", ".join(
            [*([cell.option.replace("_", " ")] if cell.option else []), *others]
        ) or self.study.name.replace("_", " ")

    @cached_property
    def policies(self) -> tuple[str, ...]:
        """The policies in the order of the file."""
        return tuple(dict.fromkeys(outcome.policy for outcome in self.outcomes))

    @cached_property
    def outages(self) -> tuple[int, ...]:
        """How long what went wrong lasted, in seconds, the shortest first."""
        return tuple(sorted({outcome.outage_s for outcome in self.outcomes}))

    @cached_property
    def levels(self) -> tuple[float, ...]:
        """The levels of traffic, the lowest first."""
        return tuple(sorted({level_of(outcome) for outcome in self.outcomes}))

    def of(
        self, policy: str | None = None, outage_s: int | None = None, level: float | None = None
    ) -> list[Outcome]:
        """Return the outcomes of a *policy*, an outage and a *level* of traffic (None: of any), in
        the order of the load.
        """
        found: Iterable[Outcome] = self.outcomes
        for wanted, of in ((policy, policy_of), (outage_s, outage_of), (level, level_of)):
            found = [outcome for outcome in found if wanted is None or of(outcome) == wanted]
        return sorted(found, key=lambda outcome: (level_of(outcome), outcome.outage_s))

    @cached_property
    def focus(self) -> tuple[int, float]:
        """The outage and level of traffic that tell policies apart best: where nearest to half of
        them come back; of several, the longest and highest.
        """
        pairs = sorted(
            {(outcome.outage_s, level_of(outcome)) for outcome in self.outcomes}, reverse=True
        )

        def uneven(pair: tuple[int, float]) -> float:
            here = self.of(None, *pair)
            return abs(sum(outcome.returns for outcome in here) / len(here) - 0.5)

        return min(pairs, key=uneven)

    def boundary(self, policy: str, outage_s: int) -> tuple[Estimate | None, Estimate | None]:
        """Return the highest load from which a *policy* comes back after that outage, no lower one
        failing, and the lowest from which it does not.
        """
        back, lost = None, None
        for outcome in self.of(policy, outage_s):
            if lost is None and outcome.returns:
                back = outcome.before
            elif lost is None:
                lost = outcome.before
        return back, lost


def policy_of(outcome: Outcome) -> str:
    """Return the policy of an *outcome*."""
    return outcome.policy


def outage_of(outcome: Outcome) -> int:
    """Return the length of the outage of an *outcome*, in seconds."""
    return outcome.outage_s


def level_of(outcome: Outcome) -> float:
    """Return the level of traffic of an *outcome*."""
    return float(outcome.cell.scenario.traffic.level)


# -- an outcome in words ---------------------------------------------------------------------------


def place_of(outcome: Outcome) -> str:
    """Return the server that is looked at, in words."""
    stage, _, server = outcome.place.partition("/")
    return f"the {name_of(stage, server)}"


def wrong(outcome: Outcome) -> str:
    """Return what went wrong, in words."""
    is_of_a_server = FAULTS[outcome.what].layer == "server"
    return f"outage of {place_of(outcome)}" if is_of_a_server else FAULTS[outcome.what].during


def drain_text(outcome: Outcome) -> str:
    """Return how long an *outcome* took to drain; that it did not, and in how many replications,
    where it did not.
    """
    if outcome.slowest is None:
        return "–"
    unit, scale = ("min", 1 / 60) if outcome.slowest.value >= 120 else ("s", 1)
    return interval(outcome.slowest, scale, unit)


def returned_text(outcome: Outcome) -> str:
    """Return in how many replications the world came back, with the interval of that share."""
    found = outcome.returned
    count = f"{round(found.value * found.n)} of {found.n}"
    if not isfinite(found.half_width):
        return f"{count} ({NO_INTERVAL})"
    return f"{count} ({number(100 * found.low, 0)} to {number(100 * found.high, 0)} %)"


def verdict(outcome: Outcome) -> str:
    """Return whether the storm outlived its trigger."""
    if outcome.returns:
        return "no"
    if outcome.metastable:
        return "yes"
    return "not yet: it drains still" if outcome.before.value < 1 else "overloaded before"
