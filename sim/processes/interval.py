"""Take every column from the last moment to now: what changed, what was reported, what the network did with it, what the ledgers make of it.

A national day is one interval. Nothing inside an interval feeds back on what is sent, so its length changes no result; whoever is about to change the
world (a cut, a release) brings the columns up to now first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.estate.build import STORING_RULES
from sim.kernels.draws import threshold
from sim.kernels.ledgers import hub_hears
from sim.kernels.reports import to_devices
from sim.kernels.upgrades import changes_due
from sim.ledgers import NOTHING, Changes, Messages
from sim.network.flows import Flow, Late
from sim.processes.reporting import reports
from sim.processes.tracing import remember
from sim.processes.traffic import existing_load
from sim.world import World


def bring_up_to_date(world: World) -> None:
    """Let [since, now) happen."""
    start_s, stop_s = world.progress.since_s, world.now_s
    if stop_s == start_s:
        return
    changes = world.each(lambda number: _changes(world, number, stop_s), range(len(world.estate.slices)))
    flows = reports(world, start_s, stop_s, changes)
    late = {arrived.group: arrived for arrived in world.network.carry(flows, existing_load(world, start_s, stop_s), start_s, stop_s)}
    if world.trace is not None:
        remember(world, world.trace, flows, late)
    world.each(lambda number: _write(world, number, stop_s, changes[number], flows, late), range(len(world.estate.slices)))
    world.recorder.fold(stop_s)
    world.ledgers.close_day(stop_s)
    world.progress.since_s = stop_s


def _changes(world: World, number: int, stop_s: int) -> Changes:
    rows, local, release = world.estate.slices[number], world.scenario.updates.local, world.progress.release
    view = world.estate.view
    due: Changes = changes_due(
        world.key("local.gap"), rows.place, view("index", rows), view("version_true", rows), view("next_change_s", rows), stop_s, float(local.rate), release
    )
    return due


def _write(world: World, number: int, stop_s: int, changes: Changes, flows: list[Flow], late: dict[int, Late]) -> None:
    """Tell the ledgers of one slice what happened to its devices and what reports of them were written."""
    rows, reporting = world.estate.slices[number], world.scenario.reporting
    heard = np.ones(len(changes[0]), np.bool_)
    if reporting.rule in STORING_RULES:
        heard = hub_hears(
            world.key("han.loss"), rows.place, world.estate.view("index", rows), changes[0], changes[1], np.uint64(threshold(reporting.han_loss))
        )
        measured = int(np.count_nonzero(changes[1] >= world.warm_up_s))
        world.han_writes[number] += measured
    messages, overdue = NOTHING, NOTHING
    if rows.device_type in reporting.devices and not (reporting.rule == "hub_store" and not reporting.read.refreshes_smi):
        for flow in flows:
            senders = world.estate.senders[flow.group]
            if senders.slice is rows or (senders.slice is None and senders.region == rows.region):
                messages = _of_devices(world, number, flow.group, flow.row, flow.leave, flow.written_s(world.network.latency_s))
                arrived = late.get(flow.group)
                if arrived is not None:
                    overdue = _of_devices(world, number, flow.group, arrived.row, arrived.leave, arrived.deliver)
    world.ledgers.apply(number, stop_s, changes, heard, messages, overdue)


def _of_devices(world: World, number: int, group: int, row: NDArray[Any], leave: NDArray[Any], deliver: NDArray[Any]) -> Messages:
    """Return a group's messages as messages of the devices of slice *number* that they speak of."""
    senders = world.estate.senders[group]
    if senders.slice is not None:
        return row, leave, deliver
    spoken: Messages = to_devices(senders.index[row], leave, deliver, world.estate.view("index", world.estate.slices[number]))
    return spoken
