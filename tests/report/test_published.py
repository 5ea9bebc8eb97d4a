"""Figures that were published stand beside those of the run."""

from __future__ import annotations

import pytest

import sim
from sim.report import findings
from sim.report.published import figures, fits
from sim.report.study import Study
from tests.report.reading import grid


@pytest.fixture(scope="module")
def july(tmp_path_factory):
    """The published month, one premises in a thousand."""
    out = tmp_path_factory.mktemp("july")
    return sim.run("gb_2022_07", out=out, jobs=1, report=False, replications=1, scale="1/1000")


def test_every_figure_is_there_with_its_own(july):
    """Of a part, counts are those of the whole; within the tolerance, and said to be inputs."""
    found = findings(july)
    rows = grid(found, "What was published")

    assert len(rows) == len(figures("gb_2022_07")) == 6
    assert {row["within it"] for row in rows} == {"yes"}
    for row, figure in zip(rows, figures("gb_2022_07"), strict=True):
        here = float(row["here"].split()[0].replace(",", ""))
        assert here == pytest.approx(figure.value, rel=figure.tolerance)
    assert "6 of 6 figures published lie within their tolerance" in found.answer
    assert "no more" in found.answer


def test_other_premises_or_days_are_not_compared(tmp_path):
    """What was published is of 13 million premises and a month."""
    small = sim.run(
        "gb_2022_07", out=tmp_path, jobs=1, report=False, replications=1,
        scale="1/1000", **{"window.length": "1 d"},
    )  # fmt: skip
    assert not fits(Study(small))
