"""What the rows of device and hub do to messages (S1-19; docs/model.md section 10): those who
raise them, and each kind's deed.

Each row sees the messages of one sender and kind in order of time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.estate.estate import place
from sim.kernels import shaping as kernel
from sim.kernels.links import Links
from sim.kernels.shaping import OUTGOING
from sim.mitigations import MITIGATIONS
from sim.planning.sizes import VERSION_REPORT

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario
    from sim.world import World

NOBODY: Final = np.zeros(0, OUTGOING)


@dataclass(slots=True)
class Source:
    """Those of one *place* who raise messages of one *kind* (its position and *name*), and those
    messages that have not left yet.

    *group* is their position in `estate.senders` (-1 for alerts); *premises* uint32 their premises
    numbers; *rows* (stage, number there, row) are for this kind. *waiting* holds the messages put
    off, before each row and before the hub's door; *memory* what each row remembers; *kept* what
    hubs keep until a release. *tally* int64 counts messages raised, and by fate; *stopped* int64 by
    row those it stopped and put off; *han_n* those past the device's rows. *new_kept* and *dropped*
    are for the ledgers: reports of this interval that stay at their hubs, and those of earlier ones
    that were dropped there. *ended* is for a trace.
    """

    kind: int
    name: str
    group: int
    region: int
    place: int
    premises: NDArray[Any]
    last_gasp: bool
    rows: tuple[tuple[str, int, Any], ...]
    links: Links
    tally: NDArray[Any]
    waiting: list[NDArray[Any]] = field(init=False)
    memory: list[Any] = field(init=False)
    stopped: NDArray[Any] = field(init=False)
    kept: NDArray[Any] = field(default_factory=lambda: NOBODY)
    new_kept: NDArray[Any] = field(default_factory=lambda: NOBODY)
    dropped: NDArray[Any] = field(default_factory=lambda: NOBODY)
    ended: list[NDArray[Any]] = field(default_factory=list)
    han_n: int = 0

    def __post_init__(self) -> None:
        self.waiting = [NOBODY for _ in range(len(self.rows) + 1)]
        self.memory = [None for _ in self.rows]
        self.stopped = np.zeros((len(self.rows), 2), np.int64)

    @property
    def is_plain(self) -> bool:
        """Whether all its messages leave when they are raised, or end then."""
        return not self.rows and not len(self.links.start)

    @property
    def hub_place(self) -> int:
        return place(self.region, 0)


def rows_for(scenario: Scenario, kind: str) -> tuple[tuple[str, int, Any], ...]:
    """Return (stage, number there, row) of the rows of device and hub that messages of *kind* meet,
    in order.
    """
    return tuple(
        (stage.stage, number, row)
        for name in ("device", "hub")
        for stage in scenario.network
        if stage.stage == name
        for number, row in enumerate(stage.mitigations)
        if row.kind != "retry"
        and (not row.kinds or kind in row.kinds)
        and not (kind == VERSION_REPORT and MITIGATIONS[row.kind].for_alerts)
    )


@dataclass(frozen=True, slots=True)
class Passage:
    """The seconds [*start_s*, *stop_s*) in which the messages of *source* are taken on."""

    world: World
    source: Source
    start_s: int
    stop_s: int


def past(here: Passage, k: int, due: NDArray[Any]) -> int:
    """Let row *k* look at the messages *due*, by its kind; return how many it puts off."""
    _, _, row = here.source.rows[k]
    return _ACTS[row.kind](here, k, row, due)


def _hold_back(here: Passage, k: int, row: Any, due: NDArray[Any]) -> int:
    world, source = here.world, here.source
    key = world.key("row.jitter")
    at = source.place, source.premises
    return int(kernel.hold_back(due, key, *at, row.window, world.warm_up_s))


def _gather(here: Passage, k: int, row: Any, due: NDArray[Any]) -> int:
    world, source = here.world, here.source
    key = world.key("row.batch")
    at = source.hub_place, source.premises
    seconds = here.start_s, here.stop_s, world.horizon_s, world.warm_up_s
    return int(kernel.gather(due, key, *at, row.period, *seconds))


def _keep_silent(here: Passage, k: int, row: Any, due: NDArray[Any]) -> int:
    world, source = here.world, here.source
    dark_until_s = world.estate.dark_until_s[source.region]
    if not len(dark_until_s):
        return 0
    key = world.key("row.hold_down")
    at = source.hub_place, source.premises
    lit_s = world.progress.lit_s[source.region]
    return int(
        kernel.keep_silent(
            due, key, *at, row.time, row.spread, dark_until_s, lit_s, world.warm_up_s
        )
    )


def _spend(here: Passage, k: int, row: Any, due: NDArray[Any]) -> int:
    spoken_for_s = _memory_of(here.source, k, np.int64)
    return int(kernel.spend(due, row.every, row.burst, spoken_for_s))


def _drop_repeats(here: Passage, k: int, row: Any, due: NDArray[Any]) -> int:
    passed_s = _memory_of(here.source, k, np.int32)
    return int(kernel.drop_repeats(due, row.window, passed_s))


def _suppress(here: Passage, k: int, row: Any, due: NDArray[Any]) -> int:
    memory = here.source.memory
    if memory[k] is None:
        nobody = np.zeros(0, np.int32)
        memory[k] = (_never(here.source, np.int32), nobody, nobody)
    passed_s, seen_row, seen_s = memory[k]
    limits = row.threshold, row.window, row.forward_period
    seen = kernel.suppress(due, seen_row, seen_s, *limits, here.stop_s, passed_s)
    memory[k] = (passed_s, *seen)
    return 0


def _memory_of(source: Source, k: int, dtype: type[np.signedinteger[Any]]) -> NDArray[Any]:
    """Return the second that row *k* remembers of each premises, -1 before there is one."""
    if source.memory[k] is None:
        source.memory[k] = _never(source, dtype)
    memory: NDArray[Any] = source.memory[k]
    return memory


def _never(source: Source, dtype: type[np.signedinteger[Any]]) -> NDArray[Any]:
    return np.full(len(source.premises), -1, dtype)


_ACTS: Final[dict[str, Callable[[Passage, int, Any, NDArray[Any]], int]]] = {
    "jitter": _hold_back,
    "token_bucket": _spend,
    "dedupe": _drop_repeats,
    "consolidate": _suppress,
    "batch": _gather,
    "hold_down": _keep_silent,
}
