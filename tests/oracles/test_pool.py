"""The memory of the network against sets and lists of plain Python: records, and the wheel of
events.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from sim.kernels import pool as memory
from sim.kernels.pool import ENDED, EVENT, MESSAGE, NONE, EventKind, Pool
from sim.network.room import grown

ROOM, WHEEL_S = 6, 8


@njit
def _take(pool):  # type: ignore[no-untyped-def]
    return memory.take(pool)


@njit
def _let_go(pool, who):  # type: ignore[no-untyped-def]
    memory.let_go(pool, who)


@njit
def _room_left(pool):  # type: ignore[no-untyped-def]
    return memory.room_left(pool)


@njit
def _remind(pool, due, what, who, turn, stage):  # type: ignore[no-untyped-def]
    memory.remind(pool, due, what, who, turn, stage)


@njit
def _due_now(pool, step, out):  # type: ignore[no-untyped-def]
    return memory.due_now(pool, step, out)


@njit
def _give_back(pool, events, n):  # type: ignore[no-untyped-def]
    memory.give_back(pool, events, n)


def empty_pool(n_messages: int = ROOM, n_events: int = 2 * ROOM) -> Pool:
    """Return a pool with room for a few, and a wheel that turns soon."""
    return Pool(
        np.zeros(n_messages, MESSAGE),
        np.zeros(n_messages, np.int32),
        np.zeros(n_events, EVENT),
        np.zeros(n_events, np.int32),
        np.full(WHEEL_S, NONE, np.int32),
        np.zeros(WHEEL_S, np.int32),
        np.zeros(n_messages, ENDED),
        np.zeros(5, np.int64),
    )


@given(
    choices=st.lists(st.tuples(st.booleans(), st.integers(0, 99), st.integers(1, 3)), max_size=60)
)
def test_a_record_is_free_when_nothing_points_to_it(choices):
    """No record is given twice, none is lost, and what there is room for is what is not in use; a
    larger pool holds all the smaller held.
    """
    pool, points = empty_pool(), Counter[int]()
    for takes, which, references in choices:
        if takes:
            if _room_left(pool)[0] == 0:
                pool = grown(pool, 2 * len(pool.messages), 1)
            who = int(_take(pool))
            assert who not in points
            points[who] = references
            pool.messages[who]["refs"] = references
            pool.messages[who]["kind"] = 1
            pool.messages[who]["number"] = 1000 + who
        elif points:
            who = sorted(points)[which % len(points)]
            _let_go(pool, who)
            points[who] -= 1
            if not points[who]:
                del points[who]
                assert pool.messages[who]["kind"] == -1
        assert _room_left(pool)[0] == len(pool.messages) - len(points)
        assert all(
            (int(pool.messages[who]["number"]), int(pool.messages[who]["refs"])) == (1000 + who, n)
            for who, n in points.items()
        )


@given(
    wanted=st.lists(
        st.tuples(
            st.integers(0, 30),
            st.one_of(st.integers(0, 3), st.integers(0, 4 * WHEEL_S)),
            st.integers(0, ROOM - 1),
            st.integers(0, 2),
        ),
        max_size=40,
    )
)
def test_the_wheel_gives_each_event_in_its_second(wanted):
    """Events further away than the wheel is long go round; each comes once, and its place is used
    again.
    """
    pool = empty_pool(n_events=len(wanted))
    expected = Counter[tuple[int, int, int]]()
    asked = Counter[int]()
    out = np.empty(len(wanted), np.int32)
    for step in range(30 + 4 * WHEEL_S + 2):
        for since, later, who, turn in wanted:
            if since == step:
                _remind(pool, step + later, EventKind.DUE, who, turn, turn - 1)
                expected[step + later, who, turn] += 1
                asked[who] += 1
        assert pool.wheel_n.tolist() == [
            sum(n for (due, _, _), n in expected.items() if due % WHEEL_S == slot)
            for slot in range(WHEEL_S)
        ]

        n = _due_now(pool, step, out[: pool.wheel_n[step % WHEEL_S]])

        found = pool.events[out[:n]]
        assert Counter((int(e["due"]), int(e["who"]), int(e["turn"])) for e in found) == Counter(
            {key: m for key, m in expected.items() if key[0] == step}
        )
        assert all(e["what"] == EventKind.DUE and e["stage"] == e["turn"] - 1 for e in found)
        _give_back(pool, out, n)
        expected = Counter({key: m for key, m in expected.items() if key[0] != step})
        assert _room_left(pool)[1] == len(wanted) - sum(expected.values())
    assert not expected
    # an event points to its record until it is let go
    assert pool.messages["refs"].tolist() == [asked[who] for who in range(ROOM)]
    assert (pool.wheel == NONE).all()
