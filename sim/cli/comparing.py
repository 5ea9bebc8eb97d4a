"""`sim compare`: two runs of any age, the leaves of their scenarios that differ, and their metrics.
"""

from __future__ import annotations

from collections import Counter
from math import isfinite, isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sim.cli.options import Output, takes_output
from sim.cli.reading import found_run
from sim.cli.words import columns, number, say, say_json

if TYPE_CHECKING:
    from sim.metrics.comparing import Apart
    from sim.metrics.results import Results

_HEADS: Final = (
    "cell",
    "metric",
    "group",
    "RUN",
    "OTHER",
    "OTHER - RUN",
    "95 % interval",
    "unit",
    "by",
    "variance",
    "p, Holm",
    "speaks of",
)


@click.command()
@click.argument("run")
@click.argument("other")
@takes_output
def compare(run: str, other: str, asked: Output) -> None:
    """Compare two runs, of any age: the leaves of their scenarios that differ, and their metrics,
    cell by cell of the same name.
    """
    from sim.metrics.comparing import compared, matched
    from sim.metrics.results import Results

    mine, theirs = Results(found_run(run, asked.out)), Results(found_run(other, asked.out))
    leaves = _leaves_apart(mine.path, theirs.path)
    rows, notes = compared(mine, theirs, every_group=asked.verbose or asked.as_json)
    rows = [row for row in rows if row.difference.value or row.difference.half_width > 0]
    notes = _programs(mine, theirs) + notes
    if asked.as_json:
        say_json({"leaves": leaves, "metrics": [_as_json(row) for row in rows], "notes": notes})
        return
    if not matched(dict.fromkeys(mine.cells), dict.fromkeys(theirs.cells)):
        say("nothing to compare: no cell has one name in both")
        for note in notes:
            say(note)
        return
    say(
        columns([("cell", "leaf", "RUN", "OTHER"), *(list(leaf.values()) for leaf in leaves)])
        if leaves
        else "no leaf differs"
    )
    say(columns([_HEADS, *map(_as_text, rows)]) if rows else "no metric differs")
    for note in notes + _reading(rows):
        say(note)


def _programs(mine: Results, theirs: Results) -> list[str]:
    """Return that the runs were made by different programs or packages, where they were: that alone
    may move a number.
    """
    from sim.experiment.environment import of_manifest, unlike

    made = []
    tools: list[dict[str, Any]] = []
    for manifest in (mine.manifest, theirs.manifest):
        known = of_manifest(manifest)
        made.append((manifest["version"], known["source"][:8], manifest["engine"]))
        tools.append({name: known[name] for name in ("python", "packages") if name in known})
    told = ["version {}, source {}, engine {}".format(*each) for each in made]
    notes = [f"Made by different programs: RUN by {told[0]}, OTHER by {told[1]}."]
    apart = "; ".join(unlike(tools[1], tools[0], ("by OTHER", "by RUN")))
    return notes * (made[0] != made[1]) + [f"Made with different packages: {apart}."] * bool(apart)


def _leaves_apart(mine: Path, theirs: Path) -> list[dict[str, str]]:
    """Return the leaves that differ between the resolved scenarios of cells that belong together,
    read without asking what today's scenarios may hold.
    """
    from sim.metrics.comparing import matched
    from sim.scenario.leaves import leaves_of
    from sim.scenario.tree import parse
    from sim.store import read_file

    worlds: list[dict[str, str]] = []
    for run in (mine, theirs):
        texts = read_file(run / "resolved.yaml").decode("utf-8").split("---\n")
        worlds.append(
            {
                head.removeprefix("# cell: "): text
                for head, _, text in (each.partition("\n") for each in texts)
            }
        )
    rows = []
    for cell, other in matched(*worlds).items():
        if worlds[0][cell] != worlds[1][other]:
            ours, its = (
                leaves_of(parse(text, "resolved.yaml")[0])
                for text in (worlds[0][cell], worlds[1][other])
            )
            apart = [
                leaf for leaf in dict.fromkeys([*ours, *its]) if ours.get(leaf) != its.get(leaf)
            ]
            rows += [
                {
                    "cell": cell,
                    "leaf": leaf,
                    "run": ours.get(leaf, "absent"),
                    "other": its.get(leaf, "absent"),
                }
                for leaf in apart
            ]
    return rows


def _as_json(row: Apart) -> dict[str, Any]:
    found = row.difference
    numbers = {
        "run": row.mine,
        "other": row.theirs,
        "difference": found.value,
        "half_width": found.half_width,
        "low": found.low,
        "high": found.high,
        "unpaired_half_width": found.unpaired_half_width,
        "variance_reduction": found.gain if row.paired else float("nan"),
        "p": found.p,
        "p_holm": found.p_holm,
    }
    told = {name: value if isfinite(value) else None for name, value in numbers.items()}
    how = {
        "n": found.n,
        "unit": found.unit,
        "paired": row.paired,
        "warning": found.warning,
        "condition": str(found.condition or ""),
    }
    return {"cell": row.cell, "metric": row.metric, "group": row.group, **told, **how}


def _as_text(row: Apart) -> list[object]:
    found = row.difference
    ends = f"{number(found.low)} to {number(found.high)}" if isfinite(found.half_width) else "-"
    gain = f"÷ {number(found.gain)}" if row.paired and isfinite(found.gain) else "-"
    p = (
        "-"
        if not isfinite(found.p_holm)
        else "< 0.001" if found.p_holm < 0.001 else f"{found.p_holm:.3f}"
    )
    by = "pairs" if row.paired else "unpaired"
    return [
        row.cell,
        row.metric,
        row.group,
        row.mine,
        row.theirs,
        _or_dash(found.value),
        ends,
        found.unit,
        by,
        gain,
        p,
        str(found.condition or ""),
    ]


def _reading(rows: list[Apart]) -> list[str]:
    """Return how to read the table, as far as it needs words."""
    told = [
        "Variance: what pairing by common luck divided it by. p, Holm: that of no difference,"
        " corrected for all metrics compared."
    ] * bool(rows)
    cautions = Counter(row.difference.warning for row in rows if row.difference.warning)
    return told + [
        f"Of {n} of {len(rows)} rows: {caution}." for caution, n in cautions.most_common()
    ]


def _or_dash(value: float) -> object:
    return "-" if isnan(value) else value
