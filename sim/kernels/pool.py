"""The memory of the network: attempts that wait, and messages that may be tried again.

Most messages are counts for all their life. One becomes an attempt, a place in an array, when its
second is crowded, when it is watched, or when it must come again (docs/model.md section 7). An
attempt is copied from place to place; only a message of a kind that is retried has a record of its
own, which its attempts and events point to (docs/decisions/0018-a-place-in-an-array.md).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from sim.kernels.compiled import inner, njit
from sim.kernels.stepping import record

ANONYMOUS_SLOT: Final = 7  # of a region's eight: where anonymous messages draw
CHUNK_PLACES: Final = 16  # attempts that a line takes memory for at once


ATTEMPT: Final = record([
    ("leave", "i4"),     # second it left its hub
    ("rank", "u4"),
    ("at", "i4"),        # slot it arrived at its stage; of one that is put off, the step it is due
    ("who", "i4"),       # its message, if its kind is retried; else as in MESSAGE
    ("raised", "i4"),    # second that counts (anonymous: origin)
    ("premises", "u4"),  # of its sender; of its home when anonymous
    ("kind", "i2"),
    ("place", "u1"),     # region and slot of its sender
    ("user", "u1"),
    ("cause", "u1"),
    ("ended", "?"),      # its message has ended, and it goes on to a user
], is_aligned=True)  # fmt: skip
MESSAGE: Final = record([
    ("who", "i4"),         # place of its sender among the members, or k of the anonymous
    ("raised", "i4"),      # second that counts
    ("premises", "u4"),    # of its sender; of its home when anonymous
    ("attempt", "i4"),     # number of its latest attempt
    ("latest", "i4"),      # second its latest attempt left; -1: none has
    ("ended", "i4"),       # second it ended, or NEVER
    ("wait", "i4"),        # how long it last waited before trying again
    ("refused_s", "i4"),   # slot of its latest refusal, or -1
    ("refs", "i4"),        # attempts under way and events that point to it
    ("copies", "i4"),      # attempts under way
    ("kind", "i2"),        # -1: this record is free
    ("place", "u1"),
    ("user", "u1"),
    ("cause", "u1"),
    ("refused_at", "i1"),  # stage of its latest refusal
    ("failed", "?"),       # whether its latest attempt has failed
    ("waits", "?"),        # whether another attempt is due
], is_aligned=True)  # fmt: skip
LINE: Final = record([
    ("first", "i8"),  # place of the attempt that came first, if anybody waits
    ("last", "i8"),   # place of the one that came last
    ("n", "i8"),      # how many wait
])  # fmt: skip
HEIGHTS: Final = record([
    ("free_messages", "i8"),  # records of messages given back
    ("used_messages", "i8"),  # records ever used
    ("free_chunks", "i8"),    # chunks given back
    ("used_chunks", "i8"),    # chunks ever used
    ("n_ended", "i8"),        # messages that have ended and are to be told of
    ("n_waiting", "i8"),      # attempts and events in lines
])  # fmt: skip
ENDED: Final = record([
    ("premises", "u4"),  # number of its sender's premises
    ("row", "i4"),       # row of its sender
    ("raised", "i4"),    # second that counts
    ("made", "i4"),      # second whose knowledge it carried
    ("at", "i4"),        # second it ended
    ("kind", "i2"),      # number of the kind of message
    ("place", "u1"),     # region and slot of its sender
    ("cause", "u1"),     # `MessageCause`
    ("fate", "u1"),      # `Fate`
    ("stage", "i1"),     # number of the stage it ended at
    ("told", "?"),       # the ledgers know from the interval's flows
], is_aligned=True)  # fmt: skip


class Pool(NamedTuple):
    """*messages* with int64 *free*, the stack of records given back; *attempts* in chunks of
    `CHUNK_PLACES` with, by chunk, int64 *after* and *before* it in its line and *free_chunks*, a
    stack; *lines* (`LINE`): of each server by place of priority and, from number *wheels* on, of
    what comes again, by lane and by step modulo *wheel_s* (`sim.kernels.lines`); *ended*: what the
    ledgers or a trace still have to be told; one record *heights* (`HEIGHTS`).
    """

    messages: np.ndarray
    free: np.ndarray
    attempts: np.ndarray
    after: np.ndarray
    before: np.ndarray
    free_chunks: np.ndarray
    lines: np.ndarray
    wheels: int
    wheel_s: int
    ended: np.ndarray
    heights: np.ndarray


@njit(nogil=True, inline="always")
def take(pool):
    """Return a free record for a message."""
    heights = pool.heights[0]
    if heights.free_messages > 0:
        heights.free_messages -= 1
        return pool.free[heights.free_messages]
    heights.used_messages += 1
    return heights.used_messages - 1


@inner
def let_go(pool, who):
    """Forget one attempt or event that points to message *who*, and the message when it was the
    last.
    """
    message = pool.messages[who]
    message.refs -= 1
    if message.refs == 0:
        message.kind = -1
        pool.free[pool.heights[0].free_messages] = who
        pool.heights[0].free_messages += 1


@inner
def room_left(pool):
    """Return how many messages and how many chunks there is room for."""
    heights = pool.heights[0]
    return (
        heights.free_messages + len(pool.messages) - heights.used_messages,
        heights.free_chunks + len(pool.after) - heights.used_chunks,
    )
