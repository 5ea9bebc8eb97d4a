"""Experiments that replicate until they are precise enough, and runs that are extended."""

from __future__ import annotations

import csv
import json
import sys

import pytest

from sim.experiment import Interrupted, planned
from sim.experiment.aims import targets_of
from sim.experiment.precision import to_precision
from sim.metrics.results import Results
from sim.scenario.faults import ScenarioError
from sim.scenario.load import load
from sim.store import verify
from tests.experiment.conftest import EXPERIMENT
from tests.experiment.test_execute import stop_after


@pytest.fixture
def precise(tmp_path):
    """Return a function that loads the small experiment with *lines* of its own."""

    def load_it(*lines):
        path = tmp_path / "small.yaml"
        own = EXPERIMENT.replace("factors: {{reporting.loss: [0 %, 5 %]}}", "")
        own = own.replace("set: {{", "set: {{network_for: 60, ")  # no part, and so no second size
        text = own.format(question="none", replications=4)
        path.write_text(text + "".join(f"{line}\n" for line in lines))
        return load(path)

    return load_it


WANTED = (
    "precision: {changes_per_device_year: 40 %, record_wrong_share.ppmid: 0.2}",
    "most_replications: 40",
)


def n_of(run):
    """Return how many replications each cell of *run* has, by its summary."""
    rows = csv.DictReader((run / "summary.csv").read_text().splitlines())
    return {
        row["cell"]: int(row["n"])
        for row in rows
        if (row["metric"], row["group"]) == ("changes_per_device_year", "all")
    }


def test_replications_are_added_until_every_target_holds(pretend, precise, carry_out):
    run = carry_out(precise(*WANTED)).path
    manifest, n = json.loads((run / "manifest.json").read_text()), n_of(run)

    assert verify(run) == []
    # and no more than that
    assert len(pretend) == len(list((run / "cells").iterdir())) == sum(n.values())
    assert {cell["name"]: cell["replications"] for cell in manifest["cells"]} == n
    assert all(9 <= each < 40 for each in n.values())
    first, last = min(n.values()), max(n.values())
    told = (
        "changes_per_device_year within 40 % of its mean, record_wrong_share of ppmid within 0.2"
        " share"
    )
    assert (
        manifest["precision"]
        == f"{first if first == last else f'{first} to {last}'} replications of each cell, for"
        f" {told}"
    )
    summary = Results(run).summary
    found = summary[(summary["metric"] == "changes_per_device_year")]
    assert (found["half_width"] <= 0.45 * found["value"].abs()).all()


def test_how_many_work_moves_nothing(pretend, precise, carry_out, monkeypatch):
    """Workers that run ahead of the rule change no result."""
    one = carry_out(precise(*WANTED), "one").path
    n = len(pretend)
    monkeypatch.setattr(
        sys.modules["sim.experiment.execute"],
        "to_precision",
        lambda plan, run, at_once, carry_out: to_precision(plan, run, 30, carry_out),
    )
    many = carry_out(precise(*WANTED), "many").path

    assert len(pretend) > 2 * n
    for name in ("summary.csv", "differences.csv", "tables/values.parquet", "resolved.yaml"):
        assert (one / name).read_bytes() == (many / name).read_bytes()


def test_an_interrupted_search_goes_on(pretend, precise, carry_out, monkeypatch):
    whole = carry_out(precise(*WANTED), "whole").path
    with monkeypatch.context() as patch:
        stop_after(11, patch)
        with pytest.raises(Interrupted):
            carry_out(precise(*WANTED))
    pretend.clear()
    run = carry_out(precise(*WANTED)).path

    assert len(pretend) == sum(n_of(whole).values()) - 11
    assert (run / "summary.csv").read_bytes() == (whole / "summary.csv").read_bytes()


def test_the_most_allowed_is_said(pretend, precise, carry_out):
    run = carry_out(
        precise("precision: {changes_per_device_year: 1 %}", "most_replications: 8")
    ).path
    warnings = json.loads((run / "manifest.json").read_text())["warnings"]

    assert set(n_of(run).values()) == {8}
    assert len(warnings) == 2
    assert warnings[0].startswith(
        "cell quiet: after 8 replications, the most allowed, changes_per_device_year within 1 % of"
        " its mean is not reached: it is"
    )


