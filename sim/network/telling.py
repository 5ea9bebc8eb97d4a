"""What became of messages: told to the recorder, to the ledgers (reports only), and to a trace
where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.estate.estate import Estate
from sim.kernels.book import Book
from sim.kernels.carrying import under_way
from sim.kernels.pool import ENDED, Pool
from sim.kernels.seconds import NEVER
from sim.kernels.setup import Setup
from sim.kernels.traffic import Leaving
from sim.network.flows import Flow, Late
from sim.network.layout import Layout
from sim.recorder import Recorder
from sim.tables import Trace
from sim.words import Fate, MessageCause, StageKind


class Telling:
    """Who must be told what; *self._later* (`ENDED`) are reports whose second at the SMI's door
    lies in a later interval.
    """

    def __init__(
        self, layout: Layout, setup: Setup, estate: Estate, recorder: Recorder, trace: Trace | None
    ) -> None:
        self._layout = layout
        self._setup = setup
        self._estate = estate
        self._recorder = recorder
        self._trace = trace
        self._later = np.zeros(0, ENDED)

    def tell(
        self,
        flows: Sequence[Flow],
        leaving: Leaving,
        book: Book,
        pool: Pool,
        start_s: int,
        stop_s: int,
    ) -> list[Late]:
        """Tell of [start, stop): set the flows' *deliver*, and return the reports of earlier
        intervals whose end is now known.
        """
        shaped = {(flow.region, flow.kind) for flow in flows if flow.raised is not flow.leave}
        self._on_time(leaving, shaped, start_s)
        position = leaving.n_carried
        tail = [self._later]
        for flow in flows:
            unnamed = (
                leaving.counts[flow.region, flow.kind][flow.leave - start_s] > 0
                if len(leaving.first)
                else np.ones(len(flow.leave), np.bool_)
            )
            if (flow.region, flow.kind) in shaped:
                self._shaped(flow, unnamed)
                self._left_late(flow, unnamed)
            if len(leaving.first):
                flow.deliver = book.deliver[position : position + len(flow.row)]
                position += len(flow.row)
            if self._layout.latency_s and flow.group >= 0:
                tail.append(
                    self._afterwards(
                        flow, unnamed & (flow.leave >= stop_s - self._layout.latency_s)
                    )
                )
            if self._trace is not None:
                self._remember(flow, unnamed)
        ended = pool.ended[: pool.heights[0].n_ended]
        if self._trace is not None:
            self._remember_ended(ended)
        known = np.concatenate([*tail, ended[~ended["told"]]])
        pool.heights[0].n_ended = 0
        due = known["at"] < stop_s
        self._later = known[~due]
        return self._late(known[due])

    def _on_time(self, leaving: Leaving, shaped: set[tuple[int, int]], start_s: int) -> None:
        """Count those who never needed a name and left when they were raised."""
        recorder = self._recorder
        latency_s = self._layout.latency_s
        cut = max(0, recorder.horizon_s - latency_s - start_s)
        for region, of_region in enumerate(leaving.measured):
            for kind, counts in enumerate(of_region):
                if (region, kind) in shaped:
                    continue
                n = counts[:cut].sum(dtype=np.int64)
                recorder.arrived(kind, latency_s, int(n))
                after = counts[cut:]
                left = start_s + cut + np.arange(len(after))
                age_s = recorder.horizon_s - left
                recorder.travelling(kind, np.repeat(age_s, after))

    def _shaped(self, flow: Flow, unnamed: NDArray[Any]) -> None:
        """Count those of *flow*, put off by rows or links, who never needed a name."""
        recorder = self._recorder
        chosen = flow.raised >= recorder.warm_up_s
        chosen &= unnamed
        raised = flow.raised[chosen]
        arrives = flow.leave[chosen] + np.int32(self._layout.latency_s)
        delay_s = arrives - raised
        age_s = recorder.horizon_s - raised
        in_time = arrives < recorder.horizon_s
        recorder.arrived_each(flow.kind, delay_s[in_time])
        recorder.travelling(flow.kind, age_s[~in_time])

    def _left_late(self, flow: Flow, unnamed: NDArray[Any]) -> None:
        """Count of the same those who left a stage late, second by second."""
        recorder = self._recorder
        target_s = recorder.targets[flow.kind]
        for stage in self._setup.stages:
            left = flow.leave + stage["before"]
            late = left - flow.raised > target_s
            late &= unnamed
            late &= left < recorder.horizon_s
            server = self._server_of(flow, late, stage["what"])
            recorder.left_late(
                flow.kind,
                stage["recorded"] + server,
                left[late],
            )

    def _server_of(self, flow: Flow, chosen: NDArray[Any], what: int) -> NDArray[Any]:
        """Return the server of each of the *chosen* of *flow* at a stage, which is *what*."""
        setup = self._setup
        if what == StageKind.DSP:
            return np.zeros(np.count_nonzero(chosen), np.int64)
        if what == StageKind.USER:
            home = flow.premises[flow.row[chosen]]
            first = setup.premises_first[flow.region]
            users: NDArray[Any] = setup.user_of[first + home.astype(np.int64)]
            return users.astype(np.int64)
        return np.full(np.count_nonzero(chosen), flow.region)

    def _afterwards(self, flow: Flow, chosen: NDArray[Any]) -> NDArray[Any]:
        """Return as `ENDED` the reports on time that a latency carries past the interval."""
        out = np.zeros(int(np.count_nonzero(chosen)), ENDED)
        out["row"] = flow.row[chosen]
        out["made"] = flow.made[chosen]
        out["raised"] = flow.raised[chosen]
        out["at"] = flow.leave[chosen] + self._layout.latency_s
        out["kind"] = flow.kind
        out["place"] = flow.place
        out["fate"] = Fate.DELIVERED
        out["cause"] = flow.cause if isinstance(flow.cause, int) else flow.cause[chosen]
        return out

    def _late(self, ended: NDArray[Any]) -> list[Late]:
        """Return *ended* reports by group of senders, sorted as their senders made them."""
        group_of = {senders.place: number for number, senders in enumerate(self._estate.senders)}
        out = []
        for place in np.unique(ended["place"]):
            mine = ended[ended["place"] == place]
            mine = mine[np.lexsort((mine["cause"], mine["raised"], mine["made"], mine["row"]))]
            out.append(
                Late(
                    group_of[int(place)],
                    *(np.ascontiguousarray(mine[name]) for name in ("row", "made", "at")),
                )
            )
        return out

    # -- a trace -----------------------------------------------------------------------------------

    def _sender(self, kind: int, place: int, premises: int) -> tuple[str, str, int, int]:
        """Return kind, region, slot and premises, as a trace names who sent a message."""
        region, slot = divmod(int(place), 8)
        return self._layout.kinds[kind], self._estate.regions[region], slot, int(premises)

    def _remember(self, flow: Flow, unnamed: NDArray[Any]) -> None:
        assert self._trace is not None
        causes = (
            [flow.cause] * len(flow.row) if isinstance(flow.cause, int) else flow.cause.tolist()
        )
        for i in np.flatnonzero(unnamed):
            at = int(flow.leave[i]) + self._layout.latency_s
            end = ("delivered", "", at) if at < self._recorder.horizon_s else ("in_flight", "", -1)
            sender = self._sender(flow.kind, flow.place, flow.premises[flow.row[i]])
            cause = MessageCause(causes[i]).word
            raised = int(flow.raised[i])
            self._trace.messages.append((*sender, raised, cause, *end))

    def _remember_ended(self, ended: NDArray[Any]) -> None:
        assert self._trace is not None
        for e in ended:
            stage = self._recorder.stage_names[int(e["stage"]) + 1]
            at = int(e["at"]) if e["fate"] == Fate.DELIVERED else -1
            sender = self._sender(e["kind"], e["place"], e["premises"])
            cause = MessageCause(e["cause"]).word
            end = Fate(e["fate"]).word, stage, at
            raised = int(e["raised"])
            self._trace.messages.append((*sender, raised, cause, *end))

    def close(self, pool: Pool, retried: NDArray[Any]) -> None:
        """Count what is still under way at the horizon; bool *retried*: kinds whose messages have a
        record.
        """
        messages = pool.messages[: pool.heights[0].used_messages]
        messages = messages[(messages["kind"] >= 0) & (messages["ended"] == NEVER)]
        sent = messages["latest"] >= 0
        attempts = under_way(pool, 0, len(pool.lines))
        attempts = attempts[~retried[attempts["kind"]] & ~attempts["ended"]]
        recorder = self._recorder
        for kind in np.unique(messages["kind"][~sent]):
            waits = (messages["kind"] == kind) & (messages["raised"] >= recorder.warm_up_s) & ~sent
            recorder.fates[recorder.kinds[kind], "in_flight", ""] += int(np.count_nonzero(waits))
        for live in (messages[sent], attempts):
            for kind in np.unique(live["kind"]):
                raised = live["raised"][live["kind"] == kind]
                raised = raised[raised >= recorder.warm_up_s]
                recorder.travelling(int(kind), recorder.horizon_s - raised)
        if self._trace is not None:
            for live in (messages, attempts):
                for m in live[live["kind"] >= self._layout.n_anonymous]:
                    sender = self._sender(m["kind"], m["place"], m["premises"])
                    cause = MessageCause(m["cause"]).word
                    end = "in_flight", "", -1
                    raised = int(m["raised"])
                    self._trace.messages.append((*sender, raised, cause, *end))
