"""Hub → WAN cell → CSP region → DSP → SMI and user: places with finite capacity, shared with the
existing load (S1-18, S1-19; docs/model.md section 7).

Almost every second of almost every day serves all who come. Those seconds are counts. Only in
crowded or watched seconds do messages get names, an order and a queue; the kernels of
`sim.kernels.storm` take the seconds one after the other, whatever comes back acting in a later one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.estate.estate import Estate
from sim.kernels.book import Book
from sim.kernels.carrying import carried_over, under_way
from sim.kernels.crowding import crowd
from sim.kernels.links import Links
from sim.kernels.net import Net
from sim.kernels.queues import allowance
from sim.kernels.quiet import pass_quietly
from sim.kernels.storm import NEEDED, advance
from sim.kernels.traffic import (
    FLOW,
    MEMBER,
    ORIGIN,
    Leaving,
    count_by_user,
    scattered,
)
from sim.network.flows import Flow, Late
from sim.network.layout import Layout, watch_list
from sim.network.room import FIRST_ROOM, SHELF, grown, leave_behind, room_for, small_pool
from sim.network.telling import Telling
from sim.recorder import Recorder
from sim.tables import Trace
from sim.units import DAY_S
from sim.words import Mitigation, StageKind

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

STRETCH_S = 512  # seconds for which cells are counted at once, so that the counts stay in the cache


class Network:
    """The stages of *scenario* and everything under way in them.

    *users_of* gives the user of every premises of a region, uint8; it is asked only where users
    matter.
    """

    def __init__(
        self,
        scenario: Scenario,
        estate: Estate,
        recorder: Recorder,
        replication: int,
        links: Links,
        users_of: Callable[[int], NDArray[Any]],
        trace: Trace | None,
    ) -> None:
        self.layout = Layout(scenario, estate, recorder, replication)
        self._estate = estate
        self._recorder = recorder
        self._trace = trace
        self.horizon_s = recorder.horizon_s
        self._warm_up_s = recorder.warm_up_s
        self.latency_s = self.layout.latency_s
        user_of = np.zeros(0, np.uint8)
        if self.layout.has_stage("user") or self.layout.allocates:
            user_of = np.concatenate([users_of(region) for region in range(len(estate.regions))])
        self._setup = self.layout.setup(
            self.horizon_s, self._warm_up_s, recorder.targets, links, trace is not None, user_of
        )
        self._links = links
        self._rows = self.layout.protections()
        self._queues = self.layout.queues()
        comes_again = self.layout.puts_off or self.layout.retry is not None or len(links.start) > 0
        self._pool = small_pool(self.layout, comes_again)
        self._room = room_for(FIRST_ROOM, self.layout)
        named = SHELF.take("named")
        self._members = named.get("members", np.empty(0, MEMBER))
        self._origins = named.get("origins", np.empty(0, ORIGIN))
        self._carried = np.empty(0, ORIGIN)
        self._telling = Telling(self.layout, self._setup, estate, recorder, trace)

    # -- one interval ------------------------------------------------------------------------------

    def carry(
        self, flows: Sequence[Flow], anonymous: NDArray[Any], start_s: int, stop_s: int
    ) -> list[Late]:
        """Move everything through [start, stop): set each flow's *deliver* and return the earlier
        reports whose end is now known.

        *anonymous* int32: regions × kinds × seconds, what enters of the existing load; it is used
        up.
        """
        if (
            not self.layout.specs
            and not anonymous.size
            and self.layout.retry is None
            and self._trace is None
        ):
            self._straight_on(flows)
            return []
        flows = sorted(flows, key=lambda flow: (flow.region, flow.kind, flow.place))
        self._setup = self._setup._replace(stop_s=stop_s, day_start_s=start_s // DAY_S * DAY_S)
        if len(self._estate.dark_until_s[0]):
            self._setup = self._setup._replace(dark_until=np.concatenate(self._estate.dark_until_s))
        leaving = self._leaving(flows, anonymous, start_s, stop_s)
        self._recorder.attempt(leaving.measured)
        if (
            self.layout.has_stage("cell")
            or self._pool.heights[0].n_waiting > 0
            or leaving.busy.any()
        ):
            leaving = self._by_name(leaving, flows, start_s)
            book = self._recorder.book(
                self._on_time(flows, leaving.n_carried),
                len(self.layout.rows),
                *self._oldest(flows, start_s, stop_s),
            )
            self._advance(leaving, book, start_s, stop_s)
        else:
            book = self._recorder.book(np.zeros(0, np.int32), len(self.layout.rows), 0, 0)
            pass_quietly(self._setup, leaving, book, 0, stop_s - start_s)
        self._recorder.close(book, self.layout.row_names)
        return self._telling.tell(flows, leaving, book, self._pool, start_s, stop_s)

    def _straight_on(self, flows: Sequence[Flow]) -> None:
        """Let everybody of *flows* reach the SMI's door as they leave: there is no stage on the
        way, and no second is looked at.
        """
        for flow in flows:
            chosen = flow.raised >= self._warm_up_s
            raised, leave = flow.raised[chosen], flow.leave[chosen]
            self._recorder.attempts[flow.kind, :2] += len(raised)
            if flow.raised is flow.leave:
                self._recorder.arrived(flow.kind, 0, len(raised))
            else:
                self._recorder.arrived_each(flow.kind, leave - raised)

    def _leaving(
        self, flows: Sequence[Flow], anonymous: NDArray[Any], start_s: int, stop_s: int
    ) -> Leaving:
        """Return the counts of those who leave."""
        n_regions = len(self._estate.regions)
        n_kinds = len(self.layout.kinds)
        n_seconds = stop_s - start_s
        counts = np.zeros((n_regions, n_kinds, n_seconds), np.int32)
        counts[:, : self.layout.n_anonymous] = anonymous
        n_users = len(self.layout.user_names) if self._setup.has_users else 0
        by_user = np.zeros((n_users, n_kinds - self.layout.n_anonymous, n_seconds), np.int32)
        for flow in flows:
            counts[flow.region, flow.kind] += flow.counts
            if n_users:
                first = self._setup.premises_first[flow.region]
                kind = flow.kind - self.layout.n_anonymous
                count_by_user(
                    self._setup.user_of[first:],
                    flow.premises,
                    flow.row,
                    flow.leave,
                    start_s,
                    kind,
                    by_user,
                )
        early = max(0, min(self._warm_up_s - start_s, n_seconds))
        measured, by_user_measured = (self._measured(array, early) for array in (counts, by_user))
        for flow in flows:
            if flow.raised is not flow.leave and early < n_seconds + self._warm_up_s:
                self._measure_shaped(flow, measured, by_user_measured, start_s)
        total = counts[:, : self.layout.n_anonymous].copy()
        leaving = Leaving(
            start=start_s,
            counts=counts,
            measured=measured,
            total=total,
            by_user=by_user,
            by_user_measured=by_user_measured,
            crowded=np.zeros((n_regions, n_seconds), np.uint8),
            busiest=np.zeros((n_regions, n_seconds), np.int32),
            n_carried=len(self._carried),
            first=np.zeros(0, np.int64),
            members=np.zeros(0, MEMBER),
            origins=np.zeros(0, ORIGIN),
            flows=np.zeros(len(flows), FLOW),
            watched=self.layout.watched,
            busy=np.zeros(n_seconds, np.uint8),
        )
        leaving.busy[:] = self._busy(leaving, start_s, stop_s)
        return leaving

    @staticmethod
    def _measured(counts: NDArray[Any], early: int) -> NDArray[Any]:
        """Return a copy of *counts* without the first *early* seconds."""
        measured = counts.copy()
        measured[:, :, :early] = 0
        return measured

    def _measure_shaped(
        self, flow: Flow, measured: NDArray[Any], by_user: NDArray[Any], start_s: int
    ) -> None:
        """Count the messages of a flow that was put off by when they were raised, not by when they
        leave.
        """
        early = flow.raised < self._warm_up_s
        late = early & (flow.leave >= self._warm_up_s)
        np.subtract.at(measured[flow.region, flow.kind], flow.leave[late] - start_s, 1)
        if len(by_user):
            users = self._setup.user_of[
                self._setup.premises_first[flow.region]
                + flow.premises[flow.row[late]].astype(np.int64)
            ]
            np.subtract.at(
                by_user[:, flow.kind - self.layout.n_anonymous],
                (users, flow.leave[late] - start_s),
                1,
            )

    def _busy(self, leaving: Leaving, start_s: int, stop_s: int) -> NDArray[Any]:
        """Return bool, by second of the interval: whether anybody who leaves in it may need a name,
        though nobody waits; what cells make of it is not known yet.
        """
        n_seconds = stop_s - start_s
        if self.layout.counts_arrivals:
            return np.ones(n_seconds, np.bool_)
        stages = self._setup.stages
        busy = np.asarray(leaving.counts[:, self.layout.watched].any(axis=(0, 1)))
        for k in range(len(stages)):
            busy |= self._exceeds(k, leaving, start_s, n_seconds)
        for outage in self._setup.outages:
            k = int(np.searchsorted(stages["first"], outage["server"], "right")) - 1
            since = start_s + stages["before"][k]
            busy[max(0, outage["start"] - since) : max(0, outage["stop"] - since)] = True
        # Hubs put off their messages before they leave; of links that are down only anonymous ones
        # and retries learn on the way.
        if leaving.total.any() or self.layout.retry is not None:
            for _, seconds in self._strokes(start_s):
                busy[seconds] = True
        return busy

    def _strokes(self, start_s: int) -> Iterator[tuple[int, slice]]:
        """Yield region and seconds of each stroke during which links of it may be down, counted
        from *start_s*.
        """
        links = self._links
        ends = links.stop + links.spread
        for region, since, until in zip(links.region, links.start, ends, strict=True):
            yield int(region), slice(max(0, since - start_s), max(0, until - start_s))

    def _exceeds(self, k: int, leaving: Leaving, start_s: int, n_seconds: int) -> NDArray[Any]:
        """Return bool, by second: whether more comes to a server of stage *k* than its capacity, or
        a `shape`, allows.
        """
        stage, first_kind = self._setup.stages[k], 0
        out = np.zeros(n_seconds, np.bool_)
        if stage["what"] == StageKind.CELL:
            return out
        came = leaving.counts  # server × kind × second
        if stage["what"] == StageKind.USER:
            came, first_kind = leaving.by_user, self.layout.n_anonymous
        elif stage["what"] == StageKind.DSP:
            came = leaving.counts.sum(axis=0)[None]
        else:
            came = leaving.counts * ~self.layout.central[:, None]
        first_s = start_s + int(stage["before"])
        for v, by_kind in enumerate(came):
            for numerator, denominator, in_bytes in self._rates(k, v):
                sizes = self._setup.sizes[k, first_kind:]
                load = sizes @ by_kind if in_bytes else by_kind.sum(axis=0)
                out |= load > allowance(numerator, denominator, first_s, first_s + n_seconds)
        return out

    def _rates(self, k: int, v: int) -> list[tuple[int, int, bool]]:
        """Return (numerator, denominator, in bytes) of all that limits server *v* of stage *k*."""
        stage = self._setup.stages[k]
        limit = self._queues.limits[stage["first"] + v]
        rates = [limit[["numerator", "denominator", "in_bytes"]].item()]
        for i in range(stage["first_row"], stage["first_row"] + stage["n_rows"]):
            row = self._rows.rows[i, v]
            if row["what"] == Mitigation.SHAPE:
                rates.append((*row[["a", "b"]].item(), False))
        return [rate for rate in rates if rate[1]]

    def _by_name(self, leaving: Leaving, flows: Sequence[Flow], start_s: int) -> Leaving:
        """Return *leaving* with the messages of all flows by second and region, and what that means
        for each WAN cell.
        """
        n_regions, _, n_seconds = leaving.counts.shape
        named = leaving.counts[:, self.layout.n_anonymous :].sum(axis=1, dtype=np.int64).T.ravel()
        first = np.concatenate([[0], np.cumsum(named)])
        n_members = int(first[-1])
        n_origins = n_members + leaving.n_carried
        if n_members > len(self._members):
            self._members = np.empty(n_members, MEMBER)
        if n_origins > len(self._origins):
            self._origins = np.empty(n_origins, ORIGIN)
        members = self._members[:n_members]
        origins = self._origins[:n_origins]
        origins[: leaving.n_carried] = self._carried
        after = first[:-1].copy()
        flow_records = np.zeros(len(flows), FLOW)
        who = leaving.n_carried
        for number, flow in enumerate(flows):
            cause = np.array([flow.cause], np.uint8) if isinstance(flow.cause, int) else flow.cause
            if len(flow.row):
                scattered(
                    number,
                    who,
                    flow.row,
                    flow.premises,
                    flow.leave,
                    flow.raised,
                    flow.made,
                    cause,
                    not isinstance(flow.cause, int),
                    flow.region,
                    n_regions,
                    start_s,
                    after,
                    members,
                    origins,
                )
            flow_records[number] = (flow.kind, flow.region, flow.place)
            who += len(flow.row)
        leaving = leaving._replace(
            first=first, members=members, origins=origins, flows=flow_records
        )
        for k, stage in enumerate(self._setup.stages):
            if stage["what"] == StageKind.CELL:
                # a region may have no homes
                for region in np.flatnonzero(self.layout.n_cells).tolist():
                    shared = self._setup, leaving, self._rows, self._queues
                    crowd(*shared, k, region, min(STRETCH_S, n_seconds))
        for region, seconds in self._strokes(start_s):
            leaving.crowded[region, seconds] = True
        leaving.busy[:] |= leaving.crowded.any(axis=0)
        return leaving

    def _on_time(self, flows: Sequence[Flow], n_carried: int) -> NDArray[Any]:
        """Return int32, the second each message reaches the SMI's door if it never needs a name:
        behind the *n_carried* who left before, those of the flows, one after the other.
        """
        out = np.empty(n_carried + sum(len(flow.leave) for flow in flows), np.int32)
        begin = n_carried
        for flow in flows:
            end = begin + len(flow.leave)
            np.add(flow.leave, self.latency_s, out=out[begin:end])
            begin = end
        return out

    def _oldest(self, flows: Sequence[Flow], start_s: int, stop_s: int) -> tuple[int, int]:
        """Return room for the longest delay at a stage and end to end that can be counted by
        *stop_s*.
        """
        live = under_way(self._pool, 0, len(self._pool.lines))
        # of what comes again it is a step still to come
        at = int(live["at"].min(initial=start_s))
        raised = int(live["raised"].min(initial=start_s))
        for flow in flows:
            earliest = flow.raised.min(initial=start_s)
            raised = min(raised, int(earliest))
        before = int(self._setup.stages["before"].max(initial=0))
        longest_delay_s = stop_s + before - max(at, 0)
        longest_end_s = stop_s + self.latency_s - raised
        return longest_delay_s + 2, longest_end_s + 2

    def _advance(self, leaving: Leaving, book: Book, start_s: int, stop_s: int) -> None:
        """Take the steps, making room as they need it."""
        if self.layout.watched.any():
            heights = self._pool.heights[0]
            live = heights.n_waiting + heights.used_messages - heights.free_messages
            watched = int(leaving.counts[:, self.layout.watched].sum() + live)
            self._rows = watch_list(
                self._rows, watched + int(np.count_nonzero(self._rows.senders)) if watched else 0
            )
        needed = np.zeros(1, NEEDED)
        at = start_s
        while at < stop_s:
            net = Net(
                self._setup,
                leaving,
                self._pool,
                self._links,
                self._rows,
                self._queues,
                book,
                self._room,
            )
            at = int(advance(net, at, stop_s, needed))
            if at < stop_s:
                # whoever has a name may have to wait, and about as many of the existing load
                self._pool = grown(self._pool, needed, 2 * len(leaving.members))
                if needed[0].n_moves > len(self._room.ids):
                    n_moves = max(int(needed[0].n_moves), 2 * len(self._room.ids))
                    self._room = room_for(n_moves, self.layout, self._room)
        self._carried = carried_over(
            self._pool, leaving, book, self._setup.retried, self.layout.n_anonymous
        )

    def close(self) -> None:
        """Count what is still under way at the horizon."""
        self._telling.close(self._pool, self._setup.retried)
        SHELF.keep("named", {"members": self._members, "origins": self._origins})
        leave_behind(self._pool, self._room)
