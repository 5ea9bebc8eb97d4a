"""A part of the estate that stands for all of it: what follows `estate.scale`, and what cannot."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from sim.scenario.faults import Finding, Path
from sim.scenario.fields import OF_THE_ESTATE, Capacity

if TYPE_CHECKING:
    from sim.scenario.network import Stage
    from sim.scenario.schema import Scenario

# Stages with one server, or a few, for the whole estate; elsewhere its parts bring their own.
CENTRAL: Final = ("csp", "dsp", "user")
_FINEST: Final = 4 * 10**9  # times the seconds of sixty years still fits 64 bits


def scale_of(scenario: Scenario) -> Fraction:
    """Return the share of the estate that *scenario* simulates, as it was written; 1 for all."""
    return Fraction(1) if scenario.estate.scale is None else scenario.estate.scale


def scaled(scenario: Scenario) -> Scenario:
    """Return the world that is simulated: *scenario* with every leaf that is of the estate
    multiplied by its scale, which is then 1. Whole numbers are rounded, halves up.
    """
    scale = scale_of(scenario)
    if scale == 1:
        return scenario
    smaller: Scenario = _scaled(scenario, scale)
    estate = smaller.estate.model_copy(update={"scale": None})
    return smaller.model_copy(update={"estate": estate})


def whole_leaves_vanish(scale: Fraction, block: str, value: object) -> Iterator[Finding]:
    """Find leaves of *block* that are counted in whole numbers and would fall below 1."""
    for path, leaf in _leaves(value, (block,)):
        if isinstance(leaf, int) and 0 < leaf * scale < 1:
            least = Fraction(1, leaf)
            message = (
                f"at a scale of {scale}, {leaf:,} would be less than 1, and it is counted in whole"
                f" numbers; the smallest scale that works is {least}"
            )
            yield path, message, (("estate", "scale"),)


def rates_are_countable(scale: Fraction, network: tuple[Stage, ...]) -> Iterator[Finding]:
    """Find rates of *network* that, scaled where they are of the estate, no slot can be given its
    whole share of in 64 bits.
    """
    for number, stage in enumerate(network):
        factor = scale if _has_part(stage) else Fraction(1)
        for path, leaf in _marked(stage, ("network", number)):
            rate = leaf.rate if isinstance(leaf, Capacity) else leaf
            if isinstance(rate, Fraction) and (rate * factor).denominator > _FINEST:
                scaled_to = "" if factor == 1 else f"at a scale of {factor} "
                cure = "round it" if factor == 1 else "write a scale such as 1/30, or round this"
                message = (
                    f"{scaled_to}this is {float(rate * factor):.6g} a second with too many digits"
                    f" to be counted out exactly; {cure}"
                )
                yield path, message, (("estate", "scale"),)


def is_of_the_estate(network: object) -> bool:
    """Whether anything that is set in the stages *network* is of the estate."""
    return any(True for _ in _leaves(network, ("network",)))


def _scaled(value: Any, scale: Fraction) -> Any:
    """Return *value*, a block or blocks of a scenario, with what is of the estate multiplied."""
    if isinstance(value, tuple):
        return tuple(_scaled(item, scale) for item in value)
    if not isinstance(value, BaseModel) or not _has_part(value):
        return value
    changed = {}
    for name, field in type(value).model_fields.items():
        old = getattr(value, name)
        is_marked = field.json_schema_extra == OF_THE_ESTATE
        changed[name] = _multiplied(old, scale) if is_marked else _scaled(old, scale)
    return value.model_copy(update=changed)


def _has_part(block: BaseModel) -> bool:
    """Whether *block* can hold anything of the estate: a stage that is no server of it cannot."""
    return getattr(block, "stage", "dsp") in CENTRAL


def _multiplied(value: Any, scale: Fraction) -> Any:
    if isinstance(value, dict):
        return {name: _multiplied(each, scale) for name, each in value.items()}
    if isinstance(value, int):
        return floor(value * scale + Fraction(1, 2))
    return None if value is None else value * scale


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield every number below *value*, a block or blocks, that is of the estate, with its path."""
    if isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _leaves(item, (*path, number))
    elif isinstance(value, BaseModel) and _has_part(value):
        yield from _marked(value, path)


def _marked(block: BaseModel, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield every number of *block* that is marked as of the estate, wherever that stands."""
    for name, field in type(block).model_fields.items():
        leaf = getattr(block, name)
        if field.json_schema_extra != OF_THE_ESTATE:
            yield from _leaves(leaf, (*path, name))
        elif isinstance(leaf, dict):
            yield from (((*path, name, key), each) for key, each in leaf.items())
        elif leaf is not None:
            yield (*path, name), leaf
