"""What any server can do (cell, CSP or DSP), each with its law: H8. Here at the CSP of the only
region.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest

from tests.laws.storms import ALERT, REPORT, Seen, differing, reboots, seen, storm


def overload(csp, length="10 min", homes=5, **more) -> Seen:
    """Return what a CSP of *csp* makes of a report a second from each of five homes."""
    return seen(
        storm(homes=homes, length=length, period="1 s", network={"csp": csp, "dsp": {}}, **more)
    )


def burst(csp, homes=100) -> Seen:
    """Return what a CSP of *csp* makes of a report from each of 100 homes in one second."""
    return seen(storm(homes=homes, length="20 min", period="1 h", network={"csp": csp, "dsp": {}}))


def at_stage(world: Seen, column: str) -> int:
    """Return a column of the CSP in `stages`."""
    return int(world.one("stages", column, stage="csp", server="north"))


# -- shaping, priority -----------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [Fraction(1), Fraction(7), Fraction(5, 2), Fraction(1, 3)])
def test_a_shaper_passes_no_more_than_its_rate_and_loses_none(rate):
    """The k-th of a burst leaves in slot ⌈k / r⌉ − 1: as from a server of that capacity, without
    one.
    """
    rows = [{"kind": "shape", "rate": f"{rate * 60} /min"}]
    world = burst(rows)

    assert sorted(world.waits()) == [
        -(-k * rate.denominator // rate.numerator) - 1 for k in range(1, 101)
    ]
    assert differing(world, burst({"capacity": rows[0]["rate"]}), besides=("stages",)) == []


def test_a_shaper_faster_than_its_server_does_nothing():
    """The least of the two rules; and it does not change what is over capacity."""
    assert (
        differing(
            overload({"capacity": "3 /s", "mitigations": [{"kind": "shape", "rate": "4 /s"}]}),
            overload({"capacity": "3 /s"}),
        )
        == []
    )


def test_priority_delays_no_listed_message_and_does_no_more_work():
    """Message by message, those listed wait no longer and the others no shorter; in number as many
    wait as without, every second.
    """
    worlds = [
        overload(
            {"capacity": "6 /s", "priority": list(priority)},
            alerts=(ALERT,),
            faults=reboots(2, share=0.5),
            homes=8,
        )
        for priority in ((), (ALERT,))
    ]

    plain, listed = (
        {(m.kind, m.sender, m.raised_s): m.at_s for m in world.messages if m.fate == "delivered"}
        for world in worlds
    )
    both = plain.keys() & listed.keys()
    assert all(listed[key] <= plain[key] for key in both if key[0] == ALERT)
    assert all(listed[key] >= plain[key] for key in both if key[0] == REPORT)
    assert listed != plain
    assert worlds[0].waiting("csp", "north") == worlds[1].waiting("csp", "north")
    assert at_stage(worlds[0], "waiting_at_end_n") == at_stage(worlds[1], "waiting_at_end_n") > 0
    # at most 8, in every other slot of 6 each
    at_once = Counter(message.raised_s for message in worlds[1].messages if message.kind == ALERT)
    assert Counter(worlds[1].waits(ALERT))[1] == sum(max(0, n - 6) for n in at_once.values())


# -- whom a full or slow queue serves --------------------------------------------------------------


@pytest.mark.parametrize(("buffer", "capacity"), [(0, 7), (30, 7), (93, 7), (94, 7), (500, 1)])
def test_a_buffer_refuses_what_neither_is_served_nor_waits(buffer, capacity):
    """Of N at once c are served, b wait and the rest is refused, there and then: no more than b
    ever wait.
    """
    world = burst({"capacity": f"{capacity} /s", "buffer": buffer})

    refused = max(0, 100 - capacity - buffer)
    assert world.fates(at="csp") == ({"refused": refused} if refused else {})
    assert world.fates()["delivered"] == 100 - refused
    assert at_stage(world, "peak_waiting_n") == min(buffer, 100 - capacity)


def test_dropping_the_oldest_refuses_as_many_and_serves_the_younger():
    """Five a second come, two are served, ten wait. Either rule refuses three a second. Who joins
    the end of a full queue waits b / c; where the front is dropped as well as served, b / λ.
    """
    newest, oldest = (
        overload({"capacity": "2 /s", "buffer": 10, "overflow": overflow})
        for overflow in ("drop_newest", "drop_oldest")
    )

    assert (
        newest.fates() == oldest.fates() == {
            "delivered": 2 * 600,
            "refused": 3 * 600 - 10,
            "in_flight": 10,
        }
    )
    assert max(newest.waits()) == 10 // 2
    assert max(oldest.waits()) == 10 // 5
    assert {m.raised_s for m in newest.messages if m.fate == "in_flight"} >= {595}
    assert {m.raised_s for m in oldest.messages if m.fate == "in_flight"} == {598, 599}


@pytest.mark.parametrize(("target_s", "interval_s"), [(0, 1), (2, 10), (5, 5), (5, 60)])
def test_codel_bounds_what_the_served_have_waited_and_wastes_no_slot(target_s, interval_s):
    """Who is served although he waited more than the target is served within the interval of a good
    slot g, and came at most *target* before g. So nobody who is served has waited more than target
    + interval; and refusals take no capacity.
    """
    world = overload(
        {
            "capacity": "2 /s",
            "mitigations": [
                {"kind": "codel", "target": f"{target_s} s", "interval": f"{interval_s} s"}
            ],
        }
    )

    assert max(world.waits()) <= target_s + interval_s
    assert world.fates()["delivered"] == 2 * 600
    assert world.fates(at="csp") == {"refused": world.row("codel")}
    # 5 k / 2 served by the time of the message that came at second k: 600 (1 − 2 / 5)
    assert max(overload({"capacity": "2 /s"}).waits()) == 360


def test_codel_leaves_alone_a_queue_that_empties():
    """A burst that is gone within the interval is nobody's fault: nothing is refused. One a slot
    longer loses its tail.
    """
    rows = [{"kind": "codel", "target": "0 s", "interval": "49 s"}]

    short, long = (burst({"capacity": "2 /s", "mitigations": rows}, homes) for homes in (100, 102))

    assert short.fates() == {"delivered": 100}
    assert long.fates() == {"delivered": 100, "refused": 2}


def test_lifo_does_the_same_work_in_another_order():
    """A load of 5 a second for 100 s at 3 a second, then quiet. Waiting is the same in every slot
    and, when all are served, so is the sum of waits (Little); but in the overload those just come
    are served at once, as long as more than *above* wait.
    """
    worlds = {}
    for name, rows in {"fifo": [], "lifo": [{"kind": "lifo", "above": 4}]}.items():
        network = {
            "device": [{"kind": "token_bucket", "every": "1 h", "burst": 100}],
            "csp": {"capacity": "3 /s", "mitigations": rows},
            "dsp": {},
        }
        worlds[name] = seen(storm(homes=5, length="10 min", period="1 s", network=network))
    fifo, lifo = worlds["fifo"], worlds["lifo"]

    assert fifo.fates() == lifo.fates() == {"delivered": 500, "throttled": 2500}
    assert fifo.waiting("csp", "north") == lifo.waiting("csp", "north")
    for column in ("waiting_s", "peak_waiting_n", "over_capacity_s"):
        assert at_stage(fifo, column) == at_stage(lifo, column)
    assert sum(fifo.waits()) == sum(lifo.waits())
    served_at_once = Counter(
        message.raised_s for message in lifo.of() if message.at_s == message.raised_s
    )
    # 2, 4, 6 wait after slots 0, 1, 2
    assert all(served_at_once[second] == 3 for second in range(3, 100))
    # in slot 1 two of the first second go first
    assert sum(wait == 0 for wait in fifo.waits()) == 3 + 1
    assert max(lifo.waits()) > max(fifo.waits())


# -- who comes in ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("per_min", "tokens"), [(20, 30), (42, 1), (120, 5), (180, 4)])
def test_admission_passes_what_its_tokens_allow_and_no_more(per_min, tokens):
    """5 a second spend up to 5 saved tokens in the first slot, and from then on each slot's own:
    min(b, ⌊(s + 1) r⌋ − ⌊s r⌋). However many are saved, no span of t slots passes more than b + r t
    + 1.
    """
    world = overload([{"kind": "admission", "rate": f"{per_min} /min", "burst": tokens}])
    passed = world.passed()

    total, path = 0, []
    for s in range(600):
        total += passed[s]
        path.append(total)
    if tokens <= 5:
        assert path == [
            tokens
            + sum(min(tokens, (k + 1) * per_min // 60 - k * per_min // 60) for k in range(1, s + 1))
            for s in range(600)
        ]
    before = [0, *path]
    assert all(
        before[j] - before[i] <= tokens + Fraction(per_min, 60) * (j - i) + 1
        for i in range(0, 600, 7)
        for j in range(i, 601, 11)
    )
    assert world.fates(at="csp") == {"refused": 3000 - total}
    assert world.row("admission") == 3000 - total


def breaker(above, window_s, open_s) -> Seen:
    """Return what such a circuit breaker makes of 5 a second."""
    return overload(
        [
            {
                "kind": "circuit_breaker",
                "above": above,
                "window": f"{window_s} s",
                "open": f"{open_s} s",
            }
        ]
    )


def test_a_circuit_breaker_opens_exactly_above_its_limit_and_stays_open_while_it_is_overrun():
    """25 come in every 5 s. Above 25 it never opens; above 24 it does once 25 came, and, as those
    refused count too, for ever.
    """
    assert breaker(25, 5, 20).fates() == {"delivered": 3000}

    opened = breaker(24, 5, 20)
    assert opened.passed() == dict.fromkeys(range(5), 5)
    assert opened.fates(at="csp") == {"refused": 3000 - 25}


@pytest.mark.parametrize("open_s", [1, 8, 9, 30, 300])
def test_nothing_passes_an_open_breaker_and_all_passes_a_closed_one(open_s):
    """Twenty reports at 0, 120, …, an alert each at 10 s, 20 s, …: with above 19 in a second it is
    open in [1, 1 + open), [121, …) and closed otherwise. The alerts alone (10 a second) never open
    it.
    """
    rows = [{"kind": "circuit_breaker", "above": 19, "window": "1 s", "open": f"{open_s} s"}]
    faults = reboots(10, start_s=9, share=0.5)
    world = seen(
        storm(
            homes=20,
            length="10 min",
            period="2 min",
            alerts=(ALERT,),
            faults=faults,
            network={"csp": rows, "dsp": {}},
        )
    )

    # while it is open 300 s, what comes at 120 s and 240 s finds it so
    opens = [1, 361] if open_s == 300 else range(1, 600, 120)
    is_open = [any(start <= s < start + open_s for start in opens) for s in range(600)]
    by_second = Counter((m.raised_s, m.fate) for m in world.messages if m.kind == ALERT)
    assert by_second == {
        (s, "refused" if is_open[s] else "delivered"): n for (s, _), n in by_second.items()
    }
    assert {m.raised_s for m in world.of(fate="refused")} == {
        s for s in range(0, 600, 120) if is_open[s]
    }


def test_a_breaker_for_one_kind_neither_counts_nor_refuses_another():
    """About 40 reports and at most 30 alerts come in every 5 s. Above 30: one for reports refuses
    reports alone, one for alerts nothing, one for all both.
    """
    more = {"alerts": (ALERT,), "faults": reboots(2, share=0.5), "homes": 10, "length": "3 min"}
    row = {"kind": "circuit_breaker", "above": 30, "window": "5 s", "open": "20 s"}

    worlds = {
        kinds: overload([row | ({"kinds": [*kinds]} if kinds else {})], **more)
        for kinds in ((), (REPORT,), (ALERT,))
    }

    refused = {
        kinds: (world.fates(REPORT)["refused"] > 0, world.fates(ALERT)["refused"] > 0)
        for kinds, world in worlds.items()
    }
    assert refused == {(): (True, True), (REPORT,): (True, False), (ALERT,): (False, False)}


@pytest.mark.parametrize("above", [0, 3, 20])
def test_shedding_refuses_the_listed_while_behind_and_nobody_else(above):
    """The queue is never longer than *above* and one slot's arrivals; the alerts, which are not
    listed, are all served, and no later than without.
    """
    rows = [{"kind": "shed", "above": above, "kinds": [REPORT]}]
    more = {"alerts": (ALERT,), "faults": reboots(2, share=0.5), "homes": 6}
    shed, without = (
        overload({"capacity": "4 /s", "mitigations": stage}, **more) for stage in (rows, [])
    )

    arrivals = max(Counter(m.raised_s for m in shed.messages if m.fate != "expired").values())
    assert (
        at_stage(shed, "peak_waiting_n") <= above + arrivals < at_stage(without, "peak_waiting_n")
    )
    assert set(shed.fates(ALERT)) <= {"delivered", "in_flight"}
    assert shed.fates(at="csp") == {"refused": shed.row("shed")}
    late = {(m.sender, m.raised_s): m.at_s for m in without.of(ALERT)}
    assert all(m.at_s <= late.get((m.sender, m.raised_s), 600) for m in shed.of(ALERT))


def test_shedding_does_nothing_while_no_more_wait_than_it_allows():
    """A burst of 100 at 7 a second leaves 93 waiting."""
    shedding = {"capacity": "7 /s", "mitigations": [{"kind": "shed", "above": 93}]}

    assert differing(burst(shedding), burst({"capacity": "7 /s"})) == []
