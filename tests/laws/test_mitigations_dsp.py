"""What the DSP can do, each with its law: H8. Alert storm protection is the rule of F6, word by
word; allocation that of a user's share.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.laws.storms import ALERT, REPORT, Seen, chatter_world, differing, reboots, seen, storm

N = 120  # alerts of one hub in ten minutes, one every 5 s, raised at 1, 6, 11, …


def protection(threshold: int, window_s: int, **forward) -> dict:
    """Return a row of alert storm protection."""
    return {
        "kind": "alert_storm_protection",
        "threshold": threshold,
        "window": f"{window_s} s",
    } | forward


def drum(row, **more) -> Seen:
    """Return what becomes of an alert every 5 s from each of four hubs."""
    return seen(
        storm(
            homes=4,
            length="10 min",
            alerts=(ALERT,),
            faults=reboots(5),
            network={"dsp": [row]},
            **more,
        )
    )


@pytest.mark.parametrize(
    ("threshold", "window_s", "period_s"),
    [(1, 60, 60), (3, 60, 60), (11, 60, 7), (12, 60, 60), (3, 600, 1), (1, 6, 599), (50, 300, 30)],
)
def test_one_a_period_of_a_constant_chatter(threshold, window_s, period_s):
    """An alert every P = 5 s has (w − 1) // P others within w. With fewer than the threshold all
    pass; else the first *threshold* pass, and of the rest every ⌈f / P⌉-th. All others are
    throttled, and told so.
    """
    world = drum(protection(threshold, window_s, forward_period=f"{period_s} s"))

    is_over = (window_s - 1) // 5 >= threshold
    forwarded = threshold + -(-(N - threshold) // -(-period_s // 5)) if is_over else N
    assert [len(times) for times in world.times(ALERT).values()] == 4 * [forwarded]
    assert (
        world.fates(ALERT, "dsp")["throttled"]
        == world.row("alert_storm_protection")
        == 4 * (N - forwarded)
    )
    # suppressed ones are still counted as come
    assert world.one("arrivals", "n", stage="dsp", kind=ALERT) == 4 * N


@pytest.mark.parametrize(
    ("threshold", "window_s", "one_in"),
    [(1, 60, 1), (1, 60, 4), (3, 60, 7), (11, 60, 10), (12, 60, 10), (3, 60, 118), (3, 60, 117)],
)
def test_one_in_n_of_a_constant_chatter(threshold, window_s, one_in):
    """The first *threshold* pass, and ⌊(count − threshold) / n⌋ after them. None too many: were
    those suppressed not counted, the window would empty and let another *threshold* pass.
    """
    world = drum(protection(threshold, window_s, forward_one_in=one_in))

    is_over = (window_s - 1) // 5 >= threshold
    forwarded = threshold + (N - threshold) // one_in if is_over else N
    assert [len(times) for times in world.times(ALERT).values()] == 4 * [forwarded]
    assert world.fates(ALERT)["throttled"] == 4 * (N - forwarded)


@pytest.mark.parametrize("at_once", [True, False], ids=["one clock", "hashed"])
def test_the_trap_it_does_nothing_against_a_daily_message_from_every_home(at_once):
    """Two thousand homes send one a day, and no sender ever has another within a window of a day:
    whatever the threshold nothing is throttled, and the peak, which is the storm, is the same to a
    message.
    """
    phase = {} if at_once else {"source": "hashed", "window": "10 min"}
    row = protection(1, 86_400, forward_period="1 d")
    worlds = [
        seen(storm(homes=2000, length="3 d", period="1 d", phase=phase, network={"dsp": rows}))
        for rows in ([row], [])
    ]

    assert differing(*worlds) == []
    assert worlds[0].fates() == {"delivered": 6000}
    assert max(worlds[0].passed().values()) == 2000 or not at_once


def test_and_it_stops_a_single_chatterer():
    """Beside those daily messages one PPMID or so in a hundred alerts 720 times an hour, which
    become the threshold and one per quarter of an hour.
    """
    row = protection(5, 600, forward_period="15 min")
    world = seen(
        storm(
            homes=100,
            length="1 h",
            alerts=("tampered", "chatters"),
            kinds={"chatters": {"share": 0.01, "rate": "720 /h", "spread": 1.001}},
            network={"dsp": [row]},
        )
    )

    by_sender = Counter(message.sender for message in world.messages if message.kind == "chatters")
    passed = {sender: len(times) for sender, times in world.times("chatters").items()}
    assert 1 <= len(by_sender) <= 5
    assert all(n > 600 and passed[sender] == 5 + 4 for sender, n in by_sender.items())
    assert set(world.fates("tampered")) == {"delivered"}


@pytest.mark.parametrize("name", [ALERT, "8F00"], ids=["by kind", "by code"])
def test_an_excluded_code_is_never_throttled(name):
    """On the list an alert passes however often it comes; off it, one does not; and the list takes
    nobody else's protection away.
    """
    row = protection(3, 60, forward_period="1 min")
    more = {
        "alerts": (ALERT, "chatters"),
        "kinds": {"chatters": {"rate": "720 /h", "spread": 1.001}},
    }
    listed, unlisted = (
        seen(storm(homes=4, faults=reboots(5), network={"dsp": [r]}, **more))
        for r in (row | {"exclude": [name]}, row)
    )

    assert listed.fates(ALERT) == {"delivered": 4 * N}
    assert unlisted.fates(ALERT)["throttled"] > 3 * N
    assert listed.fates("chatters") == unlisted.fates("chatters")
    assert listed.fates("chatters")["throttled"] > 0


@pytest.mark.parametrize(("threshold", "window_s"), [(1, 30), (4, 300)])
def test_no_alert_below_the_threshold_is_throttled(threshold, window_s):
    """However devices chatter: who is throttled had at least *threshold* others in the window
    before, and of those who had, one a minute passes.
    """
    world = chatter_world(dsp=[protection(threshold, window_s, forward_period="60 s")])

    raised: dict[tuple, list[int]] = {}
    for message in world.messages:
        raised.setdefault(message.sender, []).append(message.raised_s)
    over: dict[tuple, list[int]] = {}
    for message in world.messages:
        others = sum(
            message.raised_s - window_s < t < message.raised_s for t in raised[message.sender]
        )
        is_over = others >= threshold
        assert is_over or message.fate == "delivered"
        if is_over and message.fate == "delivered":
            over.setdefault(message.sender, []).append(message.raised_s)
    assert all(
        later - sooner >= 60
        for times in over.values()
        for sooner, later in zip(times, times[1:], strict=False)
    )
    assert world.fates("chatters")["throttled"] > 0


# -- allocation ------------------------------------------------------------------------------------


USERS = {"a": 0.5, "b": 0.3, "c": 0.2}


def allocated(above: int | None, homes: int, **more) -> tuple[Seen, dict[str, int]]:
    """Return what becomes of a report from every home at once, and how many of each user's get
    through.
    """
    rows = [] if above is None else [{"kind": "allocation", "above": f"{above} /s"}]
    world = seen(
        storm(
            homes=homes,
            period="1 h",
            estate={"users": USERS},
            network={"dsp": rows, "user": {}},
            **more,
        )
    )
    arrivals = world.tables["arrivals"].query("stage == 'user'")
    return world, {server: int(n) for server, n in arrivals.groupby("server")["n"].sum().items()}


@pytest.mark.parametrize("above", [10, 50, 100, 199])
def test_above_the_threshold_each_user_has_at_most_its_share(above):
    """Of 200 at once user u gets min(its own, ⌊share n⌋), n the threshold; the others are refused.
    """
    _, own = allocated(None, 200)
    world, passed = allocated(above, 200)

    assert sum(own.values()) == 200
    assert passed == {
        user: min(own[user], int(share * above + 1e-9)) for user, share in USERS.items()
    }
    assert world.fates(at="dsp") == {"refused": 200 - sum(passed.values())}


def test_at_the_threshold_or_below_shares_do_not_count():
    """200 at once are not more than 200: though one user has more than its share, all pass."""
    unlimited, own = allocated(None, 200)
    world, passed = allocated(200, 200)

    assert differing(world, unlimited) == []
    assert passed == own
    assert any(own[user] > share * 200 for user, share in USERS.items())


def test_the_user_named_by_a_kind_pays_for_it():
    """A load that is all of user c's own makes the slot busy; the others keep their shares
    untouched, and c is held to its own.
    """
    kind = {
        "alert": False,
        "per": "premises",
        "rate": "1 /s",
        "target": "5 s",
        "size": "100 B",
        "profile": "flat",
        "user": "c",
    }
    more = {
        "phase": {"source": "hashed", "window": "2 min"},
        "traffic": {"level": 1.0, "kinds": {"bulk": kind}},
        "length": "2 min",
    }
    (world, passed), (_, own) = allocated(60, 100, **more), allocated(None, 100, **more)

    # about 100 come in each of 120 slots, and 12 are c's
    assert world.fates("bulk", "dsp")["refused"] > 9_000
    assert (passed["a"], passed["b"]) == (own["a"], own["b"])
    assert passed["c"] < own["c"]
    assert world.fates(REPORT, "dsp") == {"refused": own["c"] - passed["c"]}
