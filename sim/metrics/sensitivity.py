"""What drives a metric: the effect of each assumption, and its share of the variance, with an
interval beside every number.

A sample is a metric at points in the space of the assumptions, several replications at each,
replication r of every point under the same luck. Every interval is ± 1.96 standard errors of a
bootstrap that redraws points and replications together, so the luck of both is in it; with one
replication, only that of the points. Means over replications still carry luck, which inflates
variances: its part is estimated from the spread of the replications at a point, less what all
points share, and taken off.

* effect: the metric at the high end less that at the low end of the assumption's range: measured so
in a design of one at a time; otherwise by a straight line
  through all points (least squares on all assumptions at once), with R², the share of the variance
  it explains.
* first order, total (`saltelli`): the shares of the variance that go when the assumption is fixed,
and that stay when all others are (Saltelli et al. 2010, by
  SALib). Elementary effects from the same points: mean size μ* and spread σ of the change over the
  whole range (Campolongo et al. 2011), each step weighted by
  its length, so that short steps do not multiply luck.
* first order (any other sample): the share of the variance between bins of the assumption, less
what bins of noise would show (Kelley's ε²). In a Sobol'
  sequence every bin has its even share of the other assumptions, so the noise there is luck alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.metrics.intervals import resamples

TIMES: Final = 500
MOST_BINS: Final = 32
FEW_BASE_POINTS: Final = 64  # coverage is known from there (docs/statistics.md)
FEW_POINTS: Final = 500  # below, bins are too coarse for a metric that waves (docs/statistics.md)
_Z: Final = 1.959963984540054
Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sample:
    """A metric *y*, (points, replications), at the points *x*, (points, assumptions), of a
    *design*.

    *names* are the assumptions; *words* says which have levels without an order, whose x is the
    number of the level. *low* and *high* are the ends of each range. *address* is where the luck of
    resampling is drawn.
    """

    names: tuple[str, ...]
    words: tuple[bool, ...]
    x: Numbers
    low: Numbers
    high: Numbers
    y: Numbers
    design: str
    address: str

    @property
    def unit(self) -> Numbers:
        """The points as shares of each range."""
        return (self.x - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Index:
    """A number about one assumption, *name*, by a *method*, with the ends of its 95 % interval."""

    name: str
    method: str
    value: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the interval excludes nought."""
        return self.low > 0 or self.high < 0


def luck_share(sample: Sample) -> float:
    """Return the share of the variance over points that is luck left in the means over
    replications; nan with one replication.
    """
    total = sample.y.mean(axis=1).var(ddof=1)
    return float(_luck(sample.y) / total) if sample.y.shape[1] > 1 and total > 0 else float("nan")


def _luck(y: Numbers) -> float:
    """Return the variance that luck leaves in the mean over replications of one point, beside what
    all points share; 0 where it cannot be told.
    """
    points, n = y.shape
    if n == 1 or points == 1:
        return 0.0
    rest = y - y.mean(axis=1, keepdims=True) - y.mean(axis=0) + y.mean()
    return float((rest**2).sum() / (points - 1) / (n - 1) / n)


def caution(sample: Sample) -> str:
    """Return what a reader must know beside the indices of *sample*; "" where nothing is known
    against their intervals.
    """
    if sample.y.shape[1] == 1:
        return "one replication: luck cannot be told from the assumptions, and is in no interval"
    base = len(sample.x) // (len(sample.names) + 2)
    if sample.design == "saltelli" and base < FEW_BASE_POINTS:
        return f"{base} base points: intervals of shares may cover less than 95 %"
    few = sample.design == "latin_hypercube" and len(sample.x) < FEW_POINTS
    return f"{len(sample.x)} points: intervals of first orders cover less than 95 %" if few else ""


def _draws(sample: Sample, n_rows: int) -> tuple[Whole, Numbers]:
    """Return the rows of each resample, (times, rows), and the weights of the replications in it,
    (replications, times).
    """
    n = sample.y.shape[1]
    columns = resamples(f"{sample.address}/replications", n, TIMES)
    weights = np.stack([(columns == r).sum(axis=1) for r in range(n)]) / n
    return resamples(f"{sample.address}/points", n_rows, TIMES), weights


def _index(name: str, method: str, value: float, resampled: Numbers) -> Index:
    half = _Z * float(np.std(resampled, ddof=1))
    return Index(name, method, value, value - half, value + half)


# -- effects ---------------------------------------------------------------------------------------


