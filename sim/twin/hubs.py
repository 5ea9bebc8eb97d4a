"""What becomes of a named message before its first attempt: the rows of device and hub, what is
lost at once, and the link (`docs/model.md` section 10).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sim.mitigations import MITIGATIONS
from sim.planning.sizes import VERSION_REPORT
from sim.scenario.fields import of_server
from sim.turns import Turn, pause
from sim.twin import sending
from sim.twin.faults import is_dark, release_s
from sim.twin.messages import Message, Process, order_made
from sim.twin.moments import MADE, ROW_STEP, ROWS, Gathering
from sim.twin.rows import Repeats
from sim.words import Reach

if TYPE_CHECKING:
    from sim.twin.estate import Premises, Sender
    from sim.twin.world import TwinWorld

Verdict = tuple[str, int]  # a fate ("" for none), and the second at which it goes on


class Desk:
    """One row of device or hub, for one sender and kind: what it has seen, and what it says of what
    comes in a second.
    """

    def __init__(self, world: TwinWorld, spec: Any, place: float) -> None:
        self.world = world
        self.spec = spec
        self.coming: Gathering[Message] = Gathering(
            world.env,
            place,
            order_made,
            lambda messages: [self._judge(message) for message in messages],
        )
        self.batch: Gathering[Message] = Gathering(
            world.env,
            place + ROW_STEP / 2,
            order_made,
            lambda messages: [*["consolidated"] * (len(messages) - 1), ""],
        )
        self.spoken_for_s: int | None = None  # token_bucket
        self.passed_s: int | None = None  # dedupe
        self.repeats = Repeats(spec)  # consolidate

    def _judge(self, message: Message) -> Verdict:
        rules: dict[str, Callable[[Message, int], Verdict]] = {
            "jitter": self._jitter,
            "token_bucket": self._token_bucket,
            "dedupe": self._dedupe,
            "consolidate": self._consolidate,
            "batch": self._batch,
            "hold_down": self._hold_down,
        }
        return rules[self.spec.kind](message, int(self.world.env.now))

    def _jitter(self, message: Message, now_s: int) -> Verdict:
        return "", now_s + self.world.luck.scaled(
            self.spec.window, "row.jitter", message.place, message.index, now_s
        )

    def _token_bucket(self, message: Message, now_s: int) -> Verdict:
        if (
            self.spoken_for_s is not None
            and now_s < self.spoken_for_s - (self.spec.burst - 1) * self.spec.every
        ):
            return "throttled", now_s
        self.spoken_for_s = (
            now_s if self.spoken_for_s is None else max(now_s, self.spoken_for_s)
        ) + self.spec.every
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
        hub = message.home.hub
        ends_s = [spell.end_s for spell in message.home.spells if spell.end_s <= now_s]
        if not ends_s:
            return "", now_s
        silence_s = self.spec.time + self.world.luck.scaled(
            self.spec.spread, "row.hold_down", hub.place, hub.index, ends_s[-1]
        )
        return "", max(now_s, ends_s[-1] + silence_s)


def raise_report(
    world: TwinWorld, home: Premises, sender: Sender, cause: str, loss_occasion: int
) -> None:
    """Raise a version report now."""
    raise_message(
        world,
        Message(
            VERSION_REPORT, int(world.env.now), sender.region, home, sender, cause, loss_occasion
        ),
    )


def raise_message(world: TwinWorld, message: Message) -> None:
    """Send a named *message* on its way through its device and hub."""
    world.messages.append(message)
    world.env.process(errand(world, message))


def errand(world: TwinWorld, message: Message) -> Process:
    """Take *message* through the rows of device and hub, and make it."""
    depth = 0
    for spec in (spec for spec in world.scenario.network if spec.stage in ("device", "hub")):
        message.has_crossed_han = spec.stage == "hub"
        for number, row in enumerate(spec.mitigations):
            depth += 1
            if row.kind != "retry" and _is_for(row, message):
                yield from _past(world, message, spec.stage, number, row, ROWS + depth * ROW_STEP)
                if message.has_ended:
                    return
    message.has_crossed_han = True
    key = message.place, message.index, message.kind
    if key not in world.makings:
        world.makings[key] = Gathering(
            world.env, MADE, order_made, lambda messages: [_make(world, made) for made in messages]
        )
    yield world.makings[key].join(message)


def _past(
    world: TwinWorld, message: Message, stage: str, number: int, row: Any, place: float
) -> Process:
    """Take *message* past one row: it is stopped here, or it goes on, now or later."""
    key = stage, number, message.place, message.index, message.kind
    if key not in world.desks:
        world.desks[key] = Desk(world, row, place)
    fate, until_s = yield world.desks[key].coming.join(message)
    if until_s > world.env.now:
        world.note(stage, number, row.kind, message, "put_off")
        yield pause(world.env, until_s - int(world.env.now), Turn.TRAFFIC)
    if row.kind == "batch":
        fate = yield world.desks[key].batch.join(message)
    if fate:
        world.note(stage, number, row.kind, message, "stopped")
        message.end(fate, stage)


def _is_for(row: Any, message: Message) -> bool:
    """Return whether *row* looks at *message*: some at alerts only."""
    if MITIGATIONS[row.kind].for_alerts and message.kind == VERSION_REPORT:
        return False
    return not row.kinds or message.kind in row.kinds


def _make(world: TwinWorld, message: Message) -> str:
    """Make *message* now: it carries what its sender knows, and is lost at once, waits for its
    link, or leaves. Return its fate so far.
    """
    message.made_s = int(world.env.now)
    world.load(message)
    stream = "change.loss" if message.cause == "change" else "report.loss"
    lossy = world.scenario.reporting.loss if message.kind == VERSION_REPORT else 0.0
    if message.home.reach is not Reach.REACHED or (
        is_dark(message.home, message.made_s) and not message.is_last_gasp
    ):
        message.end("expired")
    elif world.luck.happens(lossy, stream, message.place, message.index, message.loss_occasion):
        message.end("lost")
    elif (free_s := release_s(message.home, message.made_s)) > message.made_s:
        _keep(world, message, free_s)
    else:
        sending.leave(world, message)
    return message.fate


def _keep(world: TwinWorld, message: Message, free_s: int) -> None:
    """Keep *message* until its link is free at *free_s*, if its hub has a buffer with room."""
    if world.hub is None or world.hub.buffer is None:
        message.end("expired")
        return
    key = message.place, message.index, message.kind, free_s
    if key not in world.shelves:
        world.shelves[key] = []
        world.env.process(_empty(world, world.shelves[key], free_s))
    shelf = world.shelves[key]
    if world.hub.overflow == "keep_latest":
        for earlier in shelf:
            earlier.end("consolidated", "hub")
        shelf[:] = [message]
    elif len(shelf) < of_server(world.hub.buffer, "hub"):
        shelf.append(message)
    elif world.hub.overflow == "drop_oldest" and shelf:
        shelf.pop(0).end("refused", "hub")
        shelf.append(message)
    else:
        message.end("refused", "hub")


def _empty(world: TwinWorld, shelf: list[Message], free_s: int) -> Process:
    """Send all of *shelf* when the link is free, unless the hub is dark then."""
    yield pause(world.env, free_s - int(world.env.now), Turn.TRAFFIC)
    for message in shelf:
        if is_dark(message.home, free_s) and not message.is_last_gasp:
            message.end("expired")
        else:
            sending.leave(world, message)
