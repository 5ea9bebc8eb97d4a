"""H2: which reporting rule keeps the inventory right for the fewest messages?"""

from __future__ import annotations

from functools import partial
from math import sqrt
from typing import TYPE_CHECKING, Final

from sim.metrics import Estimate
from sim.metrics.intervals import quantile_t
from sim.report import bursts, marginal
from sim.report.contest import (
    COST,
    PRICED,
    RIGHT_ENOUGH,
    TYPE,
    WRONG,
    Choice,
    Contest,
    choices,
    worlds,
)
from sim.report.findings import Findings, Picture
from sim.report.floor import share, who
from sim.report.grids import Grid
from sim.report.ranking import negative, of_cells, replications_for, untold, would
from sim.report.study import Study, base_leaves
from sim.report.words import counted, interval, listed, percent, rounded
from sim.units import format_share
from sim.words import Trigger

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRICS: Final = (
    COST,
    PRICED,
    WRONG,
    "staleness_days_mean",
    "confirmation_age_days_mean",
    "record_unknown_share",
)


def fits(study: Study) -> bool:
    """Whether *study* compares rules by what they cost and what they leave wrong: what H2 asks."""
    return {COST, WRONG} <= set(study.metrics) and len(choices(study, worlds(study)[0])) > 1


def findings(study: Study) -> Findings:
    """Return what the report says of *study*."""
    contest = Contest(study)
    return Findings(
        answer=_answer(contest),
        points=_points(contest),
        grids=(_grid(contest), *bursts.grid(contest)),
        pictures=(_picture(contest),),
        doubts=_doubts(contest),
        metrics=METRICS,
    )


# -- sentences -------------------------------------------------------------------------------------


def _answer(contest: Contest) -> str:
    bar = format_share(RIGHT_ENOUGH)
    able = [choice for choice in contest.choices if choice.late.value <= RIGHT_ENOUGH]
    beaten = len(contest.beaten_by)
    worth = (
        f"Of {counted(len(contest.choices), 'rule')}, {len(contest.best)}"
        f" {'is' if len(contest.best) == 1 else 'are'} on the frontier and {beaten}"
        f" {'is' if beaten == 1 else 'are'} dominated: another is no dearer and leaves no more"
        " wrong."
    )
    if not able:
        return " ".join(
            filter(None, (_none(contest), bursts.told(contest), _against_daily(contest), worth))
        )
    best = able[0]
    first = (
        f"The cheapest rule that leaves at most {bar} of the PPMID records {contest.so_long} is"
        f" {contest.called(best)}: {interval(best.cost)} messages per device-year,"
        f" {_left(contest, best)}."
    )
    parts = (
        first + _perhaps(contest, best) + _near(contest, able),
        bursts.told(contest),
        _against_daily(contest),
        worth,
    )
    return " ".join(filter(None, parts))


def _left(contest: Contest, choice: Choice) -> str:
    """Say what share *choice* leaves wrong so long, and wrong at all."""
    if contest.so_long == "wrong":
        return f"{percent(choice.wrong)} wrong"
    return f"{percent(choice.late)} {contest.so_long} and {percent(choice.wrong)} wrong at all"


def _none(contest: Contest) -> str:
    """Say that no rule meets the bar; where what is never reached is why, which one does where
    premises are reached, and how many of the others it would bear.
    """
    bar, floor = format_share(RIGHT_ENOUGH), contest.floor
    told = f"None of these rules leaves at most {bar} of the PPMID records {contest.so_long}"
    if floor is None or floor.value.value <= RIGHT_ENOUGH:
        return f"{told}; {_least_wrong(contest)}."
    told += (
        f", and none can: {who(contest.choices[0].cell.scenario)}, so that {percent(floor.value)}"
        " of all records are so under every rule (the floor)."
    )
    inside = [one for one in contest.choices if floor.reached(one.late).value <= RIGHT_ENOUGH]
    if not inside:
        return f"{told} Nor does any where premises are reached; {_least_wrong(contest)}."
    best, right = inside[0], Estimate(RIGHT_ENOUGH, 0.0, floor.silent.n, "share")
    return (
        f"{told} Where premises are reached, the cheapest that does is {contest.called(best)}:"
        f" {interval(best.cost)} messages per device-year, and {percent(floor.reached(best.late))}"
        f" of the records there {contest.so_long}; of all records, {_left(contest, best)}. It would"
        f" leave at most {bar} of all so if at most {percent(floor.turning(best.late, right))} of"
        " premises were never reached; dearer rules, if slightly more were."
    )


