"""Slots of the stages with few servers: CSP regions, the DSP, users. Most are calm, and counts; the
others are named and worked through.
"""

from __future__ import annotations

import numpy as np

from sim.kernels.attempts import end_message
from sim.kernels.compiled import inner, njit
from sim.kernels.moving import coming, move_to, onward
from sim.kernels.noting import note_late
from sim.kernels.ordering import by_server, in_order
from sim.kernels.protection import calm, note_arrivals, pay, refresh
from sim.kernels.servers import bytes_allowed, load_of
from sim.kernels.serving import allowed_at, waiting_at
from sim.kernels.traffic import Naming, named_now
from sim.kernels.work import take_through, work
from sim.words import Fate, Mitigation, StageKind


@inner
def servers(net, k, t):
    """Work through slot t + before of a CSP, DSP or user stage."""
    setup = net.setup
    leaving = net.leaving
    rows = net.rows
    room = net.room
    stage = setup.stages[k]
    came = room.moving[k % 2]
    s = t + stage.before
    i = t - leaving.start
    n = coming(net, k, t)
    storms = _has(rows, stage, Mitigation.ALERT_STORM_PROTECTION)
    if storms:
        for region in range(leaving.counts.shape[0]):
            n = named_now(net, region, t, Naming.WATCHED, k, n)
    by_kind = room.by_kind
    by_kind[: stage.n] = 0
    for j in range(n):
        by_kind[_server_of(stage, came[j]), came[j].kind] += 1
    anyone = False
    for v in range(stage.n):
        _add_counts(stage, setup, (leaving.counts, leaving.by_user), v, i, by_kind[v])
        if stage.n_rows:
            refresh(rows, stage, stage.first + v, s)
        room.is_calm[v] = _is_calm(net, k, v, s, by_kind[v], storms and n > 0)
        anyone = anyone or not room.is_calm[v]
        if not room.is_calm[v] and stage.what == StageKind.CSP:
            n = named_now(net, v, t, Naming.OF_HOMES, k, n)
    if anyone and stage.what != StageKind.CSP:
        n = _named_by_all(net, k, t, n)
    _by_server(net, k, n)
    for v in range(stage.n):
        arrived = room.ids[room.first[v] : room.first[v + 1]]
        if room.is_calm[v]:
            room.measured[:] = 0
            measured = leaving.measured, leaving.by_user_measured
            _add_counts(stage, setup, measured, v, i, room.measured)
            _all_pass(net, k, v, s, arrived, storms)
        else:
            recorded = stage.recorded + v
            _count_seen(net, recorded, s, by_kind[v])
            work(net, k, v, recorded, s, arrived)


@inner
def _is_calm(net, k, v, s, by_kind, some_watched):
    """Whether all of int64 *by_kind* who come to server *v* in slot *s* pass it at once, whoever
    they are; *some_watched*: senders watched for storms are among those who come to this stage.
    """
    stage = net.setup.stages[k]
    if waiting_at(net, stage.first + v) > 0 or not _fits(net, k, v, s, by_kind):
        return False
    if not stage.n_rows:
        return True
    return calm(net.rows, stage, stage.first + v, s, by_kind) and not (some_watched and stage.mixed)


@njit(nogil=True, inline="always")
def _named_by_all(net, k, t, n):
    """Give a name to all those who come to the DSP, or to a user, in step *t*; return how many have
    one then.
    """
    stage = net.setup.stages[k]
    came = net.room.moving[k % 2]
    of = Naming.EVERYONE if stage.what == StageKind.DSP else Naming.NAMED
    n_before = n
    for region in range(net.leaving.counts.shape[0]):
        n = named_now(net, region, t, of, k, n)
    if stage.what == StageKind.USER:  # they came to the SMI's door in time
        for j in range(n_before, n):
            end_message(net, came[j], Fate.DELIVERED, -1, t + net.setup.latency_s)
    return n


