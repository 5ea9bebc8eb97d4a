"""Permitted steps and shortest paths, against a search by hand (S1-09)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.planning.paths import hops, permitted
from tests.planning.worlds import image, model

VERSIONS = st.integers(0, 7)


@pytest.mark.parametrize(
    ("running", "version", "downgrades", "accepted"),
    [
        (1, 2, "refused", True),
        (2, 2, "refused", False),
        (2, 1, "refused", False),
        (2, 1, "allowed", True),
        (128 + 1, 2, "refused", True),
        (128 + 2, 2, "allowed", False),
        (1, 3, "refused", False),
        (2, 3, "refused", True),
        (128 + 2, 3, "refused", True),
    ],
)
def test_a_device_accepts_higher_versions_from_permitted_predecessors(
    running, version, downgrades, accepted
):
    """A variant counts as the version it was made of; version 3 may be installed from 2 alone."""
    assert (
        permitted(model(downgrades=downgrades, permitted={3: (2,)}), running, version) is accepted
    )


def test_a_version_named_without_predecessors_is_permitted_from_nowhere():
    assert hops(model(permitted={2: ()}), [image(1), image(2)], 2, 0) == [0, 0]


def test_the_way_round_a_step_that_is_not_permitted():
    steps = model(permitted={4: (2, 3)})

    assert hops(steps, [image(v) for v in (1, 2, 3, 4)], 4, 0) == [
        3,
        3,
        4,
        4,
    ], "of two ways as short, the higher first step"
    assert hops(steps, [image(1), image(2), image(3, listed_s=50), image(4)], 4, 49) == [2, 2, 4, 4]
    assert hops(steps, [image(v) for v in (1, 2, 3)], 4, 0) == [
        0,
        0,
        0,
        0,
    ], "the goal itself is on the list, or there is no path"


def test_a_way_may_lead_over_a_higher_version_where_downgrades_are_allowed():
    assert hops(model(downgrades="allowed", permitted={2: (3,)}), [image(2), image(3)], 2, 0) == [
        3,
        3,
    ]


def _searched(of, listed: set[int], goal: int) -> list[int]:
    """Return the first steps by going through all paths, shortest first, those with higher steps
    first.
    """
    found = []
    for start in range(goal):
        paths = [[step] for step in sorted(listed, reverse=True) if permitted(of, start, step)]
        while paths and not any(path[-1] == goal for path in paths):
            seen = {step for path in paths for step in path}
            paths = [
                [*path, step]
                for path in paths
                for step in sorted(listed - seen, reverse=True)
                if permitted(of, path[-1], step)
            ]
        found.append(next((path[0] for path in paths if path[-1] == goal), 0))
    return found


@given(
    listed=st.sets(st.integers(1, 7)),
    goal=st.integers(1, 7),
    downgrades=st.sampled_from(["refused", "allowed"]),
    predecessors=st.dictionaries(VERSIONS, st.sets(VERSIONS, max_size=4).map(tuple)),
)
def test_hops_are_the_first_steps_of_shortest_paths(listed, goal, downgrades, predecessors):
    of = model(downgrades=downgrades, permitted=predecessors)

    assert hops(of, [image(version) for version in listed], goal, 0) == _searched(of, listed, goal)
