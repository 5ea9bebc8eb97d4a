"""Commands that take a run: report, verify, reproduce, compare, explain."""

from __future__ import annotations

from dataclasses import asdict
from math import hypot
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.cli.options import Output, takes_output
from sim.cli.words import BAD, CORRUPT, columns, say, say_json, tell

if TYPE_CHECKING:
    from sim.metrics.results import Results
    from sim.scenario.schema import Scenario


def write_report(run: Path) -> Path:
    """Write the report of *run*, and vouch for its files in the manifest."""
    from sim.report import write
    from sim.store import vouch

    report = write(run)
    vouch(run, [report, *sorted(path for path in (run / "figures").glob("*") if path.is_file())])
    return report


def _found(run: str, out: Path) -> Path:
    """Return the folder of *run*; stops the program when it is missing, or anything that its report is made of is not as it was written."""
    from sim.store import REPORT, find_run, verify

    folder = find_run(run, out)
    if findings := verify(folder, but=REPORT):
        tell("\n".join(findings))
        raise click.exceptions.Exit(CORRUPT)
    return folder


@click.command()
@click.argument("run")
@takes_output
def report(run: str, asked: Output) -> None:
    """Write a run's report and figures again, from its folder alone."""
    path = write_report(_found(run, asked.out))
    if asked.as_json:
        say_json({"report": str(path)})
    else:
        say(f"report: {path}")


@click.command()
@click.argument("run")
@takes_output
def verify(run: str, asked: Output) -> None:
    """Check every file of a run against the hash it was written with."""
    from sim.store import find_run, read_manifest
    from sim.store import verify as findings_of

    folder = find_run(run, asked.out)
    findings = findings_of(folder)
    if asked.as_json:
        say_json({"results": str(folder), "findings": findings})
    elif not findings:
        say(f"{folder}: {len(read_manifest(folder)['files'])} files, all as they were written")
    if findings:
        tell("\n".join(findings))
        raise click.exceptions.Exit(CORRUPT)


@click.command()
@click.argument("run")
@click.option("--pick", type=click.IntRange(0), default=0, show_default=True, metavar="N", help="Another number picks another replication.")
@takes_output
def reproduce(run: str, pick: int, asked: Output) -> None:
    """Run one replication of a run again, picked by luck, and compare every byte of its tables."""
    from sim.experiment import reproduce as again

    found = again(_found(run, asked.out), pick)
    if asked.as_json:
        say_json(asdict(found))
    elif not found.differ:
        say(found)
    if found.differ:
        tell(found)
        raise click.exceptions.Exit(CORRUPT)


@click.command()
@click.argument("run")
@click.argument("other")
@takes_output
def compare(run: str, other: str, asked: Output) -> None:
    """Compare two runs: the leaves of their scenarios that differ, and their metrics, cell by cell of the same name."""
    from sim.experiment.asked import worlds
    from sim.metrics.results import Results

    results, others = Results(_found(run, asked.out)), Results(_found(other, asked.out))
    leaves = _leaves_apart(worlds(results.path), worlds(others.path))
    metrics = _metrics_apart(results, others, every_group=asked.verbose or asked.as_json)
    if asked.as_json:
        say_json({"leaves": leaves, "metrics": metrics})
        return
    heads = ["cell", "leaf", "RUN", "OTHER"], ["cell", "metric", "group", "RUN", "OTHER", "difference", "unpaired_half_width", "unit"]
    for head, rows, none in zip(heads, (leaves, metrics), ("no leaf differs", "no metric differs"), strict=True):
        say(columns([head, *(list(row.values()) for row in rows)]) if rows else none)


def _pairs(results: dict[str, Any], others: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return what two runs have under the same cell; two runs of one cell each are compared whatever they are called."""
    if len(results) == len(others) == 1:
        return [(next(iter(results)), *results.values(), *others.values())]
    return [(cell, results[cell], others[cell]) for cell in results if cell in others]


def _flat(value: Any, path: str) -> dict[str, str]:
    """Return the leaves below *path*, by path, as text."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if entries is None:
        return {path: str(value)}
    leaves: dict[str, str] = {}
    for key, child in entries:
        leaves |= _flat(child, f"{path}.{key}" if path else str(key))
    return leaves or {path: "none"}


def _leaves_apart(worlds: dict[str, Scenario], others: dict[str, Scenario]) -> list[dict[str, str]]:
    rows = []
    for cell, mine, theirs in _pairs(worlds, others):
        ours, its = (_flat(scenario.model_dump(mode="json", exclude_none=True), "") for scenario in (mine, theirs))
        apart = [leaf for leaf in dict.fromkeys([*ours, *its]) if ours.get(leaf) != its.get(leaf)]
        rows += [{"cell": cell, "leaf": leaf, "run": ours.get(leaf, "absent"), "other": its.get(leaf, "absent")} for leaf in apart]
    return rows


def _metrics_apart(results: Results, others: Results, *, every_group: bool) -> list[dict[str, Any]]:
    """Return the metrics that differ; the half-width is of two independent runs, wider than that of cells compared within one experiment."""
    by_cell = [{str(cell): rows.set_index(["metric", "group"]) for cell, rows in one.summary.groupby("cell", sort=False)} for one in (results, others)]
    rows = []
    for cell, mine, theirs in _pairs(*by_cell):
        for metric, group in mine.index.intersection(theirs.index, sort=False):
            a, b = mine.loc[(metric, group)], theirs.loc[(metric, group)]
            if a["value"] != b["value"] and (every_group or group == "all"):
                error = hypot(a["half_width"], b["half_width"])
                values = {"run": float(a["value"]), "other": float(b["value"]), "difference": float(b["value"] - a["value"]), "unpaired_half_width": error}
                rows.append({"cell": cell, "metric": metric, "group": group, **values, "unit": a["unit"]})
    return rows


@click.command()
@click.argument("run")
@click.option("--device", type=click.IntRange(0), required=True, metavar="N", help="Row number of the device, from 0.")
@click.option("--cell", metavar="CELL", help="Cell it lives in; by default the first.")
@click.option("--versus", metavar="CELL", help="Cell to compare its life with.")
@click.option("--replication", type=click.IntRange(0), default=0, show_default=True, metavar="R", help="Replication, from 0.")
@takes_output
def explain(run: str, device: int, cell: str | None, versus: str | None, replication: int, asked: Output) -> None:
    """Tell one device's life, by the twin, at the same luck as in the run."""
    from sim.experiment.asked import worlds
    from sim.twin.story import tell as told

    known = worlds(_found(run, asked.out))
    cell = cell or next(iter(known))
    for name in filter(None, (cell, versus)):
        if name not in known:
            tell(f"no cell {name}; there are {', '.join(known)}")
            raise click.exceptions.Exit(BAD)
    try:
        text = told(known[cell], replication, device, versus=known[versus] if versus else None, labels=(cell, versus or ""))
    except ValueError as nobody:
        tell(nobody)
        raise click.exceptions.Exit(BAD) from None
    if asked.as_json:
        say_json({"device": device, "cell": cell, "versus": versus, "replication": replication, "text": text})
    else:
        say(text)
