"""A stand-in for the model, of fluid minutes: an outage, what waits, and what is sent again; quick, and with answers known beforehand."""

from __future__ import annotations

from sim.tables import Tables
from tests.metrics.hand import tables

MEAN = 6.0  # messages a second at 100 % of the traffic
TIMEOUT_S = 30


def _retry(scenario):
    rows = [row for stage in scenario.network for row in stage.mitigations if row.kind == "retry"]
    return rows[0] if rows else None


def _attempts(row, wait_s):
    """Return how often a message that waits so long is sent."""
    if row is None:
        return 1.0
    limit = row.cap if row.budget is None else min(row.cap, float(row.budget))
    return 1 + min(limit, wait_s / TIMEOUT_S)


def recovery(scenario, replication: int, **_: object) -> Tables:
    """Return the tables of a world whose DSP is out: each minute brings so much, sent as often as what waits is late, and serves what it can."""
    outage, dsp = scenario.faults.stage_outages[0], next(stage for stage in scenario.network if stage.stage == "dsp")
    end_s, warm_up_s = outage.start + outage.duration, scenario.window.warm_up
    horizon_s, capacity, row = warm_up_s + scenario.window.length, float(dsp.capacity), _retry(scenario)
    rate = MEAN * float(scenario.traffic.level) * (1 + 0.002 * replication)
    waiting, minutes, first, sent = 0.0, [], 0, 0
    for start_s in range(0, horizon_s, 60):
        came = rate * 60 * _attempts(row, waiting / capacity)
        served = 0 if outage.start <= start_s < end_s else min(waiting + came, capacity * 60)
        waiting += came - served
        first, sent = first + int(rate * 60), sent + int(came)
        minutes.append(("dsp", "dsp", start_s, int(came), int(served), int(waiting)))
    return tables(
        triggers=[("stage_outages", f"{outage.stage}/{outage.server}", outage.start, end_s)], timeline=minutes,
        stages=[("dsp", "dsp", capacity, scenario.window.length, 0, 0, int(waiting), int(waiting))],
        attempts=[("reading", first, sent, sent - first)], kinds=[("reading", "", False, False, False)], fates=[("reading", "delivered", "", first)],
        population=[("premises", region, 100) for region in sorted(scenario.estate.regions)],
    )  # fmt: skip


replicate = recovery
