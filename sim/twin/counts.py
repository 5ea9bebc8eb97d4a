"""The twin's own counting: every table of `sim.tables`, read off the list of messages and the histories of records after the world has ended."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sim.tables import PEAK_BINS_S, STALENESS_EDGES_S, TABLES, Tables, frame
from sim.twin.estate import ROW_TYPES, SLOTS, STORING_RULES
from sim.twin.ledgers import confirmation_2s2, measure, was_wrong_before, wrong_by_band
from sim.twin.stages import VERSION_REPORT, Hop, Message, Server

if TYPE_CHECKING:
    from sim.tables import Trace
    from sim.twin.estate import Device
    from sim.twin.ledgers import Record
    from sim.twin.world import TwinWorld

DAY_S, QUARTER_S = 86_400, 900
ASKED_RULES = ("hub_store", "hub_poll")  # a southbound request precedes each message
Rows = Iterator[tuple[Any, ...]]


def tables(world: TwinWorld) -> Tables:
    """Return every table of *world*, which has reached its horizon."""
    writers: dict[str, Callable[[TwinWorld], Rows]] = {
        "arrivals": arrivals, "peaks": peaks, "stages": stages, "delays": delays, "fates": fates, "segments": segments, "ledgers": ledgers,
        "staleness": staleness, "days": days, "targets": targets, "population": population,
    }
    return {name: _framed(name, writer(world)) for name, writer in writers.items()}


def _framed(name: str, rows: Iterable[tuple[Any, ...]]) -> Any:
    """Return *rows*, sorted by their leading keys (which are unique), as the declared table *name*."""
    names = TABLES[name].names
    ordered = sorted(rows)
    return frame(name, {column: [row[i] for row in ordered] for i, column in enumerate(names)})


# -- messages --------------------------------------------------------------------------------------------------------------------------------------


def kinds(world: TwinWorld) -> list[str]:
    """Return every kind of message that there may be."""
    return [*(sorted(world.scenario.traffic.kinds) if world.scenario.traffic.level > 0 else ()), VERSION_REPORT]


def sent_after_warm_up(world: TwinWorld) -> list[Message]:
    """Return the messages that count: those whose origin lies after warm-up."""
    return [message for message in world.messages if message.origin_s >= world.warm_up_s]


def _servers(world: TwinWorld) -> list[Server]:
    return [server for stage in world.stages for server in stage.servers.values()]


def _measured_hops(world: TwinWorld) -> Iterator[tuple[Message, Hop]]:
    for message in world.messages:
        for hop in message.hops:
            if hop.arrived_s >= world.warm_up_s:
                yield message, hop


def arrivals(world: TwinWorld) -> Rows:
    """Yield who came in each quarter of an hour of the day, after warm-up."""
    by_second = Counter((hop.stage, hop.server, message.kind, hop.arrived_s) for message, hop in _measured_hops(world))
    by_quarter = defaultdict(list)
    for (*where, second), n in by_second.items():
        by_quarter[*where, second % DAY_S // QUARTER_S].append(n)
    for key, ns in by_quarter.items():
        yield *key, sum(ns), max(ns)


def peaks(world: TwinWorld) -> Rows:
    """Yield the fullest bin of each length, for every server and every kind or group of kinds."""
    traffic = world.scenario.traffic
    members = {kind: [kind] for kind in kinds(world)}
    members["alerts"] = [kind for kind in kinds(world) if kind == VERSION_REPORT or traffic.kinds[kind].alert]
    members["all"] = kinds(world)
    seconds = defaultdict(list)
    for message, hop in _measured_hops(world):
        seconds[hop.stage, hop.server, message.kind].append(hop.arrived_s)
    for server in _servers(world):
        for name, of_kinds in members.items():
            for k in PEAK_BINS_S:
                bins = Counter(second // k * k for kind in of_kinds for second in seconds[server.stage, server.name, kind])
                peak = max(bins.values(), default=0)
                at_s = min((start for start, n in bins.items() if n == peak), default=-1)
                yield server.stage, server.name, name, k, peak, at_s


def stages(world: TwinWorld) -> Rows:
    """Yield how long each server was over capacity or kept somebody waiting."""
    by_second = Counter((hop.stage, hop.server, hop.arrived_s) for _, hop in _measured_hops(world))
    for server in _servers(world):
        over = [s for (stage, name, s), n in by_second.items() if (stage, name) == (server.stage, server.name) and n > server.allowance(s)]
        waited = {slot: n for slot, n in server.waited.items() if slot >= world.warm_up_s}
        capacity = float("inf") if server.capacity is None else float(server.capacity)
        yield (
            server.stage, server.name, capacity, world.scenario.window.length, len(over), len(waited), max(waited.values(), default=0),
            waited.get(world.horizon_s - 1, 0),
        )


def delays(world: TwinWorld) -> Rows:
    """Yield delays by stage, and end to end for what was delivered."""
    counts: Counter[tuple[str, str, str, int]] = Counter()
    for message in sent_after_warm_up(world):
        for hop in message.hops:
            if hop.departed_s is not None:
                counts[hop.stage, hop.server, message.kind, hop.departed_s - hop.arrived_s] += 1
        if message.fate == "delivered":
            counts["end_to_end", "all", message.kind, message.at_s - message.origin_s] += 1
    for key, n in counts.items():
        yield *key, n


def fates(world: TwinWorld) -> Rows:
    """Yield how messages ended."""
    for key, n in Counter((message.kind, message.fate, message.refused_at) for message in sent_after_warm_up(world)).items():
        yield *key, n


def segments(world: TwinWorld) -> Rows:
    """Yield what crossed each segment, in messages and bytes."""
    reporting, traffic = world.scenario.reporting, world.scenario.traffic
    crossed: Counter[tuple[str, str]] = Counter()
    for message in sent_after_warm_up(world):
        named = message.kind == VERSION_REPORT
        crossed["han", message.kind] += named and reporting.rule not in STORING_RULES
        crossed["wan", message.kind] += message.entered
        crossed["dsp", message.kind] += message.fate == "delivered"
        crossed["user", message.kind] += (message.fate == "delivered") * (reporting.fan_out if named else 1)
        for segment in ("wan", "dsp"):
            crossed[segment, "request"] += named and reporting.rule in ASKED_RULES
    crossed["han", VERSION_REPORT] += sum(second >= world.warm_up_s for second in world.han_writes_s)
    sizes = {kind: spec.size for kind, spec in traffic.kinds.items()} | {VERSION_REPORT: reporting.size, "request": reporting.request_size}
    for (segment, kind), n in crossed.items():
        if n:
            xml_size = reporting.xml_overhead + 4 * -(-sizes[kind] // 3)  # the envelope, and the message in base64
            yield segment, kind, n, n * (xml_size if segment == "user" else sizes[kind])


def targets(world: TwinWorld) -> Rows:
    """Yield how many messages of each kind entered and were late."""
    for kind in kinds(world):
        if kind == VERSION_REPORT and world.scenario.reporting.rule == "none":
            continue
        target_s = world.scenario.reporting.target if kind == VERSION_REPORT else world.scenario.traffic.kinds[kind].target
        entered = [message for message in sent_after_warm_up(world) if message.kind == kind and message.entered]
        yield kind, target_s, len(entered), sum(_is_late(message, target_s, world.horizon_s) for message in entered)


def _is_late(message: Message, target_s: int, horizon_s: int) -> bool:
    if message.fate == "delivered":
        return message.at_s - message.origin_s > target_s
    return message.fate == "refused" or horizon_s - message.origin_s > target_s


# -- records ---------------------------------------------------------------------------------------------------------------------------------------


def _record(device: Device, ledger: str) -> Record:
    return device.smi if ledger == "smi" else device.hub_record


def is_confirmed(device: Device) -> bool:
    """Return whether the SMI keeps a confirmation age of *device*: a Type 1 device whose type reports."""
    return device.reports and device.smi.is_kept


def ledgers(world: TwinWorld) -> Rows:
    """Yield what each ledger held of each type of device in each region."""
    start_s, stop_s = world.warm_up_s, world.horizon_s
    for region in world.regions:
        for device_type in ROW_TYPES:
            devices = region.devices(device_type)
            n_changes = sum(change.second >= start_s for device in devices for change in device.changes)
            for ledger in ("hub", "smi"):
                records = [_record(device, ledger) for device in devices]
                measured = [measure(record, start_s, stop_s) for record in records]
                wrong_s = sum(m.wrong_s for m in measured)
                known_s = sum(record.is_kept for record in records) * (stop_s - start_s)
                confirmed = [device.smi for device in devices if ledger == "smi" and is_confirmed(device)]
                yield (
                    ledger, device_type, region.name, len(devices), sum(device.reports for device in devices), known_s - wrong_s, wrong_s,
                    len(devices) * (stop_s - start_s) - known_s, sum(m.staleness_2s2 for m in measured) / 2,
                    sum(confirmation_2s2(record, start_s, stop_s) for record in confirmed) / 2, len(confirmed), n_changes,
                    sum(m.n_repairs for m in measured), sum(m.repair_s for m in measured),
                )


def _records(world: TwinWorld) -> Iterator[tuple[str, str, list[Record]]]:
    for device_type in ROW_TYPES:
        devices = [device for region in world.regions for device in region.devices(device_type)]
        for ledger in ("hub", "smi"):
            yield ledger, device_type, [_record(device, ledger) for device in devices]


def staleness(world: TwinWorld) -> Rows:
    """Yield the device-seconds WRONG in each band of staleness."""
    for ledger, device_type, records in _records(world):
        by_record = [wrong_by_band(record, world.warm_up_s, world.horizon_s, STALENESS_EDGES_S) for record in records]
        for band, (low, high) in enumerate(zip(STALENESS_EDGES_S[:-1], STALENESS_EDGES_S[1:], strict=True)):
            if device_s := sum(bands[band] for bands in by_record):
                yield ledger, device_type, low, high, device_s


def days(world: TwinWorld) -> Rows:
    """Yield how many records were WRONG at the end of each day."""
    for ledger, device_type, records in _records(world):
        for day in range(-(-world.horizon_s // DAY_S)):
            end_s = min((day + 1) * DAY_S, world.horizon_s)
            yield ledger, device_type, day, sum(was_wrong_before(record, end_s) for record in records)


# -- who there is, and what a trace remembers --------------------------------------------------------------------------------------------------------


def population(world: TwinWorld) -> Rows:
    """Yield who there is."""
    for region in world.regions:
        fitted = Counter(name for home in region.premises for name, is_fitted in home.fitted.items() if is_fitted)
        counts = {name: fitted[name] for name in world.scenario.estate.devices} | dict.fromkeys(("premises", "hubs", "gpf"), len(region.premises))
        counts["meters"] = fitted["esme"] + fitted["gsme"]
        counts["reporting"] = sum(device.reports for home in region.premises for device in home.devices)
        counts["senders"] = sum(len(world.senders(home)) for home in region.premises)
        for what, n in counts.items():
            yield what, region.name, n


def fill(trace: Trace, world: TwinWorld) -> None:
    """Write every version report that entered and every device's last state into *trace*; what is not kept reads 0 and -1."""
    for message in world.messages:
        if message.sender is not None and message.entered:
            where = (message.region.name, message.sender.slot, message.sender.index)
            trace.messages.append((*where, message.origin_s, message.cause, message.fate, message.at_s if message.fate == "delivered" else -1))
    for device in sorted((device for home in world.homes() for device in home.devices), key=lambda device: device.row):
        smi_since_s, hub_since_s = device.smi.wrong_since_s, device.hub_record.wrong_since_s
        trace.devices.append((
            device.row, device.region.name, SLOTS[device.device_type], device.index, device.version_true, device.smi.version, device.hub_record.version,
            -1 if smi_since_s is None else smi_since_s, -1 if hub_since_s is None else hub_since_s,
            device.smi.writes[-1][1] if device.smi.writes and is_confirmed(device) else 0,
        ))
