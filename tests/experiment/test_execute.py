"""A run's folder: complete, resumable, honest about what failed."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from importlib import import_module

import pytest

import sim.experiment.work as work
from sim.experiment import Interrupted, planned
from sim.experiment.asked import worlds
from sim.experiment.environment import environment, maker
from sim.experiment.summary import DIFFERENCES, SUMMARY
from sim.metrics import METRICS
from sim.metrics.results import Results
from sim.scenario.load import load
from sim.store import StoreError, find_run, sha256, verify
from sim.streams import STREAMS
from sim.tables import TABLES
from tests.experiment.conftest import SMALL
from tests.experiment.driver import report

CELLS = ["quiet-0pc", "quiet-5pc", "daily-0pc", "daily-5pc"]


def same_results(run, other):
    """Whether two runs hold the same tables and summaries, byte for byte."""
    names = [
        "summary.csv",
        "differences.csv",
        *(f"tables/{name}.parquet" for name in (*TABLES, "values", "differences")),
    ]
    return all((run / name).read_bytes() == (other / name).read_bytes() for name in names)


def stop_after(n, monkeypatch):
    """Press Ctrl-C when *n* replications are done."""
    attempt = work.attempt
    left = iter(range(n))

    def pressed(*arguments):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return attempt(*arguments)

    monkeypatch.setattr(work, "attempt", pressed)


def test_the_folder_holds_everything(pretend, experiment, carry_out):
    """Cells, tables, summary, differences, the resolved worlds, a log, and a manifest that vouches
    for each file.
    """
    run = carry_out(experiment()).path

    assert verify(run) == []
    assert {path.name for path in run.iterdir()} == {
        "cells",
        "tables",
        "summary.csv",
        "intervals.csv",
        "differences.csv",
        "manifest.json",
        "resolved.yaml",
        "run.log",
    }
    assert len(list((run / "cells").iterdir())) == len(pretend) == 8
    assert {path.stem for path in (run / "tables").iterdir()} == {*TABLES, "values", "differences"}
    assert (run.parent / "latest").read_text().split() == [run.name, sha256(run.name.encode())]
    assert list(worlds(run)) == CELLS
    assert worlds(run)["daily-5pc"] == planned(experiment(), "fast").cells[3].scenario


def test_the_manifest_says_where_the_numbers_come_from(pretend, experiment, carry_out):
    """Text and resolved form with hashes, code, packages, seed, streams, times, every file."""
    run = carry_out(experiment()).path
    manifest = Results(run).manifest

    assert (manifest["status"], manifest["exit"], manifest["engine"], manifest["seed"]) == (
        "complete",
        0,
        "fast",
        7,
    )
    assert manifest["scenario"] == {
        "file": "a file",
        "text": "its text",
        "sets": [],
        "sha256": hashlib.sha256(b"its text").hexdigest(),
    }
    assert (
        manifest["resolved_sha256"]
        == hashlib.sha256((run / "resolved.yaml").read_bytes()).hexdigest()
    )
    assert set(STREAMS) < set(manifest["streams"])
    assert manifest["environment"] == environment()
    assert manifest["makers"] == [maker()]
    assert manifest["made_by"] == {cell: {"0": 0, "1": 0} for cell in CELLS}
    assert manifest["made_with"]["packages"]["numpy"]
    assert manifest["started"] <= manifest["ended"]
    assert {"git_commit", "python", "platform", "cpus"} < set(manifest["made_with"])
    assert set(manifest["files"]) == {
        p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file()
    } - {"manifest.json", "run.log"}


def test_a_scenario_is_one_cell_named_after_it(pretend, carry_out):
    run = carry_out(load("gb_base", [*SMALL, "replications=1"])).path
    results = Results(run)

    assert results.cells == ["gb_base"]
    assert results.manifest["warnings"] == ["one replication of each cell: no interval"]
    assert (
        (run / "summary.csv")
        .read_text()
        .startswith("cell,metric,group,value,half_width,n,unit\ngb_base,")
    )
    assert not (run / "differences.csv").exists()


def test_the_summary_has_a_column_for_each_factor(pretend, experiment, carry_out):
    """`cell, option, <paths>`, then what is measured, cells in order, metrics in theirs."""
    with open(carry_out(experiment()).path / "summary.csv", newline="") as file:
        rows = list(csv.DictReader(file))

    assert list(rows[0]) == ["cell", "option", "reporting.loss", *SUMMARY]
    assert list(dict.fromkeys(row["cell"] for row in rows)) == CELLS
    assert {(row["cell"], row["option"], row["reporting.loss"]) for row in rows} == {
        ("quiet-0pc", "quiet", "0 %"),
        ("quiet-5pc", "quiet", "5 %"),
        ("daily-0pc", "daily", "0 %"),
        ("daily-5pc", "daily", "5 %"),
    }
    assert {row["metric"] for row in rows} <= set(METRICS)
    assert all(row["n"] == "2" and row["unit"] == METRICS[row["metric"]].unit for row in rows)
    assert all(
        float(row["half_width"]) >= 0 if row["value"] != "inf" else row["half_width"] == ""
        for row in rows
    )


def test_differences_are_from_the_comparator_at_the_same_levels(pretend, experiment, carry_out):
    """The option named, cell by cell; all meet the same made-up luck, so nothing differs."""
    results = Results(carry_out(experiment()).path)
    frame = results.table("differences")

    assert set(zip(frame["cell"], frame["comparator"], strict=True)) == {
        ("daily-0pc", "quiet-0pc"),
        ("daily-5pc", "quiet-5pc"),
    }
    assert (frame["difference"] == 0).all()
    assert (frame["half_width"] == 0).all()
    assert (frame["unpaired_half_width"] > 0).any()
    assert tuple(frame.columns) == DIFFERENCES


@pytest.mark.parametrize("n", [0, 5])
def test_ctrl_c_keeps_what_is_finished(pretend, experiment, carry_out, monkeypatch, n):
    """Running again takes up the same folder, runs only the rest, and ends as if nothing had
    happened.
    """
    with monkeypatch.context() as patch:
        stop_after(n, patch)
        with pytest.raises(Interrupted, match="kept in") as caught:
            carry_out(experiment())
    run = caught.value.path
    assert json.loads((run / "manifest.json").read_text())["status"] == "interrupted"
    assert len(pretend) == n

    outcome = carry_out(experiment())
    assert outcome.path == run
    assert len(pretend) == 8
    assert verify(run) == []
    assert same_results(run, carry_out(experiment(), "elsewhere").path)


def test_a_finished_run_is_what_is_asked_for(pretend, experiment, carry_out):
    """The same command gives it back, sound as it is; run again only when that is asked for."""
    first, found = carry_out(experiment()), carry_out(experiment())

    assert (first.reused, found.reused) == (False, True)
    assert found.path == first.path
    assert len(pretend) == 8
    again = carry_out(experiment(), again=True)
    assert not again.reused
    assert again.path != first.path
    assert len(pretend) == 16
    assert same_results(first.path, again.path)


def test_a_finished_run_is_named_latest_when_it_is_asked_for(pretend, experiment, carry_out):
    """`sim report NAME` speaks of what was asked last, be it old."""
    first, other = carry_out(experiment()).path, carry_out(experiment(replications=3)).path
    assert find_run(str(first.parent), first) == other
    assert carry_out(experiment()).path == first
    assert find_run(str(first.parent), first) == first
    assert carry_out(experiment(replications=3)).reused


def test_what_is_asked_otherwise_is_summed_up_anew(pretend, experiment, carry_out, monkeypatch):
    """Another question or another report's source: the replications are taken over, no more."""
    first = carry_out(experiment())
    asked_otherwise = carry_out(experiment("another question"))
    monkeypatch.setattr(import_module("sim.experiment.execute"), "program_hash", lambda: "another")
    reported_otherwise = carry_out(experiment())

    runs = {first.path, asked_otherwise.path, reported_otherwise.path}
    assert len(runs) == 3
    assert len(pretend) == 8
    assert all(same_results(first.path, run) and verify(run) == [] for run in runs)


