"""What comes before the world ends: releases, by which way and to whom, and moves of clocks."""

from __future__ import annotations

from typing import Any, Final

from sim.british_time import Moves, moves

LOCALLY: Final = ("ppmid", "ihd")  # the types that can be updated without the WAN


def end_s(world: Any) -> int:
    """Return the second at which *world*, a scenario, ends."""
    return int(world.window.warm_up + world.window.length)


def british_moves(window: Any, reporting: Any) -> Moves:
    """Return when British clocks move in a *window*, and by how many seconds: until the last second
    for which something that leaves in it can be due, by the jitter of *reporting*.
    """
    return moves(window.start, window.warm_up + window.length + reporting.phase.jitter)


def clock_moves(window: Any, reporting: Any) -> Moves:
    """Return when the fixed clocks of reports move in a *window*, and by how many seconds."""
    follows = window.clock == "local" and reporting.phase.source == "fixed_clock"
    return british_moves(window, reporting) if follows else ()


def goes_by_air(world: Any, release: Any) -> bool:
    """Whether images of *release*, a row of releases, are sent over the air."""
    ota = world.firmware.ota
    return (
        world.firmware.models[release.model].type in ota.types
        and release.release_class in ota.classes
        and max(release.first, ota.start) < end_s(world)
    )


def is_offered(world: Any, release: Any) -> bool:
    """Whether images of *release*, a row of releases, are offered to owners."""
    local = world.firmware.local
    return (
        world.updates.has_local
        and world.firmware.models[release.model].type in LOCALLY
        and release.release_class in local.classes
        and local.take_up > 0
        and release.first + local.lead < end_s(world)
    )


def changes(world: Any, device_type: str) -> bool:
    """Whether some device of *device_type* may change its version in *world*."""
    if not world.estate.devices[device_type]:
        return False
    if world.firmware is None:
        local = world.updates.local
        starts = local.first_release if local.driver == "releases" else 0
        is_local = world.updates.has_local and device_type in LOCALLY
        return bool(is_local and local.take_up and local.rate and starts < end_s(world))
    return any(
        goes_by_air(world, release) or is_offered(world, release)
        for release in world.firmware.releases
        if world.firmware.models[release.model].type == device_type
    )