def tornado(sample: Sample) -> tuple[list[Index], float]:
    """Return the effect of each assumption, the largest first, and the share of the variance that
    straight lines explain (nan where none were drawn).
    """
    found, explained = (
        _moved_alone(sample) if sample.design == "one_at_a_time" else _straight_lines(sample)
    )
    return sorted(found, key=lambda index: -abs(index.value)), explained


def _moved_alone(sample: Sample) -> tuple[list[Index], float]:
    """Return the differences between the ends of each range, pair by pair over replications, with
    the other assumptions as in the first point.
    """
    from scipy.special import stdtrit

    found = []
    for number, name in enumerate(sample.names):
        others = np.delete(sample.x, number, axis=1)
        alone = (others == others[0]).all(axis=1)
        low, high = (
            np.flatnonzero(alone & (sample.x[:, number] == end[number]))
            for end in (sample.low, sample.high)
        )
        if len(low) and len(high):
            apart = sample.y[high[0]] - sample.y[low[0]]
            n = len(apart)
            half = (
                float(stdtrit(n - 1, 0.975) * apart.std(ddof=1) / np.sqrt(n))
                if n > 1
                else float("nan")
            )
            found.append(
                Index(
                    name,
                    "effect",
                    float(apart.mean()),
                    float(apart.mean()) - half,
                    float(apart.mean()) + half,
                )
            )
    return found, float("nan")


def _columns(sample: Sample) -> tuple[Numbers, list[int]]:
    """Return the columns of the regression, the constant first, and for each assumption the one
    whose coefficient is its effect.
    """
    columns, effect = [np.ones(len(sample.x))], []
    for number, unit in enumerate(sample.unit.T):
        if sample.words[number]:
            columns += [
                (sample.x[:, number] == level).astype(np.float64)
                for level in np.unique(sample.x[:, number])[1:]
            ]
        else:
            columns.append(unit)
        effect.append(len(columns) - 1)
    return np.stack(columns, axis=1), effect


def _straight_lines(sample: Sample) -> tuple[list[Index], float]:
    columns, effect = _columns(sample)
    mean = sample.y.mean(axis=1)
    # what solving leaves of nothing
    dust = 1e-9 * float(np.ptp(mean)) + 1e-12 * float(np.abs(mean).max())
    fit = _clean(np.linalg.lstsq(columns, mean, rcond=None)[0], dust)
    spread = ((mean - mean.mean()) ** 2).sum()
    explained = 1 - ((mean - columns @ fit) ** 2).sum() / spread if spread > 0 else float("nan")
    rows, weights = _draws(sample, len(mean))
    resampled = _clean(
        np.array(
            [
                np.linalg.lstsq(columns[row], sample.y[row] @ weights[:, b], rcond=None)[0]
                for b, row in enumerate(rows)
            ]
        ),
        dust,
    )
    return [
        _index(name, "effect", float(fit[place]), resampled[:, place])
        for name, place in zip(sample.names, effect, strict=True)
    ], float(explained)


def _clean(values: Numbers, dust: float) -> Numbers:
    return np.where(np.abs(values) <= dust, 0.0, values)


# -- shares of the variance ------------------------------------------------------------------------


def first_order(sample: Sample) -> list[Index]:
    """Return each assumption's first-order share of the variance from points without structure."""
    rows, weights = _draws(sample, len(sample.y))
    luck = _luck(sample.y)
    even = sample.design == "sobol"
    found = []
    for number, name in enumerate(sample.names):
        bins = _bins(sample.x[:, number], sample.words[number])
        value = _between(sample.y.mean(axis=1), bins, luck, even)
        found.append(
            _index(
                name,
                "first order",
                value,
                np.array(
                    [
                        _between(sample.y[row] @ weights[:, b], bins[row], luck, even)
                        for b, row in enumerate(rows)
                    ]
                ),
            )
        )
    return found


