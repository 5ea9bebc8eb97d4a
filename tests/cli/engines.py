"""Engines that misbehave, for the command line to tell of."""

from __future__ import annotations

from importlib import import_module

from sim.scenario.schema import Scenario
from sim.tables import Tables

MISCHIEF: dict[str, type[BaseException]] = {}


def replicate(scenario: Scenario, replication: int) -> Tables:
    """Run the fast engine, but raise the mischief of the day in replication 1."""
    if MISCHIEF and (replication == 1 or "always" in MISCHIEF):
        raise MISCHIEF["error"]("no such world\x1b[2J")
    return import_module("sim.run").replicate(scenario, replication)
