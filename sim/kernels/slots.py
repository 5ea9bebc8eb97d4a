"""Slots of the stages with few servers: CSP regions, the DSP, users. Most are calm, and counts; the
others are named and worked through.
"""

from __future__ import annotations

import numpy as np

from sim.kernels.attempts import Scalar, finish
from sim.kernels.compiled import njit
from sim.kernels.moving import arrivals, onward
from sim.kernels.ordering import by_server, in_order
from sim.kernels.protection import calm, note_arrivals, pay, refresh
from sim.kernels.servers import bytes_allowed, load_of
from sim.kernels.traffic import Naming, named_now
from sim.kernels.work import allowed_at, count_seen, take_through, work
from sim.words import Fate, Mitigation, StageKind


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def servers(net, k, t):
    """Work through slot t + before of a CSP, DSP or user stage."""
    setup, leaving, pool, links, rows, queues, book, room = net
    stage, messages = setup.stages[k], pool.messages
    s = t + stage.before
    i = t - leaving.start
    n_regions = leaving.counts.shape[0]
    n = arrivals(messages, room.box, k, room.ids)
    storms = _has(rows, stage, Mitigation.ALERT_STORM_PROTECTION)
    if storms:
        for region in range(n_regions):
            n = named_now(setup, leaving, book, pool, links, room, region, t, Naming.WATCHED, n)
    by_kind, measured = room.by_kind, np.zeros(leaving.counts.shape[1], np.int64)
    by_kind[: stage.n] = 0
    for j in range(n):
        by_kind[_server_of(stage, messages[room.ids[j]]), messages[room.ids[j]].kind] += 1
    anyone = False
    for v in range(stage.n):
        _add_counts(stage, leaving, v, i, by_kind[v], setup)
        if stage.n_rows:
            refresh(rows, stage, stage.first + v, s)
        waiting = queues.n[stage.first + v].sum()
        room.is_calm[v] = waiting == 0 and _fits(net, k, v, s, by_kind[v])
        if stage.n_rows and room.is_calm[v]:
            room.is_calm[v] = calm(rows, stage, stage.first + v, s, by_kind[v]) and not (
                storms and n and stage.mixed
            )
        anyone = anyone or not room.is_calm[v]
        if not room.is_calm[v] and stage.what == StageKind.CSP:
            n = named_now(setup, leaving, book, pool, links, room, v, t, Naming.OF_HOMES, n)
    if anyone and stage.what != StageKind.CSP:
        n_before = n
        for region in range(n_regions):
            n = named_now(
                setup,
                leaving,
                book,
                pool,
                links,
                room,
                region,
                t,
                Naming.EVERYONE if stage.what == StageKind.DSP else Naming.NAMED,
                n,
            )
        # they came to the SMI's door in time
        for j in range(n_before, n if stage.what == StageKind.USER else n_before):
            finish(setup, book, pool, room.ids[j], Fate.DELIVERED, -1, t + setup.c[Scalar.LATENCY])
    for j in range(n):
        room.server[j] = _server_of(stage, messages[room.ids[j]])
    first = room.first[: stage.n + 1]
    if stage.n > 1:
        by_server(room.ids, room.server, n, first, room.more_ids)
    else:
        first[0], first[1] = 0, n
    for v in range(stage.n):
        arrived = room.ids[first[v] : first[v + 1]]
        if room.is_calm[v]:
            measured[:] = 0
            _add_measured(stage, leaving, v, i, setup, measured)
            _all_pass(net, k, v, s, arrived, by_kind[v], measured, storms)
        else:
            count_seen(setup, book, stage.recorded + v, s, messages, arrived, len(arrived))
            waiting, _, _ = work(net, k, v, stage.recorded + v, s, arrived)
            book.waits[stage.recorded + v, s - setup.c[Scalar.DAY_START]] = waiting


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _fits(net, k, v, s, by_kind):
    """Whether server *v*, at which nobody waits, can serve all of int64 *by_kind* in slot *s*."""
    setup = net.setup
    rows = net.rows
    queues = net.queues
    stage = setup.stages[k]
    if by_kind.sum() > allowed_at(setup, rows, queues, stage, v, s):
        return False
    limit = queues.limits[stage.first + v]
    return not limit.in_bytes or load_of(by_kind, setup.sizes[k]) <= bytes_allowed(limit, s)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _has(rows, stage, what):
    has = False
    for i in range(stage.first_row, stage.first_row + stage.n_rows):
        has = has or rows.rows[i, 0].what == what
    return has


