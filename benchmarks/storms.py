"""A storm day of Great Britain, timed: existing load, everybody's report within twenty seconds, WAN
cells, up to ten mitigations (PERFORMANCE P6, P7).

    python -m benchmarks.storms            about ten minutes; writes STORMS.md
    python -m benchmarks.storms --quick    a hundredth of the premises; STORMS.md is left alone

Each measurement runs in a process of its own, kernels warm.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
STAGES = {
    "cell": "{stage: cell, capacity: 20 /s, mitigations: [CELL]}",
    "csp": (
        "{stage: csp, capacity: 2000 /s, buffer: 2_000_000, priority: [on_demand], mitigations:"
        " [CSP]}"
    ),
    "dsp": "{stage: dsp, capacity: 4600 /s, buffer: 2_000_000, mitigations: [DSP]}",
    "user": "{stage: user, capacity: 3000 /s, mitigations: [USER]}",
}
MITIGATIONS = [  # (stage, row), in the order in which they are added
    ("DSP", "{kind: alert_storm_protection, threshold: 5, window: 1 h, forward_period: 24 h}"),
    ("CSP", "{kind: shape, rate: 1900 /s}"),
    ("DSP", "{kind: shed, above: 1_000_000, kinds: [version_report]}"),
    ("HUB", "{kind: hold_down, time: 1 min, spread: 5 min}"),
    ("CELL", "{kind: access_barring, above: 200, share: 50 %, hold: 2 min}"),
    ("CSP", "{kind: lifo, above: 1_000_000}"),
    ("DEVICE", "{kind: token_bucket, every: 1 h, burst: 3}"),
    ("HUB", "{kind: retry, base: 30 s, factor: 2, most: 1 h, jitter: full, cap: 3, budget: 10 %}"),
    ("DEVICE", "{kind: jitter, window: 3 h, kinds: [version_report]}"),
    ("HUB", "{kind: batch, period: 5 min}"),
]


def network(stages: tuple[str, ...], n_mitigations: int) -> str:
    """Return the stages with the first *n_mitigations* of those that belong to them."""
    rows: dict[str, list[str]] = {
        name: [] for name in ("DEVICE", "HUB", "CELL", "CSP", "DSP", "USER")
    }
    for stage, row in [m for m in MITIGATIONS if m[0].lower() in (*stages, "device", "hub")][
        :n_mitigations
    ]:
        rows[stage].append(row)
    text = [
        f"{{stage: {name}, mitigations: [{name.upper()}]}}"
        for name in ("device", "hub")
        if rows[name.upper()]
    ] + [STAGES[name] for name in stages]
    for name, listed in rows.items():
        text = [stage.replace(f"[{name}]", f"[{', '.join(listed)}]") for stage in text]
    return f"[{', '.join(text)}]"


def measure(stages: tuple[str, ...], n_mitigations: int, premises: int) -> dict[str, Any]:
    """Return seconds, peak memory and messages of one day of *premises* through *stages*."""
    from sim.run import replicate
    from sim.scenario.load import load

    def world(n: int) -> Any:
        return load(
            "gb_base",
            [
                f"estate.premises={n}",
                "window.warm_up=1 h",
                "window.length=24 h",
                "traffic.level=100 %",
                "reporting.rule=periodic",
                'reporting.phase={source: fixed_clock, at: "03:00", jitter: 10 s}',
                f"network={network(stages, n_mitigations)}",
            ],
        )

    replicate(world(2000), 0, threads=2)
    began, used = time.perf_counter(), time.process_time()
    tables = replicate(world(premises), 0, threads=2)
    return {
        "seconds": time.perf_counter() - began,
        "cpu_s": time.process_time() - used,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
        "messages": int(tables["fates"]["n"].sum()),
        "attempts": int(tables["attempts"]["n_attempts"].sum()),
    }


def main(arguments: list[str]) -> int:
    """Measure each world and print the table."""
    if arguments[:1] == ["one"]:
        stages, n, premises = json.loads(arguments[1])
        print(json.dumps(measure(tuple(stages), n, premises)))
        return 0
    premises = 200_000 if "--quick" in arguments else 20_000_000
    worlds = [
        (("csp", "dsp"), 0),
        (("cell", "csp", "dsp"), 0),
        (("cell", "csp", "dsp", "user"), 0),
        (("cell", "csp", "dsp"), 5),
        (("cell", "csp", "dsp"), 10),
    ]
    lines = [
        (
            f"A day of {premises:,} premises with the existing load and a storm at three in the"
            " morning, 2 threads."
        ),
        "",
    ]
    lines += [
        (
            "| stages | mitigations | seconds | CPU seconds | peak GB | million messages | million"
            " attempts |"
        ),
        "|---|---|---|---|---|---|---|",
    ]
    for stages, n in worlds:
        out = subprocess.run(
            [sys.executable, "-m", "benchmarks.storms", "one", json.dumps([stages, n, premises])],
            capture_output=True,
            text=True,
            check=True,
        )
        found = json.loads(out.stdout)
        lines.append(
            f"| {' '.join(stages)} | {n} | {found['seconds']:.1f} | {found['cpu_s']:.1f} |"
            f" {found['peak_gb']:.1f} | {found['messages'] / 1e6:.1f} |"
            f" {found['attempts'] / 1e6:.1f} |"
        )
        print(lines[-1], file=sys.stderr, flush=True)
    text = "\n".join(lines) + "\n"
    print(text)
    if "--quick" not in arguments:
        (HERE / "STORMS.md").write_text(f"# Storm days\n\n{text}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
