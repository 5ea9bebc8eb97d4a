"""When a simulated mean contradicts a law: Student's t at 5.7e-7, two-sided ("five sigma"; |t| >
5.35 with 100 replications).

Seeds are fixed, so nothing flakes; a wrong seed would fail one such test in 1.7 million. The bias a
test finds with 99 % is about 7.7 standard errors.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

import numpy as np
from scipy import stats

FALSE_ALARM = 5.7e-7


def t_statistic(values: Iterable[float], expected: float) -> tuple[float, float]:
    """Return (t of the mean of *values* against *expected*, the |t| allowed to so many values)."""
    found = np.fromiter(values, float)
    allowed = float(stats.t.isf(FALSE_ALARM / 2, len(found) - 1))
    spread = float(found.std(ddof=1))
    assert spread > 0, "replications that do not differ prove nothing by their spread"
    return (float(found.mean()) - expected) / (spread / sqrt(len(found))), allowed


def agrees(values: Iterable[float], expected: float) -> bool:
    """Whether the mean of *values* is within the allowed standard errors of *expected*."""
    t, allowed = t_statistic(values, expected)
    return abs(t) <= allowed


def largest_of(n: int, trials: int, share: float) -> tuple[int, int]:
    """Return the bounds between which the largest of *n* counts, each Binomial(*trials*, *share*),
    lies but once in 1.7 million.

    The counts of one multinomial are negatively associated, so P(max <= m) is at most the product
    of their cumulative probabilities; the upper bound is Boole's, so it holds whatever the
    dependence.
    """
    law = stats.binom(trials, share)
    return int(law.ppf((FALSE_ALARM / 2) ** (1 / n))), int(law.isf(FALSE_ALARM / 2 / n))
