"""Devices and hubs tell the Smart Metering Inventory which firmware they run (S1-17, S1-18; rules R0 to R6).

A report is the only way the record learns of a local update, so this is where two of the model's quantities meet: how wrong the inventory is, and how hard
the network is hit. Reports differ in *when* they leave (the phase) far more than in how many there are: 30 million a day is 347 a second spread out, and a
storm if every clock strikes two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import expm1
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.estate.build import TIMED_RULES, timer_period_s
from sim.estate.estate import Senders
from sim.kernels import reports as kernel
from sim.kernels.draws import threshold
from sim.ledgers import NOTHING, Changes
from sim.network.flows import Flow
from sim.recorder import DAY_S
from sim.world import World

CHANGE_RULES = frozenset({"on_change", "on_change_heartbeat"})


def reports(world: World, start_s: int, stop_s: int, changes: Sequence[Changes]) -> list[Flow]:
    """Return what each group of senders puts into the network in [start, stop), given its devices' *changes*."""
    return world.each(lambda group: _of_group(world, group, start_s, stop_s, changes), range(len(world.estate.senders)))


def _of_group(world: World, group: int, start_s: int, stop_s: int, changes: Sequence[Changes]) -> Flow:
    rule, senders = world.scenario.reporting.rule, world.estate.senders[group]
    own = changes[world.estate.slices.index(senders.slice)] if senders.slice is not None else NOTHING
    counts = np.zeros(stop_s - start_s, np.int32)
    row, leave, cause = NOTHING[0], NOTHING[1], int(kernel.READ)
    if rule in TIMED_RULES:
        row, leave = _timed(world, group, senders, start_s, stop_s, own, counts)
        cause = int(kernel.TIMER)
    if rule == "hub_store":
        row, leave = _read(world, group, senders, start_s, stop_s, counts)
    causes: NDArray[Any] | int = cause
    if rule in CHANGE_RULES:
        changed = _changed(world, group, senders, start_s, stop_s, own, counts)
        row, leave, causes = kernel.merged(
            row, leave, np.full(len(row), cause, np.uint8), *changed, np.full(len(changed[0]), kernel.CHANGE, np.uint8)
        ) if len(row) else (*changed, int(kernel.CHANGE))
    return Flow(group, row, leave, causes, counts, np.zeros(len(row), np.bool_))


def _timed(
    world: World, group: int, senders: Senders, start_s: int, stop_s: int, own: Changes, counts: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (row, leave) of the timed reports that enter the network."""
    reporting, scratch, period_s = world.scenario.reporting, world.progress.scratch, timer_period_s(world.scenario)
    jitter_s, restarts = reporting.phase.jitter, reporting.phase.source == "activation"
    if group not in scratch:
        most = -(-world.batch_s // period_s) + (jitter_s > 0)
        scratch[group] = tuple(np.empty(len(senders.index) * most, np.int32) for _ in range(3))
    reach, cuts = world.estate.reach[senders.region], bool(world.scenario.faults.power_cuts)
    if jitter_s == 0 and reporting.loss == 0 and not restarts and not cuts:
        steady: tuple[NDArray[Any], NDArray[Any]] = kernel.steady_reports(
            senders.due_s, reach, senders.index, start_s, stop_s, period_s, world.warm_up_s, counts, world.tally[group], *scratch[group][:2]
        )
        return steady
    row, leave, occasion = kernel.timer_reports(
        world.key("report.jitter"), senders.place, senders.index, senders.due_s, start_s, stop_s, period_s, jitter_s, own[0], own[1], restarts, *scratch[group]
    )
    return _enter(world, group, senders, "report.loss", row, occasion, leave, start_s, counts)


def _changed(
    world: World, group: int, senders: Senders, start_s: int, stop_s: int, own: Changes, counts: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (row, leave) of the reports of changes, new and waiting, that enter the network; keep those that leave later."""
    jitter_s = world.scenario.reporting.phase.jitter
    leave = np.empty(len(own[0]), np.int32)
    kernel.change_reports(world.key("change.jitter"), senders.place, senders.index, own[0], own[1], jitter_s, leave)
    waiting = world.progress.pending.get(group, NOTHING)
    row, changed, leave = (np.concatenate(pair) for pair in zip(waiting, (own[0], own[1], leave), strict=True))
    order = np.lexsort((changed, leave, row)) if jitter_s else slice(None)
    row, changed, leave = row[order], changed[order], leave[order]
    later = leave >= stop_s
    world.progress.pending[group] = row[later], changed[later], leave[later]
    row, changed, leave = row[~later], changed[~later], leave[~later]
    return _enter(world, group, senders, "change.loss", row, changed, leave, start_s, counts)


def _read(world: World, group: int, senders: Senders, start_s: int, stop_s: int, counts: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (row, leave) of the answers to reads of single devices that enter the network."""
    share = -expm1(-float(world.scenario.reporting.read.rate) * DAY_S)
    found = [
        kernel.daily_reads(world.key("read.when"), senders.place, senders.index, day, np.uint64(threshold(share)), start_s, stop_s)
        for day in range(start_s // DAY_S, (stop_s - 1) // DAY_S + 1)
    ]
    row, leave = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((leave, row))
    row, leave = row[order], leave[order]
    return _enter(world, group, senders, "report.loss", row, leave.copy(), leave, start_s, counts)


def _enter(
    world: World, group: int, senders: Senders, stream: str, row: NDArray[Any], occasion: NDArray[Any], leave: NDArray[Any], start_s: int,
    counts: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (row, leave) of the messages that neither expire nor are lost, and count them by second; *row* and *leave* are used up."""
    entered: tuple[NDArray[Any], NDArray[Any]] = kernel.enter(
        world.key(stream), senders.place, senders.index, row, occasion, leave, world.estate.reach[senders.region],
        world.estate.dark_until_s[senders.region], start_s, np.uint64(threshold(world.scenario.reporting.loss)), world.warm_up_s, counts, world.tally[group],
    )
    return entered
