"""The leaves of a scenario by path: which of them differ from another's, and which nothing reads.

A path is a tuple of keys as a file writes them; stages of the network go by their names, and items
of a list by their places.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sim.scenario.read_when import Path, ReadWhen
from sim.scenario.schema import Scenario
from sim.scenario.stages import NETWORK, by_name
from sim.scenario.tree import Node, text_of
from sim.scenario.week import Week

_NOTHING: Final = object()


def leaves_of(node: Node, path: str = "") -> dict[str, str]:
    """Return the values below *node* as text, by dotted path, in which stages of the network have
    their names; a list of single values is one leaf.
    """
    value = by_name(node).value if path == NETWORK else node.value
    if isinstance(value, list) and any(isinstance(item.value, dict) for item in value):
        value = {str(number): item for number, item in enumerate(value)}
    if not isinstance(value, dict) or not value:
        return {path: text_of(node)}
    leaves: dict[str, str] = {}
    for key, child in value.items():
        leaves |= leaves_of(child, f"{path}.{key}" if path else key)
    return leaves


def apart(mine: Scenario, other: Scenario) -> list[Path]:
    """Return the paths at which *mine* differs from *other*, each as far down as both have it: of
    what only one has, the path of the whole.
    """
    return list(_apart(mine, other, ()))


def choices_below(scenario: Scenario, path: Path) -> list[Path]:
    """Return *path* and the paths of what *scenario* chooses to give below it: of a whole block its
    items, and the leaves that it might have left out; nothing where it has nothing there.
    """
    *_, (_, _, value) = along(scenario, path)
    return [] if value is None else list(dict.fromkeys([path, *_choices(value, path)]))


def along(scenario: Scenario, path: Path) -> Iterator[tuple[str, FieldInfo | None, object]]:
    """Yield each key of *path* with the field that it names (None where the file chooses the key)
    and what *scenario* has there (None where it has nothing).
    """
    value: object = scenario
    for depth, key in enumerate(path):
        field = _field(value, key)
        value = (_entries(value, path[:depth]) or {}).get(key)
        yield key, field, value


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a leaf is not read: the *condition* that does not hold, and the *depth* in keys, along
    the leaf's path, of what is then not read: an item of a mapping or a list, or the leaf.
    """

    condition: ReadWhen
    depth: int


def unread(scenario: Scenario, path: Path) -> Unread | None:
    """Return why the leaf at *path* of *scenario* is not read; None where it is read."""
    for depth, (_, field, value) in enumerate(along(scenario, path)):
        for condition in field.metadata if field is not None else ():
            if isinstance(condition, ReadWhen) and not condition.holds(scenario, path):
                is_leaf = isinstance(value, BaseModel) or not _entries(value, path[: depth + 1])
                return Unread(condition, len(path) if is_leaf else depth + 2)
    return None


def _apart(mine: object, other: object, path: Path) -> Iterator[Path]:
    if mine is other or mine == other:
        return
    ours, theirs = _entries(mine, path), _entries(other, path)
    if not ours or not theirs or type(mine) is not type(other):
        yield path
        return
    for key in dict.fromkeys([*ours, *theirs]):
        here, there = ours.get(key, _NOTHING), theirs.get(key, _NOTHING)
        if here is _NOTHING or there is _NOTHING:
            yield (*path, key)
        else:
            yield from _apart(here, there, (*path, key))


def _choices(value: object, path: Path) -> Iterator[Path]:
    entries = _entries(value, path)
    if not entries:
        yield path
        return
    for key, child in entries.items():
        field = _field(value, key)
        if child is None:
            continue
        if field is None and isinstance(child, BaseModel):
            yield (*path, key)
        if field is None or _entries(child, (*path, key)):
            yield from _choices(child, (*path, key))
        elif not field.is_required() and child != field.default:
            yield (*path, key)


def _entries(value: object, path: Path) -> dict[str, Any] | None:
    """Return what is directly below *value*, which stands at *path*, by key; None for a leaf."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {info.alias or name: getattr(value, name) for name, info in fields.items()}
    if isinstance(value, Week):
        return dict(value.by_name())
    if isinstance(value, Mapping):
        return {str(key): child for key, child in value.items()}
    if path == (NETWORK,) and isinstance(value, tuple):
        return {stage.stage: stage for stage in value}
    if isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
        return {str(place): item for place, item in enumerate(value)}
    return None


def _field(value: object, key: str) -> FieldInfo | None:
    """Return the field of *value* that a file calls *key*; None where *value* is no block."""
    fields = type(value).model_fields if isinstance(value, BaseModel) else {}
    return next((info for name, info in fields.items() if (info.alias or name) == key), None)
