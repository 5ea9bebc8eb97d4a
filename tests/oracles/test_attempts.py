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

from sim.kernels import attempts, quiet
from sim.kernels.book import Book
from sim.kernels.draws import threshold
from sim.kernels.lines import Lane
from sim.kernels.links import Links
from sim.kernels.net import Net, shared
from sim.kernels.pool import ATTEMPT
from sim.kernels.seconds import NEVER
from sim.kernels.setup import ATTEMPTS, RetryTerms, Setup
from sim.words import Fate
from tests.oracles import nets, philox
from tests.oracles.nets import HORIZON_S, KEYS, WHEEL_S

JITTERS = ("none", "full", "equal", "decorrelated")
# kind 0 is anonymous, kind 2 the last, version reports
KIND, REGION, PREMISES = 1, 1, 2
PLACE = REGION * 8 + 4
FATES = {Fate.DELIVERED: "delivered", Fate.EXPIRED: "expired", Fate.REFUSED: "refused"}


@njit
def _fail(net, attempt, at):  # type: ignore[no-untyped-def]
    attempts.fail(shared(net), attempt[0], at)


@njit
def _due(net, attempt, t):  # type: ignore[no-untyped-def]
    return attempts.sets_out(shared(net), attempt[0], t)


@njit
def _refuse(net, attempt, stage, s):  # type: ignore[no-untyped-def]
    attempts.refuse(shared(net), attempt[0], stage, s)


@njit
def _count(net, i):  # type: ignore[no-untyped-def]
    shared_net = shared(net)
    quiet.count_firsts(shared_net.setup, shared_net.leaving, i)


@njit
def _finish(net, who, fate, stage, at):  # type: ignore[no-untyped-def]
    attempts.finish(shared(net), who, fate, stage, at)


@njit
def _end(net, attempt, fate, at):  # type: ignore[no-untyped-def]
    attempts.end_message(shared(net), attempt[0], fate, -1, at)


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
    """Return what a step knows of *policy*; the premises of the message is dark until *dark_until*.
    """
    jitter = JITTERS.index(policy.jitter)
    timeout = -1 if policy.timeout is None else policy.timeout
    budget = -1 if policy.budget is None else threshold(policy.budget)
    dark = np.zeros(6, np.int32)
    dark[3 + PREMISES] = dark_until
    return nets.no_setup(
        retry=RetryTerms(*policy[:3], jitter, policy.cap, timeout, budget),
        retried=np.array([True, True, False]),
        dark_until=dark,
    )


def one_outage(start: int, stop: int) -> Links:
    """Return links of which all of the message's region are down in [start, stop)."""
    whole = (np.array([number], np.int64) for number in (REGION, start, stop, 0))
    return Links(*whole, np.ones((1, 1), np.bool_), 0, np.uint64(1), 100)


def with_message(
    policy: Policy, raised: int = 5, dark_until: int = 0
) -> tuple[Net, np.void, np.ndarray]:
    """Return a network with one message that is kept by the caller and was not yet sent, that
    message, and its attempt.
    """
    net = nets.net(setup=setup_of(policy, dark_until))
    net.pool.heights["used_messages"] = 1
    message = net.pool.messages[0]
    same = {"kind": KIND, "place": PLACE, "premises": PREMISES, "raised": raised}
    state = {"ended": NEVER, "refused_s": -1, "refused_at": -1, "latest": -1, "refs": 1}
    for name, value in (same | state).items():
        message[name] = value
    attempt = np.zeros(1, ATTEMPT)
    for name, value in same.items():
        attempt[name] = value
    return net, message, attempt


def due(net: Net, message: np.void, attempt: np.ndarray, t: int) -> np.ndarray | None:
    """Let *attempt* be due in second *t*, and return it as it is made then, if it is."""
    message["refs"] += 1  # the event's
    made = attempt.copy()
    return made if _due(net, made, t) else None


