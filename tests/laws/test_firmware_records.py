"""Rules that keep the record under local updates: what each costs, and how wrong it leaves the
record (R0–R11, S1-16, S1-18).
"""

from __future__ import annotations

import pytest

from sim.tables import Tables
from tests.laws.firmware_worlds import DAY_S, counted, firmware_world, status
from tests.laws.significance import agrees
from tests.laws.worlds import ledger

# Twelve releases a month apart, which every display installs by itself within a few days.
LOCAL = {
    "firmware.local.take_up": "100 %",
    "firmware.local.classes": "[feature]",
    "firmware.releases": "[{model: it, class: feature, first: 1 d, every: 30 d}]",
    "window.length": "360 d",
    "estate.premises": 1000,
}
N_VERSIONS = 12
WEEKLY = {
    "reporting.period": "7 d",
    "reporting.phase": "{source: hashed, at: '00:00', window: 7 d}",
    "reporting.loss": "0 %",
    "reporting.han_loss": "0 %",
}


def _smi(tables: Tables) -> dict[str, float]:
    """Return the sums of the SMI's record of displays, without what says how many report."""
    return {name: value for name, value in ledger(tables).items() if name != "n_reporting"}


def _told(tables: Tables) -> dict[str, int]:
    return counted(tables["told"], "kind")


def test_without_a_report_the_first_change_leaves_the_record_wrong_for_ever():
    tables = firmware_world(LOCAL)
    smi = _smi(tables)

    assert counted(tables["local"], "outcome") == {"installed": smi["n_changes"]}
    assert smi["n_repairs"] == smi["repair_s"] == 0
    assert smi["wrong_s"] / 1000 == pytest.approx(
        359 * DAY_S, rel=0.01
    ), "from about a day after the first release"
    assert _told(tables) == {}


def test_a_store_that_is_not_forwarded_leaves_the_record_as_stale_as_none():
    """R1 without a refresh: hubs know everything, reads go through them, and the inventory is to
    the second what it is under R0.
    """
    store = {
        "reporting.rule": "hub_store",
        "reporting.read": "{rate: 4 /year, refreshes_smi: false}",
        "reporting.han_loss": "0 %",
    }

    stored, none = firmware_world(LOCAL | store), firmware_world(LOCAL)

    assert _smi(stored) == _smi(none)
    hub = ledger(stored, "hub")
    assert (hub["wrong_s"], hub["right_s"] + hub["unknown_s"]) == (0, 1000 * 360 * DAY_S)
    assert _told(stored)["version_report"] == _told(stored)["request"] > 3_500


@pytest.mark.parametrize("rule", ["on_change", "on_change_heartbeat"])
def test_a_report_at_each_change_is_never_late(rule):
    """Without loss the record is right to the second."""
    tables = firmware_world(
        LOCAL | {"reporting.rule": rule, "reporting.heartbeat": "30 d", "reporting.loss": "0 %"}
    )
    smi = _smi(tables)

    assert smi["wrong_s"] == 0
    assert smi["n_changes"] == counted(tables["local"], "outcome")["installed"] > 10_000
    if rule == "on_change":
        assert _told(tables) == {"version_report": smi["n_changes"]}


@pytest.mark.parametrize("rule", ["periodic", "hub_poll", "hub_batch", "digest", "piggy_back"])
@pytest.mark.parametrize("period", [7, 14])
def test_a_timer_repairs_in_half_its_period(rule, period):
    """Hashed over the period, it comes 0 … T − 1 seconds after a change, each as likely, where a
    report follows every change before the next.
    """
    timer = {
        "reporting.rule": rule,
        "reporting.period": f"{period} d",
        "reporting.phase": f"{{source: hashed, at: '00:00', window: {period} d}}",
    }
    few = LOCAL | {
        "firmware.releases": "[{model: it, class: feature, first: 1 d, every: 90 d}]",
        "reporting.loss": "0 %",
        "reporting.han_loss": "0 %",
    }

    sums = [_smi(firmware_world(few | timer, replication)) for replication in range(8)]

    assert agrees((smi["repair_s"] / smi["n_repairs"] for smi in sums), (period * DAY_S - 1) / 2)
    assert agrees((smi["wrong_s"] / smi["n_changes"] for smi in sums), (period * DAY_S - 1) / 2)


