"""The metrics of storms, from a day of tables written by hand: two regions of WAN cells, a DSP, two
users, alerts that matter and one that chatters.
"""

from __future__ import annotations

import pytest

from sim.metrics import METRICS, Window, measure
from tests.metrics.hand import tables, timeline

DAY_S = 86_400
WINDOW = Window(300, DAY_S)


def users():
    """Return two hours of two users: in ten minutes 60, 0, 250, 120, 100, 30, 90, 40, 210, 0, 0, 20
    at the first; 10 a minute at the second.
    """
    first = (
        [0] * 5
        + [12] * 5
        + [0] * 10
        + [25] * 10
        + [12] * 10
        + [10] * 10
        + [3] * 10
        + [9] * 10
        + [4] * 10
        + [21] * 10
        + [0] * 20
        + [2] * 10
    )
    return [
        *timeline("user", "first", 0, [(n, n, 0) for n in first]),
        *timeline("user", "second", 0, [(10, 10, 0)] * 120),
    ]


def world():
    """Return the tables."""
    return tables(
        attempts=[
            ("version_report", 100, 250, 40),
            ("power_outage", 50, 50, 0),
            ("chatter", 150, 150, 0),
            ("reading", 700, 700, 0),
        ],
        fates=[
            ("version_report", "delivered", "", 90),
            ("version_report", "refused", "dsp", 10),
            ("power_outage", "delivered", "", 30),
            ("power_outage", "consolidated", "hub", 8),
            ("power_outage", "refused", "hub", 4),
            ("power_outage", "throttled", "dsp", 3),
            ("power_outage", "expired", "", 4),
            ("power_outage", "in_flight", "", 1),
            ("restored_one", "delivered", "", 20),
            ("restored_two", "delivered", "", 18),
            ("restored_two", "lost", "", 2),
            ("tamper", "delivered", "", 10),
            ("chatter", "throttled", "dsp", 120),
            ("chatter", "delivered", "", 30),
            ("reading", "delivered", "", 690),
            ("reading", "refused", "dsp", 10),
        ],
        delays=[
            ("end_to_end", "all", "power_outage", 60, 20),
            ("end_to_end", "all", "power_outage", 61, 6),
            ("end_to_end", "all", "power_outage", 900, 4),
            ("end_to_end", "all", "restored_two", 7201, 5),
            ("end_to_end", "all", "chatter", 9000, 30),
            ("dsp", "dsp", "power_outage", 999, 30),
            ("end_to_end", "all", "tamper", 99_999, 10),
        ],
        targets=[
            ("power_outage", 60, 42, 10),
            ("restored_one", 7200, 20, 0),
            ("restored_two", 7200, 18, 5),
            ("chatter", 60, 150, 120),
        ],
        kinds=[
            ("version_report", "", True, True, False, -1.0),
            ("power_outage", "AD1", True, True, True, -1.0),
            ("restored_one", "8F36", True, True, True, -1.0),
            ("restored_two", "8F36", True, True, True, -1.0),
            ("tamper", "", True, True, True, -1.0),
            ("chatter", "8F0F", True, True, False, -1.0),
            ("reading", "", False, False, False, -1.0),
            ("quiet", "8F99", True, True, True, -1.0),
        ],
        rows=[
            ("hub", 0, "dedupe", "power_outage", 8, 0),
            ("dsp", 0, "alert_storm_protection", "power_outage", 3, 0),
            ("dsp", 0, "alert_storm_protection", "chatter", 120, 0),
            ("dsp", 2, "alert_storm_protection", "chatter", 7, 0),
            ("device", 0, "jitter", "version_report", 0, 99),
        ],
        arrivals=[
            ("dsp", "dsp", "version_report", 0, 240, 9),
            ("dsp", "dsp", "chatter", 4, 100, 9),
            ("dsp", "dsp", "chatter", 5, 50, 9),
            ("dsp", "dsp", "reading", 0, 700, 9),
            ("csp", "north", "chatter", 4, 999, 9),
            ("cell", "north", "version_report", 0, 8640, 4),
            ("cell", "south", "version_report", 0, 4320, 2),
        ],
        peaks=[
            ("dsp", "dsp", "all", 900, 3600, 0),
            ("cell", "north", "all", 900, 900, 0),
            ("cell", "south", "all", 900, 5400, 900),
        ],
        stages=[
            ("cell", "north", 0.5, DAY_S, 40, 50, 6, 0),
            ("cell", "south", 0.5, DAY_S, 90, 0, 3, 0),
            ("dsp", "dsp", 5.0, DAY_S, 20, 30, 70, 0),
            ("csp", "north", float("inf"), DAY_S, 9, 9, 9, 9),
            ("user", "first", float("inf"), DAY_S, 0, 0, 0, 0),
        ],
        cells=[("north", 10, 4, 864, 8640, 6), ("south", 6, 3, 90, 0, 3)],
        timeline=users(),
        operators=[("first", 2, 50, 25), ("second", 1, 200, 100)],
    )


