"""What holds for every mitigation: H8. None is for kinds it does not name, none makes or loses a
message, and what shares nothing does not meet.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sim.mitigations import MITIGATIONS
from sim.run import replicate
from sim.scenario.rows import ROW_SHAPES
from sim.scenario.schema import Scenario
from sim.tables import Trace
from tests.laws.storms import (
    ALERT,
    REPORT,
    Seen,
    cut,
    differing,
    out,
    reboots,
    seen,
    storm,
    wan_out,
)
from tests.twins.storms import storm as generated

# Each kind of row with a setting that acts in the crowded world below, and the stage it is at
# there.
ACTING: dict[str, tuple[str, dict[str, Any]]] = {
    "jitter": ("device", {"window": "40 s"}),
    "token_bucket": ("device", {"every": "1 min", "burst": 2}),
    "dedupe": ("hub", {"window": "1 min"}),
    "consolidate": ("hub", {"threshold": 2, "window": "5 min", "forward_period": "1 min"}),
    "batch": ("hub", {"period": "1 min"}),
    "hold_down": ("hub", {"time": "1 min", "spread": "1 min"}),
    "retry": (
        "hub",
        {
            "base": "5 s",
            "factor": 2,
            "most": "1 min",
            "jitter": "full",
            "cap": 3,
            "timeout": "20 s",
        },
    ),
    "access_barring": ("cell", {"above": 2, "share": 0.5, "hold": "1 min"}),
    "alert_storm_protection": (
        "dsp",
        {"threshold": 2, "window": "5 min", "forward_period": "1 min"},
    ),
    "circuit_breaker": ("csp", {"above": 20, "window": "10 s", "open": "30 s"}),
    "admission": ("csp", {"rate": "1 /s", "burst": 3}),
    "shed": ("csp", {"above": 5}),
    "allocation": ("dsp", {"above": "1 /s"}),
    "shape": ("csp", {"rate": "1 /s"}),
    "lifo": ("csp", {"above": 5}),
    "codel": ("csp", {"target": "2 s", "interval": "10 s"}),
    "staggered_reconnect": ("cell", {"spread": "2 min"}),
    "redelivery": ("user", {"after": "1 min", "hold": "2 min"}),
}
FOR_SOME = sorted(kind for kind, model in ROW_SHAPES.items() if "kinds" in model.model_fields)


def crowded(*rows: dict[str, Any], stage: str = "csp", **more: Any) -> Seen:
    """Return half an hour in which links, power, the DSP and a user fail at a CSP of 2 a second,
    under *rows* at *stage*.
    """
    network: dict[str, Any] = {
        "device": {},
        "hub": {"buffer": 20},
        "cell": {"capacity": "3 /s"},
        "csp": {"capacity": "2 /s"},
        "dsp": {"capacity": "3 /s", "buffer": 60},
        "user": {},
    }
    network[stage] = network[stage] | {"mitigations": rows}
    broken = (
        out("dsp", "8 min", "1 min")["stage_outages"]
        + out("user", "20 min", "3 min")["stage_outages"]
    )
    faults = (
        cut("3 min", "4 min") | reboots(60, start_s=840, share=0.5) | wan_out("9 min", "3 min") | {
            "stage_outages": broken
        }
    )
    settings: dict[str, Any] = {
        "homes": 40,
        "length": "30 min",
        "period": "30 s",
        "alerts": ("chatters", ALERT, "lost_supply"),
        "faults": faults,
    }
    return seen(storm(network=network, **settings | more))


def raised(world: Seen) -> Counter[tuple[str, tuple[str, int, int], int]]:
    """Return which messages there were, whatever became of them."""
    return Counter((message.kind, message.sender, message.raised_s) for message in world.messages)


def test_every_mitigation_there_is_is_tried_here():
    """A new kind of row needs a line above."""
    assert set(ACTING) == set(MITIGATIONS)
    assert all(stage in MITIGATIONS[kind].layers for kind, (stage, _) in ACTING.items())


@pytest.mark.parametrize("kind", sorted(MITIGATIONS))
def test_a_mitigation_makes_and_loses_no_message(kind):
    """The same messages are raised with it and without, each ends in one way; and it does something
    here.
    """
    stage, settings = ACTING[kind]
    with_it, without = crowded({"kind": kind} | settings, stage=stage), crowded()

    assert raised(with_it) == raised(without)
    changed = [
        name for name in without.tables if not with_it.tables[name].equals(without.tables[name])
    ]
    assert changed


@pytest.mark.parametrize("kind", FOR_SOME)
def test_a_mitigation_for_a_kind_that_nobody_sends_changes_nothing(kind):
    """Message by message and table by table."""
    stage, settings = ACTING[kind]

    assert (
        differing(crowded({"kind": kind, "kinds": ["tampered"]} | settings, stage=stage), crowded())
        == []
    )


@pytest.mark.parametrize(
    "kind",
    sorted(
        {"admission", "shed", "circuit_breaker", "token_bucket", "batch", "hold_down", "jitter"}
        & set(FOR_SOME)
    ),
)
def test_the_order_of_rows_for_different_kinds_does_not_matter(kind):
    """One for reports and one for alerts, in either order: the rows' own numbers apart, the same
    world.
    """
    stage, settings = ACTING[kind]
    rows = [{"kind": kind, "kinds": [name]} | settings for name in (REPORT, "chatters")]

    assert (
        differing(
            crowded(*rows, stage=stage), crowded(*reversed(rows), stage=stage), besides=("rows",)
        )
        == []
    )


def test_regions_that_share_nothing_are_as_if_alone():
    """A country of two regions of 30 homes is the two regions, each alone with its faults and its
    luck: message by message, and server by server.
    """
    row = ACTING["retry"][1] | {"kind": "retry", "budget": 0.5, "jitter": "equal"}
    network = {
        "hub": {"buffer": 3, "mitigations": [row]},
        "cell": {"capacity": "1 /s"},
        "csp": {"capacity": "2 /s", "buffer": 10},
    }
    strikes = {
        name: {"region": name, "share": 0.5, "start": f"{start} min", "duration": "4 min"}
        for name, start in (("north", 2), ("south", 5))
    }

    def country(homes: int, **shares: float) -> Seen:
        faults = {"power_cuts": [strike | {"restoration": "1 min"} for strike in strikes.values()]}
        estate = {"regions": shares, "premises_per_cell": 7}
        return seen(
            storm(
                homes=homes,
                length="20 min",
                period="20 s",
                alerts=("got_supply", "chatters"),
                faults=faults,
                estate=estate,
                network=network,
            )
        )

    both = country(60, north=0.5, south=0.5)
    for name, world in (
        ("north", country(30, north=1.0, south=0.0)),
        ("south", country(30, north=0.0, south=1.0)),
    ):
        assert [message for message in both.messages if message.region == name] == world.messages
        for table, column in (
            ("arrivals", "server"),
            ("delays", "server"),
            ("stages", "server"),
            ("timeline", "server"),
            ("cells", "region"),
        ):
            frames = [side.tables[table] for side in (both, world)]
            mine, alone = (frame[frame[column] == name].reset_index(drop=True) for frame in frames)
            assert len(mine) > 0
            assert mine.equals(alone)


@pytest.mark.parametrize("number", range(500, 530))
def test_whatever_the_network_the_same_messages_are_raised(number):
    """Generated storms, with their rows and without any network: rows, stages and their failures
    end messages, and never make one.
    """
    scenario = generated(number)
    bare = scenario.model_copy(
        update={"network": (), "faults": scenario.faults.model_copy(update={"stage_outages": ()})}
    )

    assert _raised(scenario) == _raised(bare)


def _raised(scenario: Scenario) -> Counter[tuple[Any, ...]]:
    trace = Trace([], [])
    tables = replicate(scenario, 0, trace=trace)
    fates = tables["fates"]
    counted = Counter({kind: int(n) for kind, n in fates.groupby("kind")["n"].sum().items()})
    from_second = Counter(
        kind
        for kind, *_, raised_s, _, _, _, _ in trace.messages
        if raised_s >= scenario.window.warm_up
    )
    assert {kind: n for kind, n in counted.items() if kind in from_second} == from_second
    return Counter(
        (kind, region, slot, index, raised_s, cause)
        for kind, region, slot, index, raised_s, cause, _, _, _ in trace.messages
    )
