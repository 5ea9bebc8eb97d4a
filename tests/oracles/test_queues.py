"""Slots, orders and bins: the kernels of the network and the recorder against plain Python
(docs/model.md section 7).
"""

from __future__ import annotations

from bisect import bisect_right
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.kernels import counting, queues
from sim.kernels.draws import poisson_cdf_thresholds
from tests.oracles import philox

KEY = 0xABCD_EF01_2345_6789


@given(
    rate=st.fractions(min_value=0, max_value=10**9, max_denominator=31_536_000),
    start=st.integers(0, 60 * 31_536_000),
    n=st.integers(0, 200),
    split=st.integers(0, 200),
)
def test_capacity_is_exact_for_sixty_years(rate, start, n, split):
    """floor((s+1) r) − floor(s r) with exact fractions; two stretches of slots are one."""
    split = min(split, n)
    allowed = queues.allowance(rate.numerator, rate.denominator, start, start + n).tolist()

    assert allowed == [floor((s + 1) * rate) - floor(s * rate) for s in range(start, start + n)]
    assert sum(allowed) == floor((start + n) * rate) - floor(start * rate)
    assert (
        queues.allowance(rate.numerator, rate.denominator, start, start + split).tolist()
        == allowed[:split]
    )


@pytest.mark.parametrize(("k", "n_bins"), [(1, 120), (5, 24), (60, 2), (7, 17)])
@given(counts=st.lists(st.integers(0, 5), min_size=120, max_size=120))
def test_the_largest_bin_is_the_first_of_the_largest(k, n_bins, counts):
    """Bins start at multiples of k; nothing arriving gives −1."""
    n, at = np.zeros(1, np.int64), np.zeros(1, np.int64)

    counting.largest_bins(np.array(counts, np.int32), k, n_bins, n, at)

    sums = [sum(counts[b * k : (b + 1) * k]) for b in range(n_bins)]
    assert (n[0], at[0]) == ((max(sums), sums.index(max(sums)) * k) if any(sums) else (0, -1))


@given(
    start=st.integers(0, 10**6),
    n=st.integers(0, 60),
    region=st.integers(0, 5),
    means=st.lists(st.sampled_from([0.0, 0.02, 3.0, 80.0]), min_size=24, max_size=24),
)
def test_existing_load_is_inverted_second_by_second(start, n, region, means):
    """Each second's word in the table of its hour: the smallest count whose cumulative probability
    exceeds it.
    """
    tables = [poisson_cdf_thresholds(mean) for mean in means]
    out = np.full(n, -1, np.int32)

    counting.poisson_arrivals(
        np.uint64(KEY), region, start, start + n, counting.guided(tables), out
    )

    words = [
        (philox.word(KEY, region, second, 0), tables[second // 3600 % 24].tolist())
        for second in range(start, start + n)
    ]
    assert out.tolist() == [bisect_right(table, word) for word, table in words]
