"""The servers of the stages: what each can serve in a slot (docs/model.md section 7)."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from sim.kernels.compiled import inner, njit
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
    ("codel_row", "i8"),       # number of that row
    ("puts_off", "i8"),        # bool: some of its rows put messages off
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
    message that waits for the rest. Of each server and place of priority int32 *good*: the last
    slot in which nobody waited long (`codel`). Who waits is in `Pool.lines`.
    """

    limits: np.ndarray
    begun: np.ndarray
    good: np.ndarray


@njit(nogil=True, inline="always")
def share_of_slot(numerator, denominator, s):
    """Return what a rate of numerator / denominator a slot allows in slot *s*."""
    whole, part = numerator // denominator, numerator % denominator
    return whole + ((s + 1) * part) // denominator - (s * part) // denominator


@inner
def load_of(by_kind, sizes):
    """Return the bytes of *by_kind* messages."""
    total = np.int64(0)
    for kind in range(len(by_kind)):
        total += by_kind[kind] * sizes[kind]
    return total


@inner
def is_out(outages, server, s):
    """Whether *server* serves nobody in slot *s*."""
    out = False
    for i in range(len(outages)):
        out = out or (outages[i].server == server and outages[i].start <= s < outages[i].stop)
    return out


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
