"""Checks by form: what a field must agree with, said beside the field. One walker asks them all.

Every form yields findings as checks do (`sim.scenario.checks`). Of the forms beside one field, the
first that finds something is the last that is asked.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import isclose
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sim.scenario.faults import Finding, Path, did_you_mean
from sim.units import added, format_duration, listed

HORIZON: Final[tuple[Path, ...]] = (("window", "length"), ("window", "warm_up"))
_MOST_LISTED: Final = 8
_NO_PATHS: Final[tuple[Path, ...]] = ()


@dataclass(frozen=True, slots=True)
class At:
    """Where a field stands: its *path*, its *owner*, whether it *is_given* (says something else
    than its default), and the sound *blocks* of the scenario by name.
    """

    path: Path
    owner: BaseModel
    is_given: bool
    blocks: Mapping[str, Any]

    def beside(self, name: str) -> Path:
        """Return the path of the owner's field *name*."""
        return (*self.path[:-1], name)

    def at(self, dotted: str) -> Any:
        """Return what stands at a *dotted* path of the scenario."""
        name, *rest = dotted.split(".")
        value = self.blocks[name]
        for key in rest:
            value = getattr(value, key)
        return value


class Form(ABC):
    """What a field must be, said beside it."""

    __slots__ = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """Top-level blocks that must be sound before it is asked."""
        return ()

    @abstractmethod
    def check(self, value: Any, place: At) -> Iterator[Finding]:
        """Yield what is wrong with *value* at *place*."""


@dataclass(frozen=True, slots=True)
class NameOf(Form):
    """A name that is one of those at *places*, or of *also*; of a list each, of a mapping each key.

    *noun* is what it names; *are* comes before the list of names, *nothing* in place of an empty
    one. With *as_whole* a finding is of the field, whose order is not the file's.
    """

    places: tuple[str, ...]
    noun: str
    are: str
    also: tuple[str, ...] = ()
    nothing: str = "none"
    as_whole: bool = False

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(place.partition(".")[0] for place in self.places)

    def check(self, value: Any, place: At) -> Iterator[Finding]:
        allowed = [*self.also, *(name for where in self.places for name in place.at(where))]
        others = tuple(tuple(where.split(".")) for where in self.places)
        for key, name in _names(value):
            if name in allowed:
                continue
            names = ", ".join(allowed) or self.nothing
            hint = did_you_mean(name, allowed)
            path = place.path if self.as_whole else (*place.path, *key)
            yield path, f"there is no {self.noun} {name}; {self.are} {names}{hint}", others


@dataclass(frozen=True, slots=True)
class EachOf(Form):
    """A list or mapping that lacks none of the names at the path *all_of*, or of those given.

    *cure* says what to do, with `{all}` for the names.
    """

    all_of: str | tuple[str, ...]
    cure: str

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.all_of.partition(".")[0],) if isinstance(self.all_of, str) else ()

    def check(self, value: Any, place: At) -> Iterator[Finding]:
        names, others = self.all_of, _NO_PATHS
        if isinstance(names, str):
            others = (tuple(names.split(".")),)
            names = tuple(place.at(names))
        missing = [name for name in names if name not in value]
        if missing:
            cure = self.cure.format(all=", ".join(names))
            yield place.path, f"lacks {', '.join(missing)}; {cure}", others


@dataclass(frozen=True, slots=True)
class BeforeTheEnd(Form):
    """A second that lies before the world ends. *begins* is the verb, with its subject, in which
    `{called}` is what the owner is called.
    """

    begins: str = "begins"

    @property
    def needs(self) -> tuple[str, ...]:
        return ("window",)

    def check(self, value: Any, place: At) -> Iterator[Finding]:
        window = place.blocks["window"]
        end_s = window.warm_up + window.length
        if value is not None and value >= end_s:
            begins = self.begins.format(called=getattr(place.owner, "called", ""))
            ends = f"but the world ends at {format_duration(end_s)}"
            yield place.path, f"{begins} at {format_duration(value)}, {ends}", HORIZON


