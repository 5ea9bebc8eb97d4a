"""Back-off, budget, copies and refusals of one message at a time, read from docs/model.md section
10.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from sim.kernels import attempts
from sim.kernels.attempts import Book, Scalar, Setup
from sim.kernels.draws import threshold
from sim.kernels.links import Links
from sim.kernels.pool import NONE, EventKind, Pool
from sim.kernels.seconds import NEVER
from sim.words import Fate
from tests.oracles import philox
from tests.oracles.test_pool import empty_pool

JITTERS = ("none", "full", "equal", "decorrelated")
# kind 0 is anonymous, kind 2 the last, version reports
KIND, REGION, PREMISES, N_STAGES, HORIZON_S = 1, 1, 2, 3, 2000
PLACE = REGION * 8 + 4
KEYS = np.array([11, 0x0123_4567_89AB_CDEF, 13, 14], np.uint64)
FATES = {Fate.DELIVERED: "delivered", Fate.EXPIRED: "expired", Fate.REFUSED: "refused"}


@njit
def _fail(setup, pool, who, at):  # type: ignore[no-untyped-def]
    attempts.fail(setup, pool, who, at)


@njit
def _due(setup, book, pool, links, who, turn, t):  # type: ignore[no-untyped-def]
    return attempts.give_up_or_go(setup, book, pool, links, who, turn, t)


@njit
def _refuse(setup, book, pool, who, stage, s):  # type: ignore[no-untyped-def]
    attempts.refuse(setup, book, pool, who, stage, s)


@njit
def _finish(setup, book, pool, who, fate, stage, at):  # type: ignore[no-untyped-def]
    attempts.finish(setup, book, pool, who, fate, stage, at)


class Policy(NamedTuple):
    """One `retry` row."""

    base: int
    factor: int
    most: int
    jitter: str
    cap: int
    timeout: int | None = None
    budget: float | None = None


POLICIES = st.builds(
    Policy,
    base=st.integers(1, 40),
    factor=st.integers(1, 4),
    most=st.integers(1, 200),
    jitter=st.sampled_from(JITTERS),
    cap=st.integers(0, 6),
    timeout=st.one_of(st.none(), st.integers(1, 9)),
    budget=st.none(),
)


def setup_of(policy: Policy, dark_until: int = 0) -> Setup:
    """Return what a step knows of *policy*: two regions of three premises; that of the message is
    dark until *dark_until*.
    """
    retry = (
        *policy[:3],
        JITTERS.index(policy.jitter),
        policy.cap,
        -1 if policy.timeout is None else policy.timeout,
    )
    c = np.zeros(14, np.int64)
    c[[Scalar.HORIZON, Scalar.STOP, Scalar.N_ANONYMOUS, Scalar.N_OPEN, Scalar.N_STAGES]] = (
        HORIZON_S,
        HORIZON_S,
        1,
        N_STAGES,
        N_STAGES,
    )
    dark = np.zeros(6, np.int32)
    dark[3 + PREMISES] = dark_until
    return Setup(
        c=c,
        stages=np.zeros(0),
        levels=np.zeros((0, 3), np.int8),
        sizes=np.zeros((0, 3), np.int64),
        outages=np.zeros(0),
        retry=np.array(
            [*retry, -1 if policy.budget is None else threshold(policy.budget)], np.int64
        ),
        retried=np.array([True, True, False]),
        keys=KEYS,
        home_keys=np.zeros(3, np.uint64),
        kind_user=np.full(3, -1),
        targets=np.full(3, 100),
        gasps=np.zeros(3, np.bool_),
        central=np.zeros(3, np.bool_),
        premises_first=np.array([0, 3, 6]),
        user_of=np.zeros(0, np.uint8),
        dark_until=dark,
        budget=np.zeros((2, 4), np.int64),
    )


def blank_book() -> Book:
    """Return counts of nothing."""
    flat, nothing = np.zeros((0, 0), np.int32), np.zeros((0, 0, 0), np.int32)
    return Book(
        nothing,
        flat,
        flat,
        flat,
        flat,
        np.zeros((3, 2 * HORIZON_S), np.int32),
        np.zeros((3, 7, N_STAGES + 2), np.int64),
        np.zeros(3, np.int64),
        np.zeros((3, 3), np.int64),
        nothing,
        flat,
        flat,
        np.zeros(0, np.int32),
    )


def no_links() -> Links:
    """Return links that are never down."""
    return Links(
        *(np.zeros(0, np.int64) for _ in range(4)), np.zeros((0, 1), np.bool_), 0, np.uint64(1), 100
    )


def one_outage(start: int, stop: int) -> Links:
    """Return links of which all of the message's region are down in [start, stop)."""
    whole = (np.array([number], np.int64) for number in (REGION, start, stop, 0))
    return Links(*whole, np.ones((1, 1), np.bool_), 0, np.uint64(1), 100)


