"""What leaves in one second: counts by region and kind, and the names behind them when they are
needed (docs/model.md section 7).
"""

from __future__ import annotations

from enum import IntEnum, unique
from typing import Final, NamedTuple

import numpy as np

from sim.kernels.attempts import Key, Scalar, attempt
from sim.kernels.compiled import njit
from sim.kernels.draws import scaled, word
from sim.kernels.links import release
from sim.kernels.ordering import by_rank
from sim.kernels.pool import ANONYMOUS_SLOT, EventKind, remind, take
from sim.kernels.seconds import NEVER
from sim.kernels.stepping import record
from sim.words import Fate

MEMBER: Final = record([
    ("position", "i4"),  # its place in its flow
    ("row", "i4"),       # row of its sender
    ("premises", "u4"),  # number of its sender's premises
    ("raised", "i4"),    # second that counts
    ("made", "i4"),      # second whose knowledge it carries
    ("flow", "i2"),      # number of its flow
    ("cause", "u1"),     # `MessageCause`
], is_aligned=True)  # fmt: skip
FLOW: Final = record([
    ("kind", "i8"),    # number of the kind of message
    ("region", "i8"),  # number of the region
    ("place", "i8"),   # region and slot of its senders
    ("first", "i8"),   # its first message among those of the interval
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
    gets. *members* (`MEMBER`) by second and region, those of second i and region r from *first*[i *
    regions + r]; *flows* (`FLOW`). *watched* bool: kinds whose senders are watched for storms.
    """

    start: int
    counts: np.ndarray
    measured: np.ndarray
    total: np.ndarray
    by_user: np.ndarray
    by_user_measured: np.ndarray
    crowded: np.ndarray
    busiest: np.ndarray
    first: np.ndarray
    members: np.ndarray
    flows: np.ndarray
    watched: np.ndarray


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def home(setup, region, kind, second, k):
    """Return the premises of the *k*-th anonymous message of *kind* that left *region* in *second*.
    """
    n = setup.premises_first[region + 1] - setup.premises_first[region]
    return scaled(word(setup.home_keys[kind], region, second, k), n)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def named_now(setup, leaving, book, pool, links, room, region, t, of, n):
    """Give a name to those who leave *region* in second *t*: *of* them `EVERYONE`, the `WATCHED`
    kinds, the `NAMED`, or `OF_HOMES` all but what is made at the DSP.

    They get their records in order of service, so that a queue of them is a walk through memory;
    they are appended to the first *n* of *room.ids*. Returns how many there are then.
    """
    i = t - leaving.start
    n_anonymous = setup.c[Scalar.N_ANONYMOUS]
    n_drafts = 0
    place = i * leaving.counts.shape[0] + region
    for kind in range(0 if of != Naming.NAMED else n_anonymous, n_anonymous):
        if leaving.counts[region, kind, i] > 0 and _is_of(setup, leaving, kind, of):
            n_drafts = _draft_anonymous(setup, leaving, links, room, region, kind, t, n_drafts)
    left = False
    for kind in range(n_anonymous, leaving.counts.shape[1]):
        left = left or leaving.counts[region, kind, i] > 0
    for j in range(
        leaving.first[place], leaving.first[place + 1] if left else leaving.first[place]
    ):
        member = leaving.members[j]
        flow = leaving.flows[member.flow]
        if leaving.counts[region, flow.kind, i] > 0 and _is_of(setup, leaving, flow.kind, of):
            rank = word(setup.keys[Key.RANK], flow.place, np.int64(member.premises), t)
            room.draft_kind[n_drafts], room.draft_number[n_drafts] = -1, j
            room.keys[n_drafts] = (np.uint64(rank) << np.uint64(32)) | np.uint64(n_drafts)
            n_drafts += 1
    by_rank(room.keys, n_drafts, room.more_keys)
    for d in range(n_drafts):
        draft = np.int64(room.keys[d] & np.uint64(0xFFFFFFFF))
        rank = np.uint32(room.keys[d] >> np.uint64(32))
        who = take(pool)
        if room.draft_kind[draft] < 0:
            _name_member(
                setup,
                leaving,
                book,
                pool,
                region,
                i,
                leaving.members[room.draft_number[draft]],
                who,
            )
        else:
            _name_anonymous(
                setup, pool, region, room.draft_kind[draft], t, room.draft_number[draft], who
            )
        attempt(setup, pool, who, 0, t, rank)
        room.ids[n + d] = who
    for kind in range(leaving.counts.shape[1]):
        if _is_of(setup, leaving, kind, of):
            leaving.counts[region, kind, i] = leaving.measured[region, kind, i] = 0
    return n + n_drafts


@njit(nogil=True, inline="always")
def _is_of(setup, leaving, kind, of):
    """Whether messages of *kind* are among those that `named_now` is asked for."""
    if of == Naming.WATCHED:
        return leaving.watched[kind]
    if of == Naming.NAMED:
        return kind >= setup.c[Scalar.N_ANONYMOUS]
    return of == Naming.EVERYONE or not setup.central[kind]


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _name_member(setup, leaving, book, pool, region, i, member, who):
    """Write the named message *member* into record *who*."""
    flow = leaving.flows[member.flow]
    m = pool.messages[who]
    _blank(m, who, flow.kind, region, flow.place, member.premises, member.raised, member.row)
    m.made = member.made
    m.cause = member.cause
    m.position = flow.first + member.position
    book.deliver[m.position] = NEVER
    if len(setup.user_of):
        m.user = setup.user_of[setup.premises_first[region] + np.int64(member.premises)]
    if setup.c[Scalar.HAS_USER]:
        kind = flow.kind - setup.c[Scalar.N_ANONYMOUS]
        leaving.by_user[m.user, kind, i] -= 1
        leaving.by_user_measured[m.user, kind, i] -= member.raised >= setup.c[Scalar.WARM_UP]


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _blank(m, who, kind, region, place, premises, raised, number):
    """Write a new message into record *m*."""
    m.message = who
    m.kind = kind
    m.region = region
    m.place = place
    m.premises = premises
    m.raised = raised
    m.made = raised
    m.number = number
    m.ended = NEVER
    m.position = -1
    m.refused_s = -1
    m.refused_at = -1
    m.refs = m.copies = m.attempt = m.turn = m.wait = m.user = m.cause = 0
    m.latest = -1
    m.failed = m.waits = m.travels = False


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _draft_anonymous(setup, leaving, links, room, region, kind, t, n):
    """Add the anonymous messages of *kind* that are still counts to the drafts; those kept by their
    hubs have names.
    """
    i, total = t - leaving.start, np.int64(leaving.total[region, kind, t - leaving.start])
    some_kept = leaving.counts[region, kind, i] < total
    for k in range(total):
        if some_kept and release(links, region, home(setup, region, kind, t, k), t) > t:
            continue
        room.draft_kind[n], room.draft_number[n] = kind, k
        room.keys[n] = (np.uint64(((2 * k + 1) << 31) // total) << np.uint64(32)) | np.uint64(n)
        n += 1
    return n


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _name_anonymous(setup, pool, region, kind, t, k, who):
    """Write the *k*-th anonymous message of *kind* and second *t* into record *who*."""
    at_home = home(setup, region, kind, t, k) if setup.c[Scalar.HOMES] else 0
    _blank(pool.messages[who], who, kind, region, region * 8 + ANONYMOUS_SLOT, at_home, t, k)
    _user_of_home(setup, pool.messages[who], region, at_home)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _user_of_home(setup, m, region, at_home):
    if setup.kind_user[m.kind] >= 0:
        m.user = setup.kind_user[m.kind]
    elif len(setup.user_of):
        m.user = setup.user_of[setup.premises_first[region] + at_home]


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def kept_by_hubs(setup, leaving, book, pool, links, region, t):
    """Take the anonymous messages of second *t* whose link is down off the counts: their hubs keep
    them until it is up, or they expire.
    """
    i, c = t - leaving.start, setup.c
    for kind in range(c[Scalar.N_ANONYMOUS]):
        for k in range(np.int64(0 if setup.central[kind] else leaving.total[region, kind, i])):
            at_home = home(setup, region, kind, t, k)
            up = release(links, region, at_home, t)
            if up == t:
                continue
            leaving.counts[region, kind, i] -= 1
            if t >= c[Scalar.WARM_UP]:
                leaving.measured[region, kind, i] -= 1
                book.attempts[kind, 0] -= 1
                book.attempts[kind, 1] -= 1
                book.fates[kind, Fate.EXPIRED, 0] += not c[Scalar.HUB_KEEPS]
            if not c[Scalar.HUB_KEEPS]:
                continue
            who = take(pool)
            m = pool.messages[who]
            _blank(m, who, kind, region, region * 8 + ANONYMOUS_SLOT, at_home, t, k)
            _user_of_home(setup, m, region, at_home)
            m.waits, m.failed = True, True
            if up < c[Scalar.HORIZON]:
                remind(pool, up, EventKind.DUE, who, 0, 0)
            else:
                m.refs = 1


@njit(nogil=True)
def scattered(
    flow,
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
):
    """Write the messages of one flow into *members*, by second and region; *after* int64 is where
    the next of each goes.
    """
    for p in range(np.uint64(len(row))):
        place = np.int64(leave[p] - start) * n_regions + region
        m = members[after[place]]
        after[place] += 1
        m.position = p
        m.row = row[p]
        m.premises = premises[row[p]]
        m.raised = raised[p]
        m.made = made[p]
        m.flow = flow
        m.cause = cause[p] if causes_differ else cause[0]


@njit(nogil=True)
def count_by_user(user_of, premises, row, leave, start, kind, counts):
    """Add to int32 *counts* (user × named kind × second) the messages of one flow of *kind*."""
    for p in range(np.uint64(len(row))):
        counts[user_of[premises[row[p]]], kind, leave[p] - start] += 1
