"""What stands between a local update and a device, and what a ban does (S1-12, S1-15, P1)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from sim.tables import Tables
from tests.laws.firmware_worlds import DAY_S, counted, firmware_world, status
from tests.laws.significance import agrees

# A feature a month, offered to every display five days before it is listed; one image in ten was
# never submitted at all.
OFFERED = {
    "firmware.local.take_up": "100 %",
    "firmware.local.classes": "[feature]",
    "firmware.local.variant": "10 %",
    "firmware.releases": "[{model: it, class: feature, first: 1 d, every: 30 d}]",
    "firmware.pipeline.listing": "5 d",
    "firmware.local.channels": "{pushed: {share: 100 %, delay: 4 d}, app: null, usb: null}",
    "window.length": "360 d",
    "estate.premises": 500,
    "firmware.screening": (
        "{design: none, signed: 0 %, list_age: 0 s, install: 30 min, token_life: 1 h, retry: 1 d,"
        " false_accept: 0 %, false_reject: 0 %}"
    ),
}
DOWN = "[{start: 0 s, duration: 1000 d}]"


def _screened(settings: dict[str, object], replication: int = 0) -> Tables:
    return firmware_world(OFFERED | settings, replication)


def _ran(tables: Tables) -> dict[str, int]:
    """Return how many installed images were listed, unlisted or variants."""
    return counted(tables["local"], "image", outcome="installed")


def test_without_screening_everything_that_is_offered_runs():
    """Listed after five days, tried after four in the mean: e^(−5/4) of what is no variant is
    listed by then.
    """
    runs = [_screened({}, replication) for replication in range(6)]

    for tables in runs:
        assert set(counted(tables["local"], "outcome")) == {"installed"}
        assert {*status(tables)} == {"unlisted_s", "variant_s", "variant_end_n"}
    assert agrees((_ran(tables)["variant"] / sum(_ran(tables).values()) for tables in runs), 0.1)
    honest = [
        _ran(tables)["listed"] / (_ran(tables)["listed"] + _ran(tables)["unlisted"])
        for tables in runs
    ]
    assert agrees(honest, 2.718281828459045 ** (-5 / 4))


@pytest.mark.parametrize("design", ["audit", "signature"])
def test_designs_that_stop_nothing_leave_the_same_world(design):
    """An audit looks afterwards; a signature that every variant carries stops none."""
    tables = _screened({"firmware.screening.design": design, "firmware.screening.signed": "100 %"})
    none = _screened({})

    assert _ran(tables) == _ran(none)
    assert tables["ledgers"].equals(none["ledgers"])
    if design == "audit":
        assert status(none).items() <= status(tables).items()


def test_a_signature_stops_variants_and_lets_what_is_not_listed_pass():
    tables, none = _screened({"firmware.screening.design": "signature"}), _screened({})

    assert counted(tables["local"], "image", outcome="blocked") == {
        "variant": _ran(none)["variant"]
    }
    assert {image: _ran(none)[image] for image in ("listed", "unlisted")} == _ran(tables)


@pytest.mark.parametrize("design", ["allow_list", "token"])
def test_who_asks_the_list_installs_nothing_that_is_not_on_it(design):
    tables, none = _screened({"firmware.screening.design": design}), _screened({})

    assert _ran(tables) == {"listed": _ran(none)["listed"]}
    assert counted(tables["local"], "image", outcome="blocked") == {
        image: _ran(none)[image] for image in ("unlisted", "variant")
    }
    assert status(tables) == {}


def test_a_list_that_is_old_blocks_what_is_new():
    """A list of a week ago has nothing that was listed since: e^(−12/4) of what is no variant is on
    it.
    """
    runs = [
        _screened(
            {"firmware.screening.design": "allow_list", "firmware.screening.list_age": "7 d"},
            replication,
        )
        for replication in range(6)
    ]
    tried = [counted(tables["local"], "image") for tables in runs]

    passed = [
        _ran(tables)["listed"] / (n["listed"] + n["unlisted"])
        for tables, n in zip(runs, tried, strict=True)
    ]
    assert agrees(passed, 2.718281828459045 ** (-12 / 4))


def test_a_gateway_that_is_down_and_fails_open_is_no_gateway():
    tables, none = (
        _screened(
            {
                "firmware.screening.design": design,
                "firmware.screening.fail": "open",
                "firmware.screening.gateway_outages": outages,
            }
        )
        for design, outages in (("token", DOWN), ("none", "[]"))
    )

    assert _ran(tables) == _ran(none)
    assert tables["ledgers"].equals(none["ledgers"])


def test_a_gateway_that_is_down_and_fails_closed_stops_everything():
    """Whoever is turned away comes back the next day, until the next version replaces what it would
    have installed.
    """
    tables = _screened(
        {
            "firmware.screening.design": "token",
            "firmware.screening.fail": "closed",
            "firmware.screening.gateway_outages": DOWN,
        }
    )

    outcomes = counted(tables["local"], "outcome")
    assert set(outcomes) == {"gateway_down"}
    assert 500 * 360 * 0.8 < outcomes["gateway_down"] < 500 * 360
    assert set(tables["ledgers"]["n_changes"]) == {0}


def test_devices_that_do_not_ask_are_not_stopped():
    """Only what runs version 3 or above asks; the others install whatever they are offered until
    they do.
    """
    down = {
        "firmware.screening.design": "token",
        "firmware.screening.fail": "closed",
        "firmware.screening.gateway_outages": DOWN,
    }

    tables = firmware_world(OFFERED | down, models={"it": {"asks_from": 3}})

    assert counted(tables["local"], "outcome", screened=False).keys() == {"installed"}
    assert counted(tables["local"], "outcome", screened=True).keys() == {"gateway_down"}


def test_a_gateway_answers_no_more_than_it_can():
    """Ten an hour: everybody tries at once on the day of a release, and comes back day by day until
    it is served.
    """
    slow = {
        "firmware.screening.design": "token",
        "firmware.screening.capacity": "10 /h",
        "firmware.pipeline.listing": "0 s",
        "firmware.local.variant": "0 %",
        "firmware.local.channels.pushed.delay": "1 s",
        "firmware.releases": "[{model: it, class: feature, first: 12 h}]",
    }

    tables = _screened(slow)

    outcomes = counted(tables["local"], "outcome")
    assert outcomes == {
        "installed": 500,
        "busy": sum(range(10, 500, 10)),
    }, "490 are turned away on the first day, 480 on the second …"


@pytest.mark.parametrize(("life", "share"), [("15 min", 0.5), ("30 min", 0.0)])
def test_a_token_that_expires_first_is_asked_for_again(life, share):
    """Installing takes up to half an hour, each length as likely; a token that is good for half as
    long expires for half, who fare no better the next day.
    """
    token = {
        "firmware.screening.design": "token",
        "firmware.screening.token_life": life,
        "firmware.pipeline.listing": "0 s",
        "firmware.local.variant": "0 %",
    }

    runs = [_screened(token, replication) for replication in range(6)]

    if share:
        installed = [_ran(tables)["listed"] for tables in runs]
        assert agrees(
            (
                n / _ran(_screened(token | {"firmware.screening.token_life": "1 h"}, r))["listed"]
                for r, n in enumerate(installed)
            ),
            share,
        )
    else:
        assert all(set(counted(tables["local"], "outcome")) == {"installed"} for tables in runs)


def test_screening_errs_as_often_as_it_is_said_to():
    errs = {
        "firmware.screening.design": "allow_list",
        "firmware.screening.false_accept": "30 %",
        "firmware.screening.false_reject": "20 %",
    }

    runs = [_screened(errs, replication) for replication in range(6)]
    tried = [counted(tables["local"], "image") for tables in runs]

    assert agrees(
        (_ran(tables)["listed"] / n["listed"] for tables, n in zip(runs, tried, strict=True)), 0.8
    )
    accepted = [
        (_ran(tables)["unlisted"] + _ran(tables)["variant"]) / (n["unlisted"] + n["variant"])
        for tables, n in zip(runs, tried, strict=True)
    ]
    assert agrees(accepted, 0.3)


@pytest.mark.parametrize("compliance", ["100 %", "70 %"])
def test_a_ban_ends_local_updates_of_those_who_obey(compliance):
    """From its start and grace on; before, nobody is held to it."""
    ban = {
        "updates.ban": (
            f"{{start: 100 d, grace: 80 d, scope: everywhere, compliance: {compliance}}}"
        ),
        "firmware.local.variant": "0 %",
    }
    late = {"window.warm_up": "180 d", "window.length": "180 d"}

    before = _screened(ban | {"window.length": "181 d"})
    after = [_screened(ban | late, replication) for replication in range(5)]

    assert counted(before["local"], "outcome").get("banned", 0) <= 50, "in a day"
    outcomes = [counted(tables["local"], "outcome") for tables in after]
    if compliance == "100 %":
        assert all(set(n) == {"banned"} for n in outcomes)
    else:
        assert agrees((n["banned"] / (n["banned"] + n["installed"]) for n in outcomes), 0.7)


def test_a_ban_where_the_air_works_spares_those_it_does_not_reach():
    """Half of the premises have no WAN: they go on, and the others stop."""
    ban = {
        "updates.ban": "{start: 0 d, grace: 0 d, scope: where_ota_works, compliance: 100 %}",
        "estate.no_wan_share": "50 %",
        "firmware.local.variant": "0 %",
    }

    runs = [counted(_screened(ban, replication)["local"], "outcome") for replication in range(6)]

    assert agrees((n["banned"] / (n["banned"] + n["installed"]) for n in runs), 0.5)


@pytest.mark.parametrize("policy", ["ota_only", "do_minimum"])
def test_under_other_policies_nobody_tries(policy):
    tables = _screened({"updates.policy": policy})

    assert counted(tables["local"], "outcome") == {}
    assert set(tables["ledgers"]["n_changes"]) == {0}


@pytest.mark.parametrize(
    ("start", "day"), [("2026-01-01", 3), ("2026-01-04", 7), ("2024-02-26", 6)]
)
def test_people_update_on_the_days_that_are_named(start, day):
    """On Sundays alone: the first after the first day of the window, which is the one on which the
    image is offered.
    """
    one = {
        "window.start": start,
        "firmware.local.hours": (
            "{days: {mon: 0, tue: 0, wed: 0, thu: 0, fri: 0, sat: 0}, hours: [0,"
            f" 1{', 0' * 22}]}}"
        ),
        "firmware.releases": "[{model: it, class: feature, first: 3 h}]",
        "firmware.local.channels.pushed.delay": "1 s",
        "firmware.local.variant": "0 %",
        "firmware.step": "1 h",
    }

    wrong = counted(_screened(one)["states"], "at_s", "n_wrong", ledger="smi")

    assert (date.fromisoformat(start) + timedelta(days=day)).weekday() == 6
    assert min(wrong) == day * DAY_S + 2 * 3600


@pytest.mark.parametrize(("first", "day"), [("360 h", 15), ("363 h", 22)])
def test_people_update_in_the_hours_that_are_given(first, day):
    """All between 01:00 and 02:00 of the second day of each week: on day 15 what is offered at its
    beginning; what comes after 02:00, a week later.
    """
    one = {
        "firmware.local.hours": f"{{days: [0, 1, 0, 0, 0, 0, 0], hours: [0, 1{', 0' * 22}]}}",
        "firmware.releases": f"[{{model: it, class: feature, first: {first}}}]",
        "firmware.local.channels.pushed.delay": "1 s",
        "firmware.local.variant": "0 %",
        "firmware.step": "1 h",
    }

    wrong = counted(_screened(one)["states"], "at_s", "n_wrong", ledger="smi")

    assert min(wrong) == day * DAY_S + 2 * 3600
    assert set(wrong.values()) == {500}
