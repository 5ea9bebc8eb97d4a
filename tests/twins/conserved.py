"""Conservation in the worlds that both engines agree on, measured from their first second."""

from __future__ import annotations

from collections.abc import Callable

from sim.run import replicate
from sim.scenario.schema import Scenario
from sim.tables import Tables, Trace

Told = tuple[Tables, Trace]


def without_warm_up(scenario: Scenario) -> Scenario:
    """Return the same world, measured from its first second."""
    window = scenario.window
    whole = {"warm_up": 0, "length": window.warm_up + window.length}
    return scenario.model_copy(update={"window": window.model_copy(update=whole)})


def hold(check: Callable[[Scenario, Tables, Trace], None], scenario: Scenario, told: Told) -> None:
    """Hold *scenario*, of which the twin has *told*, to *check*; where it has a warm-up, which
    takes what is under way apart from what is counted, the same world without.
    """
    if scenario.window.warm_up:
        scenario, trace = without_warm_up(scenario), Trace([], [])
        told = replicate(scenario, 0, trace=trace), trace
    check(scenario, *told)
