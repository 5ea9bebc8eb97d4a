"""Two ledgers, and every second of disagreement between them and the truth (MISSION_MAP 1.6),
integrated at transitions and never sampled.

One slice of devices and one interval at a time: changes, and writes of versions that reports
carried, merged in time per device. Most devices of a national day are RIGHT before and after a
report that confirms them; they take a path of a few nanoseconds.
"""

from __future__ import annotations

from enum import IntEnum, unique
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.kernels.compiled import njit
from sim.kernels.draws import word
from sim.kernels.seconds import NEVER, NOT_WRITTEN


@unique
class Total(IntEnum):
    """Places in the totals of a ledger; squares are split at 32 bits so that thirty million of them
    cannot overflow. The last two are of a firmware world alone.
    """

    WRONG_S = 0
    STALE_LOW = 1
    STALE_HIGH = 2
    N_REPAIRS = 3
    REPAIR_S = 4
    N_WRONG = 5
    N_CHANGES = 6
    CONFIRM_LOW = 7
    CONFIRM_HIGH = 8
    UNKNOWN_S = 9
    N_UNKNOWN = 10


N_TOTALS: Final = len(Total)


class Changed(NamedTuple):
    """Version changes by row and then second."""

    row: NDArray[Any]
    second: NDArray[Any]
    version: NDArray[Any]


class Reports(NamedTuple):
    """Reports by device row and then second made; *deliver*: second written, `REFUSED`, or
    `NOT_YET` (or any second at or after the interval's end).
    """

    row: NDArray[Any]
    made: NDArray[Any]
    deliver: NDArray[Any]


class Held(NamedTuple):
    """What reports that are still travelling carry, by device row and then second made."""

    row: NDArray[Any]
    made: NDArray[Any]
    version: NDArray[Any]


@njit(nogil=True)
def walk(
    stop_s,
    horizon_s,
    measure_s,
    changed,
    known,
    reports,
    late,
    held,
    truth,
    source,
    record,
    since,
    confirmed,
):
    """Walk one ledger of one slice through an interval that ends at *stop_s*.

    *truth*, *source* and *record* are the versions run, known to the sender and recorded at the
    interval's start; *record*, *since* (WRONG since; -1: it is not) and *confirmed* are moved on.
    *changed* is what happens to the truth and *known* to what the sender knows of it. *reports*
    were made in the interval; *late* ones were made earlier and end now, and *held* is what they
    carry, in the same order; those of one device are written in the order made, which `overtaken`
    sees to. Returns (held after it, begins and ends of the WRONG spells that ended, how many began,
    what the confirmations take off the integral of confirmation age over [measure, horizon) in two
    halves).
    """
    # Taken apart once: reaching into a tuple in the loop costs more than the loop.
    c_row, c_second, c_version = changed
    k_row, k_second, k_version = known
    row, made, deliver = reports
    late_row, late_made, late_deliver = late
    held_row, held_made, held_version = held
    n_row = len(row)
    n_c = len(c_row)
    n_k = len(k_row)
    n_held = len(held_row)
    n_late = len(late_row)
    end = len(truth)
    kept_row = np.empty(n_row + n_held, np.int32)
    kept_made = np.empty(n_row + n_held, np.int32)
    kept_version = np.empty(n_row + n_held, np.uint16)
    began, ended = np.empty(n_row + n_late, np.int32), np.empty(n_row + n_late, np.int32)
    kept = closed = opened = 0
    low = high = np.int64(0)
    c = k = m = overdue = h = 0
    while True:
        now = min(
            np.int64(c_row[c]) if c < n_c else end, np.int64(held_row[h]) if h < n_held else end
        )
        # the clean majority: RIGHT, nothing happens to them, and a report confirms it
        while m < n_row:
            device, written = np.int64(row[m]), np.int64(deliver[m])
            if (
                device >= now
                or since[device] >= 0
                or source[device] != truth[device]
                or written >= stop_s
                or written < 0
            ):
                break
            gained = (np.int64(made[m]) - np.int64(confirmed[device])) * (
                horizon_s - max(written, measure_s)
            )
            low += gained & 0xFFFFFFFF
            high += gained >> 32
            confirmed[device] = made[m]
            m += 1
        now = min(now, np.int64(row[m]) if m < n_row else end)
        if now == end:
            break
        version_run = truth[now]
        version_known = source[now]
        version_held = record[now]
        while k < n_k and k_row[k] < now:
            k += 1
        while True:
            is_held, is_new = h < n_held and held_row[h] == now, m < n_row and row[m] == now
            left = np.int64(0)
            written = NEVER
            version = version_known
            if is_held:
                left, version = np.int64(held_made[h]), held_version[h]
                if overdue < n_late and late_row[overdue] == now and late_made[overdue] == left:
                    written = np.int64(late_deliver[overdue])
                    overdue += 1
                h += 1
            elif is_new:
                left, written = np.int64(made[m]), np.int64(deliver[m])
                while k < n_k and k_row[k] == now and k_second[k] <= left:
                    version_known = k_version[k]
                    k += 1
                version = version_known
                m += 1
            until_s = written if is_held or is_new else stop_s
            while (
                c < n_c
                and c_row[c] == now
                and (c_second[c] <= until_s < stop_s or not (is_held or is_new))
            ):
                version_run = c_version[c]
                if since[now] < 0 and version_held != version_run:
                    since[now], opened = c_second[c], opened + 1
                c += 1
            if not (is_held or is_new):
                break
            if written >= stop_s:
                kept_row[kept] = now
                kept_made[kept] = left
                kept_version[kept] = version
                kept += 1
            elif written >= 0:
                version_held = version
                gained = (left - np.int64(confirmed[now])) * (horizon_s - max(written, measure_s))
                low += gained & 0xFFFFFFFF
                high += gained >> 32
                confirmed[now] = left
                if since[now] >= 0 and version == version_run:
                    began[closed] = since[now]
                    ended[closed] = written
                    since[now] = -1
                    closed += 1
                elif since[now] < 0 and version != version_run:
                    since[now], opened = written, opened + 1
        record[now] = version_held
    under_way = kept_row[:kept].copy(), kept_made[:kept].copy(), kept_version[:kept].copy()
    return under_way, began[:closed], ended[:closed], opened, low, high


