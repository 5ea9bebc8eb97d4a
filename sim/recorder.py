"""The only pen: streaming counts of what passes, in bounded memory, from after the warm-up.

Arrivals, departures and waits are kept by second for one day at a time and folded into peaks,
profiles and a timeline when the day is over. Everything else is a counter.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.around_peaks import AroundPeak, eventful
from sim.kernels.book import BUSIEST, CELL_COUNTS, Around, Book, Stir
from sim.kernels.counting import largest_bins
from sim.kernels.queues import allowance
from sim.planning.sizes import VERSION_REPORT
from sim.tables import (
    AROUND_PEAK_S,
    PEAK_BINS_S,
    TABLES,
    TIMELINE_BIN_S,
    TIMELINE_LONGEST_S,
    frame,
)
from sim.units import DAY_S, QUARTER_S
from sim.words import Fate

if TYPE_CHECKING:
    from sim.scenario.fields import Capacity


@dataclass(slots=True)
class StageRecord:
    """What is remembered of one stage, *before_s* behind the hubs, by server, folded: server × kind
    × quarter of an hour, server × group of kinds × bin length, server.
    """

    name: str
    servers: tuple[str, ...]
    before_s: int
    capacities: Sequence[Capacity | None]
    sizes: NDArray[Any]
    quarter_n: NDArray[Any]
    quarter_peak: NDArray[Any]
    peak_n: NDArray[Any]
    peak_at: NDArray[Any]
    over_capacity_s: NDArray[Any]
    waiting_s: NDArray[Any]
    peak_waiting_n: NDArray[Any]
    waiting_at_end_n: NDArray[Any]
    around: list[AroundPeak]
    delays: dict[tuple[int, int], NDArray[Any]] = field(default_factory=dict)


def _added(counts: NDArray[Any] | None, new: NDArray[Any]) -> NDArray[Any]:
    """Return the counts by delay *counts* and *new* together."""
    new = new.astype(np.int64)
    if counts is None:
        return new
    short, long = (counts, new) if len(counts) < len(new) else (new, counts)
    long[: len(short)] += short
    return long


class Recorder:
    """Counts for one replication of stages (name, servers, seconds from the hubs to them, capacity
    of each, bytes of each kind).

    *kinds* are those of traffic, then alerts, then `version_report`, each with its *targets* in
    seconds; *alerts* marks those that are alerts.
    """

    def __init__(
        self,
        stages: Sequence[
            tuple[str, tuple[str, ...], int, Sequence[Capacity | None], Sequence[int]]
        ],
        kinds: Sequence[str],
        targets: Sequence[int],
        alerts: Mapping[str, bool],
        n_regions: int,
        warm_up_s: int,
        horizon_s: int,
    ) -> None:
        self.kinds = tuple(kinds)
        self.targets = list(targets)
        self._groups = [[i] for i in range(len(kinds))]
        self._groups.append([i for i, kind in enumerate(kinds) if alerts[kind]])
        self._groups.append(list(range(len(kinds))))
        self.warm_up_s = warm_up_s
        self.horizon_s = horizon_s
        self.fates: Counter[tuple[str, str, str]] = Counter()
        self.crossed: Counter[tuple[str, str]] = Counter()
        self.rows: defaultdict[tuple[str, int, str, str], list[int]] = defaultdict(lambda: [0, 0])
        self.attempts = np.zeros((len(kinds), 3), np.int64)
        self._late = np.zeros(len(kinds), np.int64)
        self._end_to_end: dict[int, NDArray[Any]] = {}
        self.stages = [self._stage(*stage) for stage in stages]
        self.stage_names = ("", *(stage.name for stage in self.stages), "hub")
        self.first = [
            int(n) for n in np.cumsum([0, *(len(stage.servers) for stage in self.stages)])
        ]
        n_servers = self.first[-1]
        self._seen = np.zeros((n_servers, len(kinds), 2 * DAY_S), np.int32)
        self._stirs = np.zeros((len(Stir), n_servers, 2 * DAY_S, len(kinds)), np.int32)
        self._stirred = np.zeros(n_servers, np.bool_)
        self._held = np.zeros((n_servers, len(kinds)), np.int32)
        self._held_before = np.zeros(n_servers, np.int64)
        self._over = np.zeros((n_regions, 2 * DAY_S), np.int32)
        self._cells = np.zeros(n_regions, CELL_COUNTS)
        self._busiest = np.full(1, -1, BUSIEST)
        self._busiest["peak"] = 0
        self._busiest["at"] = -AROUND_PEAK_S - 1
        self._around = np.zeros((len(Around), len(kinds), AROUND_PEAK_S + 1), np.int32)
        self._timeline: list[tuple[Any, ...]] = []
        self._day = 0

    def _stage(
        self,
        name: str,
        servers: tuple[str, ...],
        before_s: int,
        capacities: Sequence[Capacity | None],
        sizes: Sequence[int],
    ) -> StageRecord:
        n = len(servers)
        k = len(self.kinds)
        g = len(self._groups)
        p = len(PEAK_BINS_S)
        zeros = np.zeros
        return StageRecord(
            name,
            servers,
            before_s,
            capacities,
            np.array(sizes, np.int64),
            zeros((n, k, 96), np.int64),
            zeros((n, k, 96), np.int64),
            zeros((n, g, p), np.int64),
            np.full((n, g, p), -1, np.int64),
            zeros(n, np.int64),
            zeros(n, np.int64),
            zeros(n, np.int64),
            zeros(n, np.int64),
            [AroundPeak(k) for _ in servers],
        )

    # -- writing -----------------------------------------------------------------------------------

    def book(
        self, deliver: NDArray[Any], n_rows: int, longest_delay_s: int, longest_end_s: int
    ) -> Book:
        """Return what the kernels of one interval write in; *deliver* as they know it, and room for
        delays below the two lengths where anybody has a name.
        """
        k = len(self.kinds)
        n = self.first[-1]
        zeros = np.zeros
        named = len(deliver) > 0 or longest_delay_s > 0
        return Book(
            self._seen,
            self._stirs,
            self._stirred,
            self._held,
            zeros((n, k), np.int64),
            zeros((n * k, longest_delay_s if named else 0), np.int32),
            zeros((k, longest_end_s if named else 0), np.int32),
            zeros((k, len(Fate), len(self.stage_names)), np.int64),
            self._late,
            self.attempts,
            zeros((n_rows, k, 2), np.int64),
            self._cells,
            self._over,
            self._busiest,
            self._around,
            deliver,
        )

    def close(self, book: Book, rows: Sequence[tuple[str, int, str]]) -> None:
        """Take over what the kernels of an interval counted; *rows* are the stages' mitigations:
        stage, place there and kind.
        """
        for number, stage in enumerate(self.stages):
            for server in range(len(stage.servers)):
                for kind in range(len(self.kinds)):
                    at = self.first[number] + server
                    counts = book.delays[at * len(self.kinds) + kind]
                    length = int(counts.nonzero()[0][-1]) + 1 if counts.any() else 0
                    new = np.zeros(max(length, 1), np.int64)
                    new[:length] = counts[:length]
                    new[0] += book.undelayed[at, kind]
                    if new.any():
                        stage.delays[server, kind] = _added(stage.delays.get((server, kind)), new)
        for kind, name in enumerate(self.kinds):
            if book.ends[kind].any():
                self._end_to_end[kind] = _added(
                    self._end_to_end.get(kind), np.trim_zeros(book.ends[kind], "b")
                )
            for fate, stage_number in np.argwhere(book.fates[kind]):
                self.fates[name, Fate(fate).word, self.stage_names[stage_number]] += int(
                    book.fates[kind, fate, stage_number]
                )
        for row, kind in np.argwhere(book.stopped.any(axis=2)):
            counted = self.rows[(*rows[row], self.kinds[kind])]
            counted[0] += int(book.stopped[row, kind, 0])
            counted[1] += int(book.stopped[row, kind, 1])

    def attempt(self, measured: NDArray[Any]) -> None:
        """Count int32 *measured* (region × kind × second), the first attempts of messages raised
        after the warm-up.
        """
        self.attempts[:, :2] += measured.sum(axis=(0, 2), dtype=np.int64)[:, None]

    def arrived(self, kind: int, delay_s: int, n: int) -> None:
        """Count *n* messages at the SMI's door after the same *delay_s*."""
        if n:
            new = np.zeros(delay_s + 1, np.int64)
            new[delay_s] = n
            self._end_to_end[kind] = _added(self._end_to_end.get(kind), new)
            self.fates[self.kinds[kind], "delivered", ""] += n
            self._late[kind] += n if delay_s > self.targets[kind] else 0

    def arrived_each(self, kind: int, delay_s: NDArray[Any]) -> None:
        """Count one message at the SMI's door for each of *delay_s*."""
        n = len(delay_s)
        if n == 0:
            return
        before = self._end_to_end.get(kind)
        late = delay_s > self.targets[kind]
        self._end_to_end[kind] = _added(before, np.bincount(delay_s))
        self.fates[self.kinds[kind], "delivered", ""] += n
        self._late[kind] += np.count_nonzero(late)

    def left_late(self, kind: int, server: NDArray[Any], second_s: NDArray[Any]) -> None:
        """Count one message of *kind* that left late for each of *server*, as recorded, which it
        left in *second_s*.
        """
        seconds = second_s - self._day * DAY_S
        late = self._stirs[Stir.LATE, :, :, kind]
        np.add.at(late, (server, seconds), 1)
        self._stirred[server] = True

    def travelling(self, kind: int, age_s: NDArray[Any]) -> None:
        """Count messages that are under way at the horizon, one for each of *age_s*."""
        if len(age_s):
            self.fates[self.kinds[kind], "in_flight", ""] += len(age_s)
            self._late[kind] += np.count_nonzero(age_s > self.targets[kind])

    # -- days --------------------------------------------------------------------------------------

    def fold(self, until_s: int) -> None:
        """Fold every day that is over by *until_s* (or the last, at the horizon) into peaks, the
        day's profile and the timeline.
        """
        while (self._day + 1) * DAY_S <= until_s or (until_s >= self.horizon_s > self._day * DAY_S):
            for first, record in zip(self.first, self.stages, strict=False):
                for server in range(len(record.servers)):
                    self._fold_server(record, server, first + server)
            for array in (self._seen, self._over):
                array[..., :DAY_S] = array[..., DAY_S:]
                array[..., DAY_S:] = 0
            self._held_before[:] = 0
            for at in np.flatnonzero(self._stirred):
                stirs = self._stirs[:, at]
                self._held_before[at] = stirs[Stir.WAITING, DAY_S - 1].sum()
                stirs[:, :DAY_S] = stirs[:, DAY_S:]
                stirs[:, DAY_S:] = 0
                self._stirred[at] = stirs[:, :DAY_S].any()
            self._day += 1

    def _fold_server(self, record: StageRecord, server: int, at: int) -> None:
        start = self._day * DAY_S
        day = self._seen[at, :, :DAY_S]
        quarters = day.reshape(len(self.kinds), 96, QUARTER_S)
        record.quarter_n[server] += quarters.sum(axis=2)
        record.quarter_peak[server] = np.maximum(record.quarter_peak[server], quarters.max(axis=2))
        n, where = np.zeros(1, np.int64), np.zeros(1, np.int64)
        for g, members in enumerate(self._groups):
            counts = (
                day[members[0]] if len(members) == 1 else day[members].sum(axis=0, dtype=np.int32)
            )
            for p, k in enumerate(PEAK_BINS_S):
                largest_bins(counts, k, DAY_S // k, n, where)
                if n[0] > record.peak_n[server, g, p]:
                    record.peak_n[server, g, p] = n[0]
                    record.peak_at[server, g, p] = start + where[0]
        if record.name == "cell":
            record.over_capacity_s[server] += np.count_nonzero(self._over[server, :DAY_S])
        elif (capacity := record.capacities[server]) is not None:
            rate = capacity.rate.numerator, capacity.rate.denominator
            load = record.sizes @ day if capacity.in_bytes else counts
            allowed = allowance(*rate, start, start + DAY_S)
            record.over_capacity_s[server] += np.count_nonzero(load > allowed)
        self._fold_waiting(record, server, at, day)

    def _fold_waiting(self, record: StageRecord, server: int, at: int, day: NDArray[Any]) -> None:
        """Fold who waited at a server, to which *day*, by kind and second, came."""
        start = self._day * DAY_S
        nobody = np.broadcast_to(np.int32(0), day.shape)
        stirs = [nobody] * len(Stir)
        waiting = np.zeros(DAY_S, np.int64)
        turned_away = waiting
        if self._stirred[at]:
            today = self._stirs[:, at, :DAY_S]
            stirs = [today[what].T for what in Stir]
            waiting = today[Stir.WAITING].sum(axis=1, dtype=np.int64)
            turned_away = today[Stir.TURNED_AWAY].sum(axis=1, dtype=np.int64)
        peak_s = int(record.peak_at[server, -1, 0])
        record.around[server].pass_day(
            [day, *stirs],
            start,
            peak_s,
        )
        begin = max(0, self.warm_up_s - start)
        end = min(DAY_S, self.horizon_s - start)
        waits = waiting[begin:end]
        if len(waits):
            record.waiting_s[server] += np.count_nonzero(waits)
            record.peak_waiting_n[server] = max(record.peak_waiting_n[server], waits.max())
            record.waiting_at_end_n[server] = waits[-1] if start + DAY_S >= self.horizon_s else 0
        if self.horizon_s <= TIMELINE_LONGEST_S:
            arrived = day.sum(axis=0, dtype=np.int64)
            served = arrived - turned_away
            served -= waiting
            served[0] += self._held_before[at]
            served[1:] += waiting[:-1]
            self._add_minutes(record, server, arrived, served, waiting)

    def _add_minutes(
        self,
        record: StageRecord,
        server: int,
        arrived: NDArray[Any],
        served: NDArray[Any],
        waits: NDArray[Any],
    ) -> None:
        """Add the minutes of the day to the timeline."""
        k = TIMELINE_BIN_S
        start = self._day * DAY_S
        begin = max(0, self.warm_up_s - start)
        end = min(DAY_S, self.horizon_s - start)
        served[:begin] = 0
        served[end:] = 0
        minutes = np.arange(begin // k, -(-end // k))
        last = np.minimum(minutes * k + k, end) - 1
        n_arrived = arrived.reshape(-1, k).sum(axis=1)
        n_served = served.reshape(-1, k).sum(axis=1)
        self._timeline.append(
            (
                record.name,
                record.servers[server],
                start + minutes * k,
                n_arrived[minutes],
                n_served[minutes],
                waits[last],
            )
        )

    # -- reading, once, at the end -----------------------------------------------------------------

    def frames(
        self,
        sizes: Mapping[str, Mapping[str, int]],
        told: Sequence[str],
        n_cells: Mapping[str, int],
    ) -> dict[str, pd.DataFrame]:
        """Return the recorder's tables. *sizes*: segment → kind → bytes a message. *told*: the
        kinds with a target; *n_cells*: of each region with cells.
        """
        arrivals = []
        peaks = []
        stages = []
        delays = []
        names = (*self.kinds, "alerts", "all")
        for record in sorted(self.stages, key=lambda r: r.name):
            for s, server in sorted(enumerate(record.servers), key=lambda pair: pair[1]):
                where = (record.name, server)
                for k, kind in sorted(enumerate(self.kinds), key=lambda pair: pair[1]):
                    n = record.quarter_n[s, k]
                    arrivals += [
                        (*where, kind, q, n[q], record.quarter_peak[s, k, q])
                        for q in np.flatnonzero(n)
                    ]
                    if (s, k) in record.delays:
                        delays.append((*where, kind, *_by_delay(record.delays[s, k])))
                for g, name in sorted(enumerate(names), key=lambda pair: pair[1]):
                    peaks += [
                        (*where, name, b, record.peak_n[s, g, p], record.peak_at[s, g, p])
                        for p, b in enumerate(PEAK_BINS_S)
                    ]
                came = record.quarter_n[s].sum(axis=1)
                if not came.any():  # then reports stand for what would come
                    came = np.array([kind == VERSION_REPORT for kind in self.kinds], np.int64)
                n, n_bytes = int(came.sum()), int(record.sizes @ came)
                capacity = in_messages(record.capacities[s], n, n_bytes)
                stages.append(
                    (
                        *where,
                        capacity,
                        self.horizon_s - self.warm_up_s,
                        record.over_capacity_s[s],
                        record.waiting_s[s],
                        record.peak_waiting_n[s],
                        record.waiting_at_end_n[s],
                    )
                )
        for k, counts in self._end_to_end.items():
            delays.append(("end_to_end", "all", self.kinds[k], *_by_delay(counts)))
        crossed = [
            (segment, kind, n, n * sizes[segment][kind])
            for (segment, kind), n in sorted(self.crossed.items())
            if n
        ]
        by_name = sorted((kind, k) for k, kind in enumerate(self.kinds))
        rows: dict[str, Sequence[tuple[Any, ...]]] = {
            "arrivals": arrivals,
            "peaks": peaks,
            "stages": stages,
            "fates": [(*key, n) for key, n in sorted(self.fates.items()) if n],
            "attempts": [(kind, *self.attempts[k]) for kind, k in by_name],
            "rows": sorted((*key, *counted) for key, counted in self.rows.items() if any(counted)),
            "cells": [
                (name, n, *self._cells[region])
                for region, (name, n) in enumerate(sorted(n_cells.items()))
            ],
            "segments": crossed,
            "targets": [
                (kind, self.targets[k], self.attempts[k, 0], self._late[k])
                for kind, k in by_name
                if kind in told
            ],
        }
        tables = {name: from_rows(name, table) for name, table in rows.items()}
        delays.sort(key=lambda block: block[:3])
        self._timeline.sort(key=lambda block: block[:2])
        tables["delays"] = _in_columns("delays", delays)
        tables["timeline"] = _in_columns("timeline", self._timeline)
        return tables | {"around_peaks": self._around_peaks()}

    def _around_peaks(self) -> pd.DataFrame:
        """Return the table `around_peaks`."""
        blocks = []
        for record in sorted(self.stages, key=lambda r: r.name):
            for server, first_s, told in sorted(self._told(record), key=lambda found: found[0]):
                for block in eventful(
                    told,
                    self.kinds,
                    first_s,
                    self.warm_up_s,
                    self.horizon_s,
                ):
                    blocks.append((record.name, server, *block))
        return _in_columns("around_peaks", blocks)

    def _told(self, record: StageRecord) -> Iterator[tuple[str, int, NDArray[Any]]]:
        """Yield of each server of a stage its name, and what is told of the seconds around its
        peak, with the first of them; of cells the busiest alone.
        """
        if record.name == "cell":
            busiest = self._busiest[0]
            if busiest["region"] >= 0:
                server = record.servers[busiest["region"]]
                yield server, int(busiest["at"]), self._around
            return
        always_late = np.array(self.targets) < record.before_s
        for server, around in zip(record.servers, record.around, strict=True):
            first_s = around.at_s - AROUND_PEAK_S
            yield server, first_s, around.told(always_late)


def in_messages(capacity: Capacity | None, n: int, n_bytes: int) -> float:
    """Return a *capacity* in messages a second; one in bytes in messages of the mean size of the
    *n* that came, *n_bytes* together. `inf` where nothing is limited, or what came has no bytes.
    """
    if capacity is None or (capacity.in_bytes and not n_bytes):
        return float("inf")
    return float(capacity.rate * n / n_bytes if capacity.in_bytes else capacity.rate)


def _by_delay(counts: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the delays that *counts*, by delay, has any of, and how many of each."""
    delay_s = np.flatnonzero(counts)
    return delay_s, counts[delay_s]


def _in_columns(name: str, blocks: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """Return the table *name* of *blocks*: a word for each column of words, which come first, and
    for each further column an array of its values.
    """
    columns: dict[str, Any] = {}
    for number, column in enumerate(TABLES[name].columns):
        parts = [block[number] for block in blocks]
        values = np.zeros(0, np.int64)
        if column.dtype == "str":
            words = np.array(parts, object)
            lengths = [len(block[-1]) for block in blocks]
            values = np.repeat(words, lengths)
        elif parts:
            values = np.concatenate(parts)
        columns[column.name] = values
    return frame(name, columns)


def from_rows(name: str, rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """Return *rows*, tuples in the declared column order, as the declared table *name*."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(TABLES[name].columns)
    return frame(name, dict(zip(TABLES[name].names, columns, strict=True)))
