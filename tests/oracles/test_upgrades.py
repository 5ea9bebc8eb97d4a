"""Who is chosen, and when devices change version: the kernels against plain Python (docs/model.md
sections 3 to 5).
"""

from __future__ import annotations

from math import floor, log, log1p

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.kernels import upgrades
from sim.kernels.draws import threshold
from sim.kernels.ledgers import hub_hears
from tests.oracles import philox

KEY, OTHER = 0x1357_9BDF_0246_8ACE, 987_654_321
PLACE = 21
NUMBERS = st.sets(st.integers(0, 60), min_size=1).map(sorted)
SHARES = st.sampled_from([0.0, 0.02, 0.5, 0.98, 1.0])
NEVER = 2**31 - 1


def gap(word: int, rate: float) -> int:
    """Return a gap in whole seconds of a clock that strikes in any second with chance *rate*."""
    return 1 + floor(log((word + 0.5) / 2**32) / log1p(-rate))


def indices(numbers: list[int]) -> np.ndarray:
    """Return premises numbers as the kernels take them."""
    return np.array(numbers, np.uint32)


@given(numbers=NUMBERS, occasion=st.integers(0, 9), share=SHARES)
def test_a_share_happens_by_its_word(numbers, occasion, share):
    """Word below threshold."""
    out = np.empty(len(numbers), np.bool_)

    upgrades.happens(
        np.uint64(KEY), PLACE, indices(numbers), occasion, np.uint64(threshold(share)), out
    )

    assert out.tolist() == [
        philox.word(KEY, PLACE, number, occasion) < threshold(share) for number in numbers
    ]


@given(n=st.integers(0, 70), more=st.integers(0, 9), share=SHARES)
def test_a_larger_estate_chooses_the_same_and_more(n, more, share):
    """One more premises moves nobody."""
    small, large = (
        upgrades.chosen(np.uint64(KEY), PLACE, size, np.uint64(threshold(share))).tolist()
        for size in (n, n + more)
    )

    assert small == [
        number for number in range(n) if philox.word(KEY, PLACE, number, 0) < threshold(share)
    ]
    assert [number for number in large if number < n] == small


@given(numbers=NUMBERS, shares=st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_users_are_shared_out(numbers, shares):
    """The first whose cumulative share exceeds the word; the last takes the rest."""
    edges = [threshold(sum(shares[: k + 1]) / sum(shares)) for k in range(len(shares) - 1)]

    found = upgrades.shares_out(np.uint64(KEY), PLACE, indices(numbers), np.array(edges, np.uint64))

    words = [philox.word(KEY, PLACE, number, 0) for number in numbers]
    assert found.tolist() == [
        next((k for k, edge in enumerate(edges) if word < edge), len(edges)) for word in words
    ]


@given(
    numbers=NUMBERS,
    rate=st.sampled_from([1 / 10, 1 / 3600, 4 / 31_536_000]),
    start=st.integers(0, 1000),
    room=st.integers(1, 10_000),
    data=st.data(),
)
def test_first_changes_are_one_gap_after_the_start(numbers, rate, start, room, data):
    """Of those who take part; a change that the next release would overtake never comes."""
    takes_part = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(numbers), max_size=len(numbers)))
    )
    due = np.full(len(numbers), -5, np.int32)

    upgrades.schedule(
        np.uint64(KEY), PLACE, indices(numbers), takes_part, 3, rate, start, start + room, due
    )

    when = [start + gap(philox.word(KEY, PLACE, number, 3), rate) for number in numbers]
    assert due.tolist() == [
        (at if at < start + room else NEVER) if part else -5
        for at, part in zip(when, takes_part, strict=True)
    ]


@given(
    numbers=NUMBERS,
    rate=st.sampled_from([1 / 3, 1 / 40, 1 / 5000]),
    stops=st.sets(st.integers(1, 299), max_size=6).map(lambda s: sorted({*s, 300})),
    data=st.data(),
)
def test_poisson_changes_follow_one_another(numbers, rate, stops, data):
    """The gap before change n is drawn at occasion n; taken in any intervals, every change comes
    once, in order, one version up.
    """
    idle = data.draw(st.sets(st.sampled_from(numbers)))
    due = np.array(
        [NEVER if n in idle else gap(philox.word(KEY, PLACE, n, 0), rate) for n in numbers],
        np.int32,
    )
    version, found = np.zeros(len(numbers), np.uint16), []
    for stop in stops:
        part = upgrades.changes_due(
            np.uint64(KEY), PLACE, indices(numbers), version, due, stop, rate, 0
        )
        assert list(zip(part[0], part[1], strict=True)) == sorted(
            zip(part[0], part[1], strict=True)
        )
        found += zip(*(column.tolist() for column in part), strict=True)
        for row, _, new in zip(*part, strict=True):
            version[row] = new  # as the ledgers do when they have walked past it

    expected = []
    for row, number in enumerate(numbers):
        at, n = 0, 0
        while (
            number not in idle and (at := at + gap(philox.word(KEY, PLACE, number, n), rate)) < 300
        ):
            n += 1
            expected.append((row, at, n))
    assert sorted(found) == sorted(expected)


@given(
    due=st.lists(st.one_of(st.integers(0, 99), st.just(NEVER)), min_size=1, max_size=20),
    until=st.integers(0, 120),
    release=st.integers(1, 900),
)
def test_a_release_is_installed_once(due, until, release):
    """Each device that installs before the interval's end jumps to that release and then rests."""
    column = np.array(due, np.int32)

    row, second, new = upgrades.changes_due(
        np.uint64(KEY),
        PLACE,
        np.arange(len(due), dtype=np.uint32),
        np.zeros(len(due), np.uint16),
        column,
        until,
        1.0,
        release,
    )

    assert list(zip(row.tolist(), second.tolist(), strict=True)) == [
        (i, at) for i, at in enumerate(due) if at < until
    ]
    assert set(new.tolist()) <= {release}
    assert column.tolist() == [NEVER if at < until else at for at in due]


@given(
    changes=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2**30)), max_size=30).map(sorted),
    share=SHARES,
)
def test_a_hub_hears_what_its_word_lets_it(changes, share):
    """Each change by itself, at the second it happens."""
    numbers = [0, 1, 2, 3, 17, 40]
    row, second = (np.array([change[k] for change in changes], np.int32) for k in (0, 1))

    heard = hub_hears(
        np.uint64(KEY), PLACE, indices(numbers), row, second, np.uint64(threshold(share))
    )

    assert heard.tolist() == [
        not philox.word(KEY, PLACE, numbers[r], c) < threshold(share) for r, c in changes
    ]
