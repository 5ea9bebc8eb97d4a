"""A simulator of Great Britain's smart-metering estate: a scenario in YAML goes in, a report with
intervals comes out.

    import sim
    results = sim.run("daily_version_report", premises=20_000)
    results.metric("dsp_alerts_per_s_peak", cell="hashed-ppmid")
    results.table("arrivals")

Names are loaded when first used, so that `import sim` costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any, Final

__version__ = "0.1.0"

_HOMES: Final = {
    "Estimate": "sim.metrics.estimates",
    "Experiment": "sim.scenario.experiments",
    "Results": "sim.metrics.results",
    "Scenario": "sim.scenario.schema",
    "ScenarioError": "sim.scenario.load",
    "load": "sim.scenario.load",
}
__all__ = ["Estimate", "Experiment", "Results", "Scenario", "ScenarioError", "load", "run"]


class _Run(ModuleType):
    """The module `sim.run`, which can also be called: `sim.run("cheapest_record")`."""

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return import_module("sim.cli.calling").run(*arguments, **keywords)


class _Package(ModuleType):
    """This package: `sim.run` is both the file that runs one replication and the verb that a user
    calls.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name == "run" and isinstance(value, ModuleType):
            value.__class__ = _Run
        super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name == "run":
        return import_module("sim.run")
    if name not in _HOMES:
        raise AttributeError(f"module 'sim' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__


sys.modules[__name__].__class__ = _Package
