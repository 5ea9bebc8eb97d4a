"""Devices and hubs tell the Smart Metering Inventory which firmware they run (S1-17, S1-18; rules
R0 to R6).

A report is the only way the record learns of a local update, so this is where two of the model's
quantities meet: how wrong the inventory is, and how hard the network is hit. Reports differ in
*when* they leave (the phase) far more than in how many there are: 30 million a day is 347 a second
spread out, and a storm if every clock strikes two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.calendar import dial
from sim.estate.estate import Senders
from sim.kernels import clocks, shaping
from sim.kernels import reports as kernel
from sim.ledgers import NOTHING, Changes
from sim.network.flows import Flow
from sim.processes.rows import Source
from sim.processes.shaping import entered, flow, shaped
from sim.units import HOUR_S
from sim.words import Fate, MessageCause, Reach
from sim.world import World

# stream and occasion of the loss, sender row, second and cause of reports, by row
Raised = tuple[str, NDArray[Any], NDArray[Any], NDArray[Any], int]


def reports(
    world: World, source: Source, start_s: int, stop_s: int, changes: Sequence[Changes]
) -> Flow:
    """Return what one group of senders puts into the network in [start, stop), given its devices'
    *changes*.
    """
    rule, senders = world.scenario.reporting.traits, world.estate.senders[source.group]
    own = (
        changes[world.estate.slices.index(senders.slice)] if senders.slice is not None else NOTHING
    )
    if rule.timer and not rule.at_change and source.is_plain and _is_steady(world):
        return _steady(world, source, senders, start_s, stop_s)
    raised = []
    if rule.timer:
        raised.append(_timed(world, source.group, senders, start_s, stop_s, own))
    if rule.is_read:
        raised.append(_read(world, senders, stop_s))
    if rule.at_change:
        raised.append(_changed(world, source.group, senders, stop_s, own))
    if source.is_plain:
        return _at_once(world, source, raised, start_s, stop_s)
    messages = [
        shaping.packed(row, second, occasion, int(cause), world.warm_up_s, source.tally)
        for _, occasion, row, second, cause in raised
    ]
    return shaped(
        world,
        source,
        messages[0] if len(messages) == 1 else shaping.merged(*messages),
        start_s,
        stop_s,
    )


def _at_once(
    world: World, source: Source, raised: Sequence[Raised], start_s: int, stop_s: int
) -> Flow:
    """Let those of *raised* that neither expire nor are lost leave as they are raised."""
    counts, loss = np.zeros(stop_s - start_s, np.int32), world.scenario.reporting.loss
    left = [
        entered(world, source, stream, row, second, occasion, cause, loss, start_s, counts)
        for stream, occasion, row, second, cause in raised
    ]
    if len(left) == 1:
        return flow(source, left[0][0], left[0][1], raised[0][-1], counts)
    causes = [
        np.full(len(row), cause, np.uint8)
        for (row, _), (*_, cause) in zip(left, raised, strict=True)
    ]
    row, leave, cause = kernel.merged(*left[0], causes[0], *left[1], causes[1])
    return flow(source, row, leave, cause, counts)


def _is_steady(world: World) -> bool:
    """Whether nothing is drawn and nothing restarts or moves: no jitter, no loss, no darkness, no
    activation, no summer time.
    """
    reporting = world.scenario.reporting
    if _clock_moves(world):
        return False
    is_dark = any(len(region) for region in world.estate.dark_until_s)
    return (
        reporting.phase.jitter == 0
        and reporting.loss == 0
        and reporting.phase.source != "activation"
        and not is_dark
    )


def _clock_moves(world: World) -> bool:
    return len(dial(world.scenario).start_s) > 1


def _scratch(world: World, group: int, senders: Senders) -> tuple[NDArray[Any], ...]:
    """Return room for the timed reports of one interval of *group*."""
    scratch, period_s = world.progress.scratch, world.scenario.reporting.timer_s
    if group not in scratch:
        read_s = world.batch_s + HOUR_S * _clock_moves(world)  # by a clock, most
        most = -(-read_s // period_s) + (world.scenario.reporting.phase.jitter > 0)
        scratch[group] = tuple(np.empty(len(senders.index) * most, np.int32) for _ in range(3))
    return scratch[group]


def _steady(world: World, source: Source, senders: Senders, start_s: int, stop_s: int) -> Flow:
    """Return the timed reports of senders that nothing disturbs."""
    reach = world.estate.reach[source.region]
    counts = np.zeros(stop_s - start_s, np.int32)
    period_s = world.scenario.reporting.timer_s
    if world.trace is not None:  # those without WAN are never named otherwise
        _remember_unreached(world, source, senders, start_s, stop_s)
    row, leave = kernel.steady_reports(
        senders.due_s,
        reach,
        senders.index,
        start_s,
        stop_s,
        period_s,
        world.warm_up_s,
        counts,
        source.tally,
        *_scratch(world, source.group, senders)[:2],
    )
    return flow(source, row, leave, int(MessageCause.TIMER), counts)


def _remember_unreached(
    world: World, source: Source, senders: Senders, start_s: int, stop_s: int
) -> None:
    unreached = world.estate.reach[source.region][senders.index] != Reach.REACHED
    due_s, row = senders.due_s[unreached].copy(), np.flatnonzero(unreached).astype(np.int32)
    while len(row := row[due_s < stop_s]):
        due_s = due_s[due_s < stop_s]
        expired = shaping.packed(
            row, due_s, due_s, int(MessageCause.TIMER), 0, np.zeros(shaping.N_TALLY, np.int64)
        )
        expired["fate"] = Fate.EXPIRED
        source.ended.append(expired)
        due_s = due_s + np.int32(world.scenario.reporting.timer_s)


def _timed(
    world: World, group: int, senders: Senders, start_s: int, stop_s: int, own: Changes
) -> Raised:
    """Return the timed reports."""
    phase = world.scenario.reporting.phase
    row, second, occasion = kernel.timer_reports(
        world.key("report.jitter"),
        senders.place,
        senders.index,
        senders.due_s,
        start_s,
        stop_s,
        world.scenario.reporting.timer_s,
        phase.jitter,
        dial(world.scenario),
        own[0],
        own[1],
        phase.source == "activation",
        *_scratch(world, group, senders),
    )
    return "report.loss", occasion, row, second, int(MessageCause.TIMER)


def _changed(world: World, group: int, senders: Senders, stop_s: int, own: Changes) -> Raised:
    """Return the reports of changes, new and waiting; keep those that leave later."""
    jitter_s = world.scenario.reporting.phase.jitter
    leave = np.empty(len(own[0]), np.int32)
    kernel.change_reports(
        world.key("change.jitter"), senders.place, senders.index, own[0], own[1], jitter_s, leave
    )
    waiting = world.progress.pending.get(group, NOTHING)
    row, changed, leave = (
        np.concatenate(pair) for pair in zip(waiting, (own[0], own[1], leave), strict=True)
    )
    order = np.lexsort((changed, leave, row)) if jitter_s else slice(None)
    row = row[order]
    changed = changed[order]
    leave = leave[order]
    later = leave >= stop_s
    world.progress.pending[group] = row[later], changed[later], leave[later]
    return "change.loss", changed[~later], row[~later], leave[~later], int(MessageCause.CHANGE)


def _read(world: World, senders: Senders, stop_s: int) -> Raised:
    """Return the answers to reads of single devices."""
    rate, nothing = np.array([float(world.scenario.reporting.read.rate)]), np.zeros(0, np.int64)
    key, at = world.key("read.gap"), senders.place
    row, second = clocks.strokes(key, at, senders.index, rate, stop_s, senders.due_s, nothing)
    return "report.loss", second.copy(), row, second, int(MessageCause.READ)
