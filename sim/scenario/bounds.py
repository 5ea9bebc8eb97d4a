"""Bounds of single values of the firmware block, each with the sentence that refuses what lies
beyond (`docs/firmware.md`).
"""

from __future__ import annotations

from pydantic import AfterValidator, BeforeValidator

from sim.scenario.fields import in_order
from sim.scenario.outages import Restored, rising
from sim.units import DAY_S, format_duration, format_share, shown


def _version_of_key(key: object) -> object:
    """Return the number that a key stands for, which in YAML is text."""
    if isinstance(key, str) and not (key.isascii() and key.isdigit() and len(key) < 9):
        raise ValueError(f'{shown(key)} is not a version; write its number in quotes, such as "2"')
    return int(key) if isinstance(key, str) else key


def _often(share: float) -> float:
    if share > 0.9:
        raise ValueError(f"{share:.9g} is too much; at most 0.9, or nothing is ever listed")
    return share


def _late(seconds: int) -> int:
    if seconds < DAY_S:
        raise ValueError(
            f"{format_duration(seconds)} is too short; whoever is turned away comes back after a"
            " day at the earliest"
        )
    return seconds


def _daily(seconds: int) -> int:
    if seconds > DAY_S:
        raise ValueError(
            f"{format_duration(seconds)} is too long; hours that come every day last at most 24 h"
        )
    return seconds


def _points(points: tuple[Restored, ...]) -> tuple[Restored, ...]:
    if not points:
        raise ValueError(
            "has no point, so that it never comes to any hub; give at least one {share, time}"
        )
    return rising(points)


def _to_all(points: tuple[Restored, ...]) -> tuple[Restored, ...]:
    if _points(points)[-1].share != 1:
        raise ValueError(
            f"the last point is {format_share(points[-1].share)}; a curve of an exchange ends with"
            " 100 %, when all are exchanged"
        )
    return points


def some(of: str) -> AfterValidator:
    """Return a validator that refuses a size of 0 B of *of*, such as "a block"."""

    def read(size: int) -> int:
        if size < 1:
            raise ValueError(f"0 B is too small; {of} has at least 1 B")
        return size

    return AfterValidator(read)


def weights(n: int, of: str) -> AfterValidator:
    """Return a validator of *n* weights, one for each of the *of*, not all 0."""

    def read(values: tuple[float, ...]) -> tuple[float, ...]:
        if len(values) != n:
            raise ValueError(f"{len(values)} weights; one for each of the {n} {of} is due")
        if not any(values):
            raise ValueError(f"all weights are 0; at least one of the {n} {of} must have updates")
        return values

    return AfterValidator(read)


AS_VERSION = BeforeValidator(_version_of_key)
IN_ORDER = AfterValidator(in_order)
NOT_ALWAYS = AfterValidator(_often)
ANOTHER_DAY = AfterValidator(_late)
WITHIN_A_DAY = AfterValidator(_daily)
RISING = AfterValidator(_points)
TO_ALL = AfterValidator(_to_all)
