"""Hub → WAN cell → CSP region → DSP → SMI and user: places with finite capacity, shared with the
existing load (S1-18, S1-19; docs/model.md section 7).

Almost every second of almost every day serves all who come. Those seconds are counts. Only in
crowded or watched seconds do messages get names, an order and a queue; the kernels of
`sim.kernels.storm` take the seconds one after the other, whatever comes back acting in a later one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.estate.estate import Estate
from sim.kernels.attempts import RetryTerm, Scalar
from sim.kernels.crowding import crowd
from sim.kernels.links import Links
from sim.kernels.net import Net
from sim.kernels.pool import Height
from sim.kernels.queues import allowance
from sim.kernels.quiet import pass_quietly
from sim.kernels.storm import Pause, advance
from sim.kernels.traffic import FLOW, MEMBER, Leaving, count_by_user, scattered
from sim.mitigations import MITIGATIONS
from sim.network.flows import Flow, Late
from sim.network.layout import Layout, watch_list
from sim.network.room import grown, room_for, small_pool
from sim.network.telling import Telling
from sim.recorder import Recorder
from sim.tables import Trace
from sim.units import DAY_S
from sim.words import StageKind

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
        self._has_users = any(spec.stage == "user" for spec in self.layout.specs)
        users_matter = self._has_users or any(
            row.kind == "allocation" for _, _, row in self.layout.rows
        )
        user_of = (
            np.concatenate([users_of(region) for region in range(len(estate.regions))])
            if users_matter
            else np.zeros(0, np.uint8)
        )
        self._setup = self.layout.setup(
            self.horizon_s, self._warm_up_s, recorder.targets, links, trace is not None, user_of
        )
        self._links = links
        self._rows = self.layout.protections()
        self._queues = self.layout.queues()
        needs_events = self.layout.retry is not None or len(links.start) > 0
        puts_off = any(MITIGATIONS[row.kind].puts_off for _, _, row in self.layout.rows)
        self._pool = small_pool(needs_events or puts_off)
        self._room = room_for(self._pool, self.layout)
        self._telling = Telling(self.layout, estate, recorder, trace)

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
        self._setup.c[Scalar.STOP] = stop_s
        self._setup.c[Scalar.DAY_START] = start_s // DAY_S * DAY_S
        if len(self._estate.dark_until_s[0]):
            self._setup = self._setup._replace(dark_until=np.concatenate(self._estate.dark_until_s))
        leaving = self._leaving(flows, anonymous, start_s, stop_s)
        self._recorder.attempt(leaving.measured)
        if self._may_crowd(leaving, start_s, stop_s):
            leaving = self._by_name(leaving, flows, start_s, stop_s)
            book = self._recorder.book(
                self._deliveries(flows),
                len(self.layout.rows),
                *self._oldest(flows, start_s, stop_s),
            )
            self._advance(leaving, book, start_s, stop_s)
        else:
            book = self._recorder.book(np.zeros(0, np.int32), len(self.layout.rows), 0, 0)
            pass_quietly(self._setup, leaving, book)
        self._recorder.close(
            book,
            [(self.layout.specs[k].stage, number, row.kind) for k, number, row in self.layout.rows],
        )
        late = self._telling.tell(flows, leaving, book, self._pool, start_s, stop_s)
        self._pool.messages["position"][: self._pool.n[Height.USED_MESSAGES]] = -1
        return late

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
        n_users = len(self.layout.user_names) if self._has_users else 0
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
        empty = np.zeros((n_regions, n_seconds), np.uint8)
        return Leaving(
            start_s,
            counts,
            measured,
            total,
            by_user,
            by_user_measured,
            empty,
            np.zeros((n_regions, n_seconds), np.int32),
            np.zeros(0, np.int64),
            np.zeros(0, MEMBER),
            np.zeros(len(flows), FLOW),
            self.layout.watched,
        )

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

    def _may_crowd(self, leaving: Leaving, start_s: int, stop_s: int) -> bool:
        """Whether anybody may need a name in this interval."""
        pool, layout = self._pool, self.layout
        if pool.n[Height.USED_MESSAGES] > pool.n[Height.FREE_MESSAGES] or layout.watched.any():
            return True
        if len(self._setup.outages) or any(self._setup.stages["what"] == StageKind.CELL):
            return True
        if self._setup.retry[RetryTerm.BUDGET] >= 0 or any(
            row.kind != "alert_storm_protection" for _, _, row in layout.rows
        ):
            return True
        # Hubs put off their messages before they leave; of links that are down only anonymous ones
        # and retries learn on the way.
        if leaving.total.any() or layout.retry is not None:
            links = self._links
            if np.any((links.start < stop_s) & (links.stop + links.spread > start_s)):
                return True
        seconds = stop_s - start_s
        return any(self._exceeds(k, leaving, start_s, seconds) for k in range(len(layout.specs)))

    def _exceeds(self, k: int, leaving: Leaving, start_s: int, n_seconds: int) -> bool:
        """Whether more comes to a server of stage *k* in some second than its capacity allows."""
        stage, first_kind = self._setup.stages[k], 0
        limits = self._queues.limits[stage["first"] : stage["first"] + stage["n"]]
        if not limits["denominator"].any():
            return False
        came = leaving.counts  # server × kind × second
        if stage["what"] == StageKind.USER:
            came, first_kind = leaving.by_user, self.layout.n_anonymous
        elif stage["what"] == StageKind.DSP:
            came = leaving.counts.sum(axis=0)[None]
        else:
            came = leaving.counts * ~self.layout.central[:, None]
        first_s = start_s + int(stage["before"])
        for limit, by_kind in zip(limits, came, strict=True):
            if not limit["denominator"]:
                continue
            sizes = self._setup.sizes[k, first_kind:] if limit["in_bytes"] else None
            load = by_kind.sum(axis=0) if sizes is None else sizes @ by_kind
            rate = limit["numerator"], limit["denominator"]
            if np.any(load > allowance(*rate, first_s, first_s + n_seconds)):
                return True
        return False

    def _by_name(
        self, leaving: Leaving, flows: Sequence[Flow], start_s: int, stop_s: int
    ) -> Leaving:
        """Return *leaving* with the messages of all flows by second and region, and what that means
        for each WAN cell.
        """
        n_regions, n_seconds = leaving.counts.shape[0], leaving.counts.shape[2]
        named = leaving.counts[:, self.layout.n_anonymous :].sum(axis=1, dtype=np.int64).T.ravel()
        first = np.concatenate([[0], np.cumsum(named)])
        members = np.empty(int(first[-1]), MEMBER)
        after = first[:-1].copy()
        flow_records = np.zeros(len(flows), FLOW)
        position = 0
        for number, flow in enumerate(flows):
            cause = np.array([flow.cause], np.uint8) if isinstance(flow.cause, int) else flow.cause
            if len(flow.row):
                scattered(
                    number,
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
                )
            flow_records[number] = (flow.kind, flow.region, flow.place, position)
            position += len(flow.row)
        leaving = leaving._replace(first=first, members=members, flows=flow_records)
        for k, stage in enumerate(self._setup.stages):
            if stage["what"] == StageKind.CELL:
                # a region may have no homes
                for region in np.flatnonzero(self.layout.n_cells).tolist():
                    shared = self._setup, leaving, self._rows, self._queues
                    crowd(*shared, k, region, min(STRETCH_S, n_seconds))
        ends = self._links.stop + self._links.spread
        for k in np.flatnonzero((self._links.start < stop_s) & (ends > start_s)).tolist():
            leaving.crowded[
                self._links.region[k], max(0, self._links.start[k] - start_s) : ends[k] - start_s
            ] = True
        return leaving

    def _deliveries(self, flows: Sequence[Flow]) -> NDArray[Any]:
        """Return int32, the second each message of the flows reaches the SMI's door if nothing
        comes in between.
        """
        written = [flow.leave + np.int32(self.latency_s) for flow in flows]
        return np.concatenate(written) if written else np.zeros(0, np.int32)

    def _oldest(self, flows: Sequence[Flow], start_s: int, stop_s: int) -> tuple[int, int]:
        """Return room for the longest delay at a stage and end to end that can be counted by
        *stop_s*.
        """
        live = self._pool.messages[: self._pool.n[Height.USED_MESSAGES]]
        live = live[live["kind"] >= 0]
        at, raised = (
            min(start_s, int(live[name].min())) if len(live) else start_s
            for name in ("at", "raised")
        )
        raised = min([raised, *(int(flow.raised.min()) for flow in flows if len(flow.raised))])
        before = int(self._setup.stages["before"].max()) if len(self._setup.stages) else 0
        return stop_s + before - max(at, 0) + 2, stop_s + self.latency_s - raised + 2

    def _advance(self, leaving: Leaving, book: Any, start_s: int, stop_s: int) -> None:
        """Take the steps, making room as they need it."""
        live = int(
            np.count_nonzero(self._pool.messages["kind"][: self._pool.n[Height.USED_MESSAGES]] >= 0)
        )
        watched = (
            int(leaving.counts[:, self.layout.watched].sum()) + live
            if self.layout.watched.any()
            else 0
        )
        self._rows = watch_list(
            self._rows, watched + int(np.count_nonzero(self._rows.senders)) if watched else 0
        )
        self._pool = grown(self._pool, len(self._pool.messages), live + 1)
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
            at, status = advance(net, at, stop_s)
            if status == Pause.NEEDS_ROOM:
                soon = int(leaving.counts[:, :, at - start_s : at - start_s + 60].sum())
                self._pool = grown(
                    self._pool, 2 * len(self._pool.messages) + soon, 2 * len(self._pool.ended)
                )
                self._room = room_for(self._pool, self.layout, self._room)

    def close(self) -> None:
        """Count what is still under way at the horizon."""
        self._telling.close(self._pool)
