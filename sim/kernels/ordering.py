"""The order of service within a slot: who left first, then rank, then the rule for ties
(docs/model.md section 7).
"""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import inner

_32 = np.uint64(32)
_BYTE = np.uint64(255)
_8 = np.uint64(8)
_FEW = 48  # below this, moving one after the other beats counting digits
_FEW_RUNS = 8  # that many are merged, more are sorted by their digits


@inner
def _before(net, a, b):
    """Whether attempt *a* comes before *b* of the same leave and rank."""
    n_anonymous = net.setup.n_anonymous
    named_a, named_b = a.kind >= n_anonymous, b.kind >= n_anonymous
    if named_a != named_b:
        return named_b
    if a.place // 8 != b.place // 8:  # regions
        return a.place < b.place
    if a.kind != b.kind:
        return a.kind < b.kind
    if named_a and a.place != b.place:
        return a.place < b.place
    if named_a and a.premises != b.premises:
        return a.premises < b.premises
    if a.raised != b.raised:
        return a.raised < b.raised
    if named_a:
        return a.cause < b.cause
    return _number_of(net, a) < _number_of(net, b)


@inner
def _number_of(net, attempt):
    """Return the number of an anonymous message among those of its second."""
    if net.setup.retried[attempt.kind]:
        return np.int64(net.pool.messages[attempt.who].who)
    return np.int64(attempt.who)


@inner
def in_order(net, came, ids, n):
    """Put the first *n* of int32 *ids*, places in the attempts *came*, in order of service."""
    keys = net.room.keys
    if n < 2:
        return
    least, most = came[ids[0]].leave, came[ids[0]].leave
    n_runs = 1
    for i in range(n):
        m = came[ids[i]]
        least, most = min(least, m.leave), max(most, m.leave)
        keys[i] = (np.uint64(m.leave) << _32) | np.uint64(m.rank)
        n_runs += i > 0 and keys[i - 1] > keys[i]
    if n_runs > 1:
        if n <= _FEW:
            _one_by_one(ids, n, keys)
        elif n_runs <= _FEW_RUNS:
            _merged(ids, n, net.room)
        else:
            _by_digits(ids, n, net.room, least, most)
    for i in range(1, n):
        j = i
        while j > 0 and keys[j - 1] == keys[j] and _before(net, came[ids[j]], came[ids[j - 1]]):
            ids[j - 1], ids[j] = ids[j], ids[j - 1]
            j -= 1


@inner
def _one_by_one(ids, n, keys):
    """Sort by *keys*, moving each to its place among those before it."""
    for i in range(1, n):
        key = keys[i]
        who = ids[i]
        j = i - 1
        while j >= 0 and keys[j] > key:
            keys[j + 1] = keys[j]
            ids[j + 1] = ids[j]
            j -= 1
        keys[j + 1] = key
        ids[j + 1] = who


@inner
def _merged(ids, n, room):
    """Sort by the keys of *room*, which are a few runs in order: two by two, until one is left."""
    more_ids = room.more_ids[:n]
    while True:
        n_runs = _halved(room.keys, ids, room.more_keys, more_ids, n)
        if n_runs > 1:
            n_runs = _halved(room.more_keys, more_ids, room.keys, ids, n)
        else:
            _copied(room.more_keys, more_ids, room.keys, ids, 0, n, 0)
        if n_runs == 1:
            return


@inner
def _halved(keys, ids, out_keys, out_ids, n):
    """Merge the runs of the first *n* of *keys*, and their *ids*, two by two into the others;
    return how many runs there are then.
    """
    n_runs = 0
    begin = np.int64(0)
    while begin < n:
        begin = _two_runs(keys, ids, out_keys, out_ids, begin, n)
        n_runs += 1
    return n_runs


