"""The schema as a document: a table for people, a JSON Schema for editors. Both are made from the
sentences under the fields.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from sim.mitigations import MITIGATIONS
from sim.scenario.experiments import Experiment
from sim.scenario.fields import OF_THE_ESTATE
from sim.scenario.scale import CENTRAL
from sim.scenario.schema import Scenario
from sim.scenario.stages import STAGES

_BY_STAGE: Final = (
    "Stages on the way, in order; [] for none. A list replaces what it extends; a mapping from"
    " stage to its fields changes those stages, and null takes one away."
)
_EXTENDS: Final = {
    "type": "string",
    "description": (
        "The scenario this one changes: a shipped name, or a path from the folder of this file."
        " Mappings merge; lists and single values replace."
    ),
}


def schema_document(format: str) -> str:  # noqa: A002 - the name of the command's option
    """Return the schema of scenarios and experiments as `md` (a table of path, value and meaning)
    or `json` (JSON Schema 2020-12).
    """
    if format not in ("md", "json"):
        raise ValueError(f"{format!r} is not a format of the schema; it must be md or json")
    document = _schema()
    return json.dumps(document, indent=2) + "\n" if format == "json" else _table(document)


def _schema() -> dict[str, Any]:
    _, definitions = models_json_schema(
        [(Scenario, "validation"), (Experiment, "validation")], title="Scenario or experiment"
    )
    for model in definitions["$defs"].values():
        # What a file leaves out, the one it extends gives; only the version stands in every file,
        # and a row has a kind.
        model["required"] = [
            name
            for name in model.get("required", [])
            if name in ("schema_version", "experiment", "scenario", "kind")
        ]
        if not model["required"]:
            del model["required"]
    definitions["$defs"].pop("Capacity", None)  # how it is held; a file writes "2000 /s"
    scenario = definitions["$defs"]["Scenario"]
    stage_or_none = {"anyOf": [{"$ref": "#/$defs/Stage"}, {"type": "null"}]}
    stages = dict.fromkeys(STAGES, stage_or_none)
    network = scenario["properties"]["network"] | {"description": _BY_STAGE}
    by_name = {"type": "object", "properties": stages, "additionalProperties": False}
    listed = {key: network.pop(key) for key in ("type", "items")}
    scenario["properties"]["network"] = {"anyOf": [listed, by_name], **network}
    scenario["properties"] = {
        "schema_version": scenario["properties"]["schema_version"],
        "extends": _EXTENDS,
        **scenario["properties"],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **definitions,
        "anyOf": [{"$ref": "#/$defs/Scenario"}, {"$ref": "#/$defs/Experiment"}],
    }


def _table(document: dict[str, Any]) -> str:
    lines = [
        "# The scenario schema",
        "",
        (
            "Units are written in the values; a bare number where a unit is due is refused. `NAME`"
            " stands for a name you choose."
        ),
    ]
    for model in ("Scenario", "Experiment"):
        lines += [
            "",
            f"## {model}",
            "",
            document["$defs"][model]["description"],
            "",
            "| path | value | meaning |",
            "|---|---|---|",
        ]
        lines += [
            f"| `{path}` | {kind} | {meaning} |"
            for path, kind, meaning in _rows(document, document["$defs"][model], "")
        ]
    return "\n".join(lines) + "\n"


def _rows(
    document: dict[str, Any], model: dict[str, Any], prefix: str
) -> Iterator[tuple[str, str, str]]:
    for name, field in model["properties"].items():
        path = f"{prefix}{name}"
        shape = _resolved(
            document,
            next((one for one in field.get("anyOf", [field]) if one.get("type") != "null"), field),
        )
        meaning = field.get("description") or shape["description"]
        if row := MITIGATIONS.get(shape.get("const", "")):
            meaning = f"{meaning.removesuffix('.')} (at {' or '.join(row.layers)})."
        if OF_THE_ESTATE.items() <= field.items():
            meaning += " Of the estate: follows `estate.scale`" + _at(path)
        if "x-read-when" in field:
            meaning += f" Has an effect only {field['x-read-when']}."
        suffix, inner = "", shape
        if values := _values(shape):
            suffix, inner = ".NAME", _resolved(document, values)
        elif shape.get("type") == "array" and "$ref" in shape.get("items", {}):
            suffix, inner = ".0", _resolved(document, shape["items"])
        yield path, _kind(document, field, shape), meaning
        for row in shape.get("items", {}).get("oneOf", ()):
            yield from _rows(document, _resolved(document, row), f"{path}.0.")
        if inner.get("properties"):
            yield from _rows(document, inner, f"{path}{suffix}.")


def _at(path: str) -> str:
    """Return where the leaf at *path* follows the scale: of the network, at what is of the estate.
    """
    return f" (at {', '.join(CENTRAL)})." if path.startswith("network.") else "."


def _values(shape: dict[str, Any]) -> dict[str, Any] | None:
    """Return what the values of a mapping with free names look like."""
    by_name = [*shape.get("patternProperties", {}).values(), shape.get("additionalProperties")]
    return next((values for values in by_name if isinstance(values, dict)), None)


def _resolved(document: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    return document["$defs"][shape["$ref"].rpartition("/")[2]] if "$ref" in shape else shape


def _kind(document: dict[str, Any], field: dict[str, Any], shape: dict[str, Any]) -> str:
    optional = ", may be left out" if "default" in field else ""
    return _value(document, shape) + optional


def _value(document: dict[str, Any], shape: dict[str, Any]) -> str:
    shape = _resolved(document, shape)
    if "x-unit" in shape:
        return f"{shape['x-unit']}, such as `{json.dumps(shape['examples'][0]).strip(chr(34))}`"
    if "oneOf" in shape and "discriminator" not in shape:
        one = _value(document, shape["oneOf"][0])
        return f"{one}, or a mapping from server (or `others`) to it"
    if "discriminator" in shape:
        return "row by its kind: " + ", ".join(
            f"`{kind}`" for kind in shape["discriminator"]["mapping"]
        )
    if "enum" in shape:
        return " or ".join(f"`{word}`" for word in shape["enum"])
    if "const" in shape:
        return f"`{shape['const']}`"
    if shape.get("type") == "array":
        return f"list of: {_value(document, shape['items'])}" if "items" in shape else "list"
    if values := _values(shape):
        return f"mapping from name to: {_value(document, values)}"
    words = {
        "string": "name" if "pattern" in shape else "text",
        "integer": "whole number",
        "boolean": "`true` or `false`",
        "object": "mapping",
    }
    return words.get(str(shape.get("type")), "value")
