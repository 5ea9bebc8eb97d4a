"""How a message ends, and how it tries again: refusals, time-outs, back-off and its budget
(docs/model.md sections 7 and 10).

A message of a kind that is not retried is its one attempt; one that is has a record beside its
attempts, as several may be under way at once.
"""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import inner
from sim.kernels.draws import scaled, word
from sim.kernels.lines import Lane, remind
from sim.kernels.links import release
from sim.kernels.pool import let_go, take
from sim.kernels.prefetch import AHEAD, prefetch
from sim.kernels.seconds import NEVER, NOT_WRITTEN
from sim.kernels.setup import Key
from sim.words import Backoff, Fate


@inner
def ask_ahead(net, attempts, j, n):
    """Ask memory for the message of one of the first *n* of *attempts* that comes soon after number
    *j*.
    """
    if j + AHEAD >= n:
        return
    later = attempts[j + AHEAD]
    if net.setup.retried[later.kind]:
        prefetch(net.pool.messages, later.who)
    elif later.kind >= net.setup.n_anonymous:
        prefetch(net.book.deliver, later.who)


@inner
def count_ends(net, m, fate, stage, at, n):
    """Count that *m*, a message or the attempt that is one, and those like it, *n* together, end at
    second *at*; *stage* is where (-1: nowhere in particular).
    """
    setup = net.setup
    book = net.book
    kind = m.kind
    raised = np.int64(m.raised)
    if raised < setup.warm_up_s:
        return
    book.fates[kind, fate, stage + 1] += n
    target = setup.targets[kind]
    n_late = n
    if fate == Fate.DELIVERED:
        delay = at - raised
        book.ends[kind, delay] += n
        n_late *= delay > target
    elif fate == Fate.IN_FLIGHT:
        age = setup.horizon_s - raised
        n_late *= age > target
    elif fate == Fate.THROTTLED:
        n_late = 0
    book.late[kind] += n_late


@inner
def tell_end(net, m, fate, stage, at):
    """Count that *m* ends, as `count_ends` does, and tell whom it concerns."""
    count_ends(net, m, fate, stage, at, 1)
    tell(net, m, fate, stage, at)


@inner
def tell(net, m, fate, stage, at):
    """Tell the ledgers, or a trace, of the end of *m*, if they have to know of it."""
    setup = net.setup
    leaving = net.leaving
    pool = net.pool
    book = net.book
    if m.kind < setup.n_anonymous:
        return
    leaves_now = m.who >= leaving.n_carried
    if leaves_now:
        book.deliver[m.who] = (
            at if fate == Fate.DELIVERED else (NEVER if fate == Fate.IN_FLIGHT else NOT_WRITTEN)
        )
    told = (
        m.kind < len(setup.targets) - 1
        or (leaves_now and not (fate == Fate.DELIVERED and at >= setup.stop_s))
        or fate == Fate.IN_FLIGHT
    )
    if setup.is_traced or not told:
        origin = leaving.origins[m.who]
        e = pool.ended[pool.heights[0].n_ended]
        e.premises = m.premises
        e.row = origin.row
        e.raised = m.raised
        e.made = origin.made
        e.kind = m.kind
        e.place = m.place
        e.cause = m.cause
        e.fate = fate
        e.stage = stage
        e.told = told
        e.at = at if fate == Fate.DELIVERED else -1
        pool.heights[0].n_ended += 1


@inner
def finish(net, who, fate, stage, at):
    """End message *who*, as `tell_end` counts it."""
    net.pool.messages[who].ended = at
    tell_end(net, net.pool.messages[who], fate, stage, at)


@inner
def end_message(net, attempt, fate, stage, at):
    """End the message of *attempt*, unless it has ended."""
    if net.setup.retried[attempt.kind]:
        if net.pool.messages[attempt.who].ended == NEVER:
            finish(net, attempt.who, fate, stage, at)
    elif not attempt.ended:
        tell_end(net, attempt, fate, stage, at)
    attempt.ended = True


