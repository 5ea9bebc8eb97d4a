"""Runs whose answer is known: no engine, but metrics that follow from each cell's scenario by a
formula, plus luck, written as a run writes them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from statistics import NormalDist

from sim.experiment import Source, planned
from sim.experiment.manifest import begun
from sim.experiment.summary import write_summary
from sim.scenario.load import load
from sim.store import hashes, write_manifest

# the loss above which reporting on change is the worse; how much worse a loss of 40 % makes it
BOUNDARY, EFFECT = 0.25, 0.32
EXPERIMENT = """\
schema_version: 1
experiment: known
question: Which assumption would flip the choice?
scenario: gb_base
set: {{estate: {{premises: 60}}, network_for: 60, window: {{warm_up: 0 s, length: 1 d}}}}
options: {{daily: {{reporting: {{rule: periodic}}}}, on_change: {{reporting: {{rule: on_change}}}}}}
factors:
  reporting.loss: {{low: 0 %, high: 40 %}}
  updates.local.rate: {{low: 2 /year, high: 6 /year}}
  reporting.phase.source: [hashed, fixed_clock, power_on]
design: {design}
{points}
replications: {replications}
seed: 7
metrics: [record_wrong_share]
analysis: {analysis}
"""
ALL = (
    "{choose: record_wrong_share, group: ppmid, prefer: low, smallest_difference: 0.001,"
    " sensitivity: [record_wrong_share]}"
)


def luck(address):
    """Return a standard normal number for *address*."""
    return NormalDist().inv_cdf(
        (int.from_bytes(blake2b(address.encode(), digest_size=6).digest()) + 0.5) / 2**48
    )


def wrong_share(cell, replication, boundary):
    """Return 0.3 and 0.01 for each change a year, under on change also 0.8 (loss − *boundary*);
    with luck that all cells share, and some of their own.
    """
    scenario = cell.scenario
    lead = (
        0.8 * (scenario.reporting.loss - boundary)
        if scenario.reporting.rule == "on_change"
        else 0.0
    )
    rate = float(scenario.updates.local.rate) * 365 * 86_400
    return (
        0.3
        + lead
        + 0.01 * rate
        + 0.02 * luck(f"{replication}")
        + 0.002 * luck(f"{cell.name}/{replication}")
    )


def known_run(
    folder, *, design="latin_hypercube", points=64, replications=3, analysis=ALL, boundary=BOUNDARY
):
    """Return the folder of a run of known worlds in *folder*."""
    path = folder / "known.yaml"
    text = EXPERIMENT.format(
        design=design,
        points=f"points: {points}" if points else "",
        replications=replications,
        analysis=analysis,
    )
    path.write_text(text, encoding="utf-8")
    plan = planned(load(path), "fast")
    run = folder / f"{design}"
    (run / "tables").mkdir(parents=True)
    manifest = begun(run, plan, Source(str(path), text, ()), datetime(2026, 1, 1, tzinfo=UTC))
    measured = {}
    for cell in plan.cells:
        values = [wrong_share(cell, replication, boundary) for replication in range(replications)]
        measured[cell.name] = {
            r: {("record_wrong_share", "all"): value, ("record_wrong_share", "ppmid"): value}
            for r, value in enumerate(values)
        }
    write_summary(run, plan, measured)
    write_manifest(run, manifest | {"status": "complete", "files": hashes(run)})
    return run