@pytest.mark.parametrize("mischief", ["altered", "gone", "never written"])
def test_a_damaged_report_is_written_again_alone(pretend, experiment, carry_out, mischief):
    """From the tables: nothing is run again, and the run is sound."""
    run = carry_out(experiment(), then=None if mischief == "never written" else report).path
    if mischief == "altered":
        (run / "report.html").write_bytes(b"<p>none is well</p>")
    elif mischief == "gone":
        (run / "report.html").unlink()

    mended = carry_out(experiment(), then=report)
    assert (mended.path, mended.reused) == (run, True)
    assert (run / "report.html").read_bytes() == b"all is well\n"
    assert len(pretend) == 8
    assert verify(run) == []


def test_nothing_is_taken_up_from_another_environment(pretend, experiment, carry_out, monkeypatch):
    """Other packages, other keys: not one replication is found, widened with or adopted."""
    first = carry_out(experiment()).path
    other = environment() | {"packages": environment()["packages"] | {"numpy": "0.1"}}
    monkeypatch.setattr(import_module("sim.experiment.plan"), "environment", lambda: other)
    second = carry_out(experiment())
    carry_out(experiment(replications=3))

    assert not second.reused
    assert second.path != first
    assert len(pretend) == 8 + 8 + 4  # of the wider run, the third of each cell alone is new
    monkeypatch.undo()


