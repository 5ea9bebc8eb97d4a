"""The shape of the code goes one way: each figure of `tools/measure` is as it was, or less."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType
from typing import Final

import pytest

from tests.house.source import ROOT

# What is reached: to go down only. Whoever goes below one writes it here.
REACHED: Final = {
    "names a line": 3.49,
    "ternaries": 30.04,
    "over six": 55,
    "over forty": 124,
    "defined twice": 150,
    "by position": 0,
}


def measure() -> ModuleType:
    """Return the script `tools/measure` as a module."""
    loader = SourceFileLoader("measure", str(ROOT / "tools/measure"))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def found() -> dict[str, float]:
    script = measure()
    files = script.trees()
    return script.shape(files) | script.vocabulary(files)


@pytest.mark.parametrize("figure", REACHED)
def test_a_figure_goes_down_only(found: dict[str, float], figure: str):
    assert found[figure] <= REACHED[figure]


def test_names_are_counted_by_the_line():
    """Of two lines of a function's body with three names between them: one and a half a line."""
    script = measure()
    tree = script.ast.parse("def f(a):\n    b = a\n    return b\n")
    path = ROOT / "tests/house/__none__.py"
    script.lines_of_code = lambda path, tree: {1, 2, 3}

    assert script.shape({path: tree})["names a line"] == 1.5
