"""The twin: the same model written a second time, the plain way, one SimPy process a device, hub,
server, power cut and message.

Slow and obviously right. It shares with the fast path the scenario, the addresses of the draws and
the declared tables, and nothing else; wherever both can run they agree device by device and second
by second (`tests/twins`). It also tells one device's life in words (`sim.twin.story`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario
    from sim.tables import Tables, Trace
    from sim.twin.estate import Luck, Region
    from sim.twin.firmware.world import FirmwareWorld
    from sim.twin.world import TwinWorld


def replicate(scenario: Scenario, replication: int, *, trace: Trace | None = None) -> Tables:
    """Run *replication* (0, 1, …) of *scenario*, a small one, and return its tables as `sim.tables`
    declares them.
    """
    from sim.scenario.scale import scaled
    from sim.twin import counts
    from sim.twin.estate import Luck

    scenario = scaled(scenario)
    luck = Luck(scenario.seed, replication)
    world = run_world(scenario, luck, settle(scenario, luck))
    if trace is not None:
        counts.fill(trace, world)
    return counts.tables(world)


def settle(scenario: Scenario, luck: Luck) -> list[Region]:
    """Return everyone in *scenario*."""
    if scenario.firmware is not None:
        from sim.twin.firmware.estate import build as build_lives

        return build_lives(scenario, luck)
    from sim.twin.estate import build

    return build(scenario, luck)


def run_world(scenario: Scenario, luck: Luck, regions: list[Region]) -> TwinWorld:
    """Return the world of *scenario* as it is at its horizon, with whoever is in *regions*."""
    import simpy

    from sim.twin.faults import lay_out_faults
    from sim.twin.world import TwinWorld

    lay_out_faults(scenario, luck, regions)
    if scenario.firmware is None:
        world = TwinWorld(scenario, simpy.Environment(), luck, regions)
        start(world)
    else:
        from sim.twin.firmware.world import FirmwareWorld

        world = living = FirmwareWorld(scenario, simpy.Environment(), luck, regions)
        start_living(living)
    world.env.run(until=world.horizon_s)
    return world


def start(world: TwinWorld) -> None:
    """Start every process of *world*: the twin's table of contents."""
    from sim.twin import devices

    scenario, begin = world.scenario, world.env.process
    participants = [
        device for home in world.homes() for device in home.devices if device.takes_part
    ]
    if scenario.updates.local.driver == "releases":
        begin(devices.release_calendar(world, participants))
    else:
        for device in participants:
            begin(devices.local_updates(world, device))
    begin(devices.clock_locks(world))
    for home in world.homes():
        for sender in world.senders(home):
            if scenario.reporting.traits.is_read:
                begin(devices.reads(world, home, sender))
            elif scenario.reporting.timer_s:
                sender.timer = begin(devices.timed_reports(world, home, sender))
        if scenario.reporting.phase.source == "power_on":
            begin(devices.power(world, home))
    start_network(world)


def start_living(world: FirmwareWorld) -> None:
    """Start every process of a firmware world."""
    from sim.twin.firmware import start_firmware

    start_firmware(world)
    start_network(world)


def start_network(world: TwinWorld) -> None:
    """Start what loads the network beside version reports: alerts, and the traffic of others."""
    from sim.twin import alerts, traffic

    alerts.start_alerts(world)
    if world.scenario.traffic.level > 0:
        for region in world.regions:
            for kind in sorted(world.scenario.traffic.kinds):
                world.env.process(traffic.anonymous_traffic(world, region, kind))
