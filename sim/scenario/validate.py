"""From a tree to a scenario or an experiment, or to every fault it has, each with the line of the
file it stands in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from sim.scenario.checks import findings
from sim.scenario.days import calendar_of
from sim.scenario.experiments import Experiment
from sim.scenario.faults import MOST_FAULTS, Fault, ScenarioError, did_you_mean
from sim.scenario.fields import BY_SERVER, EVERY_SERVER
from sim.scenario.network import Stage
from sim.scenario.rows import ROW_SHAPES
from sim.scenario.schema import Scenario
from sim.scenario.tree import Node, dotted, find, kind_of, plain
from sim.units import shown

_Path = tuple[str | int, ...]


def scenario_of(tree: Node, faults: list[Fault], home: str) -> Scenario:
    """Return the scenario that *tree* describes; raises `ScenarioError` with *faults* and all
    others found, of the fields and across them.

    A fault across fields is placed in the file *home* (or in --set) where any of them was written
    there.
    """
    if (lonely := _stands_alone(tree)) is not None:
        raise ScenarioError([*faults, lonely])
    scenario, blocks, problems = _read(plain(tree))
    faults = [*faults, *_faults(Scenario, problems, tree)]
    for path, message, others in findings(blocks):
        nodes = [
            node for node, exists in (find(tree, where) for where in (path, *others)) if exists
        ]
        place = next(
            (node for file in ("--set", home) for node in nodes if node.file == file), nodes[0]
        )
        faults.append(place.fault(dotted(path), message))
    if faults or scenario is None:
        raise ScenarioError(faults)
    return scenario


def _read(values: object) -> tuple[Scenario | None, dict[str, object], list[Any]]:
    """Return the scenario of *values* (None where it is at fault), its sound blocks by name, and
    what is wrong with the others.
    """
    context = calendar_of(values)
    try:
        scenario = Scenario.model_validate(values, context=context)
    except ValidationError as problem:
        problems = problem.errors(include_url=False, include_context=False)
        faulty = {str(error["loc"][0]) for error in problems if error["loc"]}
        return None, _sound_blocks(values, faulty, context), problems
    return scenario, {name: getattr(scenario, name) for name in Scenario.model_fields}, []


def _stands_alone(tree: Node) -> Fault | None:
    """Return a fault where a file has next to nothing of a scenario and extends none: one sentence
    instead of one for each block that is missing.
    """
    assert isinstance(tree.value, dict)
    needed = [name for name, info in Scenario.model_fields.items() if info.is_required()]
    missing = [name for name in needed if name not in tree.value]
    if len(missing) < len(needed) / 2 or not set(tree.value) <= set(Scenario.model_fields):
        return None
    cure = "begin with extends: gb_base (or another that is shipped), and say only what differs"
    return tree.fault("extends", f"is missing: {cure}")


def experiment_of(tree: Node, faults: list[Fault]) -> Experiment:
    """Return the experiment that *tree* describes; its cells are checked when they are made
    (`sim.scenario.design.cells`).
    """
    try:
        experiment = Experiment.model_validate(plain(tree))
    except ValidationError as problem:
        errors = problem.errors(include_url=False, include_context=False)
        raise ScenarioError([*faults, *_faults(Experiment, errors, tree)]) from None
    if faults:
        raise ScenarioError(faults)
    return experiment


def _sound_blocks(values: object, faulty: set[str], context: dict[str, Any]) -> dict[str, object]:
    """Return those top-level blocks of a faulty scenario that are right in themselves, so that they
    can still be checked against each other.
    """
    assert isinstance(values, dict)
    fields = {name: info for name, info in Scenario.model_fields.items() if name not in faulty}
    left_out = {
        name: info.default
        for name, info in fields.items()
        if name not in values and not info.is_required()
    }
    return left_out | {
        name: TypeAdapter(_annotation(info)).validate_python(values[name], context=context)
        for name, info in fields.items()
        if name in values
    }


def _annotation(info: FieldInfo) -> Any:
    return Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation


def _faults(model: type[BaseModel], problems: list[Any], tree: Node) -> Iterator[Fault]:
    for error in problems[: 4 * MOST_FAULTS]:
        is_key = "[key]" in error["loc"]
        shape: _Path = tuple(part for part in error["loc"] if part != "[key]")
        path = _written(shape)
        node, exists = find(tree, path)
        if node.faulty:
            continue  # its form was refused already, and that says more
        kind = error["type"]
        if kind == "missing":
            doc = _field(model, shape)
            say = "is empty, but it is required" if exists else "is missing; it is required"
            yield node.fault(dotted(path), f"{say}: {doc}{_other_name(tree, path)}")
        elif kind == "extra_forbidden":
            known = _keys(model, shape[:-1])
            word = str(path[-1])
            hint = _meant(model, path) or did_you_mean(word, known)
            message = f"this key is not known; allowed here: {', '.join(known)}{hint}"
            yield node.fault(dotted(path), message, at_key=True)
        elif kind == "union_tag_not_found":
            yield node.fault(
                dotted((*path, "kind")),
                f"is missing; it is required: what the row is, one of {', '.join(ROW_SHAPES)}",
            )
        elif kind == "union_tag_invalid":
            kind_node, _ = find(tree, (*path, "kind"))
            hint = (
                did_you_mean(kind_node.value, ROW_SHAPES)
                if isinstance(kind_node.value, str)
                else ""
            )
            say = (
                f"{shown(plain(kind_node))} is not known; it must be one of"
                f" {', '.join(ROW_SHAPES)}{hint}"
            )
            yield kind_node.fault(dotted((*path, "kind")), say)
        elif kind in ("value_error", "assertion_error"):
            yield node.fault(dotted(path), error["msg"].partition(", ")[2], at_key=is_key)
        else:
            wanted = (
                "a list"
                if kind == "tuple_type"
                else (
                    "a mapping"
                    if kind in ("model_type", "model_attributes_type", "dict_type")
                    else "something else"
                )
            )
            yield node.fault(dotted(path), f"is {kind_of(node.value)}; {wanted} is due here")


# What other tools call a key of an experiment.
_ELSEWHERE: Final = {
    "sweep": "factors",
    "parameters": "factors",
    "grid": "factors",
    "runs": "replications",
    "base": "scenario",
}


def _meant(model: type[BaseModel], path: _Path) -> str:
    """Return what an unknown key at the top may have meant: a leaf by its name alone, or what other
    tools call a key; "" where neither.
    """
    word = str(path[-1])
    if len(path) > 1:
        return ""
    if model is Experiment and word in _ELSEWHERE:
        return f" (did you mean {_ELSEWHERE[word]}?)"
    found = [leaf for leaf in leaves(Scenario) if leaf.rpartition(".")[2] == word]
    return f" (did you mean {found[0]}?)" if model is Scenario and len(found) == 1 else ""


def leaves(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """Yield the dotted path of every leaf of *model* that has one name in every scenario."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind, f"{above}{name}.")
        else:
            yield f"{above}{name}"


