"""Measure everything, check that all answers agree, print one report and write it to RESULTS.md.

    python -m benchmarks            the whole of it: about ten minutes, most of them SimPy's
    python -m benchmarks --week     and a week of a million devices against SimPy: half an hour more
    python -m benchmarks --quick    a fiftieth of the work; RESULTS.md is left alone

Every measurement runs in a process of its own; those that are compared run in turn, again and
again, and are quoted as median (least to most).
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.worlds import STORM

HERE = Path(__file__).resolve().parent
Result = dict[str, Any]


def measured(**order: Any) -> Result:
    """Return what a child process measures for *order*."""
    out = subprocess.run(
        [sys.executable, "-m", "benchmarks.child", json.dumps(order)],
        capture_output=True,
        text=True,
        check=True,
        cwd=HERE.parent,
    )
    return dict(json.loads(out.stdout))


def interleaved(orders: dict[str, dict[str, Any]], runs: int) -> dict[str, list[Result]]:
    """Return *runs* results of each order, taken in turn."""
    found: dict[str, list[Result]] = {name: [] for name in orders}
    for run in range(runs):
        for name, order in orders.items():
            found[name].append(measured(**order))
            print(
                f"  {name}, run {run + 1}: {found[name][-1]['seconds']:.2f} s",
                file=sys.stderr,
                flush=True,
            )
    return found


def spread(values: Iterable[float], decimals: int | None = None) -> str:
    """Return "median (least to most)" of *values*, with *decimals* (None: two below ten, none from
    there).
    """
    numbers = sorted(values)
    middle, least, most = (
        f"{n:,.{(0 if n >= 10 else 2) if decimals is None else decimals}f}"
        for n in (median(numbers), numbers[0], numbers[-1])
    )
    return f"{middle} ({least} to {most})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, wide enough to be read as it is."""
    lines = [list(head), *[list(row) for row in rows]]
    widths = [max(len(line[k]) for line in lines) for k in range(len(head))]
    text = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]
    return (
        "\n".join([text[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *text[1:]])
        + "\n"
    )


def against_simpy(title: str, arguments: list[Any], runs: int) -> str:
    """Compare both SimPy forms with the whole engine on one world; all answers must be equal."""
    world = {"world": "daily", "arguments": arguments}
    orders: dict[str, dict[str, Any]] = {
        "SimPy, a process per device": {"what": "process_per_device", **world},
        "SimPy, the leanest form": {"what": "process_per_stage", **world},
        "this engine, 1 thread": {"what": "ours", "threads": 1, **world},
        "this engine, 2 threads": {"what": "ours", "threads": 2, **world},
    }
    found = interleaved(orders, runs)
    answers = {json.dumps(result["answer"]) for results in found.values() for result in results}
    assert len(answers) == 1, f"the answers differ: {answers}"
    alerts = json.loads(answers.pop())["alerts"]
    rows = []
    for name, results in found.items():
        ratios = [
            spread(
                other["seconds"] / mine["seconds"]
                for other, mine in zip(found[reference], results, strict=True)
            )
            for reference in list(orders)[:2]
        ]
        rows.append(
            [
                name,
                spread((alerts / r["seconds"] for r in results), 0),
                f"{max(r['peak_gb'] for r in results):.2f}",
                *ratios,
            ]
        )
    head = ["", "alerts a second", "peak GB", "× process per device", "× leanest"]
    checked = (
        "Arrivals in every quarter of an hour and its busiest second are equal at every region."
    )
    return f"## {title}\n\n{alerts:,} alerts, {runs} runs in turn. {checked}\n\n" + table(
        head, rows
    )


def great_britain(runs: int, lengths: Sequence[int]) -> str:
    """Time thirty million daily reporters from a warm start to written results."""
    rows = []
    for days in lengths:
        for threads in (1, 2):
            results = [
                measured(what="ours", world="thirty_million", arguments=[days], threads=threads)
                for _ in range(runs if days < 100 else 1)
            ]
            n = results[0]["answer"]["alerts"]
            seconds = [r["written_s"] for r in results]
            print(
                f"  thirty million, {days} days, {threads} threads: {median(seconds):.1f} s",
                file=sys.stderr,
                flush=True,
            )
            rows.append(
                [
                    f"{days}",
                    f"{threads}",
                    spread(seconds, 2),
                    f"{max(r['peak_gb'] for r in results):.2f}",
                    f"{n / median(seconds) / 1e6:,.0f}",
                ]
            )
    head = ["days", "threads", "seconds to written results", "peak GB", "million alerts a second"]
    world = "20 million premises, local updates four times a year by a quarter of the devices."
    return f"## Thirty million daily reporters, two stages, ledgers\n\n{world}\n\n" + table(
        head, rows
    )


def the_limit(runs: int, days: int) -> str:
    """Compare the whole engine with the bare kernel on as many alerts."""
    found = interleaved(
        {
            "bare": {"what": "bare", "regions": [12_000_000, 9_000_000, 9_000_000], "days": days},
            "engine": {
                "what": "ours",
                "world": "thirty_million",
                "arguments": [days],
                "threads": 1,
            },
        },
        runs,
    )
    assert all(result["answer"]["alerts"] == 30_000_000 * days for result in found["bare"])
    ratio = spread(
        (
            mine["seconds"] / bare["seconds"]
            for mine, bare in zip(found["engine"], found["bare"], strict=True)
        ),
        1,
    )
    seconds = {name: [r["seconds"] for r in results] for name, results in found.items()}
    rows = [
        [name, spread(taken, 2), f"{30 * days / median(taken):,.0f}"]
        for name, taken in seconds.items()
    ]
    what = (
        f"Draw, count and queue alone, against everything; {days} days of thirty million, one"
        f" thread. Ratio {ratio}."
    )
    return f"## The physical limit\n\n{what}\n\n" + table(
        ["", "seconds", "million alerts a second"], rows
    )


def growth(sizes: Sequence[int], lengths: Sequence[int]) -> str:
    """Show how time grows with devices, days and stages."""
    rows = []

    def row(what: str, arguments: list[Any]) -> None:
        result = measured(what="ours", world="daily", arguments=arguments, threads=1)
        n = result["answer"]["alerts"]
        rows.append(
            [
                what,
                f"{n:,}",
                f"{result['seconds']:.3f}",
                f"{1e9 * result['seconds'] / n:.1f}",
                f"{result['peak_gb']:.2f}",
            ]
        )
        print(f"  growth, {what}: {result['seconds']:.2f} s", file=sys.stderr, flush=True)

    for premises in sizes:
        row(f"{premises:,} devices, 7 days, 2 stages", [premises, 7])
    for days in lengths:
        row(f"1,000,000 devices, {days} days, 2 stages", [1_000_000, days])
    row("1,000,000 devices, 7 days, no stage", [1_000_000, 7, "network=[]"])
    row(
        "1,000,000 devices, 7 days, 3 stages",
        [
            1_000_000,
            7,
            (
                "network=[{stage: csp, capacity: 100 /s}, {stage: dsp, capacity: 230 /s}, {stage:"
                " user}]"
            ),
        ],
    )
    row("1,000,000 devices, 7 days, existing load", [1_000_000, 7, "traffic.level=100 %"])
    row("1,000,000 devices, 7 days, 5 % lost", [1_000_000, 7, "reporting.loss=5 %"])
    row(
        "1,000,000 devices, 7 days, 5 % lost, jitter",
        [1_000_000, 7, "reporting.loss=5 %", "reporting.phase.jitter=10 min"],
    )
    row(
        "1,000,000 devices, 7 days, on change",
        [1_000_000, 7, "reporting.rule=on_change_heartbeat", "reporting.heartbeat=1 d"],
    )
    row("1,000,000 devices, 7 days, a storm each", [1_000_000, 7, STORM])
    return "## Growth\n\nOne thread, results not written.\n\n" + table(
        ["world", "alerts", "seconds", "ns an alert", "peak GB"], rows
    )


def the_storm() -> str:
    """Time a day of Great Britain with the existing load and a clock-made storm."""
    result = measured(
        what="ours", world="thirty_million", arguments=[1, STORM, "traffic.level=100 %"], threads=2
    )
    n = result["answer"]["alerts"]
    row = [f"{n:,}", f"{result['written_s']:.1f}", f"{result['peak_gb']:.2f}"]
    title = (
        "One day of Great Britain with the existing load and a storm of thirty million in twenty"
        " seconds"
    )
    return f"## {title}\n\n" + table(["messages", "seconds", "peak GB"], [row])


def starts(runs: int) -> str:
    """Time the commands that must feel immediate, and the first kernel call from a warm cache."""
    kernel = "import numpy as np; from sim.kernels.queues import allowance; allowance(5, 2, 0, 10)"
    commands = {
        "sim --help": ["-m", "sim", "--help"],
        "sim check gb_base": ["-m", "sim", "check", "gb_base"],
        "first kernel call, warm cache": ["-c", kernel],
    }
    rows = []
    for name, arguments in commands.items():
        seconds = []
        for _ in range(runs + 1):
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, *arguments], check=True, capture_output=True, cwd=HERE.parent
            )
            seconds.append(time.perf_counter() - began)
        rows.append([name, spread(seconds[1:], 2)])
    return "## Starts\n\n" + table(["", "seconds"], rows)


