"""Commands that take a scenario: run, check, plan."""

from __future__ import annotations

from dataclasses import asdict
from math import inf
from pathlib import Path
from signal import SIGTERM, default_int_handler, signal
from typing import TYPE_CHECKING, Any

import click

from sim.cli.options import Asked, takes_scenario
from sim.cli.reading import write_report
from sim.cli.words import BAD, FAILED, TOO_BIG, columns, number, say, say_json, tell
from sim.scenario.experiments import Experiment
from sim.scenario.faults import Fault, ScenarioError

if TYPE_CHECKING:
    from sim.experiment import Needs, Outcome, Plan
    from sim.scenario.schema import Scenario


@click.command()
@click.argument("file")
@click.option("--again", is_flag=True, help="Run it although it was run before and is sound.")
@takes_scenario
def run(file: str, again: bool, asked: Asked) -> None:
    """Run a scenario or an experiment: everything it declares. The same command takes up what was
    interrupted.
    """
    from sim.experiment import Options, done_before, execute, misfit
    from sim.experiment.asked import source_of

    plan, need = _planned(file, asked)
    if asked.verbose:
        tell(_plan_text(plan, need))
    source = source_of(file, asked.changes)
    too_big = misfit(need, asked.out)
    if too_big and (again or done_before(plan, asked.out, source) is None):
        _stop(too_big)
    # A cluster that wants its machine back is answered as Ctrl-C is.
    signal(SIGTERM, default_int_handler)
    said: list[str] = []
    options = Options(asked.jobs, asked.quiet, asked.backend, again)

    def then(run: Path) -> None:
        said.append(_reported(run))

    outcome = execute(plan, asked.out, source, options, then=then)
    if outcome.reused:
        _say_found(outcome.path)
        said = said or [_answered(outcome.path)]
    if said:
        _say_outcome(outcome, said[0], asked)
    if outcome.failures:
        _stop_for_failures(outcome, len(plan.tasks))


def _planned(file: str, asked: Asked) -> tuple[Plan, Needs]:
    from sim.experiment import needs, planned
    from sim.scenario.load import load

    plan = planned(load(file, asked.changes), asked.engine, yes=asked.yes)
    return plan, needs(plan, asked.jobs)


def _stop(too_big: str) -> None:
    """Say why the plan is *too_big* for this machine, and stop."""
    tell(too_big)
    raise click.exceptions.Exit(TOO_BIG)


def _stop_for_failures(outcome: Outcome, n: int) -> None:
    """Name what failed of the *n* replications, and stop."""
    rows = [(failure.cell, failure.replication, failure.cause) for failure in outcome.failures]
    kept = "the rest is kept, and the same command tries these again:"
    tell(f"{len(rows)} of {n} replications failed; {kept}")
    tell(columns([("cell", "replication", "cause"), *rows]))
    raise click.exceptions.Exit(FAILED)


def _reported(run: Path) -> str:
    """Write the report of *run* and return its answer, both of one reading."""
    from sim.report import answer
    from sim.report.study import Study

    study = Study(run)
    write_report(run, study)
    return answer(study)


def _answered(run: Path) -> str:
    """Return the answer of *run*, whose report is there."""
    from sim.report import answer

    return answer(run)


def _say_found(run: Path) -> None:
    """Say that *run*, which was there, is the answer."""
    told = "this was run before and is sound, so it is not run again (--again runs it)"
    tell(f"{told}: {run}")


def _say_outcome(outcome: Outcome, answer: str, asked: Asked) -> None:
    """Print the answer, and where the rest is."""
    from sim.metrics.results import Results

    results = Results(outcome.path)
    if asked.as_json:
        manifest = results.manifest
        told = {
            "status": manifest["status"],
            "failures": manifest["failures"],
            "warnings": manifest["warnings"],
            "summary": _rows(results),
        }
        say_json({"report": str(results.report_path), "results": str(outcome.path), **told})
        return
    say(answer)
    if precision := results.manifest["precision"]:
        say(precision)
    say(f"report: {results.report_path}\nresults: {outcome.path}")
    if asked.verbose:
        for warning in results.manifest["warnings"]:
            tell(f"warning: {warning}")


