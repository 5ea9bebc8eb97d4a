"""One device's life retold in plain English, at its own addresses, out of an estate of any size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.british_time import ahead_s, moves
from sim.kernels import draws
from sim.scenario.scale import scaled
from sim.twin import run_world, settle
from sim.twin.estate import ROW_TYPES, SLOTS, Device, Luck, build_premises, lay_out_regions
from sim.twin.faults import is_dark
from sim.twin.firmware import story as firmware
from sim.twin.firmware.estate import Living
from sim.twin.firmware.estate import row_types as living_types
from sim.twin.firmware.estate import settle as living_premises
from sim.twin.firmware.world import FirmwareWorld
from sim.twin.ledgers import Record, measure
from sim.units import DAY_S
from sim.words import Reach

if TYPE_CHECKING:
    from sim.scenario.network import Stage
    from sim.scenario.schema import Scenario
    from sim.twin.estate import Premises, Region
    from sim.twin.messages import Message
    from sim.twin.world import TwinWorld

CHUNK: Final = 1 << 20  # premises looked at together when a row is searched for
# A world this small is run whole, with its queues: device rows, device-days, and seconds drawn for
# anonymous traffic (a few seconds of work).
MOST_ROWS = 2_000
MOST_DEVICE_DAYS = 20_000
MOST_DRAWS = 1_000_000
# of servers: those for which only the sender itself matters
OWN_ROWS: Final = ("alert_storm_protection", "staggered_reconnect", "redelivery")
REPORT_NAMES: Final = {
    "timer": "timed report",
    "change": "report of the change",
    "read": "answer to a read",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a device row lives: region by name, type, and premises within the region."""

    region: str
    device_type: str
    index: int


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened. Neighbours with the same *alike* (not empty) are told as one."""

    second: int
    text: str
    alike: str = ""


@dataclass(frozen=True, slots=True)
class Life:
    """A device's life: who it is, what happened, and how it sums up."""

    opening: str
    lines: list[Line]
    summary: str


def tell(
    scenario: Scenario,
    replication: int,
    row: int,
    *,
    versus: Scenario | None = None,
    labels: tuple[str, str] = ("this cell", "the other cell"),
) -> str:
    """Return the life of device *row* in *replication* of *scenario*, and with *versus* the life
    the same device has there and where they part.

    A small estate is run whole; out of a large one only the device's premises is run, through a
    network that delays nobody beyond its latencies, and the text says so. Raises `ValueError` for a
    row that does not exist.
    """
    scenario, versus = scaled(scenario), None if versus is None else scaled(versus)
    address = find(scenario, replication, row)
    here = live(scenario, replication, address)
    if versus is None:
        return _told(scenario, here)
    there = live(versus, replication, address)
    parts = [
        f"{labels[0]}: {_told(scenario, here)}",
        f"{labels[1]}: {_told(versus, there)}",
        _first_difference(scenario, here, there, labels),
    ]
    return "\n\n".join(parts)


# -- finding ---------------------------------------------------------------------------------------


def _with_device(luck: Luck, place: int, n_premises: int, share: float) -> Iterator[NDArray[Any]]:
    """Yield the premises that have the device of *place*, a chunk of the region at a time."""
    for start in range(0, n_premises, CHUNK):
        out = np.empty(min(CHUNK, n_premises - start), np.bool_)
        draws.which_below(
            luck.key("estate.fitted"), place, start, np.uint64(draws.threshold(share)), out
        )
        yield start + np.flatnonzero(out)


def find(scenario: Scenario, replication: int, row: int) -> Address:
    """Return the address of device *row*: rows go by region, type and premises."""
    luck, left = Luck(scenario.seed, replication), row
    for region in lay_out_regions(scenario):
        for device_type in row_types(scenario):
            place = region.number * 8 + SLOTS[device_type]
            share = next(
                share for name, share in scenario.estate.devices.items() if name == device_type
            )
            for numbers in _with_device(luck, place, region.n_premises, share):
                if 0 <= left < len(numbers):
                    return Address(region.name, device_type, int(numbers[left]))
                left -= len(numbers)
    raise ValueError(
        f"there is no device {row}; the devices are numbered from 0 to {row - left - 1}"
    )


