"""H5: should the hub store what devices run, pass it on, both, or neither?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from sim.metrics import Difference, Estimate
from sim.report import given
from sim.report.findings import Findings, Picture
from sim.report.grids import Grid
from sim.report.lives import at_levels, by_levels, called, course, option, with_records
from sim.report.ranking import above, excludes_nought, negative, of_cells, untold
from sim.report.study import Cell, Study
from sim.report.words import capitalised, counted, interval, listed, percent
from sim.units import DAY_S

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRICS: Final = (
    "record_wrong_share",
    "hub_record_wrong_share",
    "hub_record_unknown_share",
    "read_wrong_share",
    "messages_per_device_year",
    "hub_records_forgotten_n",
    "staleness_days_mean",
)
_COMPARED: Final = ("record_wrong_share", "read_wrong_share", "messages_per_device_year")
_KINDS: Final = {
    (True, True): "store and forward", (True, False): "store only",
    (False, True): "forward only", (False, False): "neither",
}  # fmt: skip
_MOST, _TWO = 15, 8  # panels of the figure, and how many of them stand in two columns


def stores(cell: Cell) -> bool:
    """Whether hubs of *cell* keep a record of their devices."""
    return cell.scenario.reporting.traits.hub_keeps


def forwards(cell: Cell) -> bool:
    """Whether what is known of a device reaches the SMI by itself, from hub or device."""
    reporting = cell.scenario.reporting
    rule = reporting.traits
    return not rule.is_silent and (not rule.reads_the_hub or bool(reporting.read.refreshes_smi))


def neither(study: Study, cell: Cell) -> Cell | None:
    """Return the cell with which *cell* is compared: the one of the same levels that neither stores
    nor passes on.
    """
    bare = [other for other in study.cells if other.scenario.reporting.traits.is_silent]
    return next((other for other in bare if other.levels == cell.levels), bare[0] if bare else None)


def fits(study: Study) -> bool:
    """Whether *study* compares rules of the hub with none."""
    return any(neither(study, cell) is not None for cell in study.cells) and any(
        stores(cell) for cell in study.cells
    )


def findings(study: Study) -> Findings:
    """Return what the report says of *study*."""
    points = (_stored(study), _exchanged(study), _dear(study), given.floor(study, _by_wrong(study)))
    return Findings(
        answer=_answer(study), points=tuple(filter(None, points)), grids=_grids(study),
        pictures=_pictures(study), doubts=_DOUBTS, metrics=METRICS,
    )  # fmt: skip


_DOUBTS: Final = (
    (
        "The pace of the exchange of hubs, and whether a new hub asks its devices again, are"
        " assumptions (grade D): they decide what a stored record is worth."
    ),
    (
        "Losses over the HAN and the WAN are independent, message by message. Losses in bursts"
        " would hurt rules that report a change once."
    ),
    (
        "A hub that stores and is asked now and then costs requests; what a message costs is not"
        " priced here."
    ),
)


def _less(study: Study, cell: Cell, metric: str) -> Difference | None:
    """Return *metric* of *cell* less that of the world with neither, replication by replication."""
    other = neither(study, cell)
    return None if other is None or other is cell else study.paired(cell, other, metric)


def _focus(study: Study) -> list[Cell]:
    """Return the cells that the answer and the figure are of: the first levels tried; the tables
    have all.
    """
    return by_levels(study)[0]


def _by_wrong(study: Study) -> list[Cell]:
    """Return the cells in focus, the least wrong first."""
    found = ((cell, study.estimate(cell, "record_wrong_share")) for cell in _focus(study))
    known = [(share.value, cell.name, cell) for cell, share in found if share is not None]
    return [cell for _, _, cell in sorted(known, key=lambda one: one[:2])]


def _choices(study: Study) -> list[tuple[Cell, Difference]]:
    found = [
        (cell, less)
        for cell in _focus(study)
        if (less := _less(study, cell, "record_wrong_share")) is not None
    ]
    return sorted(found, key=lambda pair: pair[1].value)


def _points(found: Estimate) -> str:
    """Return a difference of shares as percentage points."""
    return interval(found, 100, "percentage points")


def _what(cell: Cell) -> str:
    return _KINDS[stores(cell), forwards(cell)]


def _answer(study: Study) -> str:
    """Say which of the four it is, where the run tells; and what the best rules of each leave."""
    found, bare = _choices(study), neither(study, _focus(study)[0])
    assert bare is not None
    best = found[0][0]
    ranking = of_cells(study, [cell for cell, _ in found], "record_wrong_share")
    leader = next(entry for entry in ranking.entries if entry.what is best)
    kinds = {_what(entry.what) for entry in ranking.rivals(leader)}
    kind = f"{capitalised(_what(best))}: of" if kinds <= {_what(best)} else "Of"
    fewest, wrong = (study.estimate(cell, "record_wrong_share") for cell in (best, bare))
    return (
        f"{kind} {counted(len(found), 'rule')}{at_levels(_focus(study))}, {option(best)} leaves"
        f" fewest records of the inventory wrong{ranking.doubt(leader, option)}, {percent(fewest)};"
        f" with neither {percent(wrong)} are. Against neither, pair by pair, the best of each:"
        f" {listed(_best_of_each(found))}.{_by_a_timer(found)} Here a store can only lose, so that"
        " this is no verdict on storing."
    )


def _by_a_timer(found: list[tuple[Cell, Difference]]) -> str:
    """Say what forwarding by a timer takes, where another rule that only forwards is best: a store
    that is polled has a timer too, and the difference between those two is no store's.
    """
    best = found[0][0]
    timed = [one for one in found if one[0].scenario.reporting.traits.is_each_device_by_timer]
    if not timed or timed[0][0] is best or _what(best) != "forward only":
        return ""
    cell, less = timed[0]
    points = f"{_points(less)}{untold(less)}"
    return f" By a timer, as stores are polled, forwarding alone ({option(cell)}) is {points}."


def _best_of_each(found: list[tuple[Cell, Difference]]) -> list[str]:
    """Return of each of the four what its best rules take from the share of wrong records."""
    of_kind: dict[str, list[tuple[Cell, Difference]]] = {}
    for cell, less in found:
        of_kind.setdefault(_what(cell), []).append((cell, less))
    told = []
    for kind, ranked in of_kind.items():
        less = ranked[0][1]
        names = [option(cell) for cell, other in ranked if other == less]
        told.append(f"{kind} ({listed(names)}) {_points(less)}{untold(less)}")
    return told


def _stored(study: Study) -> str:
    """Say whether storing alone does anything for the inventory."""
    only = [(cell, less) for cell, less in _choices(study) if _what(cell) == "store only"]
    if not only:
        return ""
    cell, less = only[0]
    hub = study.estimate(cell, "hub_record_wrong_share")
    verb = "changes the inventory"
    if abs(less.value) <= 1e-12:
        verb = "does nothing for the inventory"
    elif not excludes_nought(less):
        verb = "does nothing for the inventory that this run can tell"
    return (
        f"Storing alone {verb} ({_points(less)}, {option(cell)}), while the hub's own record is"
        f" wrong for {percent(hub)}: nothing passes it on. Who would look into the hub first (an"
        " installer at the door, a caller, a command) is not modelled."
    )


def _exchanged(study: Study) -> str:
    """Say what hubs forget; which is the same under every rule that stores, so the first of each
    set of levels is told.
    """
    told, asks = [], False
    for cells in by_levels(study):
        cell = next((cell for cell in cells if stores(cell)), cells[0])
        lost = study.estimate(cell, "hub_records_forgotten_n")
        unknown = study.estimate(cell, "hub_record_unknown_share")
        if stores(cell) and lost is not None and lost.value:
            told.append(
                f"under {called(cell)}, {interval(lost)} records, and they know nothing of a device"
                f" for {percent(unknown)} of all device time"
            )
            asks = asks or any(path.endswith(".reseed") for path in cell.levels)
    if not told:
        return ""
    meant = " (Reseed: a new hub asks its devices what they run.)" if asks else ""
    return f"The exchange makes hubs forget: {'; '.join(told)}.{meant}"


def _dear(study: Study) -> str:
    """Say what the fewest wrong records cost in messages, against the fewest messages that help at
    all.
    """
    priced = [
        (cell, less, cost)
        for cell, less in _choices(study)
        if (cost := study.estimate(cell, "messages_per_device_year")) is not None
    ]
    useful = [row for row in priced if above(negative(row[1]))]
    if not useful:
        return ""
    best, cheap = useful[0], min(useful, key=lambda row: row[2].value)
    told = (
        f"The cheapest rule that helps is {option(cheap[0])}: {_price(cheap[2])} for"
        f" {_points(cheap[1])}"
    )
    return (
        f"{told}."
        if best[0] is cheap[0]
        else f"{told}; {option(best[0])} takes {_price(best[2])} for {_points(best[1])}."
    )


def _price(cost: Estimate) -> str:
    return f"{interval(cost)} messages per device-year" if cost.value else "no message of its own"


# -- tables and figure -----------------------------------------------------------------------------


def _grids(study: Study) -> tuple[Grid, ...]:
    rows, mute = [], set()
    for place, cell in enumerate(study.cells):
        less = {metric: _less(study, cell, metric) for metric in _COMPARED}
        if cell is neither(study, cell):
            mute.add(place)
        rows.append(
            (
                called(cell),
                "yes" if stores(cell) else "no",
                "yes" if forwards(cell) else "no",
                percent(study.estimate(cell, "record_wrong_share")),
                *(
                    interval(less[metric], 100)
                    for metric in ("record_wrong_share", "read_wrong_share")
                ),
                percent(study.estimate(cell, "hub_record_wrong_share") if stores(cell) else None),
                percent(study.estimate(cell, "hub_record_unknown_share") if stores(cell) else None),
                interval(study.estimate(cell, "hub_records_forgotten_n") if stores(cell) else None),
                interval(less["messages_per_device_year"]),
            )
        )
    head = (
        "rule",
        "stores",
        "forwards",
        "SMI wrong",
        "less none, points",
        "reads wrong, less none, points",
        "hub wrong",
        "hub unknown",
        "forgotten",
        "more messages per device-year",
    )
    note = (
        "Less none: paired differences from the world that neither stores nor passes on,"
        " replication by replication; below 0 is better. SMI, hub: records wrong of those there"
        " are. Unknown: of all device time. Forgotten: records lost with exchanged hubs."
    )
    return Grid(
        "T5. Store or forward: what each does for the inventory",
        head,
        tuple(rows),
        note,
        frozenset(mute),
    ), *_square(study)


def _square(study: Study) -> tuple[Grid, ...]:
    """Return T5b: the two by two of store and forward, the best rule of each."""
    best: dict[tuple[bool, bool], Cell] = {}
    for cell, _ in _choices(study):
        best.setdefault((stores(cell), forwards(cell)), cell)
    bare = neither(study, _focus(study)[0])
    if bare is not None:
        best.setdefault((False, False), bare)
    rows = []
    for stored in (False, True):
        told = []
        for forwarded in (False, True):
            own = best.get((stored, forwarded))
            told.append(
                "–"
                if own is None
                else f"{percent(study.estimate(own, 'record_wrong_share'))} ({option(own)})"
            )
        rows.append(("hub stores" if stored else "hub stores nothing", *told))
    title = (
        "T5b. Records wrong in the SMI, two by two: the best rule of"
        f" each{at_levels(_focus(study))}"
    )
    return (Grid(title, ("", "nothing passed on", "passed on"), tuple(rows)),)


def _exchange(cell: Cell) -> tuple[float, float] | None:
    """Return the days in which hubs of *cell* are exchanged; None where they are not."""
    exchange = cell.scenario.firmware.ota.exchange if cell.scenario.firmware else None
    if exchange is None:
        return None
    return (
        exchange.start / DAY_S,
        (exchange.start + max(point.time for point in exchange.curve)) / DAY_S,
    )


def _pictures(study: Study) -> tuple[Picture, ...]:
    if not len(course(study, _focus(study)[0], "smi", with_records(study)).days):
        return ()
    best, less = _choices(study)[0]
    fewer = negative(less)
    title = (
        f"Under {option(best)} {_points(fewer)} fewer of the inventory's records are wrong than"
        " with neither"
    )
    if fewer.value <= 0:
        title = "No rule leaves fewer of the inventory's records wrong than neither"
    shaded = any(_exchange(cell) for cell in study.cells)
    types = listed([name.upper() for name in with_records(study)])
    read = (
        f"Records of {types}{at_levels(_focus(study))}, at the end of each step after warm-up, a"
        " panel a rule: wrong in the inventory; wrong, and unknown, in the hub where it keeps one."
        " Lines: means over replications; bands hold every"
        f" replication.{' Shaded: hubs are exchanged.' if shaded else ''}"
    )
    return (
        Picture(
            "f5_store_forward",
            title,
            read,
            f"Records wrong over time by rule, in the SMI and in hubs. {title}.",
            partial(_draw, study),
        ),
    )


def _draw(study: Study) -> Figure:
    from sim.report.courses import Line, Panel, panels

    shown = []
    for cell in _focus(study)[:_MOST]:
        smi = course(study, cell, "smi", with_records(study))
        lines = [Line("wrong in the SMI", smi.wrong, 1)]
        if stores(cell):
            hub = course(study, cell, "hub", with_records(study))
            lines += [
                Line("wrong in the hub", hub.wrong, 2),
                Line("unknown to the hub", hub.unknown, 0),
            ]
        shown.append(Panel(option(cell), smi.days, lines, _exchange(cell)))
    return panels(shown, "% of records", 2 if len(shown) <= _TWO else 3)
