"""What a world is made of, as far as it costs time and memory: expected numbers of devices,
messages and crowds, from the scenario alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import exp, inf, log
from typing import TYPE_CHECKING

from sim.experiment import lives
from sim.planning.sizes import sizes_at
from sim.scenario.fields import of_server
from sim.units import DAY_S

if TYPE_CHECKING:
    from sim.scenario.outages import PowerCut
    from sim.scenario.schema import Scenario

# a quiet stage-day of existing traffic against one gone through second by second: measured
_COUNTED = 0.15


def devices(scenario: Scenario) -> float:
    """Return the expected devices that can change or report: PPMIDs, IHDs and HCALCS, and in a
    firmware world every type that has a model.
    """
    if scenario.firmware is not None:
        return sum(lives.living(scenario).values())
    return scenario.estate.premises * sum(
        scenario.estate.devices[name] for name in ("ppmid", "ihd", "hcalcs")
    )


def _reporters(scenario: Scenario) -> float:
    """Return the expected devices of the types that report."""
    return scenario.estate.premises * sum(
        scenario.estate.devices[name] for name in scenario.reporting.devices
    )


def reports_per_s(scenario: Scenario) -> float:
    """Return the expected version reports a second on the network, losses not taken off; those of a
    firmware world pass it by.
    """
    if scenario.firmware is not None:
        return 0.0
    reporting = scenario.reporting
    local = scenario.updates.local
    reporters = _reporters(scenario)
    hubs = min(float(scenario.estate.premises), reporters)
    changes = float(local.rate) * local.take_up * scenario.updates.has_local
    rule, each_s = reporting.traits, 0.0
    if rule.is_read:
        each_s += float(reporting.read.rate)
    if rule.at_change:
        each_s += changes
    if rule.timer:
        each_s += 1 / reporting.timer_s
    return each_s * (hubs if rule.by_hub else reporters)


def alerts(scenario: Scenario) -> float:
    """Return the expected reports and alerts of one replication, on the network or past it,
    existing ones among them.
    """
    told = 0.0 if scenario.firmware is None else lives.reports(scenario) + lives.alerts(scenario)
    return told + (reports_per_s(scenario) + traffic_per_s(scenario, alerts_only=True)) * (
        scenario.window.warm_up + scenario.window.length
    )


def traffic_per_s(scenario: Scenario, *, alerts_only: bool) -> float:
    """Return the expected messages a second of the existing traffic."""
    estate = scenario.estate
    meters = estate.devices["esme"] + estate.devices["gsme"]
    # every premises has a hub and a gas proxy
    per = {"meter": meters, "device": 2 + sum(estate.devices.values()), "premises": 1}
    kinds = [kind for kind in scenario.traffic.kinds.values() if kind.alert or not alerts_only]
    return scenario.traffic.level * sum(
        float(kind.rate) * estate.premises * per[kind.per] for kind in kinds
    )


def crowds(scenario: Scenario) -> Iterator[tuple[float, float]]:
    """Yield the size of every crowd, messages that come together faster than the least stage serves
    them, and how often it comes in the world's time.
    """
    limit = min((capacity for _, capacity in _servers(scenario)), default=inf)
    for n, span_s, times in _meetings(scenario):
        if n / max(1.0, span_s) > limit:
            yield n, times


def _servers(scenario: Scenario) -> Iterator[tuple[float, float]]:
    """Yield of each server of limited capacity the share of messages that come to it (all, at WAN
    cells), and about how many a second it passes on: bytes are taken for those of its largest kind.
    """
    estate = scenario.estate
    shares = {"csp": estate.regions, "dsp": {"dsp": 1.0}, "user": estate.users}
    shares["cell"] = dict.fromkeys(estate.regions, 1.0)
    for stage in scenario.network:
        for server, share in shares.get(stage.stage, {}).items():
            capacity = of_server(stage.capacity, server)
            if capacity is not None:
                sizes = sizes_at(scenario, stage.stage).values()
                largest = max(1, *sizes) if capacity.in_bytes else 1
                yield share, float(capacity.rate) / largest


def _meetings(scenario: Scenario) -> Iterator[tuple[float, float, float]]:
    """Yield what happens to many at once: how many, within how many seconds, how often."""
    reporting = scenario.reporting
    local = scenario.updates.local
    reporters = _reporters(scenario)
    horizon_s = scenario.window.warm_up + scenario.window.length
    cuts = [
        (
            _taken(scenario, cut),
            cut.curve[-1].time if cut.curve else cut.restoration,
            _strokes(cut, horizon_s),
        )
        for cut in scenario.faults.power_cuts
    ]
    if reporting.timer_s and scenario.firmware is None:
        periods = max(1.0, horizon_s / reporting.timer_s)
        source = reporting.phase.source
        if source in ("fixed_clock", "hashed"):
            yield (
                reporters,
                2 * reporting.phase.jitter if source == "fixed_clock" else reporting.phase.window,
                periods,
            )
        if source == "power_on":
            yield from ((reporters * share, span_s, periods) for share, span_s, _ in cuts)
        if source == "activation" and local.driver == "releases":
            yield reporters * local.take_up, local.delay, periods
    active = [scenario.alerts.kinds[name] for name in scenario.alerts.active]
    for kind in active:
        senders = (
            scenario.estate.premises
            * (1.0 if kind.sender == "hub" else scenario.estate.devices[kind.sender])
            * kind.share
        )
        if kind.cause in ("outage", "restoration"):
            yield from (
                (senders * share, 1.0 if kind.cause == "outage" else span_s, times)
                for share, span_s, times in cuts
            )


def _taken(scenario: Scenario, cut: PowerCut) -> float:
    """Return the share of all premises that *cut* takes."""
    return cut.share * scenario.estate.regions[cut.region]


def _strokes(cut: PowerCut, horizon_s: int) -> float:
    """Return how often *cut* is expected."""
    if cut.rate is not None:
        return float(cut.rate) * horizon_s
    start = cut.start or 0
    return 1.0 + ((horizon_s - start) // cut.every if cut.every is not None else 0)


def terms(scenario: Scenario, engine: str) -> dict[str, float]:
    """Return what one replication is made of: how many of each thing that takes time."""
    horizon_s = scenario.window.warm_up + scenario.window.length
    days = horizon_s / DAY_S
    n = devices(scenario)
    busy = scenario.traffic.level > 0
    # the fast engine counts it, second by second
    existing = traffic_per_s(scenario, alerts_only=False) if engine == "twin" else 0.0
    stages = days * len(scenario.network)
    quiet = is_quiet(scenario)
    raised = 0.0
    steps = 0.0
    looks = 0.0
    if scenario.firmware is not None:
        raised = lives.alerts(scenario)
        steps = lives.steps(scenario)
        looks = lives.looks(scenario)
    return {
        "replication": 1.0,
        "day": days,
        "stage_day": 0.0 if busy or quiet else stages,
        "busy_stage_day": stages * (_COUNTED if quiet else 1.0) * busy,
        "device": n,
        "device_day": n * days,
        "message": (reports_per_s(scenario) + existing) * horizon_s + raised,
        "crowded": sum(size * times for size, times in crowds(scenario)),
        "step": steps,
        "look": looks,
    }


def is_quiet(scenario: Scenario) -> bool:
    """Whether nobody is likely to be in anybody's way, so that whole days are added up: no faults
    or rows at servers, no cells, no crowd, and at the largest server of each stage not one slot of
    a day is expected to have more than it passes on.

    The mean is that of reports and half as much again of the existing traffic, for its busiest
    hour; slots are Poisson, their tail by Chernoff's bound.
    """
    faults = scenario.faults
    if (
        faults.wan_outages
        or faults.stage_outages
        or any(stage.stage == "cell" or stage.mitigations for stage in scenario.network)
    ):
        return False
    mean = reports_per_s(scenario) + 1.5 * traffic_per_s(scenario, alerts_only=False)
    full = (_slots_over(share * mean, capacity) for share, capacity in _servers(scenario))
    return not any(crowds(scenario)) and all(slots < 1 for slots in full)


def _slots_over(mean: float, capacity: float) -> float:
    """Return at most how many slots of a day, of Poisson numbers with *mean*, are expected to be
    over *capacity*.
    """
    over = int(capacity) + 1
    if mean == 0 or over <= mean:
        return DAY_S * (mean > 0)
    return DAY_S * exp(over - mean - over * log(over / mean))


def largest_crowd(scenario: Scenario) -> float:
    """Return how many messages may wait together."""
    return max((size for size, _ in crowds(scenario)), default=0.0)
