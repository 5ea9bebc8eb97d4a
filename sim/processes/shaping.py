"""What devices and hubs do to their messages before the first attempt (S1-19; docs/model.md section 10): rows, first losses, and the hub's own buffer.

Each row sees the messages of one sender and kind in order of time. A message put off past the end of an interval waits before the next row for the interval
into which it falls; so the length of intervals changes nothing. Who is never put off, and meets no row and no broken link, is not handled at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.estate.estate import place
from sim.kernels import keeping, reports
from sim.kernels import shaping as kernel
from sim.kernels.draws import threshold
from sim.kernels.links import Links, any_down, since
from sim.kernels.shaping import OUTGOING
from sim.mitigations import MITIGATIONS
from sim.network.flows import Flow
from sim.planning.sizes import VERSION_REPORT
from sim.words import Fate, MessageCause, Overflow

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario
    from sim.world import World

ENDED_AT: Final = {  # what ends a message before its first attempt, and at which stage
    Fate.EXPIRED: "",
    Fate.LOST: "",
    Fate.CONSOLIDATED: "hub",
    Fate.THROTTLED: "device",
    Fate.REFUSED: "hub",
}
_NOBODY: Final = np.zeros(0, OUTGOING)


@dataclass(slots=True)
class Source:
    """Those of one *place* who raise messages of one *kind* (its position and *name*), and those messages that have not left yet.

    *group* is their position in `estate.senders` (-1 for alerts); *premises* uint32 their premises numbers; *rows* (stage, number there, row) are for this
    kind. *waiting* holds the messages put off, before each row and before the hub's door; *memory* what each row remembers; *kept* what hubs keep until a
    release. *tally* int64 counts messages raised, and by fate; *stopped* int64 by row those it stopped and put off; *han_n* those past the device's rows.
    *new_kept* and *dropped* are for the ledgers: reports of this interval that stay at their hubs, and those of earlier ones that were dropped there.
    *ended* is for a trace.
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
    kept: NDArray[Any] = field(default_factory=lambda: _NOBODY)
    new_kept: NDArray[Any] = field(default_factory=lambda: _NOBODY)
    dropped: NDArray[Any] = field(default_factory=lambda: _NOBODY)
    ended: list[NDArray[Any]] = field(default_factory=list)
    han_n: int = 0

    def __post_init__(self) -> None:
        self.waiting = [_NOBODY for _ in range(len(self.rows) + 1)]
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
    """Return (stage, number there, row) of the rows of device and hub that messages of *kind* meet, in order."""
    return tuple(
        (stage.stage, number, row)
        for name in ("device", "hub")
        for stage in scenario.network
        if stage.stage == name
        for number, row in enumerate(stage.mitigations)
        if row.kind != "retry" and (not row.kinds or kind in row.kinds) and not (kind == VERSION_REPORT and MITIGATIONS[row.kind].for_alerts)
    )


def dark_until(world: World, source: Source) -> NDArray[Any]:
    """Return when each premises of the region has its hub back, int32; nothing where there is no darkness, or none that would stop these messages."""
    return world.estate.dark_until_s[source.region][: 0 if source.last_gasp else None]


