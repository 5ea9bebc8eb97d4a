"""What the user asked for: changes written as Python keywords, the text of the file, and the worlds
that came of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

from sim.experiment.manifest import Source
from sim.scenario.compose import located
from sim.scenario.experiments import Experiment
from sim.scenario.faults import Fault, ScenarioError, did_you_mean
from sim.scenario.schema import Scenario
from sim.scenario.tree import parse
from sim.scenario.validate import leaves, scenario_of
from sim.store import read_file


def _path(keyword: str) -> str:
    """Return the path that *keyword* means; raises `ScenarioError` when it is a leaf's name that
    none, or more than one, has.
    """
    if "." in keyword or "__" in keyword:
        return keyword.replace("__", ".")
    paths = list(leaves(Scenario))
    if keyword in (*Scenario.model_fields, *Experiment.model_fields):
        return keyword
    found = [path for path in paths if path.rpartition(".")[2] == keyword]
    if len(found) == 1:
        return found[0]
    names = {path.rpartition(".")[2] for path in paths}
    told = (
        f"is the name of {' and of '.join(found)}; write one of them"
        if found
        else f"is not the name of a leaf{did_you_mean(keyword, names)}"
    )
    raise ScenarioError([Fault("keyword", 1, 1, keyword, told)])


def sets_of(changes: Mapping[str, object]) -> tuple[str, ...]:
    """Return *changes*, keyword → value, as `path=value` texts.

    Raises `ScenarioError` when a keyword names no leaf, or a value has no form in a file.
    """
    texts: list[str] = []
    faults: list[Fault] = []
    for keyword, value in changes.items():
        try:
            texts.append(f"{_path(keyword)}={_text(value)}")
        except ScenarioError as problem:
            faults += problem.faults
        except (TypeError, ValueError):
            kind = type(value).__name__
            told = f"this {kind} has no form in a file; give text, a number, a date or a list"
            faults.append(Fault("keyword", 1, 1, keyword, told))
    if faults:
        raise ScenarioError(faults)
    return tuple(texts)


def _text(value: object) -> str:
    """Return *value* as one writes it in a file; `TypeError` or `ValueError` when it has
    no form.
    """
    if isinstance(value, float) and value.is_integer():  # 2e6 premises are a whole number
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value, default=_plain, allow_nan=False)


def _plain(value: object) -> object:
    """Return what JSON knows instead of *value*: a date's text, what stands in an array or a set of
    NumPy, a path, a duration in seconds.
    """
    if isinstance(value, datetime):
        if value.time() != time():
            raise ValueError("a date, not a time")
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, timedelta):
        if value % timedelta(seconds=1):
            raise ValueError("not whole seconds")
        return f"{value // timedelta(seconds=1)} s"
    if isinstance(value, Path):
        return str(value)
    if getattr(getattr(value, "dtype", None), "kind", "") in ("M", "m"):  # times of NumPy
        value = value.astype(f"{value.dtype.kind}8[us]")  # type: ignore[attr-defined]
    if hasattr(value, "tolist"):  # a number or an array of NumPy, a column of pandas
        return value.tolist()
    raise TypeError


def source_of(name_or_path: str | Path, sets: Sequence[str]) -> Source:
    """Return the text behind *name_or_path*, which was loaded before, and the *sets* on it."""
    path = located(name_or_path)
    return Source(str(name_or_path), path.read_text(encoding="utf-8"), tuple(sets))


def worlds(run: Path) -> dict[str, Scenario]:
    """Return the scenario of each cell of *run*, by the cell's name, as they were resolved when it
    ran.
    """
    file = str(run / "resolved.yaml")
    found = {}
    for name, text in texts(run).items():
        tree, faults = parse(text, file)
        found[name] = scenario_of(tree, faults, file)
    return found


def texts(run: Path) -> dict[str, str]:
    """Return the scenario of each cell of *run*, by the cell's name, as it was written out."""
    each = read_file(run / "resolved.yaml").decode("utf-8").split("---\n")
    named = (text.removeprefix("# cell: ").partition("\n") for text in each)
    return {name: text for name, _, text in named}
