"""Numbers of worlds that nobody has seen before: other ones for every commit."""

from __future__ import annotations

import os
import subprocess
from functools import cache

from tests.house.source import ROOT

_BEYOND = 1_000_000  # numbers below it are the same worlds in every commit
_MOST = 1_000_000_000


@cache
def _of_the_commit() -> int:
    """Return a number of the commit that is checked out; 0 where there is no Git."""
    answer = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return int(answer.stdout[:12], 16) if answer.returncode == 0 else 0


def drawn(n: int) -> range:
    """Return the numbers of *n* worlds of this commit, or, with `DRAWN_FROM` in the environment,
    those from that number on. A world that fails has its number in the name of its test, and is
    the same world for ever.
    """
    asked = os.environ.get("DRAWN_FROM")
    first = int(asked) if asked else _BEYOND + _of_the_commit() % (_MOST - _BEYOND - n)
    return range(first, first + n)
