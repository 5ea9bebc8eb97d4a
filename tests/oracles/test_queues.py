"""Slots, orders and bins: the kernels of the network and the recorder against plain Python (docs/model.md section 7)."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.kernels import counting, queues
from sim.kernels.draws import poisson_cdf_thresholds
from sim.network.flows import RUN, UNIT, by_slot_and_rank, joined, runs_of, units_of
from tests.oracles import philox

KEY = 0xABCD_EF01_2345_6789


@given(
    rate=st.fractions(min_value=0, max_value=10**9, max_denominator=31_536_000), start=st.integers(0, 60 * 31_536_000), n=st.integers(0, 200),
    split=st.integers(0, 200),
)
def test_capacity_is_exact_for_sixty_years(rate, start, n, split):
    """floor((s+1) r) − floor(s r) with exact fractions; two stretches of slots are one."""
    split = min(split, n)
    allowed = queues.allowance(rate.numerator, rate.denominator, start, start + n).tolist()

    assert allowed == [floor((s + 1) * rate) - floor(s * rate) for s in range(start, start + n)]
    assert sum(allowed) == floor((start + n) * rate) - floor(start * rate)
    assert queues.allowance(rate.numerator, rate.denominator, start, start + split).tolist() == allowed[:split]


@given(
    arrivals=st.lists(st.integers(0, 9), min_size=1, max_size=50), rate=st.fractions(min_value=Fraction(1, 9), max_value=9, max_denominator=9),
    waiting=st.integers(0, 20),
)
def test_busy_slots_are_those_with_somebody_left_over_or_before(arrivals, rate, waiting):
    """Everywhere else all who come are served as they come."""
    allowed = queues.allowance(rate.numerator, rate.denominator, 0, len(arrivals))

    busy = queues.busy_slots(np.array(arrivals, np.int64), allowed, waiting)

    expected, backlog = [], waiting
    for come, room in zip(arrivals, allowed.tolist(), strict=True):
        expected.append(backlog > 0 or come > room)
        backlog = max(0, backlog + come - room)
    assert busy.tolist() == expected


@given(groups=st.lists(st.integers(0, 40), max_size=12))
def test_anonymous_ranks_are_evenly_spread(groups):
    """The k-th of n has rank ((2k + 1) 2^31) // n: the middle of its n-th of the slot."""
    ranks = queues.spread_ranks(np.array(groups, np.int64)).tolist()

    assert ranks == [(2 * k + 1) * 2**31 // n for n in groups for k in range(n)]


@given(senders=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)), max_size=30))
def test_named_ranks_are_drawn(senders):
    """By place, premises number and the second left."""
    place, index, leave = (np.array([sender[k] for sender in senders], kind) for k, kind in enumerate((np.int64, np.uint32, np.int32)))

    assert queues.message_ranks(np.uint64(KEY), place, index, leave).tolist() == [philox.word(KEY, p, i, second) for p, i, second in senders]


@given(
    units=st.lists(st.tuples(st.integers(100, 119), st.integers(0, 6), st.one_of(st.integers(0, 3), st.integers(0, 2**32 - 1))), max_size=60),
)
def test_units_stand_in_order_of_slot_departure_and_rank(units):
    """Whoever arrives first, then whoever left first, then by rank; equals stay in the order given."""
    table = np.zeros(len(units), UNIT)
    table["slot"], table["origin"] = [u[0] for u in units], [u[1] for u in units]

    order = by_slot_and_rank(table, np.array([u[2] for u in units], np.uint32))

    assert order.tolist() == sorted(range(len(units)), key=lambda i: (*units[i], i))


@given(leave=st.lists(st.integers(50, 99), max_size=40), busy=st.lists(st.booleans(), min_size=45, max_size=45), data=st.data())
def test_members_of_busy_slots_are_named_once(leave, busy, data):
    """Those already named, or beyond the slots, are left alone."""
    named = data.draw(st.lists(st.booleans(), min_size=len(leave), max_size=len(leave)))
    explicit = np.array(named, np.bool_)

    found = queues.members(np.array(leave, np.int32), 50, np.array(busy, np.bool_), explicit)

    expected = [i for i, at in enumerate(leave) if at - 50 < 45 and busy[at - 50] and not named[i]]
    assert found.tolist() == expected
    assert np.flatnonzero(explicit).tolist() == sorted({*expected, *(i for i, already in enumerate(named) if already)})


@given(
    messages=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 29), st.booleans()), max_size=40),
    users=st.lists(st.integers(0, 2), min_size=10, max_size=10),
)
def test_messages_are_counted_by_the_user_responsible(messages, users):
    """Each that has no name of its own yet, at its second."""
    row, leave, explicit = (np.array([m[k] for m in messages], kind) for k, kind in enumerate((np.int32, np.int32, np.bool_)))
    counts = np.zeros((3, 25), np.int32)

    queues.count_by_server(leave, 0, np.array(users, np.uint8), row, explicit, counts)

    expected = Counter((users[r], second) for r, second, named in messages if not named and second < 25)
    assert {(u, s): counts[u, s] for u, s in zip(*np.nonzero(counts), strict=True)} == expected


RUNS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 5), st.integers(5, 9), st.integers(1, 4)), max_size=20)


@given(runs=RUNS)
def test_runs_and_units_are_two_ways_to_write_the_same(runs):
    """Units of runs, counted again, are the runs by slot, region, kind and origin."""
    table = np.array(runs, RUN) if runs else np.zeros(0, RUN)

    units = units_of(table)
    again = runs_of(units, units["slot"])

    expected = Counter[tuple[int, ...]]()
    for region, kind, origin, slot, n in runs:
        expected[slot, region, kind, origin] += n
    columns = (again[name].tolist() for name in ("slot", "region", "kind", "origin", "n"))
    assert list(zip(*columns, strict=True)) == [(*key, n) for key, n in sorted(expected.items())]
    assert len(units) == sum(n for *_, n in runs)
    assert joined(units, units).tolist() == [*units.tolist(), *units.tolist()]


@pytest.mark.parametrize(("k", "n_bins"), [(1, 120), (5, 24), (60, 2), (7, 17)])
@given(counts=st.lists(st.integers(0, 5), min_size=120, max_size=120))
def test_the_largest_bin_is_the_first_of_the_largest(k, n_bins, counts):
    """Bins start at multiples of k; nothing arriving gives −1."""
    n, at = np.zeros(1, np.int64), np.zeros(1, np.int64)

    counting.largest_bins(np.array(counts, np.int32), k, n_bins, n, at)

    sums = [sum(counts[b * k : (b + 1) * k]) for b in range(n_bins)]
    assert (n[0], at[0]) == ((max(sums), sums.index(max(sums)) * k) if any(sums) else (0, -1))


@given(
    start=st.integers(0, 10**6), n=st.integers(0, 60), region=st.integers(0, 5),
    means=st.lists(st.sampled_from([0.0, 0.02, 3.0, 80.0]), min_size=24, max_size=24),
)
def test_existing_load_is_inverted_second_by_second(start, n, region, means):
    """Each second's word in the table of its hour: the smallest count whose cumulative probability exceeds it."""
    tables = [poisson_cdf_thresholds(mean) for mean in means]
    out = np.full(n, -1, np.int32)

    counting.poisson_arrivals(np.uint64(KEY), region, start, start + n, np.concatenate(tables), np.cumsum([0, *map(len, tables)]), out)

    words = [(philox.word(KEY, region, second, 0), tables[second // 3600 % 24].tolist()) for second in range(start, start + n)]
    assert out.tolist() == [bisect_right(table, word) for word, table in words]
