"""The network of a scenario: the stages on the way to the SMI, and what each of them says."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from sim.mitigations import SERVERS
from sim.scenario import read_when as when
from sim.scenario.alerts import KIND_OF_MESSAGE
from sim.scenario.fields import (
    OF_THE_ESTATE,
    ByServer,
    Closed,
    Duration,
    Names,
    Overflow,
    StageName,
    Throughput,
    count,
)
from sim.scenario.forms import NotAt
from sim.scenario.rows import Row
from sim.scenario.stages import STAGES

_BEFORE: Final = ("device", "hub")  # stages without a server
_NO_SERVER: Final = NotAt(dict.fromkeys(_BEFORE, "has no server to pass messages on"))
_NO_ROOM: Final = NotAt(
    {
        "device": "keeps nothing; its messages wait at the hub",
        "user": "refuses nothing, so that any number wait",
    }
)
_NO_QUEUE: Final = NotAt(dict.fromkeys(_BEFORE, "has no queue in which one kind goes first"))
_NO_TIME: Final = NotAt(
    dict.fromkeys(_BEFORE, "takes no time to leave; give a later stage the latency")
)
_NO_OPERATORS: Final = NotAt(dict.fromkeys((*_BEFORE, *SERVERS), "has no operators; users do"))


class Stage(Closed):
    """A place on the way to the SMI: with finite capacity, or, at device and hub, where messages
    are held back, dropped or kept.
    """

    stage: StageName = Field(
        description=(
            "device, hub, cell (a server per WAN cell), csp (one per region), dsp (one) or user"
            " (one per user), in this order."
        )
    )
    capacity: Annotated[ByServer[Throughput] | None, _NO_SERVER] = Field(
        default=None,
        description="Messages, or bytes, that each server passes on; without it, all at once.",
        json_schema_extra=OF_THE_ESTATE,
    )
    buffer: Annotated[ByServer[Annotated[int, count(0, 2**31 - 1)]] | None, _NO_ROOM] = Field(
        default=None,
        description=(
            "Messages of one priority that may wait; without it, any number. At hub: of one sender"
            " and kind, while the link is down; without it, none."
        ),
        json_schema_extra=OF_THE_ESTATE,
    )
    overflow: Annotated[Overflow | None, _NO_ROOM] = Field(
        default=None,
        description=(
            "What a full buffer does: drop_newest (without it, this), drop_oldest or, at"
            " hub, keep_latest."
        ),
    )
    priority: Annotated[Names, _NO_QUEUE, KIND_OF_MESSAGE] = Field(
        default=(),
        description=(
            "Kinds of message in the order they are served; the others share the last place."
        ),
    )
    latency: Annotated[Duration, _NO_TIME] = Field(
        default=0,
        description="Time from leaving this stage to arriving at the next; without it, none.",
    )
    operators: Annotated[Annotated[int, count(1, 1_000_000)] | None, _NO_OPERATORS] = Field(
        default=None,
        description="Operators of each user, who share its alerts (user only).",
        json_schema_extra=OF_THE_ESTATE,
    )
    flood_above: Annotated[Annotated[int, count(1, 1_000_000)] | None, _NO_OPERATORS] = Field(
        default=None,
        description="Alerts per operator in ten minutes above which a flood begins (user only).",
    )
    flood_below: Annotated[Annotated[int, count(1, 1_000_000)] | None, _NO_OPERATORS] = Field(
        default=None,
        description="Alerts per operator in ten minutes below which a flood ends (user only).",
    )
    mitigations: Annotated[tuple[Row, ...], when.WORK] = Field(
        default=(), description="Protections at this stage, in order."
    )


def as_on_the_way(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Refuse stages that come twice, or in another order than messages pass them."""
    names = [stage.stage for stage in stages]
    if names != [name for name in STAGES if name in names]:
        raise ValueError(
            f"the stages are {', '.join(names)}; each may come once, in the order"
            f" {', '.join(STAGES)}"
        )
    return stages
