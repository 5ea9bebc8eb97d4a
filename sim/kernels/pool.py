"""Messages that need a name, one record each, and the events that wait for them: the memory of the
network.

Most messages are counts for all their life. One gets a record when its second is crowded, when it
is watched, or when it must come again. An attempt that is made while an earlier one still travels
gets a record of its own that points to its message.
"""

from __future__ import annotations

from enum import IntEnum, unique
from typing import Final, NamedTuple

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.stepping import record

NONE: Final = np.int32(-1)
ANONYMOUS_SLOT: Final = 7  # of a region's eight: where anonymous messages draw


@unique
class EventKind(IntEnum):
    """What is due of a record at a second."""

    TIME_OUT = 0
    DUE = 1
    ARRIVES = 2


@unique
class Height(IntEnum):
    """Places in `Pool.n`: the heights of the stacks of places given back, how many have ended, and
    how many places were ever used.
    """

    FREE_MESSAGES = 0
    FREE_EVENTS = 1
    N_ENDED = 2
    USED_MESSAGES = 3
    USED_EVENTS = 4


MESSAGE: Final = record([
    ("message", "i4"),      # record of the message this attempt belongs to; itself for the first
    ("next", "i4"),         # behind it in a queue or an inbox
    ("prev", "i4"),         # before it in a queue
    ("at", "i4"),           # slot it arrived at its stage
    ("leave", "i4"),        # second this attempt left
    ("raised", "i4"),       # second that counts (anonymous: origin)
    ("made", "i4"),         # second whose knowledge it carries
    ("premises", "u4"),     # of its sender; of its home when anonymous
    ("number", "i4"),       # its sender's row, or k among the anonymous of its second
    ("rank", "u4"),
    ("turn", "i4"),         # number of this attempt
    ("attempt", "i4"),      # of a message: number of its latest attempt
    ("latest", "i4"),       # of a message: second its latest attempt left
    ("ended", "i4"),        # of a message: second it ended, or NEVER
    ("position", "i4"),     # of a message: its place in this interval's flow, or -1
    ("wait", "i4"),         # of a message: how long it last waited before trying again
    ("refused_s", "i4"),    # of a message: slot of its latest refusal, or -1
    ("refs", "i4"),         # attempts under way and events that point to it
    ("copies", "i4"),       # of a message: attempts under way
    ("kind", "i2"),
    ("region", "i1"),
    ("place", "u1"),
    ("user", "u1"),
    ("cause", "u1"),
    ("refused_at", "i1"),   # of a message: stage of its latest refusal
    ("failed", "?"),        # of a message: whether its latest attempt has failed
    ("waits", "?"),         # of a message: whether another attempt is due
    ("travels", "?"),       # whether this record is an attempt under way
], is_aligned=True)  # fmt: skip
EVENT: Final = record([
    ("due", "i4"),    # second
    ("who", "i4"),    # record of the message
    ("turn", "i4"),   # number of the attempt it is about
    ("next", "i4"),   # the next event of that second
    ("what", "u1"),   # `EventKind`
    ("stage", "i1"),  # number of the stage it is at
], is_aligned=True)  # fmt: skip
ENDED: Final = record([
    ("premises", "u4"),  # number of its sender's premises
    ("row", "i4"),       # row of its sender
    ("raised", "i4"),    # second that counts
    ("made", "i4"),      # second whose knowledge it carried
    ("at", "i4"),        # second it ended
    ("kind", "i2"),      # number of the kind of message
    ("region", "i1"),    # number of the region
    ("place", "u1"),     # region and slot of its sender
    ("cause", "u1"),     # `MessageCause`
    ("fate", "u1"),      # `Fate`
    ("stage", "i1"),     # number of the stage it ended at
    ("told", "?"),       # the ledgers know from the interval's flows
], is_aligned=True)  # fmt: skip


class Pool(NamedTuple):
    """*messages* and *events* with the stacks of places given back; *wheel*: the first event of
    each second modulo its length; *wheel_n*: how many; *ended*: what the ledgers or a trace still
    have to be told; *n* int64 (`Height`).
    """

    messages: np.ndarray
    free: np.ndarray
    events: np.ndarray
    free_events: np.ndarray
    wheel: np.ndarray
    wheel_n: np.ndarray
    ended: np.ndarray
    n: np.ndarray


@njit(nogil=True, inline="always")
def take(pool):
    """Return a free record."""
    if pool.n[Height.FREE_MESSAGES] > 0:
        pool.n[Height.FREE_MESSAGES] -= 1
        return np.int64(pool.free[pool.n[Height.FREE_MESSAGES]])
    pool.n[Height.USED_MESSAGES] += 1
    return pool.n[Height.USED_MESSAGES] - 1


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def room_left(pool):
    """Return how many messages and how many events there is room for."""
    n = pool.n
    return (
        n[Height.FREE_MESSAGES] + len(pool.messages) - n[Height.USED_MESSAGES],
        n[Height.FREE_EVENTS] + len(pool.events) - n[Height.USED_EVENTS],
    )


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def let_go(pool, who):
    """Forget one attempt or event that points to record *who*, and the record when it was the last.
    """
    messages = pool.messages
    messages[who].refs -= 1
    if messages[who].refs == 0:
        messages[who].kind = -1
        pool.free[pool.n[Height.FREE_MESSAGES]] = who
        pool.n[Height.FREE_MESSAGES] += 1


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def remind(pool, due, what, who, turn, stage):
    """Let event *what* happen to record *who* in step *due*."""
    if pool.n[Height.FREE_EVENTS] > 0:
        pool.n[Height.FREE_EVENTS] -= 1
        e = np.int64(pool.free_events[pool.n[Height.FREE_EVENTS]])
    else:
        e = pool.n[Height.USED_EVENTS]
        pool.n[Height.USED_EVENTS] += 1
    slot = due % len(pool.wheel)
    event = pool.events[e]
    event.due = due
    event.who = who
    event.turn = turn
    event.what = what
    event.stage = stage
    event.next = pool.wheel[slot]
    pool.wheel[slot] = e
    pool.wheel_n[slot] += 1
    pool.messages[who].refs += 1


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def due_now(pool, step, out):
    """Take the events of *step* off the wheel into int32 *out*; return how many."""
    slot = step % len(pool.wheel)
    e = pool.wheel[slot]
    n = 0
    later = NONE
    n_later = 0
    while e != NONE:
        after = pool.events[e].next
        if pool.events[e].due == step:
            out[n] = e
            n += 1
        else:
            pool.events[e].next = later
            later = e
            n_later += 1
        e = after
    pool.wheel[slot], pool.wheel_n[slot] = later, n_later
    return n


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def give_back(pool, events, n):
    """Free the first *n* of *events*."""
    for i in range(n):
        pool.free_events[pool.n[Height.FREE_EVENTS]] = events[i]
        pool.n[Height.FREE_EVENTS] += 1
