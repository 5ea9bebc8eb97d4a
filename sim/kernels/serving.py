"""One server in one slot: who waits, who is served, who is refused (docs/model.md sections 7 and
10).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sim.kernels.compiled import inner
from sim.kernels.lines import join, join_together, leave_first, leave_last
from sim.kernels.moving import move_to
from sim.kernels.pool import CHUNK_PLACES
from sim.kernels.protection import allowed_by_shapes
from sim.kernels.servers import bytes_allowed, is_out, messages_allowed
from sim.kernels.stepping import record

SERVICE: Final = record([
    ("now", "i8"),        # the slot
    ("left", "i8"),       # messages that the server may still serve
    ("left_b", "i8"),     # bytes
    ("is_short", "i8"),   # bool: a message was too long for what is left
    ("n_refused", "i8"),  # who was refused
    ("n_put_off", "i8"),  # who was put off, and has not arrived at all yet
    ("put_off_b", "i8"),  # bytes of them
])  # fmt: skip


@inner
def allowed_at(net, k, v, s):
    """Return how many messages server *v* of stage *k* may serve in slot *s*, whatever their bytes.
    """
    setup = net.setup
    stage = setup.stages[k]
    if is_out(setup.outages, stage.first + v, s):
        return np.int64(0)
    allowed = messages_allowed(net.queues.limits[stage.first + v], s)
    return allowed_by_shapes(net.rows, stage, v, s, allowed)


@inner
def waiting_at(net, server):
    """Return how many wait at *server*."""
    n_places = net.queues.good.shape[1]
    n = np.int64(0)
    for line in range(server * n_places, (server + 1) * n_places):
        n += net.pool.lines[line].n
    return n


@inner
def count_waiting(net, server, by_kind):
    """Add to *by_kind* those who wait at *server*."""
    pool = net.pool
    n_places = net.queues.good.shape[1]
    for line in range(server * n_places, (server + 1) * n_places):
        place = pool.lines[line].first
        for _ in range(pool.lines[line].n):
            by_kind[pool.attempts[place].kind] += 1
            place += 1
            if place % CHUNK_PLACES == 0:
                place = pool.after[place // CHUNK_PLACES - 1] * CHUNK_PLACES


@inner
def serve(net, k, v, arrived, s, allowed):
    """Serve those who wait at server *v* of stage *k* and those who have *arrived* in slot *s*
    (their places among those under way to it, in order): at most *allowed*, and as many bytes as
    its capacity allows.

    A message that the bytes left do not cover ends the service; while somebody waits they are kept
    for the next slot. Who is served is under way to the next stage, who is refused is in
    `Room.refused`.
    """
    queues = net.queues
    slot = net.room.slot[0]
    server = net.setup.stages[k].first + v
    slot.now = s
    slot.left = allowed
    slot.left_b = bytes_allowed(queues.limits[server], s) + queues.begun[server]
    slot.is_short = 0
    slot.n_refused = 0
    for level in range(net.setup.stages[k].levels):
        _serve_place(net, k, server, level, arrived, s)
    queues.begun[server] = 0
    if slot.is_short and waiting_at(net, server) > 0:
        queues.begun[server] = slot.left_b


@inner
def _serve_place(net, k, server, level, arrived, s):
    """Serve those of one place of priority, *level*."""
    queues = net.queues
    stage = net.setup.stages[k]
    line = server * queues.good.shape[1] + level
    waiting = net.pool.lines[line]
    newest_first = queues.limits[server].lifo >= 0 and waiting.n > queues.limits[server].lifo
    if waiting.n == 0:
        queues.good[server, level] = max(s - 1, 0)
    behind = s - queues.good[server, level]
    drops = stage.codel_interval >= 0 and behind > stage.codel_interval
    if newest_first:
        _take_in(net, k, line, level, arrived, False)
    fresh = False
    if _is_plain(net, k, line) and not newest_first:
        _serve_first(net, k, line)
    else:
        fresh = _serve_waiting(net, k, line, newest_first, drops, s)
    if not newest_first:
        fresh = _take_in(net, k, line, level, arrived, True) or fresh
    if fresh or waiting.n == 0:
        queues.good[server, level] = s


@inner
def _take_in(net, k, line, level, arrived, serves):
    """Let those of one place of priority, *level*, who have *arrived* wait in *line*, or be served
    at once where it *serves* who arrives; return whether somebody was.
    """
    came = net.room.moving[k % 2]
    slot = net.room.slot[0]
    if _is_plain(net, k, line):
        n = min(slot.left, len(arrived)) * serves
        _take_first(net, k, line, arrived, n)
        return n > 0
    some_served = False
    for who in arrived:
        attempt = came[who]
        attempt.at = slot.now
        if net.setup.levels[k, attempt.kind] == level:
            if serves and _fits(net, k, attempt):
                some_served = True
                _served(net, k, attempt)
            else:
                _wait(net, k, line, attempt)
    return some_served


@inner
def _take_first(net, k, line, arrived, n):
    """Serve the first *n* who have *arrived*, and let the others wait in *line*."""
    came = net.room.moving[k % 2]
    slot = net.room.slot[0]
    slot.left -= n
    for who in arrived:
        came[who].at = slot.now
    for j in range(n):
        who = arrived[j]
        move_to(net, k + 1, came[who])
    join_together(net.pool, line, came, arrived[n:])


@inner
def _serve_waiting(net, k, line, newest_first, drops, s):
    """Serve those who wait in *line*, as far as it goes; `codel` *drops* who has waited too long.
    Return whether somebody was served who had not.
    """
    setup = net.setup
    pool = net.pool
    book = net.book
    room = net.room
    stage = setup.stages[k]
    waiting = pool.lines[line]
    fresh = False
    slot = room.slot[0]
    while slot.left > 0 and not slot.is_short and waiting.n > 0:
        attempt = pool.attempts[waiting.last if newest_first else waiting.first]
        stay = s - np.int64(attempt.at)
        if drops and stay > stage.codel_target:
            measured = attempt.raised >= setup.warm_up_s
            book.stopped[stage.codel_row, attempt.kind, 0] += measured
            _refused(net, attempt)
        elif _fits(net, k, attempt):
            fresh = fresh or stay <= stage.codel_target
            _served(net, k, attempt)
        else:
            break
        if newest_first:
            leave_last(pool, line)
        else:
            leave_first(pool, line, 1)
    return fresh


@inner
def _is_plain(net, k, line):
    """Whether order alone decides at *line* of stage *k*: all who come there may wait, for as long
    as it takes, and all are alike to the server.
    """
    queues = net.queues
    stage = net.setup.stages[k]
    server = line // queues.good.shape[1]
    limit = queues.limits[server]
    all_may_wait = limit.buffer < 0 and stage.codel_interval < 0
    return all_may_wait and stage.levels == 1 and not limit.in_bytes


@inner
def _serve_first(net, k, line):
    """Serve those who wait first in *line*, chunk by chunk."""
    pool = net.pool
    room = net.room
    slot = room.slot[0]
    waiting = pool.lines[line]
    turn = (k + 1) % 2
    going = room.moving[turn]
    to = room.n_moving[turn]
    n = min(slot.left, waiting.n)
    slot.left -= n
    room.n_moving[turn] += n
    while n > 0:
        first = waiting.first
        in_chunk = CHUNK_PLACES - first % CHUNK_PLACES
        here = min(n, in_chunk)
        for place in range(first, first + here):
            going[to] = pool.attempts[place]
            to += 1
        leave_first(pool, line, here)
        n -= here


@inner
def _fits(net, k, attempt):
    """Whether what is left of the slot covers *attempt*."""
    slot = net.room.slot[0]
    if slot.left > 0 and net.setup.sizes[k, attempt.kind] > slot.left_b:
        slot.is_short = 1
    return slot.left > 0 and not slot.is_short


@inner
def _served(net, k, attempt):
    """Serve *attempt*, which fits."""
    slot = net.room.slot[0]
    slot.left -= 1
    slot.left_b -= net.setup.sizes[k, attempt.kind]
    move_to(net, k + 1, attempt)


@inner
def _refused(net, attempt):
    slot = net.room.slot[0]
    net.room.refused[slot.n_refused] = attempt
    slot.n_refused += 1


@inner
def _wait(net, k, line, attempt):
    """Let *attempt* wait in *line* if there is room."""
    buffer = net.queues.limits[line // net.queues.good.shape[1]].buffer
    waiting = net.pool.lines[line]
    if buffer < 0 or waiting.n < buffer:
        join(net.pool, line, attempt)
    elif net.setup.stages[k].drop_oldest and buffer > 0:
        _refused(net, net.pool.attempts[waiting.first])
        leave_first(net.pool, line, 1)
        join(net.pool, line, attempt)
    else:
        _refused(net, attempt)
