"""The tables of a firmware world, made of the sums of its parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.calendar import dial
from sim.estate.estate import SLOTS, TYPE_2, Estate, place
from sim.kernels.dials import reading
from sim.kernels.firmware import columns as c
from sim.kernels.firmware.begin import strokes_between
from sim.kernels.firmware.columns import IS_OFF, TAKES_PART
from sim.kernels.firmware.finish import finish
from sim.kernels.ledgers import Total
from sim.kernels.reports import first_due
from sim.life.living import Life
from sim.life.rules import TYPES, firmware_of
from sim.planning import campaigns, releases
from sim.recorder import from_rows
from sim.streams import stream_key
from sim.tables import LATENCY_EDGES_S, STALENESS_EDGES_S
from sim.words import (
    UNKNOWN_VERSION,
    Decision,
    FirmwareMessage,
    JobEnd,
    JobState,
    JobStep,
    Ledger,
    Leg,
    LocalImage,
    Outcome,
    Reach,
    ReadProcess,
    RecordState,
    Status,
    Trigger,
)

if TYPE_CHECKING:
    from sim.planning.campaigns import Campaign
    from sim.scenario.schema import Scenario

_Row = tuple[Any, ...]


def frames(
    life: Life, scenario: Scenario, replication: int, estate: Estate
) -> dict[str, pd.DataFrame]:
    """Return every table that a firmware world alone has, and those of its ledgers; the devices are
    at the horizon.
    """
    at_end = _finish(life)
    names = list(scenario.estate.regions)
    kept = {
        "releases": releases.rows(life.images, scenario),
        "campaigns": _campaigns(life),
        "jobs": _jobs(life, names),
        "steps": _steps(life, names),
        "latencies": _latencies(life),
        "local": _local(life, scenario),
        "readings": _readings(life),
        "decisions": _decisions(life, scenario),
        "told": _told(life, scenario, replication),
        "status": _status(life, at_end),
        "states": life.states,
        "behind": life.behind,
        "ledgers": _ledgers(life, scenario, names),
        "staleness": _staleness(life),
        "days": [],
    }
    return {name: from_rows(name, sorted(rows)) for name, rows in kept.items()}


def _total(parts: Iterable[NDArray[Any]]) -> NDArray[Any]:
    total: NDArray[Any] = np.sum(list(parts), axis=0)
    return total


def _finish(life: Life) -> dict[tuple[str, str], int]:
    """Account for what the horizon cuts off; return how many are Suspended and run a variant, by
    type.
    """
    found: dict[tuple[str, str], int] = {}
    for part in life.parts:
        region = life.regions[part.region]
        for kind, start, stop in part.slices:
            counted = finish(
                life.rules[part.region], life.facts, part.sums, region.devices, start, stop, kind
            )
            for what, n in zip(("suspended_end_n", "variant_end_n"), counted, strict=True):
                found[TYPES[kind], what] = found.get((TYPES[kind], what), 0) + int(n)
    return found


def _campaigns(life: Life) -> list[_Row]:
    def totals(campaign: Campaign) -> list[int]:
        counted = _total(
            part.summed("counted")[campaign.model_number, campaign.goal] for part in life.parts
        )
        return [int(n) for n in counted]

    return list(campaigns.rows(life.programme.campaigns, totals))


def _jobs(life: Life, names: Sequence[str]) -> list[_Row]:
    rows: list[_Row] = []
    for region, name in enumerate(names):
        ends = (
            _total(part.summed("jobs") for part in life.parts if part.region == region)
            if life.parts
            else np.zeros((0, 0, 0))
        )
        for model, version, end in np.argwhere(ends) if np.ndim(ends) == 3 else ():
            rows.append(
                (
                    name,
                    life.models[model],
                    life.types[model],
                    int(version),
                    JobEnd(end).word,
                    int(ends[model, version, end]),
                )
            )
    return rows


def _steps(life: Life, names: Sequence[str]) -> list[_Row]:
    rows: list[_Row] = []
    for region, name in enumerate(names):
        steps = [part.summed("steps") for part in life.parts if part.region == region]
        for kind, step in np.argwhere(_total(steps)) if steps else ():
            rows.append(
                (
                    name,
                    TYPES[kind],
                    JobStep(step).word,
                    int(sum(part[kind, step] for part in steps)),
                )
            )
    return rows


def _latencies(life: Life) -> list[_Row]:
    n = _total(part.summed("latencies") for part in life.parts)
    return [
        (TYPES[k], Leg(s).word, LATENCY_EDGES_S[b], LATENCY_EDGES_S[b + 1], int(n[k, s, b]))
        for k, s, b in np.argwhere(n)
    ]


def _local(life: Life, scenario: Scenario) -> list[_Row]:
    n = _total(part.summed("local") for part in life.parts)
    channels = sorted(firmware_of(scenario).local.channels)
    return [
        (
            TYPES[k],
            channels[ch],
            LocalImage(i).word,
            bool(s),
            Outcome(o).word,
            int(n[k, ch, i, s, o]),
        )
        for k, ch, i, s, o in np.argwhere(n)
    ]


def _readings(life: Life) -> list[_Row]:
    n = _total(part.summed("readings") for part in life.parts)
    return [
        (ReadProcess(p).word, TYPES[k], RecordState(s).word, int(n[p, k, s]))
        for p, k, s in np.argwhere(n)
    ]


def _decisions(life: Life, scenario: Scenario) -> list[_Row]:
    n = _total(part.summed("decisions") for part in life.parts)
    prices = dict(firmware_of(scenario).reads.prices)
    return [
        (
            ReadProcess(p).word,
            TYPES[k],
            Decision(o).word,
            prices.get(Decision(o).word, 0.0),
            int(n[p, k, o]),
        )
        for p, k, o in np.argwhere(n)
    ]


def _told(life: Life, scenario: Scenario, replication: int) -> list[_Row]:
    told, rule = _total(part.summed("told") for part in life.parts), scenario.reporting.traits
    timed = sum(_timed(life, scenario, replication, region) for region in range(len(life.regions)))
    told[FirmwareMessage.CARRIED if rule.is_carried else FirmwareMessage.VERSION_REPORT] += timed
    told[FirmwareMessage.REQUEST] += timed if rule.is_asked else 0
    return [(message.word, int(told[message])) for message in FirmwareMessage if told[message]]


def _timed(life: Life, scenario: Scenario, replication: int, number: int) -> int:
    """Return how many timed reports the able senders of a region make while it is measured."""
    rules, phase = life.rules[number][0], scenario.reporting.phase
    if rules["trigger"] not in (Trigger.TIMER, Trigger.CHANGE_AND_TIMER):
        return 0
    able = [
        _able(life, number, kind) if life.facts[0]["reports"][kind] else np.zeros(0, np.uint32)
        for kind in range(c.N_TYPES)
    ]
    groups = (
        [(number * 8, np.unique(np.concatenate(able)))]
        if rules["from_hub"]
        else [(place(number, SLOTS[TYPES[k]]), able[k]) for k in range(c.N_TYPES)]
    )
    n = 0
    period_s = int(rules["period_s"])
    hashed = phase.source == "hashed"
    key = np.uint64(
        stream_key(scenario.seed, replication, "phase.hashed" if hashed else "phase.start")
    )
    read = [int(reading(*dial(scenario), rules[end] - 1)) + 1 for end in ("measure_s", "horizon_s")]
    for at, index in groups:
        first = np.full(len(index), phase.at % period_s, np.int32)
        if phase.source != "fixed_clock":
            first_due(
                key,
                at,
                index,
                period_s,
                phase.at,
                phase.window if hashed else period_s,
                hashed,
                first,
            )
        n += int(strokes_between(first, period_s, *read))
    return n


def _able(life: Life, number: int, kind: int) -> NDArray[Any]:
    """Return the premises numbers of devices of a type whose reports can arrive."""
    rules, region = life.rules[number][0], life.regions[number]
    mine = region.devices[region.starts[kind] : region.starts[kind + 1]]
    can = (
        (mine["marks"] & TAKES_PART) != 0
        if rules["is_cloud"]
        else region.homes["reach"][mine["index"]] == Reach.REACHED
    )
    found: NDArray[Any] = mine["index"][can & ((mine["marks"] & IS_OFF) == 0)]
    return found


def _status(life: Life, at_end: dict[tuple[str, str], int]) -> list[_Row]:
    sums = _total(part.summed("status") for part in life.parts)
    rows = [
        (name, what, int(sums[kind, s]))
        for kind, name in enumerate(TYPES)
        for s, what in enumerate(Status.words())
    ]
    return rows + [(kind, what, n) for (kind, what), n in at_end.items()]


def _n_devices(life: Life, region: int, kind: int) -> int:
    starts = life.regions[region].starts
    return int(starts[kind + 1] - starts[kind])


def _ledgers(life: Life, scenario: Scenario, names: Sequence[str]) -> list[_Row]:
    rows: list[_Row] = []
    measured_s, stores = scenario.window.length, scenario.reporting.traits.hub_keeps
    for region, name in enumerate(names):
        mine = [part.summed("totals") for part in life.parts if part.region == region]
        totals = _total(mine) if mine else np.zeros((c.N_TYPES, len(Ledger), len(Total)), np.int64)
        for kind, device_type in enumerate(TYPES):
            if device_type in ("esme", "gsme") and device_type not in life.types:
                continue  # no model of it, no life
            n = _n_devices(life, region, kind)
            reporting = n if device_type in scenario.reporting.devices else 0
            for ledger, known in ((Ledger.HUB, stores), (Ledger.SMI, device_type not in TYPE_2)):
                t = [int(value) for value in totals[kind, ledger]]
                wrong_s = t[Total.WRONG_S]
                unknown_s = t[Total.UNKNOWN_S] if known else n * measured_s
                stale = t[Total.STALE_LOW] + (t[Total.STALE_HIGH] << 32)
                rows.append(
                    (
                        ledger.word,
                        device_type,
                        name,
                        n,
                        reporting,
                        n * measured_s - wrong_s - unknown_s,
                        wrong_s,
                        unknown_s,
                        stale / 2,
                        0.0,
                        0,
                        int(totals[kind, Ledger.SMI, Total.N_CHANGES]),
                        t[Total.N_REPAIRS],
                        t[Total.REPAIR_S],
                    )
                )
    return rows


def _staleness(life: Life) -> list[_Row]:
    seconds = _total(part.summed("bands") for part in life.parts)
    return [
        (
            Ledger(ledger).word,
            TYPES[kind],
            STALENESS_EDGES_S[band],
            STALENESS_EDGES_S[band + 1],
            int(seconds[kind, ledger, band]),
        )
        for kind, ledger, band in np.argwhere(seconds)
    ]


def population(life: Life, scenario: Scenario, region: int) -> dict[str, int]:
    """Return the counts of table `population` that a firmware world makes otherwise: in a *region*,
    who reports and who sends.
    """
    kinds = [
        kind for kind, device_type in enumerate(TYPES) if device_type in scenario.reporting.devices
    ]
    starts, devices = life.regions[region].starts, life.regions[region].devices
    reporting = sum(_n_devices(life, region, kind) for kind in kinds)
    homes = [devices["index"][starts[kind] : starts[kind + 1]] for kind in kinds]
    senders = (
        len(np.unique(np.concatenate(homes)))
        if scenario.reporting.traits.by_hub and homes
        else reporting
    )
    return {
        "reporting": reporting,
        "senders": senders if not scenario.reporting.traits.is_silent else 0,
    }


def traced(
    life: Life, scenario: Scenario, names: Sequence[str]
) -> list[tuple[str, int, int, int, int, int, str, int, int, int, int]]:
    """Return every device's last state, as `sim.tables.Trace.lives` describes it."""
    rows = []
    stores = scenario.reporting.traits.hub_keeps
    for number, region in enumerate(life.regions):
        for kind, device_type in enumerate(TYPES):
            for d in region.devices[region.starts[kind] : region.starts[kind + 1]]:
                hub, hub_s = (
                    (int(d["hub"]), int(d["wrong_hub_s"]) if d["hub"] != UNKNOWN_VERSION else -1)
                    if stores
                    else (0, -1)
                )
                rows.append(
                    (
                        names[number],
                        SLOTS[device_type],
                        int(d["index"]),
                        int(d["running"]),
                        int(d["smi"]),
                        hub,
                        JobState(d["job"]).word,
                        int(d["version"]),
                        int(d["attempt"]),
                        int(d["wrong_smi_s"]),
                        hub_s,
                    )
                )
    return sorted(rows)
