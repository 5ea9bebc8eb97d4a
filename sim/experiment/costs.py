"""What a plan takes of time, memory and disk on this machine, and whether the machine has it.

The model is linear in what worlds are made of (`sim.experiment.expected`). Its coefficients are
those of a reference machine, fitted and checked by `python -m benchmarks.plan_model`; this
machine's speed against that one is measured once and kept (`sim.experiment.speed`). Times are of a
machine that does nothing else.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sim.experiment.compiling import seconds_to_compile, uncompiled
from sim.experiment.expected import alerts, devices, largest_crowd, terms
from sim.experiment.plan import Task, addresses
from sim.experiment.speed import slowness
from sim.machine import address_space, free_memory, processors
from sim.scenario.checks import is_sound
from sim.scenario.scale import scale_of, scaled
from sim.units import YEAR_S

if TYPE_CHECKING:
    from sim.experiment.plan import Plan
    from sim.scenario.design import Cell
    from sim.scenario.schema import Scenario

_WORTH: Final = 0.25  # the share of a run's time that its second size may take at most
FITS: Final = 0.8  # the share of free memory or disk that a plan may take

# Seconds of the reference machine for each thing a replication is made of: `python -m
# benchmarks.plan_model --fit` measures and prints them anew.
SECONDS: Final[Mapping[str, Mapping[str, float]]] = {
    "fast": {
        "replication": 0.086,
        "day": 0.00041,
        "stage_day": 0.088,
        "busy_stage_day": 0.14,
        "device": 4.6e-8,
        "device_day": 0.0,
        "message": 8e-9,
        "crowded": 6.1e-7,
        "step": 1.9e-7,
        "look": 5e-9,
    },
    "twin": {
        "replication": 0.0,
        "day": 0.0,
        "stage_day": 0.022,
        "busy_stage_day": 0.32,
        "device": 4.4e-5,
        "device_day": 0.0,
        "message": 1.5e-4,
        "crowded": 0.0,
        "step": 6e-5,
        "look": 5e-6,
    },
}
# Seconds for a run as a whole (to start, and the report), for each cell to be read, and for each
# replication to be written by who ran it and summed up by all.
RUN_S: Final = 6.0
CELL_S: Final = 0.003
WRITTEN_S: Final = 0.03
SUMMED_S: Final = 0.045
_WORKER_S: Final = 2.5  # to start worker processes and load the kernels in each
# Bytes of a process that has loaded everything, and for each device and each message that waits.
PROCESS_B: Final[Mapping[str, int]] = {"fast": 300_000_000, "twin": 270_000_000}
DEVICE_B: Final[Mapping[str, float]] = {"fast": 50, "twin": 4_000}
# for each device, in a firmware world
LIFE_B: Final[Mapping[str, float]] = {"fast": 120, "twin": 12_000}
WAITING_B: Final[Mapping[str, float]] = {"fast": 150, "twin": 0}
_TASK_DISK_B: Final = 120_000
# Bytes that a process maps beside the memory that it uses: libraries, stacks of threads.
_MAPPED_B: Final = 800_000_000
_RUN_DISK_B: Final = 5_000_000  # report and figures


@dataclass(frozen=True, slots=True)
class Needs:
    """What a plan takes: devices × years simulated, alerts, and estimates of seconds, bytes of
    memory (with *jobs* at once) and bytes of disk.

    Of a plan that replicates to a precision these are the first replications; *most_seconds* is for
    all that are allowed. *compiling* is how many seconds more it takes the first time, once for a
    source, a machine and the kernels that the plan needs; 0 when that was done.
    """

    device_years: float
    alerts: float
    seconds: float
    most_seconds: float
    compiling: float
    memory: int
    disk: int
    jobs: int


def seconds_of(scenario: Scenario, engine: str) -> float:
    """Return the estimated seconds of one replication on one core of the reference machine."""
    world = scaled(scenario)
    return sum(SECONDS[engine][term] * n for term, n in terms(world, engine).items())


def memory_of(scenario: Scenario, engine: str) -> int:
    """Return the estimated bytes of memory that one replication takes."""
    each = DEVICE_B[engine] if scenario.firmware is None else LIFE_B[engine]
    world = scaled(scenario)
    held_b = devices(world) * each + largest_crowd(world) * WAITING_B[engine]
    return PROCESS_B[engine] + int(held_b)


def free_disk(out: Path) -> int:
    """Return the bytes free on the disk that *out* is or will be on."""
    there = out.absolute()
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


def at_once(plan: Plan, jobs: int | None) -> int:
    """Return how many replications of *plan* run at once: *jobs*, or, None, as many as there are
    processors, tasks, and memory for.
    """
    if jobs is not None:
        return min(jobs, len(plan.tasks))
    free, n = free_memory(), min(processors(), len(plan.tasks))
    if free is not None:
        n = min(
            n, int(FITS * free) // max(memory_of(cell.scenario, plan.engine) for cell in plan.cells)
        )
    return max(1, n)


def waiting_kernels(plan: Plan) -> set[str]:
    """Return the parts of *plan*'s worlds whose kernels are not compiled yet; the twin has none."""
    if plan.engine != "fast":
        return set()
    return uncompiled(cell.scenario for cell in plan.cells)


