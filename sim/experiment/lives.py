"""What a firmware world is made of, as far as it costs time: expected devices, changes, images over
the air, looks and messages, from the scenario alone.

Rough where only a run can tell (`docs/firmware.md` has the rules): every listed version reaches
everybody it is meant for, once, and no campaign is stopped.
"""

from __future__ import annotations

from math import ceil, log
from typing import TYPE_CHECKING, Final

from sim.words import Trigger

if TYPE_CHECKING:
    from sim.scenario.air import Ramp
    from sim.scenario.firmware import Firmware, Release
    from sim.scenario.schema import Scenario

_LOCALLY: Final = ("ppmid", "ihd")
# of an attempt over the air, from offer to answer; others are activated apart
_STEPS: Final = {"ppmid": 4.0}
_MORE_STEPS: Final = 5.0


def living(scenario: Scenario) -> dict[str, float]:
    """Return the expected devices of each type that has a model."""
    assert scenario.firmware is not None
    types = {model.type for model in scenario.firmware.models.values()}
    return {
        name: scenario.estate.premises * share
        for name, share in scenario.estate.devices.items()
        if name in types
    }


def _built(release: Release, delay_s: float, horizon_s: int) -> float:
    """Return how many images of a row are out, *delay_s* after they were built, before the world
    ends.
    """
    left = horizon_s - release.first - delay_s
    return 0.0 if left <= 0 else 1.0 + (left // release.every if release.every is not None else 0.0)


def attempts(scenario: Scenario) -> float:
    """Return the expected local attempts."""
    firmware = scenario.firmware
    if firmware is None or not scenario.updates.has_local:
        return 0.0
    n = living(scenario)
    horizon_s = scenario.window.warm_up + scenario.window.length
    local = firmware.local
    offered = [
        row
        for row in firmware.releases
        if row.release_class in local.classes and firmware.models[row.model].type in _LOCALLY
    ]
    owners = {
        name: n[model.type] * model.share * (1 - firmware.off.get(model.type, 0.0))
        for name, model in firmware.models.items()
    }
    return local.take_up * sum(
        owners[row.model] * _built(row, local.lead, horizon_s) for row in offered
    )


def jobs(scenario: Scenario) -> dict[str, float]:
    """Return the expected images sent over the air, by device type."""
    firmware = scenario.firmware
    assert firmware is not None
    n, horizon_s = living(scenario), scenario.window.warm_up + scenario.window.length
    sent: dict[str, float] = dict.fromkeys(firmware.ota.types, 0.0)
    for row in firmware.releases if firmware.ota.start < horizon_s else ():
        model = firmware.models[row.model]
        if model.type in sent and row.release_class in firmware.ota.classes:
            sent[model.type] += (
                n[model.type] * model.share * _built(row, _listed_s(firmware), horizon_s)
            )
    return sent


def _listed_s(firmware: Firmware) -> float:
    """Return the expected time from build to the first group of a campaign."""
    pipeline = firmware.pipeline
    return (
        (pipeline.assurance.low + pipeline.assurance.high) / 2
        + pipeline.listing
        + firmware.campaign.lead
    )


def reports(scenario: Scenario) -> float:
    """Return the expected reports of versions, whether or not they can change a record."""
    assert scenario.firmware is not None
    reporting, n = scenario.reporting, living(scenario)
    horizon_s = scenario.window.warm_up + scenario.window.length
    devices = sum(n.get(name, 0.0) for name in reporting.devices)
    locally = (
        sum(n.get(name, 0.0) for name in reporting.devices if name in _LOCALLY)
        * scenario.firmware.local.take_up
    )
    changes = attempts(scenario) + sum(jobs(scenario).values())
    reads = devices * float(reporting.read.rate) * horizon_s
    rule, n_reports = reporting.traits, 0.0
    if rule.is_read:
        n_reports += reads
    if rule.at_change:
        n_reports += changes
    if rule.trigger is Trigger.EVENT:
        n_reports += attempts(scenario)
    if rule.timer:
        senders = min(float(scenario.estate.premises), devices) if rule.by_hub else devices
        n_reports += (locally if rule.is_cloud else senders) * horizon_s / reporting.timer_s
    return n_reports


def alerts(scenario: Scenario) -> float:
    """Return the expected alerts that images raise, of the kinds that are active."""
    firmware = scenario.firmware
    assert firmware is not None
    sent = jobs(scenario)
    cut = sum(
        model.share * model.cut for model in firmware.models.values() if model.type == "esme"
    ) * sent.get("esme", 0.0)
    raised = {
        "transferred": sent.get("ppmid", 0.0) + sent.get("hcalcs", 0.0),
        "received": sent.get("esme", 0.0) + sent.get("gsme", 0.0),
        "activated": sent.get("ppmid", 0.0),
        "cut": cut,
        "cut_restored": cut,
    }
    active = (scenario.alerts.kinds[name] for name in scenario.alerts.active)
    return sum(raised.get(kind.cause, 0.0) * kind.share for kind in active)


def steps(scenario: Scenario) -> float:
    """Return the expected happenings in the lives of devices: attempts, steps of images, reports
    that matter, reads of premises and calls.
    """
    firmware = scenario.firmware
    assert firmware is not None
    sent, horizon_s = jobs(scenario), scenario.window.warm_up + scenario.window.length
    changes = attempts(scenario) + sum(sent.values())
    visits = (
        scenario.estate.premises * float(firmware.reads.install + firmware.reads.gain) * horizon_s
    )
    told = min(reports(scenario), changes)  # a timer that can change nothing is counted, not run
    air = sum(n_sent * _STEPS.get(name, _MORE_STEPS) for name, n_sent in sent.items())
    return attempts(scenario) + air + told + visits + changes * firmware.reads.call.share


def _groups(ramp: Ramp) -> float:
    """Return how many groups a campaign has before its sweeps."""
    if ramp.kind == "constant":
        return ceil(1 / ramp.share) if ramp.share else 1.0
    if ramp.kind == "exponential":
        return (
            ceil(log(1 + (ramp.factor - 1) / ramp.first, ramp.factor))
            if ramp.first and ramp.factor
            else 1.0
        )
    return float(len(ramp.shares))


def looks(scenario: Scenario) -> float:
    """Return how often a device is looked at by what looks at many: groups of campaigns and reports
    on compliance.
    """
    firmware = scenario.firmware
    assert firmware is not None
    horizon_s, n = scenario.window.warm_up + scenario.window.length, sum(living(scenario).values())
    groups = _groups(firmware.campaign.ramp) + firmware.campaign.sweeps
    return sum(jobs(scenario).values()) * groups + n * horizon_s / firmware.reads.compliance
