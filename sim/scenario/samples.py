"""Points of the unit cube for a sampled design, one coordinate a factor.

Every coordinate has an address, as all luck here has: it follows from the experiment's seed and the
factor's name. Which factors stand beside it, or above it in the file, moves nothing in a Latin
hypercube; in a Sobol' sequence a factor has the dimension of its place among the names in order of
the alphabet.

* `latin_hypercube`: n points, one in each n-th of every factor's range (McKay, Beckman and Conover
1979), at random within it.
* `sobol`: n points (a power of two) of a scrambled Sobol' sequence, which fill the cube evenly
(Owen 1998; `scipy.stats.qmc`).
* `saltelli`: for each of n points of a Sobol' sequence in twice the dimensions, A and B, the point
A, then A with each factor in turn taken from B, then B:
  (d + 2) points of it, in this order, from which Sobol' indices, first and total, and elementary
  effects are estimated (Saltelli et al. 2010; Campolongo,
  Saltelli and Cariboni 2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import shake_256
from typing import Any


def unit_points(design: str, names: Sequence[str], n: int, seed: object) -> list[dict[str, float]]:
    """Return the points of *design* for factors called *names*: each a mapping from name to a
    coordinate in [0, 1); *n* of them, or n (d + 2) for saltelli.
    """
    if design == "latin_hypercube":
        columns = {name: _strata(name, n, seed) for name in names}
        return [{name: float(columns[name][point]) for name in names} for point in range(n)]
    order = sorted(names)
    if design == "sobol":
        return [
            dict(zip(order, map(float, row), strict=True)) for row in _sobol(len(order), n, seed)
        ]
    points = []
    for row in _sobol(2 * len(order), n, seed):
        a = dict(zip(order, map(float, row), strict=False))
        b = dict(zip(order, map(float, row[len(order) :]), strict=True))
        points += [a, *(a | {name: b[name]} for name in names), b]
    return points


def _words(address: str, seed: object, n: int) -> bytes:
    """Return 8 *n* bytes of luck, always the same for an *address* of *seed*; a design is laid out
    before any world runs, and takes no world's luck.
    """
    return shake_256(f"design/{seed}/{address}".encode()).digest(8 * n)


def _strata(name: str, n: int, seed: object) -> Any:
    """Return *n* numbers, one in each n-th of [0, 1), in random order."""
    import numpy as np

    order = np.frombuffer(_words(f"{name}/order", seed, n), "<u8").argsort(kind="stable")
    return (order + (np.frombuffer(_words(f"{name}/within", seed, n), "<u8") >> 11) * 2.0**-53) / n


def _sobol(d: int, n: int, seed: object) -> Any:
    """Return *n* points, a power of two, of a scrambled Sobol' sequence in *d* dimensions."""
    from scipy.stats.qmc import Sobol  # noqa: TID251  (slow to import, and only here)

    return Sobol(d, scramble=True, rng=int.from_bytes(_words("sobol", seed, 2))).random(n)
