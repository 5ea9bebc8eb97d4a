"""The network end to end: who is refused, who goes first, what a latency and a user's own queue do
(docs/model.md section 7).
"""

from __future__ import annotations

import numpy as np
import pytest
import simpy

from sim.run import replicate
from sim.scenario.load import load
from sim.streams import stream_key
from sim.tables import Tables, Trace
from sim.units import parse_rate
from tests.laws.worlds import ALONE, DAY_S, delays, fates, ledger, tables_of
from tests.oracles import philox

CLOCK = {
    "reporting.rule": "periodic",
    "reporting.phase": '{source: fixed_clock, at: "02:00"}',
    "updates.policy": "ota_only",
}
ONE_KIND = {
    f"traffic.kinds.{name}.rate": "0 /d"
    for name in ("dcc_alert", "on_demand", "future_dated", "scheduled_read")
}
NORTH = 1 * 8 + 4  # the place of a PPMID in the second region by name
LOAD = ONE_KIND | {
    "traffic.level": "100 %",
    "traffic.kinds.device_alert": (
        "{alert: true, per: premises, rate: 20 /h, target: 10 s, size: 1 B, profile: flat}"
    ),
}


def traced(settings: dict[str, object], **how: int) -> tuple[Tables, Trace]:
    """Return the tables and the trace of a world of one region."""
    scenario = load("gb_base", [f"{path}={value}" for path, value in (ALONE | settings).items()])
    trace = Trace([], [])
    return replicate(scenario, 0, trace=trace, **how), trace


@pytest.mark.parametrize("hub", ["", "{stage: hub, buffer: 1, overflow: keep_latest}"])
def test_without_a_stage_it_is_as_with_one_that_stops_nobody(hub):
    """No second is looked at where there is no stage; what becomes of messages is the same, also of
    those that links out for days lose, or hubs keep.
    """
    out = "[{region: north, share: 40 %, start: 1 d, every: 7 d, duration: 3 d}]"
    outages = {"faults.wan_outages": out, "estate.premises_per_cell": 50, "reporting.loss": "10 %"}
    told = {"reporting.rule": "on_change_heartbeat", "updates.local.rate": "0.1 /d"}
    length = {"window.length": "20 d", "window.warm_up": "2 d"}

    bare, staged = (
        tables_of(
            outages | told | length | {"network": f"[{', '.join(filter(None, (hub, more)))}]"}
        )
        for more in ("", "{stage: dsp}")
    )

    assert ("expired" in fates(bare)) == (not hub)
    for name in ("fates", "attempts", "targets", "segments", "ledgers", "staleness", "days"):
        assert bare[name].equals(staged[name]), name
    ends = [delays(tables, "end_to_end") for tables in (bare, staged)]
    assert ends[0] == ends[1]


@pytest.mark.parametrize("capacity", ["0 /s", "1000 /s"])
def test_what_is_made_at_the_dsp_loads_nothing_before_it(capacity):
    """A region that serves nobody, or everybody: every DCC alert comes to the DSP, none to the
    region, to a hub whose link is down, or over the WAN.
    """
    alone = {
        f"traffic.kinds.{name}": "null" for name in ("on_demand", "future_dated", "scheduled_read")
    }
    out = "[{region: north, share: 100 %, start: 0 s, duration: 1 d}]"
    way = f"[{{stage: hub}}, {{stage: csp, capacity: {capacity}}}, {{stage: dsp, capacity: 5 /s}}]"
    loaded = {
        "traffic.level": "1000 %",
        "network": way,
        "estate.devices.esme": "100 %",
        "window.length": "1 d",
    }

    tables = tables_of(alone | loaded | {"faults.wan_outages": out})

    arrived = (
        tables["arrivals"][tables["arrivals"]["kind"] == "dcc_alert"].groupby("stage")["n"].sum()
    )
    n = sum(fates(tables, "dcc_alert").values())
    assert n > 1_000
    assert fates(tables, "dcc_alert") == {"delivered": n}
    assert {stage: int(each) for stage, each in arrived.items() if each} == {"dsp": n}
    assert set(fates(tables, "device_alert")) == {"expired"}
    segments = tables["segments"].set_index(["segment", "kind"])["n"]
    assert segments.get(("wan", "dcc_alert"), 0) == 0
    assert segments["dsp", "dcc_alert"] == n


