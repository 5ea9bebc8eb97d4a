"""What devices and hubs do to their messages before the first attempt (docs/model.md section 10):
hold back, throttle, merge, keep.

Every kernel takes `MESSAGE` records of one place and kind, by sender and then in order of their
present second (ties: raised, then cause), and writes into them: the second to which a message is
put off, or what ended it. `parted` then takes apart who goes on, who waits and who has ended.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.draws import block_at, pick, quad_of, scaled, word
from sim.kernels.seconds import NEVER
from sim.kernels.stepping import record
from sim.words import Fate, MessageCause, Reach

OUTGOING: Final = record([
    ("row", "i4"),       # sender's row
    ("t", "i4"),         # its present second; from its hub on the second it leaves
    ("raised", "i4"),    # second that counts
    ("made", "i4"),      # second whose knowledge it carries, once its hub has sent or kept it
    ("occasion", "i4"),  # addresses whether it is lost
    ("cause", "u1"),     # timer, change, read or alert
    ("fate", "u1"),      # `Fate`: in flight, or what ended it; or HELD
], is_aligned=True)  # fmt: skip
HELD: Final = np.int64(len(Fate))  # in flight, and not to be moved yet
N_TALLY: Final = len(Fate)  # a tally counts by fate, and as in flight all that were raised


@njit(nogil=True, inline="always")
def _key(message):
    """Return what orders the messages of one sender: present second, second raised, cause, in 64
    bits.
    """
    return (
        (np.uint64(message.t) << np.uint64(33))
        | (np.uint64(message.raised) << np.uint64(2))
        | np.uint64(message.cause)
    )


@njit(nogil=True)
def packed(row, raised, occasion, cause, measure_s, tally):
    """Return the messages of int32 columns *row*, *raised*, *occasion* and one *cause*; count those
    raised at or after *measure_s*.
    """
    out = np.zeros(len(row), OUTGOING)
    for i in range(np.uint64(len(row))):
        out[i].row = row[i]
        out[i].t = raised[i]
        out[i].raised = raised[i]
        out[i].occasion = occasion[i]
        out[i].cause = cause
        tally[Fate.IN_FLIGHT] += raised[i] >= measure_s
    return out


@njit(nogil=True)
def merged(a, b):
    """Return the messages of *a* and *b*, each in order, in order; of equals those of *a* come
    first.
    """
    if len(a) == 0 or len(b) == 0:
        return a if len(b) == 0 else b
    out = np.empty(len(a) + len(b), OUTGOING)
    i, j = np.uint64(0), np.uint64(0)
    for k in range(np.uint64(len(out))):
        first = j == np.uint64(len(b)) or (
            i < np.uint64(len(a))
            and (a[i].row < b[j].row or (a[i].row == b[j].row and _key(a[i]) <= _key(b[j])))
        )
        if first:
            out[k] = a[i]
            i += np.uint64(1)
        else:
            out[k] = b[j]
            j += np.uint64(1)
    return out


@njit(nogil=True)
def parted(messages, until_s, mend, measure_s, tally):
    """Return (due before *until_s*, later, held) of those who have not ended, and count the fates
    of those who have; *messages* is used up.

    *mend*: each is put back in order, by insertion, as a row moves a message past few others of its
    sender; otherwise they stay in the order they are in.
    """
    n_waiting, n_holding = 0, 0
    for i in range(np.uint64(len(messages))):
        fate = messages[i].fate
        if fate == Fate.IN_FLIGHT:
            n_waiting += messages[i].t >= until_s
        elif fate == HELD:
            n_holding += 1
        else:
            tally[fate] += messages[i].raised >= measure_s
    later = np.empty(n_waiting, OUTGOING)
    held = np.empty(n_holding, OUTGOING)
    hand = np.empty(1, OUTGOING)
    n_due = np.uint64(0)
    n_later = np.uint64(0)
    n_held = np.uint64(0)
    last_row, last = np.int32(-1), np.uint64(0)
    # those due move up: never past one that is still to be looked at
    for i in range(np.uint64(len(messages))):
        message = messages[i]
        if message.fate == Fate.IN_FLIGHT and message.t < until_s:
            key = _key(message)
            if mend and message.row == last_row and key < last:
                hand[0] = message
                _insert(messages, n_due, hand[0])
            else:
                last_row, last = message.row, key
                if n_due < i:
                    messages[n_due] = message
            n_due += np.uint64(1)
        elif message.fate == Fate.IN_FLIGHT:
            if mend:
                _insert(later, n_later, message)
            else:
                later[n_later] = message
            n_later += np.uint64(1)
        elif message.fate == HELD:
            held[n_held] = message
            held[n_held].fate = Fate.IN_FLIGHT
            n_held += np.uint64(1)
    return messages[:n_due], later, held


@njit(nogil=True)
def _insert(out, n, message):
    """Put *message* among the first *n* of *out*, which are in order."""
    place, key = np.int64(n), _key(message)
    while place > 0 and out[place - 1].row == message.row and _key(out[place - 1]) > key:
        out[place] = out[place - 1]
        place -= 1
    out[place] = message


# -- rows ------------------------------------------------------------------------------------------
# Each returns how many of the messages raised at or after *measure_s* it put off.


@njit(nogil=True)
def hold_back(messages, key, place, index, window_s, measure_s):
    """Put each message off by a draw in [0, *window_s*): `jitter`."""
    n = 0
    for i in range(np.uint64(len(messages))):
        message = messages[i]
        after = scaled(word(key, place, index[message.row], message.t), window_s)
        messages[i].t = min(np.int64(message.t) + after, NEVER)
        n += after > 0 and message.raised >= measure_s
    return n


@njit(nogil=True)
def spend(messages, every_s, burst, spoken_for):
    """Throttle what finds no token: `token_bucket`. int64 *spoken_for*, by sender, is the second up
    to which tokens are; -1 for none.
    """
    for i in range(np.uint64(len(messages))):
        row, t = messages[i].row, np.int64(messages[i].t)
        until = spoken_for[row]
        if until >= 0 and t < until - (burst - 1) * every_s:
            messages[i].fate = Fate.THROTTLED
        else:
            spoken_for[row] = max(t, until) + every_s
    return 0


@njit(nogil=True)
def drop_repeats(messages, window_s, passed):
    """Consolidate what comes less than *window_s* after the last that passed: `dedupe`. int32
    *passed*, by sender, is its second; -1 for none.
    """
    for i in range(np.uint64(len(messages))):
        row, t = messages[i].row, messages[i].t
        if passed[row] >= 0 and np.int64(t) - passed[row] < window_s:
            messages[i].fate = Fate.CONSOLIDATED
        else:
            passed[row] = t
    return 0


@njit(nogil=True)
def suppress(messages, seen_row, seen_s, threshold, window_s, forward_period_s, until_s, passed):
    """Consolidate what is over *threshold* others in the window before it, save one a forwarding
    period; return what must be remembered of arrivals.

    int32 *seen_row*, *seen_s*: arrivals that still count, at most *threshold* a sender, by sender
    and then time; the same is returned for windows that reach back from *until_s*. int32 *passed*,
    by sender: when one over the threshold last passed; -1 for never.
    """
    n = len(messages) + len(seen_row)
    row, second = np.empty(n, np.int32), np.empty(n, np.int32)
    old = 0
    first = 0
    n_seen = len(seen_row)
    count = 0
    for i in range(len(messages)):
        who, t = messages[i].row, np.int64(messages[i].t)
        while old < n_seen and seen_row[old] <= who:
            row[count], second[count] = seen_row[old], seen_s[old]
            count, old = count + 1, old + 1
        row[count], second[count] = who, t
        first = count - threshold
        if first >= 0 and row[first] == who and second[first] > t - window_s:
            if passed[who] >= 0 and passed[who] > t - forward_period_s:
                messages[i].fate = Fate.CONSOLIDATED
            else:
                passed[who] = t
        count += 1
    while old < n_seen:
        row[count], second[count] = seen_row[old], seen_s[old]
        count, old = count + 1, old + 1
    kept = 0
    # later arrivals lie ahead of the place written to, so this may be done in place
    for i in range(count):
        newest = i + threshold >= count or row[i + threshold] != row[i]
        if newest and second[i] > until_s - window_s:
            row[kept], second[kept] = row[i], second[i]
            kept += 1
    return row[:kept].copy(), second[:kept].copy()


@njit(nogil=True)
def gather(messages, key, hub_place, index, period_s, start_s, until_s, horizon_s, measure_s):
    """Put each message off to its hub's next batch, one for each sender: `batch`. The one raised
    last goes, the others are consolidated into it.

    Whoever would go in a batch at or after *until_s* is HELD where it is, as a later one may still
    replace it; but no batch is put together at or after *horizon_s*. Those held before have seconds
    before *start_s* and have been counted.
    """
    n = 0
    last_quad = np.int64(-1)
    words = block_at(key, hub_place, 0, 0)
    winner, winner_at = np.int64(-1), np.int64(-1)
    for i in range(np.uint64(len(messages))):
        message = messages[i]
        number = index[message.row]
        if quad_of(number) != last_quad:
            last_quad = quad_of(number)
            words = block_at(key, hub_place, last_quad, 0)
        at = (
            np.int64(message.t)
            + (scaled(pick(words, number), period_s) - np.int64(message.t)) % period_s
        )
        n += at > message.t and message.t >= start_s and message.raised >= measure_s
        fate, second = np.int64(Fate.IN_FLIGHT), min(at, NEVER)
        if until_s <= at < horizon_s:
            fate, second = HELD, np.int64(message.t)
        if (
            at < horizon_s
            and winner >= 0
            and messages[winner].row == message.row
            and winner_at == at
        ):
            if message.raised < messages[winner].raised:
                messages[i].fate = Fate.CONSOLIDATED
                continue
            messages[winner].fate = Fate.CONSOLIDATED
        messages[i].fate = fate
        messages[i].t = second
        winner = np.int64(i)
        winner_at = at
    return n


@njit(nogil=True)
def keep_silent(messages, key, hub_place, index, time_s, spread_s, dark_until, lit, measure_s):
    """Put off what comes too soon after the latest dark spell of its premises: `hold_down`.

    By premises number, int32 *dark_until* is the end of the latest spell and *lit* that of the one
    before it; 0 for none.
    """
    n = 0
    for i in range(np.uint64(len(messages))):
        number, t = index[messages[i].row], np.int64(messages[i].t)
        back = np.int64(dark_until[number] if t >= dark_until[number] else lit[number])
        if back > 0:
            speaks = back + time_s
            if spread_s > 0:
                speaks += scaled(word(key, hub_place, number, back), spread_s)
            if t < speaks:
                messages[i].t = min(speaks, NEVER)
                n += messages[i].raised >= measure_s
    return n


# -- the hub's door --------------------------------------------------------------------------------


@njit(nogil=True)
def send(messages, timer_key, change_key, place, index, reach, dark_until, loss):
    """Write what was made at each message's second: EXPIRED where there is no WAN or it is dark
    (nobody when *dark_until* is empty), LOST to luck.

    *timer_key* (for reads too) and *change_key* say which luck, *loss* is its uint64 threshold.
    """
    some_dark = len(dark_until) > 0
    for i in range(np.uint64(len(messages))):
        message = messages[i]
        number = index[message.row]
        messages[i].made = message.t
        if reach[number] != Reach.REACHED or (some_dark and message.t < dark_until[number]):
            messages[i].fate = Fate.EXPIRED
        elif (
            loss > np.uint64(0)
            and np.uint64(
                word(
                    change_key if message.cause == MessageCause.CHANGE else timer_key,
                    place,
                    number,
                    message.occasion,
                )
            )
            < loss
        ):
            messages[i].fate = Fate.LOST


@njit(nogil=True)
def columns(messages, start_s, one_made, one_cause, counts):
    """Return (row, leave, made, raised, cause) of *messages*, and count by second from *start_s*
    when they leave.

    *one_made*: all are made as they leave, and the two are one array; *one_cause*: nobody needs the
    causes, which are left empty.
    """
    n = len(messages)
    row = np.empty(n, np.int32)
    leave = np.empty(n, np.int32)
    raised = np.empty(n, np.int32)
    made = leave if one_made else np.empty(n, np.int32)
    cause = np.empty(0 if one_cause else n, np.uint8)
    for i in range(np.uint64(n)):
        row[i] = messages[i].row
        leave[i] = messages[i].t
        made[i] = messages[i].made
        raised[i] = messages[i].raised
        if not one_cause:
            cause[i] = messages[i].cause
        counts[np.uint64(messages[i].t - start_s)] += 1
    return row, leave, made, raised, cause
