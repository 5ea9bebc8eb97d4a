"""Which choices are worth having: the Pareto frontier of what a choice costs and what it leaves
wrong.
"""

from __future__ import annotations

from collections.abc import Mapping

Point = tuple[float, float]


def dominates(point: Point, other: Point) -> bool:
    """Whether *point* (cost, wrong) is no dearer and no more wrong than *other*, and less of one.
    """
    return point[0] <= other[0] and point[1] <= other[1] and point != other


def frontier(points: Mapping[str, Point]) -> tuple[str, ...]:
    """Return the names of the points that no other dominates, the cheapest first; of points that
    coincide, all.
    """
    kept = [
        name
        for name, point in points.items()
        if not any(dominates(other, point) for other in points.values())
    ]
    return tuple(sorted(kept, key=lambda name: points[name]))


def dominators(points: Mapping[str, Point]) -> dict[str, str]:
    """Return for each dominated point the cheapest point of the frontier that dominates it."""
    best = frontier(points)
    return {
        name: next(other for other in best if dominates(points[other], point))
        for name, point in points.items()
        if name not in best
    }