def machine(command: str = "python -m benchmarks") -> str:
    """Return what was measured on, when, and by which *command*."""
    cpu, memory = platform.processor(), ""
    if Path("/proc/cpuinfo").exists():
        names = [
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ]
        cpu = f"{names[0]}, {len(names)} logical cores" if names else cpu
        memory = f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB"
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "simpy"))
    return (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}; {cpu}{memory}; {platform.system()},"
        f" Python {platform.python_version()}, {packages}.\n\nCommand: `{command}`. The machine is"
        " shared and noisy: trust the ratios.\n"
    )


def main(arguments: list[str]) -> int:
    """Run every section; return 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="How fast, against what, and with the same answer."
    )
    parser.add_argument(
        "--quick", action="store_true", help="a fiftieth of the work; RESULTS.md is left alone"
    )
    parser.add_argument(
        "--week",
        action="store_true",
        help="and a week of a million devices against SimPy: half an hour more",
    )
    asked = parser.parse_args(arguments)
    quick = asked.quick
    from sim.estate.columns import bytes_per_device

    runs, sizes, lengths = (
        (2, [10**4, 10**5, 10**6], [1, 7, 30])
        if quick
        else (5, [10**4, 10**5, 10**6, 10**7, 3 * 10**7], [1, 7, 30, 365])
    )
    sections = [f"# Measured\n\n{machine()}"]
    work = [
        lambda: against_simpy("A day of a hundred thousand devices", [100_000, 1], runs),
        lambda: against_simpy(
            "A storm: a hundred thousand in twenty seconds", [100_000, 1, STORM], runs
        ),
        *(
            []
            if quick
            else [lambda: against_simpy("A day of a million devices", [1_000_000, 1], runs)]
        ),
        *(
            [lambda: against_simpy("A week of a million devices", [1_000_000, 7], runs)]
            if asked.week
            else []
        ),
        lambda: the_limit(runs, 7),
        lambda: great_britain(runs, (7,) if quick else (7, 365)),
        lambda: growth(sizes, lengths),
        the_storm,
        lambda: starts(runs),
        lambda: (
            f"## Memory\n\n{bytes_per_device()} bytes a device row in the estate, its premises'"
            " columns included.\n"
        ),
    ]
    for section in work:
        sections.append(section())
        print(sections[-1], flush=True)
    if not quick:
        (HERE / "RESULTS.md").write_text("\n".join(sections), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
