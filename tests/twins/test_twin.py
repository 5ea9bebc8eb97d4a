"""The twin against worlds worked out by hand: the oracle needs one too."""

from __future__ import annotations

from typing import Any

import pytest

from sim.kernels import draws
from sim.streams import stream_key
from sim.tables import STALENESS_EDGES_S
from sim.twin.ledgers import Record, confirmation_2s2, measure, was_wrong_before, wrong_by_band
from tests.twins.tiny import ended, messages, rows, tiny

AT_S, DAY_S = 3600, 86_400
DSP = [{"stage": "dsp", "capacity": "1 /s"}]


def by_hand(driver: str, rate: str) -> dict[str, Any]:
    """Return updates that all homes make by hand as well, at *rate*, within the hour."""
    local = {"driver": driver, "rate": rate, "first_release": "0 s", "delay": "1 h"}
    return {"policy": "local_and_ota", "local": local | {"take_up": 1.0}}


def _gap_s(stream: str, index: int, occasion: int, mean_s: float) -> int:
    word = draws.word(stream_key(1, 0, stream), 4, index, occasion)
    return int(draws.gap_s(word, 1 / mean_s))


def test_four_at_once_leave_a_server_of_one_a_second_one_after_the_other():
    scenario = tiny(network=DSP)

    assert [(leave, written - leave) for leave, _, _, written in messages(scenario)] == [
        (AT_S, 0),
        (AT_S, 1),
        (AT_S, 2),
        (AT_S, 3),
    ]
    assert rows(
        scenario, "stages", "over_capacity_s", "waiting_s", "peak_waiting_n", "waiting_at_end_n"
    ) == [(1, 3, 3, 0)]
    assert ("dsp", "dsp", "all", 1, 4, AT_S) in rows(
        scenario, "peaks", "stage", "server", "kind", "k_s", "peak_n", "at_s"
    )
    assert ("dsp", "dsp", "all", 900, 4, AT_S) in rows(
        scenario, "peaks", "stage", "server", "kind", "k_s", "peak_n", "at_s"
    )
    assert rows(scenario, "arrivals", "quarter", "n", "peak_1_n") == [(4, 4, 4)]
    assert rows(scenario, "targets", "n", "n_late") == [(4, 2)]


def test_a_full_buffer_refuses_who_comes_last_by_rank():
    scenario = tiny(network=[{"stage": "dsp", "capacity": "1 /s", "buffer": 1}])
    ranks = sorted(
        (int(draws.word(stream_key(1, 0, "message.rank"), 4, index, AT_S)), index)
        for index in range(4)
    )

    served = {
        message.sender.index: message.at_s - AT_S
        for message in ended(scenario).messages
        if message.fate == "delivered"
    }

    assert served == {ranks[0][1]: 0, ranks[1][1]: 1}
    assert rows(scenario, "fates", "fate", "stage", "n") == [
        ("delivered", "", 2),
        ("refused", "dsp", 2),
    ]


def test_a_third_of_a_message_a_second_serves_at_every_third_slot():
    scenario = tiny(network=[{"stage": "dsp", "capacity": "20 /min"}])

    # floor((s + 1) / 3) - floor(s / 3) is 1 where s + 1 is a multiple of 3; 3600 is one.
    assert [written for *_, written in messages(scenario)] == [3602, 3605, 3608, 3611]


def test_stages_without_latency_are_passed_in_one_second_and_latencies_add_up():
    servers = {"users": {"large": 0.5, "small": 0.5}}
    at_once = tiny(
        estate=servers | {
            "premises": 2,
            "devices": {"esme": 1, "gsme": 0, "ppmid": 1, "ihd": 0, "hcalcs": 0},
            "regions": {"north": 1},
            "no_wan_share": 0,
            "not_communicating_share": 0,
            "premises_per_cell": 1,
        },
        network=[
            {"stage": "csp", "capacity": "2 /s"},
            {"stage": "dsp", "capacity": "2 /s"},
            {"stage": "user"},
        ],
    )
    later = tiny(
        network=[
            {"stage": "csp", "latency": "5 s"},
            {"stage": "dsp", "latency": "7 s"},
            {"stage": "user", "latency": "9 s"},
        ]
    )

    assert {written for *_, written in messages(at_once)} == {AT_S}
    assert {
        row[:2] + row[3:] for row in rows(at_once, "delays", "stage", "kind", "server", "delay_s")
    } >= {("csp", "version_report", 0)}
    assert {written for *_, written in messages(later)} == {AT_S + 12}
    assert (
        sum(
            n for stage, _, n in rows(later, "arrivals", "stage", "quarter", "n") if stage == "user"
        )
        == 4
    )
    assert ("end_to_end", "all", 12, 4) in rows(later, "delays", "stage", "server", "delay_s", "n")


