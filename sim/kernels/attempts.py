"""How a message ends, and how it tries again: refusals, time-outs, back-off and its budget (docs/model.md sections 7 and 10)."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.draws import scaled, word
from sim.kernels.links import release
from sim.kernels.pool import DELIVERED, DUE, EXPIRED, IN_FLIGHT, N_ENDED, NEVER, NONE, REFUSED, THROTTLED, TIME_OUT, let_go, remind, take

# Places in `Setup.c`
HORIZON, WARM_UP, STOP, N_ANONYMOUS, N_OPEN, HAS_USER, TRACED, HUB_KEEPS, DAY_START, PER_CELL, N_STAGES, LATENCY, HOMES, CELLS_WATCHED = range(14)
BASE, FACTOR, MOST, JITTER, CAP, TIMEOUT, BUDGET = range(7)  # places in `Setup.retry`
PLAIN, FULL, EQUAL, DECORRELATED = range(4)
RANK, WAIT, BARRED, BAR = range(4)  # places in `Setup.keys`
FIRSTS, FIRSTS_NOW, RETRIES, RETRIES_NOW = range(4)  # places in `Setup.budget`
NOT_WRITTEN: Final = np.int32(-1)


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
    """What is counted. By recorded server, kind and second of the day: int32 *seen*; by server and second: *served*, *waits*. By server × kind: int64
    *undelayed*, int32 *delays*. By kind: int32 *ends* (end to end), int64 *fates* (× fate × stage), *late*, *attempts* (× messages, attempts, wasted); by row
    and kind *stopped* (× stopped, put off); by region *cells*, and int32 *over* (× second) how many get more than they can serve; int32 *deliver*: second at
    the SMI's door by position in the interval's flows.
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
def finish(setup, book, pool, who, fate, stage, at):  # type: ignore[no-untyped-def]
    """End message *who* at second *at*; *stage* is where (-1: nowhere in particular)."""
    m, c = pool.messages[who], setup.c
    m.ended = at
    if m.raised >= c[WARM_UP]:
        book.fates[m.kind, fate, stage + 1] += 1
        if fate == DELIVERED:
            book.ends[m.kind, at - m.raised] += 1
            book.late[m.kind] += at - m.raised > setup.targets[m.kind]
        elif fate == IN_FLIGHT:
            book.late[m.kind] += c[HORIZON] - m.raised > setup.targets[m.kind]
        elif fate != THROTTLED:
            book.late[m.kind] += 1
    if m.kind < c[N_ANONYMOUS]:
        return
    if m.position >= 0:
        book.deliver[m.position] = at if fate == DELIVERED else (NEVER if fate == IN_FLIGHT else NOT_WRITTEN)
    told = m.kind < len(setup.targets) - 1 or (m.position >= 0 and not (fate == DELIVERED and at >= c[STOP])) or fate == IN_FLIGHT
    if c[TRACED] or not told:
        e = pool.ended[pool.n[N_ENDED]]
        e.premises, e.row, e.raised, e.made, e.kind, e.region, e.place = m.premises, m.number, m.raised, m.made, m.kind, m.region, m.place
        e.cause, e.fate, e.stage, e.told = m.cause, fate, stage, told
        e.at = at if fate == DELIVERED else -1
        pool.n[N_ENDED] += 1


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def settle(setup, book, pool, who):  # type: ignore[no-untyped-def]
    """End message *who* as refused if it will not try again and no attempt of it is under way."""
    m = pool.messages[who]
    if m.ended == NEVER and m.copies == 0 and not m.waits:
        finish(setup, book, pool, who, REFUSED, m.refused_at if m.refused_s >= 0 else setup.c[N_STAGES], m.refused_s)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def leave_network(pool, who):  # type: ignore[no-untyped-def]
    """Attempt *who* is no longer under way."""
    whole = pool.messages[who].message
    pool.messages[who].travels = False
    pool.messages[whole].copies -= 1
    if whole != who:
        let_go(pool, who)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def refuse(setup, book, pool, who, stage, s):  # type: ignore[no-untyped-def]
    """Attempt *who* is refused at *stage* in slot *s*."""
    whole, turn = pool.messages[who].message, pool.messages[who].turn
    leave_network(pool, who)
    m = pool.messages[whole]
    if s > m.refused_s or (s == m.refused_s and stage > m.refused_at):
        m.refused_s, m.refused_at = s, stage
    if m.ended > s:
        if turn == m.attempt and not m.failed:
            out_of_time = setup.retry[TIMEOUT] > 0 and m.attempt < setup.retry[CAP] and m.latest + setup.retry[TIMEOUT] < s
            fail(setup, pool, whole, m.latest + setup.retry[TIMEOUT] if out_of_time else s)  # this step is ahead of the clock by the latency before it
        settle(setup, book, pool, whole)
    let_go(pool, whole)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def fail(setup, pool, who, at):  # type: ignore[no-untyped-def]
    """The latest attempt of message *who* fails at second *at*; the next is due when the back-off is over, if there is one."""
    m, retry = pool.messages[who], setup.retry
    m.failed = True
    if not setup.retried[m.kind] or m.attempt >= retry[CAP]:
        return
    ceiling = min(retry[BASE], retry[MOST])
    for _ in range(m.attempt):
        if ceiling == retry[MOST] or retry[FACTOR] == 1:
            break
        ceiling = min(ceiling * retry[FACTOR], retry[MOST])
    drawn = word(setup.keys[WAIT], np.int64(m.place), np.int64(m.premises), np.int64(m.latest))
    if retry[JITTER] == PLAIN:
        wait = ceiling
    elif retry[JITTER] == FULL:
        wait = 1 + scaled(drawn, ceiling)
    elif retry[JITTER] == EQUAL:
        wait = ceiling - ceiling // 2 + scaled(drawn, ceiling // 2 + 1)
    else:
        before = np.int64(m.wait) if m.attempt > 0 else retry[BASE]
        wait = min(retry[MOST], retry[BASE] + scaled(drawn, max(1, 3 * before - retry[BASE] + 1)))
    m.wait, m.waits = wait, True
    if at + wait < setup.c[HORIZON]:
        remind(pool, at + wait, DUE, who, m.attempt + 1, 0)
    else:
        m.refs += 1  # it is still under way at the horizon


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def give_up_or_go(setup, book, pool, links, who, turn, t):  # type: ignore[no-untyped-def]
    """Attempt *turn* of message *who* is due in second *t*: return the record of the attempt, or -1 when none is made."""
    m, c = pool.messages[who], setup.c
    m.waits = False
    up = release(links, np.int64(m.region), np.int64(m.premises), t) if len(links.start) else t
    if up > t:
        m.waits = True
        if up < c[HORIZON]:
            remind(pool, up, DUE, who, turn, 0)
        else:
            m.refs += 1
        return NONE
    if m.ended < t:
        return NONE
    if turn > 0:
        dark = setup.dark_until
        if m.kind >= c[N_ANONYMOUS] and len(dark) and not setup.gasps[m.kind] and t < dark[setup.premises_first[m.region] + np.int64(m.premises)]:
            if m.refused_s >= t:  # a copy is under way until then
                settle(setup, book, pool, who)
            elif m.copies == 0 and m.ended == NEVER:
                finish(setup, book, pool, who, EXPIRED, -1, t)
            return NONE
        budget = setup.budget[m.region]
        if setup.retry[BUDGET] >= 0 and (budget[RETRIES] << 32) >= setup.retry[BUDGET] * budget[FIRSTS]:
            settle(setup, book, pool, who)
            return NONE
        budget[RETRIES_NOW] += 1
    elif setup.retried[m.kind]:
        setup.budget[m.region, FIRSTS_NOW] += 1
    if m.raised >= c[WARM_UP]:
        book.attempts[m.kind, 0] += turn == 0
        book.attempts[m.kind, 1] += 1
    return attempt(setup, pool, who, turn, t, word(setup.keys[RANK], np.int64(m.place), np.int64(m.premises), t))


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def attempt(setup, pool, who, turn, t, rank):  # type: ignore[no-untyped-def]
    """Return the record of attempt *turn* of message *who*, which leaves in second *t*: its own record if that is not under way."""
    copy = who
    if pool.messages[who].travels:
        copy = take(pool)
        pool.messages[copy] = pool.messages[who]
        pool.messages[copy].refs = 1
    a, m = pool.messages[copy], pool.messages[who]
    a.message, a.turn, a.leave, a.rank, a.travels = who, turn, t, rank, True
    m.attempt, m.failed, m.latest = turn, False, t
    m.copies += 1
    m.refs += 1
    if setup.retried[m.kind] and setup.retry[TIMEOUT] > 0 and turn < setup.retry[CAP] and m.ended > t:
        remind(pool, t + setup.retry[TIMEOUT], TIME_OUT, who, turn, 0)
    return copy
