"""Mitigations, each a row of a stage: what it takes (S1-19, H8).

What a row does is said in `docs/model.md`, section 10, where it can be in `sim/mitigations.py`;
here is its shape. A row's `kinds` names the kinds of message it is for; without it, all that pass.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, Field

from sim import words
from sim.mitigations import MITIGATIONS
from sim.scenario.alerts import KIND_OF_MESSAGE
from sim.scenario.fields import (
    OF_THE_ESTATE,
    ByServer,
    Closed,
    Duration,
    KindsOrCodes,
    Names,
    PositiveDuration,
    PositiveRate,
    Share,
    choice,
    count,
)
from sim.scenario.forms import NotBelow, OnlyBeside
from sim.units import DAY_S, format_duration

_MOST: Final = 2**31 - 1
Count = Annotated[int, count(0, _MOST)]
PositiveCount = Annotated[int, count(1, _MOST)]


def _looks_back(seconds: int) -> int:
    if seconds > DAY_S:
        raise ValueError(
            f"{format_duration(seconds)} is too long; a budget looks back at most 1 d, or, without"
            " budget_window, to the beginning of the world"
        )
    return seconds


BudgetWindow = Annotated[PositiveDuration, AfterValidator(_looks_back)]
Backoff = Annotated[str, choice(*words.Backoff.words())]


def _means(kind: str) -> Any:
    return Field(description=MITIGATIONS[kind].means)


class _Whole(Closed):
    """A row that is for all messages: it acts on a server or a link."""

    kind: str

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds the row is for: none named, so all."""
        return ()


class _Row(Closed):
    kind: str
    kinds: Annotated[Names, KIND_OF_MESSAGE] = Field(
        default=(), description="Kinds of message the row is for; without it, all that pass."
    )


class Jitter(_Row):
    """A device holds each message back by up to *window*, uniformly."""

    kind: Literal["jitter"] = _means("jitter")
    window: PositiveDuration = Field(description="Longest time a message is held back.")


class TokenBucket(_Row):
    """A device sends no faster than its tokens come."""

    kind: Literal["token_bucket"] = _means("token_bucket")
    every: PositiveDuration = Field(description="Time in which one token comes.")
    burst: PositiveCount = Field(
        description="Tokens that may be saved up: messages that pass at once."
    )


class Dedupe(_Row):
    """A hub drops an alert that it has just forwarded."""

    kind: Literal["dedupe"] = _means("dedupe")
    window: PositiveDuration = Field(
        description="Time after an alert that passed within which the same one is dropped."
    )


class Consolidate(_Row):
    """A hub forwards few of the alerts that a device repeats."""

    kind: Literal["consolidate"] = _means("consolidate")
    threshold: PositiveCount = Field(
        description="Copies of one alert from one device within the window that pass unhindered."
    )
    window: PositiveDuration = Field(description="Time over which copies are counted.")
    forward_period: PositiveDuration = Field(
        description="Above the threshold, one copy is forwarded per this time."
    )


class Batch(_Row):
    """A hub sends at times of its own, one message of a sender and kind."""

    kind: Literal["batch"] = _means("batch")
    period: PositiveDuration = Field(description="Time between batches of one hub.")


class HoldDown(_Row):
    """A hub that was dark waits before it sends."""

    kind: Literal["hold_down"] = _means("hold_down")
    time: Duration = Field(description="Time it is silent at least.")
    spread: Duration = Field(
        description="Time after that within which hubs speak again, uniformly."
    )


class Retry(_Row):
    """A sender tries again what was refused or not answered."""

    kind: Literal["retry"] = _means("retry")
    base: PositiveDuration = Field(description="Wait before the first retry.")
    factor: Annotated[int, count(1, 1000)] = Field(
        description=(
            "What each further wait is multiplied by (decorrelated waits have no use for it)."
        )
    )
    most: Annotated[
        PositiveDuration,
        NotBelow("base", "the longest wait of {} is shorter than the first of {}"),
    ] = Field(description="Longest wait.")
    jitter: Backoff = Field(
        description=(
            "How waits are spread: none, full (up to the wait), equal (its second half) or"
            " decorrelated (base to 3 times the last)."
        )
    )
    cap: Annotated[int, count(0, 1000)] = Field(description="Retries of one message at most.")
    timeout: PositiveDuration | None = Field(
        default=None,
        description=(
            "Time after which an unanswered attempt has failed; without it, only refusal fails."
        ),
    )
    budget: Share | None = Field(
        default=None,
        description="Retries per first attempt of a region at most; without it, any number.",
    )
    budget_window: Annotated[BudgetWindow | None, OnlyBeside("budget")] = Field(
        default=None,
        description=(
            "Time before a retry over which its budget counts retries and first attempts; without"
            " it, all since the world began."
        ),
    )


