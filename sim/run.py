"""One replication of one scenario, fast: SimPy decides, arrays carry. `start` lists every process:
the model's table of contents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import simpy
from numpy.typing import NDArray

from sim.calendar import triggers
from sim.estate.build import build, premises_only
from sim.estate.estate import SLOTS, Estate, place
from sim.kernels.draws import threshold
from sim.kernels.shaping import N_TALLY
from sim.kernels.upgrades import shares_out
from sim.ledgers import Ledgers
from sim.life import tables as life_tables
from sim.life.living import living
from sim.network.links import links_of
from sim.network.network import Network
from sim.planning.sizes import VERSION_REPORT, sizes_at, sizes_of
from sim.processes.faults import faults
from sim.processes.interval import bring_up_to_date
from sim.processes.lives import lives
from sim.processes.local import local_updates, releases
from sim.processes.sources import close, known_sources
from sim.recorder import Recorder, from_rows
from sim.scenario.fields import of_server
from sim.scenario.scale import scaled
from sim.streams import stream_key
from sim.tables import FIRMWARE_TABLES, Tables, Trace
from sim.turns import Turn
from sim.units import DAY_S
from sim.world import Process, Progress, World, lit_s

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario


def replicate(
    scenario: Scenario,
    replication: int,
    *,
    threads: int = 1,
    trace: Trace | None = None,
    batch_s: int = DAY_S,
) -> Tables:
    """Run *replication* (0, 1, …) of *scenario* and return its tables, as `sim.tables` declares
    them.

    *threads* and *batch_s* (the longest interval taken at once, at most a day) change the time
    taken and nothing else. *trace*, for small worlds, is filled with every message and every
    device's last state.
    """
    scenario = scaled(scenario)
    if not 0 < batch_s <= DAY_S:
        raise ValueError(f"an interval lasts from a second to a day, not {batch_s} s")
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(threads)) if threads > 1 else None
        world = create(scenario, replication, pool, batch_s, trace)
        start(world)
        world.env.run()
        world.ledgers.finish()
        close(world)
        world.network.close()
        if trace is not None:
            trace.devices.extend(_devices(world.estate))
        tables = _tables(world)
        if trace is not None and world.life is not None:
            trace.lives.extend(life_tables.traced(world.life, scenario, world.estate.regions))
        return tables


def start(world: World) -> None:
    """Start every process."""
    processes: list[Iterator[Any]] = [faults(world)]
    if world.life is not None:
        processes.append(lives(world))
    elif world.scenario.updates.has_local:
        processes += [local_updates(world), releases(world)]
    if (
        world.life is None
        or world.scenario.network
        or world.scenario.alerts.active
        or world.scenario.traffic.level
    ):
        processes.append(days(world))
    for process in processes:
        world.env.process(process)  # type: ignore[arg-type]


def days(world: World) -> Process:
    """Bring every column up to date as each day (or shorter interval) ends."""
    while world.now_s < world.horizon_s:
        end_of_day_s = (world.now_s // DAY_S + 1) * DAY_S
        yield world.wait(
            min(world.batch_s, end_of_day_s - world.now_s, world.horizon_s - world.now_s),
            Turn.AUDITS,
        )
        bring_up_to_date(world)


def create(
    scenario: Scenario,
    replication: int,
    pool: ThreadPoolExecutor | None,
    batch_s: int,
    trace: Trace | None,
) -> World:
    """Return the world of *scenario* at second 0."""
    warm_up_s, horizon_s = scenario.window.warm_up, scenario.window.warm_up + scenario.window.length
    estate = (
        build(scenario, replication)
        if scenario.firmware is None
        else premises_only(scenario, replication)
    )
    recorder = _recorder(scenario, estate, warm_up_s, horizon_s)
    users = Users(
        scenario, estate, np.uint64(stream_key(scenario.seed, replication, "estate.user"))
    )
    return World(
        env=simpy.Environment(),
        scenario=scenario,
        replication=replication,
        warm_up_s=warm_up_s,
        horizon_s=horizon_s,
        estate=estate,
        network=Network(
            scenario,
            estate,
            recorder,
            replication,
            links_of(scenario, replication, estate),
            users.of_region,
            trace,
        ),
        ledgers=Ledgers(scenario, estate, warm_up_s, horizon_s),
        recorder=recorder,
        tally=np.zeros((len(estate.senders), N_TALLY), np.int64),
        han_writes=np.zeros(len(estate.slices), np.int64),
        progress=Progress(0, 0, {}, {}, lit_s(scenario, estate), None),
        pool=pool,
        batch_s=batch_s,
        trace=trace,
        life=None if scenario.firmware is None else living(scenario, replication, estate),
    )


class Users:
    """The user responsible for each premises."""

    def __init__(self, scenario: Scenario, estate: Estate, key: np.uint64) -> None:
        shares = np.cumsum(list(scenario.estate.users.values()))
        self._thresholds = np.array(
            [threshold(float(share)) for share in shares[:-1] / shares[-1]], np.uint64
        )
        self._n_premises = estate.n_premises
        self._key = key

    def of_region(self, region: int) -> NDArray[Any]:
        """Return uint8, the user's number for each premises of *region*."""
        users: NDArray[Any] = shares_out(
            self._key,
            place(region, SLOTS["hub"]),
            np.arange(self._n_premises[region], dtype=np.uint32),
            self._thresholds,
        )
        return users


