"""How much arrives, and how long it takes: rates, peaks and delays at each stage.

Every function takes the tables of one replication and returns the value of each group; a group to
which a metric does not apply is absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.tables import Tables
from sim.units import DAY_S, YEAR_S, added

REPORT = "version_report"
Values = dict[str, float]
Rows = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Window:
    """What a measure must know beside the tables: the lengths of warm-up and measurement in
    seconds.
    """

    warm_up_s: int
    length_s: int

    @property
    def days(self) -> float:
        return self.length_s / DAY_S

    @property
    def years(self) -> float:
        return self.length_s / YEAR_S


def where(table: Any, **equal: object) -> Rows:
    """Return the columns of *table* (a data frame, or columns already) in the rows that have the
    values *equal*; a tuple stands for any of its members.
    """
    chosen: Any = np.ones(len(np.asarray(table[next(iter(equal))])), bool)
    for name, value in equal.items():
        column = np.asarray(table[name])
        chosen &= np.isin(column, value) if isinstance(value, tuple) else column == value
    return {name: np.asarray(table[name])[chosen] for name in table}


def totals(rows: Any, by: str, column: str) -> dict[str, float]:
    """Return the sum of *column* for each value of *by*, in the order of their names."""
    values = np.asarray(rows[column])
    words = np.asarray(rows[by])
    if values.dtype.kind in "iu":  # exact in any order
        numbers, names = pd.factorize(words, sort=True)
        n = len(names)
        whole = np.zeros(n, np.int64)
        np.add.at(whole, numbers, values)
        return {names[i]: int(whole[i]) for i in range(n)}
    sums: dict[str, float] = {}
    pairs = zip(words, values.tolist(), strict=True)
    for name, value in sorted(pairs):
        sums[name] = sums.get(name, 0) + value
    return sums


def in_bands(rows: Rows, column: str, sum_below: float) -> float:
    """Return the value below which *sum_below* of *column* lies: in the bands `low_s` to `high_s`
    of *rows*, linearly within one; rows of one band, as of several device types, count together.
    """
    low, band = np.unique(np.asarray(rows["low_s"]), return_inverse=True)
    size = np.bincount(band, weights=np.asarray(rows[column]))
    high = np.zeros(len(low))
    high[band] = rows["high_s"]
    reached = np.cumsum(size)
    at = int(np.searchsorted(reached, sum_below))
    inside = (sum_below - (reached[at] - size[at])) / size[at]
    return float(low[at] + inside * (high[at] - low[at]))


def pooled(top: Mapping[str, float], bottom: Mapping[str, float]) -> Values:
    """Return top ÷ bottom for each group with something to divide by, and for `all` the ratio of
    the sums.
    """
    ratios = {group: top.get(group, 0) / n for group, n in bottom.items() if n}
    whole = added(bottom.values())
    return ratios | ({"all": added(top.get(group, 0) for group in bottom) / whole} if whole else {})


def servers(values: Mapping[str, float], total: float) -> Values:
    """Return *values* by server and *total* for `all`; a stage with one server of its own name (the
    DSP) has `all` only.
    """
    return (
        {name: value for name, value in values.items() if name != "dsp"} | {"all": total}
        if values
        else {}
    )


def capacities(tables: Tables, stage: str) -> dict[str, float]:
    """Return what each server of *stage* passes on in a second; at `cell`, what the cells of a
    region pass on together.
    """
    limits = totals(where(tables["stages"], stage=stage), "server", "capacity_per_s")
    cells = totals(tables["cells"], "region", "n_cells") if stage == "cell" else {}
    return {
        server: capacity * cells[server] if stage == "cell" else capacity
        for server, capacity in limits.items()
    }


def peak(tables: Tables, window: Window, *, stage: str, kind: str, k_s: int) -> Values:
    """Most arrivals of *kind* at a server of *stage* in any k seconds after warm-up: max over bins
    of k seconds (starting at multiples of k) of the count.

    Groups: server; `all` is the largest server. Unit: messages per k s.
    """
    peaks = totals(where(tables["peaks"], stage=stage, kind=kind, k_s=k_s), "server", "peak_n")
    return servers(peaks, max(peaks.values(), default=0))


def mean_rate(
    tables: Tables, window: Window, *, stage: str, kinds: tuple[str, ...] | None
) -> Values:
    """Mean arrivals per second at *stage* after warm-up: arrivals ÷ seconds measured, of *kinds*
    (None: of every kind).

    Groups: server; `all` is the sum over servers. Unit: messages/s.
    """
    arrivals = where(tables["arrivals"], stage=stage)
    n = totals(arrivals if kinds is None else where(arrivals, kind=kinds), "server", "n")
    rates = {
        server: n.get(server, 0) / window.length_s
        for server in sorted(where(tables["stages"], stage=stage)["server"])
    }
    return servers(rates, added(rates.values()))


def mean_alert_rate(tables: Tables, window: Window, *, stage: str) -> Values:
    """Mean alerts per second at *stage*: `mean_rate` of the kinds marked as alerts in the table
    `kinds`.
    """
    kinds = tables["kinds"]
    return (
        mean_rate(
            tables, window, stage=stage, kinds=tuple(where(kinds, alert=True)["kind"].tolist())
        )
        if len(kinds["kind"])
        else {}
    )


def peak_to_mean(tables: Tables, window: Window, *, stage: str) -> Values:
    """Alerts in the busiest second ÷ mean alerts per second, of the same server: how bunched the
    alerts are.

    Groups: server; `all` is that of the server with the highest peak. Unit: none.
    """
    peaks = totals(where(tables["peaks"], stage=stage, kind="alerts", k_s=1), "server", "peak_n")
    means = mean_alert_rate(tables, window, stage=stage)
    ratios = {
        server: n / mean
        for server, n in peaks.items()
        if (mean := means.get("all" if server == "dsp" else server))
    }
    return servers(ratios, ratios[max(ratios, key=lambda server: peaks[server])]) if ratios else {}


def load_share(tables: Tables, window: Window, *, stage: str) -> Values:
    """Mean arrivals per second ÷ capacity: the share of the stage's capacity in use. Absent at a
    server whose capacity is unlimited or nil.

    At `cell`, of a region's cells together. Groups: server; `all` is arrivals ÷ capacity of those
    servers. Unit: share.
    """
    capacity = capacities(tables, stage)
    capacity = {name: c for name, c in capacity.items() if c not in (0, float("inf"))}
    if not capacity:
        return {}
    n = totals(where(tables["arrivals"], stage=stage), "server", "n")
    shares = pooled({server: n.get(server, 0) / window.length_s for server in capacity}, capacity)
    return (
        servers(
            {server: share for server, share in shares.items() if server != "all"}, shares["all"]
        )
        if shares
        else {}
    )


def _passed(tables: Tables, stage: str) -> dict[str, Rows]:
    """Return the delays of the messages that *stage* passed on by kind, and of `all`."""
    delays = where(tables["delays"], stage=stage)
    groups = {kind: where(delays, kind=kind) for kind in sorted(set(delays["kind"]))}
    return groups | {"all": delays}


def _came(tables: Tables, stage: str) -> dict[str, float]:
    """Return how many messages came to *stage* by kind: those that it passed on, that ended there,
    and that wait there when the window ends. Of a kind that is sent again, attempts: what arrived.
    """
    passed = totals(where(tables["delays"], stage=stage), "kind", "n")
    if stage == "end_to_end":
        fates: Any = np.asarray(tables["fates"]["fate"])
        undelivered = where(
            tables["fates"], fate=tuple(sorted(set(fates.tolist()) - {"delivered"}))
        )
        ended = totals(undelivered, "kind", "n")
    else:
        ended = totals(where(tables["fates"], stage=stage), "kind", "n")
        for kind, n in _waiting_at_end(tables, stage).items():
            ended[kind] = ended.get(kind, 0) + n
    came = {kind: passed.get(kind, 0) + ended.get(kind, 0) for kind in sorted({*passed, *ended})}
    if stage != "end_to_end":
        arrived = totals(where(tables["arrivals"], stage=stage), "kind", "n")
        came |= {
            kind: max(came.get(kind, 0), arrived.get(kind, 0))
            for kind in sorted(_sent_again(tables))
        }
    return {kind: n for kind, n in came.items() if n}


def _sent_again(tables: Tables) -> set[str]:
    """Return the kinds of which a message made more than one attempt."""
    attempts = totals(tables["attempts"], "kind", "n_attempts")
    messages = totals(tables["attempts"], "kind", "n_messages")
    return {kind for kind, n in attempts.items() if n > messages[kind]}


def _waiting_at_end(tables: Tables, stage: str) -> dict[str, float]:
    """Return how many messages wait at *stage* when the window ends, by kind as those under way
    are.
    """
    waiting = added(where(tables["stages"], stage=stage)["waiting_at_end_n"].tolist())
    under_way = totals(where(tables["fates"], fate="in_flight"), "kind", "n")
    whole = added(under_way.values())
    share = min(1.0, waiting / whole) if whole else 0.0
    return {kind: n * share for kind, n in under_way.items()} if share else {}


def came_share(tables: Tables, window: Window, *, stage: str) -> Values:
    """Share of the messages raised that came to *stage*: the others ended before it, or take
    another way. Of a kind that is sent again attempts count, and all of it counts as come at the
    most.

    Groups: kind; `all` is every kind together. Unit: share.
    """
    came, raised = _came(tables, stage), totals(tables["fates"], "kind", "n")
    return (
        pooled({kind: min(n, raised.get(kind, 0)) for kind, n in came.items()}, raised)
        if came
        else {}
    )


def passed_share(tables: Tables, window: Window, *, stage: str) -> Values:
    """Share of the messages that came to *stage* which it passed on; `end_to_end`, of all raised,
    which reached the SMI. Of messages raised after warm-up; of a kind that is sent again, attempts.

    Groups: kind; `all` is every kind together. Unit: share.
    """
    return pooled(totals(where(tables["delays"], stage=stage), "kind", "n"), _came(tables, stage))


def delay(tables: Tables, window: Window, *, stage: str, share: float) -> Values:
    """Delay that *share* of all messages do not exceed, those that were never passed on included:
    the least d with (messages passed on after d or less) ≥ share × messages that came; infinite
    where fewer than that were passed on at all.

    At a stage, from arrival to departure; `end_to_end`, from being raised to the SMI. Who came is
    that of `passed_share`. Groups: kind; `all` is every kind together. Unit: s.
    """
    came, passed = _came(tables, stage), _passed(tables, stage)
    came |= {"all": added(came.values())} if came else {}
    return {kind: _quantile(passed.get(kind), share * n) for kind, n in came.items()}


def longest_delay(tables: Tables, window: Window, *, stage: str) -> Values:
    """Longest delay of the messages that *stage* passed on; `end_to_end`, from being raised to the
    SMI. Of messages raised after warm-up. Groups: kind; `all` is every kind together. Unit: s.
    """
    passed = _passed(tables, stage)
    return {kind: float(rows["delay_s"].max()) for kind, rows in passed.items() if len(rows["n"])}


def _quantile(delays: Rows | None, n: float) -> float:
    """Return the delay within which *n* messages were passed on; infinite where they never were."""
    if delays is None or not len(delays["n"]):
        return float("inf")
    order = np.argsort(delays["delay_s"], kind="stable")
    reached = np.cumsum(delays["n"][order])
    place = int(np.searchsorted(reached, n))
    return float(delays["delay_s"][order][place]) if place < len(reached) else float("inf")
