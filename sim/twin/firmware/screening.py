"""What stands between a local update and a device, design by design (`docs/firmware.md` section 4).
"""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.twin.firmware.estate import Living, Trial
    from sim.twin.firmware.world import FirmwareWorld


def is_screened(world: FirmwareWorld, device: Living) -> bool:
    """Return whether *device* asks before it installs."""
    return (
        world.firmware.screening.design in ("signature", "allow_list", "token")
        and device.base >= device.model.asks_from
    )


def screen(world: FirmwareWorld, trial: Trial, number: int) -> str:
    """Return how screening stops *trial* now, the *number*-th (from 1) of this clock hour; empty if
    it does not.
    """
    spec = world.firmware.screening
    device = trial.device
    now_s = world.now_s
    if not is_screened(world, device):
        return ""
    if spec.design == "signature":
        is_stopped = trial.is_variant and not world.luck.happens(
            spec.signed, "screen.signed", device.place, device.index, trial.version
        )
    elif spec.design == "allow_list":
        is_stopped = trial.is_variant or not world.is_on_cpl(
            device, trial.version, now_s - spec.list_age
        )
    else:
        if is_gateway_down(world):
            return "gateway_down" if spec.fail == "closed" else ""
        if spec.capacity is not None and number > floor(3600 * spec.capacity):
            return "busy"
        is_stopped = trial.is_variant or not world.is_on_cpl(device, trial.version, now_s)
    error = spec.false_accept if is_stopped else spec.false_reject
    if is_stopped != world.luck.happens(
        error, "screen.error", device.place, device.index, trial.version
    ):
        return "blocked"
    install_s = 1 + world.luck.scaled(
        spec.install, "screen.install", device.place, device.index, trial.version
    )
    return "expired" if spec.design == "token" and install_s > spec.token_life else ""


def is_gateway_down(world: FirmwareWorld) -> bool:
    """Return whether the token gateway is down now."""
    for outage in world.firmware.screening.gateway_outages:
        since_s = world.now_s - outage.start
        if (
            since_s >= 0
            and (since_s if outage.every is None else since_s % outage.every) < outage.duration
        ):
            return True
    return False
