"""Sweeps: what a cell costs beside its work, and what a second worker gains: `python -m
benchmarks.sweeps [REPLICATIONS]` prints two tables.

A sweep is of 64 cells, of one replication each if not said otherwise; its engine is a stand-in that
works a processor for as long as it is told and then gives back a small table of every kind. What
the sweep takes more than the work itself, divided by the replications, is the overhead of one:
planning, sending, writing, hashing, measuring, merging, and its part of what it takes to start
workers; reports are not in it. Quote the load average with it: on a busy machine only the processor
time means anything.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.__main__ import spread, table
from sim.machine import processors

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "experiment"))
import mischief

LEVELS = ", ".join(f"{loss} %" for loss in range(32))
WORK_MS = (0, 20, 100, 500)
RUNS = 3


def child(file: str, out: str, jobs: str, backend: str) -> None:
    """Run the sweep and print its seconds: all of it, then each part the log knows."""
    import standin

    from sim.experiment import Options, Source, execute, planned
    from sim.experiment.plan import ENGINES
    from sim.scenario.load import load

    ENGINES["fast"] = "standin"
    standin.made_up(0, 0)
    began = time.perf_counter()
    plan = planned(load(file), "fast")
    outcome = execute(plan, Path(out), Source("", "", ()), Options(int(jobs), backend=backend))
    assert not outcome.failures
    log = (outcome.path / "run.log").read_text()
    working = float(log.partition(" replications in ")[2].partition(" s")[0])
    print(time.perf_counter() - began, working, sum(os.times()[:2]), mischief.digest(outcome.path))


def measured(folder: Path, jobs: int, backend: str) -> tuple[float, float, float, str]:
    """Return the seconds of one sweep in a process of its own, those of its replications, the
    processor's in that process, and the digest of its results.
    """
    with tempfile.TemporaryDirectory(dir=folder) as out:
        command = [
            sys.executable,
            "-m",
            "benchmarks.sweeps",
            "child",
            str(folder / "small.yaml"),
            out,
            str(jobs),
            backend,
        ]
        path = {"PYTHONPATH": str(mischief.HERE)}
        answer = subprocess.run(
            command, capture_output=True, text=True, check=True, env=os.environ | path
        ).stdout.split()
    return float(answer[0]), float(answer[1]), float(answer[2]), answer[3]


def main(replications: int) -> None:
    """Measure and print."""
    n, rows, more = 64 * replications, [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for work_ms in WORK_MS:
            text = mischief.EXPERIMENT.format(question=f"burn{work_ms}", replications=replications)
            (folder / "small.yaml").write_text(text.replace("[0 %, 5 %]", f"[{LEVELS}]"))
            found: dict[tuple[int, str], list[tuple[float, float, float, str]]] = {}
            for _ in range(RUNS):
                for jobs, backend in ((1, "loky"), (2, "loky"), (2, "dask:local")):
                    found.setdefault((jobs, backend), []).append(measured(folder, jobs, backend))
            assert len({digest for runs in found.values() for *_, digest in runs}) == 1
            alone = min(total for total, *_ in found[1, "loky"])
            for (jobs, backend), runs in found.items():
                where = "this process" if jobs == 1 else backend
                beside = [(total * 1e3 - n * work_ms / jobs) / n for total, *_ in runs]
                rows.append(
                    [
                        f"{work_ms} ms",
                        where,
                        str(jobs),
                        spread((total for total, *_ in runs), 1),
                        f"{alone / min(t for t, *_ in runs):.2f}",
                    ]
                )
                after = ((total - working) * 1e3 / n for total, working, *_ in runs)
                parent = ((cpu * 1e3 - n * work_ms * (jobs == 1)) / n for *_, cpu, _ in runs)
                more.append(
                    [f"{work_ms} ms", where, spread(beside, 1), spread(after, 1), spread(parent, 1)]
                )
            print(*rows[-3:], sep="\n", file=sys.stderr, flush=True)
    machine = f"load average {os.getloadavg()[0]:.1f}; {processors()} processors"
    print(f"{n} replications of 64 cells; {RUNS} runs in turn; {machine}.\n")
    print(table(["work of one", "where", "workers", "seconds", "times as fast as one"], rows))
    print(
        table(
            [
                "work of one",
                "where",
                "ms beside the work, each",
                "of which after the work, in one process",
                "processor ms of that process, each",
            ],
            more,
        )
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(*sys.argv[2:])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 1)
