"""Every column of the estate: type, unit, meaning, and its single writer. Truth and records stand
side by side and never share a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np


@dataclass(frozen=True, slots=True)
class EstateColumn:
    """One declared column: NumPy *dtype*, *unit* ("" where none), *meaning*, and the *writer* that
    alone may change it after the build.
    """

    name: str
    dtype: str
    unit: str
    meaning: str
    writer: str


DEVICE_COLUMNS: Final = (
    EstateColumn(
        "index", "uint32", "", "Number of the device's premises within its region.", "build"
    ),
    EstateColumn("takes_part", "bool", "", "Whether the device takes local updates.", "build"),
    EstateColumn("version_true", "uint16", "", "Version the device runs.", "ledgers"),
    EstateColumn(
        "version_smi", "uint16", "", "Version the Smart Metering Inventory holds.", "ledgers"
    ),
    EstateColumn(
        "version_hub",
        "uint16",
        "",
        "Version the Communications Hub holds, where the rule makes it store one.",
        "ledgers",
    ),
    EstateColumn(
        "next_change_s",
        "int32",
        "s",
        "Second of the next version change; 2^31 - 1 for none.",
        "local",
    ),
    EstateColumn(
        "due_s",
        "int32",
        "s",
        "Nominal second of the device's next timed report, or of the next read of it; 2^31 - 1 for"
        " none.",
        "reporting",
    ),
    EstateColumn(
        "wrong_since_smi_s",
        "int32",
        "s",
        "Second since which the SMI record has been WRONG; -1 while it is not.",
        "ledgers",
    ),
    EstateColumn(
        "wrong_since_hub_s",
        "int32",
        "s",
        "Second since which the hub record has been WRONG; -1 while it is not.",
        "ledgers",
    ),
    EstateColumn(
        "confirmed_s",
        "int32",
        "s",
        "Second at which the latest report written to the SMI was made; 0 at the start.",
        "ledgers",
    ),
)
PREMISES_COLUMNS: Final = (
    EstateColumn("reach", "uint8", "", "0 reached, 1 no WAN, 2 not communicating.", "build"),
    EstateColumn(
        "dark_until_s",
        "int32",
        "s",
        "Second the latest dark spell of the premises ends; only where there are power cuts or"
        " reboots.",
        "faults",
    ),
    EstateColumn(
        "hub_due_s",
        "int32",
        "s",
        "Nominal second of the hub's next timed report; only where hubs report.",
        "reporting",
    ),
)


def bytes_per_device() -> int:
    """Return the bytes a device row takes, all columns of it and of its premises together."""
    return sum(np.dtype(column.dtype).itemsize for column in (*DEVICE_COLUMNS, *PREMISES_COLUMNS))
