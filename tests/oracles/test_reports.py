"""When reports leave: the kernels, interval by interval, against twenty lines of Python that read
`docs/model.md` section 6 aloud.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim import british_time
from sim.kernels import clocks, reports
from sim.kernels.dials import Dial, dial_of, reading, strikes
from sim.kernels.draws import gap_s, threshold
from sim.words import Fate
from tests.oracles import philox

JITTER_KEY, LOSS_KEY, PHASE_KEY = 0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210, 77
PLACE = 12
HORIZON_S = 500
UNMOVED = dial_of(())


def leaves(
    anchor: int, period: int, jitter: int, index: int, restarts: Sequence[int] = ()
) -> list[tuple[int, int]]:
    """Return (leave, occasion) of every report of one sender before the horizon: each anchor's
    reports between its own start and the next anchor.
    """
    found = []
    anchors = [(anchor, -1), *((c, c) for c in restarts)]
    for (start, after), until in zip(anchors, [*restarts, HORIZON_S], strict=True):
        for nominal in range(start + period, until + jitter + 1, period):
            strays = (
                philox.word(JITTER_KEY, PLACE, index, nominal // period) * 2 * jitter // 2**32
                - jitter
                if jitter
                else 0
            )
            if after < nominal + strays < until:
                found.append((nominal + strays, nominal // period))
    return found


@st.composite
def timers(draw: st.DrawFn) -> dict[str, object]:
    """Senders with any anchors, period and jitter, changes of theirs, and the cuts of the time they
    are taken in.
    """
    period = draw(st.integers(1, 200))
    numbers = sorted(draw(st.sets(st.integers(0, 40), min_size=1, max_size=9)))
    return {
        "period": period,
        "jitter": draw(st.integers(0, period // 2)),
        "index": numbers,
        "anchor": [draw(st.integers(-period, 0)) for _ in numbers],
        "changes": [
            sorted(draw(st.sets(st.integers(0, HORIZON_S - 1), max_size=4))) for _ in numbers
        ],
        "stops": sorted({*draw(st.sets(st.integers(1, HORIZON_S - 1), max_size=5)), HORIZON_S}),
        "restarts": draw(st.booleans()),
    }


def fired(world: dict, dial: Dial = UNMOVED) -> list[tuple[int, int, int]]:
    """Return (row, leave, occasion) from the kernel, taken interval by interval."""
    index = np.array(world["index"], np.uint32)
    due = np.array(world["anchor"], np.int32) + np.int32(world["period"])
    start, found = 0, []
    for stop in world["stops"]:
        mine = [
            (row, c)
            for row, changes in enumerate(world["changes"])
            for c in changes
            if start <= c < stop
        ]
        row, second = (np.array([pair[k] for pair in mine], np.int32) for k in (0, 1))
        room = [
            np.empty(len(index) * ((stop - start + 40) // world["period"] + 2), np.int32)
            for _ in range(3)
        ]
        columns = reports.timer_reports(
            np.uint64(JITTER_KEY),
            PLACE,
            index,
            due,
            start,
            stop,
            world["period"],
            world["jitter"],
            dial,
            row,
            second,
            world["restarts"],
            *room,
        )
        found += zip(*(column.tolist() for column in columns), strict=True)
        start = stop
    return sorted(found)


@given(world=timers())
def test_timers_fire_as_the_model_says(world):
    """Any anchor, period and jitter up to half of it, restarts or none, taken in any intervals."""
    expected = [
        (row, leave, occasion)
        for row, (anchor, index, changes) in enumerate(
            zip(world["anchor"], world["index"], world["changes"], strict=True)
        )
        for leave, occasion in leaves(
            anchor, world["period"], world["jitter"], index, changes if world["restarts"] else ()
        )
    ]
    assert fired(world) == sorted(expected)


@st.composite
def moved_clocks(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Moves forward and back in turn, of up to 40 seconds, in a window of 500."""
    step, first = draw(st.integers(1, 40)), draw(st.sampled_from([1, -1]))
    seconds = sorted(draw(st.sets(st.integers(1, 9), max_size=4)))
    return [(50 * second, step * first * (-1) ** n) for n, second in enumerate(seconds)]


def shown(moves: Sequence[tuple[int, int]], seconds: int) -> list[int]:
    """Return what a clock with *moves* reads in each of *seconds*: the most that it has shown so
    far.
    """
    ahead = [sum(by for when, by in moves if when <= second) for second in range(seconds)]
    return [max(u + ahead[u] for u in range(second + 1)) for second in range(seconds)]


@given(moves=moved_clocks())
def test_a_clock_that_moves_never_goes_back_and_strikes_once_it_shows_as_much(moves):
    """Forward: the times left out strike at the move. Back: the first of the two counts."""
    face = shown(moves, HORIZON_S)

    assert [reading(*dial_of(tuple(moves)), second) for second in range(HORIZON_S)] == face
    for due in range(face[-1] + 1):
        assert strikes(*dial_of(tuple(moves)), due) == next(
            second for second, read in enumerate(face) if read >= due
        )
    assert [british_time.reading(second, moves) for second in range(HORIZON_S)] == face
    assert [british_time.strikes_s(due, moves) for due in range(face[-1] + 1)] == [
        strikes(*dial_of(tuple(moves)), due) for due in range(face[-1] + 1)
    ]


