"""H9: after a power cut or an outage, does the world recover by itself, and how long does it take?
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from sim.metrics import METRICS as METRICS_OF
from sim.report import sample
from sim.report.aftermath import (
    Aftermath,
    Outcome,
    drain_text,
    level_of,
    place_of,
    returned_text,
    verdict,
    wrong,
)
from sim.report.evidence import is_sample
from sim.report.findings import Findings, Picture
from sim.report.grids import Grid
from sim.report.study import Study
from sim.report.words import duration, interval, listed, percent, rounded, span
from sim.units import HOUR_S, format_share

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRICS: Final = (
    "amplification_ratio",
    "attempts_wasted_share",
    "drain_time_s",
    "drain_fluid_s",
    "returned_to_normal_share",
    "load_before_share",
    "load_after_share",
)


def fits(study: Study) -> bool:
    """Whether *study* asks H9, and something went wrong in it with enough time to see what came of
    it.
    """
    return "(H9)" in study.question and bool(Aftermath(study).outcomes)


def findings(study: Study) -> Findings:
    """Return what the report says of *study*."""
    world = Aftermath(study)
    return Findings(
        answer=_answer(world),
        points=_points(world),
        grids=_grids(world),
        pictures=_pictures(world),
        doubts=_doubts(world),
        metrics=METRICS,
    )


# -- sentences -------------------------------------------------------------------------------------


def _answer(world: Aftermath) -> str:
    here = world.of(None, *world.focus)
    back, lost = (
        [outcome for outcome in here if outcome.returns == wanted] for wanted in (True, False)
    )
    at = _trigger(world, here[0])
    if not lost:
        every = (
            "the world recovers by itself"
            if len(here) == 1
            else f"the world recovers by itself under every policy ({_named(here)})"
        )
        anywhere = (
            ""
            if all(outcome.returns for outcome in world.outcomes)
            else " At others it does not: see T9."
        )
        sure = f", in {returned_text(back[0])} replications" if len(back) == 1 else ""
        return f"Yes. {at} {every}{sure}: {_drains(back)}.{anywhere}"
    if not back:
        anybody = " under any policy" if len(here) > 1 else ""
        never = (
            "not recover by itself"
            if not any(outcome.returned.value for outcome in lost)
            else "not always recover by itself"
        )
        return (
            f"No. {at} the world does {never}{anybody}: {_outlives(world, lost[0])}."
            f" {_why(world, lost[0], None)}".strip()
        )
    fast = [outcome for outcome in back if outcome.drain is not None]
    sooner = f": {_drains(fast)}" if fast else ""
    return (
        f"That depends on what is sent again. {at} the world recovers by itself under"
        f" {_named(back)}{sooner}. Under {_named(lost)} the storm outlives its trigger:"
        f" {_outlives(world, lost[0])}. {_why(world, lost[0], back[-1])}"
    )


def _trigger(world: Aftermath, outcome: Outcome) -> str:
    """Say after what, and at which load, the worlds of the focus are."""
    traffic = format_share(outcome.cell.scenario.traffic.level)
    return (
        f"After {span(world.focus[0])} of {wrong(outcome)}, at {traffic} of today's traffic, a load"
        f" of {percent(outcome.before)} of what {place_of(outcome)} passes on,"
    )


def _named(outcomes: list[Outcome]) -> str:
    return listed(
        [
            f"{outcome.policy} ({returned_text(outcome).replace(' (', '; ').removesuffix(')')})"
            for outcome in outcomes
        ]
    )


def _drains(outcomes: list[Outcome]) -> str:
    return listed(
        [
            (
                f"{outcome.policy} drains in {drain_text(outcome)}"
                if outcome.policy
                else drain_text(outcome)
            )
            for outcome in outcomes
        ]
    )


def _under(world: Aftermath, outcome: Outcome) -> str:
    """Return "with POLICY ", where there are several to tell apart."""
    return f"with {outcome.policy} " if len(world.policies) > 1 else ""


def _outlives(world: Aftermath, outcome: Outcome) -> str:
    return (
        f"{_under(world, outcome)}it is back to normal in {returned_text(outcome)} replications,"
        f" and in the last hour {percent(outcome.after)} of what {place_of(outcome)} can pass on"
        f" arrives there ({percent(outcome.before)} before)"
    )


def _why(world: Aftermath, lost: Outcome, safe: Outcome | None) -> str:
    """Say by arithmetic why one policy must drain and the other need not: how often a message may
    be sent, times the load.
    """
    if lost.work <= 1:
        return ""
    told = (
        f"Why: {_under(world, lost)}a message may be sent up to {rounded(lost.most, 3)} times,"
        f" which makes of the load before {rounded(lost.work, 3)} times the capacity: what waits"
        " makes what is sent again, and that keeps it waiting."
    )
    if safe is not None and safe.work < 1:
        times = "once" if safe.most == 1 else f"at most {rounded(safe.most, 3)} times"
        told += (
            f" With {safe.policy} it is sent {times}, {rounded(safe.work, 3)} of the capacity, so"
            " that the queue must drain whatever happened."
        )
    return told


def _points(world: Aftermath) -> tuple[str, ...]:
    longest = world.outages[-1]
    points = (
        [point for policy in world.policies for point in _boundary(world, policy, longest)]
        if len(world.levels) > 1
        else []
    )
    return (*points, *_amplified(world), *_genuine(world), *_against_fluid(world))


def _genuine(world: Aftermath) -> tuple[str, ...]:
    """Say which genuine alerts come too late or never, of the codes that suffer most."""
    told = []
    for outcome in world.of(None, *world.focus):
        codes = {
            code: share
            for code, share in world.study.groups(outcome.cell, "genuine_loss_share").items()
            if share.value
        }
        worst = sorted(codes, key=lambda code: -codes[code].value)[:3]
        if worst:
            told.append(
                _under(world, outcome)
                + listed([f"{percent(codes[code])} of {code}" for code in worst])
            )
    return (
        (f"Genuine alerts that never come, or too late to be useful: {'; '.join(told)}.",)
        if told
        else ()
    )


def _boundary(world: Aftermath, policy: str, outage_s: int) -> tuple[str, ...]:
    back, lost = world.boundary(policy, outage_s)
    outcomes = world.of(policy, outage_s)
    if not outcomes:
        return ()
    if lost is None:
        return (
            (
                f"{policy}: recovers at every load tried, up to {percent(back)} of capacity, also"
                f" after {span(outage_s)}; no metastable state was found."
            ),
        )
    proof = 1 / outcomes[0].most
    known = (
        f"; up to {rounded(100 * proof, 3)} % (1 ÷ {rounded(outcomes[0].most, 3)} attempts) it must"
        " recover, by arithmetic"
        if outcomes[0].most > 1
        else ""
    )
    if back is None:
        return (
            (
                f"{policy}: is not back after {span(outage_s)} at {percent(lost)} of capacity, the"
                f" lowest load tried{known}."
            ),
        )
    first = next(outcome for outcome in outcomes if outcome.before is lost)
    kind = (
        "it drains still when the window ends"
        if lost.value < 1
        else "overloaded, which no policy helps"
    )
    if first.metastable:
        kind = "metastable from somewhere between the two"
    return (
        (
            f"{policy}: after {span(outage_s)} it recovers up to a load of {percent(back)} of"
            f" capacity and is not back at {percent(lost)}: {kind}{known}."
        ),
    )


def _amplified(world: Aftermath) -> tuple[str, ...]:
    here = world.of(None, *world.focus)
    told = []
    for outcome in here:
        times, waste = (
            world.study.estimate(outcome.cell, name)
            for name in ("amplification_ratio", "attempts_wasted_share")
        )
        if times is not None and waste is not None and times.value > 1:
            told.append(
                f"{_under(world, outcome)}{interval(times)} attempts a message ({percent(waste)} of"
                " them wasted: their message had arrived before)"
            )
    return (
        (f"Amplification over the window, at the same load and outage: {listed(told)}.",)
        if told
        else ()
    )


def _against_fluid(world: Aftermath) -> tuple[str, ...]:
    """Set the time to drain beside the closed form, at the longest outage after which it is known.
    """
    told = []
    for policy in world.policies:
        known = [
            outcome
            for outcome in world.of(policy)
            if outcome.drain is not None and outcome.fluid is not None and outcome.returns
        ]
        if known:
            last = max(known, key=lambda outcome: (outcome.outage_s, level_of(outcome)))
            assert last.fluid is not None
            form = interval(last.fluid, 1 / 60, "min")
            told.append(
                f"{_under(world, last)}{drain_text(last)} (closed form {form};"
                f" {span(last.outage_s)} at {percent(last.before)})"
            )
    if not told:
        return ()
    said = (
        "Beside the fluid closed form (outage × arrivals ÷ spare capacity, nothing sent twice):"
        f" {listed(told)}. What is longer, retries make."
    )
    if any(outcome.budget < outcome.cap and outcome.never_forgets for outcome in world.outcomes):
        said += (
            " A budget without a window counts first attempts since the world began: what it saved"
            " in calm hours is spent at once when something fails."
        )
    return (said,)


def _doubts(world: Aftermath) -> tuple[str, ...]:
    doubts = [
        (
            "Capacities and retry settings are not published (grade D). The boundary is a share of"
            " capacity: with more of it, the same policy is safe at more traffic."
        ),
        (
            f"The end of the window: back to normal is judged in the last {HOUR_S // 60} minutes; a"
            " storm that ends later is counted as one that does not."
        ),
        (
            "The hour of the day: traffic follows its daily profile, so the load after the trigger"
            " is not quite the load before, which the closed form keeps."
        ),
        (
            "Who retries: only messages that a retry row names are sent again. What people and"
            " other systems do while they wait is not in the model."
        ),
    ]
    part = (
        "This is a sample of the estate: the boundary, in shares of capacity, carries over; queues"
        " and peaks do not. Run all premises, or a part in proportion (estate.scale), to decide."
    )
    return (*(sample.doubt(world.study, part) if is_sample(world.study) else ()), *doubts)


# -- tables and figures ----------------------------------------------------------------------------


def boundary_text(world: Aftermath, outcome: Outcome) -> str:
    """Return where a policy stops coming back, as loads before, of the outage of *outcome*."""
    back, lost = world.boundary(outcome.policy, outcome.outage_s)
    ends = [
        f"{prefix} {percent(end)}"
        for prefix, end in (("back up to", back), ("not from", lost))
        if end is not None
    ]
    return ", ".join(ends) + (" (the highest tried)" if lost is None else "")


def _row(world: Aftermath, outcome: Outcome) -> tuple[str, ...]:
    times = world.study.estimate(outcome.cell, "amplification_ratio")
    fluid = "–" if outcome.fluid is None else interval(outcome.fluid, 1 / 60, "min")
    longest = outcome.longest_drain_s(outcome.outage_s)
    most = (
        "–" if outcome.fluid is None else "need not drain" if longest is None else duration(longest)
    )
    level = format_share(outcome.cell.scenario.traffic.level)
    return (
        outcome.policy,
        span(outcome.outage_s),
        level,
        percent(outcome.before),
        interval(times),
        drain_text(outcome),
        fluid,
        most,
        returned_text(outcome),
        verdict(outcome),
    )


def _grids(world: Aftermath) -> tuple[Grid, ...]:
    head = (
        "policy",
        "outage",
        "traffic",
        "load before",
        "amplification",
        "drain time",
        "closed form",
        "with all retries",
        "back to normal",
        "metastable",
    )
    outage_s, level = world.focus
    here = world.of(None, outage_s, level)
    note = (
        "Load before: of the capacity of the server struck, in the hour before. Amplification:"
        " attempts ÷ messages. Drain time: from the end of the trigger until everything is calm for"
        " an hour. Closed form: outage × arrivals ÷ spare capacity; with all retries: the same were"
        " everything sent as often as the policy lets it. Back to normal: share of replications."
        " Metastable: the world carried its load before, and in the last hour no less arrives than"
        " can be passed on."
    )
    same = len(world.outcomes) == len(here)
    short = [(*_row(world, outcome), boundary_text(world, outcome)) for outcome in here]
    title = (
        f"T9. What each policy makes of {span(outage_s)} at {format_share(level)} of the traffic"
    )
    first = Grid(title, (*head, "boundary (load before)"), tuple(short), note)
    cost = _cost_grid(world, here)
    if same:
        return first, cost
    rows = tuple(_row(world, outcome) for policy in world.policies for outcome in world.of(policy))
    return first, cost, Grid("T9c. Every policy, load and outage", head, rows, page_only=True)


def _cost_grid(world: Aftermath, here: list[Outcome]) -> Grid:
    """Return T9b: what it cost those who were not to blame, at one outage and load."""
    names = {
        "genuine lost": "genuine_suppressed_share",
        "genuine delayed": "genuine_delayed_share",
        "late a day": "late_per_day",
        "busiest second of a WAN cell": "busiest_cell_messages_per_s_peak",
        "time of all WAN cells over capacity": "all_cells_over_capacity_share",
        "operator's worst 10 min": "operator_alerts_per_600s_peak",
        "in a flood": "operator_flood_share",
    }
    found = {
        head: [world.study.estimate(outcome.cell, metric) for outcome in here]
        for head, metric in names.items()
    }
    told = {
        head: [
            (percent if METRICS_OF[names[head]].unit == "share" else interval)(value)
            for value in values
        ]
        for head, values in found.items()
    }
    kept = {head: values for head, values in told.items() if any(value != "–" for value in values)}
    rows = tuple(
        (outcome.policy, *(values[n] for values in kept.values())) for n, outcome in enumerate(here)
    )
    note = (
        "Genuine: shares of the genuine alerts raised that never came, or came past their target."
        " Late: messages of every kind past their target."
    )
    return Grid(
        "T9b. What it cost, at the same load and outage",
        ("policy", *kept),
        rows,
        note,
        page_only=True,
    )


def _pictures(world: Aftermath) -> tuple[Picture, ...]:
    pictures = [_timeline(world)]
    if len(world.levels) > 1:
        pictures.insert(0, _loop(world))
    if len(world.outages) > 1 and any(outcome.drain is not None for outcome in world.outcomes):
        pictures.insert(len(pictures) - 1, _drain(world))
    return tuple(pictures)


def _loop(world: Aftermath) -> Picture:
    longest = world.outages[-1]
    lost = [
        outcome
        for policy in world.policies
        for outcome in world.of(policy, longest)
        if outcome.metastable
    ]
    title = "The way down is the way up: no policy keeps a storm going after its trigger"
    if lost:
        title = (
            f"With {lost[0].policy} the way down is not the way up: the storm outlives its trigger"
            f" at {percent(lost[0].before)} of capacity"
        )
    read = (
        f"Across: load in the hour before {span(longest)} of {wrong(world.outcomes[0])}, arrivals ÷"
        " capacity. Up: load in the last hour of the window. Going up, a world lies on the grey"
        " line (below it where the hour of the day is quieter); a policy that leaves it has not"
        " come back, and only less traffic brings it down. Bars: 95 % intervals. Hollow: not back"
        " to normal."
    )
    return Picture(
        "f9_hysteresis",
        title,
        read,
        f"Load after the trigger against load before, by policy. {title}.",
        partial(_draw, "loop", world),
    )


def _drain(world: Aftermath) -> Picture:
    level = _drained_level(world)
    known = [
        outcome for outcome in world.of(None, world.outages[-1], level) if outcome.drain is not None
    ]
    told = listed([f"{outcome.policy} {drain_text(outcome)}" for outcome in known[:3]])
    title = (
        f"After {span(world.outages[-1])}, to drain takes: {told}"
        if known
        else f"After {span(world.outages[-1])} no policy drains"
    )
    read = (
        f"At {format_share(level)} of the traffic. Marks: time to drain after an outage, with its"
        " 95 % interval; on the upper edge: not drained in the window. Grey line: fluid closed"
        " form, nothing sent twice; dotted: the same were everything sent as often as the policy"
        " lets it (a budget with what it saved before), where that drains at all."
    )
    return Picture(
        "f9_drain_time",
        title,
        read,
        f"Time to drain against length of the outage. {title}.",
        partial(_draw, "drain", world, level),
    )


def _drained_level(world: Aftermath) -> float:
    """Return the level of traffic that tells policies apart best, or, where nothing drains there,
    the one at which most do; of several, the highest.
    """
    if any(outcome.drain is not None for outcome in world.of(None, None, world.focus[1])):
        return world.focus[1]
    return max(
        world.levels,
        key=lambda level: (
            sum(outcome.drain is not None for outcome in world.of(None, None, level)),
            level,
        ),
    )


def _timeline(world: Aftermath) -> Picture:
    outage_s, level = world.focus
    here = world.of(None, outage_s, level)
    lost = [outcome.policy for outcome in here if not outcome.returns]
    title = "The queue goes when its cause has gone"
    if lost:
        title = (
            f"With {listed(lost)} the queue outlives what caused it"
            if len(world.policies) > 1
            else "The queue outlives what caused it"
        )
    read = (
        f"What waits at {place_of(here[0])} at the end of each minute, in seconds of work at its"
        f" capacity, a mean over replications; {span(outage_s)} of {wrong(here[0])} (shaded) at"
        f" {format_share(level)} of the traffic. Up to 1 s the scale is linear, beyond it"
        " logarithmic."
    )
    return Picture(
        "f9_timeline",
        title,
        read,
        f"What waits, minute by minute, by policy. {title}.",
        partial(_draw, "waits", world),
    )


def _draw(which: str, world: Aftermath, level: float = 0.0) -> Figure:
    from sim.report import hysteresis

    return (
        hysteresis.loop(world)
        if which == "loop"
        else hysteresis.drain(world, level) if which == "drain" else hysteresis.waits(world)
    )
