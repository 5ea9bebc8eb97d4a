"""Every number of the base has a range, a grade and a source, and says the same in both files."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sim import units
from sim.scenario.assumptions import GRADES, base_leaves, load_assumptions

READ = {
    "rate": units.parse_rate,
    "duration": units.parse_duration,
    "size": units.parse_size,
    "share": lambda text: units.parse_share(number(text)),
    "per premises": lambda text: units.parse_share(number(text)),
    "multiple": units.parse_multiple,
    "time of day": units.parse_time_of_day,
    "date": units.parse_date,
    "premises": lambda text: int(text.replace("_", "")),
    "copies": int,
    "ms": int,
    "pounds": Fraction,
    "": Fraction,
}


def number(text: str) -> object:
    return text if "%" in text else float(text)


def test_every_leaf_has_one_row_with_its_value_and_no_row_is_stale():
    rows = [(row.path, row.value) for row in load_assumptions()]
    assert len(rows) == len(dict(rows))
    assert dict(rows) == base_leaves()


def test_every_row_has_a_grade_and_a_source():
    for row in load_assumptions():
        assert row.grade in GRADES, row.path
        assert row.source, row.path
        assert row.note or row.grade in ("A", "B"), row.path
        assert (row.low == "") == (row.high == ""), row.path


@pytest.mark.parametrize(
    "row", [row for row in load_assumptions() if row.low], ids=lambda row: row.path
)
def test_the_value_lies_in_its_range(row):
    read = READ[row.unit]
    assert read(row.low) <= read(row.value) <= read(row.high)
