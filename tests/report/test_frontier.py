"""Which points are worth having, by hand and by law."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sim.report.frontier import dominates, dominators, frontier


def test_a_frontier_drawn_by_hand():
    """Cheaper and wrong, dearer and right, and what lies behind."""
    points = {
        "nothing": (0, 23.0),
        "change": (1, 0.4),
        "daily": (365, 0.3),
        "slow": (4, 9.0),
        "both": (5, 0.25),
        "dear": (370, 0.25),
    }

    assert frontier(points) == ("nothing", "change", "both")
    assert dominators(points) == {"daily": "both", "slow": "change", "dear": "both"}


def test_as_cheap_but_more_wrong_is_dominated():
    """No more of one and less of the other is enough; the same of both is not."""
    points = {"a": (1, 1), "b": (1, 2), "c": (2, 1), "twin": (1, 1)}

    assert frontier(points) == ("a", "twin")
    assert dominators(points) == {"b": "a", "c": "a"}
    assert not dominates((1, 1), (1, 1))


def test_the_dominator_named_is_the_cheapest():
    """Of several on the frontier that dominate, the one with the fewest messages."""
    assert dominators({"dear": (9, 9), "a": (1, 5), "b": (2, 4), "c": (3, 3)}) == {"dear": "a"}


points = st.dictionaries(
    st.text(max_size=4), st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12
)


@given(points)
def test_every_point_is_on_the_frontier_or_behind_it(points):
    """Nobody dominates the frontier; whoever is not on it has a dominator there."""
    best, behind = frontier(points), dominators(points)

    assert sorted([*best, *behind]) == sorted(points)
    assert not any(dominates(points[a], points[b]) for a in points for b in best)
    assert all(
        dominates(points[winner], points[name]) and winner in best
        for name, winner in behind.items()
    )
    assert [points[name] for name in best] == sorted(points[name] for name in best)
