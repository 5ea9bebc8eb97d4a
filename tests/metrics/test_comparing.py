"""Many comparisons: how often anything is called real when nothing is, and two runs beside each
other.
"""

from __future__ import annotations

import json
from math import inf, isnan, nan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sim.metrics.comparing import _apart, compared, holm, matched, unpaired_difference
from sim.metrics.results import Results
from sim.store import hashes, write_manifest
from tests.report.known import known_run


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_steps_down(p):
    """The smallest by all, the next by one fewer, never below the one before; by the definition,
    one after the other.
    """
    corrected = holm(p)
    order = sorted(range(len(p)), key=lambda place: p[place])

    least = 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, p[place] * (len(p) - rank)))
        assert corrected[place] == least
        assert corrected[place] >= p[place]


@pytest.mark.parametrize(
    ("mine", "theirs", "apart"),
    [
        ([1, inf, 3], [inf, inf, inf], nan),
        ([1, inf, 3], [1, 2, 3], nan),
        ([1, inf, 3], [3, 1, inf], 0.0),
        ([inf], [inf], 0.0),
    ],
)
def test_what_was_never_reached_is_alike_only_where_all_of_it_is(mine, theirs, apart):
    """Unreached once and unreached always are not the same, though both means are infinite."""
    values = tuple(dict(enumerate(map(float, of))) for of in (mine, theirs))
    found = _apart("cell", ("late_per_day", "all"), values, same_luck=True)

    assert (found.difference.value == apart) or (isnan(apart) and isnan(found.difference.value))
    assert isnan(found.difference.half_width)
    assert not found.paired


def test_no_test_is_no_part_of_the_family():
    corrected = holm([0.01, nan, 0.04])
    assert corrected[0] == 0.02
    assert isnan(corrected[1])
    assert corrected[2] == 0.04


def test_nothing_is_called_real_when_nothing_is():
    """Of 2,000 sweeps of ten correlated metrics without a difference, Holm calls any real in 5 % at
    most, and three standard errors.
    """
    luck = np.random.default_rng(6)
    false = 0
    for _ in range(2000):
        apart = luck.normal(size=(10, 8)) + 0.7 * luck.normal(size=(1, 8))
        p = stats.ttest_1samp(apart, 0, axis=1).pvalue
        false += min(holm(p.tolist())) < 0.05

    assert false / 2000 <= 0.05 + 3 * sqrt(0.05 * 0.95 / 2000)


def test_unpaired_is_welchs():
    """Interval and p as scipy has them, for samples of any sizes."""
    luck = np.random.default_rng(7)
    a, b = luck.normal(1, 2, 9), luck.normal(0, 1, 5)
    found = unpaired_difference(a.tolist(), b.tolist(), "s")
    theirs = stats.ttest_ind(a, b, equal_var=False)

    assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval(0.95)))
    assert found.p == pytest.approx(theirs.pvalue)
    assert isnan(unpaired_difference([1.0], [2.0, 3.0], "s").half_width)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Return two runs of the same four worlds: luck shared, and one boundary moved."""
    folders = [tmp_path_factory.mktemp("runs") for _ in range(2)]
    return [
        known_run(folder, points=2, replications=6, boundary=boundary)
        for folder, boundary in zip(folders, (0.25, 0.3), strict=True)
    ]


def test_common_luck_is_used_and_told(two):
    """Paired: what both runs share is not in the interval; on change does better by 0.8 × 0.05 in
    every world, under the daily report nothing moves.
    """
    rows, notes = compared(*map(Results, two), every_group=False)
    found = {row.cell: row for row in rows if row.metric == "record_wrong_share"}

    assert notes == []
    for cell, row in found.items():
        assert row.paired
        assert row.difference.value == pytest.approx(
            -0.04 if cell.startswith("on_change") else 0.0, abs=1e-12
        )
        assert row.difference.half_width == pytest.approx(0, abs=1e-12)
        assert row.difference.unpaired_half_width > 0.01
        assert row.difference.p_holm == (0.0 if cell.startswith("on_change") else 1.0)


def rewritten(run, **entries):
    """Change *entries* of the manifest of *run*."""
    manifest = json.loads((run / "manifest.json").read_text())
    write_manifest(run, manifest | entries | {"files": hashes(run)})
    return Results(run)


def test_other_seeds_are_unpaired_and_said_so(two, tmp_path):
    """The same numbers under another seed: an interval a hundred times as wide, and a sentence."""
    other = known_run(tmp_path, points=2, replications=6, boundary=0.3)
    cells = json.loads((other / "manifest.json").read_text())["cells"]
    rows, notes = compared(
        Results(two[0]),
        rewritten(other, cells=[cell | {"seed": 8} for cell in cells]),
        every_group=False,
    )

    assert notes == [note for note in notes if note.startswith("The seeds differ (")]
    assert not any(row.paired for row in rows)
    assert all(row.difference.half_width > 0.01 for row in rows)
    assert all(row.difference.p_holm > 0.05 for row in rows)


def test_a_run_of_another_age_is_compared_by_its_summary(two, tmp_path):
    """Without values, and with tables of which today's metrics know nothing."""
    old = known_run(tmp_path, points=2, replications=6, boundary=0.3)
    (old / "tables" / "values.parquet").unlink()
    rows, notes = compared(Results(two[0]), rewritten(old), every_group=True)

    assert notes == [
        "The tables of one run say nothing to today's metrics: compared by the summaries, unpaired,"
        " without p."
    ]
    assert {row.group for row in rows} == {"all", "ppmid"}
    assert all(isnan(row.difference.p_holm) for row in rows)
    assert {round(row.difference.value, 3) for row in rows} == {0.0, -0.04}


def test_cells_are_matched_by_name_and_strangers_named(two, tmp_path):
    """Worlds that only one run has are in no row, and in a note."""
    more = known_run(tmp_path, points=3, replications=6)
    assert matched({"a": 1}, {"b": 2}) == {"a": "b"}
    assert matched({"a": 1, "b": 2}, {"b": 3}) == {"b": "b"}

    rows, notes = compared(Results(two[0]), Results(more), every_group=False)
    assert {row.cell for row in rows} == {
        f"{option}-s{n}" for option in ("daily", "on_change") for n in range(2)
    }
    assert notes == ["Only in OTHER: daily-s2, on_change-s2."]
