"""Points of the unit cube for a sampled design, one coordinate a factor.

Every coordinate has an address, as all luck here has: it follows from the experiment's seed and the factor's name. Which factors stand beside it, or above it
in the file, moves nothing in a Latin hypercube; in a Sobol' sequence a factor has the dimension of its place among the names in order of the alphabet.

* `latin_hypercube`: n points, one in each n-th of every factor's range (McKay, Beckman and Conover 1979), at random within it.
* `sobol`: n points (a power of two) of a scrambled Sobol' sequence, which fill the cube evenly (Owen 1998; `scipy.stats.qmc`).
* `saltelli`: for each of n points of a Sobol' sequence in twice the dimensions, A and B, the point A, then A with each factor in turn taken from B, then B:
  (d + 2) points of it, in this order, from which Sobol' indices, first and total, and elementary effects are estimated (Saltelli et al. 2010; Campolongo,
  Saltelli and Cariboni 2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any


def unit_points(design: str, names: Sequence[str], n: int, seed: object) -> list[dict[str, float]]:
    """Return the points of *design* for factors called *names*: each a mapping from name to a coordinate in [0, 1); *n* of them, or n (d + 2) for saltelli."""
    if design == "latin_hypercube":
        columns = {name: _strata(name, n, seed) for name in names}
        return [{name: float(columns[name][point]) for name in names} for point in range(n)]
    order = sorted(names)
    if design == "sobol":
        return [dict(zip(order, map(float, row), strict=True)) for row in _sobol(len(order), n, seed)]
    points = []
    for row in _sobol(2 * len(order), n, seed):
        a = dict(zip(order, map(float, row), strict=False))
        b = dict(zip(order, map(float, row[len(order) :]), strict=True))
        points += [a, *(a | {name: b[name]} for name in names), b]
    return points


def _bits(address: str, seed: object) -> Any:
    """Return the bit generator at *address* of *seed*: Philox, whose raw words are the same in every version of NumPy."""
    from numpy.random import Philox, SeedSequence  # noqa: TID251  (a design is laid out before any world runs, and consumes no world's luck)

    return Philox(SeedSequence(int.from_bytes(sha256(f"design/{seed}/{address}".encode()).digest()[:16])))


def _strata(name: str, n: int, seed: object) -> Any:
    """Return *n* numbers, one in each n-th of [0, 1), in random order."""
    bits = _bits(name, seed)
    order = bits.random_raw(n).argsort(kind="stable")
    return (order + (bits.random_raw(n) >> 11) * 2.0**-53) / n


def _sobol(d: int, n: int, seed: object) -> Any:
    """Return *n* points, a power of two, of a scrambled Sobol' sequence in *d* dimensions."""
    from numpy.random import Generator  # noqa: TID251
    from scipy.stats.qmc import Sobol  # noqa: TID251  (slow to import, and only here)

    return Sobol(d, scramble=True, rng=Generator(_bits("sobol", seed))).random(n)
