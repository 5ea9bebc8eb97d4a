"""Two ledgers, and every second of disagreement between them and the truth (MISSION_MAP 1.6), integrated at transitions and never sampled.

One slice of devices and one interval at a time: changes, and writes of versions that reports carried, merged in time per device. Most devices of a
national day are RIGHT before and after a report that confirms them; they take a path of a few nanoseconds.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sim.kernels.draws import block, pick

# What `totals` counts; squares are split at 32 bits so that thirty million of them cannot overflow.
WRONG_S, STALE_LOW, STALE_HIGH, N_REPAIRS, REPAIR_S, N_WRONG, N_CHANGES, CONFIRM_LOW, CONFIRM_HIGH = range(9)
N_TOTALS = 9
NOT_YET, REFUSED = np.int32(2**31 - 1), np.int32(-1)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


@njit(cache=True, nogil=True, inline="always")
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
    band = np.searchsorted(edges, young, side="right") - 1
    while young < old:
        step = min(old, edges[band + 1])
        bands[band] += step - young
        young = step
        band += 1


@njit(cache=True, nogil=True)
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
def _confirm(confirmed, row, leave, written, horizon_s, measure_s, totals):  # type: ignore[no-untyped-def]
    """Record that the report which left at *leave* was written at *written*: what that takes off the integral of confirmation age over [measure, horizon)."""
    _add_split(totals, CONFIRM_LOW, (np.int64(leave) - np.int64(confirmed[row])) * (horizon_s - max(np.int64(written), measure_s)))
    confirmed[row] = leave


@njit(cache=True, nogil=True)
def _confirm_clean(m, before_row, row, leave, deliver, stop_s, horizon_s, measure_s, smi_since, source, version_true, confirmed, totals):  # type: ignore[no-untyped-def]
    """Confirm the run of messages from *m* whose devices, all before *before_row*, are RIGHT and stay so; return where the run ends."""
    low, high, n = np.int64(0), np.int64(0), np.uint64(len(row))
    i = np.uint64(m)
    while i < n:
        device, written = np.uint64(row[i]), np.int64(deliver[i])
        if np.int64(device) >= before_row or smi_since[device] >= 0 or source[device] != version_true[device] or written >= stop_s or written < 0:
            break
        gained = (np.int64(leave[i]) - np.int64(confirmed[device])) * (horizon_s - max(written, measure_s))
        low += gained & 0xFFFFFFFF
        high += gained >> 32
        confirmed[device] = leave[i]
        i += np.uint64(1)
    totals[CONFIRM_LOW] += low
    totals[CONFIRM_HIGH] += high
    return np.int64(i)


@njit(cache=True, nogil=True)
def apply(  # type: ignore[no-untyped-def]
    stop_s, horizon_s, measure_s, edges, smi_kept, hub_kept, from_hub, confirms,
    changed_row, changed_s, changed_to, hub_ok, row, leave, deliver, late_row, late_leave, late_deliver, held_row, held_leave, held_version,
    version_true, version_smi, version_hub, smi_since, hub_since, confirmed, smi, hub, smi_bands, hub_bands,
):
    """Walk one slice through one interval; return (row, leave, version) of what is carried on: reports sent and not yet written.

    Messages of the interval are (row, leave, deliver), sorted by row and leave; those of earlier intervals are (late_row, …) where they now end and
    (held_row, …), what they carry, in the same order. *deliver* is the second written, `REFUSED`, or `NOT_YET` (or any second at or after *stop_s*).
    """
    kept_row, kept_leave, kept_version = [np.int32(0)], [np.int32(0)], [np.uint16(0)]
    c, m, late, held = 0, 0, 0, 0
    n_c, n_m, n_late, n_held = len(changed_row), len(row), len(late_row), len(held_row)
    end = len(version_true)
    source = version_hub if from_hub else version_true
    while True:
        special = end if c >= n_c else np.int64(changed_row[c])
        if held < n_held and held_row[held] < special:
            special = np.int64(held_row[held])
        if smi_kept and confirms:
            m = _confirm_clean(m, special, row, leave, deliver, stop_s, horizon_s, measure_s, smi_since, source, version_true, confirmed, smi)
        now = end
        if m < n_m:
            now = row[m]
        if c < n_c and changed_row[c] < now:
            now = changed_row[c]
        if held < n_held and held_row[held] < now:
            now = held_row[held]
        if now == end:
            break
        alone = (c >= n_c or changed_row[c] != now) and (held >= n_held or held_row[held] != now)
        if alone and smi_since[now] < 0 and source[now] == version_true[now] and smi_kept:
            while m < n_m and row[m] == now:  # a RIGHT record that nothing can make WRONG in this interval
                if deliver[m] >= stop_s:
                    kept_row.append(np.int32(now))
                    kept_leave.append(leave[m])
                    kept_version.append(source[now])
                elif deliver[m] >= 0 and confirms:
                    _confirm(confirmed, now, leave[m], deliver[m], horizon_s, measure_s, smi)
                m += 1
            continue
        # Versions known to the sender at the start of the interval, and as the changes pass by.
        at_leave = source[now]
        sent_change = c
        while True:
            is_held = held < n_held and held_row[held] == now
            is_late = is_held and late < n_late and late_row[late] == now and late_leave[late] == held_leave[held]
            is_new = m < n_m and row[m] == now
            if is_held and not is_late:  # still travelling
                kept_row.append(np.int32(now))
                kept_leave.append(held_leave[held])
                kept_version.append(held_version[held])
                held += 1
                continue
            if not is_held and not is_new:
                break
            if is_held:
                left, written, version = late_leave[late], late_deliver[late], held_version[held]
                late += 1
                held += 1
            else:
                left, written = leave[m], deliver[m]
                while sent_change < n_c and changed_row[sent_change] == now and changed_s[sent_change] <= left:
                    if not from_hub or hub_ok[sent_change]:
                        at_leave = changed_to[sent_change]
                    sent_change += 1
                version = at_leave
                m += 1
            if written >= stop_s:
                kept_row.append(np.int32(now))
                kept_leave.append(left)
                kept_version.append(version)
                continue
            if written < 0 or not smi_kept:
                continue
            while c < n_c and changed_row[c] == now and changed_s[c] <= written:
                _change(now, changed_s[c], changed_to[c], hub_ok[c], smi_kept, hub_kept, measure_s, edges, version_true, version_smi, version_hub,
                        smi_since, hub_since, smi, hub, smi_bands, hub_bands)
                c += 1
            version_smi[now] = version
            _mark(now, np.int64(written), version == version_true[now], smi_since, measure_s, edges, smi, smi_bands)
            if confirms:
                _confirm(confirmed, now, left, written, horizon_s, measure_s, smi)
        while c < n_c and changed_row[c] == now:
            _change(now, changed_s[c], changed_to[c], hub_ok[c], smi_kept, hub_kept, measure_s, edges, version_true, version_smi, version_hub,
                    smi_since, hub_since, smi, hub, smi_bands, hub_bands)
            c += 1
    return np.array(kept_row)[1:], np.array(kept_leave)[1:], np.array(kept_version)[1:]


@njit(cache=True, nogil=True)
def _change(  # type: ignore[no-untyped-def]
    now, second, version, hub_hears, smi_kept, hub_kept, measure_s, edges, version_true, version_smi, version_hub,
    smi_since, hub_since, smi, hub, smi_bands, hub_bands,
):
    """Give device *now* its new version; the records that do not hear of it become WRONG."""
    version_true[now] = version
    smi[N_CHANGES] += second >= measure_s
    if smi_kept:
        _mark(now, np.int64(second), version_smi[now] == version, smi_since, measure_s, edges, smi, smi_bands)
    if hub_kept:
        if hub_hears:
            version_hub[now] = version
        _mark(now, np.int64(second), version_hub[now] == version, hub_since, measure_s, edges, hub, hub_bands)


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
