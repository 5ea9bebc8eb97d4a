"""Metrics: one function a definition, from the tables of one replication to a value for each group,
and the names they are known by.

A name is `noun_qualifier_unit_statistic`. A metric that does not apply is absent, never 0. Shares
are fractions.
"""

from __future__ import annotations

from functools import partial
from math import inf
from typing import Any, Final

import numpy as np

from sim.metrics import cost, firmware, firmware_air, harm, load, records, recovery, storms
from sim.metrics.estimates import Condition, Difference, Estimate, estimate, paired_difference
from sim.metrics.intervals import Kind
from sim.metrics.load import Window
from sim.metrics.metric import Metric, Of, comparable
from sim.tables import TABLES, Tables

__all__ = [
    "METRICS", "Condition", "Difference", "Estimate", "Kind", "Metric", "Window", "comparable",
    "estimate", "measure", "paired_difference",
]  # fmt: skip

# Whom metrics speak of that do not speak of all.
_ARRIVED = Of("end_to_end_passed_share", "messages that reach the SMI")
_ATTEMPTED = Of("attempted_share", "messages that make an attempt")
_KNOWN = Of("record_known_share", "device time with a record")
_HUB_KNOWN = Of("hub_record_known_share", "device time with a record in the hub")
_WRONG = Of("record_wrong_of_all_share", "device time with a wrong record")
_CONFIRMED = Of("confirmed_share", "devices with a report in the SMI")
_REPAIRED = Of("repaired_share", "wrong records that were seen to be mended")
_DETECTED = Of("audit_detected_share", "installations not on the list that an audit found")
_AUDITED = Of("audit_met_share", "audit reads that found a record")
_STEPPED = Of("ota_step_share", "attempts that reached this step")
_SENT = Of("job_sent_share", "jobs that were not withdrawn")
_FINISHED = Of("campaign_finished_share", "campaigns that finished")
_ENDED = Of("campaign_ended_share", "campaigns that ended")

# What happens to every device evenly is a mean; a peak, a quantile, and what happens to few, or
# only sometimes, is skewed.
_MEAN, _SKEWED = Kind.MEAN, Kind.SKEWED
_MULTIPLE = (0, inf)  # of a share that may be more than one


def _of_stage(stage: str, server: str) -> dict[str, Metric]:
    """Return the metrics of a network *stage* whose servers are each a *server*."""
    named = {
        "alerts_per_s_peak": Metric(
            partial(load.peak, stage=stage, kind="alerts", k_s=1), "alerts/s", server, _SKEWED
        ),
        "alerts_per_60s_peak": Metric(
            partial(load.peak, stage=stage, kind="alerts", k_s=60), "alerts/60 s", server, _SKEWED
        ),
        "alerts_per_900s_peak": Metric(
            partial(load.peak, stage=stage, kind="alerts", k_s=900), "alerts/900 s", server, _SKEWED
        ),
        "alerts_per_s_mean": Metric(
            partial(load.mean_alert_rate, stage=stage), "alerts/s", server, _MEAN
        ),
        "messages_per_s_peak": Metric(
            partial(load.peak, stage=stage, kind="all", k_s=1), "messages/s", server, _SKEWED
        ),
        "messages_per_s_mean": Metric(
            partial(load.mean_rate, stage=stage, kinds=None), "messages/s", server, _MEAN
        ),
        "peak_to_mean_ratio": Metric(partial(load.peak_to_mean, stage=stage), "", server, _SKEWED),
        "load_share": Metric(
            partial(load.load_share, stage=stage), "share", server, _MEAN, within=_MULTIPLE
        ),
        "headroom_share": Metric(
            partial(storms.headroom_share, stage=stage), "share", server, _SKEWED, within=(-inf, 1)
        ),
        "over_capacity_share": Metric(
            partial(harm.over_capacity_share, stage=stage), "share", server, _SKEWED
        ),
        "over_capacity_s_total": Metric(
            partial(harm.over_capacity_s, stage=stage), "s", server, _SKEWED
        ),
        "waiting_share": Metric(partial(harm.waiting_share, stage=stage), "share", server, _SKEWED),
        "peak_waiting_n": Metric(
            partial(harm.peak_waiting, stage=stage), "messages", server, _SKEWED
        ),
        "waiting_at_end_n": Metric(
            partial(harm.waiting_at_end, stage=stage), "messages", server, _SKEWED
        ),
    }
    return {f"{stage}_{name}": metric for name, metric in (named | _delays(stage)).items()}


