"""The manifest of a run: what was asked, what makes the numbers, who made which, how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sim import __version__
from sim.experiment.attempts import Failure
from sim.experiment.environment import program_hash
from sim.experiment.plan import Plan, Task, asked_of
from sim.experiment.summary import factors_of, window_of
from sim.store import (
    hashes,
    log,
    log_seal,
    made_by,
    provenance,
    sha256,
    write_file,
    write_manifest,
)
from sim.streams import PREFIXES, STREAMS


@dataclass(frozen=True, slots=True)
class Source:
    """What the user asked for: the *file* (or name), its *text*, and the changes set on it."""

    file: str
    text: str
    sets: tuple[str, ...]


def resolved_text(plan: Plan) -> str:
    """Return every cell's scenario in full, as YAML documents that each begin with its name."""
    from sim.scenario.load import resolved

    return "---\n".join(f"# cell: {cell.name}\n{resolved(cell.scenario)}" for cell in plan.cells)


def _streams(plan: Plan) -> list[str]:
    """Return every stream of luck that *plan* may draw from."""
    kinds = {kind for cell in plan.cells for kind in cell.scenario.traffic.kinds}
    prefixes = [prefix for prefix in PREFIXES if not prefix.startswith("alert.")]
    return [*STREAMS, *sorted(f"{prefix}{kind}" for prefix in prefixes for kind in kinds)]


def _cells(plan: Plan) -> list[dict[str, Any]]:
    """Return what the manifest says of each cell of *plan*."""
    factors, cells = factors_of(plan), []
    for cell in plan.cells:
        window = window_of(cell.scenario)
        about = {
            "name": cell.name,
            "option": cell.option,
            "points": list(cell.points),
            "levels": {path: level[cell.name] for path, level in factors.items()},
            "replications": cell.scenario.replications,
            "seed": cell.scenario.seed,
            "warm_up_s": window.warm_up_s,
            "length_s": window.length_s,
        }
        cells.append(about)
    return cells


def _described(plan: Plan, source: Source, started: datetime) -> dict[str, Any]:
    """Return the manifest of a run of *plan* as far as it is known when it starts."""
    return asked_of(plan) | {
        "name": plan.name,
        "plan": plan.hash,
        "status": "running",
        "engine": plan.engine,
        "cells": _cells(plan),
        "seed": plan.cells[0].scenario.seed,
        "precision": "",
        "streams": _streams(plan),
        "version": __version__,
        "environment": dict(plan.environment),
        "program": program_hash(),
        "made_with": provenance(),
        "scenario": described_source(source),
        "resolved_sha256": sha256(resolved_text(plan).encode()),
        "started": iso(started),
        "files": {},
        "warnings": [],
        "notes": list(plan.notes),
        "failures": [],
    }


def described_source(source: Source) -> dict[str, Any]:
    """Return what the manifest says of *source*."""
    text_sha256 = sha256(source.text.encode())
    sets = list(source.sets)
    return {"file": source.file, "text": source.text, "sha256": text_sha256, "sets": sets}


def iso(moment: datetime) -> str:
    """Return *moment*, of UTC, in the form of ISO 8601, to the second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def begun(run: Path, plan: Plan, source: Source, started: datetime) -> dict[str, Any]:
    """Write manifest and worlds of *plan* into *run*, and return the manifest."""
    manifest = _described(plan, source, started)
    write_manifest(run, manifest)
    write_file(run / "resolved.yaml", resolved_text(plan).encode())
    return manifest


def makers_of(run: Path, tasks: Iterable[Task]) -> dict[str, Any]:
    """Return who made the replications *tasks* of *run*: `makers`, each once, and `made_by`, by
    cell and replication the place of its maker among them.
    """
    makers: list[dict[str, str]] = []
    by_cell: dict[str, dict[str, int]] = {}
    for task in tasks:
        who = made_by(run, task.address)
        if who not in makers:
            makers.append(who)
        by_replication = by_cell.setdefault(task.address.cell, {})
        by_replication[str(task.address.replication)] = makers.index(who)
    return {"makers": makers, "made_by": by_cell}


def seal(
    run: Path,
    manifest: dict[str, Any],
    started: datetime,
    failures: Sequence[Failure],
    warnings: list[str],
) -> None:
    """Write that *run*, *started* then, has ended: *failures* and *warnings*, and the hash of every
    file of it.
    """
    ended = datetime.now(UTC)
    single = [cell["name"] for cell in manifest["cells"] if cell["replications"] == 1]
    those = ", ".join(single) if len(single) < len(manifest["cells"]) else "each cell"
    told = [
        {"cell": failure.cell, "replication": failure.replication, "cause": failure.cause}
        for failure in failures
    ]
    status = "failed" if failures else "complete"
    log(run, status)
    manifest |= {
        "status": status,
        "exit": 1 if failures else 0,
        "ended": iso(ended),
        "seconds": round((ended - started).total_seconds(), 3),
        "warnings": warnings + [f"one replication of {those}: no interval"] * bool(single),
        "failures": told,
        "files": hashes(run),
        "log": log_seal(run),
    }
    write_manifest(run, manifest)
