"""Many comparisons at once: how sure one may be of each when all of them were looked at."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan


def holm(p: Sequence[float]) -> list[float]:
    """Return the p values *p* of one family corrected by Holm (1979): called real below 5 %, not one is false in 95 % of families, however they depend.

    A p that is nan is no test, stays nan, and does not count in the family.
    """
    order = sorted((place for place, value in enumerate(p) if not isnan(value)), key=lambda place: p[place])
    corrected = list(p)
    least = 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, (len(order) - rank) * p[place]))
        corrected[place] = least
    return corrected