@inner
def settle(net, who):
    """End message *who* as refused if it will not try again and no attempt of it is under way."""
    m = net.pool.messages[who]
    if m.ended == NEVER and m.copies == 0 and not m.waits:
        stage = m.refused_at if m.refused_s >= 0 else net.setup.n_stages
        finish(net, who, Fate.REFUSED, stage, m.refused_s)


@inner
def leave_network(net, attempt):
    """*attempt* is no longer under way."""
    if net.setup.retried[attempt.kind]:
        net.pool.messages[attempt.who].copies -= 1
        let_go(net.pool, attempt.who)


@inner
def refuse(net, attempt, stage, s):
    """*attempt* is refused at *stage* in slot *s*."""
    setup = net.setup
    pool = net.pool
    if not setup.retried[attempt.kind]:
        tell_end(net, attempt, Fate.REFUSED, stage, s)
        return
    m = pool.messages[attempt.who]
    m.copies -= 1
    if s > m.refused_s or (s == m.refused_s and stage > m.refused_at):
        m.refused_s, m.refused_at = s, stage
    if m.ended > s:
        if attempt.leave == m.latest and not m.failed:
            failed_at, timeout = s, setup.retry.timeout_s
            if timeout > 0 and m.attempt < setup.retry.cap:
                # This step is ahead of the clock by the latency before it.
                failed_at = min(np.int64(s), m.latest + timeout)
            fail(net, attempt, failed_at)
        settle(net, attempt.who)
    let_go(pool, attempt.who)


@inner
def time_out(net, attempt, t):
    """Nobody has answered *attempt* by second *t*: it fails, unless something has become of it or
    of its message.
    """
    m = net.pool.messages[attempt.who]
    left = t - net.setup.retry.timeout_s
    if m.latest == left and not m.failed and m.ended > t:
        fail(net, attempt, t)
    let_go(net.pool, attempt.who)


@inner
def fail(net, attempt, at):
    """*attempt*, the latest of its message, fails at second *at*; the next is due when the back-off
    is over, if there is one.
    """
    setup = net.setup
    retry = setup.retry
    m = net.pool.messages[attempt.who]
    m.failed = True
    if m.attempt >= retry.cap:
        return
    ceiling = min(retry.base_s, retry.most_s)
    for _ in range(m.attempt):
        if ceiling == retry.most_s or retry.factor == 1:
            break
        ceiling = min(ceiling * retry.factor, retry.most_s)
    drawn = word(setup.keys[Key.WAIT], m.place, m.premises, m.latest)
    if retry.jitter == Backoff.NONE:
        wait = ceiling
    elif retry.jitter == Backoff.FULL:
        wait = 1 + scaled(drawn, ceiling)
    elif retry.jitter == Backoff.EQUAL:
        wait = ceiling - ceiling // 2 + scaled(drawn, ceiling // 2 + 1)
    else:
        before = np.int64(m.wait) if m.attempt > 0 else retry.base_s
        wait = min(
            retry.most_s,
            retry.base_s + scaled(drawn, max(1, 3 * before - retry.base_s + 1)),
        )
    m.wait, m.waits = wait, True
    _put_off(net, attempt, at + wait)


@inner
def _put_off(net, attempt, until):
    """Let *attempt* be due in second *until*; what is due after the horizon is still under way
    there.
    """
    setup = net.setup
    pool = net.pool
    book = net.book
    is_before = until < setup.horizon_s
    if is_before:
        remind(pool, Lane.DUE, until, attempt)
    if setup.retried[attempt.kind]:
        pool.messages[attempt.who].refs += 1
    elif not is_before and attempt.raised >= setup.warm_up_s:
        book.fates[attempt.kind, Fate.IN_FLIGHT, 0] += 1


