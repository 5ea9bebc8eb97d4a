"""The rows of a stage: what they let pass (docs/model.md section 10; SECMP0062, SECMP0067).

Each row looks at all arrivals of a slot that the rows before it let pass. In most slots none of
them would stop anybody: `calm` says so from counts alone.
"""

from __future__ import annotations

from enum import IntEnum, unique
from typing import Final, NamedTuple

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.draws import scaled, word
from sim.kernels.servers import share_of_slot
from sim.kernels.stepping import record
from sim.words import Mitigation

_LOW: Final = np.uint64(0xFFFFFFFF)
_GOLDEN: Final = np.uint64(0x9E3779B1)  # spreads neighbours over a hash table (Knuth)
ROW: Final = record([
    ("what", "i8"),   # `Mitigation`
    ("stage", "i8"),  # number of its stage
    ("a", "i8"),      # what it takes, by its kind (`sim.network.layout`)
    ("b", "i8"),
    ("c", "i8"),
    ("d", "i8"),
    ("ring", "i8"),   # its first place in `Rows.ring`
])  # fmt: skip


@unique
class RowMemory(IntEnum):
    """What is remembered of a row at a server."""

    TOKENS = 0
    LATEST_SLOT = 1
    OPEN_UNTIL = 2
    RING_SUM = 3


@unique
class SenderMemory(IntEnum):
    """What is remembered of a sender."""

    N_SEEN = 0
    LAST_PASSED = 1
    N_OVER = 2


