"""Reproduction: one replication of a run, picked by luck, again and byte for byte."""

from __future__ import annotations

import json
from importlib import import_module

import pytest

from sim.experiment import reproduce
from sim.experiment.environment import environment
from sim.scenario.faults import ScenarioError
from sim.store import StoreError, read_manifest, write_manifest
from tests.experiment import standin


def test_a_replication_is_the_same_to_the_byte(pretend, experiment, carry_out):
    """Which one depends on the pick, and every pick gives the same one again; none is written."""
    run = carry_out(experiment()).path
    before = sorted(run.rglob("*"))
    found = [reproduce(run, pick) for pick in range(6)]

    assert all(one.differ == () and one.changes == () for one in found)
    assert len({(one.cell, one.replication) for one in found}) > 2
    assert [reproduce(run, pick) for pick in range(6)] == found
    assert sorted(run.rglob("*")) == before
    assert (
        str(found[0])
        == f"cell {found[0].cell}, replication {found[0].replication}: reproduced, all"
        f" {found[0].tables} tables are the same to the byte"
    )


def test_what_comes_out_otherwise_is_named(pretend, experiment, carry_out, monkeypatch):
    """The tables that differ, and what may be why: another source, other packages."""
    run = carry_out(experiment()).path
    made_up = standin.made_up

    def otherwise(seed, replication):
        tables = made_up(seed, replication)
        return tables | {"days": tables["days"].iloc[::-1]}

    monkeypatch.setattr(standin, "made_up", otherwise)
    module = import_module("sim.experiment.reproduce")
    other = {"source": "another", "packages": {"numpy": "0.1"}}
    monkeypatch.setattr(module, "environment", lambda: environment() | other)
    found = reproduce(run, 0)

    assert found.differ == ("days",)
    assert "not reproduced, days of" in str(found)
    assert found.changes[0].startswith("the model's source ")
    assert found.changes[0].endswith(" then, another now")
    assert found.changes[1] == f"numpy {environment()['packages']['numpy']} then, 0.1 now"


def test_without_the_compiler_it_is_refused(pretend, experiment, carry_out, monkeypatch):
    """Before anything is run, as `sim run` does."""
    run, calls = carry_out(experiment()).path, len(pretend)
    monkeypatch.setattr("numba.core.config.DISABLE_JIT", 1)
    monkeypatch.setattr("sim.experiment.plan.UNCOMPILED_MOST", 1)

    with pytest.raises(ScenarioError, match="NUMBA_DISABLE_JIT"):
        reproduce(run, 0)
    assert len(pretend) == calls


def test_what_is_damaged_or_of_another_version_is_a_sentence(pretend, experiment, carry_out):
    """The file is named; a run whose keys nobody finds any more is told apart from one that
    differs.
    """
    run = carry_out(experiment()).path
    manifest = read_manifest(run)
    write_manifest(run, manifest | {"version": "0.0"})
    with pytest.raises(StoreError, match="version 0.0 made it"):
        reproduce(run, 0)
    write_manifest(run, manifest)
    text = (run / "resolved.yaml").read_text()
    (run / "resolved.yaml").write_text(text.replace("premises: 60", "premises: 61"))
    with pytest.raises(StoreError, match=r"resolved.yaml is not as it was written"):
        reproduce(run, 0)
    (run / "resolved.yaml").write_text(text)
    for path in run.glob("cells/*/days.parquet"):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreError, match="days.parquet is damaged"):
        reproduce(run, 0)
    assert json.loads((run / "manifest.json").read_text())["status"] == "complete"