# -- living ----------------------------------------------------------------------------------------


def is_small(scenario: Scenario) -> bool:
    """Return whether everyone in *scenario* can be run in a few seconds."""
    spec, horizon_s = scenario.estate, scenario.window.warm_up + scenario.window.length
    rows = spec.premises * sum(
        share for name, share in spec.devices.items() if name in row_types(scenario)
    )
    drawn = (
        horizon_s * len(spec.regions) * len(scenario.traffic.kinds)
        if scenario.traffic.level > 0
        else 0
    )
    return (
        rows <= MOST_ROWS and rows * horizon_s / DAY_S <= MOST_DEVICE_DAYS and drawn <= MOST_DRAWS
    )


def _uncongested(stage: Stage) -> Stage:
    """Return *stage* as one premises alone meets it: what depends on others is left out."""
    rows = tuple(
        row for row in stage.mitigations if stage.stage in ("device", "hub") or row.kind in OWN_ROWS
    )
    return stage.model_copy(update={"capacity": None, "mitigations": rows})


def live(scenario: Scenario, replication: int, address: Address) -> Life:
    """Return the life of the device at *address*; one that *scenario* does not fit there has none.
    """
    luck = Luck(scenario.seed, replication)
    if is_small(scenario):
        regions = settle(scenario, luck)
    else:
        stages = tuple(_uncongested(stage) for stage in scenario.network)
        scenario = scenario.model_copy(
            update={
                "network": stages,
                "traffic": scenario.traffic.model_copy(update={"level": 0.0}),
            }
        )
        regions = lay_out_regions(scenario)
        for region in regions:
            if region.name == address.region and address.index < region.n_premises:
                region.premises = [move_in(scenario, luck, region, address.index)]
    at_address = (
        device
        for region in regions
        if region.name == address.region
        for device in region.devices(address.device_type)
        if device.index == address.index
    )
    device = next(at_address, None)
    if device is None:
        return Life(
            f"there is no {address.device_type} in {address.region}, premises {address.index}.",
            [],
            "",
        )
    world = run_world(scenario, luck, regions)
    happened = (
        _living(world, device)
        if isinstance(device, Living)
        else [*_changes(device), *_faults(device)]
    )
    lines = sorted(
        [*happened, *_messages(world, device), *_repairs(world, device)],
        key=lambda line: line.second,
    )
    return Life(_opening(world, device), lines, _summary(world, device))


def move_in(scenario: Scenario, luck: Luck, region: Region, index: int) -> Premises:
    """Return one premises with all its devices, of a firmware world or not."""
    return (
        build_premises(scenario, luck, region, index)
        if scenario.firmware is None
        else living_premises(scenario, luck, region, index)
    )


def row_types(scenario: Scenario) -> tuple[str, ...]:
    """Return the types with device rows, in their order."""
    return ROW_TYPES if scenario.firmware is None else living_types(scenario)


# -- telling ---------------------------------------------------------------------------------------


def _opening(world: TwinWorld, device: Device) -> str:
    home, reporting = device.premises, world.scenario.reporting
    facts = [
        (
            f"{device.device_type.upper()} in {device.region.name}, premises {device.index} (user"
            f" {home.user})"
        ),
        {
            Reach.REACHED: "reached by WAN",
            Reach.NO_WAN: "without WAN",
            Reach.NOT_COMMUNICATING: "its hub not communicating",
        }[home.reach],
        "takes local updates" if device.takes_part else "takes no local updates",
        f"rule {reporting.rule}, "
        + ("reports" if device.reports and not reporting.traits.is_silent else "does not report"),
    ]
    alone = "Only this premises was run: the network is taken as uncongested."
    if isinstance(world, FirmwareWorld) and isinstance(device, Living):
        facts = firmware.facts(world, device)
        alone = (
            "Only this premises was run: campaigns and the gateway see it alone, and the network is"
            " taken as uncongested."
        )
    return (
        f"{'; '.join(facts)}."
        f" {'Everyone was run, queues included.' if is_small(world.scenario) else alone}"
    )


