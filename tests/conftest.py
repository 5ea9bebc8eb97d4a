"""What every test shares: one cache of compiled kernels, examples that never change, no progress
bars.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parent.parent

# Figures are drawn off screen, also in processes that tests start.
os.environ.setdefault("MPLBACKEND", "Agg")

# Derandomised: a failure here is a failure everywhere, and a green run stays green. No deadline: a
# first call may compile a kernel.
hypothesis.settings.register_profile(
    "ci", derandomize=True, deadline=None, database=None, print_blob=True
)
# For a long night's search: HYPOTHESIS_PROFILE=search pytest …
hypothesis.settings.register_profile("search", max_examples=2000, deadline=None, print_blob=True)
# For kernels that are stepped through, a hundred times slower.
hypothesis.settings.register_profile(
    "stepped", max_examples=20, derandomize=True, deadline=None, database=None
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


# Where the long tests are, by what their paths begin with.
LONGEST_FIRST = (
    "twins/test_fast_equals_twin.py",
    "twins/test_storms_equal.py",
    "twins/test_firmware_equal.py",
    "properties/",
    "experiment/test_processes.py",
    "experiment/test_durability.py",
    "shipped/",
    "report/",
    "cli/",
    "experiment/",
    "kernels/",
    "laws/",
)
# Files whose tests are long and share nothing: each test goes to the worker that is free.
APART = {
    "experiment/test_processes.py",
    "experiment/test_durability.py",
    "shipped/test_said.py",
    "shipped/test_notebooks.py",
    "cli/test_what_goes_wrong.py",
    "laws/test_stage_theory.py",
    "laws/test_wrong_share.py",
}
# Files that read the runs of `tests/report/conftest.py`.
WITH_RUNS = {f"report/test_{name}.py" for name in ("answers", "evidence", "figures", "pages")}
# A storm's kernels and those of lives: two halves of the time, one for each of two processors.
WORLDS = (
    ("gb_firmware",),
    (
        *("gb_base", "estate.premises=50", "window.length=1 d", "window.warm_up=0 s"),
        *("traffic.level=100 %", "network=[{stage: dsp, capacity: 1 /d}]"),
    ),
)
COMPILE = """
import sys
from sim.experiment.compiling import compile_for
from sim.scenario.load import load
compile_for("sim.run", [load(sys.argv[1], sys.argv[2:])])
"""


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the kernels of networks and of lives once, before any worker starts and any test's
    time is taken: it is longer than a test may last.
    """
    if not hasattr(session.config, "workerinput") and not session.config.option.collectonly:
        each = [
            subprocess.Popen([sys.executable, "-c", COMPILE, *world], cwd=ROOT) for world in WORLDS
        ]
        codes = [one.wait() for one in each]
        assert not any(codes), "kernels cannot be compiled"


class ByFile(LoadScopeScheduling):
    """Tests of one file stay on one worker, but for files whose tests are `APART`, and for those
    `WITH_RUNS`, which stay together. (Groups by mark are none under this pytest: the plugin writes
    them where it does not read any more.)
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0].removeprefix("tests/")
        if path in APART:
            return nodeid
        return "report runs" if path in WITH_RUNS else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile | None:
    """Return who gives tests to workers, where files are to stay together."""
    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that two workers end together."""
    items.sort(key=lambda item: _place(item.path.relative_to(ROOT / "tests").as_posix()))


def _place(path: str) -> int:
    """Return the place of the file at *path* among those that take long, or behind them."""
    places = [n for n, part in enumerate(LONGEST_FIRST) if path.startswith(part)]
    return places[0] if places else len(LONGEST_FIRST)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the checkout."""
    return ROOT
