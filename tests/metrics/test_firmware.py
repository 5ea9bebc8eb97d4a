"""The metrics of firmware worlds, from ten days of tables written by hand: two regions, PPMIDs,
IHDs and electricity meters, one rollout and an audit.
"""

from __future__ import annotations

import pytest

from sim.metrics import METRICS, Window, measure
from tests.metrics.hand import tables

DAY_S = 86_400
WINDOW = Window(5 * DAY_S, 10 * DAY_S)
YEARS = 10 / 365


def ledger(name, device_type, region, n, right, wrong, unknown):
    """Return a row of `ledgers`: shares of the time of *n* devices."""
    times = [n * share * DAY_S for share in (right, wrong, unknown)]
    return (name, device_type, region, n, 0, *times, 0.0, 0.0, 0, 0, 0, 0)


def world():
    """Return the tables."""
    return tables(
        ledgers=[
            ledger("smi", "esme", "north", 60, 10, 0, 0),
            ledger("smi", "ppmid", "north", 20, 8, 2, 0),
            ledger("smi", "ppmid", "south", 10, 2, 8, 0),
            ledger("smi", "ihd", "north", 10, 0, 0, 10),
            ledger("hub", "ppmid", "north", 20, 6, 2, 2),
            ledger("hub", "ppmid", "south", 10, 3, 3, 4),
        ],
        staleness=[("smi", "ppmid", 0, 3600, 120 * DAY_S)],
        readings=[
            ("gain", "ppmid", "right", 50),
            ("gain", "ppmid", "wrong", 30),
            ("gain", "ihd", "unknown", 20),
            ("call", "ppmid", "wrong", 60),
            ("call", "ppmid", "right", 40),
            ("audit", "ppmid", "right", 90),
            ("audit", "ppmid", "wrong", 10),
            ("audit", "ppmid", "unknown", 7),
            ("audit", "esme", "right", 100),
        ],
        decisions=[
            ("gain", "ppmid", "right", 0.0, 60),
            ("gain", "ppmid", "false_alarm", 5.0, 15),
            ("gain", "esme", "false_compliance", 20.0, 5),
            ("targeting", "ppmid", "wasted", 2.0, 10),
            ("targeting", "ppmid", "right", 0.0, 10),
        ],
        local=[
            ("ppmid", "app", "listed", True, "installed", 60),
            ("ppmid", "app", "listed", True, "blocked", 10),
            ("ihd", "usb", "listed", True, "busy", 20),
            ("ppmid", "app", "listed", False, "banned", 10),
            ("ppmid", "app", "unlisted", True, "installed", 3),
            ("ppmid", "usb", "unlisted", True, "blocked", 7),
            ("ihd", "app", "variant", False, "installed", 10),
            ("ihd", "app", "variant", True, "not_permitted", 30),
        ],
        status=[
            ("esme", "suspended_s", 6 * DAY_S),
            ("esme", "suspended_end_n", 2),
            ("ppmid", "unlisted_s", 25 * DAY_S),
            ("ppmid", "variant_s", 5 * DAY_S),
            ("ppmid", "variant_end_n", 4),
            ("ppmid", "found_n", 5),
            ("ppmid", "found_s", 20 * DAY_S),
            ("ihd", "variant_end_n", 1),
            ("ppmid", "forgotten_n", 9),
        ],
        states=[
            ("smi", "ppmid", 10 * DAY_S, 10, 0, 6, 0),
            ("smi", "ppmid", 15 * DAY_S, 12, 0, 12, 0),
            ("smi", "ihd", 10 * DAY_S, 0, 10, 5, 0),
            ("smi", "ihd", 15 * DAY_S, 0, 10, 5, 0),
            ("hub", "ppmid", 10 * DAY_S, 9, 9, 29, 0),
            ("hub", "ppmid", 15 * DAY_S, 9, 9, 29, 0),
        ],
        behind=[
            ("ppmid", "security", 10 * DAY_S, 3),
            ("ppmid", "security", 15 * DAY_S, 6),
            ("ppmid", "feature", 10 * DAY_S, 12),
            ("ppmid", "feature", 15 * DAY_S, 12),
            ("ihd", "feature", 10 * DAY_S, 5),
            ("ihd", "feature", 15 * DAY_S, 5),
        ],
        jobs=[
            ("north", "a", "ppmid", 1, "done", 60),
            ("south", "a", "ppmid", 1, "repaired", 4),
            ("north", "a", "ppmid", 1, "wan_lost", 16),
            ("north", "b", "esme", 1, "done", 10),
            ("north", "b", "esme", 1, "withdrawn", 10),
        ],
        steps=[
            ("north", "ppmid", "offered", 90),
            ("south", "ppmid", "offered", 10),
            ("north", "ppmid", "accepted", 80),
            ("north", "ppmid", "recorded", 60),
            ("north", "esme", "offered", 20),
            ("north", "esme", "accepted", 20),
            ("north", "esme", "recorded", 10),
        ],
        latencies=[
            ("ppmid", "han", 1024, 1448, 50),
            ("ppmid", "han", 2048, 2896, 50),
            ("esme", "han", 4096, 5792, 100),
            ("ppmid", "whole", 8192, 11585, 10),
        ],
        campaigns=[
            ("a", "ppmid", 1, "security", 0, DAY_S, 5 * DAY_S, "finished", 3, 80, 64, 16, 0, 0),
            ("a", "ppmid", 2, "security", 0, DAY_S, 8 * DAY_S, "finished", 3, 1, 1, 0, 0, 0),
            ("b", "esme", 1, "feature", 0, DAY_S, 6 * DAY_S, "aborted", 1, 9, 1, 8, 0, 0),
            ("b", "esme", 2, "feature", 0, DAY_S, 9 * DAY_S, "superseded", 1, 9, 9, 0, 0, 0),
            ("b", "esme", 3, "feature", 0, DAY_S, 4 * DAY_S, "aborted", 1, 9, 1, 8, 0, 0),
            ("b", "esme", 4, "feature", 0, DAY_S, -1, "running", 1, 9, 9, 0, 0, 0),
        ],
        fates=[
            ("outage", "delivered", "", 2),
            ("got", "delivered", "", 11),
            ("got", "lost", "", 1),
            ("reading", "delivered", "", 70),
        ],
        told=[
            ("image", 100),
            ("version_report", 200),
            ("request", 20),
            ("detail", 30),
            ("cut", 3),
            ("carried", 1000),
            ("answer", 50),
        ],
        population=[("reporting", "north", 30), ("reporting", "south", 10)],
        kinds=[
            ("outage", "AD1", True, True, True, -1.0),
            ("got", "8F72", True, True, False, -1.0),
            ("reading", "", False, False, False, -1.0),
        ],
        peaks=[
            ("dsp", "dsp", "outage", 1, 3, 0),
            ("dsp", "dsp", "got", 1, 9, 0),
            ("dsp", "dsp", "got", 60, 99, 0),
            ("dsp", "dsp", "reading", 1, 70, 0),
            ("csp", "north", "got", 1, 50, 0),
        ],
    )


