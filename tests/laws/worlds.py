"""Small worlds with nothing in them but what a law speaks of: one region, one kind of reporter, no
network unless one is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sim.run import replicate
from sim.scenario.load import load
from sim.tables import Tables

YEAR_S = 365 * 86_400
DAY_S = 86_400
ALONE = {
    "window.warm_up": "0 s",
    "window.length": "1 d",
    "estate.premises": 1000,
    "estate.regions": "{north: 100 %, central: 0 %, south: 0 %}",
    "estate.devices": "{ppmid: 100 %, ihd: 0 %, hcalcs: 0 %}",
    "estate.no_wan_share": "0 %",
    "estate.not_communicating_share": "0 %",
    "updates.local.take_up": "100 %",
    "reporting.devices": "[ppmid]",
    "network": "[]",
}


def tables_of(settings: dict[str, Any], replication: int = 0, base: str = "gb_base") -> Tables:
    """Return the tables of *base*, made `ALONE`, under *settings* (paths in dots, values as a
    scenario writes them).
    """
    sets = [f"{path}={value}" for path, value in (ALONE | settings).items()]
    return replicate(load(base, sets), replication)


def replications(settings: dict[str, Any], n: int) -> Iterator[Tables]:
    """Yield the tables of *n* replications."""
    return (tables_of(settings, replication) for replication in range(n))


def ledger(
    tables: Tables, ledger: str = "smi", device_type: str = "ppmid", region: str = ""
) -> dict[str, float]:
    """Return the `ledgers` row of one ledger and device type, summed over regions, or of one."""
    frame = tables["ledgers"]
    rows = frame[(frame["ledger"] == ledger) & (frame["device_type"] == device_type)]
    rows = rows[rows["region"] == region] if region else rows
    return {
        name: rows[name].sum()
        for name in rows.columns
        if name not in ("ledger", "device_type", "region")
    }


def wrong_share(tables: Tables, of: str = "smi") -> float:
    """Return WRONG ÷ (RIGHT + WRONG) of PPMIDs, over the measured time."""
    sums = ledger(tables, of)
    return float(sums["wrong_s"] / (sums["right_s"] + sums["wrong_s"]))


def peak(
    tables: Tables, k_s: int, kind: str = "version_report", stage: str = "dsp", server: str = "dsp"
) -> tuple[int, int]:
    """Return (most arrivals in k seconds, where that bin starts)."""
    peaks = tables["peaks"]
    row = peaks[
        (peaks["stage"] == stage)
        & (peaks["server"] == server)
        & (peaks["kind"] == kind)
        & (peaks["k_s"] == k_s)
    ]
    return int(row["peak_n"].item()), int(row["at_s"].item())


def fates(tables: Tables, kind: str = "version_report") -> dict[str, int]:
    """Return how many messages of *kind* met each fate."""
    frame = tables["fates"]
    rows = frame[frame["kind"] == kind].groupby("fate")["n"].sum()
    return {str(fate): int(n) for fate, n in rows.items()}


def delays(
    tables: Tables, stage: str, kind: str = "version_report", server: str | None = None
) -> dict[int, int]:
    """Return how many messages of *kind* met each delay at *stage*, in seconds."""
    frame = tables["delays"]
    rows = frame[
        (frame["stage"] == stage)
        & (frame["kind"] == kind)
        & ((frame["server"] == server) if server else True)
    ]
    return {int(delay): int(n) for delay, n in rows.groupby("delay_s")["n"].sum().items()}


def mean_delay_s(
    tables: Tables, stage: str, kind: str = "version_report", server: str | None = None
) -> float:
    """Return the mean delay at *stage*."""
    counts = delays(tables, stage, kind, server)
    return float(np.average(list(counts), weights=list(counts.values())))
