"""Leaves that mean something else than when a file was written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from sim import history
from sim.scenario.compose import extended, located, read, shipped
from sim.scenario.faults import Fault
from sim.scenario.tree import Node


def changed_meanings(name_or_path: str | os.PathLike[str]) -> list[Fault]:
    """Return a note, with its place, for each leaf (or block) of the file at *name_or_path*, and of
    those that it builds on, that means something else since the `schema_version` that its file has.
    The files are sound. Raises `ScenarioError` when one cannot be read.
    """
    if not history.MEANINGS:
        return []
    return [note for tree in _built_on(located(name_or_path)) for note in _notes(tree)]


def _built_on(path: Path) -> Iterator[Node]:
    """Yield the tree of the file at *path*, and of each that it extends or starts from, save those
    that this program ships: they mean what it does.
    """
    tree, _ = read(path)
    yield tree
    if isinstance(tree.value, dict):
        for key in ("extends", "scenario"):
            reference = tree.value.get(key)
            if reference is not None and reference.value not in shipped():
                yield from _built_on(extended(reference, path))


def _notes(tree: Node) -> Iterator[Fault]:
    """Yield a note for each leaf of *tree*, a whole file, that means something else."""
    written = tree.value["schema_version"].value if isinstance(tree.value, dict) else None
    lately = [row for row in history.MEANINGS if isinstance(written, int) and written < row.version]
    for path, node in _places(tree):
        bare = ".".join(part for part in path.split(".") if not part.isdecimal())
        for row in lately:
            if fnmatchcase(f".{bare}", f"*.{row.leaf}"):
                told = f"since release {row.release}, {row.told}"
                yield node.fault(path, told, at_key=True)


def _places(node: Node, above: str = "") -> Iterator[tuple[str, Node]]:
    """Yield every value that has a key below *node* with its path in dots. An experiment may set a
    leaf below an option, a factor or a case, in one key or one by one: it is the path's end that
    tells.
    """
    if isinstance(node.value, list):
        for number, item in enumerate(node.value):
            yield from _places(item, f"{above}.{number}")
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            path = f"{above}.{key}" if above else key
            yield path, child
            yield from _places(child, path)
