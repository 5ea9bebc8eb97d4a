"""Policies of local updates, a row each: whether devices may take firmware without the WAN.

`docs/options.md` is written from here, and so are the schema and what both engines ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class LocalPolicy:
    """A policy: its *id*, its plain *name*, the *layer* it binds, and what it *means*.

    *labels* are the documents' names for it. *has_local*: devices may update locally.
    """

    id: str
    name: str
    labels: tuple[str, ...]
    layer: str
    means: str
    has_local: bool = False


_ROWS: Final = (
    LocalPolicy(
        "do_minimum", "do minimum", ("P0",), "device",
        "No device is updated in the home; what is not sent over the air stays as it is.",
    ),
    LocalPolicy(
        "ota_only", "OTA only", ("P1",), "device",
        "Devices are updated over the air alone; local updates are banned.",
    ),
    LocalPolicy(
        "local_and_ota", "local and OTA", ("P2", "P4"), "device",
        "Devices may also be updated in the home, beside updates over the air.",
        has_local=True,
    ),
)  # fmt: skip
POLICIES: Final = {policy.id: policy for policy in _ROWS}
