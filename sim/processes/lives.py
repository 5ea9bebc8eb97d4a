"""Firmware's whole life (S1-01 … S1-18; docs/firmware.md): images go out, by the air and by hand,
and two ledgers drift apart and are repaired.

SimPy decides: when an image is offered, when a campaign begins a group or is stopped, when
everybody is read. Between two decisions nothing that a premises does touches another, so all of
them live on to the next, one after the other; how long that is changes no result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.estate.estate import ROW_TYPES
from sim.kernels.draws import threshold
from sim.kernels.firmware import columns as c
from sim.kernels.firmware import targets
from sim.kernels.firmware.advance import AT_ONCE, ROOM, advance
from sim.kernels.firmware.locally import due_attempts, offer_locally
from sim.kernels.ledgers import Total
from sim.life.living import Life, Part
from sim.life.rules import TYPES, firmware_of
from sim.planning.campaigns import Begin, Withdraw
from sim.planning.paths import hops
from sim.planning.releases import highest_listed
from sim.turns import Turn
from sim.units import HOUR_S
from sim.words import DeviceType

if TYPE_CHECKING:
    from sim.planning.campaigns import Campaign
    from sim.planning.releases import Image
    from sim.world import Process, World

_ROOM = 1 << 16  # things raised before they are taken away
# of an interval in which the gateway's hours are counted: whoever is turned away comes back no
# sooner
_LONGEST_S = 86_400
_ORDERS = ("random", "by_cell", "by_supplier", "by_risk")


def life_of(world: World) -> Life:
    """Return the devices of a firmware world."""
    assert world.life is not None, "a firmware world has lives"
    return world.life


def lives(world: World) -> Process:
    """Decide what is due at each second at which something is, in the order of docs/firmware.md
    section 6: releases, campaigns, scans; then devices live on.
    """
    firmware, life = firmware_of(world.scenario), life_of(world)
    ends = {k * firmware.step for k in range(1, -(-world.horizon_s // firmware.step))} | {
        world.horizon_s
    }
    scans = {
        k * firmware.reads.compliance
        for k in range(1, -(-world.horizon_s // firmware.reads.compliance))
    }
    listings = {
        second
        for image in life.images
        for second in (image.listed_s, image.delisted_s, image.local_s)
    }
    fixed = sorted(second for second in ends | scans | listings if second <= world.horizon_s)
    _look_up_goals(life, 0)
    while world.now_s < world.horizon_s:
        _decide(world, life, world.now_s, scans)
        while fixed and fixed[0] <= world.now_s:
            fixed.pop(0)
        until_s = min(fixed[0], max(life.programme.next_s(), world.now_s + 1))
        if firmware.screening.capacity is not None:
            until_s = min(until_s, world.now_s + _LONGEST_S)
        yield world.wait(until_s - world.now_s, Turn.DECISIONS)
        live(world)
        if world.now_s in ends and world.now_s > world.warm_up_s:
            _look_around(life, world.now_s)


def live(world: World) -> None:
    """Let every premises live until now."""
    life, until_s = life_of(world), world.now_s
    if until_s == life.since_s:
        return
    busy = _busy_rows(world, life, until_s)
    raised = world.each(
        lambda number: _live(life, life.parts[number], until_s, busy), range(len(life.parts))
    )
    for part, found in zip(life.parts, raised, strict=True):
        life.raised[part.region] += found
    life.since_s = until_s


def _live(
    life: Life, part: Part, until_s: int, busy: dict[int, NDArray[Any]]
) -> list[NDArray[Any]]:
    """Let the premises of *part* live until *until_s*; return what they raised."""
    found, home = [], part.first
    rules, region = life.rules[part.region], life.regions[part.region]
    due, rows = np.empty(AT_ONCE, np.int64), np.empty((AT_ONCE, c.N_TYPES), np.int64)
    room = np.empty(_ROOM if rules[0]["emits"] else ROOM, c.RAISED)
    while home < part.last:
        home, n = advance(
            rules,
            life.facts,
            part.sums,
            region,
            home,
            part.last,
            until_s,
            life.goals,
            busy[part.region],
            room,
            due,
            rows,
        )
        if n:
            found.append(room[:n].copy())
    return found


def forget_raised(world: World, now_s: int) -> None:
    """Forget what was raised and has no alert to come at or after *now_s*."""
    life = life_of(world)
    longest_s = max((kind.after or 0 for kind in world.scenario.alerts.kinds.values()), default=0)
    for region, found in life.raised.items():
        if found:
            raised = np.concatenate(found)
            life.raised[region] = [
                raised[
                    raised["second"].astype(np.int64) + np.maximum(raised["length"], longest_s)
                    >= now_s
                ]
            ]


# -- what is decided -------------------------------------------------------------------------------


def _decide(world: World, life: Life, now_s: int, scans: set[int]) -> None:
    """Let everything happen that is decided at *now_s*, before any device acts in that second."""
    if any(now_s in (image.listed_s, image.delisted_s) for image in life.images):
        _look_up_goals(life, now_s)
    if world.scenario.updates.has_local:
        for image in life.images:
            if image.local_s == now_s:
                _offer_locally(world, life, image, now_s)
    while life.programme.next_s() == now_s:
        for order in life.programme.decide(now_s, lambda campaign: _known(life, campaign)):
            if isinstance(order, Withdraw):
                _withdraw(life, order.campaign)
            else:
                _begin(world, life, order, now_s)
    if now_s >= world.warm_up_s:
        for image in life.images:
            if image.listed_s == now_s and image.release_class == "security":
                _scope(world, life, image)
        if now_s in scans:
            _read_all(world, life)


def _look_up_goals(life: Life, now_s: int) -> None:
    """Look up the highest version of each model on the CPL, for as long as nothing is listed or
    withdrawn.
    """
    by_model = [
        [image for image in life.images if image.model_number == number]
        for number in range(len(life.models))
    ]
    life.goals = np.array([*(highest_listed(images, now_s) for images in by_model), 0], np.int64)


def _read_all(world: World, life: Life) -> None:
    """Let the suppliers ask of every device whether it is up to date."""

    def read(number: int) -> None:
        part = life.parts[number]
        for kind, start, stop in part.slices:
            if kind != DeviceType.IHD:
                targets.read_all(
                    part.sums, life.regions[part.region].devices, start, stop, kind, life.goals
                )

    world.each(read, range(len(life.parts)))


def _scope(world: World, life: Life, image: Image) -> None:
    """Let the suppliers ask who runs less than a security release, of all devices of its model that
    have records.
    """
    kind = TYPES.index(image.device_type)

    def read(number: int) -> None:
        part = life.parts[number]
        targets.scope(
            part.sums,
            life.regions[part.region].devices,
            part.rows[image.model_number],
            kind,
            image.version,
        )

    if kind != DeviceType.IHD:
        world.each(read, range(len(life.parts)))


def _offer_locally(world: World, life: Life, image: Image, now_s: int) -> None:
    kind = TYPES.index(image.device_type)

    def offer(number: int) -> None:
        part = life.parts[number]
        region, rows = life.regions[part.region], part.takers[image.model_number]
        offer_locally(
            life.rules[part.region],
            life.facts,
            region.devices,
            rows,
            kind,
            image.version,
            now_s,
            life.rates,
            life.hours,
            region.next_s,
        )

    world.each(offer, range(len(life.parts)))


def _known(life: Life, campaign: Campaign) -> tuple[int, int]:
    """Return how many jobs of *campaign* are done, and of how many it was told that they failed."""
    ends = sum(part.summed("counted")[campaign.model_number, campaign.goal] for part in life.parts)
    done, failed, *_ = (int(n) for n in np.asarray(ends))
    return done, failed


def _withdraw(life: Life, campaign: Campaign) -> None:
    for part in life.parts:
        targets.withdraw(
            life.facts,
            part.sums,
            life.regions[part.region].devices,
            part.rows[campaign.model_number],
            campaign.goal,
        )


def _begin(world: World, life: Life, order: Begin, now_s: int) -> None:
    """Begin a group: find its targets, then give each its second."""
    scenario, campaign = world.scenario, order.campaign
    firmware, kind = firmware_of(scenario), TYPES.index(campaign.image.device_type)
    model = campaign.model_number
    goal = campaign.goal
    names = list(scenario.estate.regions)
    mine = [image for image in life.images if image.model_number == model]
    hop = np.array(hops(firmware.models[life.models[model]], mine, goal, now_s), np.int64)
    shares = np.cumsum(list(scenario.estate.users.values()))
    users = np.array([threshold(float(share)) for share in shares[:-1] / shares[-1]], np.uint64)
    per_cell, which = world.estate.premises_per_cell, _ORDERS.index(firmware.campaign.order)
    low_key, high_key = (0, 2**32) if order.is_sweep else (order.low_key, order.high_key)

    def choose(number: int) -> tuple[NDArray[Any], NDArray[Any]]:
        part = life.parts[number]
        rows = part.rows[model]
        homes = part.homes[model]
        n_cells = max(1, -(-world.estate.n_premises[part.region] // per_cell))
        found, keys = np.empty(len(rows), np.int32), np.empty(len(rows), np.uint32)
        n = targets.choose(
            life.rules[part.region],
            life.facts,
            part.sums,
            life.regions[part.region].devices,
            rows,
            homes,
            kind,
            model,
            goal,
            low_key,
            high_key,
            hop,
            which,
            per_cell,
            n_cells,
            users,
            now_s,
            found,
            keys,
            np.empty((2, targets.BLOCK), np.int64),
        )
        return found[:n], keys[:n]

    found, by_region = world.each(choose, range(len(life.parts))), dict.fromkeys(names, 0)
    for part, (rows, _) in zip(life.parts, found, strict=True):
        by_region[names[part.region]] += len(rows)
    seconds = life.programme.spread(campaign, now_s, by_region)
    spans = {name: life.openings.spans(now_s, seconds[name]) for name in names}

    def place(number: int) -> None:
        part = life.parts[number]
        name, region = names[part.region], life.regions[part.region]
        begins, lengths = (np.array(column, np.int64) for column in spans[name])
        targets.place_in_time(
            life.rules[part.region],
            region.devices,
            *found[number],
            low_key,
            high_key,
            seconds[name],
            begins,
            lengths,
            region.next_s,
        )

    world.each(place, range(len(life.parts)))


# -- the gateway, and moments ----------------------------------------------------------------------


def _busy_rows(world: World, life: Life, until_s: int) -> dict[int, NDArray[Any]]:
    """Return, by region, the rows whose next attempt before *until_s* finds the gateway busy: those
    past its answers of the hour.
    """
    capacity = firmware_of(world.scenario).screening.capacity
    nobody: dict[int, NDArray[Any]] = {
        region: np.zeros(0, np.int64) for region in range(len(life.regions))
    }
    if capacity is None:
        return nobody
    due: list[tuple[int, int, int, int]] = []
    for number, region in enumerate(life.regions):
        for kind in (DeviceType.PPMID, DeviceType.IHD):
            start, stop = int(region.starts[kind]), int(region.starts[kind + 1])
            row, second = np.empty(0, np.int64), np.empty(0, np.int64)
            n = due_attempts(region.devices, start, stop, until_s, row, second)
            row, second = np.empty(n, np.int64), np.empty(n, np.int64)
            due_attempts(region.devices, start, stop, until_s, row, second)
            due += list(
                zip(
                    second.tolist(),
                    [number] * n,
                    [int(c.SLOT[kind])] * n,
                    row.tolist(),
                    strict=True,
                )
            )
    most, busy = int(capacity * HOUR_S), dict[int, list[int]]()
    for at_s, number, _, at in sorted(due):
        life.busy[at_s // HOUR_S] += 1
        if life.busy[at_s // HOUR_S] > most:
            busy.setdefault(number, []).append(at)
    return nobody | {number: np.array(sorted(rows), np.int64) for number, rows in busy.items()}


def _behind(life: Life, images: list[Image], now_s: int) -> int:
    """Return how many devices run less than the highest of *images* of their model on the CPL."""
    n = 0
    for number in {image.model_number for image in images}:
        own = [image for image in images if image.model_number == number]
        goal = highest_listed(own, now_s - 1)
        n += sum(int(part.summed("running")[number, :goal].sum()) for part in life.parts)
    return n


def _look_around(life: Life, now_s: int) -> None:
    """Write down how things stand."""
    for kind, name in enumerate(TYPES):
        if name not in ROW_TYPES and name not in life.types:
            continue
        own = [image for image in life.images if image.device_type == name]
        behind = _behind(life, own, now_s)
        for release_class in sorted({image.release_class for image in own}):
            of_class = [image for image in own if image.release_class == release_class]
            life.behind.append((name, release_class, now_s, _behind(life, of_class, now_s)))
        suspended = sum(int(part.summed("suspended")[kind]) for part in life.parts)
        for ledger, number in (("hub", 1), ("smi", 0)):
            wrong, unknown = (
                sum(int(part.summed("totals")[kind, number, what]) for part in life.parts)
                for what in (Total.N_WRONG, Total.N_UNKNOWN)
            )
            if kind == DeviceType.IHD and ledger == "smi":
                unknown = sum(
                    int(region.starts[kind + 1] - region.starts[kind]) for region in life.regions
                )
            life.states.append((ledger, name, now_s, wrong, unknown, behind, suspended))
