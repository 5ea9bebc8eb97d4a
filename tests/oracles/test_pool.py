"""The memory of the network against sets and lists of plain Python: records of messages, lines of
attempts, and the wheels of what comes again.
"""

from __future__ import annotations

from collections import Counter, deque

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from sim.kernels import lines
from sim.kernels import pool as memory
from sim.kernels.carrying import under_way
from sim.kernels.lines import Lane
from sim.kernels.pool import ATTEMPT, CHUNK_PLACES
from sim.kernels.storm import NEEDED
from sim.network.room import grown
from tests.oracles.nets import N_LINES, WHEEL_S, empty_pool

ROOM = 6


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
def _join(pool, line, attempt):  # type: ignore[no-untyped-def]
    lines.join(pool, line, attempt[0])


@njit
def _leave(pool, line, is_last):  # type: ignore[no-untyped-def]
    if is_last:
        who = pool.attempts[pool.lines[line].last].who
        lines.leave_last(pool, line)
    else:
        who = pool.attempts[pool.lines[line].first].who
        lines.leave_first(pool, line, 1)
    return who


@njit
def _join_together(pool, line, came, those):  # type: ignore[no-untyped-def]
    lines.join_together(pool, line, came, those)


@njit
def _leave_together(pool, line, n):  # type: ignore[no-untyped-def]
    """Take the first off, *n* at most and no more than lie in one chunk; return who they were."""
    first = pool.lines[line].first
    here = min(n, CHUNK_PLACES - first % CHUNK_PLACES, pool.lines[line].n)
    who = pool.attempts[first : first + here].copy()
    lines.leave_first(pool, line, here)
    return who


@njit
def _remind(pool, lane, step, attempt):  # type: ignore[no-untyped-def]
    lines.remind(pool, lane, step, attempt[0])


@njit
def _due_now(pool, lane, step, out, n):  # type: ignore[no-untyped-def]
    return lines.due_now(pool, lane, step, out, n)


def attempt_of(who: int) -> np.ndarray:
    """Return one attempt that can be told from others."""
    out = np.zeros(1, ATTEMPT)
    out["who"] = who
    return out


def needs(messages: int = 0, chunks: int = 0) -> np.ndarray:
    """Return what a step asks for."""
    out = np.zeros(1, NEEDED)
    out["n_messages"], out["n_chunks"] = messages, chunks
    return out


@given(
    choices=st.lists(st.tuples(st.booleans(), st.integers(0, 99), st.integers(1, 3)), max_size=60)
)
def test_a_record_is_free_when_nothing_points_to_it(choices):
    """No record is given twice, none is lost, and what there is room for is what is not in use; a
    larger pool holds all the smaller held.
    """
    pool, points = empty_pool(ROOM), Counter[int]()
    for takes, which, references in choices:
        if takes:
            if _room_left(pool)[0] == 0:
                pool = grown(pool, needs(messages=1))
            who = int(_take(pool))
            assert who not in points
            points[who] = references
            pool.messages[who]["refs"] = references
            pool.messages[who]["kind"] = 1
            pool.messages[who]["who"] = 1000 + who
        elif points:
            who = sorted(points)[which % len(points)]
            _let_go(pool, who)
            points[who] -= 1
            if not points[who]:
                del points[who]
                assert pool.messages[who]["kind"] == -1
        assert _room_left(pool)[0] == len(pool.messages) - len(points)
        assert all(
            (int(pool.messages[who]["who"]), int(pool.messages[who]["refs"])) == (1000 + who, n)
            for who, n in points.items()
        )


@given(
    choices=st.lists(
        st.tuples(st.integers(0, 2), st.booleans(), st.integers(0, 40)),
        max_size=20,
    )
)
def test_many_join_and_leave_a_line_at_once_as_one_after_the_other(choices):
    """In whatever order they lie where they come from; those who leave together lie in one chunk.
    """
    pool = grown(empty_pool(0, 1), needs(chunks=80))
    came = np.zeros(64, ATTEMPT)
    expected = [deque[int]() for _ in range(3)]
    number = 0
    for line, leaves, n in choices:
        if leaves and expected[line]:
            gone = _leave_together(pool, line, max(n, 1))["who"].tolist()
            assert gone == [expected[line].popleft() for _ in gone]
            assert 0 < len(gone) <= CHUNK_PLACES
        elif not leaves:
            those = np.arange(n, dtype=np.int32)[::-1].copy()
            came["who"][:n] = number + np.arange(n)
            _join_together(pool, line, came, those)
            expected[line].extend((number + those).tolist())
            number += n
        assert [under_way(pool, v, v + 1)["who"].tolist() for v in range(3)] == [
            list(line) for line in expected
        ]
        assert pool.heights[0].n_waiting == sum(map(len, expected))


@given(
    choices=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([0, 0, 1]), st.booleans(), st.integers(1, 40)),
        max_size=30,
    )
)
def test_a_line_is_a_queue_with_two_ends(choices):
    """Several lines in one memory, each longer than a chunk now and then; what is given back is
    used again, and a larger pool holds all the smaller held.
    """
    pool, expected = empty_pool(0, 1), [deque[int]() for _ in range(3)]
    number = 0
    for line, leaves, is_last, n in choices:
        for _ in range(n):
            if leaves and expected[line]:
                who = expected[line].pop() if is_last else expected[line].popleft()
                assert _leave(pool, line, is_last) == who
            elif not leaves:
                if _room_left(pool)[1] == 0:
                    pool = grown(pool, needs(chunks=1))
                _join(pool, line, attempt_of(number))
                expected[line].append(number)
                number += 1
        found = [under_way(pool, v, v + 1)["who"].tolist() for v in range(3)]
        assert found == list(map(list, expected))
        waiting = sum(map(len, expected))
        assert pool.heights[0].n_waiting == waiting
        in_use = len(pool.after) - _room_left(pool)[1]
        # of each line the first and the last chunk may be begun
        assert waiting / CHUNK_PLACES <= in_use <= waiting / CHUNK_PLACES + 2 * len(expected)
    assert not any(pool.lines["n"][3:])


@given(
    wanted=st.lists(
        st.tuples(
            st.integers(0, 30),
            st.one_of(st.integers(0, 3), st.integers(0, 4 * WHEEL_S)),
            st.sampled_from([Lane.DUE, Lane.TIME_OUT, Lane.ARRIVES, Lane.ARRIVES + 2]),
        ),
        max_size=60,
    )
)
def test_the_wheels_give_each_event_in_its_second(wanted):
    """Events further away than a wheel is long go round; each comes once, of its own lane, behind
    what is there; and its place is used again.
    """
    pool = empty_pool(0, len(wanted) + 1)
    due: dict[tuple[int, int], list[int]] = {}
    out = np.zeros(len(wanted) + 1, ATTEMPT)
    for step in range(30 + 4 * WHEEL_S + 2):
        for who, (since, later, lane) in enumerate(wanted):
            if since == step:
                _remind(pool, lane, step + later, attempt_of(who))
                due.setdefault((int(lane), step + later), []).append(who)
        for lane in (0, 1, 2, 3, 4):
            n = _due_now(pool, lane, step, out, 1)

            assert sorted(out[1:n]["who"].tolist()) == sorted(due.pop((lane, step), []))
        assert pool.heights[0].n_waiting == sum(map(len, due.values()))
    assert not due
    assert _room_left(pool)[1] == len(pool.after)
    assert not pool.lines["n"][:N_LINES].any()