def _recorder(scenario: Scenario, estate: Estate, warm_up_s: int, horizon_s: int) -> Recorder:
    servers = {
        "cell": estate.regions,
        "csp": estate.regions,
        "dsp": ("dsp",),
        "user": tuple(scenario.estate.users),
    }
    kinds = scenario.traffic.kinds if scenario.traffic.level else {}
    alerts = {name: scenario.alerts.kinds[name] for name in scenario.alerts.active}
    is_alert = (
        {name: kind.alert for name, kind in kinds.items()}
        | dict.fromkeys(alerts, True)
        | {VERSION_REPORT: True}
    )
    targets = [
        *(kind.target for kind in kinds.values()),
        *(kind.target for kind in alerts.values()),
        scenario.reporting.target,
    ]
    every, stages, before_s = [*kinds, *alerts, VERSION_REPORT], [], 0
    for spec in scenario.network:
        if spec.stage in servers:
            names, sizes = servers[spec.stage], sizes_at(scenario, spec.stage)
            capacities = [of_server(spec.capacity, name) for name in names]
            of_kinds = [sizes[kind] for kind in every]
            stages.append((spec.stage, names, before_s, capacities, of_kinds))
            before_s += spec.latency
    n_regions = len(estate.regions)
    return Recorder(stages, every, targets, is_alert, n_regions, warm_up_s, horizon_s)


