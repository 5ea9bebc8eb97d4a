"""YAML text to a tree of nodes that know their line and column.

The text is read as a stream of parser events and nothing is ever composed by the YAML library: no
tags, anchors, aliases or merge keys exist here, so there is no object to construct and no bomb to
expand, and nesting stops at `DEEPEST` long before any stack does. Scalars follow the core rules of
YAML 1.2: `no`, `on`, `12:30` and `2026-01-01` are text, `1e6` is a number, and a key that comes
twice is a fault.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

import yaml

from sim.history import SCHEMA_VERSION
from sim.scenario.faults import MOST_FAULTS, Fault, ScenarioError
from sim.units import shown

_FIRST: Final = f"schema_version: {SCHEMA_VERSION}"  # the line
LARGEST_B: Final = 1024**2
DEEPEST: Final = 40
# a design of 10,000 cells by hand, and no more: what is larger is refused in a fraction of a second
MOST_NODES: Final = 25_000
_LONGEST_NUMBER: Final = 30
_EXACT: Final = 2**53  # whole numbers below are exact as floats

Scalar = str | int | float | bool | None
_OWN_TAGS: Final = "tag:yaml.org,2002:"
_Event = Any  # the stubs give events neither marks nor anchors
_INT: Final = re.compile(r"[-+]?[0-9]+", re.ASCII)
_OTHER_BASE: Final = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_WORDS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{
        sign + word: float(sign + "inf")
        for sign in ("", "+", "-")
        for word in (".inf", ".Inf", ".INF")
    },
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
# What YAML counts as printable, less the line ends that only YAML 1.1 knew.
_UNPRINTABLE: Final = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
# libyaml's parser where the library was built with it; its events are the same
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands: *file*, 1-based *line* and *column*, the place *key_at* of its
    key, and whether it is *faulty* (already reported).
    """

    file: str
    line: int
    column: int
    value: Scalar | dict[str, Node] | list[Node]
    key_at: tuple[int, int] | None = None
    faulty: bool = field(default=False, compare=False)

    def fault(self, path: str, message: str, at_key: bool = False) -> Fault:
        line, column = self.key_at if at_key and self.key_at else (self.line, self.column)
        return Fault(self.file, line, column, path, message)


def read_text(path: Path, file: str) -> str:
    """Return the text of the file at *path*, called *file* in faults: a regular file of at most
    `LARGEST_B` bytes of UTF-8.
    """

    def refuse(message: str, line: int = 1, column: int = 1) -> NoReturn:
        raise ScenarioError([Fault(file, line, column, "document", message)])

    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            refuse("is a folder; give the YAML file in it")
        if not stat.S_ISREG(status.st_mode):
            refuse("is not a regular file; a scenario is a YAML file on disk")
        with path.open("rb") as stream:
            data = stream.read(LARGEST_B + 1)
    except FileNotFoundError:
        refuse("no such file")
    except (OSError, ValueError) as problem:
        refuse(
            "cannot be read:"
            f" {problem.strerror if isinstance(problem, OSError) else 'its name holds a NUL'}"
        )
    if len(data) > LARGEST_B:
        refuse("is larger than 1 MiB; a scenario is a few hundred lines")
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        refuse("begins with a byte order mark; save the file as plain UTF-8")
    try:
        return data.decode()
    except UnicodeDecodeError as problem:
        before = data[: problem.start]
        line = before.count(b"\n") + 1
        refuse(
            "is not UTF-8; save the file as plain UTF-8",
            line,
            problem.start - (before.rfind(b"\n") + 1) + 1,
        )


