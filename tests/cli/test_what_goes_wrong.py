"""What is asked for by mistake, or from a terminal of another time: a sentence, no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_cli import sim

WORLD = """\
schema_version: 1
extends: gb_base
name: storm
question: 嵐は来るか ± †?
estate: {premises: 30}
window: {length: 1 d, warm_up: 0 d}
replications: 2
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the working folder, with a small world in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "storm.yaml").write_text(WORLD, encoding="utf-8")
    return tmp_path


def refused(answer, *words):
    """Whether *answer* is a refusal in a sentence with *words*, on stderr alone."""
    assert answer.exit_code == 2, answer.output
    assert isinstance(answer.exception, SystemExit)
    assert answer.stdout == ""
    assert all(word in answer.stderr for word in words), answer.stderr
    return True


def test_a_link_to_itself(folder):
    """Given, or extended, alone or by way of another."""
    (folder / "loop.yaml").symlink_to("loop.yaml")
    (folder / "extends.yaml").write_text("schema_version: 1\nextends: loop.yaml\nname: a\n")
    (folder / "round.yaml").write_text("schema_version: 1\nextends: alias.yaml\nname: b\n")
    (folder / "alias.yaml").symlink_to("round.yaml")

    assert refused(sim("check", "loop.yaml"), "loop.yaml:1:1: document: cannot be read")
    assert refused(sim("run", "extends.yaml"), "loop.yaml:1:1: document: cannot be read")
    assert refused(sim("check", "round.yaml"), "'alias.yaml' leads back to this file")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("nonsense", "missing port number in address 'nonsense'"),
        ("tcp://host", "missing port number"),
        ("tcp://host:port", "no scheduler's address"),
        ("nowhere://host:1", "unknown address scheme 'nowhere'"),
        ("ws://host", "missing port number"),
    ],
)
def test_no_schedulers_address(folder, address, reason):
    """Before anything is looked for, and nothing is written."""
    answer = sim("run", "storm.yaml", "--backend", f"dask:{address}")
    assert refused(answer, reason, "write such as dask:tcp://127.0.0.1:8786")
    assert not (folder / "results").exists()


@pytest.mark.parametrize("address", ["tls://127.0.0.1:1", "ucx://127.0.0.1:1"])
def test_an_address_that_this_machine_cannot_use(folder, address):
    """Without certificates, or the library for it."""
    answer = sim("run", "storm.yaml", "--backend", f"dask:{address}", "-q")
    assert answer.exit_code == 1, answer.output
    assert f"cannot reach dask:{address}: " in answer.stderr


def test_beyond_the_calendar(folder):
    """The window's end must have a date; the last day that has one may be its last."""
    start = "window.start=9999-12-20"
    last = sim("check", "storm.yaml", "--set", start, "--set", "window.length=11 d")
    assert last.exit_code == 0, last.output
    answer = sim("check", "storm.yaml", "--set", start, "--set", "window.length=12 d")
    told = "window.length: the window ends after 9999-12-31, the last day of the calendar"
    assert refused(answer, told)


@pytest.fixture
def small_run(folder):
    """Run the small world; return the folder."""
    assert sim("run", "storm.yaml", "-q", "--jobs", 1).exit_code == 0
    return folder


def test_a_replication_that_was_not_run(small_run):
    """The twin could tell it, but it is none of the run's."""
    told = "no replication 2 of cell storm; it has 2, counted from 0"
    assert refused(sim("explain", "storm", "--device", 1, "--replication", 2), told)
    assert sim("explain", "storm", "--device", 1, "--replication", 1).exit_code == 0


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp437", "cp850"])
def test_a_terminal_of_another_time(small_run, encoding, root):
    """What an encoding has is written in it, what it has not is spelt; JSON is the same in all."""
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(root)}

    def said(*arguments):
        command = [sys.executable, "-m", "sim", *arguments]
        answer = subprocess.run(
            command, capture_output=True, env=environment, check=True, cwd=small_run
        )
        assert b"Traceback" not in answer.stderr
        return answer.stdout.decode(encoding)

    text, data = said("run", "storm.yaml", "-q"), said("run", "storm.yaml", "-q", "--json")
    first, _, rest = text.partition("\n")
    in_utf_8 = encoding == "utf-8"
    assert first.startswith("嵐" if in_utf_8 else "\\u5d50\\u306f")
    assert ("†" if in_utf_8 else "(!)") in first
    assert "±" in rest
    assert json.loads(data)["status"] == "complete"
    assert said("--help").startswith("Usage")


def test_a_finished_run_is_printed(small_run):
    """The answer and the report of before, and on stderr that nothing was run again."""
    first = sim("run", "storm.yaml", "-q", "--again")
    found = sim("run", "storm.yaml", "-q")
    assert found.stdout == first.stdout
    run = Path(found.stdout.rpartition("results: ")[2].strip())
    assert found.stderr.endswith(f"it is not run again (--again runs it): {run}\n")
    (run / "report.html").write_text("damaged")
    assert sim("run", "storm.yaml", "-q").stdout == first.stdout
    assert sim("verify", "storm").exit_code == 0


def test_damage_to_latest_is_told(small_run):
    """Not another run's report; and the same command names the run anew."""
    latest = small_run / "results/storm/latest"
    latest.write_text(latest.read_text().replace("Z", "X", 1))
    answer = sim("report", "storm")
    assert (answer.exit_code, answer.stdout) == (3, "")
    assert "latest is damaged: it does not name a run" in answer.stderr
    assert sim("run", "storm.yaml", "-q").exit_code == 0
    assert sim("report", "storm").exit_code == 0
