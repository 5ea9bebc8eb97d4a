"""Addressed luck: published known answers, exact edges, and the laws the draws must follow.

False-alarm budget: seeds are fixed, so nothing here is flaky; each statistical check would fail for
a wrong seed with probability below 1e-6.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from scipy import stats

from sim.kernels.draws import (
    block,
    gap_s,
    poisson_cdf_thresholds,
    poisson_count,
    scaled,
    threshold,
    word,
)
from sim.streams import PREFIXES, STREAMS, stream_key

N = 1_000_000
P_VALUE = 1e-6
WORDS = st.integers(0, 2**32 - 1)


@njit
def _words(key, place, n):
    drawn = np.empty(n, np.uint32)
    for index in range(n):
        drawn[index] = word(key, place, index, 0)
    return drawn


@njit
def _gaps(drawn, rate_per_s):
    gaps = np.empty(len(drawn), np.int64)
    for i in range(len(drawn)):
        gaps[i] = gap_s(drawn[i], rate_per_s)
    return gaps


@njit
def _counts(drawn, thresholds):
    counts = np.empty(len(drawn), np.int64)
    for i in range(len(drawn)):
        counts[i] = poisson_count(drawn[i], thresholds)
    return counts


@njit
def _block(counter, key):
    return block(counter[0], counter[1], counter[2], counter[3], key[0], key[1])


@pytest.fixture(scope="module")
def words() -> np.ndarray:
    """A million words at neighbouring addresses of one stream."""
    return _words(np.uint64(stream_key(20190801, 0, "estate.fitted")), 3, N)


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((2**32 - 1,) * 4, (2**32 - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
    ids=["zeros", "ones", "digits of pi"],
)
def test_published_known_answers(counter, key, answer):
    """The three known answers of the Random123 distribution for philox4x32 with ten rounds."""
    assert tuple(_block(np.array(counter, np.uint32), np.array(key, np.uint32))) == answer


def test_words_are_uniform_and_their_neighbours_independent(words):
    """Top and bottom bits by chi-squared, the whole word by Kolmogorov–Smirnov, neighbours by
    correlation.
    """
    assert stats.chisquare(np.bincount(words >> 20, minlength=4096)).pvalue > P_VALUE
    assert stats.chisquare(np.bincount(words & 4095, minlength=4096)).pvalue > P_VALUE
    assert stats.kstest(words / 2**32, "uniform").pvalue > P_VALUE
    for lag in (1, 2, 3, 4):
        assert abs(np.corrcoef(words[:-lag], words[lag:])[0, 1]) < 5 / math.sqrt(N)


def test_streams_replications_and_places_are_unrelated():
    """Words at the same address under different keys or places do not correlate."""
    n = 100_000
    base = _words(np.uint64(stream_key(1, 0, "local.gap")), 0, n)
    others = [
        _words(np.uint64(stream_key(1, 1, "local.gap")), 0, n),
        _words(np.uint64(stream_key(2, 0, "local.gap")), 0, n),
        _words(np.uint64(stream_key(1, 0, "report.loss")), 0, n),
        _words(np.uint64(stream_key(1, 0, "local.gap")), 1, n),
    ]
    for other in others:
        assert abs(np.corrcoef(base, other)[0, 1]) < 5 / math.sqrt(n)


def test_no_two_streams_share_a_key():
    """Every stream, a hundred replications, three seeds: all keys differ, and so do both halves
    taken together.
    """
    names = [
        *STREAMS,
        *(
            prefix + kind
            for prefix in PREFIXES
            for kind in ("device_alert", "dcc_alert", "on_demand", "future_dated", "scheduled_read")
        ),
    ]
    keys = [
        stream_key(seed, replication, name)
        for seed in (0, 1, 20190801)
        for replication in range(100)
        for name in names
    ]

    assert len(set(keys)) == len(keys)
    assert all(0 <= key < 2**64 for key in keys)


def test_an_unlisted_stream_is_refused():
    """A misspelt stream would be a new source of luck that nobody knows of."""
    with pytest.raises(KeyError, match="report.losses"):
        stream_key(0, 0, "report.losses")


def test_a_key_is_pinned():
    """Keys are an API: this one may change only with the changelog's flag `numbers changed`."""
    assert stream_key(20190801, 0, "estate.fitted") == 0x177A_F810_9D89_1066


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 0), (1.0, 2**32), (0.5, 2**31), (2.0**-32, 1), (0.25, 2**30)]
)
def test_thresholds_are_exact_where_they_can_be(share, expected):
    """Never is never and always is always: no word is below 0, every word is below 2^32."""
    assert threshold(share) == expected


@pytest.mark.parametrize("share", [-1e-9, 1.0 + 1e-9, math.nan, math.inf])
def test_a_share_outside_0_to_1_is_refused(share):
    """Also NaN, which compares false with everything."""
    with pytest.raises(ValueError, match="share"):
        threshold(share)


@given(share=st.floats(0, 1))
def test_a_threshold_is_its_share_to_half_a_word(share):
    """The bias of rounding a share is at most 2^-33."""
    assert abs(threshold(share) - share * 2**32) <= 0.5


