"""Two ledgers, and every second of disagreement between them and the truth (MISSION_MAP 1.6), integrated at transitions and never sampled.

One slice of devices and one interval at a time: changes, and writes of versions that reports carried, merged in time per device. Most devices of a
national day are RIGHT before and after a report that confirms them; they take a path of a few nanoseconds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.kernels.draws import block, pick

# What `totals` counts; squares are split at 32 bits so that thirty million of them cannot overflow.
WRONG_S, STALE_LOW, STALE_HIGH, N_REPAIRS, REPAIR_S, N_WRONG, N_CHANGES, CONFIRM_LOW, CONFIRM_HIGH = range(9)
N_TOTALS = 9
NOT_YET, REFUSED = np.int32(2**31 - 1), np.int32(-1)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


class Interval(NamedTuple):
    """What holds for a slice in an interval that ends at *stop_s*: who keeps a record, what reports carry, from when it is measured and until when."""

    stop_s: int
    horizon_s: int
    measure_s: int
    edges: NDArray[Any]  # int64, bounds of the staleness bands
    smi_kept: bool
    hub_kept: bool
    from_hub: bool


class Changed(NamedTuple):
    """Version changes by row and then second; *heard*: whether the hub hears of each."""

    row: NDArray[Any]
    second: NDArray[Any]
    version: NDArray[Any]
    heard: NDArray[Any]


class Reports(NamedTuple):
    """Reports by device row and then second left; *deliver*: second written, `REFUSED`, or `NOT_YET` (or any second at or after the interval's end)."""

    row: NDArray[Any]
    leave: NDArray[Any]
    deliver: NDArray[Any]


class Held(NamedTuple):
    """What reports that are still travelling carry, by device row and then second left."""

    row: NDArray[Any]
    leave: NDArray[Any]
    version: NDArray[Any]


class Records(NamedTuple):
    """The columns of a slice that the ledgers write: truth, both records, since when each is WRONG (-1: it is not), and the last confirmation."""

    version_true: NDArray[Any]
    version_smi: NDArray[Any]
    version_hub: NDArray[Any]
    smi_since: NDArray[Any]
    hub_since: NDArray[Any]
    confirmed: NDArray[Any]


class Sums(NamedTuple):
    """int64 totals and staleness bands of both ledgers."""

    smi: NDArray[Any]
    hub: NDArray[Any]
    smi_bands: NDArray[Any]
    hub_bands: NDArray[Any]


@njit(cache=True, nogil=True)
def _add_split(totals, low, value):  # type: ignore[no-untyped-def]
    totals[low] += value & 0xFFFFFFFF
    totals[low + 1] += value >> 32


@njit(cache=True, nogil=True)
def _close(since, until, measure_s, edges, totals, bands):  # type: ignore[no-untyped-def]
    """Account for a WRONG spell [since, until) as far as it lies at or after *measure_s*."""
    begin = max(since, measure_s)
    if until <= begin:
        return
    totals[WRONG_S] += until - begin
    old, young = until - since, begin - since
    _add_split(totals, STALE_LOW, old * old - young * young)  # twice the integral of (t - since)
    band = 0
    while edges[band + 1] <= young:
        band += 1
    while young < old:
        step = min(old, edges[band + 1])
        bands[band] += step - young
        young = step
        band += 1


@njit(cache=True, nogil=True, inline="always")
def _mark(row, second, right, since, measure_s, edges, totals, bands):  # type: ignore[no-untyped-def]
    """Set a record RIGHT or WRONG at *second* and account for the spell that ends."""
    if right and since[row] >= 0:
        began = np.int64(since[row])
        _close(began, second, measure_s, edges, totals, bands)
        if began >= measure_s:
            totals[N_REPAIRS] += 1
            totals[REPAIR_S] += second - began
        totals[N_WRONG] -= 1
        since[row] = -1
    elif not right and since[row] < 0:
        totals[N_WRONG] += 1
        since[row] = second


@njit(cache=True, nogil=True)
def finish(since, stop_s, measure_s, edges, totals, bands):  # type: ignore[no-untyped-def]
    """Account for every spell still open at *stop_s*."""
    for row in range(np.uint64(len(since))):
        if since[row] >= 0:
            _close(np.int64(since[row]), stop_s, measure_s, edges, totals, bands)


@njit(cache=True, nogil=True, inline="always")
def _confirm_clean(m, before_row, stop_s, horizon_s, measure_s, row, leave, deliver, source, truth, since, confirmed, totals):  # type: ignore[no-untyped-def]
    """Confirm the run of reports from *m* whose devices, all before *before_row*, are RIGHT and stay so; return where the run ends."""
    low, high, n, i = np.int64(0), np.int64(0), np.uint64(len(row)), np.uint64(m)
    while i < n:
        device, written = np.uint64(row[i]), np.int64(deliver[i])
        if np.int64(device) >= before_row or since[device] >= 0 or source[device] != truth[device] or written >= stop_s or written < 0:
            break
        gained = (np.int64(leave[i]) - np.int64(confirmed[device])) * (horizon_s - max(written, measure_s))
        low += gained & 0xFFFFFFFF
        high += gained >> 32
        confirmed[device] = leave[i]
        i += np.uint64(1)
    totals[CONFIRM_LOW] += low
    totals[CONFIRM_HIGH] += high
    return np.int64(i)


@njit(cache=True, nogil=True, inline="always")
def _pass_changes(  # type: ignore[no-untyped-def]
    now, until_s, c, measure_s, edges, smi_kept, hub_kept, c_row, c_second, c_version, heard, truth, in_smi, in_hub, smi_since, hub_since, smi, hub,
    smi_bands, hub_bands,
):
    """Give device *now* its versions up to second *until_s*; the records that do not hear of one become WRONG. Return the position after them."""
    while c < len(c_row) and c_row[c] == now and c_second[c] <= until_s:
        second, version = np.int64(c_second[c]), c_version[c]
        truth[now] = version
        smi[N_CHANGES] += second >= measure_s
        if smi_kept:
            _mark(now, second, in_smi[now] == version, smi_since, measure_s, edges, smi, smi_bands)
        if hub_kept:
            if heard[c]:
                in_hub[now] = version
            _mark(now, second, in_hub[now] == version, hub_since, measure_s, edges, hub, hub_bands)
        c += 1
    return c


@njit(cache=True, nogil=True)
def apply(interval, changed, reports, late, held, records, sums):  # type: ignore[no-untyped-def]
    """Walk one slice through one interval; return what is `Held` after it: reports sent and not yet written.

    *reports* left in the interval; *late* ones left in earlier intervals and end now, and *held* is what they carry, in the same order.
    """
    stop_s, horizon_s, measure_s, edges, smi_kept, hub_kept, from_hub = interval  # taken apart once: reaching into a tuple in the loop costs more than the loop
    (c_row, c_second, c_version, heard), (row, leave, deliver) = changed, reports
    (late_row, late_leave, late_deliver), (held_row, held_leave, held_version) = late, held
    (truth, in_smi, in_hub, smi_since, hub_since, confirmed), (smi, hub, smi_bands, hub_bands) = records, sums
    source = in_hub if from_hub else truth
    n, count = len(row) + len(held_row), 0
    kept_row, kept_leave, kept_version = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.uint16)
    c, m, overdue, h, end = 0, 0, 0, 0, len(truth)
    while True:
        now = min(np.int64(c_row[c]) if c < len(c_row) else end, np.int64(held_row[h]) if h < len(held_row) else end)
        if m < len(row) and row[m] < now:
            m = _confirm_clean(m, now, stop_s, horizon_s, measure_s, row, leave, deliver, source, truth, smi_since, confirmed, smi)
        now = min(now, np.int64(row[m]) if m < len(row) else end)
        if now == end:
            break
        version_then, sent = source[now], c  # what the sender knows, as its changes pass by
        while (h < len(held_row) and held_row[h] == now) or (m < len(row) and row[m] == now):
            if h < len(held_row) and held_row[h] == now:
                left, written, version = held_leave[h], NOT_YET, held_version[h]
                if overdue < len(late_row) and late_row[overdue] == now and late_leave[overdue] == left:
                    written = late_deliver[overdue]
                    overdue += 1
                h += 1
            else:
                left, written = leave[m], deliver[m]
                while sent < len(c_row) and c_row[sent] == now and c_second[sent] <= left:
                    if not from_hub or heard[sent]:
                        version_then = c_version[sent]
                    sent += 1
                version = version_then
                m += 1
            if written >= stop_s:
                kept_row[count], kept_leave[count], kept_version[count] = now, left, version
                count += 1
            elif written >= 0:
                c = _pass_changes(now, written, c, measure_s, edges, smi_kept, hub_kept, c_row, c_second, c_version, heard, truth, in_smi, in_hub,
                                  smi_since, hub_since, smi, hub, smi_bands, hub_bands)
                in_smi[now] = version
                _mark(now, np.int64(written), version == truth[now], smi_since, measure_s, edges, smi, smi_bands)
                _add_split(smi, CONFIRM_LOW, (np.int64(left) - np.int64(confirmed[now])) * (horizon_s - max(np.int64(written), measure_s)))
                confirmed[now] = left
        c = _pass_changes(now, stop_s, c, measure_s, edges, smi_kept, hub_kept, c_row, c_second, c_version, heard, truth, in_smi, in_hub, smi_since,
                          hub_since, smi, hub, smi_bands, hub_bands)
    return kept_row[:count].copy(), kept_leave[:count].copy(), kept_version[:count].copy()


@njit(cache=True, nogil=True)
def hub_hears(key, place, index, row, changed_s, loss):  # type: ignore[no-untyped-def]
    """Return a mask of the changes whose HAN write reaches the hub."""
    k0, k1 = np.uint32(key & _LOW), np.uint32(key >> _32)
    heard = np.ones(len(row), np.bool_)
    if loss > np.uint64(0):
        for i in range(np.uint64(len(row))):
            number = index[row[i]]
            words = block(np.uint32(number >> np.uint32(2)), np.uint32(changed_s[i]), np.uint32(place), np.uint32(0), k0, k1)
            heard[i] = not np.uint64(pick(words, number)) < loss
    return heard
