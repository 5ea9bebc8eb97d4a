"""Replicate until it is decided which option is best: Kim and Nelson's procedure
(`sim.metrics.selection`) over the options of an experiment that asks for it.

An option is the mean over its cells, replication by replication. Options that are given up are run
no further, so the best is found with the replications that tell it from its rivals, and no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

from sim.experiment.plan import Plan
from sim.experiment.sequential import Replication, Verdict
from sim.metrics.selection import select
from sim.units import added


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be chosen: the option whose *metric* of a *group* is the better, `low` or `high`
    as *prefer* says.

    Differences below *width* do not matter: a share of the metric's mean when *relative*.
    """

    metric: str
    group: str
    prefer: str
    width: float
    relative: bool


def choice_of(design: Mapping[str, Any] | None) -> Choice | None:
    """Return what a *design*, as the manifest keeps it, asks to be chosen by selection; None where
    it does not, or does not say what matters.
    """
    asked = design["analysis"] if design else None
    if (
        not asked
        or "select" not in asked["methods"]
        or not asked["choose"]
        or not asked["smallest_difference"]
    ):
        return None
    width = asked["smallest_difference"]
    return Choice(
        asked["choose"], asked["group"], asked["prefer"], width["amount"], width["relative"]
    )


def judge_options(
    plan: Plan,
    choice: Choice,
    known: Mapping[str, Sequence[Replication]],
    first: int,
    verdicts: Mapping[str, Verdict],
) -> dict[str, Verdict]:
    """Return *verdicts* by cell with what the choice needs added, from the replications *known* of
    each cell, of which *first* are the first stage.
    """
    values = _by_option(plan, choice, known)
    if len(values) < 2 or min(map(len, values.values())) < first:
        told = (
            f"{choice.metric} is not there, or not reached, in every replication of two options or"
            " more: none can be selected"
        )
        return {
            name: Verdict(
                verdict.counted, verdict.more, "; ".join(filter(None, (verdict.shortfall, told)))
            )
            for name, verdict in verdicts.items()
        }
    scale = (
        min(abs(added(found[:first]) / first) for found in values.values())
        if choice.relative
        else 1.0
    )
    found = select(values, choice.width * scale or inf, first, prefer=choice.prefer)
    full = found.best is None and found.n >= plan.most
    shortfall = (
        f"after {plan.most} replications, the most allowed, it is not decided between"
        f" {', '.join(found.standing)}"
        if full
        else ""
    )
    judged = {}
    for cell in plan.cells:
        verdict, n = verdicts[cell.name], found.given_up.get(cell.option, found.n)
        more = (
            max(verdict.more, 1)
            if found.best is None and not full and cell.option in found.standing
            else verdict.more
        )
        counted = max(n, verdict.counted) if plan.targets else n
        judged[cell.name] = Verdict(
            counted, more, "; ".join(filter(None, (verdict.shortfall, shortfall)))
        )
    return judged


def _by_option(
    plan: Plan, choice: Choice, known: Mapping[str, Sequence[Replication]]
) -> dict[str, list[float]]:
    """Return the mean over the cells of each option, replication by replication, up to the first
    that a cell lacks or never reached.
    """
    key, found = (choice.metric, choice.group), dict[str, list[float]]()
    for option in dict.fromkeys(cell.option for cell in plan.cells):
        rows = zip(
            *(known[cell.name] for cell in plan.cells if cell.option == option), strict=False
        )
        found[option] = []
        for row in rows:
            if any(not isfinite(one.get(key, inf)) for one in row):
                break
            found[option].append(added(one[key] for one in row) / len(row))
    return found
