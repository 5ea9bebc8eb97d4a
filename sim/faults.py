"""What can go wrong, a row a list of `faults`, in the order in which their strokes are drawn.

`docs/options.md` is written from here, and so are the schema, the calendar and what checks say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class FaultList:
    """A list of `faults`: its *id*, its plain *name*, the *layer* it strikes, and what it *means*.

    *event*: one entry in a word, as a sentence says "the cut". *during*: the event as it is spoken
    of while it lasts. *has_end*: it lasts for a time. *darkens*: premises lose supply or hub, and
    come back one by one. *in_firmware*: firmware worlds have it.
    """

    id: str
    name: str
    layer: str
    event: str
    during: str
    means: str
    has_end: bool = True
    darkens: bool = False
    in_firmware: bool = False


_ROWS: Final = (
    FaultList(
        "power_cuts", "power cuts", "premises", "cut", "power cut",
        "Premises of a region go dark together, and come back within a while.",
        darkens=True,
    ),
    FaultList(
        "hub_reboots", "hub reboots", "hub", "reboot", "hubs rebooting",
        "Hubs of a region are off together, with supply, and come back within a while.",
        darkens=True,
    ),
    FaultList(
        "wan_outages", "WAN outages", "link", "outage", "outage of WAN cells",
        "The links of the premises of some WAN cells are down.",
    ),
    FaultList(
        "stage_outages", "stage outages", "server", "outage", "outage of a server",
        "A server of a stage serves nobody; what arrives waits or is refused.",
        in_firmware=True,
    ),
    FaultList(
        "clock_locks", "clock locks", "device, hub", "lock", "clocks being set",
        "Timers of version reports are set to one time, and strike together from then on.",
        has_end=False,
    ),
)  # fmt: skip
FAULTS: Final = {row.id: row for row in _ROWS}
DARKENING: Final = tuple(row.id for row in _ROWS if row.darkens)
