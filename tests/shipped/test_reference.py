"""The committed reference result is what the model says today."""

from __future__ import annotations

from pathlib import Path

import sim

REFERENCE = Path(__file__).parents[2] / "results" / "reference" / "summary.csv"


def test_the_reference_result_regenerates(tmp_path):
    """Every cell, metric and digit of `results/reference/summary.csv`."""
    results = sim.run(
        "daily_version_report", premises=20_000, replications=1, out=tmp_path, jobs=1, report=False
    )

    assert (results.path / "summary.csv").read_text(encoding="utf-8") == REFERENCE.read_text(
        encoding="utf-8"
    )
