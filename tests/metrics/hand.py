"""Tables written by hand."""

from __future__ import annotations

from sim.tables import TABLES, frame


def table(name, *rows):
    """Return *rows* as the declared table *name*."""
    columns = zip(*rows, strict=True) if rows else [[] for _ in TABLES[name].columns]
    return frame(name, dict(zip(TABLES[name].names, map(list, columns), strict=True)))


def tables(**rows):
    """Return every declared table: those given with their *rows*, the others empty."""
    return {name: table(name, *rows.get(name, ())) for name in TABLES}


def timeline(stage, server, start_s, minutes):
    """Return rows of `timeline`: one a minute from *start_s*, each of *minutes* being (arrived,
    served, waiting).
    """
    return [
        (stage, server, start_s + 60 * number, *minute) for number, minute in enumerate(minutes)
    ]
