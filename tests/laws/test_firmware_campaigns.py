"""Campaigns over the air in whole worlds: whom they reach, how long they take, and what stops them
(S1-14).
"""

from __future__ import annotations

from math import ceil

import pytest

from tests.laws.firmware_worlds import DAY_S, counted, firmware_world
from tests.laws.significance import agrees
from tests.laws.worlds import ledger

RAMPS = {
    "constant": "{kind: constant, step: 1 h, share: 15 %, first: null, factor: null}",
    "exponential": "{kind: exponential, step: 1 h, share: null, first: 1 %, factor: 3}",
    "groups": (
        "{kind: groups, step: 1 h, share: null, first: null, factor: null, shares: [2 %, 0.5 %,"
        " 97.5 %]}"
    ),
}
N_GROUPS = {"constant": 7, "exponential": 5, "groups": 3}


def _the(tables, version=1):
    """Return the row of the campaign for *version*."""
    (row,) = tables["campaigns"][tables["campaigns"]["version"] == version].itertuples()
    return row


@pytest.mark.parametrize(
    ("n", "capacity", "per_s"),
    [(400, "1 /min", 1 / 60), (401, "2 /s", 2), (400, "7 /h", 7 / 3600), (400, "1000 /s", 1000)],
)
def test_a_group_takes_as_long_as_its_region_needs(n, capacity, per_s):
    """N targets at capacity c take ⌈N / c⌉ seconds, and a soak later the campaign is finished."""
    campaign = _the(
        firmware_world(
            {"estate.premises": n, "firmware.ota.capacity.north": capacity, "window.length": "90 d"}
        )
    )

    assert campaign.ended_s - campaign.started_s == ceil(n / per_s - 1e-9) + DAY_S
    assert (campaign.ended, campaign.n_targets, campaign.n_done) == ("finished", n, n)


def test_the_slowest_region_holds_up_the_gate():
    """Three quarters of the premises are in the north, which offers one a minute; the south offers
    one an hour.
    """
    regions = {
        "estate.regions": "{north: 75 %, central: 0 %, south: 25 %}",
        "firmware.ota.capacity.north": "1 /min",
        "firmware.ota.capacity.south": "1 /h",
        "firmware.campaign.soak": "0 s",
    }

    campaign = _the(firmware_world(regions))

    assert campaign.ended_s - campaign.started_s == 100 * 3600


