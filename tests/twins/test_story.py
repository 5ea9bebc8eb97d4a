"""A device's life in words: the right device, the right events, and where two lives part."""

from __future__ import annotations

import pytest

from sim.kernels import draws
from sim.streams import stream_key
from sim.twin import story
from tests.twins.tiny import ended, tiny

LOCAL = {
    "driver": "releases",
    "rate": "1 /year",
    "take_up": 1.0,
    "first_release": "2 h",
    "delay": "1 h",
}
WINDOW = {"start": "2026-01-01", "warm_up": "1 d", "length": "3 d"}
CHANGING = tiny(window=WINDOW, updates={"policy": "local_and_ota", "local": LOCAL})


def test_rows_are_found_where_the_estate_puts_them():
    scenario = tiny(
        estate={
            "premises": 500,
            "devices": {"esme": 1, "gsme": 0, "ppmid": 0.4, "ihd": 0.2, "hcalcs": 0.1},
            "regions": {"north": 0.3, "central": 0.7},
            "no_wan_share": 0,
            "not_communicating_share": 0,
            "premises_per_cell": 10,
            "users": {"large": 1.0},
        }
    )
    devices = [device for home in ended(scenario).homes() for device in home.devices]

    found = {device.row: story.find(scenario, 0, device.row) for device in devices}

    assert found == {
        device.row: story.Address(device.region.name, device.device_type, device.index)
        for device in devices
    }
    for row in (-1, len(devices)):
        with pytest.raises(ValueError, match=f"numbered from 0 to {len(devices) - 1}"):
            story.find(scenario, 0, row)


def test_a_life_tells_of_the_change_the_report_and_the_repair():
    word = draws.word(stream_key(1, 0, "local.release_delay"), 4, 2, 1)
    installed_s = 7200 + int(draws.gap_s(word, 1 / 3600))
    hours, minutes, seconds = installed_s // 3600, installed_s // 60 % 60, installed_s % 60

    told = story.tell(CHANGING, 0, 2).splitlines()

    assert told[0].startswith(
        "PPMID in north, premises 2 (user large); reached by WAN; takes local updates; rule"
        " periodic, reports."
    )
    assert (
        told[1]
        == "2026-01-01 01:00:00  timed report with version 0 leaves and reaches the SMI after 0 s"
    )
    assert (
        told[2]
        == f"2026-01-01 {hours:02}:{minutes:02}:{seconds:02}  installs version 1 from its Wi-Fi;"
        " the SMI still says 0"
    )
    assert (
        told[3]
        == "2026-01-02 01:00:00  timed report with version 1 leaves and reaches the SMI after 0 s"
    )
    assert told[4].startswith("2026-01-02 01:00:00  the SMI record is RIGHT again after ")
    wrong_d = 3600 / 86_400  # the warm-up is not measured
    assert (
        told[-1]
        == f"In the 3.00 d after warm-up: SMI record RIGHT for {3 - wrong_d:.2f} d, WRONG for"
        f" {wrong_d:.2f} d; hub record UNKNOWN for 3.00 d."
    )


def test_a_run_of_reports_that_change_nothing_is_told_once():
    told = story.tell(
        tiny(window={"start": "2026-01-01", "warm_up": "0 s", "length": "30 d"}), 0, 0
    ).splitlines()

    assert told[2] == "2026-01-30 01:00:00  … the last of 29 more like it"
    assert len(told) == 4


def test_what_becomes_of_a_report_is_told():
    cut = {
        "region": "north",
        "share": 1.0,
        "start": "50 min",
        "duration": "20 min",
        "restoration": "0 s",
    }
    lost = tiny(reporting=tiny().reporting.model_dump() | {"loss": 1.0})
    refused = tiny(network=[{"stage": "dsp", "capacity": "1 /d", "buffer": 0}])
    waiting = tiny(network=[{"stage": "dsp", "capacity": "1 /s"}])

    assert "leaves and expires: the power is off" in story.tell(
        tiny(faults={"power_cuts": [cut]}), 0, 0
    )
    assert "the power goes off for 20 min" in story.tell(tiny(faults={"power_cuts": [cut]}), 0, 0)
    assert "leaves and is lost" in story.tell(lost, 0, 0)
    assert "is refused at dsp" in story.tell(refused, 0, 0)
    assert "having waited 3 s at dsp" in "".join(story.tell(waiting, 0, row) for row in range(4))


def test_one_premises_alone_lives_as_it_does_among_all(monkeypatch: pytest.MonkeyPatch):
    among_all = [story.live(CHANGING, 0, story.find(CHANGING, 0, row)) for row in range(4)]
    monkeypatch.setattr(story, "MOST_ROWS", 0)

    alone = [story.live(CHANGING, 0, story.find(CHANGING, 0, row)) for row in range(4)]

    assert [life.lines for life in alone] == [life.lines for life in among_all]
    assert [life.summary for life in alone] == [life.summary for life in among_all]
    assert all("the network is taken as uncongested" in life.opening for life in alone)
    assert all("queues included" in life.opening for life in among_all)


