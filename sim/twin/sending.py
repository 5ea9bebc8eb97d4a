"""Attempts to cross the network (`docs/model.md` sections 7 and 10): leaving, the way through the
stages, the SMI's door, and trying again.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from sim.kernels import draws
from sim.turns import Turn, pause
from sim.twin.faults import is_dark, release_s
from sim.twin.messages import Attempt, Message, Process

if TYPE_CHECKING:
    from sim.twin.world import TwinWorld


def retry_row(world: TwinWorld, message: Message) -> Any:
    """Return the row by which *message* is tried again, or None."""
    if message.is_central:
        return None
    rows = [
        row
        for stage in world.scenario.network
        if stage.stage in ("device", "hub")
        for row in stage.mitigations
        if row.kind == "retry"
    ]
    return next((row for row in rows if not row.kinds or message.kind in row.kinds), None)


def leave(world: TwinWorld, message: Message) -> None:
    """Make the next attempt of *message*, which leaves its hub now."""
    now_s, number = int(world.env.now), len(message.attempts)
    rank = message.rank
    if message.sender is not None or now_s > message.raised_s:
        rank = world.luck.word("message.rank", message.place, message.index, now_s)
    attempt = Attempt(message, number, now_s, rank)
    message.attempts.append(attempt)
    message.is_pending = False
    world.env.process(journey(world, attempt))
    row = retry_row(world, message)
    if row is not None:
        world.left_s[message.region.number, "first" if number == 0 else "retry"].append(now_s)
        if row.timeout is not None:
            world.env.process(timeout(world, attempt, row.timeout))


def journey(world: TwinWorld, attempt: Attempt) -> Process:
    """Take *attempt* through the stages before the SMI's door, into the records, and a named
    message on to its user.
    """
    message = attempt.message
    open_stages = [stage for stage in world.stages if stage.name != "user"]
    skips = ("cell", "csp") if message.is_central else ()
    for depth, stage in enumerate(open_stages):
        told = "served" if stage.name in skips else (yield stage.server_of(attempt).arrive(attempt))
        if told != "served":
            attempt.is_under_way = False
            if told == "throttled" and not any(other.is_through for other in message.attempts):
                message.end("throttled", stage.name)
            elif told == "refused":
                attempt.refused = (int(world.env.now), depth, stage.name)
                fail(world, attempt)
                end_if_hopeless(message)
            return
        attempt.is_through = stage is open_stages[-1]
        if stage.spec.latency > 0:
            yield pause(world.env, stage.spec.latency, Turn.TRAFFIC)
    yield world.door.join(attempt)
    attempt.is_under_way = False
    if not attempt.is_wasted and message.sender is not None:
        for stage in (stage for stage in world.stages if stage.name == "user"):
            yield stage.server_of(attempt).arrive(attempt)


# -- trying again ----------------------------------------------------------------------------------


def timeout(world: TwinWorld, attempt: Attempt, after_s: int) -> Process:
    """Give *attempt* up for failed when its message has not ended by then; it travels on."""
    yield pause(world.env, after_s, Turn.AUDITS)
    fail(world, attempt)


def fail(world: TwinWorld, attempt: Attempt) -> None:
    """Let *attempt* fail now, once, and plan the next one if there may be one."""
    message, row = attempt.message, retry_row(world, attempt.message)
    if row is None or attempt.has_failed or message.has_ended:
        return
    attempt.has_failed = True
    if attempt.number < row.cap:
        message.is_pending = True
        world.env.process(
            try_again(world, attempt, row, int(world.env.now) + wait_s(world, attempt, row))
        )


def wait_s(world: TwinWorld, attempt: Attempt, row: Any) -> int:
    """Return the wait after *attempt*."""
    message = attempt.message
    base_s, most_s = int(row.base), int(row.most)
    longest_s: int = min(most_s, base_s * int(row.factor) ** attempt.number)

    def scaled(n: int) -> int:
        return world.luck.scaled(n, "retry.wait", message.place, message.index, attempt.leave_s)

    if row.jitter == "full":
        return 1 + scaled(longest_s)
    if row.jitter == "equal":
        return -(-longest_s // 2) + scaled(longest_s // 2 + 1)
    if row.jitter == "decorrelated":
        last_s = (
            base_s
            if attempt.number == 0
            else wait_s(world, message.attempts[attempt.number - 1], row)
        )
        return min(most_s, base_s + scaled(max(1, 3 * last_s - base_s + 1)))
    return longest_s


def try_again(world: TwinWorld, failed: Attempt, row: Any, due_s: int) -> Process:
    """Make another attempt when it is due and the link is up, unless the message has ended, its hub
    is dark or the budget is spent.
    """
    message = failed.message
    due_s = release_s(message.home, due_s)
    yield pause(world.env, due_s - int(world.env.now), Turn.TRAFFIC)
    message.is_pending = False
    if message.has_ended:
        return
    if message.sender is not None and is_dark(message.home, due_s) and not message.is_last_gasp:
        if not any(attempt.is_under_way for attempt in message.attempts):
            message.end("expired")
    elif row.budget is not None and is_spent(world, message, row, due_s):
        end_if_hopeless(message)
    else:
        leave(world, message)


def is_spent(world: TwinWorld, message: Message, row: Any, due_s: int) -> bool:
    """Return whether the region of *message* has made too many retries, in what the budget of *row*
    counts before *due_s*, for another.
    """
    since_s = due_s - (row.budget_window or due_s)
    counts = []
    for which in ("first", "retry"):
        left_s = world.left_s[message.region.number, which]
        n_before = bisect_left(left_s, since_s)
        counts.append(bisect_left(left_s, due_s) - n_before)
    firsts, retries = counts
    return retries << 32 >= draws.threshold(row.budget) * firsts


def end_if_hopeless(message: Message) -> None:
    """End *message* as refused when no attempt is due or under way: where it was refused last, or
    at its hub.
    """
    if not message.is_pending and not any(attempt.is_under_way for attempt in message.attempts):
        refusals = [attempt.refused for attempt in message.attempts if attempt.refused is not None]
        message.end("refused", max(refusals)[2] if refusals else "hub")