def needs(plan: Plan, jobs: int | None) -> Needs:
    """Return what *plan* takes with *jobs* at once (see `at_once`)."""
    together, cores = at_once(plan, jobs), processors()
    horizons = [
        (
            cell.scenario,
            cell.scenario.replications
            * (cell.scenario.window.warm_up + cell.scenario.window.length),
        )
        for cell in plan.cells
    ]
    by_cell = [
        (scenario.replications, seconds_of(scenario, plan.engine) + WRITTEN_S)
        for scenario, _ in horizons
    ]
    around = RUN_S + CELL_S * len(plan.cells) + _WORKER_S * (together > 1)

    def seconds(least: int) -> float:
        return slowness() * (
            around
            + sum(max(n, least) * (each / min(together, cores) + SUMMED_S) for n, each in by_cell)
        )

    most = sum(max(n, plan.most) for n, _ in by_cell)
    second = _second_size(plan) / min(together, cores)
    return Needs(
        device_years=sum(devices(scaled(scenario)) * s for scenario, s in horizons) / YEAR_S,
        alerts=sum(alerts(scaled(each)) * each.replications for each, _ in horizons),
        seconds=seconds(0) + second,
        most_seconds=seconds(plan.most) + second,
        compiling=slowness() * seconds_to_compile(waiting_kernels(plan)),
        memory=together * max(memory_of(cell.scenario, plan.engine) for cell in plan.cells),
        disk=_RUN_DISK_B + 2 * _TASK_DISK_B * most,
        jobs=together,
    )


def halved(plan: Plan) -> Plan | None:
    """Return *plan* with one replication of each cell at half its size; None where there is nothing
    to compare, no cell is a part of an estate, one has no half, or that would take more than a
    quarter of the plan's time.
    """
    if len(plan.cells) < 2 or not any(_is_part(cell.scenario) for cell in plan.cells):
        return None
    cells = tuple(replace(cell, scenario=_half(cell.scenario)) for cell in plan.cells)
    if _seconds(cells, plan.engine) > _WORTH * _seconds(plan.cells, plan.engine):
        return None
    if not all(is_sound(cell.scenario) for cell in cells):
        return None
    tasks = [
        Task(cell, address)
        for cell in cells
        for address in addresses(cell, plan.engine, plan.environment)
    ]
    return replace(plan, cells=cells, tasks=tuple(tasks), targets=(), most=0)


def _second_size(plan: Plan) -> float:
    """Return the estimated seconds of processors that *plan* takes at half its size."""
    half = halved(plan)
    return 0.0 if half is None else slowness() * _seconds(half.cells, plan.engine)


def _is_part(scenario: Scenario) -> bool:
    """Whether *scenario* has less than the estate that it is about."""
    whole = scenario.network_for
    return scale_of(scenario) < 1 or (whole is not None and scenario.estate.premises < whole)


def _half(scenario: Scenario) -> Scenario:
    """Return half of *scenario*, once: with half its scale, or, where it has none, half the
    premises in the network as it is.
    """
    estate, scale = scenario.estate, scale_of(scenario)
    smaller = {"scale": scale / 2} if scale < 1 else {"premises": max(1, estate.premises // 2)}
    half = estate.model_copy(update=smaller)
    return scenario.model_copy(update={"estate": half, "replications": 1})


def _seconds(cells: Iterable[Cell], engine: str) -> float:
    """Return the estimated seconds of all replications of *cells*, on the reference machine."""
    return sum(cell.scenario.replications * seconds_of(cell.scenario, engine) for cell in cells)


def misfit(need: Needs, out: Path) -> str | None:
    """Return why the machine cannot carry the plan, or None when it can."""
    memory = free_memory()
    disk = free_disk(out)
    limit = address_space()
    each = need.memory // need.jobs + _MAPPED_B
    if limit is not None and each > limit:
        return (
            f"a process of the plan needs about {each / 1e9:.1f} GB of addresses; "
            f"ulimit -v allows {limit / 1e9:.1f} GB"
        )
    if memory is not None and need.memory > FITS * memory:
        return (
            f"the plan needs about {need.memory / 1e9:.1f} GB of memory; {memory / 1e9:.1f} GB are"
            f" free, of which it may take {FITS:.0%}"
        )
    if need.disk > FITS * disk:
        return (
            f"the plan needs about {need.disk / 1e9:.1f} GB of disk; {disk / 1e9:.1f} GB are free,"
            f" of which it may take {FITS:.0%}"
        )
    return None
