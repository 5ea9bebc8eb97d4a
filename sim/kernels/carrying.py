"""What is under way when an interval ends: its senders are carried over into the next."""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.pool import ATTEMPT, CHUNK_PLACES
from sim.kernels.seconds import NEVER
from sim.kernels.traffic import ORIGIN


@njit(nogil=True)
def under_way(pool, first_line, stop_line):
    """Return a copy of the attempts that wait in lines [first, stop)."""
    n = np.int64(0)
    for line in range(first_line, stop_line):
        n += pool.lines[line].n
    out = np.empty(n, ATTEMPT)
    i = 0
    for line in range(first_line, stop_line):
        place = pool.lines[line].first
        for _ in range(pool.lines[line].n):
            out[i] = pool.attempts[place]
            i += 1
            place = _behind(pool, place)
    return out


@njit(nogil=True, inline="always")
def _behind(pool, place):
    """Return the place behind *place* in its line (any place behind the last)."""
    if place % CHUNK_PLACES < CHUNK_PLACES - 1:
        return place + 1
    return pool.after[place // CHUNK_PLACES] * CHUNK_PLACES


@njit(nogil=True)
def carried_over(pool, leaving, book, retried, n_anonymous):
    """Return the senders (`ORIGIN`) of all named messages under way, and let their messages and
    attempts point to them there instead of into those of *leaving*. Of those who left in the
    interval *book* says that they are not at the SMI's door by its end, unless it knows when.
    """
    n_messages = pool.heights[0].used_messages
    origins = np.empty(pool.heights[0].n_waiting + n_messages, ORIGIN)
    n = 0
    for number in range(n_messages):
        m = pool.messages[number]
        if m.kind >= n_anonymous:
            if m.ended == NEVER:
                book.deliver[m.who] = NEVER
            origins[n] = leaving.origins[m.who]
            m.who = n
            n += 1
    for line in range(len(pool.lines)):
        place = pool.lines[line].first
        for _ in range(pool.lines[line].n):
            attempt = pool.attempts[place]
            if attempt.kind >= n_anonymous and not retried[attempt.kind]:
                if not attempt.ended:
                    book.deliver[attempt.who] = NEVER
                origins[n] = leaving.origins[attempt.who]
                attempt.who = n
                n += 1
            place = _behind(pool, place)
    return origins[:n].copy()