@given(drawn=WORDS, n=st.integers(1, 2**31))
def test_scaled_lies_in_its_range_and_keeps_the_place(drawn, n):
    """The same place in [0, n) as the word has in [0, 2^32)."""
    assert scaled(np.uint32(drawn), n) == drawn * n // 2**32
    assert 0 <= scaled(np.uint32(drawn), n) < n


@pytest.mark.parametrize("rate_per_s", [4 / 31_536_000, 1 / 1_209_600, 1 / 60, 0.84])
def test_gaps_have_the_mean_of_their_rate(words, rate_per_s):
    """A stroke in any second with chance λ: the mean gap is 1/λ, and its law by chi-squared on 200
    quantile bands.
    """
    gaps = _gaps(words, rate_per_s)

    assert gaps.min() >= 1
    assert abs(gaps.mean() - 1 / rate_per_s) < 5 / rate_per_s * math.sqrt((1 - rate_per_s) / N)
    law = stats.geom(rate_per_s)
    edges = np.unique(law.ppf(np.linspace(0, 1, 201)[1:-1]))
    bands = np.bincount(np.searchsorted(edges, gaps), minlength=len(edges) + 1)
    expected = np.diff(np.concatenate(([0.0], law.cdf(edges), [1.0]))) * N
    assert stats.chisquare(bands, expected).pvalue > P_VALUE


@pytest.mark.parametrize("rate_per_s", [4 / 31_536_000, 1 / 1_209_600])
def test_long_gaps_pass_kolmogorov_and_smirnov(words, rate_per_s):
    """Where a second is far below the mean, whole seconds are as good as a continuous time."""
    gaps = _gaps(words, rate_per_s)

    assert stats.kstest((gaps - 0.5) * rate_per_s, "expon").pvalue > P_VALUE


@pytest.mark.parametrize("drawn", [0, 2**32 - 1])
def test_the_longest_and_shortest_gap_are_finite(drawn):
    """Half a word is added before the logarithm, so the word 0 is not for ever: at most 33 ln 2
    means.
    """
    rate_per_s = 1 / 86_400

    assert 1 <= gap_s(np.uint32(drawn), rate_per_s) <= 1 + 33 * math.log(2) / rate_per_s


@pytest.mark.parametrize("drawn", [0, 2**31, 2**32 - 1])
def test_the_fastest_clock_strikes_every_second(drawn):
    """At 1 /s, the most there is, every second has a stroke."""
    assert gap_s(np.uint32(drawn), 1.0) == 1


@pytest.mark.parametrize("mean", [1e-6, 0.01, 0.5, 3.0, 200.0, 9_000.0])
def test_poisson_thresholds_are_those_of_scipy(mean):
    """Every threshold is the cumulative distribution to within two words of 2^32, and the last is
    "always".
    """
    thresholds = poisson_cdf_thresholds(mean)

    expected = stats.poisson(mean).cdf(np.arange(len(thresholds))) * 2.0**32
    assert np.abs(thresholds.astype(np.float64) - expected).max() <= 2
    assert thresholds[-1] == 2**32
    assert (np.diff(thresholds.astype(np.int64)) >= 0).all()


@pytest.mark.parametrize("mean", [0.01, 3.0, 200.0, 9_000.0])
def test_poisson_counts_follow_their_law(words, mean):
    """A million counts against the probabilities of scipy, in bands of at least 50 expected counts.
    """
    counts = _counts(words, poisson_cdf_thresholds(mean))

    law = stats.poisson(mean)
    assert abs(counts.mean() - mean) < 5 * math.sqrt(mean / N)
    low, high = int(law.ppf(1e-4)), int(law.ppf(1 - 1e-4))
    observed = np.bincount(np.clip(counts, low, high) - low, minlength=high - low + 1)
    expected = law.pmf(np.arange(low, high + 1)) * N
    expected[0], expected[-1] = law.cdf(low) * N, law.sf(high - 1) * N
    assert stats.chisquare(observed, expected).pvalue > P_VALUE


@pytest.mark.parametrize("mean", [0.0, 0.01, 3.0, 200.0])
def test_a_poisson_count_is_the_number_of_thresholds_at_or_below_the_word(words, mean):
    """The bisection and NumPy's agree, also on the words next to each threshold."""
    thresholds = poisson_cdf_thresholds(mean)
    edges = thresholds[thresholds < 2**32]
    drawn = np.concatenate((words[:10_000], edges, edges - (edges > 0), [0, 2**32 - 1])).astype(
        np.uint32
    )

    assert (
        _counts(drawn, thresholds)
        == np.searchsorted(thresholds, drawn.astype(np.uint64), side="right")
    ).all()


@pytest.mark.parametrize("mean", [-1e-9, math.nan])
def test_a_mean_below_zero_is_refused(mean):
    """A rate can be nothing, never less."""
    with pytest.raises(ValueError, match="mean"):
        poisson_cdf_thresholds(mean)
