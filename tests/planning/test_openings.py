"""Open seconds, against a walk from second to second."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.planning import NEVER_S
from sim.planning.openings import Openings
from tests.planning.worlds import DAY_S

YEARS_60_S = 60 * 365 * DAY_S
WALKED_S = 5 * DAY_S


def _hours(at: int, length: int, *blackouts: tuple[int, int]) -> Openings:
    """Return the openings of daily hours and *blackouts* (start, duration)."""
    dark = tuple(SimpleNamespace(start=start, duration=duration) for start, duration in blackouts)
    return Openings(SimpleNamespace(open=SimpleNamespace(at=at, length=length), blackouts=dark))


def _walked(at: int, length: int, blackouts: list[tuple[int, int]]) -> np.ndarray:
    """Return the open seconds of the first days."""
    seconds = np.arange(WALKED_S)
    is_open = (seconds - at) % DAY_S < length
    for start, duration in blackouts:
        is_open[start : start + duration] = False
    return seconds[is_open]


TIMES = st.one_of(st.integers(0, DAY_S - 1), st.sampled_from([0, 1, DAY_S - 1]))
LENGTHS = st.one_of(st.integers(1, DAY_S), st.sampled_from([1, DAY_S]))
BLACKOUTS = st.lists(
    st.tuples(st.integers(0, 3 * DAY_S), st.one_of(st.integers(1, 100), st.integers(1, DAY_S))),
    max_size=4,
)


@given(
    at=TIMES,
    length=LENGTHS,
    blackouts=BLACKOUTS,
    start=st.integers(0, 4 * DAY_S),
    k=st.one_of(st.integers(0, 3), st.integers(0, DAY_S)),
)
def test_the_kth_open_second_is_the_one_a_walk_finds(at, length, blackouts, start, k):
    """Hours that span midnight and blackouts that overlap or touch included."""
    openings, seconds = _hours(at, length, *blackouts), _walked(at, length, blackouts)
    place = int(np.searchsorted(seconds, start)) + k

    opened = openings.opening(start, k)

    assert opened == seconds[place] if place < len(seconds) else opened >= WALKED_S


@given(
    at=TIMES, length=LENGTHS, blackouts=BLACKOUTS, start=st.integers(0, DAY_S), days=st.floats(0, 3)
)
def test_spans_hold_every_open_second_in_order(at, length, blackouts, start, days):
    n = int(days * length)
    begins, lengths = _hours(at, length, *blackouts).spans(start, n)
    seconds = _walked(at, length, blackouts)
    held = np.concatenate(
        [
            np.arange(begin, begin + seconds_)
            for begin, seconds_ in zip(begins, lengths, strict=True)
        ]
        or [np.arange(0)]
    )
    held = held[held < WALKED_S]

    assert sum(lengths) >= n > sum(lengths[:-1]) or not n
    assert held.tolist() == seconds[seconds >= start][: len(held)].tolist()


@pytest.mark.parametrize(("at", "length"), [(0, DAY_S), (79_200, 14_400)])
def test_what_is_not_open_in_sixty_years_never_is(at, length):
    openings = _hours(at, length, (100_000, YEARS_60_S))

    assert openings.opening(0, 0) == 0
    assert openings.opening(100_000, 0) == NEVER_S
    assert openings.opening(0, 10**12) == NEVER_S
    assert openings.opening(NEVER_S, 0) == NEVER_S
    assert openings.spans(100_000, 5) == ([], [])
    assert sum(openings.spans(0, 10**9)[1]) == {DAY_S: 100_000, 14_400: 7_200 + 14_400}[length]
