"""One replication of one scenario, fast: SimPy decides, arrays carry. `start` lists every process: the model's table of contents."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import simpy
from numpy.typing import NDArray

from sim.estate.build import STORING_RULES, build
from sim.estate.estate import SLOTS, Estate, place
from sim.kernels.draws import threshold
from sim.kernels.upgrades import shares_out
from sim.ledgers import Ledgers
from sim.network.network import Network
from sim.processes.faults import power_cuts
from sim.processes.interval import bring_up_to_date
from sim.processes.local import local_updates, releases
from sim.recorder import DAY_S, VERSION_REPORT, Recorder, from_rows
from sim.streams import stream_key
from sim.tables import Tables, Trace
from sim.turns import Turn
from sim.world import Process, Progress, World

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario


def replicate(scenario: Scenario, replication: int, *, threads: int = 1, trace: Trace | None = None, batch_s: int = DAY_S) -> Tables:
    """Run *replication* (0, 1, …) of *scenario* and return its tables, as `sim.tables` declares them.

    *threads* and *batch_s* (the longest interval taken at once, at most a day) change the time taken and nothing else. *trace*, for small worlds, is
    filled with every message and every device's last state.
    """
    if not 0 < batch_s <= DAY_S:
        raise ValueError(f"an interval lasts from a second to a day, not {batch_s} s")
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(threads)) if threads > 1 else None
        world = create(scenario, replication, pool, batch_s, trace)
        start(world)
        world.env.run()
        world.ledgers.finish()
        world.network.close()
        if trace is not None:
            trace.devices.extend(_devices(world.estate))
        return _tables(world)


def start(world: World) -> None:
    """Start every process."""
    processes: list[Iterator[Any]] = [power_cuts(world), days(world)]
    if world.scenario.updates.policy == "local_and_ota":
        processes += [local_updates(world), releases(world)]
    for process in processes:
        world.env.process(process)  # type: ignore[arg-type]


def days(world: World) -> Process:
    """Bring every column up to date as each day (or shorter interval) ends."""
    while world.now_s < world.horizon_s:
        end_of_day_s = (world.now_s // DAY_S + 1) * DAY_S
        yield world.wait(min(world.batch_s, end_of_day_s - world.now_s, world.horizon_s - world.now_s), Turn.AUDITS)
        bring_up_to_date(world)


def create(scenario: Scenario, replication: int, pool: ThreadPoolExecutor | None, batch_s: int, trace: Trace | None) -> World:
    """Return the world of *scenario* at second 0."""
    warm_up_s, horizon_s = scenario.window.warm_up, scenario.window.warm_up + scenario.window.length
    estate = build(scenario, replication)
    recorder = _recorder(scenario, estate, warm_up_s, horizon_s)
    users = Users(scenario, estate, np.uint64(stream_key(scenario.seed, replication, "estate.user")))
    rank_key = np.uint64(stream_key(scenario.seed, replication, "message.rank"))
    return World(
        env=simpy.Environment(), scenario=scenario, replication=replication, warm_up_s=warm_up_s, horizon_s=horizon_s, estate=estate,
        network=Network(scenario, estate, recorder, rank_key, users.of_group), ledgers=Ledgers(scenario, estate, warm_up_s, horizon_s), recorder=recorder,
        tally=np.zeros((len(estate.senders), 3), np.int64), han_writes=np.zeros(len(estate.slices), np.int64), progress=Progress(0, 0, {}, {}, {}), pool=pool,
        batch_s=batch_s, trace=trace,
    )


class Users:
    """The user responsible for each premises, found for a group of senders when first asked."""

    def __init__(self, scenario: Scenario, estate: Estate, key: np.uint64) -> None:
        shares = np.cumsum(list(scenario.estate.users.values()))
        self._thresholds = np.array([threshold(float(share)) for share in shares[:-1] / shares[-1]], np.uint64)
        self._estate, self._key = estate, key
        self._known: dict[int, NDArray[Any]] = {}

    def of_group(self, group: int) -> NDArray[Any]:
        """Return uint8, the user's number for each sender row of *group*."""
        if group not in self._known:
            senders = self._estate.senders[group]
            self._known[group] = shares_out(self._key, place(senders.region, SLOTS["hub"]), senders.index, self._thresholds)
        return self._known[group]


