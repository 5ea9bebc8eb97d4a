"""The traffic that is there already: kinds of message that are counted, not tied to devices."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from sim.scenario import read_when as when
from sim.scenario.alerts import kinds_by_name
from sim.scenario.fields import (
    Closed,
    Flag,
    MadeAt,
    Multiple,
    Name,
    Per,
    PositiveDuration,
    Rate,
    Size,
    Weight,
    in_order,
)
from sim.scenario.forms import NameOf


def _day_profile(weights: tuple[float, ...]) -> tuple[float, ...]:
    if len(weights) != 24:
        raise ValueError(
            f"{len(weights)} weights; a profile has one for each of the 24 hours of the day"
        )
    if not any(weights):
        raise ValueError("all weights are 0; at least one hour must have traffic")
    return weights


Profile = Annotated[tuple[Weight, ...], AfterValidator(_day_profile)]


class TrafficKind(Closed):
    """One kind of the traffic that is there already; it is counted, not tied to devices."""

    alert: Flag = Field(description="Whether messages of the kind are alerts.")
    per: Per = Field(
        description=(
            "What the rate counts: meter (ESME and GSME), device (every type, hubs and GPF too) or"
            " premises."
        )
    )
    rate: Rate = Field(description="Messages per meter, device or premises at a level of 100 %.")
    target: PositiveDuration = Field(description="Response-time target of the kind.")
    size: Size = Field(description="Bytes of a message between device and DSP (GBCS).")
    profile: Annotated[
        Name,
        NameOf(("traffic.profiles",), "profile", "traffic.profiles has:", nothing="none is given"),
    ] = Field(description="Name of the daily profile its rate follows.")
    made_at: MadeAt = Field(
        default="home",
        description=(
            "Where its messages are made: home, or dsp, so that they load nothing before it."
        ),
    )
    user: Annotated[
        Name | None, when.SHARED_OUT, NameOf(("estate.users",), "user", "the users are")
    ] = Field(
        default=None,
        description=(
            "The one user whose share it counts against; without it, the user responsible"
            " for the premises."
        ),
    )


class Traffic(Closed):
    """The traffic that is there without any version report."""

    level: Multiple = Field(description="Multiple of every kind's rate; 0 % for none.")
    kinds: Annotated[dict[Name, TrafficKind], AfterValidator(kinds_by_name), when.TRAFFIC] = Field(
        description="The kinds of traffic, by name."
    )
    profiles: Annotated[dict[Name, Profile], AfterValidator(in_order), when.FOLLOWED] = Field(
        description="Weights of the 24 hours of the day, by name; only their ratios matter."
    )
