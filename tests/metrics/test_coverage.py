"""How often intervals hold the truth: the committed table obeys its rule, and measured again it is
the same.
"""

from __future__ import annotations

import csv

import pytest
from scipy import stats

from benchmarks.coverage import (
    BEGIN,
    CASES,
    END,
    FINDERS,
    LEAST,
    PAGE,
    STOPS,
    TABLE,
    as_table,
    at_stop,
    measured,
)
from sim.metrics.intervals import CONFIDENCE, Kind

with TABLE.open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))
POOR = CONFIDENCE - 0.015


def test_the_table_is_whole():
    """Every kind, law and finder, at least 2,000 experiments each."""
    found = {(row["interval"].split(":")[0], row["law"]) for row in ROWS}

    assert {(str(kind), law) for kind, laws in CASES.items() for law in laws} <= found
    assert set(FINDERS) | {"flip box"} <= {interval for interval, _ in found}
    assert len([row for row in ROWS if row["interval"].startswith("replicated to")]) == len(
        STOPS
    ) * len(LEAST)
    assert min(int(row["experiments"]) for row in ROWS) >= 2000


def test_the_page_shows_the_table():
    """`docs/statistics.md` is of the committed table."""
    assert f"{BEGIN}\n{as_table()}\n{END}" in PAGE.read_text(encoding="utf-8")


def test_where_coverage_is_poor_the_warning_appears_every_time():
    """Below nominal less 1.5 points not one of thousands of experiments goes without."""
    poor = [row for row in ROWS if float(row["coverage"]) < POOR]

    assert len(poor) > 20
    assert [row for row in poor if float(row["warned"]) < 1] == []


def test_what_is_not_warned_of_covers_what_it_claims():
    """Means and shares, for which few replications serve, hold the truth at any number, and are
    hardly ever warned of: two values may be equal by chance.
    """
    plain = [row for row in ROWS if row["interval"].startswith(("mean", "share"))]

    assert all(float(row["coverage"]) >= POOR for row in plain)
    assert all(float(row["warned"]) < (0.1 if row["n"] == "2" else 0.02) for row in plain)


@pytest.mark.parametrize(
    ("law", "width", "least"),
    [("normal", 0.05, 3), ("mean of 1,000 yes or no devices, 2 %", 0.1, 5)],
)
def test_measured_again_stops_cover_the_same(law, width, least):
    """A thousand experiments that stop when they are precise: within binomial error of the row."""
    interval, law, n, experiments, coverage, _ = at_stop(Kind.MEAN, law, width, least, 1000)
    row = next(
        row for row in ROWS if (row["interval"], row["law"], int(row["n"])) == (interval, law, n)
    )

    assert (
        stats.binomtest(round(coverage * experiments), experiments, float(row["coverage"])).pvalue
        > 1e-4
    )


@pytest.mark.parametrize(
    ("kind", "law", "n"),
    [
        (Kind.MEAN, "normal", 5),
        (Kind.MEAN, "mean of 1,000 yes or no devices, 2 %", 10),
        (Kind.SHARE, "yes or no, 10 %", 10),
        (Kind.SKEWED, "exponential", 5),
        (Kind.SKEWED, "lognormal, sigma 1.5", 10),
        (Kind.SKEWED, "peak of 3,600 Poisson counts", 20),
        (Kind.UNKNOWN, "lognormal, sigma 1.5", 30),
        (Kind.UNKNOWN, "yes or no, 2 %", 10),
    ],
)
def test_measured_again_the_table_is_the_same(kind, law, n):
    """A thousand experiments of the same kind, law and size: within binomial error of the row, and
    warned of alike.
    """
    interval, law, n, experiments, coverage, warned = measured(kind, law, n, 1000)
    row = next(
        row for row in ROWS if (row["interval"], row["law"], int(row["n"])) == (interval, law, n)
    )

    assert (
        stats.binomtest(round(coverage * experiments), experiments, float(row["coverage"])).pvalue
        > 1e-4
    )
    assert warned == pytest.approx(float(row["warned"]), abs=0.02)
    assert warned == 1 or coverage >= POOR - 0.02
