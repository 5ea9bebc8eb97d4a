"""H1: is a daily version report an alert storm, for which phase, where, how big, and what does it
push aside?
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from sim.report import collateral, sample
from sim.report.evidence import is_sample
from sim.report.findings import Findings, Picture
from sim.report.moments import Storm, how, plain
from sim.report.ranking import of_cells
from sim.report.servers import READ, against, places, share
from sim.report.storm_tables import grids
from sim.report.study import Cell, Study
from sim.report.words import (
    capitalised,
    counted,
    duration,
    interval,
    listed,
    number,
    often,
    percent,
    span,
    time_of,
)
from sim.units import DAY_S, format_duration, format_time_of_day

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRICS: Final = (
    "csp_alerts_per_s_mean",
    "csp_alerts_per_s_peak",
    "csp_alerts_per_60s_peak",
    "csp_alerts_per_900s_peak",
    "csp_peak_to_mean_ratio",
    "csp_delay_s_p99",
    "csp_waiting_share",
    "csp_peak_waiting_n",
    "csp_refused_share",
    "late_per_day",
    "baseline_uplift_share",
)


def fits(study: Study) -> bool:
    """Whether *study* compares reporting with no reporting on a network of limited capacity: what
    H1 asks.
    """
    pairs = [(cell, study.comparator_of(cell)) for cell in study.cells]
    silent = {other.scenario.reporting.rule for _, other in pairs if other is not None}
    return (
        silent == {"none"}
        and any(name.endswith("alerts_per_s_peak") for name in study.metrics)
        and all(places(cell) for cell, _ in pairs)
    )


def findings(study: Study) -> Findings:
    """Return what the report says of *study*."""
    storm = Storm(study)
    return Findings(
        answer=_answer(storm),
        points=_points(storm),
        grids=grids(storm),
        pictures=(_picture(storm),),
        doubts=_doubts(storm),
        metrics=tuple(
            dict.fromkeys(
                [
                    *METRICS,
                    *(name.replace("csp", "dsp") for name in METRICS if name.startswith("csp")),
                ]
            )
        ),
    )


# -- sentences -------------------------------------------------------------------------------------


def _reporters(cell: Cell) -> str:
    return listed(
        [device.upper() for device in sorted(cell.scenario.reporting.devices, reverse=True)]
    )


def _answer(storm: Storm) -> str:
    storms = [cell for cell in storm.cells if storm.is_storm(cell)]
    hidden = [cell for cell in storm.cells if not storm.is_storm(cell) and not storm.is_calm(cell)]
    untold = " ".join(_untold(storm, cell) for cell in hidden)
    worst = storm.worst
    uplift = storm.study.estimate(worst, "baseline_uplift_share")
    reports = f"One report {often(worst.scenario.reporting.period)} from each {_reporters(worst)}"
    more = (
        f"adds {percent(uplift)} to the messages that are carried already"
        if uplift
        else "is all there is to carry"
    )
    if not storms and hidden:
        return f"This sample cannot tell. {reports} {more}. {untold}"
    if not storms:
        return (
            f"No, at this scale and capacity: {reports[0].lower()}{reports[1:]} {more}, and"
            f" {_most(storm)}."
        )
    verdict = "Yes, it can be."
    if len(storms) == len(storm.cells):
        verdict = "Yes, however the moment is chosen."
    elif len(storms) + len(hidden) < len(storm.cells):
        verdict = "Yes, it can be; what decides is when each sender reports."
    ways = _ways(storm, storms)
    doubt = of_cells(storm.study, storms, *storm.metric(worst)).doubt_of(worst, plain)
    worst_is = f"The worst is {_told(storm, worst)}{doubt}."
    sentences = verdict, f"{reports} {more}; {ways}.", worst_is, _remedy(storm), untold
    return " ".join(filter(None, sentences))


def _ways(storm: Storm, storms: list[Cell]) -> str:
    """Name the ways of choosing the moment that make a storm."""
    n_ways = counted(len(storm.cells), "way")
    return (
        f"{len(storms)} of the {n_ways} of choosing the moment make a storm (more comes in a second"
        f" than a stage is assumed to pass on): {listed(list(map(plain, storms)))}"
    )


def _untold(storm: Storm, cell: Cell) -> str:
    """Say of which way of choosing the moment a sample cannot tell whether it is a storm."""
    return f"Of {plain(cell)} this sample cannot tell: {sample.cannot_tell(storm.study, cell)}."


def _most(storm: Storm) -> str:
    """Say what waits where there is no storm, and how far the highest peak comes."""
    place, peak = storm.peak(storm.worst)
    load = f"{interval(peak)} alerts in one second at {place}, {against(peak, place, 'what')}"
    return f"{_waiting(storm, storm.worst)} at any stage; the most is {load} ({plain(storm.worst)})"


def _told(storm: Storm, cell: Cell) -> str:
    """Return what happens in *cell*: where, how big, how long, and what is pushed aside."""
    place, peak = storm.peak(cell)
    beside = against(peak, place, f"the {number(place.capacity)}")
    most = f"{interval(peak)} alerts in one second at {place}"
    told = f"{plain(cell)} ({how(cell)}): {most}, {beside}"
    every = storm.at(cell, place, "messages_per_s_peak")
    if peak.value <= place.capacity and every is not None and every.value > place.capacity:
        told += (
            f", and with the messages of other kinds {interval(every)},"
            f" {against(every, place, 'what')}"
        )
    queues = [(where, storm.at(cell, where, "peak_waiting_n")) for where in storm.waits(cell)]
    if queues:
        where, longest = max(queues, key=lambda pair: pair[1].value if pair[1] else 0)
        length_s = storm.study.window(cell).length_s
        of_what = "day" if length_s == DAY_S else f"{duration(length_s)} measured"
        waiting = storm.at(cell, where, "waiting_share")
        time = (
            f", and something waits there for {time_of(waiting, length_s)} of the {of_what}"
            if waiting
            else ""
        )
        told += (
            f"; up to {interval(longest)} messages wait"
            f" {'there' if where == place else f'at {where}'}{time}"
        )
    return f"{told}; {_pushed_aside(storm, cell)}"


def _pushed_aside(storm: Storm, cell: Cell) -> str:
    kinds = storm.late_kinds(cell)
    if not kinds:
        return "no message of another kind becomes late"
    targets = collateral.others(storm.study, storm.silent(cell))
    return listed(
        [
            f"{interval(more)} more {kind.replace('_', '-')} messages a day miss their target of"
            f" {format_duration(targets[kind])} ({interval(more, 100 / a_day, '%')} of them)"
            for kind, more, a_day in kinds
        ]
    )


def _remedy(storm: Storm) -> str:
    """Return how the storm is addressed: by the choice of moment under which the same reports do
    least.
    """
    if not storm.is_calm(storm.calmest):
        return ""
    place, peak = storm.peak(storm.worst)
    calm = storm.at(storm.calmest, place, "alerts_per_s_peak")
    late = storm.late(storm.calmest)
    harm = (
        "no message of another kind becomes late"
        if late is None or late.value == 0
        else f"{interval(late)} more messages of other kinds a day are late"
    )
    whose = f"{plain(storm.calmest)} ({how(storm.calmest)})"
    falls = f"falls from {interval(peak)} to {interval(calm)}"
    return (
        f"The moment alone can address it: under {whose} the same peak {falls},"
        f" {_waiting(storm, storm.calmest)}, and {harm}."
    )


def _waiting(storm: Storm, cell: Cell) -> str:
    """Return what waits in a *cell* that is no storm: nothing, or no more than without reports as
    far as the run can tell.
    """
    shares = [storm.at(cell, place, "waiting_share") for place in places(cell)]
    if not any(share is not None and share.value for share in shares):
        return "nothing waits"
    more = [
        storm.study.difference(cell, f"{place.stage}_waiting_share", place.group)
        for place in places(cell)
    ]
    same = all(apart is None or not apart.value for apart in more)
    return f"no more waits than without reports{'' if same else ' that this run can tell'}"


def _points(storm: Storm) -> tuple[str, ...]:
    others = [cell for cell in storm.cells if storm.is_storm(cell) and cell is not storm.worst]
    points = [f"{_told(storm, cell)}." for cell in others]
    return tuple(
        point
        for point in (*points, _protection(storm), _idle_reports(storm), _enough(storm))
        if point
    )


def _protection(storm: Storm) -> str:
    """Say why protection that counts per device cannot help: a proof, since it holds for every
    draw.
    """
    timed = [
        cell.scenario.reporting
        for cell in storm.cells
        if cell.scenario.reporting.traits.is_each_device_by_timer
    ]
    if len(timed) < len(storm.cells):
        return ""
    gap_s = min(reporting.period - 2 * reporting.phase.jitter for reporting in timed)
    return (
        "The protection in service (SECMP0062) never acts here, and this is a proof, not a"
        " measurement: it counts copies of one alert from one device within a window, and two"
        f" reports of one device are never less than {span(gap_s)} apart (the period less twice the"
        " jitter; a restart only makes the gap longer). In any shorter window it counts one,"
        " whatever the threshold. A storm of many devices with one alert each is not what it looks"
        " for."
    )


def _idle_reports(storm: Storm) -> str:
    """Say what the reports of devices without a record do."""
    if "ihd" not in storm.worst.scenario.reporting.devices:
        return ""
    fewer = [
        cell
        for cell in storm.all
        if cell.option == storm.worst.option and "ihd" not in cell.scenario.reporting.devices
    ]
    if not fewer:
        return ""
    place, peak = storm.peak(storm.worst)
    without = storm.at(fewer[0], place, "alerts_per_s_peak")
    return (
        "Reports from IHDs add load and no knowledge: the inventory keeps no firmware record of an"
        f" IHD. Without them, {plain(storm.worst)} peaks at {interval(without)} alerts in one"
        f" second instead of {interval(peak)}."
    )


def _enough(storm: Storm) -> str:
    """Say from which capacity on the calmest way fits: the value at which the answer turns."""
    if not storm.is_calm(storm.calmest):
        return ""
    needs = []
    for place in places(storm.calmest):
        peak = storm.at(storm.calmest, place, "messages_per_s_peak")
        if peak is not None:
            needs.append(f"{interval(peak)} at {place} (assumed: {number(place.capacity)})")
    return (
        f"No capacity is published. The busiest second under {plain(storm.calmest)}, all other"
        f" traffic included, needs {listed(needs)}: with less, it would queue as well."
    )


def _doubts(storm: Storm) -> tuple[str, ...]:
    doubts = [
        (
            "Capacities: none is published (grade D). A stage that passes on less than the figures"
            " given above makes calm options storms as well; one that passes on more shortens the"
            " queues of the others, and removes none whose peak is many times its size."
        ),
        (
            "The hours of the existing traffic: the daily profiles are assumptions (grade D), and"
            " they say how much meets the storm."
        ),
    ]
    if not any(
        row.kind == "retry" for stage in storm.worst.scenario.network for row in stage.mitigations
    ):
        doubts.append(
            "Retries: a message that is late is not sent again here. Where senders do, a queue"
            " feeds itself."
        )
    fixed = [cell for cell in storm.cells if cell.scenario.reporting.phase.source == "fixed_clock"]
    if fixed:
        at = format_time_of_day(fixed[0].scenario.reporting.phase.at)
        doubts.append(
            f"The hour of the fixed clock: what is pushed aside at {at} is what travels at {at}; at"
            " a busier hour the same storm meets more."
        )
    if not any(stage.priority for stage in storm.worst.scenario.network):
        doubts.append(
            "Priorities: messages are served in the order they come. If on-demand messages went"
            " first, the storm would wait and not they."
        )
    return (*(sample.doubt(storm.study, sample.PEAKS) if is_sample(storm.study) else ()), *doubts)


# -- the figure -----------------------------------------------------------------------------------


def _picture(storm: Storm) -> Picture:
    place, peak = storm.peak(storm.worst)
    title = f"{capitalised(plain(storm.worst))} brings {place} "
    if place.in_bytes:
        title += f"{interval(peak)} alerts in one second"
    else:
        title += f"{share(peak, place)} what it passes on in a second"
    if storm.is_calm(storm.calmest):
        calm_place, calm = storm.peak(storm.calmest)
        if not calm_place.in_bytes:
            title += f"; {plain(storm.calmest)}, at most {share(calm, calm_place)} it"
    read = f"Each row is a way of choosing the moment, {READ}"
    alt = (
        f"Heat-map of load by time of day for {listed([cell.called for cell in storm.cells])} at"
        f" the CSP regions and the DSP. {title}."
    )
    return Picture("f1_load_by_time_of_day", title, read, alt, partial(_draw, storm))


def _draw(storm: Storm) -> Figure:
    from sim.report.heat import load_by_time_of_day

    silent = storm.study.comparator_of(storm.worst)
    return load_by_time_of_day(
        storm.study, [cell for cell in (silent, *storm.cells) if cell is not None]
    )
