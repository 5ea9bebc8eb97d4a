"""Lines of attempts: of those who wait at a server, and of what comes again by the step it is due.

A line is a chain of chunks. Whoever comes last is written behind the last; whoever is served is
read where it lies: a queue of any length is a walk through memory.
"""

from __future__ import annotations

from enum import IntEnum, unique

import numpy as np

from sim.kernels.compiled import inner, njit
from sim.kernels.pool import CHUNK_PLACES


@unique
class Lane(IntEnum):
    """The wheels of what comes again, one line a second each; that of stage k is `ARRIVES` + k."""

    TIME_OUT = 0
    DUE = 1
    ARRIVES = 2


@njit(nogil=True, inline="always")
def _chunk(pool):
    """Return the first place of a free chunk; there is one."""
    heights = pool.heights[0]
    if heights.free_chunks > 0:
        heights.free_chunks -= 1
        return pool.free_chunks[heights.free_chunks] * CHUNK_PLACES
    heights.used_chunks += 1
    return (heights.used_chunks - 1) * CHUNK_PLACES


@njit(nogil=True, inline="always")
def _give_back(pool, place):
    """Free the chunk of *place*."""
    pool.free_chunks[pool.heights[0].free_chunks] = place // CHUNK_PLACES
    pool.heights[0].free_chunks += 1


@inner
def join(pool, line, attempt):
    """Let a copy of *attempt* wait, last in *line*."""
    end = pool.lines[line]
    place = end.last + 1
    if end.n == 0:
        place = _chunk(pool)
        end.first = place
    elif place % CHUNK_PLACES == 0:
        place = _chunk(pool)
        pool.after[end.last // CHUNK_PLACES] = place // CHUNK_PLACES
        pool.before[place // CHUNK_PLACES] = end.last // CHUNK_PLACES
    pool.attempts[place] = attempt
    end.last = place
    end.n += 1
    pool.heights[0].n_waiting += 1


@inner
def join_together(pool, line, came, those):
    """Let copies of *those* of *came* wait, last in *line*, one after the other."""
    end = pool.lines[line]
    n = len(those)
    i = 0
    while i < n:
        who = those[i]
        join(pool, line, came[who])
        i += 1
        first = end.last + 1
        in_chunk = (-first) % CHUNK_PLACES
        more = min(in_chunk, n - i)
        for place in range(first, first + more):
            who = those[i]
            pool.attempts[place] = came[who]
            i += 1
        end.last += more
        end.n += more
        pool.heights[0].n_waiting += more


@inner
def leave_first(pool, line, n):
    """Take the first *n* off *line*, where they wait in one chunk. What stood at their places
    stands there until others join a line.
    """
    end = pool.lines[line]
    place = end.first + n - 1
    end.n -= n
    pool.heights[0].n_waiting -= n
    if end.n == 0:
        _give_back(pool, place)
    elif place % CHUNK_PLACES == CHUNK_PLACES - 1:
        end.first = pool.after[place // CHUNK_PLACES] * CHUNK_PLACES
        _give_back(pool, place)
    else:
        end.first = place + 1


@inner
def leave_last(pool, line):
    """Take the last off *line*, as `leave_first` does the first."""
    end = pool.lines[line]
    place = end.last
    end.n -= 1
    pool.heights[0].n_waiting -= 1
    if end.n == 0:
        _give_back(pool, place)
    elif place % CHUNK_PLACES == 0:
        end.last = pool.before[place // CHUNK_PLACES] * CHUNK_PLACES + CHUNK_PLACES - 1
        _give_back(pool, place)
    else:
        end.last = place - 1


@njit(nogil=True, inline="always")
def due_line(pool, lane, step):
    """Return the line of what is due of *lane* in *step*; the last lines of all are the wheels'."""
    first = pool.wheels + np.int64(lane) * pool.wheel_s
    return first + step % pool.wheel_s


@inner
def remind(pool, lane, step, attempt):
    """Let *attempt* come again in *step*, after this one, as *lane* says."""
    attempt.at = step
    join(pool, due_line(pool, lane, step), attempt)


@inner
def due_now(pool, lane, step, out, n):
    """Take off the wheel what is due of *lane* in *step*, behind the first *n* of *out*; return how
    many there are then.
    """
    line = due_line(pool, lane, step)
    for _ in range(pool.lines[line].n):
        place = pool.lines[line].first
        leave_first(pool, line, 1)
        if pool.attempts[place].at == step:
            out[n] = pool.attempts[place]
            n += 1
        else:  # in a later round of the wheel
            out[n] = pool.attempts[place]
            join(pool, line, out[n])
    return n
