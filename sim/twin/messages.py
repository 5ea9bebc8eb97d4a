"""What travels in the twin: a message, its attempts to cross the network, and the stages each
attempt passed.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from simpy.events import Event

from sim.planning.sizes import VERSION_REPORT
from sim.words import MessageCause

if TYPE_CHECKING:
    from sim.twin.estate import Device, Premises, Region, Sender

Process = Generator[Event, Any, None]

ANONYMOUS_SLOT: Final = 7  # where the home of an anonymous message draws


class Place(Protocol):
    """A server, as far as who passes it needs to know."""

    @property
    def stage(self) -> str: ...

    @property
    def name(self) -> str: ...


@dataclass(eq=False, slots=True)
class Hop:
    """One stage in the life of an attempt: when it came, when it left for the next (None: not yet,
    or never), and when it was there no more, served or turned away.
    """

    server: Place
    arrived_s: int
    departed_s: int | None = None
    gone_s: int | None = None


@dataclass(eq=False, slots=True)
class Message:
    """A named message (*sender* given) or an anonymous one, and all that happened to it.

    *number* and *rank* are those of an anonymous message among the *n* of its region, kind and
    origin. *stage* is where it was stopped, *at_s* the second it passed the SMI's door,
    *is_pending* whether another attempt is due, *is_central* whether it is made at the DSP.
    """

    kind: str
    raised_s: int
    region: Region
    home: Premises
    sender: Sender | None = None
    cause: str = ""
    loss_occasion: int = 0
    is_last_gasp: bool = False
    number: int = 0
    rank: int = 0
    made_s: int = -1
    is_central: bool = False
    has_crossed_han: bool = False
    carries: list[tuple[Device, int]] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    is_pending: bool = False
    fate: str = "in_flight"
    stage: str = ""
    at_s: int = -1

    @property
    def place(self) -> int:
        return self.region.number * 8 + ANONYMOUS_SLOT if self.sender is None else self.sender.place

    @property
    def index(self) -> int:
        return self.home.index if self.sender is None else self.sender.index

    @property
    def has_ended(self) -> bool:
        return self.fate != "in_flight"

    def end(self, fate: str, stage: str = "") -> None:
        """End it so, unless it has ended before."""
        if not self.has_ended:
            self.fate = fate
            self.stage = stage


@dataclass(eq=False, slots=True)
class Attempt:
    """One try of *message* to cross the network: its *number* from 0, when it left, and how far it
    came: *is_through* all stages, or *refused*, as (second, depth of the stage, stage).
    """

    message: Message
    number: int
    leave_s: int
    rank: int
    hops: list[Hop] = field(default_factory=list)
    is_under_way: bool = True
    has_failed: bool = False
    is_through: bool = False
    is_wasted: bool = False
    refused: tuple[int, int, str] | None = None


def order_made(message: Message) -> tuple[int, int]:
    """Return what orders messages of one sender, kind and present second: who was raised first, a
    timer before a change.
    """
    return message.raised_s, MessageCause.of(message.cause)


def order_of_service(attempt: Attempt) -> tuple[Any, ...]:
    """Return what orders the attempts that come to a server in one slot."""
    message = attempt.message
    if message.sender is None:
        return (
            attempt.leave_s,
            attempt.rank,
            0,
            message.region.number,
            message.kind,
            message.raised_s,
            message.number,
        )
    by_kind = (message.kind == VERSION_REPORT, message.kind)
    return (
        attempt.leave_s,
        attempt.rank,
        1,
        message.region.number,
        by_kind,
        message.sender.slot,
        message.sender.index,
        *order_made(message),
    )
