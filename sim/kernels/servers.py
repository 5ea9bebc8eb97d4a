"""One server in one slot: who waits, who is served, who is refused (docs/model.md sections 7 and
10).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.pool import NONE
from sim.kernels.stepping import record

UNLIMITED: Final = np.int64(2**62)
STAGE: Final = record([
    ("what", "i8"),            # `StageKind`
    ("first", "i8"),           # its first server
    ("n", "i8"),               # how many servers it has
    ("recorded", "i8"),        # its first server as recorded (cells by region)
    ("latency", "i8"),         # s: behind it
    ("before", "i8"),          # s: from leaving the hub to it
    ("drop_oldest", "i8"),     # bool: a full buffer drops the oldest
    ("levels", "i8"),          # places of priority
    ("first_row", "i8"),       # its first row
    ("n_rows", "i8"),          # how many rows it has
    ("mixed", "i8"),           # bool: some of them refuse by how many arrive
    ("codel_target", "i8"),    # s; -1: none
    ("codel_interval", "i8"),  # s; -1: none
])  # fmt: skip
SERVER: Final = record([
    ("numerator", "i8"), ("denominator", "i8"),  # capacity a second; denominator 0: none
    ("in_bytes", "i8"),                          # whether the capacity counts bytes, not messages
    ("buffer", "i8"),                            # -1: unlimited
    ("lifo", "i8"),                              # how many wait when the newest go first; -1: none
])  # fmt: skip
OUTAGE: Final = record([
    ("server", "i8"),
    ("start", "i8"),  # s: it is out from
    ("stop", "i8"),   # s: it is back
])  # fmt: skip


class Queues(NamedTuple):
    """Of each server its *limits* (`SERVER`), and int64 *begun*: bytes of earlier slots for a
    message that waits for the rest. Of each server and place of priority: int32 first and last who
    wait, how many, and the last slot in which nobody waited long (`codel`).
    """

    limits: np.ndarray
    begun: np.ndarray
    head: np.ndarray
    tail: np.ndarray
    n: np.ndarray
    good: np.ndarray


@njit(nogil=True, inline="always")
def share_of_slot(numerator, denominator, s):
    """Return what a rate of numerator / denominator a slot allows in slot *s*."""
    whole, part = numerator // denominator, numerator % denominator
    return whole + ((s + 1) * part) // denominator - (s * part) // denominator


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def load_of(by_kind, sizes):
    """Return the bytes of *by_kind* messages."""
    total = np.int64(0)
    for kind in range(len(by_kind)):
        total += by_kind[kind] * sizes[kind]
    return total


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def is_out(outages, server, s):
    """Whether *server* serves nobody in slot *s*."""
    out = False
    for i in range(len(outages)):
        out = out or (outages[i].server == server and outages[i].start <= s < outages[i].stop)
    return out


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def push(messages, queues, v, level, who):
    """Let *who* wait, last in the queue."""
    tail = queues.tail[v, level]
    messages[who].next, messages[who].prev = NONE, tail
    if tail == NONE:
        queues.head[v, level] = who
    else:
        messages[tail].next = who
    queues.tail[v, level] = who
    queues.n[v, level] += 1


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def pop(messages, queues, v, level, newest):
    """Return who waits first, or last if *newest*, and take it off the queue."""
    who = queues.tail[v, level] if newest else queues.head[v, level]
    if newest:
        other = messages[who].prev
        queues.tail[v, level] = other
        if other == NONE:
            queues.head[v, level] = NONE
        else:
            messages[other].next = NONE
    else:
        other = messages[who].next
        queues.head[v, level] = other
        if other == NONE:
            queues.tail[v, level] = NONE
        else:
            messages[other].prev = NONE
    queues.n[v, level] -= 1
    return who


@njit(nogil=True, inline="always")
def messages_allowed(limit, s):
    """Return how many messages the capacity of a server with *limit* allows in slot *s*."""
    if limit.denominator == 0 or limit.in_bytes:
        return UNLIMITED
    return share_of_slot(limit.numerator, limit.denominator, s)


@njit(nogil=True, inline="always")
def bytes_allowed(limit, s):
    """Return how many bytes the capacity of a server with *limit* allows in slot *s*."""
    if not limit.in_bytes:
        return UNLIMITED
    return share_of_slot(limit.numerator, limit.denominator, s)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def join(messages, queues, stage, v, level, who, refused, n_refused):
    """Let *who* wait if there is room; return how many are in *refused* then."""
    buffer = queues.limits[v].buffer
    if buffer < 0 or queues.n[v, level] < buffer:
        push(messages, queues, v, level, who)
        return n_refused
    if stage.drop_oldest and buffer > 0:
        refused[n_refused] = pop(messages, queues, v, level, False)
        push(messages, queues, v, level, who)
    else:
        refused[n_refused] = who
    return n_refused + 1


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def serve(messages, queues, stage, levels, sizes, v, ids, n, s, allowed, served, refused):
    """Serve those who wait at server *v* and the first *n* of *ids*, who arrive in slot *s*, in
    order: at most *allowed*, and as many bytes as its capacity allows.

    *levels* is the place of each kind, *sizes* its bytes. A message that the bytes left do not
    cover ends the service; while somebody waits they are kept for the next slot. Returns how many
    were written into *served* and *refused*; those `codel` drops as -2 - who.
    """
    room = allowed
    n_served = n_refused = 0
    limit = queues.limits[v]
    room_b, is_short = bytes_allowed(limit, s) + queues.begun[v], False
    for level in range(stage.levels):
        newest = limit.lifo >= 0 and queues.n[v, level] > limit.lifo
        if queues.n[v, level] == 0:
            queues.good[v, level] = max(s - 1, 0)
        overloaded = stage.codel_interval >= 0 and s - queues.good[v, level] > stage.codel_interval
        fresh = False
        if newest:
            for i in range(n):
                if levels[messages[ids[i]].kind] == level:
                    n_refused = join(messages, queues, stage, v, level, ids[i], refused, n_refused)
        while room > 0 and not is_short and queues.n[v, level] > 0:
            who = queues.tail[v, level] if newest else queues.head[v, level]
            stay, size = s - messages[who].at, sizes[messages[who].kind]
            is_dropped = overloaded and stay > stage.codel_target
            is_short = not is_dropped and size > room_b
            if is_short:
                break
            pop(messages, queues, v, level, newest)
            if is_dropped:
                refused[n_refused] = -2 - who
                n_refused += 1
                continue
            fresh = fresh or stay <= stage.codel_target
            served[n_served] = who
            n_served += 1
            room -= 1
            room_b -= size
        if not newest:
            for i in range(n):
                if levels[messages[ids[i]].kind] == level:
                    size = sizes[messages[ids[i]].kind]
                    is_short = is_short or (room > 0 and size > room_b)
                    if room > 0 and not is_short:
                        fresh = True
                        served[n_served] = ids[i]
                        n_served += 1
                        room -= 1
                        room_b -= size
                    else:
                        n_refused = join(
                            messages, queues, stage, v, level, ids[i], refused, n_refused
                        )
        if fresh or queues.n[v, level] == 0:
            queues.good[v, level] = s
    queues.begun[v] = room_b if is_short and queues.n[v].sum() > 0 else 0
    return n_served, n_refused