def entered(
    world: World, source: Source, stream: str, row: NDArray[Any], raised: NDArray[Any], occasion: NDArray[Any], cause: int, loss: float, start_s: int,
    counts: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (row, leave) of the messages that leave as they are raised, and count them by second; *row* and *raised* are used up."""
    whole = kernel.packed(row, raised, occasion, int(cause), world.warm_up_s, np.zeros(kernel.N_TALLY, np.int64)) if world.trace is not None else _NOBODY
    left: tuple[NDArray[Any], NDArray[Any]] = reports.enter(
        world.key(stream), source.place, source.premises, row, occasion, raised, world.estate.reach[source.region], dark_until(world, source), start_s,
        np.uint64(threshold(loss)), world.warm_up_s, counts, source.tally, whole["fate"],
    )
    _remember(world, source, whole)
    return left


def flow(source: Source, row: NDArray[Any], leave: NDArray[Any], cause: NDArray[Any] | int, counts: NDArray[Any]) -> Flow:
    """Return messages that leave as they are raised."""
    return Flow(source.kind, source.group, source.region, source.place, source.premises, row, leave, leave, leave, cause, counts)


def shaped(world: World, source: Source, messages: NDArray[Any], start_s: int, stop_s: int) -> Flow:
    """Take the *messages* raised in [start, stop), and those that wait, through the rows and the hub's door."""
    for k, (stage, _, row) in enumerate(source.rows):
        due = _due(world, source, k, messages, stop_s)
        if stage == "hub" and (k == 0 or source.rows[k - 1][0] == "device"):
            _cross_han(world, source, due, start_s)
        put_off, before = _apply(world, source, k, row, due, start_s, stop_s), source.tally.copy()
        _remember(world, source, due)
        messages, later, held = kernel.parted(due, stop_s, True, world.warm_up_s, source.tally)
        source.stopped[k] += int((source.tally - before).sum()), put_off
        source.waiting[k] = kernel.merged(source.waiting[k], held)
        source.waiting[k + 1] = kernel.merged(source.waiting[k + 1], later)
    due = _due(world, source, len(source.rows), messages, stop_s)
    if not any(stage == "hub" for stage, _, _ in source.rows):
        _cross_han(world, source, due, start_s)
    return _through_the_door(world, source, due, start_s, stop_s)


def _due(world: World, source: Source, k: int, messages: NDArray[Any], stop_s: int) -> NDArray[Any]:
    """Return *messages* and those that waited before row *k* until this interval."""
    now, source.waiting[k], _ = kernel.parted(source.waiting[k], stop_s, False, world.warm_up_s, source.tally)
    due: NDArray[Any] = kernel.merged(now, messages)
    return due


def _cross_han(world: World, source: Source, due: NDArray[Any], start_s: int) -> None:
    """Count those who come to the hub: not those whom a batch held before."""
    source.han_n += int(np.count_nonzero((due["raised"] >= world.warm_up_s) & (due["t"] >= start_s)))


def _apply(world: World, source: Source, k: int, row: Any, due: NDArray[Any], start_s: int, stop_s: int) -> int:
    """Let *row* look at the messages *due*; return how many it puts off."""
    memory, index, measure_s, n = source.memory, source.premises, world.warm_up_s, len(source.premises)
    if row.kind == "jitter":
        return int(kernel.hold_back(due, world.key("row.jitter"), source.place, index, row.window, measure_s))
    if row.kind == "batch":
        return int(kernel.gather(due, world.key("row.batch"), source.hub_place, index, row.period, start_s, stop_s, world.horizon_s, measure_s))
    if row.kind == "hold_down":
        dark = world.estate.dark_until_s[source.region]
        if not len(dark):
            return 0
        return int(kernel.keep_silent(
            due, world.key("row.hold_down"), source.hub_place, index, row.time, row.spread, dark, world.progress.lit_s[source.region], measure_s
        ))
    if memory[k] is None:
        empty = np.full(n, -1, np.int64 if row.kind == "token_bucket" else np.int32)
        memory[k] = (empty, np.zeros(0, np.int32), np.zeros(0, np.int32))
    if row.kind == "token_bucket":
        return int(kernel.spend(due, row.every, row.burst, memory[k][0]))
    if row.kind == "dedupe":
        return int(kernel.drop_repeats(due, row.window, memory[k][0]))
    passed, seen_row, seen_s = memory[k]
    memory[k] = (passed, *kernel.suppress(due, seen_row, seen_s, row.threshold, row.window, row.forward_period, stop_s, passed))
    return 0


def _through_the_door(world: World, source: Source, due: NDArray[Any], start_s: int, stop_s: int) -> Flow:
    """Make the messages *due*: they end, are kept, or leave; and so do those that were kept until now."""
    dark, region = dark_until(world, source), source.region
    loss = threshold(world.scenario.reporting.loss) if source.name == VERSION_REPORT else 0
    kernel.send(
        due, world.key("report.loss"), world.key("change.loss"), source.place, source.premises, world.estate.reach[region], dark, np.uint64(loss)
    )
    _remember(world, source, due)
    leaving, _, _ = kernel.parted(due, stop_s, False, world.warm_up_s, source.tally)
    source.new_kept = source.dropped = _NOBODY
    if any_down(source.links, region, start_s, stop_s) or len(source.kept):
        leaving = _past_the_link(world, source, leaving, start_s, stop_s)
    counts, one_cause = np.zeros(stop_s - start_s, np.int32), source.group < 0
    row, leave, made, raised, cause = kernel.columns(leaving, start_s, not len(source.links.start), one_cause, counts)
    return Flow(source.kind, source.group, region, source.place, source.premises, row, leave, made, raised, MessageCause.ALERT if one_cause else cause, counts)


def _past_the_link(world: World, source: Source, leaving: NDArray[Any], start_s: int, stop_s: int) -> NDArray[Any]:
    """Return those who leave in the interval, by sender and second made; the hubs keep the others, as far as they can."""
    hub = next((stage for stage in world.scenario.network if stage.stage == "hub"), None)
    links = since(source.links, start_s, source.region)
    keeping.find_links(leaving, links, source.region, source.premises, hub is not None and hub.buffer is not None)
    _remember(world, source, leaving)
    at_once, kept = keeping.kept_apart(leaving, world.warm_up_s, source.tally)
    source.new_kept = kept[kept["t"] >= stop_s]
    both = keeping.joined_by_release(source.kept, kept)
    released, source.kept, _ = kernel.parted(both, stop_s, False, world.warm_up_s, source.tally)
    if not len(released):
        return np.asarray(at_once)
    _drop(world, source, released)
    keeping.expire_in_the_dark(released, source.premises, dark_until(world, source))
    _remember(world, source, released)
    source.dropped = released[(released["fate"] != Fate.IN_FLIGHT) & (released["made"] < start_s)]
    released, _, _ = kernel.parted(released, stop_s, False, world.warm_up_s, source.tally)
    return np.asarray(keeping.by_made(at_once, released))


def _drop(world: World, source: Source, kept: NDArray[Any]) -> None:
    """Write into *kept* what a full buffer did to them."""
    hub = next(stage for stage in world.scenario.network if stage.stage == "hub")
    keeping.overflow(kept, hub.buffer, Overflow.of(hub.overflow or "drop_newest"))


def _remember(world: World, source: Source, messages: NDArray[Any]) -> None:
    """Keep those who have just ended, where somebody asks."""
    if world.trace is not None:
        source.ended.append(messages[(messages["fate"] != Fate.IN_FLIGHT) & (messages["fate"] != kernel.HELD)])


# -- the accounts -----------------------------------------------------------------------------------------------------------------------------------


def close(world: World, sources: Sequence[Source]) -> None:
    """Count what ended before its first attempt, and what has not left by the horizon."""
    for source in sources:
        if len(source.kept):
            _drop(world, source, source.kept)
        _remember(world, source, source.kept)
        under_way, late, _ = kernel.parted(source.kept, world.horizon_s, False, world.warm_up_s, source.tally)
        under_way = np.concatenate([under_way, late, *source.waiting])
        fates, rows = world.recorder.fates, world.recorder.rows
        fates[source.name, "in_flight", ""] += int(np.count_nonzero(under_way["raised"] >= world.warm_up_s))
        for fate, stage in ENDED_AT.items():
            fates[source.name, fate.word, stage] += int(source.tally[fate])
        for (stage, number, row), (n_stopped, n_put_off) in zip(source.rows, source.stopped.tolist(), strict=True):
            if n_stopped or n_put_off:
                count = rows[stage, number, row.kind, source.name]
                count[0], count[1] = count[0] + n_stopped, count[1] + n_put_off
        if world.trace is not None:
            source.ended.append(under_way)
            for ended in source.ended:
                _tell(world, source, ended)


def _tell(world: World, source: Source, messages: NDArray[Any]) -> None:
    """Write *messages* that never left into the trace."""
    region, slot = world.estate.regions[source.region], source.place % 8
    columns = (source.premises[messages["row"]], messages["raised"], messages["cause"], messages["fate"])
    for index, raised, cause, fate in zip(*(column.tolist() for column in columns), strict=True):
        assert world.trace is not None
        end = Fate(fate).word, ENDED_AT.get(Fate(fate), "")
        world.trace.messages.append((source.name, region, slot, index, raised, MessageCause(cause).word, *end, -1))
