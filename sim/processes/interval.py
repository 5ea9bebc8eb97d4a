"""Take every column from the last moment to now: what changed, what was reported, what the network
did with it, what the ledgers make of it.

A national day is one interval. Nothing inside an interval feeds back on what is sent, so its length
changes no result; whoever is about to change the world (a cut, a release) brings the columns up to
now first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.kernels.draws import threshold
from sim.kernels.ledgers import hub_hears
from sim.kernels.reports import to_devices
from sim.kernels.seconds import NEVER, NOT_WRITTEN
from sim.kernels.upgrades import changes_due
from sim.ledgers import NOTHING, Changes, Messages
from sim.network.flows import Flow, Late
from sim.processes.lives import forget_raised, live
from sim.processes.rows import Source
from sim.processes.sources import known_sources, sources
from sim.processes.traffic import existing_load
from sim.world import World


def bring_up_to_date(world: World) -> None:
    """Let [since, now) happen."""
    start_s, stop_s = world.progress.since_s, world.now_s
    if stop_s == start_s:
        return
    if world.life is not None:
        live(world)
    changes = world.each(
        lambda number: _changes(world, number, stop_s), range(len(world.estate.slices))
    )
    flows = sources(world, start_s, stop_s, changes)
    late = {
        arrived.group: arrived
        for arrived in world.network.carry(
            flows, existing_load(world, start_s, stop_s), start_s, stop_s
        )
    }
    world.each(
        lambda number: _write(world, number, start_s, stop_s, changes[number], flows, late),
        range(len(world.estate.slices)),
    )
    world.recorder.fold(stop_s)
    world.ledgers.close_day(stop_s)
    world.progress.since_s = stop_s
    if world.life is not None:
        forget_raised(world, stop_s)


def _changes(world: World, number: int, stop_s: int) -> Changes:
    rows = world.estate.slices[number]
    local = world.scenario.updates.local
    release = world.progress.release
    view = world.estate.view
    due: Changes = changes_due(
        world.key("local.gap"),
        rows.place,
        view("index", rows),
        view("version_true", rows),
        view("next_change_s", rows),
        stop_s,
        float(local.rate),
        release,
    )
    return due


def _write(
    world: World,
    number: int,
    start_s: int,
    stop_s: int,
    changes: Changes,
    flows: Sequence[Flow],
    late: dict[int, Late],
) -> None:
    """Tell the ledgers of one slice what happened to its devices and what reports of them were
    written.
    """
    rows, reporting = world.estate.slices[number], world.scenario.reporting
    heard = np.ones(len(changes[0]), np.bool_)
    if reporting.traits.hub_keeps:
        heard = hub_hears(
            world.key("han.loss"),
            rows.place,
            world.estate.view("index", rows),
            changes[0],
            changes[1],
            np.uint64(threshold(reporting.han_loss)),
        )
        measured = int(np.count_nonzero(changes[1] >= world.warm_up_s))
        world.han_writes[number] += measured
    messages, overdue = NOTHING, NOTHING
    if rows.device_type in reporting.devices and (
        reporting.read.refreshes_smi or not reporting.traits.reads_the_hub
    ):
        for source, flow in zip(known_sources(world), flows, strict=True):
            senders = world.estate.senders[source.group] if source.group >= 0 else None
            if senders is not None and (
                senders.slice is rows or (senders.slice is None and senders.region == rows.region)
            ):
                new, old = _reports(
                    source, flow, late.get(source.group), start_s, stop_s, world.network.latency_s
                )
                messages = _of_devices(world, number, source.group, *new)
                overdue = _of_devices(world, number, source.group, *old)
    world.ledgers.apply(number, stop_s, changes, heard, messages, overdue)


def _reports(
    source: Source, flow: Flow, arrived: Late | None, start_s: int, stop_s: int, latency_s: int
) -> tuple[Messages, Messages]:
    """Return (row, second made, second written) of the reports made in [start, stop), and of those
    made before whose end is now known.
    """
    new = flow.row, flow.made, flow.written_s(latency_s)
    old = (arrived.row, arrived.leave, arrived.deliver) if arrived is not None else NOTHING
    if source.is_plain or not len(source.links.start):
        return new, old
    kept = source.new_kept
    dropped = source.dropped
    now = new[1] >= start_s
    ended = ~now & (new[2] < stop_s)
    return (
        _together(
            tuple(column[now] for column in new),
            (kept["row"], kept["made"], np.full(len(kept), NEVER, np.int32)),
        ),
        _together(
            tuple(column[ended] for column in new),
            old,
            (dropped["row"], dropped["made"], np.full(len(dropped), NOT_WRITTEN, np.int32)),
        ),
    )


def _together(*parts: tuple[NDArray[Any], ...]) -> Messages:
    """Return all messages of *parts*, by row and second made."""
    filled = [part for part in parts if len(part[0])]
    if not filled:
        return NOTHING
    row, made, written = (np.concatenate(column) for column in zip(*filled, strict=True))
    order = np.lexsort((made, row)) if len(filled) > 1 else slice(None)
    return row[order], made[order], written[order]


def _of_devices(
    world: World,
    number: int,
    group: int,
    row: NDArray[Any],
    made: NDArray[Any],
    deliver: NDArray[Any],
) -> Messages:
    """Return a group's messages as messages of the devices of slice *number* that they speak of."""
    senders = world.estate.senders[group]
    if senders.slice is not None:
        return row, made, deliver
    spoken: Messages = to_devices(
        senders.index[row], made, deliver, world.estate.view("index", world.estate.slices[number])
    )
    return spoken
