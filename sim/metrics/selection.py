"""Which option is best: Kim and Nelson's procedure (2001), option against option under common luck.

After n₀ replications of every option, the variance of each difference is known well enough to say
how far apart two running means of r replications must be for the worse to be given up: W(r) =
max(0, (δ / 2r) · (h² S² / δ² − r)), h² = 2 η (n₀ − 1), η = ½ ((2 α / (k − 1))^(−2 / (n₀ − 1)) − 1),
for k options, S² the variance of their difference over the first n₀ pairs. What stands at the end
is the best with probability 1 − α or more, if the best leads by the smallest difference that
matters, δ, and differences are near normal; common luck shrinks S², and so the number of
replications. The procedure is replayed from the values, so it needs no memory of its own: a run
that is taken up again, or extended, goes on as if it had never stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import floor
from statistics import fmean, variance
from typing import Final

CORRECT: Final = 0.95  # probability of correct selection


@dataclass(frozen=True, slots=True)
class Selection:
    """What is known of which option is best.

    *standing* are the options not given up, the best so far first; *given_up* says after how many
    replications each other was; *n* is how many replications the standing have, *most* how many
    could at most be needed. *zone* is the smallest difference that matters, *sure* the probability
    of correct selection.
    """

    standing: tuple[str, ...]
    given_up: dict[str, int]
    n: int
    most: int
    zone: float
    sure: float

    @property
    def best(self) -> str | None:
        """The option selected; None while more replications are needed."""
        return self.standing[0] if len(self.standing) == 1 else None


def select(
    values: Mapping[str, Sequence[float]],
    zone: float,
    first: int,
    *,
    prefer: str,
    sure: float = CORRECT,
) -> Selection:
    """Replay the procedure on the *values* of each option, replication by replication from 0 and as
    many as there are of each; *prefer* is `low` or `high`.

    The first stage is *first* replications of every option. An option given up may have fewer
    values than those that stand. Raises `ValueError` for fewer than two options, a first stage of
    fewer than three replications or more than there are, or a *zone* that is not above 0.
    """
    least = min(map(len, values.values()), default=0)
    if len(values) < 2 or not 3 <= first <= least or not zone > 0:
        raise ValueError(
            f"selection needs two options or more, a first stage of 3 to {least} replications, and"
            " a smallest difference above 0"
        )
    sign = 1 if prefer == "high" else -1
    scores = {name: [sign * value for value in found] for name, found in values.items()}
    eta = ((2 * (1 - sure) / (len(scores) - 1)) ** (-2 / (first - 1)) - 1) / 2
    h2 = 2 * eta * (first - 1)
    spread = {
        (a, b): variance(x - y for x, y in zip(scores[a][:first], scores[b][:first], strict=True))
        for a, b in permutations(scores, 2)
    }
    most = floor(h2 * max(spread.values()) / zone**2)
    standing = list(scores)
    given_up = dict[str, int]()
    r = first
    while True:
        means = {name: fmean(scores[name][:r]) for name in standing}
        if r > most:
            standing = [max(standing, key=lambda name: means[name])]
            given_up |= {name: r for name in means if name not in standing}
        else:
            bar = {
                (a, b): max(0.0, zone / (2 * r) * (h2 * spread[a, b] / zone**2 - r))
                for a, b in permutations(standing, 2)
            }
            beaten = [
                a
                for a in standing
                if any(means[a] < means[b] - bar[a, b] for b in standing if b != a)
            ]
            standing = [name for name in standing if name not in beaten]
            given_up |= dict.fromkeys(beaten, r)
        if len(standing) == 1 or any(len(scores[name]) <= r for name in standing):
            break
        r += 1
    standing.sort(key=lambda name: -means[name])
    return Selection(tuple(standing), given_up, r, max(most + 1, first), zone, sure)
