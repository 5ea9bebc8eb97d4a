"""What must agree about updates over the air and their campaigns: ramps, times and sizes (S1-14;
`docs/firmware.md`, sections 5 and 6).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from sim import units
from sim.scenario.air import Ramp
from sim.scenario.faults import Finding, Path, did_you_mean
from sim.scenario.fields import LONGEST_S
from sim.scenario.firmware import LIVING, Firmware
from sim.scenario.firmware_checks import MODELS, horizon, of_type
from sim.scenario.forms import HORIZON
from sim.scenario.schema import Window

_MOST_GROUPS: Final = 1000
_MOST_TIMES: Final = 20_000  # rows of a calendar, and scans of every device
_MOST_RESUMED: Final = 8  # times that a transfer is interrupted, where it is unlucky
_OTA: Final[Path] = ("firmware", "ota")
_RAMP: Final[Path] = ("firmware", "campaign", "ramp")


def images_have_takers(firmware: Firmware) -> Iterator[Finding]:
    """Find device types that are updated over the air and have no model."""
    types = [name for name in LIVING if of_type(firmware, name)]
    for index, device_type in enumerate(firmware.ota.types):
        if device_type not in types:
            listed = ", ".join(types) or "nothing"
            hint = did_you_mean(device_type, types)
            message = f"there is no model of {device_type}; there are models of {listed}{hint}"
            yield (*_OTA, "types", index), message, (MODELS,)


def transfers_end(firmware: Firmware) -> Iterator[Finding]:
    """Find transfers that no clock can hold."""
    ota = firmware.ota
    for name, model in firmware.models.items():
        interval = "interval_sleepy" if model.sleepy else "interval_awake"
        blocks_s = ceil(ceil(model.size / ota.block) * getattr(ota, interval) / 1000)
        longest_s = blocks_s + _MOST_RESUMED * ota.resume
        if longest_s > LONGEST_S:
            others = tuple((*_OTA, field) for field in ("block", interval, "resume"))
            size, days = units.format_size(model.size), longest_s // units.DAY_S
            message = f"an image of {size} can take {days:,} d to the device; at most 60 years"
            yield (*MODELS, name, "size"), message, others


def ramps_reach_everybody(firmware: Firmware) -> Iterator[Finding]:
    """Find ramps with groups that reach nobody, and with too many groups."""
    ramp = firmware.campaign.ramp
    if ramp.kind == "groups":
        yield from _groups_are_some(ramp)
        return
    field = "share" if ramp.kind == "constant" else "first"
    share = getattr(ramp, field)
    if share == 0:
        yield (*_RAMP, field), "a group of 0 % reaches nobody; give more", ()
    elif share is not None and field == "share" and 1 / share > _MOST_GROUPS:
        n_groups = f"{round(1 / share):,} groups until all are reached"
        yield (*_RAMP, field), f"{n_groups}; at most {_MOST_GROUPS:,}", ()


def _groups_are_some(ramp: Ramp) -> Iterator[Finding]:
    where = (*_RAMP, "shares")
    for index, share in enumerate(ramp.shares):
        if not share:
            yield (*where, index), "a group of 0 % reaches nobody; leave it out", ()
    if len(ramp.shares) > _MOST_GROUPS:
        yield where, f"{len(ramp.shares):,} groups; at most {_MOST_GROUPS:,}", ()


def calendars_can_be_told(firmware: Firmware, window: Window) -> Iterator[Finding]:
    """Find what comes too often to be told."""
    end, text = horizon(window)
    steps: dict[Path, int] = {
        ("firmware", "step"): firmware.step,
        ("firmware", "reads", "compliance"): firmware.reads.compliance,
    }
    for where, every in steps.items():
        if end // every > _MOST_TIMES:
            message = f"would come {end // every:,} times before the world ends at {text}"
            yield where, f"{message}; at most {_MOST_TIMES:,}", HORIZON