def _least_wrong(contest: Contest) -> str:
    """Name the rule that leaves the fewest wrong, as far as the run can tell."""
    cells = [choice.cell for choice in contest.choices]
    names = {choice.cell.name: contest.called(choice) for choice in contest.choices}
    ranking = of_cells(contest.study, cells, WRONG, TYPE)
    least = ranking.lowest
    doubt = ranking.doubt(least, lambda cell: names[cell.name])
    return f"the best, {names[least.what.name]}{doubt}, leaves {percent(least.estimate)}"


def _perhaps(contest: Contest, best: Choice) -> str:
    """Name the cheaper rules that the run cannot tell from the bar."""
    cheaper = [
        contest.called(choice)
        for choice in contest.choices
        if choice.cost.value < best.cost.value
        and choice.late.n > 1
        and choice.late.low <= RIGHT_ENOUGH < choice.late.value
    ]
    return (
        f" Cheaper still, this run cannot tell whether it does: {listed(cheaper)}."
        if cheaper
        else ""
    )


def _near(contest: Contest, able: list[Choice]) -> str:
    """Say where the run cannot tell that the cheapest of the *able* meets the bar, and which does.
    """
    best = able[0]
    late = best.late
    if late.n == 1 or late.high <= RIGHT_ENOUGH:
        return ""
    spread = (late.high - late.value) * sqrt(late.n) / quantile_t(late.n - 1)
    n = replications_for(RIGHT_ENOUGH - late.value, spread, late.n + 1)
    told = (
        " This run cannot tell that it does: its interval reaches past"
        f" {format_share(RIGHT_ENOUGH)}{would([n])}."
    )
    sure = next((choice for choice in able if choice.late.high <= RIGHT_ENOUGH), None)
    if sure is None:
        return told
    return (
        f"{told} The cheapest whose interval lies below it is {contest.called(sure)}:"
        f" {interval(sure.cost)} messages, {_left(contest, sure)}."
    )


def _heartbeat(contest: Contest, other: Choice) -> Choice | None:
    """Return the cheapest on-change rule with heartbeat that dominates *other*, or else the one
    that leaves the fewest wrong.
    """
    ours = [
        choice
        for choice in contest.choices
        if choice.cell.scenario.reporting.traits.trigger is Trigger.CHANGE_AND_TIMER
    ]
    better = [
        choice
        for choice in ours
        if choice.cost.value <= other.cost.value and choice.wrong.value <= other.wrong.value
    ]
    return better[0] if better else min(ours, key=lambda choice: choice.wrong.value, default=None)


def _against_daily(contest: Contest) -> str:
    """Compare on change with heartbeat with the comparator, pair by pair: the option that was not
    on the table with the one that was.
    """
    other = contest.comparator
    ours = _heartbeat(contest, other) if other is not None else None
    if other is None or ours is None or ours is other or not ours.cost.value:
        return ""
    cost, wrong = contest.paired(ours, other)
    less = "fewer" if wrong.value <= 0 else "more"
    shift = negative(wrong) if wrong.value <= 0 else wrong
    ratio = other.cost.value / ours.cost.value
    verdict = "dominated" if cost.value <= 0 and wrong.value <= 0 else "not dominated"
    sure = (
        ""
        if verdict == "not dominated" or contest.clear(other, ours)
        else ", though the interval of the difference does not settle it"
    )
    return (
        f"Against {contest.called(other)} ({interval(other.cost)} messages, {percent(other.wrong)}"
        f" wrong), {contest.called(ours)} ({interval(ours.cost)} messages, {percent(ours.wrong)}"
        f" wrong) sends about one message for each {rounded(ratio, 2)} of those and has {less}"
        f" records wrong by {interval(shift, 100, 'percentage points')}, compared pair by"
        f" pair{untold(wrong)}: {contest.called(other)} is {verdict}{sure}."
    )


