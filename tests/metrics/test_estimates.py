"""Intervals and paired differences against scipy's own."""

from __future__ import annotations

from math import inf, isnan, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sim.metrics import Kind, estimate, paired_difference

numbers = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
samples = st.integers(2, 40).flatmap(
    lambda n: st.tuples(
        st.lists(numbers, min_size=n, max_size=n), st.lists(numbers, min_size=n, max_size=n)
    )
)


@given(samples)
def test_the_interval_is_the_t_interval(pair):
    """Mean ± t · s / √n, as scipy computes it."""
    values, _ = pair
    found = estimate(values, "s")
    error = stats.sem(values)

    assert found.value == pytest.approx(sum(values) / len(values))
    # The last digit of a double is what scipy's and our quantile differ by: of 8 million, 2e-9.
    half_width = float(stats.t.ppf(0.975, len(values) - 1) * error)
    assert found.half_width == pytest.approx(half_width, rel=1e-14, abs=1e-9)
    assert (found.n, found.unit) == (len(values), "s")
    assert found.low == found.value - found.half_width
    assert found.high == found.value + found.half_width


@given(samples)
def test_the_paired_difference_is_scipys(pair):
    """The paired t test's interval, and Welch's beside it."""
    values, others = pair
    found = paired_difference(values, others, "s")
    differences = [a - b for a, b in zip(values, others, strict=True)]

    assert found.value == pytest.approx(sum(differences) / len(differences))
    half_width = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(differences))
    assert found.half_width == pytest.approx(half_width, rel=1e-14, abs=1e-9)
    if all(stats.sem(sample) > 1e-3 for sample in pair):
        welch = stats.ttest_ind(values, others, equal_var=False).confidence_interval(0.95)
        assert found.unpaired_half_width == pytest.approx(
            (welch.high - welch.low) / 2, rel=1e-6, abs=1e-9
        )


def test_pairing_takes_the_shared_luck_out():
    """Cells that differ by a constant differ without error, however much they vary."""
    found = paired_difference([1.0, 5.0, 9.0], [0.0, 4.0, 8.0], "s")

    assert (found.value, found.half_width) == (1.0, 0.0)
    assert found.unpaired_half_width == pytest.approx(
        float(stats.t.ppf(0.975, 4)) * sqrt(2 * 16 / 3)
    )


def test_one_replication_has_no_interval_and_says_so():
    """The half-width is not a number, and the text explains."""
    found = estimate([3.0], "d")

    assert isnan(found.half_width)
    assert found.warning == "one replication: no interval"
    assert str(found) == "3 d (no interval) (n = 1)"
    assert isnan(paired_difference([3.0], [1.0], "d").unpaired_half_width)


def test_equal_values_have_no_error_and_say_so():
    found = estimate([2.0, 2.0, 2.0], "", Kind.MEAN)
    assert found.half_width == 0
    assert found.warning == "all values equal: ± 0 is not certainty"
    assert paired_difference([2.0, 2.0], [2.0, 2.0], "").unpaired_half_width == 0


def test_no_interval_leaves_the_range_of_its_unit():
    """Cut at its ends; the value and what is within stay."""
    found = estimate([0.0, 0.004], "share", Kind.MEAN, (0, 1))
    assert (found.low, found.value) == (0, 0.002)
    assert found.half_width == pytest.approx(found.high / 2)
    apart = paired_difference([0.9, 1.0], [0.0, 0.1], "share", Kind.MEAN, (0, 1))
    assert (apart.low, apart.high) == (0.9, 0.9)
    assert paired_difference([0.1, 1.0], [0.9, 0.1], "share", Kind.MEAN, (0, 1)).low == -1


def test_what_was_never_reached_has_no_interval_and_no_difference():
    """One infinite value makes the mean infinite; nobody is left out to make it finite."""
    found = estimate([1.0, inf, 3.0], "s")
    assert (found.value, found.caution) == (inf, "not reached in 1 of 3 replications")
    assert isnan(found.half_width)
    with pytest.raises(ValueError, match="never reached"):
        paired_difference([1.0, inf], [1.0, 2.0], "s")


def test_what_cannot_be_estimated_is_refused():
    with pytest.raises(ValueError, match="no replications"):
        estimate([], "s")
    with pytest.raises(ValueError, match="make no pairs"):
        paired_difference([1.0], [1.0, 2.0], "s")
