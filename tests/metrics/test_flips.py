"""Boxes against decisions whose boundary is known."""

from __future__ import annotations

import numpy as np
import pytest

from sim.metrics.flips import decide
from sim.scenario.samples import unit_points

NAMES = ("a", "b", "c", "d")


def points(n, seed=1, design="latin_hypercube"):
    return np.array(
        [[point[name] for name in NAMES] for point in unit_points(design, NAMES, n, seed)]
    )


def contest(x, gain, *, noise=0.0, shared=5.0, replications=4, seed=1):
    """Return the metric of `plain` and of `rival`, which is better by *gain*, with luck *shared* by
    both and *noise* of each.
    """
    luck = np.random.default_rng(seed)
    common = shared * luck.normal(size=(1, replications))
    plain, rival = (common + noise * luck.normal(size=(len(x), replications)) for _ in range(2))
    return {"plain": plain, "rival": rival + gain[:, None]}


@pytest.mark.parametrize("noise", [0.0, 0.15])
def test_a_linear_ranking_flips_at_its_boundary(noise):
    """The rival is better by a − 0.7: one end, at 0.7, within its interval; nothing else is named.
    """
    x = points(256)
    found = decide(
        x, contest(x, x[:, 0] - 0.7, noise=noise), prefer="high", zone=0.0, address="test"
    )

    assert found.prefer == "plain"
    assert found.share == pytest.approx(0.7, abs=0.06)
    box = found.boxes[0]
    assert (box.rival, [(end.number, end.above) for end in box.ends]) == ("rival", [(0, True)])
    assert box.ends[0].interval[0] <= 0.7 <= box.ends[0].interval[1]
    assert box.coverage_interval[0] <= box.coverage <= box.coverage_interval[1]
    assert box.density_interval[0] <= box.density <= box.density_interval[1]
    assert min(box.coverage, box.density) > (0.99 if noise == 0 else 0.7)


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_ends_cover_the_truth_as_often_as_they_claim(noise):
    """A corner, a above 0.6 and b below 0.4: of 2 × 60 ends at least 93 % within their interval,
    and no third assumption.
    """
    hits = []
    for seed in range(60):
        x = points(200, seed)
        gain = np.where((x[:, 0] > 0.6) & (x[:, 1] < 0.4), 0.3, -0.3)
        box = decide(
            x,
            contest(x, gain, noise=noise, seed=seed),
            prefer="high",
            zone=0.0,
            address=f"test/{seed}",
        ).boxes[0]
        assert [(end.number, end.above) for end in box.ends] == [(0, True), (1, False)]
        hits += [
            end.interval[0] <= truth <= end.interval[1]
            for end, truth in zip(box.ends, (0.6, 0.4), strict=True)
        ]

    assert np.mean(hits) >= 0.93


def test_two_corners_are_two_boxes():
    """Each is found among what the first left; the shares are of all the worlds in which the rival
    is better.
    """
    x = points(400)
    gain = np.where((x[:, 0] > 0.75) | ((x[:, 1] < 0.15) & (x[:, 0] < 0.5)), 1.0, -1.0)
    found = decide(x, contest(x, gain), prefer="high", zone=0.0, address="test")

    assert len(found.boxes) == 2
    assert sum(box.coverage for box in found.boxes) > 0.95
    assert {(end.number, end.above) for end in found.boxes[1].ends} >= {(1, False)}


def test_low_may_be_better_and_differences_that_do_not_matter_flip_nothing():
    """The same contest with costs for gains; a zone wider than any difference leaves the decision
    as it is.
    """
    x = points(128)
    costs = contest(x, 0.7 - x[:, 0])
    assert [
        end.above for end in decide(x, costs, prefer="low", zone=0.0, address="test").boxes[0].ends
    ] == [True]

    flat = decide(x, costs, prefer="low", zone=1.0, address="test")
    assert (flat.share, flat.boxes, flat.wins) == (1.0, (), {})


def test_a_rival_that_wins_everywhere_or_nowhere_has_no_box():
    """Wins strewn at random are counted, and not dressed up as a region."""
    x = points(256)
    strewn = np.where(np.random.default_rng(4).random(256) < 0.15, 1.0, -1.0)
    found = decide(x, contest(x, strewn), prefer="high", zone=0.0, address="test")

    assert found.prefer == "plain"
    assert found.boxes == ()
    assert found.wins == {"rival": int((strewn > 0).sum())}


def test_each_rival_has_its_own_region():
    """Three options, each best somewhere."""
    x = points(300)
    y = {
        "one": np.full((300, 3), 0.5),
        "two": np.repeat(x[:, :1] * 2 - 1, 3, axis=1),
        "three": np.repeat(1 - x[:, :1] * 4, 3, axis=1),
    }
    found = decide(x, y, prefer="high", zone=0.0, address="test")

    assert found.prefer == "one"
    ends = {box.rival: box.ends[0] for box in found.boxes}
    assert (ends["two"].above, ends["three"].above) == (True, False)
    assert (ends["two"].at, ends["three"].at) == pytest.approx((0.75, 0.125), abs=0.02)


def test_the_same_sample_gives_the_same_boxes():
    x = points(128)
    once, again = (
        decide(x, contest(x, x[:, 0] - 0.7, noise=0.2), prefer="high", zone=0.0, address="test")
        for _ in range(2)
    )
    assert once == again


def test_one_option_is_no_decision():
    with pytest.raises(ValueError, match="two options or more"):
        decide(points(8), {"only": np.zeros((8, 2))}, prefer="low", zone=0.0, address="test")
