"""Who lives: devices and premises of a firmware world, part by part, and how far they have come
(docs/firmware.md section 1).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.estate.estate import SLOTS, UPDATED_LOCALLY, Estate, place
from sim.kernels import clocks
from sim.kernels.draws import threshold
from sim.kernels.firmware import begin
from sim.kernels.firmware import columns as c
from sim.kernels.firmware.columns import IS_OFF, TAKES_PART
from sim.kernels.firmware.targets import earliest
from sim.kernels.ledgers import Total
from sim.kernels.seconds import NEVER
from sim.kernels.upgrades import chosen, happens, shares_out
from sim.life.rules import TYPES, facts_of, firmware_of, hours_of, rules_of
from sim.planning.campaigns import Programme
from sim.planning.openings import Openings
from sim.planning.releases import Image, images
from sim.streams import stream_key
from sim.words import UNKNOWN_VERSION, Ledger, Reach, Trigger

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

PART: Final = 1 << 18  # premises taken at once: fixed, so that results do not depend on threads
_LINE_B: Final = 64  # bytes that memory gives at once
State = tuple[str, str, int, int, int, int, int]  # a row of the table `states`


@dataclass(frozen=True, slots=True)
class Part:
    """Premises [first, last) of a region, (type, first row, last row) of their devices, and what is
    summed of them.

    By model: the int32 *rows* of its devices, the uint32 *homes* in which they are, and the rows of
    those that take part in local updates, *takers*.
    """

    region: int
    first: int
    last: int
    slices: tuple[tuple[int, int, int], ...]
    rows: tuple[NDArray[Any], ...]
    homes: tuple[NDArray[Any], ...]
    takers: tuple[NDArray[Any], ...]
    sums: NDArray[Any]

    def summed(self, name: str) -> NDArray[Any]:
        """Return the sums of *name* (`sim.kernels.firmware.columns.SUMS`)."""
        found: NDArray[Any] = self.sums[name][0]
        return found


@dataclass(slots=True)
class Life:
    """All of it. *raised* holds, by region, what makes alerts; *busy* by clock hour how many
    attempts have been counted; *states* and *behind* rows of those tables.
    """

    rules: tuple[NDArray[Any], ...]
    facts: NDArray[Any]
    regions: tuple[c.Region, ...]
    parts: tuple[Part, ...]
    images: tuple[Image, ...]
    programme: Programme
    openings: Openings
    models: tuple[str, ...]
    types: tuple[str, ...]
    rates: NDArray[Any]
    hours: NDArray[Any]
    since_s: int = 0
    goals: NDArray[Any] = field(default_factory=lambda: np.zeros(0, np.int64))
    raised: dict[int, list[NDArray[Any]]] = field(default_factory=lambda: defaultdict(list))
    busy: Counter[int] = field(default_factory=Counter)
    states: list[State] = field(default_factory=list)
    behind: list[tuple[str, str, int, int]] = field(default_factory=list)


def living(scenario: Scenario, replication: int, estate: Estate) -> Life:
    """Return the devices of *scenario* in *replication* at second 0, in the premises of *estate*.
    """
    firmware = firmware_of(scenario)
    models = tuple(sorted(firmware.models))
    made = images(scenario, replication)
    facts = facts_of(scenario, replication, made)
    rules = tuple(rules_of(scenario, region) for region in range(len(estate.regions)))
    regions = tuple(
        _region(scenario, replication, estate, region, rules[region], facts)
        for region in range(len(estate.regions))
    )
    parts = tuple(
        part
        for number, region in enumerate(regions)
        for part in _parts(number, region, len(models))
    )
    life = Life(
        rules=rules,
        facts=facts,
        regions=regions,
        parts=parts,
        images=made,
        programme=Programme(scenario, made),
        openings=Openings(firmware.campaign),
        models=models,
        types=tuple(firmware.models[name].type for name in models),
        rates=np.array(
            [1.0 / channel.delay for _, channel in sorted(firmware.local.channels.items())]
        ),
        hours=hours_of(firmware),
    )
    for part in parts:
        _count_in(life, part, scenario.reporting.traits.hub_keeps)
    return life


def _parts(number: int, region: c.Region, n_models: int) -> list[Part]:
    """Return the parts of a region."""
    n, firsts = len(region.homes), range(0, len(region.homes), PART)
    index = np.ascontiguousarray(region.devices["index"])
    edges = [
        np.searchsorted(index[low:high], [*firsts, n]) + low
        for low, high in pairwise(region.starts)
    ]
    parts = []
    for i, first in enumerate(firsts):
        slices = tuple((kind, int(edge[i]), int(edge[i + 1])) for kind, edge in enumerate(edges))
        mine = np.concatenate([np.arange(start, stop, dtype=np.int32) for _, start, stop in slices])
        model = region.devices["model"][mine]
        takes_part = (region.devices["marks"][mine] & (TAKES_PART | IS_OFF)) == TAKES_PART
        rows = tuple(mine[model == which] for which in range(n_models))
        homes = tuple(index[found] for found in rows)
        takers = tuple(mine[(model == which) & takes_part] for which in range(n_models))
        parts.append(
            Part(
                number,
                first,
                min(first + PART, n),
                slices,
                rows,
                homes,
                takers,
                np.zeros(1, c.SUMS),
            )
        )
    return parts


def _count_in(life: Life, part: Part, stores: bool) -> None:
    """Count what devices run at first, and the hub's records that there never are."""
    devices = life.regions[part.region].devices
    for kind, start, stop in part.slices:
        part.summed("running")[:, 0] += np.bincount(
            devices["model"][start:stop], minlength=c.MOST_MODELS
        )
        if not stores:
            part.summed("totals")[kind, Ledger.HUB, Total.N_UNKNOWN] += stop - start


