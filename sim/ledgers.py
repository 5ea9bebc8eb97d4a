"""The ledgers of one replication: what the SMI and the hubs believe against what devices run, by
device type and region (MISSION_MAP 1.6).

The kernel walks the devices; this keeps their sums between intervals and turns them into tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.estate.estate import TYPE_2, Estate, Slice
from sim.kernels import ledgers as kernel
from sim.kernels.ledgers import Total
from sim.mitigations import MITIGATIONS
from sim.recorder import from_rows
from sim.tables import STALENESS_EDGES_S
from sim.units import DAY_S

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

# row, second, new version; by row and then time
Changes = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
# device row, second made, second written; by row and then second made
Messages = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
NOTHING: Messages = (np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int32))
NONE_HELD = kernel.Held(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.uint16))
EDGES = np.array(STALENESS_EDGES_S, np.int64)


class Ledgers:
    """Both ledgers of *estate* over [0, horizon), measured from the warm-up's end."""

    def __init__(self, scenario: Scenario, estate: Estate, warm_up_s: int, horizon_s: int) -> None:
        self._estate = estate
        self._warm_up_s = warm_up_s
        self._horizon_s = horizon_s
        self._hub_kept = scenario.reporting.traits.hub_keeps
        self._reports = frozenset(scenario.reporting.devices)
        rows = (MITIGATIONS[row.kind] for stage in scenario.network for row in stage.mitigations)
        self._in_order = not (scenario.faults.wan_outages or any(row.overtakes for row in rows))
        shape = (len(estate.slices), 2, kernel.N_TOTALS)
        self._totals = np.zeros(shape, np.int64)
        self._bands = np.zeros((len(estate.slices), 2, len(EDGES) - 1), np.int64)
        self._held = [NONE_HELD for _ in estate.slices]
        self._days: list[tuple[str, str, int, int]] = []
        self._next_day = 0

    def apply(
        self,
        number: int,
        stop_s: int,
        changes: Changes,
        heard: NDArray[Any],
        messages: Messages,
        late: Messages,
    ) -> None:
        """Walk slice *number* up to *stop_s*: its *changes* (*heard*: whether the hub hears of
        each) and what reports write, new and *late*.
        """
        rows = self._estate.slices[number]
        smi_kept = rows.device_type not in TYPE_2
        if not (len(changes[0]) or (smi_kept and (len(messages[0]) or len(self._held[number][0])))):
            return
        changed = kernel.Changed(*changes)
        told = kernel.Changed(*(column[heard] for column in changes)) if self._hub_kept else changed
        columns = {
            name: self._estate.view(name, rows)
            for name in (
                "version_true",
                "version_smi",
                "version_hub",
                "wrong_since_smi_s",
                "wrong_since_hub_s",
                "confirmed_s",
            )
        }
        truth, times = columns["version_true"], (stop_s, self._horizon_s, self._warm_up_s)
        if smi_kept:
            source, known = (columns["version_hub"], told) if self._hub_kept else (truth, changed)
            new, old = kernel.Reports(*messages), kernel.Reports(*late)
            if not self._in_order:
                new = new._replace(deliver=new.deliver.copy())
                old = old._replace(deliver=old.deliver.copy())
                kernel.overtaken(new, old, stop_s, columns["confirmed_s"])
            held, *spells, low, high = kernel.walk(
                *times,
                changed,
                known,
                new,
                old,
                self._held[number],
                truth,
                source,
                columns["version_smi"],
                columns["wrong_since_smi_s"],
                columns["confirmed_s"],
            )
            self._held[number] = kernel.Held(*held)
            self._add(number, 0, *spells)
            self._totals[number, 0, [Total.CONFIRM_LOW, Total.CONFIRM_HIGH]] += low, high
        if self._hub_kept:  # a change the hub hears of is a report that takes no time
            at_once = kernel.Reports(told.row, told.second, told.second)
            _, *spells, _, _ = kernel.walk(
                *times,
                changed,
                changed,
                at_once,
                kernel.Reports(*NOTHING),
                NONE_HELD,
                truth,
                truth,
                columns["version_hub"],
                columns["wrong_since_hub_s"],
                np.zeros(len(rows), np.int32),
            )
            self._add(number, 1, *spells)
        kernel.settle(changed, truth)
        self._totals[number, 0, Total.N_CHANGES] += np.count_nonzero(
            changed.second >= self._warm_up_s
        )

    def _add(
        self, number: int, ledger: int, began: NDArray[Any], ended: NDArray[Any], opened: int
    ) -> None:
        """Account for the spells of slice *number* that ended; what the hub hears at once never was
        WRONG.
        """
        if ledger == 1:
            opened -= int(np.count_nonzero(began == ended))
            began, ended = began[began < ended], ended[began < ended]
        kernel.account(
            began,
            ended,
            True,
            self._warm_up_s,
            EDGES,
            self._totals[number, ledger],
            self._bands[number, ledger],
        )
        self._totals[number, ledger, Total.N_WRONG] += opened - len(began)

    def _confirms(self, rows: Slice) -> bool:
        return rows.device_type in self._reports and rows.device_type not in TYPE_2

    def close_day(self, now_s: int) -> None:
        """Write down how many records are WRONG at the end of the day that *now_s* ends."""
        if now_s % DAY_S and now_s != self._horizon_s:
            return
        for ledger, column in (("hub", 1), ("smi", 0)):
            for device_type in sorted({rows.device_type for rows in self._estate.slices}):
                n_wrong = sum(
                    int(self._totals[i, column, Total.N_WRONG])
                    for i, rows in enumerate(self._estate.slices)
                    if rows.device_type == device_type
                )
                self._days.append((ledger, device_type, self._next_day, n_wrong))
        self._next_day += 1

    def finish(self) -> None:
        """Account for the spells that the horizon cuts off."""
        for i, rows in enumerate(self._estate.slices):
            for ledger, column in enumerate(("wrong_since_smi_s", "wrong_since_hub_s")):
                since = self._estate.view(column, rows)
                began = since[since >= 0]
                ended = np.full(len(began), self._horizon_s, np.int32)
                kernel.account(
                    began,
                    ended,
                    False,
                    self._warm_up_s,
                    EDGES,
                    self._totals[i, ledger],
                    self._bands[i, ledger],
                )

    def frames(self) -> dict[str, pd.DataFrame]:
        """Return the tables `ledgers`, `staleness` and `days`."""
        order = sorted(
            range(len(self._estate.slices)),
            key=lambda i: (
                self._estate.slices[i].device_type,
                self._estate.regions[self._estate.slices[i].region],
            ),
        )
        ledgers = [self._row(i, ledger) for ledger in ("hub", "smi") for i in order]
        staleness = []
        for ledger, column in (("hub", 1), ("smi", 0)):
            for device_type in sorted({rows.device_type for rows in self._estate.slices}):
                mine = [
                    i
                    for i, rows in enumerate(self._estate.slices)
                    if rows.device_type == device_type
                ]
                seconds = self._bands[mine, column].sum(axis=0)
                staleness += [
                    (ledger, device_type, EDGES[b], EDGES[b + 1], seconds[b])
                    for b in np.flatnonzero(seconds)
                ]
        return {
            "ledgers": from_rows("ledgers", ledgers),
            "staleness": from_rows("staleness", staleness),
            "days": from_rows("days", sorted(self._days)),
        }

    def _row(self, number: int, ledger: str) -> tuple[Any, ...]:
        rows, measured_s = self._estate.slices[number], self._horizon_s - self._warm_up_s
        smi = [int(total) for total in self._totals[number, 0]]
        totals = smi if ledger == "smi" else [int(total) for total in self._totals[number, 1]]
        n, known = len(rows), self._hub_kept if ledger == "hub" else rows.device_type not in TYPE_2
        wrong_s = totals[Total.WRONG_S]
        twice_stale = totals[Total.STALE_LOW] + (totals[Total.STALE_HIGH] << 32)
        confirmed = n if ledger == "smi" and self._confirms(rows) else 0
        confirmed_s2 = confirmed * (self._horizon_s**2 - self._warm_up_s**2) - 2 * (
            totals[Total.CONFIRM_LOW] + (totals[Total.CONFIRM_HIGH] << 32)
        )
        return (
            ledger,
            rows.device_type,
            self._estate.regions[rows.region],
            n,
            n if rows.device_type in self._reports else 0,
            n * measured_s - wrong_s if known else 0,
            wrong_s,
            0 if known else n * measured_s,
            twice_stale / 2,
            confirmed_s2 / 2 if confirmed else 0.0,
            confirmed,
            smi[Total.N_CHANGES],
            totals[Total.N_REPAIRS],
            totals[Total.REPAIR_S],
        )
