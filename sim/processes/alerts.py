"""Alerts that have a sender (S1-19; docs/model.md section 11): the last gasp of a hub that loses
its supply, and of many homes at once a storm.

What makes an outage or a restoration is known from the calendar of faults, so these alerts are
found once, as a list of events, however large the outage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.estate.estate import SLOTS, Estate, place
from sim.kernels import alerts as kernel
from sim.kernels import clocks, shaping
from sim.kernels.darkness import dark_spells
from sim.kernels.draws import threshold
from sim.kernels.firmware import columns
from sim.kernels.links import Links
from sim.kernels.upgrades import happens
from sim.life.rules import TYPES as LIVING
from sim.network.flows import Flow
from sim.processes.darkness import strokes_in
from sim.processes.rows import Source, rows_for
from sim.processes.shaping import entered, flow, shaped
from sim.scenario.alerts import FIRMWARE_CAUSES
from sim.words import AlertCause, MessageCause

if TYPE_CHECKING:
    from sim.scenario.alerts import AlertKind
    from sim.world import World

# premises number, begin, end, whether it is an outage; by number and then time
Spells = tuple[NDArray[Any], ...]
EVENTS = frozenset({"outage", "restoration", "reboot"})


@dataclass(slots=True)
class Raiser:
    """What makes the alerts of one source: a list of events by *row* and *second*; or at which
    *rate* in 1/s its senders raise them (of each, or one of all), when each is *due* to raise its
    next, and of chatter, how many each has raised (*number*).
    """

    cause: str
    row: NDArray[Any]
    second: NDArray[Any]
    rate: NDArray[Any]
    due_s: NDArray[Any]
    number: NDArray[Any]


def alert_sources(world: World, links: list[Links]) -> list[tuple[Source, Raiser]]:
    """Return who raises alerts, kind by kind and region by region, with what makes them."""
    alerts, estate = world.scenario.alerts, world.estate
    some_events = any(alerts.kinds[name].cause in EVENTS for name in alerts.active)
    found = []
    for region in range(len(estate.regions)):
        spells = (
            dark_spells(strokes_in(world, region), place(region, 0), estate.n_premises[region])
            if some_events
            else ()
        )
        for name in alerts.active:
            spec = alerts.kinds[name]
            at = place(region, SLOTS[spec.sender])
            if spec.cause in EVENTS:
                raiser, premises = _events(world, name, at, spells)
            else:
                # also of what firmware does, of which nothing is known before it happens
                raiser, premises = _clocks(world, name, at, estate)
            found.append(
                (
                    Source(
                        kind=world.recorder.kinds.index(name),
                        name=name,
                        group=-1,
                        region=region,
                        place=at,
                        premises=premises,
                        last_gasp=spec.cause == "outage",
                        rows=rows_for(world.scenario, name),
                        links=links[region],
                        tally=np.zeros(shaping.N_TALLY, np.int64),
                    ),
                    raiser,
                )
            )
    return sorted(found, key=lambda pair: pair[0].kind)


def _raise(world: World, name: str, at: int, n: int) -> NDArray[Any]:
    """Return the premises numbers, of *n*, whose device at place *at* raises alerts of *name*."""
    spec = world.scenario.alerts.kinds[name]
    fitted = 1.0 if spec.sender == "hub" else world.scenario.estate.devices[spec.sender]
    found: NDArray[Any] = kernel.raisers(
        world.key("estate.fitted"),
        world.key(f"alert.who.{name}"),
        at,
        n,
        np.uint64(threshold(fitted)),
        np.uint64(threshold(spec.share)),
    )
    return found


def _events(world: World, name: str, at: int, spells: Spells) -> tuple[Raiser, NDArray[Any]]:
    """Return the alerts that *spells* of darkness make, and the premises numbers of those who raise
    them.
    """
    spec, (home, begin, end, outage) = world.scenario.alerts.kinds[name], spells
    if spec.cause == "outage":
        chosen, second = outage & (end - begin > spec.after), begin + np.int32(spec.after or 0)
    elif spec.cause == "restoration":
        chosen, second = outage & (end - begin >= spec.after), end
    else:
        chosen, second = ~outage, end
    chosen &= (second < world.horizon_s) & (second >= begin)
    home, second = home[chosen], second[chosen]
    fitted = 1.0 if spec.sender == "hub" else world.scenario.estate.devices[spec.sender]
    who = np.empty(len(home), np.bool_)
    for stream, share in (("estate.fitted", fitted), (f"alert.who.{name}", spec.share)):
        happens(world.key(stream), at, home, 0, np.uint64(threshold(share)), who)
        home = home[who]
        second = second[who]
        who = who[who]
    premises, row = np.unique(home, return_inverse=True)
    nothing = np.zeros(0)
    return Raiser(spec.cause, row.astype(np.int32), second, nothing, nothing, nothing), premises


def _clocks(world: World, name: str, at: int, estate: Estate) -> tuple[Raiser, NDArray[Any]]:
    """Return the alerts that come at random or as chatter, and the premises numbers of those who
    raise them.
    """
    spec, nothing = world.scenario.alerts.kinds[name], np.zeros(0, np.int32)
    premises = _raise(world, name, at, estate.n_premises[at // 8])
    raiser = Raiser(spec.cause, nothing, nothing, np.zeros(0), nothing, np.zeros(0, np.int64))
    if spec.cause == "random":
        raiser.rate, raiser.due_s = np.array([_rate(spec)]), np.empty(len(premises), np.int32)
        clocks.first_gaps(world.key(f"alert.gap.{name}"), at, premises, _rate(spec), raiser.due_s)
    elif spec.cause == "chatter":
        n = len(premises)
        raiser.rate = np.empty(n)
        raiser.due_s = np.empty(n, np.int32)
        raiser.number = np.zeros(n, np.int64)
        kernel.first_chatter(
            world.key(f"alert.rate.{name}"),
            world.key(f"alert.gap.{name}"),
            at,
            premises,
            _rate(spec),
            spec.tail,
            spec.spread,
            raiser.rate,
            raiser.due_s,
        )
    return raiser, premises


def _rate(spec: AlertKind) -> float:
    """Return the rate per second of alerts that have one."""
    return float(spec.rate or 0)


def alerts(world: World, source: Source, raiser: Raiser, start_s: int, stop_s: int) -> Flow:
    """Return the alerts of *source* whose first attempt leaves in [start, stop)."""
    row, second = _raised(world, source, raiser, start_s, stop_s)
    if source.is_plain:
        counts = np.zeros(stop_s - start_s, np.int32)
        row, leave = entered(
            world,
            source,
            "report.loss",
            row,
            second,
            second,
            MessageCause.ALERT,
            0.0,
            start_s,
            counts,
        )
        return flow(source, row, leave, MessageCause.ALERT, counts)
    return shaped(
        world,
        source,
        shaping.packed(row, second, second, int(MessageCause.ALERT), world.warm_up_s, source.tally),
        start_s,
        stop_s,
    )


def _raised(
    world: World, source: Source, raiser: Raiser, start_s: int, stop_s: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (row, second) of the alerts raised in [start, stop)."""
    if raiser.cause in EVENTS:
        now = (raiser.second >= start_s) & (raiser.second < stop_s)
        return raiser.row[now], raiser.second[now]
    if raiser.cause in FIRMWARE_CAUSES:
        return _by_firmware(world, source, start_s, stop_s)
    key = world.key(f"alert.gap.{source.name}")
    row, second = clocks.strokes(
        key, source.place, source.premises, raiser.rate, stop_s, raiser.due_s, raiser.number
    )
    return row, second


