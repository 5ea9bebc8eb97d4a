"""Tables of text: on the page and, aligned, on the terminal."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from typing import Final

from sim.report.words import tied

WIDTH: Final = 120  # columns of a terminal that prose is wrapped to
_NUMBER: Final = re.compile(r"[−-]?[0-9].*|–|unlimited")


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: *title*, *head*, *rows* of text, a *note* below, which rows to *mute* (shown, but set back), and whether it is for the page only."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    mute: frozenset[int] = field(default=frozenset())
    page_only: bool = False

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Whether each column holds numbers, which stand on the right."""
        return tuple(bool(self.rows) and all(_NUMBER.fullmatch(cell) for cell in column) for column in zip(*self.rows, strict=True))

    def text(self) -> str:
        """Return the table with its columns aligned, under its title."""
        rows = (self.head, *self.rows)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        right = self.numeric or (False,) * len(self.head)
        lines = ["  ".join(t.rjust(w) if r else t.ljust(w) for t, w, r in zip(row, widths, right, strict=True)).rstrip() for row in rows]
        rule = "  ".join("-" * width for width in widths)
        return "\n".join([wrapped(self.title), "", lines[0], rule, *lines[1:], *([wrapped(self.note)] if self.note else [])])


def wrapped(text: str, indent: str = "") -> str:
    """Return a paragraph of *text* in lines no longer than a terminal's; from the second on they begin with *indent*."""
    return textwrap.fill(tied(text), WIDTH, subsequent_indent=indent, break_on_hyphens=False).replace("\u00a0", " ")