def _delays(stage: str) -> dict[str, Metric]:
    """Return the metrics of how long *stage* takes, and of how many it passes on at all."""
    whole = stage == "end_to_end"
    came: Of | None = None
    passed = _ARRIVED
    if not whole:
        came = Of(f"{stage}_came_share", "messages that come to the stage")
        passed = Of(f"{stage}_passed_share", "messages at the stage that it passes on")
    measured = {
        "p50": _quantile(stage, 0.5, came),
        "p99": _quantile(stage, 0.99, came),
        "max": Metric(partial(load.longest_delay, stage=stage), "s", "kind", _SKEWED, passed),
    }
    if whole:  # of all messages one in twenty may never arrive: then the 99th percentile is none
        measured["p90"] = _quantile(stage, 0.9, came)
    shares = {
        "passed_share": Metric(partial(load.passed_share, stage=stage), "share", "kind", _SKEWED)
    }
    if not whole:
        shares["came_share"] = Metric(
            partial(load.came_share, stage=stage), "share", "kind", _SKEWED
        )
    return {f"delay_s_{name}": metric for name, metric in measured.items()} | shares


def _quantile(stage: str, share: float, came: Of | None) -> Metric:
    """Return the metric of the delay at *stage* that a *share* of all do not exceed."""
    delay = partial(load.delay, stage=stage, share=share)
    return Metric(delay, "s", "kind", _SKEWED, came, never=f"not reached by {100 * share:.0f} %")


def _of_storms() -> dict[str, Metric]:
    """Return the metrics of storms, and of recovery from them."""
    cells = {"messages_per_s_peak": "peak_1_n", "peak_waiting_n": "peak_waiting_n"}
    times = {"over_capacity": "over_capacity_s", "waiting": "waiting_s"}
    server = "stage/server"
    return {
        "attempted_share": Metric(harm.attempted_share, "share", "kind", _SKEWED),
        "amplification_ratio": Metric(storms.amplification, "", "kind", _SKEWED, _ATTEMPTED),
        "attempts_wasted_share": Metric(storms.wasted_share, "share", "kind", _SKEWED, _ATTEMPTED),
        **{
            f"{fate}_share": Metric(partial(storms.fate_share, fate=fate), "share", "kind", _SKEWED)
            for fate in ("consolidated", "throttled")
        },
        "genuine_suppressed_share": Metric(
            storms.genuine_suppressed_share, "share", "alert code", _SKEWED
        ),
        "genuine_delayed_share": Metric(
            storms.genuine_delayed_share, "share", "alert code", _SKEWED
        ),
        "genuine_loss_share": Metric(storms.genuine_loss_share, "share", "alert code", _SKEWED),
        "stopped_per_day": Metric(
            partial(storms.mitigation_per_day, column="n_stopped"),
            "messages/d",
            "mitigation",
            _SKEWED,
        ),
        "put_off_per_day": Metric(
            partial(storms.mitigation_per_day, column="n_put_off"),
            "messages/d",
            "mitigation",
            _SKEWED,
        ),
        "anomaly_alerts_per_day": Metric(storms.anomaly_alerts_per_day, "alerts/d", "kind", _MEAN),
        **{
            f"busiest_cell_{name}": Metric(
                partial(storms.busiest_cell, column=column), "messages", "region", _SKEWED
            )
            for name, column in cells.items()
        },
        **{
            f"all_cells_{name}_share": Metric(
                partial(storms.cell_time_share, column=column), "share", "region", _SKEWED
            )
            for name, column in times.items()
        },
        "operator_alerts_per_600s_mean": Metric(
            storms.operator_alerts_mean, "alerts/600 s", "user", _MEAN
        ),
        "operator_alerts_per_600s_peak": Metric(
            storms.operator_alerts_peak, "alerts/600 s", "user", _SKEWED
        ),
        "operator_flood_share": Metric(storms.operator_flood_share, "share", "user", _SKEWED),
        "operator_floods_n": Metric(storms.operator_floods, "floods", "user", _SKEWED),
        "drain_time_s": Metric(recovery.drain_time, "s", server, _SKEWED, never="not drained"),
        "drain_fluid_s": Metric(recovery.drain_fluid, "s", server, _MEAN, never="never drains"),
        "returned_to_normal_share": Metric(
            recovery.returned_to_normal, "share", server, Kind.SHARE
        ),
        "load_before_share": Metric(recovery.load_before, "share", server, _MEAN, within=_MULTIPLE),
        "load_after_share": Metric(recovery.load_after, "share", server, _SKEWED, within=_MULTIPLE),
    }