def test_a_wider_question_runs_only_what_is_new(pretend, experiment, carry_out):
    few = carry_out(experiment(replications=3)).path
    pretend.clear()
    many = carry_out(experiment(replications=5)).path

    assert few != many
    assert sorted({replication for _, _, replication in pretend}) == [0, 3, 4]  # 0: the second size
    assert len(pretend) == 8 + 4
    assert "12 replications taken from runs beside this one" in (many / "run.log").read_text()
    assert verify(many) == []

    pretend.clear()
    carry_out(experiment(replications=6))
    assert len(pretend) == 4  # nor is half the size run again


def test_what_is_damaged_beside_is_run(pretend, experiment, carry_out):
    few = carry_out(experiment(replications=2)).path
    for cell in (few / "cells").iterdir():
        (cell / "fates.parquet").write_bytes(b"")
    pretend.clear()
    assert verify(carry_out(experiment(replications=3)).path) == []
    assert len(pretend) == 12


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (
            "precision: {record_wrong_shar: 2 %}",
            "precision.record_wrong_shar: is not a metric (did you mean record_wrong_share?)",
        ),
        (
            "precision: {staleness_days_mean: 12 h}",
            "h is not the unit of the metric; write a number of d, or a share of its mean (2 %)",
        ),
        ("metrics: [dsp_delay_p99]", "metrics.0: is not a metric (did you mean dsp_delay_s_p99?)"),
        ("analysis: {choose: wrongness}", "analysis.choose: is not a metric"),
        ("most_replications: 9", "most_replications: limits a precision, and none is asked for"),
        (
            "precision: {late_share: 1 %}\nmost_replications: 3",
            "most_replications: 3 is fewer than the 4 replications that come first",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(precise, line, fault):
    with pytest.raises(ScenarioError) as error:
        planned(precise(*line.split("\n")), "fast")
    assert fault in str(error.value)


def test_the_most_is_the_assumed_range_of_replications(precise):
    plan = planned(
        precise("precision: {staleness_days_mean: 0.5 d, record_wrong_share.ppmid: 2 %}"), "fast"
    )
    assert plan.most == 100
    assert [str(target) for target in plan.targets] == [
        "staleness_days_mean within 0.5 d",
        "record_wrong_share of ppmid within 2 % of its mean",
    ]
    assert plan.hash != planned(precise("precision: {staleness_days_mean: 0.4 d}"), "fast").hash
    assert targets_of(precise()) == ()


def test_the_manifest_tells_the_design(pretend, tmp_path, carry_out):
    (tmp_path / "drawn.yaml").write_text(
        "schema_version: 1\nexperiment: drawn\nquestion: none\nscenario: gb_base\nset: {estate:"
        " {premises: 60}, window: {warm_up: 0 s, length: 1 d}}\noptions: [p1, p4]\ndesign:"
        " saltelli\npoints: 2\nfactors: {reporting.loss: assumed, reporting.rule: [none,"
        " periodic]}\nreplications: 1\nanalysis: {choose: record_wrong_share, group: ppmid, prefer:"
        " low, smallest_difference: 1 %, methods: [flips]}\n"
    )
    manifest = json.loads(
        (carry_out(load(tmp_path / "drawn.yaml")).path / "manifest.json").read_text()
    )

    assert manifest["design"]["kind"] == "saltelli"
    loss, rule = manifest["design"]["factors"]
    assert (loss["path"], loss["kind"], loss["low"], loss["high"], loss["unit"]) == (
        "reporting.loss",
        "share",
        0.0,
        20.0,
        "%",
    )
    assert (rule["kind"], rule["levels"], rule["high"]) == ("levels", ["none", "periodic"], 1.0)
    assert manifest["design"]["analysis"]["smallest_difference"] == {
        "amount": 0.01,
        "relative": True,
        "unit": "",
    }
    assert sorted(
        point for cell in manifest["cells"] if cell["option"] == "p4" for point in cell["points"]
    ) == list(range(8))
