"""How a message ends, and how it tries again: refusals, time-outs, back-off and its budget
(docs/model.md sections 7 and 10).
"""

from __future__ import annotations

from enum import IntEnum, unique
from typing import NamedTuple

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.draws import scaled, word
from sim.kernels.links import release
from sim.kernels.pool import NONE, EventKind, Height, let_go, remind, take
from sim.kernels.seconds import NEVER, NOT_WRITTEN
from sim.words import Backoff, Fate


@unique
class Scalar(IntEnum):
    """Places in `Setup.c`."""

    HORIZON = 0
    WARM_UP = 1
    STOP = 2
    N_ANONYMOUS = 3
    N_OPEN = 4
    HAS_USER = 5
    TRACED = 6
    HUB_KEEPS = 7
    DAY_START = 8
    PER_CELL = 9
    N_STAGES = 10
    LATENCY = 11
    HOMES = 12
    CELLS_WATCHED = 13


@unique
class RetryTerm(IntEnum):
    """Places in `Setup.retry`."""

    BASE = 0
    FACTOR = 1
    MOST = 2
    JITTER = 3
    CAP = 4
    TIMEOUT = 5
    BUDGET = 6


@unique
class Key(IntEnum):
    """Places in `Setup.keys`."""

    RANK = 0
    WAIT = 1
    BARRED = 2
    BAR = 3


@unique
class Spent(IntEnum):
    """Places in `Setup.budget`: first attempts and retries, until now and in this second."""

    FIRSTS = 0
    FIRSTS_NOW = 1
    RETRIES = 2
    RETRIES_NOW = 3


class Setup(NamedTuple):
    """What does not change: int64 scalars *c*, *stages* (`STAGE`), int8 *levels* and int64 *sizes*
    in bytes (both stage × kind), *outages*, the *retry* row and bool *retried* kinds, stream *keys*
    and *home_keys* by kind; by kind int64 *kind_user* (-1: its home's), *targets*, bool *gasps* (no
    darkness stops it) and *central* (made at the DSP, no stage before it sees it); int64
    *premises_first* of each region in uint8 *user_of* and int32 *dark_until*. Int64 *budget* by
    region does change.
    """

    c: np.ndarray
    stages: np.ndarray
    levels: np.ndarray
    sizes: np.ndarray
    outages: np.ndarray
    retry: np.ndarray
    retried: np.ndarray
    keys: np.ndarray
    home_keys: np.ndarray
    kind_user: np.ndarray
    targets: np.ndarray
    gasps: np.ndarray
    central: np.ndarray
    premises_first: np.ndarray
    user_of: np.ndarray
    dark_until: np.ndarray
    budget: np.ndarray


