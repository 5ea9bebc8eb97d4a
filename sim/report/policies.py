"""H3: how wrong do the inventory, and those who read it, become under each policy of local updates
and reports?
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from sim.metrics import Estimate
from sim.metrics.firmware import ERRORS as ERRORS_OF
from sim.report import behind, given
from sim.report.findings import Findings, Picture
from sim.report.grids import Grid
from sim.report.lives import called, course, living, with_records
from sim.report.ranking import negative, of_cells, of_groups, untold
from sim.report.rules import in_a_clause, rules
from sim.report.study import Cell, Study
from sim.report.words import capitalised, interval, listed, percent, rounded

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRICS: Final = (
    "record_right_share",
    "record_wrong_share",
    "record_unknown_share",
    "read_wrong_share",
    "read_unknown_share",
    "reads_per_device_year",
    "decision_error_share",
    "decision_cost_gbp_per_device_year",
    "behind_device_share",
    "behind_class_device_share",
    "unlisted_device_share",
    "messages_per_device_year",
)
ERRORS: Final = tuple(dict.fromkeys(error for errors in ERRORS_OF.values() for error in errors))
_CODE: Final = re.compile(r"p[0-9]")
_SCALE: Final = 1000  # devices that costs are told for
_MOST: Final = 12  # panels of a figure


def fits(study: Study) -> bool:
    """Whether there is a record to be wrong, and reads of it."""
    return any(study.estimate(cell, "record_wrong_share") for cell in study.cells)


def findings(study: Study) -> Findings:
    """Return what the report says of *study*."""
    points = (
        *_inputs(study), _still(study), behind.sentence(study, _wrong(study)[0][0]),
        _readers(study), _dearest(study), _audited(study), _unknown(study),
    )  # fmt: skip
    return Findings(
        answer=_answer(study), points=tuple(filter(None, points)),
        grids=_grids(study), pictures=_pictures(study), doubts=_DOUBTS, metrics=METRICS,
    )  # fmt: skip


_DOUBTS: Final = (
    (
        "Take-up of local updates, the share of devices that are off, and how many answers are lost"
        " are assumptions (grade D): what goes wrong scales with them."
    ),
    (
        "Who reads, and how often: a read after a change meets a wrong record far more often than"
        " one at a random time. The mix of reads is assumed."
    ),
    (
        "What a wrong decision costs: the prices are assumptions (grade D); the shares of decisions"
        " in error do not depend on them."
    ),
)


def _wrong(study: Study) -> list[tuple[Cell, Estimate]]:
    """Return the cells in which anything changes, with their share of records wrong, the least
    wrong first; where nothing changes in any, all.
    """
    found = [
        (cell, share)
        for cell in study.cells
        if (share := study.estimate(cell, "record_wrong_share")) is not None
    ]
    return sorted(
        [pair for pair in found if _changes(study, pair[0])] or found,
        key=lambda pair: pair[1].value,
    )


def _changes(study: Study, cell: Cell) -> bool:
    changes = study.estimate(cell, "changes_per_device_year")
    return changes is not None and changes.value > 0


def _inputs(study: Study) -> tuple[str, ...]:
    """Say what the numbers owe to inputs: where nobody reports, and where nobody is reached."""
    cells = [cell for cell, _ in _wrong(study)]
    return given.closed_form(study.cells, study), given.floor(study, cells)


def _still(study: Study) -> str:
    """Say of worlds in which nothing is updated that their records are right for that alone."""
    told = []
    for cell in study.cells:
        behind = study.estimate(cell, "behind_device_share")
        if not _changes(study, cell) and behind is not None:
            told.append(
                f"under {called(cell)} {percent(behind)} of devices run less than the list has"
            )
    return (
        "Where nothing is updated no record goes wrong, and that is all that can be said for it:"
        f" {listed(told)}."
        if told
        else ""
    )


def _answer(study: Study) -> str:
    each = _decided(study) if "(H14)" in study.question else ""
    return f"{each} {_ends(study)}".strip()


def _decided(study: Study) -> str:
    """Say of each world, in the order of the file, how many records it leaves wrong and how many
    devices behind the list: what was decided, and what was not.
    """
    told = []
    for cell in study.cells:
        wrong = study.estimate(cell, "record_wrong_share")
        late = study.estimate(cell, "behind_device_share")
        if wrong is not None and late is not None:
            told.append(
                f"{called(cell)}, {percent(wrong)} of records wrong and {percent(late)} of devices"
                " behind the list"
            )
    return (
        f"In turn, over {rounded(study.window(study.cells[0]).days / 365, 2)} years:"
        f" {'; '.join(told)}."
        if told
        else ""
    )


def _ends(study: Study) -> str:
    found = _wrong(study)
    best, (worst, most) = found[0][0], found[-1]
    if len(found) == 1:
        return f"Of the inventory: {_state(study, best)}. {_reads(study, best)}".strip()
    ranking = of_cells(study, [cell for cell, _ in found], "record_wrong_share")
    doubts = [ranking.doubt(end, called) for end in (ranking.lowest, ranking.highest)]
    told = (
        f"Of {len(found)} policies under which anything changes, {_named(best)} leaves the"
        f" inventory least wrong{doubts[0]}: {_state(study, best)}."
    )
    told += (
        f" {capitalised(_named(worst))} leaves it most wrong{doubts[1]}: a record is wrong for"
        f" {percent(most)}. {_reads(study, worst)}"
    )
    return f"{told} {_against(study, worst) or _against(study, best)}".strip()


def _named(cell: Cell) -> str:
    """Return the name of a policy; of one that has but a letter and a number, with what it is."""
    name = called(cell)
    if cell.scenario.firmware is None or not _CODE.fullmatch(name):
        return name
    return f"{name} ({in_a_clause(cell.scenario)})"


def _state(study: Study, cell: Cell) -> str:
    right, wrong, unknown = (
        study.estimate(cell, f"record_{state}_share") for state in ("right", "wrong", "unknown")
    )
    known = (
        f"it knows {percent(right)} of all devices rightly and has no record of {percent(unknown)}"
    )
    return f"{known}; where it has a record, that is wrong for {percent(wrong)}"


def _reads(study: Study, cell: Cell) -> str:
    wrong = study.estimate(cell, "read_wrong_share")
    unknown = study.estimate(cell, "read_unknown_share")
    if wrong is None or unknown is None:
        return ""
    cost = study.estimate(cell, "decision_cost_gbp_per_device_year")
    error = study.estimate(cell, "decision_error_share")
    told = (
        f"Of the reads of it (Service Request 8.2), {percent(wrong)} return a wrong version and"
        f" {percent(unknown)} none"
    )
    if error is not None and cost is not None:
        told += (
            f"; {percent(error)} of the decisions taken on it are in error, at"
            f" £{interval(cost, _SCALE)} a year for {_SCALE:,} devices"
        )
    return f"{told}. {given.price(study, cell)}".strip()


def _against(study: Study, cell: Cell) -> str:
    less = study.difference(cell, "record_wrong_share")
    other = study.comparator_of(cell)
    there = study.estimate(other, "record_wrong_share") if other is not None else None
    if less is None or other is None or there is None or not there.value:
        return ""  # a difference from nought is said already
    way = "more" if less.value > 0 else "fewer"
    size = less if less.value > 0 else negative(less)
    return (
        f"Against {called(other)}, pair by pair, {called(cell)} has {way} of them wrong by"
        f" {interval(size, 100, 'percentage points')}{untold(less)}."
    )


def _readers(study: Study) -> str:
    """Say who meets wrong records more often than a look at all devices would."""
    cell = _wrong(study)[-1][0]
    whole = study.estimate(cell, "record_wrong_share")
    groups = study.groups(cell, "read_wrong_share")
    if whole is None or not groups or not whole.value:
        return ""
    ranking = of_groups(study, cell, "read_wrong_share")
    process, share = ranking.highest.what, ranking.highest.estimate
    doubt = ranking.doubt(ranking.highest, str)
    times = (
        f", about {rounded(share.value / whole.value, 2)} times the share of records wrong"
        if share.value > whole.value
        else ""
    )
    return (
        f"Who is misled most, under {called(cell)}: {process}, {percent(share)} of whose reads"
        f" return a wrong version{times}{doubt}."
    )


def _dearest(study: Study) -> str:
    told = []
    for cell in study.cells:
        costs = study.groups(cell, "decision_cost_gbp_per_device_year")
        if costs:
            ranking = of_groups(study, cell, "decision_cost_gbp_per_device_year")
            process, cost = ranking.highest.what, ranking.highest.estimate
            doubt = ranking.doubt(ranking.highest, str)
            if cost.value:
                told.append(
                    f"{called(cell)} {process} (£{interval(cost, _SCALE)} a year for {_SCALE:,}"
                    f" devices){doubt}"
                )
    return f"Where most money is lost: {listed(told[:_MOST])}." if told else ""


def _audited(study: Study) -> str:
    told = []
    for cell in study.cells:
        shares = [
            study.estimate(cell, f"audit_{name}_share")
            for name in ("wrong", "half_width", "error", "covers")
        ]
        if None not in shares:
            wrong, half, error, covers = shares
            assert half is not None
            told.append(
                f"under {called(cell)} the audit's sample says {percent(wrong)} wrong, ±"
                f" {rounded(100 * half.value, 2)} points by its own reckoning; it is off by"
                f" {interval(error, 100)} points, and its interval holds the truth in"
                f" {percent(covers)} of the replications"
            )
    return f"{capitalised(listed(told))}." if told else ""


def _unknown(study: Study) -> str:
    types = living(study)
    if "ihd" not in types:
        return ""
    return (
        "UNKNOWN is never folded into WRONG: the inventory keeps no record of an IHD under any"
        " policy, so that share is theirs."
    )


# -- tables and figures ----------------------------------------------------------------------------


def _grids(study: Study) -> tuple[Grid, ...]:
    names = (
        "record_right_share",
        "record_wrong_share",
        "record_unknown_share",
        "read_wrong_share",
        "decision_error_share",
    )
    rows = [
        (
            called(cell),
            *(percent(study.estimate(cell, name)) for name in names),
            interval(study.estimate(cell, "decision_cost_gbp_per_device_year"), _SCALE),
            *(
                percent(study.estimate(cell, f"{name}_device_share"))
                for name in ("behind", "unlisted")
            ),
            interval(study.estimate(cell, "messages_per_device_year")),
        )
        for cell in study.cells
    ]
    head = (
        "policy",
        "right",
        "wrong",
        "unknown",
        "reads wrong",
        "decisions in error",
        f"£ a year, {_SCALE:,} devices",
        "behind the list",
        "not on the list",
        "messages per device-year",
    )
    note = (
        "Right and unknown: of all device time. Wrong: of the records that there are. Reads: of all"
        " reads but audits. £: what decisions in error cost. Behind: devices that run less than the"
        " highest version listed. Not on the list: device time with firmware not yet or no longer"
        " listed, or never submitted. Messages: reports, and requests for them, per reporting"
        " device."
    )
    whole = Grid(
        "T3. What the inventory, and those who read it, get wrong", head, tuple(rows), note
    )
    return (
        whole, *_rules_grid(study), *_readers_grid(study), *_decisions_grid(study),
        *_types_grid(study), *given.grid(study), *behind.grid(study),
    )  # fmt: skip


def _rules_grid(study: Study) -> tuple[Grid, ...]:
    """Say what each policy is, as its scenario has it."""
    rows = tuple(
        (called(cell), *rules(cell.scenario))
        for cell in study.cells
        if cell.scenario.firmware is not None
    )
    note = (
        "From the scenarios; every other value is among those assumed. Ban: from which day those"
        " who obey stop. Screening: what is asked before a local update is installed. Day 0 is the"
        " start of the window, or of the warm-up before it."
    )
    head = ("policy", "local updates", "screening", "over the air", "reports of versions")
    return (Grid("T3a. What each policy is", head, rows, note),) if rows else ()


def _types_grid(study: Study) -> tuple[Grid, ...]:
    """Right, wrong and unknown of the inventory, by policy and device type: of all device time of
    the type.
    """
    names = tuple(f"record_{state}_share" for state in ("right", "wrong", "unknown"))
    rows = tuple(
        (called(cell), kind.upper(), *(percent(study.estimate(cell, name, kind)) for name in names))
        for cell in study.cells
        for kind in living(study)
    )
    note = (
        "Right and unknown: of all device time of the type. Wrong: of the records that there are;"
        " where there are none, nothing to be wrong."
    )
    return (
        Grid(
            "T3d. The inventory by device type",
            ("policy", "device type", "right", "wrong", "unknown"),
            rows,
            note,
        ),
    )


def _readers_grid(study: Study) -> tuple[Grid, ...]:
    processes = list(
        dict.fromkeys(
            process for cell in study.cells for process in study.groups(cell, "read_wrong_share")
        )
    )
    rows = []
    for cell in study.cells:
        shares = [study.estimate(cell, "read_wrong_share", process) for process in processes]
        shares.append(study.estimate(cell, "read_unknown_share"))
        rows.append(
            (
                called(cell),
                *map(percent, shares),
                *(
                    percent(study.estimate(cell, "record_wrong_share", name))
                    for name in with_records(study)
                ),
            )
        )
    head = (
        "policy",
        *(f"read by {process}" for process in processes),
        "none returned",
        *(f"{name.upper()} records" for name in with_records(study)),
    )
    note = (
        "Share of the reads that return a wrong version, by who reads; share of all reads that find"
        " no record; and, of records by type, the share wrong that a look at all devices would"
        " find."
    )
    return (
        (Grid("T3b. Reads returning a wrong version, by process", head, tuple(rows), note),)
        if processes
        else ()
    )


def _decisions_grid(study: Study) -> tuple[Grid, ...]:
    rows = []
    for cell in study.cells:
        costs = study.groups(cell, "decision_cost_gbp_per_device_year")
        for process in (
            process
            for process in costs
            if study.estimate(cell, "decision_error_share", process) is not None
        ):
            shares = [
                study.estimate(cell, "decision_error_share", f"{process}/{error}")
                for error in ERRORS
            ]
            whole = study.estimate(cell, "decision_error_share", process)
            rows.append(
                (
                    called(cell),
                    process,
                    percent(whole),
                    *map(percent, shares),
                    interval(costs[process], _SCALE),
                )
            )
    head = (
        "policy",
        "decides",
        "in error",
        *(error.replace("_", " ") for error in ERRORS),
        f"£ a year, {_SCALE:,} devices",
    )
    note = "Shares of the decisions of that process; –: not an error that it can make."
    return (
        (
            Grid(
                "T3c. Decisions in error, and what they cost",
                head,
                tuple(rows),
                note,
                page_only=True,
            ),
        )
        if rows
        else ()
    )


def _pictures(study: Study) -> tuple[Picture, ...]:
    if not any(len(course(study, cell, "smi", living(study)).days) for cell in study.cells[:1]):
        return ()
    found = _wrong(study)
    (best, least), (worst, most) = found[0], found[-1]
    title = (
        f"The inventory is wrong for {percent(least)} of its records under {called(best)},"
        f" {percent(most)} under {called(worst)}"
    )
    if len(found) == 1:
        title = f"The inventory is wrong for {percent(least)} of its records"
    types = listed([name.upper() for name in living(study)])
    read = (
        f"All devices with a life ({types}), split into right, wrong and unknown at the end of each"
        " step after warm-up. Line: mean over replications; band: it holds every replication."
    )
    return (
        Picture(
            "f3_records_over_time",
            title,
            read,
            f"Shares right, wrong and unknown over time, by policy. {title}.",
            partial(_draw, study),
        ),
    )


def _draw(study: Study) -> Figure:
    from sim.report.courses import Line, Panel, panels

    shown = []
    for cell in study.cells[:_MOST]:
        own = course(study, cell, "smi", living(study))
        lines = [
            Line("right", own.right, 2),
            Line("wrong", own.wrong, 1),
            Line("unknown", own.unknown, 0),
        ]
        shown.append(Panel(called(cell), own.days, lines))
    return panels(shown, "% of devices", 1 if len(shown) == 1 else 2)