def with_message(raised: int = 5, kind: int = KIND, ended: int = NEVER) -> Pool:
    """Return a pool whose record 0 is a message not yet sent, kept by the caller."""
    pool = empty_pool(20, 40)
    pool.n[:] = (0, 0, 0, 1, 0)
    for name, value in {
        "kind": kind,
        "region": REGION,
        "place": PLACE,
        "premises": PREMISES,
        "raised": raised,
        "ended": ended,
        "position": -1,
        "refused_s": -1,
        "refused_at": -1,
        "latest": -1,
        "refs": 1,
    }.items():
        pool.messages[name][0] = value
    return pool


def events_of(pool: Pool, what: int) -> list[tuple[int, int]]:
    """Return the second and the turn of every event of a kind that was ever asked for, in order."""
    asked = pool.events[: pool.n[4]]
    return [(int(e["due"]), int(e["turn"])) for e in asked[asked["what"] == what]]


def fates_of(book: Book) -> list[tuple[str, int]]:
    """Return the fate of every message that ended, and the number of the stage (-1: none)."""
    return [(FATES[fate], stage - 1) for _, fate, stage in np.argwhere(book.fates).tolist()]


@given(policy=POLICIES, lasts=st.lists(st.integers(0, 30), min_size=7, max_size=7))
def test_each_failure_waits_as_its_jitter_says(policy, lasts):
    """c_a = min(most, base factor^a); d_a by jitter, drawn at the second the failed attempt left;
    no more than the cap.
    """
    setup, book, pool, links = setup_of(policy), blank_book(), with_message(), no_links()
    t, before, turn = 7, policy.base, 0
    while True:
        copy = _due(setup, book, pool, links, 0, turn, t)
        assert pool.messages[copy][["turn", "leave", "rank"]].item() == (
            turn,
            t,
            philox.word(int(KEYS[0]), PLACE, PREMISES, t),
        )
        at = t + lasts[turn]
        drawn = philox.word(int(KEYS[1]), PLACE, PREMISES, t)
        ceiling = min(policy.most, policy.base * policy.factor**turn)
        wait = {
            "none": ceiling,
            "full": 1 + drawn * ceiling // 2**32,
            "equal": -(-ceiling // 2) + drawn * (ceiling // 2 + 1) // 2**32,
            "decorrelated": min(
                policy.most, policy.base + drawn * max(1, 3 * before - policy.base + 1) // 2**32
            ),
        }[policy.jitter]

        _fail(setup, pool, 0, at)

        due = events_of(pool, EventKind.DUE)
        if turn == policy.cap:
            assert len(due) == policy.cap
            break
        assert due[turn] == (at + wait, turn + 1)
        t, before, turn = at + wait, wait, turn + 1
    # the last attempt has nothing to wait for
    assert len(events_of(pool, EventKind.TIME_OUT)) == (policy.cap if policy.timeout else 0)
    assert book.attempts[KIND].tolist() == [1, policy.cap + 1, 0]


@pytest.mark.parametrize("jitter", JITTERS)
def test_an_attempt_due_past_the_horizon_stays_under_way(jitter):
    """It is not made; the message stays in memory to be counted as in flight."""
    setup, book, pool = setup_of(Policy(10, 2, 10, jitter, 3)), blank_book(), with_message()
    copy = _due(setup, book, pool, no_links(), 0, 0, HORIZON_S - 1)
    _refuse(setup, book, pool, copy, 0, HORIZON_S - 1)

    assert pool.messages[0][["ended", "waits", "refs", "copies"]].item() == (NEVER, True, 2, 0)
    assert not events_of(pool, EventKind.DUE)


@given(
    firsts=st.integers(0, 40),
    retries=st.integers(0, 20),
    budget=st.sampled_from([0.0, 0.1, 0.25, 1.0]),
    copies=st.booleans(),
    refused_at=st.integers(0, 2),
)
def test_a_budget_is_a_share_of_first_attempts(firsts, retries, budget, copies, refused_at):
    """Beyond it a due attempt is given up: refused where it last was, unless a copy is still under
    way.
    """
    setup = setup_of(Policy(1, 1, 1, "none", 3, budget=budget))
    book = blank_book()
    pool = with_message()
    first = _due(setup, book, pool, no_links(), 0, 0, 7)
    if copies:
        _fail(setup, pool, 0, 8)
    else:
        _refuse(setup, book, pool, first, refused_at, 8)
    setup.budget[REGION] = (firsts, 0, retries, 0)
    spent = retries * 2**32 >= int(budget * 2**32 + 0.5) * firsts

    copy = _due(setup, book, pool, no_links(), 0, 1, 9)

    assert (copy == NONE) == spent
    assert setup.budget.tolist() == [[0] * 4, [firsts, 0, retries, 0 if spent else 1]]
    assert fates_of(book) == ([("refused", refused_at)] if spent and not copies else [])
    if not spent:
        assert (copy != 0) == copies  # a record of its own while the first is still under way
        assert pool.messages[copy]["message"] == 0


@given(
    refusals=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=3),
    data=st.data(),
)
def test_a_message_is_refused_where_its_latest_attempt_was(refusals, data):
    """Once no attempt is left or due: of several refusals in one slot, the last stage counts; in
    whatever order they come about.
    """
    last = len(refusals) - 1
    setup = setup_of(Policy(1, 1, 1, "none", last))
    book = blank_book()
    pool = with_message()
    links = no_links()
    copies = []
    for turn in range(last + 1):
        copies.append(int(_due(setup, book, pool, links, 0, turn, 7 + turn)))
        if turn < last:
            _fail(setup, pool, 0, 7 + turn)
    for turn in data.draw(st.permutations(range(last + 1))):
        assert not fates_of(book)
        stage, slot = refusals[turn]
        _refuse(setup, book, pool, copies[turn], stage, 30 + slot)

    slot, stage = max((slot, stage) for stage, slot in refusals)
    assert fates_of(book) == [("refused", stage)]
    assert pool.messages[0][["ended", "copies"]].item() == (30 + slot, 0)
    # the caller's, and the events of the later attempts
    assert pool.messages[0]["refs"] == 1 + last


