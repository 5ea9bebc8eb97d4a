"""What must not change a result: threads, intervals, order, names, spelling, one more neighbour;
and what may only add to one or take away.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.estate.build import premises_by_region
from sim.run import replicate
from sim.scenario.fields import Capacity
from sim.scenario.load import load
from sim.scenario.schema import Scenario
from sim.tables import Tables, Trace
from tests.twins.conserved_steady import per_kind
from tests.twins.worlds import world

FEW = settings(max_examples=20)
# World numbers beyond those that the twin is compared on. Releases by the minute over days only
# cost time.
WORLDS = (
    st.integers(200, 3000)
    .map(world)
    .filter(lambda one: one.updates.local.driver == "poisson" or one.window.length < 30_000)
)


def traced(scenario: Scenario) -> tuple[Tables, Trace]:
    """Return the tables and the trace of one replication."""
    trace = Trace([], [])
    return replicate(scenario, 0, trace=trace), trace


def changed(scenario: Scenario, block: str, **fields: object) -> Scenario:
    """Return *scenario* with *fields* of one block changed."""
    return scenario.model_copy(update={block: getattr(scenario, block).model_copy(update=fields)})


def same(first: Tables, second: Tables) -> bool:
    """Whether two replications have the same tables, to the last digit."""
    for name, table in first.items():
        pd.testing.assert_frame_equal(table, second[name], check_exact=True, obj=name)
    return set(first) == set(second)


# -- equal -----------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(scenario=WORLDS, loss=st.sampled_from(["0 %", "25 %", "100 %"]))
def test_losses_and_darkness_make_and_destroy_no_message(scenario, loss):
    """However many are lost, expire or are refused, as many were sent; the last second too, where
    the anchor of no timer hangs on it.
    """
    lossy = changed(scenario, "reporting", loss=float(loss.rstrip(" %")) / 100)
    dry = changed(scenario, "estate", no_wan_share=0.4)
    fates = [per_kind(replicate(variant, 0)) for variant in (scenario, lossy, dry)]
    sent = [kinds.get("version_report", Counter()).total() for kinds in fates]

    assert sent[0] == sent[1] == sent[2]


@FEW
@given(
    scenario=WORLDS,
    batch_s=st.sampled_from([97, 600, 3601, 86_399]),
    threads=st.sampled_from([1, 2]),
)
def test_threads_and_intervals_change_nothing(scenario, batch_s, threads):
    """However a day is cut up, and whoever works on it."""
    assert same(replicate(scenario, 0), replicate(scenario, 0, threads=threads, batch_s=batch_s))


@settings(max_examples=3)
@given(scenario=WORLDS.filter(lambda scenario: scenario.window.length < 11_000))
def test_intervals_of_seven_seconds_change_nothing(scenario):
    """Messages that travel through hundreds of intervals included."""
    assert same(replicate(scenario, 0), replicate(scenario, 0, batch_s=7))


@FEW
@given(scenario=WORLDS, other=WORLDS)
def test_replications_do_not_know_of_each_other(scenario, other):
    """In any order, with other worlds run between them; and they differ."""
    alone = [replicate(scenario, replication) for replication in (0, 1)]
    replicate(other, 0)

    again = [replicate(scenario, replication) for replication in (1, 0)]

    assert same(alone[0], again[1])
    assert same(alone[1], again[0])


@FEW
@given(scenario=WORLDS)
def test_names_and_questions_change_nothing(scenario):
    """Nor do names of regions and users that leave their order as it is."""
    names = {name: f"x_{name}" for name in (*scenario.estate.regions, *scenario.estate.users)}
    renamed = changed(
        scenario,
        "estate",
        regions={names[n]: s for n, s in scenario.estate.regions.items()},
        users={names[n]: s for n, s in scenario.estate.users.items()},
    )
    cuts = tuple(
        cut.model_copy(update={"region": names[cut.region]}) for cut in scenario.faults.power_cuts
    )
    renamed = changed(renamed, "faults", power_cuts=cuts).model_copy(
        update={"name": "other", "question": "what is in a name"}
    )

    tables, back = replicate(renamed, 0), {new: old for old, new in names.items()}

    assert same(
        replicate(scenario, 0),
        {
            name: table.replace({"server": back, "region": back, "place": back})
            for name, table in tables.items()
        },
    )


UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


def respelt(value: Any) -> Any:
    """Return *value* with every mapping backwards and every duration in another unit."""
    if isinstance(value, dict):
        return {key: respelt(child) for key, child in reversed(value.items())}
    if isinstance(value, list):
        return [respelt(child) for child in value]
    number, _, unit = value.partition(" ") if isinstance(value, str) else ("", "", "")
    if unit not in UNITS:
        return value
    seconds = Fraction(number) * UNITS[unit]
    coarser = [
        name
        for name, length in UNITS.items()
        if name != unit and (seconds / length).denominator == 1
    ]
    return f"{seconds / UNITS[coarser[-1]]} {coarser[-1]}" if coarser else value


@FEW
@given(scenario=WORLDS)
def test_spelling_changes_nothing(scenario, tmp_path_factory):
    """Keys in any order, durations in any unit, reporting devices in any order: the same scenario
    and the same tables.
    """
    tree = respelt(scenario.model_dump(mode="json", exclude_none=True))
    tree["reporting"]["devices"].reverse()
    path = tmp_path_factory.mktemp("spelling") / "world.yaml"
    path.write_text(json.dumps(tree), encoding="utf-8")

    read = load(path)

    assert changed(read, "reporting", devices=scenario.reporting.devices) == scenario
    assert same(replicate(scenario, 0), replicate(read, 0))


# -- one more neighbour ----------------------------------------------------------------------------


@FEW
@given(scenario=WORLDS.filter(lambda scenario: len(scenario.estate.regions) < 3))
def test_one_more_premises_moves_nobody(scenario):
    """Every message and every device of all the others, where no queue makes them meet."""
    scenario = scenario.model_copy(update={"network": ()})
    larger = changed(scenario, "estate", premises=scenario.estate.premises + 1)
    sizes = premises_by_region(scenario.estate.premises, dict(scenario.estate.regions))
    old = dict(zip(scenario.estate.regions, sizes, strict=True))

    (_, before), (_, after) = traced(scenario), traced(larger)

    assert Counter(before.messages) == Counter(
        message for message in after.messages if message[3] < old[message[1]]
    )
    assert [device[1:] for device in before.devices] == [
        device[1:] for device in after.devices if device[3] < old[device[1]]
    ]


@FEW
@given(scenario=WORLDS, more=st.integers(1, 40))
def test_a_longer_world_begins_the_same(scenario, more):
    """Whoever was served before the old horizon is served the same; whoever left before it left the
    same.
    """
    longer = changed(scenario, "window", length=scenario.window.length + 60 * more)
    end_s = scenario.window.warm_up + scenario.window.length

    (_, short), (_, long) = traced(scenario), traced(longer)

    assert sorted(m[:6] for m in short.messages) == sorted(
        m[:6] for m in long.messages if m[4] < end_s
    )
    assert sorted(m for m in short.messages if m[6] == "delivered") == sorted(
        m for m in long.messages if m[6] == "delivered" and m[8] < end_s
    )


# -- only more, only less --------------------------------------------------------------------------


ADDITIVE = {
    "arrivals": (["stage", "server", "kind", "quarter"], ["n"]),
    "stages": (["stage", "server"], ["measured_s", "over_capacity_s", "waiting_s"]),
    "ledgers": (
        ["ledger", "device_type", "region"],
        ["right_s", "wrong_s", "unknown_s", "staleness_s2", "confirmation_s2", "n_changes"],
    ),
    "staleness": (["ledger", "device_type", "low_s"], ["device_s"]),
}


@FEW
@given(scenario=WORLDS, quarters=st.integers(1, 8))
def test_a_warm_up_only_leaves_out(scenario, quarters):
    """What is counted by time adds up over the parts exactly; what is counted by message is never
    more; the world is the same.
    """
    whole = changed(
        scenario, "window", warm_up=0, length=scenario.window.warm_up + scenario.window.length
    )
    split = min(900 * quarters, (whole.window.length - 1) // 900 * 900)
    first = changed(whole, "window", length=split)
    rest = changed(whole, "window", warm_up=split, length=whole.window.length - split)

    (all_of_it, trace), (measured, later) = traced(whole), traced(rest)
    parts = [replicate(first, 0), measured]

    assert (trace.messages, trace.devices) == (later.messages, later.devices)
    for name, (keys, columns) in ADDITIVE.items():
        total = all_of_it[name].groupby(keys)[columns].sum()
        summed = pd.concat([part[name] for part in parts]).groupby(keys)[columns].sum()
        pd.testing.assert_frame_equal(total, summed, check_dtype=False, check_exact=True, obj=name)
    keys = ["stage", "server", "kind", "k_s"]
    peaks = pd.concat([part["peaks"] for part in parts]).groupby(keys)["peak_n"].max()
    assert (all_of_it["peaks"].groupby(keys)["peak_n"].max() == peaks).all()
    for kind, fates in per_kind(measured).items():
        assert all(n <= per_kind(all_of_it)[kind][fate] for fate, n in fates.items())


@FEW
@given(scenario=WORLDS, extra=st.integers(1, 3))
def test_more_capacity_never_means_a_longer_queue(scenario, extra):
    """A whole message more a second at the only stage: no fewer get through, no longer wait."""
    if not scenario.network:
        return
    capacity = scenario.network[0].capacity or Capacity(Fraction(1, 7))
    stage = scenario.network[0].model_copy(update={"capacity": capacity, "priority": ()})
    more = replace(capacity, rate=capacity.rate + extra)
    wider = stage.model_copy(update={"capacity": more})

    narrow, wide = (
        replicate(scenario.model_copy(update={"network": (one,)}), 0) for one in (stage, wider)
    )

    for column in ("over_capacity_s", "waiting_s", "peak_waiting_n", "waiting_at_end_n"):
        assert (wide["stages"][column] <= narrow["stages"][column]).all()
    for kind, fates in per_kind(narrow).items():
        assert per_kind(wide)[kind]["refused"] <= fates["refused"]


@FEW
@given(
    scenario=WORLDS,
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
    what=st.sampled_from(["loss", "no_wan"]),
)
def test_a_larger_share_takes_the_same_and_more(scenario, shares, what):
    """With common luck, what a small share of losses, or of premises without WAN, leaves out, a
    larger one leaves out too.
    """
    scenario = scenario.model_copy(update={"network": ()})
    block, field = ("reporting", "loss") if what == "loss" else ("estate", "no_wan_share")
    if what == "no_wan":
        scenario = changed(scenario, "estate", not_communicating_share=0.0)

    few, many = (
        Counter(
            message[:6]
            for message in traced(changed(scenario, block, **{field: share}))[1].messages
        )
        for share in shares
    )

    assert many <= few


@FEW
@given(scenario=WORLDS)
def test_extremes_are_extreme(scenario):
    """All lost: none delivered. No WAN: all expire. Nobody takes part: nothing ever WRONG."""
    lost = per_kind(
        replicate(
            changed(
                changed(scenario, "reporting", loss=1.0),
                "estate",
                no_wan_share=0.0,
                not_communicating_share=0.0,
            ),
            0,
        )
    )
    cut_off = per_kind(
        replicate(changed(scenario, "estate", no_wan_share=1.0, not_communicating_share=0.0), 0)
    )
    still = replicate(
        scenario.model_copy(
            update={"updates": scenario.updates.model_copy(update={"policy": "ota_only"})}
        ),
        0,
    )

    assert set(lost.get("version_report", ())) <= {"lost", "expired"}
    assert set(cut_off.get("version_report", ())) <= {"expired"}
    assert still["ledgers"]["wrong_s"].sum() == 0


@pytest.mark.parametrize(
    ("field", "value", "segment", "kind", "factor"),
    [
        ("size", "264 B", "dsp", "version_report", 2),
        ("fan_out", "3", "user", "version_report", 3),
        ("request_size", "780 B", "wan", "request", 10),
    ],
)
def test_bytes_are_messages_times_sizes(field, value, segment, kind, factor):
    """Doubling a size doubles its bytes and nothing else; copies multiply what users receive."""
    sets = [
        "estate.premises=50",
        "window.warm_up=0 s",
        "window.length=2 d",
        "reporting.rule=hub_poll",
    ]

    plain, other = (
        replicate(load("gb_base", [*sets, *more]), 0)
        for more in ([], [f"reporting.{field}={value}"])
    )

    before, after = (
        tables["segments"].set_index(["segment", "kind"])["bytes"][segment, kind]
        for tables in (plain, other)
    )
    assert after == factor * before > 0
    assert same(
        {name: table for name, table in plain.items() if name != "segments"},
        {name: table for name, table in other.items() if name != "segments"},
    )


def test_the_seed_is_luck_and_nothing_else():
    """Another seed, or another replication, is another world of the same size."""
    sets = [
        "estate.premises=200",
        "window.warm_up=0 s",
        "window.length=3 d",
        "reporting.rule=periodic",
    ]
    worlds = [
        replicate(load("gb_base", [*sets, f"seed={seed}"]), replication)
        for seed, replication in ((1, 0), (2, 0), (1, 1))
    ]

    premises = [tables["population"].query("what == 'premises'")["n"].tolist() for tables in worlds]
    assert premises[0] == premises[1] == premises[2]
    wrong = [tables["ledgers"]["wrong_s"].sum() for tables in worlds]
    assert len(set(wrong)) == 3
