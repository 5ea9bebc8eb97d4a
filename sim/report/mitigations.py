"""H8: which mitigation, at which layer, with which setting, stops the storm without losing the
alert that matters?
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from sim.metrics import Difference
from sim.report import collateral, genuine, protection, sample
from sim.report.evidence import is_sample
from sim.report.findings import Findings, Picture
from sim.report.grids import Grid
from sim.report.ranking import Entry, Ranking, above, negative, of_cells
from sim.report.remedies import BUILDERS, CUT, DELAY, Remedies, changes, factor_name
from sim.report.servers import against, places
from sim.report.study import Cell, Study
from sim.report.words import capitalised, counted, interval, listed, percent
from sim.units import format_duration

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRICS: Final = (
    "dsp_messages_per_s_peak",
    "dsp_peak_waiting_n",
    DELAY,
    "late_per_day",
    "genuine_suppressed_share",
    "genuine_delayed_share",
    "genuine_loss_share",
    "throttled_share",
    "stopped_per_day",
    "put_off_per_day",
    "anomaly_alerts_per_day",
    "operator_alerts_per_600s_peak",
    "operator_flood_share",
)
_REFUSED: Final = "report_refused_share"
_LITTLE: Final = 0.005  # half a percentage point, which is not worth a sentence
OUTCOMES: Final = (
    "nothing waits longer",
    "something waits, nobody is late",
    "other messages are late",
    "outlives its trigger",
)


def fits(study: Study) -> bool:
    """Whether *study* asks H8, and has a storm to compare mitigations with."""
    if "(H8)" not in study.question:
        return False
    remedies = Remedies(study)
    return bool(remedies.cells and places(remedies.storms[0]))


def findings(study: Study) -> Findings:
    """Return what the report says of *study*."""
    remedies = Remedies(study)
    return Findings(
        answer=_answer(remedies),
        points=_points(remedies),
        grids=_grids(remedies),
        pictures=_pictures(remedies),
        doubts=_doubts(remedies),
        metrics=METRICS,
    )


# -- sentences -------------------------------------------------------------------------------------


def _named(remedies: Remedies, cells: list[Cell]) -> str:
    return listed([remedies.called(cell) for cell in cells])


def _answer(remedies: Remedies) -> str:
    said = _bare(remedies), *(_stopping(remedies) if remedies.calms else ())
    if not remedies.calms:
        lost = genuine.lost(remedies) or "None suppresses or delays more of the genuine alerts."
        before = protection.listing(remedies), genuine.in_time(remedies)
        said = *before, *said, _best_cut(remedies, remedies.cells), lost
    return " ".join(filter(None, said))


def _bare(remedies: Remedies) -> str:
    """Say how large the storm is without a mitigation, and what it makes late."""
    storm, place = remedies.storms[0], remedies.worst
    peak = remedies.study.estimate(storm, f"{place.stage}_messages_per_s_peak", place.group)
    assert peak is not None
    bare = "Without a mitigation" if remedies.calms else f"Under {remedies.called(storm)}"
    most = f"{interval(peak)} messages, {against(peak, place, 'what')}"
    told = f"{bare} the busiest second brings {place} {most}"
    if (harm := remedies.late(storm)) is None:
        return f"{told}."
    late = f"{interval(harm)} messages of other kinds a day are late because of it"
    return f"{told}, and {late}{_too_late(remedies)}."


def _stopping(remedies: Remedies) -> tuple[str, ...]:
    """Say which mitigations stop the storm, at which cost, and which does so best."""
    all_of_them = counted(len(remedies.cells), "mitigation")
    stop = [cell for cell in remedies.cells if remedies.stops(cell)]
    if not stop:
        late = ": under each, messages of other kinds are late"
        if any(map(remedies.untold, remedies.cells)):
            late = " that this run can tell"
        return f"None of the {all_of_them} stops it{late}.", _best_cut(remedies, remedies.cells)
    clean = [cell for cell in stop if not remedies.loses(cell)]
    dear = [cell for cell in stop if cell not in clean]
    how_many = f"{len(stop)} {'stops' if len(stop) == 1 else 'stop'} it"
    verdict = f"Of {all_of_them}, {how_many} (no message of another kind is late for it)"
    if not clean:
        return (f"{verdict}, but lose more genuine alerts: {_named(remedies, dear)}.",)
    cost = f"{_named(remedies, dear)} would stop it too, at the cost of more genuine alerts."
    return (
        f"{verdict}{_anyhow(remedies, clean[0])}: {_named(remedies, clean)}.",
        cost if dear else "",
        _best_cut(remedies, clean).replace("The busiest", "Of these, the busiest", 1),
        _deeper(remedies, clean),
        _paid(remedies, clean),
    )


def _anyhow(remedies: Remedies, cell: Cell) -> str:
    """Say that *cell* loses no more genuine alerts than are lost anyhow, and how many those are;
    nothing where none are raised.
    """
    other = remedies.yardstick(cell)
    if (loss := remedies.genuine(other, "loss")) is None:
        return ""
    where = "without the storm" if other in remedies.calms else "in the storm"
    return (
        f"; without losing more genuine alerts than {where}, where {percent(loss)} never come or"
        " come late"
    )


def _too_late(remedies: Remedies) -> str:
    """Say how many of the genuine alerts the storm makes late, where it does."""
    late = remedies.study.estimate(remedies.storms[0], "genuine_delayed_share")
    if late is None or not late.value:
        return ""
    return f", also {percent(late)} of the genuine alerts"


def _deeper(remedies: Remedies, clean: list[Cell]) -> str:
    """Name what lowers the busiest second more than any that stops the storm, and does not."""
    cuts = [(cut.value, cell) for cell in remedies.cells if (cut := remedies.cut(cell)) is not None]
    most = max((cut for cut, cell in cuts if cell in clean), default=0.0)
    deeper = [cell for cut, cell in cuts if cut > most and cell not in clean]
    if not deeper:
        return ""
    verb = "lowers" if len(deeper) == 1 else "lower"
    return f"{capitalised(_named(remedies, deeper))} {verb} it more, and yet messages are late."


def _paid(remedies: Remedies, clean: list[Cell]) -> str:
    """Say of those that stop the storm which leave its peak, and which refuse reports."""
    study, told = remedies.study, []
    cuts = [(cell, remedies.cut(cell)) for cell in clean]
    flat = [cell for cell, cut in cuts if cut is not None and abs(cut.value) < _LITTLE]
    if flat:
        verb = "leaves" if len(flat) == 1 else "leave"
        told.append(f"{capitalised(_named(remedies, flat))} {verb} the busiest second as it is.")
    before = study.estimate(remedies.storms[0], _REFUSED)
    for cell in clean:
        refused = study.estimate(cell, _REFUSED)
        if refused and before and refused.value > before.value + _LITTLE:
            whose = f"refuses {percent(refused)} of the version reports"
            told.append(f"{capitalised(remedies.called(cell))} {whose}.")
    return " ".join(told)


def _best_cut(remedies: Remedies, cells: list[Cell]) -> str:
    """Name the mitigation of *cells* that lowers the peak most, with its layer and setting."""
    cuts = [(cut, cell) for cell in cells if (cut := remedies.cut(cell)) is not None]
    if not cuts:
        return ""
    ranking = Ranking(CUT, [Entry(cell, cut, remedies.cuts(cell)) for cut, cell in cuts])
    cut, best = ranking.highest.estimate, ranking.highest.what
    doubt = ranking.doubt(ranking.highest, remedies.called)
    layers = listed(
        [layer.upper() if layer in ("csp", "dsp") else layer for layer in remedies.layers(best)]
    )
    setting = "; ".join(change.setting for change in changes(best, remedies.storm(best)))
    if cut.value <= 0:
        return f"None of them lowers the busiest second at {remedies.worst}."
    return (
        f"The busiest second falls most under {remedies.called(best)} (at the {layers}: {setting}):"
        f" by {percent(cut)} at {remedies.worst}{doubt}."
    )


def _points(remedies: Remedies) -> tuple[str, ...]:
    untold = [cell for cell in remedies.cells if remedies.calms and remedies.untold(cell)]
    fails = [
        cell
        for cell in remedies.cells
        if remedies.calms and not remedies.stops(cell) and cell not in untold
    ]
    points = [
        protection.alone(remedies),
        genuine.lost(remedies) if remedies.calms else "",
        _operators(remedies),
    ]
    points += [f"Do not stop it: {_named(remedies, fails)}."] if fails else []
    points += (
        [f"This run cannot tell whether they stop it: {_named(remedies, untold)}."]
        if untold
        else []
    )
    return tuple(point for point in points if point)


def _operators(remedies: Remedies) -> str:
    """Say how many alerts operators get in ten minutes, under the storm and under what spares them
    most.
    """
    metric = "operator_alerts_per_600s_peak"
    ranking = of_cells(remedies.study, remedies.cells, metric)
    storm = remedies.study.estimate(remedies.storms[0], metric)
    flood = remedies.study.estimate(remedies.storms[0], "operator_flood_share")
    if storm is None or not ranking:
        return ""
    least = ranking.lowest
    bare = (
        "without a mitigation" if remedies.calms else f"under {remedies.called(remedies.storms[0])}"
    )
    told = (
        f"Operators: {bare} the busiest operator gets {interval(storm)} alerts and reports in the"
        f" worst ten minutes, and is in a flood {percent(flood)} of the time"
    )
    fewer = remedies.study.paired(least.what, remedies.storms[0], metric)
    if fewer is None or not above(negative(fewer)):
        return f"{told}; no mitigation spares them any that this run can tell."
    return (
        f"{told}; fewest under"
        f" {remedies.called(least.what)}{ranking.doubt(least, remedies.called)}:"
        f" {interval(least.estimate)}."
    )


def _doubts(remedies: Remedies) -> tuple[str, ...]:
    doubts = [
        (
            "Capacities, and the thresholds, windows and exclusion list of the protection in"
            " service, are not published (grade D): settings are examples, and each works up to the"
            " storm it was sized for."
        ),
        (
            "Who builds it: by layer. What is built into devices and hubs reaches those installed"
            " only with new firmware, and takes years; what is built at the CSP or DSP works from"
            " one day to the next."
        ),
        (
            "Genuine alerts: those of premises without WAN or in the dark never arrive, storm or"
            " not; a mitigation is charged with what it adds to them."
        ),
        (
            "The storm: one way of making it is compared here. A mitigation that spreads reports"
            " does nothing against alerts that an outage raises at once."
        ),
    ]
    is_part = is_sample(remedies.study)
    return (*(sample.doubt(remedies.study, sample.PEAKS) if is_part else ()), *doubts)


# -- tables and figures ----------------------------------------------------------------------------


def _layer(remedies: Remedies, cell: Cell) -> tuple[str, str]:
    """Return layer and builder of a mitigation."""
    layers = remedies.layers(cell)
    return (
        ", ".join(layers) or "–",
        ", ".join(dict.fromkeys(BUILDERS[layer] for layer in layers)) or "–",
    )


def _row(remedies: Remedies, cell: Cell, kind: str) -> tuple[str, ...]:
    storm, calm = kind == "storm", kind == "calm"
    layer, builder = ("–", "–") if storm or calm else _layer(remedies, cell)
    lost, late = (percent(remedies.genuine(cell, what)) for what in ("suppressed", "delayed"))
    harm: Difference | None = None if calm else remedies.late(cell)
    cut, delay = (None, "–") if storm else (remedies.cut(cell), remedies.delay_text(cell))
    return (
        remedies.called(cell),
        layer,
        builder,
        interval(cut, 100, "%"),
        late,
        lost,
        delay,
        interval(harm),
        interval(remedies.longest_queue(cell)),
    )


def _detail(remedies: Remedies, cell: Cell) -> tuple[str, ...]:
    study = remedies.study
    setting = "; ".join(change.setting for change in changes(cell, remedies.storm(cell))) or "–"
    acted = [
        "; ".join(f"{kind} {interval(n)}" for kind, n in remedies.stopped(cell, column).items())
        or "–"
        for column in ("n_stopped", "n_put_off")
    ]
    peak, flood = (
        study.estimate(cell, f"operator_{name}") for name in ("alerts_per_600s_peak", "flood_share")
    )
    return remedies.called(cell), setting, *acted, interval(peak), percent(flood)


def _grids(remedies: Remedies) -> tuple[Grid, ...]:
    rows = [_row(remedies, cell, "storm") for cell in remedies.storms]
    rows += [_row(remedies, cell, "") for cell in remedies.cells]
    rows += [_row(remedies, cell, "calm") for cell in remedies.calms]
    head = (
        "mitigation",
        "layer",
        "built by",
        "peak cut",
        "genuine delayed",
        "genuine lost",
        "added delay (p90), s",
        "other messages late a day",
        "longest queue",
    )
    what = collateral.REPORT.replace("_", " ") + "s"
    note = (
        f"Peak cut: of the busiest second at {remedies.worst}, which counts what arrives there,"
        " also what it then refuses. Genuine: shares of the genuine alerts raised that come past"
        f" their target, or never. Added delay: of {what}, against the storm. Late: more than"
        " without the storm, paired."
    )
    heads = (
        "mitigation",
        "setting",
        "stopped a day",
        "put off a day",
        "operator's worst 10 min",
        "in a flood",
    )
    details = tuple(_detail(remedies, cell) for cell in (*remedies.storms, *remedies.cells))
    return (
        Grid(
            "T8. What each mitigation does to the storm, and to what matters",
            head,
            tuple(rows),
            note,
        ),
        Grid(
            "T8b. Settings, and whom they stop",
            heads,
            details,
            "Stopped and put off: by kind of message, of rows that the storm has not.",
            page_only=True,
        ),
        *_late_grid(remedies),
        *_codes_grid(remedies),
        *_sweep_grid(remedies, head),
    )


def _codes_grid(remedies: Remedies) -> tuple[Grid, ...]:
    """Return T8e: what becomes of the genuine alerts of each code."""
    study, rows = remedies.study, []
    for cell in (*remedies.storms, *remedies.cells, *remedies.calms):
        for code, suppressed in study.groups(cell, "genuine_suppressed_share").items():
            shares = (
                study.estimate(cell, f"genuine_{what}_share", code) for what in ("delayed", "loss")
            )
            rows.append((code, remedies.called(cell), percent(suppressed), *map(percent, shares)))
    head = ("code", "mitigation", "suppressed", "delayed past target", "together")
    note = (
        "Of the genuine alerts raised: never at the inventory's door themselves, there too late to"
        " be useful, and either."
    )
    return (
        (
            Grid(
                "T8e. Genuine alerts, by code",
                head,
                tuple(sorted(rows, key=lambda row: row[0])),
                note,
                page_only=True,
            ),
        )
        if rows
        else ()
    )


def _sweep_grid(remedies: Remedies, head: tuple[str, ...]) -> tuple[Grid, ...]:
    """Return T8d: every setting of the mitigations of which several were tried."""
    rows = tuple(_row(remedies, cell, "") for cells in remedies.sweeps.values() for cell in cells)
    note = (
        "T8 has the one of each under which fewest other messages are late, and of those the one"
        " that delays least."
    )
    return (Grid("T8d. Every setting tried", head, rows, note, page_only=True),) if rows else ()


def _late_grid(remedies: Remedies) -> tuple[Grid, ...]:
    """Return T8c: messages of each class of response time made late."""
    calm = remedies.calm(remedies.storms[0])
    if calm is None:
        return ()
    classes = sorted(set(collateral.others(remedies.study, calm).values()))
    rows = []
    for cell in (*remedies.storms, *remedies.cells):
        own = remedies.calm(cell)
        assert own is not None
        more = collateral.late_classes(remedies.study, cell, own)
        rows.append((remedies.called(cell), *(interval(more.get(target)) for target in classes)))
    head = ("mitigation", *(f"of target {format_duration(target)}" for target in classes))
    note = (
        "More messages a day than without the storm that miss their target, as a paired difference."
    )
    return (
        Grid(
            "T8c. What is pushed aside, by class of response time",
            head,
            tuple(rows),
            note,
            page_only=True,
        ),
    )


def _pictures(remedies: Remedies) -> tuple[Picture, ...]:
    pictures = [_ladder(remedies)]
    for cells in remedies.sweeps.values():
        paths = [
            path for path in cells[0].levels if len({cell.levels.get(path) for cell in cells}) > 1
        ]
        if len(paths) == 2 and remedies.calms:
            pictures.insert(0, _phases(remedies, cells, paths))
    return tuple(pictures)


def _phases(remedies: Remedies, cells: list[Cell], paths: list[str]) -> Picture:
    across, up = (factor_name(cells[0], path) for path in paths)
    safe = [cell for cell in cells if remedies.outcome(cell) <= 1]
    title = (
        f"Of {counted(len(cells), 'setting')} of {across} and {up}, {len(safe)}"
        f" {'keeps' if len(safe) == 1 else 'keep'} the storm from harming others"
    )
    read = (
        f"Across: {across}; up: {up}. Colour and letter: outcome, "
        + ", ".join(f"{letter} {told}" for letter, told in zip("ABCD", OUTCOMES, strict=True))
        + ". The number: messages of other kinds a day that are late for it, with its 95 %"
        " interval."
    )
    return Picture(
        "f8_phase_diagram",
        title,
        read,
        f"Outcome by {across} and {up}. {title}.",
        partial(_draw, "phases", remedies, cells, paths),
    )


def _ladder(remedies: Remedies) -> Picture:
    stop = [cell for cell in remedies.cells if remedies.stops(cell) and not remedies.loses(cell)]
    verbs = ("stops", "loses") if len(stop) == 1 else ("stop", "lose")
    how_many = f"{counted(len(stop), 'mitigation').capitalize()} of {len(remedies.cells)}"
    title = f"{how_many} {verbs[0]} the storm and {verbs[1]} no more genuine alerts"
    if not remedies.calms:
        title = "What each choice does to the peak and to genuine alerts"
    read = (
        "Left: messages of other kinds a day that are late for the storm (up to 1 linear, beyond"
        " logarithmic); middle: how far the busiest second falls; right: genuine alerts suppressed"
        " or delayed past usefulness. Dots: means over replications; bars: 95 % intervals."
    )
    return Picture(
        "f8_mitigations",
        title,
        read,
        f"Harm, peak and genuine loss by mitigation. {title}.",
        partial(_draw, "ladder", remedies, [], []),
    )


def _draw(which: str, remedies: Remedies, cells: list[Cell], paths: list[str]) -> Figure:
    from sim.report import phases

    return phases.ladder(remedies) if which == "ladder" else phases.diagram(remedies, cells, paths)
