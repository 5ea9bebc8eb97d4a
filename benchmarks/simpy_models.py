"""The same work as a competent user of SimPy writes it, twice: a process per device, and the
leanest form there is.

Both are given the instants at which devices report (drawing them is not timed), and both count
arrivals by second at each server and delays by second, which is the least that a working group
asks. They keep no ledger: that work is ours alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy

DAY_S = 86_400


@dataclass(slots=True)
class Counts:
    """Arrivals by second at each CSP region and at the DSP, and delays by whole second."""

    csp: list[list[int]]
    dsp: list[int]
    delays: Counter[int] = field(default_factory=Counter)


def _empty(n_regions: int, days: int) -> Counts:
    return Counts([[0] * (days + 1) * DAY_S for _ in range(n_regions)], [0] * (days + 1) * DAY_S)


def process_per_device(
    instants: list[np.ndarray], days: int, csp_per_s: float, dsp_per_s: float
) -> Counts:
    """Idiomatic SimPy: one process per device, a `Resource` per server. *instants*: seconds of the
    day by region.
    """
    env = simpy.Environment()
    counts = _empty(len(instants), days)
    regions = [simpy.Resource(env) for _ in instants]
    dsp = simpy.Resource(env)

    def device(region: int, instant: float) -> Iterator[Any]:
        yield env.timeout(instant)
        for day in range(1, days + 1):
            began = env.now
            counts.csp[region][int(began)] += 1
            with regions[region].request() as turn:
                yield turn
                yield env.timeout(1 / csp_per_s)
            counts.dsp[int(env.now)] += 1
            with dsp.request() as turn:
                yield turn
                yield env.timeout(1 / dsp_per_s)
            counts.delays[int(env.now - began)] += 1
            if day < days:
                yield env.timeout(max(0.0, instant + day * DAY_S - env.now))

    for region, times in enumerate(instants):
        for instant in times.tolist():
            env.process(device(region, instant))
    env.run()
    return counts


def process_per_stage(
    instants: list[np.ndarray], days: int, csp_per_s: float, dsp_per_s: float
) -> Counts:
    """The leanest SimPy: one process per region that walks its sorted instants, one per server, a
    `Store` between them.
    """
    env = simpy.Environment()
    counts = _empty(len(instants), days)
    pipes = [simpy.Store(env) for _ in instants]
    door = simpy.Store(env)

    def devices(region: int, times: list[float]) -> Iterator[Any]:
        seconds, put = counts.csp[region], pipes[region].put
        for day in range(days):
            for instant in times:
                due = instant + day * DAY_S
                if due > env.now:
                    yield env.timeout(due - env.now)
                seconds[int(env.now)] += 1
                put(env.now)

    def server(pipe: simpy.Store, service_s: float, out: simpy.Store | None) -> Iterator[Any]:
        while True:
            began = yield pipe.get()
            yield env.timeout(service_s)
            if out is not None:
                counts.dsp[int(env.now)] += 1
                out.put(began)
            else:
                counts.delays[int(env.now - began)] += 1

    for region, times in enumerate(instants):
        env.process(devices(region, np.sort(times).tolist()))
        env.process(server(pipes[region], 1 / csp_per_s, door))
    env.process(server(door, 1 / dsp_per_s, None))
    env.run()
    return counts
