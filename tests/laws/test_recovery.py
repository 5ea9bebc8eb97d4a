"""Whether a storm ends by itself, and when: H9. Backlogs and drain times in closed form, and where
retries keep alive what its trigger left behind.
"""

from __future__ import annotations

from collections import Counter

import pytest

from sim.metrics.load import Window
from sim.metrics.recovery import drain_fluid, drain_time
from tests.laws.storms import Seen, cut, differing, out, seen, storm, wan_out

# -- backlog and drain time ------------------------------------------------------------------------


def down(
    minutes: int, arriving: int, capacity: int, length: str = "1 h", device=(), dsp=None, **more
) -> Seen:
    """Return what becomes of *arriving* reports a second at a DSP of *capacity* that is out for
    *minutes* from 5 min on.
    """
    network = {"device": list(device), "dsp": {"capacity": f"{capacity} /s"} | (dsp or {})}
    faults = out("dsp", "5 min", f"{minutes} min") if minutes else {}
    return seen(
        storm(homes=arriving, length=length, period="1 s", faults=faults, network=network, **more)
    )


@pytest.mark.parametrize(
    ("minutes", "arriving", "capacity"), [(5, 5, 7), (2, 1, 2), (10, 3, 10), (7, 6, 7)]
)
def test_the_backlog_of_an_outage_is_the_fluid_one_to_the_message(minutes, arriving, capacity):
    """λ a second gather for D: B₀ = λ D. From its end μ − λ a second more go than come, and the
    last that waits is gone ⌈B₀ / (μ − λ)⌉ slots later.
    """
    length_s, end_s, backlog = 60 * minutes, 300 + 60 * minutes, arriving * 60 * minutes
    world = down(minutes, arriving, capacity, "2 h")

    fluid = [
        (
            0
            if t <= 300
            else (
                arriving * (t - 300)
                if t <= end_s
                else max(0, backlog - (capacity - arriving) * (t - end_s))
            )
        )
        for t in range(60, 7201, 60)
    ]
    assert world.waiting() == fluid
    assert world.one("stages", "peak_waiting_n", stage="dsp") == backlog
    drained_s = -(-backlog // (capacity - arriving))
    assert world.one("stages", "waiting_s", stage="dsp") == length_s + drained_s - 1
    assert world.fates() == {"delivered": 7200 * arriving}
    window = Window(0, 7200)
    assert drain_fluid(world.tables, window)["dsp/dsp"] == pytest.approx(
        backlog / (capacity - arriving)
    )
    # calm: no more wait than pass in a second
    assert (
        0
        <= drain_time(world.tables, window)["dsp/dsp"]
        - (drained_s - capacity // (capacity - arriving))
        <= 60
    )


def test_drain_time_grows_with_load_and_with_the_outage_and_falls_with_capacity():
    """B₀ / (μ − λ) in each of its letters; no minute's backlog is larger with more capacity."""
    shorter, longer = (
        down(minutes, 5, 7).one("stages", "waiting_s", stage="dsp") for minutes in (3, 6)
    )
    light, heavy = (
        down(3, arriving, 7).one("stages", "waiting_s", stage="dsp") for arriving in (2, 6)
    )
    slow, fast = (down(3, 5, capacity).waiting() for capacity in (6, 9))

    assert shorter + 1 == 180 + 450
    assert longer + 1 == 360 + 900
    assert light < shorter < heavy
    assert all(a >= b for a, b in zip(slow, fast, strict=True))
    assert slow != fast


@pytest.mark.parametrize(
    ("timeout_s", "wait_s", "cap"), [(20, 10, 0), (20, 10, 1), (20, 10, 4), (50, 9, 100)]
)
def test_retries_amplify_the_backlog_by_a_closed_form(timeout_s, wait_s, cap):
    """Attempt a of a message leaves p = timeout + wait after attempt a − 1, so those of an outage
    of D gather for D − a p of it: λ Σ max(0, D − a p).
    """
    row = {
        "kind": "retry",
        "base": f"{wait_s} s",
        "factor": 1,
        "most": f"{wait_s} s",
        "jitter": "none",
        "cap": cap,
        "timeout": f"{timeout_s} s",
    }
    world = down(5, 3, 40, device=[row])

    expected = 3 * sum(max(0, 300 - a * (timeout_s + wait_s)) for a in range(cap + 1))
    assert world.waiting()[9] == expected
    assert set(world.fates()) == {"delivered"}


# -- a storm that outlives its trigger -------------------------------------------------------------


IMPATIENT = {
    "kind": "retry",
    "base": "5 s",
    "factor": 1,
    "most": "5 s",
    "jitter": "none",
    "cap": 3,
    "timeout": "10 s",
}


def is_stuck(world: Seen) -> bool:
    """Whether something waited as every minute of the last quarter of an hour ended."""
    return min(world.waiting()[-15:]) > 0


def test_a_metastable_world_stays_overloaded_and_the_same_load_alone_never_is():
    """Five a second at eight a second, three retries after 10 s. Left alone nobody ever waits;
    after an outage of two minutes all are late, all are sent four times, 20 a second come, and an
    hour later it is no better: most of what is served is of no use to anybody.
    """
    calm, struck = down(0, 5, 8, device=[IMPATIENT]), down(2, 5, 8, device=[IMPATIENT])

    assert calm.waiting() == 60 * [0]
    assert calm.amplification() == 1
    assert is_stuck(struck)
    assert struck.waiting()[-1] >= struck.waiting()[7]
    assert struck.one("attempts", "n_wasted", kind="version_report") > struck.one(
        "attempts", "n_messages", kind="version_report"
    )


def test_the_boundary_is_where_all_attempts_together_exceed_capacity():
    """Even when all of 1 + cap attempts are made, λ (1 + cap) < μ drains whatever the trigger: at 8
    a second and cap 3 a load of 1 does; one of 3 to 7 does not, though each of them fits. The way
    up and the way down are different: that is hysteresis.
    """
    stuck = {
        arriving: is_stuck(down(5, arriving, 8, device=[IMPATIENT])) for arriving in (1, 3, 5, 7)
    }
    alone = {
        arriving: is_stuck(down(0, arriving, 8, device=[IMPATIENT])) for arriving in (1, 3, 5, 7)
    }

    assert stuck == {1: False, 3: True, 5: True, 7: True}
    assert alone == dict.fromkeys(stuck, False)


def test_a_trigger_too_short_for_a_time_out_leaves_nothing_behind():
    """Five seconds' backlog is gone before anybody's patience is: no retry, and the drain time of
    the fluid.
    """
    network = {"device": [IMPATIENT], "dsp": {"capacity": "8 /s"}}
    world = seen(
        storm(
            homes=5, length="1 h", period="1 s", faults=out("dsp", "5 min", "5 s"), network=network
        )
    )

    assert world.amplification() == 1
    assert world.one("stages", "waiting_s", stage="dsp") == 5 + -(-25 // 3) - 1


@pytest.mark.parametrize(
    ("retry", "rows"),
    [
        ({"cap": 0}, []),
        ({"budget": 0.1}, []),
        ({"budget": 0.1, "budget_window": "1 min"}, []),
        ({"timeout": "10 min"}, []),
        (
            {"base": "5 min", "most": "5 min"},
            [{"kind": "codel", "target": "2 s", "interval": "10 s"}],
        ),
        ({}, [{"kind": "lifo", "above": 50}]),
    ],
    ids=["no retries", "budget", "budget with a window", "patience", "codel and patience", "lifo"],
)
def test_what_makes_the_same_world_safe(retry, rows):
    """Fewer retries than there is spare capacity, or patience beyond the delay, or newest first, so
    that those served are those still waited for.
    """
    world = down(2, 5, 8, device=[IMPATIENT | retry], dsp={"mitigations": rows})

    assert not is_stuck(world)
    assert world.waiting()[-1] == 0


@pytest.mark.parametrize("window_s", [30, 120, 600])
def test_a_budget_with_a_window_drains_in_the_time_of_its_closed_form_whenever_it_begins(window_s):
    """λ at μ, load ρ, D out: with a = 1 + b + cap / w, the worth of a second in each window w being
    beyond the budget, all is gone after (a ρ D + b ρ w) / (1 − a ρ). An hour of calm before makes
    it no longer.
    """
    budget, cap, load = 0.1, IMPATIENT["cap"], 5 / 8
    times = (1 + budget + cap / window_s) * load
    longest_s = (times * 120 + budget * load * window_s) / (1 - times)
    row = IMPATIENT | {"budget": budget, "budget_window": f"{window_s} s"}
    network = {"device": [row], "dsp": {"capacity": "8 /s"}}
    left = []
    for start_min in (15, 75):
        length = f"{start_min + 45} min"
        faults = out("dsp", f"{start_min} min", "2 min")
        world = seen(storm(homes=5, length=length, period="1 s", faults=faults, network=network))
        left.append(world.waiting()[start_min + 2 :])

    assert left[0] == left[1]
    assert left[0][0] > 0
    assert not any(left[0][-(-int(longest_s) // 60) :])


# -- links and power -------------------------------------------------------------------------------


def test_what_hubs_kept_comes_at_once_when_links_return_and_drains_at_the_rate_of_the_server():
    """Ten reports of each of 30 homes flush at 900 s, and the 30 of 900 s with them: the k-th is
    served ⌈k / μ⌉ − 1 slots later.
    """
    network = {"hub": {"buffer": 50}, "cell": {}, "dsp": {"capacity": "8 /s"}}
    world = seen(
        storm(
            homes=30,
            length="30 min",
            period="1 min",
            faults=wan_out("5 min", "10 min"),
            network=network,
        )
    )

    assert world.one("peaks", "peak_n", stage="dsp", kind="version_report", k_s=1) == 330
    served = sorted(message.at_s for message in world.of() if 300 <= message.raised_s <= 900)
    assert served == [900 + -(-k // 8) - 1 for k in range(1, 331)]
    assert world.fates() == {"delivered": 900}


@pytest.mark.parametrize("no_wan", [0.0, 0.3])
def test_alerts_of_a_cut_are_those_who_were_dark_for_longer_than_it_takes(no_wan):
    """Homes are dark for 170 … 189 s. Of those with WAN who were so for more than 180 s each raises
    the outage alert, 180 s in, from the dark; of those who were for at least 180 s each raises the
    restoration alert, as supply returns. The truth is told by a restoration alert that counts from
    a second on.
    """
    kinds = {
        "chatters": {
            "cause": "restoration",
            "sender": "hub",
            "after": "1 s",
            "rate": None,
            "tail": None,
            "spread": None,
        }
    }
    faults = cut("5 min", "170 s", restoration="20 s")
    active, estate = ("chatters", "got_supply", "lost_supply"), {"no_wan_share": no_wan}
    world = seen(
        storm(
            homes=500, alerts=active, kinds=kinds, faults=faults, estate=estate, network={"dsp": {}}
        )
    )

    dark_s = {
        message.sender: message.raised_s - 300
        for message in world.messages
        if message.kind == "chatters"
    }
    with_wan = {message.sender for message in world.of("chatters")}
    assert len(dark_s) == 500
    assert set(dark_s.values()) == set(range(170, 190))
    assert {m.sender: m.at_s for m in world.of("lost_supply")} == {
        sender: 480 for sender, s in dark_s.items() if s > 180 and sender in with_wan
    }
    assert {m.sender: m.at_s for m in world.of("got_supply")} == {
        sender: 300 + s for sender, s in dark_s.items() if s >= 180 and sender in with_wan
    }
    assert world.fates("lost_supply")["expired"] == sum(
        s > 180 for sender, s in dark_s.items() if sender not in with_wan
    )


def test_a_restoration_curve_is_followed_to_its_points():
    """Half are back within a minute of the end and all within ten: as many alerts have come by each
    point as chance allows, and none before the first.
    """
    curve = [{"share": 0.5, "time": "1 min"}, {"share": 1.0, "time": "10 min"}]
    strike = {
        "region": "north",
        "share": 1.0,
        "start": "1 min",
        "duration": "5 min",
        "curve": curve,
    }
    world = seen(
        storm(
            homes=2000,
            length="20 min",
            alerts=("got_supply",),
            faults={"power_cuts": [strike]},
            network={"dsp": {}},
        )
    )

    back = Counter((message.at_s - 360) // 60 for message in world.of("got_supply"))
    assert set(back) == set(range(10))
    assert abs(back[0] - 1000) < 5.1 * (2000 * 0.25) ** 0.5
    assert all(abs(back[k] - 1000 / 9) < 5.1 * (2000 / 18 * 17 / 18) ** 0.5 for k in range(1, 10))


def test_locked_clocks_make_the_storm_that_hashing_had_spread():
    """Hashed over ten minutes; locked to one time, all report in one second of every period from
    then on, half of them if half are.
    """
    faults = {"clock_locks": [{"region": "north", "share": 1.0, "start": "10 min", "at": "00:02"}]}
    phase = {"source": "hashed", "window": "10 min"}
    world = seen(
        storm(
            homes=300,
            length="30 min",
            period="10 min",
            phase=phase,
            faults=faults,
            network={"dsp": {}},
        )
    )

    peaks = [
        max((n for t, n in world.passed().items() if t // 600 == part), default=0)
        for part in range(3)
    ]
    assert peaks[0] < 10
    assert peaks[1:] == [300, 300]
    assert world.passed()[720] == world.passed()[1320] == 300


def test_faults_that_strike_nobody_change_nothing():
    """An outage of a stage that nobody uses, a cut that takes no premises, a lock of a region
    without homes: the same world.
    """
    more = {
        "homes": 20,
        "length": "20 min",
        "period": "20 s",
        "estate": {"regions": {"north": 1.0, "south": 0.0}},
    }
    idle = [
        out("csp", "1 min", "5 min", server="south"),
        cut("1 min", "5 min", share=0.0),
        cut("1 min", "5 min", region="south"),
        wan_out("1 min", "5 min", share=0.0),
        {"clock_locks": [{"region": "south", "share": 1.0, "start": "1 min", "at": "00:01"}]},
    ]
    network = {"hub": {"buffer": 3}, "csp": {"capacity": "7 /s"}, "dsp": {}}
    quiet = seen(storm(network=network, **more))

    for faults in idle:
        assert differing(seen(storm(network=network, faults=faults, **more)), quiet) == []
