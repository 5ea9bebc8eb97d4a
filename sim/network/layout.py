"""The scenario's stages, rows and retry policy as the arrays that the network's kernels read."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.calendar import strokes
from sim.estate.estate import Estate
from sim.faults import DARKENING
from sim.kernels import protection
from sim.kernels.draws import threshold
from sim.kernels.links import Links
from sim.kernels.protection import ROW, ROW_MEMORY, SENDER_MEMORY, Rows
from sim.kernels.seconds import NEVER
from sim.kernels.servers import OUTAGE, SERVER, STAGE, Queues
from sim.kernels.setup import ATTEMPTS, BUDGET, RetryTerms, Setup
from sim.mitigations import MITIGATIONS
from sim.planning.sizes import sizes_at
from sim.recorder import Recorder
from sim.scenario.fields import of_server
from sim.streams import stream_key
from sim.words import Mitigation, StageKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.scenario.network import Stage
    from sim.scenario.schema import Scenario

PER_SENDER: Final = ("outage", "restoration", "reboot")  # causes of alert that come once a fault


class Layout:
    """Where everything is: the stages with servers (*specs*), their record in *recorder*, and the
    arrays made of them.
    """

    def __init__(
        self, scenario: Scenario, estate: Estate, recorder: Recorder, replication: int
    ) -> None:
        self._scenario = scenario
        self._estate = estate
        self._recorder = recorder
        self._replication = replication
        self.specs = [spec for spec in scenario.network if spec.stage in StageKind.words()]
        self.latencies = [spec.latency for spec in self.specs]
        self.n_open = sum(spec.stage != "user" for spec in self.specs)
        self.latency_s = sum(self.latencies[: self.n_open])
        self.kinds = recorder.kinds
        self.n_anonymous = len(scenario.traffic.kinds) if scenario.traffic.level else 0
        self.n_cells = [-(-n // estate.premises_per_cell) for n in estate.n_premises]
        self.rows = [
            (k, number, row)
            for k, spec in enumerate(self.specs)
            for number, row in enumerate(spec.mitigations)
            if MITIGATIONS[row.kind].at_servers
        ]
        traffic = scenario.traffic.kinds
        self.central = np.array(
            [kind in traffic and traffic[kind].made_at == "dsp" for kind in self.kinds], np.bool_
        )
        self.retry = next(
            (row for spec in scenario.network for row in spec.mitigations if row.kind == "retry"),
            None,
        )
        self.user_names = tuple(scenario.estate.users)
        self.watched = self._watched()

    def has_stage(self, stage: str) -> bool:
        """Whether there are servers of *stage*."""
        return any(spec.stage == stage for spec in self.specs)

    @property
    def allocates(self) -> bool:
        """Whether the DSP gives each user a share of what it can do."""
        return any(row.kind == "allocation" for _, _, row in self.rows)

    @property
    def counts_arrivals(self) -> bool:
        """Whether some row refuses by how many arrive in a second."""
        return any(MITIGATIONS[row.kind].counts_arrivals for _, _, row in self.rows)

    @property
    def puts_off(self) -> bool:
        """Whether what some row stops at a server comes again."""
        return any(MITIGATIONS[row.kind].puts_off for _, _, row in self.rows)

    @property
    def n_servers(self) -> int:
        """How many servers all stages have."""
        return sum(self.servers(k) for k in range(len(self.specs)))

    @property
    def n_places(self) -> int:
        """How many places of priority a server has at most."""
        return max((len(spec.priority) + 1 for spec in self.specs), default=1)

    def servers(self, k: int) -> int:
        return len(self.names[self.specs[k].stage])

    @cached_property
    def names(self) -> dict[str, Sequence[str]]:
        """The name of every server of each stage, in order; cells have that of their region."""
        regions = self._estate.regions
        cells = zip(regions, self.n_cells, strict=True)
        return {
            "cell": [name for name, n in cells for _ in range(n)],
            "csp": regions, "dsp": ("dsp",), "user": self.user_names,
        }  # fmt: skip

    @property
    def row_names(self) -> list[tuple[str, int, str]]:
        """Stage, place there and kind of each row."""
        return [(self.specs[k].stage, number, row.kind) for k, number, row in self.rows]

    def listed(self, row: Any) -> NDArray[Any]:
        """Return for which kinds *row* is."""
        return np.array([not row.kinds or kind in row.kinds for kind in self.kinds], np.bool_)

    def _watched(self) -> NDArray[Any]:
        """Return the kinds that alert storm protection has to follow: those it is for, of a code of
        which some sender could ever exceed its threshold.
        """
        watched = np.zeros(len(self.kinds), np.bool_)
        for _, _, row in self.rows:
            if row.kind == "alert_storm_protection":
                protected = [
                    number
                    for number, kind in enumerate(self.kinds)
                    if number >= self.n_anonymous and self.is_protected(row, kind)
                ]
                for number in protected:
                    alike = [
                        self.kinds[other]
                        for other in protected
                        if self.code_of(self.kinds[other]) == self.code_of(self.kinds[number])
                    ]
                    watched[number] |= sum(map(self._most_copies, alike)) > row.threshold
        return watched

    def code_of(self, kind: str) -> str:
        """Return the alert code of *kind*, or its name where it has none."""
        alerts = self._scenario.alerts.kinds
        return alerts[kind].code if kind in alerts else kind

    def is_protected(self, row: Any, kind: str) -> bool:
        """Whether alert storm protection *row* is for the named *kind*: neither it nor its code is
        excluded.
        """
        return (
            (not row.kinds or kind in row.kinds)
            and kind not in row.exclude
            and self.code_of(kind) not in row.exclude
        )

    def _most_copies(self, kind: str) -> float:
        """Return a bound on the messages of *kind* that one sender ever sends; endless where there
        is none worth the name.
        """
        scenario, horizon_s = self._scenario, self._recorder.horizon_s
        if self.retry is not None:
            return float("inf")
        if kind in scenario.alerts.kinds:
            faults = sum(len(strokes(scenario, self._replication, name)) for name in DARKENING)
            return faults if scenario.alerts.kinds[kind].cause in PER_SENDER else float("inf")
        reporting = scenario.reporting
        restarts = reporting.phase.source in ("activation", "power_on") or bool(
            scenario.faults.clock_locks
        )
        if not reporting.timer_s or reporting.traits.at_change or restarts:
            return float("inf")
        return float(horizon_s // reporting.timer_s + 2)

    # -- arrays ------------------------------------------------------------------------------------

    def stages(self) -> NDArray[Any]:
        """Return the `STAGE` records."""
        out = np.zeros(len(self.specs), STAGE)
        first = 0
        for k, spec in enumerate(self.specs):
            own = [row for stage, _, row in self.rows if stage == k]
            number = next((i for i, (stage, _, _) in enumerate(self.rows) if stage == k), 0)
            codel = next(
                (
                    (row.target, row.interval, i)
                    for i, (stage, _, row) in enumerate(self.rows)
                    if stage == k and row.kind == "codel"
                ),
                (-1, -1, -1),
            )
            mixed = any(MITIGATIONS[row.kind].counts_arrivals for row in own)
            puts_off = any(MITIGATIONS[row.kind].puts_off for row in own)
            out[k] = (
                StageKind.of(spec.stage),
                first,
                self.servers(k),
                self._recorder.first[k],
                spec.latency,
                self._recorder.stages[k].before_s,
                spec.overflow == "drop_oldest",
                len(spec.priority) + 1,
                number,
                len(own),
                mixed,
                *codel,
                puts_off,
            )
            first += self.servers(k)
        return out

    def levels(self) -> NDArray[Any]:
        """Return the queue of each kind at each stage: those listed in order, the rest in the last.
        """
        out = np.zeros((len(self.specs), len(self.kinds)), np.int8)
        for k, spec in enumerate(self.specs):
            out[k] = [
                spec.priority.index(kind) if kind in spec.priority else len(spec.priority)
                for kind in self.kinds
            ]
        return out

    def queues(self) -> Queues:
        """Return the empty queues of every server."""
        limits = [_limit(spec, name) for spec in self.specs for name in self.names[spec.stage]]
        return Queues(
            np.array(limits, SERVER),
            np.zeros(len(limits), np.int64),
            np.zeros((len(limits), self.n_places), np.int32),
        )

    def sizes(self) -> NDArray[Any]:
        """Return int64, the bytes of a message of each kind at each stage: users get XML."""
        out = np.zeros((len(self.specs), len(self.kinds)), np.int64)
        for k, spec in enumerate(self.specs):
            sizes = sizes_at(self._scenario, spec.stage)
            for number, kind in enumerate(self.kinds):
                out[k, number] = sizes[kind]
        return out

    def outages(self) -> NDArray[Any]:
        """Return the `OUTAGE` records of every server that is ever out."""
        found = []
        for second, entry in strokes(self._scenario, self._replication, "stage_outages"):
            k = next((k for k, spec in enumerate(self.specs) if spec.stage == entry.stage), None)
            if k is None:
                continue
            first = int(self.stages()[k]["first"])
            names = self.names[entry.stage]
            chosen = range(len(names)) if entry.server == "all" else [names.index(entry.server)]
            found += [(first + v, second, second + entry.duration) for v in chosen]
        return np.array(found, OUTAGE)

    def protections(self) -> Rows:
        """Return the rows of all stages and their memories, empty."""
        n_servers = max((self.servers(k) for k, _, _ in self.rows), default=0)
        rows = np.zeros((len(self.rows), n_servers), ROW)
        ring = 0
        most = 1
        for i, (k, _, row) in enumerate(self.rows):
            for v, name in enumerate(self.names[self.specs[k].stage]):
                rows[i, v] = (Mitigation.of(row.kind), k, *_parameters(row, name), ring)
            ring += self.servers(k) * row.window if row.kind == "circuit_breaker" else 0
            most = max(most, row.threshold if row.kind == "alert_storm_protection" else 1)
        state = np.zeros((len(self.rows), n_servers), ROW_MEMORY)
        state["latest_slot"] = -1
        is_admission = rows["what"] == Mitigation.ADMISSION
        state["tokens"] = np.where(is_admission, rows["c"], 0)
        listed = np.array([self.listed(row) for _, _, row in self.rows], np.bool_).reshape(
            len(self.rows), len(self.kinds)
        )
        for i, (_, _, row) in enumerate(self.rows):
            if row.kind == "alert_storm_protection":
                listed[i] = [
                    n >= self.n_anonymous and self.is_protected(row, kind) and bool(self.watched[n])
                    for n, kind in enumerate(self.kinds)
                ]
        shares = np.array(list(self._scenario.estate.users.values()))
        used = np.zeros(len(shares), np.int64)
        nobody = np.zeros(1, np.uint64), np.zeros(1, SENDER_MEMORY), np.zeros((1, most), np.int32)
        names = [self.code_of(kind) for kind in self.kinds]
        codes = np.array([names.index(name) for name in names], np.int64)
        return watch_list(
            Rows(rows, listed, state, np.zeros(ring, np.int32), codes, shares, used, *nobody), 64
        )

    def setup(
        self,
        horizon_s: int,
        warm_up_s: int,
        targets: list[int],
        links: Links,
        traced: bool,
        user_of: NDArray[Any],
    ) -> Setup:
        """Return what does not change from step to step."""
        scenario, specs = self._scenario, self.specs
        hub = next((spec for spec in scenario.network if spec.stage == "hub"), None)
        homes = (
            self.retry is not None
            or len(links.start) > 0
            or self.has_stage("cell")
            or self.allocates
        )
        watched = any(
            MITIGATIONS[row.kind].counts_arrivals and specs[k].stage == "cell"
            for k, _, row in self.rows
        )
        alerts = scenario.alerts.kinds
        return Setup(
            horizon_s=horizon_s,
            warm_up_s=warm_up_s,
            stop_s=0,
            day_start_s=0,
            latency_s=self.latency_s,
            n_anonymous=self.n_anonymous,
            n_stages=len(specs),
            n_open=self.n_open,
            has_users=self.has_stage("user"),
            hubs_keep=hub is not None and hub.buffer is not None,
            is_traced=traced,
            homes_matter=homes,
            cells_watched=watched,
            premises_per_cell=self._estate.premises_per_cell,
            stages=self.stages(),
            levels=self.levels(),
            sizes=self.sizes(),
            outages=self.outages(),
            retry=self._retry(),
            retried=(
                np.zeros(len(self.kinds), np.bool_)
                if self.retry is None
                else self.listed(self.retry) & ~self.central
            ),
            keys=np.array(
                [
                    self._key(name)
                    for name in ("message.rank", "retry.wait", "row.barred", "row.bar")
                ],
                np.uint64,
            ),
            home_keys=np.array([self._key(f"home.{kind}") for kind in self.kinds], np.uint64),
            kind_user=np.array(
                [
                    -1 if (user := self._user_of(kind)) is None else self.user_names.index(user)
                    for kind in self.kinds
                ],
                np.int64,
            ),
            targets=np.array(targets, np.int64),
            gasps=np.array(
                [k in alerts and alerts[k].cause == "outage" for k in self.kinds], np.bool_
            ),
            central=self.central,
            premises_first=np.cumsum([0, *self._estate.n_premises]).astype(np.int64),
            user_of=user_of,
            dark_until=np.zeros(0, np.int32),
            budget=np.zeros(len(self._estate.regions), BUDGET),
            made=self._made(),
        )

    def _user_of(self, kind: str) -> str | None:
        """Return the one user who sends or gets all messages of *kind*, if it is a kind of traffic
        that has one.
        """
        kinds = self._scenario.traffic.kinds
        return kinds[kind].user if kind in kinds else None

    def _key(self, stream: str) -> int:
        return stream_key(self._scenario.seed, self._replication, stream)

    def _made(self) -> NDArray[np.void]:
        """Return `Setup.made` of a world that begins: nothing was made yet."""
        row = self.retry
        n_seconds = 0
        if row is not None and row.budget_window is not None:
            n_seconds = row.budget_window
        return np.zeros((len(self._estate.regions), n_seconds), ATTEMPTS)

    def _retry(self) -> RetryTerms:
        row = self.retry
        if row is None:
            return RetryTerms(0, 1, 0, 0, 0, -1, -1)
        return RetryTerms(
            base_s=row.base,
            factor=row.factor,
            most_s=row.most,
            jitter=("none", "full", "equal", "decorrelated").index(row.jitter),
            cap=row.cap,
            timeout_s=-1 if row.timeout is None else row.timeout,
            budget=-1 if row.budget is None else threshold(row.budget),
        )


def _limit(spec: Stage, server: str) -> tuple[int, int, bool, int, int]:
    """Return the `SERVER` record of a *server* of the stage *spec*."""
    capacity, buffer = of_server(spec.capacity, server), of_server(spec.buffer, server)
    rate = Fraction(0) if capacity is None else capacity.rate
    newest_first = (row for row in spec.mitigations if row.kind == "lifo")
    lifo = next((of_server(row.above, server) for row in newest_first), -1)
    return (
        rate.numerator,
        0 if capacity is None else rate.denominator,
        capacity is not None and capacity.in_bytes,
        -1 if buffer is None or spec.stage == "user" else buffer,
        lifo,
    )


def _parameters(row: Any, server: str) -> tuple[int, int, int, int]:
    """Return the numbers of a row at a *server* as its kernel reads them."""
    if row.kind in ("admission", "allocation", "shape"):
        rate: Fraction = row.above if row.kind == "allocation" else of_server(row.rate, server)
        burst = of_server(row.burst, server) if row.kind == "admission" else 0
        return rate.numerator, rate.denominator, burst, 0
    if row.kind == "alert_storm_protection":
        return row.threshold, row.window, row.forward_period or 0, row.forward_one_in or 0
    if row.kind == "circuit_breaker":
        return of_server(row.above, server), row.window, row.open, 0
    if row.kind == "access_barring":
        return of_server(row.above, server), threshold(row.share), row.hold, 0
    if row.kind == "redelivery":
        return row.after, row.hold, 0, 0
    return (of_server(row.above, server), 0, 0, 0) if row.kind == "shed" else (0, 0, 0, 0)


def watch_list(rows: Rows, n: int) -> Rows:
    """Return *rows* with room for *n* senders watched for storms, those it has included."""
    size = 1 << max(6, (2 * n).bit_length())
    if size <= len(rows.senders):
        return rows
    history = np.zeros(size, SENDER_MEMORY)
    history["last_passed"] = -NEVER
    grown = rows._replace(
        senders=np.zeros(size, np.uint64),
        history=history,
        times=np.zeros((size, rows.times.shape[1]), np.int32),
    )
    protection.moved(rows, grown)
    return grown
