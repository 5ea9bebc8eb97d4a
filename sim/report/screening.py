"""H4: can it be made sure that local updates use only firmware on the Central Products List, and
what gets through all the same?
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from sim.metrics import Estimate
from sim.metrics.firmware import OUTCOMES, STOPPED
from sim.report.findings import Findings, Picture
from sim.report.grids import Grid
from sim.report.lives import at_levels, by_levels, called, mean_counts, option
from sim.report.ranking import (
    Ranking,
    above,
    excludes_nought,
    needed,
    negative,
    of_cells,
    untold,
    would,
)
from sim.report.study import Cell, Study
from sim.report.words import (
    capitalised,
    counted,
    interval,
    listed,
    number,
    percent,
    rounded,
    time_of,
)
from sim.units import DAY_S
from sim.words import LocalImage

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRICS: Final = (
    "unlisted_device_days",
    "unlisted_device_share",
    "variant_device_days",
    "variant_devices_end",
    "local_let_through_share",
    "local_blocked_wrongly_share",
    "local_outcome_share",
    "audit_found_n",
    "audit_detection_days_mean",
)
TURNED_AWAY: Final = STOPPED[1:]
_NEXT_TO_NOTHING: Final = 0.02
_LEAD: Final = "firmware.local.lead"


def fits(study: Study) -> bool:
    """Whether anybody tried a local update."""
    return any(study.groups(cell, "local_outcome_share") for cell in study.cells)


def findings(study: Study) -> Findings:
    """Return what the report says of *study*."""
    said = (_left, _waited, _legacy, _price, _gateway, _detected)
    return Findings(
        answer=_answer(study),
        points=tuple(point for say in said if (point := say(study))),
        grids=(_grid(study), _flow_grid(study)),
        pictures=(_picture(study),),
        doubts=_DOUBTS,
        metrics=METRICS,
    )


_DOUBTS: Final = (
    (
        "How often a manufacturer offers an image before it is listed, and how many images are"
        " tried that were never submitted, are assumptions (grade D)."
    ),
    (
        "Screening is done by the device: those whose firmware does not ask install what they are"
        " given, whatever the design. The wave of new firmware decides."
    ),
    (
        "False accepts, false rejects, stolen signatures and gateway outages are assumptions (grade"
        " D); the design's own rule is not."
    ),
)


def _focus(study: Study) -> list[Cell]:
    """Return the cells that the answer and the figure are of: of the levels tried, those at which
    most is run that is not on the list.
    """
    return max(
        by_levels(study),
        key=lambda cells: max(
            (
                days.value
                for cell in cells
                if (days := study.estimate(cell, "unlisted_device_days"))
            ),
            default=0.0,
        ),
    )


def _days(study: Study) -> list[tuple[Cell, Estimate]]:
    found = [
        (cell, days)
        for cell in _focus(study)
        if (days := study.estimate(cell, "unlisted_device_days")) is not None
    ]
    return sorted(found, key=lambda pair: pair[1].value)


def _answer(study: Study) -> str:
    found = _days(study)
    if not found:
        return "Nobody ran anything that was not on the list."
    if len(found) == 1:
        return f"{capitalised(_told(study, found[0][0]))}."
    ranking = _ranked(study)
    worst = ranking.highest.what
    if ranking.alike:
        return f"The {_designs(study, ranking)} leave the same: {_told(study, worst)}."
    if not ranking.ends_told():
        return _untold(study, ranking)
    alike = _alike(study)
    best, least = alike[0]
    n = study.estimate(best, "unlisted_device_days")
    sure = "No design makes sure of it"
    if not least.value and n is not None:
        sure = f"Under {option(best)} none was seen in {counted(n.n, 'replication')}"
    others = [option(cell) for cell, _ in alike[1:]]
    as_little = (
        f", as {listed(others)} do as far as intervals tell, and stops fewest legitimate attempts"
        " of these"
        if others
        else ""
    )
    return (
        f"{sure}: of {_designs(study, ranking)}, {option(best)} leaves least{as_little}"
        f" ({_told(study, best)}), {option(worst)} most{ranking.doubt(ranking.highest, option)}"
        f" ({_told(study, worst)}). {_against(study, best)}"
    ).strip()


def _ranked(study: Study) -> Ranking[Cell]:
    """Return the designs ranked by what is run that is not on the list."""
    return of_cells(study, [cell for cell, _ in _days(study)], "unlisted_device_days")


def _designs(study: Study, ranking: Ranking[Cell]) -> str:
    return f"{counted(len(ranking.entries), 'design')}{at_levels(_focus(study))}"


def _untold(study: Study, ranking: Ranking[Cell]) -> str:
    """Say that the run cannot tell the designs apart, between which ends they lie, and what would.
    """
    low, high = ranking.lowest, ranking.highest
    apart = ranking.apart(low, high)
    more = would([needed(apart)] if apart else [], " tell the two ends apart")
    return (
        f"This run cannot tell which of {_designs(study, ranking)} leaves least{more}: from"
        f" {option(low.what)} ({_told(study, low.what)}) to {option(high.what)}"
        f" ({_told(study, high.what)})."
    )


def _alike(study: Study) -> list[tuple[Cell, Estimate]]:
    """Return the designs that leave least, as far as intervals tell, fewest legitimate attempts
    stopped first.
    """
    ranking = _ranked(study)
    entries = [ranking.lowest, *ranking.rivals(ranking.lowest)]

    def stopped(pair: tuple[Cell, Estimate]) -> float:
        wrongly = study.estimate(pair[0], "local_blocked_wrongly_share")
        return wrongly.value if wrongly is not None else 0.0

    return sorted([(entry.what, entry.estimate) for entry in entries], key=stopped)


def _told(study: Study, cell: Cell) -> str:
    days = study.estimate(cell, "unlisted_device_days")
    share = study.estimate(cell, "unlisted_device_share")
    through = study.estimate(cell, "local_let_through_share")
    wrongly = study.estimate(cell, "local_blocked_wrongly_share")
    parts = [
        f"{interval(days)} device-days of firmware not on the list, {percent(share)} of all device"
        " time"
    ]
    parts += (
        [f"{percent(through)} of the attempts with such an image let through"] if through else []
    )
    parts += [f"{percent(wrongly)} of the legitimate ones stopped"] if wrongly else []
    return listed(parts)


def _against(study: Study, cell: Cell) -> str:
    less, other = study.difference(cell, "unlisted_device_days"), study.comparator_of(cell)
    if less is None or other is None:
        return ""
    return (
        f"Against {option(other)}, pair by pair, {option(cell)} saves {interval(negative(less))}"
        f" device-days{untold(less)}."
    )


def _left(study: Study) -> str:
    """Say what remains where next to nothing gets through: versions that were listed when they were
    installed.
    """
    if not _days(study):
        return ""
    best, days = _alike(study)[0]
    through = study.estimate(best, "local_let_through_share")
    if through is None or through.value > _NEXT_TO_NOTHING or not days.value:
        return ""
    return (
        f"What is left under {option(best)} is no matter of screening: versions that were on the"
        " list when they were installed, over the air as well, and that were taken off it"
        " afterwards; and what old firmware never asked about."
    )


def _waited(study: Study) -> str:
    """Say where manufacturers who wait longer leave as little, without a control, as the best of
    the controls does at the levels of the answer.
    """
    if not _days(study):
        return ""
    best = _alike(study)[0][0]
    longer = [cell for cell in study.cells if _design(cell) == "none" and _lead(cell) > _lead(best)]
    bare = next((cell for cell in longer if _differs_in_lead(cell, best)), None)
    if bare is None:
        return ""
    more = study.paired(bare, best, "unlisted_device_days")
    if more is None or above(more):
        return ""
    days = study.estimate(bare, "unlisted_device_days")
    beside = "fewer than" if excludes_nought(more) else "which this run cannot tell from those of"
    variants = study.estimate(bare, "variant_device_days")
    return (
        f"A control is not the only way: {called(bare)}, leaves {interval(days)} device-days of"
        f" firmware not on the list, {beside} {called(best)}. Lead is the time from an image being"
        f" built to its being offered locally. {interval(variants)} of them are with images that"
        " were never submitted, which waiting does not stop."
    )


def _differs_in_lead(one: Cell, other: Cell) -> bool:
    """Whether two cells are of the same levels but of how long manufacturers wait."""
    levels = one.levels.keys() | other.levels.keys()
    return {path for path in levels if one.levels.get(path) != other.levels.get(path)} == {_LEAD}


def _lead(cell: Cell) -> int:
    return 0 if cell.scenario.firmware is None else cell.scenario.firmware.local.lead


def _design(cell: Cell) -> str:
    return "" if cell.scenario.firmware is None else cell.scenario.firmware.screening.design


def _legacy(study: Study) -> str:
    """Say how much of what gets through was never asked about."""
    told = []
    for cell in _focus(study):
        n = mean_counts(study, cell, "local", ("image", "screened", "outcome"))
        through = {
            (image, asked): k
            for (image, asked, end), k in n.items()
            if image != "listed" and end == "installed"
        }
        unasked = sum(k for (_, asked), k in through.items() if not asked)
        whole = sum(through.values())
        if any(asked and k for (_, asked, _), k in n.items()) and whole:
            told.append(f"{option(cell)} {rounded(100 * unasked / whole, 2)} %")
    return (
        "Of what gets through, this share was never asked about, since the firmware that was"
        f" running does not ask: {listed(told)}."
        if told
        else ""
    )


def _price(study: Study) -> str:
    told = []
    for cell in _focus(study):
        wrongly = study.estimate(cell, "local_blocked_wrongly_share")
        groups = {
            name: share
            for name, share in study.groups(cell, "local_blocked_wrongly_share").items()
            if share.value
        }
        if wrongly is not None and groups:
            worst = max(groups, key=lambda name: groups[name].value)
            told.append(f"{option(cell)} {percent(wrongly)} (most of it {worst.replace('_', ' ')})")
    if not told:
        return ""
    old = ""
    if any(_design(cell) == "allow_list" for cell in _focus(study)):
        old = " An allow list stops what was listed since it was made: the older it is, the more."
    return (
        "What screening costs those who do nothing wrong, in legitimate attempts stopped or turned"
        f" away: {listed(told)}.{old}"
    )


def up_share(cell: Cell) -> float | None:
    """Return the share of the window in which the gateway of *cell* is up; None where its design
    asks none.
    """
    firmware = cell.scenario.firmware
    if firmware is None or firmware.screening.design != "token":
        return None
    window = cell.scenario.window
    end = window.warm_up + window.length
    down: set[tuple[int, int]] = set()
    for outage in firmware.screening.gateway_outages:
        starts = range(outage.start, end, outage.every) if outage.every else (outage.start,)
        down |= {
            (max(start, window.warm_up), min(start + outage.duration, end)) for start in starts
        }
    reached, dark = window.warm_up, 0
    for start, stop in sorted(down):
        dark += max(0, stop - max(start, reached))
        reached = max(reached, stop)
    return 1 - dark / window.length


def _gateway(study: Study) -> str:
    """Say what the gateway's availability is worth: what an hour of it down turns away."""
    told = []
    for cell in _focus(study):
        up = up_share(cell)
        if up is not None and up < 1 and cell.scenario.firmware is not None:
            lost = study.estimate(cell, "local_blocked_wrongly_share", "gateway_down")
            opens = cell.scenario.firmware.screening.fail == "open"
            how = (
                "lets pass what it cannot ask about"
                if opens
                else f"turns away {percent(lost)} of legitimate attempts"
            )
            told.append(
                f"{option(cell)} is up {rounded(100 * up, 4)} % of the time and, down, {how}"
            )
    return (
        f"The gateway: {listed(told)}. Turned away, a device comes back a while later, so what it"
        " costs is delay."
        if told
        else ""
    )