class Rows(NamedTuple):
    """*rows* (`ROW`): row × server of its stage; *listed* bool: for which kinds each is; *state*
    int64: row × server × 4; *ring* int32: arrivals of late, for breakers; *codes* int64 by kind:
    those of one alert code have one number; *shares*: the threshold words of users. *senders* (hash
    table of those watched for storms): uint64 key (0: free), *history* int32 × 3, *times* int32 ×
    most counted.
    """

    rows: np.ndarray
    listed: np.ndarray
    state: np.ndarray
    ring: np.ndarray
    codes: np.ndarray
    shares: np.ndarray
    senders: np.ndarray
    history: np.ndarray
    times: np.ndarray


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def refresh(rows, stage, v, s):
    """Bring the rows of *stage* at server *v* to the start of slot *s*; slots are seen one after
    the other, and each once.
    """
    for i in range(stage.first_row, stage.first_row + stage.n_rows):
        row, state = rows.rows[i, v - stage.first], rows.state[i, v - stage.first]
        if row.what == Mitigation.ADMISSION:
            gained = np.int64(0)
            for u in range(state[RowMemory.LATEST_SLOT] + 1, s + 1):
                gained += share_of_slot(row.a, row.b, u)
            state[RowMemory.TOKENS] = min(row.c, state[RowMemory.TOKENS] + gained)
            state[RowMemory.LATEST_SLOT] = s
        elif row.what == Mitigation.CIRCUIT_BREAKER:
            for u in range(state[RowMemory.LATEST_SLOT] + 1, s + 1):
                if u >= state[RowMemory.OPEN_UNTIL] and state[RowMemory.RING_SUM] > row.a:
                    state[RowMemory.OPEN_UNTIL] = u + row.c
                at = row.ring + (v - stage.first) * row.b + u % row.b
                state[RowMemory.RING_SUM] -= rows.ring[at]
                rows.ring[at] = 0
            state[RowMemory.LATEST_SLOT] = s


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def note_arrivals(rows, stage, v, s, by_kind):
    """Let breakers remember int64 *by_kind*, who came in slot *s* and all pass."""
    for i in range(stage.first_row, stage.first_row + stage.n_rows):
        row = rows.rows[i, v - stage.first]
        if row.what == Mitigation.CIRCUIT_BREAKER:
            n = np.int64(0)
            for kind in range(len(by_kind)):
                n += by_kind[kind] * rows.listed[i, kind]
            rows.ring[row.ring + (v - stage.first) * row.b + s % row.b] = n
            rows.state[i, v - stage.first, RowMemory.RING_SUM] += n


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def calm(rows, stage, v, s, by_kind):
    """Whether no row would stop any of int64 *by_kind* that arrive in slot *s* at a server where
    nobody waits.
    """
    for i in range(stage.first_row, stage.first_row + stage.n_rows):
        row, state = rows.rows[i, v - stage.first], rows.state[i, v - stage.first]
        n = np.int64(0)
        for kind in range(len(by_kind)):
            n += by_kind[kind] * rows.listed[i, kind]
        if row.what == Mitigation.ADMISSION and n > state[RowMemory.TOKENS]:
            return False
        if row.what == Mitigation.CIRCUIT_BREAKER and n > 0 and s < state[RowMemory.OPEN_UNTIL]:
            return False
        if row.what == Mitigation.ALLOCATION and n > share_of_slot(row.a, row.b, s):
            return False
        if row.what == Mitigation.SHAPE and by_kind.sum() > share_of_slot(row.a, row.b, s):
            return False
    return True


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def pay(rows, stage, v, by_kind):
    """Take the tokens of int64 *by_kind*, who all pass."""
    for i in range(stage.first_row, stage.first_row + stage.n_rows):
        if rows.rows[i, 0].what == Mitigation.ADMISSION:
            for kind in range(len(by_kind)):
                rows.state[i, v - stage.first, RowMemory.TOKENS] -= (
                    by_kind[kind] * rows.listed[i, kind]
                )


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def allowed_by_shapes(rows, stage, v, s, allowed):
    """Return what capacity *allowed* leaves under the shapes of server *v* of *stage*."""
    for i in range(stage.first_row, stage.first_row + stage.n_rows):
        row = rows.rows[i, v]
        if row.what == Mitigation.SHAPE:
            allowed = min(allowed, share_of_slot(row.a, row.b, s))
    return allowed


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def stopped_by(rows, i, stage, v, s, waiting, messages, ids, n, bar_keys, verdict):
    """Write into bool *verdict* which of the first *n* of *ids*, in order, row *i* stops; barring
    puts off, the storm rule throttles, the others refuse.
    """
    row, state = rows.rows[i, v - stage.first], rows.state[i, v - stage.first]
    n_listed = np.int64(0)
    used = np.zeros(len(rows.shares), np.int64)
    for j in range(n):
        verdict[j] = False
        n_listed += rows.listed[i, messages[ids[j]].kind]
    if row.what == Mitigation.CIRCUIT_BREAKER:
        rows.ring[row.ring + (v - stage.first) * row.b + s % row.b] = n_listed
        state[RowMemory.RING_SUM] += n_listed
    limit = share_of_slot(row.a, row.b, s) if row.what == Mitigation.ALLOCATION else np.int64(0)
    for j in range(n):
        m = messages[ids[j]]
        if not rows.listed[i, m.kind]:
            continue
        if row.what == Mitigation.ALERT_STORM_PROTECTION:
            verdict[j] = _storms(rows, i, m, s)
        elif row.what == Mitigation.CIRCUIT_BREAKER:
            verdict[j] = s < state[RowMemory.OPEN_UNTIL]
        elif row.what == Mitigation.SHED:
            verdict[j] = waiting > row.a
        elif row.what == Mitigation.ADMISSION:
            verdict[j] = state[RowMemory.TOKENS] <= 0
            state[RowMemory.TOKENS] -= not verdict[j]
        elif row.what == Mitigation.ALLOCATION and n_listed > limit:
            used[m.user] += 1
            # 24 % of 25 is 6
            verdict[j] = used[m.user] > np.int64(np.floor(rows.shares[m.user] * limit + 1e-9))
        elif row.what == Mitigation.ACCESS_BARRING and waiting > row.a:
            verdict[j] = np.uint64(
                word(bar_keys[0], np.int64(m.place), np.int64(m.premises), s)
            ) < np.uint64(row.b)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def barred_until(bar_keys, row, m, s):
    """Return the slot in which message *m*, barred in slot *s*, comes again."""
    return s + 1 + scaled(word(bar_keys[1], np.int64(m.place), np.int64(m.premises), s), row.c)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _storms(rows, i, m, s):
    """Whether alert storm protection suppresses message *m* in slot *s*; *m* is counted either way.
    """
    row = rows.rows[i, 0]
    key = (
        (np.uint64(i + 1) << np.uint64(56))
        | (np.uint64(rows.codes[m.kind]) << np.uint64(48))
        | (np.uint64(m.place) << np.uint64(40))
        | np.uint64(m.premises)
    )
    at = _place_of(rows.senders, key)
    history, times = rows.history[at], rows.times[at]
    over = (
        history[SenderMemory.N_SEEN] >= row.a
        and times[(history[SenderMemory.N_SEEN] - row.a) % len(times)] > s - row.b
    )
    times[history[SenderMemory.N_SEEN] % len(times)] = s
    history[SenderMemory.N_SEEN] += 1
    if not over:
        history[SenderMemory.N_OVER] = 0
        return False
    history[SenderMemory.N_OVER] += 1
    if row.c > 0:  # one a period
        if history[SenderMemory.LAST_PASSED] > s - row.c:
            return True
        history[SenderMemory.LAST_PASSED] = s
        return False
    return history[SenderMemory.N_OVER] % row.d != 0  # one in so many


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _place_of(senders, key):
    """Return the place of *key* in the hash table, made if it is new; there is always room."""
    mask = np.uint64(len(senders) - 1)
    at = ((key ^ (key >> np.uint64(32))) & _LOW) * _GOLDEN >> np.uint64(20)
    while True:
        at &= mask
        if senders[at] == np.uint64(0):
            senders[at] = key
        if senders[at] == key:
            return at
        at += np.uint64(1)


@njit(nogil=True)
def moved(old, new):
    """Copy every sender of the hash table of *old* into that of *new*, which is larger."""
    for i in range(len(old.senders)):
        if old.senders[i] != np.uint64(0):
            at = _place_of(new.senders, old.senders[i])
            new.history[at], new.times[at] = old.history[i], old.times[i]
