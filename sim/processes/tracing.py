"""Remember every message of a small world, so that the two engines can be compared one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sim.kernels.ledgers import NOT_YET
from sim.network.flows import Flow, Late
from sim.tables import Trace
from sim.world import World

CAUSES = ("timer", "change", "read")


def remember(world: World, trace: Trace, flows: Sequence[Flow], late: Mapping[int, Late]) -> None:
    """Add the interval's messages to *trace*, and set what became of earlier ones."""
    names, under_way = world.estate.regions, world.progress.under_way
    for arrived in late.values():
        for row, leave, deliver in zip(arrived.row.tolist(), arrived.leave.tolist(), arrived.deliver.tolist(), strict=True):
            position = under_way[arrived.group, row, leave].pop(0)
            trace.messages[position] = (*trace.messages[position][:5], *_end(deliver, world.horizon_s))
    for flow in flows:
        senders = world.estate.senders[flow.group]
        causes = [flow.cause] * len(flow.row) if isinstance(flow.cause, int) else flow.cause.tolist()
        written = flow.written_s(world.network.latency_s).tolist()
        for row, leave, cause, deliver in zip(flow.row.tolist(), flow.leave.tolist(), causes, written, strict=True):
            if deliver >= world.now_s:
                under_way.setdefault((flow.group, row, leave), []).append(len(trace.messages))
            where = (names[senders.region], senders.place % 8, int(senders.index[row]))
            trace.messages.append((*where, leave, CAUSES[cause], *_end(deliver, world.horizon_s)))


def _end(deliver: int, horizon_s: int) -> tuple[str, int]:
    """Return (fate, second) of a message: NOT_YET and whatever the horizon cuts off are in flight until something better is known."""
    if deliver < 0:
        return "refused", -1
    return ("in_flight", -1) if deliver == NOT_YET or deliver >= horizon_s else ("delivered", deliver)
