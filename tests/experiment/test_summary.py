"""Rows of summary and differences, from metrics made up by hand."""

from __future__ import annotations

import csv
import io
from math import inf

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
    return {
        cell.name: {r: {KEY: value} for r, value in enumerate(values[cell.name])}
        for cell in plan.cells
        if cell.name in values
    }


def test_estimates_are_over_replications(plan):
    """Mean and t interval of each cell; a cell with nothing finished has no row."""
    header, rows, intervals = summary(plan, measured(plan, {"quiet-0pc": [0.4, 0.43, 0.46]}))

    assert header == (
        "cell",
        "option",
        "reporting.loss",
        "metric",
        "group",
        "value",
        "half_width",
        "n",
        "unit",
    )
    assert len(rows) == 1
    cell, option, loss, *key, value, half_width, n, unit = rows[0]
    assert (cell, option, loss, tuple(key), n, unit) == (
        "quiet-0pc",
        "quiet",
        "0 %",
        KEY,
        3,
        "share",
    )
    assert intervals[0][:7] == ("quiet-0pc", *KEY, value - half_width, value + half_width, "t", "")
    assert intervals[0][-1] == 3
    assert value == pytest.approx(0.43)
    assert half_width == pytest.approx(stats.t.ppf(0.975, 2) * stats.sem([0.4, 0.43, 0.46]))


def test_no_interval_leaves_a_share(plan):
    """What spreads past 0 or 1 is cut there, and half the width is of what is left."""
    _, [row], [interval] = summary(plan, measured(plan, {"quiet-0pc": [0.0, 0.001, 0.5]}))
    assert (interval[3], interval[4]) == (0, pytest.approx(2 * row[6]))
    assert 0.8 < interval[4] <= 1


def test_a_value_that_was_never_reached_is_infinite_without_an_interval(plan):
    """`inf`, and nothing where half-width and ends would be; no difference is made of it."""
    key = ("end_to_end_delay_s_p99", "all")
    values = {"quiet-0pc": [1.0, inf, 2.0], "daily-0pc": [1.0, 2.0, 3.0]}
    known = {cell: {r: {key: value} for r, value in enumerate(of)} for cell, of in values.items()}
    header, rows, intervals = summary(plan, known)

    read = list(csv.DictReader(io.StringIO(to_csv(header, rows).decode())))
    assert (read[0]["value"], read[0]["half_width"], read[0]["n"]) == ("inf", "", "3")
    assert intervals[0][3:7] == (None, None, "t", "not reached in 1 of 3 replications")
    assert differences(plan, known) == []


def test_a_conditional_metric_carries_its_condition(plan):
    """Beside the interval stand whom the number speaks of and their share of all; of both cells
    beside a difference.
    """
    shares = {"quiet-0pc": 0.5, "daily-0pc": 0.25}
    known = {
        cell: {r: {KEY: 0.1 * r, ("record_known_share", "all"): share} for r in range(3)}
        for cell, share in shares.items()
    }
    _, _, intervals = summary(plan, known)

    conditions = {row[:3]: row[7:9] for row in intervals}
    assert conditions["quiet-0pc", *KEY] == ("device time with a record", 0.5)
    assert conditions["quiet-0pc", "record_known_share", "all"] == ("", 1.0)
    [row] = [row for row in differences(plan, known) if row[2:4] == KEY]
    assert row[-4:] == ("device time with a record", 0.25, 0.5, 3)


def test_differences_are_paired(plan):
    """Replication by replication, so shared luck cancels."""
    rows = differences(
        plan,
        measured(
            plan,
            {
                "quiet-0pc": [0.1, 0.5, 0.9],
                "daily-0pc": [0.05, 0.46, 0.84],
                "daily-5pc": [1.0, 1.0, 1.0],
            },
        ),
    )

    assert len(rows) == 1  # daily-5pc has no finished comparator
    (
        cell,
        other,
        *key,
        difference,
        half_width,
        unpaired,
        n,
        unit,
        low,
        high,
        gain,
        p,
        corrected,
        warning,
    ) = rows[0][:-4]
    assert (cell, other, tuple(key), n, unit) == ("daily-0pc", "quiet-0pc", KEY, 3, "share")
    assert difference == pytest.approx(-0.05)
    assert half_width == pytest.approx(stats.t.ppf(0.975, 2) * stats.sem([0.05, 0.04, 0.06]))
    assert (low, high) == (difference - half_width, difference + half_width)
    assert unpaired > 10 * half_width
    assert gain == pytest.approx((unpaired / half_width) ** 2)
    assert (
        p == corrected == pytest.approx(stats.ttest_rel([0.1, 0.5, 0.9], [0.05, 0.46, 0.84]).pvalue)
    )
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

    assert read == [
        ["a", "b", "c"],
        ["'=1+1", "-2.5", "plain"],
        ["'@x", "3", "'+y"],
        ["'-z", "0.1", "a,b"],
    ]
