"""What must agree about faults and alerts: each strikes something there is, within the world, and
says when and how in one way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sim.faults import FAULTS
from sim.scenario.alerts import Alerts
from sim.scenario.faults import Finding, Path, did_you_mean
from sim.scenario.forms import HORIZON
from sim.scenario.network import Stage
from sim.scenario.outages import ClockLock, Faults, HubReboot, PowerCut, StageOutage, WanOutage
from sim.scenario.schema import EstateSpec, Window
from sim.scenario.traffic import Traffic

_AnyFault = PowerCut | HubReboot | WanOutage | StageOutage | ClockLock
# of one entry: beyond this a fault is a way of life, and its calendar fills the memory
_MOST_STROKES: Final = 10_000


def _entries(faults: Faults) -> Iterator[tuple[Path, str, _AnyFault]]:
    for row in FAULTS.values():
        for index, fault in enumerate(getattr(faults, row.id)):
            yield ("faults", row.id, index), row.event, fault


def faults_say_when(faults: Faults) -> Iterator[Finding]:
    """Find faults that come neither at a time nor at a rate, or at both, and rates that repeat."""
    for where, called, fault in _entries(faults):
        if fault.start is None and fault.rate is None:
            yield where, f"nothing says when the {called} comes; give start or rate", ()
        elif fault.start is not None and fault.rate is not None:
            yield (
                (*where, "rate"),
                f"the {called} has both a start and a rate; one of them says when it comes",
                ((*where, "start"),),
            )
        elif fault.every is not None and fault.start is None:
            yield (
                (*where, "every"),
                f"every repeats a start, and this {called} comes at a rate; leave every out",
                ((*where, "rate"),),
            )


def faults_happen(faults: Faults, window: Window) -> Iterator[Finding]:
    """Find faults that never stop beginning."""
    horizon = window.warm_up + window.length
    for where, called, fault in _entries(faults):
        strokes = fault.rate * horizon if fault.rate is not None else 0
        field = "rate"
        if fault.start is not None and fault.every is not None:
            strokes, field = (horizon - fault.start) // fault.every, "every"
        if strokes > _MOST_STROKES:
            yield (
                (*where, field),
                f"the {called} would come about {int(strokes):,} times; at most {_MOST_STROKES:,}",
                HORIZON,
            )


def darkness_ends(faults: Faults) -> Iterator[Finding]:
    """Find cuts and reboots that say in two ways, or in none, how premises come back."""
    for where, called, fault in _entries(faults):
        if not isinstance(fault, PowerCut | HubReboot):
            continue
        if not fault.curve and "restoration" not in fault.model_fields_set:
            yield (
                where,
                (
                    f"nothing says how premises come back from the {called}; give restoration (0 s"
                    " for all at once) or curve"
                ),
                (),
            )
        if fault.curve and fault.restoration:
            yield (
                (*where, "curve"),
                (
                    f"the {called} has both a restoration and a curve; one of them says how"
                    " premises come back"
                ),
                ((*where, "restoration"),),
            )


def outages_strike_stages(
    faults: Faults, network: tuple[Stage, ...], estate: EstateSpec
) -> Iterator[Finding]:
    """Find outages of stages and servers that there are not."""
    stages = [stage.stage for stage in network]
    servers: dict[str, list[str]] = {
        "csp": ["all", *estate.regions],
        "dsp": ["all"],
        "user": ["all", *estate.users],
    }
    for index, outage in enumerate(faults.stage_outages):
        where: Path = ("faults", "stage_outages", index)
        if outage.stage not in stages:
            message = (
                f"the network has no stage {outage.stage} that could be out; its stages are"
                f" {', '.join(stages) or 'none'}"
            )
            yield (*where, "stage"), message, (("network",),)
        allowed = servers[outage.stage]
        if outage.server not in allowed:
            hint = did_you_mean(outage.server, allowed)
            words = f"one of {', '.join(allowed)}" if len(allowed) > 1 else "all"
            message = (
                f"the stage {outage.stage} has no server {outage.server}; it must be {words}{hint}"
            )
            yield (
                (*where, "server"),
                message,
                ((*where, "stage"), ("estate", "regions"), ("estate", "users")),
            )


def names_stand_for_one_thing(alerts: Alerts, traffic: Traffic) -> Iterator[Finding]:
    """Find names that stand for two things."""
    for name in alerts.kinds:
        if name in traffic.kinds:
            yield (
                ("alerts", "kinds", name),
                f"{name} is a kind of traffic as well; choose another name for one of them",
                (("traffic", "kinds", name),),
            )


def chatter_is_countable(alerts: Alerts) -> Iterator[Finding]:
    """Find alerts that come too often for their cause."""
    for name, alert in alerts.kinds.items():
        where: Path = ("alerts", "kinds", name)
        fastest = alert.fastest_per_s
        if alert.cause == "chatter" and fastest is not None and fastest > 1:
            message = (
                f"its noisiest sender would raise {fastest:.3g} /s, and none raises more than 1 /s;"
                " lower the rate or the spread"
            )
            yield (*where, "rate"), message, ((*where, "spread"), (*where, "tail"))
