"""What must agree about updates over the air and their campaigns: regions, ramps, times and sizes (S1-14; `docs/firmware.md`, sections 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, isclose
from typing import Any, Final

from pydantic import BaseModel

from sim import units
from sim.scenario.air import CLASSES, Between, FromNothing, Ramp
from sim.scenario.faults import Finding, Path, did_you_mean
from sim.scenario.fields import LONGEST_S
from sim.scenario.firmware import LIVING, Firmware
from sim.scenario.firmware_checks import horizon
from sim.scenario.schema import EstateSpec, Window

_NEEDS: Final = {"constant": ("share",), "exponential": ("first", "factor"), "groups": ("shares",)}  # kind of ramp: its fields
_MOST_GROUPS: Final = 1000
_MOST_TIMES: Final = 20_000  # rows of a calendar, and scans of every device
_OTA: Final[Path] = ("firmware", "ota")
_RAMP: Final[Path] = ("firmware", "campaign", "ramp")
_HORIZON: Final[tuple[Path, ...]] = (("window", "length"), ("window", "warm_up"))


def times_leave_something(firmware: Firmware | None) -> Iterator[Finding]:
    """Find times drawn from a `low` that is above their `high`."""
    if firmware is None:
        return
    for where, between in _betweens(firmware, ("firmware",)):
        if between.low > between.high:
            low, high = units.format_duration(between.low), units.format_duration(between.high)
            yield (*where, "high"), f"the longest time of {high} is shorter than the shortest of {low}", ((*where, "low"),)


def _betweens(block: BaseModel, path: Path) -> Iterator[tuple[Path, Between | FromNothing]]:
    """Yield every drawn time in *block*, with its place."""
    for name in type(block).model_fields:
        value = getattr(block, name)
        for key, each in value.items() if isinstance(value, dict) else ((None, value),):
            where = (*path, name) if key is None else (*path, name, key)
            if isinstance(each, Between | FromNothing):
                yield where, each
            elif isinstance(each, BaseModel):
                yield from _betweens(each, where)


def regions_are_served(firmware: Firmware | None, estate: EstateSpec) -> Iterator[Finding]:
    """Find regions without a time or a capacity, and times and capacities of regions that there are not."""
    if firmware is None:
        return
    blocks: dict[str, Mapping[str, Any]] = {"distribution": firmware.ota.distribution, "capacity": firmware.ota.capacity}
    for field, by_region in blocks.items():
        where: Path = (*_OTA, field)
        missing = [name for name in estate.regions if name not in by_region]
        if missing:
            message = f"lacks {', '.join(missing)}; give one for each region: {', '.join(estate.regions)}"
            yield where, message, (("estate", "regions"),)
        for name in by_region:
            if name not in estate.regions:
                hint = did_you_mean(name, estate.regions)
                message = f"there is no region {name}; the regions are {', '.join(estate.regions)}{hint}"
                yield (*where, name), message, (("estate", "regions"),)


def images_have_takers(firmware: Firmware | None) -> Iterator[Finding]:
    """Find device types that are updated over the air and have no model, and transfers that no clock can hold."""
    if firmware is None:
        return
    models: Path = ("firmware", "models")
    types = [name for name in LIVING if any(model.type == name for model in firmware.models.values())]
    for index, device_type in enumerate(firmware.ota.types):
        if device_type not in types:
            message = f"there is no model of {device_type}; there are models of {', '.join(types) or 'nothing'}{did_you_mean(device_type, types)}"
            yield (*_OTA, "types", index), message, (models,)
    for name, model in firmware.models.items():
        interval_ms = firmware.ota.interval_sleepy if model.sleepy else firmware.ota.interval_awake
        longest_s = ceil(ceil(model.size / firmware.ota.block) * interval_ms / 1000) + 8 * firmware.ota.resume
        if longest_s > LONGEST_S:
            others: tuple[Path, ...] = ((*_OTA, "block"), (*_OTA, "interval_sleepy" if model.sleepy else "interval_awake"), (*_OTA, "resume"))
            message = f"an image of {units.format_size(model.size)} can take {longest_s // units.DAY_S:,} d to the device; at most 60 years"
            yield (*models, name, "size"), message, others


def every_class_has_its_place(firmware: Firmware | None) -> Iterator[Finding]:
    """Find classes of release that no priority names."""
    if firmware is None:
        return
    missing = [name for name in CLASSES if name not in firmware.campaign.priority]
    if missing:
        yield ("firmware", "campaign", "priority"), f"lacks {', '.join(missing)}; name every class, most urgent first", ()


def ramps_reach_everybody(firmware: Firmware | None) -> Iterator[Finding]:
    """Find ramps that lack a field of their kind, or have one of another, or do not come to all."""
    if firmware is None:
        return
    ramp = firmware.campaign.ramp
    for kind, fields in _NEEDS.items():
        for field in fields:
            given = getattr(ramp, field) not in (None, ())
            if kind == ramp.kind and not given:
                yield _RAMP, f"a ramp whose kind is {kind} needs {field}", ((*_RAMP, "kind"), (*_RAMP, field))
            elif kind != ramp.kind and given:
                message = f"means nothing to a ramp whose kind is {ramp.kind}; it is for {kind} (null takes an inherited one away)"
                yield (*_RAMP, field), message, ((*_RAMP, "kind"),)
    yield from _groups_are_some(ramp)


def _groups_are_some(ramp: Ramp) -> Iterator[Finding]:
    for field in ("share", "first"):
        share = getattr(ramp, field) if field in _NEEDS[ramp.kind] else None
        if share == 0:
            yield (*_RAMP, field), "a group of 0 % reaches nobody; give more", ()
        elif share is not None and field == "share" and 1 / share > _MOST_GROUPS:
            yield (*_RAMP, field), f"{round(1 / share):,} groups until all are reached; at most {_MOST_GROUPS:,}", ()
    if ramp.kind != "groups" or not ramp.shares:
        return
    for index, share in enumerate(ramp.shares):
        if not share:
            yield (*_RAMP, "shares", index), "a group of 0 % reaches nobody; leave it out", ()
    if len(ramp.shares) > _MOST_GROUPS:
        yield (*_RAMP, "shares"), f"{len(ramp.shares):,} groups; at most {_MOST_GROUPS:,}", ()
    if not isclose(sum(ramp.shares), 1, rel_tol=0, abs_tol=1e-9):
        yield (*_RAMP, "shares"), f"the shares add up to {sum(ramp.shares):.9g}; they must add up to 1", ()


def calendars_fit_the_window(firmware: Firmware | None, window: Window) -> Iterator[Finding]:
    """Find what begins after the world has ended, and what comes too often to be told."""
    if firmware is None:
        return
    end, text = horizon(window)
    begins: dict[Path, int] = {}
    for index, blackout in enumerate(firmware.campaign.blackouts):
        begins["firmware", "campaign", "blackouts", index] = blackout.start
    for index, outage in enumerate(firmware.screening.gateway_outages):
        begins["firmware", "screening", "gateway_outages", index] = outage.start
    if firmware.ota.exchange is not None:
        begins[(*_OTA, "exchange")] = firmware.ota.exchange.start
    for where, start in begins.items():
        if start >= end:
            yield (*where, "start"), f"begins at {units.format_duration(start)}, but the world ends at {text}", _HORIZON
    steps: dict[Path, int] = {("firmware", "step"): firmware.step, ("firmware", "reads", "compliance"): firmware.reads.compliance}
    for where, every in steps.items():
        if end // every > _MOST_TIMES:
            yield where, f"would come {end // every:,} times before the world ends at {text}; at most {_MOST_TIMES:,}", _HORIZON
