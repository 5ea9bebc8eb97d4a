"""What `sim plan` foretells against what `sim run` then takes, and the coefficients of the model
anew.

    python -m benchmarks.plan_model            ten scenarios from 10⁴ to 3·10⁷ devices: time within
    a factor 2, memory within 1.5; writes PLAN.md
    python -m benchmarks.plan_model --fit      measure single replications and print the
    coefficients for `sim.experiment.costs`

Both want a machine that does nothing else. The fit counts the processor's time, which others' work
lengthens less than the clock's.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.__main__ import HERE, machine, table

# The capacities of gb_base are of 20 million premises; a smaller estate has its part of them.
_NETWORK = (
    "network=[{{stage: csp, capacity: {csp:.9g} /s}}, {{stage: dsp, capacity: {dsp:.9g} /s}}]"
)
_STORM = 'reporting.phase={source: hashed, at: "03:00", window: 20 s}'
_DAILY = ("reporting.rule=periodic", "window.warm_up=0 s")


def world(devices: int, days: int, *sets: str) -> list[str]:
    """Return the settings of gb_base that make *devices* which can report, over *days*."""
    premises = round(devices / 0.89)
    share = premises / 20_000_000
    network = _NETWORK.format(csp=2000 * share, dsp=4600 * share)
    settings = [f"estate.premises={premises}", *_DAILY, f"window.length={days} d", network, *sets]
    return [
        f"{path}={value}" for path, value in dict(text.split("=", 1) for text in settings).items()
    ]


# Ten plans: name, options of `sim run gb_base`, and settings.
PLANS: list[tuple[str, list[str], list[str]]] = [
    ("10⁴ devices, a month, daily, 3 replications", ["--replications", "3"], world(10**4, 30)),
    ("10⁴ devices, a day, the twin", ["--replications", "1", "--engine", "twin"], world(10**4, 1)),
    (
        "10⁵ devices, a year, on change, no network",
        ["--replications", "3"],
        world(10**5, 365, "reporting.rule=on_change", "network=[]"),
    ),
    (
        "10⁵ devices, a quarter, hub batches",
        ["--replications", "2"],
        world(10**5, 91, "reporting.rule=hub_batch"),
    ),
    (
        "10⁶ devices, a day, existing load",
        ["--replications", "1"],
        world(10**6, 1, "traffic.level=100 %"),
    ),
    ("10⁶ devices, 2 days, a storm each", ["--replications", "1"], world(10**6, 2, _STORM)),
    (
        "3·10⁶ devices, a month, on change and weekly",
        ["--replications", "1"],
        world(3 * 10**6, 28, "reporting.rule=on_change_heartbeat"),
    ),
    ("10⁷ devices, a week, daily, 2 replications", ["--replications", "2"], world(10**7, 7)),
    ("3·10⁷ devices, a week, daily", ["--replications", "1"], world(3 * 10**7, 7)),
    ("3·10⁷ devices, a day, a storm", ["--replications", "1"], world(3 * 10**7, 1, _STORM)),
]
# Worlds of one replication that tell the coefficients apart.
FITTED: dict[str, list[list[str]]] = {
    "fast": [
        world(10**3, 2),
        world(10**3, 60),
        world(10**3, 20, "traffic.level=100 %"),
        world(10**3, 365, "network=[]"),
        world(10**5, 28),
        world(10**6, 7),
        world(10**6, 60),
        world(10**6, 60, "network=[]"),
        world(10**6, 28, "reporting.rule=on_change", "network=[]"),
        world(10**6, 28, "reporting.rule=none", "network=[]"),
        world(10**6, 2, "traffic.level=100 %"),
        world(10**5, 3, _STORM),
        world(10**6, 2, _STORM),
        world(10**7, 2),
        world(10**7, 7, "network=[]"),
    ],
    "twin": [
        world(10**2, 7),
        world(10**3, 2),
        world(10**4, 1),
        world(10**3, 1, "traffic.level=100 %"),
        world(10**3, 28, "reporting.rule=none"),
    ],
}


def one(sets: Sequence[str], engine: str) -> dict[str, float]:
    """Return the processor's seconds and the peak bytes of one replication in this process, the
    better of two: the first may have to compile.
    """
    from importlib import import_module

    from sim.experiment.plan import ENGINES
    from sim.scenario.load import load

    replicate, scenario, taken = import_module(ENGINES[engine]).replicate, load("gb_base", sets), []
    replicate(load("gb_base", _small(sets)), 0)
    for replication in (1, 2):
        began = time.process_time()
        replicate(scenario, replication)
        taken.append(time.process_time() - began)
    return {
        "seconds": min(taken),
        "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0,
    }


def _small(sets: Sequence[str]) -> list[str]:
    """Return *sets* for a hamlet and a day."""
    kept = [text for text in sets if not text.startswith(("estate.premises=", "window.length="))]
    return [*kept, "estate.premises=200", "window.length=1 d"]


def fit(engine: str) -> str:
    """Measure single replications by *engine* and return the coefficients as they stand in
    `sim.experiment.costs`.
    """
    import numpy as np
    from scipy.optimize import nnls

    from sim.experiment.expected import devices, largest_crowd, terms
    from sim.experiment.speed import slowness
    from sim.scenario.load import load

    rows, taken, memory, sizes = [], [], [], []
    for sets in FITTED[engine]:
        order = json.dumps({"sets": sets, "engine": engine})
        out = subprocess.run(
            [sys.executable, "-m", "benchmarks.plan_model", "--one", order],
            capture_output=True,
            text=True,
            check=True,
            cwd=HERE.parent,
        )
        found, scenario = json.loads(out.stdout), load("gb_base", sets)
        rows.append(terms(scenario, engine))
        sizes.append([1.0, devices(scenario), largest_crowd(scenario)])
        taken.append(found["seconds"] / slowness())
        memory.append(found["bytes"])
        print(
            f"  {found['seconds']:8.3f} s  {found['bytes'] / 1e6:8.0f} MB  {' '.join(sets)[:110]}",
            file=sys.stderr,
            flush=True,
        )
    names = list(rows[0])
    # Relative errors count: the small worlds as much as the large.
    seconds, _ = nnls(
        np.array([[row[name] / s for name in names] for row, s in zip(rows, taken, strict=True)]),
        np.ones(len(taken)),
    )
    each, _ = nnls(np.array(sizes) / np.array(memory)[:, None], np.ones(len(memory)))
    foretold = [
        sum(c * row[name] for c, name in zip(seconds, names, strict=True)) / s
        for row, s in zip(rows, taken, strict=True)
    ]
    lines = [
        f'"{engine}":'
        f' {{{", ".join(f"{name!r}: {c:.2g}" for name, c in zip(names, seconds, strict=True))}}}'
        .replace("'", '"')
    ]
    lines.append(f"PROCESS_B {each[0]:.3g}, DEVICE_B {each[1]:.3g}, WAITING_B {each[2]:.3g}")
    lines.append(f"foretold / measured: {', '.join(f'{ratio:.2f}' for ratio in foretold)}")
    return "\n".join(lines)


def tree_bytes(pid: int) -> int:
    """Return the memory of process *pid* and all below it, what they share counted once."""
    total = 0
    for each in (pid, *_below(pid)):
        try:
            text = Path(f"/proc/{each}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        total += sum(
            int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:")
        )
    return total


def _below(pid: int) -> list[int]:
    try:
        children = [
            int(child)
            for child in (
                Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
            )
        ]
    except OSError:
        return []
    return [each for child in children for each in (child, *_below(child))]


def carried_out(options: Sequence[str], sets: Sequence[str]) -> dict[str, float]:
    """Return what `sim plan` foretells for gb_base under *sets*, and what `sim run` takes: seconds
    by the clock and the processor, peak bytes.
    """
    changes = [word for text in sets for word in ("--set", text)]
    command = [sys.executable, "-m", "sim"]

    def plan(*more: str) -> dict[str, float]:
        return dict(
            json.loads(
                subprocess.run(
                    [*command, "plan", "gb_base", *options, *changes, "--json", *more],
                    capture_output=True,
                    check=True,
                ).stdout
            )
        )

    foretold = plan()
    with tempfile.TemporaryDirectory() as folder:
        before, began, peak = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter(), 0
        run = subprocess.Popen(
            [*command, "run", "gb_base", *options, *changes, "--out", folder, "-q"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while run.poll() is None:
            peak = max(peak, tree_bytes(run.pid))
            time.sleep(0.05)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert run.returncode == 0, f"sim run ended with {run.returncode}"
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "foretold_s": foretold["seconds"],
        "alone_s": plan("--jobs", "1")["seconds"],
        "seconds": time.perf_counter() - began,
        "processor_s": processor,
        "foretold_b": foretold["memory"],
        "bytes": peak,
        "jobs": foretold["jobs"],
    }


def compare() -> str:
    """Carry out every plan and return the table; say where it is out."""
    rows, out = [], 0
    for name, options, sets in PLANS:
        found = carried_out(options, sets)
        time_ratio = found["foretold_s"] / found["seconds"]
        memory_ratio = found["foretold_b"] / found["bytes"]
        out += not (0.5 <= time_ratio <= 2 and 1 / 1.5 <= memory_ratio <= 1.5)
        rows.append(
            [
                name,
                f"{found['jobs']:.0f}",
                f"{found['foretold_s']:.1f}",
                f"{found['seconds']:.1f}",
                f"{time_ratio:.2f}",
                f"{found['processor_s']:.1f}",
                f"{found['alone_s'] / found['processor_s']:.2f}",
                f"{found['foretold_b'] / 1e9:.2f}",
                f"{found['bytes'] / 1e9:.2f}",
                f"{memory_ratio:.2f}",
            ]
        )
        print(" | ".join(rows[-1]), file=sys.stderr, flush=True)
    head = [
        "scenario",
        "at once",
        "foretold s",
        "took s",
        "ratio",
        "processor s",
        "one at a time / processor",
        "foretold GB",
        "took GB",
        "ratio",
    ]
    load = os.getloadavg()[0]
    told = (
        f"{out} of {len(rows)} are out: time is foretold within a factor 2, memory within 1.5. Load"
        f" of the machine at the end: {load:.1f}."
    )
    return (
        "# Foretold and"
        f" taken\n\n{machine('python -m benchmarks.plan_model')}\n{told}\n\n{table(head, rows)}"
    )


def main(arguments: list[str]) -> int:
    """Do what was asked; return 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.plan_model",
        description="What sim plan foretells against what sim run takes.",
    )
    parser.add_argument(
        "--fit", action="store_true", help="measure single replications and print the coefficients"
    )
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.one:
        order: dict[str, Any] = json.loads(asked.one)
        print(json.dumps(one(order["sets"], order["engine"])))
    elif asked.fit:
        print("\n".join(fit(engine) for engine in FITTED))
    else:
        text = compare()
        print(text)
        (HERE / "PLAN.md").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
