"""The network, second by second: counts while nobody is in anybody's way, attempts and lines where
somebody is (docs/model.md sections 7 and 10).

Step t takes those who leave in second t through all stages; a stage with *before* seconds of
latency before it works on slot t + before. Whatever comes back (a refusal, a time-out, a bar) acts
in a later step, so nothing is ever decided before its causes are known. Seconds in which nothing
waits and nobody will are passed together.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sim.kernels.attempts import ask_ahead, sets_out, time_out
from sim.kernels.busiest import is_fullest, watched_until
from sim.kernels.cells import cells
from sim.kernels.compiled import inner, njit
from sim.kernels.lines import Lane, due_line, due_now
from sim.kernels.moving import move_to, past_the_horizon, to_the_door
from sim.kernels.net import shared
from sim.kernels.pool import CHUNK_PLACES, room_left
from sim.kernels.quiet import count_firsts, pass_seconds
from sim.kernels.servers import UNLIMITED, messages_allowed
from sim.kernels.serving import waiting_at
from sim.kernels.slots import servers
from sim.kernels.stepping import record
from sim.kernels.traffic import kept_by_hubs
from sim.words import StageKind

NEEDED: Final = record([
    ("n_moves", "i8"),     # attempts that may move in the step
    ("n_chunks", "i8"),    # chunks that lines may take for them
    ("n_messages", "i8"),  # records of messages that may begin
    ("n_ended", "i8"),     # messages that may have ended, those before it included
])  # fmt: skip


@njit(nogil=True, _nrt=False)
def advance(net, from_s, to_s, needed):
    """Take steps [from, to) of *net* (`Net`); return the first not taken. If that is not *to_s*, it
    needs more room: one record *needed* (`NEEDED`) says how much.
    """
    own = shared(net)
    begin = net.leaving.start
    t = np.int64(from_s)
    while t < to_s:
        later = _calm_until(own, t, to_s)
        if later > t:
            pass_seconds(own.setup, own.leaving, own.book, t - begin, later - begin)
        elif _lacks_room(own, t, needed):
            return t
        else:
            _step(own, t)
            later = t + 1
        t = later
    return t


@inner
def _calm_until(net, t, to_s):
    """Return the first second from *t* on in which somebody may be in somebody's way, or a
    cell is fuller than any was: *t* itself while anybody waits, or the busiest cell is watched.
    """
    if net.pool.heights[0].n_waiting > 0 or t < watched_until(net.book):
        return t
    leaving = net.leaving
    while t < to_s and not leaving.busy[t - leaving.start]:
        for region in range(len(leaving.busiest)):
            if is_fullest(net, region, t):
                return t
        t += 1
    return t


@njit(nogil=True, inline="always")
def _lacks_room(net, t, needed):
    """Whether step *t* might need more room than there is: *needed* says how much it might."""
    setup = net.setup
    leaving = net.leaving
    pool = net.pool
    room = net.room
    new = np.int64(0)
    for region in range(leaving.counts.shape[0]):
        for kind in range(leaving.counts.shape[1]):
            new += leaving.counts[region, kind, t - leaving.start]
    most = new
    if pool.wheels < len(pool.lines):
        for lane in range(Lane.ARRIVES + setup.n_stages):
            most += pool.lines[due_line(pool, lane, t)].n
    for k in range(setup.n_stages):
        most += _may_leave(net, k, t + setup.stages[k].before)
    # each may join a queue, be given a time to wait, and a time to be tried again
    joins = 3 * most
    needs = needed[0]
    needs.n_moves = most + 1
    n_lines = np.int64(len(pool.lines))
    needs.n_chunks = joins // CHUNK_PLACES + min(joins, n_lines)
    needs.n_messages = new
    needs.n_ended = pool.heights[0].n_ended + 2 * most
    messages, chunks = room_left(pool)
    return (
        needs.n_moves > len(room.ids)
        or needs.n_chunks > chunks
        or (needs.n_messages > messages and len(pool.messages) > 0)
        or needs.n_ended > len(pool.ended)
    )


@inner
def _may_leave(net, k, s):
    """Return a bound on how many of those who wait at stage *k* leave it in slot *s*."""
    stage = net.setup.stages[k]
    n = np.int64(0)
    if stage.what == StageKind.CELL:
        for region in range(len(net.room.cells_waiting)):
            n += net.room.cells_waiting[region]
        return n
    for server in range(stage.first, stage.first + stage.n):
        waiting = waiting_at(net, server)
        drops = stage.codel_interval >= 0
        allowed = UNLIMITED if drops else messages_allowed(net.queues.limits[server], s)
        n += min(waiting, allowed)
    return n


@njit(nogil=True, inline="always")
def _step(net, t):
    """Take those who leave in second *t*, and those who come again then, through all stages."""
    setup = net.setup
    leaving = net.leaving
    pool = net.pool
    links = net.links
    room = net.room
    if len(links.start):
        for region in range(leaving.counts.shape[0]):
            if _some_link_is_down(links, region, t):
                kept_by_hubs(net, region, t)
    if setup.retry.budget >= 0:
        count_firsts(setup, leaving, t - leaving.start)
    comes_again = pool.wheels < len(pool.lines)
    if comes_again:
        n = due_now(pool, Lane.DUE, t, room.due, 0)
        for j in range(n):
            ask_ahead(net, room.due, j, n)
            if sets_out(net, room.due[j], t):
                move_to(net, 0, room.due[j])
        if setup.n_open == 0:
            to_the_door(net, 0, 0, t)
    for k in range(setup.n_stages):
        if t + setup.stages[k].before >= setup.horizon_s:
            past_the_horizon(net, k)
        elif setup.stages[k].what == StageKind.CELL:
            cells(net, k, t)
        else:
            servers(net, k, t)
    if comes_again:
        n = due_now(pool, Lane.TIME_OUT, t, room.due, 0)
        for j in range(n):
            ask_ahead(net, room.due, j, n)
            time_out(net, room.due[j], t)


@inner
def _some_link_is_down(links, region, t):
    down = False
    for k in range(len(links.start)):
        down = down or (
            links.region[k] == region and links.start[k] <= t < links.stop[k] + links.spread
        )
    return down
