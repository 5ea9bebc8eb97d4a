"""A quantile found in bands: rows of one band, as of several device types, are one band."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.metrics.load import in_bands

COUNTS = st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 1000)), min_size=1, max_size=6)


def rows(counts, split):
    """Return bands of an hour; with *split*, each as the two rows of two device types."""
    parts = [(i, n) for i, (a, b) in enumerate(counts) for n in ((a, b) if split else (a + b,))]
    low = np.array([3600 * i for i, _ in parts])
    return {"low_s": low, "high_s": low + 3600, "n": np.array([n for _, n in parts])}


@given(COUNTS, st.floats(0.001, 1))
def test_it_does_not_matter_over_how_many_rows_a_band_is_spread(counts, share):
    target = share * sum(a + b for a, b in counts)
    whole, split = (in_bands(rows(counts, each), "n", target) for each in (False, True))
    assert split == pytest.approx(whole)


@given(COUNTS)
def test_a_higher_share_is_never_reached_sooner(counts):
    total = sum(a + b for a, b in counts)
    found = [in_bands(rows(counts, True), "n", share * total) for share in np.linspace(0.01, 1, 50)]
    assert found == sorted(found)


def test_half_of_two_types_in_one_band_is_its_middle():
    """Not the end of the first type's row."""
    assert in_bands(rows([(30, 10)], True), "n", 20) == 1800
