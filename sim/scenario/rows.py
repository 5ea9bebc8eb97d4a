"""Mitigations, each a row of a stage: what it is called, what it takes, and at which stages it can be (S1-19, H8).

What a row does is said in `docs/model.md`, section 10; here is its shape. A row's `kinds` names the kinds of message it is for; without it, all that pass.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from sim import words
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

_MOST: Final = 2**31 - 1
Count = Annotated[int, count(0, _MOST)]
PositiveCount = Annotated[int, count(1, _MOST)]
Backoff = Annotated[str, choice(*words.Backoff.words())]


class _Whole(Closed):
    """A row that is for all messages: it acts on a server or a link."""

    kind: str

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds the row is for: none named, so all."""
        return ()


class _Row(Closed):
    kind: str
    kinds: Names = Field(default=(), description="Kinds of message the row is for; without it, all that pass.")


class Jitter(_Row):
    """A device holds each message back by up to *window*, uniformly."""

    kind: Literal["jitter"] = Field(description="A device holds its messages back at random.")
    window: PositiveDuration = Field(description="Longest time a message is held back.")


class TokenBucket(_Row):
    """A device sends no faster than its tokens come."""

    kind: Literal["token_bucket"] = Field(description="A device sends no faster than its tokens come; the rest is throttled.")
    every: PositiveDuration = Field(description="Time in which one token comes.")
    burst: PositiveCount = Field(description="Tokens that may be saved up: messages that pass at once.")


class Dedupe(_Row):
    """A hub drops an alert that it has just forwarded."""

    kind: Literal["dedupe"] = Field(description="A hub drops an alert like the one it has just let pass.")
    window: PositiveDuration = Field(description="Time after an alert that passed within which the same one is dropped.")


class Consolidate(_Row):
    """A hub forwards few of the alerts that a device repeats."""

    kind: Literal["consolidate"] = Field(description="A hub forwards few of the alerts that one device repeats.")
    threshold: PositiveCount = Field(description="Copies of one alert from one device within the window that pass unhindered.")
    window: PositiveDuration = Field(description="Time over which copies are counted.")
    forward_period: PositiveDuration = Field(description="Above the threshold, one copy is forwarded per this time.")


class Batch(_Row):
    """A hub sends at times of its own, one message of a sender and kind."""

    kind: Literal["batch"] = Field(description="A hub sends at times of its own, the latest message of each sender and kind.")
    period: PositiveDuration = Field(description="Time between batches of one hub.")


class HoldDown(_Row):
    """A hub that was dark waits before it sends."""

    kind: Literal["hold_down"] = Field(description="A hub that was dark is silent for a while.")
    time: Duration = Field(description="Time it is silent at least.")
    spread: Duration = Field(description="Time after that within which hubs speak again, uniformly.")


class Retry(_Row):
    """A sender tries again what was refused or not answered."""

    kind: Literal["retry"] = Field(description="A sender tries again what was refused, or not answered in time.")
    base: PositiveDuration = Field(description="Wait before the first retry.")
    factor: Annotated[int, count(1, 1000)] = Field(description="What each further wait is multiplied by (decorrelated waits have no use for it).")
    most: PositiveDuration = Field(description="Longest wait.")
    jitter: Backoff = Field(
        description="How waits are spread: none, full (up to the wait), equal (its second half) or decorrelated (base to 3 times the last)."
    )
    cap: Annotated[int, count(0, 1000)] = Field(description="Retries of one message at most.")
    timeout: PositiveDuration | None = Field(default=None, description="Time after which an unanswered attempt has failed; without it, only refusal fails.")
    budget: Share | None = Field(default=None, description="Retries per first attempt of a region at most; without it, any number.")


class AccessBarring(_Row):
    """A crowded cell puts some arrivals off."""

    kind: Literal["access_barring"] = Field(description="A crowded cell puts some arrivals off.")
    above: ByServer[Count] = Field(description="Messages waiting at the cell above which it bars.")
    share: Share = Field(description="Share of arrivals that it puts off.")
    hold: PositiveDuration = Field(description="Time within which they come again, uniformly.")


class AlertStormProtection(_Row):
    """The DSP's protection against a device that repeats one alert: it counts per device and code (F6)."""

    kind: Literal["alert_storm_protection"] = Field(description="The DSP forwards few of the alerts that one device repeats, counted per device and code.")
    threshold: PositiveCount = Field(description="Copies of one alert from one device within the window that pass unhindered.")
    window: PositiveDuration = Field(description="Time over which copies are counted.")
    forward_period: PositiveDuration | None = Field(default=None, description="Above the threshold, one copy is forwarded per this time.")
    forward_one_in: PositiveCount | None = Field(default=None, description="Above the threshold, one copy in so many is forwarded.")
    exclude: KindsOrCodes = Field(default=(), description="Kinds or codes that are never throttled.")


