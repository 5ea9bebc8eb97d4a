"""What stands beside a leaf about when it is read is so: where it is said not to be, no table moves
with it; where it is said to be, some table does, in some world.

The worlds are those that the twins are compared in, taken in turn, until each leaf has been moved
both ways; what nobody generates is built by hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Any, Final, Literal, get_args, get_origin

import pytest

from sim.run import replicate
from sim.scenario.compose import assignments, put
from sim.scenario.document import schema_document
from sim.scenario.faults import ScenarioError
from sim.scenario.fields import Closed, OneOf
from sim.scenario.leaves import along, leaves_of, unread
from sim.scenario.load import load, resolved
from sim.scenario.read_when import Path, ReadWhen, row_at
from sim.scenario.schema import Scenario
from sim.scenario.tree import parse
from sim.scenario.validate import scenario_of
from sim.tables import Tables
from sim.units import DAY_S
from tests.properties.test_leaves import changed
from tests.twins.firmware import world as life
from tests.twins.storms import storm

N_WORLDS: Final = 36  # of each kind
RARE: Final = (1, 6, 10, 27, 42, 97, 101, 142, 35, 40, 29)  # storms that read what few do
QUIET: Final = (5, 21, 40, 41, 50, 12)  # storms that have every row between them
MOST_TRIES: Final = 15  # of one leaf until something moves
ALLOCATED: Final = (
    "estate.premises=60_000",
    "window={warm_up: 0 s, length: 10 min}",
    "traffic.level=300 %",
    "traffic.kinds.on_demand.user=small",
    "network=[{stage: dsp, capacity: 5 /s, mitigations: [{kind: allocation, above: 10 /s}]}]",
)
SILENT: Final = {"reporting.rule": "none", "alerts.active": "[]", "traffic.level": "0 %"}
GROUNDED: Final = {"updates.ban": "null", "firmware.ota.types": "[]"}
STILL: Final = {
    "updates.ban": "null",
    "updates.policy": "ota_only",
    "firmware.screening.design": "none",
}
CLOUD: Final = {
    "updates.ban": "null",
    "updates.policy": "do_minimum",
    "reporting.rule": "cloud",
    "reporting.devices": "[ppmid]",
}
BANNED: Final = {
    "updates.ban": "{start: 100 s, grace: 0 s, scope: where_ota_works, compliance: 100 %}",
    "firmware.ota.types": "[ppmid]",
    "firmware.ota.classes": "[]",
}
ELSEWHERE: Final = ("firmware", "updates.ban")  # where these are read, `test_leaves` moves them
ABOUT: Final = {  # what says something of a file or a run and moves no table
    "schema_version", "name", "question", "replications", "window.start", "network_for",
}  # fmt: skip


@dataclass(slots=True)
class Seen:
    """What moving the leaves of one name has shown, in so many *tries*: how often something *moved*
    where it is read, by what it *stood* still where it is not, and where it moved *wrongly*.
    """

    conditional: bool
    tries: int = 0
    moved: int = 0
    stood: set[str] = field(default_factory=set)
    wrongly: list[str] = field(default_factory=list)


def worlds() -> Iterator[tuple[Scenario, bool]]:
    """Yield the worlds that there are, and whether it is one in which little goes on; without
    those that have a network for many days, for they take long.
    """
    yield load("gb_base", ALLOCATED), False
    yield from ((storm(number), False) for number in RARE)
    for number in range(N_WORLDS):
        for world in (storm(number), life(number)):
            if not world.network or world.window.length <= DAY_S:
                yield world, False
    for number in QUIET:
        yield changed_world(storm(number), SILENT), True
    for number in range(10):
        if life(number).network and life(number).window.length > DAY_S:
            continue
        for changes in (SILENT, GROUNDED, STILL, CLOUD, BANNED):
            with suppress(ScenarioError):  # not every world has somebody for each
                yield changed_world(life(number), changes), True


@cache
def survey() -> dict[str, Seen]:
    """Return what is seen, by the name of a leaf in the schema."""
    seen: dict[str, Seen] = {}
    for world, is_quiet in worlds():
        before = replicate(world, 0)
        for path, text in leaves(world):
            values, is_conditional = others(world, path, text), bool(conditions(world, path))
            is_left_to_others = path[0] == "firmware" and not is_conditional
            if not values or is_left_to_others:
                continue
            about = seen.setdefault(name_of(world, path), Seen(is_conditional))
            is_read, why = unread(world, path) is None, what_decides(world, path)
            is_done = about.moved or about.tries > MOST_TRIES or is_quiet
            is_done = is_done or name_of(world, path).startswith(ELSEWHERE)
            is_done = is_done or (about.tries > 2 and name_of(world, path) in ABOUT)
            if is_done and (is_read or why in about.stood):
                continue
            for value, tables in moves(world, before, path, values):
                about.tries += 1
                if is_read:
                    about.moved += bool(tables)
                elif tables:
                    about.wrongly.append(f"{world.name}: {'.'.join(path)}={value} moves {tables}")
                else:
                    about.stood.add(why)
                if not is_read or about.moved:
                    break
    return seen


def what_decides(world: Scenario, path: Path) -> str:
    """Return that by which a leaf that is not read stands still: each is tried."""
    if path[0] == "reporting":
        return f"{world.reporting.rule} {world.firmware is None}"
    if "screening" in path and world.firmware is not None:
        return world.firmware.screening.design
    return f"{world.firmware is None}"


def moves(
    world: Scenario, before: Tables, path: Path, values: list[str]
) -> Iterator[tuple[str, list[str]]]:
    """Yield each of *values* that the leaf at *path* may have, with the tables that move by it."""
    for value in values:
        with suppress(ScenarioError):
            after = replicate(changed_world(world, {".".join(path): value}), 0)
            yield value, [table for table in before if not before[table].equals(after[table])]


def leaves(world: Scenario) -> Iterator[tuple[Path, str]]:
    """Yield path and text of every leaf that *world* has."""
    for path, text in leaves_of(parse(resolved(world), "resolved.yaml")[0]).items():
        yield tuple(path.split(".")), text


def name_of(world: Scenario, path: Path) -> str:
    """Return *path* with NAME for what a file chooses, and a row's kind for its place."""
    row = row_at(world, path) if "mitigations" in path else None
    keys = [key if info is not None else "NAME" for key, info, _ in along(world, path)]
    if row is not None and len(keys) > 3:
        keys[3] = row.kind
    return ".".join(keys)


