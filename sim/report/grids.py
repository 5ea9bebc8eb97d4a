"""Tables of text: on the page and, aligned, on the terminal."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field, replace
from typing import Final

from sim.report.words import capitalised, tied

WIDTH: Final = 120  # columns of a terminal that prose is wrapped to
_CONDITION: Final = re.compile(
    r"of the (?P<share>(?:unknown share|(?:less than )?[0-9.e+-]+ %)(?: and [0-9.e+-]+ %)?) of"
    r" (?P<who>[^(),;]+)(?=[),])"
)
_ALONE: Final = re.compile(rf"(?: \(|; ){_CONDITION.pattern}\)")
_NUMBER: Final = re.compile(r"[−-]?[0-9].*|–|unlimited|not (?:reached|drained).*|never drains")


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: *title*, *head*, *rows* of text, a *note* below, which rows to *mute* (shown, but
    set back), and whether it is for the page only.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    mute: frozenset[int] = field(default=frozenset())
    page_only: bool = False

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Whether each column holds numbers, which stand on the right."""
        return tuple(
            bool(self.rows) and all(_NUMBER.fullmatch(cell) for cell in column)
            for column in zip(*self.rows, strict=True)
        )

    def text(self) -> str:
        """Return the table with its columns aligned, under its title."""
        rows = (self.head, *self.rows)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        right = self.numeric or (False,) * len(self.head)
        lines = [
            "  ".join(
                t.rjust(w) if r else t.ljust(w) for t, w, r in zip(row, widths, right, strict=True)
            ).rstrip()
            for row in rows
        ]
        rule = "  ".join("-" * width for width in widths)
        return "\n".join(
            [
                wrapped(self.title),
                "",
                lines[0],
                rule,
                *lines[1:],
                *([wrapped(self.note)] if self.note else []),
            ]
        )


def condensed(grid: Grid) -> Grid:
    """Return *grid* with conditions said once a column: where all its numbers speak of the same
    share of the same, in the note alone; where of different shares, these in brackets.
    """
    columns, notes = [], []
    for head, column in zip(grid.head, zip(*grid.rows, strict=True), strict=False):
        found = [match for cell in column for match in _CONDITION.finditer(cell)]
        whose = {match["who"] for match in found}
        if len(whose) != 1 or "metric" in grid.head:  # a column of many metrics: each says its own
            columns.append(column)
            continue
        who, shares = next(iter(whose)), {match["share"] for match in found}
        if len(shares) == 1 and all(_CONDITION.search(cell) or cell == "–" for cell in column):
            columns.append(tuple(_ALONE.sub(_closed, cell) for cell in column))
            notes.append(f"{capitalised(head)}: of the {shares.pop()} of {who}.")
        else:
            columns.append(tuple(_CONDITION.sub(r"of \g<share>", cell) for cell in column))
            notes.append(
                f"{capitalised(head)}: of {who}; in brackets, their share of all where that is"
                " less."
            )
    if not notes:
        return grid
    rows = tuple(zip(*columns, strict=True))
    return replace(grid, rows=rows, note=" ".join(filter(None, (grid.note, *notes))))


def _closed(match: re.Match[str]) -> str:
    """Return what a condition leaves behind: the bracket that it stood in, if that held more."""
    return ")" if match[0].startswith("; ") else ""


def wrapped(text: str, indent: str = "") -> str:
    """Return a paragraph of *text* in lines no longer than a terminal's; from the second on they
    begin with *indent*.
    """
    return textwrap.fill(
        tied(text), WIDTH, subsequent_indent=indent, break_on_hyphens=False
    ).replace("\u00a0", " ")
