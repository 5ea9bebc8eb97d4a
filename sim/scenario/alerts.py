"""The kinds of alert that devices raise by name, and what makes each of them (S1-19;
`docs/model.md`, section 11).
"""

from __future__ import annotations

from typing import Annotated, Final, TypeVar

from pydantic import AfterValidator, Field

from sim.scenario import read_when as when
from sim.scenario.fields import (
    Closed,
    Code,
    Flag,
    Name,
    Names,
    PositiveClockRate,
    PositiveDuration,
    Share,
    Size,
    Spread,
    Tail,
    choice,
)
from sim.scenario.forms import NameOf, NeededBy
from sim.words import AlertCause

_T = TypeVar("_T")
# The kinds of message that a row or a priority may name.
KIND_OF_MESSAGE: Final = NameOf(
    ("alerts.kinds", "traffic.kinds"), "kind of message", "the kinds are", also=("version_report",)
)

SENDERS: Final = ("hub", "esme", "gsme", "ppmid", "ihd", "hcalcs")
Sender = Annotated[str, choice(*SENDERS)]
CAUSES: Final = AlertCause.words()
FIRMWARE_CAUSES: Final = CAUSES[AlertCause.TRANSFERRED :]  # only in a world with a firmware block
Cause = Annotated[str, choice(*CAUSES)]


def _for(*causes: str) -> NeededBy:
    return NeededBy("an alert", "cause", causes)


def _tail(tail: float) -> float:
    if abs(tail - 1) < 1e-6:
        raise ValueError(
            f"{tail:g} is the one exponent for which the law of the mean has another form; write a"
            " little less or more, such as 0.99"
        )
    return tail


class AlertKind(Closed):
    """One kind of alert: who raises it, and when."""

    code: Code = Field(description="Its code, such as 8F36: exclusion lists may name it.")
    sender: Sender = Field(description="Who raises it: hub, or a device type.")
    cause: Cause = Field(
        description=(
            "What makes it: outage (it begins), restoration (it ends), reboot (a dark spell without"
            " loss of supply ends), random or chatter; in a firmware world also transferred,"
            " received, activated (an image), cut and cut_restored (supply, by an activation)."
        )
    )
    share: Share = Field(description="Share of senders that raise it.")
    after: Annotated[PositiveDuration | None, _for("outage", "restoration", "cut")] = Field(
        default=None,
        description="Shortest outage that counts; an outage alert leaves when it has passed.",
    )
    rate: Annotated[PositiveClockRate | None, _for("random", "chatter")] = Field(
        default=None,
        description="Alerts per sender that raises it; for chatter the mean of their rates.",
    )
    tail: Annotated[Annotated[Tail, AfterValidator(_tail)] | None, _for("chatter")] = Field(
        default=None,
        description=(
            "Exponent of the bounded Pareto law of chattering senders' rates: the smaller,"
            " the heavier the tail."
        ),
    )
    spread: Annotated[Spread | None, _for("chatter")] = Field(
        default=None,
        description="Largest rate of a chattering sender in multiples of the smallest.",
    )
    genuine: Flag = Field(
        description="Whether it tells of something that matters; what chatters does not."
    )
    target: PositiveDuration = Field(description="Response-time target of the kind.")
    size: Size = Field(description="Bytes of a message between device and DSP (GBCS).")

    @property
    def fastest_per_s(self) -> float | None:
        """Return the rate in 1/s than which no sender of chatter is noisier, the upper bound of its
        law; None of what does not chatter.
        """
        if self.rate is None or self.tail is None or self.spread is None:
            return None
        least = (
            (self.tail - 1)
            / self.tail
            * (1 - self.spread**-self.tail)
            / (1 - self.spread ** (1 - self.tail))
        )
        return float(float(self.rate) * least * self.spread)


def _by_name(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(names))


def kinds_by_name(kinds: dict[str, _T]) -> dict[str, _T]:
    """Return *kinds* of message in the order of their names; refuse a name that the tables use
    themselves.
    """
    taken = [name for name in ("version_report", "request", "alerts", "all") if name in kinds]
    if taken:
        raise ValueError(
            f"{taken[0]} is a kind that the tables use themselves; choose another name"
        )
    if len(kinds) > 100:
        raise ValueError(f"{len(kinds)} kinds; at most 100")
    return dict(sorted(kinds.items()))


class Alerts(Closed):
    """Alerts that have a sender; those of `traffic.kinds` are only counted."""

    active: Annotated[
        Names,
        AfterValidator(_by_name),
        NameOf(("alerts.kinds",), "kind of alert", "alerts.kinds has:", as_whole=True),
    ] = Field(default=(), description="Kinds of alert that there are, of those below.")
    kinds: Annotated[dict[Name, AlertKind], AfterValidator(kinds_by_name), when.ACTIVE] = Field(
        default={}, description="The kinds of alert, by name."
    )
