"""What must agree between fields: what is unusual but sound is accepted; what is not stands in
`scenarios/invalid`.
"""

from __future__ import annotations

import pytest

from sim.scenario.load import load
from sim.scenario.rows import AlertStormProtection
from sim.scenario.schema import Scenario


def world(*sets: str) -> Scenario:
    scenario = load("gb_base", sets)
    assert isinstance(scenario, Scenario)
    return scenario


PROTECTED = (
    "network=[{stage: dsp, mitigations: [{kind: alert_storm_protection, threshold: 5, window: 1 h,"
    " forward_period: 24 h}]}]"
)


def test_protection_is_accepted_wherever_it_may_act():
    for rule in ("periodic", "on_change"):
        row = world(f"reporting.rule={rule}", PROTECTED).network[0].mitigations[0]
        assert isinstance(row, AlertStormProtection)
        assert (row.threshold, row.forward_period, row.forward_one_in, row.exclude) == (
            5,
            86_400,
            None,
            (),
        )


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