def _detected(study: Study) -> str:
    told = []
    for cell in _focus(study):
        days = study.estimate(cell, "audit_detection_days_mean")
        n = study.estimate(cell, "audit_found_n")
        if days is not None and n is not None:
            after = time_of(days, DAY_S)
            told.append(
                f"{option(cell)} finds {interval(n)} devices, {after} after the change on average"
            )
    return f"Detection after the fact: {listed(told)}." if told else ""


# -- tables and figure -----------------------------------------------------------------------------


def _grid(study: Study) -> Grid:
    rows = []
    for cell in study.cells:
        up, variants = up_share(cell), study.estimate(cell, "variant_device_days")
        turned = [
            share
            for name in TURNED_AWAY
            if (share := study.estimate(cell, "local_blocked_wrongly_share", name)) is not None
        ]
        rows.append(
            (
                called(cell),
                interval(study.estimate(cell, "unlisted_device_days")),
                interval(variants),
                percent(study.estimate(cell, "local_let_through_share")),
                percent(study.estimate(cell, "local_blocked_wrongly_share", "blocked")),
                percent(max(turned, key=lambda share: share.value, default=None)),
                interval(study.estimate(cell, "audit_detection_days_mean")),
                "–" if up is None else f"{rounded(100 * up, 4)} %",
            )
        )
    head = (
        "design",
        "device-days not on the list",
        "of them never submitted",
        "let through",
        "legitimate blocked",
        "legitimate turned away",
        "detection delay, d",
        "gateway up",
    )
    note = (
        "Not on the list: not yet, no longer, or never submitted. Let through: of the attempts with"
        " such an image, those that end with the device running it. Blocked, turned away: of the"
        " attempts with a listed image (turned away: gateway busy or down, or token expired,"
        " whichever is most; tried again later). Detection: from installation to the write at which"
        " an audit finds it."
    )
    return Grid("T4. What each design lets through, and what it costs", head, tuple(rows), note)


