"""Run an experiment with the stand-in engine and a stand-in report: `python driver.py
EXPERIMENT.yaml OUT JOBS [BACKEND]`. Killed at will.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# worker processes find the engine `standin` by its name
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import sim.experiment.pulse as pulse  # noqa: E402
from sim.experiment import Options, Source, execute, planned  # noqa: E402
from sim.experiment.plan import ENGINES  # noqa: E402
from sim.scenario.load import load  # noqa: E402
from sim.store import StoreError, vouch, write_file  # noqa: E402


def report(run):
    """Write a report of one sentence, and vouch for it."""
    write_file(run / "report.html", b"all is well\n")
    vouch(run, [run / "report.html"])


if __name__ == "__main__":
    # a shell's background job starts with Ctrl-C ignored; this one is to hear it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    file, out, jobs, backend = [*sys.argv[1:], "loky"][:4]
    ENGINES["fast"] = "standin"
    pulse.SILENCE_S = float(os.environ.get("SILENCE_S", pulse.SILENCE_S))
    try:
        how, plan = Options(int(jobs), backend=backend), planned(load(file), "fast")
        outcome = execute(plan, Path(out), Source("", "", ()), how, then=report)
    except StoreError as refusal:
        sys.exit(str(refusal))
    for failure in outcome.failures:
        print(failure.cell, failure.replication, failure.cause)
    print(outcome.path)
