"""What devices and hubs do to their messages, taken interval by interval, against plain readings of
docs/model.md section 10, sender by sender.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.kernels import keeping, shaping
from sim.kernels.links import Links, release, since
from sim.words import Fate, Overflow
from tests.oracles import philox

KEY, PLACE, HORIZON_S = 0x0123_4567_89AB_CDEF, 8, 400
N_SENDERS = 4
NUMBERS = np.array([0, 3, 4, 9], np.uint32)
SENT = st.lists(
    st.tuples(st.integers(0, N_SENDERS - 1), st.integers(0, HORIZON_S - 1), st.integers(0, 1)),
    max_size=40,
    unique=True,
)
STOPS = st.sets(st.integers(1, HORIZON_S - 1), max_size=5).map(
    lambda cuts: sorted({*cuts, HORIZON_S})
)
FATES = {
    int(Fate.IN_FLIGHT): "passes",
    int(Fate.CONSOLIDATED): "consolidated",
    int(Fate.THROTTLED): "throttled",
    int(Fate.REFUSED): "refused",
}


def messages(sent: list[tuple[int, int, int]]) -> np.ndarray:
    """Return *sent* (row, second, cause) as messages that have just been raised, in order."""
    columns = [np.array([message[k] for message in sorted(sent)], np.int32) for k in range(3)]
    out: np.ndarray = shaping.packed(
        columns[0], columns[1], columns[1], 0, 0, np.zeros(shaping.N_TALLY, np.int64)
    )
    out["cause"] = columns[2]
    return out


def taken(
    sent: list[tuple[int, int, int]], stops: list[int], look: Callable[[np.ndarray, int, int], None]
) -> list[tuple[int, int, int, str, int]]:
    """Let one row *look* at the messages of each interval; return (row, raised, cause, fate, second
    at which it goes on) of all.
    """
    coming, waiting, start, found = messages(sent), messages([]), 0, []
    for stop in stops:
        due = shaping.merged(
            waiting, coming[(coming["raised"] >= start) & (coming["raised"] < stop)]
        )
        look(due, start, stop)
        found += [m for m in due.tolist() if m[-1] != shaping.HELD]
        _, _, waiting = shaping.parted(due, stop, True, 0, np.zeros(shaping.N_TALLY, np.int64))
        start = stop
    return sorted(
        (row, raised, cause, FATES[fate], t)
        for row, t, raised, _, _, cause, fate in found + waiting.tolist()
    )


def expected(
    sent: list[tuple[int, int, int]],
    judge: Callable[[list[tuple[int, int]]], list[tuple[str, int]]],
) -> list[tuple[int, int, int, str, int]]:
    """Return what *judge* says of the messages (second, cause) of each sender, in order, as `taken`
    does.
    """
    found: list[Any] = []
    for row in range(N_SENDERS):
        mine = sorted((second, cause) for who, second, cause in sent if who == row)
        found += [(row, *message, *said) for message, said in zip(mine, judge(mine), strict=True)]
    return sorted(found)


@given(sent=SENT, stops=STOPS, every=st.integers(1, 60), burst=st.integers(1, 4))
def test_a_token_bucket_lets_its_tokens_pass(sent, stops, every, burst):
    """As many as tokens were saved, up to the burst, and one a token from then on."""
    memory = np.full(N_SENDERS, -1, np.int64)

    def judge(mine: list[tuple[int, int]]) -> list[tuple[str, int]]:
        tokens, last, said = burst * every, None, []  # counted in the seconds they take to come
        for second, _ in mine:
            tokens = min(burst * every, tokens + second - last) if last is not None else tokens
            last, passes = second, tokens >= every
            tokens -= every * passes
            said.append(("passes" if passes else "throttled", second))
        return said

    assert taken(
        sent, stops, lambda due, start, stop: shaping.spend(due, every, burst, memory)
    ) == expected(sent, judge)


@given(sent=SENT, stops=STOPS, window=st.integers(1, 90))
def test_repeats_are_dropped_until_the_window_is_over(sent, stops, window):
    """Counted from the last that passed."""
    memory = np.full(N_SENDERS, -1, np.int32)

    def judge(mine: list[tuple[int, int]]) -> list[tuple[str, int]]:
        passed, said = -window, []
        for second, _ in mine:
            passes = second - passed >= window
            passed = second if passes else passed
            said.append(("passes" if passes else "consolidated", second))
        return said

    assert taken(
        sent, stops, lambda due, start, stop: shaping.drop_repeats(due, window, memory)
    ) == expected(sent, judge)


@given(
    sent=SENT,
    stops=STOPS,
    limit=st.integers(1, 4),
    window=st.integers(1, 200),
    period=st.integers(1, 200),
)
def test_what_is_over_the_threshold_is_forwarded_once_a_period(sent, stops, limit, window, period):
    """Suppressed ones count too."""
    memory = [np.full(N_SENDERS, -1, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int32)]

    def look(due: np.ndarray, start: int, stop: int) -> None:
        memory[1:] = shaping.suppress(
            due, memory[1], memory[2], limit, window, period, stop, memory[0]
        )

    def judge(mine: list[tuple[int, int]]) -> list[tuple[str, int]]:
        said, forwarded = [], -period
        for i, (second, _) in enumerate(mine):
            passes = sum(earlier > second - window for earlier, _ in mine[:i]) < limit
            if not passes and forwarded <= second - period:
                passes, forwarded = True, second
            said.append(("passes" if passes else "consolidated", second))
        return said

    assert taken(sent, stops, look) == expected(sent, judge)


@given(sent=SENT, stops=STOPS, period=st.integers(1, 150))
def test_a_batch_takes_the_one_raised_last(sent, stops, period):
    """At the hub's own phase; what would go at the horizon or later is not put together."""
    n_put_off = []

    def look(due: np.ndarray, start: int, stop: int) -> None:
        n_put_off.append(
            shaping.gather(due, np.uint64(KEY), PLACE, NUMBERS, period, start, stop, HORIZON_S, 0)
        )

    found = taken(sent, stops, look)

    moved = 0
    for row in range(N_SENDERS):
        phase = philox.word(KEY, PLACE, int(NUMBERS[row]), 0) * period // 2**32
        mine = sorted((second, cause) for who, second, cause in sent if who == row)
        at = [
            next(u for u in range(second, second + period) if u % period == phase)
            for second, _ in mine
        ]
        last = {u: i for i, u in enumerate(at) if u < HORIZON_S}
        fates = [
            "passes" if u >= HORIZON_S or last[u] == i else "consolidated" for i, u in enumerate(at)
        ]
        assert [(raised, cause, fate) for who, raised, cause, fate, _ in found if who == row] == [
            (*m, f) for m, f in zip(mine, fates, strict=True)
        ]
        assert [t for who, _, _, fate, t in found if who == row and fate == "passes"] == [
            u for u, fate in zip(at, fates, strict=True) if fate == "passes"
        ]
        moved += sum(u > second for u, (second, _) in zip(at, mine, strict=True))
    assert sum(n_put_off) == moved