def _flow_grid(study: Study) -> Grid:
    """Return T4b: every local attempt by image and outcome; the parts add up to the whole."""
    rows = []
    for cell in study.cells:
        n = mean_counts(study, cell, "local", ("image", "outcome"))
        for image in LocalImage.words():
            parts = [n.get((image, outcome), 0.0) for outcome in OUTCOMES]
            if sum(parts):
                rows.append((called(cell), image, number(sum(parts)), *map(number, parts)))
    head = ("design", "image", "attempts", *(outcome.replace("_", " ") for outcome in OUTCOMES))
    return Grid(
        "T4b. Local attempts by image and outcome",
        head,
        tuple(rows),
        "Means over replications; each row adds up to its attempts.",
        page_only=True,
    )


def _picture(study: Study) -> Picture:
    through = [
        (cell, share)
        for cell in _focus(study)
        if (share := study.estimate(cell, "local_let_through_share")) is not None
    ]
    title = "Local attempts by image, screening and outcome"
    if len(through) > 1:
        least, most = (of(through, key=lambda pair: pair[1].value) for of in (min, max))
        title = (
            f"Of attempts with firmware not on the list, {percent(least[1])} get through under"
            f" {option(least[0])}, {percent(most[1])} under {option(most[0])}"
        )
    first = (
        ""
        if len(_shown(study)) == len(study.cells)
        else f" The first of each design{at_levels(_focus(study))}; T4 has all."
    )
    read = (
        "From left to right: what image was tried (a variant was never submitted), whether the"
        " device asked before it installed, and what came of it. Each band is all attempts with"
        " such an image, however many (the number on the left, a mean over replications); T4b has"
        f" every number.{first}"
    )
    return Picture(
        "f4_screening",
        title,
        read,
        f"Flow of local attempts by design. {title}.",
        partial(_draw, study),
    )


def _shown(study: Study) -> list[Cell]:
    """Return the cells of the figure: the first of each design, a gateway that fails open and one
    that fails closed being two.
    """
    firsts: dict[tuple[str, str], Cell] = {}
    for cell in _focus(study):
        if cell.scenario.firmware is not None:
            screening = cell.scenario.firmware.screening
            firsts.setdefault(
                (screening.design, screening.fail if screening.design == "token" else ""), cell
            )
    return list(firsts.values())


def _draw(study: Study) -> Figure:
    from sim.report.flows import flows

    cells = _shown(study)
    return flows(
        [
            (option(cell), mean_counts(study, cell, "local", ("image", "screened", "outcome")))
            for cell in cells
        ]
    )