def _points(contest: Contest) -> tuple[str, ...]:
    best = listed(
        [
            f"{contest.called(choice)} ({interval(choice.cost)} messages, {percent(choice.wrong)}"
            " wrong)"
            for choice in contest.best
        ]
    )
    points = [f"The frontier, from the fewest messages to the fewest wrong: {best}."]
    by_winner: dict[str, list[str]] = {}
    for name, winner in contest.beaten_by.items():
        loser = contest.called(contest.by_name[name])
        by_winner.setdefault(contest.called(winner), []).append(
            loser + ("" if contest.clear(contest.by_name[name], winner) else "†")
        )
    points += [f"Dominated by {winner}: {listed(names)}." for winner, names in by_winner.items()]
    if any("†" in point for point in points):
        points.append(
            "†: by the means; the 95 % interval of a paired difference does not settle it."
        )
    return (*points, *_floor(contest))


def _floor(contest: Contest) -> tuple[str, ...]:
    """Say what no rule can mend: premises that are never reached."""
    floor = contest.floor
    if floor is None:
        return ()
    scenario = contest.choices[0].cell.scenario
    local = scenario.updates.local
    return (
        (
            f"The floor: {who(scenario)}, and never report, so their records go wrong as where"
            f" nobody does: {percent(floor.silent)} of them are {contest.so_long}. That leaves"
            f" {percent(floor.value)} of all so under every rule, by multiplication. In the long"
            f" run it is their share times the take-up of local updates, {share(floor.unreached)} ×"
            f" {format_share(local.take_up)} = {share(floor.unreached * local.take_up)}: two"
            " inputs, and no result."
        ),
    )


def _doubts(contest: Contest) -> tuple[str, ...]:
    scenario = contest.best[-1].cell.scenario
    doubts = [
        (
            ""
            if bursts.elsewhere(contest)
            else (
                "Losses: each report is lost independently"
                f" ({format_share(scenario.reporting.loss)} here). Losses that come in bursts (an"
                " outage, a hub exchange) take a report of a change together with what would have"
                " mended it, and favour rules with a short heartbeat."
            )
        ),
        _critical_loss(contest),
        _clustering(contest),
        (
            "Hub exchange: a hub that is replaced forgets what it stored; here hubs are not"
            " replaced. Rules that read the hub (R1, R2, R4) would suffer from it."
        ),
        (
            "What a message costs: all messages count alike here, a poll as two (request and"
            " answer), a hub's batch as one."
        ),
    ]
    return tuple(doubt for doubt in doubts if doubt)


def _critical_loss(contest: Contest) -> str:
    """Say at which loss the rule without heartbeat fails the bar where premises are reached: what
    it leaves wrong there is its losses, and grows in proportion to them.
    """
    by_trigger = {
        choice.cell.scenario.reporting.traits.trigger: choice for choice in contest.choices
    }
    bare, floor = by_trigger.get(Trigger.CHANGE), contest.floor
    if bare is None or not bare.cell.scenario.reporting.loss:
        return ""
    loss = bare.cell.scenario.reporting.loss
    inside = floor.reached(bare.late) if floor else bare.late
    if not inside.value or inside.value >= RIGHT_ENOUGH:
        return ""
    critical = loss * RIGHT_ENOUGH / inside.value
    return (
        f"The loss at which {contest.called(bare)} fails: a lost report leaves a record wrong until"
        f" the next change, and {format_share(loss)} of losses leave {percent(inside)} so where"
        f" premises are reached; in proportion it passes {format_share(RIGHT_ENOUGH)} at a loss of"
        f" about {rounded(100 * critical, 2)} %. A heartbeat mends each loss within its period."
    )


