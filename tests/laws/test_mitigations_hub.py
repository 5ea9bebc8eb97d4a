"""What a hub can do, each with its law: H8. Regular alerts are those of hubs that reboot on the
stroke (`tests/laws/storms.py`).
"""

from __future__ import annotations

import pytest

from tests.laws.storms import (
    ALERT,
    chatter_world,
    cut,
    gaps,
    largest_share,
    reboots,
    seen,
    storm,
    wan_out,
)

N = 120  # alerts of one hub in ten minutes, one every 5 s, raised at 1, 6, 11, …


def drum(rows, homes=4):
    """Return what becomes of an alert every 5 s from each hub."""
    return seen(
        storm(
            homes=homes,
            length="10 min",
            alerts=(ALERT,),
            faults=reboots(5),
            network={"hub": rows, "dsp": {}},
        )
    )


# -- rows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window_s", "each"), [(1, 1), (5, 1), (6, 2), (10, 2), (12, 3), (599, 120)]
)
def test_dedupe_forwards_every_so_many(window_s, each):
    """Of alerts P apart every ⌈w / P⌉-th passes: the first, and then the first that comes at least
    w after the last that passed.
    """
    world = drum([{"kind": "dedupe", "window": f"{window_s} s"}])

    assert list(world.times(ALERT).values()) == 4 * [
        [1 + 5 * each * k for k in range(-(-N // each))]
    ]
    assert world.fates(ALERT, "hub")["consolidated"] == 4 * (N - -(-N // each))


@pytest.mark.parametrize("window_s", [10, 60, 300])
def test_dedupe_never_forwards_two_within_its_window(window_s):
    """However a device chatters; and what it drops had a like within the window that passed."""
    world = chatter_world(hub=[{"kind": "dedupe", "window": f"{window_s} s"}])

    passed = world.times("chatters")
    assert all(gap >= window_s for times in passed.values() for gap in gaps(times))
    dropped = world.of("chatters", "consolidated")
    assert all(
        any(0 <= message.raised_s - t < window_s for t in passed[message.sender])
        for message in dropped
    )
    assert dropped


def test_the_trap_of_dedupe_a_second_cut_within_the_window_is_never_told():
    """Two power cuts ten minutes apart are two events. A window longer than that tells of the first
    only, from every home; one as long tells of both.
    """
    faults = {
        "power_cuts": cut("1 min", "4 min")["power_cuts"] + cut("11 min", "4 min")["power_cuts"]
    }

    told = {
        window: (
            seen(
                storm(
                    length="30 min",
                    alerts=("lost_supply",),
                    faults=faults,
                    network={"hub": [{"kind": "dedupe", "window": window}], "dsp": {}},
                )
            ).fates("lost_supply")
        )
        for window in ("10 min", "601 s")
    }

    assert told == {"10 min": {"delivered": 20}, "601 s": {"delivered": 10, "consolidated": 10}}


@pytest.mark.parametrize(
    ("threshold", "window_s", "period_s"),
    [(1, 60, 60), (3, 60, 60), (11, 60, 7), (12, 60, 60), (3, 600, 1), (1, 6, 599)],
)
def test_consolidation_of_a_constant_chatter_has_a_closed_form(threshold, window_s, period_s):
    """An alert every P = 5 s has (w − 1) // P others within w. With fewer than the threshold all
    pass; else the first *threshold* pass, and of the rest every ⌈f / P⌉-th.
    """
    rows = [
        {
            "kind": "consolidate",
            "threshold": threshold,
            "window": f"{window_s} s",
            "forward_period": f"{period_s} s",
        }
    ]
    world = drum(rows)

    is_over = (window_s - 1) // 5 >= threshold
    forwarded = threshold + -(-(N - threshold) // -(-period_s // 5)) if is_over else N
    assert [len(times) for times in world.times(ALERT).values()] == 4 * [forwarded]
    assert world.fates(ALERT, "hub")["consolidated"] == 4 * (N - forwarded)


@pytest.mark.parametrize("period_s", [1, 5, 20, 60, 100])
def test_a_batch_is_one_message_a_period_and_the_latest(period_s):
    """At a hub's own second of each period goes what was raised last in the period that ends there,
    and nothing else; what is left at the end is in flight.
    """
    world = drum([{"kind": "batch", "period": f"{period_s} s"}], homes=30)

    raised = list(range(1, 600, 5))
    for sender, times in world.times(ALERT).items():
        assert len({t % period_s for t in times}) == 1
        latest = {
            t: max((r for r in raised if t - period_s < r <= t), default=None)
            for t in range(times[0] % period_s, 600, period_s)
        }
        told = {
            message.at_s: message.raised_s
            for message in world.of(ALERT)
            if message.sender == sender
        }
        assert told == {t: r for t, r in latest.items() if r is not None}
        dropped = [
            message.raised_s
            for message in world.of(ALERT, "consolidated")
            if message.sender == sender
        ]
        assert all(
            any(r < newer <= t < r + period_s for t, newer in told.items())
            for r in dropped
            if r + period_s <= 600
        )
    assert world.fates(ALERT).total() == 30 * N


def held(spread_s: int) -> list[int]:
    """Return when 1,000 homes, all dark for ten minutes from 5 min on, tell that supply is back,
    under a hold-down of a minute and *spread_s*.
    """
    rows = [{"kind": "hold_down", "time": "1 min", "spread": f"{spread_s} s"}]
    world = seen(
        storm(
            homes=1000,
            length="30 min",
            alerts=("got_supply",),
            faults=cut("5 min", "10 min"),
            network={"hub": rows, "dsp": {}},
        )
    )
    assert world.fates("got_supply") == {"delivered": 1000}
    assert world.row("hold_down", "n_put_off") == 1000
    return sorted(message.at_s for message in world.of("got_supply"))


def test_hold_down_lets_nobody_speak_before_its_time_and_loses_none():
    """Supply is back at 900 s. With no spread all speak at 960 s; with one, from then on; and k
    times the spread never has a higher peak (as for jitter).
    """
    times = {spread: held(spread) for spread in (0, 10, 30, 300)}

    assert times[0] == 1000 * [960]
    for spread in (10, 30, 300):
        assert 960 <= times[spread][0] <= times[spread][-1] < 960 + spread
        low, high = largest_share(spread, 1000)
        assert low <= max(map(times[spread].count, times[spread])) <= high
    assert sorted(960 + (t - 960) // 10 for t in times[300]) == times[30]
    assert sorted(960 + (t - 960) // 3 for t in times[30]) == times[10]


def test_hold_down_is_for_those_who_were_dark():
    """Half are cut: they are silent until 960 s; the others report on every stroke."""
    rows = [{"kind": "hold_down", "time": "1 min", "spread": "0 s"}]
    faults = cut("5 min", "10 min", share=0.5)
    world = seen(
        storm(
            homes=40,
            length="30 min",
            period="30 s",
            faults=faults,
            network={"hub": rows, "dsp": {}},
        )
    )

    were_dark = {message.sender for message in world.of(fate="expired")}
    assert 0 < len(were_dark) < 40
    for sender, times in world.times().items():
        strokes = list(range(0, 1800, 30))
        # the reports of 900 and 930 go with that of 960
        after = [t if t < 300 else max(t, 960) for t in strokes if not 300 <= t < 900]
        assert times == (after if sender in were_dark else strokes)


# -- the buffer, while the link is down ------------------------------------------------------------


STROKES = list(range(300, 900, 60))  # ten reports are made while the link is down


def kept(fields, homes=3):
    """Return what becomes of a report a minute while the link is down from 5 min to 15 min."""
    network = {"hub": fields, "cell": {}, "dsp": {}}
    return seen(
        storm(
            homes=homes,
            length="30 min",
            period="1 min",
            faults=wan_out("5 min", "10 min"),
            network=network,
        )
    )


@pytest.mark.parametrize(
    ("fields", "survive", "fate"),
    [
        ({}, [], "expired"),
        ({"buffer": 50}, STROKES, "refused"),
        ({"buffer": 10}, STROKES, "refused"),
        ({"buffer": 4}, STROKES[:4], "refused"),
        ({"buffer": 4, "overflow": "drop_newest"}, STROKES[:4], "refused"),
        ({"buffer": 4, "overflow": "drop_oldest"}, STROKES[-4:], "refused"),
        ({"buffer": 0, "overflow": "drop_oldest"}, [], "refused"),
        ({"buffer": 4, "overflow": "keep_latest"}, STROKES[-1:], "consolidated"),
    ],
)  # fmt: skip
def test_who_survives_a_buffer(fields, survive, fate):
    """Without one all expire; the first in, or the last in, or the last alone, by its rule. All
    that are kept leave as the link returns.
    """
    world = kept(fields)

    flushed = [message for message in world.of() if message.raised_s in STROKES]
    assert [message.raised_s for message in flushed] == [s for s in survive for _ in range(3)]
    assert {message.at_s for message in flushed} <= {900}
    ended = {message.raised_s for message in world.of(fate=fate)}
    assert ended == set(STROKES) - set(survive)
    assert world.fates().total() == 3 * 30


def test_keep_latest_never_has_an_older_record_than_first_come_first_kept():
    """At a DSP of 2 a second, which takes a while over the flush: at every second and for every
    home, the newest report told is no older with keep_latest.
    """
    records = {}
    for overflow in ("keep_latest", "drop_newest"):
        network = {
            "hub": {"buffer": 20, "overflow": overflow},
            "cell": {},
            "dsp": {"capacity": "2 /s"},
        }
        world = seen(
            storm(
                homes=30,
                length="30 min",
                period="1 min",
                faults=wan_out("5 min", "10 min"),
                network=network,
            )
        )
        newest = {sender: [-1] * 1800 for sender in world.times()}
        for message in world.of():
            for t in range(message.at_s, 1800):
                newest[message.sender][t] = max(newest[message.sender][t], message.raised_s)
        records[overflow] = newest

    older = [
        (sender, t)
        for sender, latest in records["keep_latest"].items()
        for t, (a, b) in enumerate(zip(latest, records["drop_newest"][sender], strict=True))
        if a < b
    ]
    assert older == []
    assert records["keep_latest"] != records["drop_newest"]
