"""Tables of records: what the inventory and the hubs hold, and of how many."""

from __future__ import annotations

from typing import Final

from sim.tables.column import OF_LEDGER, OF_TYPE, Column, Table

OF_RECORDS: Final = (
    Table(
        "ledgers",
        "a ledger, device type and region",
        "ledgers",
        (
            OF_LEDGER,
            OF_TYPE,
            Column("region", "str", "", "CSP region."),
            Column("n_devices", "int64", "devices", "Devices of the type."),
            Column(
                "n_reporting",
                "int64",
                "devices",
                "Of those, devices whose type reports under the scenario.",
            ),
            Column("right_s", "int64", "device s", "Device-seconds RIGHT after warm-up."),
            Column("wrong_s", "int64", "device s", "Device-seconds WRONG."),
            Column("unknown_s", "int64", "device s", "Device-seconds UNKNOWN."),
            Column(
                "staleness_s2",
                "float64",
                "device s²",
                "Time integral of staleness, summed over devices.",
            ),
            Column(
                "confirmation_s2",
                "float64",
                "device s²",
                "Time integral of confirmation age, summed over devices that are confirmed.",
            ),
            Column(
                "n_confirmed", "int64", "devices", "Devices over which confirmation age is kept."
            ),
            Column("n_changes", "int64", "changes", "Version changes after warm-up."),
            Column(
                "n_repairs", "int64", "repairs", "WRONG episodes begun after warm-up that ended."
            ),
            Column("repair_s", "int64", "device s", "Their summed length."),
        ),
    ),
    Table(
        "staleness",
        "a ledger, device type and staleness band",
        "ledgers",
        (
            OF_LEDGER,
            OF_TYPE,
            Column("low_s", "int64", "s", "Staleness from (inclusive)."),
            Column("high_s", "int64", "s", "Staleness to (exclusive)."),
            Column(
                "device_s",
                "int64",
                "device s",
                "Device-seconds WRONG with a staleness in the band.",
            ),
        ),
    ),
    Table(
        "days",
        "a ledger, device type and day",
        "ledgers",
        (
            OF_LEDGER,
            OF_TYPE,
            Column("day", "int32", "d", "Day from the window's start (warm-up included)."),
            Column("n_wrong", "int64", "devices", "Records WRONG at the end of that day."),
        ),
    ),
    Table(
        "population",
        "a count",
        "run",
        (
            Column(
                "what",
                "str",
                "",
                "premises, meters, hubs, gpf, esme, gsme, ppmid, ihd, hcalcs, reporting, senders.",
            ),
            Column("region", "str", "", "CSP region."),
            Column("n", "int64", "", "How many."),
        ),
    ),
)
