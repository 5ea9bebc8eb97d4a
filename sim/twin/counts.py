"""The twin's own counting: every table of `sim.tables`, read off the list of messages and the
histories of records after the world has ended.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sim.calendar import triggers
from sim.planning.sizes import VERSION_REPORT, sizes_at
from sim.scenario.fields import of_server
from sim.tables import (
    AROUND_PEAK_S,
    PEAK_BINS_S,
    TABLES,
    TIMELINE_BIN_S,
    TIMELINE_LONGEST_S,
    Tables,
    frame,
)
from sim.twin import records
from sim.twin.estate import SLOTS
from sim.twin.messages import Hop, Message
from sim.twin.stages import Server
from sim.units import DAY_S, QUARTER_S

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario
    from sim.tables import Trace
    from sim.twin.records import Rows
    from sim.twin.world import TwinWorld


def tables(world: TwinWorld) -> Tables:
    """Return every table of *world*, which has reached its horizon."""
    writers: dict[str, Callable[[TwinWorld], Rows]] = {
        "arrivals": arrivals,
        "peaks": peaks,
        "stages": stages,
        "delays": delays,
        "fates": fates,
        "attempts": attempts,
        "rows": rows,
        "timeline": timeline,
        "around_peaks": around_peaks,
        "cells": cells,
        "kinds": kinds,
        "operators": operators,
        "segments": segments,
        "ledgers": records.ledgers,
        "staleness": records.staleness,
        "days": records.days,
        "targets": targets,
        "population": population,
    }
    told = {name: _framed(name, sorted(writer(world))) for name, writer in writers.items()}
    told |= {name: _framed(name, sorted(rows)) for name, rows in _firmware_rows(world).items()}
    return told | {
        "triggers": _framed("triggers", list(triggers(world.scenario, world.luck.replication)))
    }


def _firmware_rows(world: TwinWorld) -> dict[str, Rows]:
    """Return the rows of the tables that only a firmware world fills; empty in others."""
    from sim.twin.firmware import counts
    from sim.twin.firmware.world import FirmwareWorld

    writers: dict[str, Callable[[FirmwareWorld], Rows]] = {
        "releases": counts.releases,
        "campaigns": counts.campaigns,
        "jobs": counts.jobs,
        "steps": counts.steps,
        "latencies": counts.latencies,
        "local": counts.local,
        "readings": counts.readings,
        "decisions": counts.decisions,
        "told": counts.told,
        "status": counts.status,
        "states": counts.states,
        "behind": counts.behind,
    }
    return {
        name: writer(world) if isinstance(world, FirmwareWorld) else iter(())
        for name, writer in writers.items()
    }


def _framed(name: str, rows: list[tuple[Any, ...]]) -> Any:
    """Return *rows* as the declared table *name*."""
    return frame(
        name, {column: [row[i] for row in rows] for i, column in enumerate(TABLES[name].names)}
    )


# -- who may come ----------------------------------------------------------------------------------


def kinds(world: TwinWorld) -> Rows:
    """Yield every kind of message that there may be."""
    scenario = world.scenario
    for kind, traffic in scenario.traffic.kinds.items() if scenario.traffic.level > 0 else ():
        yield kind, "", False, traffic.alert, traffic.alert, -1.0
    for kind in scenario.alerts.active:
        alert = scenario.alerts.kinds[kind]
        yield kind, alert.code, True, True, alert.genuine, -1.0
    price = scenario.reporting.price
    yield VERSION_REPORT, "", True, True, False, price if price is not None else -1.0


def _names(world: TwinWorld) -> list[str]:
    return [kind for kind, *_ in kinds(world)]


def _servers(world: TwinWorld) -> dict[tuple[str, str], list[Server]]:
    """Return the servers under the stage and name that the tables give them: the cells of a region
    share theirs.
    """
    named: dict[tuple[str, str], list[Server]] = defaultdict(list)
    for stage in world.stages:
        if stage.name == "cell":
            # one without homes has no cells
            named |= {("cell", region.name): [] for region in world.regions}
        for server in stage.servers.values():
            named[server.stage, server.name].append(server)
    return named


def operators(world: TwinWorld) -> Rows:
    """Yield the users who have operators."""
    for spec in (
        stage.spec
        for stage in world.stages
        if stage.name == "user" and stage.spec.operators is not None
    ):
        for user in world.scenario.estate.users:
            yield user, spec.operators, spec.flood_above, spec.flood_below


def population(world: TwinWorld) -> Rows:
    """Yield who there is."""
    for region in world.regions:
        fitted = Counter(
            name for home in region.premises for name, is_fitted in home.fitted.items() if is_fitted
        )
        counts = {name: fitted[name] for name in world.scenario.estate.devices} | dict.fromkeys(
            ("premises", "hubs", "gpf"), len(region.premises)
        )
        counts["meters"] = fitted["esme"] + fitted["gsme"]
        counts["reporting"] = sum(
            device.reports for home in region.premises for device in home.devices
        )
        counts["senders"] = sum(len(world.senders(home)) for home in region.premises)
        for what, n in counts.items():
            yield what, region.name, n


# -- messages --------------------------------------------------------------------------------------


def counted(world: TwinWorld) -> list[Message]:
    """Return the messages that count: those raised after warm-up."""
    return [message for message in world.messages if message.raised_s >= world.warm_up_s]


def _hops(message: Message) -> Iterator[Hop]:
    for attempt in message.attempts:
        yield from attempt.hops


def delays(world: TwinWorld) -> Rows:
    """Yield delays by stage, and end to end for what was delivered."""
    counts: Counter[tuple[str, str, str, int]] = Counter()
    for message in counted(world):
        for hop in _hops(message):
            if hop.departed_s is not None:
                counts[
                    hop.server.stage, hop.server.name, message.kind, hop.departed_s - hop.arrived_s
                ] += 1
        if message.fate == "delivered":
            counts["end_to_end", "all", message.kind, message.at_s - message.raised_s] += 1
    for key, n in counts.items():
        yield *key, n


def fates(world: TwinWorld) -> Rows:
    """Yield how messages ended."""
    for key, n in Counter(
        (message.kind, message.fate, message.stage) for message in counted(world)
    ).items():
        yield *key, n


def attempts(world: TwinWorld) -> Rows:
    """Yield how often messages tried to cross the network."""
    for kind in _names(world):
        tried = [
            message.attempts
            for message in counted(world)
            if message.kind == kind and message.attempts
        ]
        yield (
            kind,
            len(tried),
            sum(map(len, tried)),
            sum(attempt.is_wasted for each in tried for attempt in each),
        )


def rows(world: TwinWorld) -> Rows:
    """Yield what each mitigation stopped and put off."""
    for stage, number, row, kind in {key[:4] for key in world.touched}:
        yield (
            stage,
            number,
            row,
            kind,
            world.touched[stage, number, row, kind, "stopped"],
            world.touched[stage, number, row, kind, "put_off"],
        )


def segments(world: TwinWorld) -> Rows:
    """Yield what crossed each segment, in messages and bytes."""
    reporting, sizes = world.scenario.reporting, _sizes(world.scenario)
    crossed: Counter[tuple[str, str]] = Counter()
    for message in counted(world):
        is_report, is_delivered = message.kind == VERSION_REPORT, message.fate == "delivered"
        from_device = message.sender is not None and (
            not reporting.traits.hub_keeps if is_report else message.sender.slot != SLOTS["hub"]
        )
        crossed["han", message.kind] += from_device and message.has_crossed_han
        crossed["wan", message.kind] += 0 if message.is_central else len(message.attempts)
        crossed["dsp", message.kind] += is_delivered
        crossed["user", message.kind] += is_delivered * (reporting.fan_out if is_report else 1)
        for segment in ("wan", "dsp"):
            crossed[segment, "request"] += is_report and reporting.traits.is_asked
    crossed["han", VERSION_REPORT] += sum(
        second >= world.warm_up_s for second in world.han_writes_s
    )
    for (segment, kind), n in crossed.items():
        if n:
            # the envelope, and the message in base64
            xml_size = reporting.xml_overhead + 4 * -(-sizes[kind] // 3)
            yield segment, kind, n, n * (xml_size if segment == "user" else sizes[kind])


def _sizes(scenario: Scenario) -> dict[str, int]:
    """Return the bytes between device and DSP of a message of each kind."""
    reporting = scenario.reporting
    sizes = {
        VERSION_REPORT: reporting.size,
        "request": reporting.request_size,
    }
    for name, kind in scenario.traffic.kinds.items():
        sizes[name] = kind.size
    for name, alert in scenario.alerts.kinds.items():
        sizes[name] = alert.size
    return sizes


def targets(world: TwinWorld) -> Rows:
    """Yield how many messages of each kind made an attempt and were late."""
    scenario = world.scenario
    within_s = _targets_s(scenario)
    for kind in _names(world):
        if kind != VERSION_REPORT or (
            not scenario.reporting.traits.is_silent and scenario.firmware is None
        ):
            tried = [
                message for message in counted(world) if message.kind == kind and message.attempts
            ]
            yield (
                kind,
                within_s[kind],
                len(tried),
                sum(_is_late(message, within_s[kind], world.horizon_s) for message in tried),
            )


def _targets_s(scenario: Scenario) -> dict[str, int]:
    """Return the response-time target of each kind."""
    within_s = {VERSION_REPORT: scenario.reporting.target}
    for kind, spec in scenario.traffic.kinds.items():
        within_s[kind] = spec.target
    for kind, alert in scenario.alerts.kinds.items():
        within_s[kind] = alert.target
    return within_s


def _is_late(message: Message, target_s: int, horizon_s: int) -> bool:
    if message.fate == "delivered":
        return message.at_s - message.raised_s > target_s
    return message.fate in ("refused", "expired") or (
        message.fate == "in_flight" and horizon_s - message.raised_s > target_s
    )


# -- stages ----------------------------------------------------------------------------------------


def _measured_hops(world: TwinWorld) -> Iterator[tuple[Message, Hop]]:
    for message in world.messages:
        for hop in _hops(message):
            if hop.arrived_s >= world.warm_up_s:
                yield message, hop


def arrivals(world: TwinWorld) -> Rows:
    """Yield who came in each quarter of an hour of the day, after warm-up."""
    by_second = Counter(
        (hop.server.stage, hop.server.name, message.kind, hop.arrived_s)
        for message, hop in _measured_hops(world)
    )
    by_quarter = defaultdict(list)
    for (*where, second), n in by_second.items():
        by_quarter[*where, second % DAY_S // QUARTER_S].append(n)
    for key, ns in by_quarter.items():
        yield *key, sum(ns), max(ns)


def peaks(world: TwinWorld) -> Rows:
    """Yield the fullest bin of each length, for every server and every kind or group of kinds."""
    members = {kind: [kind] for kind in _names(world)}
    members["alerts"] = [kind for kind, _, _, is_alert, *_ in kinds(world) if is_alert]
    members["all"] = _names(world)
    seconds = defaultdict(list)
    for message, hop in _measured_hops(world):
        seconds[hop.server.stage, hop.server.name, message.kind].append(hop.arrived_s)
    for where in _servers(world):
        for name, of_kinds in members.items():
            for k in PEAK_BINS_S:
                bins = Counter(
                    second // k * k for kind in of_kinds for second in seconds[*where, kind]
                )
                peak = max(bins.values(), default=0)
                yield (
                    *where,
                    name,
                    k,
                    peak,
                    min((start for start, n in bins.items() if n == peak), default=-1),
                )


def _over_s(world: TwinWorld) -> dict[tuple[str, str], list[int]]:
    """Return by stage and name the measured seconds in which a server had more arrivals than its
    capacity allows, once for each server.
    """
    came = defaultdict(list)
    for message, hop in _measured_hops(world):
        came[hop.server, hop.arrived_s].append(message.kind)
    over = defaultdict(list)
    by_place = {id(server): server for servers in _servers(world).values() for server in servers}
    for (place, second), kinds in came.items():
        if by_place[id(place)].exceeds(second, kinds):
            over[place.stage, place.name].append(second)
    return over


def _waited(world: TwinWorld, servers: list[Server]) -> Counter[int]:
    """Return how many waited after each measured second's service, all *servers* together."""
    waited: Counter[int] = Counter()
    for server in servers:
        waited.update(
            {second: n for second, n in server.waited.items() if second >= world.warm_up_s}
        )
    return waited


