"""Indices and effects against functions whose answers are known: Ishigami's, a straight line, and
luck alone.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from sim.metrics.sensitivity import (
    Sample,
    elementary_effects,
    first_order,
    luck_share,
    sobol,
    tornado,
)
from sim.scenario.samples import unit_points

NAMES = ("x1", "x2", "x3")
# Ishigami and Homma (1990) with a = 7, b = 0.1: variances 0.5 (1 + b π⁴ / 5)², a² / 8, 0 and, of x1
# with x3, b² π⁸ (1/18 − 1/50).
OF_X1 = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2
OF_X2 = 49 / 8
OF_BOTH = 0.01 * np.pi**8 * (1 / 18 - 1 / 50)
ALL = OF_X1 + OF_X2 + OF_BOTH
FIRST = {"x1": OF_X1 / ALL, "x2": OF_X2 / ALL, "x3": 0.0}
TOTAL = {"x1": (OF_X1 + OF_BOTH) / ALL, "x2": OF_X2 / ALL, "x3": OF_BOTH / ALL}


def ishigami(x):
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def straight(x):
    return 3 * x[:, 0] - 2 * x[:, 1]


def sample(
    function, design, n, *, seed=1, replications=4, noise=0.0, shared=0.0, reach=(-np.pi, np.pi)
):
    """Return *function* at *n* points of *design*, with *noise* of each replication of each point
    and luck *shared* by all points of a replication.
    """
    unit = np.array(
        [[point[name] for name in NAMES] for point in unit_points(design, NAMES, n, seed)]
    )
    x = reach[0] + unit * (reach[1] - reach[0])
    luck = np.random.default_rng(seed)
    y = (
        function(x)[:, None]
        + noise * luck.normal(size=(len(x), replications))
        + shared * luck.normal(size=(1, replications))
    )
    return Sample(
        NAMES,
        (False,) * 3,
        x,
        np.full(3, reach[0]),
        np.full(3, reach[1]),
        y,
        design,
        f"test/{seed}",
    )


@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_sobol_indices_of_ishigami_are_within_their_intervals(noise):
    """First order and total, with and without luck; the luck that all points share moves nothing.
    """
    for index in sobol(sample(ishigami, "saltelli", 1024, noise=noise, shared=10.0)):
        truth = (FIRST if index.method == "first order" else TOTAL)[index.name]
        assert index.low <= truth <= index.high, index
        assert index.high - index.low < 0.2


@pytest.mark.parametrize("design", ["latin_hypercube", "sobol"])
@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_first_order_shares_need_no_structure(design, noise):
    """The same shares from a Latin hypercube and from a Sobol' sequence."""
    for index in first_order(sample(ishigami, design, 512, noise=noise)):
        assert index.method == "first order"
        assert index.low <= FIRST[index.name] <= index.high, index
        assert index.high - index.low < 0.2


@pytest.mark.parametrize(
    ("design", "n", "find"),
    [("saltelli", 256, sobol), ("latin_hypercube", 128, first_order), ("sobol", 64, first_order)],
)
def test_intervals_cover_the_truth_as_often_as_they_claim(design, n, find):
    """Of 3 × 60 intervals on Ishigami's function at least 93 %: the luck of the points and of the
    replications is in them.
    """
    hits = [
        index.low <= (FIRST if index.method == "first order" else TOTAL)[index.name] <= index.high
        for seed in range(60) for index in find(sample(ishigami, design, n, seed=seed, noise=1.5))
    ]  # fmt: skip

    assert np.mean(hits) >= 0.93


def test_luck_is_not_taken_for_interaction():
    """Without the correction, luck would stand in every total: here a straight line, whose totals
    are its first orders, at two replications.
    """
    noisy = sample(straight, "saltelli", 1024, noise=2.0, replications=2)
    found = {(index.name, index.method): index for index in sobol(noisy)}

    for name, share in {"x1": 9 / 13, "x2": 4 / 13, "x3": 0.0}.items():
        assert found[name, "total"].low <= share <= found[name, "total"].high
    assert luck_share(noisy) == pytest.approx(2.0 / (13 * (2 * np.pi) ** 2 / 12 + 2.0), rel=0.15)


