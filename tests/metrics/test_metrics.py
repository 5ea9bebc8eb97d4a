"""Each metric from a small world of tables written by hand: ten measured days, two regions, three
kinds of message.
"""

from __future__ import annotations

import pytest

from sim.metrics import METRICS, Window, measure
from sim.tables import TABLES
from tests.metrics.hand import table
from tests.metrics.test_firmware import EXPECTED as FIRMWARE
from tests.metrics.test_recovery import MEASURED as RECOVERY
from tests.metrics.test_storms import EXPECTED as STORMS

DAY_S = 86_400
WINDOW = Window(5 * DAY_S, 10 * DAY_S)


def ledger(name, device_type, region, **values):
    """Return a row of `ledgers` in which everything not given is 0."""
    row = {"ledger": name, "device_type": device_type, "region": region} | values
    return tuple(row.get(column, 0) for column in TABLES["ledgers"].names)


def world():
    """Return the tables."""
    day = 100 * DAY_S  # a hundred devices for a day
    stage = (
        "capacity_per_s",
        "measured_s",
        "over_capacity_s",
        "waiting_s",
        "peak_waiting_n",
        "waiting_at_end_n",
    )
    assert tuple(TABLES["stages"].names[2:]) == stage
    return {name: table(name) for name in TABLES} | {
        "arrivals": table(
            "arrivals",
            ("csp", "north", "version_report", 8, 864_000, 9),
            ("csp", "north", "version_report", 9, 864_000, 9),
            ("csp", "south", "version_report", 8, 432_000, 9),
            ("dsp", "dsp", "version_report", 8, 1_728_000, 20),
            ("dsp", "dsp", "device_alert", 9, 864_000, 9),
            ("dsp", "dsp", "reading", 9, 2_592_000, 9),
        ),
        "peaks": table(
            "peaks",
            *(
                (*at, "alerts", k, n * k // 2 + 1, 0)
                for *at, n in [("csp", "north", 8), ("csp", "south", 18), ("dsp", "dsp", 30)]
                for k in (1, 60, 900)
            ),
            *(
                (*at, "all", 1, n, 0)
                for *at, n in [("csp", "north", 9), ("csp", "south", 19), ("dsp", "dsp", 40)]
            ),
        ),
        "stages": table(
            "stages",
            ("csp", "north", 4.0, 10 * DAY_S, 86_400, 43_200, 7, 0),
            ("csp", "south", 1.0, 10 * DAY_S, 0, 86_400, 5, 1),
            ("dsp", "dsp", float("inf"), 10 * DAY_S, 0, 0, 0, 0),
        ),
        "delays": table(
            "delays",
            ("csp", "north", "version_report", 0, 90),
            ("csp", "south", "version_report", 4, 8),
            ("csp", "south", "version_report", 60, 2),
            ("end_to_end", "all", "version_report", 3, 98),
            ("end_to_end", "all", "version_report", 9, 1),
            ("end_to_end", "all", "version_report", 5, 1),
            ("end_to_end", "all", "reading", 1, 900),
        ),
        "fates": table(
            "fates",
            ("version_report", "delivered", "", 80),
            ("version_report", "refused", "csp", 10),
            ("version_report", "lost", "", 5),
            ("version_report", "expired", "", 4),
            ("version_report", "in_flight", "", 1),
            ("reading", "delivered", "", 108),
            ("reading", "refused", "dsp", 1),
        ),
        "attempts": table("attempts", ("version_report", 91, 91, 0), ("reading", 109, 109, 0)),
        "kinds": table(
            "kinds",
            ("version_report", "", True, True, False, 0.01),
            ("device_alert", "", False, True, True, -1.0),
            ("reading", "", False, False, False, -1.0),
        ),
        "segments": table(
            "segments",
            ("han", "version_report", 100, 13_200),
            ("wan", "version_report", 91, 12_010),
            ("wan", "request", 20, 1_560),
            ("wan", "reading", 1, 650),
            ("user", "version_report", 80, 80_000),
        ),
        "ledgers": table(
            "ledgers",
            ledger(
                "smi",
                "ppmid",
                "north",
                n_devices=10,
                n_reporting=10,
                right_s=6 * day,
                wrong_s=2 * day,
                staleness_s2=8.0 * day * DAY_S,
                confirmation_s2=30.0 * 10 * DAY_S * DAY_S,
                n_confirmed=10,
                n_changes=4,
                n_repairs=3,
                repair_s=6 * DAY_S,
            ),
            ledger(
                "smi",
                "ppmid",
                "south",
                n_devices=10,
                n_reporting=10,
                right_s=2 * day,
                confirmation_s2=10.0 * 10 * DAY_S * DAY_S,
                n_confirmed=10,
                n_changes=1,
            ),
            ledger("smi", "hcalcs", "north", n_devices=5, right_s=10 * day),
            ledger("smi", "ihd", "north", n_devices=5, unknown_s=20 * day),
            ledger("hub", "ppmid", "north", right_s=1 * day, wrong_s=1 * day, unknown_s=2 * day),
            ledger("hub", "ihd", "north", unknown_s=4 * day),
        ),
        "staleness": table(
            "staleness",
            ("smi", "ppmid", 0, DAY_S, 1 * day),
            ("smi", "ppmid", DAY_S, 3 * DAY_S, 1 * day),
            ("hub", "ppmid", 0, DAY_S, 1 * day),
        ),
        "days": table(
            "days", ("smi", "ppmid", 13, 7), ("smi", "ppmid", 14, 1), ("hub", "ppmid", 14, 3)
        ),
        "targets": table("targets", ("version_report", 100, 91, 12), ("reading", 100, 909, 3)),
        "population": table(
            "population",
            ("premises", "north", 1000),
            ("reporting", "north", 30),
            ("reporting", "south", 20),
        ),
    }


EXPECTED = {
    ("csp_alerts_per_s_peak", "north"): 5,
    ("csp_alerts_per_s_peak", "south"): 10,
    ("csp_alerts_per_s_peak", "all"): 10,
    ("csp_alerts_per_60s_peak", "all"): 541,
    ("csp_alerts_per_900s_peak", "all"): 8101,
    ("csp_alerts_per_s_mean", "north"): 2.0,
    ("csp_alerts_per_s_mean", "south"): 0.5,
    ("csp_alerts_per_s_mean", "all"): 2.5,
    ("csp_messages_per_s_peak", "all"): 19,
    ("csp_messages_per_s_mean", "all"): 2.5,
    ("csp_peak_to_mean_ratio", "north"): 2.5,
    ("csp_peak_to_mean_ratio", "south"): 20,
    ("csp_peak_to_mean_ratio", "all"): 20,
    ("csp_load_share", "north"): 0.5,
    ("csp_load_share", "all"): 0.5,
    ("csp_over_capacity_share", "north"): 0.1,
    ("csp_over_capacity_share", "all"): 0.1,
    ("csp_waiting_share", "all"): 0.1,
    ("csp_waiting_share", "north"): 0.05,
    ("csp_peak_waiting_n", "south"): 5,
    ("csp_peak_waiting_n", "all"): 7,
    ("csp_waiting_at_end_n", "north"): 0,
    ("csp_waiting_at_end_n", "south"): 1,
    ("csp_waiting_at_end_n", "all"): 1,
    ("csp_delay_s_p50", "version_report"): 0,
    ("csp_delay_s_p50", "all"): 0,
    ("csp_delay_s_p99", "all"): float("inf"),
    ("csp_delay_s_max", "all"): 60,
    ("csp_passed_share", "version_report"): 100 / 111,
    ("csp_passed_share", "all"): 100 / 111,
    ("csp_came_share", "version_report"): 1.0,
    ("csp_came_share", "all"): 100 / 209,
    ("dsp_alerts_per_s_peak", "all"): 16,
    ("dsp_alerts_per_s_mean", "all"): 3.0,
    ("dsp_messages_per_s_peak", "all"): 40,
    ("dsp_messages_per_s_mean", "all"): 6.0,
    ("dsp_peak_to_mean_ratio", "all"): 16 / 3,
    ("end_to_end_delay_s_p50", "version_report"): 3,
    ("end_to_end_delay_s_p90", "version_report"): float("inf"),
    ("end_to_end_delay_s_p90", "reading"): 1,
    ("end_to_end_delay_s_p99", "version_report"): float("inf"),
    ("end_to_end_delay_s_p99", "reading"): 1,
    ("end_to_end_passed_share", "version_report"): 100 / 120,
    ("end_to_end_passed_share", "all"): 1000 / 1021,
    ("end_to_end_delay_s_max", "all"): 9,
    ("end_to_end_delay_s_p50", "all"): 1,
    ("csp_refused_share", "version_report"): 10 / 91,
    ("csp_refused_share", "reading"): 0.0,
    ("csp_refused_share", "all"): 0.05,
    ("dsp_refused_share", "all"): 1 / 200,
    ("attempted_share", "version_report"): 0.91,
    ("attempted_share", "reading"): 1.0,
    ("attempted_share", "all"): 200 / 209,
    ("late_share", "version_report"): 12 / 91,
    ("late_share", "all"): 15 / 1000,
    ("late_per_day", "reading"): 0.3,
    ("late_per_day", "all"): 1.5,
    ("record_wrong_share", "ppmid"): 0.2,
    ("record_wrong_share", "hcalcs"): 0.0,
    ("record_wrong_share", "all"): 0.1,
    ("record_known_share", "ppmid"): 1.0,
    ("record_known_share", "ihd"): 0.0,
    ("record_known_share", "all"): 0.5,
    ("hub_record_known_share", "ppmid"): 0.5,
    ("confirmed_share", "ppmid"): 1.0,
    ("confirmed_share", "all"): 20 / 30,
    ("repaired_share", "ppmid"): 0.75,
    ("repaired_share", "all"): 0.75,
    ("record_right_share", "ppmid"): 0.8,
    ("record_right_share", "ihd"): 0.0,
    ("record_right_share", "all"): 0.45,
    ("record_unknown_share", "ppmid"): 0.0,
    ("record_unknown_share", "ihd"): 1.0,
    ("record_unknown_share", "all"): 0.5,
    ("hub_record_wrong_share", "ppmid"): 0.5,
    ("hub_record_unknown_share", "ppmid"): 0.5,
    ("hub_record_unknown_share", "all"): 0.75,
    ("staleness_days_mean", "ppmid"): 0.8,
    ("staleness_days_p95", "ppmid"): 2.0,
    ("staleness_days_p95", "hcalcs"): 0.0,
    ("staleness_days_p95", "all"): 1.0,
    ("record_wrong_of_all_share", "ppmid"): 0.2,
    ("record_wrong_of_all_share", "all"): 0.05,
    ("wrong_age_days_mean", "ppmid"): 4.0,
    ("wrong_age_days_mean", "all"): 4.0,
    ("wrong_age_days_mean", "ppmid/north"): 4.0,
    ("wrong_age_days_mean", "all/north"): 4.0,
    ("wrong_age_days_p50", "ppmid"): 1.0,
    ("wrong_age_days_p95", "all"): 2.8,
    ("record_wrong_past_7d_share", "ppmid"): 0.0,
    ("record_wrong_past_7d_share", "hcalcs"): 0.0,
    ("confirmation_age_days_mean", "ppmid"): 2.0,
    ("repair_days_mean", "ppmid"): 2.0,
    ("repair_days_mean", "all"): 2.0,
    ("changes_per_device_year", "ppmid"): 5 / 20 * 36.5,
    ("changes_per_device_year", "all"): 5 / 30 * 36.5,
    ("reports_per_device_year", "all"): 100 / 50 * 36.5,
    ("messages_per_device_year", "all"): 120 / 50 * 36.5,
    ("messages_gbp_per_device_year", "all"): 1.2 / 50 * 36.5,
    ("report_delivered_share", "all"): 0.8,
    ("report_refused_share", "all"): 0.1,
    ("report_lost_share", "all"): 0.05,
    ("report_expired_share", "all"): 0.04,
    ("report_in_flight_share", "all"): 0.01,
    ("report_consolidated_share", "all"): 0.0,
    ("report_throttled_share", "all"): 0.0,
    ("bytes_per_day_han", "all"): 1320,
    ("bytes_per_day_wan", "version_report"): 1201,
    ("bytes_per_day_wan", "all"): 1422,
    ("bytes_per_day_user", "all"): 8000,
    ("baseline_uplift_share", "all"): 0.5,
}


@pytest.mark.parametrize(("name", "group"), EXPECTED, ids="/".join)
def test_a_value_worked_out_by_hand(name, group):
    """The definition, applied to the tables above with a pencil."""
    assert measure(world(), WINDOW)[name, group] == pytest.approx(EXPECTED[name, group])


ABSENT = [
    # unlimited
    ("dsp_load_share", "all"),
    ("dsp_over_capacity_share", "all"),
    ("dsp_peak_waiting_n", "all"),
    # not in the network
    ("user_alerts_per_s_peak", "all"),
    ("user_alerts_per_s_mean", "all"),
    ("user_delay_s_p50", "all"),
    ("wrong_age_days_mean", "ppmid/south"),
    ("wrong_age_days_p50", "hcalcs"),  # nothing wrong
    # no record
    ("record_wrong_share", "ihd"),
    ("hub_record_wrong_share", "ihd"),
    ("staleness_days_mean", "ihd"),
    # nothing to average
    ("confirmation_age_days_mean", "hcalcs"),
    ("repair_days_mean", "hcalcs"),
    ("bytes_per_day_dsp", "all"),
]


@pytest.mark.parametrize(("name", "group"), ABSENT, ids="/".join)
def test_what_does_not_apply_is_absent(name, group):
    """Absent, and not 0."""
    values = measure(world(), WINDOW)

    assert name in METRICS
    assert (name, group) not in values


def test_a_world_without_messages_has_no_message_metrics():
    """No reports sent: their number is 0, their fates are not."""
    tables = world() | {
        name: table(name)
        for name in ("arrivals", "delays", "fates", "segments", "targets", "attempts")
    }
    values = measure(tables, WINDOW)

    assert values["reports_per_device_year", "all"] == 0
    assert values["dsp_alerts_per_s_mean", "all"] == 0
    assert not {
        "report_lost_share",
        "late_share",
        "csp_refused_share",
        "baseline_uplift_share",
        "dsp_peak_to_mean_ratio",
    } & {name for name, _ in values}


def test_no_traffic_but_reports_means_no_uplift():
    """An uplift of nothing is absent; without reports it is 0."""
    arrivals = world()["arrivals"]
    only = measure(world() | {"arrivals": arrivals[arrivals["kind"] == "version_report"]}, WINDOW)
    none = measure(world() | {"arrivals": arrivals[arrivals["kind"] != "version_report"]}, WINDOW)

    assert ("baseline_uplift_share", "all") not in only
    assert none["baseline_uplift_share", "all"] == 0


def test_every_metric_is_defined_measured_and_hand_checked():
    """Each has a definition with its unit, and a value above, for one stage at least."""
    checked = {name for name, _ in (*EXPECTED, *ABSENT, *STORMS, *FIRMWARE)} | set(RECOVERY)

    assert checked <= set(METRICS)
    for name, metric in METRICS.items():
        assert "Unit:" in metric.definition or "`mean_rate`" in metric.definition, name
        stem = (
            name.removeprefix("cell_")
            .removeprefix("csp_")
            .removeprefix("dsp_")
            .removeprefix("user_")
            .removeprefix("end_to_end_")
        )
        assert any(other.endswith(stem) for other in checked), name


def test_metrics_are_the_same_from_the_whole_table_and_from_its_sums():
    """`measure` folds the quarters of the day first; a metric alone, given the tables as they are,
    says the same.
    """
    values = measure(world(), WINDOW)
    for name, metric in METRICS.items():
        assert metric.measure(world(), WINDOW) == pytest.approx(
            {group: value for (n, group), value in values.items() if n == name}
        )


def test_what_an_older_version_did_not_write_makes_its_metrics_absent():
    """Without the tables that came with storms there are no alerts to average over; what needs none
    of them is measured as ever.
    """
    old = {
        name: frame
        for name, frame in world().items()
        if name not in ("kinds", "attempts", "rows", "timeline", "cells", "operators", "triggers")
    }
    values = measure(old, WINDOW)

    assert not {
        "dsp_alerts_per_s_mean",
        "dsp_peak_to_mean_ratio",
        "csp_refused_share",
        "amplification_ratio",
    } & {name for name, _ in values}
    assert values["dsp_messages_per_s_mean", "all"] == 6.0


def test_the_order_is_that_of_the_list_with_all_first():
    """What is written is in one order, whatever order the tables are in."""
    values = list(measure(world(), WINDOW))
    names = list(dict.fromkeys(name for name, _ in values))

    assert names == [name for name in METRICS if name in names]
    assert [group for name, group in values if name == "csp_alerts_per_s_peak"] == [
        "all",
        "north",
        "south",
    ]
