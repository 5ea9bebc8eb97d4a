"""The blocks of storms: rows, faults and alerts are read as `docs/model.md` names them, written
back, and leave older scenarios as they were.
"""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.mitigations import MITIGATIONS
from sim.scenario.alerts import SENDERS
from sim.scenario.faults import ScenarioError
from sim.scenario.fields import STAGES
from sim.scenario.load import load, resolved
from sim.scenario.outages import PowerCut
from sim.scenario.rows import ROW_SHAPES, AnyRow, Retry
from sim.scenario.schema import Scenario

EVERY_ROW = {  # one of each kind, at a stage where it can be
    "device": [
        "{kind: jitter, window: 5 min}",
        "{kind: token_bucket, kinds: [chatter], every: 1 h, burst: 5}",
        (
            "{kind: retry, base: 1 min, factor: 2, most: 1 h, jitter: decorrelated, cap: 5,"
            " timeout: 1 min, budget: 10 %}"
        ),
    ],
    "hub": [
        "{kind: dedupe, window: 1 h}",
        "{kind: consolidate, kinds: [chatter], threshold: 5, window: 1 h, forward_period: 1 d}",
        "{kind: batch, kinds: [version_report], period: 1 h}",
        "{kind: hold_down, time: 0 s, spread: 30 min}",
    ],
    "cell": [
        "{kind: access_barring, above: 100, share: 50 %, hold: 5 min}",
        "{kind: staggered_reconnect, spread: 10 min}",
    ],
    "csp": [
        "{kind: shape, rate: 500 /s}",
        "{kind: lifo, above: 1000}",
        "{kind: codel, target: 5 s, interval: 100 s}",
    ],
    "dsp": [
        (
            "{kind: alert_storm_protection, threshold: 5, window: 1 h, forward_one_in: 10, exclude:"
            " [8F75, tamper]}"
        ),
        "{kind: circuit_breaker, above: 10_000, window: 10 s, open: 1 min}",
        "{kind: admission, kinds: [device_alert], rate: 500 /s, burst: 1000}",
        "{kind: shed, kinds: [scheduled_read], above: 5000}",
        "{kind: allocation, above: 4000 /s}",
    ],
    "user": ["{kind: redelivery, after: 300 s, hold: 2 d}"],
}
NETWORK = (
    "network=["
    + ", ".join(
        f"{{stage: {stage}, mitigations: [{', '.join(rows)}]}}" for stage, rows in EVERY_ROW.items()
    )
    + "]"
)
CUT = "region: north, share: 10 %, duration: 3 h"


def world(*sets: str) -> Scenario:
    scenario = load("gb_base", sets)
    assert isinstance(scenario, Scenario)
    return scenario


def test_every_row_is_read_and_written_back(tmp_path):
    scenario = world(NETWORK)
    path = tmp_path / "again.yaml"
    path.write_text(resolved(scenario))

    assert [row.kind for stage in scenario.network for row in stage.mitigations] == [
        line[7:].split(",")[0] for rows in EVERY_ROW.values() for line in rows
    ]
    assert {row.kind for stage in scenario.network for row in stage.mitigations} == set(MITIGATIONS)
    assert load(path) == scenario


def test_the_table_of_rows_is_that_of_the_schema():
    assert {*ROW_SHAPES.values()} == {*get_args(AnyRow)}
    assert [*ROW_SHAPES] == [*MITIGATIONS]
    for row in MITIGATIONS.values():
        assert {*row.layers} <= {*STAGES}


def test_a_row_of_a_whole_server_has_no_kinds_to_name():
    rows = {row.kind: row for stage in world(NETWORK).network for row in stage.mitigations}
    assert rows["token_bucket"].kinds == ("chatter",)
    assert [
        rows[kind].kinds for kind in ("shape", "lifo", "codel", "staggered_reconnect", "jitter")
    ] == [()] * 5


@pytest.mark.parametrize(("kind", "stages"), [(row.id, row.layers) for row in MITIGATIONS.values()])
def test_a_row_is_refused_wherever_it_cannot_be(kind, stages):
    row = next(
        line for rows in EVERY_ROW.values() for line in rows if line.startswith(f"{{kind: {kind},")
    )
    for stage in STAGES:
        network = f"network=[{{stage: {stage}, mitigations: [{row}]}}]"
        if stage in stages:
            assert world(network).network[0].mitigations[0].kind == kind
        else:
            with pytest.raises(
                ScenarioError,
                match=(
                    f"network.0.mitigations.0.kind: {kind} acts at .*{stages[0]}.*, not at {stage}"
                ),
            ):
                world(network)