def test_effects_of_a_straight_line():
    """Each assumption moves the metric by its coefficient times its range; the third by nothing;
    the line explains all but luck.
    """
    found, explained = tornado(
        sample(straight, "latin_hypercube", 200, noise=0.5, reach=(2.0, 12.0))
    )
    effects = {index.name: index for index in found}

    assert [index.name for index in found] == ["x1", "x2", "x3"]
    for name, effect in {"x1": 30.0, "x2": -20.0, "x3": 0.0}.items():
        assert effects[name].low <= effect <= effects[name].high
    assert (effects["x1"].clear, effects["x2"].clear, effects["x3"].clear) == (True, True, False)
    assert explained > 0.99


def test_effects_one_at_a_time_are_paired():
    """The luck that both ends share is not in the interval; what each has is, by t."""
    x = np.array([[5.0, 5.0], [0.0, 5.0], [10.0, 5.0], [5.0, 0.0], [5.0, 10.0]])
    luck = np.random.default_rng(3)
    y = (2 * x[:, 0])[:, None] + 100 * luck.normal(size=(1, 6)) + luck.normal(size=(5, 6))
    found, explained = tornado(
        Sample(
            ("a", "b"), (False, False), x, np.zeros(2), np.full(2, 10.0), y, "one_at_a_time", "test"
        )
    )

    assert found[0].name == "a"
    assert found[0].low <= 20.0 <= found[0].high
    assert found[1].low <= 0.0 <= found[1].high
    assert found[0].high - found[0].low < 10
    assert np.isnan(explained)


def test_elementary_effects_of_a_straight_line_have_no_spread():
    """μ* is the size of the coefficient times the range, σ nought; a wave has more spread than mean
    size.
    """
    exact = {
        (index.name, index.method): index.value
        for index in elementary_effects(sample(straight, "saltelli", 16, replications=1))
    }
    assert [exact[name, "mu*"] for name in NAMES] == pytest.approx([6 * np.pi, 4 * np.pi, 0.0])
    assert [exact[name, "sigma"] for name in NAMES] == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)

    curved = {
        (index.name, index.method): index.value
        for index in elementary_effects(sample(ishigami, "saltelli", 64, replications=1))
    }
    assert curved["x2", "sigma"] > curved["x2", "mu*"]


def test_words_are_bins_and_contrasts():
    """A factor of words: its effect is from the first level to the last, its share that between its
    levels.
    """
    luck = np.random.default_rng(5)
    x = np.stack([np.repeat([0.0, 1.0, 2.0], 60), luck.random(180)], axis=1)
    y = np.array([0.0, 5.0, 1.0])[x[:, 0].astype(int)][:, None] + luck.normal(size=(180, 3)) * 0.1
    found = Sample(
        ("word", "number"),
        (True, False),
        x,
        np.array([0.0, 0.0]),
        np.array([2.0, 1.0]),
        y,
        "grid",
        "test",
    )
    effects, explained = tornado(found)

    assert effects[0].low <= 1.0 <= effects[0].high
    assert explained > 0.99
    assert {index.name: round(index.value, 1) for index in first_order(found)} == {
        "word": 1.0,
        "number": 0.0,
    }


def test_points_out_of_order_are_refused():
    """Indices computed from rows in another order would be wrong without a sign of it."""
    good = sample(ishigami, "saltelli", 8)
    swapped = [1, 0, *range(2, len(good.x))]
    for bad in (
        Sample(
            NAMES,
            good.words,
            good.x[swapped],
            good.low,
            good.high,
            good.y[swapped],
            "saltelli",
            "a",
        ),
        sample(ishigami, "latin_hypercube", 40),
    ):
        for find in (sobol, elementary_effects):
            with pytest.raises(ValueError, match="not those of a saltelli design in its order"):
                find(bad)


def test_a_metric_that_never_moves_has_no_drivers():
    """Nought everywhere, without a warning from below."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flat, plain = (
            sample(lambda x: np.full(len(x), 7.0), design, 16)
            for design in ("saltelli", "latin_hypercube")
        )
        values = [
            index.value
            for index in (
                *sobol(flat),
                *elementary_effects(flat),
                *first_order(plain),
                *tornado(plain)[0],
            )
        ]

    assert values == pytest.approx([0.0] * len(values), abs=1e-12)


def test_the_same_sample_gives_the_same_bytes():
    """Resampling is drawn at the sample's address."""
    once, again = (sobol(sample(ishigami, "saltelli", 64, noise=1.0)) for _ in range(2))
    assert once == again
