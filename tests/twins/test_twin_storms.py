"""The twin in storms against worlds worked out by hand: rows, attempts, links, alerts and dark
spells.
"""

from __future__ import annotations

from typing import Any

import pytest

from sim.kernels import draws
from sim.scenario.schema import Scenario
from sim.streams import stream_key
from tests.twins.tiny import ended, rows, tiny

AT_S = 3600  # when the four devices of a tiny world report
DSP = {"stage": "dsp", "capacity": "1 /s"}


def _scaled(stream: str, place: int, index: int, occasion: int, n: int) -> int:
    return int(draws.scaled(draws.word(stream_key(1, 0, stream), place, index, occasion), n))


def _fates(scenario: Scenario) -> list[tuple[Any, ...]]:
    return rows(scenario, "fates", "kind", "fate", "stage", "n")


def _alerting(cause: str, sender: str = "hub", **more: Any) -> dict[str, Any]:
    kind = {
        "code": "AD1",
        "sender": sender,
        "cause": cause,
        "share": 1.0,
        "genuine": True,
        "target": "1 s",
        "size": "1 B",
    } | more
    return {"active": ["alert"], "kinds": {"alert": kind}}


def _silent(**blocks: Any) -> Scenario:
    """Return a tiny world without version reports."""
    return tiny(reporting=tiny().reporting.model_dump() | {"rule": "none"}, **blocks)


def _all_refused(**more: Any) -> Scenario:
    """Return a tiny world whose hubs try five times, 10 s apart, what is always refused."""
    retry = {
        "kind": "retry",
        "base": "10 s",
        "factor": 1,
        "most": "10 s",
        "jitter": "none",
        "cap": 5,
    }
    return tiny(
        network=[
            {"stage": "hub", "mitigations": [retry | more]},
            {"stage": "dsp", "capacity": "0 /s", "buffer": 0},
        ]
    )


def test_a_refused_report_tries_again_and_its_waits_double():
    retry = {
        "kind": "retry",
        "base": "10 s",
        "factor": 2,
        "most": "15 s",
        "jitter": "none",
        "cap": 2,
    }
    scenario = tiny(
        network=[
            {"stage": "hub", "mitigations": [retry]},
            {"stage": "dsp", "capacity": "6 /min", "buffer": 0},
        ]
    )

    tries = sorted(
        [attempt.leave_s - AT_S for attempt in message.attempts]
        for message in ended(scenario).messages
    )

    # Slots 3609 and 3619 and so on serve one each: nobody is served at 3600, 3610 or 3625.
    assert tries == [[0, 10, 25]] * 4
    assert _fates(scenario) == [("version_report", "refused", "dsp", 4)]
    assert rows(scenario, "attempts", "kind", "n_messages", "n_attempts", "n_wasted") == [
        ("version_report", 4, 12, 0)
    ]


def test_who_times_out_travels_on_and_a_second_copy_is_wasted():
    retry = {
        "kind": "retry",
        "base": "2 s",
        "factor": 1,
        "most": "2 s",
        "jitter": "none",
        "cap": 1,
        "timeout": "3 s",
    }
    scenario = tiny(network=[{"stage": "hub", "mitigations": [retry]}, DSP | {"latency": "2 s"}])

    by_delivery = sorted(
        (message.at_s - AT_S, len(message.attempts)) for message in ended(scenario).messages
    )

    # Served at 0, 1, 2 and 3 s and there 2 s later: two have timed out at 3 s. They would try again
    # at 5 s: one has arrived by then, one arrives just then.
    assert by_delivery == [(2, 1), (3, 1), (4, 1), (5, 2)]
    assert rows(scenario, "attempts", "n_attempts", "n_wasted") == [(5, 1)]


def test_a_budget_stops_retries_when_they_are_too_many_for_the_firsts():
    scenario = _all_refused(budget=0.5)

    # At 3610 s no retry has been made, so all four try again; at 3620 s four retries for four
    # firsts are more than half.
    assert rows(scenario, "attempts", "n_messages", "n_attempts") == [(4, 8)]
    assert _fates(scenario) == [("version_report", "refused", "dsp", 4)]


@pytest.mark.parametrize(("window", "attempts"), [("9 s", 4), ("10 s", 8), ("25 s", 8)])
def test_a_budget_forgets_what_its_window_has_left_behind(window, attempts):
    scenario = _all_refused(budget=0.5, budget_window=window)

    # All four are due at 3610 s. A window that reaches back to 3600 s knows four firsts, and lets
    # them; a shorter one knows none, of which nothing is a share. At 3620 s none is let: there
    # are four retries for four firsts, or no first.
    assert rows(scenario, "attempts", "n_messages", "n_attempts") == [(4, attempts)]


