"""Do all that reads results, and bear witness to what was unpickled: `python witness.py FOLDER`
prints JSON.

A hook of the interpreter's cannot be taken off again, so this has a process of its own. It hears of
every global that a pickle names and of every file opened, whatever module asked.
"""

from __future__ import annotations

import json
import pickle
import shutil
import sys
from datetime import date
from pathlib import Path

FOUND: list[str] = []
OPENED: list[str] = []


def hear(event: str, arguments: tuple[object, ...]) -> None:
    """Note what pickles ask for, and which files are opened."""
    if event == "pickle.find_class":
        FOUND.append(".".join(map(str, arguments)))
    elif event == "open" and isinstance(arguments[0], str | Path):
        OPENED.append(str(arguments[0]))


sys.addaudithook(hear)

import mischief  # noqa: E402

import sim.cli  # noqa: E402
from sim.metrics.results import Results  # noqa: E402
from sim.report import answer, write  # noqa: E402
from sim.store import verify, vouch  # noqa: E402


def live(folder: Path) -> dict[str, bool]:
    """Run, resume, adopt, merge, measure, report, compare and verify; return which of it can be
    seen to have happened.
    """
    mischief.write_experiment(folder, "none", 2)
    with mischief.stand_in() as calls:
        run = mischief.carry_out(folder)
        lost, damaged = sorted((run / "cells").iterdir())[:2]
        shutil.rmtree(lost)
        (damaged / "days.parquet").write_bytes(b"PAR1")
        (run / "manifest.json").unlink()
        resumed = mischief.carry_out(folder) == run and len(calls) == 10
        mischief.write_experiment(folder, "none", 3)
        wider = mischief.carry_out(folder)
    page = write(wider)
    vouch(wider, [page])
    results = Results(wider)
    measured = len(results.values()) > len(results.summary) > 0
    said = answer(wider)
    try:
        sim.cli.main(["compare", str(run), str(wider)])
    except SystemExit as end:
        compared = not end.code
    return {
        "resumed": resumed,
        "adopted": len(calls) == 14,
        "measured": measured,
        "reported": page.stat().st_size > 10_000 and bool(said),
        "compared": compared,
        "sound": not any(finding for finding in verify(wider) if "figures" not in finding),
    }


if __name__ == "__main__":
    place = Path(sys.argv[1])
    happened = live(place)
    found = list(FOUND)
    # A pickle of our own, to see that it would have been heard.
    pickle.loads(pickle.dumps(date))  # noqa: S301
    read = sorted({Path(name).suffix for name in OPENED if name.startswith(str(place / "out"))})
    print(
        "\n"
        + json.dumps(
            {"happened": happened, "found": found, "hears": FOUND[len(found) :], "read": read}
        )
    )
