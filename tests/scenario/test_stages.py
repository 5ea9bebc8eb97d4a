"""Stages by name, and numbers server by server."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sim.scenario.design import cells
from sim.scenario.faults import ScenarioError
from sim.scenario.fields import Capacity, of_server
from sim.scenario.load import load, resolved


def network(*sets, name="gb_base"):
    """Return the stages of a scenario by name."""
    return {stage.stage: stage for stage in load(name, sets).network}


def test_a_mapping_changes_stages_and_a_list_replaces_them(tmp_path):
    """In a file over what it extends, and from outside: in the order of the way, null taking one
    away.
    """
    (tmp_path / "mine.yaml").write_text(
        "schema_version: 1\nextends: gb_base\nname: mine\nquestion: none\n"
        "network:\n  user: {operators: 5, flood_above: 10, flood_below: 5}\n  hub: {buffer: 2}\n"
        "  dsp: {latency: 2 s}\n"
    )
    mine = network(name=tmp_path / "mine.yaml")

    assert list(mine) == ["hub", "csp", "dsp", "user"]
    assert (mine["dsp"].capacity, mine["dsp"].latency) == (Capacity(Fraction(4600)), 2)
    assert list(network("network={csp: null}")) == ["dsp"]
    assert list(network("network=[{stage: user}]")) == ["user"]
    assert network("network=[]") == {}
    assert list(network("network={dsp: {capacity: 9 /s}}", name="gb_firmware")) == ["dsp"]


def test_a_file_may_begin_with_stages_by_name(tmp_path):
    """Where it extends nothing that has a network."""
    (tmp_path / "mine.yaml").write_text(
        resolved(load("gb_base")).partition("network:")[0]
        + "network: {dsp: {capacity: 7 /s}}\nfaults: {}\n"
    )
    assert network(name=tmp_path / "mine.yaml")["dsp"].capacity == Capacity(Fraction(7))


def test_a_path_names_a_stage():
    """One that is there, and one that is not; by number as before."""
    by_name = network("network.dsp.capacity=7 /s", "network.hub.buffer=3")
    assert (by_name["dsp"].capacity, by_name["hub"].buffer) == (Capacity(Fraction(7)), 3)
    assert network("network.1.capacity=7 /s")["dsp"].capacity == Capacity(Fraction(7))


def test_one_region_is_halved_in_a_line():
    """A number that was for all is then for the others; a mapping may name them all."""
    csp = network("network.csp.capacity.north=1000 /s")["csp"]
    assert csp.capacity == {"north": Capacity(Fraction(1000)), "others": Capacity(Fraction(2000))}
    assert of_server(csp.capacity, "south") == Capacity(Fraction(2000))
    rows = "network.csp.mitigations=[{kind: shed, above: {north: 5, central: 6, south: 7}}]"
    assert of_server(network(rows)["csp"].mitigations[0].above, "south") == 7
    bytes_ = network("network.csp.capacity={north: 250 kB/s, others: 1 MiB/h}")["csp"].capacity
    assert bytes_["north"] == Capacity(Fraction(250_000), in_bytes=True)
    assert bytes_["others"] == Capacity(Fraction(1024**2, 3600), in_bytes=True)


def test_what_was_written_is_written_back(tmp_path):
    """Server by server, in bytes and in messages."""
    scenario = load("gb_base", ["network.csp.capacity={south: 1 /s, others: 1.5 kB/s}"])
    text = resolved(scenario)
    assert "    capacity:\n      others: 1500 B/s\n      south: 1 /s\n" in text
    (tmp_path / "again.yaml").write_text(text)
    assert load(tmp_path / "again.yaml") == scenario


@pytest.mark.parametrize(
    ("sets", "path", "told"),
    [
        (
            "network.csp.capacity.nort=1 /s",
            "network.0.capacity.nort",
            r"has no server nort; .*did you mean north\?",
        ),
        (
            "network.csp.capacity={north: 1 /s}",
            "network.0.capacity",
            "says nothing of central, south",
        ),
        ("network.dsp.capacity=5 B", "network.1.capacity", "write a speed like 250 kB/s"),
        (
            "network={hub: {buffer: {north: 1}}}",
            "network.0.buffer",
            "a hub has no servers to tell apart",
        ),
        (
            "network.dps.capacity=1 /s",
            "network.2.stage",
            r"'dps' is not known; .*did you mean dsp\?",
        ),
        ("network={dsp: 5}", "network.1", "is the single value 5; a mapping is due here"),
        ("network.csp.capacity=2000000000 /s", "network.0.capacity", "is too large"),
    ],
)
def test_a_wrong_server_is_refused_in_its_place(sets, path, told):
    """With what there is."""
    with pytest.raises(ScenarioError, match=told) as error:
        load("gb_base", [sets])
    assert error.value.faults[0].path == path


def experiment(tmp_path, body):
    """Return an experiment with *body*."""
    head = "schema_version: 1\nexperiment: e\nquestion: q\nscenario: gb_base\n"
    (tmp_path / "e.yaml").write_text(head + body)
    return load(tmp_path / "e.yaml")


def test_factors_and_options_name_stages(tmp_path):
    """A region's capacity varies alone; the range of an assumption is found by either path."""
    body = (
        "set: {network: {dsp: {latency: 1 s}}}\n"
        "options: {slow: {network: {csp: {latency: 9 s}}}, none: {network.csp: null}}\n"
        "factors: {network.dsp.capacity: [1 /s, 2 /s]}\n"
    )
    found = [
        [(one.stage, one.latency, one.capacity.rate) for one in cell.scenario.network]
        for cell in cells(experiment(tmp_path, body))
    ]
    assert found[1] == [("csp", 9, 2000), ("dsp", 1, 2)]
    assert found[3] == [("dsp", 1, 2)]
    north = experiment(tmp_path, "factors: {network.csp.capacity.north: [1000 /s, 2000 /s]}\n")
    assert [
        of_server(cell.scenario.network[0].capacity, "north").rate for cell in cells(north)
    ] == [1000, 2000]
    for path in ("network.csp.capacity", "network.0.capacity"):
        low = cells(experiment(tmp_path, f"factors: {{{path}: assumed}}\ndesign: one_at_a_time\n"))[
            1
        ]
        assert low.scenario.network[0].capacity.rate == 500


