"""Worker processes and sudden death: whatever is killed, running again ends in the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sim.store import verify
from tests.experiment.conftest import EXPERIMENT
from tests.experiment.test_execute import CELLS, same_results

DRIVER = Path(__file__).with_name("driver.py")


def start(folder, out, jobs):
    """Start the driver in a process group of its own."""
    command = [sys.executable, str(DRIVER), str(folder / "small.yaml"), str(folder / out), str(jobs)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def finish(folder, out, jobs):
    """Run the driver to its end; return its lines, the last of which is the run's folder."""
    process = start(folder, out, jobs)
    stdout, stderr = process.communicate(timeout=100)
    assert process.returncode == 0, stderr
    return stdout.splitlines()


def kept(folder, out):
    """Return how many replications are on disk."""
    return len([path for path in folder.glob(f"{out}/small/*/cells/*") if not path.name.startswith(".")])


def kill_when(folder, out, n, jobs, by=signal.SIGKILL):
    """Start the driver and kill its whole process group once *n* replications are on disk (or it ends); return its exit code."""
    process = start(folder, out, jobs)
    while kept(folder, out) < n and process.poll() is None:
        time.sleep(0.002)
    time.sleep(0.003 * n)  # somewhere in the next ones
    if process.poll() is None:
        os.killpg(process.pid, by)
    process.communicate(timeout=100)
    return process.returncode


@pytest.fixture
def small(tmp_path):
    """Return a function that writes the experiment with its mischief."""

    def write(question, replications):
        (tmp_path / "small.yaml").write_text(EXPERIMENT.format(question=question, replications=replications))
        return tmp_path

    return write


def test_sudden_deaths_leave_no_trace_in_the_results(small):
    """Six kills of the whole process group, with two workers, at different depths: then the tables of a run that was left alone."""
    folder = small("sleep", 10)
    for n in (0, 3, 8, 15, 22, 30):
        assert kill_when(folder, "killed", n, jobs=2) == -signal.SIGKILL
    assert 30 <= kept(folder, "killed") < 40

    run = Path(finish(folder, "killed", 1)[-1])
    assert len(list(run.parent.glob("*-*"))) == 1
    assert verify(run) == []
    assert not [path for path in run.rglob("*") if path.name.startswith(".")]
    assert same_results(run, Path(finish(folder, "alone", 1)[-1]))


def test_ctrl_c_in_the_terminal_stops_everyone_and_keeps_what_is_finished(small):
    """SIGINT goes to parent and workers alike; only the parent answers."""
    folder = small("sleep", 10)
    assert kill_when(folder, "stopped", 5, jobs=2, by=signal.SIGINT) != 0

    run = next((folder / "stopped/small").glob("*-*"))
    assert '"status": "interrupted"' in (run / "manifest.json").read_text()
    before = kept(folder, "stopped")
    assert 5 <= before < 40
    assert finish(folder, "stopped", 1)[-1] == str(run)
    assert f"{40 - before} replications in" in (run / "run.log").read_text()


def test_what_kills_its_worker_twice_is_given_up_by_name(small):
    """Replication 1 of every cell kills its process; the innocent ones that ran beside it are finished."""
    *failures, run = finish(small("die", 2), "out", 2)

    assert failures == [f"{cell} 1 its worker process was killed twice (out of memory?)" for cell in CELLS]
    assert len(list((Path(run) / "cells").iterdir())) == 4
    assert verify(Path(run)) == []
    assert '"status": "failed"' in (Path(run) / "manifest.json").read_text()


def test_two_runners_of_one_plan_do_no_harm(small):
    """No lock: both may compute the same replication, and both write the same bytes."""
    folder = small("sleep", 4)
    first, second = start(folder, "both", 1), start(folder, "both", 1)
    ends = [process.communicate(timeout=100) for process in (first, second)]

    assert [process.returncode for process in (first, second)] == [0, 0], ends
    alone = Path(finish(folder, "alone", 1)[-1])
    for stdout, _ in ends:
        run = Path(stdout.splitlines()[-1])
        assert verify(run) == []
        assert same_results(run, alone)