@inner
def begin_record(net, attempt):
    """Give the message of *attempt* a record, if its kind is retried."""
    if not net.setup.retried[attempt.kind]:
        return
    who = take(net.pool)
    m = net.pool.messages[who]
    m.who = attempt.who
    m.raised = attempt.raised
    m.premises = attempt.premises
    m.kind = attempt.kind
    m.place = attempt.place
    m.cause = attempt.cause
    m.ended = NEVER
    m.latest = -1
    m.refused_s = -1
    m.refused_at = -1
    m.refs = m.copies = m.attempt = m.wait = 0
    m.failed = m.waits = False
    attempt.who = who


@inner
def keep(net, attempt, up):
    """Let *attempt*, whose link is down, wait at its hub until second *up*."""
    if net.setup.retried[attempt.kind]:
        m = net.pool.messages[attempt.who]
        m.waits, m.failed = True, True
    _put_off(net, attempt, up)


@inner
def sets_out(net, attempt, t):
    """Whether *attempt*, which is due in second *t*, is made then."""
    setup = net.setup
    pool = net.pool
    links = net.links
    book = net.book
    up = t
    if len(links.start):
        up = release(links, attempt.place // 8, attempt.premises, t)
    is_retried = setup.retried[attempt.kind]
    goes = up == t
    if not goes:
        _put_off(net, attempt, up)
    elif is_retried:
        m = pool.messages[attempt.who]
        m.waits = False
        goes = m.ended >= t and (m.latest < 0 or _may_again(net, attempt, t))
    turn = np.int64(0)
    if goes and is_retried:
        m = pool.messages[attempt.who]
        turn = (np.int64(m.attempt) + 1) * (m.latest >= 0)
        budget = setup.budget[attempt.place // 8]
        budget.firsts_now += turn == 0
        budget.retries_now += turn > 0
    if goes:
        if attempt.raised >= setup.warm_up_s:
            book.attempts[attempt.kind, 0] += turn == 0
            book.attempts[attempt.kind, 1] += 1
        attempt.rank = word(setup.keys[Key.RANK], attempt.place, attempt.premises, t)
        set_out(net, attempt, turn, t)
    if is_retried:
        let_go(pool, attempt.who)
    return goes


@inner
def _may_again(net, attempt, t):
    """Whether the message of *attempt* may be tried once more in second *t*: it has power, and the
    budget of its region allows it. One that may not has ended when nothing of it is under way.
    """
    setup = net.setup
    m = net.pool.messages[attempt.who]
    region = attempt.place // 8
    if _is_dark(setup, m, t):
        if m.refused_s >= t:  # a copy is under way until then
            settle(net, attempt.who)
        elif m.copies == 0 and m.ended == NEVER:
            finish(net, attempt.who, Fate.EXPIRED, -1, t)
        return False
    budget = setup.budget[region]
    if setup.retry.budget >= 0 and (budget.retries << 32) >= setup.retry.budget * budget.firsts:
        settle(net, attempt.who)
        return False
    return True


@inner
def _is_dark(setup, m, t):
    """Whether darkness keeps message *m* from being tried in second *t*."""
    if len(setup.dark_until) == 0 or m.kind < setup.n_anonymous or setup.gasps[m.kind]:
        return False
    first = setup.premises_first[m.place // 8]
    return t < setup.dark_until[first + np.int64(m.premises)]


@inner
def set_out(net, attempt, turn, t):
    """Let *attempt*, number *turn* of its message, leave in second *t*."""
    attempt.leave = t
    if not net.setup.retried[attempt.kind]:
        return
    retry = net.setup.retry
    m = net.pool.messages[attempt.who]
    m.attempt = turn
    m.failed = False
    m.latest = t
    m.copies += 1
    m.refs += 1
    if retry.timeout_s > 0 and turn < retry.cap and m.ended > t:
        remind(net.pool, Lane.TIME_OUT, t + retry.timeout_s, attempt)
        m.refs += 1