def _capacity_in_messages(world: TwinWorld, where: tuple[str, str], kinds: list[str]) -> float:
    """Return what the servers at *where*, which are alike, each pass on in messages a second: of a
    capacity in bytes, messages as large on average as those of *kinds* that came.
    """
    spec = next(stage.spec for stage in world.stages if stage.name == where[0])
    capacity = of_server(spec.capacity, where[1])
    if capacity is None:
        return float("inf")
    if not capacity.in_bytes:
        return float(capacity.rate)
    sizes = sizes_at(world.scenario, where[0])
    kinds = kinds or [VERSION_REPORT]  # where nothing comes, what would
    came_b = sum(sizes[kind] for kind in kinds)
    return float(capacity.rate * len(kinds) / came_b) if came_b else float("inf")


def stages(world: TwinWorld) -> Rows:
    """Yield how long each server was over capacity or kept somebody waiting."""
    over_s, came = _over_s(world), defaultdict(list)
    for message, hop in _measured_hops(world):
        came[hop.server.stage, hop.server.name].append(message.kind)
    for where, servers in _servers(world).items():
        waited = _waited(world, servers)
        yield (
            *where,
            _capacity_in_messages(world, where, came[where]),
            world.scenario.window.length,
            len(set(over_s[where])),
            len(waited),
            max(waited.values(), default=0),
            waited[world.horizon_s - 1],
        )