class Book(NamedTuple):
    """What is counted. By recorded server, kind and second of the day: int32 *seen*; by server and
    second: *served*, *waits*. By server × kind: int64 *undelayed*, int32 *delays*. By kind: int32
    *ends* (end to end), int64 *fates* (× fate × stage), *late*, *attempts* (× messages, attempts,
    wasted); by row and kind *stopped* (× stopped, put off); by region *cells*, and int32 *over* (×
    second) how many get more than they can serve; int32 *deliver*: second at the SMI's door by
    position in the interval's flows.
    """

    seen: np.ndarray
    served: np.ndarray
    waits: np.ndarray
    undelayed: np.ndarray
    delays: np.ndarray
    ends: np.ndarray
    fates: np.ndarray
    late: np.ndarray
    attempts: np.ndarray
    stopped: np.ndarray
    cells: np.ndarray
    over: np.ndarray
    deliver: np.ndarray


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def finish(setup, book, pool, who, fate, stage, at):
    """End message *who* at second *at*; *stage* is where (-1: nowhere in particular)."""
    m, c = pool.messages[who], setup.c
    m.ended = at
    if m.raised >= c[Scalar.WARM_UP]:
        book.fates[m.kind, fate, stage + 1] += 1
        if fate == Fate.DELIVERED:
            book.ends[m.kind, at - m.raised] += 1
            book.late[m.kind] += at - m.raised > setup.targets[m.kind]
        elif fate == Fate.IN_FLIGHT:
            book.late[m.kind] += c[Scalar.HORIZON] - m.raised > setup.targets[m.kind]
        elif fate != Fate.THROTTLED:
            book.late[m.kind] += 1
    if m.kind < c[Scalar.N_ANONYMOUS]:
        return
    if m.position >= 0:
        book.deliver[m.position] = (
            at if fate == Fate.DELIVERED else (NEVER if fate == Fate.IN_FLIGHT else NOT_WRITTEN)
        )
    told = (
        m.kind < len(setup.targets) - 1
        or (m.position >= 0 and not (fate == Fate.DELIVERED and at >= c[Scalar.STOP]))
        or fate == Fate.IN_FLIGHT
    )
    if c[Scalar.TRACED] or not told:
        e = pool.ended[pool.n[Height.N_ENDED]]
        e.premises = m.premises
        e.row = m.number
        e.raised = m.raised
        e.made = m.made
        e.kind = m.kind
        e.region = m.region
        e.place = m.place
        e.cause = m.cause
        e.fate = fate
        e.stage = stage
        e.told = told
        e.at = at if fate == Fate.DELIVERED else -1
        pool.n[Height.N_ENDED] += 1


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def settle(setup, book, pool, who):
    """End message *who* as refused if it will not try again and no attempt of it is under way."""
    m = pool.messages[who]
    if m.ended == NEVER and m.copies == 0 and not m.waits:
        finish(
            setup,
            book,
            pool,
            who,
            Fate.REFUSED,
            m.refused_at if m.refused_s >= 0 else setup.c[Scalar.N_STAGES],
            m.refused_s,
        )


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def leave_network(pool, who):
    """Attempt *who* is no longer under way."""
    whole = pool.messages[who].message
    pool.messages[who].travels = False
    pool.messages[whole].copies -= 1
    if whole != who:
        let_go(pool, who)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def refuse(setup, book, pool, who, stage, s):
    """Attempt *who* is refused at *stage* in slot *s*."""
    whole, turn = pool.messages[who].message, pool.messages[who].turn
    leave_network(pool, who)
    m = pool.messages[whole]
    if s > m.refused_s or (s == m.refused_s and stage > m.refused_at):
        m.refused_s, m.refused_at = s, stage
    if m.ended > s:
        if turn == m.attempt and not m.failed:
            failed_at, timeout = s, setup.retry[RetryTerm.TIMEOUT]
            if timeout > 0 and m.attempt < setup.retry[RetryTerm.CAP]:
                # This step is ahead of the clock by the latency before it.
                failed_at = min(np.int64(s), m.latest + timeout)
            fail(setup, pool, whole, failed_at)
        settle(setup, book, pool, whole)
    let_go(pool, whole)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def fail(setup, pool, who, at):
    """The latest attempt of message *who* fails at second *at*; the next is due when the back-off
    is over, if there is one.
    """
    m, retry = pool.messages[who], setup.retry
    m.failed = True
    if not setup.retried[m.kind] or m.attempt >= retry[RetryTerm.CAP]:
        return
    ceiling = min(retry[RetryTerm.BASE], retry[RetryTerm.MOST])
    for _ in range(m.attempt):
        if ceiling == retry[RetryTerm.MOST] or retry[RetryTerm.FACTOR] == 1:
            break
        ceiling = min(ceiling * retry[RetryTerm.FACTOR], retry[RetryTerm.MOST])
    drawn = word(setup.keys[Key.WAIT], np.int64(m.place), np.int64(m.premises), np.int64(m.latest))
    if retry[RetryTerm.JITTER] == Backoff.NONE:
        wait = ceiling
    elif retry[RetryTerm.JITTER] == Backoff.FULL:
        wait = 1 + scaled(drawn, ceiling)
    elif retry[RetryTerm.JITTER] == Backoff.EQUAL:
        wait = ceiling - ceiling // 2 + scaled(drawn, ceiling // 2 + 1)
    else:
        before = np.int64(m.wait) if m.attempt > 0 else retry[RetryTerm.BASE]
        wait = min(
            retry[RetryTerm.MOST],
            retry[RetryTerm.BASE] + scaled(drawn, max(1, 3 * before - retry[RetryTerm.BASE] + 1)),
        )
    m.wait, m.waits = wait, True
    if at + wait < setup.c[Scalar.HORIZON]:
        remind(pool, at + wait, EventKind.DUE, who, m.attempt + 1, 0)
    else:
        m.refs += 1  # it is still under way at the horizon


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def give_up_or_go(setup, book, pool, links, who, turn, t):
    """Attempt *turn* of message *who* is due in second *t*: return the record of the attempt, or -1
    when none is made.
    """
    m, c = pool.messages[who], setup.c
    m.waits = False
    up = release(links, np.int64(m.region), np.int64(m.premises), t) if len(links.start) else t
    if up > t:
        m.waits = True
        if up < c[Scalar.HORIZON]:
            remind(pool, up, EventKind.DUE, who, turn, 0)
        else:
            m.refs += 1
        return NONE
    if m.ended < t:
        return NONE
    if turn > 0:
        dark = setup.dark_until
        if (
            m.kind >= c[Scalar.N_ANONYMOUS]
            and len(dark)
            and not setup.gasps[m.kind]
            and t < dark[setup.premises_first[m.region] + np.int64(m.premises)]
        ):
            if m.refused_s >= t:  # a copy is under way until then
                settle(setup, book, pool, who)
            elif m.copies == 0 and m.ended == NEVER:
                finish(setup, book, pool, who, Fate.EXPIRED, -1, t)
            return NONE
        budget = setup.budget[m.region]
        if (
            setup.retry[RetryTerm.BUDGET] >= 0
            and (budget[Spent.RETRIES] << 32)
            >= setup.retry[RetryTerm.BUDGET] * budget[Spent.FIRSTS]
        ):
            settle(setup, book, pool, who)
            return NONE
        budget[Spent.RETRIES_NOW] += 1
    elif setup.retried[m.kind]:
        setup.budget[m.region, Spent.FIRSTS_NOW] += 1
    if m.raised >= c[Scalar.WARM_UP]:
        book.attempts[m.kind, 0] += turn == 0
        book.attempts[m.kind, 1] += 1
    return attempt(
        setup,
        pool,
        who,
        turn,
        t,
        word(setup.keys[Key.RANK], np.int64(m.place), np.int64(m.premises), t),
    )


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def attempt(setup, pool, who, turn, t, rank):
    """Return the record of attempt *turn* of message *who*, which leaves in second *t*: its own
    record if that is not under way.
    """
    copy = who
    if pool.messages[who].travels:
        copy = take(pool)
        pool.messages[copy] = pool.messages[who]
        pool.messages[copy].refs = 1
    a, m = pool.messages[copy], pool.messages[who]
    a.message = who
    a.turn = turn
    a.leave = t
    a.rank = rank
    a.travels = True
    m.attempt = turn
    m.failed = False
    m.latest = t
    m.copies += 1
    m.refs += 1
    if (
        setup.retried[m.kind]
        and setup.retry[RetryTerm.TIMEOUT] > 0
        and turn < setup.retry[RetryTerm.CAP]
        and m.ended > t
    ):
        remind(pool, t + setup.retry[RetryTerm.TIMEOUT], EventKind.TIME_OUT, who, turn, 0)
    return copy
