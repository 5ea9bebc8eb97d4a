"""What is wrong with a scenario file, and where: every fault of a file at once, one line each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

Path = tuple[str | int, ...]
Note = tuple[str, str]  # what it is about, and a sentence that may surprise who wrote the file
# a value, what is wrong with it, and what else that depends on
Finding = tuple[Path, str, tuple[Path, ...]]

MOST_FAULTS: Final = 50  # a file with more is not read by anyone to the end
# names beyond this are not compared: closeness costs the square of the length
_LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: *file*, 1-based *line* and *column*, the *path* of the value in dots, and a
    *message* that says what is wrong and what is allowed.
    """

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        file = "".join(c if c.isprintable() else "?" for c in self.file)
        return f"{file}:{self.line}:{self.column}: {self.path}: {self.message}"


class ScenarioError(Exception):
    """A scenario that cannot be used; *faults* says why, in the order of the files' lines, at most
    `MOST_FAULTS` of them.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(
            sorted(dict.fromkeys(faults), key=lambda f: (f.file, f.line, f.column))
        )[:MOST_FAULTS]
        super().__init__(self.faults)  # the faults travel when a worker's error is sent home

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Return " (did you mean x?)" for the closest of *allowed*, or nothing."""
    names = {name.lower(): name for name in allowed}
    if len(word) > _LONGEST_NAME:
        return ""
    close = get_close_matches(word.lower(), names, n=1, cutoff=0.65)
    return f" (did you mean {names[close[0]]}?)" if close else ""
