"""Reading a scenario: what extends what, what --set does, and that the resolved form says all."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.scenario.experiments import Experiment
from sim.scenario.faults import Fault, ScenarioError
from sim.scenario.load import load, resolved, shipped
from sim.scenario.schema import Scenario

HEAD = "schema_version: 1\nextends: gb_base\nname: child\nquestion: none\n"


def scenario(name, sets=()) -> Scenario:
    found = load(name, sets)
    assert isinstance(found, Scenario)
    return found


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_base_holds_seconds_fractions_and_sorted_names():
    base = scenario("gb_base")
    assert (base.window.warm_up, base.reporting.phase.at, base.reporting.phase.window) == (
        30 * 86_400,
        7200,
        86_400,
    )
    assert base.updates.local.rate == Fraction(4, 365 * 86_400)
    assert base.estate.no_wan_share == 0.007
    assert list(base.estate.regions) == ["central", "north", "south"]
    assert [
        (stage.stage, stage.capacity.rate, stage.buffer, stage.latency, stage.priority)
        for stage in base.network
    ] == [
        ("csp", Fraction(2000), None, 0, ()),
        ("dsp", Fraction(4600), None, 0, ()),
    ]


def test_a_scenario_cannot_be_changed_after_reading():
    with pytest.raises(ValueError, match="frozen"):
        scenario("gb_base").seed = 2


def test_every_shipped_file_loads_by_name_and_by_path():
    assert {"gb_base", "policies/p1"} <= set(shipped())
    assert not [name for name in shipped() if name.startswith("invalid")]
    for name, path in shipped().items():
        by_name, by_path = load(name), load(path)
        assert type(by_name) is type(by_path)
        if isinstance(by_name, Scenario):
            assert by_name == by_path


def test_mappings_merge_lists_replace_and_null_takes_away(tmp_path):
    grandparent = write(
        tmp_path / "a.yaml",
        HEAD
        + "network: [{stage: dsp, capacity: 5 /s, buffer: 9}]\ntraffic: {kinds: {dcc_alert:"
        " null}}\n",
    )
    write(
        tmp_path / "b.yaml",
        "schema_version: 1\nextends: a.yaml\nname: b\nestate: {regions: {north: null, central: 70"
        " %}}\n",
    )
    child = scenario(
        write(
            tmp_path / "c.yaml",
            "schema_version: 1\nextends: ./b.yaml\nreporting: {devices: [hcalcs], phase: {jitter: 5"
            " s}}\n",
        )
    )
    assert (child.name, child.question) == ("b", "none")
    assert child.estate.regions == {"central": 0.7, "south": 0.3}
    assert child.reporting.devices == ("hcalcs",)
    assert (child.reporting.phase.jitter, child.reporting.phase.source) == (5, "hashed")
    assert "dcc_alert" not in child.traffic.kinds
    assert [stage.buffer for stage in child.network] == [9]
    assert [stage.buffer for stage in scenario(grandparent, ["network.0.buffer=null"]).network] == [
        None
    ]


def test_set_goes_deep_into_mappings_and_lists_and_comes_last():
    changed = scenario(
        "gb_base",
        [
            "network.1.capacity=7 /s",
            "reporting.phase.at=03:30",
            "estate.premises=1_000",
            "reporting={loss: 5 %}",
            "faults.power_cuts=[]",
        ],
    )
    assert [stage.capacity.rate for stage in changed.network] == [2000, 7]
    assert (changed.reporting.phase.at, changed.estate.premises, changed.reporting.loss) == (
        12_600,
        1000,
        0.05,
    )
    assert scenario("gb_base", ["network.1.buffer=5"]).network[1].buffer == 5
    assert (
        scenario("gb_base", ["question=What, if: not a mapping?".replace(":", "")]).question
        == "What, if not a mapping?"
    )


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("R3", "periodic"),
        ("r0", "none"),
        ("r6", "on_change_heartbeat"),
        ("R1", "hub_store"),
        ("hub_batch", "hub_batch"),
    ],
)
def test_rules_go_by_name_or_number(text, rule):
    assert scenario("gb_base", [f"reporting.rule={text}"]).reporting.rule == rule


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("P0", "do_minimum"),
        ("p1", "ota_only"),
        ("P2", "local_and_ota"),
        ("p4", "local_and_ota"),
        ("ota_only", "ota_only"),
    ],
)
def test_policies_go_by_name_or_number(text, policy):
    assert scenario("gb_base", [f"updates.policy={text}"]).updates.policy == policy


def test_an_experiment_takes_its_own_keys_and_leaves_the_rest_to_its_cells(tmp_path):
    path = write(
        tmp_path / "e.yaml", "schema_version: 1\nexperiment: e\nquestion: q\nscenario: gb_base\n"
    )
    experiment = load(path, ["replications=5", "estate.premises=10"])
    assert isinstance(experiment, Experiment)
    assert experiment.replications == 5


def test_faults_name_the_file_they_stand_in(tmp_path):
    write(tmp_path / "base.yaml", HEAD + "seed: x\n")
    child = write(
        tmp_path / "child.yaml", "schema_version: 1\nextends: base.yaml\nreplications: y\n"
    )
    with pytest.raises(ScenarioError) as error:
        load(child)
    assert [(Path(fault.file).name, fault.line, fault.path) for fault in error.value.faults] == [
        ("base.yaml", 5, "seed"),
        ("child.yaml", 3, "replications"),
    ]


def test_a_fault_across_fields_stands_where_the_user_wrote_something(tmp_path):
    path = write(tmp_path / "x.yaml", HEAD + "reporting:\n  rule: periodic\n  period: 6 h\n")
    with pytest.raises(ScenarioError) as error:
        load(path)
    assert [(fault.file, fault.line, fault.path) for fault in error.value.faults] == [
        (str(path), 7, "reporting.phase.window")
    ]
    with pytest.raises(ScenarioError, match=r"^--set:2:18: reporting.phase.window"):
        load("gb_base", ["reporting.rule=periodic", "reporting.period=6 h"])


def test_a_fault_cannot_break_its_line_or_the_terminal():
    fault = Fault("a\nb\x1b.yaml", 1, 2, "x", "wrong")
    assert str(fault) == "a?b?.yaml:1:2: x: wrong"


seconds = st.integers(1, 10**9).map(lambda s: f"{s} s")
rates = st.tuples(
    st.integers(0, 1000), st.sampled_from(["/s", "/min", "/h", "/d", "/w", "/year"])
).map(lambda rate: f"{rate[0] / 1000:.3f} {rate[1]}")
printable = st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters='\\"')
values = st.fixed_dictionaries(
    {
        "estate.premises": st.integers(1, 40_000_000),
        "estate.no_wan_share": st.floats(0, 0.5),
        "reporting.rule": st.sampled_from(["none", "hub_store", "on_change"]),
        "reporting.period": seconds,
        "reporting.phase.at": st.times().map(lambda time: time.strftime("%H:%M:%S")),
        "reporting.loss": st.integers(0, 10**6).map(lambda n: f"{n / 10**4:.4f} %"),
        "updates.local.rate": rates,
        "window.start": st.dates().map(str),
        "traffic.level": st.floats(0, 900).map(lambda level: round(level, 6)),
        "network.0.latency": seconds,
        "seed": st.integers(0, 2**63 - 1),
        "question": st.text(printable, min_size=1).map(lambda text: f'"{text}"'),
    }
)


@settings(max_examples=60)
@given(values)
def test_the_resolved_form_loads_to_an_equal_scenario(tmp_path_factory, drawn):
    world = scenario("gb_base", [f"{path}={value}" for path, value in drawn.items()])
    path = write(tmp_path_factory.mktemp("resolved") / "resolved.yaml", resolved(world))
    assert load(path) == world
    assert resolved(scenario(path)) == resolved(world)


def test_the_resolved_form_of_every_shipped_scenario_loads_to_an_equal_one(tmp_path):
    for number, name in enumerate(shipped()):
        world = load(name)
        if isinstance(world, Scenario):
            assert load(write(tmp_path / f"{number}.yaml", resolved(world))) == world


def test_the_resolved_form_does_not_depend_on_the_order_of_the_file(tmp_path):
    lines = HEAD.splitlines()
    one = write(
        tmp_path / "one.yaml",
        "\n".join([*lines, "estate: {users: {large_a: 20 %, small: 11 %}}", "seed: 5"]),
    )
    two = write(
        tmp_path / "two.yaml",
        "\n".join([*lines, "seed: 5", "estate: {users: {small: 11 %, large_a: 20 %}}"]),
    )
    assert resolved(scenario(one)) == resolved(scenario(two))


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_file_is_refused_or_means_what_its_resolved_form_says(
    tmp_path_factory, root, data
):
    text = (root / "scenarios" / "gb_base.yaml").read_text(encoding="utf-8")
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text) - 1))
        length = data.draw(st.integers(0, 5))
        text = (
            text[:start]
            + data.draw(st.text("{}[]:,-?&*!|>'\" \n0159.%/sdhxé", max_size=3))
            + text[start + length :]
        )
    folder = tmp_path_factory.mktemp("damaged")
    path = write(folder / "damaged.yaml", text)
    try:
        world = scenario(path)
    except ScenarioError:
        return
    assert load(write(folder / "resolved.yaml", resolved(world))) == world
