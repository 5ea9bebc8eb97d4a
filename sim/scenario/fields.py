"""The kinds of value a scenario holds: how each is read, bounded, written back, and described to an
editor.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    PlainSerializer,
    Tag,
    WithJsonSchema,
)

from sim import units, words
from sim.policies import POLICIES
from sim.rules import RULES
from sim.scenario.faults import did_you_mean
from sim.scenario.stages import STAGES
from sim.units import shown

_T = TypeVar("_T", int, float, Fraction)

SLUG: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
# Columns hold seconds in 32 and 64 bits; these bounds keep every sum far from their ends.
LONGEST_S: Final = 60 * units.YEAR_S
LARGEST_B: Final = 1_000_000_000
FASTEST_PER_S: Final = 1_000_000_000


class Closed(BaseModel):
    """A block of a scenario: no other keys, no changes after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _bounded(
    parse: Callable[[object], _T],
    low: _T | None,
    high: _T,
    text: Callable[[_T], str],
    low_open: bool = False,
) -> BeforeValidator:
    """Return a validator that parses and then refuses what lies outside [low, high] (above low when
    *low_open*).
    """

    def read(value: object) -> _T:
        number = parse(value)
        if low is not None and (number < low or (low_open and number == low)):
            raise ValueError(
                f"{shown(value)} is too small; it must be {'more than' if low_open else 'at least'}"
                f" {text(low)}"
            )
        if number > high:
            raise ValueError(f"{shown(value)} is too large; it must be at most {text(high)}")
        return number

    return BeforeValidator(read)


def described(json_type: str | list[str], unit: str, example: object) -> WithJsonSchema:
    """Return what the schema says of a leaf: its JSON type, its *unit* in words, an *example*."""
    return WithJsonSchema({"type": json_type, "x-unit": unit, "examples": [example]})


_as_duration = PlainSerializer(units.format_duration, return_type=str)
_as_rate = PlainSerializer(units.format_rate, return_type=str)
_duration = described("string", "duration", "15 min")
_rate = described("string", "rate", "4 /year")