def test_faults_are_read_with_what_they_leave_out():
    curve = "curve: [{share: 60 %, time: 6 h}, {share: 100 %, time: 2 d}]"
    faults = world(
        f"faults.power_cuts=[{{{CUT}, start: 1 d, {curve}}}, {{{CUT}, rate: 2 /year, restoration: 1"
        " h}]",
        "faults.stage_outages=[{stage: csp, server: north, start: 1 d, every: 7 d, duration: 1 h}]",
        'faults.clock_locks=[{region: south, share: 1, start: 2 h, at: "00:30"}]',
    ).faults
    first, second = faults.power_cuts

    assert [(point.share, point.time) for point in first.curve] == [(0.6, 21_600), (1.0, 172_800)]
    assert (first.start, first.rate, first.every, first.restoration) == (86_400, None, None, 0)
    assert (second.start, second.rate, second.restoration, second.curve) == (
        None,
        Fraction(2, 365 * 86_400),
        3600,
        (),
    )
    assert (
        faults.stage_outages[0].every,
        faults.clock_locks[0].at,
        faults.clock_locks[0].spread,
    ) == (604_800, 1800, 0)
    assert (faults.hub_reboots, faults.wan_outages) == ((), ())


def test_a_curve_may_begin_with_nobody_back():
    curve = (
        world(
            f"faults.power_cuts=[{{{CUT}, start: 1 d, curve: [{{share: 0 %, time: 1 h}}, {{share:"
            " 1, time: 1 h}]}]"
        )
        .faults.power_cuts[0]
        .curve
    )
    assert [(point.share, point.time) for point in curve] == [(0.0, 3600), (1.0, 3600)]


def test_alerts_are_in_the_order_of_their_names_and_none_is_active_in_the_base():
    base = world()
    assert base.alerts.active == ()
    assert list(base.alerts.kinds) == sorted(base.alerts.kinds)
    assert world("alerts.active=[tamper, chatter, power_outage]").alerts.active == (
        "chatter",
        "power_outage",
        "tamper",
    )


USES = {
    **dict.fromkeys(("outage", "restoration", "cut"), {"after"}),
    "random": {"rate"},
    "chatter": {"rate", "tail", "spread"},
}


def test_every_cause_has_what_it_uses_in_the_base():
    for name, alert in world().alerts.kinds.items():
        assert alert.sender in SENDERS
        given = {field for field in ("after", "rate", "tail", "spread") if getattr(alert, field)}
        assert given == USES.get(alert.cause, set()), name


def test_chattering_devices_and_the_counted_alerts_keep_the_published_mean():
    """The numbers of the comment in gb_base: with chatter active and the counted rate lowered, a
    device sends 0.955794 alerts a day as before.
    """
    base = world()
    chatter, counted = base.alerts.kinds["chatter"], base.traffic.kinds["device_alert"]
    devices = 2 + sum(base.estate.devices.values())
    chattering = (
        base.estate.devices["esme"] * chatter.share * float(chatter.rate) * 86_400 / devices
    )

    assert float(counted.rate) * 86_400 == pytest.approx(0.955794)
    assert 0.867688 + chattering == pytest.approx(0.955794, abs=1e-6)


def test_a_scenario_without_the_new_blocks_has_none_of_it(tmp_path):
    text = resolved(world("faults.power_cuts=[]"))
    old = text.partition("\nfaults:")[0] + "\nfaults:\n  power_cuts: []\n"
    path = tmp_path / "old.yaml"
    path.write_text(old)
    scenario = load(path)

    assert (scenario.alerts.active, scenario.alerts.kinds) == ((), {})
    assert scenario.faults.hub_reboots == scenario.faults.clock_locks == ()
    assert scenario.network == world().network


@pytest.mark.parametrize(
    "sets",
    [
        # a buffer that keeps nothing, and no outage of the WAN that would fill it
        ("network=[{stage: hub, buffer: 0}, {stage: dsp}]",),
        (
            (
                "network=[{stage: hub, buffer: 5, overflow: keep_latest}, {stage: dsp, buffer: 0,"
                " overflow: drop_oldest}]"
            ),
        ),
        (
            (
                "network=[{stage: dsp, priority: [chatter, on_demand], mitigations: [{kind: shed,"
                " kinds: [chatter], above: 0}]}]"
            ),
        ),
        (
            (
                "network=[{stage: dsp, mitigations: [{kind: lifo, above: 5}, {kind: codel, target:"
                " 0 s, interval: 1 s}]}]"
            ),
        ),
        (
            (
                "network=[{stage: dsp, mitigations: [{kind: shed, above: 5}, {kind: shed, above: 9,"
                " kinds: [chatter]}]}]"
            ),
        ),
        (
            (
                "network=[{stage: hub, mitigations: [{kind: retry, base: 1 h, factor: 1, most: 1 h,"
                " jitter: none, cap: 0}]}]"
            ),
        ),
        ("network=[{stage: device, latency: 0 s}, {stage: hub}]",),
        ("faults.wan_outages=[{region: north, share: 0 %, rate: 0 /year, duration: 1 s}]",),
        ("alerts.active=[]", "alerts.kinds={}"),
        ("traffic.kinds.on_demand.user=small",),
    ],
)
def test_what_is_unusual_but_sound_is_accepted(sets):
    assert world(*sets).name == "gb_base"


