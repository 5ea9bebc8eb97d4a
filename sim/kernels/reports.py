"""When version reports leave (S1-18): timers, changes and reads, with their first losses.

Each kernel sweeps one slice of senders (one place) over one interval [start, stop) and returns the
messages that enter the network, by sender and then time. What never enters is counted: *tally* has
by fate (as in flight: all that were sent) the messages that leave at or after *measure_s*. Timer
reports differ in *when* they leave far more than in how many there are.
"""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.dials import strikes
from sim.kernels.draws import block_at, is_below, pick, quad_of, scaled, word
from sim.words import Fate, Reach


@njit(nogil=True)
def first_due(key, place, index, period_s, at_s, spread_s, hashed, due):
    """Write int32 *due*, each timer's first nominal second, or reading of a fixed clock.

    *hashed*: (at + a share of *spread_s*) modulo the period, in [0, T). Otherwise a timer that last
    started within the period before the window: in (0, T].
    """
    last = np.int64(-1)
    words = block_at(key, place, 0, 0)
    for i in range(np.uint64(len(index))):
        quad = quad_of(index[i])
        if quad != last:
            words = block_at(key, place, quad, 0)
            last = quad
        offset = scaled(pick(words, index[i]), spread_s)
        due[i] = (at_s + offset) % period_s if hashed else period_s - offset


@njit(nogil=True)
def steady_reports(
    due, reach, home, start_s, stop_s, period_s, measure_s, counts, tally, sender, leave
):
    """`timer_reports` where nothing is drawn and nothing restarts: no jitter, no loss, no cut, no
    activation. A nanosecond or two a report.
    """
    count = np.uint64(0)
    sent = 0
    expired = 0
    for i in range(np.uint64(len(due))):
        nominal = np.int64(due[i])
        while nominal < stop_s:
            second = nominal
            nominal += period_s
            sent += second >= measure_s
            if reach[home[i]] != Reach.REACHED:
                expired += second >= measure_s
                continue
            sender[count], leave[count] = i, second
            count += np.uint64(1)
            counts[np.uint64(second - start_s)] += 1
        due[i] = nominal
    tally[Fate.IN_FLIGHT] += sent
    tally[Fate.EXPIRED] += expired
    return sender[:count], leave[:count]


@njit(nogil=True)
def timer_reports(
    jitter_key,
    place,
    index,
    due,
    start_s,
    stop_s,
    period_s,
    jitter_s,
    dial,
    changed_row,
    changed_s,
    restarts,
    sender,
    leave,
    occasion,
):
    """Return (sender, leave, occasion) of the reports whose timers fire in the interval, and move
    *due* on; *occasion* is the number of its period.

    *due* are readings of a clock, which *dial* turns into seconds. The last three arguments, int32,
    are room for as many as there can be. *changed_row*, *changed_s* are the slice's changes, which
    restart a sender's timer when *restarts*.
    """
    last_quad, last_number = np.int64(-1), np.int64(-1)
    words = block_at(jitter_key, place, 0, 0)
    count = np.uint64(0)
    change = np.uint64(0)
    n_changes = np.uint64(len(changed_row) if restarts else 0)
    number = start_s // period_s
    from_s = number * period_s
    for i in range(np.uint64(len(index))):
        nominal, quad = np.int64(due[i]), quad_of(index[i])
        while change < n_changes and changed_row[change] < i:
            change += np.uint64(1)
        while True:
            second = stop_s
            struck = strikes(dial.start_s, dial.ahead_s, dial.before, nominal)
            if struck - jitter_s < stop_s:
                # which period a report belongs to addresses its luck
                while nominal >= from_s + period_s:
                    from_s, number = from_s + period_s, number + 1
                while nominal < from_s:
                    from_s, number = from_s - period_s, number - 1
                second = struck
                if jitter_s > 0:
                    if last_quad != quad or last_number != number:
                        words = block_at(jitter_key, place, quad, number)
                        last_quad, last_number = quad, number
                    second = struck + scaled(pick(words, index[i]), 2 * jitter_s) - jitter_s
            if change < n_changes and changed_row[change] == i and second >= changed_s[change]:
                # the change comes first: this report is dropped and the timer starts again
                nominal = np.int64(changed_s[change]) + period_s
                change += np.uint64(1)
                continue
            if second >= stop_s:
                break
            nominal += period_s
            if second >= start_s:
                sender[count] = i
                leave[count] = second
                occasion[count] = number
                count += np.uint64(1)
        due[i] = nominal
    return sender[:count], leave[:count], occasion[:count]


