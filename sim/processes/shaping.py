"""What devices and hubs do to their messages before the first attempt (S1-19; docs/model.md section
10): rows, first losses, and the hub's own buffer.

Each row sees the messages of one sender and kind in order of time. A message put off past the end
of an interval waits before the next row for the interval into which it falls; so the length of
intervals changes nothing. Who is never put off, and meets no row and no broken link, is not handled
at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.kernels import keeping, reports
from sim.kernels import shaping as kernel
from sim.kernels.draws import threshold
from sim.kernels.links import any_down, since
from sim.network.flows import Flow
from sim.planning.sizes import VERSION_REPORT
from sim.processes.rows import NOBODY, Passage, Source, past
from sim.words import Fate, MessageCause, Overflow

if TYPE_CHECKING:
    from sim.world import World

ENDED_AT: Final = {  # what ends a message before its first attempt, and at which stage
    Fate.EXPIRED: "",
    Fate.LOST: "",
    Fate.CONSOLIDATED: "hub",
    Fate.THROTTLED: "device",
    Fate.REFUSED: "hub",
}


def dark_until(world: World, source: Source) -> NDArray[Any]:
    """Return when each premises of the region has its hub back, int32; nothing where there is no
    darkness, or none that would stop these messages.
    """
    return world.estate.dark_until_s[source.region][: 0 if source.last_gasp else None]


def entered(
    world: World,
    source: Source,
    stream: str,
    row: NDArray[Any],
    raised: NDArray[Any],
    occasion: NDArray[Any],
    cause: int,
    loss: float,
    start_s: int,
    counts: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (row, leave) of the messages that leave as they are raised, and count them by second;
    *row* and *raised* are used up.
    """
    whole = (
        kernel.packed(
            row, raised, occasion, int(cause), world.warm_up_s, np.zeros(kernel.N_TALLY, np.int64)
        )
        if world.trace is not None
        else NOBODY
    )
    left: tuple[NDArray[Any], NDArray[Any]] = reports.enter(
        world.key(stream),
        source.place,
        source.premises,
        row,
        occasion,
        raised,
        world.estate.reach[source.region],
        dark_until(world, source),
        start_s,
        np.uint64(threshold(loss)),
        world.warm_up_s,
        counts,
        source.tally,
        whole["fate"],
    )
    _remember(world, source, whole)
    return left


def flow(
    source: Source,
    row: NDArray[Any],
    leave: NDArray[Any],
    cause: NDArray[Any] | int,
    counts: NDArray[Any],
) -> Flow:
    """Return messages that leave as they are raised."""
    return Flow(
        source.kind,
        source.group,
        source.region,
        source.place,
        source.premises,
        row,
        leave,
        leave,
        leave,
        cause,
        counts,
    )


def shaped(world: World, source: Source, messages: NDArray[Any], start_s: int, stop_s: int) -> Flow:
    """Take the *messages* raised in [start, stop), and those that wait, through the rows and the
    hub's door.
    """
    here = Passage(world, source, start_s, stop_s)
    n_rows, stages = len(source.rows), [stage for stage, _, _ in source.rows]
    at_hub = stages.index("hub") if "hub" in stages else n_rows
    for k in range(n_rows):
        due = _due(here, k, messages)
        if k == at_hub:
            _cross_han(here, due)
        messages = _taken_past(here, k, due)
    due = _due(here, n_rows, messages)
    if at_hub == n_rows:
        _cross_han(here, due)
    return _through_the_door(here, due)


def _due(here: Passage, k: int, messages: NDArray[Any]) -> NDArray[Any]:
    """Return *messages* and those that waited before row *k* until this interval."""
    source = here.source
    now, source.waiting[k], _ = kernel.parted(
        source.waiting[k], here.stop_s, False, here.world.warm_up_s, source.tally
    )
    due: NDArray[Any] = kernel.merged(now, messages)
    return due


def _cross_han(here: Passage, due: NDArray[Any]) -> None:
    """Count those who come to the hub: not those whom a batch held before."""
    is_new = (due["raised"] >= here.world.warm_up_s) & (due["t"] >= here.start_s)
    here.source.han_n += int(np.count_nonzero(is_new))


