"""What a storm is made of, and what it costs: attempts, room left, genuine alerts, what protections
stop, single WAN cells, and people who must look.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.metrics.load import Rows, Values, Window, capacities, pooled, servers, totals, where
from sim.tables import TIMELINE_BIN_S, Tables
from sim.units import QUARTER_S, added

OPERATOR_BIN_S: Final = 600
# fates in which nobody sees the message itself
SUPPRESSED: Final = ("consolidated", "throttled", "refused", "expired", "lost")


def amplification(tables: Tables, window: Window) -> Values:
    """Attempts to cross the network ÷ messages that made any: how many times over a storm carries
    itself; 1 without retries.

    Of messages raised after warm-up. Groups: kind; `all` is every kind together. Unit: none.
    """
    return pooled(
        totals(tables["attempts"], "kind", "n_attempts"),
        totals(tables["attempts"], "kind", "n_messages"),
    )


def wasted_share(tables: Tables, window: Window) -> Values:
    """Share of the attempts that reached the SMI's door when their message had already ended, so
    that carrying them was for nothing: wasted ÷ attempts.

    Groups: kind; `all` is every kind together. Unit: share.
    """
    return pooled(
        totals(tables["attempts"], "kind", "n_wasted"),
        totals(tables["attempts"], "kind", "n_attempts"),
    )


def headroom_share(tables: Tables, window: Window, *, stage: str) -> Values:
    """Room left in the busiest quarter of an hour: 1 − peak_900 ÷ (capacity × 900 s); below 0, more
    came than could be passed on. Absent where unlimited.

    At `cell`, of a region's cells together. Groups: server; `all` is the server with least room.
    Unit: share.
    """
    peaks = totals(
        where(tables["peaks"], stage=stage, kind="all", k_s=QUARTER_S), "server", "peak_n"
    )
    limits = {
        server: c for server, c in capacities(tables, stage).items() if c not in (0, float("inf"))
    }
    rooms = {server: 1 - peaks.get(server, 0) / (c * QUARTER_S) for server, c in limits.items()}
    return servers(rooms, min(rooms.values(), default=0))


# -- genuine alerts --------------------------------------------------------------------------------


def _genuine(tables: Tables) -> dict[str, str]:
    """Return the kinds of genuine alert that were raised by a known sender, each with its code, or
    its own name where it has none.

    Anonymous alerts are left out: nobody has published what they tell of, and they are so many that
    they would hide what becomes of those that matter.
    """
    kinds: Any = where(tables["kinds"], genuine=True, alert=True, named=True)
    raised = {kind for kind, n in totals(tables["fates"], "kind", "n").items() if n}
    return {
        kind: code or kind
        for kind, code in zip(kinds["kind"].tolist(), kinds["code"].tolist(), strict=True)
        if kind in raised
    }


def _by_code(tables: Tables, n: dict[str, float]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for kind, code in sorted(_genuine(tables).items()):
        sums[code] = sums.get(code, 0) + n.get(kind, 0)
    return sums


def _delayed(tables: Tables) -> dict[str, float]:
    """Return how many messages of each kind with a target reached the SMI later than it."""
    delays = where(tables["delays"], stage="end_to_end")
    targets = totals(tables["targets"], "kind", "target_s")
    late = [
        kind in targets and delay > targets[kind]
        for kind, delay in zip(delays["kind"].tolist(), delays["delay_s"].tolist(), strict=True)
    ]
    return totals(
        {name: column[np.array(late, bool)] for name, column in delays.items()}, "kind", "n"
    )


def genuine_suppressed_share(tables: Tables, window: Window) -> Values:
    """Share of the genuine alerts raised that never reached the SMI themselves: (consolidated +
    throttled + refused + expired + lost) ÷ raised.

    Those of premises without WAN or in the dark are among them, with a storm or without. Groups:
    alert code (its kind where it has none); `all` is every genuine kind together. Unit: share.
    """
    suppressed = totals(where(tables["fates"], fate=SUPPRESSED), "kind", "n")
    return pooled(
        _by_code(tables, suppressed), _by_code(tables, totals(tables["fates"], "kind", "n"))
    )


def genuine_delayed_share(tables: Tables, window: Window) -> Values:
    """Share of the genuine alerts raised that reached the SMI later than their target, past
    usefulness: (delivered with raised → SMI > target) ÷ raised.

    Groups: alert code; `all` is every genuine kind together. Unit: share.
    """
    return pooled(
        _by_code(tables, _delayed(tables)), _by_code(tables, totals(tables["fates"], "kind", "n"))
    )


def genuine_loss_share(tables: Tables, window: Window) -> Values:
    """Genuine alerts suppressed or delayed past usefulness, by code class:
    `genuine_suppressed_share` + `genuine_delayed_share`.

    Groups: alert code; `all` is every genuine kind together. Unit: share.
    """
    late = genuine_delayed_share(tables, window)
    return {
        code: share + late[code] for code, share in genuine_suppressed_share(tables, window).items()
    }


# -- protections -----------------------------------------------------------------------------------


def fate_share(tables: Tables, window: Window, *, fate: str) -> Values:
    """Share of the messages raised that end in this *fate*: n(fate) ÷ n, over all places. Absent
    where no message of any kind was raised.

    Groups: kind; `all` is every kind together. Unit: share.
    """
    return pooled(
        totals(where(tables["fates"], fate=fate), "kind", "n"), totals(tables["fates"], "kind", "n")
    )


def mitigation_per_day(tables: Tables, window: Window, *, column: str) -> Values:
    """Messages a day that a mitigation acted on: stopped (consolidated, throttled or refused), or
    put off to a later second; at a stage, attempts.

    Groups: `stage/mitigation`, rows of one kind at one stage together. Unit: messages/d.
    """
    rows: Any = tables["rows"]
    names = [
        f"{stage}/{kind}" for stage, kind in zip(rows["stage"], rows["mitigation"], strict=True)
    ]
    return {
        name: n / window.days
        for name, n in totals(
            {"name": names, column: np.asarray(rows[column])}, "name", column
        ).items()
    }


def anomaly_alerts_per_day(tables: Tables, window: Window) -> Values:
    """Named alerts a day that anomaly detection counts: all that arrive at the DSP, those that its
    protections then suppress included.

    Groups: kind; `all` is every kind together. Unit: alerts/d.
    """
    alerts = tuple(where(tables["kinds"], named=True, alert=True)["kind"].tolist())
    counted = {
        kind: n / window.days
        for kind, n in totals(
            where(tables["arrivals"], stage="dsp", kind=alerts), "kind", "n"
        ).items()
    }
    return counted | {"all": added(counted.values())} if counted else {}


# -- single WAN cells ------------------------------------------------------------------------------


def busiest_cell(tables: Tables, window: Window, *, column: str) -> Values:
    """The most at any one WAN cell: messages in one second (`peak_1_n`), or messages waiting after
    a second's service (`peak_waiting_n`).

    Groups: region; `all` is the largest. Unit: messages (in one second).
    """
    most = totals(tables["cells"], "region", column)
    return most | {"all": max(most.values())} if most else {}


def cell_time_share(tables: Tables, window: Window, *, column: str) -> Values:
    """Share of the time of all WAN cells spent over capacity, or with something waiting: such
    cell-seconds ÷ (cells × seconds measured).

    Groups: region; `all` is every cell together. Unit: share.
    """
    cells = totals(tables["cells"], "region", "n_cells")
    return pooled(
        totals(tables["cells"], "region", column),
        {region: n * window.length_s for region, n in cells.items()},
    )


# -- people ----------------------------------------------------------------------------------------


def _ten_minutes(tables: Tables, window: Window) -> dict[str, NDArray[np.float64]]:
    """Return for each user with operators the alerts that each operator got in every whole ten
    minutes measured, in order.
    """
    minutes = where(tables["timeline"], stage="user")
    kept = minutes["start_s"] >= -(-window.warm_up_s // OPERATOR_BIN_S) * OPERATOR_BIN_S
    kept &= (
        minutes["start_s"] < (window.warm_up_s + window.length_s) // OPERATOR_BIN_S * OPERATOR_BIN_S
    )
    found = {}
    for user, n in totals(tables["operators"], "user", "n").items():
        here = where({name: column[kept] for name, column in minutes.items()}, server=user)
        if n and len(here["start_s"]):
            bins = (here["start_s"] - here["start_s"].min()) // OPERATOR_BIN_S
            found[user] = np.bincount(bins, weights=here["n_arrived"]) / n
    return found


def _floods(loads: NDArray[np.float64], above: float, below: float) -> list[bool]:
    """Return whether each ten minutes are part of a flood: it begins with more than *above* and
    ends with fewer than *below*.
    """
    flooded, states = False, []
    for load in loads.tolist():
        flooded = load >= below if flooded else load > above
        states.append(flooded)
    return states


def _flood_states(tables: Tables, window: Window) -> dict[str, list[bool]]:
    limits: Rows = {
        name: np.asarray(tables["operators"][name])
        for name in ("user", "flood_above_n", "flood_below_n")
    }
    by_user = {
        user: (above, below)
        for user, above, below in zip(*(column.tolist() for column in limits.values()), strict=True)
    }
    return {
        user: _floods(loads, *by_user[user]) for user, loads in _ten_minutes(tables, window).items()
    }


def operator_alerts_mean(tables: Tables, window: Window) -> Values:
    """Alerts and reports that an operator gets in ten minutes, on average over the whole ten
    minutes measured: arrivals at the user ÷ operators ÷ bins.

    In the manner of alarm management (EEMUA 191, ISA 18.2). Groups: user; `all` is the busiest.
    Unit: alerts/600 s.
    """
    means = {user: float(loads.mean()) for user, loads in _ten_minutes(tables, window).items()}
    return means | {"all": max(means.values())} if means else {}


def operator_alerts_peak(tables: Tables, window: Window) -> Values:
    """Most alerts and reports that an operator gets in any ten minutes (starting at multiples of
    ten minutes).

    Groups: user; `all` is the busiest. Unit: alerts/600 s.
    """
    peaks = {user: float(loads.max()) for user, loads in _ten_minutes(tables, window).items()}
    return peaks | {"all": max(peaks.values())} if peaks else {}


def operator_flood_share(tables: Tables, window: Window) -> Values:
    """Share of the ten minutes measured that are part of a flood of alerts, which begins above
    `flood_above_n` and ends below `flood_below_n` of an operator.

    Groups: user; `all` is the worst. Unit: share.
    """
    shares = {
        user: added(states) / len(states) for user, states in _flood_states(tables, window).items()
    }
    return shares | {"all": max(shares.values())} if shares else {}


def operator_floods(tables: Tables, window: Window) -> Values:
    """Floods of alerts that an operator met: how many began, one that lasted from the first ten
    minutes included.

    Groups: user; `all` is the most. Unit: floods.
    """
    begun = {
        user: float(
            added(now and not before for before, now in zip([False, *states], states, strict=False))
        )
        for user, states in _flood_states(tables, window).items()
    }
    return begun | {"all": max(begun.values())} if begun else {}


assert OPERATOR_BIN_S % TIMELINE_BIN_S == 0
