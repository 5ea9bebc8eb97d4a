"""The network, second by second: counts while nobody is in anybody's way, names and queues where
somebody is (docs/model.md sections 7 and 10).

Step t takes those who leave in second t through all stages; a stage with *before* seconds of
latency before it works on slot t + before. Whatever comes back (a refusal, a time-out, a bar) acts
in a later step, so nothing is ever decided before its causes are known.
"""

from __future__ import annotations

from enum import IntEnum, unique

import numpy as np

from sim.kernels.attempts import RetryTerm, Scalar, Spent, fail, give_up_or_go
from sim.kernels.cells import cells
from sim.kernels.compiled import njit
from sim.kernels.moving import at_the_door, send
from sim.kernels.net import Net
from sim.kernels.pool import NONE, EventKind, Height, due_now, give_back, let_go, room_left
from sim.kernels.references import (
    BookRef,
    LeavingRef,
    LinksRef,
    PoolRef,
    QueuesRef,
    RoomRef,
    RowsRef,
    SetupRef,
)
from sim.kernels.slots import servers
from sim.kernels.traffic import kept_by_hubs
from sim.words import StageKind


@unique
class Pause(IntEnum):
    """Why `advance` returns."""

    DONE = 0
    NEEDS_ROOM = 1


@njit(nogil=True)
def advance(net, from_s, to_s):
    """Take steps [from, to) of *net* (`Net`); return the first not taken, and whether it needs more
    room.
    """
    a, b, c, d, e, f, g, h = net
    shared = Net(
        SetupRef(
            a.c,
            a.stages,
            a.levels,
            a.sizes,
            a.outages,
            a.retry,
            a.retried,
            a.keys,
            a.home_keys,
            a.kind_user,
            a.targets,
            a.gasps,
            a.central,
            a.premises_first,
            a.user_of,
            a.dark_until,
            a.budget,
        ),
        LeavingRef(
            b.start,
            b.counts,
            b.measured,
            b.total,
            b.by_user,
            b.by_user_measured,
            b.crowded,
            b.busiest,
            b.first,
            b.members,
            b.flows,
            b.watched,
        ),
        PoolRef(c.messages, c.free, c.events, c.free_events, c.wheel, c.wheel_n, c.ended, c.n),
        LinksRef(
            d.region, d.start, d.stop, d.number, d.covers, d.spread, d.key, d.premises_per_cell
        ),
        RowsRef(
            e.rows, e.listed, e.state, e.ring, e.codes, e.shares, e.senders, e.history, e.times
        ),
        QueuesRef(f.limits, f.begun, f.head, f.tail, f.n, f.good),
        BookRef(
            g.seen,
            g.served,
            g.waits,
            g.undelayed,
            g.delays,
            g.ends,
            g.fates,
            g.late,
            g.attempts,
            g.stopped,
            g.cells,
            g.over,
            g.deliver,
        ),
        RoomRef(
            h.box,
            h.ids,
            h.more_ids,
            h.keys,
            h.more_keys,
            h.server,
            h.served,
            h.refused,
            h.verdict,
            h.first,
            h.by_kind,
            h.is_calm,
            h.cells_waiting,
            h.draft_kind,
            h.draft_number,
        ),
    )
    for t in range(from_s, to_s):
        if _lacks_room(shared.leaving, shared.pool, shared.setup.c, t):
            return t, Pause.NEEDS_ROOM
        _step(shared, t)
    return to_s, Pause.DONE


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _lacks_room(leaving, pool, c, t):
    """Whether step *t* might need more records than are free."""
    new = np.int64(pool.wheel_n[t % len(pool.wheel)])
    for region in range(leaving.counts.shape[0]):
        for kind in range(leaving.counts.shape[1]):
            new += leaving.counts[region, kind, t - leaving.start]
    messages, events = room_left(pool)
    known = len(pool.messages) - messages + new
    if messages < new or (len(pool.events) and events < known + new):
        return True
    tells = c[Scalar.TRACED] or (c[Scalar.LATENCY] > 0 and t + c[Scalar.LATENCY] >= c[Scalar.STOP])
    return tells and len(pool.ended) - pool.n[Height.N_ENDED] < known


@njit(nogil=True, inline="always")
def _step(net, t):
    """Take those who leave in second *t*, and those who come again then, through all stages."""
    setup = net.setup
    leaving = net.leaving
    pool = net.pool
    links = net.links
    book = net.book
    room = net.room
    if len(links.start):
        for region in range(leaving.counts.shape[0]):
            if _some_link_is_down(links, region, t):
                kept_by_hubs(setup, leaving, book, pool, links, region, t)
    if setup.retry[RetryTerm.BUDGET] >= 0:
        _count_firsts(setup, leaving, t)
    events = np.empty(pool.wheel_n[t % len(pool.wheel)], np.int32)
    n_events = due_now(pool, t, events)
    for j in range(n_events):
        event = pool.events[events[j]]
        if event.what == EventKind.DUE:
            copy = give_up_or_go(setup, book, pool, links, event.who, event.turn, t)
            if copy != NONE:
                if setup.c[Scalar.N_OPEN] > 0:
                    send(room.box, pool.messages, 0, copy)
                else:
                    at_the_door(setup, book, pool, room.box, copy, t)
            let_go(pool, event.who)
        elif event.what == EventKind.ARRIVES:
            send(room.box, pool.messages, event.stage, event.who)
            let_go(pool, event.who)
    for k in range(setup.c[Scalar.N_STAGES]):
        if t + setup.stages[k].before >= setup.c[Scalar.HORIZON]:
            room.box[k, 0] = NONE
            room.box[k, 1] = NONE
            room.box[k, 2] = 0
        elif setup.stages[k].what == StageKind.CELL:
            cells(net, k, t)
        else:
            servers(net, k, t)
    for j in range(n_events):
        event = pool.events[events[j]]
        if event.what == EventKind.TIME_OUT:
            m = pool.messages[event.who]
            if m.attempt == event.turn and not m.failed and m.ended > t:
                fail(setup, pool, event.who, t)
            let_go(pool, event.who)
    give_back(pool, events, n_events)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _some_link_is_down(links, region, t):
    down = False
    for k in range(len(links.start)):
        down = down or (
            links.region[k] == region and links.start[k] <= t < links.stop[k] + links.spread
        )
    return down


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _count_firsts(setup, leaving, t):
    """Add the last second's attempts to those before it, and begin the next second's."""
    for region in range(leaving.counts.shape[0]):
        budget = setup.budget[region]
        budget[Spent.FIRSTS] += budget[Spent.FIRSTS_NOW]
        budget[Spent.RETRIES] += budget[Spent.RETRIES_NOW]
        budget[Spent.FIRSTS_NOW] = budget[Spent.RETRIES_NOW] = 0
        for kind in range(leaving.counts.shape[1]):
            if setup.retried[kind]:
                budget[Spent.FIRSTS_NOW] += leaving.counts[region, kind, t - leaving.start]