def test_what_the_horizon_cuts_off_is_in_flight_and_late_only_if_past_its_target():
    window = {"start": "2026-01-01", "warm_up": "0 s", "length": "3602 s"}

    scenario = tiny(window=window, network=DSP)

    assert rows(scenario, "fates", "fate", "n") == [("delivered", 2), ("in_flight", 2)]
    assert rows(scenario, "targets", "n", "n_late") == [(4, 2)]
    assert rows(scenario, "stages", "waiting_s", "waiting_at_end_n") == [(2, 2)]


def test_a_dark_hub_lets_its_reports_expire():
    cut = {
        "region": "north",
        "share": 1.0,
        "start": "50 min",
        "duration": "20 min",
        "restoration": "0 s",
    }

    assert messages(tiny(faults={"power_cuts": [cut]})) == []
    assert rows(tiny(faults={"power_cuts": [cut]}), "fates", "fate", "n") == [("expired", 4)]
    assert (
        len(messages(tiny(faults={"power_cuts": [cut | {"duration": "10 min"}]}))) == 4
    ), "dark until the second before"


def test_power_on_starts_every_timer_where_the_latest_of_overlapping_cuts_ends():
    cuts = [
        {"region": "north", "share": 1.0, "start": "1 s", "duration": "2 h", "restoration": "0 s"},
        {
            "region": "north",
            "share": 1.0,
            "start": "1 h",
            "duration": "10 min",
            "restoration": "0 s",
        },
    ]
    reporting = tiny().reporting.model_dump() | {
        "period": "10 h",
        "phase": {"source": "power_on", "at": "00:00", "window": "0 s", "jitter": "0 s"},
    }

    assert [
        leave for leave, *_ in messages(tiny(reporting=reporting, faults={"power_cuts": cuts}))
    ] == [7201 + 36_000] * 4 + [7201 + 72_000] * 4


def test_a_release_is_wrong_from_its_installation_until_the_next_report():
    local = {
        "driver": "releases",
        "rate": "1 /year",
        "take_up": 1.0,
        "first_release": "2 h",
        "delay": "1 h",
    }
    window = {"start": "2026-01-01", "warm_up": "0 s", "length": "2 d"}

    scenario = tiny(window=window, updates={"policy": "local_and_ota", "local": local})

    installed = [7200 + _gap_s("local.release_delay", index, 1, 3600) for index in range(4)]
    wrong = [DAY_S + AT_S - second for second in installed]
    smi = next(
        row
        for row in rows(
            scenario,
            "ledgers",
            "ledger",
            "device_type",
            "right_s",
            "wrong_s",
            "staleness_s2",
            "n_changes",
            "n_repairs",
            "repair_s",
        )
        if row[:2] == ("smi", "ppmid")
    )
    assert smi[2:] == (
        4 * 2 * DAY_S - sum(wrong),
        sum(wrong),
        sum(w * w for w in wrong) / 2,
        4,
        4,
        sum(wrong),
    )
    assert [
        n
        for ledger, kind, _, n in rows(scenario, "days", "ledger", "device_type", "day", "n_wrong")
        if (ledger, kind) == ("smi", "ppmid")
    ] == [4, 0]


def test_a_newer_release_supersedes_one_not_yet_installed():
    world = ended(tiny(updates=by_hand("releases", "1 /h")))

    for device in (device for home in world.homes() for device in home.devices):
        gaps = {
            release: _gap_s("local.release_delay", device.index, release, 3600)
            for release in range(1, 25)
        }
        expected = [
            ((release - 1) * 3600 + gap, release) for release, gap in gaps.items() if gap < 3600
        ]
        assert [(change.second, change.version) for change in device.changes] == expected


def test_a_change_is_reported_at_once_and_confirmed():
    scenario = tiny(
        reporting=tiny().reporting.model_dump() | {"rule": "on_change"},
        updates=by_hand("poisson", "12 /d"),
    )

    first = min(_gap_s("local.gap", index, 0, 7200) for index in range(4))
    assert messages(scenario)[0] == (first, "change", "delivered", first)
    assert ("smi", "ppmid", 0) in rows(scenario, "ledgers", "ledger", "device_type", "wrong_s")
    assert all(cause == "change" for _, cause, *_ in messages(scenario))


def test_activation_restarts_the_timer_and_drops_the_report_of_that_second():
    phase = {"source": "activation", "at": "00:00", "window": "0 s", "jitter": "0 s"}

    scenario = tiny(
        reporting=tiny().reporting.model_dump() | {"period": "12 h", "phase": phase},
        updates=by_hand("releases", "1 /year"),
    )

    for device in (device for home in ended(scenario).homes() for device in home.devices):
        changed = device.changes[0].second
        after = [
            message.raised_s
            for message in ended(scenario).messages
            if message.sender.index == device.index and message.raised_s >= changed
        ]
        assert after == [
            second for second in (changed + 43_200, changed + 86_400) if second < DAY_S
        ]


