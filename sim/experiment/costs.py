"""What a plan takes of time, memory and disk on this machine, and whether the machine has it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sim.experiment.plan import Plan
    from sim.scenario.schema import Scenario

FITS: Final = 0.8  # the share of free memory or disk that a plan may take

DAY_S, YEAR_S = 86_400, 365 * 86_400


@dataclass(frozen=True, slots=True)
class Needs:
    """What a plan takes: devices × years simulated, alerts, and estimates of seconds, bytes of memory (with *jobs* at once) and bytes of disk."""

    device_years: float
    alerts: float
    seconds: float
    memory: int
    disk: int
    jobs: int


# Measured on two cores of a small server; good to a factor of two, which is what a plan is for. The twin's are of its plain SimPy processes.
_MEMORY_BASE: Final = 260_000_000  # bytes of a process that has loaded everything
_MEMORY_PER_DEVICE: Final[Mapping[str, int]] = {"fast": 60, "twin": 4_000}
_MEMORY_PER_WAITING: Final[Mapping[str, int]] = {"fast": 190, "twin": 1_000}
_SECONDS_BASE: Final = 0.05  # a replication of next to nothing
_SECONDS_PER_DEVICE: Final[Mapping[str, float]] = {"fast": 7e-8, "twin": 2e-5}  # to build
_SECONDS_PER_DEVICE_DAY: Final[Mapping[str, float]] = {"fast": 1.2e-9, "twin": 2e-7}  # to bring up to date
_SECONDS_PER_MESSAGE: Final[Mapping[str, float]] = {"fast": 6e-9, "twin": 2e-5}  # to send, carry and count; existing traffic only in the twin
_SECONDS_PER_WAITING: Final[Mapping[str, float]] = {"fast": 1.5e-6, "twin": 0.0}  # to put a crowd in order
_SECONDS_PER_STAGE_DAY: Final = {False: 0.003, True: 0.018}  # every second looked at, without and with existing traffic
_DISK_PER_TASK: Final = 120_000
_DISK_BASE: Final = 5_000_000  # report and figures


def _devices(scenario: Scenario) -> float:
    """Return the expected devices that can change or report: PPMIDs, IHDs and HCALCS."""
    return scenario.estate.premises * sum(scenario.estate.devices[name] for name in ("ppmid", "ihd", "hcalcs"))


def _reporters(scenario: Scenario) -> float:
    """Return the expected devices of the types that report."""
    return scenario.estate.premises * sum(scenario.estate.devices[name] for name in scenario.reporting.devices)


def _reports_per_s(scenario: Scenario) -> float:
    """Return the expected version reports a second, losses not taken off."""
    reporting, local, reporters = scenario.reporting, scenario.updates.local, _reporters(scenario)
    hubs = min(float(scenario.estate.premises), reporters)
    changes = float(local.rate) * local.take_up * (scenario.updates.policy == "local_and_ota")
    return {
        "none": 0.0, "hub_store": reporters * float(reporting.read.rate), "hub_poll": hubs / reporting.period, "periodic": reporters / reporting.period,
        "hub_batch": hubs / reporting.period, "on_change": reporters * changes, "on_change_heartbeat": reporters * (changes + 1 / reporting.heartbeat),
    }[reporting.rule]  # fmt: skip


def _traffic_per_s(scenario: Scenario, *, alerts_only: bool) -> float:
    """Return the expected messages a second of the existing traffic."""
    estate = scenario.estate
    meters = estate.devices["esme"] + estate.devices["gsme"]
    per = {"meter": meters, "device": 2 + sum(estate.devices.values()), "premises": 1}  # every premises has a hub and a gas proxy
    kinds = [kind for kind in scenario.traffic.kinds.values() if kind.alert or not alerts_only]
    return scenario.traffic.level * sum(float(kind.rate) * estate.premises * per[kind.per] for kind in kinds)


def _crowd(scenario: Scenario) -> float:
    """Return how many reports may wait together: those whose moment comes within a span that the least stage cannot serve."""
    phase, reporters = scenario.reporting.phase, _reporters(scenario)
    limits = [float(stage.capacity) for stage in scenario.network if stage.capacity is not None]
    met = {
        "fixed_clock": [(reporters, 2 * phase.jitter)],
        "hashed": [(reporters, phase.window)],
        "power_on": [(reporters * cut.share * scenario.estate.regions[cut.region], cut.restoration) for cut in scenario.faults.power_cuts],
        "activation": [(reporters * scenario.updates.local.take_up, scenario.updates.local.delay)] * (scenario.updates.local.driver == "releases"),
    }[phase.source]
    if scenario.reporting.rule == "none" or not limits:
        return 0.0
    return max((n for n, span_s in met if n / max(1, span_s) > min(limits)), default=0.0)


def seconds_of(scenario: Scenario, engine: str) -> float:
    """Return the estimated seconds of one replication on one core; good to a factor of two."""
    horizon_s = scenario.window.warm_up + scenario.window.length
    devices, days = _devices(scenario), horizon_s / DAY_S
    messages = (_reports_per_s(scenario) + (_traffic_per_s(scenario, alerts_only=False) if engine == "twin" else 0.0)) * horizon_s
    each = devices * (_SECONDS_PER_DEVICE[engine] + days * _SECONDS_PER_DEVICE_DAY[engine]) + messages * _SECONDS_PER_MESSAGE[engine]
    crowds = _crowd(scenario) * max(1.0, horizon_s / scenario.reporting.period) * _SECONDS_PER_WAITING[engine]
    return _SECONDS_BASE + each + crowds + days * len(scenario.network) * _SECONDS_PER_STAGE_DAY[scenario.traffic.level > 0]


def memory_of(scenario: Scenario, engine: str) -> int:
    """Return the estimated bytes of memory that one replication takes."""
    return _MEMORY_BASE + int(_devices(scenario) * _MEMORY_PER_DEVICE[engine] + _crowd(scenario) * _MEMORY_PER_WAITING[engine])


def free_memory() -> int | None:
    """Return the bytes of memory that are free for us, and None where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            free = next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return None
    return free