def events_of(net: Net, lane: int) -> list[int]:
    """Return the seconds of all that waits in *lane*, in order."""
    first = net.pool.wheels + lane * WHEEL_S
    found = []
    for line in net.pool.lines[first : first + WHEEL_S]:
        # few enough for a chunk, of which none has been taken
        found += net.pool.attempts["at"][line["first"] : line["first"] + line["n"]].tolist()
    return sorted(found)


def fates_of(book: Book) -> list[tuple[str, int]]:
    """Return the fate of every message that ended, and the number of the stage (-1: none)."""
    return [(FATES[fate], stage - 1) for _, fate, stage in np.argwhere(book.fates).tolist()]


@given(policy=POLICIES, lasts=st.lists(st.integers(0, 30), min_size=7, max_size=7))
def test_each_failure_waits_as_its_jitter_says(policy, lasts):
    """c_a = min(most, base factor^a); d_a by jitter, drawn at the second the failed attempt left;
    no more than the cap.
    """
    net, message, attempt = with_message(policy)
    t, before, waits = 7, policy.base, []
    for turn in range(policy.cap + 1):
        attempt = due(net, message, attempt, t)
        assert attempt[["leave", "rank"]].item() == (
            t,
            philox.word(int(KEYS[0]), PLACE, PREMISES, t),
        )
        assert message[["attempt", "latest"]].item() == (turn, t)
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

        _fail(net, attempt, at)

        if turn < policy.cap:
            waits.append(at + wait)
        assert events_of(net, Lane.DUE) == sorted(waits)
        t, before = at + wait, wait
    # the last attempt has nothing to wait for
    assert len(events_of(net, Lane.TIME_OUT)) == (policy.cap if policy.timeout else 0)
    assert net.book.attempts[KIND].tolist() == [1, policy.cap + 1, 0]


@pytest.mark.parametrize("jitter", JITTERS)
def test_an_attempt_due_past_the_horizon_stays_under_way(jitter):
    """It is not made; the message stays in memory to be counted as in flight."""
    net, message, attempt = with_message(Policy(10, 2, 10, jitter, 3))
    _refuse(net, due(net, message, attempt, HORIZON_S - 1), 0, HORIZON_S - 1)

    assert message[["ended", "waits", "refs", "copies"]].item() == (NEVER, True, 2, 0)
    assert not events_of(net, Lane.DUE)


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
    net, message, attempt = with_message(Policy(1, 1, 1, "none", 3, budget=budget))
    first = due(net, message, attempt, 7)
    if copies:
        _fail(net, first, 8)
    else:
        _refuse(net, first, refused_at, 8)
    net.setup.budget[REGION] = (firsts, 0, retries, 0)
    spent = retries * 2**32 >= int(budget * 2**32 + 0.5) * firsts

    again = due(net, message, first, 9)

    assert (again is None) == spent
    assert net.setup.budget.tolist() == [(0,) * 4, (firsts, 0, retries, 0 if spent else 1)]
    assert fates_of(net.book) == ([("refused", refused_at)] if spent and not copies else [])
    assert message["copies"] == copies + (not spent)


@given(
    counts=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30),
    window_s=st.integers(0, 12),
)
def test_a_budget_counts_the_seconds_of_its_window_before_this_one(counts, window_s):
    """Firsts and retries of seconds [t - window, t); of all before where it has no window."""
    made = np.zeros((nets.N_REGIONS, window_s), ATTEMPTS)
    leaving = np.zeros((nets.N_REGIONS, nets.N_KINDS, len(counts)), np.int32)
    leaving[REGION, KIND] = [firsts for firsts, _ in counts]
    setup = setup_of(Policy(1, 1, 1, "none", 3, budget=0.5))._replace(made=made)
    net = nets.net(setup=setup, leaving=nets.nobody_leaves()._replace(counts=leaving))
    for t, (firsts, retries) in enumerate(counts):
        _count(net, t)
        since = max(0, t - window_s) if window_s else 0
        known = np.sum(counts[since:t] + [(0, 0)], axis=0).tolist()

        assert setup.budget[REGION].item() == (known[0], firsts, known[1], 0)
        assert setup.budget[REGION - 1].item() == (0, 0, 0, 0)
        setup.budget["retries_now"][REGION] = retries


