"""Quantities as people write them ("15 min", "4000 /s", "7 %") and the whole numbers the model
counts in.

Durations become `int` seconds, rates an exact `Fraction` per second (a year is 365 d), sizes `int`
bytes, shares `float` in [0, 1]. A bare number where a unit is due is refused, as is everything that
another tool would guess at: `m`, `kb`, `5d 3h`, `1e3 s`, `inf`, digits that are not ASCII. Every
parser raises `ValueError` with one sentence that says what is wrong and what to write instead;
every formatter writes text that its parser reads back to the same value.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from math import isfinite
from operator import add
from typing import Final, TypeVar

MINUTE_S: Final = 60
QUARTER_S: Final = 15 * MINUTE_S
HOUR_S: Final = 3_600
DAY_S: Final = 86_400
WEEK_S: Final = 604_800
YEAR_S: Final = 365 * DAY_S

DURATIONS: Final[dict[str, Fraction]] = {
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "min": Fraction(MINUTE_S),
    "h": Fraction(HOUR_S),
    "d": Fraction(DAY_S),
    "w": Fraction(WEEK_S),
}
RATES: Final[dict[str, int]] = {
    "/s": 1,
    "/min": MINUTE_S,
    "/h": HOUR_S,
    "/d": DAY_S,
    "/w": WEEK_S,
    "/year": YEAR_S,
}
SIZES: Final[dict[str, int]] = {
    "B": 1,
    "kB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KiB": 1024,
    "MiB": 1024**2,
}
# Bytes per second.
SPEEDS: Final[dict[str, Fraction]] = {
    f"{size}{rate}": Fraction(n, length)
    for rate, length in RATES.items()
    for size, n in SIZES.items()
}

# What people write for a unit, and what it may have meant.
_MEANT: Final[dict[str, str]] = {
    "m": "min",
    "mn": "min",
    "mins": "min",
    "minute": "min",
    "minutes": "min",
    "M": "min",
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "S": "s",
    "hr": "h",
    "hrs": "h",
    "hour": "h",
    "hours": "h",
    "H": "h",
    "day": "d",
    "days": "d",
    "D": "d",
    "week": "w",
    "weeks": "w",
    "wk": "w",
    "W": "w",
    "b": "B",
    "byte": "B",
    "bytes": "B",
    "kb": "kB",
    "Kb": "kB",
    "KB": "kB",
    "k": "kB",
    "K": "kB",
    "mb": "MB",
    "Mb": "MB",
    "gb": "GB",
    "Gb": "GB",
    "kib": "KiB",
    "kiB": "KiB",
    "mib": "MiB",
    "/sec": "/s",
    "/second": "/s",
    "per s": "/s",
    "/m": "/min",
    "/minute": "/min",
    "/hr": "/h",
    "/hour": "/h",
    "/day": "/d",
    "/week": "/w",
    "/y": "/year",
    "/yr": "/year",
    "/a": "/year",
    "Hz": "/s",
    "percent": "%",
    "pc": "%",
}
_FINEST: Final = 100_000_000  # the denominator of a scale
_YEARS: Final = ("year", "years", "y", "yr", "yrs", "a")
# characters of a number: room for the smallest float written out; more is a mistake or mischief
_LONGEST: Final = 400
_NUMBER: Final = r"(?:[0-9]{1,3}(?:_[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?"
_SCALE: Final = re.compile(
    rf"(?P<above>{_NUMBER})(?: *(?P<percent>%)|/(?P<below>[1-9][0-9]*))?", re.ASCII
)
_QUANTITY: Final = re.compile(
    rf"(?P<sign>[-+]?)(?P<number>{_NUMBER}) *(?P<unit>[^0-9\s].*)?", re.ASCII
)


Number = TypeVar("Number", int, float)


def added(values: Iterable[Number]) -> Number:
    """Return *values* added up from left to right, 0 for none: the same on every Python.

    From Python 3.12 on `sum` carries what rounding loses of floats, so that its last digit is
    another than under 3.11, and a result would depend on who ran it.
    """
    return reduce(add, values, 0)


def shown(value: object) -> str:
    """Return *value* as an error may print it: short, printable ASCII, text in quotes."""
    if value is None:
        return "nothing"
    text = "true" if value is True else "false" if value is False else ascii(value)
    return text if len(text) <= 42 else f"{text[:39]}..."


def _quantity(
    value: object, what: str, example: str, units: tuple[str, ...]
) -> tuple[Fraction, str]:
    """Return number and unit of *value*; *what* and *example* word the refusals."""
    allowed = f"write a {what} like {example} (units: {', '.join(units)})"
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"{shown(value)} has no unit; {allowed}")
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a {what}; {allowed}")
    match = _QUANTITY.fullmatch(value)
    if match is None or len(match["number"]) > _LONGEST:
        raise ValueError(f"{shown(value)} is not a {what}; {allowed}")
    unit = match["unit"] or ""
    if unit not in units:
        meant = _MEANT.get(unit)
        if what == "duration" and unit in _YEARS:
            in_days = Fraction(match["number"].replace("_", "")) * 365
            told = f"a year is not of one length; write {format_decimal(_exact(in_days))} d"
            raise ValueError(f"{shown(value)} is not a duration: {told}")
        hint = f" (did you mean {match['number']} {meant}?)" if meant in units else ""
        if re.search(r"[0-9*]", unit):
            raise ValueError(f"{shown(value)} is not one number and one unit; {allowed}")
        problem = (
            f"{shown(unit)} is not a unit of a {what}" if unit else f"{shown(value)} has no unit"
        )
        raise ValueError(f"{problem}; {allowed}{hint}")
    number = Fraction(match["number"].replace("_", ""))
    if match["sign"] == "-" and number:
        raise ValueError(f"{shown(value)} is negative; a {what} is 0 or more")
    if match["sign"] == "+":
        raise ValueError(
            f"{shown(value)} has a plus sign; write it without (did you mean {value[1:]}?)"
        )
    return number, unit


def parse_duration(value: object) -> int:
    """Return the whole seconds of a duration such as "15 min"."""
    number, unit = _quantity(value, "duration", "15 min", tuple(DURATIONS))
    seconds = number * DURATIONS[unit]
    if seconds.denominator != 1:
        raise ValueError(
            f"{shown(value)} is not a whole number of seconds; the clock counts whole seconds"
        )
    return int(seconds)


def format_duration(seconds: int) -> str:
    """Return *seconds* in the largest of d, h, min and s that divides them: "1 d", "90 min"."""
    for unit, length in {"d": DAY_S, "h": HOUR_S, "min": MINUTE_S}.items():
        if seconds and seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def parse_rate(value: object) -> Fraction:
    """Return the exact number per second of a rate such as "4 /year"."""
    number, unit = _quantity(value, "rate", "4 /year", tuple(RATES))
    return number / RATES[unit]


def format_rate(per_s: Fraction) -> str:
    """Return the shortest text of *per_s* that is exact; raises `ValueError` when no unit gives a
    terminating decimal.
    """
    texts = [
        f"{_decimal(per_s * length)} {unit}"
        for unit, length in RATES.items()
        if _terminates(per_s * length)
    ]
    if not texts:
        raise ValueError(f"{per_s} per second has no exact decimal in any of {', '.join(RATES)}")
    return min(texts, key=lambda text: len(text.partition(" ")[0]))


def parse_speed(value: object) -> Fraction:
    """Return the exact bytes per second of a speed such as "250 kB/s"."""
    usual = tuple(unit for unit in SPEEDS if unit.endswith("/s"))
    unit = value.lstrip("+-0123456789._ ") if isinstance(value, str) else ""
    number, unit = _quantity(value, "speed", "250 kB/s", tuple(SPEEDS) if unit in SPEEDS else usual)
    return number * SPEEDS[unit]


def format_speed(bytes_per_s: Fraction) -> str:
    """Return the shortest text of *bytes_per_s* that is exact; `ValueError` as `format_rate`."""
    return f"{format_rate(bytes_per_s).replace(' /', ' B/')}"


def _exact(number: Fraction) -> Decimal:
    """Return the decimal of a *number* that was written as one."""
    return Decimal(number.numerator) / Decimal(number.denominator)


def _terminates(number: Fraction) -> bool:
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def _decimal(number: Fraction) -> str:
    """Return the exact decimal of a *number* whose expansion terminates."""
    places = 0
    while number.denominator != 1:
        number, places = number * 10, places + 1
    digits = str(number.numerator).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def parse_size(value: object) -> int:
    """Return the whole bytes of a size such as "256 kB"."""
    number, unit = _quantity(value, "size", "132 B", tuple(SIZES))
    size = number * SIZES[unit]
    if size.denominator != 1:
        raise ValueError(f"{shown(value)} is not a whole number of bytes")
    return int(size)


def format_size(size: int) -> str:
    """Return *size* in bytes as text: "132 B"."""
    return f"{size} B"


def parse_share(value: object) -> float:
    """Return a share in [0, 1] from "7 %" or the bare fraction 0.07."""
    multiple = parse_multiple(value)
    if multiple > 1:
        bare = isinstance(value, int | float)
        hint = f" (did you mean {value} %?)" if bare and multiple <= 100 else ""
        raise ValueError(
            f"{shown(value)} is more than a whole; a share is from 0 % to 100 %, or a fraction from"
            f" 0 to 1{hint}"
        )
    return multiple


def parse_multiple(value: object) -> float:
    """Return a non-negative number from "250 %" or 2.5."""
    if isinstance(value, str):
        number, _ = _quantity(value, "share", "7 %", ("%",))
        return float(number / 100)
    return parse_number(value)


def parse_scale(value: object) -> Fraction:
    """Return the exact part of a whole that "1/100", "1 %", 0.01 or 1 is: above 0, at most 1."""
    told = "write a part of the estate such as 1/100 or 1 %, above 0 and at most 1"
    text = value if isinstance(value, str) else ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = f"{Decimal(repr(value)):f}"
    match = _SCALE.fullmatch(text)
    if match is None or len(text) > _LONGEST:
        raise ValueError(f"{shown(value)} is not a scale; {told}")
    below = 100 if match["percent"] else int(match["below"] or 1)
    above = Fraction(match["above"].replace("_", ""))
    if (above / below).denominator > _FINEST:
        raise ValueError(f"{shown(value)} has too many digits; {told}")
    if not 0 < above <= below:
        raise ValueError(f"{shown(value)} is not a part of the estate; {told}")
    return above / below


def format_scale(scale: Fraction) -> str:
    """Return *scale* as text: "1/100"."""
    return str(scale)


def format_share(share: float) -> str:
    """Return *share* as a percentage that reads back to the same float: "7 %"."""
    return f"{format_decimal(Decimal(repr(share)) * 100)} %"


def format_decimal(number: Decimal) -> str:
    """Return *number* without exponent or trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def parse_number(value: object) -> float:
    """Return a finite number of 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = "; write it without quotes or unit" if isinstance(value, str) else ""
        raise ValueError(f"{shown(value)} is not a number{hint}")
    if not isfinite(value):
        raise ValueError(f"{shown(value)} is not a number; it must be finite")
    if value < 0:
        raise ValueError(f"{shown(value)} is negative; it must be 0 or more")
    return float(value)


def parse_count(value: object) -> int:
    """Return a whole number of 0 or more; digit groups as in 20_000_000 are read."""
    if (
        isinstance(value, str)
        and re.fullmatch(r"[0-9]{1,3}(_[0-9]{3})+", value, re.ASCII)
        and len(value) <= _LONGEST
    ):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = (
            "; write it without quotes or unit, in groups of three if you like (20_000_000)"
            if isinstance(value, str)
            else ""
        )
        raise ValueError(f"{shown(value)} is not a whole number{hint}")
    if isinstance(value, float):
        raise ValueError(
            f"{shown(value)} is not a whole number; write digits only, in groups of three if you"
            " like (20_000_000)"
        )
    if value < 0:
        raise ValueError(f"{shown(value)} is negative; it must be 0 or more")
    return value


def parse_time_of_day(value: object) -> int:
    """Return the second of the day of "02:00" or "02:00:30"."""
    match = (
        re.fullmatch(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?", value, re.ASCII)
        if isinstance(value, str)
        else None
    )
    if match is None:
        raise ValueError(f'{shown(value)} is not a time of day; write it as "02:00" or "02:00:30"')
    hour, minute, second = (int(part or 0) for part in match.groups())
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(
            f'{shown(value)} is not a time of day; they run from "00:00" to "23:59:59" (no leap'
            " seconds)"
        )
    return hour * HOUR_S + minute * MINUTE_S + second


def format_time_of_day(second: int) -> str:
    """Return the *second* of a day as "02:00" or "02:00:30"."""
    hour, rest = divmod(second, HOUR_S)
    minute, seconds = divmod(rest, MINUTE_S)
    return f"{hour:02}:{minute:02}" + (f":{seconds:02}" if seconds else "")


def parse_date(value: object) -> datetime.date:
    """Return the day of "2026-01-01"."""
    if (
        not isinstance(value, str)
        or re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value, re.ASCII) is None
    ):
        raise ValueError(f"{shown(value)} is not a date; write year, month and day as 2026-01-31")
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        raise ValueError(
            f"{shown(value)} is not a day of the calendar; write year, month and day as 2026-01-31"
        ) from None


def format_date(day: datetime.date) -> str:
    """Return *day* as 2026-01-31."""
    return day.isoformat()


def listed(parts: Sequence[str], last: str = "and") -> str:
    """Return "a", "a and b" or "a, b and c"; *last* is the word before the last."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"