@njit(nogil=True)
def overtaken(reports, late, stop_s, confirmed):
    """Write `REFUSED` over what is out of date when it is written before *stop_s*: a report made
    later was written earlier, now or before (*confirmed*).

    *reports* were made after the *late* ones. What is left of one device is written in the order
    made.
    """
    (row, made, deliver), (late_row, late_made, late_deliver) = reports, late
    m, overdue = len(row) - 1, len(late_row) - 1
    device, earliest = np.int64(-1), NEVER
    while m >= 0 or overdue >= 0:
        is_new = overdue < 0 or (m >= 0 and row[m] >= late_row[overdue])
        now, written, known = (
            (row[m], deliver[m], made[m])
            if is_new
            else (late_row[overdue], late_deliver[overdue], late_made[overdue])
        )
        if now != device:
            device, earliest = np.int64(now), NEVER
        if 0 <= written < stop_s:
            if written > earliest or known < confirmed[now]:
                if is_new:
                    deliver[m] = NOT_WRITTEN
                else:
                    late_deliver[overdue] = NOT_WRITTEN
            earliest = min(earliest, np.int64(written))
        if is_new:
            m -= 1
        else:
            overdue -= 1


@njit(nogil=True)
def settle(changed, truth):
    """Write the interval's changes into the *truth*, once both ledgers have walked past them."""
    row, _, version = changed
    for i in range(np.uint64(len(row))):
        truth[row[i]] = version[i]


@njit(nogil=True)
def account(began, ended, repaired, measure_s, edges, totals, bands):
    """Add the WRONG spells [began, ended), as far as they lie at or after *measure_s*, to int64
    *totals* and *bands*; *repaired*: each ended RIGHT.
    """
    for i in range(np.uint64(len(began))):
        add_spell(began[i], ended[i], repaired, measure_s, edges, totals, bands)


@njit(nogil=True, _nrt=False)  # makes no array, and is called from kernels that count none
def add_spell(began_s, ended_s, repaired, measure_s, edges, totals, bands):
    """Add one WRONG spell, as `account` does."""
    since, until = np.int64(began_s), np.int64(ended_s)
    begin = max(since, np.int64(measure_s))
    if repaired and since >= measure_s:
        totals[Total.N_REPAIRS] += 1
        totals[Total.REPAIR_S] += until - since
    if until <= begin:
        return
    totals[Total.WRONG_S] += until - begin
    old, young = until - since, begin - since
    twice_integral = old * old - young * young  # of (t - since)
    totals[Total.STALE_LOW] += twice_integral & 0xFFFFFFFF
    totals[Total.STALE_HIGH] += twice_integral >> 32
    band = 0
    while edges[band + 1] <= young:
        band += 1
    while young < old:
        step = min(old, edges[band + 1])
        bands[band] += step - young
        young = step
        band += 1


@njit(nogil=True)
def hub_hears(key, place, index, row, changed_s, loss):
    """Return a mask of the changes whose HAN write reaches the hub."""
    heard = np.ones(len(row), np.bool_)
    if loss > np.uint64(0):
        for i in range(np.uint64(len(row))):
            number = index[row[i]]
            drawn = word(key, place, number, changed_s[i])
            heard[i] = np.uint64(drawn) >= loss
    return heard