def _tables(world: World) -> Tables:
    """Count what the processes tallied, and return every table."""
    scenario = world.scenario
    recorder = world.recorder
    reporting = world.scenario.reporting
    estate = world.estate
    _count_segments(world)
    told = [
        kind
        for kind in recorder.kinds
        if kind != VERSION_REPORT or (not reporting.traits.is_silent and world.life is None)
    ]
    has_cells = any(stage.stage == "cell" for stage in scenario.network)
    n_cells = {
        name: -(-n // estate.premises_per_cell)
        for name, n in zip(estate.regions, estate.n_premises, strict=True)
        if has_cells
    }
    described = {
        "population": _population(world),
        "kinds": _kinds(scenario, recorder.kinds),
        "operators": _operators(scenario),
        "triggers": from_rows("triggers", triggers(scenario, world.replication)),
    }
    nobody = {name: from_rows(name, []) for name in FIRMWARE_TABLES}
    lived = (
        nobody
        if world.life is None
        else life_tables.frames(world.life, scenario, world.replication, estate)
    )
    counted = recorder.frames(sizes_of(scenario), told, n_cells)
    return counted | world.ledgers.frames() | described | lived


def _count_segments(world: World) -> None:
    recorder, reporting = world.recorder, world.scenario.reporting
    for source in known_sources(world):
        if source.place % 8 != SLOTS["hub"] and not (
            source.name == VERSION_REPORT and reporting.traits.hub_keeps
        ):
            recorder.crossed["han", source.name] += (
                int(source.tally[0]) if source.is_plain else source.han_n
            )
    recorder.crossed["han", VERSION_REPORT] += int(world.han_writes.sum())
    if reporting.traits.is_asked:
        recorder.crossed["wan", "request"] = recorder.crossed["dsp", "request"] = sum(
            n for (kind, _, _), n in recorder.fates.items() if kind == VERSION_REPORT
        )
    central = {name for name, kind in world.scenario.traffic.kinds.items() if kind.made_at == "dsp"}
    for number, kind in enumerate(recorder.kinds):
        delivered = recorder.fates[kind, "delivered", ""]
        recorder.crossed["wan", kind] = 0 if kind in central else int(recorder.attempts[number, 1])
        recorder.crossed["dsp", kind] = delivered
        recorder.crossed["user", kind] = delivered * (
            reporting.fan_out if kind == VERSION_REPORT else 1
        )


def _kinds(scenario: Scenario, kinds: Sequence[str]) -> pd.DataFrame:
    traffic, alerts = scenario.traffic.kinds, scenario.alerts.kinds
    rows: list[Any] = []
    for kind in sorted(kinds):
        if kind in traffic:
            rows.append((kind, "", False, traffic[kind].alert, traffic[kind].alert, -1.0))
        elif kind in alerts:
            rows.append((kind, alerts[kind].code, True, True, alerts[kind].genuine, -1.0))
        else:
            price = scenario.reporting.price
            rows.append((kind, "", True, True, False, -1.0 if price is None else price))
    return from_rows("kinds", rows)


def _operators(scenario: Scenario) -> pd.DataFrame:
    stage = next(
        (
            stage
            for stage in scenario.network
            if stage.stage == "user" and stage.operators is not None
        ),
        None,
    )
    rows = (
        []
        if stage is None
        else [
            (user, stage.operators, stage.flood_above, stage.flood_below)
            for user in sorted(scenario.estate.users)
        ]
    )
    return from_rows("operators", rows)


def _population(world: World) -> pd.DataFrame:
    estate, reporting = world.estate, world.scenario.reporting
    rows = []
    for region, name in enumerate(estate.regions):
        fitted = {device_type: numbers[region] for device_type, numbers in estate.n_fitted.items()}
        counts = dict.fromkeys(("premises", "hubs", "gpf"), estate.n_premises[region]) | fitted
        counts["meters"] = fitted["esme"] + fitted["gsme"]
        counts["reporting"] = sum(fitted[device_type] for device_type in reporting.devices)
        counts["senders"] = sum(
            len(group.index) for group in estate.senders if group.region == region
        )
        if world.life is not None:
            counts |= life_tables.population(world.life, world.scenario, region)
        rows += [(what, name, n) for what, n in counts.items()]
    return from_rows("population", sorted(rows))


def _devices(estate: Estate) -> list[tuple[int, str, int, int, int, int, int, int, int, int]]:
    """Return every device's last state as `Trace` describes it; what no rule keeps of a hub or of a
    Type 2 device reads 0 and -1.
    """
    names = (
        "index",
        "version_true",
        "version_smi",
        "version_hub",
        "wrong_since_smi_s",
        "wrong_since_hub_s",
        "confirmed_s",
    )
    rows: list[Any] = []
    for part in estate.slices:
        state = zip(*(estate.view(name, part).tolist() for name in names), strict=True)
        rows += [
            (part.start + i, estate.regions[part.region], SLOTS[part.device_type], *values)
            for i, values in enumerate(state)
        ]
    return rows
