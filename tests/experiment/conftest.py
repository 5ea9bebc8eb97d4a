"""Small worlds, and an engine that only pretends."""

from __future__ import annotations

import textwrap

import pytest

from sim.experiment import Options, Source, execute, planned
from sim.experiment.plan import ENGINES
from sim.scenario.load import load
from tests.experiment import standin
from tests.experiment.mischief import EXPERIMENT

SMALL = ["estate.premises=60", "window.warm_up=0 s", "window.length=1 d"]


@pytest.fixture
def pretend(monkeypatch):
    """Let the fast engine be the stand-in; return the list of its calls."""
    monkeypatch.setitem(ENGINES, "fast", "tests.experiment.standin")
    standin.CALLS.clear()
    return standin.CALLS


@pytest.fixture
def experiment(tmp_path):
    """Return a function that loads a small experiment of four cells."""

    def load_it(question="none", replications=2):
        path = tmp_path / "small.yaml"
        path.write_text(
            textwrap.dedent(EXPERIMENT.format(question=question, replications=replications))
        )
        return load(path)

    return load_it


@pytest.fixture
def carry_out(tmp_path):
    """Return a function that carries out what was loaded under a folder of results, one replication
    at a time.
    """

    def run(loaded, out="out", jobs=1, again=False, then=None):
        plan, source = planned(loaded, "fast"), Source("a file", "its text", ())
        return execute(plan, tmp_path / out, source, Options(jobs, again=again), then=then)

    return run
