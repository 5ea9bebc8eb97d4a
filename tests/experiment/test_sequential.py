"""When replications are enough: the rule, by hand and against scipy, and what no number of them
reaches.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sim.experiment.sequential import Target, half_widths, judge, look_ahead

MEAN = Target("mean", "", 0.05, True, "s")
KEY = ("mean", "all")


def of(values):
    """Return replications with these *values* of one metric; None: none."""
    return [{} if value is None else {KEY: float(value)} for value in values]


def plain_rule(values, width, least, most):
    """Return where Hoad's rule stops, written the slow way with scipy's t interval; None: not
    within *most*.
    """
    precise = [False, False]
    for n in range(2, most + 1):
        x = values[:n]
        precise.append(
            n >= least and stats.t.ppf(0.975, n - 1) * stats.sem(x) <= width * abs(np.mean(x))
        )
    for n in range(1, most + 1):
        after = n + look_ahead(n)
        if after <= most and all(precise[n : after + 1]):
            return after
    return None


def run_to_the_end(values, targets, least, most, jobs=1):
    """Return verdict and replications run, batch by batch, each of at least *jobs*."""
    ran = 0
    while True:
        verdict = judge(of(values[:ran]), targets, least, most)
        if not verdict.more:
            return verdict, ran
        ran += min(max(verdict.more, jobs), most - ran)


@pytest.mark.parametrize("seed", range(30))
def test_it_stops_where_the_plain_rule_does(seed):
    values = np.random.default_rng(seed).normal(10, 2, 200)
    wanted = plain_rule(values, 0.05, 5, 200)
    assert wanted is not None
    verdict, ran = run_to_the_end(values, [MEAN], 5, 200)
    assert (verdict.counted, verdict.shortfall) == (wanted, "")
    assert ran == wanted  # no replication was run that the rule did not ask for


def test_how_many_run_at_once_moves_nothing():
    values = np.random.default_rng(3).normal(10, 2, 300)
    assert (
        len({run_to_the_end(values, [MEAN], 5, 200, jobs)[0].counted for jobs in (1, 2, 7, 16, 64)})
        == 1
    )


def test_what_is_never_reached_is_not_precise_over_the_others():
    """One infinite value and the mean is: no width, no more replications, and it is said."""
    values = [10, 10.1, np.inf, 9.9, 10, 10, 10, 10.1, 9.9, 10, 10, 10]
    verdict, ran = run_to_the_end(values, [MEAN], 3, 12)
    assert ran == verdict.counted == 3
    assert (
        verdict.shortfall == "mean is not reached in 1 of 3 replications, so its mean has no width"
    )


def test_the_look_ahead_grows_beyond_a_hundred():
    assert [look_ahead(n) for n in (3, 100, 119, 120, 1000)] == [5, 5, 5, 6, 50]


def test_running_intervals_are_those_of_scipy():
    values = 1e9 + np.random.default_rng(1).normal(0, 1e-3, 40)
    mean, half = half_widths(values)
    low, high = stats.t.interval(0.95, 39, loc=values.mean(), scale=stats.sem(values))
    assert mean[-1] == pytest.approx(values.mean(), rel=1e-12)
    assert half[-1] == pytest.approx((high - low) / 2, rel=1e-3)
    assert np.isnan(half[0])


def test_all_targets_hold_at_once():
    """The wider metric decides."""
    rng = np.random.default_rng(5)
    narrow, wide = rng.normal(10, 0.1, 400), rng.normal(10, 3, 400)
    both = [{KEY: a, ("other", "all"): b} for a, b in zip(narrow, wide, strict=True)]
    targets = [MEAN, Target("other", "", 0.5, False, "s")]
    first = run_to_the_end(narrow, [MEAN], 5, 400)[0].counted
    ran, verdict = 0, judge([], targets, 5, 400)
    while verdict.more:
        ran += verdict.more
        verdict = judge(both[:ran], targets, 5, 400)
    assert first == 10
    assert verdict.counted > 100
    assert verdict.shortfall == ""


def test_every_group_is_meant_where_there_is_no_whole():
    ppmid = [
        {("share", "ppmid"): 1.0 + 0.001 * (n % 2), ("share", "ihd"): 1.0 + 0.9 * (n % 2)}
        for n in range(12)
    ]
    assert judge(ppmid, [Target("share", "ppmid", 0.05, True, "")], 5, 12).shortfall == ""
    assert "not reached" in judge(ppmid, [Target("share", "", 0.05, True, "")], 5, 12).shortfall


def test_the_most_allowed_is_said_with_how_many_it_would_take():
    verdict, ran = run_to_the_end(np.tile([1.0, 19.0], 20), [MEAN], 5, 40)
    assert (verdict.counted, ran) == (40, 40)
    assert (
        verdict.shortfall
        == "after 40 replications, the most allowed, mean within 5 % of its mean is not reached: it"
        " is 10 ± 2.9, and about 1,360 replications would do"
    )


@pytest.mark.parametrize(
    ("values", "target", "told"),
    [
        (
            [0] * 5,
            MEAN,
            (
                "mean is 0 in all 5 replications, and no part of 0 is a width; ask for a half-width"
                " in its unit instead"
            ),
        ),
        ([None] * 5, MEAN, "mean has no value there"),
        ([-1, 1] * 10, MEAN, "its mean is 0 ± 0.48, and no part of 0 is a width"),
        ([None, None, 1, *[None] * 17], MEAN, "fewer than two replications have a value"),
    ],
)
def test_what_cannot_be_reached_is_stopped_with_a_sentence(values, target, told):
    verdict, _ = run_to_the_end(values, [target], 5, 20)
    assert told in verdict.shortfall


@pytest.mark.parametrize("values", [[0] * 20, [7] * 20])
def test_a_constant_is_as_precise_as_can_be(values):
    verdict, ran = run_to_the_end(values, [Target("mean", "", 0.1, False, "s")], 5, 20)
    assert (verdict.counted, ran, verdict.shortfall) == (10, 10, "")