@njit(nogil=True, inline="always")
def _server_of(stage, m):
    """Return the server of message *m* among those of a CSP, DSP or user stage."""
    return (
        np.int64(m.region)
        if stage.what == StageKind.CSP
        else (np.int64(m.user) if stage.what == StageKind.USER else np.int64(0))
    )


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _add_counts(stage, leaving, v, i, by_kind, setup):
    """Add to *by_kind* those without a name who come to server *v*."""
    if stage.what == StageKind.USER:
        for kind in range(leaving.by_user.shape[1]):
            by_kind[setup.c[Scalar.N_ANONYMOUS] + kind] += leaving.by_user[v, kind, i]
        return
    for region in range(leaving.counts.shape[0]):
        if stage.what == StageKind.DSP or region == v:
            for kind in range(leaving.counts.shape[1]):
                if stage.what == StageKind.DSP or not setup.central[kind]:
                    by_kind[kind] += leaving.counts[region, kind, i]


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _add_measured(stage, leaving, v, i, setup, measured):
    """Add to *measured* those without a name at server *v* who were raised after the warm-up."""
    if stage.what == StageKind.USER:
        for kind in range(leaving.by_user.shape[1]):
            measured[setup.c[Scalar.N_ANONYMOUS] + kind] += leaving.by_user_measured[v, kind, i]
        return
    for region in range(leaving.measured.shape[0]):
        if stage.what == StageKind.DSP or region == v:
            for kind in range(leaving.measured.shape[1]):
                if stage.what == StageKind.DSP or not setup.central[kind]:
                    measured[kind] += leaving.measured[region, kind, i]


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _all_pass(net, k, v, s, arrived, by_kind, measured, storms):
    """Let all who come to server *v* in slot *s* pass at once; alert storm protection looks at
    those with names.
    """
    setup, _, pool, _, rows, _, book, room = net
    stage = setup.stages[k]
    messages = pool.messages
    recorded = setup.stages[k].recorded + v
    second = s - setup.c[Scalar.DAY_START]
    n = len(arrived)
    if s >= setup.c[Scalar.WARM_UP]:
        for kind in range(len(by_kind)):
            book.seen[recorded, kind, second] += by_kind[kind]
    if stage.n_rows:
        note_arrivals(rows, stage, stage.first + v, s, by_kind)
        pay(rows, stage, stage.first + v, by_kind)
    if storms and n:
        in_order(
            messages,
            arrived,
            n,
            room.keys,
            room.more_ids,
            room.more_keys,
            setup.c[Scalar.N_ANONYMOUS],
        )
        for i in range(stage.first_row, stage.first_row + stage.n_rows):
            if rows.rows[i, 0].what == Mitigation.ALERT_STORM_PROTECTION:
                n, _, _ = take_through(net, k, i, v, recorded, s, 0, arrived, n)
    for kind in range(len(by_kind)):
        book.undelayed[recorded, kind] += measured[kind]
    if s >= setup.c[Scalar.WARM_UP]:
        book.served[recorded, second] += by_kind.sum() - (len(arrived) - n)
    for j in range(n):
        m = messages[arrived[j]]
        book.undelayed[recorded, m.kind] += messages[m.message].raised >= setup.c[Scalar.WARM_UP]
        onward(setup, book, pool, room.box, k, arrived[j], s)
