"""The order of service against Python's `sorted`, ties and all (docs/model.md section 7)."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from numba import njit

from sim.kernels import ordering
from sim.kernels.net import Net, shared
from sim.kernels.pool import ATTEMPT
from tests.oracles import nets, philox

N_ANONYMOUS, N_KINDS = 2, 5
# moved one by one, and digit by digit
FEW_OR_MANY = st.one_of(st.integers(0, 12), st.integers(45, 140))


@njit
def _in_order(net, came, ids):  # type: ignore[no-untyped-def]
    ordering.in_order(shared(net), came, ids, len(ids))


@njit
def _by_rank(net, keys):  # type: ignore[no-untyped-def]
    own = shared(net)
    own.room.keys[: len(keys)] = keys
    ordering.by_rank(own.room, len(keys))
    keys[:] = own.room.keys[: len(keys)]


@njit
def _by_server(ids, server, first):  # type: ignore[no-untyped-def]
    ordering.by_server(ids, server, len(ids), first, np.empty(len(ids), np.int32))


def drawn(salt: int, column: int, n: int, below: int) -> np.ndarray:
    """Return *n* whole numbers in [0, below) that only *salt* and *column* decide."""
    return np.array([philox.word(salt, column, i, 0) % below for i in range(n)], np.int64)


def attempts(salt: int, n: int, leaves: int, ranks: int) -> tuple[Net, np.ndarray]:
    """Return *n* attempts that agree in much, of kinds of which one anonymous and one named are
    retried, and the network that knows their messages.
    """
    out = np.zeros(n, ATTEMPT)
    columns = {
        "leave": leaves,
        "rank": ranks,
        "kind": N_KINDS,
        "premises": 3,
        "cause": 3,
        "raised": 2,
    }
    for column, (name, below) in enumerate(columns.items()):
        out[name] = drawn(salt, column, n, below)
    out["place"] = drawn(salt, 7, n, 3) * 8 + drawn(salt, 8, n, 2)
    anonymous = out["kind"] < N_ANONYMOUS  # these have one place of their region
    out["place"][anonymous] |= 7
    retried = np.array([False, True, False, True, False])
    setup = nets.no_setup(retried=retried, n_anonymous=N_ANONYMOUS)
    net = nets.net(setup=setup, pool=nets.empty_pool(n))
    out["who"] = drawn(salt, 9, n, 3)  # its number among the anonymous of its second
    is_retried = setup.retried[out["kind"]]
    net.pool.messages["who"] = out["who"]
    out["who"][is_retried] = np.flatnonzero(is_retried)
    return net, out


def place_in_line(net: Net, m: np.void) -> tuple[int, ...]:
    """Return what section 7 compares: leave, rank, then anonymous before named, and so on."""
    named = m["kind"] >= N_ANONYMOUS
    number = net.pool.messages["who"][m["who"]] if net.setup.retried[m["kind"]] else m["who"]
    tie = (
        (m["place"] % 8, m["premises"], m["raised"], m["cause"]) if named else (m["raised"], number)
    )
    return tuple(
        int(part) for part in (m["leave"], m["rank"], named, m["place"] // 8, m["kind"], *tie)
    )


@given(
    salt=st.integers(0, 2**64 - 1),
    n=FEW_OR_MANY,
    leaves=st.sampled_from([1, 3, 300, 2**31 - 1]),
    ranks=st.sampled_from([1, 2, 70_000, 2**32]),
)
def test_who_left_first_then_rank_then_the_rule_for_ties(salt, n, leaves, ranks):
    """Whatever the number, the spread of leaves, and however many agree; full equals keep the order
    they came in.
    """
    net, line = attempts(salt, n, leaves, ranks)
    came = np.argsort(drawn(salt, 10, n, 2**32)).astype(np.int32)
    ids = came.copy()

    _in_order(net, line, ids)

    assert ids.tolist() == sorted(came.tolist(), key=lambda who: place_in_line(net, line[who]))


@given(
    salt=st.integers(0, 2**64 - 1),
    lengths=st.lists(st.integers(1, 29), min_size=1, max_size=10),
    leaves=st.sampled_from([1, 3]),
    ranks=st.sampled_from([2, 2**32]),
)
def test_streams_that_are_in_order_are_merged(salt, lengths, leaves, ranks):
    """What several servers passed on, each in order: few or many, longer or shorter."""
    n = sum(lengths)
    net, line = attempts(salt, n, leaves, ranks)
    ids: list[int] = []
    for begin, length in zip(np.cumsum([0, *lengths]).tolist(), lengths, strict=False):
        mine = range(begin, begin + length)
        ids += sorted(mine, key=lambda who: place_in_line(net, line[who]))
    found = np.array(ids, np.int32)

    _in_order(net, line, found)

    assert found.tolist() == sorted(ids, key=lambda who: place_in_line(net, line[who]))


@given(salt=st.integers(0, 2**64 - 1), n=FEW_OR_MANY, ranks=st.sampled_from([1, 3, 300, 2**32]))
def test_drafts_are_sorted_by_rank_and_equals_stay(salt, n, ranks):
    """The lower half counts them, so that a stable sort by the upper half is a sort of the whole.
    """
    keys = np.array(
        [(int(rank) << 32) | i for i, rank in enumerate(drawn(salt, 0, n, ranks))], np.uint64
    )
    expected = sorted(keys.tolist())

    _by_rank(nets.net(), keys)

    assert keys.tolist() == expected


@example(servers=[], n=1)
@given(servers=st.lists(st.integers(0, 4), max_size=30), n=st.integers(5, 7))
def test_each_server_gets_its_own_in_their_order(servers, n):
    """Servers without arrivals get an empty slice."""
    ids, first = np.arange(len(servers), dtype=np.int32)[::-1].copy(), np.full(n + 1, -1, np.int64)
    came = ids.tolist()

    _by_server(ids, np.array(servers, np.int32), first)

    found = [ids[first[v] : first[v + 1]].tolist() for v in range(n)]
    assert found == [
        [who for who, server in zip(came, servers, strict=True) if server == v] for v in range(n)
    ]
