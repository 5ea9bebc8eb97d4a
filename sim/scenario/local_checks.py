"""What must agree about local updates: who screens them, and the ban (`docs/firmware.md`,
section 4).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sim import units
from sim.scenario.faults import Finding, Path
from sim.scenario.firmware import Ban, Firmware
from sim.scenario.firmware_checks import MODELS, RELEASE_ROWS, horizon, versions
from sim.scenario.forms import HORIZON
from sim.scenario.reach import LOCALLY
from sim.scenario.schema import Updates, Window

_BAN: Final[Path] = ("updates", "ban")
_SCREENING: Final[Path] = ("firmware", "screening")
_ASKED: Final = ("signature", "allow_list", "token")  # designs that act when a device asks


def somebody_asks(firmware: Firmware, window: Window) -> Iterator[Finding]:
    """Find a design that no device ever asks."""
    built = versions(firmware, window)
    updated = {
        name: model
        for name, model in firmware.models.items()
        if model.type in LOCALLY and built[name]
    }
    if firmware.screening.design not in _ASKED or not updated:
        return
    if all(model.asks_from > built[name] for name, model in updated.items()):
        asks = tuple((*MODELS, name, "asks_from") for name in updated)
        why = "every model asks from a version on that is never built"
        where = (*_SCREENING, "design")
        yield where, f"nothing is ever screened: {why}", (*asks, RELEASE_ROWS, *HORIZON)


def the_gateway_answers(firmware: Firmware) -> Iterator[Finding]:
    """Find a gateway that answers nobody or is never up."""
    screening = firmware.screening
    capacity = screening.capacity if screening.design == "token" else None
    if capacity is not None and capacity * units.HOUR_S < 1:
        rate = units.format_rate(capacity)
        message = f"{rate} is less than one answer an hour; the gateway answers nobody"
        yield (*_SCREENING, "capacity"), message, ()
    for index, outage in enumerate(screening.gateway_outages):
        if outage.every is None or outage.every > outage.duration:
            continue
        every, duration = map(units.format_duration, (outage.every, outage.duration))
        message = (
            f"comes again after {every}, before the {duration} of its duration are over;"
            " the gateway is never up"
        )
        yield (*_SCREENING, "gateway_outages", index, "every"), message, ()


def the_ban_has_a_world(updates: Updates, firmware: Firmware | None) -> Iterator[Finding]:
    """Find a ban without a world it acts in."""
    if updates.ban is not None and firmware is None:
        message = "a ban is for worlds with a firmware block; extend gb_firmware, or take it out"
        yield _BAN, message, ()


def the_ban_bans(updates: Updates, firmware: Firmware, window: Window) -> Iterator[Finding]:
    """Find a ban of what is not there, and one that holds nowhere."""
    ban = updates.ban
    if ban is None:
        return
    if not updates.has_local:
        message = (
            f"the policy {updates.policy} has no local updates that a ban could end;"
            " write local_and_ota, or take the ban out"
        )
        yield _BAN, message, (("updates", "policy"),)
    if ban.scope == "where_ota_works" and "ppmid" not in firmware.ota.types:
        message = (
            "holds nowhere: no type that can be updated locally is among firmware.ota.types;"
            " add ppmid, or write everywhere"
        )
        yield (*_BAN, "scope"), message, (("firmware", "ota", "types"),)
    yield from _held_in_time(ban, firmware, window)


def _held_in_time(ban: Ban, firmware: Firmware, window: Window) -> Iterator[Finding]:
    """Find a ban that comes after the end, and one that comes before there is another way."""
    held, starts = ban.start + ban.grace, firmware.ota.start
    end, text = horizon(window)
    message = f"the ban holds from {units.format_duration(held)} on"
    dates: tuple[Path, ...] = ((*_BAN, "start"), (*_BAN, "grace"))
    if held >= end:
        message = f"{message} (start and grace), but the world ends at {text}"
        yield _BAN, message, (*dates, *HORIZON)
    if ban.scope == "everywhere" and held < starts:
        exist = units.format_duration(starts)
        message = (
            f"{message}, before updates over the air exist at {exist}; scope: where_ota_works"
            " waits for them"
        )
        others: tuple[Path, ...] = ((*_BAN, "scope"), ("firmware", "ota", "start"))
        yield (*_BAN, "start"), message, (*dates, *others)
