"""An experiment that asks which option is best runs as many replications as that takes."""

from __future__ import annotations

import pytest

import sim.experiment.precision as precision
from sim.experiment import planned
from sim.experiment.choosing import choice_of
from sim.scenario.load import load
from tests.report.known import luck

EXPERIMENT = """\
schema_version: 1
experiment: choice
question: Which is best?
scenario: gb_base
set: {{estate: {{premises: 60}}, window: {{warm_up: 0 s, length: 1 d}}}}
options:
  good: {{reporting: {{rule: periodic, period: 1 d}}}}
  near: {{reporting: {{rule: periodic, period: 2 d}}}}
  far: {{reporting: {{rule: periodic, period: 9 d}}}}
factors: {{reporting.loss: [0 %, 5 %]}}
replications: 6
most_replications: {most}
analysis: {{
  choose: record_wrong_share, group: ppmid, prefer: low, smallest_difference: {zone},
  methods: [select],
}}
"""
MEAN = {"good": 0.30, "near": 0.31, "far": 0.50}


@pytest.fixture
def choose(tmp_path, monkeypatch):
    """Return a function that carries an experiment out, without an engine, and gives its plan, its
    warnings and how often it ran anything.
    """

    def value(run, task):
        shared = luck(f"{task.address.replication}")
        own = luck(f"{task.cell.name}/{task.address.replication}")
        return {("record_wrong_share", "ppmid"): MEAN[task.cell.option] + 0.1 * shared + 0.01 * own}

    monkeypatch.setattr(precision, "_measured", value)

    def run(zone="0.005", most=400, at_once=2):
        path = tmp_path / "choice.yaml"
        path.write_text(EXPERIMENT.format(zone=zone, most=most), encoding="utf-8")
        rounds = []
        plan, warnings = precision.to_precision(
            planned(load(path), "fast"),
            tmp_path,
            at_once,
            lambda batch: rounds.append(len(batch.tasks)) or [],
        )
        return plan, warnings, rounds

    return run


def test_the_worst_is_given_up_first_and_the_best_found(choose):
    """What is far behind costs the first stage and little more; what is near, as many as tell it
    apart.
    """
    plan, warnings, _ = choose()
    n = {cell.option: cell.scenario.replications for cell in plan.cells}

    assert warnings == []
    assert 6 <= n["far"] < n["near"] <= n["good"] < 400
    assert precision.reached(plan).endswith("the choice by record_wrong_share")


def test_how_many_work_moves_no_result(choose):
    """Batches run ahead; what counts is what the procedure needed."""
    one, two = choose(at_once=2), choose(at_once=13)

    assert [cell.scenario.replications for cell in one[0].cells] == [
        cell.scenario.replications for cell in two[0].cells
    ]
    assert one[2] != two[2]


def test_what_cannot_be_decided_is_said(choose):
    """At the most replications allowed the rivals are named."""
    plan, warnings, _ = choose(zone="0.0001", most=8)

    assert {cell.scenario.replications for cell in plan.cells if cell.option != "far"} == {8}
    assert any(
        "after 8 replications, the most allowed, it is not decided between good, near" in told
        for told in warnings
    )


def test_only_what_is_asked_for_is_chosen():
    """No selection without its method, its metric and a difference that matters."""
    asked = {
        "choose": "record_wrong_share",
        "group": "all",
        "prefer": "low",
        "smallest_difference": {"amount": 0.1, "relative": True},
        "methods": ("select",),
    }

    without = [
        {"analysis": asked | {key: value}}
        for key, value in (("methods", ()), ("choose", None), ("smallest_difference", None))
    ]

    assert choice_of({"analysis": asked}).relative
    assert [choice_of(design) for design in (None, {"analysis": None}, *without)] == [None] * 5


def test_what_is_never_reached_is_not_chosen(choose, monkeypatch):
    """An option whose metric is infinite in a replication of the first stage has no spread to
    compare.
    """

    def value(run, task):
        first = task.cell.option == "near" and task.address.replication == 1
        return {("record_wrong_share", "ppmid"): float("inf") if first else MEAN[task.cell.option]}

    monkeypatch.setattr(precision, "_measured", value)
    _, warnings, rounds = choose()

    assert len(rounds) == 1
    assert all(
        "not there, or not reached, in every replication of two options or more" in warning
        for warning in warnings
    )
    assert warnings
