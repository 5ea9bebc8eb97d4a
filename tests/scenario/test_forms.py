"""Checks by form: where the walker comes, what it asks first, and what it leaves alone."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Field

from sim.scenario import forms
from sim.scenario.fields import Closed
from sim.scenario.forms import (
    AddsUp,
    BeforeTheEnd,
    EachOf,
    Form,
    NameOf,
    NeededBy,
    NotAt,
    NotBelow,
    forms_of,
    found_beside,
)
from sim.scenario.load import load
from sim.scenario.schema import Scenario

USER = NameOf(("estate.users",), "user", "the users are")


class Estate(Closed):
    users: tuple[str, ...] = ("large", "small")


class Window(Closed):
    warm_up: int = 0
    length: int = 100


class Inner(Closed):
    kind: str = "plain"
    stage: str = "hub"
    owner: Annotated[str | None, USER] = Field(default=None, alias="class")
    names: Annotated[tuple[str, ...], USER, EachOf("estate.users", "name them: {all}")] = (
        "large", "small",
    )  # fmt: skip
    start: Annotated[int | None, BeforeTheEnd()] = None
    rate: Annotated[int | None, NeededBy("a thing", "kind", ("odd", "even"))] = None
    queue: Annotated[int, NotAt({"device": "has none"})] = 0
    low: int = 1
    high: Annotated[int, NotBelow("low", "{} is shorter than {}")] = 2
    shares: Annotated[tuple[float, ...], AddsUp()] = ()


class Outer(Closed):
    named: dict[str, Inner] = {}
    listed: tuple[Inner, ...] = ()


def found(inner: Inner, **blocks: Any) -> list[tuple[Any, ...]]:
    """Return what is found in *inner*, which stands in a mapping, beside an estate and a window."""
    there = {"outer": Outer(named={"it": inner}), "estate": Estate(), "window": Window()} | blocks
    return [*found_beside({name: block for name, block in there.items() if block is not None})]


def inner(**fields: Any) -> Inner:
    return Inner.model_validate(fields)


AT = ("outer", "named", "it")
USERS = (("estate", "users"),)


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"class": "larg"}, ("class",), "there is no user larg; the users are large, small"
         " (did you mean large?)"),
        ({"names": ("large", "small", "odd")}, ("names", 2), "there is no user odd; the users are"
         " large, small"),
        ({"names": ("small",)}, ("names",), "lacks large; name them: large, small"),
        ({"start": 100}, ("start",), "begins at 100 s, but the world ends at 100 s"),
        ({"kind": "odd"}, (), "a thing whose kind is odd needs rate"),
        ({"rate": 0}, ("rate",), "means nothing to a thing whose kind is plain; it is for odd and"
         " even"),
        ({"stage": "device", "queue": 3}, ("queue",), "a device has none"),
        ({"low": 3}, ("high",), "2 s is shorter than 3 s"),
        ({"shares": (0.5, 0.4)}, ("shares",), "the shares add up to 0.9; they must add up to 1"),
    ],
)  # fmt: skip
def test_a_form_finds_what_is_wrong_and_says_where(fields, path, message):
    [(where, told, _)] = found(inner(**fields))

    assert (where, told) == ((*AT, *path), message)


def test_what_is_right_is_left_alone():
    sound = {"class": "large", "start": 99, "kind": "even", "rate": 1, "stage": "hub", "queue": 3}

    assert found(inner(**sound, low=2, shares=(0.25, 0.75))) == []
    assert found(inner()) == []


def test_the_first_form_that_finds_something_is_the_last():
    """What is no user is said; that one is missing is said when that is mended."""
    [(where, _, others)] = found(inner(names=("large", "smal")))

    assert where == (*AT, "names", 1)
    assert others == USERS


@pytest.mark.parametrize(
    ("missing", "wrong"), [("estate", {"class": "odd"}), ("window", {"start": 100})]
)
def test_a_form_waits_for_the_block_it_needs(missing, wrong):
    """A block that is at fault itself says enough; without it nobody can tell."""
    assert len(found(inner(**wrong))) == 1
    assert found(inner(**wrong), **{missing: None}) == []


def test_the_walker_comes_to_items_of_lists():
    outer = Outer(listed=(inner(), inner(low=9)))

    [(where, _, others)] = found(inner(), outer=outer)
    assert where == ("outer", "listed", 1, "high")
    assert others == (("outer", "listed", 1, "low"),)


def test_every_form_is_beside_some_field_of_a_scenario():
    beside = [each for model in below(Closed) for each in forms_of(model).values()]
    used = {type(form) for each in beside for form in each}

    assert used == {one for one in vars(forms).values() if _is_form(one)}
    firmware = load("gb_firmware")
    assert isinstance(firmware, Scenario)
    assert list(found_beside({n: getattr(firmware, n) for n in Scenario.model_fields})) == []


def _is_form(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, Form) and one is not Form


def below(model: type[Closed]) -> list[type[Closed]]:
    """Return the blocks of the package that are made from *model*."""
    ours = [one for one in model.__subclasses__() if one.__module__.startswith("sim.")]
    return [*ours, *(deeper for one in ours for deeper in below(one))]
