"""Which version a device may step to (MP231), and the shortest way to a goal over what is on the
CPL (S1-09; `docs/firmware.md` sections 1 and 6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.planning.releases import is_listed
from sim.words import VARIANT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.planning.releases import Image
    from sim.scenario.firmware import Model


def permitted(model: Model, running: int, version: int) -> bool:
    """Return whether a device of *model* that runs *running* (maybe an unlisted variant) accepts
    *version*.
    """
    base = running % VARIANT
    if base == version or (version < base and model.downgrades == "refused"):
        return False
    return version not in model.permitted or base in model.permitted[version]


def hops(model: Model, images_of_model: Iterable[Image], goal: int, second: int) -> list[int]:
    """Return, for each base version 0 … *goal* - 1, the first step of the shortest path to *goal*
    over versions on the CPL at *second*.

    0 where there is no path; of paths with as few steps, the one whose first step is the highest.
    Found backwards from the goal, a step at a time: each pair of versions is looked at once.
    """
    listed = {image.version for image in images_of_model if is_listed(image, second)}
    first = [0] * goal
    frontier, far = [goal] if goal in listed else [], listed - {goal}
    while frontier:
        steps = {
            start: step
            for step in sorted(frontier)
            for start in {*range(goal), *far}
            if permitted(model, start, step)
        }
        for start, step in steps.items():
            if start < goal and not first[start]:
                first[start] = step
        frontier = [start for start in steps if start in far]
        far -= set(frontier)
    return first