def _clustering(contest: Contest) -> str:
    """Say how hard reports of one release would come, if all installed it in an hour."""
    estate, reporting, local = (
        getattr(contest.best[-1].cell.scenario, name) for name in ("estate", "reporting", "updates")
    )
    share = (
        sum(estate.devices[name] for name in reporting.devices if name in ("ppmid", "ihd"))
        * local.local.take_up
    )
    changes = int(base_leaves()["estate.premises"]) * share
    return (
        "Clustering: changes come here at each device's own time. Reports of change follow a"
        f" national release in a crowd: if all that take part ({rounded(changes, 3)} devices of the"
        f" base estate) installed it within an hour, {rounded(changes / 3600, 3)} reports a second."
        " The experiment daily_version_report shows what a network makes of such a crowd."
    )


# -- table and figure ------------------------------------------------------------------------------


def _grid(contest: Contest) -> Grid:
    rows, mute = [], set()
    for place, choice in enumerate(contest.choices):
        winner = contest.beaten_by.get(choice.cell.name)
        verdict = "on the frontier"
        if winner is not None:
            mute.add(place)
            verdict = f"dominated by {contest.called(winner)}" + (
                "" if contest.clear(choice, winner) else " †"
            )
        times = [
            interval(contest.study.estimate(choice.cell, metric, TYPE))
            for metric in ("staleness_days_mean", "confirmation_age_days_mean")
        ]
        shares = percent(choice.late), percent(choice.wrong)
        rows.append(
            (
                contest.called(choice),
                interval(choice.cost),
                *shares,
                *times,
                marginal.of(contest, choice),
                verdict,
            )
        )
    head = (
        "rule",
        "messages per device-year",
        f"records {contest.so_long}",
        "records wrong",
        "mean staleness, d",
        "confirmation age, d",
        marginal.HEAD,
        "verdict",
    )
    note = (
        "Records: of PPMIDs. Messages: reports and the requests that ask for them, per device of"
        " the types that report. †: by the means; the intervals do not settle it."
        f" {marginal.note(contest)}"
    ).strip()
    return Grid(
        "T2. The frontier: what each rule costs, and what it leaves wrong",
        head,
        tuple(rows),
        note,
        frozenset(mute),
    )


def _picture(contest: Contest) -> Picture:
    able = [choice for choice in contest.best if choice.late.value <= RIGHT_ENOUGH]
    bar, floor = format_share(RIGHT_ENOUGH), contest.floor
    title = f"No rule here leaves {bar} or less of the records {contest.so_long}"
    if floor is not None and floor.value.value > RIGHT_ENOUGH:
        title += f": {percent(floor.value)} are under every rule"
    if able:
        title = (
            f"{contest.label(able[0])} leaves {percent(able[0].wrong)} of PPMID records wrong for"
            f" {interval(able[0].cost)} messages per device-year"
        )
    other = contest.comparator
    if able and other is not None and other.cell.name in contest.beaten_by:
        title += f"; {contest.label(other)} takes {interval(other.cost)} and is dominated"
    read = (
        "Further left is cheaper, further down is more often right. Line: the frontier. Grey:"
        f" dominated. Crosses: 95 % intervals (most are smaller than the mark). Dashed: {bar}"
        f" wrong.{' Dotted: the floor, which no rule gets below.' if floor else ''} A shape and"
        " colour for each rule; the label gives its period."
    )
    alt = (
        f"Messages per device-year against share of PPMID records wrong, for {len(contest.choices)}"
        f" rules. {title}."
    )
    return Picture("f2_frontier", title, read, alt, partial(_draw, contest))


def _draw(contest: Contest) -> Figure:
    from sim.report.pareto import frontier_plot

    return frontier_plot(contest)
