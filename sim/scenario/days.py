"""Dates in a scenario, in place of durations from the first day of its window, which whoever reads a
scenario gives as its context.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, ValidationInfo

from sim import units
from sim.scenario.fields import Duration, described


def starts_on(day: date | None) -> dict[str, date | None]:
    """Return the context of a scenario whose window starts on *day* (None: its window is at fault)."""
    return {"start": day}


def first_day(info: ValidationInfo) -> date:
    """Return the first day of the window of the scenario that is being read; raises `ValueError`
    where none is given.
    """
    if info.context is None:
        raise ValueError("names a day, and no window says when the world starts")
    start: date | None = info.context["start"]
    return start or date.min  # a window at fault is told of itself


def _from_date(value: object, info: ValidationInfo) -> object:
    """Return the duration from 00:00 of the window's first day to 00:00 of a date; what is no date
    as it is.
    """
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]+-[0-9]+-[0-9]+", value, re.ASCII):
        return value
    start, day = first_day(info), units.parse_date(value)
    if day < start:
        raise ValueError(f"{value} is before the world starts, on {start}")
    return units.format_duration((day - start).days * units.DAY_S)


_moment = described("string", "duration from the window's start, or a date", "2026-07-01")
Moment = Annotated[Duration, BeforeValidator(_from_date), _moment]