EXPECTED = {
    ("read_wrong_share", "gain"): 0.3,
    ("read_wrong_share", "call"): 0.6,
    ("read_wrong_share", "all"): 0.45,
    ("read_unknown_share", "gain"): 0.2,
    ("read_unknown_share", "all"): 0.1,
    ("reads_per_device_year", "gain"): 1 / YEARS,
    ("reads_per_device_year", "all"): 2 / YEARS,
    ("decision_error_share", "gain"): 0.25,
    ("decision_error_share", "gain/false_alarm"): 15 / 80,
    ("decision_error_share", "targeting/wasted"): 0.5,
    ("decision_error_share", "all"): 0.3,
    ("decision_cost_gbp_total", "gain"): 175,
    ("decision_cost_gbp_total", "all"): 195,
    ("decision_cost_gbp_per_device_year", "all"): 1.95 / YEARS,
    ("local_let_through_share", "unlisted"): 0.3,
    ("local_let_through_share", "variant"): 0.25,
    ("local_let_through_share", "all"): 0.26,
    ("local_blocked_wrongly_share", "blocked"): 0.1,
    ("local_blocked_wrongly_share", "gateway_down"): 0,
    ("local_blocked_wrongly_share", "all"): 0.3,
    ("local_outcome_share", "banned"): 10 / 150,
    ("local_outcome_share", "installed"): 73 / 150,
    ("suspended_devices_end", "esme"): 2,
    ("suspended_devices_end", "ppmid"): 0,
    ("suspended_devices_end", "all"): 2,
    ("suspended_device_days", "all"): 6,
    ("suspended_device_share", "esme"): 0.01,
    ("suspended_device_share", "all"): 0.006,
    ("unlisted_device_days", "ppmid"): 30,
    ("unlisted_device_share", "ppmid"): 0.1,
    ("variant_devices_end", "all"): 5,
    ("variant_device_days", "ppmid"): 5,
    ("behind_class_device_share", "ppmid/security"): 0.15,
    ("behind_class_device_share", "ppmid/feature"): 0.4,
    ("behind_class_device_share", "ihd/feature"): 0.5,
    ("behind_device_share", "ppmid"): 0.3,
    ("behind_device_share", "ihd"): 0.5,
    ("behind_device_share", "all"): 28 / 80,
    ("hub_records_forgotten_n", "all"): 9,
    ("audit_found_n", "ppmid"): 5,
    ("audit_detection_days_mean", "ppmid"): 4,
    ("audit_detection_days_mean", "all"): 4,
    ("audit_detected_share", "ihd"): 0.0,
    ("audit_detected_share", "all"): 5 / 13,
    ("audit_met_share", "ppmid"): 100 / 107,
    ("audit_met_share", "all"): 200 / 207,
    ("audit_wrong_share", "ppmid"): 0.1,
    ("audit_wrong_share", "all"): 0.05,
    ("audit_error_share", "ppmid"): 0.1 - 0.4,
    ("audit_error_share", "esme"): 0,
    ("audit_error_share", "all"): 0.05 - 0.2,
    ("audit_covers_share", "ppmid"): 0,
    ("audit_covers_share", "esme"): 1,
    # Wilson with continuity, 10 of 100 and 0 of 100, from tables.
    ("audit_half_width_share", "ppmid"): pytest.approx((0.17998 - 0.05161) / 2, abs=1e-3),
    ("audit_half_width_share", "esme"): pytest.approx(0.0226, abs=1e-3),
    ("audit_reads_per_year", "ppmid"): 100 / YEARS,
    ("job_end_share", "done"): 0.7,
    ("job_end_share", "withdrawn"): 0.1,
    ("job_sent_share", "esme"): 0.5,
    ("job_sent_share", "all"): 0.9,
    ("job_recorded_share", "ppmid"): 0.8,
    ("job_recorded_share", "esme"): 1.0,
    ("job_recorded_share", "all"): 74 / 90,
    ("attempts_per_job_mean", "ppmid"): 100 / 80,
    ("attempts_per_job_mean", "esme"): 2.0,
    ("attempt_step_share", "offered"): 1,
    ("attempt_step_share", "recorded"): 70 / 120,
    ("goodput_share", "ppmid"): 0.75,
    ("goodput_share", "all"): 0.7,
    ("ota_step_s_p50", "han"): 2896,
    ("ota_step_s_p50", "han/ppmid"): 1448,
    ("ota_step_s_p95", "han"): 4096 + 0.9 * 1696,
    ("ota_step_s_p99", "han/esme"): 4096 + 0.99 * 1696,
    ("ota_step_s_p50", "all"): (8192 + 11585) / 2,
    ("ota_step_share", "whole"): 10 / 120,
    ("ota_step_share", "whole/ppmid"): 0.1,
    ("ota_step_share", "all"): 10 / 120,
    ("campaign_finished_share", "security"): 1.0,
    ("campaign_finished_share", "feature"): 0.0,
    ("campaign_finished_share", "all"): 0.4,
    ("campaign_ended_share", "feature"): 2 / 3,
    ("campaign_ended_share", "all"): 0.8,
    ("campaign_days_mean", "security"): 5.5,
    ("campaign_days_mean", "all"): 5.5,
    ("campaign_stopped_share", "feature"): 0.5,
    ("campaign_stopped_share", "all"): 0.25,
    ("supply_cuts_n", "all"): 3,
    ("kind_alerts_n", "outage"): 2,
    ("kind_alerts_n", "all"): 14,
    ("firmware_messages_per_device_year", "carried"): 10 / YEARS,
    ("firmware_messages_per_device_year", "all"): 4.03 / YEARS,
    ("reports_per_device_year", "all"): 5 / YEARS,
    ("messages_per_device_year", "all"): 6.25 / YEARS,
    ("dsp_kind_per_s_peak", "outage"): 3,
    ("dsp_kind_per_s_peak", "all"): 9,
    # The metrics of records, as they always were: in a firmware world a hub's record may be
    # forgotten.
    ("hub_record_wrong_share", "ppmid"): 70 / 220,
    ("hub_record_unknown_share", "ppmid"): 80 / 300,
    ("record_wrong_share", "all"): 120 / 900,
    ("record_unknown_share", "all"): 0.1,
}
ABSENT = [
    ("read_wrong_share", "audit"),
    ("local_outcome_share", "all"),
    ("job_end_share", "all"),
    ("audit_detection_days_mean", "ihd"),
    ("audit_detected_share", "ppmid"),
    ("campaign_days_mean", "feature"),
    ("dsp_kind_per_s_peak", "reading"),
    ("record_wrong_share", "ihd"),
    ("audit_wrong_share", "ihd"),
]


