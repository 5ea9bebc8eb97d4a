"""What a plan foretells of a firmware world: devices, images, alerts and time."""

from __future__ import annotations

import pytest

import sim.experiment.costs as plans
from sim.experiment import lives, needs, planned
from sim.experiment.expected import devices, reports_per_s, terms
from sim.run import replicate
from sim.scenario.load import load
from sim.scenario.schema import Scenario

YEAR = ("window.warm_up=0 s", "window.length=365 d")


@pytest.fixture(autouse=True)
def _reference_machine(monkeypatch):
    """Let this be the machine that the costs are of."""
    monkeypatch.setattr(plans, "slowness", lambda: 1.0)


def world(*sets: str, of: str = "gb_firmware") -> Scenario:
    scenario = load(of, sets)
    assert isinstance(scenario, Scenario)
    return scenario


def test_devices_are_those_that_have_a_model():
    assert devices(world()) == pytest.approx(20e6 * 0.89)
    assert devices(world(of="firmware/meters")) == pytest.approx(20e6 * 1.65)
    assert needs(planned(world(*YEAR), "fast"), 1).device_years == pytest.approx(3 * 20e6 * 0.89)


@pytest.mark.parametrize(
    ("sets", "alerts_per_year"),
    [
        ((), 0),
        (("reporting.rule=periodic", "reporting.period=7 d"), 20e6 * 0.88 * 365 / 7),
        (("reporting.rule=cloud", "reporting.period=7 d"), 20e6 * 0.88 * 0.25 * 365 / 7),
        (
            ("reporting.rule=digest", "reporting.period=7 d", "reporting.devices=[ppmid]"),
            20e6 * 0.8 * 365 / 7,
        ),
        (("reporting.rule=audit", "reporting.read.rate=0.5 /year"), 20e6 * 0.88 * 0.5),
        (("updates.policy=ota_only", "reporting.rule=event_read"), 0),
        # One release a model that is sent over the air in the first 330 days, two of ppmid_a: 0.8 ·
        # (2 · 0.5 + 0.3 + 0.2) images to PPMIDs.
        (("updates.policy=ota_only", "alerts.active=[image_activated]"), 20e6 * 0.8 * 1.5),
        (
            (
                "updates.policy=ota_only",
                "alerts.active=[image_activated]",
                "firmware.ota.types=[hcalcs]",
            ),
            0,
        ),
        (
            (
                "updates.policy=ota_only",
                "alerts.active=[image_activated]",
                "firmware.ota.start=365 d",
            ),
            0,
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_alerts_are_the_expected_number(sets, alerts_per_year):
    need = needs(planned(world(*YEAR, *sets), "fast"), jobs=1)
    assert need.alerts == pytest.approx(3 * alerts_per_year, rel=1e-6)


def test_reports_pass_the_network_by_and_alerts_do_not():
    assert reports_per_s(world("reporting.rule=periodic")) == 0
    quiet, loud = (
        terms(world("updates.policy=ota_only", f"alerts.active={active}"), "fast")
        for active in ("[]", "[image_transferred]")
    )
    assert loud["message"] > quiet["message"] == 0


def test_every_policy_and_ramp_can_be_foretold():
    steps = {policy: terms(world(of=f"firmware/p{policy}"), "fast")["step"] for policy in range(8)}
    assert steps[0] < min(steps[policy] for policy in range(1, 8))
    assert steps[4] > steps[2]
    ramps = {
        "constant": "{kind: constant, first: null, factor: null, share: 10 %}",
        "exponential": "{kind: exponential}",
        "groups": "{kind: groups, first: null, factor: null, shares: [100 %]}",
    }
    looks = {
        name: terms(world(f"firmware.campaign.ramp={ramp}"), "fast")["look"]
        for name, ramp in ramps.items()
    }
    assert looks["groups"] < looks["exponential"] < looks["constant"]


def test_more_takes_more():
    seconds = [
        needs(planned(world(*sets), "fast"), 1).seconds
        for sets in (
            ("estate.premises=1000",),
            ("updates.policy=do_minimum", "firmware.ota.types=[]"),
            (),
            ("window.length=3560 d",),
        )
    ]
    assert seconds == sorted(seconds)
    assert (
        needs(planned(world(), "fast"), 1).memory
        > needs(planned(load("gb_base"), "fast"), 1).memory
    )


def test_what_is_foretold_is_what_comes_to_pass():
    """Images and local attempts of a small world, within a quarter: what retries, aborts and delays
    make of them is not foretold.
    """
    scenario = world("estate.premises=3000", "window.warm_up=0 s", "window.length=455 d")
    tables = replicate(scenario, 0)
    assert tables["jobs"]["n"].sum() == pytest.approx(sum(lives.jobs(scenario).values()), rel=0.25)
    assert tables["local"]["n"].sum() == pytest.approx(lives.attempts(scenario), rel=0.25)
