"""Everyone who raises messages, and what of it makes a first attempt in an interval."""

from __future__ import annotations

from collections.abc import Sequence

from sim.kernels.links import since
from sim.ledgers import Changes
from sim.network.flows import Flow
from sim.network.links import links_of
from sim.planning.sizes import VERSION_REPORT
from sim.processes import shaping
from sim.processes.alerts import Raiser, alert_sources, alerts
from sim.processes.reporting import reports
from sim.processes.rows import Source, rows_for
from sim.world import World


def sources(world: World, start_s: int, stop_s: int, changes: Sequence[Changes]) -> list[Flow]:
    """Return the named messages whose first attempt leaves in [start, stop), one flow for each kind
    and place, given the devices' *changes*.
    """
    known = _known(world)

    def of(number: int) -> Flow:
        source, raiser = known[number]
        return (
            reports(world, source, start_s, stop_s, changes)
            if raiser is None
            else alerts(world, source, raiser, start_s, stop_s)
        )

    return world.each(of, range(len(known)))


def known_sources(world: World) -> list[Source]:
    """Return those who send reports, group by group, and those who raise alerts, kind by kind."""
    return [source for source, _ in _known(world)]


def _known(world: World) -> list[tuple[Source, Raiser | None]]:
    """Return every source and, of alerts, what makes them; they are looked up the first time."""
    if world.progress.sources is None:
        links = [
            since(links_of(world.scenario, world.replication, world.estate), -1, region)
            for region in range(len(world.estate.regions))
        ]
        rows = rows_for(world.scenario, VERSION_REPORT)
        reporters = [
            Source(
                kind=len(world.recorder.kinds) - 1,
                name=VERSION_REPORT,
                group=group,
                region=senders.region,
                place=senders.place,
                premises=senders.index,
                last_gasp=False,
                rows=rows,
                links=links[senders.region],
                tally=world.tally[group],
            )
            for group, senders in enumerate(world.estate.senders)
        ]
        world.progress.sources = [
            *((source, None) for source in reporters),
            *alert_sources(world, links),
        ]
    return world.progress.sources


def close(world: World) -> None:
    """Count what ended before its first attempt, and what has not left by the horizon."""
    shaping.close(world, known_sources(world))
