"""How things ended: rollouts that finished or did not, queues that still stand, and stages that
pass on nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from sim.metrics import Estimate, Kind, estimate
from sim.metrics.metric import ABOVE_NOUGHT
from sim.report.bottleneck import bottleneck
from sim.report.lives import called
from sim.report.servers import servers_of
from sim.report.study import Cell, Study
from sim.report.words import counted, interval, listed, rounded
from sim.units import DAY_S

STOPPED: Final = ("aborted", "stalled")
_SAID: Final = {
    "finished": "finished",
    "aborted": "was aborted",
    "stalled": "stalled",
    "superseded": "gave way to a newer version",
    "running": "is still running",
    "waiting": "has not begun",
}
_COUNTED: Final = ("n_targets", "n_done", "n_failed", "n_silent")  # of table `campaigns`
_WORLDS: Final = 8  # told by name in one sentence
_NAMED: Final = 3  # rollouts told one by one; of more, those that were stopped


@dataclass(frozen=True, slots=True)
class Rollout:
    """A version sent over the air in one cell: what it is called, how it *ended* in each
    replication and when (days), how many devices were *offered* it and have it recorded (*done*),
    of how many it was told that they *failed*, and of how many nothing (*silent*; None in a run of
    before 0.2.0).
    """

    name: str
    ended: list[str]
    days: list[float]
    offered: Estimate
    done: Estimate
    failed: Estimate
    silent: Estimate | None


def rollouts(study: Study, cell: Cell) -> list[Rollout]:
    """Return the rollouts of *cell*, in the order of model and version."""
    rows: dict[tuple[str, int], list[dict[str, object]]] = {}
    if cell.scenario.firmware is None:
        return []
    for table in study.tables("campaigns", cell).values():
        for row in table.to_dict("records"):
            rows.setdefault((row["model"], row["version"]), []).append(row)
    return [
        _rollout(f"{model} {version} ({of[0]['release_class']})", of)
        for (model, version), of in sorted(rows.items())
    ]


def _rollout(name: str, rows: list[dict[str, object]]) -> Rollout:
    numbers = {key: [float(str(row[key])) for row in rows] for key in ("ended_s", *_COUNTED)}
    days = [second / DAY_S for second in numbers["ended_s"] if second >= 0]
    offered, done, failed, silent = (
        estimate(numbers[key], "devices", Kind.SKEWED, ABOVE_NOUGHT) for key in _COUNTED
    )
    is_known = min(numbers["n_silent"]) >= 0
    ended = [str(row["ended"]) for row in rows]
    return Rollout(name, ended, days, offered, done, failed, silent if is_known else None)


def told(study: Study, cell: Cell) -> str:
    """Say how the rollouts of *cell* ended, when, and how many devices they had reached; ""
    without.
    """
    found = rollouts(study, cell)
    if len(found) <= _NAMED:
        return " ".join(_told(one) for one in found)
    ends = Counter(end for one in found for end in one.ended)
    n = len(study.tables("campaigns", cell))
    counts = listed([f"{rounded(k / n, 3)} {end}" for end, k in ends.most_common()])
    stopped = [one for one in found if set(one.ended) & set(STOPPED)][:_NAMED]
    return " ".join(
        [
            f"Of {counted(len(found), 'rollout')}, on average over replications: {counts}.",
            *map(_told, stopped),
        ]
    )


def _told(one: Rollout) -> str:
    """Say how one rollout ended."""
    n = len(one.ended)
    ends = [
        f"{_SAID[end]}{'' if k == n else f' in {k} of {n} replications'}"
        for end, k in Counter(one.ended).most_common()
    ]
    when = ""
    if one.days:
        first, last = (rounded(end(one.days), 3) for end in (min, max))
        when = f" on day {first}" if first == last else f" between day {first} and day {last}"
    reached = (
        f"{interval(one.done)} of {interval(one.offered)} devices that were offered it have it"
        " recorded"
    )
    rest = ""
    if one.silent is not None and one.failed.value + one.silent.value:
        rest = (
            f", {interval(one.failed)} told that it failed, and of {interval(one.silent)} nobody"
            " heard how it went"
        )
    return f"The rollout of {one.name} {listed(ends)}{when}; {reached}{rest}."


def points(study: Study) -> tuple[str, ...]:
    """Return what to know of how the worlds of a run ended, beside what its answer says."""
    return (*_closed(study), *_standing(study), *_stopped(study))


def _stopped(study: Study) -> list[str]:
    """Say in which of several worlds how many rollouts were stopped at a gate."""
    found = []
    for cell in study.cells if len(study.cells) > 1 else ():
        ends = Counter(end for one in rollouts(study, cell) for end in one.ended)
        if stopped := ends["aborted"] + ends["stalled"]:
            n = len(study.tables("campaigns", cell))
            found.append(
                f"{called(cell)} {rounded(stopped / n, 2)} of {rounded(ends.total() / n, 2)}"
            )
    if not found:
        return []
    more = f" and {counted(len(found) - _WORLDS, 'more world')}" if len(found) > _WORLDS else ""
    told = "; ".join(found[:_WORLDS]) + more
    return [
        f"Rollouts stopped at a gate (aborted or stalled), on average over replications: {told}."
    ]


def _closed(study: Study) -> list[str]:
    """Say which stages pass on nothing."""
    closed = set[str]()
    for cell in study.cells:
        for stage in cell.scenario.network:
            servers = servers_of(cell, stage)
            nil = [place for place in servers if place.capacity == 0]
            whole = len(nil) == len(servers)
            closed |= {f"the stage {stage.stage}" if whole else str(place) for place in nil}
    return [f"Nothing passes {what}: its capacity is 0." for what in sorted(closed)]


def _standing(study: Study) -> list[str]:
    """Say which queues still stand when the window ends, and are worth more than a second's work.
    """
    told = []
    for cell in study.cells if len(study.cells) > 1 else ():
        worst = bottleneck(study, cell)
        if worst is not None and worst.left is not None and worst.left.value > worst.place.capacity:
            told.append(f"{called(cell)} {interval(worst.left)} at {worst.place}")
    if not told:
        return []
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return [
        f"Messages still wait when the window ends: {listed(told[:_NAMED])}{more}; what becomes of"
        " them is not in these numbers."
    ]
