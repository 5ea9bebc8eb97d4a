"""Any other run has a sensible report too."""

from __future__ import annotations

import pytest

import sim
from sim.report import answer, findings, write
from sim.report.general import words
from tests.report.reading import Page, differences, grid, same, summary

EXPERIMENT = """schema_version: 1
experiment: capacities
question: Does a faster DSP help?
scenario: gb_base
set:
  window: {warm_up: 0 s, length: 1 d}
  estate: {premises: 400}
  network_for: 400
  traffic: {level: 100 %}
  reporting: {rule: periodic, phase: {source: fixed_clock, jitter: 1 s}}
options:
  slow: {network.1.capacity: 0.5 /s}
  fast: {network.1.capacity: 50 /s}
  endless: {network.1.capacity: null}
comparator: slow
replications: 2
metrics: [dsp_delay_s_p99, record_wrong_share]
primary: dsp_delay_s_p99
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return the results of an experiment that asks neither of the two questions."""
    folder = tmp_path_factory.mktemp("general")
    (folder / "capacities.yaml").write_text(EXPERIMENT, encoding="utf-8")
    return sim.run(folder / "capacities.yaml", out=folder, jobs=1, report=False)


def test_cells_are_compared_by_the_primary_metric(results):
    """The ends of its range, and whether the intervals of the paired differences settle it."""
    text = findings(results).answer

    assert text.startswith("Of 3 cells, dsp delay s p99 is lowest in ")
    assert "highest in slow (" in text
    assert "paired difference from slow" in text


def test_the_table_and_the_points_are_the_summary(results):
    """The metrics declared, cell by cell, and the differences from the comparator."""
    want, less = summary(results), differences(results)
    rows = grid(findings(results), "T1")

    assert [row["cell"] for row in rows] == ["slow", "fast", "endless"]
    for row in rows:
        assert same(row["dsp delay s p99, s"], *want[row["cell"], "dsp_delay_s_p99", "all"])
    found = findings(results).points
    points = [point for point in found if not point.startswith(("Note: ", "How old"))]
    assert [point.partition(", ")[2].partition(" less")[0] for point in points] == [
        "fast",
        "endless",
    ]
    for point in points:
        cell = point.partition(", ")[2].partition(" less")[0]
        assert same(point.partition(": ")[2], *less[cell, "dsp_delay_s_p99", "all"])


def test_worlds_of_different_capacity_share_a_figure(results):
    """Each row is measured against its own capacity; a server that is endless in one world has an
    empty row there.
    """
    pictures = {picture.name: picture.draw() for picture in findings(results).pictures}
    panels = {
        axes.get_title(loc="left"): [text.get_text() for text in axes.texts]
        for axes in pictures["f2_load_by_time_of_day"].axes[:-1]
    }

    assert set(pictures) == {"f1_by_cell", "f2_load_by_time_of_day"}
    assert len(panels["DSP: passes on 0.5 to 50 a second"]) == 2
    assert len(panels["CSP north: passes on 2,000 a second"]) == 3


def test_its_page_is_whole(results):
    """Question, answer, two figures and the definitions of what was asked."""
    page = Page(write(results).read_text(encoding="utf-8"))

    assert "Does a faster DSP help?" in page.text
    assert sum(tag == "img" for tag, _ in page.tags) == 2
    assert (
        "Delay that share of all messages do not exceed, those that were never passed on included"
        in page.text
    )
    assert "A sample of 400 premises" in answer(results)


def test_metric_names_as_words():
    """Underscores are for programs."""
    assert words("dsp_delay_s_p99") == "dsp delay s p99"
