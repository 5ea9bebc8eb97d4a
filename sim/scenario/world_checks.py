"""What a firmware world has that another has not, and the other way about: rules, devices, phases,
faults and causes of alerts (`docs/firmware.md`, sections 1 and 7).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sim.faults import FAULTS
from sim.scenario.alerts import FIRMWARE_CAUSES, Alerts
from sim.scenario.faults import Finding, Path
from sim.scenario.firmware import LIVING, Firmware
from sim.scenario.firmware_checks import MODELS, of_type
from sim.scenario.outages import Faults
from sim.scenario.reach import LOCALLY
from sim.scenario.schema import Reporting

_RULE: Final[Path] = ("reporting", "rule")
_DEVICES: Final[Path] = ("reporting", "devices")
_PHASE: Final[Path] = ("reporting", "phase")
_WORLD: Final[tuple[Path, ...]] = (("firmware",),)
_METERS: Final = ("esme", "gsme")  # types that report in a firmware world alone
_SENT_BY: Final = {
    "transferred": ("hub",),
    "received": _METERS,
    "activated": ("ppmid",),
    "cut": ("hub",),
    "cut_restored": ("esme",),
}


def reports_are_of_their_world(
    reporting: Reporting, firmware: Firmware | None
) -> Iterator[Finding]:
    """Find rules and devices of reports that only a firmware world has, where there is none."""
    if firmware is not None:
        return
    if reporting.traits.needs_firmware:
        cure = "extend gb_firmware, or choose another rule"
        yield _RULE, f"{reporting.rule} is for worlds with a firmware block; {cure}", ()
    for index, device in enumerate(reporting.devices):
        if device in _METERS:
            cure = "write ppmid, ihd or hcalcs"
            message = f"{device} reports only in worlds with a firmware block; {cure}"
            yield (*_DEVICES, index), message, ()


def phases_are_of_a_firmware_world(reporting: Reporting, firmware: Firmware) -> Iterator[Finding]:
    """Find phases that a firmware world does not have."""
    if reporting.phase.jitter:
        yield (*_PHASE, "jitter"), "a firmware world has no jitter; write 0 s", _WORLD
    if reporting.phase.source == "activation":
        message = "a firmware world has no phase that activation fixes"
        yield (*_PHASE, "source"), f"{message}; write fixed_clock, power_on or hashed", _WORLD


def reports_have_senders(reporting: Reporting, firmware: Firmware) -> Iterator[Finding]:
    """Find devices that report and have no model, and a rule under which none of them does."""
    if reporting.traits.is_silent:
        return
    types = [name for name in LIVING if of_type(firmware, name)]
    listed = ", ".join(types) or "nothing"
    for index, device in enumerate(reporting.devices):
        if device not in types:
            message = f"there is no model of {device}, so that none reports"
            yield (*_DEVICES, index), f"{message}; there are models of {listed}", (_RULE, MODELS)
    takes_part = {*reporting.devices} & {*LOCALLY}
    if reporting.traits.is_cloud and reporting.devices and not takes_part:
        message = "only ppmid and ihd take part in local updates"
        cure = f"by which the rule {reporting.rule} reports; add one of them"
        yield _DEVICES, f"{message}, {cure}", (_RULE,)


def faults_are_of_a_firmware_world(faults: Faults, firmware: Firmware) -> Iterator[Finding]:
    """Find faults that a firmware world does not have."""
    allowed = " and ".join(row.id for row in FAULTS.values() if row.in_firmware)
    for row in FAULTS.values():
        if getattr(faults, row.id) and not row.in_firmware:
            message = f"{row.id} are not yet part of a firmware world; only {allowed} are"
            yield ("faults", row.id), message, _WORLD


def causes_have_their_senders(alerts: Alerts, firmware: Firmware | None) -> Iterator[Finding]:
    """Find alerts of firmware in a world without it, and those whose sender never has their cause.
    """
    for name, alert in alerts.kinds.items():
        where: Path = ("alerts", "kinds", name)
        if alert.cause not in FIRMWARE_CAUSES:
            continue
        if firmware is None:
            message = f"{alert.cause} is a cause only in worlds with a firmware block"
            cure = "extend gb_firmware, or choose another"
            yield (*where, "cause"), f"{message}; {cure}", ()
        senders = _SENT_BY[alert.cause]
        if alert.sender not in senders:
            message = f"an alert whose cause is {alert.cause} comes from {' or '.join(senders)}"
            yield (*where, "sender"), f"{message}, not from {alert.sender}", ((*where, "cause"),)
