"""Leaves that mean something else than when a file was written."""

from __future__ import annotations

import os
from collections.abc import Iterator

from sim import history
from sim.scenario.compose import located, read
from sim.scenario.faults import Fault
from sim.scenario.tree import Node


def changed_meanings(name_or_path: str | os.PathLike[str]) -> list[Fault]:
    """Return a note, with its place, for each leaf (or block) of the file at *name_or_path* that
    means something else since the `schema_version` that the file has. Raises `ScenarioError`.
    """
    tree, _ = read(located(name_or_path))
    if not isinstance(tree.value, dict) or "schema_version" not in tree.value:
        return []
    written = tree.value["schema_version"].value
    lately = [row for row in history.MEANINGS if isinstance(written, int) and written < row.version]
    return [
        node.fault(path, f"since release {row.release}, {row.told}", at_key=True)
        for path, node in (_places(tree) if lately else ())
        for row in lately
        if f".{path}".endswith(f".{row.leaf}")
    ]


def _places(node: Node, above: str = "") -> Iterator[tuple[str, Node]]:
    """Yield every value below *node* with its path in dots; an experiment may set a leaf below an
    option, a factor or a case, in one key or one by one, so it is its path's end that tells.
    """
    value = node.value
    if isinstance(value, list):
        value = {str(number): item for number, item in enumerate(value)}
    if not isinstance(value, dict):
        return
    for key, child in value.items():
        path = f"{above}.{key}" if above else key
        yield path, child
        yield from _places(child, path)
