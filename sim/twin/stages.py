"""The twin's network: a SimPy process a server (`docs/model.md` section 7), with the rows that act
on its service (section 10).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import simpy
from simpy.events import Event

from sim.calendar import strokes
from sim.planning.sizes import sizes_at
from sim.scenario.fields import of_server
from sim.turns import Turn, pause
from sim.twin.messages import Attempt, Hop, Message, Process, order_of_service
from sim.twin.moments import SERVES, Moment
from sim.twin.rows import KINDS, StageRow, back_s, whole

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario
    from sim.twin.estate import Luck, Region

# stage, number of the row, its kind, whom it touched, "stopped" or "put_off"
Note = Callable[[str, int, str, Message, str], None]


@dataclass
class Left:
    """What is left of a slot: messages, and bytes; *is_short*: too few bytes for the next one."""

    n: float
    n_bytes: float
    is_short: bool = False

    @property
    def is_some(self) -> bool:
        """Whether another may be served."""
        return self.n > 0 and not self.is_short

    def covers(self, size: int) -> bool:
        """Take a message of *size* bytes from what is left; False, and short, if it is too large.
        """
        if size > self.n_bytes:
            self.is_short = True
            return False
        self.n, self.n_bytes = self.n - 1, self.n_bytes - size
        return True


@dataclass(eq=False)
class Server:
    """One server: a queue a place of priority, and whole messages a slot.

    *name* is that of the tables: the cells of a region share it. *sizes* are the bytes of each kind
    here. *gates* holds, for each attempt here, the event that tells it what became of it. *waited*
    is how many waited after the service of a slot, for the slots in which any did; *out* the joined
    outages as (start, end).
    """

    env: simpy.Environment
    spec: Any
    name: str
    note: Note
    sizes: dict[str, int]
    out: list[tuple[int, int]] = field(default_factory=list)
    rows: list[StageRow] = field(default_factory=list)
    arrivals: list[Attempt] = field(default_factory=list)
    gates: dict[Attempt, Event] = field(default_factory=dict)
    waited: dict[int, int] = field(default_factory=dict)
    alarm: Event = field(init=False)

    def __post_init__(self) -> None:
        n_places = len(self.spec.priority) + 1
        self.buffer = None if self.spec.stage == "user" else of_server(self.spec.buffer, self.name)
        self.capacity = of_server(self.spec.capacity, self.name)
        self.kept_b = 0  # bytes of earlier slots, for whoever waits for the rest
        self.queues: list[deque[Attempt]] = [deque() for _ in range(n_places)]
        self.on_service = {
            kind: [(n, row) for n, row in enumerate(self.spec.mitigations) if row.kind == kind]
            for kind in ("shape", "lifo", "codel")
        }
        # per place: the last slot after which nobody waited, or in which somebody was served who
        # had not waited long
        self.good_s = [0] * n_places
        self.alarm = self.env.event()
        self.env.process(self.serve())

    @property
    def stage(self) -> str:
        return str(self.spec.stage)

    # -- coming, and what rows make of it ----------------------------------------------------------

    def arrive(self, attempt: Attempt) -> Event:
        """Let *attempt* come this second; the event returned tells what becomes of it: served,
        refused, throttled or failed.
        """
        self.gates[attempt] = self.env.event()
        self._come(attempt)
        return self.gates[attempt]

    def _come(self, attempt: Attempt) -> None:
        self.arrivals.append(attempt)
        if not self.alarm.triggered:
            self.alarm.succeed()

    def _come_again(self, attempt: Attempt, until_s: int) -> Process:
        yield pause(self.env, until_s - int(self.env.now), Turn.TRAFFIC)
        self._come(attempt)

    def _pass_rows(self, slot: int, came: list[Attempt]) -> list[Attempt]:
        """Return those of *came*, in order, whom no row stops or puts off. Who was put off, or
        never taken, has not come.
        """
        for row in self.rows:
            going_on = []
            for attempt, (told, until_s) in zip(came, row.look(slot, came), strict=True):
                if not told:
                    going_on.append(attempt)
                    continue
                self.note(
                    self.stage,
                    row.number,
                    row.spec.kind,
                    attempt.message,
                    "put_off" if told == "put off" else "stopped",
                )
                if told == "put off":
                    self.env.process(self._come_again(attempt, until_s))
                    continue
                if told != "failed":
                    attempt.hops.append(Hop(self, slot))
                self._tell(attempt, told)
            came = going_on
        return came

    def _tell(self, attempt: Attempt, told: str) -> None:
        if told == "served":
            attempt.hops[-1].departed_s = int(self.env.now)
        if told != "failed":
            attempt.hops[-1].gone_s = int(self.env.now)
        self.gates.pop(attempt).succeed(told)

    # -- service -----------------------------------------------------------------------------------

    def serve(self) -> Process:
        """Serve every slot in which something waits or comes; sleep otherwise."""
        while True:
            if any(self.queues):
                yield Moment(self.env, 1, SERVES[self.stage])
            else:
                self.alarm = self.env.event()
                yield self.alarm
                yield Moment(self.env, 0, SERVES[self.stage])
            self._serve_slot(int(self.env.now))

    def _serve_slot(self, slot: int) -> None:
        came, self.arrivals = sorted(self.arrivals, key=order_of_service), []
        came = self._pass_rows(slot, came)
        for attempt in came:
            attempt.hops.append(Hop(self, slot))
        left = Left(self.allowance(slot), self.bytes_of(slot) + self.kept_b)
        for place in range(len(self.queues)):
            here = [attempt for attempt in came if self._place(attempt) == place]
            self._serve_place(slot, place, here, left)
        waiting = sum(map(len, self.queues))
        self.kept_b = int(left.n_bytes) if left.is_short and waiting else 0
        if waiting:
            self.waited[slot] = waiting

    def _serve_place(self, slot: int, place: int, came: list[Attempt], left: Left) -> None:
        """Serve one place in *slot* with what is *left* of it."""
        queue = self.queues[place]
        if not queue:
            self.good_s[place] = max(0, slot - 1)
        slow = next(
            (
                row
                for row in self.on_service["codel"]
                if slot - self.good_s[place] > row[1].interval
            ),
            None,
        )
        is_newest_first = any(
            len(queue) > of_server(row.above, self.name) for _, row in self.on_service["lifo"]
        )
        if is_newest_first:
            for attempt in came:
                self._join(queue, attempt)
            came = []
        take = queue.pop if is_newest_first else queue.popleft
        while queue and left.is_some:
            attempt = queue[-1 if is_newest_first else 0]
            if slow is not None and slot - attempt.hops[-1].arrived_s > slow[1].target:
                take()
                self.note(self.stage, slow[0], "codel", attempt.message, "stopped")
                self._tell(attempt, "refused")
            elif left.covers(self.sizes[attempt.message.kind]):
                take()
                self._serve(slot, place, attempt)
        for attempt in came:
            if left.is_some and left.covers(self.sizes[attempt.message.kind]):
                self._serve(slot, place, attempt)
            else:
                self._join(queue, attempt)

    def _serve(self, slot: int, place: int, attempt: Attempt) -> None:
        if any(
            slot - attempt.hops[-1].arrived_s <= row.target for _, row in self.on_service["codel"]
        ):
            self.good_s[place] = slot
        self._tell(attempt, "served")

    def _join(self, queue: deque[Attempt], attempt: Attempt) -> None:
        """Let *attempt* wait, if there is room."""
        if self.buffer is None or len(queue) < self.buffer:
            queue.append(attempt)
        elif self.spec.overflow == "drop_oldest" and queue:
            self._tell(queue.popleft(), "refused")
            queue.append(attempt)
        else:
            self._tell(attempt, "refused")

    def _place(self, attempt: Attempt) -> int:
        kind, priority = attempt.message.kind, self.spec.priority
        return priority.index(kind) if kind in priority else len(priority)

    def allowance(self, slot: int) -> float:
        """Return how many messages may be served in *slot*."""
        if back_s(self.out, slot) is not None:
            return 0
        rates = [of_server(row.rate, self.name) for _, row in self.on_service["shape"]]
        if self.capacity is not None and not self.capacity.in_bytes:
            rates.append(self.capacity.rate)
        return min([float("inf"), *(whole(rate, slot) for rate in rates)])

    def bytes_of(self, slot: int) -> float:
        """Return how many bytes may be served in *slot*."""
        if self.capacity is None or not self.capacity.in_bytes:
            return float("inf")
        return whole(self.capacity.rate, slot)

    def exceeds(self, slot: int, kinds: list[str]) -> bool:
        """Whether messages of *kinds* are more than the capacity alone allows in *slot*."""
        if self.capacity is None:
            return False
        load = sum(self.sizes[kind] for kind in kinds) if self.capacity.in_bytes else len(kinds)
        return load > whole(self.capacity.rate, slot)


@dataclass(eq=False)
class Stage:
    """A stage: its servers by region and cell, region, or user, and the latency behind it."""

    spec: Any
    premises_per_cell: int
    servers: dict[Any, Server]

    @property
    def name(self) -> str:
        return str(self.spec.stage)

    def server_of(self, attempt: Attempt) -> Server:
        message = attempt.message
        where = {
            "cell": (message.region.name, message.home.index // self.premises_per_cell),
            "csp": message.region.name,
            "dsp": "dsp",
            "user": message.home.user,
        }
        return self.servers[where[self.name]]


def lay_out_stages(
    scenario: Scenario, env: simpy.Environment, luck: Luck, regions: list[Region], note: Note
) -> list[Stage]:
    """Return the scenario's stages of servers in order, their servers at work."""
    per_cell = scenario.estate.premises_per_cell
    cells = {
        (region.name, cell): region.name
        for region in regions
        for cell in range(-(-region.n_premises // per_cell))
    }
    by_name: dict[str, dict[Any, str]] = {
        "cell": cells,
        "csp": {region.name: region.name for region in regions},
        "dsp": {"dsp": "dsp"},
        "user": {name: name for name in scenario.estate.users},
    }
    stages = []
    for spec in scenario.network:
        if spec.stage in by_name:
            sizes, names = sizes_at(scenario, spec.stage), by_name[spec.stage].items()
            servers = {key: Server(env, spec, name, note, sizes) for key, name in names}
            stages.append(Stage(spec, per_cell, servers))
            for server in stages[-1].servers.values():
                server.out = _outages(scenario, luck, spec.stage, server.name)
                looking = [(n, row) for n, row in enumerate(spec.mitigations) if row.kind in KINDS]
                server.rows = [
                    KINDS[row.kind](n, row, luck, scenario, server.name, server.waited, server.out)
                    for n, row in looking
                ]
    return stages


def _outages(scenario: Scenario, luck: Luck, stage: str, server: str) -> list[tuple[int, int]]:
    """Return when *server* of *stage* is out, outages that touch joined."""
    joined: list[tuple[int, int]] = []
    for start_s, outage in strokes(scenario, luck.replication, "stage_outages"):
        if outage.stage == stage and outage.server in ("all", server):
            if joined and start_s <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(joined[-1][1], start_s + outage.duration)
            else:
                joined.append((start_s, start_s + outage.duration))
    return joined