@pytest.mark.parametrize(("capacity", "buffer"), [(3, 10), (1, 0), (0, 5), (7, 200), (10, 40)])
def test_who_is_refused_is_exact(capacity, buffer):
    """Of 50 reports in one second the first by rank pass, the next wait, and exactly the last in
    rank order are refused.
    """
    stage = f"[{{stage: dsp, capacity: {capacity} /s, buffer: {buffer}}}]"

    _, trace = traced(CLOCK | {"estate.premises": 50, "network": stage})

    key = stream_key(20190801, 0, "message.rank")
    fate_by_rank = [
        fate
        for _, fate in sorted(
            (philox.word(key, NORTH, index, leave), fate)
            for _, _, _, index, leave, _, fate, _, _ in trace.messages
        )
    ]
    room = capacity + buffer
    assert fate_by_rank[room:] == ["refused"] * max(0, 50 - room)
    assert set(fate_by_rank[:room]) == {"in_flight" if capacity == 0 else "delivered"}


def test_ranks_also_order_those_who_wait():
    """Three a second in the order of their ranks."""
    _, trace = traced(CLOCK | {"estate.premises": 50, "network": "[{stage: dsp, capacity: 3 /s}]"})

    key = stream_key(20190801, 0, "message.rank")
    at_by_rank = [
        at
        for _, at in sorted(
            (philox.word(key, NORTH, index, leave), at)
            for _, _, _, index, leave, _, _, _, at in trace.messages
        )
    ]
    assert at_by_rank == [7200 + k // 3 for k in range(50)]


def test_first_served_do_not_notice_the_rest():
    """Reports with priority wait as if there were no other traffic; without it they do not."""
    alone = CLOCK | {
        "network": "[{stage: dsp, capacity: 7 /s, buffer: 900, priority: [version_report]}]"
    }

    quiet, busy = tables_of(alone), tables_of(alone | LOAD)
    shared = tables_of(CLOCK | LOAD | {"network": "[{stage: dsp, capacity: 7 /s, buffer: 900}]"})

    assert delays(quiet, "dsp") == delays(busy, "dsp") != delays(shared, "dsp")
    assert fates(quiet) == fates(busy) == {"delivered": 907, "refused": 93}


def test_the_existing_load_can_be_shielded_from_reports():
    """A place of its own: its delays, refusals and lateness are what they were before anybody
    reported.
    """
    shielded = LOAD | {
        "network": "[{stage: dsp, capacity: 6 /s, buffer: 30, priority: [device_alert]}]"
    }

    before, after = tables_of({"reporting.rule": "none"} | shielded), tables_of(CLOCK | shielded)

    for measure in (
        fates,
        lambda tables, kind: delays(tables, "dsp", kind),
        lambda tables, kind: delays(tables, "end_to_end", kind),
    ):
        assert measure(before, "device_alert") == measure(after, "device_alert")
    late = [
        tables["targets"].set_index("kind").loc["device_alert"].to_dict()
        for tables in (before, after)
    ]
    assert late[0] == late[1]
    # the buffer of the last place holds thirty; alerts took some of the six
    assert 1000 - 6 - 30 <= fates(after)["refused"] <= 1000 - 30


def test_a_latency_delays_everyone_alike():
    """Every report takes exactly the two latencies; those that leave too late to arrive are in
    flight at the end.
    """
    settings = {
        "reporting.rule": "periodic",
        "reporting.phase": '{source: hashed, at: "00:00", window: 24 h}',
        "window.length": "2 d",
    }

    tables, trace = traced(
        settings | {"network": "[{stage: csp, latency: 40 min}, {stage: dsp, latency: 2 h}]"}
    )

    latency_s = 9_600
    cut_off = sum(leave + latency_s >= 2 * DAY_S for _, _, _, _, leave, *_ in trace.messages)
    assert cut_off > 0
    assert fates(tables) == {"delivered": 2000 - cut_off, "in_flight": cut_off}
    assert delays(tables, "end_to_end") == {latency_s: 2000 - cut_off}
    assert all(
        at == leave + latency_s
        for _, _, _, _, leave, _, fate, _, at in trace.messages
        if fate == "delivered"
    )


def test_a_user_queues_only_its_own():
    """The stage behind the inventory delays nobody's record: each responsible user's own queue
    drains at its own rate.
    """
    users = {
        "estate.users": (
            "{large_a: 70 %, large_b: 30 %, large_c: 0 %, large_d: 0 %, large_e: 0 %, large_f: 0 %,"
            " small: 0 %}"
        )
    }

    tables = tables_of(
        CLOCK | users | {
            "network": "[{stage: dsp}, {stage: user, capacity: 1 /s, latency: 1 min}]",
            "reporting.fan_out": 2,
        }
    )

    stage = (
        tables["stages"]
        .query("stage == 'user' and peak_waiting_n > 0")
        .set_index("server")["peak_waiting_n"]
    )
    assert stage.sum() == 1000 - 2
    assert stage["large_a"] / 1000 == pytest.approx(0.7, abs=0.07)
    assert delays(tables, "user", server="large_b") == dict.fromkeys(range(stage["large_b"] + 1), 1)
    assert delays(tables, "end_to_end") == {0: 1000}  # nor does the way on from there
    assert tables["segments"].set_index("segment").loc["user", ["n", "bytes"]].tolist() == [
        2000,
        2000 * 1877,
    ]


def test_a_delayed_report_may_carry_an_old_version():
    """What is written is the version known when the report left: queueing alone makes records
    wrong.
    """
    changing = {
        "reporting.rule": "on_change",
        "updates.local.rate": "24 /d",
        "window.length": "1 d",
    }

    quick = tables_of(changing | {"network": "[{stage: dsp}]"})
    slow = tables_of(changing | {"network": "[{stage: dsp, capacity: 900 /h}]"})

    assert ledger(quick)["wrong_s"] == 0
    assert ledger(slow)["n_repairs"] < 0.99 * ledger(slow)["n_changes"]
    assert ledger(slow)["wrong_s"] > ledger(slow)["n_changes"] * 1800


@pytest.mark.parametrize("rate", ["2 /s", "2.5 /s", "30 /min"])
def test_the_engine_is_within_a_slot_of_a_simpy_resource(rate):
    """The same reports, at the second they leave and the fraction their rank says, through a plain
    `Resource`.
    """
    settings = {
        "estate.premises": 400,
        "reporting.rule": "periodic",
        "reporting.phase": '{source: hashed, at: "00:00", window: 4 min}',
    }
    per_s = float(parse_rate(rate))

    _, trace = traced(settings | {"network": f"[{{stage: csp, capacity: {rate}}}]"})

    key, env = stream_key(20190801, 0, "message.rank"), simpy.Environment()
    stage, started = simpy.Resource(env), {}

    def message(number: int, at: float):
        yield env.timeout(at)
        with stage.request() as turn:
            yield turn
            started[number] = env.now
            yield env.timeout(1 / per_s)

    for number, (_, _, _, index, leave, *_) in enumerate(trace.messages):
        env.process(message(number, leave + philox.word(key, NORTH, index, leave) / 2**32))
    env.run()
    served = np.array([at for *_, at in trace.messages])
    slots = np.floor(np.array([started[number] for number in range(len(served))]) + 1e-9)
    assert np.abs(served - slots).max() <= max(1, 1 / per_s)


def test_regions_share_nothing_before_the_dsp():
    """Two regions behind their own queues are the sum of two runs with one region each: messages,
    delays, refusals and records.
    """
    settings = CLOCK | {
        "network": "[{stage: csp, capacity: 4 /s, buffer: 90}]",
        "updates.policy": "local_and_ota",
        "updates.local.rate": "5 /d",
    }
    both = "{central: 50 %, north: 50 %, south: 0 %}"

    together = tables_of(settings | {"estate.premises": 600, "estate.regions": both})
    apart = [
        tables_of(settings | {"estate.premises": 300, "estate.regions": shares})
        for shares in (
            "{central: 100 %, north: 0 %, south: 0 %}",
            "{central: 0 %, north: 100 %, south: 0 %}",
        )
    ]

    assert fates(together) == {
        fate: sum(fates(one)[fate] for one in apart) for fate in fates(together)
    }
    assert delays(together, "csp") == {
        delay: sum(delays(one, "csp")[delay] for one in apart) for delay in delays(together, "csp")
    }
    for name in (
        "wrong_s",
        "right_s",
        "n_changes",
        "n_repairs",
        "repair_s",
        "staleness_s2",
        "confirmation_s2",
    ):
        assert ledger(together)[name] == sum(ledger(one)[name] for one in apart)
