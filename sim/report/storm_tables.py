"""T1: what arrives under each way of choosing the moment, what it meets, and what it pushes aside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sim.report import collateral
from sim.report.grids import Grid
from sim.report.moments import Storm
from sim.report.servers import Place, places
from sim.report.study import Cell
from sim.report.words import interval, listed, number, percent
from sim.units import format_duration


def grids(storm: Storm) -> tuple[Grid, ...]:
    """Return T1 in three parts for each set of reporting devices; the terminal prints those of the
    heaviest.
    """
    every = list(dict.fromkeys(tuple(cell.levels.items()) for cell in storm.study.cells))
    every.sort(key=lambda levels: dict(levels) != storm.levels)
    return tuple(grid for levels in every for grid in _grids_of(storm, dict(levels)))


def _grids_of(storm: Storm, levels: dict[str, str]) -> tuple[Grid, ...]:
    """Return the parts of T1 for the cells at *levels*."""
    cells = [cell for cell in storm.study.cells if cell.levels == levels]
    whose = "".join(f" ({path}: {level})" for path, level in levels.items())
    apart = levels != storm.levels
    parts = (
        _load(storm, cells, whose),
        _waits(storm, cells, whose),
        _harm(storm, cells, whose),
    )
    return (
        *(replace(part, page_only=apart) for part in parts),
        *_cells_grid(storm, cells, whose),
    )


def _busiest(storm: Storm, cells: list[Cell]) -> Iterator[tuple[Cell, Place]]:
    """Yield for each stage and each of *cells* the server with the highest peak of alerts."""
    for stage in dict.fromkeys(place.stage for cell in cells for place in places(cell)):
        for cell in cells:
            peaks = {
                place: storm.at(cell, place, "alerts_per_s_peak")
                for place in places(cell)
                if place.stage == stage
            }
            yield cell, max(peaks, key=lambda place: peak.value if (peak := peaks[place]) else 0)


def _load(storm: Storm, cells: list[Cell], whose: str) -> Grid:
    """Return T1a: how many alerts arrive."""
    columns = {
        "mean/s": "alerts_per_s_mean", "peak in 1 s": "alerts_per_s_peak",
        "peak in 60 s": "alerts_per_60s_peak", "peak in 900 s": "alerts_per_900s_peak",
        "peak ÷ mean": "peak_to_mean_ratio",
    }  # fmt: skip
    rows = [
        (place.name, cell.called, *(interval(storm.at(cell, place, of)) for of in columns.values()))
        for cell, place in _busiest(storm, cells)
    ]
    note = (
        "Alerts: version reports and the existing alerts. A CSP row is the region with the highest"
        " peak."
    )
    return Grid(f"T1a. Alerts that arrive{whose}", ("stage", "option", *columns), tuple(rows), note)


def _waits(storm: Storm, cells: list[Cell], whose: str) -> Grid:
    """Return T1b: what alerts meet at the same servers."""
    rows = []
    for cell, place in _busiest(storm, cells):
        delay, refused = (
            storm.study.estimate(cell, f"{place.stage}_{metric}")
            for metric in ("delay_s_p99", "refused_share")
        )
        waiting, longest = (
            storm.at(cell, place, metric) for metric in ("waiting_share", "peak_waiting_n")
        )
        of_server = percent(waiting), interval(longest)
        rows.append((place.name, cell.called, *of_server, interval(delay), percent(refused)))
    heads = ("stage", "option", "time waiting", "longest queue", "p99 delay, s", "refused")
    note = "Delay and refusals: of all kinds, at all servers of the stage."
    return Grid(f"T1b. What they meet{whose}", heads, tuple(rows), note)


def _harm(storm: Storm, cells: list[Cell], whose: str) -> Grid:
    """Return T1c: what reports add, and what they push aside."""
    loud = [cell for cell in cells if storm.study.comparator_of(cell) is not None]
    targets = (collateral.others(storm.study, storm.silent(cell)).values() for cell in loud)
    classes = sorted({target for of_cell in targets for target in of_cell})
    spans = (f"of target {format_duration(target)}" for target in classes)
    late = "other messages made late a day"
    heads = ("option", "added to the load", late, *spans, "of kinds", "reports late a day")
    note = (
        "Made late: more than without reports, as a paired difference. Late: beyond the target of"
        " the kind, refused, or still waiting past it."
    )
    rows = tuple(_pushed_aside(storm, cell, classes) for cell in loud)
    return Grid(f"T1c. What reporting adds and pushes aside{whose}", heads, rows, note)


def _cells_grid(storm: Storm, cells: list[Cell], whose: str) -> tuple[Grid, ...]:
    """Return T1d, what single WAN cells meet, where they are a stage."""
    wanted = (
        ("busiest_cell_messages_per_s_peak", "busiest_cell_peak_waiting_n"),
        ("all_cells_over_capacity_share", "all_cells_waiting_share"),
    )
    rows = []
    for cell in cells:
        for region, peak in storm.study.groups(cell, wanted[0][0]).items():
            every = (
                place for place in places(cell) if (place.stage, place.group) == ("cell", region)
            )
            passes_on = next((place.passes_on for place in every), "all")
            longest, *shares = (
                storm.study.estimate(cell, metric, region) for metric in (wanted[0][1], *wanted[1])
            )
            rows.append(
                (
                    region,
                    cell.called,
                    number(cell.n_cells[region]),
                    passes_on,
                    interval(peak),
                    interval(longest),
                    *map(percent, shares),
                )
            )
    heads = (
        "region",
        "option",
        "cells",
        "passes on",
        "busiest second of a cell",
        "longest queue of a cell",
        "time over capacity",
        "time waiting",
    )
    note = "Times: of all cells together. T1a and T1b take a region's cells as one."
    return (
        (Grid(f"T1d. Single WAN cells{whose}", heads, tuple(rows), note, page_only=True),)
        if rows
        else ()
    )


def _pushed_aside(storm: Storm, cell: Cell, classes: list[int]) -> tuple[str, ...]:
    kinds = listed([kind for kind, _, _ in storm.late_kinds(cell)]) or "none"
    by_class = collateral.late_classes(storm.study, cell, storm.silent(cell))
    own = storm.study.estimate(cell, "late_per_day", collateral.REPORT)
    more = (interval(by_class.get(target)) for target in classes)
    return (
        cell.called,
        percent(storm.study.estimate(cell, "baseline_uplift_share")),
        interval(storm.late(cell)),
        *more,
        kinds,
        interval(own),
    )