def test_a_token_bucket_saves_up_its_burst():
    chatter = _alerting("chatter", rate="0.5 /s", tail=1.5, spread=1.0000001)
    bucket = {"kind": "token_bucket", "every": "1000 s", "burst": 3}
    scenario = _silent(
        network=[{"stage": "device", "mitigations": [bucket]}],
        alerts=chatter,
        window={"length": "100 s"},
    )

    world = ended(scenario)

    for index in range(4):
        mine = sorted(
            (message.raised_s, message.fate) for message in world.messages if message.index == index
        )
        assert [fate for _, fate in mine[:5]] == ["delivered"] * 3 + ["throttled"] * 2
    assert {fate for _, fate, _, _ in _fates(scenario)} == {"delivered", "throttled"}


def test_a_link_that_is_down_keeps_what_the_hub_has_room_for():
    outage = {"region": "north", "share": 1.0, "start": "59 min", "duration": "5 min"}
    reporting = tiny().reporting.model_dump() | {
        "period": "70 s",
        "phase": {"source": "fixed_clock", "at": "00:00", "window": "0 s", "jitter": "0 s"},
    }
    kept = {}
    for name, hub in {
        "none": {},
        "newest": {"buffer": 2},
        "oldest": {"buffer": 2, "overflow": "drop_oldest"},
        "latest": {"buffer": 2, "overflow": "keep_latest"},
    }.items():
        scenario = tiny(
            reporting=reporting,
            window={"length": "2 h"},
            faults={"wan_outages": [outage]},
            network=[{"stage": "hub", **hub}],
        )
        mine = [
            message
            for message in ended(scenario).messages
            if message.index == 0 and 3540 <= message.raised_s < 3840
        ]
        kept[name] = [
            (message.raised_s, message.fate, message.at_s)
            for message in sorted(mine, key=lambda message: message.raised_s)
        ]

    raised = [3570, 3640, 3710, 3780]
    assert kept["none"] == [(second, "expired", -1) for second in raised]
    assert kept["newest"] == [
        (3570, "delivered", 3840),
        (3640, "delivered", 3840),
        (3710, "refused", -1),
        (3780, "refused", -1),
    ]
    assert kept["oldest"] == [
        (3570, "refused", -1),
        (3640, "refused", -1),
        (3710, "delivered", 3840),
        (3780, "delivered", 3840),
    ]
    assert kept["latest"] == [
        (3570, "consolidated", -1),
        (3640, "consolidated", -1),
        (3710, "consolidated", -1),
        (3780, "delivered", 3840),
    ]


def test_an_outage_is_told_as_it_begins_and_a_reboot_when_it_ends():
    cut = {
        "region": "north",
        "share": 1.0,
        "start": "10 min",
        "duration": "10 min",
        "restoration": "0 s",
    }
    reboot = {
        "region": "north",
        "share": 1.0,
        "start": "20 min",
        "duration": "1 min",
        "restoration": "0 s",
    }
    later = reboot | {"start": "40 min"}
    faults = {"power_cuts": [cut], "hub_reboots": [reboot, later]}

    def raised(cause: str, **more: Any) -> set[tuple[int, str]]:
        return {
            (message.raised_s, message.fate)
            for message in ended(_silent(faults=faults, alerts=_alerting(cause, **more))).messages
        }

    # Cut and reboot touch: one spell of 11 min, an outage. The reboot of 40 min is a spell of its
    # own.
    assert raised("outage", after="3 min") == {
        (780, "delivered")
    }, "the last gasp leaves in the dark"
    assert raised("outage", after="11 min") == set()
    assert raised("restoration", after="11 min") == {(1260, "delivered")}
    assert raised("reboot") == {(2460, "delivered")}


def test_a_held_down_hub_and_a_batch_put_off():
    # back at 3590 s
    cut = {
        "region": "north",
        "share": 1.0,
        "start": "50 min",
        "duration": "590 s",
        "restoration": "0 s",
    }
    held = {
        "stage": "hub",
        "mitigations": [{"kind": "hold_down", "time": "1 min", "spread": "0 s"}],
    }
    batched = {"stage": "hub", "mitigations": [{"kind": "batch", "period": "100 s"}]}

    assert {
        message.made_s
        for message in ended(tiny(network=[held], faults={"power_cuts": [cut]})).messages
    } == {3650}
    phases = [_scaled("row.batch", 0, index, 0, 100) for index in range(4)]
    assert sorted(message.made_s for message in ended(tiny(network=[batched])).messages) == sorted(
        AT_S + phase for phase in phases
    )


def test_storm_protection_forwards_one_a_period_or_one_in_n():
    chatter = _alerting("chatter", rate="20 /min", tail=1.5, spread=1.0000001)
    passed = {}
    for name, forward in {
        "period": {"forward_period": "50 s"},
        "one in": {"forward_one_in": 4},
        "excluded": {"forward_one_in": 4, "exclude": ["AD1"]},
    }.items():
        row = {"kind": "alert_storm_protection", "threshold": 2, "window": "1 h", **forward}
        scenario = _silent(
            network=[{"stage": "dsp", "mitigations": [row]}],
            alerts=chatter,
            window={"length": "10 min"},
        )
        mine = sorted(
            (message.raised_s, message.fate)
            for message in ended(scenario).messages
            if message.index == 0
        )
        passed[name] = (
            [i for i, (_, fate) in enumerate(mine) if fate == "delivered"],
            [second for second, fate in mine if fate == "delivered"],
            len(mine),
        )

    numbers, seconds, _ = passed["period"]
    assert numbers[:3] == [0, 1, 2]
    assert (
        min(later - sooner for sooner, later in zip(seconds[2:], seconds[3:], strict=False)) >= 50
    )
    assert passed["one in"][0] == [0, 1, *range(5, passed["one in"][2], 4)]
    assert passed["excluded"][0] == list(range(passed["excluded"][2]))