@njit(nogil=True)
def change_reports(
    jitter_key,
    place,
    index,
    row,
    changed_s,
    jitter_s,
    leave,
):
    """Write int32 *leave*, when the report of each change leaves: up to 2 *jitter_s* after it,
    never before.
    """
    for i in range(np.uint64(len(row))):
        leave[i] = changed_s[i]
        if jitter_s > 0:
            drawn = word(jitter_key, place, index[row[i]], changed_s[i])
            leave[i] += scaled(drawn, 2 * jitter_s)


@njit(nogil=True)
def enter(
    loss_key,
    place,
    index,
    row,
    occasion,
    leave,
    reach,
    dark_until,
    start_s,
    loss,
    measure_s,
    counts,
    tally,
    fate,
):
    """Return (row, leave) of the messages that enter the network, moved to the front of *row* and
    *leave*; the rest expire or are lost.

    Which of the two is written into uint8 *fate* (`Fate`), unless that is empty.

    They are added to int32 *counts* by second. *reach* uint8 and *dark_until* int32 are by premises
    number (empty *dark_until*: no cuts); *occasion* addresses the loss.
    """
    last_quad, last_occasion = np.int64(-1), np.int64(-1)
    words = block_at(loss_key, place, 0, 0)
    kept = np.uint64(0)
    some_dark = len(dark_until) > 0
    is_told = len(fate) > 0
    for i in range(np.uint64(len(row))):
        measured = leave[i] >= measure_s
        home = index[row[i]]
        second = leave[i]
        tally[Fate.IN_FLIGHT] += measured
        if reach[home] != Reach.REACHED or (some_dark and second < dark_until[home]):
            tally[Fate.EXPIRED] += measured
            if is_told:
                fate[i] = Fate.EXPIRED
            continue
        if loss > np.uint64(0):
            quad = quad_of(home)
            if last_quad != quad or last_occasion != occasion[i]:
                words = block_at(loss_key, place, quad, occasion[i])
                last_quad, last_occasion = quad, np.int64(occasion[i])
            if is_below(words, home, loss):
                tally[Fate.LOST] += measured
                if is_told:
                    fate[i] = Fate.LOST
                continue
        row[kept], leave[kept] = row[i], second
        kept += np.uint64(1)
        counts[np.uint64(second - start_s)] += 1
    return row[:kept], leave[:kept]


@njit(nogil=True)
def merged(row_a, leave_a, cause_a, row_b, leave_b, cause_b):
    """Return (row, leave, cause) of two lists sorted by (row, leave), merged; of equals the first
    list's comes first.
    """
    n = len(row_a) + len(row_b)
    row = np.empty(n, np.int32)
    leave = np.empty(n, np.int32)
    cause = np.empty(n, np.uint8)
    a, b = 0, 0
    for i in range(n):
        first = b == len(row_b) or (
            a < len(row_a)
            and (row_a[a] < row_b[b] or (row_a[a] == row_b[b] and leave_a[a] <= leave_b[b]))
        )
        if first:
            row[i] = row_a[a]
            leave[i] = leave_a[a]
            cause[i] = cause_a[a]
            a += 1
        else:
            row[i] = row_b[b]
            leave[i] = leave_b[b]
            cause[i] = cause_b[b]
            b += 1
    return row, leave, cause


@njit(nogil=True)
def to_devices(hub_index, made, deliver, device_index):
    """Return (device row, made, deliver) of hub messages (sorted by uint32 *hub_index*) for the
    devices at the same premises numbers.
    """
    capacity = len(hub_index)
    row = np.empty(capacity, np.int32)
    known = np.empty(capacity, np.int32)
    arrives = np.empty(capacity, np.int32)
    count, device = 0, 0
    for i in range(len(hub_index)):
        while device < len(device_index) and device_index[device] < hub_index[i]:
            device += 1
        if device < len(device_index) and device_index[device] == hub_index[i]:
            row[count] = device
            known[count] = made[i]
            arrives[count] = deliver[i]
            count += 1
    return row[:count], known[:count], arrives[:count]