def conditions(world: Scenario, path: Path) -> list[ReadWhen]:
    found = [info.metadata for _, info, _ in along(world, path) if info is not None]
    return [one for one in chain.from_iterable(found) if isinstance(one, ReadWhen)]


def words(form: Any) -> list[str]:
    """Return the words that a field of this *form* (a type, or what is said beside it) may hold."""
    if isinstance(form, OneOf):
        return list(form.allowed)
    if get_origin(form) is Literal:
        return list(get_args(form))
    inner = [each for each in get_args(form) if not isinstance(each, str)]
    return [word for each in inner for word in words(each)]


def others(world: Scenario, path: Path, text: str) -> list[str]:
    """Return other values that the leaf at *path* might have."""
    named = {
        "region": [*world.estate.regions],
        "profile": [*world.traffic.profiles],
        "user": [*world.estate.users],
        "server": ["all", *world.estate.regions, *world.estate.users],
        "code": ["8F11"],
        "model": [*world.firmware.models] if world.firmware else [],
    }
    infos = [info for _, info, _ in along(world, path) if info is not None]
    said = [infos[-1].annotation, *infos[-1].metadata]
    choices = named.get(path[-1]) or [word for form in said for word in words(form)]
    if text in choices:
        return [word for word in choices if word != text][:4]
    is_row = "mitigations" in path
    if ", " in text or path[-1] == "priority" or (is_row and path[-1] in ("kinds", "exclude")):
        items = text.split(", ")
        return [f"[{', '.join(each)}]" for each in (items[1:], items[::-1], ["version_report"])]
    found = ["35 %", "0 %", "100 %"] if text.endswith("%") else []
    if re.fullmatch(r"\d+ (s|min|h|d)", text):
        found += ["1 s", f"{text.split()[0]}1 {text.split()[1]}", "1 min"]
    if re.fullmatch(r"\d+", text):
        found += ["0", "1"]
    with suppress(ValueError):
        found = [changed(text), *found]
    return [value for value in found if value != text]