def test_adopted_replications_keep_their_maker(pretend, experiment, carry_out, monkeypatch):
    """The manifest says per replication who made it, whoever's run it is part of."""
    carry_out(experiment())
    another = maker() | {"host": "another"}
    monkeypatch.setattr(import_module("sim.experiment.attempts"), "maker", lambda: another)
    manifest = Results(carry_out(experiment(replications=3)).path).manifest

    assert manifest["makers"] == [maker(), another]
    assert manifest["made_by"] == {cell: {"0": 0, "1": 0, "2": 1} for cell in CELLS}


def test_what_fails_is_named_and_the_rest_is_kept(pretend, experiment, carry_out, monkeypatch):
    """Replication 1 of each cell raises; the estimates are of the other one; the same command tries
    only what failed.
    """
    outcome = carry_out(experiment("fail"))

    assert [(failure.cell, failure.replication, failure.cause) for failure in outcome.failures] == [
        (cell, 1, "ValueError: no such world") for cell in CELLS
    ]
    results = Results(outcome.path)
    assert (results.manifest["status"], results.manifest["exit"]) == ("failed", 1)
    assert results.manifest["failures"][0] == {
        "cell": "quiet-0pc",
        "replication": 1,
        "cause": "ValueError: no such world",
    }
    assert set(results.summary["n"]) == {1}
    assert "Traceback" in (outcome.path / "run.log").read_text()
    assert verify(outcome.path) == []

    calls = len(pretend)
    again = carry_out(experiment("fail"))
    assert again.path == outcome.path
    assert len(pretend) == calls


def test_a_damaged_replication_is_run_again_alone(pretend, experiment, carry_out, monkeypatch):
    """In an unfinished run, a flipped bit costs one replication, and the manifest tells."""
    with monkeypatch.context() as patch:
        stop_after(6, patch)
        with pytest.raises(Interrupted) as caught:
            carry_out(experiment())
    victim = sorted((caught.value.path / "cells").iterdir())[4] / "days.parquet"
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 16
    victim.write_bytes(data)

    run = carry_out(experiment()).path
    assert len(pretend) == 6 + 2 + 1
    assert "days.parquet is damaged" in Results(run).manifest["warnings"][0]
    assert verify(run) == []
    assert same_results(run, carry_out(experiment(), "elsewhere").path)


def test_results_that_cannot_be_written_are_a_sentence(pretend, experiment, carry_out, tmp_path):
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(StoreError, match="cannot write .*out"):
        carry_out(experiment())


def test_a_disk_that_fills_up_fails_replications_by_name(
    pretend, experiment, carry_out, monkeypatch
):
    """From the tenth flush on (cells are not flushed: their hashes tell) the disk is full: a
    sentence, no partial file, and later the rest is run.
    """
    fsync = os.fsync
    full = {"after": 9}

    def counting(descriptor):
        full["after"] -= 1
        if full["after"] < 0:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", counting)
        with pytest.raises(StoreError, match="No space left"):
            carry_out(experiment())
    run = next(
        path
        for path in (carry_out.__closure__[0].cell_contents / "out/small").iterdir()
        if path.is_dir()
    )
    assert not [path for path in run.rglob("*") if path.name.startswith(".")]
    assert "No space left on device" in (run / "run.log").read_text()

    assert carry_out(experiment()).path == run
    assert verify(run) == []


def test_another_order_of_cells_is_another_plan_of_the_same_replications(pretend, experiment):
    """Keys depend on a cell's world, not on its place, its name or how many replications are asked
    for.
    """
    few = planned(experiment(replications=2), "fast")
    many = planned(experiment(replications=3), "fast")
    keys = {(task.cell.name, task.address.replication): task.address.key for task in many.tasks}

    assert all(
        keys[task.cell.name, task.address.replication] == task.address.key for task in few.tasks
    )
    assert few.hash != many.hash
    assert (
        planned(experiment("another question"), "fast").tasks[0].address.key
        == many.tasks[0].address.key
    )
    assert len(set(keys.values())) == 12
    assert planned(experiment(), "twin").tasks[0].address.key != many.tasks[0].address.key


@pytest.mark.parametrize(
    ("homes", "scale", "threads"), [(199_999, 1, 1), (200_000, 1, 2), (400_000, "1/4", 1)]
)
def test_few_homes_are_done_by_one_thread(monkeypatch, homes, scale, threads):
    """Handing over what there is to do takes longer than doing it; a part of the estate is few."""
    executing = import_module("sim.experiment.execute")
    monkeypatch.setattr(executing, "processors", lambda: 4)
    world = load("gb_base", [f"estate.premises={homes}", f"estate.scale={scale}"])

    assert executing._threads_of(planned(world, "fast").cells, 2) == threads