def test_a_breaker_opens_after_the_slot_that_overran_it():
    row = {"kind": "circuit_breaker", "above": 3, "window": "1 s", "open": "10 s"}
    reporting = tiny().reporting.model_dump() | {
        "period": "5 s",
        "phase": {"source": "fixed_clock", "at": "00:00", "window": "0 s", "jitter": "0 s"},
    }
    scenario = tiny(
        reporting=reporting,
        window={"length": "25 s"},
        network=[{"stage": "dsp", "mitigations": [row]}],
    )

    # All four come at 0, 5, 10, 15, 20 s. It opens at 1 s until 11 s, and, the four of 10 s being
    # too many too, again from 11 s until 21 s.
    assert sorted({(message.raised_s, message.fate) for message in ended(scenario).messages}) == [
        (0, "delivered"),
        (5, "refused"),
        (10, "refused"),
        (15, "refused"),
        (20, "refused"),
    ]


def test_newest_first_oldest_dropped_and_codel():
    reporting = tiny().reporting.model_dump() | {
        "period": "5 s",
        "phase": {"source": "fixed_clock", "at": "00:00", "window": "0 s", "jitter": "0 s"},
    }

    def delays(*mitigations: dict[str, Any], **more: Any) -> list[tuple[int, str]]:
        stage = {"stage": "dsp", "capacity": "0.5 /s", "mitigations": list(mitigations), **more}
        messages = ended(
            tiny(reporting=reporting, window={"length": "10 s"}, network=[stage])
        ).messages
        return sorted((message.raised_s, message.fate) for message in messages)

    # Slots 1, 3, 5, 7 and 9 serve one each; four come at 0 s and four at 5 s.
    assert delays() == [(0, "delivered")] * 4 + [(5, "delivered")] + [(5, "in_flight")] * 3
    assert delays({"kind": "lifo", "above": 0}) == [(0, "delivered")] * 2 + [
        (0, "in_flight")
    ] * 2 + [(5, "delivered")] * 3 + [(5, "in_flight")]
    # At 5 s two wait: none of them for more than 5 s, so codel drops none before 7 s, and then both
    # before it serves one of the later.
    assert delays({"kind": "codel", "target": "5 s", "interval": "1 s"})[:4] == [
        (0, "delivered")
    ] * 3 + [(0, "refused")]
    assert (
        delays(buffer=4, overflow="drop_oldest")
        == [(0, "delivered")] * 3
        + [(0, "refused")]
        + [(5, "delivered")] * 2
        + [(5, "in_flight")] * 2
    )


def test_a_user_who_is_out_is_offered_it_again():
    outage = {"start": "1 h", "stage": "user", "server": "all", "duration": "10 min"}

    def taken(after: str, hold: str) -> set[int]:
        user = {
            "stage": "user",
            "mitigations": [{"kind": "redelivery", "after": after, "hold": hold}],
        }
        messages = ended(
            tiny(network=[DSP | {"capacity": "9 /s"}, user], faults={"stage_outages": [outage]})
        ).messages
        return {
            hop.arrived_s - AT_S
            for message in messages
            for attempt in message.attempts
            for hop in attempt.hops
            if hop.server.stage == "user"
        }

    assert taken("5 min", "10 min") == {600}, "when the outage ends"
    assert taken("5 min", "9 min") == set(), "held for too short"
    assert taken("15 min", "15 min") == {900}, "the second time"


def test_a_locked_clock_counts_from_the_last_such_second():
    lock = {"region": "north", "share": 1.0, "start": "30 min", "at": "00:10", "spread": "0 s"}
    reporting = tiny().reporting.model_dump() | {"period": "25 min"}

    raised = {
        message.raised_s
        for message in ended(
            tiny(reporting=reporting, window={"length": "2 h"}, faults={"clock_locks": [lock]})
        ).messages
    }

    # 01:00 modulo 25 min is 10 min; so are 35 min and an hour: the lock changes nothing but that
    # its own anchor is 10 min.
    assert raised == {600, 2100, 3600, 5100, 6600}
    moved = lock | {"at": "00:12"}
    raised = {
        message.raised_s
        for message in ended(
            tiny(reporting=reporting, window={"length": "2 h"}, faults={"clock_locks": [moved]})
        ).messages
    }
    assert raised == {600, 720 + 1500, 720 + 3000, 720 + 4500, 720 + 6000}
