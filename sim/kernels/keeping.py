"""What hubs keep while their link is down, and what a full hub drops (docs/model.md section 10).

A release is one second at which a hub sends what it kept; messages are by sender, and those of one
release in the order in which they were made.
"""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.links import release
from sim.kernels.references import refer
from sim.kernels.seconds import NEVER
from sim.kernels.shaping import OUTGOING
from sim.words import Fate, Overflow


@njit(nogil=True)
def find_links(messages, links, region, index, can_keep):
    """Put off what meets a link that is down to its release, or let it expire unless the hub
    *can_keep* it.
    """
    shared = refer(links)
    for i in range(np.uint64(len(messages))):
        if messages[i].fate == Fate.IN_FLIGHT:
            back = release(shared, region, index[messages[i].row], messages[i].t)
            if back > messages[i].t:
                messages[i].t = min(back, NEVER)
                messages[i].fate = Fate.IN_FLIGHT if can_keep else Fate.EXPIRED


@njit(nogil=True)
def kept_apart(messages, measure_s, tally):
    """Return (made as they leave, kept by their hubs since they were made), and count those who
    have ended.
    """
    n_kept, n_ended = 0, 0
    for i in range(np.uint64(len(messages))):
        if messages[i].fate != Fate.IN_FLIGHT:
            n_ended += 1
            tally[messages[i].fate] += messages[i].raised >= measure_s
        else:
            n_kept += messages[i].t > messages[i].made
    at_once, kept = np.empty(len(messages) - n_kept - n_ended, OUTGOING), np.empty(n_kept, OUTGOING)
    n_kept, n = 0, 0
    for i in range(np.uint64(len(messages))):
        if messages[i].fate == Fate.IN_FLIGHT and messages[i].t > messages[i].made:
            kept[n_kept] = messages[i]
            n_kept += 1
        elif messages[i].fate == Fate.IN_FLIGHT:
            at_once[n] = messages[i]
            n += 1
    return at_once, kept


@njit(nogil=True)
def joined_by_release(old, new):
    """Return the kept messages *old* and *new* by sender, release and then the order in which they
    were made; *new* ones were made after *old* ones.
    """
    out = np.empty(len(old) + len(new), OUTGOING)
    i, j = 0, 0
    for k in range(len(out)):
        if j == len(new) or (i < len(old) and old[i].row <= new[j].row):
            message = old[i]
            i += 1
        else:
            message = new[j]
            j += 1
        place = k
        while place > 0 and out[place - 1].row == message.row and out[place - 1].t > message.t:
            out[place] = out[place - 1]
            place -= 1
        out[place] = message
    return out


@njit(nogil=True)
def overflow(kept, buffer, rule):
    """Write what a hub's full *buffer* did to the messages it kept for one release, by *rule*:
    `DROP_NEWEST`, `DROP_OLDEST` or `KEEP_LATEST`.
    """
    first = 0
    while first < len(kept):
        stop = first + 1
        while (
            stop < len(kept) and kept[stop].row == kept[first].row and kept[stop].t == kept[first].t
        ):
            stop += 1
        for i in range(first, stop):
            if rule == Overflow.KEEP_LATEST:
                kept[i].fate = Fate.CONSOLIDATED if i < stop - 1 else Fate.IN_FLIGHT
            elif rule == Overflow.DROP_OLDEST:
                kept[i].fate = Fate.REFUSED if i < stop - buffer else Fate.IN_FLIGHT
            else:
                kept[i].fate = Fate.REFUSED if i >= first + buffer else Fate.IN_FLIGHT
        first = stop


@njit(nogil=True)
def expire_in_the_dark(messages, index, dark_until):
    """Let expire what would leave while its premises is dark (nothing when *dark_until* is empty).
    """
    for i in range(len(messages) if len(dark_until) > 0 else 0):
        if (
            messages[i].fate == Fate.IN_FLIGHT
            and messages[i].t < dark_until[index[messages[i].row]]
        ):
            messages[i].fate = Fate.EXPIRED


@njit(nogil=True)
def by_made(a, b):
    """Return the messages of *a*, by sender and second made, and of *b*, by sender, together by
    sender and then made, raised and cause.
    """
    out = np.empty(len(a) + len(b), OUTGOING)
    i, j = 0, 0
    for k in range(len(out)):
        if j == len(b) or (i < len(a) and a[i].row < b[j].row):
            message = a[i]
            i += 1
        else:
            message = b[j]
            j += 1
        place = k
        while (
            place > 0
            and out[place - 1].row == message.row
            and _made_before(message, out[place - 1])
        ):
            out[place] = out[place - 1]
            place -= 1
        out[place] = message
    return out


@njit(nogil=True, inline="always")
def _made_before(a, b):
    if a.made != b.made:
        return a.made < b.made
    return a.raised < b.raised or (a.raised == b.raised and a.cause < b.cause)
