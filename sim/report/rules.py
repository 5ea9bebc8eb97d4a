"""What a policy for firmware is, in words, from its scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.report.words import rounded
from sim.units import DAY_S

if TYPE_CHECKING:
    from sim.scenario.firmware import Firmware
    from sim.scenario.schema import Scenario, Updates


def rules(scenario: Scenario) -> tuple[str, str, str, str]:
    """Return what a firmware world allows and asks for: local updates, screening, over the air,
    reports.
    """
    firmware = scenario.firmware
    assert firmware is not None, "the policies told here are of firmware worlds"
    return (
        _locally(scenario.updates),
        _screening(firmware),
        _over_the_air(firmware),
        _reports(scenario),
    )


def in_a_clause(scenario: Scenario) -> str:
    """Return what a firmware world allows and asks for, in a clause."""
    locally, screening, air, reports = rules(scenario)
    checked = "" if screening == "none" else f" (checked by {screening})"
    return f"local updates {locally}{checked}, over the air {air}, reports {reports}"


def _days(seconds: float) -> str:
    return f"{rounded(seconds / DAY_S, 3)} d"


def _locally(updates: Updates) -> str:
    if not updates.has_local:
        return "none"
    if (ban := updates.ban) is None:
        return "allowed"
    where = "" if ban.scope == "everywhere" else ", where updates over the air work"
    return (
        f"banned from day {rounded((ban.start + ban.grace) / DAY_S, 4)}{where};"
        f" {rounded(100 * ban.compliance, 3)} % obey"
    )


def _screening(firmware: Firmware) -> str:
    screening = firmware.screening
    design = screening.design.replace("_", " ")
    if screening.design != "token":
        return design
    absent_s = max(
        (
            outage.duration
            for outage in screening.gateway_outages
            if not outage.start and outage.every is None
        ),
        default=0,
    )
    there = f", its gateway there from day {rounded(absent_s / DAY_S, 4)}" if absent_s else ""
    return f"{design}, fails {screening.fail}{there}"


def _over_the_air(firmware: Firmware) -> str:
    ota = firmware.ota
    types = ", ".join(name.upper() for name in ota.types)
    return f"{types} from day {rounded(ota.start / DAY_S, 4)}" if types else "none"


def _reports(scenario: Scenario) -> str:
    reporting = scenario.reporting
    rule = reporting.traits
    if rule.is_silent:
        return "none"
    told = rule.id.replace("_", " ")
    if rule.timer and rule.at_change:
        told = f"on change, and every {_days(reporting.timer_s)}"
    elif rule.timer:
        told = f"{told}, every {_days(reporting.timer_s)}"
    elif rule.is_read:
        told = f"{told}, {rounded(float(reporting.read.rate) * 365 * DAY_S, 3)} reads a year"
    return f"{told} ({', '.join(name.upper() for name in reporting.devices)})"