@pytest.mark.parametrize(
    ("timeout", "slot", "failed_at"), [(None, 20, 20), (9, 20, 16), (13, 20, 20), (30, 20, 20)]
)
def test_an_attempt_fails_once_and_at_the_earlier(timeout, slot, failed_at):
    """A refusal decided ahead of the clock does not hide a time-out before it."""
    setup = setup_of(Policy(5, 1, 5, "none", 1, timeout=timeout))
    book = blank_book()
    pool = with_message()
    _refuse(setup, book, pool, _due(setup, book, pool, no_links(), 0, 0, 7), 1, slot)

    assert events_of(pool, EventKind.DUE) == [(failed_at + 5, 1)]


@pytest.mark.parametrize(
    "way",
    [
        "link is down",
        "ended before",
        "ends now",
        "hub is dark",
        "hub is dark, copy under way",
        "last gasp",
    ],
)
def test_what_becomes_of_an_attempt_that_is_due(way):
    """A link that is down comes first, then whether the message has ended, then the dark; what this
    second will bring nobody knows yet.
    """
    setup = setup_of(
        Policy(1, 1, 1, "none", 3), dark_until=30 if "dark" in way or "gasp" in way else 0
    )
    book = blank_book()
    pool = with_message()
    first = _due(setup, book, pool, no_links(), 0, 0, 7)
    if "copy" in way:
        _fail(setup, pool, 0, 8)
    else:
        _refuse(setup, book, pool, first, 0, 8)
    setup.gasps[KIND] = way == "last gasp"
    if way.startswith("end"):
        _finish(setup, book, pool, 0, Fate.DELIVERED, -1, 8 if "before" in way else 9)
    links = one_outage(5, 40) if way == "link is down" else no_links()

    copy = _due(setup, book, pool, links, 0, 1, 9)

    assert (copy != NONE) == (way in ("ends now", "last gasp"))
    assert fates_of(book) == {
        "hub is dark": [("expired", -1)],
        "ended before": [("delivered", -1)],
        "ends now": [("delivered", -1)],
    }.get(way, [])
    assert events_of(pool, EventKind.DUE) == [(9, 1), (40, 1)][: 2 if way == "link is down" else 1]


@given(
    raised=st.integers(0, 20),
    at=st.integers(20, 200),
    warm_up=st.integers(0, 20),
    fate=st.sampled_from([Fate.DELIVERED, Fate.EXPIRED, Fate.REFUSED]),
)
def test_a_message_counts_by_when_it_was_raised(raised, at, warm_up, fate):
    """Fate, delay and target of those raised after the warm-up; what never arrives misses its
    target.
    """
    setup, book, pool = setup_of(Policy(1, 1, 1, "none", 0)), blank_book(), with_message(raised)
    setup.c[Scalar.WARM_UP] = warm_up

    _finish(setup, book, pool, 0, fate, -1, at)

    counts = raised >= warm_up
    assert fates_of(book) == ([(FATES[fate], -1)] if counts else [])
    assert np.argwhere(book.ends).tolist() == (
        [[KIND, at - raised]] if counts and fate == Fate.DELIVERED else []
    )
    assert book.late[KIND] == (
        counts and (fate != Fate.DELIVERED or at - raised > setup.targets[KIND])
    )
