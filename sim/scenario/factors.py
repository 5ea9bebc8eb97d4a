"""What varies in an experiment: for each factor its levels, or the range it is sampled from, in the
unit the file uses.

A range is two quantities of one kind (durations, rates, sizes, shares, counts or plain numbers),
written in the experiment or, where it is not, the low and high of `scenarios/assumptions.csv`. A
sampled value is written as a person would write it: durations in whole days, hours, minutes or
seconds, whichever is finer than a thousandth of the range; counts and bytes whole; anything else to
five significant digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from math import floor, sqrt
from typing import Any, Final

from sim import units
from sim.scenario.assumptions import Assumption, load_assumptions
from sim.scenario.experiments import Experiment, FactorSpec
from sim.scenario.faults import Fault, ScenarioError, did_you_mean
from sim.scenario.stages import canonical
from sim.scenario.tree import Node, Scalar, core, find, text_of
from sim.units import shown

# Kind of quantity: how its text is read, and what its units are worth in what that returns.
_KINDS: Final[dict[str, tuple[Callable[[object], Any], Mapping[str, Any]]]] = {
    "duration": (units.parse_duration, units.DURATIONS),
    "rate": (units.parse_rate, {unit: 1 / length for unit, length in units.RATES.items()}),
    "size": (units.parse_size, units.SIZES),
    "share": (units.parse_multiple, {"%": 0.01}),
    "speed": (units.parse_speed, units.SPEEDS),
}
# What is said of a file or of an experiment, and not of a world.
OF_THE_EXPERIMENT: Final = ("schema_version", "name", "question", "seed", "replications")
_WHOLE: Final = ("duration", "size", "count")
_FINE: Final = 1000  # steps across a range of durations


@dataclass(frozen=True, slots=True)
class Level:
    """One setting of a factor: its *text*, the (path, value) *changes* it makes, and its *place* in
    the file.
    """

    text: str
    changes: tuple[tuple[str, Node], ...]
    place: Node


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing that varies. *path* names it (a path of the scenario unless it sets several
    *paths*); *kind* is `levels` or the kind of quantity of its range.

    *low*, *mode* and *high* are numbers in *unit* (which ends every sampled value: "3.2 /year"); of
    levels they are the first and last place. *when* says to which options, and to which levels of
    other factors, it applies.
    """

    path: str
    paths: tuple[str, ...]
    kind: str
    levels: tuple[Level, ...]
    low: float
    mode: float
    high: float
    unit: str
    distribution: str
    when: tuple[tuple[str, tuple[str, ...]], ...]
    place: Node

    @property
    def sampled(self) -> bool:
        """Whether it has a range instead of levels."""
        return self.kind != "levels"

    @property
    def ends(self) -> tuple[Level, ...]:
        """The levels, or those at both ends of the range."""
        return (self._level(self.low), self._level(self.high)) if self.sampled else self.levels

    def at(self, u: float) -> Level:
        """Return the level at the quantile *u* in [0, 1) of the factor's distribution."""
        if not self.sampled:
            return self.levels[min(floor(u * len(self.levels)), len(self.levels) - 1)]
        return self._level(self._quantile(u))

    def _quantile(self, u: float) -> float:
        low = self.low
        mode = self.mode
        high = self.high
        if self.distribution == "log_uniform":
            return float(low * (high / low) ** u)
        if self.distribution == "triangular":
            turn = (mode - low) / (high - low)
            return (
                low + sqrt(u * (high - low) * (mode - low))
                if u < turn
                else high - sqrt((1 - u) * (high - low) * (high - mode))
            )
        if self.kind == "count":
            return min(floor(low + u * (high - low + 1)), high)
        return low + u * (high - low)

    def _level(self, number: float) -> Level:
        text = (
            str(round(number))
            if self.kind in _WHOLE
            else units.format_decimal(Decimal(f"{number:.5g}"))
        )
        value: Scalar = (
            int(text)
            if self.kind == "count"
            else float(text) if self.kind == "number" else f"{text} {self.unit}"
        )
        node = replace(self.place, value=value)
        return Level(text_of(node), tuple((path, node) for path in self.paths), self.place)


def factors(experiment: Experiment, tree: Node, base: Node) -> tuple[Factor, ...]:
    """Return the factors of the *experiment* read from *tree*, which varies the scenario of *base*;
    raises `ScenarioError` with the faults of all.
    """
    root, read = tree.value, []
    assert isinstance(root, dict)
    node = root.get("factors")
    nodes = node.value if node is not None and isinstance(node.value, dict) else {}
    rows = (
        {row.path: row for row in load_assumptions()}
        if any(spec.levels is None for spec in experiment.factors.values())
        else {}
    )
    faults: list[Fault] = []
    for path, spec in experiment.factors.items():
        try:
            read.append(_factor(path, spec, nodes[path], base, rows))
        except ScenarioError as problem:
            faults += problem.faults
    faults += _meeting(read, base)
    faults += [fault for factor in read for fault in _conditions(factor, read, experiment)]
    if faults:
        raise ScenarioError(faults)
    return tuple(read)


