"""How fast may firmware go out over the air? Days to finish against the false outage alerts of one
second, rollout by rollout.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from sim.report.findings import Findings, Picture
from sim.report.finished import Rollouts, alarms
from sim.report.grids import Grid
from sim.report.lives import called
from sim.report.ranking import of_cells
from sim.report.study import Cell, Study
from sim.report.words import capitalised, counted, interval, listed, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRICS: Final = (
    "campaign_days_mean",
    "campaign_stopped_share",
    "dsp_kind_per_s_peak",
    "kind_alerts_n",
    "supply_cuts_n",
    "job_recorded_share",
    "job_end_share",
    "dsp_alerts_per_s_peak",
    "late_per_day",
)


def fits(study: Study) -> bool:
    """Whether a campaign ran in any cell."""
    return any(study.estimate(cell, "campaign_stopped_share") for cell in study.cells)


def findings(study: Study) -> Findings:
    """Return what the report says of *study*."""
    rollouts = Rollouts(study)
    points = (_late(study), *_beaten(rollouts), _stopped(study), _why(study))
    return Findings(
        answer=_answer(rollouts),
        points=tuple(point for point in points if point),
        grids=_grids(rollouts),
        pictures=_pictures(rollouts),
        doubts=_DOUBTS,
        metrics=METRICS,
    )


_DOUBTS: Final = (
    (
        "How many activations cut the supply, and for how long, is an assumption (grade D): the"
        " peak is proportional to the share that does so for long enough."
    ),
    (
        "A rollout is as fast as its slowest region: what each can be offered a day is an"
        " assumption (grade D)."
    ),
    (
        "An outage alert that is false costs more than its message: people look for a fault that is"
        " not there. That is not priced here."
    ),
)


def _answer(rollouts: Rollouts) -> str:
    if not rollouts.places:
        return (
            f"No rollout finished within the window and raised alerts. {_stopped(rollouts.study)}"
            .strip()
        )
    fastest, calmest = rollouts.best[0], rollouts.best[-1]
    told = f"{capitalised(_point(rollouts, fastest))}"
    if fastest != calmest:
        told = (
            f"{_alike(rollouts)}{_point(rollouts, fastest)}{_doubt(rollouts, fastest)};"
            f" {_point(rollouts, calmest)}"
        )
    n, best = counted(len(rollouts.points), "rollout"), len(rollouts.best)
    worth = f"None of the {n} is beaten by another."
    if best < len(rollouts.points):
        rest = len(rollouts.points) - best
        others = "the other one" if rest == 1 else f"each of the other {rest}"
        worth = (
            f"Of {n}, {best} {'is' if best == 1 else 'are'} worth having; {others} is matched or"
            " beaten by one of these in days and in the false outage alerts of the busiest second."
        )
    return " ".join(filter(None, (f"{told}.", _quiet(rollouts), worth)))


def _alike(rollouts: Rollouts) -> str:
    """Say that all rollouts make as many false outages, where they do, so that what a slower one
    does is to spread them.
    """
    study = rollouts.study
    found = [
        alarms(study, cell, "kind_alerts_n") for cell in study.cells if cell.name in rollouts.points
    ]
    if (
        any(one is None for one in found)
        or len({one.value for one in found if one is not None}) > 1
    ):
        return "Speed is bought with false alarms: "
    return (
        f"Every rollout makes the same {interval(found[0])} false outage alerts, and a slower one"
        " spreads them: "
    )


def _quiet(rollouts: Rollouts) -> str:
    """Name the fastest of those worth having under which no message is late."""
    study = rollouts.study
    by_name = {cell.name: cell for cell in study.cells}
    for name in rollouts.best:
        late = study.estimate(by_name[name], "late_per_day")
        if late is not None and not late.value:
            return (
                "The fastest of those worth having under which no message of any kind is late:"
                f" {_point(rollouts, name)}."
            )
    return "Under each of those worth having some messages are late."


def _doubt(rollouts: Rollouts, fastest: str) -> str:
    """Say from whom the fastest rollout cannot be told, by its days."""
    cells = [cell for cell in rollouts.study.cells if cell.name in rollouts.points]
    ranking = of_cells(rollouts.study, cells, "campaign_days_mean")
    return ranking.doubt_of(next(cell for cell in cells if cell.name == fastest), called)


def _point(rollouts: Rollouts, name: str) -> str:
    days, peak = rollouts.places[name]
    cell = next(cell for cell in rollouts.study.cells if cell.name == name)
    every = rollouts.study.estimate(cell, "dsp_alerts_per_s_peak")
    beside = (
        f" ({interval(every)} alerts of all kinds in a second, receipts among them)"
        if every is not None
        else ""
    )
    return (
        f"{rollouts.called[name]} finishes a campaign in {interval(days, 1, 'days')} with"
        f" {interval(peak)} false outage alerts in the busiest second{beside}"
    )


def _beaten(rollouts: Rollouts) -> tuple[str, ...]:
    """Say what dominates what, one point for each rollout that does."""
    by_winner: dict[str, list[str]] = {}
    for name, other in rollouts.beaten_by.items():
        by_winner.setdefault(other, []).append(rollouts.called[name])
    return tuple(
        f"{capitalised(rollouts.called[winner])} is no slower and no louder than:"
        f" {'; '.join(losers)}."
        for winner, losers in by_winner.items()
    )


def _late(study: Study) -> str:
    """Say what a rollout pushes aside: messages of every kind past their target, where it is most
    and where it is least.
    """
    ranking = of_cells(study, study.cells, "late_per_day")
    if len(ranking.entries) < 2 or not ranking.highest.estimate.value:
        return ""
    most, fewest = (
        f"{called(entry.what)}{ranking.doubt(entry, called)}: {interval(entry.estimate)}"
        for entry in (ranking.highest, ranking.lowest)
    )  # fmt: skip
    told = "Messages past their target a day, those of the rollout included"
    return f"{told}; most under {most}; fewest under {fewest}."


def _stopped(study: Study) -> str:
    told = [
        f"{called(cell)} {percent(share)}"
        for cell in study.cells
        if (share := study.estimate(cell, "campaign_stopped_share")) and share.value
    ]
    return f"Campaigns stopped at a gate, of those that ended: {listed(told)}." if told else ""


def _why(study: Study) -> str:
    cell = next(
        (cell for cell in study.cells if alarms(study, cell, "kind_alerts_n") is not None), None
    )
    cuts = study.estimate(cell, "supply_cuts_n") if cell is not None else None
    if cell is None or cuts is None:
        return ""
    raised = alarms(study, cell, "kind_alerts_n")
    return (
        "Where the false alarms come from: an activation that cuts the supply of the hub (MP102)."
        f" Under {called(cell)} {interval(cuts)} activations do, {interval(raised)} of them for"
        " long enough that the hub reports an outage."
    )


# -- tables and figure -----------------------------------------------------------------------------


def _verdict(rollouts: Rollouts, cell: Cell) -> str:
    if cell.name not in rollouts.points:
        return "not finished in every window, or no alerts"
    other = rollouts.beaten_by.get(cell.name)
    return (
        "on the frontier"
        if other is None
        else (
            "dominated by"
            f" {rollouts.called[other]}{'' if rollouts.clear(cell.name, other) else ' †'}"
        )
    )


def _grids(rollouts: Rollouts) -> tuple[Grid, ...]:
    study = rollouts.study
    rows = []
    mute = set()
    for place, cell in enumerate(study.cells):
        if cell.name in rollouts.beaten_by:
            mute.add(place)
        rows.append(
            (
                called(cell),
                interval(study.estimate(cell, "campaign_days_mean")),
                interval(alarms(study, cell, "dsp_kind_per_s_peak")),
                interval(alarms(study, cell, "kind_alerts_n")),
                interval(study.estimate(cell, "dsp_alerts_per_s_peak")),
                interval(study.estimate(cell, "late_per_day")),
                percent(study.estimate(cell, "job_recorded_share")),
                percent(study.estimate(cell, "campaign_stopped_share")),
                _verdict(rollouts, cell),
            )
        )
    head = (
        "rollout",
        "days to finish",
        "false outages in 1 s",
        "false outages in all",
        "alerts in 1 s",
        "messages late a day",
        "jobs recorded",
        "stopped at a gate",
        "verdict",
    )
    note = (
        "Days: from a campaign's first group to its last gate, of those that finished. In 1 s: the"
        " busiest second at the DSP (false outages; all alerts). Late: of any kind, past their"
        " target. Recorded: jobs, those withdrawn left out, that end with the version in the"
        " inventory. Stopped: aborted or stalled, of the campaigns that ended. †: by the means; the"
        " intervals do not settle it."
    )
    return (Grid("TR. Rollouts: how fast, and how loud", head, tuple(rows), note, frozenset(mute)),)


def _pictures(rollouts: Rollouts) -> tuple[Picture, ...]:
    if len(rollouts.points) < 2:
        return ()
    fastest, calmest = rollouts.best[0], rollouts.best[-1]
    title = f"{capitalised(_point(rollouts, fastest))}"
    if fastest != calmest:
        days, peak = rollouts.places[calmest]
        title = (
            f"{title}; {rollouts.called[calmest]} takes {interval(days, 1, 'days')}, with"
            f" {interval(peak)}"
        )
    read = (
        "Further left is faster, further down quieter. Line: the frontier. Grey: dominated."
        " Crosses: 95 % intervals."
    )
    return (
        Picture(
            "fr_rollouts",
            title,
            read,
            f"Days to finish against false outage alerts in one second. {title}.",
            partial(_draw, rollouts),
        ),
    )


def _draw(rollouts: Rollouts) -> Figure:
    from sim.report.trade import trade

    return trade(rollouts)
