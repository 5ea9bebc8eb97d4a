"""Where a decision flips: boxes in the space of the assumptions in which another option is the
better one (scenario discovery; Bryant and Lempert 2010).

The option to prefer is the one whose metric is best on average over the points. For each rival,
points are marked where it is the best of all and better than the preferred option by more than the
smallest difference that matters. A box is found by peeling (PRIM; Friedman and Fisher 1999), a
twentieth of the points at a time; of all boxes on the way the one is taken whose coverage (share of
the marked points inside) and density (share of the points inside that are marked) have the greatest
harmonic mean; each end is then moved to where that mean is greatest, an end that would do as well
by chance more often than once in twenty is taken away, and a box in which the rival is not the
better more often than not is none. Points and replications are drawn again, and the ends of the
same sides moved anew, for the intervals; an end lies between the last point inside and the first
outside, so its interval reaches at least over that gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.metrics.intervals import resamples, wilson

TIMES: Final = 200
MOST_BOXES: Final = 2  # for each rival; more would not be read
_PEEL: Final = 0.05
_FEWEST: Final = 5  # points: fewer are no region
_CHANCE: Final = 0.05
_WORTH: Final = 0.1  # of a rival's points that a further box must still find
Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]
Interval = tuple[float, float]
Side = tuple[int, bool]  # which assumption, and whether from above (x ≤ end) or below (x ≥ end)


@dataclass(frozen=True, slots=True)
class End:
    """One side of a box: assumption number *number* is *above* *at* (or below it, where not
    *above*), with the *interval* of the end.
    """

    number: int
    above: bool
    at: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Box:
    """A region where *rival* is better than the preferred option: its *ends*, *coverage* and
    *density* with intervals, of *marked* among *points* worlds.
    """

    rival: str
    ends: tuple[End, ...]
    coverage: float
    coverage_interval: Interval
    density: float
    density_interval: Interval
    points: int
    marked: int


@dataclass(frozen=True, slots=True)
class Decision:
    """The option to *prefer*, in what *share* of the points none is better by what matters, and
    *boxes* where one is.

    *wins* counts the points at which each other option is the better one.
    """

    prefer: str
    share: float
    boxes: tuple[Box, ...]
    wins: dict[str, int]


def decide(
    x: Numbers, y: Mapping[str, Numbers], *, prefer: str, zone: float, address: str
) -> Decision:
    """Return what to prefer and where not, from the points *x* (points, assumptions) and each
    option's metric *y* (points, replications).

    *prefer* is `low` or `high`, *zone* the smallest difference that matters. Resampling is drawn at
    *address*. Raises `ValueError` for fewer than two options.
    """
    if len(y) < 2:
        raise ValueError("a decision needs two options or more")
    options = list(y)
    score = np.stack([y[name] if prefer == "high" else -y[name] for name in options])
    best = int(score.mean(axis=(1, 2)).argmax())
    won = _winners(score.mean(axis=2), best, zone)
    counts = {options[o]: int((won == o).sum()) for o in np.unique(won) if o != best}
    boxes = []
    for rival in sorted(counts, key=lambda name: -counts[name]):
        boxes += _boxes(x, score, best, options.index(rival), zone, f"{address}/{rival}")
    told = tuple(replace(box, rival=options[int(box.rival)]) for box in boxes)
    return Decision(
        options[best],
        float((won == best).mean()),
        told,
        dict(sorted(counts.items(), key=lambda item: -item[1])),
    )


def _winners(means: Numbers, best: int, zone: float) -> NDArray[np.int64]:
    """Return the number of the option that wins at each point: the one of the highest of *means*,
    (options, points), unless *best* is within *zone* of it.
    """
    won = means.argmax(axis=0)
    return np.where(means.max(axis=0) - means[best] > zone, won, best)


def _boxes(
    x: Numbers, score: Numbers, best: int, rival: int, zone: float, address: str
) -> list[Box]:
    """Return the boxes of *rival*, each found among the points that those before it leave."""
    marks = _winners(score.mean(axis=2), best, zone) == rival
    left, found = np.ones(len(x), bool), list[Box]()
    while len(found) < MOST_BOXES and (marks & left).sum() >= max(_FEWEST, _WORTH * marks.sum()):
        sides = _search(x[left], marks[left])
        inside = _inside(x, sides)
        if (
            not sides
            or (inside & left & marks).sum() < _FEWEST
            or marks[inside & left].mean() <= 0.5
        ):
            break
        found.append(_told(x, score, (best, rival, zone), sides, left, f"{address}/{len(found)}"))
        left &= ~inside
    return found


def _inside(x: Numbers, sides: Mapping[Side, float]) -> Marks:
    """Return which points are within all *sides*."""
    within = np.ones(len(x), bool)
    for (number, above), end in sides.items():
        within &= x[:, number] > end if above else x[:, number] < end
    return within


def _merit(marks: Marks, inside: Marks) -> float:
    """Return the harmonic mean of coverage and density."""
    both = inside.sum() + marks.sum()
    return float(2 * (marks & inside).sum() / both) if both else 0.0


def _search(x: Numbers, marks: Marks) -> dict[Side, float]:
    """Return the sides of the best box around *marks*."""
    sides: dict[Side, float] = {}
    best, merit = sides, _merit(marks, np.ones(len(x), bool))
    while (cut := _peeled(x, marks, sides)) is not None:
        sides = cut
        if (now := _merit(marks, _inside(x, sides))) > merit:
            best, merit = sides, now
    return _justified(
        x,
        marks,
        _settled(
            x, marks, best, [(n, above) for n in range(x.shape[1]) for above in (True, False)]
        ),
    )


def _peeled(x: Numbers, marks: Marks, sides: dict[Side, float]) -> dict[Side, float] | None:
    """Return *sides* with the twentieth cut off that leaves the densest box; None where a cut would
    leave too few.
    """
    inside = _inside(x, sides)
    found, density = None, -1.0
    for number in range(x.shape[1]):
        values = np.unique(x[inside, number])
        for above in (True, False) if len(values) > 1 else ():
            share = np.quantile(x[inside, number], _PEEL if above else 1 - _PEEL)
            middles = (values[:-1] + values[1:]) / 2
            end = (
                middles[np.searchsorted(middles, share)]
                if above and share < middles[-1]
                else middles[max(0, np.searchsorted(middles, share) - 1)]
            )
            cut = sides | {(number, above): float(end)}
            kept = _inside(x, cut)
            if kept.sum() >= _FEWEST and marks[kept].mean() > density:
                found, density = cut, float(marks[kept].mean())
    return found


def _settled(
    x: Numbers, marks: Marks, sides: dict[Side, float], free: list[Side]
) -> dict[Side, float]:
    """Return *sides* with each of the *free* ends moved, in turn and until none moves, to where the
    merit is greatest.
    """
    merit = _merit(marks, _inside(x, sides))
    for _ in range(20):
        before = merit
        for side in free:
            others = {other: end for other, end in sides.items() if other != side}
            end, now = _best_end(x, marks, others, side)
            if now > merit + 1e-12:
                sides, merit = (others if end is None else others | {side: end}), now
        if merit == before:
            break
    return sides


def _best_end(
    x: Numbers, marks: Marks, others: Mapping[Side, float], side: Side
) -> tuple[float | None, float]:
    """Return the end of *side*, None for no end, with the greatest merit beside the *others*, and
    that merit.
    """
    number, above = side
    inside = _inside(x, others)
    order = np.argsort(x[inside, number], kind="stable")
    values, hits = x[inside, number][order], marks[inside][order]
    if above:
        values, hits = values[::-1], hits[::-1]
    merits = 2 * np.cumsum(hits) / (np.arange(1, len(hits) + 1) + marks.sum())
    merits[:-1][values[:-1] == values[1:]] = -1
    if not len(merits):
        return None, 0.0
    place = int(merits.argmax())
    end = None if place == len(values) - 1 else float(values[place] + values[place + 1]) / 2
    return end, float(merits[place])


def _justified(x: Numbers, marks: Marks, sides: dict[Side, float]) -> dict[Side, float]:
    """Return *sides* without those that chance would make look as good once in twenty times, the
    weakest first.
    """
    from scipy.special import bdtrc

    while sides:
        inside = _inside(x, sides)
        n, hits = int(inside.sum()), int(marks[inside].sum())
        chance = {}
        for side in sides:
            wider = _inside(x, {other: end for other, end in sides.items() if other != side})
            chance[side] = float(bdtrc(hits - 1, n, marks[wider].mean())) if hits else 1.0
        weakest = max(chance, key=lambda side: chance[side])
        if chance[weakest] <= _CHANCE:
            break
        sides = {side: end for side, end in sides.items() if side != weakest}
        sides = _settled(x, marks, sides, list(sides))
    return sides


def _gap(x: Numbers, sides: Mapping[Side, float], side: Side) -> Interval:
    """Return the last value inside and the first outside of *side*, lower first, of points within
    the other *sides*; the end is anywhere between them.
    """
    number, above = side
    column = x[_inside(x, {other: end for other, end in sides.items() if other != side}), number]
    within = column > sides[side] if above else column < sides[side]
    edge = (
        (column[within].min() if above else column[within].max()) if within.any() else sides[side]
    )
    other = (
        (column[~within].max() if above else column[~within].min())
        if not within.all()
        else sides[side]
    )
    return float(min(edge, other)), float(max(edge, other))


def _told(
    x: Numbers,
    score: Numbers,
    rules: tuple[int, int, float],
    sides: dict[Side, float],
    left: Marks,
    address: str,
) -> Box:
    """Return the box of *sides* with the intervals of its ends, coverage and density."""
    best, rival, zone = rules
    marks = _winners(score.mean(axis=2), best, zone) == rival
    gaps: dict[Side, list[Interval]] = {side: [_gap(x[left], sides, side)] for side in sides}
    coverage, density = _quality(marks, _inside(x, sides) & left)
    shares = []
    columns = resamples(f"{address}/replications", score.shape[2], TIMES)
    for row, column in zip(resamples(f"{address}/points", len(x), TIMES), columns, strict=True):
        again = _winners(score[:, row][:, :, column].mean(axis=2), best, zone) == rival
        here = left[row]
        moved = _settled(x[row][here], again[here], dict(sides), list(sides))
        shares.append(_quality(again, _inside(x[row], moved) & here))
        for side in moved:
            gaps[side].append(_gap(x[row][here], moved, side))
    ends = tuple(
        End(number, above, at, _reach(gaps[number, above]))
        for (number, above), at in sorted(sides.items())
    )
    covered, dense = (list(values) for values in zip(*shares, strict=True))
    hits, n = coverage * marks.sum(), float((_inside(x, sides) & left).sum())
    reach = _share_interval(covered, hits, float(marks.sum())), _share_interval(dense, hits, n)
    return Box(str(rival), ends, coverage, reach[0], density, reach[1], len(x), int(marks.sum()))


def _share_interval(resampled: list[float], hits: float, n: float) -> Interval:
    """Return the interval of a share: of what was *resampled*, and at least that of *hits* counted
    in *n*, which is no certainty even where all hit.
    """
    low, high = (float(end) for end in wilson(hits, n))
    return min(low, float(np.quantile(resampled, 0.025))), max(
        high, float(np.quantile(resampled, 0.975))
    )


def _quality(marks: Marks, inside: Marks) -> tuple[float, float]:
    """Return coverage and density of the points *inside*; 0 where there is nothing to cover, or
    nothing inside.
    """
    hits = int((marks & inside).sum())
    return hits / max(1, int(marks.sum())), hits / max(1, int(inside.sum()))


def _reach(gaps: list[Interval]) -> Interval:
    """Return the interval of an end: from the 2.5 % quantile of the lower sides of the *gaps* to
    the 97.5 % of the upper, the first, found one within.
    """
    low, high = zip(*gaps, strict=True)
    return min(low[0], float(np.quantile(low, 0.025))), max(
        high[0], float(np.quantile(high, 0.975))
    )
