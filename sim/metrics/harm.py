"""What a crowd does to the others: messages refused, late and waiting, and stages past their
capacity.
"""

from __future__ import annotations

import numpy as np

from sim.metrics.load import Rows, Values, Window, pooled, servers, totals, where
from sim.tables import Tables
from sim.units import added


def _limited(tables: Tables, stage: str) -> Rows:
    """Return the servers of *stage* whose capacity is limited."""
    rows = where(tables["stages"], stage=stage)
    return {name: column[np.isfinite(rows["capacity_per_s"])] for name, column in rows.items()}


def _shares_of_time(tables: Tables, stage: str, column: str) -> Values:
    """Return seconds counted in *column* ÷ seconds measured, where capacity is limited."""
    limited = _limited(tables, stage)
    seconds, measured = totals(limited, "server", column), totals(limited, "server", "measured_s")
    shares = {server: seconds[server] / measured[server] for server in seconds if measured[server]}
    return servers(shares, max(shares.values(), default=0))


def over_capacity_share(tables: Tables, window: Window, *, stage: str) -> Values:
    """Share of seconds in which more arrives than capacity allows in that second: such seconds ÷
    seconds measured. Absent where capacity is unlimited.

    Groups: server; `all` is the worst server. Unit: share.
    """
    return _shares_of_time(tables, stage, "over_capacity_s")


def over_capacity_s(tables: Tables, window: Window, *, stage: str) -> Values:
    """Time over capacity: seconds in which more arrives than capacity allows in that second (at
    `cell`, at any cell). Absent where capacity is unlimited.

    Groups: server; `all` is the worst server. Unit: s.
    """
    seconds = totals(_limited(tables, stage), "server", "over_capacity_s")
    return servers(seconds, max(seconds.values(), default=0))


def waiting_share(tables: Tables, window: Window, *, stage: str) -> Values:
    """Share of seconds after whose service something still waits: such seconds ÷ seconds measured.
    Absent where capacity is unlimited.

    Groups: server; `all` is the worst server. Unit: share.
    """
    return _shares_of_time(tables, stage, "waiting_s")


def peak_waiting(tables: Tables, window: Window, *, stage: str) -> Values:
    """Most messages waiting at a server after any second's service. Absent where capacity is
    unlimited.

    Groups: server; `all` is the largest server. Unit: messages.
    """
    waiting = totals(_limited(tables, stage), "server", "peak_waiting_n")
    return servers(waiting, max(waiting.values(), default=0))


def waiting_at_end(tables: Tables, window: Window, *, stage: str) -> Values:
    """Messages that still wait at *stage* when the window ends. Absent where capacity is unlimited.

    Groups: server; `all` is all servers together. Unit: messages.
    """
    waiting = totals(_limited(tables, stage), "server", "waiting_at_end_n")
    return servers(waiting, added(waiting.values()))


def attempted_share(tables: Tables, window: Window) -> Values:
    """Share of the messages raised that made an attempt to cross the network: the others were
    stopped, lost or in the dark before. Groups: kind; `all` is every kind together. Unit: share.
    """
    made = totals(tables["attempts"], "kind", "n_messages")
    return pooled(made, totals(tables["fates"], "kind", "n")) if made else {}


def refused_share(tables: Tables, window: Window, *, stage: str) -> Values:
    """Share of the messages that made an attempt to cross the network which *stage* refused for
    good: refused there ÷ messages that made an attempt.

    Groups: kind; `all` is every kind together. Unit: share.
    """
    entered = (
        totals(tables["attempts"], "kind", "n_messages")
        if stage in set(tables["stages"]["stage"])
        else {}
    )
    return pooled(totals(where(tables["fates"], fate="refused", stage=stage), "kind", "n"), entered)


def late_share(tables: Tables, window: Window) -> Values:
    """Share of the messages that made an attempt which miss their response-time target (refused
    ones miss it): late ÷ made an attempt.

    Groups: kind; `all` is every kind together. Unit: share.
    """
    return pooled(
        totals(tables["targets"], "kind", "n_late"), totals(tables["targets"], "kind", "n")
    )


def late_per_day(tables: Tables, window: Window) -> Values:
    """Messages a day that miss their response-time target: late ÷ days measured.

    Groups: kind; `all` is every kind together. Unit: messages/d.
    """
    late = {
        kind: n / window.days for kind, n in totals(tables["targets"], "kind", "n_late").items()
    }
    return late | {"all": added(late.values())} if late else {}
