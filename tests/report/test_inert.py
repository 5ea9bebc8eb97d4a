"""Factors that moved nothing are named, and no others."""

from __future__ import annotations

import pytest

import sim
from sim.report import answer, findings, inert
from sim.report.study import Study

EXPERIMENT = """schema_version: 1
experiment: idle
question: Which assumption drives the inventory?
scenario: gb_base
set: {estate: {premises: 200}, network: [], window: {warm_up: 0 d, length: 20 d}}
options:
  silent: {reporting: {rule: none}}
%s
factors:
  reporting.loss: [0 %%, 20 %%]
  reporting.heartbeat: [7 d, 91 d]
  updates.local.rate: [4 /year, 12 /year]
replications: 2
metrics: [record_wrong_share]
"""


@pytest.fixture
def ran(tmp_path):
    """Return a function that runs the experiment with one more option."""

    def run(more=""):
        (tmp_path / "idle.yaml").write_text(EXPERIMENT % more)
        return sim.run(tmp_path / "idle.yaml", out=tmp_path / "out", jobs=1, report=False)

    return run


def test_what_no_world_reads_is_named(ran):
    """Under rule none there is no loss and no heartbeat; how often versions change is read."""
    run = ran()
    assert inert.factors(Study(run)) == ["reporting.heartbeat", "reporting.loss"]
    assert "reporting.heartbeat and reporting.loss change no number here" in answer(run).replace(
        "\n", " "
    )


def test_what_one_option_reads_is_not(ran):
    """A loss is read where somebody reports."""
    run = ran("  loud: {reporting: {rule: on_change}}")
    assert inert.factors(Study(run)) == ["reporting.heartbeat"]
    assert any(
        point.startswith("reporting.heartbeat changes no number here")
        for point in findings(run).points
    )


def test_a_plain_run_has_none(tmp_path):
    """Nothing varies in it."""
    changes = {"network": [], "window.warm_up": "0 s", "window.length": "1 d"}
    run = sim.run(
        "gb_base", out=tmp_path, jobs=1, report=False, premises=20, replications=1, **changes
    )
    assert inert.points(Study(run)) == ()