@dataclass(frozen=True, slots=True)
class NeededBy(Form):
    """A field that is for those whose *tag* is one of *words*: they must have it, others must not.

    *noun* is what they are, with its article; *more* ends the sentence to one that must not.
    """

    noun: str
    tag: str
    words: tuple[str, ...]
    more: str = ""

    def check(self, value: Any, place: At) -> Iterator[Finding]:
        word = getattr(place.owner, self.tag)
        is_due = word in self.words
        if is_due is place.is_given:
            return
        others = (place.beside(self.tag), place.path)
        whose = f"{self.noun} whose {self.tag} is {word}"
        if is_due:
            yield place.path[:-1], f"{whose} needs {place.path[-1]}", others
        else:
            message = f"means nothing to {whose}; it is for {listed(self.words)}{self.more}"
            yield place.path, message, others[:1]


@dataclass(frozen=True, slots=True)
class NotAt(Form):
    """A field that means nothing at some stages: *reasons* says at which, and why."""

    reasons: Mapping[str, str]

    def check(self, value: Any, place: At) -> Iterator[Finding]:
        stage = place.owner.stage  # type: ignore[attr-defined]
        if place.is_given and stage in self.reasons:
            yield place.path, f"a {stage} {self.reasons[stage]}", (place.beside("stage"),)


@dataclass(frozen=True, slots=True)
class AddsUp(Form):
    """Shares that add up to 1: numbers, or blocks by name that have a share. *empty* refuses that
    there is none; without it, none is as good.
    """

    empty: str = ""

    def check(self, value: Any, place: At) -> Iterator[Finding]:
        by_name = isinstance(value, Mapping)
        shares = [block.share for block in value.values()] if by_name else value
        total, others = added(shares), _NO_PATHS
        must = f"add up to {total:.9g}; they must add up to 1"
        message = f"the shares {must}"
        if by_name:
            others = tuple((*place.path, name, "share") for name in value)
            named = ", ".join([*value][:_MOST_LISTED])
            message = f"the shares of {named} {must} (null takes an inherited one away)"
        if not shares and self.empty:
            yield place.path, self.empty, others
        elif shares and not isclose(total, 1, rel_tol=0, abs_tol=1e-9):
            yield place.path, message, others


@dataclass(frozen=True, slots=True)
class NotBelow(Form):
    """A duration that is not shorter than that of the field *other*; *sentence* speaks of both, in
    this order, with `{}` for each.
    """

    other: str
    sentence: str

    def check(self, value: Any, place: At) -> Iterator[Finding]:
        least = getattr(place.owner, self.other)
        if value < least:
            both = format_duration(value), format_duration(least)
            yield place.path, self.sentence.format(*both), (place.beside(self.other),)


@dataclass(frozen=True, slots=True)
class OnlyBeside(Form):
    """A field that means nothing where the field *other* has no value."""

    other: str

    def check(self, value: Any, place: At) -> Iterator[Finding]:
        if place.is_given and getattr(place.owner, self.other) is None:
            message = f"means nothing without {self.other}; give {self.other}, or leave this out"
            yield place.path, message, (place.path[:-1],)


def found_beside(blocks: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what the forms of all fields find in *blocks*, the sound ones of a scenario by name."""
    for name, block in blocks.items():
        yield from _below(block, (name,), blocks)


@cache
def forms_of(model: type[BaseModel]) -> Mapping[str, tuple[Form, ...]]:
    """Return the forms beside each field of *model* that has any."""
    found = {name: _beside(info) for name, info in model.model_fields.items()}
    return {name: forms for name, forms in found.items() if forms}


def _beside(info: FieldInfo) -> tuple[Form, ...]:
    return tuple(form for form in info.metadata if isinstance(form, Form))


def _names(value: Any) -> Iterable[tuple[Path, str]]:
    """Return the names in *value*, each with its path below it; none where there is no value."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (((), value),)
    if isinstance(value, Mapping):
        return [((name,), name) for name in value]
    return [((number,), name) for number, name in enumerate(value)]


def _below(value: Any, path: Path, blocks: Mapping[str, Any]) -> Iterator[Finding]:
    if isinstance(value, BaseModel):
        forms = forms_of(type(value))
        for name, info in type(value).model_fields.items():
            leaf, here = getattr(value, name), (*path, info.alias or name)
            if name in forms:
                place = At(here, value, leaf != info.default, blocks)
                yield from _first(forms[name], leaf, place)
            yield from _below(leaf, here, blocks)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _below(item, (*path, key), blocks)
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _below(item, (*path, number), blocks)


def _first(forms: tuple[Form, ...], value: Any, place: At) -> Iterator[Finding]:
    """Yield what the first of *forms* finds that finds anything."""
    for form in forms:
        if all(name in place.blocks for name in form.needs):
            found = [*form.check(value, place)]
            yield from found
            if found:
                return