def _living(world: TwinWorld, device: Living) -> Iterator[Line]:
    assert isinstance(world, FirmwareWorld), "the living live in firmware worlds"
    for second, text in firmware.lines(world, device):
        yield Line(second, text, alike=text)


def _changes(device: Device) -> Iterator[Line]:
    for change in device.changes:
        says = (
            f"the SMI still says {device.smi.version_before(change.second)}"
            if device.smi.is_kept
            else "the SMI keeps no version of a Type 2 device"
        )
        hub = {None: "", True: ", and its hub hears of it", False: ", and its hub misses it"}[
            change.heard
        ]
        yield Line(change.second, f"installs version {change.version} from its Wi-Fi{hub}; {says}")


def _faults(device: Device) -> Iterator[Line]:
    home = device.premises
    for spell in home.spells:
        yield Line(
            spell.start_s,
            f"the {'power goes' if spell.is_outage else 'hub is'} off for"
            f" {_span(spell.end_s - spell.start_s)}",
        )
    for outage in home.link_outages:
        yield Line(
            outage.start_s,
            f"the link of the hub is down for {_span(outage.end_s - outage.start_s)}",
        )


def _messages(world: TwinWorld, device: Device) -> Iterator[Line]:
    for message in world.messages:
        is_hubs = (
            message.sender is not None
            and message.sender is device.premises.hub
            and (device.reports or message.cause == "alert")
        )
        if message.sender is not device and not is_hubs:
            continue
        carried = [version for spoken_of, version in message.carries if spoken_of is device]
        if message.cause == "alert":
            what = f"{'its hub' if is_hubs else 'its'} alert {message.kind}"
        else:
            unwritten = "" if message.made_s < 0 else " (not written to the SMI)"
            what = REPORT_NAMES[message.cause] + (
                f" with version {carried[0]}" if carried else unwritten
            )
        end = _end(message, device)
        yield Line(
            message.raised_s,
            f"{what} {end}",
            alike=f"{what} {message.fate}" if _is_dull(message, device, carried) else "",
        )


def _is_dull(message: Message, device: Device, carried: list[int]) -> bool:
    """Return whether *message* changes nothing in the SMI."""
    return (
        message.fate != "delivered"
        or not carried
        or not device.smi.is_kept
        or carried[0] == device.smi.version_before(message.at_s)
    )


def _end(message: Message, device: Device) -> str:
    """Say what became of *message*: where rows stopped or held it, how often it was tried, where it
    waited.
    """
    if message.made_s < 0:
        return (
            f"is {message.fate} at {message.stage}"
            if message.has_ended
            else "is still held back when the world ends"
        )
    leaves = (
        f"is held back for {_span(message.made_s - message.raised_s)}, leaves and"
        if message.made_s > message.raised_s
        else "leaves and"
    )
    if message.fate == "expired":
        return f"{leaves} expires: {_why_expired(message, device)}"
    tries = f" at attempt {len(message.attempts)}" if len(message.attempts) > 1 else ""
    hops = [hop for attempt in message.attempts[-1:] for hop in attempt.hops]
    waits = [
        f"{hop.departed_s - hop.arrived_s} s at {hop.server.stage}"
        for hop in hops
        if hop.departed_s is not None and hop.departed_s > hop.arrived_s
    ]
    waited = f", having waited {' and '.join(waits)}" if waits else ""
    if message.fate == "delivered":
        return f"{leaves} reaches the SMI after {message.at_s - message.raised_s} s{tries}{waited}"
    if message.stage:
        return f"{leaves} is {message.fate} at {message.stage}{tries}{waited}"
    return (
        f"{leaves} is lost"
        if message.fate == "lost"
        else f"{leaves} has not arrived when the world ends{waited}"
    )


