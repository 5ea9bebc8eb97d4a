"""Experiments: cells × replications under common random numbers, in parallel and resumable, and
what they say together.
"""

from sim.experiment.attempts import Failure
from sim.experiment.costs import Needs, halved, misfit, needs
from sim.experiment.execute import Interrupted, Options, Outcome, done_before, execute
from sim.experiment.manifest import Source
from sim.experiment.plan import Plan, planned
from sim.experiment.reproduce import Reproduction, reproduce

__all__ = [
    "Failure", "Interrupted", "Needs", "Options", "Outcome", "Plan", "Reproduction", "Source",
    "done_before", "execute", "halved", "misfit", "needs", "planned", "reproduce",
]  # fmt: skip
