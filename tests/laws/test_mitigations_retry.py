"""Trying again, each with its law: H8 and H9. What saves a message doubles a load; caps, back-off
and budgets decide which.
"""

from __future__ import annotations

from collections import Counter
from itertools import accumulate

import pytest
from scipy import stats

from tests.laws.significance import FALSE_ALARM
from tests.laws.storms import ALERT, REPORT, Seen, largest_share, out, reboots, seen, storm

HOMES = 2000


def ladder(jitter: str, base_s: int, factor: int, cap: int, most_s: int = 3600, **more) -> dict:
    """Return a row of retries."""
    return {
        "kind": "retry",
        "base": f"{base_s} s",
        "factor": factor,
        "most": f"{most_s} s",
        "jitter": jitter,
        "cap": cap,
    } | more


def refused_until(down_s: int, row: dict, homes: int = HOMES, length: str = "2 h") -> Seen:
    """Return what becomes of a report from each home at 0, while a DSP without a buffer is out
    until *down_s*.
    """
    network = {"device": [row], "dsp": {"buffer": 0}}
    return seen(
        storm(
            homes=homes,
            length=length,
            period="6 h",
            faults=out("dsp", "0 s", f"{down_s} s"),
            network=network,
        )
    )


# -- how often -------------------------------------------------------------------------------------


@pytest.mark.parametrize("cap", [0, 1, 3, 10])
@pytest.mark.parametrize("jitter", ["none", "full", "equal", "decorrelated"])
def test_a_cap_bounds_amplification_exactly_under_total_refusal(cap, jitter):
    """Everything refused, each message makes 1 + cap attempts and ends refused."""
    world = refused_until(7200, ladder(jitter, 2, 2, cap, most_s=60), homes=50)

    assert world.amplification() == 1 + cap
    assert world.fates(at="dsp") == {"refused": 50}