@inner
def _two_runs(keys, ids, out_keys, out_ids, begin, n):
    """Merge the run that begins at *begin* with the next, if there is one, into the others; return
    where the one after begins.
    """
    middle = _end_of_run(keys, begin, n)
    end = _end_of_run(keys, middle, n)
    i = begin
    j = middle
    out = begin
    while i < middle and j < end:
        is_second = np.int64(keys[j] < keys[i])
        # no branch: which of the two comes next is anybody's guess
        ahead = j - i
        at = i + ahead * is_second
        out_keys[out] = keys[at]
        out_ids[out] = ids[at]
        i += 1 - is_second
        j += is_second
        out += 1
    _copied(keys, ids, out_keys, out_ids, i, middle, out)
    _copied(keys, ids, out_keys, out_ids, j, end, out)
    return end


@inner
def _copied(keys, ids, out_keys, out_ids, begin, end, out):
    """Write those of *keys* from *begin* to *end*, and their *ids*, into the others from *out* on.
    """
    for i in range(begin, end):
        out_keys[out] = keys[i]
        out_ids[out] = ids[i]
        out += 1


@inner
def _end_of_run(keys, begin, n):
    """Return where the run of rising *keys* that begins at *begin*, before *n*, ends."""
    end = min(begin + 1, n)
    while end < n and keys[end - 1] <= keys[end]:
        end += 1
    return end


@inner
def _by_digits(ids, n, room, least, most):
    """Sort by the keys of *room*, a byte at a time from the lowest; of the upper half only the
    bytes in which *least* and *most* leave differ.
    """
    keys = room.keys
    more_keys = room.more_keys
    more_ids = room.more_ids
    first = room.digits
    n_digits = 4
    while n_digits < 8 and (np.int64(least) >> (8 * (n_digits - 4))) != (
        np.int64(most) >> (8 * (n_digits - 4))
    ):
        n_digits += 1
    for digit in range(n_digits):
        shift = np.uint64(8 * digit)
        _begin(keys, n, shift, first)
        for i in range(n):
            at = np.int64((keys[i] >> shift) & _BYTE)
            more_keys[first[at]], more_ids[first[at]] = keys[i], ids[i]
            first[at] += 1
        for i in range(n):
            keys[i], ids[i] = more_keys[i], more_ids[i]


@inner
def _begin(keys, n, shift, first):
    """Write into *first* where the keys of each byte, *shift* bits up, begin when sorted by it."""
    first[:] = 0
    for i in range(n):
        first[np.int64((keys[i] >> shift) & _BYTE) + 1] += 1
    for byte in range(256):
        first[byte + 1] += first[byte]


@inner
def by_server(ids, server, n, first, more_ids):
    """Put the first *n* of *ids* by their int32 *server* (in step with *ids*), keeping their order;
    those of server v become ids[first[v]:first[v + 1]].
    """
    first[:] = 0
    is_sorted = True
    for i in range(n):
        first[server[i] + 1] += 1
        is_sorted = is_sorted and (i == 0 or server[i - 1] <= server[i])
    for v in range(len(first) - 1):
        first[v + 1] += first[v]
    if is_sorted:
        return
    for i in range(n):
        more_ids[first[server[i]]] = ids[i]
        first[server[i]] += 1
    for i in range(n):
        ids[i] = more_ids[i]
    for v in range(len(first) - 1, 0, -1):  # each stands at the end of its own
        first[v] = first[v - 1]
    first[0] = 0


@inner
def by_rank(room, n):
    """Sort the first *n* keys of *room* by their upper halves; equals keep their order."""
    keys = room.keys
    more_keys = room.more_keys
    first = room.digits
    shift = _32
    if n <= _FEW:
        for i in range(1, n):
            key, j = keys[i], i - 1
            # the lower half counts up, so this keeps equals in order too
            while j >= 0 and keys[j] > key:
                keys[j + 1] = keys[j]
                j -= 1
            keys[j + 1] = key
        return
    for _ in range(2):
        _dealt(keys, more_keys, n, shift, first)
        shift += _8
        _dealt(more_keys, keys, n, shift, first)
        shift += _8


@inner
def _dealt(keys, out, n, shift, first):
    """Write the first *n* of *keys* into *out* by the byte *shift* bits up, equals in order."""
    _begin(keys, n, shift, first)
    for i in range(n):
        at = np.int64((keys[i] >> shift) & _BYTE)
        out[first[at]] = keys[i]
        first[at] += 1
