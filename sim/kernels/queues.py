"""A server with capacity per slot (DESIGN 4): who waits, who is served when, who is refused. Slots are whole numbers; what a slot lasts is the caller's.

Only *busy* slots, in which somebody may have to wait, need their members in order; in every other slot all are served as they arrive.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sim.kernels.draws import block, pick

WAITING, REFUSED = np.int32(-2), np.int32(-1)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


@njit(cache=True, nogil=True)
def allowance(numerator, denominator, start, stop):  # type: ignore[no-untyped-def]
    """Return int64 what a capacity of numerator/denominator per slot allows in each slot of [start, stop): floor((s+1) r) - floor(s r)."""
    out = np.empty(stop - start, np.int64)
    whole, part = numerator // denominator, numerator % denominator
    credit = (start * part) % denominator
    for i in range(stop - start):
        credit += part
        out[i] = whole + (credit >= denominator)
        credit -= denominator * (credit >= denominator)
    return out


@njit(cache=True, nogil=True)
def busy_slots(arrivals, allowed, waiting):  # type: ignore[no-untyped-def]
    """Return a mask of the slots in which someone may wait, for *waiting* at the start, were nobody refused (so a superset when some are)."""
    busy = np.zeros(len(arrivals), np.bool_)
    backlog = np.int64(waiting)
    for s in range(np.uint64(len(arrivals))):
        total = backlog + arrivals[s]
        busy[s] = backlog > 0 or total > allowed[s]
        backlog = max(total - allowed[s], np.int64(0))
    return busy


@njit(cache=True, nogil=True)
def serve(slot, n_before, left, buffer, start, n_waiting):  # type: ignore[no-untyped-def]
    """Serve one queue, first in first out; return the slot in which each unit departs, `WAITING` or `REFUSED`.

    *slot* int32: arrival slots of the units in order, of which the first *n_before* already wait at *start*. *left* int64, what each slot from *start* still
    allows, is reduced by what is used; *n_waiting* int64 is raised by the number waiting after each slot. *buffer* < 0: unlimited.
    """
    n = len(slot)
    departs = np.full(n, WAITING, np.int32)
    queue = np.empty(n, np.int64)
    head, tail = 0, 0
    for unit in range(n_before):
        queue[tail] = unit
        tail += 1
    unit = n_before
    for s in range(np.uint64(len(left))):
        now = start + np.int64(s)
        room = left[s]
        while head < tail and room > 0:
            departs[queue[head]] = now
            head += 1
            room -= 1
        while unit < n and slot[unit] == now:
            if room > 0:
                departs[unit] = now
                room -= 1
            elif buffer < 0 or tail - head < buffer:
                queue[tail] = unit
                tail += 1
            else:
                departs[unit] = REFUSED
            unit += 1
        left[s] = room
        n_waiting[s] += tail - head
    return departs


@njit(cache=True, nogil=True)
def spread_ranks(n):  # type: ignore[no-untyped-def]
    """Return the uint32 ranks of groups of int64 *n* anonymous messages, one group after the other: evenly spread over their slot."""
    total = np.int64(0)
    for g in range(len(n)):
        total += n[g]
    rank = np.empty(total, np.uint32)
    at = 0
    for g in range(len(n)):
        for k in range(n[g]):
            rank[at] = ((2 * k + 1) << 31) // n[g]
            at += 1
    return rank


@njit(cache=True, nogil=True)
def message_ranks(key, place, index, leave):  # type: ignore[no-untyped-def]
    """Return the uint32 ranks of named messages, by their senders' places and premises numbers and the seconds they left."""
    k0, k1 = np.uint32(key & _LOW), np.uint32(key >> _32)
    rank = np.empty(len(index), np.uint32)
    for i in range(np.uint64(len(index))):
        words = block(np.uint32(index[i] >> np.uint32(2)), np.uint32(leave[i]), np.uint32(place[i]), np.uint32(0), k0, k1)
        rank[i] = pick(words, index[i])
    return rank


@njit(cache=True, nogil=True)
def members(leave, start_s, busy, explicit):  # type: ignore[no-untyped-def]
    """Return the positions of the messages that leave in a *busy* second counted from *start_s* and are not *explicit* yet, and mark them so."""
    out = np.empty(len(leave), np.int64)
    count = 0
    for i in range(np.uint64(len(leave))):
        at = np.int64(leave[i]) - start_s
        if at < len(busy) and busy[at] and not explicit[i]:
            explicit[i] = True
            out[count] = i
            count += 1
    return out[:count].copy()


@njit(cache=True, nogil=True)
def count_by_server(leave, start_s, server, row, explicit, counts):  # type: ignore[no-untyped-def]
    """Add to int32 *counts*[server, second] the messages that are not *explicit*; *server* uint8 is by sender row."""
    for i in range(np.uint64(len(leave))):
        at = np.int64(leave[i]) - start_s
        if at < counts.shape[1] and not explicit[i]:
            counts[server[row[i]], at] += 1


@njit(cache=True, nogil=True)
def taken(array, index):  # type: ignore[no-untyped-def]
    """Return array[index] for an array of records, many times faster than NumPy's own."""
    out = np.empty(len(index), array.dtype)
    for i in range(np.uint64(len(index))):
        out[i] = array[index[i]]
    return out


@njit(cache=True, nogil=True)
def keys_by_second(second, rank, start, n_seconds):  # type: ignore[no-untyped-def]
    """Return (keys, first): uint64 rank << 32 | position of every unit, second by second; those of *start* + s are keys[first[s]:first[s + 1]].

    Sorting each second's stretch puts its units in order of rank, equals in the order given.
    """
    first = np.zeros(n_seconds + 1, np.int64)
    for i in range(np.uint64(len(second))):
        first[second[i] - start + 1] += 1
    for s in range(n_seconds):
        first[s + 1] += first[s]
    after, keys = first.copy(), np.empty(len(second), np.uint64)
    for i in range(np.uint64(len(second))):
        s = second[i] - start
        keys[after[s]] = (np.uint64(rank[i]) << _32) | np.uint64(i)
        after[s] += 1
    return keys, first


@njit(cache=True, nogil=True)
def positions_by_slot(keys, slot, start, n_slots):  # type: ignore[no-untyped-def]
    """Return the int32 positions in *keys*, put by their *slot*; within a slot they stay as they are."""
    after = np.zeros(n_slots + 1, np.int64)
    for i in range(np.uint64(len(slot))):
        after[slot[i] - start + 1] += 1
    for s in range(n_slots):
        after[s + 1] += after[s]
    out = np.empty(len(keys), np.int32)
    for i in range(np.uint64(len(keys))):
        position = np.int64(keys[i] & _LOW)
        s = slot[position] - start
        out[after[s]] = position
        after[s] += 1
    return out