@given(world=timers(), moves=moved_clocks(), data=st.data())
def test_reports_leave_when_a_clock_that_moves_strikes(world, moves, data):
    """Readings are a period apart, which is longer than a move and twice the jitter; they number
    the periods.
    """
    period = data.draw(st.integers(42, 200))
    world = world | {
        "period": period,
        "jitter": data.draw(st.integers(0, (period - 41) // 2)),
        "restarts": False,
    }
    world["anchor"] = [-(-anchor % period) for anchor in world["anchor"]]
    face, expected = shown(moves, 2 * HORIZON_S), []
    for row, (anchor, index) in enumerate(zip(world["anchor"], world["index"], strict=True)):
        for due in range(anchor + period, face[-1], period):
            number = due // period
            struck = next(second for second, read in enumerate(face) if read >= due)
            jitter = world["jitter"]
            leave = struck + (
                philox.word(JITTER_KEY, PLACE, index, number) * 2 * jitter // 2**32 - jitter
                if jitter
                else 0
            )
            expected += [(row, leave, number)] * (0 <= leave < HORIZON_S)

    assert fired(world, dial_of(tuple(moves))) == sorted(expected)


def tallied(tally: np.ndarray) -> dict[Fate, int]:
    """Return what a *tally* counts, by fate; as in flight, all that were sent."""
    return {Fate(fate): int(n) for fate, n in enumerate(tally.tolist()) if n}


@given(world=timers(), measure=st.integers(0, HORIZON_S), unreachable=st.sets(st.integers(0, 40)))
def test_the_steady_kernel_is_the_general_one_where_nothing_is_drawn(world, measure, unreachable):
    """Same reports, same counts by second, same tallies, same timers afterwards."""
    world = world | {"jitter": 0, "restarts": False}
    index, period = np.array(world["index"], np.uint32), world["period"]
    reach = np.array([i in unreachable for i in range(41)], np.uint8)
    due = np.array(world["anchor"], np.int32) + np.int32(period)
    start, found, tally, total = 0, [], np.zeros(len(Fate), np.int64), np.zeros(HORIZON_S, np.int32)
    for stop in world["stops"]:
        room = [np.empty(len(index) * ((stop - start) // period + 2), np.int32) for _ in range(2)]
        columns = reports.steady_reports(
            due, reach, index, start, stop, period, measure, total[start:stop], tally, *room
        )
        found += zip(*(column.tolist() for column in columns), strict=True)
        start = stop

    sent = fired(world)
    entered = [(row, leave) for row, leave, _ in sent if world["index"][row] not in unreachable]
    assert sorted(found) == entered
    assert (
        total.tolist() == np.bincount([leave for _, leave in entered], minlength=HORIZON_S).tolist()
    )
    measured = [(row, leave) for row, leave, _ in sent if leave >= measure]
    expired = sum(world["index"][row] in unreachable for row, _ in measured)
    counted = {Fate.IN_FLIGHT: len(measured), Fate.EXPIRED: expired}
    assert tallied(tally) == {end: n for end, n in counted.items() if n}


@given(
    numbers=st.sets(st.integers(0, 99), min_size=1).map(sorted),
    period=st.integers(1, 86_400),
    at=st.integers(0, 86_399),
    data=st.data(),
    hashed=st.booleans(),
)
def test_first_reports_are_due_where_their_phase_says(numbers, period, at, data, hashed):
    """Hashed: in [0, T), from the time of day and the sender's identity; power-on: a timer that
    started within the period before the window.
    """
    spread = data.draw(st.integers(0, period)) if hashed else period
    due = np.empty(len(numbers), np.int32)

    reports.first_due(
        np.uint64(PHASE_KEY), PLACE, np.array(numbers, np.uint32), period, at, spread, hashed, due
    )

    share = [philox.word(PHASE_KEY, PLACE, number, 0) * spread // 2**32 for number in numbers]
    assert due.tolist() == [(at + s) % period if hashed else period - s for s in share]


@given(
    loss=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    measure=st.integers(0, 100),
    cuts=st.booleans(),
    told=st.booleans(),
    sent=st.lists(
        st.tuples(st.integers(0, 5), st.integers(20, 99), st.integers(0, 2**31 - 1)), max_size=40
    ).map(sorted),
    data=st.data(),
)
def test_a_message_enters_unless_it_expires_or_is_lost(loss, measure, cuts, told, sent, data):
    """No WAN and the dark come first, then luck; each sent message is tallied once."""
    numbers = sorted(data.draw(st.sets(st.integers(0, 30), min_size=6, max_size=6)))
    reach = np.array(
        data.draw(st.lists(st.sampled_from([0, 0, 1, 2]), min_size=31, max_size=31)), np.uint8
    )
    dark = np.array(
        data.draw(st.lists(st.integers(0, 110), min_size=31, max_size=31)) if cuts else [], np.int32
    )
    row, leave, occasion = (np.array([message[k] for message in sent], np.int32) for k in range(3))
    counts = np.zeros(80, np.int32)
    tally = np.zeros(len(Fate), np.int64)
    fate = np.zeros(len(row) if told else 0, np.uint8)

    entered = reports.enter(
        np.uint64(LOSS_KEY),
        PLACE,
        np.array(numbers, np.uint32),
        row,
        occasion,
        leave,
        reach,
        dark,
        20,
        np.uint64(threshold(loss)),
        measure,
        counts,
        tally,
        fate,
    )

    expected, fates, ends = [], [], []
    for who, when, which in sent:
        home = numbers[who]
        expired = reach[home] != 0 or (cuts and when < dark[home])
        lost = not expired and philox.word(LOSS_KEY, PLACE, home, which) < threshold(loss)
        ends.append(Fate.EXPIRED if expired else Fate.LOST if lost else Fate.IN_FLIGHT)
        fates += (
            ["expired" if expired else "lost" if lost else "entered"] if when >= measure else []
        )
        expected += [] if expired or lost else [(who, when)]
    assert list(zip(*(column.tolist() for column in entered), strict=True)) == expected
    counted = {Fate.IN_FLIGHT: len(fates)}
    counted |= {Fate.EXPIRED: fates.count("expired"), Fate.LOST: fates.count("lost")}
    assert tallied(tally) == {end: n for end, n in counted.items() if n}
    assert fate.tolist() == (ends if told else [])
    assert (
        counts.tolist() == np.bincount([when - 20 for _, when in expected], minlength=80).tolist()
    )


@given(
    changes=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2**30)), max_size=30).map(sorted),
    jitter=st.integers(0, 10_000),
)
def test_reports_of_changes_wait_up_to_twice_the_jitter(changes, jitter):
    """Never early: 0 … 2J − 1 seconds after the change."""
    numbers = [3, 4, 7, 8, 21, 30]
    row, second = (np.array([change[k] for change in changes], np.int32) for k in (0, 1))
    leave = np.empty(len(changes), np.int32)

    reports.change_reports(
        np.uint64(JITTER_KEY), PLACE, np.array(numbers, np.uint32), row, second, jitter, leave
    )

    assert leave.tolist() == [
        c + philox.word(JITTER_KEY, PLACE, numbers[r], c) * 2 * jitter // 2**32 for r, c in changes
    ]
    assert all(
        0 <= late - c <= max(0, 2 * jitter - 1)
        for late, (_, c) in zip(leave.tolist(), changes, strict=True)
    )


@given(
    numbers=st.sets(st.integers(0, 60), min_size=1).map(sorted),
    rate=st.sampled_from([0.0, 0.001, 0.3, 1.0]),
    stops=st.sets(st.integers(1, 399), max_size=4).map(lambda cuts: sorted({*cuts, 400})),
)
def test_a_clock_strikes_a_gap_after_each_stroke(numbers, rate, stops):
    """The gap after the stroke at second s is drawn at occasion s, the first as if one had been at
    0, whatever the intervals.
    """
    index, due = np.array(numbers, np.uint32), np.empty(len(numbers), np.int32)
    clocks.first_gaps(np.uint64(LOSS_KEY), PLACE, index, rate, due)

    found: list[tuple[int, int]] = []
    for stop in stops:
        row, second = clocks.strokes(
            np.uint64(LOSS_KEY), PLACE, index, np.array([rate]), stop, due, np.zeros(0, np.int64)
        )
        assert list(zip(row, second, strict=True)) == sorted(zip(row, second, strict=True))
        found += zip(row.tolist(), second.tolist(), strict=True)

    expected = []
    for i, number in enumerate(numbers if rate else []):
        at = 0
        while (at := at + int(gap_s(philox.word(LOSS_KEY, PLACE, number, at), rate))) < 400:
            expected.append((i, at))
    assert sorted(found) == expected


ROWS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 50)), max_size=25).map(sorted)


@given(first=ROWS, second=ROWS)
def test_two_sorted_lists_become_one(first, second):
    """By sender and second; of equals the first list's come first."""
    columns = [
        np.array([pair[k] for pair in rows], np.int32) for rows in (first, second) for k in (0, 1)
    ]
    causes = [np.full(len(rows), cause, np.uint8) for cause, rows in enumerate((first, second))]

    found = reports.merged(columns[0], columns[1], causes[0], columns[2], columns[3], causes[1])

    tagged = [(*pair, 0) for pair in first] + [(*pair, 1) for pair in second]
    assert list(zip(*(column.tolist() for column in found), strict=True)) == sorted(tagged)


@given(
    hubs=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 50)), max_size=40).map(sorted),
    devices=st.sets(st.integers(0, 30)).map(sorted),
)
def test_a_hubs_message_speaks_of_its_device(hubs, devices):
    """Of a type a premises has one device or none."""
    index = np.array([h for h, _ in hubs], np.uint32)
    leave = np.array([second for _, second in hubs], np.int32)

    found = reports.to_devices(index, leave, leave + np.int32(9), np.array(devices, np.uint32))

    expected = [(devices.index(hub), second, second + 9) for hub, second in hubs if hub in devices]
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected
