"""Commands that take a run: report, verify, reproduce, explain."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sim.cli.options import Output, takes_output
from sim.cli.words import BAD, CORRUPT, say, say_json, tell

if TYPE_CHECKING:
    from sim.report.study import Study


def write_report(run: Path, study: Study | None = None) -> Path:
    """Write the report of *run*, which may have been read as a *study* already, and vouch for its
    files in the manifest.
    """
    from sim.report import write
    from sim.store import vouch

    report = write(study or run)
    vouch(run, [report, *sorted(path for path in (run / "figures").glob("*") if path.is_file())])
    return report


def found_run(run: str, out: Path) -> Path:
    """Return the folder of *run*; stops the program when it is missing, or anything that its report
    is made of is not as it was written.
    """
    from sim.store import REPORT, find_run, verify

    folder = find_run(run, out)
    if findings := verify(folder, but=REPORT):
        tell("\n".join(findings))
        raise click.exceptions.Exit(CORRUPT)
    return folder


@click.command()
@click.argument("run")
@takes_output
def report(run: str, asked: Output) -> None:
    """Write a run's report and figures again, from its folder alone."""
    path = write_report(found_run(run, asked.out))
    if asked.as_json:
        say_json({"report": str(path)})
    else:
        say(f"report: {path}")


@click.command()
@click.argument("run")
@takes_output
def verify(run: str, asked: Output) -> None:
    """Check every file of a run against the hash it was written with."""
    from sim.store import find_run, read_manifest
    from sim.store import verify as findings_of

    folder = find_run(run, asked.out)
    findings = findings_of(folder)
    if asked.as_json:
        say_json({"results": str(folder), "findings": findings})
    elif not findings:
        say(f"{folder}: {len(read_manifest(folder)['files'])} files, all as they were written")
    if findings:
        tell("\n".join(findings))
        raise click.exceptions.Exit(CORRUPT)


@click.command()
@click.argument("run")
@click.option(
    "--pick",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="Another number picks another replication.",
)
@takes_output
def reproduce(run: str, pick: int, asked: Output) -> None:
    """Run one replication of a run again, picked by luck, and compare every byte of its tables."""
    from sim.experiment import reproduce as again

    found = again(found_run(run, asked.out), pick)
    if asked.as_json:
        say_json(asdict(found))
    elif not found.differ:
        say(found)
    if found.differ:
        tell(found)
        raise click.exceptions.Exit(CORRUPT)


@click.command()
@click.argument("run")
@click.option(
    "--device",
    type=click.IntRange(0),
    required=True,
    metavar="N",
    help="Row number of the device, from 0.",
)
@click.option("--cell", metavar="CELL", help="Cell it lives in; by default the first.")
@click.option("--versus", metavar="CELL", help="Cell to compare its life with.")
@click.option(
    "--replication",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="R",
    help="Replication, from 0.",
)
@takes_output
def explain(
    run: str, device: int, cell: str | None, versus: str | None, replication: int, asked: Output
) -> None:
    """Tell one device's life, by the twin, at the same luck as in the run."""
    from sim.experiment.asked import worlds
    from sim.twin.story import tell as told

    known = worlds(found_run(run, asked.out))
    cell = cell or next(iter(known))
    for name in filter(None, (cell, versus)):
        if name not in known:
            tell(f"no cell {name}; there are {', '.join(known)}")
            raise click.exceptions.Exit(BAD)
        if replication >= (n := known[name].replications):
            tell(f"no replication {replication} of cell {name}; it has {n}, counted from 0")
            raise click.exceptions.Exit(BAD)
    try:
        text = told(
            known[cell],
            replication,
            device,
            versus=known[versus] if versus else None,
            labels=(cell, versus or ""),
        )
    except ValueError as nobody:
        tell(nobody)
        raise click.exceptions.Exit(BAD) from None
    if asked.as_json:
        say_json(
            {
                "device": device,
                "cell": cell,
                "versus": versus,
                "replication": replication,
                "text": text,
            }
        )
    else:
        say(text)
