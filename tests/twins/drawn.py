"""Numbers of worlds that nobody has seen before: other ones for every commit."""

from __future__ import annotations

import subprocess
from functools import cache

from tests.house.source import ROOT

_BEYOND = 1_000_000  # numbers below it are the same worlds in every commit
_MOST = 1_000_000_000


@cache
def _seed() -> int:
    """Return a number of the commit that is checked out; 0 where there is no Git."""
    answer = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return int(answer.stdout[:12], 16) if answer.returncode == 0 else 0


def drawn(n: int) -> range:
    """Return the numbers of *n* worlds of this commit. A world that fails has its number in the
    name of its test, and is the same world for ever: `tools/digests storm:NUMBER` runs it.
    """
    first = _BEYOND + _seed() % (_MOST - _BEYOND - n)
    return range(first, first + n)
