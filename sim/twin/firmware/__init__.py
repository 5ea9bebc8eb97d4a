"""The twin of firmware worlds: releases, the local channel, updates over the air, campaigns and
records, the plain way (`docs/firmware.md`).

A SimPy process for each offer, attempt, job, timer, clock and campaign programme. What is decided
without looking at a device comes from `sim.planning`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.twin.firmware.world import FirmwareWorld


def start_firmware(world: FirmwareWorld) -> None:
    """Start every process of firmware's life: its table of contents."""
    from sim.twin.firmware.campaigns import run_campaigns
    from sim.twin.firmware.hubs import exchange
    from sim.twin.firmware.local import start_local
    from sim.twin.firmware.reads import start_reads
    from sim.twin.firmware.reports import start_reports

    start_local(world)
    world.env.process(run_campaigns(world))
    start_reads(world)
    start_reports(world)
    for home, hub in world.hubs.items():
        if hub.exchanged_s < world.horizon_s:
            world.env.process(exchange(world, home))
