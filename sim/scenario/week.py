"""Days of the week in a scenario, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

from pydantic import (
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    ValidationInfo,
    WithJsonSchema,
)

from sim.scenario.bounds import weights
from sim.scenario.days import calendar
from sim.scenario.fields import Weight, choice
from sim.units import shown

WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Week:
    """Weights of the seven days of a week: *weights* from Monday on. *first* is the weekday (0 for
    Monday) of the window's first day, with which the weights begin that a `Week` yields.
    """

    weights: tuple[float, ...]
    first: int = field(compare=False)

    def __iter__(self) -> Iterator[float]:
        """Yield the weights of the window's first seven days."""
        return iter((*self.weights[self.first :], *self.weights[: self.first]))

    def by_name(self) -> dict[str, float]:
        """Return the weights by day, from Monday on."""
        return dict(zip(WEEK, self.weights, strict=True))


def _first(info: ValidationInfo) -> int:
    """Return the weekday of the window's first day; 0 where the window is at fault."""
    known = calendar(info)
    return 0 if known is None else known.start.weekday()


def _week(value: object, info: ValidationInfo) -> Week:
    """Return the week of a mapping from day to weight; or of a list of seven weights, which count
    from the window's first day, as files of before say it.
    """
    if isinstance(value, Week):
        return value
    if isinstance(value, list | tuple):
        from_first, first = _SEVEN.validate_python(value), _first(info)
        monday = -first % len(WEEK)
        return Week((*from_first[monday:], *from_first[:monday]), first)
    if not isinstance(value, Mapping):
        raise ValueError(f"{shown(value)} is no mapping; name days, such as {{sat: 1.3, sun: 1.3}}")
    named = _NAMED.validate_python(value)
    return Week(_SEVEN.validate_python(tuple(named.get(day, 1) for day in WEEK)), _first(info))


_NAMED: Final = TypeAdapter(dict[Annotated[str, choice(*WEEK)], Weight])
_SEVEN: Final = TypeAdapter(Annotated[tuple[Weight, ...], weights(len(WEEK), "days of the week")])
_WEIGHT: Final = {
    "type": "number", "x-unit": "weight", "examples": [1.3], "default": 1,
    "description": "Weight of the day.",
}  # fmt: skip
DaysOfWeek = Annotated[
    Week,
    PlainValidator(_week),
    PlainSerializer(Week.by_name, when_used="json"),
    WithJsonSchema(
        {
            "type": "object",
            "properties": dict.fromkeys(WEEK, _WEIGHT),
            "additionalProperties": False,
        }
    ),
]