def timeline(world: TwinWorld) -> Rows:
    """Yield what came, went and waited in each minute of a world that is not too long."""
    if world.horizon_s > TIMELINE_LONGEST_S:
        return
    came, went = Counter[Any](), Counter[Any]()
    for message in world.messages:
        for hop in _hops(message):
            where = hop.server.stage, hop.server.name
            came[*where, hop.arrived_s // TIMELINE_BIN_S] += hop.arrived_s >= world.warm_up_s
            if hop.departed_s is not None:
                went[*where, hop.departed_s // TIMELINE_BIN_S] += hop.departed_s >= world.warm_up_s
    for where, servers in _servers(world).items():
        waited = _waited(world, servers)
        for minute in range(
            world.warm_up_s // TIMELINE_BIN_S, -(-world.horizon_s // TIMELINE_BIN_S)
        ):
            last_s = min((minute + 1) * TIMELINE_BIN_S, world.horizon_s) - 1
            yield (
                *where,
                minute * TIMELINE_BIN_S,
                came[*where, minute],
                went[*where, minute],
                waited[last_s],
            )


def around_peaks(world: TwinWorld) -> Rows:
    """Yield what happened at each server in the seconds around its fullest, second by second; of
    the cells at the busiest alone, from then on.
    """
    fullest: dict[Any, tuple[int, int]] = {}  # most that came in a second, and the first, negative
    for (server, second), n in Counter(
        (hop.server, hop.arrived_s) for _, hop in _measured_hops(world)
    ).items():
        fullest[server] = max(fullest.get(server, (0, 0)), (n, -second))
    for stage in world.stages:
        found = [server for server in stage.servers.values() if server in fullest]
        before_s = AROUND_PEAK_S
        if stage.name == "cell" and found:
            found, before_s = [max(found, key=lambda cell: fullest[cell])], 0
        for server in found:
            peak_s = -fullest[server][1]
            yield from _each_second(
                world,
                server,
                max(peak_s - before_s, world.warm_up_s),
                min(peak_s + AROUND_PEAK_S + 1, world.horizon_s),
            )


def _each_second(world: TwinWorld, server: Server, since_s: int, until_s: int) -> Rows:
    """Yield what happened at *server* in each second of [since, until) in which anything did."""
    targets_s = _targets_s(world.scenario)
    counts: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)

    def count(kind: str, what: str, second: int | None) -> None:
        if second is not None and since_s <= second < until_s:
            counts[kind, second][what] += 1

    for message in world.messages:
        kind = message.kind
        for hop in _hops(message):
            if hop.server is not server:
                continue
            count(kind, "arrived", hop.arrived_s)
            departed_s = hop.departed_s
            count(kind, "served", departed_s)
            if departed_s is not None and departed_s - message.raised_s > targets_s[kind]:
                count(kind, "late", departed_s)
            gone_s = until_s if hop.gone_s is None else min(hop.gone_s, until_s)
            for second in range(max(hop.arrived_s, since_s), gone_s):
                count(kind, "waiting", second)
    for (kind, second), counted in counts.items():
        told = [counted[what] for what in ("arrived", "served", "waiting", "late")]
        yield server.stage, server.name, kind, second, *told


def cells(world: TwinWorld) -> Rows:
    """Yield what WAN cells saw, region by region."""
    by_second = Counter((hop.server, hop.arrived_s) for _, hop in _measured_hops(world))
    over_s = _over_s(world)
    for (stage, region), servers in _servers(world).items():
        if stage == "cell":
            waited = [
                n
                for server in servers
                for second, n in server.waited.items()
                if second >= world.warm_up_s
            ]
            peak = max((n for (server, _), n in by_second.items() if server in servers), default=0)
            yield (
                region,
                len(servers),
                peak,
                len(over_s[stage, region]),
                len(waited),
                max(waited, default=0),
            )


def fill(trace: Trace, world: TwinWorld) -> None:
    """Write every named message and every device's last state into *trace*; what is not kept reads
    0 and -1.
    """
    from sim.twin.firmware.counts import fill_lives
    from sim.twin.firmware.world import FirmwareWorld

    for message in world.messages:
        if message.sender is not None:
            where = (message.kind, message.region.name, message.sender.slot, message.sender.index)
            trace.messages.append(
                (*where, message.raised_s, message.cause, message.fate, message.stage, message.at_s)
            )
    if isinstance(world, FirmwareWorld):
        fill_lives(trace, world)
        return
    for device in sorted(
        (device for home in world.homes() for device in home.devices), key=lambda device: device.row
    ):
        smi_since_s, hub_since_s = device.smi.wrong_since_s, device.hub_record.wrong_since_s
        trace.devices.append(
            (
                device.row,
                device.region.name,
                SLOTS[device.device_type],
                device.index,
                device.version_true,
                device.smi.version,
                device.hub_record.version,
                -1 if smi_since_s is None else smi_since_s,
                -1 if hub_since_s is None else hub_since_s,
                (
                    device.smi.writes[-1][1]
                    if device.smi.writes and records.is_confirmed(device)
                    else 0
                ),
            )
        )
