"""The rows of stages, each looking at what arrives in a slot, in order (`docs/model.md` section
10); rows on service are the server's own.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any

from sim.scenario.fields import of_server

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario
    from sim.twin.estate import Luck
    from sim.twin.messages import Attempt


def whole(rate: Fraction, slot: int) -> int:
    """Return what a *rate* per second allows in *slot*."""
    top, bottom = rate.numerator, rate.denominator
    return (slot + 1) * top // bottom - slot * top // bottom


@dataclass(eq=False)
class Repeats:
    """How often one sender repeated one code or kind: the rule of SECMP0062 and of MP119."""

    spec: Any
    seen_s: list[int] = field(default_factory=list)
    forwarded_s: int | None = None
    n_over: int = 0

    def lets_pass(self, second: int) -> bool:
        """Count one more at *second*, and return whether it goes on."""
        is_over = (
            sum(seen_s > second - self.spec.window for seen_s in self.seen_s) >= self.spec.threshold
        )
        self.seen_s.append(second)
        self.n_over = self.n_over + 1 if is_over else 0
        if not is_over:
            return True
        if self.spec.kind == "alert_storm_protection" and self.spec.forward_one_in is not None:
            return bool(self.n_over % self.spec.forward_one_in == 0)
        if self.forwarded_s is None or self.forwarded_s <= second - self.spec.forward_period:
            self.forwarded_s = second
            return True
        return False


# what an attempt is told ("" for: go on), and when it comes again if it is "put off"
Verdict = tuple[str, int]
GO_ON: Verdict = "", 0
REFUSED: Verdict = "refused", 0


@dataclass(eq=False)
class StageRow:
    """One mitigation of the server called *name*, and its *number* among those of the stage.
    *waited* and *out* are the server's own.
    """

    number: int
    spec: Any
    luck: Luck
    scenario: Scenario
    name: str
    waited: dict[int, int]
    out: list[tuple[int, int]]

    def __post_init__(self) -> None:
        """Begin with what the kind of row remembers: here nothing."""

    def is_for(self, attempt: Attempt) -> bool:
        return not self.spec.kinds or attempt.message.kind in self.spec.kinds

    def look(self, slot: int, arrivals: list[Attempt]) -> list[Verdict]:
        """Return what each of *arrivals*, in order, is told."""
        return [
            self.judge(slot, attempt) if self.is_for(attempt) else GO_ON for attempt in arrivals
        ]

    def judge(self, slot: int, attempt: Attempt) -> Verdict:
        """Return what *attempt*, which the row is for, is told; each kind of row has its own way.
        """
        raise AssertionError(
            f"{self.spec.kind} does not look at arrivals one by one: {slot} {attempt}"
        )


class AccessBarring(StageRow):
    """Some arrivals at a crowded cell come again later."""

    def judge(self, slot: int, attempt: Attempt) -> Verdict:
        message = attempt.message
        address = message.place, message.index, slot
        is_crowded = self.waited.get(slot - 1, 0) > of_server(self.spec.above, self.name)
        if is_crowded and self.luck.happens(self.spec.share, "row.barred", *address):
            return "put off", slot + 1 + self.luck.scaled(self.spec.hold, "row.bar", *address)
        return GO_ON


class AlertStormProtection(StageRow):
    """Named messages that one sender repeats, by their code."""

    def __post_init__(self) -> None:
        self.repeats: dict[tuple[int, int, str], Repeats] = defaultdict(lambda: Repeats(self.spec))
        self.code_of = {kind: alert.code for kind, alert in self.scenario.alerts.kinds.items()}
        codes = {
            kind
            for kind, alert in self.scenario.alerts.kinds.items()
            if alert.code in self.spec.exclude
        }
        self.excluded = codes | set(self.spec.exclude)

    def judge(self, slot: int, attempt: Attempt) -> Verdict:
        message = attempt.message
        if message.sender is None or message.kind in self.excluded:
            return GO_ON
        code = self.code_of.get(message.kind, message.kind)
        return (
            GO_ON
            if self.repeats[message.place, message.index, code].lets_pass(slot)
            else ("throttled", 0)
        )


class CircuitBreaker(StageRow):
    """Opens when too many came, and refuses while it is open."""

    def __post_init__(self) -> None:
        self.came_s: list[int] = []
        self.open_until_s = self.looked_until_s = 0

    def look(self, slot: int, arrivals: list[Attempt]) -> list[Verdict]:
        while self.looked_until_s <= slot:
            start_s = self.looked_until_s
            self.came_s = [second for second in self.came_s if second >= start_s - self.spec.window]
            above = of_server(self.spec.above, self.name)
            if start_s >= self.open_until_s and len(self.came_s) > above:
                self.open_until_s = start_s + self.spec.open
            self.looked_until_s += 1
        return super().look(slot, arrivals)

    def judge(self, slot: int, attempt: Attempt) -> Verdict:
        self.came_s.append(slot)
        return GO_ON if slot >= self.open_until_s else REFUSED


class Admission(StageRow):
    """A bucket of tokens."""

    def __post_init__(self) -> None:
        self.burst = of_server(self.spec.burst, self.name)
        self.rate = of_server(self.spec.rate, self.name)
        self.tokens = self.burst
        self.filled_until_s = 0

    def look(self, slot: int, arrivals: list[Attempt]) -> list[Verdict]:
        while self.filled_until_s <= slot:
            self.tokens = min(self.burst, self.tokens + whole(self.rate, self.filled_until_s))
            self.filled_until_s += 1
        return super().look(slot, arrivals)

    def judge(self, slot: int, attempt: Attempt) -> Verdict:
        if self.tokens == 0:
            return REFUSED
        self.tokens -= 1
        return GO_ON


class Shed(StageRow):
    """Nobody comes in while too many wait."""

    def judge(self, slot: int, attempt: Attempt) -> Verdict:
        above = of_server(self.spec.above, self.name)
        return REFUSED if self.waited.get(slot - 1, 0) > above else GO_ON


class Allocation(StageRow):
    """Above the operating threshold each user has its share."""

    def look(self, slot: int, arrivals: list[Attempt]) -> list[Verdict]:
        threshold = whole(self.spec.above, slot)
        self.is_busy = sum(map(self.is_for, arrivals)) > threshold
        self.left = {
            name: floor(share * threshold + 1e-9)
            for name, share in self.scenario.estate.users.items()
        }
        return super().look(slot, arrivals)

    def judge(self, slot: int, attempt: Attempt) -> Verdict:
        user = self.user_of(attempt)
        self.left[user] -= 1
        return REFUSED if self.is_busy and self.left[user] < 0 else GO_ON

    def user_of(self, attempt: Attempt) -> str:
        message = attempt.message
        named_by_kind = (
            None if message.sender is not None else self.scenario.traffic.kinds[message.kind].user
        )
        return message.home.user if named_by_kind is None else named_by_kind


class Redelivery(StageRow):
    """What a user who is out does not take comes again once, or when the user is back, or never."""

    def judge(self, slot: int, attempt: Attempt) -> Verdict:
        if back_s(self.out, slot) is None:
            return GO_ON
        again_s = slot + self.spec.after
        end_s = back_s(self.out, again_s)
        if end_s is None:
            return "put off", again_s
        return ("put off", end_s) if end_s - slot <= self.spec.hold else ("failed", 0)


KINDS: dict[str, type[StageRow]] = {
    "access_barring": AccessBarring,
    "alert_storm_protection": AlertStormProtection,
    "circuit_breaker": CircuitBreaker,
    "admission": Admission,
    "shed": Shed,
    "allocation": Allocation,
    "redelivery": Redelivery,
}


def back_s(out: list[tuple[int, int]], slot: int) -> int | None:
    """Return when a server that is *out* in *slot* is back; None where it is not out."""
    return next((end_s for start_s, end_s in out if start_s <= slot < end_s), None)
