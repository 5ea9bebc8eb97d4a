"""Alerts by name: who raises which, and when (`docs/model.md` section 11)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

from sim.kernels import draws
from sim.scenario.alerts import FIRMWARE_CAUSES
from sim.turns import Turn, pause
from sim.twin.devices import seconds_at_rate
from sim.twin.hubs import raise_message
from sim.twin.messages import Message, Process

if TYPE_CHECKING:
    from sim.twin.estate import Premises, Sender
    from sim.twin.world import TwinWorld


def start_alerts(world: TwinWorld) -> None:
    """Start a process for every sender of every kind of alert that is active."""
    for kind in world.scenario.alerts.active:
        spec = world.scenario.alerts.kinds[kind]
        if spec.cause in FIRMWARE_CAUSES:
            continue  # raised where a job brings them about (`sim.twin.firmware.alerts`)
        for home in world.homes():
            sender = home.sender(spec.sender)
            if sender is not None and world.luck.happens(
                spec.share, f"alert.who.{kind}", sender.place, sender.index, 0
            ):
                world.env.process(alerts(world, home, sender, kind))


def alerts(world: TwinWorld, home: Premises, sender: Sender, kind: str) -> Process:
    """Raise the alerts of one *kind* of one *sender*."""
    spec = world.scenario.alerts.kinds[kind]
    for second in alert_seconds(world, home, sender, kind, spec):
        yield pause(world.env, second - int(world.env.now), Turn.TRAFFIC)
        raise_message(
            world,
            Message(
                kind,
                second,
                sender.region,
                home,
                sender,
                "alert",
                is_last_gasp=spec.cause == "outage",
            ),
        )


def alert_seconds(
    world: TwinWorld, home: Premises, sender: Sender, kind: str, spec: Any
) -> Iterable[int]:
    """Return the seconds at which *sender* raises alerts of *kind*, in order."""
    if spec.cause == "outage":
        return [
            spell.start_s + spec.after
            for spell in home.spells
            if spell.is_outage and spell.end_s - spell.start_s > spec.after
        ]
    if spec.cause == "restoration":
        return [
            spell.end_s
            for spell in home.spells
            if spell.is_outage and spell.end_s - spell.start_s >= spec.after
        ]
    if spec.cause == "reboot":
        return [spell.end_s for spell in home.spells if not spell.is_outage]
    if spec.cause == "random":
        return seconds_at_rate(world, f"alert.gap.{kind}", sender, spec.rate)
    return _chatter(world, sender, kind, spec)


def _chatter(world: TwinWorld, sender: Sender, kind: str, spec: Any) -> Iterator[int]:
    """Yield the seconds of a clock whose rate is the sender's own."""
    own = draws.bounded_pareto(
        world.luck.word(f"alert.rate.{kind}", sender.place, sender.index, 0), spec.tail, spec.spread
    )
    rate_per_s, second = float(spec.rate) * float(own), 0
    for number in count():
        second += world.luck.gap_s(
            rate_per_s, f"alert.gap.{kind}", sender.place, sender.index, number
        )
        yield second
