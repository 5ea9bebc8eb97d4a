"""Campaigns: groups, gates, precedence, and what holds for every programme (S1-14)."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.planning import NEVER_S
from sim.planning.campaigns import KEYS, Begin, Programme, Withdraw, reached, rows
from sim.scenario.air import CLASSES
from sim.tables import TABLES, frame
from tests.planning.worlds import DAY_S, image, ramp, world


def play(programme, counts=lambda campaign: (0, 0), targets=None):
    """Carry *programme* to its end and return what it ordered: (second, model number, goal, what),
    a group's keys and E by region for a Begin.
    """
    told = []
    while (now := programme.next_s()) < NEVER_S:
        while programme.next_s() == now:
            for order in programme.decide(now, counts):
                what = "withdraw"
                if isinstance(order, Begin):
                    what = (
                        order.low_key,
                        order.high_key,
                        order.is_sweep,
                        programme.spread(order.campaign, now, targets or {}),
                    )
                told.append((now, order.campaign.model_number, order.campaign.goal, what))
    return told


def _begun(told, number=0, goal=1):
    return [
        (now, what) for now, m, g, what in told if (m, g) == (number, goal) and what != "withdraw"
    ]


def _keys(told):
    return [what[:3] for _, what in _begun(told)]


def _ends(programme):
    return [(c.ended, c.ended_s) for c in programme.campaigns]


@pytest.mark.parametrize(
    ("settings", "shares"),
    [
        ({"share": 0.1}, [Fraction(i, 10) for i in range(1, 11)]),
        ({"share": 0.3}, [Fraction(i, 10) for i in (3, 6, 9, 10)]),
        (
            {"kind": "exponential", "first": 0.01, "factor": 3},
            [Fraction(i, 100) for i in (1, 4, 13, 40, 100)],
        ),
        (
            {"kind": "groups", "shares": (0.07, 0.63, 0.3)},
            [Fraction(7, 100), Fraction(7, 10), Fraction(1)],
        ),
    ],
)
def test_a_ramp_reaches_everybody_in_shares_as_written(settings, shares):
    """Ten times 10 % is all, which it is not for binary fractions."""
    assert [reached(ramp(**settings), n) for n in range(1, len(shares) + 1)] == [
        int(share * KEYS + Fraction(1, 2)) for share in shares
    ]
    assert _keys(play(Programme(world(ramp=ramp(**settings)), [image(1)])))[-1][1] == KEYS


def test_no_group_is_without_keys():
    assert _keys(
        play(Programme(world(ramp=ramp(kind="groups", shares=(0.0, 1.0))), [image(1)]))
    ) == [(0, 1, False), (1, KEYS, False)]


def test_groups_follow_gates_and_gates_follow_groups():
    """A group of 40 takes 40 s where one a second can be served; soak 10 s, approval 5 s, sweeps
    1000 s after a gate.
    """
    programme = Programme(world(ramp=ramp(share=0.5, step=30), sweeps=2), [image(1, listed_s=100)])

    told = play(programme, targets={"north": 40, "south": 3})

    takes = {"north": 40, "south": 30}
    half = KEYS // 2
    assert told == [
        (100, 0, 1, (0, half, False, takes)),
        (155, 0, 1, (half, KEYS, False, takes)),
        (1_205, 0, 1, (0, KEYS, True, takes)),
        (2_255, 0, 1, (0, KEYS, True, takes)),
    ]
    (campaign,) = programme.campaigns
    assert (
        campaign.started_s,
        campaign.ended_s,
        campaign.ended,
        campaign.n_groups,
        campaign.n_targets,
    ) == (100, 2_305, "finished", 4, 4 * 43)


@pytest.mark.parametrize(("open_s", "days"), [(DAY_S, 1), (DAY_S // 4, 4)])
def test_a_group_lasts_as_long_as_the_slowest_region_needs(open_s, days):
    """86,400 devices at one a second take a day; in a quarter of the hours, four."""
    programme = Programme(world(open_s=open_s), [image(1)])

    play(programme, targets={"north": DAY_S, "south": DAY_S // 2 - 1})

    assert programme.campaigns[0].ended_s == days * DAY_S + 10


def test_without_targets_soak_approval_or_lead_a_campaign_still_takes_a_second_a_group():
    programme = Programme(
        world(soak=0, approval=0, sweep_every=0, sweeps=1, ramp=ramp(share=0.5)), [image(1)]
    )

    assert [now for now, *_ in play(programme)] == [0, 1, 2]
    assert _ends(programme) == [("finished", 3)]


def test_a_group_that_can_never_be_offered_leaves_its_campaign_running():
    dark = (SimpleNamespace(start=0, duration=10**10),)
    programme = Programme(world(blackouts=dark), [image(1), image(1, number=1)])

    assert [told[:3] for told in play(programme)] == [(0, 0, 1)]
    assert _ends(programme) == [("running", NEVER_S), ("waiting", NEVER_S)]


@pytest.mark.parametrize(
    ("done", "failed", "ended"),
    [
        (9, 0, "finished"),
        (0, 9, "finished"),  # fewer than `least` are known
        (9, 1, "finished"),  # exactly the threshold
        (900, 101, "aborted"),
        (0, 10, "aborted"),
    ],
)
def test_failures_abort(done, failed, ended):
    """Above 10 % of the known outcomes, if at least 10 are known."""
    programme = Programme(world(), [image(1)])

    told = play(programme, counts=lambda campaign: (done, failed))

    assert _ends(programme) == [(ended, 11)]
    assert ([what for *_, what in told[1:]] == ["withdraw"]) == (ended == "aborted")


def test_thresholds_are_shares_as_written():
    """Three of ten are 30 %; the nearest binary fraction is less."""
    programme = Programme(world(error_threshold=0.3), [image(1)])

    play(programme, counts=lambda campaign: (7, 3))

    assert _ends(programme) == [("finished", 11)]


def test_a_shut_gate_is_held_again_until_it_stalls():
    rules = {"success_threshold": 0.75, "error_threshold": 1.0, "gates": 2, "ramp": ramp(share=0.5)}
    asked = []

    def counts(campaign):
        asked.append(campaign.goal)
        return (3, 1) if len(asked) in (1, 3) else (2, 1)  # passes, shut, passes; shut for ever

    programme = Programme(world(sweeps=1, sweep_every=5, **rules), [image(1)])
    told = play(programme, counts)

    assert [now for now, *_ in told] == [0, 11 + 5, 16 + 1 + 10 + 10 + 5, 42 + 1 + 10 + 10 + 10]
    assert told[-1][-1] == "withdraw"
    assert _ends(programme) == [("stalled", 73)]
    assert len(asked) == 1 + 2 + 3, "each group has its own tries"


def test_with_no_soak_a_shut_gate_stalls_in_its_second():
    programme = Programme(
        world(success_threshold=1.0, gates=1000, soak=0, error_threshold=1.0), [image(1)]
    )

    play(programme, lambda campaign: (0, 1))

    assert _ends(programme) == [("stalled", 1)]


def test_a_campaign_that_becomes_due_supersedes_one_of_its_model_that_is_no_more_urgent():
    sent = [
        image(1, 0),
        image(2, 5, release_class="security"),
        image(3, 8, release_class="feature"),
        image(4, 9, release_class="security"),
    ]
    programme = Programme(world(), sent)

    told = play(programme)

    assert [(now, goal, what == "withdraw") for now, _, goal, what in told] == [
        (0, 1, False), (5, 1, True), (5, 2, False), (9, 2, True), (9, 4, False), (20, 3, False),
    ]  # fmt: skip
    assert _ends(programme) == [
        ("superseded", 5),
        ("superseded", 9),
        ("finished", 31),
        ("finished", 20),
    ]


def test_those_that_wait_start_the_most_urgent_first():
    """Then who has waited longest, then by model; of one model and second the highest version."""
    sent = [
        image(1, 3),
        image(2, 3),
        image(1, 0, number=1),
        image(1, 3, 2, "security", "esme"),
        image(2, 2, 2, device_type="esme"),
    ]
    programme = Programme(world(), sent)

    assert [(now, m, goal) for now, m, goal, _ in play(programme)] == [
        (0, 1, 1),
        (11, 2, 1),
        (22, 2, 2),
        (33, 0, 2),
        (44, 0, 1),
    ]


def test_as_many_run_at_once_as_may():
    sent = [image(1, 0), image(1, 0, number=1), image(1, 3, number=2, device_type="esme")]

    assert [told[:2] for told in play(Programme(world(at_once=2), sent))] == [
        (0, 0),
        (0, 1),
        (11, 2),
    ]
    assert [told[:2] for told in play(Programme(world(at_once=3), sent))] == [
        (0, 0),
        (0, 1),
        (3, 2),
    ]


def test_who_has_no_campaign():
    """What is not sent over the air: other classes, other types, what is never listed, what is due
    at the horizon.
    """
    scenario = world(horizon_s=1_000, lead=10)
    scenario.firmware.ota.classes, scenario.firmware.ota.start = ("defect",), 500
    sent = [
        image(1, 989),
        image(2, 990),
        image(3, NEVER_S),
        image(4, 0, release_class="feature"),
        image(5, 0),
        image(1, 0, 1, device_type="ihd"),
    ]

    programme = Programme(scenario, sent)

    assert [(c.goal, c.due_s, c.number) for c in programme.campaigns] == [(1, 999, 0), (5, 510, 1)]
    assert programme.next_s() == 510


def test_nothing_is_decided_at_the_horizon():
    programme = Programme(world(horizon_s=11), [image(1)])

    assert [now for now, *_ in play(programme)] == [0]
    assert _ends(programme) == [("running", NEVER_S)]


def test_the_table_has_a_row_a_campaign():
    programme = Programme(
        world(horizon_s=20), [image(1), image(2, 15), image(1, 18, number=2, device_type="esme")]
    )
    play(programme, targets={"north": 4})

    made = rows(programme.campaigns, lambda c: (c.goal, 5, 6, 7))
    columns = zip(TABLES["campaigns"].names, zip(*made, strict=True), strict=True)
    table = frame("campaigns", dict(columns))

    assert table["ended"].tolist() == ["finished", "running", "waiting"]
    assert table["started_s"].tolist() == [0, 15, -1]
    assert table["ended_s"].tolist() == [14, -1, -1]
    assert table["n_targets"].tolist() == [4, 4, 0]
    assert table["n_done"].tolist() == [1, 2, 1]


RAMPS = st.one_of(
    st.builds(
        lambda share: ramp(share=share, step=7), st.sampled_from([0.05, 0.3, 1.0, 1e-10 + 0.5])
    ),
    st.builds(
        lambda first, factor: ramp(kind="exponential", first=first, factor=factor, step=3),
        st.sampled_from([0.01, 0.001]),
        st.integers(2, 10),
    ),
    st.just(ramp(kind="groups", shares=(0.1, 0.9), step=50)),
)
SENT = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3_000), st.sampled_from(CLASSES)),
    min_size=1,
    max_size=8,
)
# (done, failed) by which a gate decides
OUTCOMES = st.sampled_from([(0, 0), (100, 0), (80, 20), (1, 99)])


@st.composite
def programmes(draw):
    """Return (scenario, programme) of any rules, with up to eight campaigns of three models."""
    zero_or_more = st.integers(0, 300)
    rules = {
        "at_once": draw(st.integers(1, 3)),
        "ramp": draw(RAMPS),
        "soak": draw(zero_or_more),
        "approval": draw(zero_or_more),
        "sweeps": draw(st.integers(0, 2)),
        "sweep_every": draw(zero_or_more),
        "gates": draw(st.integers(0, 2)),
        "success_threshold": draw(st.sampled_from([0.0, 0.3, 0.9])),
        "error_threshold": draw(st.sampled_from([0.05, 0.5])),
        "least": draw(st.integers(1, 50)),
        "lead": draw(zero_or_more),
    }
    scenario = world(
        horizon_s=draw(st.integers(1_000, 10**6)),
        at_s=draw(st.integers(0, DAY_S - 1)),
        open_s=draw(st.integers(3_600, DAY_S)),
        **rules,
    )
    versions = [0, 0, 0]
    sent = []
    for number, listed_s, release_class in draw(SENT):
        versions[number] += 1
        sent.append(
            image(
                versions[number],
                listed_s,
                number,
                release_class,
                ("ppmid", "ppmid", "esme")[number],
            )
        )
    return scenario, Programme(scenario, sorted(sent, key=lambda i: (i.model_number, i.version)))


def _check_room(scenario, programme, now):
    """At the end of a second: never too many, never two of a model, and nobody waits who could run.
    """
    running = [c.model_number for c in programme.campaigns if c.ended == "running"]
    assert len(running) <= scenario.firmware.campaign.at_once
    assert len(set(running)) == len(running)
    waiting = [
        c.model_number for c in programme.campaigns if c.ended == "waiting" and c.due_s <= now
    ]
    assert len(running) == scenario.firmware.campaign.at_once or set(waiting) <= set(running)


@given(made=programmes(), data=st.data())
def test_laws_of_every_programme(made, data):
    """Groups cover every key once and in order, regions are never asked for more than they can, and
    every campaign ends once, for a reason.
    """
    scenario, programme = made
    rules, capacity = scenario.firmware.campaign, scenario.firmware.ota.capacity
    covered, withdrawn, before = {}, [], -1
    while (now := programme.next_s()) < NEVER_S:
        assert before < now
        before = now
        for order in programme.decide(now, lambda campaign: data.draw(OUTCOMES)):
            campaign = order.campaign
            if isinstance(order, Withdraw):
                withdrawn.append(campaign)
                continue
            assert (order.low_key, order.is_sweep) == (
                (0, True) if covered.get(campaign) == KEYS else (covered.get(campaign, 0), False)
            )
            covered[campaign] = order.high_key
            targets = {region: data.draw(st.integers(0, 2_000)) for region in capacity}
            takes = programme.spread(campaign, now, targets)
            assert all(
                takes[region] == max(rules.ramp.step, ceil(n / capacity[region]))
                for region, n in targets.items()
            )
            assert campaign.gate_s >= now + max(takes.values()) + rules.soak
        _check_room(scenario, programme, now)

    assert sorted(c.number for c in withdrawn) == [
        c.number for c in programme.campaigns if c.ended in ("superseded", "aborted", "stalled")
    ]
    for campaign in programme.campaigns:
        assert (campaign.started_s < NEVER_S) == (campaign.n_groups > 0) == (campaign in covered)
        assert (campaign.ended_s < NEVER_S) == (campaign.ended not in ("waiting", "running"))
        if campaign.ended == "finished":
            assert (covered[campaign], campaign.n_sweeps) == (KEYS, rules.sweeps)