def free_disk(out: Path) -> int:
    """Return the bytes free on the disk that *out* is or will be on."""
    there = out.absolute()
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


def needs(plan: Plan, jobs: int | None) -> Needs:
    """Return what *plan* takes with *jobs* at once; None: as many as there are processors, tasks, and memory for."""
    memory = max(memory_of(cell.scenario, plan.engine) for cell in plan.cells)
    free = free_memory()
    cores = os.cpu_count() or 1
    at_once = min(jobs or cores, len(plan.tasks))
    if free is not None and jobs is None:
        at_once = max(1, min(at_once, int(FITS * free) // memory))
    horizons = [(cell.scenario, cell.scenario.replications * (cell.scenario.window.warm_up + cell.scenario.window.length)) for cell in plan.cells]
    seconds = sum(scenario.replications * seconds_of(scenario, plan.engine) for scenario, _ in horizons)
    return Needs(
        device_years=sum(_devices(scenario) * s for scenario, s in horizons) / YEAR_S,
        alerts=sum((_reports_per_s(scenario) + _traffic_per_s(scenario, alerts_only=True)) * s for scenario, s in horizons),
        seconds=seconds / min(at_once, cores),
        memory=memory * at_once,
        disk=_DISK_BASE + 2 * _DISK_PER_TASK * len(plan.tasks),
        jobs=at_once,
    )


def misfit(need: Needs, out: Path) -> str | None:
    """Return why the machine cannot carry the plan, or None when it can."""
    memory, disk = free_memory(), free_disk(out)
    if memory is not None and need.memory > FITS * memory:
        return f"the plan needs about {need.memory / 1e9:.1f} GB of memory; {memory / 1e9:.1f} GB are free, of which it may take {FITS:.0%}"
    if need.disk > FITS * disk:
        return f"the plan needs about {need.disk / 1e9:.1f} GB of disk; {disk / 1e9:.1f} GB are free, of which it may take {FITS:.0%}"
    return None