@pytest.mark.parametrize(
    ("timeout_s", "wait_s", "cap"), [(10, 5, 3), (10, 5, 50), (59, 1, 10), (30, 30, 1000)]
)
def test_amplification_behind_a_dead_server_has_a_closed_form(timeout_s, wait_s, cap):
    """Nothing is refused, all wait: attempt a leaves at a (timeout + wait), so up to second D there
    are min(1 + cap, 1 + ⌊D / (timeout + wait)⌋), one that is due as the server is back among them:
    it cannot know. The first copy served is the message, and all others are wasted.
    """
    network = {
        "device": [ladder("none", wait_s, 1, cap, timeout=f"{timeout_s} s")],
        "dsp": {"capacity": "1000 /s"},
    }
    world = seen(
        storm(
            homes=20,
            length="20 min",
            period="6 h",
            faults=out("dsp", "0 s", "10 min"),
            network=network,
        )
    )

    attempts, in_time = (min(1 + cap, 1 + d // (timeout_s + wait_s)) for d in (600, 599))
    assert world.amplification() == attempts
    assert world.one("stages", "peak_waiting_n", stage="dsp") == 20 * in_time
    assert world.passed() == {600: 20}
    assert world.one("attempts", "n_wasted", kind=REPORT) == 20 * (attempts - 1)


@pytest.mark.parametrize("budget", [0.0, 0.1, 0.5, 1.0])
def test_a_budget_bounds_retries_by_its_share_of_firsts(budget):
    """A region makes a retry only while retries ≤ b · firsts, so that it never has more than b ·
    firsts and one second's worth; and it spends what it has.
    """
    row = ladder("none", 1, 1, 10, budget=budget)
    network = {"device": [row], "dsp": {"buffer": 0}}
    phase = {"source": "hashed", "window": "30 min"}
    world = seen(
        storm(
            homes=HOMES,
            length="1 h",
            period="1 h",
            phase=phase,
            faults=out("dsp", "0 s", "1 h"),
            network=network,
        )
    )

    retries = world.one("attempts", "n_attempts", kind=REPORT) - HOMES
    in_a_second = world.one("peaks", "peak_n", stage="dsp", kind=REPORT, k_s=1)
    assert budget * HOMES * 0.9 <= retries <= budget * HOMES + in_a_second
    assert world.fates(at="dsp") == {"refused": HOMES}


@pytest.mark.parametrize("window_s", [5, 60, 300])
def test_a_budget_saves_nothing_from_before_its_window(window_s):
    """Five a second, all refused in the last D = 5 min. In each block of a window w go at most
    b λ w retries and one second's worth, whenever the trouble begins. A budget that looks back to
    the beginning has the more to spend the later it is.
    """
    spent = {}
    for told in ({}, {"budget_window": f"{window_s} s"}):
        row = ladder("none", 1, 1, 10, budget=0.5) | told
        network = {"device": [row], "dsp": {"buffer": 0}}
        for calm_min in (10, 40):
            end = {"length": f"{calm_min + 5} min", "period": "1 s"}
            faults = out("dsp", f"{calm_min} min", "5 min")
            world = seen(storm(homes=5, faults=faults, network=network, **end))
            firsts = world.one("attempts", "n_messages", kind=REPORT)
            retries = world.one("attempts", "n_attempts", kind=REPORT) - firsts
            in_a_second = world.one("peaks", "peak_n", stage="dsp", kind=REPORT, k_s=1)
            spent["budget_window" in told, calm_min] = retries, in_a_second

    early, late = (spent[True, calm_min] for calm_min in (10, 40))
    assert early == late
    assert spent[False, 10][0] < spent[False, 40][0]
    retries, in_a_second = early
    blocks = -(-300 // window_s)
    assert 0 < retries <= blocks * (0.5 * 5 * window_s + in_a_second)


def test_without_refusal_or_time_out_nothing_is_tried_again():
    """Amplification is 1."""
    network = {"device": [ladder("full", 1, 2, 10, timeout="5 s")], "dsp": {}}
    world = seen(storm(homes=50, period="1 min", network=network))

    assert world.amplification() == 1
    assert world.one("attempts", "n_wasted", kind=REPORT) == 0


def test_retries_of_one_kind_leave_another_alone():
    """Reports are tried again, alerts end with their first refusal."""
    network = {"device": [ladder("none", 7, 1, 3, kinds=[REPORT])], "dsp": {"buffer": 0}}
    more = {"alerts": (ALERT,), "faults": reboots(60, start_s=30) | out("dsp", "0 s", "10 min")}
    world = seen(storm(homes=9, period="1 min", network=network, **more))

    assert world.amplification(ALERT) == 1
    assert 3 < world.amplification(REPORT) <= 4


# -- when ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_s", "factor", "most_s"),
    [(5, 2, 3600), (5, 2, 30), (7, 1, 7), (1, 3, 100), (60, 10, 600)],
)
def test_a_ladder_without_jitter_is_climbed_to_the_second(base_s, factor, most_s):
    """Waits are min(most, base · factor^a). A message gets through at the first rung not before the
    end of the outage; below the last rung none is lost.
    """
    cap = 5
    waits = [min(most_s, base_s * factor**a) for a in range(cap)]
    rungs = [0, *accumulate(waits)]

    for down_s in sorted({rung + extra for rung in rungs[1:] for extra in (0, 1)}):
        world = refused_until(down_s, ladder("none", base_s, factor, cap, most_s), homes=3)
        through = [rung for rung in rungs if rung >= down_s]
        assert world.passed() == ({through[0]: 3} if through else {})
        assert world.fates() == ({"delivered": 3} if through else {"refused": 3})


def is_even(times: list[int], low: int, high: int) -> bool:
    """Whether *times* fall in [low, high] and evenly so (chi-squared over up to 50 ranges of equal
    width).
    """
    n, width = high - low + 1, -(-(high - low + 1) // 50)
    whole = n // width * width
    found = Counter((t - low) // width for t in times if t < low + whole)
    observed = [found[k] for k in range(whole // width)]
    return (
        min(times) >= low and max(times) <= high and stats.chisquare(observed).pvalue > FALSE_ALARM
    )


@pytest.mark.parametrize("wait_s", [2, 60, 1000])
def test_full_jitter_falls_evenly_on_all_of_the_wait(wait_s):
    """The first retry leaves 1 … c seconds after the failure."""
    world = refused_until(1, ladder("full", wait_s, 2, 1))

    assert world.fates() == {"delivered": HOMES}
    assert is_even([message.at_s for message in world.of()], 1, wait_s)
    assert max(world.passed().values()) <= largest_share(wait_s, HOMES)[1]


@pytest.mark.parametrize("rung", [1, 2, 3, 4])
def test_equal_jitter_falls_on_the_second_half_of_each_wait(rung):
    """Of waits c, 2c, 4c … the first r take between half and all of (2^r − 1) c; an outage that
    lasts just beyond the r-th retry shows the next one.
    """
    base_s = 16
    row = ladder("equal", base_s, 2, rung)
    down_s = (2 ** (rung - 1) - 1) * base_s + 1
    world = refused_until(down_s, row)

    assert world.fates() == {"delivered": HOMES}
    times = [message.at_s for message in world.of()]
    longest_s = (2**rung - 1) * base_s
    assert longest_s / 2 <= min(times)
    assert max(times) <= longest_s
    if rung == 1:
        assert is_even(times, base_s // 2, base_s)


def test_decorrelated_jitter_is_between_the_base_and_three_times_the_last_wait():
    """The first wait is even on base … 3 base, the second at most 9 base; and none is longer than
    *most*.
    """
    first = [message.at_s for message in refused_until(1, ladder("decorrelated", 20, 2, 1)).of()]
    capped = [
        message.at_s
        for message in refused_until(1, ladder("decorrelated", 20, 2, 1, most_s=45)).of()
    ]
    second = [message.at_s for message in refused_until(61, ladder("decorrelated", 20, 2, 4)).of()]

    assert is_even(first, 20, 60)
    assert capped == [min(t, 45) for t in first]
    assert len(second) == HOMES
    assert min(second) >= 61
    # the last failure is at 60 at the latest, after a wait of at most 60
    assert max(second) <= 60 + 180


def test_jitter_breaks_the_wave_that_back_off_alone_only_puts_off():
    """All N refused at once: without jitter all N come again in one second, however long the wait;
    with it no second has more than its even share of N.
    """
    waves = {
        jitter: max(refused_until(1, ladder(jitter, 300, 2, 1)).passed().values())
        for jitter in ("none", "equal", "full", "decorrelated")
    }

    assert waves["none"] == HOMES
    assert all(
        waves[jitter] <= largest_share(n, HOMES)[1]
        for jitter, n in (("equal", 151), ("full", 300), ("decorrelated", 601))
    )