_TYPE = "device type"


def _of_firmware() -> dict[str, Metric]:
    """Return the metrics of firmware worlds: reads and decisions, local updates, what devices run,
    audits, and images over the air.
    """
    return {
        "read_wrong_share": Metric(
            partial(firmware.read_share, state="wrong"), "share", "process", _MEAN
        ),
        "read_unknown_share": Metric(
            partial(firmware.read_share, state="unknown"), "share", "process", _MEAN
        ),
        "reads_per_device_year": Metric(
            firmware.reads_per_device_year, "reads per device-year", "process", _MEAN
        ),
        "decision_error_share": Metric(
            firmware.decision_error_share, "share", "process/outcome", _MEAN
        ),
        "decision_cost_gbp_total": Metric(firmware.decision_cost_total, "£", "process", _MEAN),
        "decision_cost_gbp_per_device_year": Metric(
            firmware.decision_cost_per_device_year, "£ per device-year", "process", _MEAN
        ),
        "local_let_through_share": Metric(firmware.let_through_share, "share", "image", _SKEWED),
        "local_blocked_wrongly_share": Metric(
            firmware.blocked_wrongly_share, "share", "outcome", _SKEWED
        ),
        "local_outcome_share": Metric(firmware.local_outcome_share, "share", "outcome", _SKEWED),
        "suspended_devices_end": Metric(
            partial(firmware.status_total, what=("suspended_end_n",)), "devices", _TYPE, _SKEWED
        ),
        "suspended_device_days": Metric(
            partial(firmware.status_total, what=("suspended_s",)), "device-days", _TYPE, _SKEWED
        ),
        "suspended_device_share": Metric(
            partial(firmware.status_share, what=("suspended_s",)), "share", _TYPE, _SKEWED
        ),
        "unlisted_device_days": Metric(
            partial(firmware.status_total, what=("unlisted_s", "variant_s")),
            "device-days",
            _TYPE,
            _SKEWED,
        ),
        "unlisted_device_share": Metric(
            partial(firmware.status_share, what=("unlisted_s", "variant_s")),
            "share",
            _TYPE,
            _SKEWED,
        ),
        "variant_device_days": Metric(
            partial(firmware.status_total, what=("variant_s",)), "device-days", _TYPE, _SKEWED
        ),
        "variant_devices_end": Metric(
            partial(firmware.status_total, what=("variant_end_n",)), "devices", _TYPE, _SKEWED
        ),
        "behind_device_share": Metric(firmware.behind_share, "share", _TYPE, _MEAN),
        "behind_class_device_share": Metric(
            firmware.behind_class_share, "share", "type/class", _MEAN
        ),
        "hub_records_forgotten_n": Metric(
            partial(firmware.status_total, what=("forgotten_n",)), "records", _TYPE, _MEAN
        ),
        "audit_found_n": Metric(
            partial(firmware.status_total, what=("found_n",)), "devices", _TYPE, _SKEWED
        ),
        "audit_detected_share": Metric(firmware.detected_share, "share", _TYPE, _SKEWED),
        "audit_detection_days_mean": Metric(
            firmware.detection_days_mean, "d", _TYPE, _SKEWED, _DETECTED
        ),
        "audit_met_share": Metric(firmware.audit_met_share, "share", _TYPE, _MEAN),
        "audit_wrong_share": Metric(firmware.audit_wrong_share, "share", _TYPE, _MEAN, _AUDITED),
        "audit_half_width_share": Metric(
            firmware.audit_half_width_share, "share", _TYPE, _MEAN, _AUDITED
        ),
        "audit_error_share": Metric(
            firmware.audit_error_share, "share", _TYPE, _MEAN, _AUDITED, (-1, 1)
        ),
        "audit_covers_share": Metric(
            firmware.audit_covers_share, "share", _TYPE, Kind.SHARE, _AUDITED
        ),
        "audit_reads_per_year": Metric(firmware.audit_sample, "reads/year", _TYPE, _MEAN),
        **_of_the_air(),
    }