def _factor(
    path: str, spec: FactorSpec, node: Node, base: Node, rows: Mapping[str, Assumption]
) -> Factor:
    """Return the factor *path* of *spec*, written at *node*."""
    entries = node.value if isinstance(node.value, dict) else {}
    paths, place = spec.paths or (path,), replace(node, key_at=node.key_at)
    _refuse_what_is_of_the_experiment(path, paths, node)
    when = tuple((name, tuple(_texts(entries["when"].value, name))) for name in spec.when)
    if spec.levels is None:
        kind, low, mode, high, unit = _range(path, paths[0], spec, node, base, rows)
        return Factor(path, paths, kind, (), low, mode, high, unit, spec.distribution, when, place)
    for key in ("low", "high", "mode"):
        if key in entries:
            raise ScenarioError(
                [
                    entries[key].fault(
                        f"factors.{path}.{key}",
                        "is of a range, and this factor has levels; keep one of them",
                        at_key=True,
                    )
                ]
            )
    listed = entries["levels"] if entries else node
    if isinstance(listed.value, dict):
        levels = [
            Level(name, tuple(child.value.items()), child)
            for name, child in listed.value.items()
            if isinstance(child.value, dict)
        ]
        paths = tuple(dict.fromkeys(each for level in levels for each, _ in level.changes))
    else:
        assert isinstance(listed.value, list)
        levels = [
            Level(text_of(child), tuple((each, child) for each in paths), child)
            for child in listed.value
        ]
    if twice := [*_listed_twice(path, levels)]:
        raise ScenarioError(twice)
    return Factor(
        path,
        paths,
        "levels",
        tuple(levels),
        0.0,
        0.0,
        float(len(levels) - 1),
        "",
        "choice",
        when,
        place,
    )


def _refuse_what_is_of_the_experiment(path: str, paths: tuple[str, ...], node: Node) -> None:
    """Raise `ScenarioError` when the factor *path* sets what is the same for all of an experiment.
    """
    ours = [each for each in paths if each in OF_THE_EXPERIMENT]
    if ours:
        raise ScenarioError([node.fault(f"factors.{path}", belongs(ours[0]), at_key=True)])


def _listed_twice(path: str, levels: Sequence[Level]) -> Iterator[Fault]:
    """Yield a fault for each level that is one before it, in the same or in another spelling."""
    seen: dict[object, str] = {}
    for level in levels:
        meaning = tuple((where, _meaning(value)) for where, value in level.changes)
        if meaning in seen:
            first = seen[meaning]
            same = "" if first == level.text else f" is {first},"
            told = f"the level {level.text}{same}{' is' * (not same)} listed twice"
            yield level.place.fault(f"factors.{path}", told)
        seen.setdefault(meaning, level.text)


def _meaning(node: Node) -> object:
    """Return what the value of *node* means, the same in every spelling: 5 % is 0.05, 24 h is 1 d.
    """
    value = core(node.value) if isinstance(node.value, str) else node.value
    if isinstance(value, dict | list):
        return text_of(node)
    with suppress(ValueError):
        return "time of day", units.parse_time_of_day(value)
    try:
        kind, number, _ = _quantity(value, whole=True)
    except ValueError:
        return text_of(node)
    return ("share" if kind in ("number", "count") else kind), float(number)


def belongs(path: str) -> str:
    """Return the refusal of *path* where cells differ: it is the same for all of an experiment."""
    if path in ("seed", "replications"):
        return f"{path} is of the experiment and the same for all cells; write {path} at its top"
    return f"{path} says nothing of a world; options have their own names"


def _texts(value: object, name: str) -> list[str]:
    """Return the levels that a condition on *name* lists, one or more."""
    node = value[name] if isinstance(value, dict) else None
    assert node is not None
    return (
        [text_of(child) for child in node.value]
        if isinstance(node.value, list)
        else [text_of(node)]
    )


