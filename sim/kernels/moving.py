"""How attempts move from stage to stage, to the SMI's door, and on to a user.

Two arrays take turns: who comes to a stage lies in one, who leaves it in the other.
"""

from __future__ import annotations

from sim.kernels.attempts import ask_ahead, count_ends, leave_network, tell, tell_end
from sim.kernels.compiled import inner
from sim.kernels.lines import Lane, due_now
from sim.kernels.noting import end_of_alike
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
    setup = net.setup
    room = net.room
    turn = k % 2
    going = room.moving[turn]
    kept = first
    n = room.n_moving[turn]
    fate = Fate.DELIVERED if at < setup.horizon_s else Fate.IN_FLIGHT
    some_go_on = at < setup.horizon_s and setup.n_stages > setup.n_open
    _count_at_the_door(net, going, first, n, fate, at)
    for j in range(first, n):
        ask_ahead(net, going, j, n)
        attempt = going[j]
        goes_on = some_go_on and attempt.kind >= setup.n_anonymous
        if setup.retried[attempt.kind]:
            goes_on = _again_at_the_door(net, attempt, at, fate, goes_on)
        else:
            attempt.ended = True
            tell(net, attempt, fate, -1, at)
        if goes_on:
            if kept < j:
                going[kept] = attempt
            kept += 1
    room.n_moving[turn] = kept


@inner
def _count_at_the_door(net, going, first, n, fate, at):
    """Count the ends of those who are not retried among the first *n* of *going*, from number
    *first* on: those who are alike together.
    """
    begin = first
    while begin < n:
        attempt = going[begin]
        end = end_of_alike(going, begin, n)
        if not net.setup.retried[attempt.kind]:
            count_ends(net, attempt, fate, -1, at, end - begin)
        begin = end


@inner
def _again_at_the_door(net, attempt, at, fate, goes_on):
    """Let *attempt*, of a message that may have been there, reach the SMI's door at second *at*:
    the first of a message ends it. Return whether it *goes_on* to a user.
    """
    setup = net.setup
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
