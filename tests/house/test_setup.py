"""A fresh clone sets itself up the same way everywhere, whatever the registry publishes later."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distribution

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import sim
from sim.scenario.compose import shipped
from sim.scenario.document import schema_document
from tests.house.source import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("requirements.lock", "requirements-dev.lock")
}
BOTH = tuple(LOCKS)
LOCKED_EXTRAS = ("test", "dev", "notebook", "oracle", "dask", "sensitivity")
# Where the locks must be whole: each Python on each system that has wheels.
PLACES = [
    {
        "python_version": python,
        "python_full_version": f"{python}.1",
        "sys_platform": system,
        "platform_system": name,
        "os_name": kernel,
    }
    for python in ("3.11", "3.12", "3.13")
    for system, name, kernel in (
        ("linux", "Linux", "posix"),
        ("darwin", "Darwin", "posix"),
        ("win32", "Windows", "nt"),
    )
]


def _do():
    """Load do.py, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("do", ROOT / "do.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _pins(*names: str) -> list[Requirement]:
    """Return what the locks called *names* pin."""
    lines = (line.rstrip(" \\") for name in names for line in LOCKS[name].splitlines())
    return [Requirement(line) for line in lines if re.match(r"[A-Za-z]", line)]


def _holds(marker: Marker | None, place: dict[str, str], extra: str = "") -> bool:
    return marker is None or marker.evaluate({**place, "extra": extra})


def _unmet(pins: list[Requirement], wanted: Requirement, place: dict[str, str]) -> bool:
    """Whether no pin meets *wanted* in *place*, its extras included."""
    same = (
        pin
        for pin in pins
        if canonicalize_name(pin.name) == canonicalize_name(wanted.name)
        and _holds(pin.marker, place)
    )
    versions = ((pin, str(pin.specifier).removeprefix("==")) for pin in same)
    return not any(
        wanted.specifier.contains(version, prereleases=True) and wanted.extras <= pin.extras
        for pin, version in versions
    )


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_is_pinned_hashed_and_names_no_index(name):
    """Every line is a pin, each pin has a hash, and no address stands in it."""
    requirements = re.split(
        r"\n(?=[A-Za-z])", re.sub(r"^\s*#.*\n", "", LOCKS[name], flags=re.MULTILINE)
    )

    assert len(requirements) == len(_pins(name)) > 30
    assert all(re.fullmatch(r"==[^,*]+", str(pin.specifier)) for pin in _pins(name))
    assert all("--hash=sha256:" in requirement for requirement in requirements)
    assert not re.search(r"://|--(extra-)?index|--find-links|-f ", LOCKS[name])


@pytest.mark.parametrize(
    "names", [BOTH[:1], BOTH], ids=["what a user runs", "and what a developer needs beside it"]
)
def test_the_locks_are_closed_under_their_own_requirements(names):
    """Whatever a pinned distribution requires, its extras and markers included, is met by a pin, so
    that installing needs no resolver.

    Read from the distributions installed here; those of another Python or system are read there
    (`tools/nightly`).
    """
    pins = _pins(*names)
    unmet = set()
    for place in PLACES:
        for pin in (pin for pin in pins if _holds(pin.marker, place) and _holds(pin.marker, {})):
            for line in distribution(pin.name).requires or ():
                wanted = Requirement(line)
                if any(
                    _holds(wanted.marker, place, extra) for extra in ("", *pin.extras)
                ) and _unmet(pins, wanted, place):
                    unmet.add(
                        f"{pin.name} wants {line} on {place['python_version']}, {place['os_name']}"
                    )

    assert unmet == set()


def test_what_is_installed_is_what_is_pinned():
    """The tests run on the locks and on nothing else."""
    apart = {
        pin.name: distribution(pin.name).version
        for pin in _pins(*BOTH)
        if _holds(pin.marker, {}) and f"=={distribution(pin.name).version}" != str(pin.specifier)
    }

    assert apart == {}


def test_the_locks_hold_what_pyproject_asks_for():
    """What `sim` imports comes from the first lock; tests, lint and notebooks from the second;
    nothing stands in both.
    """
    extras = [line for extra in LOCKED_EXTRAS for line in PROJECT["optional-dependencies"][extra]]
    user, developer = ({canonicalize_name(pin.name) for pin in _pins(name)} for name in LOCKS)

    assert not user & developer
    assert [
        line
        for line in PROJECT["dependencies"]
        if any(_unmet(_pins(BOTH[0]), Requirement(line), place) for place in PLACES)
    ] == []
    assert [
        line
        for line in extras
        if any(_unmet(_pins(*BOTH), Requirement(line), place) for place in PLACES)
    ] == []


def test_do_knows_the_pythons_that_pyproject_names():
    """The oldest and the newest Python are said once for people and once for do.py, and are the
    same.
    """
    named = [
        tuple(map(int, line.rpartition(" ")[2].split(".")))
        for line in PROJECT["classifiers"]
        if re.search(r":: 3\.\d+$", line)
    ]
    do = _do()

    assert (min(named), max(named)) == (do.OLDEST, do.NEWEST)
    assert PROJECT["requires-python"] == ">={}.{}".format(*do.OLDEST)


def test_do_refuses_what_it_does_not_know():
    """Bad usage is said in one line and exits 2, before anything is set up."""
    answer = subprocess.run(
        [sys.executable, ROOT / "do.py", "fly"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr == "needs one of: run, sim, python, test, dev\n"


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 14, 0)])
def test_do_refuses_a_python_that_the_lock_does_not_know(version, monkeypatch, capsys):
    """One sentence, with what to type, and no environment is made."""
    do = _do()
    monkeypatch.setattr(do.sys, "version_info", version)
    monkeypatch.setattr(do, "set_up", lambda locks: pytest.fail("an environment was made"))

    assert do.main(["run"]) == 2
    assert (
        capsys.readouterr().err
        == f"this is Python 3.{version[1]}, and requirements.lock knows 3.11 to 3.13; "
        "give the command to one of those, such as: python3.13 do.py run\n"
    )


