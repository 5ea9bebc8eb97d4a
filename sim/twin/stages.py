"""The twin's network: a SimPy process a server, and a SimPy process a message (`docs/model.md` section 7)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Generator
from dataclasses import dataclass, field
from math import floor
from typing import TYPE_CHECKING, Any, Final

import simpy
from simpy.events import Event

from sim.turns import Turn, pause

if TYPE_CHECKING:
    from fractions import Fraction

    from sim.scenario.schema import Scenario
    from sim.twin.estate import Device, Premises, Region, Sender

VERSION_REPORT: Final = "version_report"
# When a stage serves within its second: after everything of the second has come to it, and before the stages behind it. The user comes after the record.
SERVES_AFTER: Final = {"csp": Turn.TRAFFIC + 0.25, "dsp": Turn.TRAFFIC + 0.5, "user": Turn.RECORDS + 0.5}


@dataclass(eq=False, slots=True)
class Hop:
    """One stage in the life of a message: when it came and when it left (None: not yet, or refused)."""

    stage: str
    server: str
    arrived_s: int
    departed_s: int | None = None


@dataclass(eq=False, slots=True)
class Message:
    """A version report (*sender* and *home* given) or one anonymous message, and all that happened to it. *at_s*: second it was written or refused."""

    kind: str
    origin_s: int
    region: Region
    sender: Sender | None = None
    home: Premises | None = None
    cause: str = ""
    rank: int = 0
    carries: list[tuple[Device, int]] = field(default_factory=list)
    hops: list[Hop] = field(default_factory=list)
    fate: str = "in_flight"
    refused_at: str = ""
    at_s: int = -1

    @property
    def entered(self) -> bool:
        return self.fate not in ("lost", "expired")


class _Moment(Event):
    """An event that fires after a delay, at a place within the second that may lie between two turns."""

    def __init__(self, env: simpy.Environment, delay_s: int, order: float) -> None:
        super().__init__(env)
        self._ok = True
        self._value: Any = None
        env.schedule(self, priority=order, delay=delay_s)  # type: ignore[arg-type]


@dataclass(eq=False)
class Server:
    """One server: a queue a place of priority, and whole messages a slot.

    *gates* holds, for each message here, the event that fires when it departs or is refused. *waited* is how many waited after the service of a slot, for
    the slots in which any did.
    """

    env: simpy.Environment
    stage: str
    name: str
    capacity: Fraction | None
    buffer: int | None
    priority: tuple[str, ...]
    queues: list[deque[Message]] = field(init=False)
    arrivals: list[Message] = field(default_factory=list)
    gates: dict[Message, Event] = field(default_factory=dict)
    waited: dict[int, int] = field(default_factory=dict)
    alarm: Event = field(init=False)

    def __post_init__(self) -> None:
        self.queues = [deque() for _ in range(len(self.priority) + 1)]
        self.alarm = self.env.event()
        self.env.process(self.serve())

    def arrive(self, message: Message) -> Event:
        """Take in *message* this second; the event returned fires when it departs (value True) or is refused (False)."""
        message.hops.append(Hop(self.stage, self.name, int(self.env.now)))
        self.arrivals.append(message)
        self.gates[message] = self.env.event()
        if not self.alarm.triggered:
            self.alarm.succeed()
        return self.gates[message]

    def serve(self) -> Generator[Event, Any, None]:
        """Serve every slot in which something waits or comes; sleep otherwise."""
        while True:
            if any(self.queues):
                yield _Moment(self.env, 1, SERVES_AFTER[self.stage])
            else:
                self.alarm = self.env.event()
                yield self.alarm
                yield _Moment(self.env, 0, SERVES_AFTER[self.stage])
            self._serve_slot(int(self.env.now))

    def _serve_slot(self, slot: int) -> None:
        left = self.allowance(slot)
        came, self.arrivals = in_order(self.arrivals), []
        for place, queue in enumerate(self.queues):
            while queue and left > 0:
                self._release(queue.popleft(), served=True)
                left -= 1
            for message in came:
                if self._place(message) != place:
                    continue
                if left > 0:
                    self._release(message, served=True)
                    left -= 1
                elif self.buffer is None or len(queue) < self.buffer:
                    queue.append(message)
                else:
                    self._release(message, served=False)
        if waiting := sum(map(len, self.queues)):
            self.waited[slot] = waiting

    def allowance(self, slot: int) -> float:
        """Return how many messages may be served in *slot*."""
        return float("inf") if self.capacity is None else floor((slot + 1) * self.capacity) - floor(slot * self.capacity)

    def _place(self, message: Message) -> int:
        return self.priority.index(message.kind) if message.kind in self.priority else len(self.priority)

    def _release(self, message: Message, *, served: bool) -> None:
        if served:
            message.hops[-1].departed_s = int(self.env.now)
        self.gates.pop(message).succeed(served)


def in_order(arrivals: list[Message]) -> list[Message]:
    """Return the messages that came to a server in one slot, in their order of service.

    Who left first is first; of one second by rank; ties: anonymous before named, anonymous by (region, kind), named by (region, sender row, timer before
    change). The k-th of n anonymous messages of one (region, kind, origin) ranks evenly among all possible ranks.
    """
    group_sizes = Counter((message.region.number, message.kind, message.origin_s) for message in arrivals if message.sender is None)
    numbers: Counter[tuple[int, str, int]] = Counter()
    keyed = []
    for message in arrivals:
        if message.sender is None:
            group = (message.region.number, message.kind, message.origin_s)
            rank = ((2 * numbers[group] + 1) << 31) // group_sizes[group]
            numbers[group] += 1
            keyed.append(((message.origin_s, rank, 0, message.region.number, message.kind, 0, ""), message))
        else:
            cause = "0 before a change" if message.cause == "timer" else message.cause
            keyed.append(((message.origin_s, message.rank, 1, message.region.number, "", message.sender.row, cause), message))
    return [message for _, message in sorted(keyed, key=lambda pair: pair[0])]


@dataclass(eq=False)
class Stage:
    """A stage: its servers by name (region, `dsp` or user) and the latency behind it."""

    name: str
    latency_s: int
    servers: dict[str, Server]

    def server_of(self, message: Message) -> Server:
        if self.name == "csp":
            return self.servers[message.region.name]
        if self.name == "user" and message.home is not None:
            return self.servers[message.home.user]
        return self.servers["dsp"]


def lay_out_stages(scenario: Scenario, env: simpy.Environment) -> list[Stage]:
    """Return the scenario's stages in order, their servers at work."""
    names = {"csp": sorted(scenario.estate.regions), "dsp": ["dsp"], "user": sorted(scenario.estate.users)}
    return [
        Stage(spec.stage, spec.latency, {
            name: Server(env, spec.stage, name, spec.capacity, None if spec.stage == "user" else spec.buffer, spec.priority) for name in names[spec.stage]
        })
        for spec in scenario.network
    ]


def journey(env: simpy.Environment, message: Message, stages: list[Stage]) -> Generator[Event, Any, None]:
    """Take *message* from leaving its hub, through the stages before the SMI, into the SMI's records, and a version report on to its user."""
    for stage in (stage for stage in stages if stage.name != "user"):
        is_served = yield stage.server_of(message).arrive(message)
        if not is_served:
            message.fate, message.refused_at, message.at_s = "refused", stage.name, int(env.now)
            return
        if stage.latency_s > 0:
            yield pause(env, stage.latency_s, Turn.TRAFFIC)
    yield pause(env, 0, Turn.RECORDS)
    message.fate, message.at_s = "delivered", int(env.now)
    for device, version in message.carries:
        device.smi.write(message.at_s, message.origin_s, version, device.version_true)
    for stage in (stage for stage in stages if stage.name == "user" and message.home is not None):
        yield stage.server_of(message).arrive(message)