@njit(nogil=True, inline="always")
def _by_server(net, k, n):
    """Write into `Room.ids` the places of the first *n* who come to stage *k*, by server, those of
    server v from `Room.first`[v] on.
    """
    room = net.room
    stage = net.setup.stages[k]
    for j in range(n):
        room.ids[j] = j
        room.server[j] = _server_of(stage, room.moving[k % 2, j])
    if stage.n > 1:
        by_server(room.ids, room.server, n, room.first[: stage.n + 1], room.more_ids)
    else:
        room.first[0] = 0
        room.first[1] = n


@inner
def _fits(net, k, v, s, by_kind):
    """Whether server *v*, at which nobody waits, can serve all of int64 *by_kind* in slot *s*."""
    setup = net.setup
    stage = setup.stages[k]
    if by_kind.sum() > allowed_at(net, k, v, s):
        return False
    limit = net.queues.limits[stage.first + v]
    return not limit.in_bytes or load_of(by_kind, setup.sizes[k]) <= bytes_allowed(limit, s)


@inner
def _has(rows, stage, what):
    has = False
    for i in range(stage.first_row, stage.first_row + stage.n_rows):
        has = has or rows.rows[i, 0].what == what
    return has


@inner
def _server_of(stage, attempt):
    """Return the server of *attempt* among those of a CSP, DSP or user stage."""
    if stage.what == StageKind.CSP:
        return np.int64(attempt.place) // 8
    if stage.what == StageKind.USER:
        return np.int64(attempt.user)
    return np.int64(0)


@inner
def _add_counts(stage, setup, counts, v, i, by_kind):
    """Add to *by_kind* those without a name who come to server *v*, of *counts*: by region and
    kind, and by user and named kind.
    """
    of_regions, of_users = counts
    if stage.what == StageKind.USER:
        for kind in range(of_users.shape[1]):
            by_kind[setup.n_anonymous + kind] += of_users[v, kind, i]
        return
    is_shared = stage.what == StageKind.DSP
    for region in range(len(of_regions)):
        if is_shared or region == v:
            for kind in range(len(by_kind)):
                if is_shared or not setup.central[kind]:
                    by_kind[kind] += of_regions[region, kind, i]


@inner
def _count_seen(net, recorded, s, by_kind):
    """Count those who come in slot *s*, int64 *by_kind*."""
    setup = net.setup
    if s < setup.warm_up_s:
        return
    second = s - setup.day_start_s
    for kind in range(len(by_kind)):
        net.book.seen[recorded, kind, second] += by_kind[kind]


@inner
def _all_pass(net, k, v, s, arrived, storms):
    """Let all who come to server *v* in slot *s* pass at once; alert storm protection looks at
    those with names.
    """
    setup = net.setup
    rows = net.rows
    book = net.book
    room = net.room
    stage = setup.stages[k]
    came = room.moving[k % 2]
    by_kind = room.by_kind[v]
    recorded = stage.recorded + v
    n = len(arrived)
    _count_seen(net, recorded, s, by_kind)
    if stage.n_rows:
        note_arrivals(rows, stage, stage.first + v, s, by_kind)
        pay(rows, stage, stage.first + v, by_kind)
    if storms and n:
        in_order(net, came, arrived, n)
        for i in range(stage.first_row, stage.first_row + stage.n_rows):
            if rows.rows[i, 0].what == Mitigation.ALERT_STORM_PROTECTION:
                n = take_through(net, k, i, v, recorded, s, 0, arrived, n)
    for kind in range(len(by_kind)):
        book.undelayed[recorded, kind] += room.measured[kind]
    first = room.n_moving[(k + 1) % 2]
    for j in range(n):
        attempt = came[arrived[j]]
        book.undelayed[recorded, attempt.kind] += attempt.raised >= setup.warm_up_s
        note_late(net, attempt, recorded, s)
        move_to(net, k + 1, attempt)
    onward(net, k, first, s)