# of the spell before the latest, and the latest
ENDS = st.lists(
    st.tuples(st.integers(0, 90), st.integers(91, 300)), min_size=N_SENDERS, max_size=N_SENDERS
)


@given(sent=SENT, time=st.integers(0, 50), spread=st.integers(0, 50), spells=ENDS)
def test_hubs_are_silent_after_the_dark(sent, time, spread, spells):
    """From the end of the latest spell that is over."""
    dark, lit = np.zeros(10, np.int32), np.zeros(10, np.int32)
    for number, (before, latest) in zip(NUMBERS, spells, strict=True):
        lit[number], dark[number] = before, latest
    due = messages([(row, second + 90, cause) for row, second, cause in sent])

    n = shaping.keep_silent(due, np.uint64(KEY), PLACE, NUMBERS, time, spread, dark, lit, 0)

    for row, t, raised, *_ in due.tolist():
        over = [end for end in spells[row] if 0 < end <= raised]
        speaks = (
            over[-1] + time + philox.word(KEY, PLACE, int(NUMBERS[row]), over[-1]) * spread // 2**32
            if over
            else 0
        )
        assert t == max(raised, speaks)
    assert n == int(np.count_nonzero(due["t"] > due["raised"]))


@given(sent=SENT, window=st.integers(1, 500))
def test_jitter_holds_back_and_order_is_mended(sent, window):
    """By a draw at the message's second; `parted` sorts each sender's messages by their new
    seconds.
    """
    due = messages(sent)

    n = shaping.hold_back(due, np.uint64(KEY), PLACE, NUMBERS, window, 0)
    now, later, held = shaping.parted(due, 200, True, 0, np.zeros(shaping.N_TALLY, np.int64))

    moved = [
        (r, s + philox.word(KEY, PLACE, int(NUMBERS[r]), s) * window // 2**32, s, c)
        for r, s, c in sent
    ]
    parts = [[(m[0], m[1], m[2], m[5]) for m in part.tolist()] for part in (now, later)]
    assert parts == [
        sorted(m for m in moved if m[1] < 200),
        sorted(m for m in moved if m[1] >= 200),
    ]
    assert (n, len(held)) == (sum(t > s for _, t, s, _ in moved), 0)


# -- links and what hubs keep ----------------------------------------------------------------------

OUTAGES = st.lists(
    st.tuples(st.integers(0, 300), st.integers(1, 150), st.booleans(), st.booleans()), max_size=4
).map(sorted)


def down(outages: list[tuple[int, int, bool, bool]], spread: int) -> Links:
    """Return *outages* (start, duration, whether cells 0 and 1 are out) of region 1, cells of four
    premises.
    """
    start = np.array([outage[0] for outage in outages], np.int64)
    covers = np.array([outage[2:] for outage in outages], np.bool_).reshape(-1, 2)
    stop = start + np.array([outage[1] for outage in outages], np.int64)
    return Links(
        np.full(len(outages), 1),
        start,
        stop,
        np.arange(len(outages)),
        np.hstack([covers, covers[:, :1]]),
        spread,
        np.uint64(KEY),
        4,
    )


def back(outages: list[tuple[int, int, bool, bool]], spread: int, number: int, second: int) -> int:
    """Return when premises *number* can send what it has at *second*."""
    waits = [philox.word(KEY, PLACE, number, c) * spread // 2**32 for c in range(len(outages))]
    while covering := [
        start + lasts + wait
        for (start, lasts, *out), wait in zip(outages, waits, strict=True)
        if out[number // 4 % 2] and start <= second < start + lasts
    ]:
        second = max(covering)
    return second


@given(
    outages=OUTAGES,
    spread=st.integers(0, 200),
    second=st.integers(0, 450),
    number=st.integers(0, 9),
    old=st.integers(0, 450),
)
def test_links_are_back_when_nothing_is_in_the_way(outages, spread, second, number, old):
    """Forgetting what is over changes nothing."""
    links = down(outages, spread)

    assert release(links, 1, number, second) == back(outages, spread, number, second)
    assert release(links, 0, number, second) == second
    assert release(since(links, min(old, second), 1), 1, number, second) == back(
        outages, spread, number, second
    )


@given(
    outages=OUTAGES,
    spread=st.integers(0, 200),
    sent=SENT,
    stops=STOPS,
    buffer=st.integers(0, 3),
    rule=st.integers(0, 2),
)
def test_a_hub_keeps_what_it_has_room_for(outages, spread, sent, stops, buffer, rule):
    """Of each release by itself, whenever it is looked at."""
    coming, kept, start, found = messages(sent), messages([]), 0, []
    for stop in [*stops, 10_000]:
        due = coming[(coming["raised"] >= start) & (coming["raised"] < stop)]
        due["made"] = due["t"]
        keeping.find_links(due, down(outages, spread), 1, NUMBERS, True)
        at_once, new = keeping.kept_apart(due, 0, np.zeros(shaping.N_TALLY, np.int64))
        released, kept, _ = shaping.parted(
            keeping.joined_by_release(kept, new),
            stop,
            False,
            0,
            np.zeros(shaping.N_TALLY, np.int64),
        )
        keeping.overflow(released, buffer, rule)
        left, _, _ = shaping.parted(
            released.copy(), stop, False, 0, np.zeros(shaping.N_TALLY, np.int64)
        )
        together = keeping.by_made(at_once, left).tolist()
        assert [(m[0], m[3], m[5]) for m in together] == sorted(
            (m[0], m[3], m[5]) for m in together
        )
        found += [
            (m[0], m[2], m[5], FATES[m[6]], m[1]) for m in (*at_once.tolist(), *released.tolist())
        ]
        start = stop

    def judge(mine: list[tuple[int, int]], row: int) -> list[tuple[str, int]]:
        shelves: dict[int, list[int]] = {}
        fates = ["passes"] * len(mine)
        leaves = [back(outages, spread, int(NUMBERS[row]), second) for second, _ in mine]
        for i, ((second, _), leave) in enumerate(zip(mine, leaves, strict=True)):
            shelf = shelves.setdefault(leave, [])
            if leave == second:
                continue
            if rule == Overflow.KEEP_LATEST and shelf:
                fates[shelf.pop()] = "consolidated"
            elif rule == Overflow.DROP_OLDEST and shelf and len(shelf) == buffer:
                fates[shelf.pop(0)] = "refused"
            elif rule != Overflow.KEEP_LATEST and len(shelf) == buffer:
                fates[i] = "refused"
                continue
            shelf.append(i)
        return list(zip(fates, leaves, strict=True))

    told: list[Any] = []
    for row in range(N_SENDERS):
        mine = sorted((second, cause) for who, second, cause in sent if who == row)
        told += [
            (row, *message, *said) for message, said in zip(mine, judge(mine, row), strict=True)
        ]
    assert sorted(found) == sorted(told)
