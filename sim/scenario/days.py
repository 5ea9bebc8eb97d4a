"""Dates in a scenario, in place of durations from the start of its window.

Whoever reads a scenario gives its calendar as the context: what begins when, and by whose time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ValidationInfo

from sim import units
from sim.british_time import moves, strikes_s
from sim.scenario.fields import LONGEST_S, Duration, described
from sim.units import DAY_S

_LIKE_A_DATE: Final = re.compile(r"\b[12][0-9]{3}(?![0-9])|^[0-9]{8}$")


@dataclass(frozen=True, slots=True)
class Calendar:
    """The first day of a window, and whether its time is *local*, British time, or UTC."""

    start: date
    local: bool

    def second_of(self, day: date) -> int:
        """Return the second of the window at which *day* begins."""
        since_s = (day - self.start).days * DAY_S
        return strikes_s(since_s, moves(self.start, since_s) if self.local else ())


def calendar_of(values: Any) -> dict[str, Calendar | None]:
    """Return the context in which the scenario that is written as *values* is read; its calendar is
    None where its window is at fault, which is told of the window alone.
    """
    try:
        start, clock = units.parse_date(values["window"]["start"]), values["window"].get("clock")
    except (KeyError, TypeError, ValueError):
        return {"calendar": None}
    return {"calendar": Calendar(start, clock == "local")}


def calendar(info: ValidationInfo) -> Calendar | None:
    """Return the calendar of the scenario that is being read; None where its window is at fault.
    Raises `ValueError` where it is read without one.
    """
    if not isinstance(info.context, Mapping):
        raise ValueError("names a day, and no window says when the world starts")
    known: Calendar | None = info.context["calendar"]
    return known


def _from_date(value: object, info: ValidationInfo) -> object:
    """Return the duration from the window's start to the beginning of a date; what is no date as it
    is.
    """
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]+-[0-9]+-[0-9]+", value, re.ASCII):
        return _duration(value)
    day, known = units.parse_date(value), calendar(info)
    if known is None:
        return "0 s"
    if day < known.start:
        raise ValueError(f"{value} is before the world starts, on {known.start}")
    if known.second_of(day) > LONGEST_S:
        raise ValueError(f"{value} is more than 60 years after the world starts, on {known.start}")
    return units.format_duration(known.second_of(day))


def _duration(value: object) -> object:
    """Return *value*; raises `ValueError` for what is no duration, a date perhaps."""
    try:
        units.parse_duration(value)
    except ValueError as problem:
        if not _LIKE_A_DATE.search(str(value)):
            raise
        raise ValueError(f"{problem}; or write a date, as 2026-07-01") from None
    return value


_from_start = described("string", "duration from the window's start, or a date", "2026-07-01")
FromStart = Annotated[Duration, BeforeValidator(_from_date), _from_start]