def test_two_lives_are_told_one_after_the_other_with_their_first_difference():
    on_change = tiny(
        window=WINDOW,
        updates={"policy": "local_and_ota", "local": LOCAL},
        reporting=CHANGING.reporting.model_dump() | {"rule": "on_change"},
    )

    told = story.tell(CHANGING, 0, 1, versus=on_change, labels=("Daily", "On change"))

    assert told.startswith("Daily: PPMID in north, premises 1")
    assert "\n\nOn change: PPMID in north, premises 1" in told
    assert (
        "First difference: in Daily, 2026-01-01 01:00:00 timed report with version 0 leaves and"
        " reaches the SMI after 0 s; in On change, 2026-01-01"
        in told
    )
    assert "First difference: none" in story.tell(CHANGING, 0, 1, versus=CHANGING)


def test_a_device_that_the_other_world_lacks_is_said_to_be_missing():
    fewer = tiny(estate=tiny().estate.model_dump() | {"premises": 2})

    assert "there is no ppmid in north, premises 3." in story.tell(tiny(), 0, 3, versus=fewer)


def test_alerts_rows_and_attempts_are_told():
    cut = {
        "region": "north",
        "share": 1.0,
        "start": "50 min",
        "duration": "9 min",
        "restoration": "0 s",
    }
    lost_supply = {
        "code": "AD1",
        "sender": "hub",
        "cause": "outage",
        "share": 1.0,
        "after": "3 min",
        "genuine": True,
        "target": "1 s",
        "size": "1 B",
    }
    held = {
        "stage": "hub",
        "mitigations": [{"kind": "hold_down", "time": "2 min", "spread": "0 s"}],
    }
    retry = {
        "kind": "retry",
        "base": "10 s",
        "factor": 1,
        "most": "10 s",
        "jitter": "none",
        "cap": 2,
    }
    down = {"region": "north", "share": 1.0, "start": "55 min", "duration": "10 min"}
    bucket = {
        "stage": "device",
        "mitigations": [{"kind": "token_bucket", "every": "1 d", "burst": 1}],
    }
    daily = {"start": "2026-01-01", "warm_up": "0 s", "length": "2 d"}
    alerts = {"active": ["lost_supply"], "kinds": {"lost_supply": lost_supply}}

    told = story.tell(tiny(faults={"power_cuts": [cut]}, alerts=alerts, network=[held]), 0, 0)
    tried = story.tell(
        tiny(
            network=[
                {"stage": "hub", "mitigations": [retry]},
                {"stage": "dsp", "capacity": "0 /s", "buffer": 0},
            ]
        ),
        0,
        0,
    )

    assert "00:53:00  its hub alert lost_supply leaves and reaches the SMI after 0 s" in told
    assert (
        "01:00:00  timed report with version 0 is held back for 1 min, leaves and reaches the SMI"
        " after 60 s"
        in told
    )
    assert "leaves and is refused at dsp at attempt 3" in tried
    assert "leaves and expires: the link is down" in story.tell(
        tiny(faults={"wan_outages": [down]}), 0, 0
    )
    assert "the link of the hub is down for 10 min" in story.tell(
        tiny(faults={"wan_outages": [down]}), 0, 0
    )
    assert "timed report is throttled at device" in story.tell(
        tiny(
            window=daily,
            reporting=tiny().reporting.model_dump() | {"period": "12 h"},
            network=[bucket],
        ),
        0,
        0,
    )


@pytest.mark.parametrize(
    ("start", "length", "told"),
    [
        (
            "2026-03-28",
            "3 d",
            [
                "2026-03-28 01:20:00 GMT  timed report",
                "2026-03-30 01:20:00 BST  … the last of 2 more",
            ],
        ),
        ("2026-03-29", "1 d", ["2026-03-29 02:00:00 BST  timed report"]),  # 01:20 does not exist
        # it comes twice on the 25th
        (
            "2026-10-25",
            "2 d",
            ["2026-10-25 01:20:00 BST  timed report", "2026-10-26 01:20:00 GMT  timed report"],
        ),
    ],
)
def test_a_life_in_british_time_is_told_by_the_clock_on_the_wall(start, length, told):
    """The reports of a fixed clock are at one time of day, winter and summer."""
    window = {"start": start, "clock": "local", "warm_up": "0 s", "length": length}
    phase = {"source": "fixed_clock", "at": "01:20", "window": "0 s", "jitter": "0 s"}

    lines = story.tell(tiny(window=window, reporting={"phase": phase}), 0, 0).splitlines()[1:-1]

    assert [line[: len(begins)] for line, begins in zip(lines, told, strict=True)] == told