def test_two_paths_to_one_leaf_are_one(tmp_path):
    """By number and by name: one of the factors can have it, and none that is set from outside."""
    twice = experiment(
        tmp_path, "factors: {network.0.capacity: [1 /s], network.csp.capacity: [2 /s]}\n"
    )
    with pytest.raises(ScenarioError, match=r"sets network\.csp\.capacity, and so does"):
        cells(twice)
    once = experiment(tmp_path, "factors: {network.0.capacity: [1 /s, 2 /s]}\n")
    once._sets = tuple(load_sets("network.csp.capacity=5 /s"))
    with pytest.raises(ScenarioError, match="is a factor of this experiment"):
        cells(once)


def load_sets(text):
    """Return what `--set` reads of *text*."""
    from sim.scenario.compose import assignments

    return assignments([text])


def test_only_the_network_is_told_by_stages(tmp_path):
    """A kind of traffic may be called network."""
    base = (
        "schema_version: 1\nextends: gb_base\nname: base\nquestion: none\ntraffic: {kinds:"
        " {network: {alert: false, per: meter, rate: 1 /d, target: 1 h, size: 5 B, profile:"
        " flat}}}\n"
    )
    (tmp_path / "base.yaml").write_text(base)
    (tmp_path / "mine.yaml").write_text(
        "schema_version: 1\nextends: base.yaml\nname: mine\nquestion: none\n"
        "traffic: {kinds: {network: {rate: 2 /d}}}\n"
    )
    kinds = load(tmp_path / "mine.yaml", ["traffic.kinds={network: {size: 7 B}}"]).traffic.kinds
    assert (kinds["network"].size, kinds["network"].rate * 86_400) == (7, 2)