def test_what_is_wrong_in_several_rows_is_said_at_once():
    network = (
        "network=[{stage: hub, capacity: 1 /s, mitigations: [{kind: dedupe, window: 1 h, kinds:"
        " [chater]}, {kind: shape, rate: 1 /s}]}]"
    )
    with pytest.raises(ScenarioError) as error:
        world(
            network, f"faults.power_cuts=[{{{CUT}, restoration: 0 s}}]", "alerts.active=[magnets]"
        )
    assert [fault.path for fault in error.value.faults] == [
        "network.0.capacity",
        "network.0.mitigations.0.kinds.0",
        "network.0.mitigations.1.kind",
        "faults.power_cuts.0",
        "alerts.active",
    ]


PIECES = {
    "alerts": (
        "{active: []}",
        "{active: [tamper, chatter]}",
        "{kinds: {}}",
        "{active: [tamper], kinds: {}}",
    ),
    "faults": (
        "{}",
        f"{{power_cuts: [{{{CUT}, start: 1 d, restoration: 1 h}}]}}",
        f"{{hub_reboots: [{{{CUT}, rate: 1 /d, curve: [{{share: 1, time: 1 h}}]}}]}}",
        (
            f"{{power_cuts: [{{{CUT}, start: 1 d, every: 1 d}}], wan_outages: [{{{CUT}, rate: 1"
            " /d}]}"
        ),
        (
            "{stage_outages: [{stage: user, server: small, rate: 1 /w, duration: 1 h}, {stage: dsp,"
            " server: all, start: 0 s, duration: 1 h}]}"
        ),
        "{clock_locks: [{region: nowhere, share: 1, start: 1 d}]}",
    ),
}


def read_or_refused(*sets: str) -> tuple[Scenario | None, list[str]]:
    """Return the scenario, or nothing and the paths of what is wrong with it."""
    try:
        return world(*sets), []
    except ScenarioError as error:
        return None, [fault.path for fault in error.faults]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(STAGES),
            st.lists(
                st.sampled_from([row for rows in EVERY_ROW.values() for row in rows]), max_size=3
            ),
        ),
        max_size=4,
    ),
    st.sampled_from(PIECES["faults"]),
    st.sampled_from(PIECES["alerts"]),
    st.sampled_from(("", "buffer: 5, ", "overflow: drop_oldest, ", "capacity: 5 /s, ")),
)
def test_any_blocks_together_are_read_or_refused_with_a_place(stages, faults, alerts, extra):
    """Nothing a file can say of storms ends in anything but a scenario that is written back, or
    sentences that name a value of the file.
    """
    network = ", ".join(
        f"{{stage: {stage}, {extra}mitigations: [{', '.join(rows)}]}}" for stage, rows in stages
    )
    scenario, faulty = read_or_refused(
        f"network=[{network}]", f"faults={faults}", f"alerts={alerts}"
    )
    if scenario is None:
        assert {path.split(".")[0] for path in faulty} <= {"network", "faults", "alerts"}
        assert faulty
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "again.yaml"
        path.write_text(resolved(scenario))
        assert load(path) == scenario


def test_a_block_left_out_is_checked_beside_a_faulty_one(tmp_path):
    """A file without alerts, whose window is wrong and whose row names no kind: both are said."""
    text = (
        resolved(
            world(
                "network=[{stage: dsp, mitigations: [{kind: shed, above: 5, kinds: [on_demand]}]}]"
            )
        ).partition("\nalerts:")[0]
        + "\n"
    )
    path = tmp_path / "bare.yaml"
    path.write_text(
        text.replace("length: 365 d", "length: 0 s").replace(
            "kinds: [on_demand]", "kinds: [tamper]"
        )
    )
    with pytest.raises(ScenarioError) as error:
        load(path)
    assert [fault.path for fault in error.value.faults] == [
        "window.length",
        "network.0.mitigations.0.kinds.0",
    ]


def test_the_shapes_are_frozen():
    row = world(NETWORK).network[0].mitigations[2]
    assert isinstance(row, Retry)
    with pytest.raises(ValueError, match="frozen"):
        row.cap = 6  # type: ignore[misc]
    assert PowerCut.model_config["frozen"] is True
