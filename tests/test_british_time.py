"""British time against the table of time zones, and the clocks of a world against a calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.british_time import moves, reading, strikes_s
from sim.kernels.firmware.columns import MOST_MOVES

LONDON = ZoneInfo("Europe/London")
FOREVER_S = 60 * 366 * 86_400
DAYS = st.dates(date(1996, 1, 1), date(2099, 12, 31))


def _offset_s(moment: datetime) -> float:
    offset = moment.astimezone(LONDON).utcoffset()
    assert offset is not None
    return offset.total_seconds()


def _begin(start: date) -> datetime:
    """Return 00:00 British time of *start*."""
    return datetime(start.year, start.month, start.day, tzinfo=LONDON).astimezone(UTC)


@given(start=DAYS, second=st.integers(0, 400 * 86_400))
def test_british_clocks_move_when_the_table_of_time_zones_says(start, second):
    """Since the rule of 1996, in any window: what has been moved by a second is the difference of
    the offsets.
    """
    begin = _begin(start)
    moved = sum(by_s for when, by_s in moves(start, 401 * 86_400) if when <= second)

    assert moved == _offset_s(begin + timedelta(seconds=second)) - _offset_s(begin)


@pytest.mark.parametrize(("start", "found"), [
    (date(2026, 3, 29), [(3_600, 3_600)]),  # 01:00 becomes 02:00
    (date(2026, 10, 25), [(7_200, -3_600)]),  # 02:00 becomes 01:00
    (date(2026, 3, 30), []),
    (date(9999, 1, 1), []),
])  # fmt: skip
def test_moves_of_one_day(start, found):
    """The first day counts in its own time."""
    assert list(moves(start, 86_400)) == found


def test_sixty_years_have_a_hundred_and_twenty_moves_at_most():
    """The kernels have room for as many."""
    assert (
        max(len(moves(date(2026, 1, 1) + timedelta(days=day), FOREVER_S)) for day in range(366))
        <= MOST_MOVES
    )


@given(start=DAYS, at=st.integers(0, 86_399), days=st.integers(0, 400))
def test_a_clock_strikes_at_its_time_on_every_local_day(start, at, days):
    """At the time on the wall, but for a time that does not exist, which strikes as the clock
    moves; of two it is the first.
    """
    second = strikes_s(days * 86_400 + at, moves(start, 402 * 86_400))
    moment = (_begin(start) + timedelta(seconds=second)).astimezone(LONDON)
    day = start + timedelta(days=days)
    due = datetime(day.year, day.month, day.day) + timedelta(seconds=at)

    exists = (
        due.replace(tzinfo=LONDON).astimezone(UTC).astimezone(LONDON).replace(tzinfo=None) == due
    )
    assert moment.replace(tzinfo=None) == (
        due if exists else due.replace(hour=2, minute=0, second=0)
    )
    assert moment.fold == 0
    assert reading(second, moves(start, 402 * 86_400)) >= days * 86_400 + at