def test_images_are_offered_in_open_hours_alone():
    """Due at midnight of day 1, a group of an hour begins at 22:00; a campaign of six hours takes
    three nights of two, save the night that is blacked out.
    """
    nights = {
        "firmware.campaign.open": "{at: '22:00', length: 2 h}",
        "firmware.campaign.blackouts": "[{start: 46 h, duration: 2 h}]",
        "firmware.campaign.ramp.step": "6 h",
        "firmware.campaign.soak": "0 s",
        "window.length": "10 d",
        "firmware.step": "1 h",
    }

    tables = firmware_world(nights)

    behind = counted(tables["states"], "at_s", "n_behind", ledger="smi")
    falls = [
        hour
        for hour in range(30, 239)
        if behind.get(hour * 3600, 0) > behind.get((hour + 1) * 3600, 0)
    ]
    # An image runs 63 s after it is offered: those of the last minute, after midnight.
    assert {hour // 24 for hour in falls if hour % 24} == {2, 3, 4}
    assert {hour % 24 for hour in falls} <= {22, 23, 0}
    assert (
        _the(tables).ended_s == 5 * DAY_S + 22 * 3600
    ), "the end of the last open second is the next that is open"


@pytest.mark.parametrize("order", ["random", "by_cell", "by_supplier", "by_risk"])
@pytest.mark.parametrize("ramp", RAMPS)
def test_whatever_the_order_and_the_ramp_everybody_is_reached_once(ramp, order):
    settings = {
        "firmware.campaign.ramp": RAMPS[ramp],
        "firmware.campaign.order": order,
        "estate.premises_per_cell": 30,
    }
    settings |= {"firmware.campaign.sweeps": 1, "firmware.campaign.sweep_every": "0 s"}

    tables = firmware_world(settings)

    campaign = _the(tables)
    assert (campaign.ended, campaign.n_groups, campaign.n_targets) == (
        "finished",
        N_GROUPS[ramp] + 1,
        400,
    )
    assert counted(tables["jobs"], "ended") == {"done": 400}
    assert campaign.ended_s - campaign.started_s == (N_GROUPS[ramp] + 1) * (3600 + DAY_S)


def test_a_pilot_that_fails_is_the_end_of_a_campaign():
    """Every activation fails; one device in twenty finds out, and the others keep what they run."""
    pilot = {
        "firmware.ota.activation.failure": "100 %",
        "firmware.campaign.error_threshold": "10 %",
        "firmware.campaign.least": 10,
        "firmware.campaign.ramp": (
            "{kind: groups, step: 1 h, share: null, first: null, factor: null, shares: [5 %, 95 %]}"
        ),
        "estate.premises": 2000,
    }

    runs = [_the(firmware_world(pilot, replication)) for replication in range(8)]

    assert {(row.ended, row.n_groups, row.n_withdrawn) for row in runs} == {("aborted", 1, 0)}
    assert agrees((row.n_targets / 2000 for row in runs), 0.05)


def test_what_has_not_been_offered_when_a_campaign_is_superseded_is_withdrawn():
    """The first campaign offers evenly over ten days; after four, a security release supersedes it
    and goes to everybody.
    """
    urgent = {
        "firmware.releases": (
            "[{model: it, class: defect, first: 1 d}, {model: it, class: security, first: 5 d}]"
        ),
        "estate.premises": 1000,
        "firmware.campaign.ramp.step": "10 d",
    }

    runs = [firmware_world(urgent, replication) for replication in range(8)]

    assert agrees((_the(tables).n_withdrawn / 1000 for tables in runs), 0.6)
    for tables in runs:
        first, second = _the(tables), _the(tables, 2)
        assert (first.ended, first.ended_s, second.started_s, second.ended) == (
            "superseded",
            5 * DAY_S,
            5 * DAY_S,
            "finished",
        )
        assert first.n_done + first.n_withdrawn == 1000
        assert 990 < second.n_targets <= 1000, "all but those on their way"


def test_a_step_that_is_not_permitted_is_taken_by_way_of_another():
    """Version 3 may be installed from 2 alone: its campaign sends 2 first, and 3 in the sweep."""
    way = {
        "firmware.releases": (
            "[{model: it, class: feature, first: 1 d}, {model: it, class: feature, first: 2 d},"
            " {model: it, class: security, first: 3 d}]"
        ),
        "firmware.campaign.sweeps": 1,
    }

    tables = firmware_world(way, models={"it": {"permitted": "{'3': [2]}"}})

    assert counted(tables["jobs"], "version", ended="done") == {2: 400, 3: 400}
    assert _the(tables, 3).n_targets == 800


def test_without_a_way_nobody_is_sent_anything():
    """Version 2 may be installed from 1 alone, which was taken off the list two days before."""
    withdrawn = {
        "firmware.releases": (
            "[{model: it, class: feature, first: 1 d}, {model: it, class: security, first: 4 d}]"
        ),
        "firmware.pipeline.withdrawn": "100 %",
        "firmware.pipeline.withdrawn_after": "1 d",
    }

    tables = firmware_world(withdrawn, models={"it": {"permitted": "{'2': [1]}"}})
    free = firmware_world(withdrawn)

    assert (_the(tables, 2).n_targets, _the(tables, 2).ended) == (0, "finished")
    assert counted(tables["jobs"], "ended") == {}
    assert counted(free["jobs"], "ended") == {"done": 400}


def test_what_is_off_the_list_when_its_campaign_begins_goes_to_nobody():
    withdrawn = {
        "firmware.pipeline.withdrawn": "100 %",
        "firmware.pipeline.withdrawn_after": "1 d",
        "firmware.campaign.lead": "1 d",
    }

    assert _the(firmware_world(withdrawn)).n_targets == 0


def test_an_image_goes_to_a_device_that_has_it_where_the_record_does_not_know():
    """Every display installs a version by itself; without a report the campaign sends it to all of
    them, and all refuse it.
    """
    local = {
        "firmware.local.take_up": "100 %",
        "firmware.local.classes": "[defect]",
        "firmware.local.channels.pushed.delay": "1 s",
        "firmware.campaign.lead": "10 d",
    }

    blind = firmware_world(local)
    told = firmware_world(local | {"reporting.rule": "on_change", "reporting.loss": "0 %"})

    assert counted(blind["jobs"], "ended") == {"not_permitted": 400}
    assert counted(blind["decisions"], "outcome") == {"wasted": 400}
    assert ledger(blind)["n_repairs"] == 0
    assert counted(told["jobs"], "ended") == {}
