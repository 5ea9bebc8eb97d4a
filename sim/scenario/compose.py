"""One tree from several files: what is shipped, `extends`, overlays and `--set`.

One order holds everywhere: the file a scenario extends, then the scenario, then an experiment's
`set`, its option, its levels, and last `--set`. Mappings merge key by key; lists and single values
are replaced; `null` takes an optional key away.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from sim.history import SCHEMA_VERSION
from sim.scenario import stages
from sim.scenario.faults import Fault, ScenarioError, did_you_mean
from sim.scenario.fields import BY_SERVER_LEAVES, OTHERS
from sim.scenario.tree import Node, dotted, kind_of, parse, read_text
from sim.units import shown


def _carried(installed: str, beside: str) -> Path:
    """Return a folder that a wheel carries in the package as *installed*; in a checkout it lies
    *beside* it.
    """
    package = Path(__file__).parents[1]
    within = package / installed
    return within if within.is_dir() else package.parent / beside


_NETWORK_FOR: Final = "network_for"
TEXTS: Final = ("question",)  # leaves that are text: all that is set is theirs, a # too
_QUOTED: Final = re.compile(r"""\s*(['"]).*\1\s*""", re.DOTALL)


def shipped_folder() -> Path:
    """Return the folder of shipped scenarios, overlays and experiments."""
    return _carried("_shipped", "scenarios")


def pages_folder() -> Path:
    """Return the folder of the pages that explain numbers: model, glossary, data dictionary, and in
    a wheel the JSON schema.
    """
    return _carried("_docs", "docs")


def shipped() -> dict[str, Path]:
    """Return every shipped scenario, overlay and experiment by name: its path below `scenarios/`
    without the suffix.
    """
    root = shipped_folder()
    folders = [folder for folder in root.iterdir() if folder.is_dir() and folder.name != "invalid"]
    files = [*root.glob("*.yaml"), *(path for folder in folders for path in folder.rglob("*.yaml"))]
    names = {path.relative_to(root).with_suffix("").as_posix(): path for path in files}
    return dict(sorted(names.items()))


def located(reference: str | os.PathLike[str]) -> Path:
    """Return the path of a shipped name or a path; raises `ScenarioError` when there is neither."""
    text = os.fspath(reference)
    ours = shipped()
    if text in ours:
        return _as_seen(ours[text])
    path = Path(text)
    if "\0" not in text and not os.path.lexists(path) and path.suffix not in (".yaml", ".yml"):
        hint = did_you_mean(text, ours)
        raise ScenarioError(
            [
                Fault(
                    text,
                    1,
                    1,
                    "document",
                    "no such file, and nothing of that name is shipped; sim list shows what"
                    f" is{hint}",
                )
            ]
        )
    return path


def _as_seen(path: Path) -> Path:
    """Return *path* from the working folder when it lies below it: shorter to read in a fault."""
    try:
        return path.relative_to(Path.cwd())
    except (ValueError, OSError):
        return path


def read(path: Path) -> tuple[Node, list[Fault]]:
    """Return the tree of the file at *path* as it stands there, and the faults of its form."""
    return parse(read_text(path, str(path)), str(path))


def composed(path: Path, seen: tuple[Path, ...] = ()) -> tuple[Node, list[Fault]]:
    """Return the tree of the file at *path* over everything it extends, and the faults of their
    form.
    """
    node, faults = read(path)
    entries = node.value if isinstance(node.value, dict) else {}
    if "schema_version" not in entries:
        faults.append(
            node.fault(
                "schema_version",
                f"is missing; every file begins with schema_version: {SCHEMA_VERSION}",
            )
        )
    extends = entries.get("extends")
    if extends is None or extends.faulty:
        if stages.NETWORK in entries:
            network = stages.listed(entries[stages.NETWORK])
            node = replace(node, value={**entries, stages.NETWORK: network})
        return node, faults
    here = (*seen, Path(os.path.realpath(path)))  # of a link to itself: the link
    own = replace(node, value={key: child for key, child in entries.items() if key != "extends"})
    base_path = extended(extends, path)
    if Path(os.path.realpath(base_path)) in here:
        raise ScenarioError(
            [
                *faults,
                extends.fault(
                    "extends",
                    f"{shown(extends.value)} leads back to this file; a scenario cannot extend"
                    " itself",
                ),
            ]
        )
    try:
        base, base_faults = composed(base_path, here)
    except ScenarioError as problem:
        if problem.faults[0].file == str(base_path) and problem.faults[0].message == "no such file":
            raise ScenarioError(
                [*faults, extends.fault("extends", _unknown(str(extends.value)))]
            ) from None
        raise
    return _extended(base, own), faults + base_faults


def extended(extends: Node, path: Path) -> Path:
    """Return the file that *extends*, written in the file at *path*, means."""
    if not isinstance(extends.value, str) or not extends.value or "\0" in extends.value:
        raise ScenarioError(
            [
                extends.fault(
                    "extends",
                    f"{kind_of(extends.value)} is neither the name of a shipped scenario nor a"
                    " path",
                )
            ]
        )
    ours = shipped()
    if extends.value in ours:
        return _as_seen(ours[extends.value])
    if Path(extends.value).is_absolute():
        raise ScenarioError(
            [
                extends.fault(
                    "extends",
                    "is an absolute path, which no other machine has; write it from the folder of"
                    " this file",
                )
            ]
        )
    return path.parent / extends.value


def _unknown(name: str) -> str:
    return (
        f"{shown(name)} is neither the name of a shipped scenario nor a file beside this"
        f" one{did_you_mean(name, shipped())}"
    )


def merged(base: Node, over: Node) -> Node:
    """Return *over* laid on *base*: mappings key by key, anything else replaced."""
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    entries = dict(base.value)
    for key, child in over.value.items():
        entries[key] = merged(entries[key], child) if key in entries else child
    return replace(over, value=entries)


def _extended(base: Node, own: Node) -> Node:
    """Return the file *own* laid on the *base* that it extends."""
    assert isinstance(own.value, dict)
    network = own.value.get(stages.NETWORK)
    base = without_its_premises(base, own.value.items())
    if network is not None:
        rest = {key: child for key, child in own.value.items() if child is not network}
        own = replace(own, value=rest)
        return put(merged(base, own), (stages.NETWORK,), network)
    return merged(base, own)


def without_its_premises(tree: Node, changes: Iterable[tuple[str, Node]]) -> Node:
    """Return *tree* without what its network is for, where *changes* give a network of its own,
    whole, and do not say for whom; no network at all is for the same as before.
    """
    given, entries = dict(changes), tree.value
    network = given.get(stages.NETWORK)
    is_whole = network is not None and isinstance(network.value, list) and network.value
    if not is_whole or _NETWORK_FOR in given or not isinstance(entries, dict):
        return tree
    rest = {key: child for key, child in entries.items() if key != _NETWORK_FOR}
    return replace(tree, value=rest)


def put(tree: Node, path: Sequence[str], value: Node, done: tuple[str, ...] = ()) -> Node:
    """Return *tree* with *value* laid on what stands at *path*; raises `ScenarioError` when the
    path cannot be followed.
    """
    if not path:
        return merged(tree, value)
    if not done and path[0] == stages.NETWORK and _names_a_stage(path, value):
        return _put_in_network(tree, path, value)
    here = path[0]
    rest = path[1:]
    whole = dotted((*done, *path))
    if isinstance(tree.value, dict):
        child = tree.value.get(here)
        if child is None or (child.value is None and rest):
            child = Node(value.file, value.line, value.column, {} if rest else None, value.key_at)
        return replace(
            tree,
            value={
                **tree.value,
                here: replace(put(child, rest, value, (*done, here)), key_at=value.key_at),
            },
        )
    if isinstance(tree.value, list):
        if not (
            here.isascii() and here.isdigit() and len(here) < 9 and int(here) < len(tree.value)
        ):
            allowed = (
                f"an index from 0 to {len(tree.value) - 1}"
                if tree.value
                else "nothing: the list is empty"
            )
            raise ScenarioError(
                [
                    value.fault(
                        whole,
                        f"{shown(here)} is not in the list {dotted(done)}; allowed: {allowed}",
                        at_key=True,
                    )
                ]
            )
        index = int(here)
        return replace(
            tree,
            value=[
                *tree.value[:index],
                put(tree.value[index], rest, value, (*done, here)),
                *tree.value[index + 1 :],
            ],
        )
    is_by_server = done[:1] == (stages.NETWORK,) and done[-1] in BY_SERVER_LEAVES and not rest
    if is_by_server and tree.value is not None:
        here_and_others = {OTHERS: tree, here: value}  # one server of a leaf that had one value
        return replace(value, value=here_and_others)
    raise ScenarioError(
        [
            value.fault(
                whole,
                f"{dotted(done)} is {kind_of(tree.value)} and holds no {shown(here)}",
                at_key=True,
            )
        ]
    )


def _names_a_stage(path: Sequence[str], value: Node) -> bool:
    """Whether *path* into a network goes on with a stage's name, or *value* gives stages by name.
    """
    is_number = len(path) > 1 and path[1].removeprefix("-").isdecimal()
    return isinstance(value.value, dict) if len(path) == 1 else not is_number


def _put_in_network(tree: Node, path: Sequence[str], value: Node) -> Node:
    """Return *tree* with *value* laid on what stands at *path*, which tells a stage by its name."""
    assert isinstance(tree.value, dict)
    network = stages.by_name(tree.value.get(stages.NETWORK, replace(value, value={})))
    changed = stages.listed(put(network, path[1:], value, (stages.NETWORK,)))
    return replace(tree, value={**tree.value, stages.NETWORK: changed})


def overlaid(tree: Node, overlay: Node) -> Node:
    """Return *tree* under *overlay*: a mapping of the tree's shape whose keys may also be paths in
    dots.
    """
    assert isinstance(overlay.value, dict)
    tree = without_its_premises(tree, overlay.value.items())
    for path, value in overlay.value.items():
        tree = put(tree, path.split("."), value)
    return tree


def assignments(sets: Sequence[str]) -> list[tuple[str, Node]]:
    """Return path and value of each `path=value` of *sets*; the faults of the n-th are reported in
    line n of "--set".
    """
    faults: list[Fault] = []
    found: dict[str, Node] = {}
    for number, text in enumerate(sets, start=1):
        path = text.partition("=")[0]
        try:
            if path in found:
                raise ValueError("is set twice; set it once")
            found[path] = _assigned(text, number)
        except ValueError as problem:
            faults.append(Fault("--set", number, 1, dotted(tuple(path.split("."))), str(problem)))
        except ScenarioError as problem:
            faults += problem.faults
    if faults:
        raise ScenarioError(faults)
    return list(found.items())


def _assigned(text: str, number: int) -> Node:
    """Return the value of the *number*-th `path=value`; `ValueError` when it has not that form,
    `ScenarioError` when its value has not.
    """
    path, equals, value = text.partition("=")
    if not equals or not all(path.split(".")):
        raise ValueError(f"{shown(text)} is not path=value, such as reporting.period=7 d")
    if path == "extends":
        raise ValueError(
            "cannot be set from outside; name the scenario to run, or write extends in its file"
        )
    if not value.strip():
        raise ValueError("has no value; write null to take an optional key away")
    if path in TEXTS and not _QUOTED.fullmatch(value):
        return Node("--set", number, len(path) + 2, value.strip(), (number, 1))
    shift = len(path) - len("value:")
    try:
        tree, faults = parse(f"value: {value}", "--set")
    except ScenarioError as problem:
        tree, faults = None, list(problem.faults)
    if tree is None or faults:
        places = tuple(path.split("."))
        raise ScenarioError(
            [
                replace(f, line=number, column=max(1, f.column + shift), path=dotted(places))
                for f in faults
            ]
        )
    if not isinstance(tree.value, dict) or list(tree.value) != ["value"]:
        raise ValueError(f"{shown(value)} is more than one value")
    return replace(_moved(tree.value["value"], number, shift), key_at=(number, 1))


def _moved(node: Node, line: int, shift: int) -> Node:
    """Return *node* with its places in `value: ...` turned into places in the n-th `path=...`."""
    value = node.value
    if isinstance(value, dict):
        value = {key: _moved(child, line, shift) for key, child in value.items()}
    elif isinstance(value, list):
        value = [_moved(child, line, shift) for child in value]
    key_at = (line, max(1, node.key_at[1] + shift)) if node.key_at else None
    return replace(node, line=line, column=max(1, node.column + shift), value=value, key_at=key_at)