def _taken_past(here: Passage, k: int, due: NDArray[Any]) -> NDArray[Any]:
    """Return those of the messages *due* at row *k* that go on in this interval."""
    source, waiting = here.source, here.source.waiting
    n_put_off = past(here, k, due)
    _remember(here.world, source, due)
    before = source.tally.copy()
    going, later, held = kernel.parted(due, here.stop_s, True, here.world.warm_up_s, source.tally)
    n_stopped = int((source.tally - before).sum())
    source.stopped[k] += n_stopped, n_put_off
    waiting[k] = kernel.merged(waiting[k], held)
    waiting[k + 1] = kernel.merged(waiting[k + 1], later)
    return np.asarray(going)


# -- the hub's door --------------------------------------------------------------------------------


def _through_the_door(here: Passage, due: NDArray[Any]) -> Flow:
    """Make the messages *due*: they end, are kept, or leave; and so do those that were kept until
    now.
    """
    world = here.world
    source = here.source
    start_s = here.start_s
    stop_s = here.stop_s
    dark, region = dark_until(world, source), source.region
    is_report = source.name == VERSION_REPORT
    loss = np.uint64(threshold(world.scenario.reporting.loss) if is_report else 0)
    keys = world.key("report.loss"), world.key("change.loss")
    at = source.place, source.premises
    kernel.send(due, *keys, *at, world.estate.reach[region], dark, loss)
    _remember(world, source, due)
    leaving, _, _ = kernel.parted(due, stop_s, False, world.warm_up_s, source.tally)
    source.new_kept = source.dropped = NOBODY
    if any_down(source.links, region, start_s, stop_s) or len(source.kept):
        leaving = _past_the_link(world, source, leaving, start_s, stop_s)
    counts, one_cause = np.zeros(stop_s - start_s, np.int32), source.group < 0
    has_no_links = not len(source.links.start)
    row, leave, made, raised, causes = kernel.columns(
        leaving, start_s, has_no_links, one_cause, counts
    )
    return Flow(
        source.kind, source.group, region, *at, row, leave, made, raised,
        MessageCause.ALERT if one_cause else causes, counts,
    )  # fmt: skip


def _past_the_link(
    world: World, source: Source, leaving: NDArray[Any], start_s: int, stop_s: int
) -> NDArray[Any]:
    """Return those who leave in the interval, by sender and second made; the hubs keep the others,
    as far as they can.
    """
    hub = next((stage for stage in world.scenario.network if stage.stage == "hub"), None)
    links = since(source.links, start_s, source.region)
    keeping.find_links(
        leaving, links, source.region, source.premises, hub is not None and hub.buffer is not None
    )
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
        source.ended.append(
            messages[(messages["fate"] != Fate.IN_FLIGHT) & (messages["fate"] != kernel.HELD)]
        )


# -- the accounts ----------------------------------------------------------------------------------


def close(world: World, sources: Sequence[Source]) -> None:
    """Count what ended before its first attempt, and what has not left by the horizon."""
    for source in sources:
        if len(source.kept):
            _drop(world, source, source.kept)
        _remember(world, source, source.kept)
        under_way, late, _ = kernel.parted(
            source.kept, world.horizon_s, False, world.warm_up_s, source.tally
        )
        under_way = np.concatenate([under_way, late, *source.waiting])
        fates, rows = world.recorder.fates, world.recorder.rows
        fates[source.name, "in_flight", ""] += int(
            np.count_nonzero(under_way["raised"] >= world.warm_up_s)
        )
        for fate, stage in ENDED_AT.items():
            fates[source.name, fate.word, stage] += int(source.tally[fate])
        for (stage, number, row), (n_stopped, n_put_off) in zip(
            source.rows, source.stopped.tolist(), strict=True
        ):
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
    columns = (
        source.premises[messages["row"]],
        messages["raised"],
        messages["cause"],
        messages["fate"],
    )
    for index, raised, cause, fate in zip(*(column.tolist() for column in columns), strict=True):
        assert world.trace is not None
        end = Fate(fate).word, ENDED_AT.get(Fate(fate), "")
        world.trace.messages.append(
            (source.name, region, slot, index, raised, MessageCause(cause).word, *end, -1)
        )
