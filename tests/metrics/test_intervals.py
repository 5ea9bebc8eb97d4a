"""Each kind's interval against scipy's own, and what is said beside it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sim.metrics import METRICS, Kind
from sim.metrics.intervals import BOOTSTRAP_FROM, TRUSTED_FROM, bounds, resamples, warnings, wilson


def test_every_metric_declares_its_kind():
    """Beside its definition: an interval that nobody chose would be warned of for ever."""
    assert [name for name, metric in METRICS.items() if metric.kind is Kind.UNKNOWN] == []
    peaks = [
        name for name in METRICS if name.endswith(("_peak", "_p99", "_p95", "_p90", "_max", "_p50"))
    ]
    assert peaks
    assert all(METRICS[name].kind is Kind.SKEWED for name in peaks)


@pytest.mark.parametrize("n", [10, 25, 60])
def test_bca_is_scipys(n):
    """Efron's interval of the mean, at the confidence that the widening for few replications
    amounts to.
    """
    values = np.random.default_rng(n).lognormal(0, 1, (3, n))
    z = np.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1)
    low, high = bounds(values, Kind.SKEWED)

    for row, *ends in zip(values, low, high, strict=True):
        theirs = stats.bootstrap(
            (row,),
            np.mean,
            confidence_level=2 * stats.norm.cdf(z) - 1,
            n_resamples=40_000,
            method="BCa",
            rng=1,
        ).confidence_interval
        assert ends == pytest.approx([theirs.low, theirs.high], abs=0.2 * row.std() / np.sqrt(n))


def test_wilson_is_scipys():
    """With the correction for continuity; nought and all included."""
    for n, hits in ((10, 0), (10, 10), (10, 3), (200, 1), (3, 2)):
        theirs = stats.binomtest(hits, n).proportion_ci(0.95, "wilsoncc")
        assert [float(end) for end in wilson(hits, n)] == pytest.approx([theirs.low, theirs.high])
    answers = np.array([[1.0] * 3 + [0.0] * 7])
    assert [float(end[0]) for end in bounds(answers, Kind.SHARE)] == pytest.approx(
        [float(end) for end in wilson(3, 10)]
    )


def test_few_replications_of_a_skewed_quantity_fall_back_on_t():
    """Resampled means of a handful cannot reach beyond the handful."""
    values = np.random.default_rng(1).exponential(1, (2, BOOTSTRAP_FROM - 1))
    assert all(
        np.array_equal(mine, theirs)
        for mine, theirs in zip(
            bounds(values, Kind.SKEWED), bounds(values, Kind.UNKNOWN), strict=True
        )
    )
    assert [Kind.SKEWED.method(n) for n in (BOOTSTRAP_FROM - 1, BOOTSTRAP_FROM)] == ["t", "BCa"]


def test_what_is_known_to_be_doubtful_is_said():
    """One replication, few of what may be skewed, equal values, values that look skewed; of the
    rest nothing.
    """
    luck = np.random.default_rng(2)
    normal, skewed = luck.normal(size=(1, TRUSTED_FROM)), luck.lognormal(0, 1.5, (1, TRUSTED_FROM))
    equal = np.full((1, 20), 0.1 + 0.2)

    assert warnings(np.ones((1, 1)), Kind.SHARE) == ["one replication: no interval"]
    assert warnings(normal[:, :20], Kind.SKEWED) == [
        "20 replications of a skewed quantity: covers less than 95 %"
    ]
    assert warnings(normal[:, :20], Kind.UNKNOWN) == [
        "20 replications of a quantity of unknown law: covers less than 95 %"
    ]
    assert warnings(equal, Kind.MEAN) == ["all values equal: ± 0 is not certainty"]
    assert warnings(equal * (1 + 1e-14 * luck.random((1, 20))), Kind.MEAN) == [
        "all values equal: ± 0 is not certainty"
    ]
    assert [warnings(skewed, kind) for kind in (Kind.MEAN, Kind.SKEWED, Kind.UNKNOWN)] == [
        ["skewed values: covers less than 95 %"]
    ] * 3
    assert [warnings(normal, kind) for kind in Kind] == [[""]] * 4
    assert warnings(normal[:, :2], Kind.MEAN) == warnings(np.zeros((1, 5)), Kind.SHARE) == [""]


def test_equal_values_have_an_interval_of_no_width():
    """Without a warning from below, whatever the kind."""
    for kind in (Kind.MEAN, Kind.SKEWED, Kind.UNKNOWN):
        assert [float(end[0]) for end in bounds(np.full((1, 12), 0.1), kind)] == [0.1, 0.1]


def test_resampling_has_an_address():
    """The same numbers for the same address, others for another; each as likely."""
    drawn = resamples("here", 7, 20_000)
    assert np.array_equal(drawn, resamples("here", 7, 20_000))
    assert not np.array_equal(drawn, resamples("there", 7, 20_000))
    assert stats.chisquare(np.bincount(drawn.ravel(), minlength=7)).pvalue > 1e-4
