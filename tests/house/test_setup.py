"""A fresh clone sets itself up the same way everywhere."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import sim
from tests.house.source import ROOT

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINNED = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)(.*)$", LOCK, flags=re.MULTILINE)


def test_the_lock_is_pinned_hashed_and_names_no_index():
    """Every line is a pin, each pin has a hash, and no address stands in it."""
    requirements = re.split(r"\n(?=[A-Za-z])", re.sub(r"^\s*#.*\n", "", LOCK, flags=re.MULTILINE))

    assert len(requirements) == len(PINNED) > 50
    assert all("--hash=sha256:" in requirement for requirement in requirements)
    assert not re.search(r"://|--(extra-)?index|--find-links|-f ", LOCK)


def test_the_lock_holds_what_pyproject_asks_for():
    """Run time, tests, lint and notebooks come from the one lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(line for extra in ("test", "dev", "notebook", "oracle", "dask", "sensitivity") for line in extras[extra])]

    names = {re.split(r"[<>=~]", line)[0].lower().replace(".", "-") for line in wanted}
    assert names <= {package.lower() for package, _, _ in PINNED}
    assert project["requires-python"] == ">=3.11"


def test_do_refuses_what_it_does_not_know():
    """Bad usage is said in one line and exits 2, before anything is set up."""
    answer = subprocess.run([sys.executable, ROOT / "do.py", "fly"], capture_output=True, text=True, check=False, timeout=60)

    assert answer.returncode == 2
    assert answer.stdout == ""
    assert "run, test, python" in answer.stderr


def test_the_readme_says_both_ways():
    """With make, and spelled out without it."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert [command for command in ("make run", "make test", "do.py run", "do.py test") if command not in readme] == []


def test_one_version_everywhere():
    """The package, the citation and the changelog name the same version."""
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")

    assert f"\nversion: {sim.__version__}\n" in citation
    assert f"## [{sim.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_public_names():
    """The public surface: adding a name is a decision, removing one breaks notebooks."""
    assert set(sim.__all__) == {"Estimate", "Experiment", "Results", "Scenario", "ScenarioError", "load", "run"}
    assert all(getattr(sim, public_name) is not None for public_name in sim.__all__)