def changed_world(world: Scenario, changes: dict[str, str]) -> Scenario:
    """Return *world* with each of *changes*, path to value; shares that add up to the whole change
    places.
    """
    tree, _ = parse(resolved(world), "resolved.yaml")
    for path, value in changes.items():
        block = path.rpartition(".")[0]
        if block in ("estate.regions", "estate.users"):
            shares = getattr(world.estate, block.partition(".")[2])
            turned = zip(shares, [*shares.values()][::-1], strict=True)
            path, value = block, ", ".join(f"{server}: {share}" for server, share in turned)
            value = f"{{{value}}}"
        for where, node in assignments([f"{path}={value}"]):
            tree = put(tree, where.split("."), node)
    return scenario_of(tree, [], "resolved.yaml")


TOGETHER: Final = {  # leaves that can only be moved with others; `test_leaves` moves them so
    "firmware.campaign.ramp.kind", "firmware.local.channels.NAME.share",
}  # fmt: skip


SMALL: Final = (
    "estate.premises=2000",
    "window={warm_up: 0 s, length: 4 d}",
    "network=[{stage: dsp, capacity: 100 kB/s}]",
)
BUSIER: Final = {  # worlds that the generators do not make, or seldom, and a change that moves them
    "asked by hub_store": (
        "gb_base",
        (*SMALL, "reporting.rule=hub_store", "reporting.read.rate=1 /d"),
        "reporting.request_size=9 B",
    ),
    "bytes without reports": ("gb_base", SMALL, "reporting.size=9 B"),
    "clocks that move": (
        "gb_base",
        (
            *SMALL,
            "window.start=2026-03-28",
            "reporting={rule: periodic, phase: {source: fixed_clock}}",
        ),
        "window.clock=local",
    ),
    "cells that are out": (
        "gb_base",
        (
            *SMALL,
            "reporting.rule=periodic",
            "faults.wan_outages=[{region: north, share: 50 %, start: 6 h, duration: 9 h}]",
        ),
        "estate.premises_per_cell=70",
    ),
    "a cloud under ota_only": (
        "gb_firmware",
        ("estate.premises=2000", "updates.policy=ota_only", "reporting.rule=cloud"),
        "firmware.local.take_up=90 %",
    ),
    "a ban where nothing goes by air": (
        "gb_firmware",
        (
            "estate.premises=2000",
            "firmware.ota.classes=[non_core]",
            "updates.ban={start: 100 d, grace: 0 d, scope: where_ota_works, compliance: 100 %}",
        ),
        "firmware.ota.hub_ready.start=200 d",
    ),
    "one sweep": (
        "gb_firmware",
        ("estate.premises=2000", "firmware.ota.loss=50 %", "firmware.campaign.least=100_000"),
        "firmware.campaign.sweep_every=90 d",
    ),
}


@pytest.mark.parametrize("world", BUSIER)
def test_what_moves_by_hand_is_said_to_be_read(world: str) -> None:
    base, sets, change = BUSIER[world]
    before, after = load(base, sets), load(base, (*sets, change))
    assert isinstance(before, Scenario)
    assert isinstance(after, Scenario)
    tables, moved = replicate(before, 0), replicate(after, 0)
    assert any(not tables[name].equals(moved[name]) for name in tables)
    assert unread(after, tuple(change.partition("=")[0].split("."))) is None


def test_the_schema_says_of_every_leaf_when_it_is_read() -> None:
    """For editors beside the field, and for people in its meaning."""
    blocks, page = json.loads(schema_document("json"))["$defs"], schema_document("md")
    conditional = 0
    for model in Closed.__subclasses__():
        for name, info in model.model_fields.items():
            due = [one.words for one in info.metadata if isinstance(one, ReadWhen)]
            if not due:
                continue
            conditional += 1
            leaf = blocks[model.__name__]["properties"][info.alias or name]
            assert [leaf["x-read-when"]] == due
            assert f"Has an effect only {due[0]}." in page
    assert conditional > 60


@pytest.mark.timeout(300)  # the first that asks makes the survey
def test_what_is_said_not_to_be_read_moves_nothing() -> None:
    assert [line for about in survey().values() for line in about.wrongly] == []


def test_every_condition_is_seen_to_fail() -> None:
    """And its leaf to move nothing then."""
    unseen = {name for name, about in survey().items() if about.conditional and not about.stood}
    assert unseen == TOGETHER


def test_every_leaf_moves_something_where_it_is_read() -> None:
    """Those of firmware are moved in `tests/properties/test_leaves.py`."""
    idle = {name for name, about in survey().items() if not about.moved}
    by_hand = {change.partition("=")[0] for _, _, change in BUSIER.values()}
    assert {name for name in idle if not name.startswith(ELSEWHERE)} <= ABOUT | by_hand