def _of_the_air() -> dict[str, Metric]:
    """Return the metrics of images sent over the air."""
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return {
        "job_end_share": Metric(firmware_air.job_end_share, "share", "end", _MEAN),
        "job_sent_share": Metric(firmware_air.job_sent_share, "share", _TYPE, _MEAN),
        "job_recorded_share": Metric(firmware_air.job_recorded_share, "share", _TYPE, _MEAN, _SENT),
        "attempts_per_job_mean": Metric(firmware_air.attempts_per_job, "", _TYPE, _MEAN, _SENT),
        "ota_step_share": Metric(firmware_air.step_share, "share", "step/device type", _MEAN),
        "attempt_step_share": Metric(firmware_air.attempt_step_share, "share", "step", _MEAN),
        "goodput_share": Metric(firmware_air.goodput_share, "share", _TYPE, _MEAN),
        **{
            f"ota_step_s_{name}": Metric(
                partial(firmware_air.step_quantile, share=share),
                "s",
                "step/device type",
                _SKEWED,
                _STEPPED,
            )
            for name, share in shares.items()
        },
        "campaign_finished_share": Metric(
            firmware_air.campaign_finished_share, "share", "class", _SKEWED
        ),
        "campaign_ended_share": Metric(
            firmware_air.campaign_ended_share, "share", "class", _SKEWED
        ),
        "campaign_days_mean": Metric(
            firmware_air.campaign_days_mean, "d", "class", _SKEWED, _FINISHED
        ),
        "campaign_stopped_share": Metric(
            firmware_air.campaign_stopped_share, "share", "class", _SKEWED, _ENDED
        ),
        "supply_cuts_n": Metric(partial(firmware_air.told_total, kind="cut"), "cuts", "", _SKEWED),
        "kind_alerts_n": Metric(firmware_air.kind_alerts, "alerts", "kind", _SKEWED),
        "firmware_messages_per_device_year": Metric(
            firmware_air.messages_per_device_year, "messages per device-year", "kind", _MEAN
        ),
        "dsp_kind_per_s_peak": Metric(
            partial(firmware_air.kind_peak, stage="dsp"), "alerts/s", "kind", _SKEWED
        ),
    }