def test_rules_that_tell_what_the_hub_knows_differ_in_what_they_cost_alone():
    """Batch, poll, digest and piggy-back leave the same record; a digest's details are its repairs,
    and what is carried is no message of its own.
    """
    made = {
        rule: firmware_world(LOCAL | WEEKLY | {"reporting.rule": rule})
        for rule in ("hub_batch", "hub_poll", "digest", "piggy_back")
    }
    ledgers = {rule: (_smi(tables), ledger(tables, "hub")) for rule, tables in made.items()}
    told = {rule: _told(tables) for rule, tables in made.items()}
    n = told["hub_batch"]["version_report"]

    assert all(ledgers[rule] == ledgers["hub_batch"] for rule in ledgers)
    assert 51 * 1000 <= n <= 52 * 1000
    assert told == {
        "hub_batch": {"version_report": n},
        "hub_poll": {"version_report": n, "request": n},
        "digest": {"version_report": n, "detail": ledgers["digest"][0]["n_repairs"]},
        "piggy_back": {"carried": n},
    }


def test_a_hub_misses_what_the_han_loses():
    """Its record is wrong until the next change it hears of: at any time for the share of devices
    whose last change was lost.
    """
    runs = [
        firmware_world(
            LOCAL | WEEKLY | {"reporting.rule": "hub_batch", "reporting.han_loss": "30 %"},
            replication,
        )
        for replication in range(6)
    ]
    states = [tables["states"] for tables in runs]

    assert agrees(
        (
            table[(table["ledger"] == "hub") & (table["at_s"] == 360 * DAY_S)]["n_wrong"].sum()
            / 1000
            for table in states
        ),
        0.3,
    )
    assert (
        ledger(firmware_world(LOCAL | WEEKLY | {"reporting.rule": "hub_batch"}), "hub")["wrong_s"]
        == 0
    )


def test_the_cloud_needs_no_wan():
    """R9 tells of displays whose hub was never heard of; a report by the WAN tells of none."""
    unreached = LOCAL | WEEKLY | {"estate.no_wan_share": "100 %"}

    cloud, periodic = (
        _smi(firmware_world(unreached | {"reporting.rule": rule})) for rule in ("cloud", "periodic")
    )
    reached = _smi(firmware_world(LOCAL | WEEKLY | {"reporting.rule": "periodic"}))

    assert cloud == reached
    assert (periodic["n_repairs"], periodic["n_changes"]) == (0, reached["n_changes"])


def test_the_cloud_hears_of_those_alone_who_take_part():
    tables = firmware_world(
        LOCAL | WEEKLY | {"reporting.rule": "cloud", "firmware.local.take_up": "0 %"}
    )

    assert _told(tables) == {}


def test_a_read_after_an_event_comes_when_it_is_due():
    """R10: an hour after every install, which is how long the record is wrong; one request and one
    answer each.
    """
    tables = firmware_world(
        LOCAL | {
            "reporting.rule": "event_read",
            "reporting.loss": "0 %",
            "firmware.reads.event_delay": "1 h",
        }
    )
    smi, told = _smi(tables), _told(tables)

    assert told["version_report"] == told["request"] == smi["n_repairs"] <= smi["n_changes"]
    assert smi["repair_s"] == 3600 * smi["n_repairs"]


def test_an_audit_samples_without_bias():
    """R11: the states it finds are the shares of time that the record spends in them."""
    audit = LOCAL | {
        "reporting.rule": "audit",
        "reporting.loss": "0 %",
        "reporting.read.rate": "12 /year",
    }

    gaps = []
    for replication in range(8):
        tables = firmware_world(audit, replication)
        found, smi = counted(tables["readings"], "state", process="audit"), _smi(tables)
        gaps.append(
            found["wrong"] / sum(found.values())
            - smi["wrong_s"] / (smi["wrong_s"] + smi["right_s"])
        )

    assert agrees(gaps, 0)