class AccessBarring(_Row):
    """A crowded cell puts some arrivals off."""

    kind: Literal["access_barring"] = _means("access_barring")
    above: ByServer[Count] = Field(description="Messages waiting at the cell above which it bars.")
    share: Share = Field(description="Share of arrivals that it puts off.")
    hold: PositiveDuration = Field(description="Time within which they come again, uniformly.")


class AlertStormProtection(_Row):
    """The DSP's protection against a device that repeats one alert: it counts per device and code
    (F6).
    """

    kind: Literal["alert_storm_protection"] = _means("alert_storm_protection")
    threshold: PositiveCount = Field(
        description="Copies of one alert from one device within the window that pass unhindered."
    )
    window: PositiveDuration = Field(description="Time over which copies are counted.")
    forward_period: PositiveDuration | None = Field(
        default=None, description="Above the threshold, one copy is forwarded per this time."
    )
    forward_one_in: PositiveCount | None = Field(
        default=None, description="Above the threshold, one copy in so many is forwarded."
    )
    exclude: KindsOrCodes = Field(
        default=(), description="Kinds or codes that are never throttled."
    )


class CircuitBreaker(_Row):
    """A stage that was overrun refuses everything for a while."""

    kind: Literal["circuit_breaker"] = _means("circuit_breaker")
    above: ByServer[Count] = Field(
        description="Arrivals at the server within the window above which it opens.",
        json_schema_extra=OF_THE_ESTATE,
    )
    window: PositiveDuration = Field(description="Time over which arrivals are counted.")
    open: PositiveDuration = Field(description="Time for which it refuses.")


class Admission(_Row):
    """A stage admits no faster than its tokens come."""

    kind: Literal["admission"] = _means("admission")
    rate: ByServer[PositiveRate] = Field(
        description="Tokens per time.", json_schema_extra=OF_THE_ESTATE
    )
    burst: ByServer[PositiveCount] = Field(
        description="Tokens that may be saved up.", json_schema_extra=OF_THE_ESTATE
    )


class Shed(_Row):
    """A stage refuses kinds of message while it is behind."""

    kind: Literal["shed"] = _means("shed")
    above: ByServer[Count] = Field(
        description="Messages waiting at the server above which it refuses.",
        json_schema_extra=OF_THE_ESTATE,
    )


class Allocation(_Row):
    """When the DSP is busy, each user gets no more than its share."""

    kind: Literal["allocation"] = _means("allocation")
    above: PositiveRate = Field(
        description="Operating threshold: arrivals per time above which shares count.",
        json_schema_extra=OF_THE_ESTATE,
    )


class Shape(_Whole):
    """A stage passes messages on no faster than agreed."""

    kind: Literal["shape"] = _means("shape")
    rate: ByServer[PositiveRate] = Field(
        description="Messages per time.", json_schema_extra=OF_THE_ESTATE
    )


class Lifo(_Whole):
    """A stage that is behind serves the newest first."""

    kind: Literal["lifo"] = _means("lifo")
    above: ByServer[Count] = Field(
        description="Messages waiting in a priority above which its newest go first.",
        json_schema_extra=OF_THE_ESTATE,
    )


class Codel(_Whole):
    """A stage that has been behind for long refuses what has waited for long."""

    kind: Literal["codel"] = _means("codel")
    target: Duration = Field(description="Wait that is no cause for concern.")
    interval: PositiveDuration = Field(
        description="Time for which waits may stay above the target before messages are refused."
    )


class StaggeredReconnect(_Whole):
    """Hubs whose link returns do not all send at once."""

    kind: Literal["staggered_reconnect"] = _means("staggered_reconnect")
    spread: PositiveDuration = Field(description="Time within which they connect, uniformly.")


class Redelivery(_Row):
    """What a user who is out did not take is offered again."""

    kind: Literal["redelivery"] = _means("redelivery")
    after: PositiveDuration = Field(description="Time until it is offered the second time.")
    hold: Annotated[
        PositiveDuration,
        NotBelow("after", "held for {}, a message is gone before it is offered again after {}"),
    ] = Field(description="Time for which it is held for the user.")


AnyRow = (
    Jitter
    | TokenBucket
    | Dedupe
    | Consolidate
    | Batch
    | HoldDown
    | Retry
    | AccessBarring
    | AlertStormProtection
    | CircuitBreaker
    | Admission
    | Shed
    | Allocation
    | Shape
    | Lifo
    | Codel
    | StaggeredReconnect
    | Redelivery
)
# The shape of each kind, by its word.
ROW_SHAPES: Final[dict[str, type[_Row] | type[_Whole]]] = {
    shape.model_fields["kind"].annotation.__args__[0]: shape for shape in get_args(AnyRow)
}
Row = Annotated[AnyRow, Field(discriminator="kind")]