EXPECTED = {
    ("amplification_ratio", "version_report"): 2.5,
    ("amplification_ratio", "power_outage"): 1.0,
    ("amplification_ratio", "all"): 1.15,
    ("attempts_wasted_share", "version_report"): 0.16,
    ("attempts_wasted_share", "all"): 40 / 1150,
    ("consolidated_share", "power_outage"): 0.16,
    ("throttled_share", "chatter"): 0.8,
    ("throttled_share", "all"): 123 / 1050,
    ("genuine_suppressed_share", "AD1"): 19 / 50,
    ("genuine_suppressed_share", "8F36"): 0.05,
    ("genuine_suppressed_share", "tamper"): 0.0,
    ("genuine_suppressed_share", "all"): 21 / 100,
    ("genuine_delayed_share", "AD1"): 0.2,
    ("genuine_delayed_share", "8F36"): 5 / 40,
    ("genuine_delayed_share", "all"): 15 / 100,
    ("genuine_loss_share", "AD1"): 29 / 50,
    ("genuine_loss_share", "all"): 36 / 100,
    ("stopped_per_day", "dsp/alert_storm_protection"): 130,
    ("stopped_per_day", "hub/dedupe"): 8,
    ("stopped_per_day", "device/jitter"): 0,
    ("put_off_per_day", "device/jitter"): 99,
    ("anomaly_alerts_per_day", "chatter"): 150,
    ("anomaly_alerts_per_day", "version_report"): 240,
    ("anomaly_alerts_per_day", "all"): 390,
    ("busiest_cell_messages_per_s_peak", "south"): 3,
    ("busiest_cell_messages_per_s_peak", "all"): 4,
    ("busiest_cell_peak_waiting_n", "all"): 6,
    ("all_cells_over_capacity_share", "north"): 0.001,
    ("all_cells_over_capacity_share", "all"): 954 / 16 / DAY_S,
    ("all_cells_waiting_share", "north"): 0.01,
    ("all_cells_waiting_share", "south"): 0.0,
    ("cell_load_share", "north"): 0.02,
    ("cell_load_share", "south"): 0.05 / 3,
    ("cell_over_capacity_s_total", "all"): 90,
    ("dsp_headroom_share", "all"): 0.2,
    ("cell_headroom_share", "north"): 0.8,
    ("cell_headroom_share", "south"): -1.0,
    ("cell_headroom_share", "all"): -1.0,
    ("dsp_over_capacity_s_total", "all"): 20,
    # An operator of two: 30, 0, 125, 60, 50, 15, 45, 20, 105, 0, 0, 10; the first ten minutes are
    # not all measured. Floods: the third to the fifth, the ninth.
    ("operator_alerts_per_600s_mean", "first"): 430 / 11,
    ("operator_alerts_per_600s_mean", "all"): 100,
    ("operator_alerts_per_600s_peak", "first"): 125,
    ("operator_alerts_per_600s_peak", "second"): 100,
    ("operator_alerts_per_600s_peak", "all"): 125,
    ("operator_flood_share", "first"): 4 / 11,
    ("operator_flood_share", "second"): 0.0,
    ("operator_flood_share", "all"): 4 / 11,
    ("operator_floods_n", "first"): 2,
    ("operator_floods_n", "second"): 0,
}
ABSENT = [
    # not genuine, or not raised
    ("genuine_suppressed_share", "8F0F"),
    ("genuine_suppressed_share", "8F99"),
    ("genuine_delayed_share", "version_report"),
    ("anomaly_alerts_per_day", "reading"),
    ("csp_headroom_share", "all"),
    ("csp_over_capacity_s_total", "all"),
    ("drain_time_s", "all"),
    ("returned_to_normal_share", "all"),
    ("load_before_share", "dsp/dsp"),  # nothing went wrong
]


@pytest.mark.parametrize(("name", "group"), EXPECTED, ids="/".join)
def test_a_value_worked_out_by_hand(name, group):
    """The definition, applied to the tables above with a pencil."""
    assert measure(world(), WINDOW)[name, group] == pytest.approx(EXPECTED[name, group])


@pytest.mark.parametrize(("name", "group"), ABSENT, ids="/".join)
def test_what_does_not_apply_is_absent(name, group):
    """Absent, and not 0."""
    assert name in METRICS
    assert (name, group) not in measure(world(), WINDOW)


def test_an_empty_world_has_no_storm_metrics():
    """Without messages, cells, operators and faults there is nothing to measure."""
    names = {name for name, _ in measure(tables(), WINDOW)}

    assert not names & {name for name, _ in EXPECTED}


def test_genuine_loss_is_what_is_suppressed_and_what_is_delayed():
    """By code, the two add up to the whole."""
    values = measure(world(), WINDOW)
    codes = {group for name, group in values if name == "genuine_loss_share"}

    assert codes == {"AD1", "8F36", "tamper", "all"}
    for code in codes:
        assert (
            values["genuine_loss_share", code]
            == values["genuine_suppressed_share", code] + values["genuine_delayed_share", code]
        )
