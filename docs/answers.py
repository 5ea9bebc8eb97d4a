"""Run shipped worlds and write what they answer to `results/answers`, one file each:
`python docs/answers.py policies mp105`. Pages quote these files, and a test holds them to it.

The first line of a file tells the worlds it is of, so that it is known to be old once they change.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ANSWERS = ROOT / "results" / "answers"
sys.path.insert(0, str(ROOT))


def worlds_of(name: str) -> str:
    """Return a digest of every world of the shipped file *name*, as resolved today."""
    from sim.scenario.design import cells
    from sim.scenario.load import load, resolved

    texts = [resolved(cell.scenario) for cell in cells(load(name))]
    return sha256("\n".join(texts).encode()).hexdigest()


def text_of(name: str) -> str:
    """Return what the shipped file *name* answers, with every table of its report."""
    import sim
    from sim.report import answer, findings

    run = sim.run(name, out=ROOT / "results")  # one that is finished is not run again
    more = [grid.text() for grid in findings(run).grids if grid.page_only]
    return "\n\n".join([f"worlds {worlds_of(name)}", answer(run), *more]) + "\n"


if __name__ == "__main__":
    ANSWERS.mkdir(exist_ok=True)
    for asked in sys.argv[1:]:
        (ANSWERS / f"{asked}.txt").write_text(text_of(asked), encoding="utf-8", newline="\n")
