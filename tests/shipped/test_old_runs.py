"""Runs that an earlier release wrote are read as on their first day; what was renamed since answers
to its old name.
"""

from __future__ import annotations

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim import history
from sim.experiment.aims import targets_of
from sim.experiment.environment import environment, of_manifest
from sim.metrics import METRICS
from sim.metrics.results import Results
from sim.scenario.load import load
from sim.store import find_run, hashes, read_manifest, verify, write_manifest
from sim.tables import TABLES
from tests.cli.test_cli import sim
from tests.house.source import ROOT

RUNS = {"old_storm": ["hashed", "clock"], "old_firmware": ["p2", "p4"]}


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """Return a folder of results with a copy of every old run."""
    folder = tmp_path_factory.mktemp("old") / "results"
    shutil.copytree(ROOT / "tests/old_runs", folder)
    return folder


@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_is_verified_and_reported(old, name):
    """Every byte is as it was written, and the report is made of it by today's program."""
    verified = sim("verify", name, "--out", old)
    assert (verified.exit_code, verified.stderr) == (0, "")
    reported = sim("report", name, "--out", old)
    assert (reported.exit_code, reported.stderr) == (0, "")
    page = (find_run(name, old) / "report.html").read_text(encoding="utf-8")
    manifest = read_manifest(find_run(name, old))
    assert all(cell in page for cell in RUNS[name])
    assert of_manifest(manifest)["source"] in page
    assert verify(find_run(name, old)) == []


@pytest.mark.parametrize("name", RUNS)
def test_old_tables_and_metrics_are_read(old, name):
    """Every table and metric of then, by its name of then; today's programs find today's names."""
    results = Results(find_run(name, old))
    assert results.cells == RUNS[name]
    files = [file for file in results.manifest["files"] if file.startswith("tables/")]
    assert len(files) == 31
    for file in files:
        frame = results.table(file.removeprefix("tables/").removesuffix(".parquet"))
        assert set(frame["cell"]) <= set(RUNS[name])
        today = history.table(file.removeprefix("tables/").removesuffix(".parquet"))
        if today in TABLES:
            assert {"cell", "replication", *TABLES[today].names} == set(frame.columns)
        else:
            assert today in ("values", "differences")
    assert set(results.summary["metric"]) <= set(METRICS)
    estimate = results.metric("record_wrong_share", cell=RUNS[name][1])
    assert estimate.n == 2
    assert 0 < estimate.value < 1
    assert len(results.values()) > 100


def test_old_runs_are_compared(old):
    """With one another, and leaf by leaf, as new ones are."""
    told = sim("compare", "old_storm", "old_firmware", "--out", old)
    assert told.exit_code == 0, told.output
    assert "Only in RUN: hashed, clock." in told.stdout
    known = json.loads(sim("compare", "old_storm", "old_storm", "--out", old, "--json").stdout)
    assert known["leaves"] == known["metrics"] == known["notes"] == []


@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_is_reproduced(old, name):
    """Its replications are found under the keys of then, and what changed since is named."""
    told = json.loads(sim("reproduce", name, "--out", old, "--json").stdout)
    assert told["tables"] == 29
    assert any(
        change.startswith("the model's source a2f89ff7 then, ") for change in told["changes"]
    )
    assert of_manifest(read_manifest(find_run(name, old))).keys() == {"source"}
    assert environment()["source"][:8] != "a2f89ff7"


@pytest.fixture
def renamed(monkeypatch, old):
    """Let `days` be a table that was called `nights`, with a column and a metric of other names;
    return the old run of storms, in which the metric has its old name.
    """
    monkeypatch.setitem(history.TABLES, "nights", "days")
    monkeypatch.setitem(history.COLUMNS, "days", {"night": "day", "counted": "n_wrong"})
    monkeypatch.setitem(history.METRICS, "share_of_wrong", "record_wrong_share")
    return find_run("old_storm", old)


def test_a_renamed_table_column_and_metric_answer_to_their_old_names(renamed):
    """Asked of a run of today."""
    results = Results(renamed)
    new, by_old_name = results.table("days"), results.table("nights")

    assert by_old_name.equals(new)
    assert new["night"].equals(new["day"])
    assert new["counted"].equals(new["n_wrong"])
    assert new.groupby("night").size().equals(new.groupby("day").size())
    by_old_name = results.metric("share_of_wrong", cell="clock")
    assert by_old_name == results.metric("record_wrong_share", cell="clock")


