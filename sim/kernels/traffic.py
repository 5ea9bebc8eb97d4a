"""What leaves in one second: counts by region and kind, and the names behind them when they are
needed (docs/model.md section 7).
"""

from __future__ import annotations

from enum import IntEnum, unique
from typing import Final, NamedTuple

import numpy as np

from sim.kernels.attempts import begin_record, keep, set_out
from sim.kernels.compiled import inner, njit
from sim.kernels.draws import scaled, word
from sim.kernels.links import release
from sim.kernels.noting import note_late_before
from sim.kernels.ordering import by_rank
from sim.kernels.pool import ANONYMOUS_SLOT
from sim.kernels.prefetch import AHEAD, prefetch
from sim.kernels.setup import Key
from sim.kernels.stepping import record
from sim.words import Fate

_LOW: Final = np.uint64(0xFFFFFFFF)
_32: Final = np.uint64(32)
MEMBER: Final = record([
    ("premises", "u4"),  # number of its sender's premises
    ("raised", "i4"),    # second that counts
    ("who", "i4"),       # its place among the origins
    ("flow", "i2"),      # number of its flow
    ("cause", "u1"),     # `MessageCause`
], is_aligned=True)  # fmt: skip
ORIGIN: Final = record([
    ("row", "i4"),   # row of its sender
    ("made", "i4"),  # second whose knowledge it carries
], is_aligned=True)  # fmt: skip
FLOW: Final = record([
    ("kind", "i8"),    # number of the kind of message
    ("region", "i8"),  # number of the region
    ("place", "i8"),   # region and slot of its senders
])  # fmt: skip


@unique
class Naming(IntEnum):
    """Who gets a name of those who leave in a second."""

    EVERYONE = 0
    WATCHED = 1
    NAMED = 2
    OF_HOMES = 3


class Leaving(NamedTuple):
    """By region, kind and second of an interval that begins at *start*: int32 *counts* of those who
    have no name yet, *measured* (raised after the warm-up), *total* of the anonymous; by user,
    named kind and second *by_user*, and of them *by_user_measured*. *crowded* uint8 and *busiest*
    int32 (region × second): whether some cell gets more than it can serve, and the most a cell
    gets. *members* (`MEMBER`): by second and region, those of second i and region r from
    *first*[i * regions + r]. *origins* (`ORIGIN`), which are looked at when a message has ended:
    *n_carried* of those who left before and are under way, then as the interval's flows have them;
    *flows* (`FLOW`).
    *watched* bool: kinds whose senders are watched for storms. *busy* uint8 by second: whether
    somebody who leaves in it may be in somebody's way.
    """

    start: int
    counts: np.ndarray
    measured: np.ndarray
    total: np.ndarray
    by_user: np.ndarray
    by_user_measured: np.ndarray
    crowded: np.ndarray
    busiest: np.ndarray
    n_carried: int
    first: np.ndarray
    members: np.ndarray
    origins: np.ndarray
    flows: np.ndarray
    watched: np.ndarray
    busy: np.ndarray


@inner
def home(setup, region, kind, second, k):
    """Return the premises of the *k*-th anonymous message of *kind* that left *region* in *second*.
    """
    n = setup.premises_first[region + 1] - setup.premises_first[region]
    return scaled(word(setup.home_keys[kind], region, second, k), n)


