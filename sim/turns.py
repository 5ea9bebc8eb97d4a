"""Who acts first within one second: a decision, not an accident of scheduling (DESIGN 4).

Processes never call `env.timeout`; they wait for their turn. SimPy orders events of one time by
priority, so a turn is simply that priority.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import simpy
from simpy.events import Event


class Turn(IntEnum):
    """The order within a second: the world breaks, somebody decides (campaigns, releases), devices
    change, messages move, records are written, auditors look.
    """

    FAULTS = 2
    DECISIONS = 3
    CHANGES = 4
    TRAFFIC = 5
    RECORDS = 6
    AUDITS = 7


class _Pause(Event):
    """An event that fires after a delay, in its turn."""

    def __init__(self, env: simpy.Environment, delay_s: int, turn: Turn) -> None:
        super().__init__(env)
        self._ok = True
        self._value: Any = None
        env.schedule(self, priority=turn, delay=delay_s)  # type: ignore[arg-type]


def pause(env: simpy.Environment, delay_s: int, turn: Turn) -> Event:
    """Return an event *delay_s* >= 0 whole seconds from now, in *turn*."""
    if delay_s < 0:
        raise ValueError(f"a wait is not negative: {delay_s}")
    return _Pause(env, delay_s, turn)