def _rows(results: Any) -> list[dict[str, Any]]:
    """Return the summary's rows, with None for a half-width that is not a number, and "inf" for a
    value that was never reached: JSON has neither.
    """
    summary = results.summary
    rows = summary.astype(object).where(summary.notna(), None)
    return list(rows.replace({inf: "inf"}).to_dict("records"))


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@takes_scenario
def check(files: tuple[str, ...], asked: Asked) -> None:
    """Check scenarios and experiments, every cell of them; name all faults of each file.

    Of a sound file it is noted what differs from the base, what has no effect in it, what cannot
    happen in it, and what has come to mean something else since it was written.
    """
    from sim.scenario.load import load
    from sim.scenario.meanings import changed_meanings
    from sim.scenario.notes import notes_of

    found: dict[str, tuple[Fault, ...]] = {}
    meanings: dict[str, list[Fault]] = {}
    notes: dict[str, tuple[str, ...]] = {}
    for file in files:
        try:
            worlds = _worlds(load(file, asked.changes), yes=asked.yes)
            found[file] = ()
            meanings[file] = changed_meanings(file)
            notes[file] = notes_of(worlds)
        except ScenarioError as problem:
            found[file] = problem.faults
    if asked.as_json:
        say_json(
            [
                {
                    "file": file,
                    "faults": [asdict(fault) for fault in faults],
                    "meanings": [asdict(note) for note in meanings.get(file, [])],
                    "notes": notes.get(file, ()),
                }
                for file, faults in found.items()
            ]
        )
    for file, faults in found.items():
        for fault in faults:
            tell(fault)
        if not faults and not asked.as_json:
            for meaning in meanings[file]:
                tell(f"{meaning} (a note: it is read as today)")
            for note in notes[file]:
                tell(f"{file}: note: {note}")
            say(f"{file}: sound")
    if any(found.values()):
        raise click.exceptions.Exit(BAD)


def _worlds(loaded: Scenario | Experiment, *, yes: bool) -> list[Scenario]:
    """Return the world of each cell of *loaded*; raises `ScenarioError`. Only an experiment speaks
    of metrics, which take half a second to load.
    """
    if not isinstance(loaded, Experiment):
        return [loaded]
    from sim.experiment.aims import sound_cells

    return [cell.scenario for cell in sound_cells(loaded, yes=yes)]


@click.command()
@click.argument("file")
@takes_scenario
def plan(file: str, asked: Asked) -> None:
    """Say what `run` would do, and what it takes of time, memory and disk; run nothing."""
    from sim.experiment import misfit

    planned, need = _planned(file, asked)
    if asked.as_json:
        about = {
            "name": planned.name,
            "cells": len(planned.cells),
            "replications": len(planned.tasks),
        }
        say_json({**about, "plan": planned.hash, **asdict(need), "notes": planned.notes})
    else:
        say(_plan_text(planned, need))
    if too_big := misfit(need, asked.out):
        _stop(too_big)


def _halves(planned: Plan) -> str:
    """Say how many more there are at half the size."""
    from sim.experiment import halved

    half = halved(planned)
    return "" if half is None else f"; {len(half.tasks)} more at half the size"


def _at_most(planned: Plan, need: Needs) -> str:
    """Return what a plan that replicates to a precision may come to."""
    from sim.experiment.progress import clock

    return (
        f" to begin with, {clock(need.most_seconds)} if every cell takes {planned.most}"
        " replications"
        if planned.targets
        else ""
    )


def _at_first(need: Needs) -> str:
    """Return what a plan takes more the first time; where nothing can be kept, each time."""
    from sim.experiment.progress import clock
    from sim.kernels.compiled import kept_in

    if not need.compiling:
        return ""
    when = "this first time" if kept_in() is not None else "each time"
    return f"; {when} {clock(need.compiling)} more, to compile"


def _plan_text(planned: Plan, need: Needs) -> str:
    from sim.experiment.progress import clock

    rows = [
        ("plan", planned.name),
        ("cells", str(len(planned.cells))),
        ("replications", f"{len(planned.tasks)}, {need.jobs} at once{_halves(planned)}"),
        ("device-years", number(need.device_years)),
        ("alerts", number(need.alerts)),
        ("time", f"about {clock(need.seconds)}{_at_most(planned, need)}{_at_first(need)}"),
        ("memory", f"about {need.memory / 1e9:.2g} GB"),
        ("disk", f"about {need.disk / 1e6:.2g} MB"),
    ]
    return "\n".join([columns(rows), *(f"note: {note}" for note in planned.notes)])
