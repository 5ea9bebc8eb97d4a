"""The rules of the house that a linter does not know."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from sim.streams import PREFIXES, STREAMS
from tests.house.source import MODULES, ROOT, functions, name, public, tree

LINES_IN_A_FILE, LINES_IN_A_FUNCTION = 545, 88  # of the longest, and one: to go down only
LINES_IN_A_KERNEL = 127  # docs/decisions/0006-a-kernel-may-be-long.md
STATEMENTS_IN_A_FUNCTION = 40
# Those that have more, and how many: to go down only.
MORE = {
    "sim/kernels/ledgers.py::walk": 99,
    "sim/kernels/reports.py::timer_reports": 45,
    "sim/kernels/work.py::take_through": 44,
    "sim/scenario/factors.py::_range": 41,
}
ROOMS_NOT_BUILT = {"utils", "helpers", "common", "manager", "handler", "core"}


def test_files_and_functions_fit_a_reader():
    """A file stays near three screens, a function near one."""
    long = {name(path): n for path in MODULES if (n := _lines(path)) >= LINES_IN_A_FILE}
    for path in MODULES:
        limit = LINES_IN_A_KERNEL if path.parent.name == "kernels" else LINES_IN_A_FUNCTION
        for function in functions(path):
            n = (function.end_lineno or 0) - function.lineno + 1
            if n >= limit:
                long[f"{name(path)}::{function.name}"] = n

    assert long == {}


def test_a_function_has_few_statements():
    """Forty; those that have more are named, and have no more than they had."""
    many = {}
    for path in MODULES:
        for function in functions(path):
            if (n := _statements(function)) > STATEMENTS_IN_A_FUNCTION:
                many[f"{name(path)}::{function.name}"] = n

    assert many == MORE


def test_values_given_in_one_line_count_as_many():
    """Written under each other or beside each other, a function is as long."""
    beside = ast.parse("def f():\n    a, b = 1, 2\n    c = d = 0\n").body[0]
    under = ast.parse("def f():\n    a = 1\n    b = 2\n    c = 0\n    d = 0\n").body[0]

    assert _statements(beside) == _statements(under) == 4


def _statements(function: ast.AST) -> int:
    """Return how many statements *function* has; one that gives several values is as many."""
    statements = [node for node in ast.walk(function) if isinstance(node, ast.stmt)]
    more = 0
    for node in statements:
        if isinstance(node, ast.Assign):
            more += len(node.targets) - 1
            if isinstance(node.value, ast.Tuple) and isinstance(node.targets[0], ast.Tuple):
                more += len(node.value.elts) - 1
    return len(statements) - 1 + more


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_what_is_public_says_what_it_is():
    """Every module that is not empty, public function and public class has a docstring."""
    trees = {name(path): tree(path) for path in MODULES}
    silent = [
        path for path, module in trees.items() if module.body and not ast.get_docstring(module)
    ]
    silent += [
        f"{name(path)}::{node.name}"
        for path in MODULES
        for node in public(path)
        if not ast.get_docstring(node)
    ]

    assert silent == []


def test_no_room_without_a_purpose():
    """Files are named for what they hold."""
    rooms = {name(path): set(name(path).removesuffix(".py").split("/")) for path in MODULES}

    assert [path for path, words in rooms.items() if ROOMS_NOT_BUILT & words] == []


def test_nothing_is_left_unfinished():
    """No note to self, no function that only raises."""
    unfinished = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError|NotImplemented)\b")

    assert [name(path) for path in MODULES if unfinished.search(path.read_text("utf-8"))] == []


def test_no_test_is_passed_over():
    """A test that is skipped or expected to fail tells nothing."""
    passed_over = re.compile(
        r"\b(pytest\.(mark\.)?(skip|skipif|xfail|importorskip)|unittest\.skip)\b"
    )
    found = [
        name(path)
        for path in (ROOT / "tests").rglob("*.py")
        if passed_over.search(path.read_text(encoding="utf-8"))
    ]

    assert found == ["tests/house/test_code.py"] or not found


def _texts_in_calls(path):
    """Yield the text arguments of calls whose name speaks of keys, streams or draws."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and re.search(r"key|stream|draw", ast.unparse(node.func)):
            yield from (
                part.value
                for argument in node.args
                for part in ast.walk(argument)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )


def test_every_stream_is_drawn_from_and_every_draw_is_listed():
    """The table of streams is complete and has no dead names."""
    source = {
        path: path.read_text(encoding="utf-8") for path in MODULES if path.name != "streams.py"
    }
    dead = [
        stream for stream in STREAMS if not any(f'"{stream}"' in text for text in source.values())
    ]
    drawn = {
        text
        for path in source
        for text in _texts_in_calls(path)
        if re.fullmatch(r"[a-z]+\.[a-z_]+", text)
    }

    assert not dead
    assert drawn <= set(STREAMS)
    assert all(any(f'"{prefix}' in text for text in source.values()) for prefix in PREFIXES)
