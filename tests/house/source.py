"""What the house tests read: the source files of the checkout and their parse trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "sim").rglob("*.py"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
GENERATED = {
    ROOT / f"docs/{page}.md"
    for page in ("traceability", "data_dictionary", "transitions", "rules", "options")
}
_TEXT = {
    ".py",
    ".md",
    ".yaml",
    ".toml",
    ".cff",
    ".csv",
    ".html",
    ".lock",
    ".json",
    ".ipynb",
    ".svg",
    ".yml",
    "",
}
_FOLDERS = (
    ".ci",
    ".github",
    "benchmarks",
    "docs",
    "notebooks",
    "results/reference",
    "scenarios",
    "sim",
    "tests",
    "tools",
)


@cache
def tree(path: Path) -> ast.Module:
    """Return the parse tree of *path*."""
    return ast.parse(path.read_text(encoding="utf-8"))


def name(path: Path) -> str:
    """Return *path* as the checkout names it."""
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method of *path*."""
    yield from (
        node
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def public(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Yield the public functions and classes at the top of *path*."""
    for node in tree(path).body:
        if isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        ) and not node.name.startswith("_"):
            yield node


def imported(path: Path) -> Iterator[str]:
    """Yield the full name of every module that *path* imports, wherever in the file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def texts() -> Iterator[tuple[Path, str]]:
    """Yield every text file that belongs to the checkout, with its text."""
    inside = (path for folder in _FOLDERS for path in (ROOT / folder).rglob("*"))
    for path in (*ROOT.iterdir(), *inside):
        if (
            path.is_file()
            and path.suffix in _TEXT
            and "__pycache__" not in path.parts
            and path.name != ".git"
        ):
            yield path, path.read_bytes().decode("utf-8", errors="replace")
