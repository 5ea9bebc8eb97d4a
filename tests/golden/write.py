"""Write the golden tables anew from the scenarios in this folder; `git diff tests/golden` then
shows what moved.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def tables_as_text(scenario: Path) -> str:
    """Return every table of the first replication of *scenario*, one after the other, as
    comma-separated text; of minutes and seconds only those after which somebody waited.
    """
    from sim.run import replicate
    from sim.scenario.load import load

    tables = replicate(load(scenario), 0)
    for name in ("timeline", "around_peaks"):
        tables[name] = tables[name].query("waiting_n > 0")
    return "\n".join(
        f"[{name}]\n" + table.to_csv(index=False, lineterminator="\n")
        for name, table in sorted(tables.items())
    )


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent.parent))
    for path in sorted(HERE.glob("*.yaml")):
        path.with_suffix(".csv").write_text(tables_as_text(path), encoding="utf-8", newline="\n")
