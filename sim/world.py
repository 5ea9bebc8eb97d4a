"""The world: the handful that a process may touch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import simpy
from numpy.typing import NDArray
from simpy.events import Event

from sim.estate.estate import Estate
from sim.ledgers import Ledgers
from sim.network.network import Network
from sim.recorder import Recorder
from sim.streams import stream_key
from sim.tables import Trace
from sim.turns import Turn, pause

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

Process = Iterator[Event]
_Result = TypeVar("_Result")


@dataclass(slots=True)
class Progress:
    """How far the columns have been taken: everything before *since_s* has happened; *release* is the national release now going out (0: none).

    *pending* holds, by group of senders, the reports of changes that wait to leave: (row, changed, leave). *scratch* is room
    for a group's timed reports. *under_way* is for a trace: where in it the messages of (group, row, leave) stand that have not ended.
    """

    since_s: int
    release: int
    pending: dict[int, tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]
    scratch: dict[int, tuple[NDArray[Any], ...]]
    under_way: dict[tuple[int, int, int], list[int]]


@dataclass(frozen=True, slots=True)
class World:
    """What exists and happens in one replication.

    *tally* int64: reports sent, expired and lost, by group of senders; *han_writes* int64: version changes told to hubs, by slice. Both after warm-up.
    """

    env: simpy.Environment
    scenario: Scenario
    replication: int
    warm_up_s: int
    horizon_s: int
    estate: Estate
    network: Network
    ledgers: Ledgers
    recorder: Recorder
    tally: NDArray[Any]
    han_writes: NDArray[Any]
    progress: Progress
    pool: ThreadPoolExecutor | None
    batch_s: int
    trace: Trace | None

    @property
    def now_s(self) -> int:
        return int(self.env.now)

    def key(self, stream: str) -> np.uint64:
        """Return the key of *stream* in this replication."""
        return np.uint64(stream_key(self.scenario.seed, self.replication, stream))

    def wait(self, seconds: int, turn: Turn) -> Event:
        """Return an event *seconds* from now, in *turn*."""
        return pause(self.env, seconds, turn)

    def each(self, work: Callable[[int], _Result], numbers: Iterable[int]) -> list[_Result]:
        """Return *work* of each number in order, on several threads where there are; the work of two numbers shares nothing it writes."""
        return list(map(work, numbers)) if self.pool is None else list(self.pool.map(work, numbers))
