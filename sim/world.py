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
    from sim.life.living import Life
    from sim.scenario.schema import Scenario

Process = Iterator[Event]
_Result = TypeVar("_Result")


@dataclass(slots=True)
class Progress:
    """How far the columns have been taken: everything before *since_s* has happened; *release* is
    the national release now going out (0: none).

    *pending* holds, by group of senders, the reports of changes that wait to leave: (row, changed,
    leave). *scratch* is room for a group's timed reports. *lit_s* int32 is, by region and premises,
    when the dark spell before the latest ended (0: there was none), where hubs hold their messages
    down after it. *sources* are those who raise messages and what makes their alerts
    (`sim.processes.sources`), once they have been looked up.
    """

    since_s: int
    release: int
    pending: dict[int, tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]
    scratch: dict[int, tuple[NDArray[Any], ...]]
    lit_s: tuple[NDArray[Any], ...]
    sources: list[Any] | None


def lit_s(scenario: Scenario, estate: Estate) -> tuple[NDArray[Any], ...]:
    """Return `Progress.lit_s` at second 0: empty where no hub holds its messages down."""
    is_kept = any(
        row.kind == "hold_down" for stage in scenario.network for row in stage.mitigations
    )
    return tuple(np.zeros(n if is_kept else 0, np.int32) for n in estate.n_premises)


@dataclass(frozen=True, slots=True)
class World:
    """What exists and happens in one replication.

    *tally* int64: reports raised, and those that ended before their first attempt
    (`sim.kernels.shaping`), by group of senders; *han_writes* int64: version changes told to hubs,
    by slice. Both after warm-up.
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
    life: Life | None

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
        """Return *work* of each number in order, on several threads where there are; the work of
        two numbers shares nothing it writes.
        """
        return list(map(work, numbers)) if self.pool is None else list(self.pool.map(work, numbers))