Duration = Annotated[
    int,
    _bounded(
        units.parse_duration, None, LONGEST_S, lambda s: f"{s // units.YEAR_S * 365} d (60 years)"
    ),
    _as_duration,
    _duration,
]
PositiveDuration = Annotated[
    int,
    _bounded(
        units.parse_duration,
        0,
        LONGEST_S,
        lambda s: f"{s // units.YEAR_S * 365} d (60 years)" if s else "0 s",
        low_open=True,
    ),
    _as_duration,
    _duration,
]
Rate = Annotated[
    Fraction,
    _bounded(units.parse_rate, None, Fraction(FASTEST_PER_S), lambda r: f"{int(r)} /s"),
    _as_rate,
    _rate,
]
PositiveRate = Annotated[
    Fraction,
    _bounded(
        units.parse_rate,
        Fraction(0),
        Fraction(FASTEST_PER_S),
        lambda r: f"{int(r)} /s",
        low_open=True,
    ),
    _as_rate,
    _rate,
]
# Of a clock that may strike once in any second.
ClockRate = Annotated[
    Fraction,
    _bounded(units.parse_rate, None, Fraction(1), lambda r: f"{int(r)} /s"),
    _as_rate,
    _rate,
]
PositiveClockRate = Annotated[
    Fraction,
    _bounded(units.parse_rate, Fraction(0), Fraction(1), lambda r: f"{int(r)} /s", low_open=True),
    _as_rate,
    _rate,
]
Size = Annotated[
    int,
    _bounded(units.parse_size, None, LARGEST_B, units.format_size),
    PlainSerializer(units.format_size, return_type=str),
    described("string", "size", "132 B"),
]
_share = PlainSerializer(units.format_share, return_type=str)
Share = Annotated[
    float,
    BeforeValidator(units.parse_share),
    _share,
    described(["string", "number"], "share", "7 %"),
]
Multiple = Annotated[
    float,
    _bounded(units.parse_multiple, None, 1000.0, units.format_share),
    _share,
    described(["string", "number"], "multiple", "100 %"),
]
Tail = Annotated[
    float,
    _bounded(units.parse_number, 0.0, 100.0, lambda x: f"{x:g}", low_open=True),
    described("number", "number", 1.5),
]
Spread = Annotated[
    float,
    _bounded(units.parse_number, 1.0, 1e9, lambda x: f"{x:g}", low_open=True),
    described("number", "number", 1000),
]
Number = Annotated[
    float,
    _bounded(units.parse_number, None, 1e9, lambda x: f"{x:g}"),
    described("number", "number", 25),
]
Weight = Annotated[
    float,
    _bounded(units.parse_number, None, 1e9, lambda x: f"{x:g}"),
    described("number", "weight", 1),
]
TimeOfDay = Annotated[
    int,
    BeforeValidator(units.parse_time_of_day),
    PlainSerializer(units.format_time_of_day, return_type=str),
    described("string", "time of day", "02:00"),
]
Day = Annotated[
    datetime.date,
    BeforeValidator(units.parse_date),
    PlainSerializer(units.format_date, return_type=str),
    described("string", "date", "2026-01-01"),
]
Scale = Annotated[
    Fraction,
    BeforeValidator(units.parse_scale),
    PlainSerializer(units.format_scale, return_type=str),
    described(["string", "number"], "scale", "1/100"),
]


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a server passes on: *rate* messages a second, or bytes a second where *in_bytes*."""

    rate: Fraction
    in_bytes: bool = False

    def __mul__(self, scale: Fraction) -> Capacity:
        return replace(self, rate=self.rate * scale)


def _capacity(value: object) -> Capacity:
    """Return what "2000 /s" or "250 kB/s" says."""
    unit = value.lstrip("+-0123456789._ ") if isinstance(value, str) else ""
    in_bytes = "b" in unit.lower()
    parse = units.parse_speed if in_bytes else units.parse_rate
    read = Capacity(parse(value), in_bytes)
    most = LARGEST_B if in_bytes else FASTEST_PER_S
    if read.rate > most:
        told = f"{most} B/s" if in_bytes else f"{most} /s"
        raise ValueError(f"{shown(value)} is too large; it must be at most {told}")
    return read


def _capacity_text(capacity: Capacity) -> str:
    write = units.format_speed if capacity.in_bytes else units.format_rate
    return write(capacity.rate)


Throughput = Annotated[
    Capacity,
    BeforeValidator(_capacity),
    PlainSerializer(_capacity_text, return_type=str),
    described("string", "messages or bytes per time", "2000 /s"),
]
# What a leaf that belongs to the estate as a whole says in its `Field`: it follows `estate.scale`.
OF_THE_ESTATE: Final[dict[str, Any]] = {"x-of-the-estate": True}


def count(low: int, high: int) -> Any:
    """Return the annotations of a whole number in [low, high]."""
    return _bounded(units.parse_count, low, high, lambda n: f"{n:_}")


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{shown(value)} is neither true nor false")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not text; put it in quotes")
    if not value.strip():
        raise ValueError("is empty; write a sentence")
    if len(value) > 2000:
        raise ValueError("is longer than 2,000 characters")
    if not all(c.isprintable() or c == "\n" for c in value):
        raise ValueError("holds a control character; write plain text")
    return value.strip()


def _name(value: object) -> str:
    if not isinstance(value, str) or SLUG.fullmatch(value) is None:
        raise ValueError(
            f"{shown(value)} is not a name; use 1 to 64 of a-z, 0-9, - and _, beginning with a"
            " letter or digit"
        )
    if re.fullmatch(r"con|prn|aux|nul|(com|lpt)[0-9]", value):
        raise ValueError(
            f"{shown(value)} cannot name a folder on every system; choose another name"
        )
    return value


def _code(value: object) -> str:
    if not isinstance(value, str) or re.fullmatch(r"[0-9A-Za-z]{1,16}", value, re.ASCII) is None:
        hint = (
            "; put it in quotes"
            if isinstance(value, int | float) and not isinstance(value, bool)
            else ""
        )
        raise ValueError(
            f"{shown(value)} is not a code; write 1 to 16 letters and digits, such as 8F36 or"
            f" AD1{hint}"
        )
    return value


def _kind_or_code(value: object) -> str:
    if not isinstance(value, str) or re.fullmatch(r"[0-9A-Za-z_-]{1,64}", value, re.ASCII) is None:
        hint = (
            "; put it in quotes"
            if isinstance(value, int | float) and not isinstance(value, bool)
            else ""
        )
        raise ValueError(
            f"{shown(value)} is neither the name of a kind nor a code; write such as tamper or"
            f" 8F75{hint}"
        )
    return value


def distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a name that is listed twice."""
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ValueError(f"{twice[0]} is listed twice; list it once")
    return names