def test_the_inventory_knows_nothing_of_an_ihd():
    """Whatever is reported, its record is unknown all the time and wrong never."""
    tables = firmware_world(LOCAL | WEEKLY | {"reporting.rule": "periodic"}, device_type="ihd")
    smi = ledger(tables, device_type="ihd")

    assert (smi["unknown_s"], smi["right_s"], smi["wrong_s"]) == (1000 * 360 * DAY_S, 0, 0)
    assert smi["n_changes"] > 10_000
    assert counted(tables["jobs"], "ended") == {}


@pytest.mark.parametrize("reseed", ["false", "true"])
def test_an_exchange_of_hubs_forgets(reseed):
    """Every hub that knew its display forgets it; asked at once, it knows it again, to the second.
    """
    exchange = {
        "firmware.ota.exchange": (
            f"{{start: 200 d, share: 50 %, curve: [{{share: 100 %, time: 0 s}}], reseed: {reseed}}}"
        ),
        "reporting.rule": "hub_store",
        "reporting.read": "{rate: 0 /year, refreshes_smi: true}",
        "reporting.han_loss": "0 %",
        "firmware.releases": "[{model: it, class: feature, first: 1 d}]",
    }

    tables = firmware_world(LOCAL | exchange)

    hub, forgotten = ledger(tables, "hub"), status(tables)["forgotten_n"]
    before = ledger(firmware_world(LOCAL | exchange | {"firmware.ota.exchange": "null"}), "hub")
    assert 400 < forgotten < 600
    assert hub["unknown_s"] - before["unknown_s"] == (
        0 if reseed == "true" else forgotten * 160 * DAY_S
    )


def test_where_the_record_is_right_nobody_decides_wrongly():
    """Compliance, changes of supplier and campaigns ask a record that agrees with what runs, and a
    report at each change keeps it so.
    """
    reads = {
        "reporting.rule": "on_change",
        "reporting.loss": "0 %",
        "firmware.reads.gain": "2 /year",
        "firmware.reads.compliance": "30 d",
        "firmware.releases": (
            "[{model: it, class: feature, first: 1 d, every: 60 d}, {model: it, class: security,"
            " first: 20 d, every: 60 d}]"
        ),
        "firmware.local.classes": "[feature, security]",
        "firmware.campaign.lead": "3 d",
    }

    right = firmware_world(LOCAL | reads)
    none = firmware_world(LOCAL | reads | {"reporting.rule": "none"})

    assert set(counted(right["decisions"], "outcome")) == {"right"}
    assert set(counted(right["decisions"], "process")) == {
        "gain",
        "compliance",
        "incident",
        "targeting",
    }
    assert set(counted(none["decisions"], "outcome")) == {"right", "false_alarm", "wasted"}
    assert (
        counted(none["jobs"], "ended")["not_permitted"]
        == counted(none["decisions"], "outcome", process="targeting")["wasted"]
    )


def test_reads_come_as_often_as_their_clocks():
    """Two a year at each premises, of every device; and one after each change where everybody
    looks.
    """
    reads = LOCAL | {
        "firmware.reads.install": "2 /year",
        "firmware.reads.gain": "4 /year",
        "firmware.reads.call": "{share: 100 %, delay: 1 min}",
    }

    runs = [firmware_world(reads, replication) for replication in range(6)]
    counts = [counted(tables["readings"], "process") for tables in runs]

    assert agrees((n["install"] / 1000 for n in counts), 2 * 360 / 365)
    assert agrees((n["gain"] / 1000 for n in counts), 4 * 360 / 365)
    assert all(
        n["call"] == pytest.approx(_smi(tables)["n_changes"], abs=3)
        for n, tables in zip(counts, runs, strict=True)
    )
