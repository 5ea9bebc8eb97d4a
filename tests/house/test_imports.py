"""Who may import whom, and what an import may cost."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from importlinter.cli import lint_imports

from tests.house.source import MODULES, ROOT, imported, name, texts

# What takes long to import; `sim --help` and `sim check` must answer without any of it.
HEAVY = {"numpy", "pandas", "numba", "scipy", "matplotlib", "pyarrow", "simpy", "joblib", "jinja2"}


def test_the_floors_hold(monkeypatch, capsys):
    """The contracts of pyproject.toml: floors, the two hard walls, the twin's independence."""
    monkeypatch.chdir(ROOT)

    assert lint_imports(no_cache=True, no_logo=True) == 0, capsys.readouterr().out


def test_what_is_imported_is_declared():
    """`pyproject.toml` lists what `sim` needs: no more, no less; and what only some of it needs, in
    an extra.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = project["dependencies"], [
        line
        for extra in ("dask", "sensitivity")
        for line in project["optional-dependencies"][extra]
    ]
    declared, extra = ({re.split(r"[<>=~]", line)[0].lower() for line in lines} for lines in lists)
    top = (
        {module.partition(".")[0] for path in MODULES for module in imported(path)}
        - set(sys.stdlib_module_names)
        - {"sim"}
    )
    owner = packages_distributions()

    assert {owner[module][0].lower() for module in top} - extra == declared


def test_no_luck_from_a_sequence():
    """Every draw has an address; nothing imports a generator that is consumed. One reads a pickle
    (decision 0011).
    """
    banned = {"random", "secrets", "numpy.random", "scipy.stats", "pickle"}
    importing = {name(path): banned & set(imported(path)) for path in MODULES}
    named = re.compile(r"\b(np|numpy)\.random\b")

    assert {path: modules for path, modules in importing.items() if modules} == {
        "sim/kernels/compiled.py": {"pickle"}
    }
    assert [name(path) for path in MODULES if named.search(path.read_text("utf-8"))] == []


def _modules_loaded(*arguments: str) -> set[str]:
    """Return the top-level packages that a fresh `python …` loads."""
    answer = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        timeout=60,
    )
    return {
        line.rpartition("|")[2].strip().partition(".")[0]
        for line in answer.stderr.splitlines()
        if line.startswith("import time:")
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("-c", "import sim"),
        ("-m", "sim", "--help"),
        ("-m", "sim", "check", "scenarios/gb_base.yaml"),
    ],
    ids=" ".join,
)
def test_a_light_start(arguments):
    """`import sim`, `sim --help` and `sim check` load nothing heavy, so they answer in a fraction
    of a second.
    """
    assert not HEAVY & _modules_loaded(*arguments)


def test_what_is_compiled_is_under_the_hash():
    """The hash of compiled code is of the files of `sim.kernels` and the words: nothing else is
    compiled, and they import nothing else of `sim`, or a change elsewhere would find old machine
    code.
    """
    compiler = re.compile(r"\bnumba\.\w*jit|\bnumba import .*jit")
    compilers = {name(path) for path in MODULES if compiler.search(path.read_text("utf-8"))}
    kernels = [path for path in MODULES if name(path).startswith("sim/kernels/")]
    elsewhere = {
        (name(path), module)
        for path in set(MODULES) - set(kernels)
        for module in imported(path)
        if module.partition(".")[0] == "numba"
    }
    ours = {module for path in kernels for module in imported(path) if module.startswith("sim")}

    assert compilers == {"sim/kernels/compiled.py"}
    assert elsewhere == set()
    numbas_own = re.compile(r"jit\([^)]*cache=")  # nor do benchmarks and tests keep stale code
    assert [name(path) for path, text in texts() if numbas_own.search(text)] == []
    assert {module for module in ours if not module.startswith("sim.kernels")} == {"sim.words"}
    assert {
        module for module in imported(ROOT / "sim/words.py") if module.startswith("sim")
    } == set()
