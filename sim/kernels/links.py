"""When a premises' link to the network is down, and when what its hub kept leaves (docs/model.md
sections 5 and 10).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.kernels.compiled import njit
from sim.kernels.draws import scaled, word


class Links(NamedTuple):
    """Every stroke of the WAN outages, in order of time.

    *region*, *start*, *stop*, *number* int64, one a stroke: where, in [start, stop), and its number
    in the calendar. *covers* bool, strokes × most cells of a region: whether it takes the cell.
    *spread* seconds of staggered reconnection, drawn under *key*.
    """

    region: NDArray[Any]
    start: NDArray[Any]
    stop: NDArray[Any]
    number: NDArray[Any]
    covers: NDArray[Any]
    spread: int
    key: np.uint64
    premises_per_cell: int


@njit(nogil=True)
def release(links, region, index, t):
    """Return when premises *index* of *region* can first send what it has at second *t*: *t* itself
    while its link is up.
    """
    cell, now = np.int64(index) // links.premises_per_cell, np.int64(t)
    later = now
    while later >= 0:
        now, later = later, np.int64(-1)
        for k in range(len(links.start)):
            if links.start[k] > now:
                break
            if now < links.stop[k] and links.region[k] == region and links.covers[k, cell]:
                back = links.stop[k]
                if links.spread > 0:
                    back += scaled(
                        word(links.key, region * 8, index, links.number[k]), links.spread
                    )
                later = max(later, back)
    return now


def any_down(links: Links, region: int, start_s: int, stop_s: int) -> bool:
    """Whether some link of *region* is down at some second of [start, stop)."""
    return bool(np.any((links.region == region) & (links.start < stop_s) & (links.stop > start_s)))


def since(links: Links, second: int, region: int | None = None) -> Links:
    """Return *links* without the strokes that are over by *second*, and those of other regions
    where one is named: `release` of any later second is equal.
    """
    keep = links.stop > second
    if region is not None:
        keep &= links.region == region
    return links._replace(
        region=links.region[keep],
        start=links.start[keep],
        stop=links.stop[keep],
        number=links.number[keep],
        covers=links.covers[keep],
    )
