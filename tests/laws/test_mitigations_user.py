"""What a user sees and what is offered again, each with its law: H8. The SMI has a message before
its user does, so nothing here changes a fate.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.laws.storms import REPORT, Seen, differing, out, seen, storm


def arriving(user, **more) -> tuple[Seen, list[int]]:
    """Return a report a minute from one home, and how many its user takes in each minute of an
    hour; it is out from 10 min to 20 min.
    """
    world = seen(
        storm(
            homes=1,
            length="1 h",
            period="1 min",
            faults=out("user", "10 min", "10 min"),
            network={"dsp": {}, "user": user},
            **more,
        )
    )
    timeline = world.tables["timeline"].query("stage == 'user'").sort_values("start_s")
    return world, [int(n) for n in timeline["n_arrived"]]


def test_without_redelivery_what_comes_to_a_user_who_is_out_waits():
    """Ten wait, and are taken as it is back."""
    world, arrived = arriving({})

    assert arrived == 60 * [1]
    assert world.waiting("user", "large") == 10 * [0] + list(range(1, 11)) + 40 * [0]


def test_after_300_s_it_is_offered_again_and_else_held_until_the_user_is_back():
    """At 10 … 14 min the second offer finds it out too: those are held, and come with the first of
    20 min. At 15 … 19 it comes five minutes later.
    """
    world, arrived = arriving([{"kind": "redelivery", "after": "300 s", "hold": "2 d"}])

    again = Counter([20] * 5 + [20, 21, 22, 23, 24])
    assert arrived == [(0 if 10 <= minute < 20 else 1) + again[minute] for minute in range(60)]
    assert world.row("redelivery", "n_put_off") == 10
    assert world.row("redelivery") == 0
    assert world.fates() == {"delivered": 60}


@pytest.mark.parametrize("hold_s", [300, 360, 420, 599, 600])
def test_what_is_held_too_long_never_reaches_its_user(hold_s):
    """Of 10 … 14 min those are lost whose wait for 20 min is longer than the hold; the SMI has them
    all the same.
    """
    world, arrived = arriving([{"kind": "redelivery", "after": "300 s", "hold": f"{hold_s} s"}])

    lost = sum(1200 - 60 * minute > hold_s for minute in range(10, 15))
    assert sum(arrived) == 60 - lost
    assert world.row("redelivery") == lost
    assert world.fates() == {"delivered": 60}


def test_a_user_who_is_there_sees_nothing_of_it():
    """Without an outage the row is not there."""
    worlds = [
        seen(storm(period="1 min", network={"dsp": {}, "user": rows}))
        for rows in ([{"kind": "redelivery", "after": "300 s", "hold": "2 d"}], [])
    ]

    assert differing(*worlds) == []


@pytest.mark.parametrize("capacity", [1, 7, 40])
def test_a_slow_consumer_delays_itself_and_nobody_else(capacity):
    """Of a burst each user's k-th waits ⌊k / c⌋ at its user; the SMI has all at once, and nothing
    is refused.
    """
    users = {"fast": 0.5, "slow": 0.5}
    scenario = storm(
        homes=100,
        period="1 h",
        estate={"users": users},
        network={"dsp": {}, "user": {"capacity": f"{capacity} /s"}},
    )
    world = seen(scenario)

    assert set(world.waits()) == {0}
    delays = world.tables["delays"].query("stage == 'user'")
    for user in users:
        mine = delays[delays["server"] == user]
        n = int(mine["n"].sum())
        assert dict(zip(mine["delay_s"], mine["n"], strict=True)) == Counter(
            k // capacity for k in range(n)
        )
    assert delays["n"].sum() == 100
    assert world.fates(REPORT) == {"delivered": 100}
