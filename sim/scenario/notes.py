"""What a sound scenario or experiment says that may not be meant. The same notes stand under
`check` and `plan`, in the manifest, and beside the answer.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from sim.scenario.leaves import apart, choices_below, leaves_of, unread
from sim.scenario.load import load, resolved
from sim.scenario.read_when import Path, kinds_that_pass
from sim.scenario.schema import Scenario
from sim.scenario.settling import unsettled
from sim.scenario.timing import seldom
from sim.scenario.tree import parse

_Note = tuple[str, str]  # what it is about, by which notes of several cells are one, and itself
_ABOUT_THE_FILE: Final = ("schema_version", "name", "question")
_MOST_LISTED: Final = 8


def notes_of(worlds: Sequence[Scenario]) -> tuple[str, ...]:
    """Return what there is to note of *worlds*, the cells of a scenario or an experiment, as
    sentences: which leaves differ from the base, which are set and read by nobody, and what cannot
    happen that a reader may expect. What only some cells have says in how many.
    """
    found: dict[str, tuple[str, int]] = {}
    for world in worlds:
        for about, sentence in dict(_of_a_world(world)).items():
            first, n = found.get(about, (sentence, 0))
            found[about] = (first, n + 1)
    return (
        *_differs(worlds),
        *_unread(worlds),
        *(_of_how_many(sentence, n, len(worlds)) for sentence, n in found.values()),
    )


def _of_how_many(sentence: str, n: int, n_cells: int) -> str:
    return sentence if n == n_cells else f"{sentence} (So in {n} of {n_cells} cells.)"


def _of_a_world(world: Scenario) -> Iterator[_Note]:
    for note in (_no_traffic, _constant_types, seldom, unsettled):
        yield from note(world)


@cache
def _base(name: str) -> Scenario:
    base = load(name)
    assert isinstance(base, Scenario)
    return base


def _base_of(world: Scenario) -> str:
    return "gb_base" if world.firmware is None else "gb_firmware"


# -- leaves ------------------------------------------------------------------------------------------


def _differs(worlds: Sequence[Scenario]) -> Iterator[str]:
    """Say which leaves of all *worlds* have one value that is not their base's."""
    first = worlds[0]
    name = _base_of(first)
    if any(_base_of(world) != name for world in worlds):
        return
    common = set(apart(first, _base(name)))
    varied = {path for world in worlds[1:] for path in apart(world, first)}
    paths = [
        path
        for path in apart(first, _base(name))
        if path in common and path[0] not in _ABOUT_THE_FILE and not _is_varied(path, varied)
    ]
    if not paths:
        return
    texts = leaves_of(parse(resolved(first), "resolved.yaml")[0])
    listed = [_told(".".join(path), texts) for path in paths[:_MOST_LISTED]]
    more = len(paths) - len(listed)
    tail = f", and in {more} more" if more else ""
    who = "Differs" if len(worlds) == 1 else "All cells differ"
    yield f"{who} from {name} in {', '.join(listed)}{tail}."


def _is_varied(path: Path, varied: set[Path]) -> bool:
    """Whether *path* leads to, above or below one that is not the same in all cells."""
    return any(path[: len(other)] == other or other[: len(path)] == path for other in varied)


def _told(path: str, texts: dict[str, str]) -> str:
    """Return *path* with its value, where it is a leaf that is there."""
    text = texts.get(path)
    if text is None:
        below = any(leaf.startswith(f"{path}.") for leaf in texts)
        return path if below else f"{path} (left out)"
    if re.fullmatch(r"[0-9]{5,}", text):
        text = f"{int(text):,}"
    return f"{path} ({text or 'none'})"


def _unread(worlds: Sequence[Scenario]) -> Iterator[str]:
    """Say which leaves are set to something else than the base's and read in none of *worlds*."""
    read: set[Path] = set()
    idle: dict[Path, str] = {}
    for world in worlds:
        for path in apart(world, _base(_base_of(world))):
            for leaf in choices_below(world, path):
                why = unread(world, leaf)
                if why is None:
                    read.add(leaf)
                else:
                    idle.setdefault(leaf[: max(why.what, len(path))], why.condition.told)
    by_condition: dict[str, list[str]] = defaultdict(list)
    for what, told in idle.items():
        if not any(leaf[: len(what)] == what for leaf in read):
            by_condition[told].append(".".join(what))
    for told, leaves in by_condition.items():
        yield _moves_nothing(leaves, told)


def _moves_nothing(leaves: list[str], told: str) -> str:
    listed = ", ".join(leaves[:_MOST_LISTED])
    more = len(leaves) - _MOST_LISTED
    if more > 0:
        listed += f" and {more} more"
    verb, pronoun = ("moves", "it is") if len(leaves) == 1 else ("move", "they are")
    return f"{listed} {verb} nothing here: {pronoun} read only {told}."


# -- what cannot happen ------------------------------------------------------------------------------


def _no_traffic(world: Scenario) -> Iterator[_Note]:
    """Note that messages wait at servers with nothing beside them."""
    is_limited = any(stage.capacity is not None for stage in world.network)
    if is_limited and world.traffic.level == 0 and kinds_that_pass(world):
        yield (
            "traffic",
            "There is no traffic (traffic.level is 0 %), so nothing can be pushed aside: whether"
            " service requests come late is not asked.",
        )


def _constant_types(world: Scenario) -> Iterator[_Note]:
    """Note the types that report and whose version never changes."""
    if world.reporting.rule == "none":
        return
    constant = [name for name in world.reporting.devices if not _changes(world, name)]
    if constant:
        listed = f"{', '.join(constant[:-1])} and {constant[-1]}" if constant[1:] else constant[0]
        verb, whose = ("change", "their") if constant[1:] else ("changes", "its")
        yield (
            "constant",
            f"{listed} never {verb} version in this world: {whose} reports correct no record.",
        )


def _changes(world: Scenario, device_type: str) -> bool:
    """Whether some device of *device_type* may change its version in *world*."""
    updates, firmware = world.updates, world.firmware
    is_local = updates.policy == "local_and_ota" and device_type in ("ppmid", "ihd")
    if firmware is None:
        return is_local and updates.local.take_up > 0 and updates.local.rate > 0
    for release in firmware.releases:
        if firmware.models[release.model].type != device_type:
            continue
        over_air = (
            device_type in firmware.ota.types and release.release_class in firmware.ota.classes
        )
        locally = is_local and firmware.local.take_up > 0
        if over_air or (locally and release.release_class in firmware.local.classes):
            return True
    return False
