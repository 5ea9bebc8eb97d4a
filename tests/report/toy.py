"""A stand-in for the model, of fluid minutes: an outage, what waits, and what is sent again; quick,
and with answers known beforehand.
"""

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
    """Return the tables of a world whose DSP is out: each minute brings so much, sent as often as
    what waits is late, and serves what it can.
    """
    outage = scenario.faults.stage_outages[0]
    dsp = next(stage for stage in scenario.network if stage.stage == "dsp")
    end_s, warm_up_s = outage.start + outage.duration, scenario.window.warm_up
    horizon_s = warm_up_s + scenario.window.length
    capacity = float(dsp.capacity.rate)
    row = _retry(scenario)
    rate = MEAN * float(scenario.traffic.level) * (1 + 0.002 * replication)
    waiting, minutes, first, sent = 0.0, [], 0, 0
    for start_s in range(0, horizon_s, 60):
        came = rate * 60 * _attempts(row, waiting / capacity)
        served = 0 if outage.start <= start_s < end_s else min(waiting + came, capacity * 60)
        waiting += came - served
        first, sent = first + int(rate * 60), sent + int(came)
        minutes.append(("dsp", "dsp", start_s, int(came), int(served), int(waiting)))
    return tables(
        triggers=[("stage_outages", f"{outage.stage}/{outage.server}", outage.start, end_s)],
        timeline=minutes,
        stages=[("dsp", "dsp", capacity, scenario.window.length, 0, 0, int(waiting), int(waiting))],
        attempts=[("reading", first, sent, sent - first)],
        kinds=[("reading", "", False, False, False, -1.0)],
        fates=[("reading", "delivered", "", first)],
        population=[("premises", region, 100) for region in sorted(scenario.estate.regions)],
    )


REPORTS, CHATTER, OUTAGES = 2000, 4000, 300  # a day


def _row(scenario, kind):
    return next(
        (row for stage in scenario.network for row in stage.mitigations if row.kind == kind), None
    )


def _busiest(scenario) -> float:
    """Return how many messages come in the busiest second: all reports at once, or spread by a
    jitter; sent again as often as the cap says.
    """
    if scenario.reporting.rule == "none":
        return 20.0
    jitter, retry = _row(scenario, "jitter"), _row(scenario, "retry")
    return 20 + 900 / (1 + jitter.window / 10 if jitter else 1) * (1 + (retry.cap if retry else 0))


def _rows(scenario, suppressed):
    """Return the rows of the table `rows`, with what each stopped."""
    found = []
    for stage in scenario.network:
        for number, row in enumerate(stage.mitigations):
            kinds = {
                "alert_storm_protection": [("chatter", suppressed), ("version_report", 0)],
                "dedupe": [("power_outage", 150)],
                "shed": [("version_report", 1500)],
            }.get(row.kind, [])
            found += [(stage.stage, number, row.kind, kind, n, 0) for kind, n in kinds]
            found += (
                [(stage.stage, number, "jitter", "version_report", 0, REPORTS)]
                if row.kind == "jitter"
                else []
            )
    return found


def storm(scenario, replication: int, **_: object) -> Tables:
    """Return the tables of a day in which every home reports at once and one device chatters, as
    its mitigations make it.
    """
    loud, capacity = scenario.reporting.rule != "none", 50.0
    peak = int(_busiest(scenario)) + replication
    shed, dedupe = _row(scenario, "shed"), _row(scenario, "dedupe")
    late = 0 if shed else max(0, int(peak - capacity)) * 3
    throttled = 3900 if _row(scenario, "alert_storm_protection") else 0
    reports = REPORTS if loud else 0
    fates = [
        ("on_demand", "delivered", "", 5000),
        ("chatter", "delivered", "", CHATTER - throttled),
        ("chatter", "throttled", "dsp", throttled),
    ]
    fates += [
        ("power_outage", "delivered", "", OUTAGES - 150 * bool(dedupe)),
        ("power_outage", "consolidated", "hub", 150 * bool(dedupe)),
    ]
    fates += (
        [
            ("version_report", "delivered", "", reports - 1500 * bool(shed)),
            ("version_report", "refused", "dsp", 1500 * bool(shed)),
        ]
        if loud
        else []
    )
    n = {
        kind: sum(row[3] for row in fates if row[0] == kind)
        for kind in dict.fromkeys(row[0] for row in fates)
    }
    load = 40 * (1 + 30 * loud) if not throttled else 30
    return tables(
        kinds=[
            ("version_report", "", True, True, False, -1.0),
            ("chatter", "8F3E", True, True, False, -1.0),
            ("power_outage", "AD1", True, True, True, -1.0),
            ("on_demand", "", False, False, False, -1.0),
        ],
        fates=fates,
        attempts=[(kind, total, total, 0) for kind, total in n.items()],
        rows=_rows(scenario, throttled),
        targets=[
            ("on_demand", 25, 5000, 10 + late),
            ("power_outage", 25, OUTAGES, late // 20),
            ("version_report", 79_200, reports, 0),
        ],
        delays=[
            ("end_to_end", "all", "version_report", peak, max(1, reports)),
            ("end_to_end", "all", "power_outage", 60, late // 20),
            ("end_to_end", "all", "on_demand", 1, 5000),
        ],
        peaks=[
            (*place, kind, k, peak * (1 + (k > 1)), 0)
            for place in (("csp", "north"), ("dsp", "dsp"))
            for kind in ("alerts", "all")
            for k in (1, 60, 900)
        ],
        stages=[
            ("csp", "north", 900.0, 86_400, 0, 0, 0, 0),
            ("dsp", "dsp", capacity, 86_400, late, late, max(0, peak - 50), 0),
            ("user", "large_a", float("inf"), 86_400, 0, 0, 0, 0),
        ],
        arrivals=[("dsp", "dsp", kind, 8, total, peak) for kind, total in n.items()],
        timeline=[
            ("user", "large_a", 60 * minute, load if minute < 30 else 1, 1, 0)
            for minute in range(1440)
        ],
        operators=[("large_a", 4, 10, 5)],
        population=[("premises", region, 100) for region in sorted(scenario.estate.regions)],
    )


def replicate(scenario, replication: int, **keywords: object) -> Tables:
    """Stand in for an engine: a storm, or an outage where the scenario has one."""
    return (recovery if scenario.faults.stage_outages else storm)(scenario, replication, **keywords)
