"""Build the estate a scenario describes, every premises and device at its address (docs/model.md
section 3).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.estate.columns import DEVICE_COLUMNS
from sim.estate.estate import ROW_TYPES, SLOTS, Estate, Senders, Slice, place
from sim.faults import DARKENING
from sim.kernels import clocks
from sim.kernels.draws import threshold
from sim.kernels.reports import first_due
from sim.kernels.seconds import NEVER
from sim.kernels.upgrades import chosen, happens
from sim.streams import stream_key

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario


def premises_by_region(premises: int, shares: dict[str, float]) -> tuple[int, ...]:
    """Return how many premises each region has, in the order of *shares*: each premises in turn to
    the region with the largest share / (2 n + 1).

    n is how many the region has so far (Webster's method; ties to the first). Unlike largest
    remainders, one more premises never takes one from a region. The turns start close below the
    quotas, which they cannot fall short of by as many as there are regions.
    """
    exact = [Fraction(share) for share in shares.values()]
    n = [max(0, int(premises * share / sum(exact)) - len(exact)) for share in exact]
    for _ in range(premises - sum(n)):
        n[max(range(len(n)), key=lambda i: (exact[i] / (2 * n[i] + 1), -i))] += 1
    return tuple(n)


@lru_cache(maxsize=1)
def _fixed(
    seed: int,
    replication: int,
    n_premises: tuple[int, ...],
    devices: tuple[tuple[str, float], ...],
    reach: tuple[float, float],
) -> Any:
    """Return what no policy changes, and cells of one experiment share: who exists and who can be
    reached.
    """
    fitted_key = np.uint64(stream_key(seed, replication, "estate.fitted"))
    reach_key = np.uint64(stream_key(seed, replication, "estate.reach"))
    index = {}
    reached = []
    for region, n in enumerate(n_premises):
        for name, share in devices:
            index[region, name] = chosen(
                fitted_key, place(region, SLOTS[name]), n, np.uint64(threshold(share))
            )
        state = np.zeros(n, np.uint8)
        numbers = np.arange(n, dtype=np.uint32)
        out = np.empty(n, np.bool_)
        for value, share in ((2, reach[0] + reach[1]), (1, reach[0])):
            if share > 0:
                happens(
                    reach_key,
                    place(region, 0),
                    numbers,
                    0,
                    np.uint64(threshold(min(share, 1.0))),
                    out,
                )
                state[out] = value
        reached.append(state)
    return index, tuple(reached)


def build(scenario: Scenario, replication: int) -> Estate:
    """Return the estate of *scenario* in *replication* at second 0: every record RIGHT, every timer
    set.
    """
    spec, seed = scenario.estate, scenario.seed
    n_premises = premises_by_region(spec.premises, dict(spec.regions))
    index, reach = _fixed(
        seed,
        replication,
        n_premises,
        tuple(spec.devices.items()),
        (spec.no_wan_share, spec.not_communicating_share),
    )
    slices, start = [], 0
    for region in range(len(n_premises)):
        for name in ROW_TYPES:
            slices.append(Slice(region, name, start, start + len(index[region, name])))
            start = slices[-1].stop
    devices: dict[str, NDArray[Any]] = {
        column.name: np.zeros(start, column.dtype) for column in DEVICE_COLUMNS
    }
    for name, value in (
        ("next_change_s", NEVER),
        ("wrong_since_smi_s", -1),
        ("wrong_since_hub_s", -1),
    ):
        devices[name].fill(value)
    takes_part_key = np.uint64(stream_key(seed, replication, "local.takes_part"))
    for rows in slices:
        devices["index"][rows.start : rows.stop] = index[rows.region, rows.device_type]
        happens(
            takes_part_key,
            rows.place,
            index[rows.region, rows.device_type],
            0,
            np.uint64(threshold(scenario.updates.local.take_up)),
            devices["takes_part"][rows.start : rows.stop],
        )
    some_dark = any(getattr(scenario.faults, name) for name in DARKENING)
    estate = Estate(
        regions=tuple(spec.regions),
        n_premises=n_premises,
        n_fitted={
            name: tuple(len(index[region, name]) for region in range(len(n_premises)))
            for name in spec.devices
        },
        premises_per_cell=spec.premises_per_cell,
        slices=tuple(slices),
        devices=devices,
        reach=reach,
        dark_until_s=tuple(np.zeros(n if some_dark else 0, np.int32) for n in n_premises),
        senders=(),
    )
    return _with_senders(estate, scenario, replication)


def premises_only(scenario: Scenario, replication: int) -> Estate:
    """Return the estate of a firmware world: its premises, and how many devices there are; the
    devices themselves are in `sim.life`.
    """
    spec = scenario.estate
    n_premises = premises_by_region(spec.premises, dict(spec.regions))
    index, reach = _fixed(
        scenario.seed,
        replication,
        n_premises,
        tuple(spec.devices.items()),
        (spec.no_wan_share, spec.not_communicating_share),
    )
    return Estate(
        regions=tuple(spec.regions),
        n_premises=n_premises,
        n_fitted={
            name: tuple(len(index[region, name]) for region in range(len(n_premises)))
            for name in spec.devices
        },
        premises_per_cell=spec.premises_per_cell,
        slices=(),
        devices={column.name: np.zeros(0, column.dtype) for column in DEVICE_COLUMNS},
        reach=reach,
        dark_until_s=tuple(np.zeros(0, np.int32) for _ in n_premises),
        senders=(),
    )


def _with_senders(estate: Estate, scenario: Scenario, replication: int) -> Estate:
    """Return *estate* with those who report, their timers and first reads set (S1-18)."""
    reporting = scenario.reporting
    senders = []
    for region in range(len(estate.regions)):
        reporters = [
            rows
            for rows in estate.slices
            if rows.region == region and rows.device_type in reporting.devices
        ]
        if reporting.traits.by_hub:
            has_reporter = np.zeros(estate.n_premises[region], np.bool_)
            for rows in reporters:
                has_reporter[estate.view("index", rows)] = True
            numbers = np.flatnonzero(has_reporter).astype(np.uint32)
            senders.append(
                Senders(
                    region,
                    place(region, SLOTS["hub"]),
                    numbers,
                    np.zeros(len(numbers), np.int32),
                    None,
                )
            )
        elif not reporting.traits.is_silent:
            senders.extend(
                Senders(region, r.place, estate.view("index", r), estate.view("due_s", r), r)
                for r in reporters
            )
    for group in senders:
        if reporting.timer_s:
            _set_timers(group, scenario, replication)
        elif reporting.traits.is_read:
            _set_reads(group, scenario, replication)
    return replace(estate, senders=tuple(senders))


def _set_reads(group: Senders, scenario: Scenario, replication: int) -> None:
    key, rate = stream_key(scenario.seed, replication, "read.gap"), scenario.reporting.read.rate
    clocks.first_gaps(np.uint64(key), group.place, group.index, float(rate), group.due_s)


def _set_timers(group: Senders, scenario: Scenario, replication: int) -> None:
    phase, period = scenario.reporting.phase, scenario.reporting.timer_s
    if phase.source == "fixed_clock":
        group.due_s.fill(phase.at % period)
        return
    hashed = phase.source == "hashed"
    key = np.uint64(
        stream_key(scenario.seed, replication, "phase.hashed" if hashed else "phase.start")
    )
    first_due(
        key,
        group.place,
        group.index,
        period,
        phase.at,
        phase.window if hashed else period,
        hashed,
        group.due_s,
    )
