"""What must agree between fields: the bound on one sender's reports, against senders played out the plain way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.scenario.checks import most_reports
from sim.scenario.faults import ScenarioError
from sim.scenario.load import load
from sim.scenario.schema import Scenario


def world(*sets: str) -> Scenario:
    scenario = load("gb_base", sets)
    assert isinstance(scenario, Scenario)
    return scenario


def most_within(times: list[int], window_s: int) -> int:
    """Return the most of *times* within any half-open *window_s* seconds."""
    return max((sum(start <= time < start + window_s for time in times) for start in times), default=0)


@settings(max_examples=150)
@given(st.integers(1, 40), st.floats(0, 0.5), st.integers(1, 200), st.data())
def test_a_timer_never_sends_more_than_the_bound(period_s, jitter_share, window_s, data):
    jitter_s = int(period_s * jitter_share)
    scenario = world("reporting.rule=periodic", f"reporting.period={period_s} s", "reporting.phase.window=0 s", f"reporting.phase.jitter={jitter_s} s")
    shifts = data.draw(st.lists(st.integers(-jitter_s, max(jitter_s - 1, 0)), min_size=30, max_size=30))
    times = [(number + 2) * period_s + shift for number, shift in enumerate(shifts)]
    bound = most_reports(scenario.reporting, scenario.updates, window_s)
    assert bound is not None
    assert most_within(times, window_s) <= bound


@settings(max_examples=150)
@given(st.integers(1, 30), st.integers(1, 100), st.lists(st.integers(0, 29), min_size=20, max_size=20))
def test_releases_never_send_more_than_the_bound(every_s, window_s, delays):
    # A release is installed before the next is published or not at all; one report each.
    scenario = world("reporting.rule=on_change", "updates.local.driver=releases", f"updates.local.rate={60 / every_s:.12f} /min")
    times = [release * every_s + delay for release, delay in enumerate(delays) if delay < every_s]
    bound = most_reports(scenario.reporting, scenario.updates, window_s)
    assert bound is not None
    assert most_within(times, window_s) <= bound


def test_a_daily_report_stays_far_below_the_threshold_and_a_poisson_clock_has_no_bound():
    daily = world("reporting.rule=periodic")
    assert most_reports(daily.reporting, daily.updates, 3600) == 1
    assert most_reports(daily.reporting, daily.updates, 86_400) == 2
    on_change = world("reporting.rule=on_change")
    assert most_reports(on_change.reporting, on_change.updates, 3600) is None
    still = world("reporting.rule=on_change", "updates.local.rate=0 /year")
    assert most_reports(still.reporting, still.updates, 3600) == 0
    silent = world("updates.policy=ota_only", "reporting.rule=on_change_heartbeat")
    assert most_reports(silent.reporting, silent.updates, 3600) == 1
    read = world("reporting.rule=hub_store")
    assert most_reports(read.reporting, read.updates, 3600) == 2


PROTECTED = "network=[{stage: dsp, mitigations: [{kind: alert_storm_protection, threshold: 5, window: 1 h, forward_period: 24 h}]}]"


def test_protection_is_accepted_where_it_never_fires_and_refused_where_it_might():
    assert world("reporting.rule=periodic", PROTECTED).network[0].mitigations[0].threshold == 5
    with pytest.raises(ScenarioError, match="is modelled only where no sender can send more than the threshold"):
        world("reporting.rule=on_change", PROTECTED)


@pytest.mark.parametrize(
    "sets",
    [
        ("reporting.rule=periodic", "reporting.phase.jitter=12 h"),
        ("reporting.rule=on_change", "reporting.phase.jitter=100 d"),  # no timer to overtake
        ("reporting.rule=none", "reporting.period=6 h"),
        ("reporting.rule=periodic", "reporting.period=6 h", "reporting.phase.source=power_on"),
        ("network.0.capacity=0 /s",),
        ("network=[]",),
        ("traffic.kinds={}", "traffic.level=0"),
        ("estate.no_wan_share=60 %", "estate.not_communicating_share=40 %"),
    ],
)
def test_what_is_unusual_but_sound_is_accepted(sets):
    assert world(*sets).name == "gb_base"
