"""What moves: the reports of one interval by sender, and those few, still travelling or queued, that need a name.

A message that has never been delayed is only a second in a `Flow` and a one in a count. It becomes a `TRAVEL` row when it meets a busy slot, and an
anonymous one a `RUN`: so many of one kind, region and origin, arriving together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.kernels.ledgers import NOT_YET
from sim.kernels.queues import keys_by_second, positions_by_slot

MOVING, QUEUED, DONE = 0, 1, 2
TRAVEL: Final = np.dtype([
    ("group", "i2"),    # position of its sender's group in `estate.senders`
    ("row", "i4"),      # sender's row in the group
    ("leave", "i4"),    # second it left
    ("cause", "u1"),    # timer, change or read
    ("position", "i4"), # its place in this interval's flow, or -1
    ("stage", "i1"),    # the stage it is at or on its way to
    ("state", "i1"),    # MOVING, QUEUED or DONE
    ("at", "i4"),       # second it arrives at that stage
    ("deliver", "i4"),  # second written to the SMI, REFUSED, or NOT_YET
    ("told", "?"),      # whether the ledgers have been told
], align=True)
RUN: Final = np.dtype([("region", "i1"), ("kind", "i1"), ("origin", "i4"), ("slot", "i4"), ("n", "i8")], align=True)
UNIT: Final = np.dtype([("handle", "i4"), ("region", "i1"), ("kind", "i1"), ("origin", "i4"), ("slot", "i4")], align=True)


@dataclass(slots=True)
class Flow:
    """The reports of one group that enter the network in [start, stop), by sender row and then second.

    *counts* int32: how many enter in each second. *explicit* marks those that became `TRAVEL` rows. *deliver*: second written, once the network has spoken
    (None: everyone at leave plus the network's latency).
    """

    group: int
    row: NDArray[Any]
    leave: NDArray[Any]
    cause: NDArray[Any] | int
    counts: NDArray[Any]
    explicit: NDArray[Any]
    deliver: NDArray[Any] | None = None

    def written_s(self, latency_s: int) -> NDArray[Any]:
        """Return the second each report is written: `deliver`, or everyone at leave plus *latency_s*."""
        if self.deliver is not None:
            return self.deliver
        return self.leave + np.int32(latency_s) if latency_s else self.leave

    def cause_of(self, positions: NDArray[Any]) -> NDArray[Any]:
        if isinstance(self.cause, int):
            return np.full(len(positions), self.cause, np.uint8)
        return np.asarray(self.cause[positions])


@dataclass(frozen=True, slots=True)
class Late:
    """Reports of earlier intervals whose end is now known, of one group, by sender row and then second."""

    group: int
    row: NDArray[Any]
    leave: NDArray[Any]
    deliver: NDArray[Any]


def travel_rows(flow: Flow, positions: NDArray[Any], stage: int, arrive_s: NDArray[Any]) -> NDArray[Any]:
    """Return `TRAVEL` rows for the messages at *positions* of *flow*, arriving at *stage* at *arrive_s*."""
    rows = np.zeros(len(positions), TRAVEL)
    rows["group"], rows["row"], rows["leave"] = flow.group, flow.row[positions], flow.leave[positions]
    rows["cause"], rows["position"], rows["stage"], rows["at"] = flow.cause_of(positions), positions, stage, arrive_s
    rows["deliver"] = NOT_YET
    return rows


def runs_of(units: NDArray[Any], slot: NDArray[Any]) -> NDArray[Any]:
    """Return the anonymous *units*, arriving next in *slot*, counted as `RUN` rows by slot, region, kind and origin."""
    if not len(units):
        return np.zeros(0, RUN)
    who = (units["region"].astype(np.int64) << 8) | units["kind"]
    order = np.lexsort((units["origin"], (slot.astype(np.int64) << 16) | who))
    who, at, origin = who[order], slot[order], units["origin"][order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (at[1:] != at[:-1]) | (who[1:] != who[:-1]) | (origin[1:] != origin[:-1])
    first = np.flatnonzero(new)
    runs = np.zeros(len(first), RUN)
    runs["region"], runs["kind"], runs["origin"], runs["slot"] = who[first] >> 8, who[first] & 0xFF, origin[first], at[first]
    runs["n"] = np.diff(np.append(first, len(order)))
    return runs


def units_of(runs: NDArray[Any]) -> NDArray[Any]:
    """Return one `UNIT` for each anonymous message of *runs*, in their order."""
    units = np.zeros(int(runs["n"].sum()), UNIT)
    units["handle"] = -1
    for name in ("region", "kind", "origin", "slot"):
        units[name] = np.repeat(runs[name], runs["n"])
    return units


def joined(*arrays: NDArray[Any]) -> NDArray[Any]:
    """Return record *arrays* of one type end to end; as bytes, which is an order of magnitude faster than record by record."""
    filled = [array.view(np.uint8) for array in arrays if len(array)]
    return np.concatenate(filled).view(arrays[0].dtype) if filled else arrays[0][:0]


def by_slot_and_rank(units: NDArray[Any], rank: NDArray[Any]) -> NDArray[Any]:
    """Return the positions of *units* by arrival slot, then by the second they left, then by *rank*; equals stay as they are.

    Counted into seconds and sorted second by second: a storm is a few thousand short sorts, not one of twenty million.
    """
    if not len(units):
        return np.zeros(0, np.int32)
    origin, slot = np.ascontiguousarray(units["origin"]), np.ascontiguousarray(units["slot"])
    keys, starts = keys_by_second(origin, rank, origin.min(), int(np.ptp(origin)) + 1)
    for second in np.flatnonzero(np.diff(starts) > 1):
        keys[starts[second] : starts[second + 1]].sort()
    return np.asarray(positions_by_slot(keys, slot, slot.min(), int(np.ptp(slot)) + 1))
