"""What exists: premises, hubs and devices of Great Britain, truth and records side by side in
columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# Slots of a premises (docs/model.md section 2): with the region they make the place of a draw, so
# they are an API like the stream names.
SLOTS: Final[Mapping[str, int]] = {
    "hub": 0,
    "esme": 1,
    "gsme": 2,
    "gpf": 3,
    "ppmid": 4,
    "ihd": 5,
    "hcalcs": 6,
}
# the types whose firmware the model follows; meters, hubs and gas proxies are counted
ROW_TYPES: Final = ("ppmid", "ihd", "hcalcs")
TYPE_2: Final = frozenset({"ihd"})  # the SMI keeps no firmware version of these (UNKNOWN for ever)
UPDATED_LOCALLY: Final = frozenset({"ppmid", "ihd"})


def place(region: int, slot: int) -> int:
    """Return the place at which devices of *slot* in *region* draw."""
    return region * 8 + slot


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows of one device type in one region: rows [start, stop) of every device column."""

    region: int
    device_type: str
    start: int
    stop: int

    @property
    def place(self) -> int:
        return place(self.region, SLOTS[self.device_type])

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Senders:
    """Those of one place who send messages: the devices of a slice, or the hubs of a region with a
    reporting device.

    *index* uint32 numbers their premises; *due_s* int32 is their timers' column; *slice* is None
    for hubs.
    """

    region: int
    place: int
    index: NDArray[Any]
    due_s: NDArray[Any]
    slice: Slice | None


@dataclass(frozen=True, slots=True)
class Estate:
    """All of it. *devices* maps the names of `DEVICE_COLUMNS` to arrays over device rows; the
    premises' columns are one array a region.

    Rows are sorted by region, device type and premises number; a region, a type in it and a WAN
    cell in that are slices.
    """

    regions: tuple[str, ...]
    n_premises: tuple[int, ...]
    n_fitted: Mapping[str, tuple[int, ...]]
    premises_per_cell: int
    slices: tuple[Slice, ...]
    devices: Mapping[str, NDArray[Any]]
    reach: tuple[NDArray[Any], ...]
    dark_until_s: tuple[NDArray[Any], ...]
    senders: tuple[Senders, ...]

    def view(self, name: str, rows: Slice) -> NDArray[Any]:
        """Return the part of device column *name* that belongs to *rows* (a view: writing it writes
        the estate).
        """
        return self.devices[name][rows.start : rows.stop]

    def cell(self, rows: Slice) -> NDArray[Any]:
        """Return the WAN cell, numbered within the region, of each device of *rows*."""
        return self.view("index", rows) // np.uint32(self.premises_per_cell)
