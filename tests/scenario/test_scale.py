"""A part of the estate: what follows its scale, what does not, and which scales are refused."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sim.scenario.faults import ScenarioError
from sim.scenario.fields import OF_THE_ESTATE, Capacity
from sim.scenario.load import load, resolved
from sim.scenario.scale import scale_of, scaled
from sim.scenario.schema import Scenario
from sim.units import format_scale, parse_scale

ROWS = (
    "{kind: circuit_breaker, above: 30_000, window: 1 min, open: 1 min},"
    " {kind: admission, rate: {others: 700 /s}, burst: 900}, {kind: shed, above: 1_500},"
    " {kind: shape, rate: 800 /s}, {kind: lifo, above: 600}"
)
NETWORK = (
    "network=[{stage: device, mitigations: [{kind: token_bucket, every: 1 h, burst: 3}]},"
    " {stage: hub, buffer: 5}, {stage: cell, capacity: 3 /s, buffer: 50, mitigations:"
    f" [{ROWS}]}}, {{stage: csp, capacity: {{north: 1 MB/s, others: 2000 /s}}, buffer: 1_000,"
    f" mitigations: [{ROWS}]}}, {{stage: dsp, capacity: 4600 /s, mitigations: [{{kind: allocation,"
    " above: 300 /s}]}, {stage: user, capacity: 900 /s, operators: 400, flood_above: 10,"
    " flood_below: 5}]"
)
WORLDS = {
    "gb_base": [NETWORK],
    "gb_firmware": ["firmware.screening.capacity=5000 /h", "firmware.screening.design=token"],
}


def values(block, path=()):
    """Yield path, value and mark of every leaf of a scenario."""
    if isinstance(block, tuple) and any(hasattr(item, "model_fields_set") for item in block):
        for number, item in enumerate(block):
            yield from values(item, (*path, number))
    elif hasattr(block, "model_fields_set"):
        for name, field in type(block).model_fields.items():
            value, mark = getattr(block, name), field.json_schema_extra == OF_THE_ESTATE
            inner = list(values(value, (*path, name)))
            yield from inner or [((*path, name), value, mark)]


@pytest.mark.parametrize("name", WORLDS)
def test_what_is_of_the_estate_follows_and_nothing_else(name):
    """Leaf by leaf: a tenth of each that is marked, at the stages of the estate, and the rest as it
    was.
    """
    whole = load(name, WORLDS[name])
    part = scaled(load(name, [*WORLDS[name], "estate.scale=1/10"]))
    assert isinstance(whole, Scenario)
    found, moved = {path: value for path, value, _ in values(part)}, set()
    for path, value, is_marked in values(whole):
        stage = whole.network[path[1]].stage if path[0] == "network" and path[1:] else "dsp"
        each = value if isinstance(value, dict) else {"": value}
        small = found[path] if isinstance(value, dict) else {"": found[path]}
        follows = is_marked and stage in ("csp", "dsp", "user") and value is not None
        for key, number in each.items():
            if follows:
                moved.add(path)
                rate = number.rate if isinstance(number, Capacity) else number
                less = small[key].rate if isinstance(number, Capacity) else small[key]
                assert less == Fraction(rate) / 10, path
            else:
                assert small[key] == number, path
    expected = {"gb_base": 13, "gb_firmware": 3}
    assert len(moved) == expected[name], sorted(map(str, moved))


def test_the_schema_says_which_follow():
    """Those that moved above, in the sentence of each."""
    from sim.scenario.document import schema_document

    told = [
        line.split("`")[1]
        for line in schema_document("md").splitlines()
        if "follows `estate.scale`" in line
    ]
    assert {
        "estate.premises",
        "network.0.capacity",
        "network.0.operators",
        "firmware.ota.capacity",
        "firmware.screening.capacity",
    } <= set(told)
    assert "estate.premises_per_cell" not in told


def test_a_scale_is_a_part_of_a_whole():
    """As a fraction, per cent or number; it reads back, and is exact."""
    for text, value in {
        "1": 1,
        "1/100": Fraction(1, 100),
        "2/3": Fraction(2, 3),
        "1 %": Fraction(1, 100),
        "0.5 %": Fraction(1, 200),
    }.items():
        assert parse_scale(text) == value == parse_scale(format_scale(parse_scale(text)))
    assert [parse_scale(number) for number in (1, 0.01, 1.0, 1e-05)] == [
        1,
        Fraction(1, 100),
        1,
        Fraction(1, 100_000),
    ]


@pytest.mark.parametrize(
    "value",
    [
        "0",
        "0/5",
        "3/2",
        "200 %",
        "1/0",
        "-1/2",
        "1:100",
        "a tenth",
        "",
        True,
        None,
        2,
        -0.5,
        float("nan"),
        "1/" + "9" * 500,
    ],
)
def test_another_scale_is_refused(value):
    """With what to write instead."""
    with pytest.raises(ValueError, match="write a part of the estate such as 1/100 or 1 %"):
        parse_scale(value)


def test_a_scaled_world_is_no_longer_to_be_scaled():
    """What runs is the part; what is kept is the whole and its scale."""
    asked = load("gb_base", ["estate.scale=1/3"])
    part = scaled(asked)

    assert (scale_of(asked), scale_of(part), scaled(part)) == (Fraction(1, 3), 1, part)
    assert part.estate.premises == 6_666_667
    assert part.network[0].capacity == Capacity(Fraction(2000, 3))
    assert "  premises: 20000000\n  scale: 1/3\n" in resolved(asked)
    assert "scale" not in resolved(load("gb_base"))


def test_every_whole_number_that_would_vanish_is_named():
    """With the smallest scale that works for each."""
    with pytest.raises(ScenarioError) as error:
        load("gb_base", [NETWORK, "estate.scale=1/500"])
    told = {fault.path: fault.message.rpartition("works is ")[2] for fault in error.value.faults}

    assert told == {"network.5.operators": "1/400"}
    with pytest.raises(ScenarioError) as error:
        load("gb_base", [NETWORK, "estate.scale=1/30_000_000".replace("_", "")])
    told = {fault.path: fault.message.rpartition("works is ")[2] for fault in error.value.faults}
    assert told["estate.premises"] == "1/20000000"
    assert told["network.3.mitigations.1.burst"] == "1/900"
    assert told["network.3.buffer"] == "1/1000"
    assert not any(path.startswith("network.2.") for path in told)  # WAN cells keep theirs
