"""`sim compare` as a reader sees it, on runs whose answer is known."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from sim.cli import main
from tests.metrics.test_comparing import rewritten
from tests.report.known import known_run


def compare(*arguments):
    answer = CliRunner().invoke(main, ["compare", *map(str, arguments)])
    assert answer.exit_code == 0, answer.output
    return answer.stdout


@pytest.fixture
def two(tmp_path):
    """Return two runs of four worlds, that differ in one boundary."""
    folders = tmp_path / "mine", tmp_path / "theirs"
    for folder in folders:
        folder.mkdir()
    return [
        known_run(folder, points=2, replications=6, boundary=boundary)
        for folder, boundary in zip(folders, (0.25, 0.3), strict=True)
    ]


def test_it_prints_what_pairing_gained_and_how_sure(two):
    """Both means, the difference with its interval, by pairs, the variance reduction and Holm's p.
    """
    lines = compare(*two).splitlines()

    assert lines[0] == "no leaf differs"
    assert lines[1].split("  ")[0] == "cell"
    row = next(
        line.split() for line in lines if line.startswith("on_change-s0  record_wrong_share")
    )
    assert (row[5], row[7]) == ("-0.04", "to")
    assert float(row[6]) <= -0.04 <= float(row[8]) < 0
    assert "pairs" in row
    assert "<" in row
    assert "0.001" in row
    assert lines[-1].startswith("Variance: what pairing by common luck divided it by.") or re.match(
        r"Of \d+ of \d+ rows: ", lines[-1]
    )


def test_leaves_are_told_whatever_they_are_called(two):
    """A leaf that today's schema does not know, in a run of another age, is no obstacle."""
    resolved = (
        (two[1] / "resolved.yaml")
        .read_text()
        .replace("loss:", "loss_of_old:")
        .replace("seed: 7", "seed: 8")
    )
    (two[1] / "resolved.yaml").write_text(resolved)
    manifest = json.loads((two[1] / "manifest.json").read_text())
    rewritten(two[1], version="0.0.1", cells=[cell | {"seed": 8} for cell in manifest["cells"]])
    text = compare(*two)
    told = json.loads(compare(*two, "--json"))

    assert {"reporting.loss", "reporting.loss_of_old", "seed"} <= {
        leaf["leaf"] for leaf in told["leaves"]
    }
    assert "reporting.loss_of_old" in text
    assert "Made by different programs: RUN by version" in text
    assert "The seeds differ" in text
    assert {row["paired"] for row in told["metrics"]} == {False}
