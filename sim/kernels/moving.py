"""How attempts move from stage to stage, to the SMI's door, and on to a user."""

from __future__ import annotations

from sim.kernels.attempts import Scalar, finish, leave_network
from sim.kernels.compiled import njit
from sim.kernels.pool import NONE, let_go
from sim.kernels.seconds import NEVER
from sim.words import Fate


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def send(box, messages, k, who):
    """Let *who* arrive at stage *k* in this step."""
    messages[who].next = NONE
    if box[k, 2] == 0:
        box[k, 0] = who
    else:
        messages[box[k, 1]].next = who
    box[k, 1] = who
    box[k, 2] += 1


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def at_the_door(setup, book, pool, box, who, at):
    """Attempt *who* reaches the SMI's door at second *at*: the first of a message ends it, and is
    passed on to a user.
    """
    whole, c = pool.messages[who].message, setup.c
    m = pool.messages[whole]
    if m.ended == NEVER:
        finish(
            setup,
            book,
            pool,
            whole,
            Fate.DELIVERED if at < c[Scalar.HORIZON] else Fate.IN_FLIGHT,
            -1,
            at,
        )
        if (
            at < c[Scalar.HORIZON]
            and c[Scalar.N_STAGES] > c[Scalar.N_OPEN]
            and m.kind >= c[Scalar.N_ANONYMOUS]
        ):
            send(box, pool.messages, c[Scalar.N_OPEN], who)
            return
    elif at < c[Scalar.HORIZON] and m.raised >= c[Scalar.WARM_UP]:
        book.attempts[m.kind, 2] += 1
    leave_network(pool, who)
    let_go(pool, whole)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def onward(setup, book, pool, box, k, who, s):
    """Attempt *who* departs stage *k* in slot *s*."""
    c = setup.c
    if k + 1 < c[Scalar.N_OPEN]:
        send(box, pool.messages, k + 1, who)
    elif k + 1 == c[Scalar.N_OPEN]:
        at_the_door(setup, book, pool, box, who, s + setup.stages[k].latency)
    else:
        whole = pool.messages[who].message
        leave_network(pool, who)
        let_go(pool, whole)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def arrivals(messages, box, k, ids):
    """Empty the box of stage *k* into *ids*; return how many."""
    who, n = box[k, 0], box[k, 2]
    for j in range(n):
        ids[j] = who
        who = messages[who].next
    box[k, 0] = NONE
    box[k, 1] = NONE
    box[k, 2] = 0
    return n
