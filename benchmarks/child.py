"""One measurement in a process of its own: `python -m benchmarks.child '{"what": …}'` prints
seconds, peak memory and a fingerprint of the answer.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.worlds import WORLDS
from sim.scenario.schema import Scenario

DAY_S, QUARTER_S = 86_400, 900


def ours(scenario: Scenario, threads: int) -> tuple[float, float, dict[str, Any]]:
    """Return (seconds, seconds with the results written, answer) of the whole engine on *scenario*,
    kernels warm.
    """
    from sim.run import replicate
    from sim.store import Address, write_cell

    replicate(
        scenario.model_copy(
            update={
                "estate": scenario.estate.model_copy(update={"premises": 1000}),
                "window": scenario.window.model_copy(update={"length": 2 * DAY_S}),
            }
        ),
        0,
        threads=threads,
    )
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        tables = replicate(scenario, 0, threads=threads)
        ran = time.perf_counter() - began
        write_cell(Path(folder), Address("cell", 0, "0" * 64), tables, {})
        written = time.perf_counter() - began
    arrivals = tables["arrivals"]
    regions = arrivals[arrivals["stage"] == "csp"][
        ["server", "quarter", "n", "peak_1_n"]
    ].sort_values(["server", "quarter"])
    return (
        ran,
        written,
        {
            "alerts": int(tables["fates"]["n"].sum()),
            "csp": fingerprint(regions.itertuples(index=False)),
            "dsp": int(arrivals[arrivals["stage"] == "dsp"]["n"].sum()),
        },
    )


def theirs(scenario: Scenario, model: str) -> tuple[float, float, dict[str, Any]]:
    """Return the same of a SimPy model, which is given the instants."""
    from benchmarks import simpy_models

    instants, names = reporting_instants(scenario)
    days = scenario.window.length // DAY_S
    capacities = [float(stage.capacity.rate) for stage in scenario.network]
    began = time.perf_counter()
    counts = getattr(simpy_models, model)(instants, days, *capacities)
    ran = time.perf_counter() - began
    rows = [
        (name, quarter, int(seconds.sum()), int(seconds.max()))
        for name, region in zip(names, counts.csp, strict=True)
        for quarter in range(96)
        if (seconds := np.array(region).reshape(-1, 96, QUARTER_S)[:, quarter]).any()
    ]
    return (
        ran,
        ran,
        {"alerts": counts.delays.total(), "csp": fingerprint(rows), "dsp": sum(counts.dsp)},
    )


def reporting_instants(scenario: Scenario) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """Return when in the day each device reports, by region: the second its phase says and the
    fraction its rank says.
    """
    from benchmarks.bare_kernel import message_ranks
    from sim.estate.build import build
    from sim.streams import stream_key

    estate = build(scenario, 0)
    key = np.uint64(stream_key(scenario.seed, 0, "message.rank"))
    places = [np.full(len(group.index), group.place, np.int64) for group in estate.senders]
    ranks = [
        message_ranks(key, place, group.index, group.due_s)
        for place, group in zip(places, estate.senders, strict=True)
    ]
    return [
        group.due_s + rank / 2**32 for group, rank in zip(estate.senders, ranks, strict=True)
    ], estate.regions


def bare(regions: tuple[int, ...], days: int) -> tuple[float, float, dict[str, Any]]:
    """Return the same of the bare kernel."""
    from benchmarks.bare_kernel import alerts_counted

    alerts_counted((1000, 1000, 1000), 1, 10, 10)
    began = time.perf_counter()
    n = alerts_counted(regions, days, 2000, 4600)
    ran = time.perf_counter() - began
    return ran, ran, {"alerts": n}


def fingerprint(rows: Any) -> str:
    """Return a short hash of *rows* of server, quarter, arrivals and busiest second."""
    text = json.dumps([[str(server), *map(int, numbers)] for server, *numbers in rows])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Do what *order* says."""
    if order["what"] == "bare":
        found = bare(tuple(order["regions"]), order["days"])
    else:
        scenario = WORLDS[order["world"]](*order["arguments"])
        found = (
            ours(scenario, order["threads"])
            if order["what"] == "ours"
            else theirs(scenario, order["what"])
        )
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9  # kibibytes on Linux
    return {"seconds": found[0], "written_s": found[1], "peak_gb": peak_gb, "answer": found[2]}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
