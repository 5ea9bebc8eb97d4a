"""British time: when its clocks move, and what a clock on a wall reads meanwhile.

Since 1972 British clocks move by statute: an hour forward at 01:00 UTC of the last Sunday of March
and an hour back at 01:00 UTC of the last Sunday of October (Summer Time Act 1972, as amended by the
Summer Time Order 2002). The rule is written here rather than looked up in a machine's table of time
zones, so that a scenario means the same on every machine; before the years of that Order it is a
convention. `tests/test_british_time.py` holds it to the table.

Seconds count from 00:00 British time of a window's first day, as its clocks stood then. A *reading*
is what a clock shows, in the same count: it never goes back (docs/model.md section 6).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import MAXYEAR, date, timedelta
from typing import Final

_DAY_S: Final = 86_400
_HOUR_S: Final = 3_600
_MARCH, _OCTOBER = 3, 10

# (second, seconds by which clocks move then): in order of time.
Moves = tuple[tuple[int, int], ...]


def _last_sunday(year: int, month: int) -> date:
    """Return the last Sunday of a *month* of 31 days."""
    last = date(year, month, 31)
    return last - timedelta(days=last.isoweekday() % 7)


def ahead_s(day: date) -> int:
    """Return by how many seconds British time is ahead of UTC at the beginning of *day*."""
    is_summer = _last_sunday(day.year, _MARCH) < day <= _last_sunday(day.year, _OCTOBER)
    return _HOUR_S * is_summer


def moves(start: date, stop_s: int) -> Moves:
    """Return when British clocks move in the seconds [0, *stop_s*) of a window that starts with
    *start*, and by how much.
    """
    last = min(MAXYEAR, start.year + stop_s // (365 * _DAY_S) + 1)
    at = _HOUR_S + ahead_s(start)  # 01:00 UTC
    found = [
        ((_last_sunday(year, month) - start).days * _DAY_S + at, by_s)
        for year in range(start.year, last + 1)
        for month, by_s in ((_MARCH, _HOUR_S), (_OCTOBER, -_HOUR_S))
    ]
    return tuple((second, by_s) for second, by_s in found if 0 < second < stop_s)


def reading(second: int, moved: Iterable[tuple[int, int]]) -> int:
    """Return what a clock that follows the moves *moved* shows in *second*: of an hour that comes
    twice, the second time, still its end.
    """
    shows, ahead = second, 0
    for when, by_s in moved:
        if second < when:
            break
        ahead += by_s
        shows = max(second + ahead, when - 1 + ahead - by_s)
    return shows


def strikes_s(due: int, moved: Iterable[tuple[int, int]]) -> int:
    """Return the first second in which such a clock shows *due*, a reading, or more."""
    ahead = 0
    for when, by_s in moved:
        if due < when + ahead:
            break
        if due < when + ahead + by_s:
            return when
        ahead += by_s
    return due - ahead