def parse(text: str, file: str, loader: Any = _Loader) -> tuple[Node, list[Fault]]:
    """Return the tree of *text* and the faults of its form; raises `ScenarioError` when nothing can
    be made of it.
    """
    control = _UNPRINTABLE.search(text)
    if control:
        before = text[: control.start()]
        line, column = before.count("\n") + 1, control.start() - before.rfind("\n")
        raise ScenarioError(
            [
                Fault(
                    file,
                    line,
                    column,
                    "document",
                    f"holds the control character U+{ord(control[0]):04X}; write text and spaces"
                    " only",
                )
            ]
        )
    reader = _Reader(file)
    try:
        return reader.document(yaml.parse(text, Loader=loader)), reader.faults
    except yaml.MarkedYAMLError as problem:
        # A newer libyaml gives a deep document up before its first event; the parser in Python lets
        # us say where it is too deep.
        if "nesting depth" in str(problem.problem) and loader is not yaml.SafeLoader:
            return parse(text, file, yaml.SafeLoader)
        mark = problem.problem_mark or problem.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        lines = text.splitlines()
        tab = line < len(lines) and "\t" in lines[line][: column + 1]
        sentence = (
            "a tab cannot indent; use spaces"
            if tab
            else f"is not valid YAML: {problem.problem or problem.context}"
        )
        raise ScenarioError(
            [*reader.faults, Fault(file, line + 1, column + 1, "document", sentence)]
        ) from None


class _Reader:
    """Builds the tree of one document from its events and collects what is wrong with its form."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self.n_nodes = 0

    def document(self, events: Iterator[_Event]) -> Node:
        next(events)
        start = next(events)
        if not isinstance(start, yaml.DocumentStartEvent):
            self.stop(start, f"is empty; a scenario begins with {_FIRST}")
        if start.version or start.tags:
            self.fault(start, "document", "has a % directive; delete the line")
        root = self.node(next(events), events, ())
        next(events)
        after = next(events)
        if isinstance(after, yaml.DocumentStartEvent):
            self.stop(after, "holds a second document; keep one scenario in a file")
        if not isinstance(root.value, dict):
            self.stop(
                root, f"is {kind_of(root.value)}; a scenario is a mapping that begins with {_FIRST}"
            )
        return root

    def fault(self, event: _Event | Node, path: str, message: str) -> None:
        line, column = (
            (event.line, event.column)
            if isinstance(event, Node)
            else (event.start_mark.line + 1, event.start_mark.column + 1)
        )
        self.faults.append(Fault(self.file, line, column, path, message))
        if len(self.faults) >= MOST_FAULTS:
            raise ScenarioError(self.faults)

    def stop(self, event: _Event | Node, message: str) -> NoReturn:
        self.fault(event, "document", message)
        raise ScenarioError(self.faults)

    def node(
        self,
        event: _Event,
        events: Iterator[_Event],
        path: tuple[str, ...],
        key_at: tuple[int, int] | None = None,
    ) -> Node:
        self.n_nodes += 1
        if self.n_nodes > MOST_NODES:
            self.stop(event, f"holds more than {MOST_NODES:,} values; a scenario has a few hundred")
        if len(path) > DEEPEST:
            self.stop(event, f"is nested more than {DEEPEST} deep; a scenario is at most 6 deep")
        before = len(self.faults)
        value: Scalar | dict[str, Node] | list[Node]
        if isinstance(event, yaml.AliasEvent):
            self.fault(
                event,
                dotted(path),
                f"the alias *{str(event.anchor)[:40]} is not read; write the value out",
            )
            value = None
        else:
            self.refuse_properties(event, path)
            if isinstance(event, yaml.MappingStartEvent):
                value = self.mapping(events, path)
            elif isinstance(event, yaml.SequenceStartEvent):
                value = self.sequence(events, path)
            else:
                value = self.scalar(event, path)
        is_leaf = not isinstance(value, dict | list)
        return Node(
            self.file,
            event.start_mark.line + 1,
            event.start_mark.column + 1,
            value,
            key_at,
            faulty=is_leaf and len(self.faults) > before,
        )

    def refuse_properties(self, event: _Event, path: tuple[str, ...]) -> None:
        if event.anchor is not None:
            self.fault(
                event,
                dotted(path),
                f"the anchor &{event.anchor[:40]} is not read; write the value out where it is"
                " used",
            )
        if event.tag is not None:
            self.fault(
                event,
                dotted(path),
                f"the tag {shown(event.tag.replace(_OWN_TAGS, '!!'))} is not read; write the plain"
                " value",
            )

    def mapping(self, events: Iterator[_Event], path: tuple[str, ...]) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self.key(event, events, path)
            mark = (event.start_mark.line + 1, event.start_mark.column + 1)
            child = self.node(next(events), events, (*path, key or "?"), mark)
            if key is None:
                continue
            if key in entries:
                first = entries[key].key_at or mark
                self.fault(
                    event,
                    dotted((*path, key)),
                    f"this key was given before, in line {first[0]}; keep one",
                )
            else:
                entries[key] = child
        return entries

    def key(self, event: _Event, events: Iterator[_Event], path: tuple[str, ...]) -> str | None:
        """Return the text of a key, or nothing when it is faulty."""
        if not isinstance(event, yaml.ScalarEvent):
            self.node(event, events, (*path, "?"))
            self.fault(
                event, dotted((*path, "?")), "a key must be text, not a list, a mapping or an alias"
            )
            return None
        before = len(self.faults)
        self.refuse_properties(event, path)
        text = event.value
        if not event.style and text == "<<":
            self.fault(
                event,
                dotted((*path, "<<")),
                "merge keys are not read; write the values out, or use extends",
            )
        elif not event.style and not isinstance(core(text), str):
            self.fault(
                event,
                dotted((*path, text)),
                f"the key {text[:40] or 'nothing'} is not text; quote it if it is a name",
            )
        return text if len(self.faults) == before else None

    def sequence(self, events: Iterator[_Event], path: tuple[str, ...]) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self.node(event, events, (*path, str(len(items)))))
        return items

    def scalar(self, event: _Event, path: tuple[str, ...]) -> Scalar:
        if event.style:
            return str(event.value)
        try:
            return core(event.value)
        except ValueError as problem:
            self.fault(event, dotted(path), str(problem))
            return None


def core(text: str) -> Scalar:
    """Return what the plain scalar *text* means under the core rules of YAML 1.2; raises
    `ValueError` for a number nobody can mean.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    is_number = _INT.fullmatch(text) or _OTHER_BASE.fullmatch(text) or _FLOAT.fullmatch(text)
    if not is_number:
        return text
    if len(text) > _LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text)} characters; write at most {_LONGEST_NUMBER}")
    if _INT.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    number = float(text)
    if abs(number) == float("inf"):
        raise ValueError(f"{text} is too large a number")
    is_whole = "e" in text.lower() and number.is_integer() and abs(number) < _EXACT
    return int(number) if is_whole else number  # 2e6 is a whole number, 2.0 may be meant as another


