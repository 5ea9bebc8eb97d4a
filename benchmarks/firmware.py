"""Ten years of firmware in Great Britain, timed: releases, local updates, campaigns over the air,
churn, both ledgers (PERFORMANCE P8).

    python -m benchmarks.firmware            about five minutes; writes FIRMWARE.md
    python -m benchmarks.firmware --quick    a hundredth of the premises; FIRMWARE.md is left alone

Each measurement runs in a process of its own, kernels warm. Devices are those whose firmware is
followed: 0.89 a premises.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.__main__ import machine, table

HERE = Path(__file__).resolve().parent
YEARS = {1: "365 d", 10: "3650 d"}
CASES = (  # premises, years, rule, threads
    (20_000, 10, "none", 1),
    (200_000, 10, "none", 1),
    (2_000_000, 1, "none", 2),
    (2_000_000, 10, "none", 2),
    (2_000_000, 10, "periodic", 2),
    (20_000_000, 1, "none", 2),
    (33_700_000, 10, "none", 2),
)


def measure(premises: int, years: int, rule: str, threads: int) -> dict[str, Any]:
    """Return seconds of clock and processor, peak memory, and what happened."""
    from sim.run import replicate
    from sim.scenario.load import load

    def world(n: int) -> Any:
        window = (f"window.length={YEARS[years]}", "window.warm_up=0 s", "firmware.step=28 d")
        return load("gb_firmware", [f"estate.premises={n}", f"reporting.rule={rule}", *window])

    replicate(world(1000), 0)
    clock, processor = time.perf_counter(), time.process_time()
    tables = replicate(world(premises), 0, threads=threads)
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    smi = tables["ledgers"].query("ledger == 'smi'")
    assert (
        smi.right_s + smi.wrong_s + smi.unknown_s == smi.n_devices * years * 365 * 86_400
    ).all(), "a device-second is in exactly one state"
    told = tables["told"].set_index("kind").n
    assert tables["jobs"].n.sum() == tables["campaigns"].n_targets.sum(), "every job ends once"
    return {
        "clock": clock,
        "processor": processor,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "devices": int(smi.n_devices.sum()),
        "changes": int(smi.n_changes.sum()),
        "images": int(told["image"]),
        "reports": int(told.get("version_report", 0)),
    }


def main(arguments: list[str]) -> None:
    """Measure every case and print the table."""
    if arguments[:1] == ["--case"]:
        premises, years, rule, threads = arguments[1:]
        print(json.dumps(measure(int(premises), int(years), rule, int(threads))))
        return
    rows, scale = [], 100 if "--quick" in arguments else 1
    for premises, years, rule, threads in CASES:
        command = [
            sys.executable,
            "-m",
            "benchmarks.firmware",
            "--case",
            str(premises // scale),
            str(years),
            rule,
            str(threads),
        ]
        found = json.loads(
            subprocess.run(
                command, check=True, capture_output=True, text=True, cwd=HERE.parent
            ).stdout.splitlines()[-1]
        )
        rows.append(
            [
                f"{premises // scale:,}",
                str(years),
                rule,
                str(threads),
                f"{found['devices']:,}",
                f"{found['changes']:,}",
                f"{found['images']:,}",
                f"{found['reports']:,}",
                f"{found['clock']:.1f}",
                f"{found['processor']:.1f}",
                f"{found['memory'] / 1e9:.2f}",
                f"{1e6 * found['processor'] / (found['devices'] * years):.2f}",
            ]
        )
        print(" | ".join(rows[-1]), flush=True)
    head = [
        "premises",
        "years",
        "rule",
        "threads",
        "devices",
        "changes",
        "images sent",
        "reports",
        "s",
        "processor s",
        "GB",
        "µs a device-year",
    ]
    text = table(head, rows)
    print(f"\n{text}\nLoad of the machine at the end: {os.getloadavg()[0]:.1f}.")
    if scale == 1:
        intro = (
            f"# Ten years of firmware\n\n{machine('python -m benchmarks.firmware')}\n\nLoad of the"
            f" machine at the end: {os.getloadavg()[0]:.1f}."
        )
        (HERE / "FIRMWARE.md").write_text(f"{intro}\n\n{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
