"""Hub → CSP region → DSP → SMI and user: places with finite capacity, shared with the existing load (S1-18, S1-19; docs/model.md section 7).

Almost every second of almost every day serves all who come. Those seconds are counts. Only in *busy* slots do messages get names, an order and a queue.
Each stage works through its own stretch of seconds, later by the latencies before it, so a latency alone delays nobody and costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.estate.estate import Estate
from sim.kernels.ledgers import NOT_YET
from sim.kernels.queues import REFUSED, WAITING, allowance, busy_slots, count_by_server, members, message_ranks, serve, spread_ranks, taken
from sim.network.flows import DONE, MOVING, QUEUED, RUN, TRAVEL, UNIT, Flow, Late, by_slot_and_rank, joined, runs_of, travel_rows, units_of
from sim.recorder import VERSION_REPORT, Recorder

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario


class Network:
    """The stages of *scenario* and everything under way in them.

    *user_of* gives the responsible user, uint8, of each sender row of a group; it is asked for only where there is a `user` stage.
    """

    def __init__(self, scenario: Scenario, estate: Estate, recorder: Recorder, rank_key: np.uint64, user_of: Callable[[int], NDArray[Any]]) -> None:
        self._stages, self._estate, self._recorder, self._rank_key, self._user_of = scenario.network, estate, recorder, rank_key, user_of
        self.horizon_s: int = recorder.horizon_s
        self._warm_up_s: int = recorder.warm_up_s
        self._before = [0]
        for stage in self._stages:
            self._before.append(self._before[-1] + stage.latency)
        self._n_open = sum(stage.stage != "user" for stage in self._stages)  # stages up to the SMI's door
        self.latency_s = self._before[self._n_open]
        self._kinds = recorder.kinds
        self._named = len(self._kinds) - 1
        self._targets = [scenario.traffic.kinds[kind].target for kind in self._kinds[:-1]] + [scenario.reporting.target]
        self._levels = [self._levels_of(stage.priority) for stage in self._stages]
        self._travel = np.zeros(0, TRAVEL)
        self._runs = [np.zeros(0, RUN) for _ in range(self._n_open + 1)]
        self._queues: dict[tuple[int, int, int], NDArray[Any]] = {}

    def _levels_of(self, priority: Sequence[str]) -> NDArray[Any]:
        """Return the queue of each kind: those listed in order, the rest in the last."""
        return np.array([priority.index(kind) if kind in priority else len(priority) for kind in self._kinds])

    # -- one interval ---------------------------------------------------------------------------------------------------------------------------

    def carry(self, flows: Sequence[Flow], anonymous: NDArray[Any], start_s: int, stop_s: int) -> list[Late]:
        """Move everything through [start, stop): set each flow's *deliver* and return the earlier reports whose end is now known.

        *anonymous* int32: regions × kinds × seconds, what enters of the existing load; it is used up.
        """
        self._count_entries(flows, anonymous, start_s)
        for k in range(len(self._stages)):
            self._pass_stage(k, flows, anonymous, start_s, stop_s)
        self._arrive_on_time(flows, anonymous, start_s, stop_s)
        return self._tell(flows, stop_s)

    def _count_entries(self, flows: Sequence[Flow], anonymous: NDArray[Any], start_s: int) -> None:
        skip = max(0, self._warm_up_s - start_s)
        for flow in flows:
            self._recorder.entered[VERSION_REPORT] += int(flow.counts[skip:].sum())
        for i, kind in enumerate(self._kinds[: anonymous.shape[1]]):
            self._recorder.entered[kind] += int(anonymous[:, i, skip:].sum())

    def _servers(self, k: int) -> int:
        return {"csp": len(self._estate.regions), "dsp": 1, "user": len(self._recorder.stages[k].servers)}[self._stages[k].stage]

    def _pass_stage(self, k: int, flows: Sequence[Flow], anonymous: NDArray[Any], start_s: int, stop_s: int) -> None:
        first = min(start_s + self._before[k], self.horizon_s)
        n_slots = min(stop_s + self._before[k], self.horizon_s) - first
        name = self._stages[k].stage
        by_user = self._counts_by_user(flows, start_s, n_slots, self._servers(k)) if name == "user" else None
        moving = np.flatnonzero((self._travel["stage"] == k) & (self._travel["state"] == MOVING) & (self._travel["at"] < first + n_slots))
        server_of = self._server_of(name, moving)
        for server in range(self._servers(k)):
            mine = [flow for flow in flows if name != "csp" or self._estate.senders[flow.group].region == server]
            regions = slice(server, server + 1) if name == "csp" else slice(None)
            known = anonymous[regions, :, :n_slots] if name != "user" else anonymous[:0, :, :n_slots]
            named = by_user[server] if by_user is not None else np.sum([f.counts[:n_slots] for f in mine], axis=0, dtype=np.int32)
            named = np.broadcast_to(named, n_slots)
            self._pass_server(k, server, first, start_s, mine, known, named, moving[server_of == server], regions)

    def _server_of(self, name: str, handles: NDArray[Any]) -> NDArray[Any]:
        groups, rows = self._travel["group"][handles], self._travel["row"][handles]
        out = np.zeros(len(handles), np.int64)
        for group in np.unique(groups) if name != "dsp" else ():
            chosen = groups == group
            out[chosen] = self._user_of(int(group))[rows[chosen]] if name == "user" else self._estate.senders[group].region
        return out

    def _counts_by_user(self, flows: Sequence[Flow], start_s: int, n_slots: int, n_users: int) -> NDArray[Any]:
        counts = np.zeros((n_users, n_slots), np.int32)
        for flow in flows:
            count_by_server(flow.leave, start_s, self._user_of(flow.group), flow.row, flow.explicit, counts)
        return counts

    # -- one server -----------------------------------------------------------------------------------------------------------------------------

    def _pass_server(
        self, k: int, server: int, first: int, start_s: int, flows: Sequence[Flow], known: NDArray[Any], named: NDArray[Any], moving: NDArray[Any],
        regions: slice,
    ) -> None:
        """Serve one server for the slots from *first*: *known* and *named* are the on-time counts, *moving* the named messages that come late."""
        n_slots, stage, record = len(named), self._stages[k], self._recorder
        runs = self._take_runs(k, first + n_slots, regions)
        late = np.zeros(n_slots, np.int64)
        late += np.bincount(self._travel["at"][moving] - first, minlength=n_slots)
        np.add.at(late, runs["slot"] - first, runs["n"])
        self._record_arrivals(k, server, first, known, named, moving, runs)
        queued = {level: q for level in range(len(stage.priority) + 1) if len(q := self._queues.get((k, server, level), np.zeros(0, UNIT)))}
        busy, allowed = np.zeros(n_slots, np.bool_), np.zeros(0, np.int64)
        if stage.capacity is not None:
            allowed = allowance(stage.capacity.numerator, stage.capacity.denominator, first, first + n_slots)
            busy = busy_slots(named + known.sum(axis=(0, 1), dtype=np.int64) + late, allowed, sum(map(len, queued.values())))
        self._record_undelayed(k, server, start_s, known, named, busy)
        idle_runs, idle_moving = ~busy[runs["slot"] - first], ~busy[self._travel["at"][moving] - first]
        self._onward_runs(k, server, units_of(runs[idle_runs]), np.repeat(runs["slot"][idle_runs], runs["n"][idle_runs]))
        self._onward_named(k, server, moving[idle_moving], self._travel["at"][moving[idle_moving]])
        if busy.any():
            runs = joined(self._explicit_runs(known, busy, start_s, first, regions), runs[~idle_runs])
            handles = np.concatenate([self._explicit_named(k, server, flows, busy, start_s, first), moving[~idle_moving]])
            self._serve(k, server, first, allowed, runs, handles)
        elif stage.capacity is not None:
            record.waited(k, server, first, np.zeros(n_slots, np.int64))

    def _take_runs(self, k: int, until_s: int, regions: slice) -> NDArray[Any]:
        """Remove and return the runs that reach stage *k* before *until_s* from *regions*."""
        if k >= self._n_open:
            return np.zeros(0, RUN)
        runs = self._runs[k]
        due = runs["slot"] < until_s
        if regions.start is not None:
            due &= runs["region"] == regions.start
        self._runs[k] = runs[~due]
        return runs[due]

    def _record_arrivals(
        self, k: int, server: int, first: int, known: NDArray[Any], named: NDArray[Any], moving: NDArray[Any], runs: NDArray[Any]
    ) -> None:
        record = self._recorder
        for kind in range(known.shape[1]):
            record.arrivals(k, server, kind, first, known[:, kind].sum(axis=0, dtype=np.int32))
            mine = runs[runs["kind"] == kind]
            record.arrivals_at(k, server, kind, mine["slot"], mine["n"])
        record.arrivals(k, server, self._named, first, named + np.bincount(self._travel["at"][moving] - first, minlength=len(named)))

    def _record_undelayed(self, k: int, server: int, start_s: int, known: NDArray[Any], named: NDArray[Any], busy: NDArray[Any]) -> None:
        """Count those who pass in the second they come: on time so far (second i left at start + i), in a slot that is not busy."""
        counted = ~busy
        counted[: max(0, self._warm_up_s - start_s)] = False
        for kind in range(known.shape[1]):
            self._recorder.undelayed(k, server, kind, int(known[:, kind][:, counted].sum()))
        self._recorder.undelayed(k, server, self._named, int(named[counted].sum()))

    def _explicit_runs(self, known: NDArray[Any], busy: NDArray[Any], start_s: int, first: int, regions: slice) -> NDArray[Any]:
        """Turn the on-time counts of busy slots into runs, and take them out of the counts."""
        seconds = np.flatnonzero(busy)
        region, kind, at = np.nonzero(known[:, :, seconds])
        runs = np.zeros(len(at), RUN)
        runs["region"], runs["kind"], runs["n"] = region + (regions.start or 0), kind, known[region, kind, seconds[at]]
        runs["origin"], runs["slot"] = start_s + seconds[at], first + seconds[at]
        known[:, :, seconds] = 0
        return runs

    def _explicit_named(self, k: int, server: int, flows: Sequence[Flow], busy: NDArray[Any], start_s: int, first: int) -> NDArray[Any]:
        """Give the on-time messages of busy slots a row of their own; return the handles."""
        new = []
        for flow in flows:
            explicit = flow.explicit
            if self._stages[k].stage == "user":  # only this user's
                explicit = flow.explicit | (self._user_of(flow.group)[flow.row] != server)
            positions = members(flow.leave, start_s, busy, explicit)
            flow.explicit[positions] = True
            flow.counts -= np.bincount(flow.leave[positions] - start_s, minlength=len(flow.counts)).astype(np.int32)
            rows = travel_rows(flow, positions, k, flow.leave[positions] + np.int32(first - start_s))
            if k >= self._n_open:
                rows["deliver"] = flow.leave[positions] + np.int32(self.latency_s)
                self._written(rows["leave"], rows["deliver"])
            new.append(rows)
        start = len(self._travel)
        self._travel = joined(self._travel, *new)
        return np.arange(start, len(self._travel))

    def _serve(self, k: int, server: int, first: int, allowed: NDArray[Any], runs: NDArray[Any], handles: NDArray[Any]) -> None:
        """Put everyone in a busy slot in order and serve them, one queue after the other."""
        units = self._in_order(runs, handles)
        waiting, left = np.zeros(len(allowed), np.int64), allowed.copy()
        stage = self._stages[k]
        for level in range(len(stage.priority) + 1):
            before = self._queues.get((k, server, level), np.zeros(0, UNIT))
            mine = units if not stage.priority else taken(units, np.flatnonzero(self._levels[k][units["kind"]] == level))
            queue = joined(before, mine)
            departs = serve(queue["slot"], len(before), left, -1 if stage.buffer is None else stage.buffer, first, waiting)
            self._queues[k, server, level] = taken(queue, np.flatnonzero(departs == WAITING))
            self._depart(k, server, queue, departs)
        self._recorder.waited(k, server, first, waiting)

    def _in_order(self, runs: NDArray[Any], handles: NDArray[Any]) -> NDArray[Any]:
        """Return the units of *runs* and *handles* by arrival slot, rank, and the rule for ties."""
        runs = runs[np.lexsort((runs["origin"], runs["kind"], runs["region"]))]
        handles = self._by_sender(handles)
        group, row, leave = (self._travel[name][handles] for name in ("group", "row", "leave"))
        named = np.zeros(len(handles), UNIT)
        named["handle"], named["kind"], named["origin"], named["slot"] = handles, self._named, leave, self._travel["at"][handles]
        place, index = np.zeros(len(handles), np.int64), np.zeros(len(handles), np.uint32)
        for number in np.unique(group):
            chosen, senders = group == number, self._estate.senders[number]
            place[chosen], index[chosen] = senders.place, senders.index[row[chosen]]
        units = joined(units_of(runs), named)
        rank = np.concatenate([spread_ranks(runs["n"]), message_ranks(self._rank_key, place, index, leave)])
        in_order: NDArray[Any] = taken(units, by_slot_and_rank(units, rank))
        return in_order

    def _by_sender(self, handles: NDArray[Any]) -> NDArray[Any]:
        """Return *handles* by sender, and of one sender by second and cause; they mostly come so."""
        sender = (self._travel["group"][handles].astype(np.int64) << 32) | self._travel["row"][handles]
        if np.all(sender[1:] > sender[:-1]):
            return handles
        return handles[np.lexsort((self._travel["cause"][handles], self._travel["leave"][handles], sender))]

    # -- leaving a stage ------------------------------------------------------------------------------------------------------------------------

    def _depart(self, k: int, server: int, units: NDArray[Any], departs: NDArray[Any]) -> None:
        """Send on who was served, refuse who was refused, mark who waits."""
        anonymous, served = units["handle"] < 0, departs >= 0
        chosen = anonymous & served
        self._onward_runs(k, server, taken(units, np.flatnonzero(chosen)), departs[chosen])
        chosen = ~anonymous & served
        self._onward_named(k, server, units["handle"][chosen], departs[chosen])
        self._travel["state"][units["handle"][~anonymous & (departs == WAITING)]] = QUEUED
        refused = departs == REFUSED
        handles = units["handle"][refused & ~anonymous]
        self._travel["state"][handles], self._travel["deliver"][handles] = DONE, REFUSED
        for kind in np.unique(units["kind"][refused]):
            n = int(np.count_nonzero(refused & (units["kind"] == kind) & (units["origin"] >= self._warm_up_s)))
            self._recorder.fates[self._kinds[kind], "refused", self._stages[k].stage] += n
            self._recorder.late[self._kinds[kind]] += n

    def _onward_runs(self, k: int, server: int, units: NDArray[Any], departs: NDArray[Any]) -> None:
        """Send anonymous *units* on; the last stage before the SMI's door is their end."""
        if not len(units):
            return
        measured = units["origin"] >= self._warm_up_s
        for kind in np.unique(units["kind"]):
            chosen = measured & (units["kind"] == kind)
            self._recorder.delayed(k, server, int(kind), (departs - units["slot"])[chosen])
        arrives = departs + np.int32(self._stages[k].latency)
        self._runs[k + 1] = joined(self._runs[k + 1], runs_of(units, arrives))

    def _onward_named(self, k: int, server: int, handles: NDArray[Any], departs: NDArray[Any]) -> None:
        """Send the named messages *handles* on from stage *k*."""
        travel, leave = self._travel, self._travel["leave"][handles]
        self._recorder.delayed(k, server, self._named, (departs - travel["at"][handles])[leave >= self._warm_up_s])
        arrives = departs + np.int32(self._stages[k].latency)
        travel["at"][handles], travel["stage"][handles] = arrives, k + 1
        travel["state"][handles] = MOVING if k + 1 < len(self._stages) else DONE
        if k + 1 == self._n_open:
            travel["deliver"][handles] = arrives
            self._written(leave, arrives)

    def _written(self, leave: NDArray[Any], arrives: NDArray[Any]) -> None:
        """Count the named messages that reach the SMI's door before the horizon."""
        chosen = (leave >= self._warm_up_s) & (arrives < self.horizon_s)
        self._recorder.arrived_each(VERSION_REPORT, (arrives - leave)[chosen], self._targets[self._named])

    # -- the end of an interval -------------------------------------------------------------------------------------------------------------------

    def _arrive_on_time(self, flows: Sequence[Flow], anonymous: NDArray[Any], start_s: int, stop_s: int) -> None:
        """Count those who were never delayed, and the runs at the SMI's door; keep a name for reports that are written after *stop_s*."""
        measured = slice(max(0, self._warm_up_s - start_s), max(0, self.horizon_s - self.latency_s - start_s))
        for kind in range(anonymous.shape[1]):
            self._recorder.arrived(self._kinds[kind], self.latency_s, self._targets[kind], int(anonymous[:, kind, measured].sum()))
            self._still_travelling(kind, self._cut_off(anonymous[:, kind], measured.stop, start_s))
        arrived, self._runs[-1] = self._runs[-1], np.zeros(0, RUN)
        arrived = arrived[arrived["origin"] >= self._warm_up_s]
        in_time = arrived["slot"] < self.horizon_s
        for kind in np.unique(arrived["kind"]):
            chosen = arrived[in_time & (arrived["kind"] == kind)]
            self._recorder.arrived_each(self._kinds[kind], np.repeat(chosen["slot"] - chosen["origin"], chosen["n"]), self._targets[kind])
            self._still_travelling(int(kind), arrived[~in_time & (arrived["kind"] == kind)])
        after = np.zeros(stop_s - start_s, np.bool_)
        after[max(0, stop_s - start_s - self.latency_s) :] = self.latency_s > 0
        for flow in flows:
            self._recorder.arrived(VERSION_REPORT, self.latency_s, self._targets[self._named], int(flow.counts[measured].sum()))
            if self.latency_s:
                tail = members(flow.leave, start_s, after, flow.explicit)
                rows = travel_rows(flow, tail, self._n_open, flow.leave[tail] + np.int32(self.latency_s))
                rows["deliver"], rows["state"] = rows["at"], DONE
                self._travel = joined(self._travel, rows)

    def _cut_off(self, counts: NDArray[Any], first: int, start_s: int) -> NDArray[Any]:
        """Return as runs the on-time *counts* from second *first* on, which a latency carries past the horizon."""
        region, at = np.nonzero(counts[:, first:])
        runs = np.zeros(len(at), RUN)
        runs["origin"], runs["n"] = start_s + first + at, counts[region, first + at]
        return runs[runs["origin"] >= self._warm_up_s]

    def _still_travelling(self, kind: int, runs: NDArray[Any]) -> None:
        """Count anonymous *runs* that the horizon cuts off."""
        n = int(runs["n"].sum())
        if n:
            self._recorder.fates[self._kinds[kind], "in_flight", ""] += n
            self._recorder.late[self._kinds[kind]] += int(runs["n"][self.horizon_s - runs["origin"] > self._targets[kind]].sum())

    def _tell(self, flows: Sequence[Flow], stop_s: int) -> list[Late]:
        """Hand over what the ledgers may know by *stop_s*, and forget the messages that are over."""
        travel = self._travel
        if not len(travel):
            return []
        known = ~travel["told"] & (travel["deliver"] < stop_s)
        for flow in flows:
            mine = travel[(travel["group"] == flow.group) & (travel["position"] >= 0)]
            if len(mine):
                flow.deliver = flow.leave + np.int32(self.latency_s)
                flow.deliver[mine["position"]] = np.where(mine["deliver"] < stop_s, mine["deliver"], NOT_YET)
        old = travel[known & (travel["position"] < 0)]
        old = old[np.lexsort((old["cause"], old["leave"], old["row"], old["group"]))]
        late = [Late(int(g), *(np.ascontiguousarray(old[name][old["group"] == g]) for name in ("row", "leave", "deliver"))) for g in np.unique(old["group"])]
        travel["told"] |= known
        travel["position"] = -1
        keep = ~(travel["told"] & (travel["state"] == DONE))
        renumbered = np.cumsum(keep) - 1
        for queue in self._queues.values():
            named = queue["handle"] >= 0
            queue["handle"][named] = renumbered[queue["handle"][named]]
        self._travel = taken(travel, np.flatnonzero(keep))
        return late

    def close(self) -> None:
        """Count what is still under way at the horizon."""
        travel = self._travel
        under_way = travel[~travel["told"] & (travel["leave"] >= self._warm_up_s)]
        self._recorder.fates[VERSION_REPORT, "in_flight", ""] += len(under_way)
        self._recorder.late[VERSION_REPORT] += int(np.count_nonzero(self.horizon_s - under_way["leave"] > self._targets[self._named]))
        units = joined(np.zeros(0, UNIT), *self._queues.values())
        waiting = units[(units["handle"] < 0) & (units["origin"] >= self._warm_up_s)]
        left = [runs_of(waiting, waiting["slot"]), *(runs[runs["origin"] >= self._warm_up_s] for runs in self._runs)]
        for runs in left:
            for kind in np.unique(runs["kind"]):
                self._still_travelling(int(kind), runs[runs["kind"] == kind])
