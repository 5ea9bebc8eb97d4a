"""Metrics: one function a definition, from the tables of one replication to a value for each group, and the names they are known by.

A name is `noun_qualifier_unit_statistic`. A metric that does not apply is absent, never 0. Shares are fractions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sim.metrics import cost, harm, load, records
from sim.metrics.estimates import Difference, Estimate, estimate, paired_difference
from sim.metrics.load import Values, Window
from sim.tables import Tables

__all__ = ["METRICS", "Difference", "Estimate", "Metric", "Window", "estimate", "measure", "paired_difference"]

Measure = Callable[[Tables, Window], Values]


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured, in which *unit*, and what its *groups* are beside `all` ("" for none)."""

    measure: Measure
    unit: str
    groups: str

    @property
    def definition(self) -> str:
        """The docstring of the function that measures it."""
        function = self.measure.func if isinstance(self.measure, partial) else self.measure
        return " ".join((function.__doc__ or "").split())


def _of_stage(stage: str, server: str) -> dict[str, Metric]:
    """Return the metrics of a network *stage* whose servers are each a *server*."""
    named = {
        "alerts_per_s_peak": Metric(partial(load.peak, stage=stage, kind="alerts", k_s=1), "alerts/s", server),
        "alerts_per_60s_peak": Metric(partial(load.peak, stage=stage, kind="alerts", k_s=60), "alerts/60 s", server),
        "alerts_per_900s_peak": Metric(partial(load.peak, stage=stage, kind="alerts", k_s=900), "alerts/900 s", server),
        "alerts_per_s_mean": Metric(partial(load.mean_alert_rate, stage=stage), "alerts/s", server),
        "messages_per_s_peak": Metric(partial(load.peak, stage=stage, kind="all", k_s=1), "messages/s", server),
        "messages_per_s_mean": Metric(partial(load.mean_rate, stage=stage, kinds=None), "messages/s", server),
        "peak_to_mean_ratio": Metric(partial(load.peak_to_mean, stage=stage), "", server),
        "load_share": Metric(partial(load.load_share, stage=stage), "share", server),
        "over_capacity_share": Metric(partial(harm.over_capacity_share, stage=stage), "share", server),
        "waiting_share": Metric(partial(harm.waiting_share, stage=stage), "share", server),
        "peak_waiting_n": Metric(partial(harm.peak_waiting, stage=stage), "messages", server),
    }
    return {f"{stage}_{name}": metric for name, metric in (named | _delays(stage)).items()}


def _delays(stage: str) -> dict[str, Metric]:
    shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {f"delay_s_{name}": Metric(partial(load.delay, stage=stage, share=share), "s", "kind") for name, share in shares.items()}


_TYPE = "device type"
METRICS: Final[dict[str, Metric]] = {
    **_of_stage("csp", "region"),
    **_of_stage("dsp", ""),
    **_of_stage("user", "user"),
    **{f"end_to_end_{name}": metric for name, metric in _delays("end_to_end").items()},
    **{f"{stage}_refused_share": Metric(partial(harm.refused_share, stage=stage), "share", "kind") for stage in ("csp", "dsp")},  # users refuse nothing
    "late_share": Metric(harm.late_share, "share", "kind"),
    "late_per_day": Metric(harm.late_per_day, "messages/d", "kind"),
    "record_right_share": Metric(partial(records.right_share, ledger="smi"), "share", _TYPE),
    "record_wrong_share": Metric(partial(records.wrong_share, ledger="smi"), "share", _TYPE),
    "record_unknown_share": Metric(partial(records.unknown_share, ledger="smi"), "share", _TYPE),
    "hub_record_wrong_share": Metric(partial(records.wrong_share, ledger="hub"), "share", _TYPE),
    "hub_record_unknown_share": Metric(partial(records.unknown_share, ledger="hub"), "share", _TYPE),
    "staleness_days_mean": Metric(records.staleness_mean, "d", _TYPE),
    "staleness_days_p95": Metric(partial(records.staleness_quantile, share=0.95), "d", _TYPE),
    "confirmation_age_days_mean": Metric(records.confirmation_age_mean, "d", _TYPE),
    "repair_days_mean": Metric(records.repair_mean, "d", _TYPE),
    "changes_per_device_year": Metric(records.changes_per_device_year, "changes per device-year", _TYPE),
    "reports_per_device_year": Metric(cost.reports_per_device_year, "reports per device-year", ""),
    "messages_per_device_year": Metric(cost.messages_per_device_year, "messages per device-year", ""),
    **{f"report_{fate}_share": Metric(partial(cost.report_share, fate=fate), "share", "") for fate in ("delivered", "refused", "lost", "expired", "in_flight")},
    **{f"bytes_per_day_{segment}": Metric(partial(cost.bytes_per_day, segment=segment), "B/d", "kind") for segment in ("han", "wan", "dsp", "user")},
    "baseline_uplift_share": Metric(cost.baseline_uplift_share, "share", ""),
}


def measure(tables: Tables, window: Window) -> dict[tuple[str, str], float]:
    """Return every metric of one replication, by (name, group), in the order of `METRICS`, `all` first."""
    by_place = ["stage", "server", "kind"]
    # No metric asks for the time of day: 96 times fewer rows to look at.
    sums = tables["arrivals"].groupby(by_place, sort=True)["n"].sum().reset_index()
    columns: Any = {name: {c: frame[c].to_numpy() for c in frame} for name, frame in (tables | {"arrivals": sums}).items()}
    values: dict[tuple[str, str], float] = {}
    for name, metric in METRICS.items():
        groups = metric.measure(columns, window)
        values |= {(name, group): float(groups[group]) for group in sorted(groups, key=lambda group: (group != "all", group))}
    return values
