"""Tables of text."""

from __future__ import annotations

from sim.report.grids import WIDTH, Grid, wrapped


def test_columns_are_aligned_numbers_to_the_right():
    """Text left, numbers right, under a title, above a note."""
    grid = Grid(
        "T9. Rules",
        ("rule", "messages"),
        (("none", "0 ± 0"), ("on change", "1.005 ± 0.013")),
        "A note.",
    )

    assert grid.text() == "\n".join(
        [
            "T9. Rules",
            "",
            "rule            messages",
            "---------  -------------",
            "none               0 ± 0",
            "on change  1.005 ± 0.013",
            "A note.",
        ]
    )
    assert grid.numeric == (False, True)


def test_a_table_without_rows_is_its_head():
    """Nothing to align, nothing to fail on."""
    assert Grid("T", ("a", "b"), ()).text().splitlines()[2] == "a  b"


def test_paragraphs_are_wrapped_between_quantities():
    """No line is too long, none ends between a number and its unit."""
    lines = wrapped(
        "word " * 22 + "takes 12.5 ± 0.3 % of the time, " + "and so on " * 30
    ).splitlines()

    assert max(map(len, lines)) <= WIDTH
    assert any("12.5 ± 0.3 %" in line for line in lines)
    assert "\u00a0" not in "".join(lines)
