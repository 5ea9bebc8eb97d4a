"""The verb of the Python interface: `sim.run`."""

from __future__ import annotations

from pathlib import Path

from sim.cli.reading import write_report
from sim.experiment import Options, Source, execute, planned
from sim.experiment.asked import sets_of, source_of
from sim.metrics.results import Results
from sim.scenario.experiments import Experiment
from sim.scenario.load import load
from sim.scenario.schema import Scenario


class CellsFailed(Exception):
    """Some replications failed; *results* holds the rest."""

    def __init__(self, sentence: str, results: Results) -> None:
        super().__init__(sentence)
        self.results = results


def run(
    scenario: str | Path | Scenario | Experiment,
    *,
    out: str | Path = "results",
    jobs: int | None = None,
    engine: str = "fast",
    quiet: bool = True,
    report: bool = True,
    again: bool = False,
    **changes: object,
) -> Results:
    """Run a scenario or an experiment, write its report, and return its results: those that are
    there, if it was run before by this program here and is sound, unless *again*.

    *scenario* is a shipped name, a path, or what `sim.load` returned. *changes* set leaves, with
    units as in a file: by dotted path (`**{"reporting.period": "7 d"}`), by path with `__` for the
    dots (`reporting__period="7 d"`), or by a leaf's name alone where only one has it
    (`premises=20_000`); for something already loaded give them to `sim.load` instead. Raises
    `ScenarioError`, `sim.store.StoreError`, and `CellsFailed`, which has the results of the rest.
    """
    if isinstance(scenario, Scenario | Experiment):
        if changes:
            raise TypeError("changes are for a name or a path; what is loaded stays as it is")
        loaded, source = scenario, Source("", "", ())
    else:
        sets = sets_of(changes)
        loaded, source = load(scenario, sets), source_of(scenario, sets)
    plan = planned(loaded, engine)
    options = Options(jobs, quiet, again=again)
    outcome = execute(plan, Path(out), source, options, then=write_report if report else None)
    results = Results(outcome.path)
    if outcome.failures:
        first = outcome.failures[0]
        raise CellsFailed(
            f"{len(outcome.failures)} replications failed, first cell {first.cell}, replication"
            f" {first.replication}: {first.cause}",
            results,
        )
    return results
