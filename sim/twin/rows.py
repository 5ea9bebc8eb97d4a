"""The rows of stages, each looking at what arrives in a slot, in order (`docs/model.md` section 10); rows on service are the server's own."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any

from sim.twin.messages import Attempt

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario
    from sim.twin.estate import Luck
    from sim.twin.stages import Server


def whole(rate: Fraction, slot: int) -> int:
    """Return what a *rate* per second allows in *slot*."""
    return floor((slot + 1) * rate) - floor(slot * rate)


@dataclass(eq=False)
class Repeats:
    """How often one sender repeated one kind: the rule of SECMP0062 and of MP119."""

    spec: Any
    seen_s: list[int] = field(default_factory=list)
    forwarded_s: int | None = None
    n_over: int = 0

    def lets_pass(self, second: int) -> bool:
        """Count one more at *second*, and return whether it goes on."""
        is_over = sum(seen_s > second - self.spec.window for seen_s in self.seen_s) >= self.spec.threshold
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


@dataclass(eq=False)
class StageRow:
    """One mitigation of one server, and its *number* among those of the stage. `look` is what each kind of row does with the arrivals of a slot."""

    number: int
    spec: Any
    server: Server
    luck: Luck
    scenario: Scenario

    def is_for(self, attempt: Attempt) -> bool:
        return not self.spec.kinds or attempt.message.kind in self.spec.kinds

    def look(self, slot: int, arrivals: list[Attempt]) -> list[Attempt]:
        """Return those of *arrivals* that go on, in order; the server hears of the others."""
        return [attempt for attempt in arrivals if not self.is_for(attempt) or self.admits(slot, attempt)]

    def admits(self, slot: int, attempt: Attempt) -> bool:
        """Return whether *attempt* goes on; if not, the server has been told what becomes of it."""
        raise AssertionError(f"{self.spec.kind} does not look at arrivals one by one: {slot} {attempt}")

    def waited_before(self, slot: int) -> int:
        return self.server.waited.get(slot - 1, 0)

    def refuse(self, attempt: Attempt) -> bool:
        self.server.stop(attempt, "refused", self)
        return False


class AccessBarring(StageRow):
    """Some arrivals at a crowded cell come again later."""

    def admits(self, slot: int, attempt: Attempt) -> bool:
        message = attempt.message
        address = message.place, message.index, slot
        if self.waited_before(slot) > self.spec.above and self.luck.happens(self.spec.share, "row.barred", *address):
            self.server.put_off(attempt, slot + 1 + self.luck.scaled(self.spec.hold, "row.bar", *address), self)
            return False
        return True


class AlertStormProtection(StageRow):
    """Named messages that one sender repeats."""

    def __post_init__(self) -> None:
        self.repeats: dict[tuple[int, int, str], Repeats] = defaultdict(lambda: Repeats(self.spec))
        codes = {kind for kind, alert in self.scenario.alerts.kinds.items() if alert.code in self.spec.exclude}
        self.excluded = codes | set(self.spec.exclude)

    def admits(self, slot: int, attempt: Attempt) -> bool:
        message = attempt.message
        if message.sender is None or message.kind in self.excluded or self.repeats[message.place, message.index, message.kind].lets_pass(slot):
            return True
        self.server.stop(attempt, "throttled", self)
        return False


class CircuitBreaker(StageRow):
    """Opens when too many came, and refuses while it is open."""

    def __post_init__(self) -> None:
        self.came_s: list[int] = []
        self.open_until_s = self.looked_until_s = 0

    def look(self, slot: int, arrivals: list[Attempt]) -> list[Attempt]:
        while self.looked_until_s <= slot:
            start_s = self.looked_until_s
            came = sum(start_s - self.spec.window <= second < start_s for second in self.came_s)
            if start_s >= self.open_until_s and came > self.spec.above:
                self.open_until_s = start_s + self.spec.open
            self.looked_until_s += 1
            self.came_s = [second for second in self.came_s if second >= start_s - self.spec.window]
        return super().look(slot, arrivals)

    def admits(self, slot: int, attempt: Attempt) -> bool:
        self.came_s.append(slot)
        return slot >= self.open_until_s or self.refuse(attempt)


class Admission(StageRow):
    """A bucket of tokens."""

    def __post_init__(self) -> None:
        self.tokens, self.filled_until_s = self.spec.burst, 0

    def look(self, slot: int, arrivals: list[Attempt]) -> list[Attempt]:
        while self.filled_until_s <= slot:
            self.tokens = min(self.spec.burst, self.tokens + whole(self.spec.rate, self.filled_until_s))
            self.filled_until_s += 1
        return super().look(slot, arrivals)

    def admits(self, slot: int, attempt: Attempt) -> bool:
        if self.tokens == 0:
            return self.refuse(attempt)
        self.tokens -= 1
        return True


class Shed(StageRow):
    """Nobody comes in while too many wait."""

    def admits(self, slot: int, attempt: Attempt) -> bool:
        return self.waited_before(slot) <= self.spec.above or self.refuse(attempt)


class Allocation(StageRow):
    """Above the operating threshold each user has its share."""

    def look(self, slot: int, arrivals: list[Attempt]) -> list[Attempt]:
        threshold, users = whole(self.spec.above, slot), self.scenario.estate.users
        if sum(map(self.is_for, arrivals)) <= threshold:
            return arrivals
        left = {name: floor(share * threshold) for name, share in users.items()}
        passed = []
        for attempt in arrivals:
            user = self.user_of(attempt)
            if not self.is_for(attempt) or left[user] > 0:
                left[user] -= self.is_for(attempt)
                passed.append(attempt)
            else:
                self.refuse(attempt)
        return passed

    def user_of(self, attempt: Attempt) -> str:
        message = attempt.message
        named_by_kind = None if message.sender is not None else self.scenario.traffic.kinds[message.kind].user
        return message.home.user if named_by_kind is None else named_by_kind


class Redelivery(StageRow):
    """What a user who is out does not take comes again once, and then when the user is back, or never."""

    def __post_init__(self) -> None:
        self.first_s: dict[Attempt, int] = {}

    def admits(self, slot: int, attempt: Attempt) -> bool:
        back_s = self.server.back_s(slot)
        if back_s is None:
            return True
        if attempt not in self.first_s:
            self.first_s[attempt] = slot
            self.server.put_off(attempt, slot + self.spec.after, self)
        elif back_s - self.first_s[attempt] <= self.spec.hold:
            self.server.put_off(attempt, back_s, self)
        else:
            self.server.stop(attempt, "failed", self)
        return False


KINDS: dict[str, type[StageRow]] = {
    "access_barring": AccessBarring, "alert_storm_protection": AlertStormProtection, "circuit_breaker": CircuitBreaker, "admission": Admission, "shed": Shed,
    "allocation": Allocation, "redelivery": Redelivery,
}  # fmt: skip


def rows_of(spec: Any, server: Server, luck: Luck, scenario: Scenario) -> list[StageRow]:
    """Return the rows of the stage *spec* that look at arrivals of *server*, in order."""
    return [KINDS[row.kind](number, row, server, luck, scenario) for number, row in enumerate(spec.mitigations) if row.kind in KINDS]
