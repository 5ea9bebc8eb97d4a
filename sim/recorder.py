"""The only pen: streaming counts of what passes, in bounded memory, from after the warm-up.

Arrivals are kept by second for one day at a time and folded into peaks and a profile of the day when the day is over. Everything else is a counter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.kernels.counting import largest_bins
from sim.kernels.queues import allowance
from sim.tables import PEAK_BINS_S, frame

DAY_S: Final = 86_400
QUARTER_S: Final = 900
VERSION_REPORT: Final = "version_report"


@dataclass(slots=True)
class StageRecord:
    """What is remembered of one stage: servers × kinds, by second of the current day, and folded."""

    name: str
    servers: tuple[str, ...]
    capacity: Fraction | None
    seconds: NDArray[Any]
    quarter_n: NDArray[Any]
    quarter_peak: NDArray[Any]
    peak_n: NDArray[Any]
    peak_at: NDArray[Any]
    over_capacity_s: NDArray[Any]
    waiting_s: NDArray[Any]
    peak_waiting_n: NDArray[Any]
    waiting_at_end_n: NDArray[Any]
    delays: dict[tuple[int, int], NDArray[Any]] = field(default_factory=dict)


def _added(counts: NDArray[Any] | None, delay_s: NDArray[Any]) -> NDArray[Any]:
    """Return *counts* by delay with one more for each of *delay_s*, longer if need be."""
    new = np.bincount(delay_s)
    if counts is None:
        return new
    short, long = (counts, new) if len(counts) < len(new) else (new, counts)
    long[: len(short)] += short
    return long


class Recorder:
    """Counts for one replication. *kinds* are the anonymous kinds by name, then `version_report`; *alerts* marks those that are alerts."""

    def __init__(
        self, stages: Sequence[tuple[str, tuple[str, ...], Fraction | None]], kinds: Sequence[str], alerts: Mapping[str, bool], warm_up_s: int, horizon_s: int
    ) -> None:
        self.kinds = tuple(kinds)
        self._groups = [[i] for i in range(len(kinds))]
        self._groups.append([i for i, kind in enumerate(kinds) if alerts[kind]])
        self._groups.append(list(range(len(kinds))))
        self.warm_up_s, self.horizon_s = warm_up_s, horizon_s
        self.fates: Counter[tuple[str, str, str]] = Counter()
        self.crossed: Counter[tuple[str, str]] = Counter()
        self.late: Counter[str] = Counter()
        self.entered: Counter[str] = Counter()
        self.end_to_end: dict[str, NDArray[Any]] = {}
        self._day = 0
        self.stages = [self._stage(*stage) for stage in stages]

    def _stage(self, name: str, servers: tuple[str, ...], capacity: Fraction | None) -> StageRecord:
        n, k, g, p = len(servers), len(self.kinds), len(self._groups), len(PEAK_BINS_S)
        zeros = np.zeros
        return StageRecord(
            name, servers, capacity, zeros((n, k, 2 * DAY_S), np.int32), zeros((n, k, 96), np.int64), zeros((n, k, 96), np.int64), zeros((n, g, p), np.int64),
            np.full((n, g, p), -1, np.int64), zeros(n, np.int64), zeros(n, np.int64), zeros(n, np.int64), zeros(n, np.int64),
        )

    # -- writing ------------------------------------------------------------------------------------------------------------------------------

    def arrivals(self, stage: int, server: int, kind: int, start_s: int, counts: NDArray[Any]) -> None:
        """Add *counts*, arrivals in the seconds from *start_s*."""
        skip = max(0, self.warm_up_s - start_s)
        at = start_s + skip - self._day * DAY_S
        if skip < len(counts):
            self.stages[stage].seconds[server, kind, at : at + len(counts) - skip] += counts[skip:]

    def arrivals_at(self, stage: int, server: int, kind: int, second: NDArray[Any], n: NDArray[Any] | int) -> None:
        """Add *n* arrivals at each of the seconds *second*."""
        measured = second >= self.warm_up_s
        at = second[measured].astype(np.int64) - self._day * DAY_S
        np.add.at(self.stages[stage].seconds[server, kind], at, n if isinstance(n, int) else n[measured])

    def delayed(self, stage: int, server: int, kind: int, delay_s: NDArray[Any]) -> None:
        """Count one message for each of *delay_s* at a stage."""
        if len(delay_s):
            delays = self.stages[stage].delays
            delays[server, kind] = _added(delays.get((server, kind)), delay_s)

    def undelayed(self, stage: int, server: int, kind: int, n: int) -> None:
        """Count *n* messages that passed a stage in the second in which they came."""
        if n:
            delays = self.stages[stage].delays
            delays.setdefault((server, kind), np.zeros(1, np.int64))[0] += n

    def arrived(self, kind: str, delay_s: int, target_s: int, n: int) -> None:
        """Count *n* messages written after the same *delay_s*."""
        if n:
            known = self.end_to_end.get(kind, np.zeros(0, np.int64))
            if len(known) <= delay_s:
                known = np.concatenate([known, np.zeros(delay_s + 1 - len(known), np.int64)])
            known[delay_s] += n
            self.end_to_end[kind] = known
            self.fates[kind, "delivered", ""] += n
            self.late[kind] += n if delay_s > target_s else 0

    def arrived_each(self, kind: str, delay_s: NDArray[Any], target_s: int) -> None:
        """Count one written message for each of *delay_s*."""
        if len(delay_s):
            self.end_to_end[kind] = _added(self.end_to_end.get(kind), delay_s)
            self.fates[kind, "delivered", ""] += len(delay_s)
            self.late[kind] += int(np.count_nonzero(delay_s > target_s))

    def waited(self, stage: int, server: int, start_s: int, waiting: NDArray[Any]) -> None:
        """Record how many waited after each second from *start_s*."""
        record = self.stages[stage]
        measured = waiting[max(0, self.warm_up_s - start_s) :]
        if len(measured):
            record.waiting_s[server] += np.count_nonzero(measured)
            record.peak_waiting_n[server] = max(record.peak_waiting_n[server], measured.max())
        if len(waiting):
            record.waiting_at_end_n[server] = waiting[-1]

    def fold(self, until_s: int) -> None:
        """Fold every day that is over by *until_s* (or the last, at the horizon) into peaks and the day's profile."""
        while (self._day + 1) * DAY_S <= until_s or (until_s >= self.horizon_s > self._day * DAY_S):
            for record in self.stages:
                for server in range(len(record.servers)):
                    self._fold_server(record, server)
                record.seconds[:, :, :DAY_S] = record.seconds[:, :, DAY_S:]
                record.seconds[:, :, DAY_S:] = 0
            self._day += 1

    def _fold_server(self, record: StageRecord, server: int) -> None:
        start = self._day * DAY_S
        day = record.seconds[server, :, :DAY_S]
        quarters = day.reshape(len(self.kinds), 96, QUARTER_S)
        record.quarter_n[server] += quarters.sum(axis=2)
        record.quarter_peak[server] = np.maximum(record.quarter_peak[server], quarters.max(axis=2))
        n, at = np.zeros(1, np.int64), np.zeros(1, np.int64)
        for g, members in enumerate(self._groups):
            counts = day[members[0]] if len(members) == 1 else day[members].sum(axis=0, dtype=np.int32)
            for p, k in enumerate(PEAK_BINS_S):
                largest_bins(counts, k, DAY_S // k, n, at)
                if n[0] > record.peak_n[server, g, p]:
                    record.peak_n[server, g, p], record.peak_at[server, g, p] = n[0], start + at[0]
        if record.capacity is not None:
            allowed = allowance(record.capacity.numerator, record.capacity.denominator, start, start + DAY_S)
            record.over_capacity_s[server] += np.count_nonzero(counts > allowed)

    # -- reading, once, at the end --------------------------------------------------------------------------------------------------------------

    def frames(self, sizes: Mapping[str, Mapping[str, int]], targets: Mapping[str, int]) -> dict[str, pd.DataFrame]:
        """Return the recorder's tables. *sizes*: segment → kind → bytes a message. *targets*: kind → target in seconds, of the kinds there are."""
        arrivals, peaks, stages, delays = [], [], [], []
        names = (*self.kinds, "alerts", "all")
        for record in sorted(self.stages, key=lambda r: r.name):
            for s, server in sorted(enumerate(record.servers), key=lambda pair: pair[1]):
                where = (record.name, server)
                for k, kind in sorted(enumerate(self.kinds), key=lambda pair: pair[1]):
                    n = record.quarter_n[s, k]
                    arrivals += [(*where, kind, q, n[q], record.quarter_peak[s, k, q]) for q in np.flatnonzero(n)]
                    counts = record.delays.get((s, k), np.zeros(0, np.int64))
                    delays += [(*where, kind, d, counts[d]) for d in np.flatnonzero(counts)]
                for g, name in sorted(enumerate(names), key=lambda pair: pair[1]):
                    peaks += [(*where, name, b, record.peak_n[s, g, p], record.peak_at[s, g, p]) for p, b in enumerate(PEAK_BINS_S)]
                capacity = float("inf") if record.capacity is None else float(record.capacity)
                stages.append((
                    *where, capacity, self.horizon_s - self.warm_up_s, record.over_capacity_s[s], record.waiting_s[s], record.peak_waiting_n[s],
                    record.waiting_at_end_n[s],
                ))
        delays += [("end_to_end", "all", kind, d, counts[d]) for kind, counts in sorted(self.end_to_end.items()) for d in np.flatnonzero(counts)]
        crossed = [(segment, kind, n, n * sizes[segment][kind]) for (segment, kind), n in sorted(self.crossed.items()) if n]
        rows: dict[str, Sequence[tuple[Any, ...]]] = {
            "arrivals": arrivals, "peaks": peaks, "stages": stages, "delays": sorted(delays, key=lambda row: row[:4]),
            "fates": [(*key, n) for key, n in sorted(self.fates.items()) if n],
            "segments": crossed,
            "targets": [(kind, target, self.entered[kind], self.late[kind]) for kind, target in sorted(targets.items())],
        }
        return {name: from_rows(name, table) for name, table in rows.items()}


def from_rows(name: str, rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """Return *rows*, tuples in the declared column order, as the declared table *name*."""
    from sim.tables import TABLES

    columns = list(zip(*rows, strict=True)) if rows else [()] * len(TABLES[name].columns)
    return frame(name, dict(zip(TABLES[name].names, columns, strict=True)))