class CircuitBreaker(_Row):
    """A stage that was overrun refuses everything for a while."""

    kind: Literal["circuit_breaker"] = Field(description="A server that was overrun refuses all arrivals for a while.")
    above: ByServer[Count] = Field(
        description="Arrivals at the server within the window above which it opens.",
        json_schema_extra=OF_THE_ESTATE,
    )
    window: PositiveDuration = Field(description="Time over which arrivals are counted.")
    open: PositiveDuration = Field(description="Time for which it refuses.")


class Admission(_Row):
    """A stage admits no faster than its tokens come."""

    kind: Literal["admission"] = Field(description="A server admits no faster than its tokens come; the rest is refused.")
    rate: ByServer[PositiveRate] = Field(
        description="Tokens per time.", json_schema_extra=OF_THE_ESTATE
    )
    burst: ByServer[PositiveCount] = Field(
        description="Tokens that may be saved up.", json_schema_extra=OF_THE_ESTATE
    )


class Shed(_Row):
    """A stage refuses kinds of message while it is behind."""

    kind: Literal["shed"] = Field(description="A server refuses arrivals while it is behind.")
    above: ByServer[Count] = Field(
        description="Messages waiting at the server above which it refuses.",
        json_schema_extra=OF_THE_ESTATE,
    )


class Allocation(_Row):
    """When the DSP is busy, each user gets no more than its share."""

    kind: Literal["allocation"] = Field(description="Above an operating threshold, each user gets no more than its share of premises.")
    above: PositiveRate = Field(
        description="Operating threshold: arrivals per time above which shares count.",
        json_schema_extra=OF_THE_ESTATE,
    )


class Shape(_Whole):
    """A stage passes messages on no faster than agreed."""

    kind: Literal["shape"] = Field(description="A server passes messages on no faster than agreed; the rest waits.")
    rate: ByServer[PositiveRate] = Field(
        description="Messages per time.", json_schema_extra=OF_THE_ESTATE
    )


class Lifo(_Whole):
    """A stage that is behind serves the newest first."""

    kind: Literal["lifo"] = Field(description="A server that is behind serves the newest first.")
    above: ByServer[Count] = Field(
        description="Messages waiting in a priority above which its newest go first.",
        json_schema_extra=OF_THE_ESTATE,
    )


class Codel(_Whole):
    """A stage that has been behind for long refuses what has waited for long."""

    kind: Literal["codel"] = Field(description="A server that has been behind for long refuses what has waited for long.")
    target: Duration = Field(description="Wait that is no cause for concern.")
    interval: PositiveDuration = Field(description="Time for which waits may stay above the target before messages are refused.")


class StaggeredReconnect(_Whole):
    """Hubs whose link returns do not all send at once."""

    kind: Literal["staggered_reconnect"] = Field(description="Hubs whose link returns connect one after the other.")
    spread: PositiveDuration = Field(description="Time within which they connect, uniformly.")


class Redelivery(_Row):
    """What a user who is out did not take is offered again."""

    kind: Literal["redelivery"] = Field(description="What a user who is out did not take is offered again.")
    after: PositiveDuration = Field(description="Time until it is offered the second time.")
    hold: PositiveDuration = Field(description="Time for which it is held for the user.")


AnyRow = (
    Jitter | TokenBucket | Dedupe | Consolidate | Batch | HoldDown | Retry | AccessBarring | AlertStormProtection | CircuitBreaker | Admission | Shed
    | Allocation | Shape | Lifo | Codel | StaggeredReconnect | Redelivery
)  # fmt: skip
_SERVERS: Final = ("cell", "csp", "dsp")
ROWS: Final[dict[str, tuple[type[_Row] | type[_Whole], tuple[str, ...]]]] = {  # kind: its shape, and the stages it can be at
    "jitter": (Jitter, ("device",)),
    "token_bucket": (TokenBucket, ("device",)),
    "dedupe": (Dedupe, ("hub",)),
    "consolidate": (Consolidate, ("hub",)),
    "batch": (Batch, ("hub",)),
    "hold_down": (HoldDown, ("hub",)),
    "retry": (Retry, ("device", "hub")),
    "access_barring": (AccessBarring, ("cell",)),
    "alert_storm_protection": (AlertStormProtection, ("dsp",)),
    "circuit_breaker": (CircuitBreaker, _SERVERS),
    "admission": (Admission, _SERVERS),
    "shed": (Shed, _SERVERS),
    "allocation": (Allocation, ("dsp",)),
    "shape": (Shape, _SERVERS),
    "lifo": (Lifo, _SERVERS),
    "codel": (Codel, _SERVERS),
    "staggered_reconnect": (StaggeredReconnect, ("cell", "csp")),
    "redelivery": (Redelivery, ("user",)),
}
# Rows that know messages by their sender: traffic, which is only counted, they never see.
OF_SENDERS: Final = (
    "jitter", "token_bucket", "dedupe", "consolidate", "batch", "hold_down",
    "alert_storm_protection", "redelivery",
)  # fmt: skip


Row = Annotated[AnyRow, Field(discriminator="kind")]
