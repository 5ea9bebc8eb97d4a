"""Whether the world recovers by itself after what went wrong, and how long it takes; from the
minutes of the table `timeline`.

A *trigger* is a stroke of a fault; it lasts from the first stroke's start to the last one's end. A
server is *calm* at the end of a minute when no more waits there than ever did before the trigger,
or than it passes on in one second, whichever is more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.metrics.load import Values, Window, capacities, where
from sim.tables import TIMELINE_BIN_S, Tables
from sim.units import HOUR_S

HOUR: Final = HOUR_S // TIMELINE_BIN_S  # in minutes
# more arrivals turned away than before by a point of a hundred is not back to normal
UNSERVED_MORE: Final = 0.01


@dataclass(frozen=True, slots=True)
class _Line:
    """The minutes measured at one server: when each starts, what came, was served and waits; its
    capacity a second; and its name, `stage/server`.
    """

    name: str
    start_s: NDArray[np.int64]
    arrived: NDArray[np.int64]
    served: NDArray[np.int64]
    waiting: NDArray[np.int64]
    capacity: float

    def calm(self, trigger_s: int) -> Any:
        """Return whether the server is calm at the end of each minute, the trigger having come at
        *trigger_s*.
        """
        before = self.waiting[self.start_s + TIMELINE_BIN_S <= trigger_s]
        return self.waiting <= max(int(before.max(initial=0)), self.capacity)

    def load(self, minutes: Any) -> float | None:
        """Return arrivals ÷ capacity over *minutes*; None where there are none, or no limit."""
        n = int(minutes.sum())
        return (
            float(self.arrived[minutes].sum()) / (n * TIMELINE_BIN_S * self.capacity)
            if n and np.isfinite(self.capacity) and self.capacity
            else None
        )

    def unserved(self, minutes: Any) -> float:
        """Return the share of arrivals in *minutes*, which touch, that were neither served nor are
        waiting: turned away.
        """
        if not (came := int(self.arrived[minutes].sum())):
            return 0.0
        first, last = np.flatnonzero(minutes)[[0, -1]]
        grown = int(self.waiting[last]) - int(self.waiting[first - 1] if first else 0)
        return (came - int(self.served[minutes].sum()) - grown) / came


def _lines(tables: Tables, window: Window) -> Iterator[_Line]:
    """Yield the minutes of every server, after warm-up."""
    for stage in sorted(set(np.asarray(tables["stages"]["stage"]).tolist())):
        rows = where(tables["timeline"], stage=stage)
        for server, capacity in sorted(capacities(tables, stage).items()):
            here = where(rows, server=server)
            order = np.argsort(here["start_s"], kind="stable")
            order = order[here["start_s"][order] >= window.warm_up_s]
            if len(order):
                start_s, arrived, served, waiting = (
                    here[name][order] for name in ("start_s", "n_arrived", "n_served", "waiting_n")
                )
                yield _Line(f"{stage}/{server}", start_s, arrived, served, waiting, capacity)


def _trigger(tables: Tables, window: Window) -> tuple[int, int] | None:
    """Return when the first trigger began and the last ended; None where there was none, or less
    than an hour is left after it.
    """
    starts, ends = (np.asarray(tables["triggers"][name]) for name in ("start_s", "end_s"))
    if not len(starts) or ends.max() + HOUR_S > window.warm_up_s + window.length_s:
        return None
    return int(starts.min()), int(ends.max())


def _slowest(values: Values) -> Values:
    return values | {"all": max(values.values())} if values else {}


def drain_time(tables: Tables, window: Window) -> Values:
    """Time from the end of the last trigger to the end of the first minute from which a server is
    calm for an hour; 0 if it is from the minute of that end.

    Calm: no more waits than ever did before the trigger, or than is passed on in one second. Absent
    where there was no trigger; infinite where a server is not calm for an hour before the window
    ends: then it did not drain. Groups: `stage/server`; `all` is the slowest. Unit: s.
    """
    if (trigger := _trigger(tables, window)) is None:
        return {}
    drained = {}
    for line in _lines(tables, window):
        after = np.flatnonzero(line.start_s + TIMELINE_BIN_S > trigger[1])
        calm = line.calm(trigger[0])[after]
        hours = (
            np.flatnonzero(np.convolve(calm, np.ones(HOUR, int), "valid") == HOUR)
            if len(calm) >= HOUR
            else np.array([], int)
        )
        drained[line.name] = float("inf")
        if len(hours):
            drained[line.name] = (
                float(line.start_s[after[hours[0]]] + TIMELINE_BIN_S - trigger[1])
                if hours[0]
                else 0.0
            )
    return _slowest(drained)


def returned_to_normal(tables: Tables, window: Window) -> Values:
    """Whether the world is back to normal in the last hour of the window, by itself: 1 if so, else
    0; over replications, the share in which it is.

    It is when every server is calm in every minute of that hour and turns away no more of what
    arrives than before the trigger (by a point of a hundred). Absent without a trigger, or when
    less than an hour is left after it. Groups: `stage/server`; `all` is 1 if every server is. Unit:
    share.
    """
    if (trigger := _trigger(tables, window)) is None:
        return {}
    back = {}
    for line in _lines(tables, window):
        last, before = _last_hour(line, window), line.start_s + TIMELINE_BIN_S <= trigger[0]
        more = line.unserved(last) - line.unserved(before)
        back[line.name] = float(bool(line.calm(trigger[0])[last].all()) and more <= UNSERVED_MORE)
    return back | {"all": min(back.values())} if back else {}


def _last_hour(line: _Line, window: Window) -> Any:
    return line.start_s >= window.warm_up_s + window.length_s - HOUR_S


def load_before(tables: Tables, window: Window) -> Values:
    """Arrivals ÷ capacity in the last hour before the first trigger (as much of it as is measured):
    the load on the way up. Absent where unlimited.

    Groups: `stage/server`; `all` is the highest. Unit: share.
    """
    if (trigger := _trigger(tables, window)) is None:
        return {}
    hour = {
        line.name: line.load(
            (line.start_s >= trigger[0] - HOUR_S) & (line.start_s + TIMELINE_BIN_S <= trigger[0])
        )
        for line in _lines(tables, window)
    }
    return _slowest({name: load for name, load in hour.items() if load is not None})


def load_after(tables: Tables, window: Window) -> Values:
    """Arrivals ÷ capacity in the last hour of the window, after the trigger: the load on the way
    down, retries included. Absent where unlimited.

    Groups: `stage/server`; `all` is the highest. Unit: share.
    """
    if _trigger(tables, window) is None:
        return {}
    return _slowest(
        {
            line.name: load
            for line in _lines(tables, window)
            if (load := line.load(_last_hour(line, window))) is not None
        }
    )


def drain_fluid(tables: Tables, window: Window) -> Values:
    """Time to drain in the fluid limit, were nothing sent twice: backlog λD ÷ spare capacity (μ −
    λ), D the length of a server's last outage, λ its arrivals.

    λ is that of `load_before_share`. Absent for servers that were not out (`stage_outages`);
    infinite where λ ≥ μ: that never drains. Groups: `stage/server`; `all` is the slowest. Unit: s.
    """
    out = where(tables["triggers"], what="stage_outages")
    before = load_before(tables, window)
    found = {}
    for name, load in before.items():
        struck = np.isin(out["place"], [name, f"{name.partition('/')[0]}/all"])
        if struck.any():
            start_s, end_s = (
                out[edge][struck][np.argmax(out["end_s"][struck])] for edge in ("start_s", "end_s")
            )
            found[name] = float(end_s - start_s) * load / (1 - load) if load < 1 else float("inf")
    return _slowest(found)
