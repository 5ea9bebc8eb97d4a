"""How attempts move from stage to stage, to the SMI's door, and on to a user."""

from __future__ import annotations

from sim.kernels.attempts import HORIZON, N_ANONYMOUS, N_OPEN, N_STAGES, WARM_UP, finish, leave_network
from sim.kernels.compiled import njit
from sim.kernels.pool import DELIVERED, IN_FLIGHT, NEVER, NONE, let_go


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def send(box, messages, k, who):  # type: ignore[no-untyped-def]
    """Let *who* arrive at stage *k* in this step."""
    messages[who].next = NONE
    if box[k, 2] == 0:
        box[k, 0] = who
    else:
        messages[box[k, 1]].next = who
    box[k, 1] = who
    box[k, 2] += 1


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def at_the_door(setup, book, pool, box, who, at):  # type: ignore[no-untyped-def]
    """Attempt *who* reaches the SMI's door at second *at*: the first of a message ends it, and is passed on to a user."""
    whole, c = pool.messages[who].message, setup.c
    m = pool.messages[whole]
    if m.ended == NEVER:
        finish(setup, book, pool, whole, DELIVERED if at < c[HORIZON] else IN_FLIGHT, -1, at)
        if at < c[HORIZON] and c[N_STAGES] > c[N_OPEN] and m.kind >= c[N_ANONYMOUS]:
            send(box, pool.messages, c[N_OPEN], who)
            return
    elif at < c[HORIZON] and m.raised >= c[WARM_UP]:
        book.attempts[m.kind, 2] += 1
    leave_network(pool, who)
    let_go(pool, whole)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def onward(setup, book, pool, box, k, who, s):  # type: ignore[no-untyped-def]
    """Attempt *who* departs stage *k* in slot *s*."""
    c = setup.c
    if k + 1 < c[N_OPEN]:
        send(box, pool.messages, k + 1, who)
    elif k + 1 == c[N_OPEN]:
        at_the_door(setup, book, pool, box, who, s + setup.stages[k].latency)
    else:
        whole = pool.messages[who].message
        leave_network(pool, who)
        let_go(pool, whole)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def arrivals(messages, box, k, ids):  # type: ignore[no-untyped-def]
    """Empty the box of stage *k* into *ids*; return how many."""
    who, n = box[k, 0], box[k, 2]
    for j in range(n):
        ids[j] = who
        who = messages[who].next
    box[k, 0], box[k, 1], box[k, 2] = NONE, NONE, 0
    return n
