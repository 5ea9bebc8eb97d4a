"""Who is dark and for how long, who raises alerts and when: the kernels against plain readings of
docs/model.md sections 5 and 11.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.kernels import alerts, clocks, darkness
from sim.kernels.draws import bounded_pareto, gap_s, threshold
from tests.oracles import philox

# footprint and restoration, of cuts and of reboots
KEYS = {True: (0x0123_4567_89AB_CDEF, 11), False: (0xFEDC_BA98_7654_3210, 12)}
PLACE = 16
SHARES = st.sampled_from([0.0, 0.1, 0.5, 1.0])
CURVES = (
    st.lists(
        st.tuples(st.integers(1, 2**32 - 1), st.integers(0, 300)),
        max_size=3,
        unique_by=lambda point: point[0],
    )
    .map(
        lambda points: list(
            zip(sorted(p for p, _ in points), sorted(t for _, t in points), strict=True)
        )
    )
    .flatmap(
        lambda points: st.integers(points[-1][1] if points else 0, 400).map(
            lambda last: [*points, (2**32, last)]
        )
    )
)
STROKES = st.lists(
    st.tuples(st.integers(0, 500), st.integers(1, 200), SHARES, st.booleans(), CURVES), max_size=5
).map(lambda strokes: sorted(strokes, key=lambda stroke: stroke[0]))


def arrays(strokes: list[Any]) -> darkness.Strokes:
    """Return *strokes* (start, duration, share, whether a cut, curve) as the kernels take them."""
    points = np.array([point for *_, curve in strokes for point in curve], np.int64).reshape(-1, 2)
    number = {True: iter(range(9)), False: iter(range(9))}
    return darkness.Strokes(
        start=np.array([s for s, *_ in strokes], np.int64),
        ends=np.array([s + d for s, d, *_ in strokes], np.int64),
        number=np.array([next(number[cut]) for *_, cut, _ in strokes], np.int64),
        threshold=np.array([threshold(x) for _, _, x, _, _ in strokes], np.uint64),
        footprint=np.array([KEYS[cut][0] for *_, cut, _ in strokes], np.uint64),
        restoration=np.array([KEYS[cut][1] for *_, cut, _ in strokes], np.uint64),
        is_cut=np.array([cut for *_, cut, _ in strokes], np.bool_),
        first=np.cumsum([0, *(len(curve) for *_, curve in strokes)]),
        shares=points[:, 0].copy(),
        times=points[:, 1].copy(),
    )


def intervals(strokes: list[Any], home: int) -> list[tuple[int, int, bool]]:
    """Return (start, end, whether a cut) of each stroke that takes premises *home*."""
    found, number = [], {True: 0, False: 0}
    for start, duration, share, cut, curve in strokes:
        if philox.word(KEYS[cut][0], PLACE, home, number[cut]) < threshold(share):
            word, before, at = philox.word(KEYS[cut][1], PLACE, home, number[cut]), 0, 0
            for p, t in curve:
                if word < p:
                    at += (word - before) * (t - at) // (p - before)
                    break
                before, at = p, t
            found.append((start, start + duration + at, cut))
        number[cut] += 1
    return found


@given(strokes=STROKES, n=st.integers(1, 30))
def test_dark_spells_are_unions(strokes, n):
    """Second by second: dark while some stroke has it dark; a spell is a longest run of such
    seconds, an outage if some cut lies in it.
    """
    home, begin, end, outage = darkness.dark_spells(arrays(strokes), PLACE, n)

    expected = []
    for number in range(n):
        taken = intervals(strokes, number)
        dark = sorted({second for start, stop, _ in taken for second in range(start, stop)})
        starts = [second for second in dark if second - 1 not in dark]
        ends = [second + 1 for second in dark if second + 1 not in dark]
        expected += [
            (number, a, b, any(cut and a <= start < b for start, _, cut in taken))
            for a, b in zip(starts, ends, strict=True)
        ]
    assert (
        list(zip(home.tolist(), begin.tolist(), end.tolist(), outage.tolist(), strict=True))
        == expected
    )


@given(strokes=STROKES, n=st.integers(1, 30), told=st.booleans())
def test_strokes_one_by_one_come_to_the_same(strokes, n, told):
    """After every stroke: dark until the end of the latest spell so far, *lit* the end of the one
    before it.
    """
    dark, lit = np.zeros(n, np.int32), np.zeros(n if told else 0, np.int32)
    for s in range(len(strokes)):
        taken = darkness.darken(arrays(strokes), s, PLACE, dark, lit)
        home, _, end, _ = darkness.dark_spells(arrays(strokes[: s + 1]), PLACE, n)
        ends = [[0, 0, *end[home == number].tolist()] for number in range(n)]
        assert dark.tolist() == [mine[-1] for mine in ends]
        assert lit.tolist() == ([mine[-2] for mine in ends] if told else [])
        before = [len(intervals(strokes[:s], number)) for number in range(n)]
        assert taken.tolist() == [
            len(intervals(strokes[: s + 1], number)) > before[number] for number in range(n)
        ]


@given(
    start=st.integers(0, 10_000),
    at=st.integers(0, 5000),
    spread=st.integers(0, 3000),
    period=st.integers(1, 4000),
    share=SHARES,
)
def test_locked_clocks_count_from_the_latest_time_of_day_before(start, at, spread, period, share):
    """Whoever is not taken keeps its time."""
    due = np.full(20, -5, np.int32)

    darkness.lock_clocks(
        np.uint64(3),
        np.uint64(4),
        PLACE,
        np.arange(20, dtype=np.uint32),
        2,
        np.uint64(threshold(share)),
        start,
        at,
        spread,
        period,
        due,
    )

    for number, second in enumerate(due.tolist()):
        if philox.word(3, PLACE, number, 2) < threshold(share):
            skewed = at + philox.word(4, PLACE, number, 2) * spread // 2**32
            assert start < second <= start + period
            assert (second - skewed) % period == 0
        else:
            assert second == -5


@given(n=st.integers(0, 60), fitted=SHARES, who=SHARES)
def test_who_raises_is_fitted_and_chosen(n, fitted, who):
    """Two words for each premises."""
    found = alerts.raisers(
        np.uint64(8),
        np.uint64(9),
        PLACE,
        n,
        np.uint64(threshold(fitted)),
        np.uint64(threshold(who)),
    )

    assert found.tolist() == [
        i
        for i in range(n)
        if philox.word(8, PLACE, i, 0) < threshold(fitted)
        and philox.word(9, PLACE, i, 0) < threshold(who)
    ]


@given(
    numbers=st.sets(st.integers(0, 60), min_size=1, max_size=8).map(sorted),
    rate=st.sampled_from([0.001, 0.02, 0.06]),
    stops=st.sets(st.integers(1, 399), max_size=4).map(lambda cuts: sorted({*cuts, 400})),
)
def test_chatter_is_a_clock_of_each_sender(numbers, rate, stops):
    """Alert n comes one gap after alert n - 1, whatever the intervals."""
    index = np.array(numbers, np.uint32)
    own = np.empty(len(index))
    due = np.empty(len(index), np.int32)
    number = np.zeros(len(index), np.int64)
    alerts.first_chatter(np.uint64(5), np.uint64(6), PLACE, index, rate, 1.3, 50.0, own, due)

    found: list[tuple[int, int]] = []
    for stop in stops:
        row, second = clocks.strokes(np.uint64(6), PLACE, index, own, stop, due, number)
        assert list(zip(row, second, strict=True)) == sorted(zip(row, second, strict=True))
        found += zip(row.tolist(), second.tolist(), strict=True)

    expected = []
    for i, home in enumerate(numbers):
        mine = rate * bounded_pareto(philox.word(5, PLACE, home, 0), 1.3, 50.0)
        at, n = 0, 0
        while (at := at + int(gap_s(philox.word(6, PLACE, home, n), mine))) < 400:
            expected.append((i, at))
            n += 1
    assert sorted(found) == sorted(expected)