def _region(
    scenario: Scenario,
    replication: int,
    estate: Estate,
    region: int,
    rules: NDArray[Any],
    facts: NDArray[Any],
) -> c.Region:
    """Return the devices and premises of one region."""
    firmware, reporting = firmware_of(scenario), scenario.reporting

    def key(stream: str) -> np.uint64:
        return np.uint64(stream_key(scenario.seed, replication, stream))

    n, lives = estate.n_premises[region], {model.type for model in firmware.models.values()}
    index = [
        (
            chosen(
                key("estate.fitted"),
                place(region, SLOTS[name]),
                n,
                np.uint64(threshold(scenario.estate.devices[name])),
            )
            if name not in ("esme", "gsme") or name in lives
            else np.zeros(0, np.uint32)
        )
        for name in TYPES
    ]
    starts = np.cumsum([0, *map(len, index)]).astype(np.int64)
    devices, blank = _in_lines(int(starts[-1]), c.DEVICE), np.zeros(1, c.DEVICE)
    for name in ("local_s", "told_s", "timer_s", "read_s", "call_s", "job_s"):
        blank[name] = NEVER
    for name in ("wrong_smi_s", "wrong_hub_s"):
        blank[name] = -1
    if not reporting.traits.hub_keeps:
        blank["hub"], blank["wrong_hub_s"] = UNKNOWN_VERSION, 0
    devices[:] = blank
    homes = _homes(scenario, estate, region, key)
    reads = int(rules[0]["trigger"]) in (Trigger.READ, Trigger.AUDIT)
    for kind, name in enumerate(TYPES):
        mine, at = devices[starts[kind] : starts[kind + 1]], place(region, SLOTS[name])
        mine["index"] = index[kind]
        mine["model"] = _models(scenario, key("firmware.model"), name, at, index[kind])
        mine["marks"] = _marks(scenario, key, name, at, index[kind])
        if reads and facts[0]["reports"][kind]:
            able = (homes["reach"][index[kind]] == Reach.REACHED) & ((mine["marks"] & IS_OFF) == 0)
            first = np.empty(len(mine), np.int32)
            clocks.first_gaps(key("read.gap"), at, index[kind], float(reporting.read.rate), first)
            mine["read_s"] = np.where(able, first, NEVER)
    next_s = np.empty(n, np.int32)
    earliest(devices, starts, homes, next_s)
    shape = (-(-n // 64), c.N_TYPES)
    fitted, rows = np.zeros(shape, np.uint64), np.zeros(shape, np.int32)
    begin.look_up(devices, starts, fitted, rows)
    return c.Region(devices, starts, homes, next_s, fitted, rows)


def _in_lines(n: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return *n* records, zero, none of which lies across two lines of memory if its size divides a
    line's.
    """
    room = np.zeros(n * dtype.itemsize + _LINE_B, np.uint8)
    first = -room.ctypes.data % _LINE_B
    records: NDArray[Any] = room[first : first + n * dtype.itemsize].view(dtype)
    return records


def _models(
    scenario: Scenario, key: np.uint64, device_type: str, at: int, index: NDArray[Any]
) -> NDArray[Any]:
    """Return the number of each device's model; of a type without any, the number past the last."""
    models = firmware_of(scenario).models
    names = sorted(models)
    mine = [name for name in names if models[name].type == device_type]
    if not mine:
        return np.full(len(index), len(names), np.uint8)
    shares = np.cumsum([models[name].share for name in mine])
    thresholds = np.array(
        [threshold(min(float(share / shares[-1]), 1.0)) for share in shares[:-1]], np.uint64
    )
    numbers = np.array([names.index(name) for name in mine], np.uint8)
    found: NDArray[Any] = numbers[shares_out(key, at, index, thresholds)]
    return found


def _marks(
    scenario: Scenario, key: Any, device_type: str, at: int, index: NDArray[Any]
) -> NDArray[Any]:
    firmware, marks = firmware_of(scenario), np.zeros(len(index), np.uint8)
    some = np.empty(len(index), np.bool_)
    happens(
        key("firmware.off"),
        at,
        index,
        0,
        np.uint64(threshold(firmware.off.get(device_type, 0.0))),
        some,
    )
    marks[some] |= IS_OFF
    if device_type in UPDATED_LOCALLY:
        happens(
            key("local.takes_part"),
            at,
            index,
            0,
            np.uint64(threshold(firmware.local.take_up)),
            some,
        )
        marks[some] |= TAKES_PART
    return marks


def _homes(scenario: Scenario, estate: Estate, region: int, key: Any) -> NDArray[Any]:
    """Return the premises of a region: their hubs' readiness and exchange, and their first reads.
    """
    firmware = firmware_of(scenario)
    n = estate.n_premises[region]
    at = place(region, 0)
    homes, seconds = _in_lines(n, c.HOME), np.full(n, NEVER, np.int32)
    homes["reach"] = estate.reach[region]
    if firmware.ota.exchange is not None:
        _curve(key("hub.exchange"), at, firmware.ota.exchange, seconds)
        begin.exchanged(
            key("hub.exchanged"), at, np.uint64(threshold(firmware.ota.exchange.share)), seconds
        )
    homes["exchanged_s"] = seconds
    _curve(key("hub.ready"), at, firmware.ota.hub_ready, seconds)
    homes["ready_s"] = np.minimum(seconds, homes["exchanged_s"])
    numbers = np.arange(n, dtype=np.uint32)
    for name, rate in (("gain", firmware.reads.gain), ("install", firmware.reads.install)):
        clocks.first_gaps(key(f"reads.{name}"), at, numbers, float(rate), seconds)
        homes[f"{name}_s"] = seconds
    return homes


def _curve(key: np.uint64, at: int, wave: Any, out: NDArray[Any]) -> None:
    shares = np.array([threshold(point.share) for point in wave.curve], np.uint64)
    times = np.array([point.time for point in wave.curve], np.int64)
    begin.by_curve(key, at, wave.start, shares, times, out)
