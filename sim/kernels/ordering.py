"""The order of service within a slot: who left first, then rank, then the rule for ties
(docs/model.md section 7).
"""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import njit

_32 = np.uint64(32)
_BYTE = np.uint64(255)
_FEW = 48  # below this, moving one after the other beats counting digits


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _before(messages, a, b, n_anonymous):
    """Whether record *a* comes before *b* of the same leave and rank."""
    named_a, named_b = messages[a].kind >= n_anonymous, messages[b].kind >= n_anonymous
    if named_a != named_b:
        return named_b
    if messages[a].region != messages[b].region:
        return messages[a].region < messages[b].region
    if messages[a].kind != messages[b].kind:
        return messages[a].kind < messages[b].kind
    if named_a:
        if messages[a].place != messages[b].place:
            return messages[a].place < messages[b].place
        if messages[a].premises != messages[b].premises:
            return messages[a].premises < messages[b].premises
    m, n = messages[messages[a].message], messages[messages[b].message]
    if m.raised != n.raised:
        return m.raised < n.raised
    if named_a:
        return m.cause < n.cause
    return messages[a].number < messages[b].number


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def in_order(messages, ids, n, keys, more_ids, more_keys, n_anonymous):
    """Put the first *n* of int32 *ids* in order of service; *keys*, *more_keys* uint64 and
    *more_ids* are room.
    """
    if n < 2:
        return
    least, most = messages[ids[0]].leave, messages[ids[0]].leave
    is_sorted = True
    for i in range(n):
        m = messages[ids[i]]
        least, most = min(least, m.leave), max(most, m.leave)
        keys[i] = (np.uint64(m.leave) << _32) | np.uint64(m.rank)
        is_sorted = is_sorted and (i == 0 or keys[i - 1] <= keys[i])
    if not is_sorted:
        if n <= _FEW:
            for i in range(1, n):
                key = keys[i]
                who = ids[i]
                j = i - 1
                while j >= 0 and keys[j] > key:
                    keys[j + 1], ids[j + 1] = keys[j], ids[j]
                    j -= 1
                keys[j + 1], ids[j + 1] = key, who
        else:
            _by_digits(ids, n, keys, more_ids, more_keys, least, most)
    for i in range(1, n):
        j = i
        while (
            j > 0 and keys[j - 1] == keys[j] and _before(messages, ids[j], ids[j - 1], n_anonymous)
        ):
            ids[j - 1], ids[j] = ids[j], ids[j - 1]
            j -= 1


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _by_digits(ids, n, keys, more_ids, more_keys, least, most):
    """Sort by *keys*, a byte at a time from the lowest; of the upper half only the bytes in which
    *least* and *most* leave differ.
    """
    n_digits = 4
    while n_digits < 8 and (np.int64(least) >> (8 * (n_digits - 4))) != (
        np.int64(most) >> (8 * (n_digits - 4))
    ):
        n_digits += 1
    first = np.empty(257, np.int64)
    for digit in range(n_digits):
        shift = np.uint64(8 * digit)
        first[:] = 0
        for i in range(n):
            first[np.int64((keys[i] >> shift) & _BYTE) + 1] += 1
        for b in range(256):
            first[b + 1] += first[b]
        for i in range(n):
            at = np.int64((keys[i] >> shift) & _BYTE)
            more_keys[first[at]], more_ids[first[at]] = keys[i], ids[i]
            first[at] += 1
        for i in range(n):
            keys[i], ids[i] = more_keys[i], more_ids[i]


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def by_server(ids, server, n, first, more_ids):
    """Put the first *n* of *ids* by their int32 *server* (in step with *ids*), keeping their order;
    those of server v become ids[first[v]:first[v + 1]].
    """
    first[:] = 0
    for i in range(n):
        first[server[i] + 1] += 1
    for v in range(len(first) - 1):
        first[v + 1] += first[v]
    after = first.copy()
    for i in range(n):
        more_ids[after[server[i]]] = ids[i]
        after[server[i]] += 1
    for i in range(n):
        ids[i] = more_ids[i]


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def by_rank(keys, n, more_keys):
    """Sort the first *n* of uint64 *keys* by their upper halves; equals keep their order."""
    if n <= _FEW:
        for i in range(1, n):
            key, j = keys[i], i - 1
            # the lower half counts up, so this keeps equals in order too
            while j >= 0 and keys[j] > key:
                keys[j + 1] = keys[j]
                j -= 1
            keys[j + 1] = key
        return
    first = np.empty(257, np.int64)
    for digit in range(4, 8):
        shift = np.uint64(8 * digit)
        first[:] = 0
        for i in range(n):
            first[np.int64((keys[i] >> shift) & _BYTE) + 1] += 1
        for b in range(256):
            first[b + 1] += first[b]
        for i in range(n):
            at = np.int64((keys[i] >> shift) & _BYTE)
            more_keys[first[at]] = keys[i]
            first[at] += 1
        for i in range(n):
            keys[i] = more_keys[i]