def _bins(x: Numbers, words: bool) -> Whole:
    """Return the bin of each point: its value where there are few, else one of √n bins of equal
    size.
    """
    values, places = np.unique(x, return_inverse=True)
    n = min(MOST_BINS, max(2, round(len(x) ** 0.5)))
    if words or len(values) <= n:
        return np.asarray(places, np.int64)
    order = np.argsort(np.argsort(x, kind="stable"), kind="stable")
    return np.asarray(order * n // len(x), np.int64)


def _between(y: Numbers, bins: Whole, luck: float, even: bool) -> float:
    """Return the share of the variance of *y*, *luck* taken off, between *bins*, less what bins of
    noise would show; of luck alone where they are *even*.
    """
    sizes = np.bincount(bins)
    here = sizes > 0
    means = np.bincount(bins, y)[here] / sizes[here]
    total, n = ((y - y.mean()) ** 2).sum(), int(here.sum())
    between = (sizes[here] * (means - y.mean()) ** 2).sum()
    rest = total / (len(y) - 1) - luck
    if n >= len(y) or rest <= 0:
        return 0.0
    noise = luck if even else (total - between) / (len(y) - n)
    return float((between - (n - 1) * noise) / (len(y) - 1) / rest)


def _blocks(sample: Sample) -> Numbers:
    """Return *y* as (base points, d + 2, replications); raises `ValueError` when the rows are not a
    saltelli design's, in its order.
    """
    d = len(sample.names)
    whole = len(sample.x) % (d + 2) == 0
    x = sample.x.reshape(-1, d + 2, d) if whole else np.empty((0, d + 2, d))
    expected = np.repeat(x[:, :1], d + 2, axis=1) if whole else x
    for j in range(d):
        expected[:, j + 1, j] = x[:, -1, j]
    expected[:, -1] = x[:, -1]
    if not len(x) or not np.array_equal(x, expected):
        raise ValueError(
            "the points are not those of a saltelli design in its order: A, A with each assumption"
            " in turn from B, B"
        )
    return sample.y.reshape(-1, d + 2, sample.y.shape[1])


def _redrawn(sample: Sample, blocks: Numbers) -> Numbers:
    """Return the means over replications of each resample of the base points, (base points, d + 2,
    times).
    """
    rows, weights = _draws(sample, len(blocks))
    return np.stack([blocks[row] @ weights[:, b] for b, row in enumerate(rows)], axis=-1)


def sobol(sample: Sample) -> list[Index]:
    """Return first-order and total Sobol' indices from a saltelli design; raises `ValueError` when
    it is none, `ImportError` without SALib.
    """
    from SALib.analyze import sobol as salib

    blocks, luck = _blocks(sample), _luck(sample.y)

    def both(y: Numbers) -> Numbers:
        y = y - y.mean(axis=(0, 1))
        a, b = y[:, 0], y[:, -1]
        spread = np.var(np.concatenate([a, b]), axis=0)
        rest = np.where(spread > luck, spread - luck, np.inf)
        pairs = [
            (
                salib.first_order(a, y[:, j + 1], b) * spread / rest,
                (salib.total_order(a, y[:, j + 1], b) * spread - luck) / rest,
            )
            for j in range(d)
        ]
        return np.array(pairs)

    d = len(sample.names)
    if np.ptp(blocks) == 0:
        return [
            Index(name, method, 0.0, 0.0, 0.0)
            for name in sample.names
            for method in ("first order", "total")
        ]
    values, resampled = both(blocks.mean(axis=2)[..., None])[..., 0], both(_redrawn(sample, blocks))
    return [
        _index(name, method, float(values[j, kind]), resampled[j, kind])
        for j, name in enumerate(sample.names)
        for kind, method in enumerate(("first order", "total"))
    ]


def elementary_effects(sample: Sample) -> list[Index]:
    """Return μ* and σ of each assumption's elementary effects from a saltelli design; raises
    `ValueError` when it is none.
    """
    blocks, d = _blocks(sample), len(sample.names)
    unit = sample.unit.reshape(-1, d + 2, d)
    steps = (unit[:, -1] - unit[:, 0])[..., None]
    rows, _ = _draws(sample, len(blocks))

    def both(y: Numbers, step: Numbers) -> Numbers:
        """Return μ* and σ by assumption, (2, d, times): means over base points, weighted by the
        length of the step.
        """
        change, length = y[:, 1:-1] - y[:, :1], np.abs(step)
        # an assumption that never moved moves nothing
        weight = np.maximum(length.sum(axis=0), np.finfo(np.float64).tiny)
        mean = (change * np.sign(step)).sum(axis=0) / weight
        effect = np.divide(change, step, out=np.zeros_like(change), where=length > 0)
        return np.stack(
            [
                np.abs(change).sum(axis=0) / weight,
                np.sqrt((length * (effect - mean) ** 2).sum(axis=0) / weight),
            ]
        )

    values = both(blocks.mean(axis=2)[..., None], steps)[..., 0]
    resampled = both(_redrawn(sample, blocks), np.moveaxis(steps[rows][..., 0], 0, -1))
    methods = tuple(enumerate(("mu*", "sigma")))
    return [
        _index(name, method, float(values[kind, j]), resampled[kind, j])
        for j, name in enumerate(sample.names)
        for kind, method in methods
    ]
