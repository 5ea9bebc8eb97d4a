"""`import sim`: the names a notebook uses, and no more."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from datetime import date, datetime, time, timedelta

import numpy as np
import pandas as pd
import pytest

import sim
from sim.cli.calling import CellsFailed
from sim.experiment.asked import sets_of
from sim.metrics import Estimate
from sim.metrics.results import Results
from sim.store import StoreError, verify
from tests.experiment.conftest import SMALL

PUBLIC = ["Estimate", "Experiment", "Results", "Scenario", "ScenarioError", "load", "run"]


def test_the_public_names_are_these():
    """Each is there, and `dir` shows them alone."""
    assert sim.__all__ == dir(sim) == PUBLIC
    assert all(getattr(sim, name) is not None for name in PUBLIC)
    with pytest.raises(AttributeError, match="no attribute 'simulate'"):
        sim.simulate  # noqa: B018


def test_sim_run_is_a_verb_and_a_file(root):
    """Whichever is imported first, `sim.run(...)` runs a scenario and `from sim.run import
    replicate` finds the file.
    """
    code = (
        "import sim; from sim.run import replicate; assert callable(sim.run) and sim.run.replicate"
        " is replicate"
    )
    for first in ("", "import sim.run; ", "from sim import run; assert callable(run); "):
        subprocess.run([sys.executable, "-c", first + code], check=True, cwd=root, timeout=60)


def test_importing_costs_nothing(root):
    """`import sim` loads neither NumPy nor pandas nor anything else heavy."""
    code = (
        "import sys, sim; print(sorted({m.partition('.')[0] for m in sys.modules} & {'numpy',"
        " 'pandas', 'numba', 'pydantic', 'yaml', 'click', 'scipy'}))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.stdout == "[]\n"


def test_run_returns_results(pretend, tmp_path):
    """By name, with leaves as keywords; tables are data frames and metrics are estimates."""
    results = sim.run(
        "gb_base",
        out=tmp_path,
        jobs=1,
        report=False,
        premises=60,
        warm_up="0 s",
        window__length="1 d",
        replications=2,
        **{"reporting.rule": "periodic"},
    )

    assert isinstance(results, sim.Results)
    assert results.cells == ["gb_base"]
    assert results.manifest["scenario"]["sets"] == [
        "estate.premises=60",
        "window.warm_up=0 s",
        "window.length=1 d",
        "replications=2",
        "reporting.rule=periodic",
    ]
    assert "name: gb_base" in results.manifest["scenario"]["text"]
    assert list(results.table("arrivals").columns[:3]) == ["cell", "replication", "stage"]
    assert isinstance(results.metric("record_wrong_share", "ppmid"), Estimate)
    assert results.metric("record_wrong_share").n == 2
    assert results.report_path == results.path / "report.html"
    assert not results.report_path.exists()
    assert sim.Results(results.path).summary.equals(results.summary)
    assert str(results.path) in repr(results)


def test_run_takes_what_was_loaded(pretend, tmp_path):
    """A scenario object runs as it is; changes belong to its loading."""
    scenario = sim.load("gb_base", [*SMALL, "replications=1"])
    assert (
        sim.run(scenario, out=tmp_path, jobs=1, report=False).metric("record_wrong_share").warning
        == "one replication: no interval"
    )
    with pytest.raises(TypeError, match="changes are for a name or a path"):
        sim.run(scenario, out=tmp_path, jobs=1, report=False, premises=70)


def test_failures_raise_with_the_rest_at_hand(pretend, experiment, tmp_path):
    with pytest.raises(
        CellsFailed,
        match=(
            "4 replications failed, first cell quiet-0pc, replication 1: ValueError: no such world"
        ),
    ) as caught:
        sim.run(experiment("fail"), out=tmp_path, jobs=1, report=False)
    assert set(caught.value.results.summary["n"]) == {1}


@pytest.mark.parametrize(
    ("keyword", "message"),
    [
        (
            "rate",
            "rate: is the name of updates.local.rate and of reporting.read.rate; write one of them",
        ),
        ("premisses", r"premisses: is not the name of a leaf \(did you mean premises\?\)"),
    ],
)
def test_a_keyword_that_is_no_ones_leaf_is_a_fault(keyword, message):
    with pytest.raises(sim.ScenarioError, match=message):
        sets_of({keyword: 1})


def test_keywords_become_changes():
    """Values of Python become those of YAML."""
    assert sets_of(
        {
            "take_up": "50 %",
            "seed": 3,
            "read__refreshes_smi": True,
            "reporting.devices": ["ihd"],
            "set": {"a": 1},
        }
    ) == (
        "updates.local.take_up=50 %",
        "seed=3",
        "read.refreshes_smi=true",
        'reporting.devices=["ihd"]',
        'set={"a": 1}',
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.int64(30), "30"),
        (np.float32(0.5), "0.5"),
        (np.array([1, 2]), "[1, 2]"),
        (np.bool_(True), "true"),
        (date(2026, 3, 1), '"2026-03-01"'),
        (datetime(2026, 3, 1), '"2026-03-01"'),
        (np.datetime64("2026-03-01"), '"2026-03-01"'),
        (np.datetime64("2026-03-01", "ns"), '"2026-03-01"'),
        (np.timedelta64(7, "D"), '"604800 s"'),
        (pd.Timestamp("2026-03-01"), '"2026-03-01"'),
        (time(2, 30), '"02:30:00"'),
        (timedelta(days=7), '"604800 s"'),
        ({"start": date(2026, 3, 1)}, '{"start": "2026-03-01"}'),
    ],
)
def test_what_notebooks_have_at_hand_is_a_value(value, text):
    """Numbers of NumPy, dates, times of day, spans of time."""
    assert sets_of({"seed": value}) == (f"seed={text}",)


def test_dates_and_numbers_of_numpy_reach_the_world():
    """As the same text in a file does."""
    changes = {"window__start": np.datetime64("2026-03-01"), "premises": np.int32(30)}
    spans = {"window__length": timedelta(days=8), "warm_up": timedelta()}
    world = sim.load("gb_base", sets_of(changes | spans))

    assert world.window.start == date(2026, 3, 1)
    assert (world.estate.premises, world.window.length, world.window.warm_up) == (30, 8 * 86_400, 0)


def test_what_has_no_form_in_a_file_is_a_fault_each():
    """All of them at once, by keyword, before anything is run."""
    values = {"premises": object(), "window__start": datetime(2026, 3, 1, 4), "seed": float("nan")}
    with pytest.raises(sim.ScenarioError) as caught:
        sets_of(values)

    assert [fault.path for fault in caught.value.faults] == list(values)
    assert "this datetime has no form in a file" in str(caught.value)


def test_results_say_what_there_is(pretend, experiment, tmp_path):
    """A wrong cell, metric, group or table is answered with the right ones."""
    results = sim.run(experiment(), out=tmp_path, jobs=1, report=False)

    with pytest.raises(KeyError, match="which cell\\? There are quiet-0pc, quiet-5pc"):
        results.metric("record_wrong_share")
    with pytest.raises(KeyError, match="no cell 'loud'; there are quiet-0pc"):
        results.metric("record_wrong_share", cell="loud")
    with pytest.raises(
        KeyError, match="no group of record_wrong_share 'ihd'; there are all, ppmid"
    ):
        results.metric("record_wrong_share", "ihd", cell="quiet-0pc")
    with pytest.raises(KeyError, match="no metric 'wrongness'"):
        results.metric("wrongness", cell="quiet-0pc")
    with pytest.raises(StoreError, match=r"nights\.parquet cannot be read"):
        results.table("nights")


def test_altered_results_are_not_believed(pretend, experiment, tmp_path):
    """A table or summary that is not as it was written is refused."""
    results = sim.run(experiment(), out=tmp_path, jobs=1, report=False)
    for name in ("summary.csv", "tables/days.parquet"):
        path = results.path / name
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(StoreError, match=r"days\.parquet is not as it was written"):
        results.table("days")
    with pytest.raises(StoreError, match=r"summary\.csv is not as it was written"):
        Results(results.path).summary  # noqa: B018


def test_the_version_is_the_packages(root):
    """One version, in one place, with its entry in the changelog."""
    assert (
        tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["version"]["path"]
        == "sim/__init__.py"
    )
    assert f"[{sim.__version__}]" in (root / "CHANGELOG.md").read_text()


def test_a_run_comes_with_its_report(tmp_path):
    """What the command line writes, Python writes too."""
    results = sim.run(
        "gb_base",
        out=tmp_path,
        jobs=1,
        premises=60,
        warm_up="0 s",
        window__length="1 d",
        replications=2,
    )

    assert "</html>" in results.report_path.read_text(encoding="utf-8")
    assert verify(results.path) == []