def _reference(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 500:
        raise ValueError(f"{shown(value)} is neither the name of a shipped file nor a path")
    return value


@dataclass(frozen=True, slots=True)
class OneOf:
    """A text that is one of the words *allowed*; *aliases*, in lower case, are other spellings,
    read in any case.
    """

    allowed: tuple[str, ...]
    aliases: tuple[tuple[str, str], ...] = ()

    def read(self, value: object) -> str:
        """Return the word that *value* is; raises `ValueError` with the words that are allowed."""
        word = dict(self.aliases).get(value.lower(), value) if isinstance(value, str) else value
        if word in self.allowed:
            return str(word)
        hint = did_you_mean(value, self.allowed) if isinstance(value, str) else ""
        known = ", ".join(self.allowed)
        raise ValueError(f"{shown(value)} is not known; it must be one of {known}{hint}")

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Return how a field of it is read."""
        return BeforeValidator(self.read).__get_pydantic_core_schema__(source, handler)

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        """Return the field's schema with the words that are allowed."""
        schema: dict[str, Any] = handler(core)
        return {"enum": list(self.allowed), **schema}


def choice(*allowed: str, **aliases: str) -> OneOf:
    """Return what reads a text that is one of the words *allowed*, or an alias of one."""
    return OneOf(allowed, tuple(aliases.items()))


Flag = Annotated[bool, BeforeValidator(_flag)]
Text = Annotated[str, BeforeValidator(_text)]
Name = Annotated[
    str, BeforeValidator(_name), WithJsonSchema({"type": "string", "pattern": f"^{SLUG.pattern}$"})
]
Names = Annotated[tuple[Name, ...], AfterValidator(distinct)]
Code = Annotated[str, BeforeValidator(_code)]
KindsOrCodes = Annotated[
    tuple[Annotated[str, BeforeValidator(_kind_or_code)], ...], AfterValidator(distinct)
]
Reference = Annotated[str, BeforeValidator(_reference)]

BY_SERVER_LEAVES: Final = ("capacity", "buffer", "above", "rate", "burst")
OTHERS: Final = "others"
EVERY_SERVER: Final = "every server"
BY_SERVER: Final = "by server"
_Key = TypeVar("_Key", str, int)
_Value = TypeVar("_Value")


def in_order(mapping: dict[_Key, _Value]) -> dict[_Key, _Value]:
    """Return *mapping* in the order of its keys: a file may write it in any."""
    return dict(sorted(mapping.items()))


def _which(value: object) -> str:
    return BY_SERVER if isinstance(value, dict) else EVERY_SERVER


# One value for every server of a stage, or a mapping from server to it, in which `others` are those
# that are not named.
ByServer = Annotated[
    Annotated[_Value, Tag(EVERY_SERVER)]
    | Annotated[dict[Name, _Value], AfterValidator(in_order), Tag(BY_SERVER)],
    Discriminator(_which),
]


def of_server(leaf: Mapping[str, _Value] | _Value, server: str) -> _Value:
    """Return what a *leaf* (`ByServer`) says of *server*: a region at cell and csp, dsp, or a user.
    """
    if isinstance(leaf, Mapping):
        return leaf[server] if server in leaf else leaf[OTHERS]
    return leaf


Rule = Annotated[str, choice(*RULES, **{rule.label.lower(): rule.id for rule in RULES.values()})]
Policy = Annotated[
    str,
    choice(
        *POLICIES,
        **{label.lower(): policy.id for policy in POLICIES.values() for label in policy.labels},
    ),
]
Clock = Annotated[str, choice("utc", "local")]
PhaseSource = Annotated[str, choice(*words.PhaseSource.words())]
Driver = Annotated[str, choice("poisson", "releases")]
Reporter = Annotated[str, choice(*words.DeviceType.words())]
Per = Annotated[str, choice("meter", "device", "premises")]
MadeAt = Annotated[str, choice("home", "dsp")]
StageName = Annotated[str, choice(*STAGES)]
Overflow = Annotated[str, choice(*words.Overflow.words())]
