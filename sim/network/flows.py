"""What moves: the named messages of one interval by kind and place, as their senders let them go,
and the reports whose end comes later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class Flow:
    """Named messages of one kind and place whose first attempt leaves in [start, stop), by sender
    and then in the order made.

    *row* int32 points into *premises* uint32, the premises number of each sender; *group* is the
    senders' position in `estate.senders`, -1 for alerts. *leave* int32: second of the first
    attempt; *made*: second whose knowledge it carries; *raised*: second that counts (all one array
    where nothing puts messages off). *counts* int32: how many leave in each second. *deliver*:
    second at the SMI's door, -1 for never or the end of time for not yet, once the network has
    spoken (None: everyone at leave plus the network's latency).
    """

    kind: int
    group: int
    region: int
    place: int
    premises: NDArray[Any]
    row: NDArray[Any]
    leave: NDArray[Any]
    made: NDArray[Any]
    raised: NDArray[Any]
    cause: NDArray[Any] | int
    counts: NDArray[Any]
    deliver: NDArray[Any] | None = None

    def written_s(self, latency_s: int) -> NDArray[Any]:
        """Return the second each is written: `deliver`, or everyone at leave plus *latency_s*."""
        if self.deliver is not None:
            return self.deliver
        return self.leave + np.int32(latency_s) if latency_s else self.leave


@dataclass(frozen=True, slots=True)
class Late:
    """Reports of earlier intervals whose end is now known, of one group, by sender row and then in
    the order made (*leave*: second made).
    """

    group: int
    row: NDArray[Any]
    leave: NDArray[Any]
    deliver: NDArray[Any]