def _other_name(tree: Node, path: _Path) -> str:
    """Return which entry of a mapping the one at *path*, which lacks a field, may have meant."""
    if len(path) < 3:
        return ""
    mapping, exists = find(tree, path[:-2])
    name = str(path[-2])
    if not exists or not isinstance(mapping.value, dict) or name not in mapping.value:
        return ""
    own = mapping.value[name].value
    n = len(own) if isinstance(own, dict) else 0
    others = [key for key, entry in mapping.value.items() if _n_fields(entry) > 2 * n]
    return did_you_mean(name, others)


def _n_fields(entry: Node) -> int:
    return len(entry.value) if isinstance(entry.value, dict) else 0


def _written(shape: _Path) -> _Path:
    """Return the path in the file of a place in the models, where the shape chosen for a row
    follows the row's number, and that chosen for a leaf by server the leaf.
    """
    return tuple(
        part
        for index, part in enumerate(shape)
        if part not in (EVERY_SERVER, BY_SERVER)
        and not (part in ROW_SHAPES and shape[index - 2 : index - 1] == ("mitigations",))
    )


def _models(annotation: object) -> tuple[type[BaseModel], ...]:
    """Return the models inside a type such as `tuple[Stage, ...]`, `dict[str, TrafficKind]` or
    `tuple[Jitter | Retry, ...]`.
    """
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    return tuple(model for argument in get_args(annotation) for model in _models(argument))


def _owner(model: type[BaseModel], shape: _Path) -> type[BaseModel]:
    """Return the model that the mapping at *shape* must have."""
    for part in shape:
        if part in ROW_SHAPES and model is Stage:
            model = ROW_SHAPES[str(part)]
        elif part in model.model_fields:
            model = (
                (*_models(model.model_fields[str(part)].annotation), model)[0]
                if part != "mitigations"
                else model
            )
    return model


def _keys(model: type[BaseModel], shape: _Path) -> list[str]:
    """Return the keys that the mapping at *shape* may have; `extends` is read before any model sees
    the tree.
    """
    fields = _owner(model, shape).model_fields
    return [
        *(["extends"] if model is Scenario and not shape else []),
        *(info.alias or name for name, info in fields.items()),
    ]


def _field(model: type[BaseModel], shape: _Path) -> str:
    fields = _owner(model, shape[:-1]).model_fields
    return next(
        info.description or ""
        for name, info in fields.items()
        if (info.alias or name) == str(shape[-1])
    )
