"""The shape of an experiment: every field, what it holds, and the sentence that documents it. The
blocks of a scenario are in `sim.scenario.schema`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, WithJsonSchema

from sim import history
from sim.scenario.fields import Closed, Name, Reference, Text, choice, count, distinct
from sim.scenario.schema import VERSION_TOLD, Replications, Seed, Version
from sim.scenario.tree import Node, kind_of
from sim.units import shown

ASSUMED: Final = "assumed"
DESIGNS: Final = ("grid", "list", "cases", "latin_hypercube", "sobol", "saltelli", "one_at_a_time")
SAMPLED: Final = ("latin_hypercube", "sobol", "saltelli")
_AMOUNT: Final = re.compile(
    r"(?P<number>[0-9]+(?:\.[0-9]+)?)(?: *(?P<unit>%|[A-Za-z/].*))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Width:
    """A half-width asked for: a share of the mean when *relative*, otherwise in the metric's own
    unit (*unit* as written, "" where none was).
    """

    amount: float
    relative: bool
    unit: str


def _width(value: object) -> Width:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(
            f"{kind_of(value)} is not a precision; write 2 % (of the mean), or a number in the"
            " metric's own unit"
        )
    match = _AMOUNT.fullmatch(
        value
        if isinstance(value, str)
        else f"{value:.17f}" if isinstance(value, float) and value >= 0 else str(value)
    )
    if match is None:
        raise ValueError(
            f"{shown(value)} is not a precision; write 2 % (of the mean), or a number above 0 in"
            " the metric's own unit"
        )
    number, unit = float(match["number"]), match["unit"] or ""
    if number == 0:
        raise ValueError(
            f"{shown(value)} is a width of nothing, which no number of replications reaches; write"
            " more than 0"
        )
    return Width(number / 100 if unit == "%" else number, unit == "%", "" if unit == "%" else unit)


def _options(value: object) -> object:
    """Return options given as a list (names of overlays, or {name, set}) as the mapping from name
    to overlay.
    """
    if not isinstance(value, list):
        return value
    options: dict[str, object] = {}
    for item in value:
        if (
            isinstance(item, dict)
            and set(item) == {"name", "set"}
            and isinstance(item["name"], str)
        ):
            name, overlay = item["name"], item["set"]
        elif isinstance(item, str):
            name, overlay = item.rpartition("/")[2], item
        else:
            raise ValueError(
                f"{kind_of(item)} is not an option; write the name of a shipped overlay or {{name:"
                " NAME, set: {...}}"
            )
        if name in options:
            raise ValueError(f"{name} is listed twice; list it once")
        options[name] = overlay
    return options


def _overlay(value: object) -> object:
    if not isinstance(value, dict | str):
        raise ValueError(
            f"{kind_of(value)} is not an overlay; write a mapping of what the option changes, or"
            " the name of a shipped overlay"
        )
    return value


def _levels(value: object) -> object:
    if (
        isinstance(value, dict)
        and value
        and all(isinstance(level, dict) and level for level in value.values())
    ):
        return value
    if not isinstance(value, list) or not value or any(level is None for level in value):
        raise ValueError("a factor needs a list of at least one level, none of them empty")
    return value


def _factor(value: object) -> object:
    """Return a factor given as a list of levels, or as the word `assumed`, as the mapping it stands
    for.
    """
    if isinstance(value, dict) and "levels" not in value:
        return value
    if value == ASSUMED:
        return {}
    return value if isinstance(value, dict) else {"levels": _levels(value)}


def _cases(value: object) -> object:
    if isinstance(value, dict):
        value = [{"name": name, "set": case} for name, case in value.items()]
    if not isinstance(value, list) or not value:
        raise ValueError("is empty; write at least one case, a mapping from path to value")
    for case in value:
        inner = case["set"] if isinstance(case, dict) and set(case) == {"name", "set"} else case
        if not isinstance(inner, dict) or not inner:
            what = "an empty mapping" if inner == {} else kind_of(inner)
            raise ValueError(
                f"{what} is not a case; write a mapping from path to value, or {{name: NAME, set:"
                " {path: value}}"
            )
    return value


def _some(value: dict[str, Any]) -> dict[str, Any]:
    if not value:
        raise ValueError("is empty; write at least one, or leave the key out")
    return value


Overlay = Annotated[Any, BeforeValidator(_overlay)]
Levels = Annotated[Any, BeforeValidator(_levels), WithJsonSchema({"type": ["array", "object"]})]
Precision = Annotated[
    Any,
    BeforeValidator(_width),
    WithJsonSchema({"type": ["string", "number"], "x-unit": "half-width", "examples": ["2 %"]}),
]
Distribution = Annotated[str, choice("uniform", "log_uniform", "triangular")]
Design = Annotated[
    str,
    choice(
        *DESIGNS,
        zip="list",
        sample="latin_hypercube",
        lhs="latin_hypercube",
        tornado="one_at_a_time",
    ),
]
Method = Annotated[str, choice("tornado", "morris", "sobol", "flips", "select")]


class FactorSpec(Closed):
    """One thing that varies: levels, or a range to sample from."""

    levels: Levels | None = Field(
        default=None,
        description=(
            "The levels: a list, or named levels that each set several paths, {name: {path:"
            " value}}."
        ),
    )
    low: Any = Field(
        default=None,
        description="Least value of the range; without it, the low of assumptions.csv.",
    )
    high: Any = Field(
        default=None,
        description="Largest value of the range; without it, the high of assumptions.csv.",
    )
    mode: Any = Field(
        default=None, description="Likeliest value (triangular only); without it, the scenario's."
    )
    distribution: Distribution = Field(
        default="uniform", description="How a sampled design spreads points over the range."
    )
    paths: Annotated[tuple[str, ...], AfterValidator(distinct)] = Field(
        default=(), description="Paths that all take the value; without it, the factor's name."
    )
    when: dict[str, Any] = Field(
        default={},
        description="The factor applies only where: option: names, or another factor: levels.",
    )


# A metric by its name, or by one that it had before.
Metric = Annotated[Name, AfterValidator(history.metric)]


def _named_today(precision: dict[str, Width]) -> dict[str, Width]:
    return {history.metric(name): width for name, width in precision.items()}


class Analysis(Closed):
    """What is asked of the results as a whole."""

    choose: Metric | None = Field(
        default=None, description="The metric that says which option is best."
    )
    group: str = Field(
        default="all", description="The group of that metric, such as a device type."
    )
    prefer: Annotated[str, choice("low", "high")] = Field(
        default="low", description="Whether low or high values of it are better."
    )
    smallest_difference: Precision | None = Field(
        default=None, description="Difference between options below which either will do (select)."
    )
    sensitivity: Annotated[tuple[Metric, ...], AfterValidator(distinct)] = Field(
        default=(), description="Metrics whose drivers are sought."
    )
    methods: Annotated[tuple[Method, ...], AfterValidator(distinct)] = Field(
        default=(),
        description=(
            "tornado, morris, sobol (sensitivity), flips (where the best option changes), select"
            " (which option is best, KN)."
        ),
    )


class Experiment(Closed):
    """Which worlds to compare: a scenario, changed by options and factors."""

    schema_version: Version = Field(description=VERSION_TOLD)
    experiment: Name = Field(description="Name of the experiment; results are filed under it.")
    question: Text = Field(description="The question the experiment answers.")
    scenario: Reference = Field(
        description=(
            "The scenario it starts from: a shipped name, or a path from the folder of this file."
        )
    )
    set: dict[str, Any] = Field(
        default={},
        description=(
            "What all cells change in the scenario: a mapping of the scenario's shape, or path:"
            " value."
        ),
    )
    options: Annotated[dict[Name, Overlay], AfterValidator(_some), BeforeValidator(_options)] = (
        Field(
            default={},
            description=(
                "Named changes to compare: a mapping from name to changes, or a list of shipped"
                " overlays and {name, set}."
            ),
        )
    )
    factors: Annotated[
        dict[str, Annotated[FactorSpec, BeforeValidator(_factor)]], AfterValidator(_some)
    ] = Field(
        default={},
        description=(
            "What varies, by path: a list of levels, the word assumed (the range in"
            " assumptions.csv), or a mapping."
        ),
    )
    cases: Annotated[
        Any, BeforeValidator(_cases), WithJsonSchema({"type": ["array", "object"]})
    ] = Field(
        default=(),
        description=(
            "Worlds one by one: a list of {path: value}, or named, {name: {path: value}}; instead"
            " of factors."
        ),
    )
    exclude: tuple[dict[str, Any], ...] = Field(
        default=(),
        description=(
            "Combinations to leave out: each a mapping from factor (or option) to level or levels."
        ),
    )
    design: Design = Field(
        default="grid",
        description=(
            "grid: every combination of levels; list or zip: first levels together, then the"
            " second, and so on; one_at_a_time: each factor's ends with the others as they are;"
            " latin_hypercube (sample), sobol or saltelli (for Sobol' indices): points in the"
            " ranges, from the seed."
        ),
    )
    points: Annotated[int, count(1, 1_000_000)] | None = Field(
        default=None,
        description="Points of a sampled design; saltelli makes (factors + 2) worlds of each.",
    )
    comparator: str | None = Field(
        default=None,
        description=(
            "Option or cell that the others are compared with, pair by pair; without it, no"
            " comparison."
        ),
    )
    replications: Replications | None = Field(
        default=None,
        description=(
            "Replications of each cell, the least with a precision; without it, the scenario's."
        ),
    )
    precision: Annotated[
        dict[str, Precision], AfterValidator(_named_today), AfterValidator(_some)
    ] = Field(
        default={},
        description=(
            "Replicate until the 95 % interval of each METRIC (or METRIC.GROUP) is this narrow: 2 %"
            " (of the mean), or a half-width in its unit."
        ),
    )
    most_replications: Replications | None = Field(
        default=None,
        description=(
            "The most replications of a cell on the way to a precision; without it, the high of"
            " replications in assumptions.csv."
        ),
    )
    seed: Seed | None = Field(
        default=None,
        description="Seed of every cell and of the sampled points; without it, the scenario's.",
    )
    metrics: Annotated[tuple[Metric, ...], AfterValidator(distinct)] = Field(
        default=(), description="Metrics to print, first the most important; without it, all."
    )
    primary: Metric | None = Field(default=None, description="The metric the answer turns on.")
    analysis: Analysis | None = Field(
        default=None,
        description=(
            "What is asked of the results as a whole; without it, estimates and differences alone."
        ),
    )

    # Where it was read from, so that a fault in a cell can name the line; and the --set changes
    # that cells still have to take.
    _source: Node | None = PrivateAttr(default=None)
    _sets: tuple[tuple[str, Node], ...] = PrivateAttr(default=())
