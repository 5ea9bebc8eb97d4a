"""One server at work in one slot: its arrivals in order, through the rows, served, waiting or
refused (docs/model.md sections 7 and 10).
"""

from __future__ import annotations

import numpy as np

from sim.kernels.attempts import Key, Scalar, finish, leave_network, refuse
from sim.kernels.compiled import njit
from sim.kernels.moving import onward
from sim.kernels.ordering import in_order
from sim.kernels.pool import NONE, EventKind, let_go, remind
from sim.kernels.protection import allowed_by_shapes, barred_until, stopped_by
from sim.kernels.seconds import NEVER
from sim.kernels.servers import is_out, messages_allowed, serve
from sim.words import Fate, Mitigation


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def work(net, k, v, recorded, s, arrived):
    """Put the arrivals of slot *s* in order, take them through the rows, and serve; return how many
    wait then, and how many messages, and bytes, were put off.
    """
    setup, _, pool, _, rows, queues, book, room = net
    stage = setup.stages[k]
    messages = pool.messages
    server = setup.stages[k].first + v
    c = setup.c
    n, waiting = len(arrived), queues.n[server].sum()
    in_order(messages, arrived, n, room.keys, room.more_ids, room.more_keys, c[Scalar.N_ANONYMOUS])
    codel = -1
    n_put_off = 0
    put_off_b = 0
    for i in range(stage.first_row, stage.first_row + stage.n_rows):
        if rows.rows[i, 0].what == Mitigation.CODEL:
            codel = i
        elif n:
            n, away, away_b = take_through(net, k, i, v, recorded, s, waiting, arrived, n)
            n_put_off, put_off_b = n_put_off + away, put_off_b + away_b
    for j in range(n):
        messages[arrived[j]].at = s
    n_served, n_refused = serve(
        messages,
        queues,
        stage,
        setup.levels[k],
        setup.sizes[k],
        server,
        arrived,
        n,
        s,
        allowed_at(setup, rows, queues, stage, v, s),
        room.served,
        room.refused,
    )
    if s >= c[Scalar.WARM_UP]:
        book.served[recorded, s - c[Scalar.DAY_START]] += n_served
    for j in range(n_served):
        m = messages[room.served[j]]
        if messages[m.message].raised >= c[Scalar.WARM_UP]:
            book.delays[recorded * book.seen.shape[1] + m.kind, s - m.at] += 1
        onward(setup, book, pool, room.box, k, room.served[j], s)
    for j in range(n_refused):
        who = room.refused[j]
        if who < 0:  # dropped by codel
            who = -2 - who
            book.stopped[codel, messages[who].kind, 0] += (
                messages[messages[who].message].raised >= c[Scalar.WARM_UP]
            )
        refuse(setup, book, pool, who, k, s)
    return queues.n[server].sum(), n_put_off, put_off_b


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def take_through(net, k, i, v, recorded, s, waiting, arrived, n):
    """Take the first *n* of *arrived* through row *i*; return how many pass, moved to the front,
    and how many messages, and bytes, have not arrived at all yet.
    """
    setup, _, pool, _, rows, _, book, room = net
    stage = setup.stages[k]
    messages = pool.messages
    row = rows.rows[i, v]
    c = setup.c
    what = row.what
    if what == Mitigation.REDELIVERY:
        if not is_out(setup.outages, stage.first + v, s):
            return n, 0, 0
        for j in range(n):
            room.verdict[j] = rows.listed[i, messages[arrived[j]].kind]
    else:
        stopped_by(
            rows,
            i,
            stage,
            stage.first + v,
            s,
            waiting,
            messages,
            arrived,
            n,
            setup.keys[Key.BARRED :],
            room.verdict,
        )
    kept = away = away_b = 0
    for j in range(n):
        who = arrived[j]
        if not room.verdict[j]:
            arrived[kept] = who
            kept += 1
            continue
        m = messages[who]
        whole = m.message
        kind = m.kind
        later = NONE
        if what == Mitigation.ACCESS_BARRING:
            later = barred_until(setup.keys[Key.BARRED :], row, m, s)
        elif what == Mitigation.REDELIVERY:
            later = _taken_at(setup.outages, stage.first + v, s, row.a, row.b)
        measured = messages[whole].raised >= c[Scalar.WARM_UP]
        book.stopped[i, kind, 0 if later < 0 else 1] += measured
        if what in (Mitigation.ACCESS_BARRING, Mitigation.REDELIVERY):
            away += 1
            away_b += setup.sizes[k, kind]
            if s >= c[Scalar.WARM_UP]:
                book.seen[recorded, kind, s - c[Scalar.DAY_START]] -= 1
        if later >= 0:
            remind(pool, later - stage.before, EventKind.ARRIVES, who, 0, k)
        elif what in (Mitigation.ALERT_STORM_PROTECTION, Mitigation.REDELIVERY):
            if messages[whole].ended == NEVER:
                finish(setup, book, pool, whole, Fate.THROTTLED, k, s)
            leave_network(pool, who)
            let_go(pool, whole)
        else:
            refuse(setup, book, pool, who, k, s)
    return kept, away, away_b


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _taken_at(outages, server, s, after, hold):
    """Return the slot in which a user who is out in slot *s* takes a message, or -1 if that is too
    late.
    """
    later = s + after
    while is_out(outages, server, later):
        for j in range(len(outages)):
            if outages[j].server == server and outages[j].start <= later < outages[j].stop:
                later = outages[j].stop
        if later - s > hold:
            return NONE
    return later


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def allowed_at(setup, rows, queues, stage, v, s):
    """Return how many messages server *v* may serve in slot *s*, whatever their bytes."""
    if is_out(setup.outages, stage.first + v, s):
        return np.int64(0)
    allowed = messages_allowed(queues.limits[stage.first + v], s)
    return allowed_by_shapes(rows, stage, v, s, allowed)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def count_seen(setup, book, recorded, s, messages, ids, n):
    """Count the arrivals of slot *s*."""
    if s >= setup.c[Scalar.WARM_UP]:
        for j in range(n):
            book.seen[recorded, messages[ids[j]].kind, s - setup.c[Scalar.DAY_START]] += 1
