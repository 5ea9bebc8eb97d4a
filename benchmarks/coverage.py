"""How often each interval we print holds the truth: thousands of made-up experiments for each kind,
law and number of replications.

`python -m benchmarks.coverage` writes `docs/coverage.csv` and the table of `docs/statistics.md`
(some fifteen minutes); `tests/metrics/test_coverage.py` holds the table to its rule and measures
part of it again. Luck here is a seeded generator of NumPy's: no world is simulated.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from zlib import crc32

import numpy as np

from sim.experiment.sequential import Target, judge
from sim.metrics.flips import decide
from sim.metrics.intervals import Kind, bounds, warnings
from sim.metrics.sensitivity import (
    Index,
    Sample,
    caution,
    elementary_effects,
    first_order,
    sobol,
    tornado,
)
from sim.scenario.samples import unit_points

DOCS = Path(__file__).parents[1] / "docs"
TABLE, PAGE = DOCS / "coverage.csv", DOCS / "statistics.md"
BEGIN, END = "<!-- from docs/coverage.csv, by benchmarks/coverage.py -->", "<!-- end -->"
HEADER = ("interval", "law", "n", "experiments", "coverage", "warned")
EXPERIMENTS = 4000
SAMPLES = 2000
NAMES = ("x1", "x2", "x3")
Draw = Callable[[np.random.Generator, int, int], np.ndarray]
Row = tuple[str, str, int, int, float, float]


def _devices(luck: np.random.Generator, e: int, n: int) -> np.ndarray:
    """Return means over 20,000 devices of a lognormal quantity, σ = 1.5."""
    return np.array(
        [
            [
                np.exp(1.5 * luck.standard_normal(20_000, dtype=np.float32)).mean(dtype=np.float64)
                for _ in range(n)
            ]
            for _ in range(e)
        ]
    )


def _peak(luck: np.random.Generator, e: int, n: int) -> np.ndarray:
    """Return the largest of 3,600 Poisson counts of mean 100, by inversion of its distribution."""
    counts = np.arange(400)
    logs = (
        counts * np.log(100.0) - 100 - np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, 400)))])
    )
    return np.searchsorted(np.cumsum(np.exp(logs)) ** 3600, luck.random((e, n))).astype(float)


# What one replication gives, and its mean (None: taken over ten million draws).
LAWS: dict[str, tuple[Draw, float | None]] = {
    "normal": (lambda luck, e, n: luck.normal(10, 1, (e, n)), 10.0),
    "exponential": (lambda luck, e, n: luck.exponential(1, (e, n)), 1.0),
    "lognormal, sigma 1.5": (
        lambda luck, e, n: luck.lognormal(0, 1.5, (e, n)),
        float(np.exp(1.125)),
    ),
    "peak of 3,600 Poisson counts": (_peak, None),
    "yes or no, 2 %": (lambda luck, e, n: (luck.random((e, n)) < 0.02) * 1.0, 0.02),
    "yes or no, 10 %": (lambda luck, e, n: (luck.random((e, n)) < 0.1) * 1.0, 0.1),
    "yes or no, 50 %": (lambda luck, e, n: (luck.random((e, n)) < 0.5) * 1.0, 0.5),
    "seldom: 1 in 5,000 of 1,000": (
        lambda luck, e, n: luck.binomial(1000, 0.0002, (e, n)) / 1000,
        0.0002,
    ),
    "mean of 1,000 exponential devices": (
        lambda luck, e, n: luck.gamma(1000, 1 / 1000, (e, n)),
        1.0,
    ),
    "mean of 1,000 yes or no devices, 2 %": (
        lambda luck, e, n: luck.binomial(1000, 0.02, (e, n)) / 1000,
        0.02,
    ),
    "mean of 20,000 lognormal devices": (_devices, float(np.exp(1.125))),
    "difference of pairs, normal": (lambda luck, e, n: luck.normal(1, 0.3, (e, n)), 1.0),
    "difference of pairs, lognormal, one half larger": (
        lambda luck, e, n: 0.5 * luck.lognormal(0, 1.5, (e, n)),
        float(0.5 * np.exp(1.125)),
    ),
}
_HARD = (
    "normal",
    "exponential",
    "lognormal, sigma 1.5",
    "peak of 3,600 Poisson counts",
    "seldom: 1 in 5,000 of 1,000",
)
_WORDS = ("yes or no, 2 %", "yes or no, 10 %", "yes or no, 50 %")
_MEANS = (
    "mean of 1,000 exponential devices",
    "mean of 1,000 yes or no devices, 2 %",
    "mean of 20,000 lognormal devices",
)
CASES: dict[Kind, tuple[str, ...]] = {
    Kind.MEAN: ("normal", *_MEANS, "difference of pairs, normal"),
    Kind.SHARE: _WORDS,
    Kind.SKEWED: (*_HARD, "yes or no, 2 %", "difference of pairs, lognormal, one half larger"),
    Kind.UNKNOWN: (*_HARD, *_WORDS),
}
SIZES = (2, 3, 5, 10, 20, 30, 50, 100, 200)
# Replicated until the half-width is this part of the mean, from so many replications on.
STOPS: tuple[tuple[Kind, str, float], ...] = (
    (Kind.MEAN, "normal", 0.05),
    (Kind.MEAN, "mean of 1,000 exponential devices", 0.02),
    (Kind.MEAN, "mean of 1,000 yes or no devices, 2 %", 0.05),
    (Kind.MEAN, "mean of 1,000 yes or no devices, 2 %", 0.1),
    (Kind.MEAN, "difference of pairs, normal", 0.1),
    (Kind.SKEWED, "exponential", 0.2),
)
LEAST = (3, 5, 10)


def measured(kind: Kind, law: str, n: int, experiments: int) -> Row:
    """Return how many of the *experiments* of *n* replications of *law* have the truth in the
    interval of *kind*, and how many carry a warning.
    """
    draw, truth = LAWS[law]
    luck = np.random.default_rng(crc32(f"{kind}/{law}/{n}".encode()))
    if truth is None:
        truth = float(draw(np.random.default_rng(0), 1000, 10_000).mean())
    hits = warned = 0
    for begin in range(0, experiments, 500):
        values = draw(luck, min(500, experiments - begin), n)
        low, high = bounds(values, kind)
        hits += int(((low <= truth + 1e-12) & (truth - 1e-12 <= high)).sum())
        warned += sum(map(bool, warnings(values, kind)))
    return (
        f"{kind}: {kind.method(n)}",
        law,
        n,
        experiments,
        hits / experiments,
        warned / experiments,
    )


def at_stop(kind: Kind, law: str, width: float, least: int, experiments: int) -> Row:
    """Return the same of experiments that begin with *least* replications and go on until the
    half-width is *width* of the mean and stays so: n is *least*.
    """
    draw, truth = LAWS[law]
    assert truth is not None
    luck = np.random.default_rng(crc32(f"stop/{kind}/{law}/{width}/{least}".encode()))
    ended: dict[int, list[np.ndarray]] = {}
    for _ in range(experiments):
        values, more = np.empty(0), least
        while more:
            values = np.append(values, draw(luck, 1, more))
            verdict = judge(
                [{("m", "all"): value} for value in values.tolist()],
                [Target("m", "", width, True, "")],
                least,
                1000,
            )
            more = verdict.more
        ended.setdefault(verdict.counted, []).append(values[: verdict.counted])
    hits = warned = 0
    for _, rows in sorted(ended.items()):
        low, high = bounds(np.array(rows), kind)
        hits += int(((low <= truth) & (truth <= high)).sum())
        warned += sum(map(bool, warnings(np.array(rows), kind)))
    return (
        f"replicated to ± {100 * width:.0f} %: {kind}",
        law,
        least,
        experiments,
        hits / experiments,
        warned / experiments,
    )


def _ishigami(x: np.ndarray) -> np.ndarray:
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def _sample(design: str, n: int, seed: int) -> Sample:
    """Return Ishigami's function at *n* points of *design*, in four replications with luck of their
    own and shared luck.
    """
    unit = np.array(
        [[point[name] for name in NAMES] for point in unit_points(design, NAMES, n, seed)]
    )
    luck = np.random.default_rng(seed)
    x = np.pi * (2 * unit - 1)
    y = _ishigami(x)[:, None] + 1.5 * luck.normal(size=(len(x), 4)) + luck.normal(size=(1, 4))
    return Sample(
        NAMES, (False,) * 3, x, np.full(3, -np.pi), np.full(3, np.pi), y, design, f"coverage/{seed}"
    )


def _truths() -> dict[tuple[str, str], float]:
    """Return the indices of Ishigami's function (a = 7, b = 0.1): shares of variance in closed
    form, effects from four million points.
    """
    v1, v2, v13 = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 49 / 8, 0.01 * np.pi**8 * (1 / 18 - 1 / 50)
    v = v1 + v2 + v13
    truth = {
        ("x1", "first order"): v1 / v,
        ("x2", "first order"): v2 / v,
        ("x3", "first order"): 0.0,
    }
    truth |= {("x1", "total"): (v1 + v13) / v, ("x2", "total"): v2 / v, ("x3", "total"): v13 / v}
    luck = np.random.default_rng(0)
    a, b = luck.random((4_000_000, 3)), luck.random((4_000_000, 3))
    at_a = _ishigami(np.pi * (2 * a - 1))
    for j, name in enumerate(NAMES):
        moved = a.copy()
        moved[:, j] = b[:, j]
        change, step = _ishigami(np.pi * (2 * moved - 1)) - at_a, b[:, j] - a[:, j]
        mean = (change * np.sign(step)).sum() / np.abs(step).sum()
        truth[name, "mu*"] = float(np.abs(change).sum() / np.abs(step).sum())
        truth[name, "sigma"] = float(
            np.sqrt((np.abs(step) * (change / step - mean) ** 2).sum() / np.abs(step).sum())
        )
    # The straight line through sin(x1) (1 + b π⁴ / 5) is 12 cov(x1, u1) u1; nothing of x2 or x3
    # leans.
    return truth | {
        ("x1", "effect"): (1 + 0.1 * np.pi**4 / 5) * 12 / (2 * np.pi),
        ("x2", "effect"): 0.0,
        ("x3", "effect"): 0.0,
    }


FINDERS: dict[str, tuple[str, Callable[[Sample], list[Index]], tuple[int, ...]]] = {
    "Sobol' indices": ("saltelli", sobol, (64, 256)),
    "elementary effects": ("saltelli", elementary_effects, (64,)),
    "first orders, Latin hypercube": ("latin_hypercube", first_order, (64, 128, 512)),
    "first orders, Sobol' sequence": ("sobol", first_order, (128,)),
    "effects by straight lines": ("latin_hypercube", lambda sample: tornado(sample)[0], (64,)),
}


def of_indices(
    name: str, n: int, experiments: int, truth: dict[tuple[str, str], float]
) -> Iterator[Row]:
    """Yield the coverage of every index that the finder *name* gives, of each assumption of
    Ishigami's function, at *n* points.
    """
    design, find, _ = FINDERS[name]
    hits: dict[tuple[str, str], int] = {}
    warned = 0
    for seed in range(experiments):
        sample = _sample(design, n, seed)
        warned += bool(caution(sample))
        for index in find(sample):
            key = index.name, index.method
            hits[key] = hits.get(key, 0) + (index.low <= truth[key] <= index.high)
    for (assumption, method), n_hits in sorted(hits.items()):
        yield (
            f"{name}: {method}",
            f"Ishigami, {assumption}",
            n,
            experiments,
            n_hits / experiments,
            warned / experiments,
        )


def of_boxes(n: int, experiments: int) -> Iterator[Row]:
    """Yield the coverage of a box's ends, coverage and density, where a rival is better above 0.6
    of one assumption and below 0.4 of another.
    """
    hits = np.zeros(4)
    for seed in range(experiments):
        x = np.array(
            [
                [point[name] for name in NAMES]
                for point in unit_points("latin_hypercube", NAMES, n, seed)
            ]
        )
        luck = np.random.default_rng(seed)
        shared = luck.normal(size=(1, 4))
        gain = np.where((x[:, 0] > 0.6) & (x[:, 1] < 0.4), 0.3, -0.3)
        y = {
            name: shared + 0.1 * luck.normal(size=(n, 4)) + add[:, None]
            for name, add in (("a", 0 * gain), ("b", gain))
        }
        boxes = decide(x, y, prefer="high", zone=0.0, address=f"coverage/{seed}").boxes
        at = {(end.number, end.above): end for end in boxes[0].ends} if boxes else {}
        if len(at) == 2 and (0, True) in at and (1, False) in at:  # any other box is a miss
            box = boxes[0]
            first, second = at[0, True], at[1, False]
            inner = (1 - max(first.at, 0.6)) * min(second.at, 0.4)
            density, share = inner / ((1 - first.at) * second.at), min(1.0, inner / 0.16)
            hits += [
                first.interval[0] <= 0.6 <= first.interval[1],
                second.interval[0] <= 0.4 <= second.interval[1],
                box.coverage_interval[0] <= share <= box.coverage_interval[1],
                box.density_interval[0] <= density <= box.density_interval[1],
            ]
    for what, n_hits in zip(("first end", "second end", "coverage", "density"), hits, strict=True):
        yield (
            f"flip box: {what}",
            "corner of a cube",
            n,
            experiments,
            float(n_hits / experiments),
            0.0,
        )


def tabulated() -> Iterator[Row]:
    """Yield every row of the table."""
    for kind, laws in CASES.items():
        for law in laws:
            slow = law == "mean of 20,000 lognormal devices"
            for n in (5, 10, 30) if slow else SIZES:
                yield measured(kind, law, n, SAMPLES if slow else EXPERIMENTS)
    for kind, law, width in STOPS:
        for least in LEAST:
            yield at_stop(kind, law, width, least, SAMPLES if kind is Kind.SKEWED else EXPERIMENTS)
    truth = _truths()
    for name, (_, _, sizes) in FINDERS.items():
        for n in sizes:
            yield from of_indices(name, n, SAMPLES, truth)
    yield from of_boxes(128, SAMPLES)


def as_table() -> str:
    """Return the committed rows as a table for the page: one line for each interval and law, a
    column for each size, † where every interval is warned of.
    """
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    sizes = sorted({int(row["n"]) for row in rows})
    cells: dict[tuple[str, str], dict[int, str]] = {}
    for row in rows:
        of = (
            row["interval"].partition(":")[0]
            if row["interval"].partition(":")[0] in tuple(Kind)
            else row["interval"]
        )
        mark = "†" if float(row["warned"]) == 1 else ""
        cells.setdefault((of, row["law"]), {})[
            int(row["n"])
        ] = f"{100 * float(row['coverage']):.1f}{mark}"
    lines = [
        f"| interval | law | {' | '.join(f'n = {n}' for n in sizes)} |",
        "|---|---|" + "--:|" * len(sizes),
    ]
    return "\n".join(
        [
            *lines,
            *(
                f"| {of} | {law} | {' | '.join(found.get(n, '') for n in sizes)} |"
                for (of, law), found in cells.items()
            ),
        ]
    )


def write_page() -> None:
    """Put the table in its place on the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(
        f"{before}{BEGIN}\n{as_table()}\n{END}{rest.partition(END)[2]}", encoding="utf-8"
    )


def main() -> None:
    """Write the table, and say how long it took."""
    began = perf_counter()
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for interval, law, n, experiments, coverage, warned in tabulated():
            writer.writerow((interval, law, n, experiments, f"{coverage:.4f}", f"{warned:.4f}"))
            print(
                f"{perf_counter() - began:6.0f} s  {interval:35} {law:48} {n:4} {coverage:.3f}"
                f" {warned:.3f}",
                file=sys.stderr,
                flush=True,
            )
    write_page()


if __name__ == "__main__":
    main()
