"""Rows of summary and differences, from metrics made up by hand."""

from __future__ import annotations

import csv
import io

import pytest
from scipy import stats

from sim.experiment import planned
from sim.experiment.summary import differences, summary, to_csv

KEY = ("record_wrong_share", "all")


@pytest.fixture
def plan(experiment):
    return planned(experiment(replications=3), "fast")


def measured(plan, values):
    """Return *values* by cell as the metrics of three replications."""
    return {cell.name: {r: {KEY: value} for r, value in enumerate(values[cell.name])} for cell in plan.cells if cell.name in values}


def test_estimates_are_over_replications(plan):
    """Mean and t interval of each cell; a cell with nothing finished has no row."""
    header, rows, intervals = summary(plan, measured(plan, {"quiet-0pc": [0.2, 0.3, 0.7]}))

    assert header == ("cell", "option", "reporting.loss", "metric", "group", "value", "half_width", "n", "unit")
    assert len(rows) == 1
    cell, option, loss, *key, value, half_width, n, unit = rows[0]
    assert (cell, option, loss, tuple(key), n, unit) == ("quiet-0pc", "quiet", "0 %", KEY, 3, "share")
    assert intervals == [("quiet-0pc", *KEY, value - half_width, value + half_width, "t", "")]
    assert value == pytest.approx(0.4)
    assert half_width == pytest.approx(stats.t.ppf(0.975, 2) * stats.sem([0.2, 0.3, 0.7]))


def test_differences_are_paired(plan):
    """Replication by replication, so shared luck cancels."""
    rows = differences(plan, measured(plan, {"quiet-0pc": [1.0, 5.0, 9.0], "daily-0pc": [0.5, 4.6, 8.4], "daily-5pc": [1.0, 1.0, 1.0]}))

    assert len(rows) == 1  # daily-5pc has no finished comparator
    cell, other, *key, difference, half_width, unpaired, n, unit, low, high, gain, p, corrected, warning = rows[0]
    assert (cell, other, tuple(key), n, unit) == ("daily-0pc", "quiet-0pc", KEY, 3, "share")
    assert difference == pytest.approx(-0.5)
    assert half_width == pytest.approx(stats.t.ppf(0.975, 2) * stats.sem([0.5, 0.4, 0.6]))
    assert (low, high) == (difference - half_width, difference + half_width)
    assert unpaired > 10 * half_width
    assert gain == pytest.approx((unpaired / half_width) ** 2)
    assert p == corrected == pytest.approx(stats.ttest_rel([1.0, 5.0, 9.0], [0.5, 4.6, 8.4]).pvalue)
    assert warning == ""


def test_replications_that_only_one_cell_has_make_no_pair(plan):
    """A replication that failed in either cell is left out of the difference."""
    values = measured(plan, {"quiet-0pc": [1.0, 2.0, 3.0], "daily-0pc": [2.0, 4.0, 7.0]})
    del values["quiet-0pc"][1], values["daily-0pc"][2][KEY]

    assert [(row[4], row[7]) for row in differences(plan, values)] == [(1.0, 1)]


def test_spreadsheets_find_no_formulas():
    """Text that begins like a formula is defused; numbers stay numbers."""
    rows = [("=1+1", -2.5, "plain"), ("@x", 3, "+y"), ("-z", 0.1, "a,b")]
    read = list(csv.reader(io.StringIO(to_csv(("a", "b", "c"), rows).decode())))

    assert read == [["a", "b", "c"], ["'=1+1", "-2.5", "plain"], ["'@x", "3", "'+y"], ["'-z", "0.1", "a,b"]]