def _range(
    path: str, leaf: str, spec: FactorSpec, node: Node, base: Node, rows: Mapping[str, Assumption]
) -> tuple[str, float, float, float, str]:
    """Return kind, low, mode, high and unit of the range of the factor *path*, in whose absence
    that of *leaf* in the assumptions *rows* is taken.
    """
    entries = node.value if isinstance(node.value, dict) else {}
    row = rows.get(canonical(leaf, base))
    standing, exists = find(
        base, tuple(int(part) if part.isdigit() else part for part in leaf.split("."))
    )
    given: dict[str, object] = {
        "low": row.low if row else None,
        "high": row.high if row else None,
        "mode": standing.value if exists else None,
    }
    given = {
        key: core(value) if isinstance(value, str) and value else value
        for key, value in given.items()
    }
    written = {
        key: child.value
        for key, child in entries.items()
        if key in given and child.value is not None
    }
    ends = given | written

    def refuse(key: str, message: str) -> ScenarioError:
        place = entries.get(key, node)
        return ScenarioError(
            [
                place.fault(
                    f"factors.{path}.{key}" if key in entries else f"factors.{path}",
                    message,
                    at_key=key not in entries,
                )
            ]
        )

    if ends["low"] in (None, "") or ends["high"] in (None, ""):
        hint = did_you_mean(leaf, rows) if leaf not in rows else ""
        raise refuse(
            "",
            f"has no range: assumptions.csv gives none for {leaf}{hint}; write its low and high, or"
            " levels",
        )
    is_share = isinstance(given["mode"], str) and given["mode"].endswith("%")
    whole = not is_share and not isinstance(given["mode"], float)
    read: dict[str, tuple[str, Any, str]] = {}
    for key in ("high", "low", "mode") if spec.distribution == "triangular" else ("high", "low"):
        try:
            read[key] = _quantity(ends[key], whole=whole)
        except ValueError as problem:
            raise refuse(key, str(problem)) from None
    (kind, high, unit), (other, low, _) = read["high"], read["low"]
    if {kind, other} == {"share", "number"} or (is_share and kind == other == "number"):
        kind = other = "share"
    if {kind, other} == {"number", "count"}:
        kind = other = "number"
    if kind != other:
        raise refuse(
            "low",
            f"{shown(ends['low'])} is a {other} and {shown(ends['high'])} a {kind}; a range has two"
            " ends of one kind",
        )
    mode = read["mode"][1] if "mode" in read else low
    if not low < high:
        raise refuse(
            "low",
            f"{shown(ends['low'])} is not below {shown(ends['high'])}; a range runs from its low to"
            " its high",
        )
    if spec.distribution == "log_uniform" and not low:
        raise refuse(
            "low",
            "a log_uniform range cannot begin at 0; write a low above it, or take another"
            " distribution",
        )
    if not low <= mode <= high:
        raise refuse(
            "mode",
            f"{shown(ends['mode'])} is not within the range {shown(ends['low'])} to"
            f" {shown(ends['high'])}; write a mode that is",
        )
    unit = _written(kind, unit, float(low), float(high), spec.distribution)
    worth = _KINDS[kind][1][unit] if kind in _KINDS else 1
    return kind, float(low / worth), float(mode / worth), float(high / worth), unit


def _quantity(value: object, *, whole: bool) -> tuple[str, Any, str]:
    """Return kind, number and unit of one end of a range; raises `ValueError` for what has neither.
    A whole number is a count where *whole*.
    """
    if isinstance(value, str):
        unit = re.sub(r"^[-+]?[0-9_.]+ *", "", value)
        for kind, (parse, known) in _KINDS.items():
            if unit in known:
                return kind, parse(value), unit
        if value[:1].isdigit():
            return "count", units.parse_count(value), ""
    if isinstance(value, int) and not isinstance(value, bool) and whole:
        return "count", units.parse_count(value), ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number", units.parse_number(value), ""
    raise ValueError(
        f"{shown(value)} is neither a quantity nor a number; a range runs between two of them;"
        " words are levels"
    )


def _written(kind: str, unit: str, low: float, high: float, distribution: str) -> str:
    """Return the unit in which values between *low* and *high* are written, whose ends were written
    in *unit*.
    """
    if kind == "size":
        return "B"
    if kind != "duration":
        return unit or ("%" if kind == "share" else "")
    span = min(high - low, 10 * low) if distribution == "log_uniform" else high - low
    return next(
        (
            unit
            for unit, length in (("d", units.DAY_S), ("h", units.HOUR_S), ("min", units.MINUTE_S))
            if span >= _FINE * length
        ),
        "s",
    )


def _meeting(read: Sequence[Factor], base: Node) -> Iterator[Fault]:
    """Yield a fault for each factor that sets what one before it sets in the scenario of *base*."""
    paths = [[canonical(path, base) for path in factor.paths] for factor in read]
    for number, factor in enumerate(read):
        for theirs, other in zip(paths[:number], read[:number], strict=True):
            met = [a for a in paths[number] for b in theirs if _overlap(a, b)]
            if met:
                yield factor.place.fault(
                    f"factors.{factor.path}",
                    f"sets {met[0]}, and so does the factor {other.path}; one of them can",
                    at_key=True,
                )


def _overlap(path: str, other: str) -> bool:
    """Whether one of two paths is the other, or a block around it."""
    return f"{path}.".startswith(f"{other}.") or f"{other}.".startswith(f"{path}.")


def _conditions(factor: Factor, read: Sequence[Factor], experiment: Experiment) -> Iterator[Fault]:
    """Yield a fault for each condition of *factor* on what is no option and no earlier factor's
    level.
    """
    known = {"option": list(experiment.options)} | {
        other.path: [level.text for level in other.levels] for other in read[: read.index(factor)]
    }
    for name, levels in factor.when:
        entries = factor.place.value
        assert isinstance(entries, dict)
        place, path = find(entries["when"], (name,))[0], f"factors.{factor.path}.when.{name}"
        if name not in known:
            allowed = f"it may depend on {', '.join(known)}{did_you_mean(name, known)}"
            yield place.fault(
                path,
                f"is neither option nor a factor written above this one; {allowed}",
                at_key=True,
            )
            continue
        for level in levels:
            if level not in known[name]:
                few = ", ".join(known[name][:12]) or "none: it has a range"
                yield place.fault(
                    path,
                    f"{shown(level)} is not a level of {name}; they are"
                    f" {few}{did_you_mean(level, known[name])}",
                )