_FATES = {
    "delivered": _MEAN,
    "consolidated": _SKEWED,
    "throttled": _SKEWED,
    "refused": _SKEWED,
    "lost": _MEAN,
    "expired": _MEAN,
    "in_flight": _SKEWED,
}
METRICS: Final[dict[str, Metric]] = {
    **_of_stage("cell", "region"),
    **_of_stage("csp", "region"),
    **_of_stage("dsp", ""),
    **_of_stage("user", "user"),
    **{f"end_to_end_{name}": metric for name, metric in _delays("end_to_end").items()},
    # Users refuse nothing.
    **{
        f"{stage}_refused_share": Metric(
            partial(harm.refused_share, stage=stage), "share", "kind", _SKEWED, _ATTEMPTED
        )
        for stage in ("cell", "csp", "dsp")
    },
    "late_share": Metric(harm.late_share, "share", "kind", _SKEWED, _ATTEMPTED),
    "late_per_day": Metric(harm.late_per_day, "messages/d", "kind", _SKEWED),
    "record_right_share": Metric(partial(records.right_share, ledger="smi"), "share", _TYPE, _MEAN),
    "record_known_share": Metric(partial(records.known_share, ledger="smi"), "share", _TYPE, _MEAN),
    "record_wrong_share": Metric(
        partial(records.wrong_share, ledger="smi"), "share", _TYPE, _MEAN, _KNOWN
    ),
    "record_unknown_share": Metric(
        partial(records.unknown_share, ledger="smi"), "share", _TYPE, _MEAN
    ),
    "hub_record_known_share": Metric(
        partial(records.known_share, ledger="hub"), "share", _TYPE, _MEAN
    ),
    "hub_record_wrong_share": Metric(
        partial(records.wrong_share, ledger="hub"), "share", _TYPE, _MEAN, _HUB_KNOWN
    ),
    "hub_record_unknown_share": Metric(
        partial(records.unknown_share, ledger="hub"), "share", _TYPE, _MEAN
    ),
    "staleness_days_mean": Metric(records.staleness_mean, "d", _TYPE, _MEAN, _KNOWN),
    "staleness_days_p95": Metric(
        partial(records.staleness_quantile, share=0.95), "d", _TYPE, _SKEWED, _KNOWN
    ),
    "record_wrong_of_all_share": Metric(
        records.wrong_of_all_share, "share", "device type/region", _MEAN
    ),
    "wrong_age_days_mean": Metric(records.wrong_age_mean, "d", "device type/region", _MEAN, _WRONG),
    **{
        f"wrong_age_days_{name}": Metric(
            partial(records.wrong_age_quantile, share=share), "d", _TYPE, _SKEWED, _WRONG
        )
        for name, share in {"p50": 0.5, "p95": 0.95}.items()
    },
    "record_wrong_past_7d_share": Metric(
        partial(records.wrong_past_share, days=7), "share", _TYPE, _MEAN, _KNOWN
    ),
    "confirmed_share": Metric(records.confirmed_share, "share", _TYPE, _MEAN),
    "confirmation_age_days_mean": Metric(
        records.confirmation_age_mean, "d", _TYPE, _MEAN, _CONFIRMED
    ),
    "repaired_share": Metric(records.repaired_share, "share", _TYPE, _MEAN),
    "repair_days_mean": Metric(records.repair_mean, "d", _TYPE, _MEAN, _REPAIRED),
    "changes_per_device_year": Metric(
        records.changes_per_device_year, "changes per device-year", _TYPE, _MEAN
    ),
    "reports_per_device_year": Metric(
        cost.reports_per_device_year, "reports per device-year", "", _MEAN
    ),
    "messages_per_device_year": Metric(
        cost.messages_per_device_year, "messages per device-year", "", _MEAN
    ),
    "messages_gbp_per_device_year": Metric(
        cost.messages_gbp_per_device_year, "£ per device-year", "", _MEAN
    ),
    **{
        f"report_{fate}_share": Metric(partial(cost.report_share, fate=fate), "share", "", kind)
        for fate, kind in _FATES.items()
    },
    **{
        f"bytes_per_day_{segment}": Metric(
            partial(cost.bytes_per_day, segment=segment), "B/d", "kind", _MEAN
        )
        for segment in ("han", "wan", "dsp", "user")
    },
    "baseline_uplift_share": Metric(
        cost.baseline_uplift_share, "share", "", _MEAN, within=_MULTIPLE
    ),
    **_of_storms(),
    **_of_firmware(),
}


def measure(tables: Tables, window: Window) -> dict[tuple[str, str], float]:
    """Return every metric of one replication, by (name, group), in the order of `METRICS`, `all`
    first.
    """
    by_place = ["stage", "server", "kind"]
    # No metric asks for the time of day: 96 times fewer rows to look at.
    sums = tables["arrivals"].groupby(by_place, sort=True)["n"].sum().reset_index()
    # Tables that an older version did not write are empty: what needs them is absent.
    columns: Any = {
        name: dict.fromkeys(table.names, np.array([]))
        for name, table in TABLES.items()
        if name not in tables
    }
    columns |= {
        name: {c: frame[c].to_numpy() for c in frame}
        for name, frame in (tables | {"arrivals": sums}).items()
    }
    values: dict[tuple[str, str], float] = {}
    for name, metric in METRICS.items():
        groups = metric.measure(columns, window)
        values |= {
            (name, group): float(groups[group])
            for group in sorted(groups, key=lambda group: (group != "all", group))
        }
    return values