@inner
def named_now(net, region, t, of, k, n):
    """Make attempts of those who leave *region* in second *t*, at stage *k*: *of* them `EVERYONE`,
    the `WATCHED` kinds, the `NAMED`, or `OF_HOMES` all but what is made at the DSP.

    They are written behind the first *n* who come to the stage, in order of service, so that a
    queue of them is a walk through memory. Returns how many there are then.
    """
    setup = net.setup
    leaving = net.leaving
    room = net.room
    came = room.moving[k % 2]
    i = t - leaving.start
    n_anonymous = _draft_all_anonymous(net, region, t, of)
    n_drafts = _draft_members(net, region, t, of, n_anonymous)
    by_rank(room, n_drafts)
    first = leaving.first[i * leaving.counts.shape[0] + region] - n_anonymous
    for d in range(n_drafts):
        if d + AHEAD < n_drafts:
            later = np.int64(room.keys[d + AHEAD] & _LOW)
            if later >= n_anonymous:
                prefetch(leaving.members, first + later)
        draft = np.int64(room.keys[d] & _LOW)
        attempt = came[n + d]
        if draft >= n_anonymous:
            _name_member(net, attempt, i, first + draft)
            if attempt.raised < t:
                note_late_before(net, attempt, k, t)
        else:
            _name_anonymous(
                net, attempt, region, room.draft_kind[draft], t, room.draft_number[draft]
            )
        attempt.rank = np.uint32(room.keys[d] >> _32)
        attempt.leave = t
        if net.setup.retried[attempt.kind]:
            begin_record(net, attempt)
            set_out(net, attempt, 0, t)
    for kind in range(leaving.counts.shape[1]):
        if _is_of(setup, leaving, kind, of):
            leaving.counts[region, kind, i] = leaving.measured[region, kind, i] = 0
    return n + n_drafts


@inner
def _draft_all_anonymous(net, region, t, of):
    """Draft the anonymous messages that are asked for: their ranks and places into `Room.keys`, who
    they are beside them; return how many.
    """
    setup = net.setup
    leaving = net.leaving
    i = t - leaving.start
    counts = leaving.counts[region]
    n = 0
    if of == Naming.NAMED:
        return n
    for kind in range(setup.n_anonymous):
        if counts[kind, i] > 0 and _is_of(setup, leaving, kind, of):
            n = _draft_anonymous(net, region, kind, t, n)
    return n


@inner
def _draft_members(net, region, t, of, n):
    """Draft the members who are asked for behind the first *n* drafts, of whom each is numbered n
    and its place among those of its second and region; return how many drafts there are then.
    """
    setup = net.setup
    leaving = net.leaving
    keys = net.room.keys
    i = t - leaving.start
    counts = leaving.counts[region]
    number = np.uint64(n)
    left = False
    for kind in range(setup.n_anonymous, len(counts)):
        left = left or counts[kind, i] > 0
    if not left:
        return n
    key = setup.keys[Key.RANK]
    place = i * leaving.counts.shape[0] + region
    for j in range(leaving.first[place], leaving.first[place + 1]):
        member = leaving.members[j]
        flow = leaving.flows[member.flow]
        kind = flow.kind
        if counts[kind, i] > 0 and _is_of(setup, leaving, kind, of):
            rank = word(key, flow.place, member.premises, t)
            keys[n] = (np.uint64(rank) << _32) | number
            n += 1
        number += np.uint64(1)
    return n


@njit(nogil=True, inline="always")
def _is_of(setup, leaving, kind, of):
    """Whether messages of *kind* are among those that `named_now` is asked for."""
    if of == Naming.WATCHED:
        return leaving.watched[kind]
    if of == Naming.NAMED:
        return kind >= setup.n_anonymous
    return of == Naming.EVERYONE or not setup.central[kind]


@inner
def _name_member(net, attempt, i, j):
    """Write the message of member *j*, who leaves in second *i* of the interval, into *attempt*."""
    setup = net.setup
    leaving = net.leaving
    member = leaving.members[j]
    flow = leaving.flows[member.flow]
    attempt.who = member.who
    attempt.raised = member.raised
    attempt.premises = member.premises
    attempt.kind = flow.kind
    attempt.place = flow.place
    attempt.user = 0
    attempt.cause = member.cause
    attempt.ended = False
    if len(setup.user_of):
        at_home = setup.premises_first[flow.region] + np.int64(member.premises)
        attempt.user = setup.user_of[at_home]
    if setup.has_users:
        kind = flow.kind - setup.n_anonymous
        leaving.by_user[attempt.user, kind, i] -= 1
        measured = member.raised >= setup.warm_up_s
        leaving.by_user_measured[attempt.user, kind, i] -= measured


