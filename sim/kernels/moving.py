"""How attempts move from stage to stage, to the SMI's door, and on to a user.

Two arrays take turns: who comes to a stage lies in one, who leaves it in the other.
"""

from __future__ import annotations

from sim.kernels.attempts import ask_ahead, leave_network, tell_end
from sim.kernels.compiled import inner
from sim.kernels.lines import Lane, due_now
from sim.kernels.seconds import NEVER
from sim.words import Fate


@inner
def coming(net, k, t):
    """Return how many come to stage *k* in step *t* who are attempts already: from the stage before
    it, and those it put off before. They are the first of `Room.moving[k % 2]`.
    """
    room = net.room
    n = room.n_moving[k % 2]
    room.n_moving[k % 2] = 0
    if net.setup.stages[k].puts_off:
        n = due_now(net.pool, Lane.ARRIVES + k, t, room.moving[k % 2], n)
    return n


@inner
def move_to(net, k, attempt):
    """Let *attempt* go to stage *k* in this step."""
    room = net.room
    room.moving[k % 2, room.n_moving[k % 2]] = attempt
    room.n_moving[k % 2] += 1


@inner
def onward(net, k, first, s):
    """Let those who depart stage *k* in slot *s*, from number *first* of those under way to the
    next on, go where they go.
    """
    setup = net.setup
    if k + 1 == setup.n_open:
        to_the_door(net, k + 1, first, s + net.setup.stages[k].latency)
    elif k + 1 > setup.n_open:
        room = net.room
        for j in range(first, room.n_moving[(k + 1) % 2]):
            leave_network(net, room.moving[(k + 1) % 2, j])
        room.n_moving[(k + 1) % 2] = first


@inner
def to_the_door(net, k, first, at):
    """Let those under way to stage *k*, from number *first* on, reach the SMI's door at second
    *at*; who goes on to a user is under way to it.
    """
    going = net.room.moving[k % 2]
    kept = first
    n = net.room.n_moving[k % 2]
    for j in range(first, n):
        ask_ahead(net, going, j, n)
        if _at_the_door(net, going[j], at):
            if kept < j:
                going[kept] = going[j]
            kept += 1
    net.room.n_moving[k % 2] = kept


@inner
def _at_the_door(net, attempt, at):
    """Let *attempt* reach the SMI's door at second *at*: the first of a message ends it. Return
    whether it goes on to a user.
    """
    setup = net.setup
    fate = Fate.DELIVERED if at < setup.horizon_s else Fate.IN_FLIGHT
    goes_on = (
        at < setup.horizon_s and setup.n_stages > setup.n_open and attempt.kind >= setup.n_anonymous
    )
    if not setup.retried[attempt.kind]:
        attempt.ended = True
        tell_end(net, attempt, fate, -1, at)
        return goes_on
    m = net.pool.messages[attempt.who]
    if m.ended == NEVER:
        m.ended = at
        tell_end(net, m, fate, -1, at)
        if goes_on:
            attempt.ended = True
            return True
    elif at < setup.horizon_s and m.raised >= setup.warm_up_s:
        net.book.attempts[m.kind, 2] += 1
    leave_network(net, attempt)
    return False


@inner
def past_the_horizon(net, k):
    """Those who would come to stage *k* after the horizon are under way for ever."""
    room = net.room
    for j in range(room.n_moving[k % 2]):
        attempt = room.moving[k % 2, j]
        if not net.setup.retried[attempt.kind] and not attempt.ended:
            tell_end(net, attempt, Fate.IN_FLIGHT, -1, NEVER)
    room.n_moving[k % 2] = 0
