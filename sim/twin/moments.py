"""Places within a second that lie between two turns: rows look, servers serve and records are
written after everything of the second has come to them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

import simpy
from simpy.events import Event

from sim.turns import Turn

T = TypeVar("T")

LOCKS: Final = Turn.FAULTS + 0.5  # clocks are locked after what happens to the power
# the first row of a device or hub; each later one comes a step after it
ROWS: Final = Turn.TRAFFIC + 0.01
ROW_STEP: Final = 0.001
MADE: Final = Turn.TRAFFIC + 0.15
SERVES: Final = {
    "cell": Turn.TRAFFIC + 0.2,
    "csp": Turn.TRAFFIC + 0.4,
    "dsp": Turn.TRAFFIC + 0.6,
    "user": Turn.RECORDS + 0.5,
}


class Moment(Event):
    """An event that fires after a delay in whole seconds, at a place within the second."""

    def __init__(self, env: simpy.Environment, delay_s: int, order: float) -> None:
        super().__init__(env)
        self._ok = True
        self._value: Any = None
        env.schedule(self, priority=order, delay=delay_s)  # type: ignore[arg-type]


class Gathering(Generic[T]):
    """Collects who comes within a second; at its place in that second *judge* hears of all of them,
    in *order*, and says what each is told.
    """

    def __init__(
        self,
        env: simpy.Environment,
        place: float,
        order: Callable[[T], Any],
        judge: Callable[[list[T]], list[Any]],
    ) -> None:
        self._env = env
        self._place = place
        self._order = order
        self._judge = judge
        self._came: list[tuple[T, Event]] = []

    def join(self, member: T) -> Event:
        """Let *member* wait for what it is told."""
        if not self._came:
            self._env.process(self._close())
        self._came.append((member, self._env.event()))
        return self._came[-1][1]

    def _close(self) -> Any:
        yield Moment(self._env, 0, self._place)
        came, self._came = sorted(self._came, key=lambda pair: self._order(pair[0])), []
        for (_, event), told in zip(came, self._judge([member for member, _ in came]), strict=True):
            event.succeed(told)
