"""What becomes of a named message before its first attempt: the rows of device and hub, what is lost at once, and the link (`docs/model.md` section 10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sim.turns import Turn, pause
from sim.twin import sending
from sim.twin.estate import Reach
from sim.twin.faults import is_dark, release_s
from sim.twin.messages import VERSION_REPORT, Message, Process, order_made
from sim.twin.moments import MADE, ROW_STEP, ROWS, Gathering
from sim.twin.rows import Repeats

if TYPE_CHECKING:
    from sim.twin.world import TwinWorld

Verdict = tuple[str, int]  # a fate ("" for none), and the second at which it goes on


class Desk:
    """One row of device or hub, for one sender and kind: what it has seen, and what it says of what comes in a second."""

    def __init__(self, world: TwinWorld, spec: Any, place: float) -> None:
        self.world, self.spec = world, spec
        self.coming: Gathering[Message] = Gathering(world.env, place, order_made, lambda messages: [self._judge(message) for message in messages])
        self.batch: Gathering[Message] = Gathering(world.env, place + ROW_STEP / 2, order_made, lambda messages: [*["consolidated"] * (len(messages) - 1), ""])
        self.spoken_for_s: int | None = None  # token_bucket
        self.passed_s: int | None = None  # dedupe
        self.repeats = Repeats(spec)  # consolidate

    def _judge(self, message: Message) -> Verdict:
        rules: dict[str, Callable[[Message, int], Verdict]] = {
            "jitter": self._jitter, "token_bucket": self._token_bucket, "dedupe": self._dedupe, "consolidate": self._consolidate, "batch": self._batch,
            "hold_down": self._hold_down,
        }  # fmt: skip
        return rules[self.spec.kind](message, int(self.world.env.now))

    def _jitter(self, message: Message, now_s: int) -> Verdict:
        return "", now_s + self.world.luck.scaled(self.spec.window, "row.jitter", message.place, message.index, now_s)

    def _token_bucket(self, message: Message, now_s: int) -> Verdict:
        if self.spoken_for_s is not None and now_s < self.spoken_for_s - (self.spec.burst - 1) * self.spec.every:
            return "throttled", now_s
        self.spoken_for_s = (now_s if self.spoken_for_s is None else max(now_s, self.spoken_for_s)) + self.spec.every
        return "", now_s

    def _dedupe(self, message: Message, now_s: int) -> Verdict:
        if self.passed_s is not None and now_s - self.passed_s < self.spec.window:
            return "consolidated", now_s
        self.passed_s = now_s
        return "", now_s

    def _consolidate(self, message: Message, now_s: int) -> Verdict:
        return ("" if self.repeats.lets_pass(now_s) else "consolidated"), now_s

    def _batch(self, message: Message, now_s: int) -> Verdict:
        hub, period_s = message.home.hub, self.spec.period
        phase_s = self.world.luck.scaled(period_s, "row.batch", hub.place, hub.index, 0)
        return "", now_s + (phase_s - now_s) % period_s

    def _hold_down(self, message: Message, now_s: int) -> Verdict:
        hub, ends_s = message.home.hub, [spell.end_s for spell in message.home.spells if spell.end_s <= now_s]
        if not ends_s:
            return "", now_s
        silence_s = self.spec.time + self.world.luck.scaled(self.spec.spread, "row.hold_down", hub.place, hub.index, ends_s[-1])
        return "", max(now_s, ends_s[-1] + silence_s)


class Desks:
    """Every desk of the world's senders, and what each message meets on its way from being raised to being made."""

    def __init__(self, world: TwinWorld) -> None:
        self.world = world
        self.rows = [
            (stage.stage, number, row)
            for stage in world.scenario.network
            if stage.stage in ("device", "hub")
            for number, row in enumerate(stage.mitigations)
            if row.kind != "retry"
        ]
        self.hub = next((stage for stage in world.scenario.network if stage.stage == "hub"), None)
        self._desks: dict[Any, Desk] = {}
        self._makings: dict[Any, Gathering[Message]] = {}
        self._shelves: dict[Any, list[Message]] = {}

    def errand(self, message: Message) -> Process:
        """Take *message* through the rows of device and hub, and make it."""
        for stage in ("device", "hub"):
            for depth, (of_stage, number, row) in enumerate(self.rows):
                if of_stage == stage and _is_for(row, message):
                    yield from self._past(message, stage, number, row, ROWS + depth * ROW_STEP)
                    if message.has_ended:
                        return
            message.has_crossed_han = True
        sender_and_kind = message.place, message.index, message.kind
        if sender_and_kind not in self._makings:
            self._makings[sender_and_kind] = Gathering(self.world.env, MADE, order_made, self._make)
        yield self._makings[sender_and_kind].join(message)

    def _past(self, message: Message, stage: str, number: int, row: Any, place: float) -> Process:
        """Take *message* past one row: it is stopped here, or it goes on, now or later."""
        key = stage, number, message.place, message.index, message.kind
        if key not in self._desks:
            self._desks[key] = Desk(self.world, row, place)
        fate, until_s = yield self._desks[key].coming.join(message)
        if until_s > self.world.env.now:
            self.world.note(stage, number, row.kind, message, "put_off")
            yield pause(self.world.env, until_s - int(self.world.env.now), Turn.TRAFFIC)
        if row.kind == "batch":
            fate = yield self._desks[key].batch.join(message)
        if fate:
            self.world.note(stage, number, row.kind, message, "stopped")
            message.end(fate, stage)

    def _make(self, messages: list[Message]) -> list[None]:
        """Make *messages* of one sender and kind now, in order."""
        for message in messages:
            self._make_one(message)
        return [None] * len(messages)

    def _make_one(self, message: Message) -> None:
        """Make *message*: it carries what its sender knows, and is lost at once, waits for its link, or leaves."""
        world, now_s = self.world, int(self.world.env.now)
        message.made_s = now_s
        world.load(message)
        stream = "change.loss" if message.cause == "change" else "report.loss"
        if message.home.reach is not Reach.REACHED or (is_dark(message.home, now_s) and not message.is_last_gasp):
            message.end("expired")
        elif message.kind == VERSION_REPORT and world.luck.happens(
            world.scenario.reporting.loss, stream, message.place, message.index, message.loss_occasion
        ):
            message.end("lost")
        elif (free_s := release_s(message.home, now_s)) > now_s:
            self._keep(message, free_s)
        else:
            sending.leave(world, message)

    def _keep(self, message: Message, free_s: int) -> None:
        """Keep *message* until its link is free at *free_s*, if its hub has a buffer with room."""
        if self.hub is None or self.hub.buffer is None:
            message.end("expired")
            return
        key = message.place, message.index, message.kind, free_s
        if key not in self._shelves:
            self._shelves[key] = []
            self.world.env.process(self._empty(self._shelves[key], free_s))
        shelf = self._shelves[key]
        if self.hub.overflow == "keep_latest":
            for earlier in shelf:
                earlier.end("consolidated", "hub")
            shelf[:] = [message]
        elif len(shelf) < self.hub.buffer:
            shelf.append(message)
        elif self.hub.overflow == "drop_oldest" and shelf:
            shelf.pop(0).end("refused", "hub")
            shelf.append(message)
        else:
            message.end("refused", "hub")

    def _empty(self, shelf: list[Message], free_s: int) -> Process:
        """Send all of *shelf* when the link is free, unless the hub is dark then."""
        yield pause(self.world.env, free_s - int(self.world.env.now), Turn.TRAFFIC)
        for message in shelf:
            if is_dark(message.home, free_s) and not message.is_last_gasp:
                message.end("expired")
            else:
                sending.leave(self.world, message)


def _is_for(row: Any, message: Message) -> bool:
    """Return whether *row* looks at *message*: dedupe and consolidate at alerts only."""
    if row.kind in ("dedupe", "consolidate") and message.kind == VERSION_REPORT:
        return False
    return not row.kinds or message.kind in row.kinds
