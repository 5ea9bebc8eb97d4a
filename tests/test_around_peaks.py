"""What is kept of the seconds around a server's peak, day by day."""

from __future__ import annotations

import numpy as np
import pytest

from sim.around_peaks import AroundPeak, eventful
from sim.kernels.book import Around
from sim.tables import AROUND_PEAK_S

DAY_S = 86_400
ALWAYS = np.array([False, True])


def _days(n):
    """Return *n* days of two kinds: what arrives, waits, is late and is turned away each second."""
    seconds = np.arange(n * DAY_S)
    waits = np.stack([seconds % 7, seconds % 5])
    return np.stack([np.stack([seconds % 11, seconds % 3]), waits, waits // 3, waits % 2]).astype(
        np.int32
    )


def _told(days, peaks_s):
    """Return what is told after *days*; as each ended the fullest second was that of *peaks_s*."""
    around = AroundPeak(2)
    for day, peak_s in enumerate(peaks_s):
        here = slice(day * DAY_S, (day + 1) * DAY_S)
        around.pass_day(list(days[:, :, here]), day * DAY_S, peak_s)
    return around.told(ALWAYS)


@pytest.mark.parametrize(
    "peaks_s",
    [
        [40_000, 40_000, 40_000],
        [10, DAY_S + 10, DAY_S + 10],  # the seconds before it are those of the day before
        [DAY_S - 10, DAY_S - 10, DAY_S - 10],  # those after it are the next day's
        [DAY_S - 10, DAY_S + 20, DAY_S + 20],
        [5, 2 * DAY_S - 1, 2 * DAY_S],
    ],
)
def test_the_seconds_around_the_last_peak_are_kept_wherever_days_end(peaks_s):
    days = _days(3)
    arrived, waiting, late, turned_away = days
    served = arrived - turned_away - np.diff(waiting, axis=1, prepend=0)
    late = np.where(ALWAYS[:, None], served, late)
    told = _told(days, peaks_s)

    seconds = slice(peaks_s[-1] - AROUND_PEAK_S, peaks_s[-1] + AROUND_PEAK_S + 1)
    kept = np.stack([arrived, served, waiting, late])[:, :, seconds]
    assert told.shape == (len(Around), 2, 2 * AROUND_PEAK_S + 1)
    assert (told[:, :, : kept.shape[2]] == kept).all()


def test_a_peak_at_the_beginning_has_nothing_before_it():
    told = _told(_days(1), [3])

    assert not told[:, :, : AROUND_PEAK_S - 3].any()


def test_who_never_had_anybody_come_has_no_seconds():
    assert not _told(np.zeros((4, 2, DAY_S), np.int32), [-1]).any()


def test_only_seconds_in_which_something_happened_are_told_kind_by_kind():
    told = np.zeros((len(Around), 2, 5), np.int32)
    told[Around.ARRIVED, 0] = [1, 0, 2, 0, 3]
    told[Around.WAITING, 1, 3] = 4

    blocks = list(eventful(told, ["zeta", "alpha"], 100, 101, 104))

    assert [(name, seconds.tolist()) for name, seconds, *_ in blocks] == [
        ("alpha", [103]),
        ("zeta", [102]),
    ]
    assert [[counts.tolist() for counts in block[2:]] for block in blocks] == [
        [[0], [0], [4], [0]],
        [[2], [0], [0], [0]],
    ]
