"""Four small runs that the report's tests read: the two questions, a calm network, and a plain
scenario.
"""

from __future__ import annotations

import shutil
from functools import partial

import pytest

import sim


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Return the results of four small runs by name."""
    out = tmp_path_factory.mktemp("results")
    tight = {
        "network.csp.capacity": "20 /s",
        "network.dsp.capacity": "46 /s",
        "network_for": 20_000,
    }
    part = {"scale": 1, "premises": 2000, "network_for": 2000}
    short = {"window.warm_up": "7 d", "window.length": "28 d"}
    day = {
        "window.warm_up": "0 s",
        "window.length": "1 d",
        "traffic.level": "100 %",
        "reporting.rule": "periodic",
    }
    few = {"premises": 200, "network_for": 200}
    run = partial(sim.run, out=out, jobs=1, report=False)
    return {
        "storm": run("daily_version_report", premises=20_000, replications=2, **tight),
        "record": run("cheapest_record", replications=2, **part, **short),
        "calm": run("daily_version_report", replications=1, **few),
        "plain": run("gb_base", replications=2, **few, **day),
    }


@pytest.fixture(params=["storm", "record", "calm", "plain"])
def run(request, runs):
    """Return each of the small runs in turn."""
    return runs[request.param]


@pytest.fixture
def copied(tmp_path):
    """Return a function that copies a run's folder, for a test to write in."""

    def copy(results):
        return sim.Results(shutil.copytree(results.path, tmp_path / results.path.name))

    return copy