def test_do_sets_up_what_a_task_needs_and_no_more(monkeypatch, tmp_path):
    """`run` installs the first lock alone, `test` adds the second, and neither does anything twice;
    a lock that changed makes all anew.
    """
    do, calls = _do(), []
    monkeypatch.setattr(do, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(
        do, "_make_environment", lambda: (calls.append("made"), do.VENV.mkdir(exist_ok=True))
    )
    monkeypatch.setattr(do, "_install", lambda lock: calls.append(lock.name))

    def called(task: str) -> list[str]:
        calls.clear()
        do.set_up(do.TASKS[task][1])
        return list(calls)

    assert called("run") == ["made", "requirements.lock"]
    assert called("sim") == []
    assert called("test") == ["requirements-dev.lock"]
    assert called("test") == called("run") == []
    monkeypatch.setattr(do, "USER", tmp_path / "requirements.lock")
    do.USER.write_text("changed")
    do.TASKS["run"][1][:] = [do.USER]
    assert called("run") == ["made", "requirements.lock"]


def test_pip_is_asked_for_the_lock_and_nothing_else():
    """Without dependencies pip resolves nothing, so a newer release cannot matter; with hashes
    nothing else can take a pin's place.
    """
    command = _do().pip_install(ROOT, ROOT / "requirements.lock")

    assert {"--no-deps", "--require-hashes", "--only-binary"} <= set(command)


def test_relative_paths_are_those_of_the_folder_the_command_is_given_in(tmp_path):
    """A file beside the user is found; results would go there too; a folder called sim there is not
    taken for ours.
    """
    (tmp_path / "sim").mkdir()
    (tmp_path / "sim/__init__.py").write_text("raise SystemExit('somebody else')")
    (tmp_path / "mine.yaml").write_text(
        "schema_version: 1\nextends: gb_base\nname: mine\nquestion: Mine?\n"
    )
    answer = subprocess.run(
        [sys.executable, ROOT / "do.py", "sim", "check", "mine.yaml"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=600,
    )

    assert (answer.returncode, answer.stdout) == (0, "mine.yaml: sound\n")


def test_a_test_is_named_from_where_one_stands(tmp_path):
    """`do.py test` runs in the checkout; what names a file elsewhere goes on naming it."""
    (tmp_path / "test_mine.py").touch()
    do = _do()

    assert do._from(tmp_path, "test_mine.py::test_one") == str(tmp_path / "test_mine.py::test_one")
    assert [do._from(tmp_path, same) for same in ("tests/kernels", "-k", "gaps", "")] == [
        "tests/kernels",
        "-k",
        "gaps",
        "",
    ]


def test_a_wheel_carries_what_a_user_needs_and_no_hostile_input(tmp_path):
    """Every shipped scenario, the schema as `sim schema` prints it, the pages; no test input."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=100)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        schema = wheel.read("sim/_docs/scenario.schema.json").decode("utf-8")

    pages = ("glossary", "data_dictionary", "model", "firmware")
    wanted = {f"sim/_shipped/{name}.yaml" for name in shipped()} | {"sim/_shipped/assumptions.csv"}
    wanted |= {f"sim/_docs/{page}.md" for page in pages}
    assert wanted <= names
    assert schema == schema_document("json")
    assert [name for name in names if "invalid" in name or name.startswith("tests/")] == []


def test_the_command_is_there():
    """After any set-up `.venv/bin/sim` is the command that every page says."""
    command = _do().PYTHON.parent / "sim"
    answer = subprocess.run(
        [command, "--help"], capture_output=True, text=True, check=True, timeout=60, cwd="/"
    )

    assert answer.stdout.startswith("Usage: sim [OPTIONS]")


def test_the_readme_says_both_ways():
    """With make, and spelled out without it; and the wheel in two lines."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    wanted = (
        "make run",
        "make test",
        "do.py run",
        "do.py test",
        "pip install --require-hashes --no-deps -r requirements.lock",
        "pip install --no-deps dist/",
    )

    assert [command for command in wanted if command not in readme] == []


def test_workflows_call_our_scripts_and_pin_their_actions():
    """A public host runs what we run; an action that is not pinned by its hash is whatever its tag
    is moved to.
    """
    texts = {
        path.name: path.read_text(encoding="utf-8")
        for path in (ROOT / ".github/workflows").glob("*.yml")
    }
    actions = [
        line.split("uses:")[1].strip()
        for text in texts.values()
        for line in text.splitlines()
        if "uses:" in line
    ]

    assert ".ci/run" in texts["push.yml"]
    assert "tools/nightly" in texts["nightly.yml"]
    assert all(
        re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v[\d.]+", action) for action in actions
    )


def test_one_version_everywhere():
    """The package, the citation and the changelog name the same version."""
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")

    assert f"\nversion: {sim.__version__}\n" in citation
    assert f"## [{sim.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_public_names():
    """The public surface: adding a name is a decision, removing one breaks notebooks."""
    assert set(sim.__all__) == {
        "Estimate",
        "Experiment",
        "Results",
        "Scenario",
        "ScenarioError",
        "load",
        "run",
    }
    assert all(getattr(sim, public_name) is not None for public_name in sim.__all__)