def test_a_run_of_before_a_renaming_is_read_under_todays_names(renamed, tmp_path):
    """Its file, its column and the metric in its summaries had other names."""
    run = tmp_path / renamed.name
    shutil.copytree(renamed, run)
    now, manifest = Results(renamed), read_manifest(renamed)
    days = pq.read_table(run / "tables/days.parquet")
    names = {"day": "night", "n_wrong": "counted"}
    days = days.rename_columns([names.get(name, name) for name in days.column_names])
    pq.write_table(days, run / "tables/nights.parquet")
    (run / "tables/days.parquet").unlink()
    for path in (run / "summary.csv", run / "intervals.csv"):
        path.write_text(path.read_text().replace("record_wrong_share", "share_of_wrong"))
    values = pq.read_table(run / "tables/values.parquet")
    metric = values["metric"].to_pandas().replace("record_wrong_share", "share_of_wrong")
    at = values.column_names.index("metric")
    values = values.set_column(at, "metric", pa.array(metric))
    pq.write_table(values, run / "tables/values.parquet")
    asked = {"metrics": ["share_of_wrong"], "primary": "share_of_wrong"}
    write_manifest(run, manifest | asked | {"files": hashes(run)})
    then = Results(run)

    assert list(then.table("days").columns) == list(now.table("days").columns)
    assert then.table("days").equals(now.table("days"))
    assert then.summary.equals(now.summary)
    assert then.values().equals(now.values())
    assert then.manifest["metrics"] == ["record_wrong_share"]
    assert then.manifest["primary"] == "record_wrong_share"
    assert sim("report", run).exit_code == 0


def test_an_experiment_may_ask_for_a_metric_by_its_old_name(renamed, tmp_path):
    """In every place where one is named."""
    path = tmp_path / "asks.yaml"
    path.write_text(
        "schema_version: 1\nexperiment: asks\nquestion: q\nscenario: gb_base\n"
        "metrics: [share_of_wrong, late_share]\nprimary: share_of_wrong\n"
        "precision: {share_of_wrong.ppmid: 2 %}\n"
        "options: {a: {seed: 1}, b: {reporting: {loss: 2 %}}}\n"
        "analysis: {choose: share_of_wrong, sensitivity: [share_of_wrong], methods: [select],"
        " smallest_difference: 1 %}\n"
    )
    experiment = load(path)
    assert experiment.metrics == ("record_wrong_share", "late_share")
    assert experiment.primary == "record_wrong_share"
    assert experiment.analysis.choose == "record_wrong_share"
    assert experiment.analysis.sensitivity == ("record_wrong_share",)
    (target,) = targets_of(experiment)
    assert (target.metric, target.group) == ("record_wrong_share", "ppmid")


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("extends: gb_base\nname: a\nreporting: {loss: 2 %}\n", ["4:13: reporting.loss"]),
        ("extends: gb_base\nname: a\n", []),
        (
            (
                "experiment: a\nquestion: q\nscenario: gb_base\n"
                "set: {reporting: {loss: 1 %}}\nfactors: {reporting.loss: [1 %, 2 %]}\n"
            ),
            ["5:19: set.reporting.loss", "6:11: factors.reporting.loss"],
        ),
    ],
)
def test_check_notes_what_means_something_else_since(tmp_path, monkeypatch, text, places):
    """With the place, the release and what it means now; the file is sound all the same. One of
    the new version is not told.
    """
    monkeypatch.setattr(history, "SCHEMA_VERSION", 2)
    row = history.Meaning("reporting.loss", 2, "0.9.0", "it is of messages, and was of senders")
    monkeypatch.setattr(history, "MEANINGS", [row])
    path = tmp_path / "a.yaml"
    path.write_text(f"schema_version: 1\n{text}")
    told = sim("check", path)
    assert told.exit_code == 0, told.output
    since = "since release 0.9.0, it is of messages, and was of senders"
    note = " (a note: it is read as today)"
    lines = [line for line in told.stderr.splitlines() if line.endswith(note)]
    assert lines == [f"{path}:{place}: {since}{note}" for place in places]
    (known,) = json.loads(sim("check", path, "--json").stdout)
    assert len(known["meanings"]) == len(places)

    child = tmp_path / "child.yaml"
    if "experiment" not in text:  # what it builds on was written before, if not the file itself
        child.write_text("schema_version: 2\nextends: a.yaml\nname: b\nreporting: {loss: 3 %}\n")
        assert sim("check", child).stderr.count(note) == len(places)
    path.write_text(f"schema_version: 2\n{text}")
    assert note not in sim("check", path).stderr


def test_check_notes_leaves_below_a_name_of_the_files_own(tmp_path):
    """Rates of reads and of random alerts, whatever the kind is called."""
    path = tmp_path / "a.yaml"
    tamper = "{kinds: {tamper: {rate: 1 /d}}, active: [tamper]}"
    path.write_text(f"schema_version: 1\nextends: gb_base\nname: a\nalerts: {tamper}\n")

    (note,) = [line for line in sim("check", path).stderr.splitlines() if "since release" in line]

    told = (
        f"{path}:4:27: alerts.kinds.tamper.rate: since release 0.2.0, random alerts come as often"
    )
    assert note.startswith(told)
