"""What a sound scenario or experiment says that may not be meant. The same notes stand under
`check` and `plan`, in the manifest, and beside the answer.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from sim.scenario.faults import Note
from sim.scenario.leaves import apart, choices_below, leaves_of, unread
from sim.scenario.load import load, resolved
from sim.scenario.reach import changes
from sim.scenario.read_when import Path, kinds_that_pass, traffic_there_is
from sim.scenario.schema import Scenario
from sim.scenario.settling import unsettled
from sim.scenario.timing import unseen
from sim.scenario.tree import parse

_ABOUT_THE_FILE: Final = ("schema_version", "name", "question")
_BASES: Final = {
    "gb_base": "the base scenario",
    "gb_firmware": "the base scenario of firmware's life",
}
_MOST_LISTED: Final = 8


def notes_of(worlds: Sequence[Scenario]) -> tuple[str, ...]:
    """Return what there is to note of *worlds*, the cells of a scenario or an experiment, as
    sentences: which leaves differ from the base, which have no effect, and what cannot happen that
    a reader may expect. What only some cells have says in how many.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for world in worlds:
        for about, sentence in _of_a_world(world):
            found[about].append(sentence)
    return (
        *_differences(worlds),
        *_idle_leaves(worlds),
        *(_in_which(sentences, len(worlds)) for sentences in found.values()),
    )


def _in_which(sentences: list[str], n_cells: int) -> str:
    """Return the sentence of the first cell, and of how many cells it, or its like, is true."""
    first, n = sentences[0], len(sentences)
    if any(sentence != first for sentence in sentences):
        return (
            f"{first} (This is of one of the {n_cells} worlds compared; it is so, with other"
            f" numbers at most, in {n - 1} more.)"
        )
    return first if n == n_cells else f"{first} (In {n} of the {n_cells} worlds compared.)"


def _of_a_world(world: Scenario) -> Iterator[Note]:
    for notes in (_empty_network, _idle_locks, _lone_reports, _constant_types, unseen, unsettled):
        yield from notes(world)


@cache
def _base(name: str) -> Scenario:
    base = load(name)
    assert isinstance(base, Scenario)
    return base


def _base_of(world: Scenario) -> str:
    return "gb_base" if world.firmware is None else "gb_firmware"


# -- leaves ----------------------------------------------------------------------------------------


def _differences(worlds: Sequence[Scenario]) -> Iterator[str]:
    """Say which leaves of all *worlds* have one value that is not their base's."""
    first = worlds[0]
    name = _base_of(first)
    if any(_base_of(world) != name for world in worlds):
        return
    varied = {path for world in worlds[1:] for path in apart(world, first)}
    paths = [
        path
        for path in apart(first, _base(name))
        if path[0] not in _ABOUT_THE_FILE and not _is_varied(path, varied)
    ]
    if not paths:
        return
    who = "Differs" if len(worlds) == 1 else "All worlds compared differ"
    yield f"{who} from {_BASES[name]} in {_listed(first, paths)}."


def _listed(world: Scenario, paths: list[Path]) -> str:
    """Return *paths* of *world* with their values, or of many how many there are in each block."""
    if len(paths) <= _MOST_LISTED:
        texts = leaves_of(parse(resolved(world), "resolved.yaml")[0])
        return ", ".join(_with_value(".".join(path), texts) for path in paths)
    blocks = Counter(path[0] for path in paths)
    each = ", ".join(f"{n} of {block}" for block, n in blocks.items())
    return f"{len(paths)} leaves: {each}"


def _is_varied(path: Path, varied: set[Path]) -> bool:
    """Whether *path* leads to, above or below one that is not the same in all cells."""
    return any(path[: len(other)] == other or other[: len(path)] == path for other in varied)


def _with_value(path: str, texts: dict[str, str]) -> str:
    """Return *path* with its value, where it is a leaf that is there."""
    text = texts.get(path)
    if text is None:
        has_more = any(leaf.startswith(f"{path}.") for leaf in texts)
        return path if has_more else f"{path} (left out)"
    if re.fullmatch(r"[0-9]{5,}", text):
        text = f"{int(text):,}"
    return f"{path} (none)" if text in ("", "[]", "{}") else f"{path} ({text})"


def _idle_leaves(worlds: Sequence[Scenario]) -> Iterator[str]:
    """Say which leaves have another value than in the base and an effect in none of *worlds*."""
    read: set[Path] = set()
    idle: dict[Path, str] = {}
    for world in worlds:
        for path in apart(world, _base(_base_of(world))):
            for leaf in choices_below(world, path):
                why = unread(world, leaf)
                if why is None:
                    read.add(leaf)
                else:
                    idle.setdefault(leaf[: max(why.depth, len(path))], why.condition.words)
    by_condition: dict[str, list[Path]] = defaultdict(list)
    for path, words in idle.items():
        if not any(leaf[: len(path)] == path for leaf in read):
            by_condition[words].append(path)
    for words, paths in by_condition.items():
        whole = [path for path in paths if not any(path[:n] in paths for n in range(len(path)))]
        yield _no_effect([".".join(path) for path in whole], words)


def _no_effect(leaves: list[str], words: str) -> str:
    listed = ", ".join(leaves[:_MOST_LISTED])
    if len(leaves) > _MOST_LISTED:
        listed += f" and {len(leaves) - _MOST_LISTED} more"
    verb, pronoun = ("has", "it has") if len(leaves) == 1 else ("have", "they have")
    return f"{listed} {verb} no effect here: {pronoun} one only {words}."


# -- what cannot happen ----------------------------------------------------------------------------


def _empty_network(world: Scenario) -> Iterator[Note]:
    """Note a network, or faults, where no message ever is."""
    base = _base(_base_of(world))
    is_own = bool(world.network) and world.network != base.network
    if (is_own or world.faults != base.faults) and not kinds_that_pass(world):
        yield (
            "network",
            (
                "No message goes through the network (no version report, no alert, no traffic), so"
                " its stages and what goes wrong there have no effect."
            ),
        )


def _idle_locks(world: Scenario) -> Iterator[Note]:
    """Note clocks that are set where no timer counts from them."""
    if world.faults.clock_locks and not world.reporting.timer_s:
        yield (
            "clock_locks",
            "faults.clock_locks have no effect here: reports have no timer (by reporting.rule).",
        )


def _lone_reports(world: Scenario) -> Iterator[Note]:
    """Note reports that wait at servers with nothing beside them; what asks for a version is
    something else that may come late.
    """
    is_limited = any(stage.capacity is not None for stage in world.network)
    is_alone = kinds_that_pass(world) == ["version_report"] and not traffic_there_is(world)
    if is_limited and is_alone and not world.reporting.traits.reads_the_hub:
        yield (
            "traffic",
            (
                "There is nothing but version reports on the network (traffic.level is 0 %, no"
                " alert is active), so this run cannot say whether they make anything else late."
            ),
        )


def _constant_types(world: Scenario) -> Iterator[Note]:
    """Note the types that report and whose record never needs it."""
    devices = world.reporting.devices
    if world.reporting.traits.is_silent:
        return
    constant = [name for name in devices if not changes(world, name)]
    if constant:
        listed = f"{', '.join(constant[:-1])} and {constant[-1]}" if constant[1:] else constant[0]
        verb, whose = ("change", "their") if constant[1:] else ("changes", "its")
        yield (
            "constant",
            f"{listed} never {verb} version in this world: {whose} reports correct no record.",
        )
    elif devices == ("ihd",):
        yield "constant", "The inventory keeps no record of an ihd: its reports correct none."
