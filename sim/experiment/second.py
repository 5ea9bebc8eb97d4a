"""A part of the estate, run again at half its size: does what it says turn with it?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sim.experiment.costs import halved
from sim.experiment.plan import ENGINES, Plan, Task
from sim.experiment.summary import measured_in, to_csv
from sim.experiment.work import Workers, work
from sim.store import adopt, clean, finished, log, read_cell, write_file
from sim.store.files import in_a_sentence

if TYPE_CHECKING:
    from sim.experiment.summary import Row

HALF: Final = "half"  # the folder of its replications, and, as half.csv, what was measured in them
HEADER: Final = ("cell", "metric", "group", "value")


def at_half_size(run: Path, plan: Plan, workers: Workers) -> None:
    """Run one replication of each cell of *plan* at half its size, where that is worth it, and
    write `half.csv` into *run*. What fails is told in the log and left out; no summary knows of it.
    """
    half = halved(plan)
    if half is None:
        return
    folder = run / HALF
    with in_a_sentence(folder):
        folder.mkdir(exist_ok=True)
    clean(folder)
    addresses = [task.address for task in half.tasks]
    adopt(folder, addresses, run.parent.glob(f"*/{HALF}"))
    done, _ = finished(folder, addresses)
    missing = [task for task in half.tasks if task.address not in done]
    log(run, f"at half the size: {len(missing)} replications, one of each cell")
    failures = work(folder, missing, ENGINES[plan.engine], workers, lambda task, seconds: None)
    lost = {failure.cell for failure in failures}
    for failure in failures:
        log(run, f"cell {failure.cell} at half its size failed: {failure.cause}")
    kept = (task for task in half.tasks if task.cell.name not in lost)
    write_file(
        run / f"{HALF}.csv", to_csv(HEADER, (row for task in kept for row in _rows(folder, task)))
    )


def _rows(folder: Path, task: Task) -> Iterator[Row]:
    """Yield every metric of the replication *task*."""
    measured = measured_in(read_cell(folder, task.address), task.cell.scenario)
    for (metric, group), value in sorted(measured.items()):
        yield task.cell.name, metric, group, value