def _recorder(scenario: Scenario, estate: Estate, warm_up_s: int, horizon_s: int) -> Recorder:
    servers = {"csp": estate.regions, "dsp": ("dsp",), "user": tuple(scenario.estate.users)}
    kinds = scenario.traffic.kinds if scenario.traffic.level else {}
    alerts = {name: kind.alert for name, kind in kinds.items()} | {VERSION_REPORT: True}
    return Recorder([(s.stage, servers[s.stage], s.capacity) for s in scenario.network], [*kinds, VERSION_REPORT], alerts, warm_up_s, horizon_s)


def _tables(world: World) -> Tables:
    """Count what the processes tallied, and return every table."""
    scenario, recorder, reporting = world.scenario, world.recorder, world.scenario.reporting
    sent, expired, lost = (int(n) for n in world.tally.sum(axis=0))
    recorder.fates[VERSION_REPORT, "expired", ""] += expired
    recorder.fates[VERSION_REPORT, "lost", ""] += lost
    _count_segments(world, sent, sent - expired - lost)
    gbcs = {name: kind.size for name, kind in scenario.traffic.kinds.items()} | {VERSION_REPORT: reporting.size, "request": reporting.request_size}
    as_xml = {kind: reporting.xml_overhead + 4 * -(-size // 3) for kind, size in gbcs.items()}  # a DUIS message is its wrapper plus base64
    sizes = dict.fromkeys(("han", "wan", "dsp"), gbcs) | {"user": as_xml}
    targets = {name: kind.target for name, kind in scenario.traffic.kinds.items()} if scenario.traffic.level else {}
    if reporting.rule != "none":
        targets[VERSION_REPORT] = reporting.target
    return recorder.frames(sizes, targets) | world.ledgers.frames() | {"population": _population(world)}


def _count_segments(world: World, sent: int, entered: int) -> None:
    recorder, reporting = world.recorder, world.scenario.reporting
    rule = reporting.rule
    recorder.crossed["han", VERSION_REPORT] = int(world.han_writes.sum()) if rule in STORING_RULES else sent
    recorder.crossed["wan", VERSION_REPORT] = entered
    if rule in ("hub_poll", "hub_store"):
        recorder.crossed["wan", "request"] = recorder.crossed["dsp", "request"] = sent
    for kind in recorder.kinds:
        delivered = recorder.fates[kind, "delivered", ""]
        recorder.crossed["dsp", kind] = delivered
        recorder.crossed["user", kind] = delivered * (reporting.fan_out if kind == VERSION_REPORT else 1)
        if kind != VERSION_REPORT:
            recorder.crossed["wan", kind] = recorder.entered[kind]


def _population(world: World) -> pd.DataFrame:
    estate, reporting = world.estate, world.scenario.reporting
    rows = []
    for region, name in enumerate(estate.regions):
        fitted = {device_type: numbers[region] for device_type, numbers in estate.n_fitted.items()}
        counts = dict.fromkeys(("premises", "hubs", "gpf"), estate.n_premises[region]) | fitted
        counts["meters"] = fitted["esme"] + fitted["gsme"]
        counts["reporting"] = sum(fitted[device_type] for device_type in reporting.devices)
        counts["senders"] = sum(len(group.index) for group in estate.senders if group.region == region)
        rows += [(what, name, n) for what, n in counts.items()]
    return from_rows("population", sorted(rows))


def _devices(estate: Estate) -> list[tuple[int, str, int, int, int, int, int, int, int, int]]:
    """Return every device's last state as `Trace` describes it; what no rule keeps of a hub or of a Type 2 device reads 0 and -1."""
    names = ("index", "version_true", "version_smi", "version_hub", "wrong_since_smi_s", "wrong_since_hub_s", "confirmed_s")
    rows: list[Any] = []
    for part in estate.slices:
        state = zip(*(estate.view(name, part).tolist() for name in names), strict=True)
        rows += [(part.start + i, estate.regions[part.region], SLOTS[part.device_type], *values) for i, values in enumerate(state)]
    return rows