def dotted(path: tuple[str | int, ...]) -> str:
    """Return *path* in dots, printable and in ASCII; "document" for the whole of it."""
    return ".".join(ascii(str(part))[1:-1][:64] for part in path) or "document"


def kind_of(value: object) -> str:
    """Return what *value* is, in words."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"the single value {shown(value)}" if value is not None else "empty"


def plain(node: Node) -> object:
    """Return the value of *node* without places; entries of a mapping that are null are left out.
    """
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items() if child.value is not None}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def find(node: Node, path: tuple[str | int, ...]) -> tuple[Node, bool]:
    """Return the deepest node on *path* that exists, and whether it is the one asked for."""
    for part in path:
        if isinstance(node.value, dict) and str(part) in node.value:
            node = node.value[str(part)]
        elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        elif (stage := _stage(node, part)) is not None:
            node = stage
        else:
            return node, False
    return node, True


def _stage(node: Node, name: str | int) -> Node | None:
    """Return the item of a list of stages that is called *name*; None where there is none."""
    items = node.value if isinstance(node.value, list) else []
    entries = [item for item in items if isinstance(item.value, dict)]
    for item in entries:
        assert isinstance(item.value, dict)
        stage = item.value.get("stage")
        if stage is not None and stage.value == name:
            return item
    return None


def text_of(node: Node) -> str:
    """Return the value of *node* as one line of text: "1 d", "ppmid, ihd"."""
    if isinstance(node.value, dict):
        return ", ".join(f"{key}: {text_of(child)}" for key, child in node.value.items())
    if isinstance(node.value, list):
        return ", ".join(text_of(child) for child in node.value) or "[]"
    return (
        str(node.value)
        if isinstance(node.value, str)
        else "null" if node.value is None else shown(node.value)
    )