@given(
    refusals=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=3),
    data=st.data(),
)
def test_a_message_is_refused_where_its_latest_attempt_was(refusals, data):
    """Once no attempt is left or due: of several refusals in one slot, the last stage counts; in
    whatever order they come about.
    """
    last = len(refusals) - 1
    net, message, attempt = with_message(Policy(1, 1, 1, "none", last))
    copies = []
    for turn in range(last + 1):
        copies.append(due(net, message, attempt, 7 + turn))
        if turn < last:
            _fail(net, copies[-1], 7 + turn)
    for turn in data.draw(st.permutations(range(last + 1))):
        assert not fates_of(net.book)
        stage, slot = refusals[turn]
        _refuse(net, copies[turn], stage, 30 + slot)

    slot, stage = max((slot, stage) for stage, slot in refusals)
    assert fates_of(net.book) == [("refused", stage)]
    assert message[["ended", "copies"]].item() == (30 + slot, 0)
    # the caller's, and the events of the later attempts, which nobody has taken
    assert message["refs"] == 1 + last


@pytest.mark.parametrize(
    ("timeout", "slot", "failed_at"), [(None, 20, 20), (9, 20, 16), (13, 20, 20), (30, 20, 20)]
)
def test_an_attempt_fails_once_and_at_the_earlier(timeout, slot, failed_at):
    """A refusal decided ahead of the clock does not hide a time-out before it."""
    net, message, attempt = with_message(Policy(5, 1, 5, "none", 1, timeout=timeout))
    _refuse(net, due(net, message, attempt, 7), 1, slot)

    assert events_of(net, Lane.DUE) == [failed_at + 5]


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
    net, message, attempt = with_message(
        Policy(1, 1, 1, "none", 3), dark_until=30 if "dark" in way or "gasp" in way else 0
    )
    first = due(net, message, attempt, 7)
    if "copy" in way:
        _fail(net, first, 8)
    else:
        _refuse(net, first, 0, 8)
    net.setup.gasps[KIND] = way == "last gasp"
    if way.startswith("end"):
        _finish(net, 0, Fate.DELIVERED, -1, 8 if "before" in way else 9)
    if way == "link is down":
        net = net._replace(links=one_outage(5, 40))

    again = due(net, message, first, 9)

    assert (again is not None) == (way in ("ends now", "last gasp"))
    assert fates_of(net.book) == {
        "hub is dark": [("expired", -1)],
        "ended before": [("delivered", -1)],
        "ends now": [("delivered", -1)],
    }.get(way, [])
    assert events_of(net, Lane.DUE) == [9, 40][: 2 if way == "link is down" else 1]


@given(
    raised=st.integers(0, 20),
    at=st.integers(20, 200),
    warm_up=st.integers(0, 20),
    fate=st.sampled_from([Fate.DELIVERED, Fate.EXPIRED, Fate.REFUSED]),
    is_retried=st.booleans(),
)
def test_a_message_counts_by_when_it_was_raised(raised, at, warm_up, fate, is_retried):
    """Fate, delay and target of those raised after the warm-up; what never arrives misses its
    target. A message that is not retried is its one attempt.
    """
    net, message, attempt = with_message(Policy(1, 1, 1, "none", 0), raised)
    net.setup.retried[:] = is_retried
    net = net._replace(setup=net.setup._replace(warm_up_s=warm_up))

    _end(net, attempt, fate, at)
    _end(net, attempt, Fate.REFUSED, at + 1)  # it has ended

    counts = raised >= warm_up
    assert fates_of(net.book) == ([(FATES[fate], -1)] if counts else [])
    assert np.argwhere(net.book.ends).tolist() == (
        [[KIND, at - raised]] if counts and fate == Fate.DELIVERED else []
    )
    assert net.book.late[KIND] == (
        counts and (fate != Fate.DELIVERED or at - raised > net.setup.targets[KIND])
    )
    assert message["ended"] == (at if is_retried else NEVER)