def test_a_network_of_ones_own_is_for_nobody_else(tmp_path):
    """What a list replaces, `network_for` no longer speaks of, unless it is said again."""
    assert load("gb_base", ["network=[{stage: dsp, capacity: 5 /s}]"]).network_for is None
    assert load("gb_base", ["network=[]", "network_for=70"]).network_for == 70
    assert load("gb_base", ["network.dsp.capacity=5 /s"]).network_for == 20_000_000
    assert load("gb_base", ["network={dsp: {capacity: 5 /s}}"]).network_for == 20_000_000
    assert load("laws/one_second").network_for is None
    (cell,) = cells(experiment(tmp_path, "set: {network: [{stage: dsp, capacity: 5 /s}]}\n"))
    assert cell.scenario.network_for is None
    for name in ("storm_mitigations", "storm_recovery", "rollout_storm", "alert_exclusion_list"):
        assert {cell.scenario.network_for for cell in cells(load(name))} == {20_000_000}, name
    assert {cell.scenario.network_for for cell in cells(load("dec_2013"))} == {13_000_000}


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        (["network.dps=null"], r"did you mean dsp\?"),
        (["network={dps: null}"], r"did you mean dsp\?"),
        (
            ["network.dsp.capacity=7 /s", "network.1.capacity=8 /s"],
            "is network.dsp.capacity, which is set already",
        ),
        (["network.dsp.latency.north=3 s"], "is not a duration"),
        (["network.dsp.capacity=-5 kB/s"], "is negative"),
        (["network.dsp.capacity=250 kb/s"], r"did you mean 250 kB/s\?|write a speed like 250 kB/s"),
        (["network.dsp.capacity=99999999999999999 GB/s"], "is too large"),
        (["network.csp.capacity=0.00000000000000000001 B/year"], "too many digits"),
        (
            ["network={cell: {capacity: 0.00000000000000000001 B/year}}"],
            "too many digits.*; round it",
        ),
        (["estate.scale=0.0333333333333333"], "too many digits"),
        (
            ["estate.scale=0.03333333", "network.csp.capacity=0.333 /year"],
            "write a scale such as 1/30",
        ),
        (["estate.regions={others: 0 %}"], "others is kept for those that are not named"),
    ],
)
def test_what_would_be_misread_is_refused(sets, told):
    """In a sentence, before anything runs."""
    with pytest.raises(ScenarioError, match=told):
        load("gb_base", sets)


def test_a_scaled_gateway_that_answers_nobody_is_refused():
    """It counts by the hour."""
    sets = ["firmware.screening.design=token", "firmware.screening.capacity=10 /h"]
    with pytest.raises(ScenarioError, match=r"the smallest scale that works is 1/10$"):
        load("gb_firmware", [*sets, "estate.scale=1/100"])
    load("gb_firmware", [*sets, "estate.scale=1/10"])


def test_access_barring_is_given_by_region():
    """It is at cells, and they are a region's."""
    sets = (
        "network={cell: {capacity: 1 /s, mitigations: [{kind: access_barring, above: {north: 3,"
        " others: 5}, share: 50 %, hold: 1 s}]}}"
    )
    assert of_server(network(sets)["cell"].mitigations[0].above, "south") == 5


def test_leaves_by_server_are_those_that_a_path_may_divide():
    """The names that `put` knows are the fields that hold a mapping from server to value."""
    import json

    from sim.scenario.document import schema_document
    from sim.scenario.fields import BY_SERVER_LEAVES

    shapes = json.loads(schema_document("json"))["$defs"].values()
    fields = [field for shape in shapes for field in shape.get("properties", {}).items()]
    divided = {
        name for name, field in fields if "oneOf" in field or "oneOf" in str(field.get("anyOf"))
    }
    assert divided == set(BY_SERVER_LEAVES)


def test_an_editor_is_told_that_a_stage_may_be_null():
    """As the page writes it."""
    import json

    from sim.scenario.document import schema_document

    network = json.loads(schema_document("json"))["$defs"]["Scenario"]["properties"]["network"]
    by_name = next(shape for shape in network["anyOf"] if shape["type"] == "object")
    assert {"type": "null"} in by_name["properties"]["user"]["anyOf"]
