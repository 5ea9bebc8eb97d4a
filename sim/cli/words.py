"""What commands print: results to stdout, everything else to stderr, and nothing that a terminal
would obey.
"""

from __future__ import annotations

import codecs
import io
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Final

import click

# What a stream that does not know a character is given instead: a terminal in cp437, say.
_SPELT: Final = {
    "±": "+/-", "†": "(!)", "×": "x", "÷": "/", "−": "-", "–": "-", "…": "...", "≤": "<=",
    "≥": ">=", "→": "->", "’": "'", "“": '"', "”": '"', "·": "*",
}  # fmt: skip
DONE = 0
FAILED = 1
BAD = 2
CORRUPT = 3
TOO_BIG = 4
INTERRUPTED = 130


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Return what is written for the characters that an encoding does not know, as an error handler
    of codecs does: a spelling of ours, else the character's number.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    unknown = error.object[error.start : error.end]
    return "".join(_SPELT.get(c) or ascii(c)[1:-1] for c in unknown), error.end


codecs.register_error("sim.spelt", _spell)


def spell_what_is_unknown() -> None:
    """Let this process's streams write every character, whatever their encoding."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="sim.spelt")


def plain(text: object) -> str:
    """Return *text* with every character that a terminal might obey written out."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in str(text))


def say(text: object) -> None:
    """Print a result."""
    click.echo(plain(text))


def tell(text: object) -> None:
    """Print on stderr what is not a result."""
    click.echo(plain(text), err=True)


def number(value: float) -> str:
    """Return *value* as a person reads it: 4 digits, no exponents for what can be counted."""
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:.4g}"


def columns(rows: Iterable[Sequence[object]]) -> str:
    """Return *rows*, the first a header, in aligned columns: numbers to the right, text to the
    left.
    """
    texts = [
        [number(cell) if isinstance(cell, float) else plain(cell) for cell in row] for row in rows
    ]
    right = [
        all(isinstance(cell, int | float) for cell in column[1:])
        for column in zip(*rows, strict=True)
    ]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = (
        "  ".join(
            t.rjust(w) if r else t.ljust(w) for t, w, r in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in texts
    )
    return "\n".join(lines)


def say_json(value: object) -> None:
    """Print a result as JSON."""
    click.echo(json.dumps(value, indent=1, default=str))