@inner
def _draft_anonymous(net, region, kind, t, n):
    """Add the anonymous messages of *kind* that are still counts to the drafts; those kept by their
    hubs have names.
    """
    setup = net.setup
    leaving = net.leaving
    links = net.links
    room = net.room
    i = t - leaving.start
    total = np.int64(leaving.total[region, kind, i])
    some_kept = leaving.counts[region, kind, i] < total
    for k in range(total):
        if some_kept and release(links, region, home(setup, region, kind, t, k), t) > t:
            continue
        room.draft_kind[n], room.draft_number[n] = kind, k
        room.keys[n] = (np.uint64(((2 * k + 1) << 31) // total) << _32) | np.uint64(n)
        n += 1
    return n


@inner
def _name_anonymous(net, attempt, region, kind, t, k):
    """Write the *k*-th anonymous message of *kind* and second *t* into *attempt*."""
    setup = net.setup
    at_home = home(setup, region, kind, t, k) if setup.homes_matter else np.int64(0)
    attempt.who = k
    attempt.raised = t
    attempt.premises = at_home
    attempt.kind = kind
    attempt.place = region * 8 + ANONYMOUS_SLOT
    attempt.user = 0
    attempt.cause = 0
    attempt.ended = False
    if setup.kind_user[kind] >= 0:
        attempt.user = setup.kind_user[kind]
    elif len(setup.user_of):
        attempt.user = setup.user_of[setup.premises_first[region] + at_home]


@inner
def kept_by_hubs(net, region, t):
    """Take the anonymous messages of second *t* whose link is down off the counts: their hubs keep
    them until it is up, or they expire.
    """
    setup = net.setup
    leaving = net.leaving
    links = net.links
    book = net.book
    room = net.room
    i = t - leaving.start
    for kind in range(setup.n_anonymous):
        if setup.central[kind]:
            continue
        for k in range(np.int64(leaving.total[region, kind, i])):
            up = release(links, region, home(setup, region, kind, t, k), t)
            if up == t:
                continue
            leaving.counts[region, kind, i] -= 1
            if t >= setup.warm_up_s:
                leaving.measured[region, kind, i] -= 1
                book.attempts[kind, 0] -= 1
                book.attempts[kind, 1] -= 1
                book.fates[kind, Fate.EXPIRED, 0] += not setup.hubs_keep
            if setup.hubs_keep:
                attempt = room.due[0]
                _name_anonymous(net, attempt, region, kind, t, k)
                begin_record(net, attempt)
                keep(net, attempt, up)


@njit(nogil=True)
def scattered(
    flow,
    first,
    row,
    premises,
    leave,
    raised,
    made,
    cause,
    causes_differ,
    region,
    n_regions,
    start,
    after,
    members,
    origins,
):
    """Write the messages of one flow into *members*, by second and region (*after* int64 is where
    the next of each goes), and into *origins*, one after the other from number *first* on.
    """
    for p in range(np.uint64(len(row))):
        place = np.int64(leave[p] - start) * n_regions + region
        m = members[after[place]]
        m.premises = premises[row[p]]
        m.raised = raised[p]
        m.who = first + p
        m.flow = flow
        m.cause = cause[p] if causes_differ else cause[0]
        origin = origins[first + p]
        origin.row = row[p]
        origin.made = made[p]
        after[place] += 1


@njit(nogil=True)
def count_by_user(user_of, premises, row, leave, start, kind, counts):
    """Add to int32 *counts* (user × named kind × second) the messages of one flow of *kind*."""
    for p in range(np.uint64(len(row))):
        counts[user_of[premises[row[p]]], kind, leave[p] - start] += 1
