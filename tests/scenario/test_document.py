"""The schema as a document says what the models say."""

from __future__ import annotations

import json

import pytest

from sim.scenario.document import schema_document
from sim.scenario.experiments import Experiment
from sim.scenario.load import load
from sim.scenario.schema import Scenario


def test_the_table_has_a_row_with_a_meaning_for_every_field():
    rows = [
        line.strip("| ").split(" | ")
        for line in schema_document("md").splitlines()
        if line.startswith("| `")
    ]
    assert all(
        len(row) == 3 and row[1] != "value" and row[2].endswith(".")
        for row in rows
        if not row[0].startswith(("`set", "`options", "`factors"))
    )
    paths = {row[0].strip("`") for row in rows}
    assert {*Scenario.model_fields, *Experiment.model_fields, "extends"} <= paths
    assert {
        "reporting.phase.jitter",
        "network.0.mitigations.0.threshold",
        "traffic.kinds.NAME.rate",
        "faults.power_cuts.0.restoration",
    } <= paths


def test_the_json_schema_notes_units_and_allows_what_gb_base_gives():
    document = json.loads(schema_document("json"))
    local = document["$defs"]["LocalUpdates"]["properties"]
    assert (local["rate"]["x-unit"], local["rate"]["type"], local["take_up"]["x-unit"]) == (
        "rate",
        "string",
        "share",
    )
    assert document["$defs"]["Scenario"]["required"] == ["schema_version"]
    assert set(load("gb_base").model_dump()) | {"extends"} == set(
        document["$defs"]["Scenario"]["properties"]
    )


def test_every_field_has_a_sentence():
    document = json.loads(schema_document("json"))
    bare = [
        f"{name}.{field}"
        for name, model in document["$defs"].items()
        for field, shape in model["properties"].items()
        if "description" not in str(shape) and "$ref" not in shape
    ]
    assert bare == []


def test_another_format_is_refused():
    with pytest.raises(ValueError, match="md or json"):
        schema_document("html")
