"""The rows of a stage: what they let pass (docs/model.md section 10; SECMP0062, SECMP0067).

Each row looks at all arrivals of a slot that the rows before it let pass. In most slots none of
them would stop anybody: `calm` says so from counts alone.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from sim.kernels.compiled import inner, njit
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


ROW_MEMORY: Final = record([
    ("tokens", "i8"),       # left at a server (`admission`)
    ("latest_slot", "i8"),  # that the row was brought to
    ("open_until", "i8"),   # slot (`circuit_breaker`)
    ("ring_sum", "i8"),     # arrivals in its window
])  # fmt: skip
SENDER_MEMORY: Final = record([
    ("n_seen", "i4"),       # messages of a sender
    ("last_passed", "i4"),  # slot in which one over the threshold last passed
    ("n_over", "i4"),       # over the threshold, one after the other
])  # fmt: skip


class Rows(NamedTuple):
    """*rows* (`ROW`) and *state* (`ROW_MEMORY`): row × server of its stage; *listed* bool: for
    which kinds each is; *ring* int32: arrivals of late, for breakers; *codes* int64 by kind: those
    of one alert code have one number; *shares*: the threshold words of users, and int64 *used*: how
    many of each have come in this slot. *senders* (hash table of those watched for storms): uint64
    key (0: free), *history* (`SENDER_MEMORY`), *times* int32 × most counted.
    """

    rows: np.ndarray
    listed: np.ndarray
    state: np.ndarray
    ring: np.ndarray
    codes: np.ndarray
    shares: np.ndarray
    used: np.ndarray
    senders: np.ndarray
    history: np.ndarray
    times: np.ndarray


@inner
def refresh(rows, stage, v, s):
    """Bring the rows of *stage* at server *v* to the start of slot *s*; slots are seen one after
    the other, and each once.
    """
    server = v - stage.first
    for i in range(stage.first_row, stage.first_row + stage.n_rows):
        row = rows.rows[i, server]
        state = rows.state[i, server]
        if row.what == Mitigation.ADMISSION:
            gained = np.int64(0)
            for u in range(state.latest_slot + 1, s + 1):
                gained += share_of_slot(row.a, row.b, u)
            state.tokens = min(row.c, state.tokens + gained)
            state.latest_slot = s
        elif row.what == Mitigation.CIRCUIT_BREAKER:
            for u in range(state.latest_slot + 1, s + 1):
                if u >= state.open_until and state.ring_sum > row.a:
                    state.open_until = u + row.c
                at = row.ring + server * row.b + u % row.b
                state.ring_sum -= rows.ring[at]
                rows.ring[at] = 0
            state.latest_slot = s


@inner
def note_arrivals(rows, stage, v, s, by_kind):
    """Let breakers remember int64 *by_kind*, who came in slot *s* and all pass."""
    server = v - stage.first
    for i in range(stage.first_row, stage.first_row + stage.n_rows):
        row = rows.rows[i, server]
        if row.what == Mitigation.CIRCUIT_BREAKER:
            n = np.int64(0)
            for kind in range(len(by_kind)):
                n += by_kind[kind] * rows.listed[i, kind]
            rows.ring[row.ring + server * row.b + s % row.b] = n
            rows.state[i, server].ring_sum += n


@inner
def calm(rows, stage, v, s, by_kind):
    """Whether no row would stop any of int64 *by_kind* that arrive in slot *s* at a server where
    nobody waits.
    """
    server = v - stage.first
    for i in range(stage.first_row, stage.first_row + stage.n_rows):
        row = rows.rows[i, server]
        state = rows.state[i, server]
        n = np.int64(0)
        for kind in range(len(by_kind)):
            n += by_kind[kind] * rows.listed[i, kind]
        if row.what == Mitigation.ADMISSION and n > state.tokens:
            return False
        if row.what == Mitigation.CIRCUIT_BREAKER and n > 0 and s < state.open_until:
            return False
        if row.what == Mitigation.ALLOCATION and n > share_of_slot(row.a, row.b, s):
            return False
        if row.what == Mitigation.SHAPE and by_kind.sum() > share_of_slot(row.a, row.b, s):
            return False
    return True


@inner
def pay(rows, stage, v, by_kind):
    """Take the tokens of int64 *by_kind*, who all pass."""
    server = v - stage.first
    for i in range(stage.first_row, stage.first_row + stage.n_rows):
        if rows.rows[i, 0].what == Mitigation.ADMISSION:
            for kind in range(len(by_kind)):
                rows.state[i, server].tokens -= by_kind[kind] * rows.listed[i, kind]


@inner
def allowed_by_shapes(rows, stage, v, s, allowed):
    """Return what capacity *allowed* leaves under the shapes of server *v* of *stage*."""
    for i in range(stage.first_row, stage.first_row + stage.n_rows):
        row = rows.rows[i, v]
        if row.what == Mitigation.SHAPE:
            allowed = min(allowed, share_of_slot(row.a, row.b, s))
    return allowed


@inner
def stopped_by(rows, i, stage, v, s, waiting, messages, ids, n, bar_keys, verdict):
    """Write into bool *verdict* which of the first *n* of *ids*, in order, row *i* stops; barring
    puts off, the storm rule throttles, the others refuse.
    """
    server = v - stage.first
    row = rows.rows[i, server]
    state = rows.state[i, server]
    n_listed = np.int64(0)
    rows.used[:] = 0
    for j in range(n):
        verdict[j] = False
        n_listed += rows.listed[i, messages[ids[j]].kind]
    if row.what == Mitigation.CIRCUIT_BREAKER:
        rows.ring[row.ring + server * row.b + s % row.b] = n_listed
        state.ring_sum += n_listed
    limit = share_of_slot(row.a, row.b, s) if row.what == Mitigation.ALLOCATION else np.int64(0)
    for j in range(n):
        m = messages[ids[j]]
        if not rows.listed[i, m.kind]:
            continue
        if row.what == Mitigation.ALERT_STORM_PROTECTION:
            verdict[j] = _storms(rows, i, m, s)
        elif row.what == Mitigation.CIRCUIT_BREAKER:
            verdict[j] = s < state.open_until
        elif row.what == Mitigation.SHED:
            verdict[j] = waiting > row.a
        elif row.what == Mitigation.ADMISSION:
            verdict[j] = state.tokens <= 0
            state.tokens -= not verdict[j]
        elif row.what == Mitigation.ALLOCATION and n_listed > limit:
            rows.used[m.user] += 1
            # 24 % of 25 is 6
            mine = rows.shares[m.user] * limit + 1e-9
            verdict[j] = rows.used[m.user] > np.floor(mine)
        elif row.what == Mitigation.ACCESS_BARRING and waiting > row.a:
            drawn = word(bar_keys[0], m.place, m.premises, s)
            verdict[j] = np.uint64(drawn) < np.uint64(row.b)


@inner
def barred_until(bar_keys, row, m, s):
    """Return the slot in which message *m*, barred in slot *s*, comes again."""
    return s + 1 + scaled(word(bar_keys[1], m.place, m.premises, s), row.c)


@inner
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
    over = history.n_seen >= row.a and times[(history.n_seen - row.a) % len(times)] > s - row.b
    times[history.n_seen % len(times)] = s
    history.n_seen += 1
    if not over:
        history.n_over = 0
        return False
    history.n_over += 1
    if row.c > 0:  # one a period
        if history.last_passed > s - row.c:
            return True
        history.last_passed = s
        return False
    return history.n_over % row.d != 0  # one in so many


@inner
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