def _by_firmware(
    world: World, source: Source, start_s: int, stop_s: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (row, second) of the alerts of *source* that updates make in [start, stop): of an
    image, or of a supply that an activation cuts (MP102).
    """
    spec = world.scenario.alerts.kinds[source.name]
    assert world.life is not None, "only a firmware world has alerts of these causes"
    happened = [np.zeros(0, columns.RAISED), *world.life.raised[source.region]]
    raised = np.concatenate(happened)
    made_by = "cut" if spec.cause == "cut_restored" else spec.cause
    raised = raised[raised["cause"] == AlertCause.of(made_by)]
    if spec.sender in LIVING:
        raised = raised[raised["type"] == LIVING.index(spec.sender)]
    if spec.cause == "cut":
        raised = raised[raised["length"] > spec.after]
    later = {"cut": spec.after or 0, "cut_restored": raised["length"]}.get(spec.cause, 0)
    second = (raised["second"] + later).astype(np.int32)
    now = (second >= start_s) & (second < stop_s)
    index, second = raised["index"][now], second[now]
    if not len(source.premises):
        return np.zeros(0, np.int32), np.zeros(0, np.int32)
    row = np.minimum(np.searchsorted(source.premises, index), len(source.premises) - 1).astype(
        np.int32
    )
    known = source.premises[row] == index
    row, second = row[known], second[known]
    order = np.lexsort((second, row))
    return row[order], second[order]
