"""A table holds its declared columns in their types, and no value that is another than it was."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sim.tables import TABLES, frame

COUNTS = {"kind": ["activated"], "n": [3]}  # table `told`


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_a_row_has_its_types(name: str):
    table = TABLES[name]
    first = frame(name, {column: [] for column in table.names})
    first["more"] = 1  # of this one alone
    again = frame(name, {column: [] for column in table.names})

    assert [*again.columns] == table.names
    assert len(again) == 0
    for column in table.columns:
        assert again[column.name].dtype == pd.Series([], dtype=column.dtype).dtype


@pytest.mark.parametrize("n", [[3], (3,), np.array([3], np.int32), np.array([3.0])], ids=repr)
def test_a_column_has_its_type_whatever_it_was_given_as(n):
    found = frame("told", COUNTS | {"n": n})

    assert found["n"].tolist() == [3]
    assert found["n"].dtype == np.int64
    assert found["kind"].dtype == pd.Series(["activated"], dtype="str").dtype


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("told", {"n": [2.5]}),
        ("told", {"n": [np.nan]}),
        ("arrivals", {"quarter": [70_000]}),
        ("kinds", {"named": [2]}),
    ],
)
def test_what_a_type_cannot_hold_is_refused(name: str, wrong: dict[str, list[float]]):
    zeros = {c.name: ["x"] if c.dtype == "str" else [0] for c in TABLES[name].columns}

    with pytest.raises(ValueError, match=f"a value of {next(iter(wrong))} is no "):
        frame(name, zeros | wrong)


@pytest.mark.parametrize("columns", [{"kind": ["activated"]}, COUNTS | {"more": [1]}])
def test_a_column_that_is_missing_or_not_declared_is_refused(columns):
    with pytest.raises(ValueError, match="are not the declared"):
        frame("told", columns)
