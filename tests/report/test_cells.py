"""H1 with WAN cells: a panel for the cells of each region, T1 for them too, and T1d for the single
cell.
"""

from __future__ import annotations

import pytest

import sim
from sim.report import findings
from sim.report.servers import peaks_by_quarter, places
from sim.report.study import Study
from tests.report.reading import differences, grid, same, summary

EXPERIMENT = """schema_version: 1
experiment: cells
question: Is a daily report a storm for a WAN cell? (H1)
scenario: gb_base
set:
  window: {warm_up: 0 s, length: 1 d}
  estate: {premises: 600, premises_per_cell: 100}
  traffic: {level: 100 %}
  reporting: {rule: periodic, phase: {source: fixed_clock, jitter: 5 s}}
  network: [
    {stage: cell, capacity: 1 /s}, {stage: csp, capacity: 20 /s}, {stage: dsp, capacity: 30 /s},
  ]
options:
  no_report: {reporting: {rule: none}}
  fixed_clock: {reporting: {phase: {jitter: 5 s}}}
  hashed: {reporting: {phase: {source: hashed, jitter: 0 s}}}
comparator: no_report
replications: 2
metrics: [cell_alerts_per_s_peak, dsp_alerts_per_s_peak, late_per_day]
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return the results of a small estate of six cells."""
    folder = tmp_path_factory.mktemp("cells")
    (folder / "cells.yaml").write_text(EXPERIMENT, encoding="utf-8")
    return sim.run(folder / "cells.yaml", out=folder, jobs=1, report=False)


def test_the_cells_of_a_region_are_a_place(results):
    """What they pass on together is what one does times their number; the busiest quarter is the
    one of the fixed clock.
    """
    study = Study(results)
    fixed = next(cell for cell in study.cells if cell.option == "fixed_clock")
    north = next(place for place in places(fixed) if place.name == "WAN cells north")

    assert sum(fixed.n_cells.values()) in (6, 7, 8)  # rounded up in each of three regions
    assert north.capacity == fixed.n_cells["north"]
    loads = peaks_by_quarter(study, fixed, north)
    assert max(loads) == pytest.approx(
        summary(results)["fixed_clock", "cell_messages_per_s_peak", "north"][0] / north.capacity,
        rel=0.1,
    )
    assert max(loads) > 1


def test_t1_has_the_cells_and_t1d_the_single_one(results):
    """All of it is in `summary.csv`."""
    want, found = summary(results), findings(results)
    single = {(row["region"], row["option"]): row for row in grid(found, "T1d")}

    assert {row["stage"] for row in grid(found, "T1a")} >= {"DSP"}
    assert any(row["stage"].startswith("WAN cells ") for row in grid(found, "T1b"))
    assert len(single) == 9
    for (region, option), row in single.items():
        assert same(
            row["busiest second of a cell"],
            *want[option, "busiest_cell_messages_per_s_peak", region],
        )
        assert same(
            row["longest queue of a cell"], *want[option, "busiest_cell_peak_waiting_n", region]
        )
        assert same(
            row["time over capacity"], *want[option, "all_cells_over_capacity_share", region], 100
        )
    busiest = [
        float(single["north", option]["busiest second of a cell"].split()[0])
        for option in ("no_report", "hashed", "fixed_clock")
    ]
    assert busiest == sorted(busiest)
    assert busiest[2] > 5 * busiest[0]


def test_what_is_pushed_aside_is_told_by_class(results):
    """The classes of response time add up to all other messages, and the targets are those of the
    traffic.
    """
    less = differences(results)
    row = next(row for row in grid(findings(results), "T1c") if row["option"] == "fixed_clock")
    of_class = {
        "of target 25 s": ("on_demand",),
        "of target 2 h": ("dcc_alert", "device_alert", "future_dated"),
        "of target 22 h": ("scheduled_read",),
    }

    for head, kinds in of_class.items():
        assert float(row[head].split(" ± ")[0]) == pytest.approx(
            sum(less["fixed_clock", "late_per_day", kind][0] for kind in kinds), abs=0.05
        )