def test_a_polled_hub_answers_once_for_all_its_devices_and_each_poll_costs_a_request():
    estate = tiny().estate.model_dump() | {
        "devices": {"esme": 1.0, "gsme": 0.0, "ppmid": 1.0, "ihd": 1.0, "hcalcs": 1.0}
    }
    reporting = tiny().reporting.model_dump() | {
        "rule": "hub_poll",
        "devices": ["ppmid", "ihd"],
        "fan_out": 3,
    }

    segments = rows(
        tiny(estate=estate, reporting=reporting, network=DSP),
        "segments",
        "segment",
        "kind",
        "n",
        "bytes",
    )

    assert segments == [
        ("dsp", "request", 4, 312),
        ("dsp", "version_report", 4, 528),
        ("user", "version_report", 12, 12 * (1701 + 176)),
        ("wan", "request", 4, 312),
        ("wan", "version_report", 4, 528),
    ]


def test_the_inventory_knows_nothing_of_type_2_devices():
    estate = tiny().estate.model_dump() | {
        "devices": {"esme": 1.0, "gsme": 0.0, "ppmid": 0.0, "ihd": 1.0, "hcalcs": 0.0}
    }
    scenario = tiny(
        estate=estate,
        reporting=tiny().reporting.model_dump() | {"devices": ["ihd"]},
        updates=by_hand("poisson", "12 /d"),
    )

    ledgers = rows(
        scenario,
        "ledgers",
        "ledger",
        "device_type",
        "right_s",
        "wrong_s",
        "unknown_s",
        "n_confirmed",
    )
    assert ("smi", "ihd", 0, 0, 4 * DAY_S, 0) in ledgers
    assert len(messages(scenario)) == 4


def test_version_reports_wait_behind_the_kind_that_goes_first():
    traffic = {"level": 1.0}
    second = {"start": "2026-01-01", "warm_up": "3600 s", "length": "60 s"}

    waits = {}
    for first in ("alarm", "version_report"):
        network = [{"stage": "dsp", "capacity": "5 /s", "priority": [first]}]
        delays = rows(
            tiny(window=second, traffic=traffic, network=network),
            "delays",
            "stage",
            "kind",
            "delay_s",
            "n",
        )
        waits[first] = sum(
            delay * n
            for stage, kind, delay, n in delays
            if stage == "dsp" and kind == "version_report"
        )

    assert waits["version_report"] == 0
    assert waits["alarm"] > 0


def test_anonymous_traffic_is_the_count_of_its_second():
    scenario = tiny(
        window={"start": "2026-01-01", "warm_up": "10 s", "length": "90 s"},
        traffic={"level": 0.5},
        network=DSP,
    )
    thresholds = draws.poisson_cdf_thresholds(2.0)
    counts = [
        int(
            draws.poisson_count(
                draws.word(stream_key(1, 0, "traffic.alarm"), 0, second, 0), thresholds
            )
        )
        for second in range(100)
    ]

    assert rows(scenario, "arrivals", "kind", "n", "peak_1_n") == [
        ("alarm", sum(counts[10:]), max(counts[10:]))
    ]
    assert sum(n for (n,) in rows(scenario, "fates", "n")) == sum(counts[10:])


@pytest.fixture
def record() -> Record:
    """Return a record that is WRONG over [10, 40) and from 100 on."""
    kept = Record(is_kept=True)
    kept.settle(10, 1)
    kept.settle(25, 2)
    kept.write(30, 5, 1, 2)  # a late report, still wrong
    kept.write(40, 35, 2, 2)
    kept.settle(100, 3)
    return kept


def test_a_record_is_wrong_from_the_change_to_the_report_that_carries_it(record: Record):
    assert record.episodes == [(10, 40), (100, None)]
    assert measure(record, 0, 120).wrong_s == 50
    assert measure(record, 0, 120).staleness_2s2 == 30**2 + 20**2
    assert (measure(record, 0, 120).n_repairs, measure(record, 0, 120).repair_s) == (1, 30)
    assert (measure(record, 20, 120).wrong_s, measure(record, 20, 120).n_repairs) == (40, 0)
    assert measure(record, 20, 120).staleness_2s2 == 30**2 - 10**2 + 20**2
    assert [was_wrong_before(record, second) for second in (10, 11, 40, 41, 101)] == [
        False,
        True,
        True,
        False,
        True,
    ]


def test_staleness_bands_hold_every_wrong_second_once(record: Record):
    assert wrong_by_band(record, 20, 120, (0, 15, 25, 1000)) == [5 + 15, 10 + 5, 5]
    assert sum(wrong_by_band(record, 0, 120, STALENESS_EDGES_S)) == 50


def test_confirmation_age_falls_to_the_age_of_the_report_that_is_written(record: Record):
    by_second = sum(t - (0 if t < 30 else 5 if t < 40 else 35) + 0.5 for t in range(20, 120))

    assert confirmation_2s2(record, 20, 120) / 2 == by_second
