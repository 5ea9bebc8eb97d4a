"""Experiments: cells × replications under common random numbers, in parallel and resumable, and what they say together."""

from sim.experiment.execute import Interrupted, Outcome, Source, execute
from sim.experiment.plan import Needs, Plan, misfit, needs, planned
from sim.experiment.work import Failure

__all__ = ["Failure", "Interrupted", "Needs", "Outcome", "Plan", "Source", "execute", "misfit", "needs", "planned"]
