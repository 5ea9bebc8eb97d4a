"""Points of the unit cube: even, addressed, and in the order that Sobol' indices need."""

from __future__ import annotations

import pytest

from sim.scenario.samples import unit_points

KNOWN = {
    "latin_hypercube": [0.682525, 0.281811, 0.973657, 0.160607],
    "sobol": [0.206275, 0.712753, 0.762586, 0.255863],
}


def column(points, name):
    return [point[name] for point in points]


def test_a_latin_hypercube_has_one_point_in_every_stratum():
    points = unit_points("latin_hypercube", ["a", "b", "c"], 50, 7)
    for name in "abc":
        assert sorted(int(u * 50) for u in column(points, name)) == list(range(50))
    assert column(points, "a") != column(points, "b")


def test_a_factor_keeps_its_points_whatever_stands_beside_it():
    alone = unit_points("latin_hypercube", ["b"], 20, 7)
    beside = unit_points("latin_hypercube", ["c", "b", "a"], 20, 7)
    assert column(alone, "b") == column(beside, "b")
    assert unit_points("sobol", ["a", "b"], 16, 7) == unit_points("sobol", ["b", "a"], 16, 7)


@pytest.mark.parametrize("design", ["latin_hypercube", "sobol", "saltelli"])
def test_points_follow_from_the_seed(design):
    once, again, other = (unit_points(design, ["a", "b"], 8, seed) for seed in (7, 7, 8))
    assert once == again != other


def test_a_known_design_does_not_move():
    """The addresses are an interface: a change of these numbers is a change of every sampled
    experiment.
    """
    assert [round(u, 6) for u in column(unit_points("latin_hypercube", ["a"], 4, 1), "a")] == KNOWN[
        "latin_hypercube"
    ]
    assert [round(u, 6) for u in column(unit_points("sobol", ["a"], 4, 1), "a")] == KNOWN["sobol"]


def test_sobol_points_fill_every_half_evenly():
    """In each dimension, and in each pair of halves of two, as many points as in the others."""
    points = unit_points("sobol", ["a", "b"], 64, 3)
    assert sorted(int(64 * u) for u in column(points, "a")) == list(range(64))
    assert sum(point["a"] < 0.5 and point["b"] < 0.5 for point in points) == 16


def test_saltelli_rows_change_one_factor_at_a_time():
    """A, then A with each factor in turn from B, then B."""
    names = ["z", "a", "m"]
    points = unit_points("saltelli", names, 4, 9)
    assert len(points) == 4 * (3 + 2)
    for first in range(0, len(points), 5):
        a, *swapped, b = points[first : first + 5]
        assert all(a[name] != b[name] for name in names)
        assert swapped == [a | {name: b[name]} for name in names]