@pytest.mark.parametrize(("name", "group"), EXPECTED, ids=str)
def test_a_value_worked_out_by_hand(name, group):
    """The definition, applied to the tables above with a pencil."""
    want = EXPECTED[name, group]

    assert measure(world(), WINDOW)[name, group] == (
        pytest.approx(want) if isinstance(want, int | float) else want
    )


@pytest.mark.parametrize(("name", "group"), ABSENT, ids=str)
def test_what_does_not_apply_is_absent(name, group):
    """Absent, and not 0."""
    assert name in METRICS
    assert (name, group) not in measure(world(), WINDOW)


def test_a_world_without_firmware_has_no_firmware_metrics():
    """Its tables are empty, or, of an older version, not there."""
    bare = {
        name: frame
        for name, frame in tables().items()
        if name not in (
            "readings",
            "decisions",
            "local",
            "status",
            "states",
            "jobs",
            "steps",
            "told",
        )
    }
    names = {
        name
        for name, _ in EXPECTED
        if not name.startswith(("record_", "hub_record_", "reports_", "messages_"))
    }

    assert names
    assert not names & {name for name, _ in measure(tables(), WINDOW)}
    assert not names & {name for name, _ in measure(bare, WINDOW)}


def test_every_job_and_every_local_attempt_is_conserved():
    """Each ends in exactly one way, so the shares add up to 1; and of attempts each step has no
    more than the one before.
    """
    values = measure(world(), WINDOW)

    for name in ("job_end_share", "local_outcome_share"):
        assert sum(value for (of, _), value in values.items() if of == name) == pytest.approx(1)
    steps = [values["attempt_step_share", step] for step in ("offered", "accepted", "recorded")]
    assert steps == sorted(steps, reverse=True)