def _why_expired(message: Message, device: Device) -> str:
    if device.premises.reach is not Reach.REACHED:
        return "nobody can hear the hub"
    return (
        "the power is off"
        if is_dark(device.premises, message.made_s)
        else "the link is down, or the power off when it is back"
    )


def _repairs(world: TwinWorld, device: Device) -> Iterator[Line]:
    for name, record in _ledgers(device):
        for began_s, ended_s in record.episodes:
            if ended_s is not None:
                yield Line(ended_s, f"the {name} is RIGHT again after {_span(ended_s - began_s)}")
            else:
                yield Line(
                    world.horizon_s,
                    f"the world ends; the {name} has been WRONG for"
                    f" {_span(world.horizon_s - began_s)}",
                )


def _ledgers(device: Device) -> list[tuple[str, Record]]:
    return [
        (name, record)
        for name, record in (("SMI record", device.smi), ("hub record", device.hub_record))
        if record.is_kept
    ]


def _summary(world: TwinWorld, device: Device) -> str:
    window_s = world.scenario.window.length
    totals = []
    for name, record in (("SMI record", device.smi), ("hub record", device.hub_record)):
        if record.is_kept:
            measured = measure(record, world.warm_up_s, world.horizon_s)
            right_s = window_s - measured.wrong_s - measured.unknown_s
            forgotten = (
                f", UNKNOWN for {measured.unknown_s / DAY_S:.2f} d" if measured.unknown_s else ""
            )
            totals.append(
                f"{name} RIGHT for {right_s / DAY_S:.2f} d, WRONG for"
                f" {measured.wrong_s / DAY_S:.2f} d{forgotten}"
            )
        else:
            totals.append(f"{name} UNKNOWN for {window_s / DAY_S:.2f} d")
    return f"In the {window_s / DAY_S:.2f} d after warm-up: {'; '.join(totals)}."


def _told(scenario: Scenario, life: Life) -> str:
    text = [life.opening]
    for alike, group in groupby(life.lines, key=lambda line: line.alike):
        lines = list(group)
        dull = alike != "" and len(lines) > 2
        text += [
            f"{_time(scenario, line.second)}  {line.text}"
            for line in (lines[:1] if dull else lines)
        ]
        if dull:
            text.append(
                f"{_time(scenario, lines[-1].second)}  … the last of {len(lines) - 1} more like it"
            )
    return "\n".join([*text, life.summary] if life.summary else text)


def _first_difference(scenario: Scenario, here: Life, there: Life, labels: tuple[str, str]) -> str:
    lines = [(line.second, line.text) for line in here.lines]
    others = [(line.second, line.text) for line in there.lines]
    if lines == others:
        return "First difference: none; the same things happen to it at the same seconds."
    n = next(
        (i for i, (line, other) in enumerate(zip(lines, others, strict=False)) if line != other),
        min(len(lines), len(others)),
    )
    told = []
    for label, side in zip(labels, (lines, others), strict=True):
        happens = "nothing more happens"
        if n < len(side):
            second, text = side[n]
            happens = f"{_time(scenario, second)} {text}"
        told.append(f"{label}, {happens}")
    return f"First difference: {'; '.join(f'in {part}' for part in told)}."


def _time(scenario: Scenario, second: int) -> str:
    window, zone = scenario.window, ""
    if window.clock == "local":
        moved_s = sum(by_s for when, by_s in moves(window.start, second + 1))
        zone = " BST" if ahead_s(window.start) + moved_s else " GMT"
        second += moved_s
    return (
        datetime.combine(window.start, datetime.min.time()) + timedelta(seconds=second)
    ).strftime("%Y-%m-%d %H:%M:%S") + zone


def _span(seconds: int) -> str:
    """Return a length of time in its two largest units."""
    days, rest = divmod(seconds, DAY_S)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [
        f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")) if n
    ]
    return " ".join(parts[:2]) or "0 s"
