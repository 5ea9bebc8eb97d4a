"""The twin of firmware worlds, by lives that can be worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from sim import twin
from sim.scenario.days import Calendar
from sim.scenario.schema import Scenario
from sim.tables import Tables, Trace
from sim.twin import story
from tests.twins.tiny import tiny

HOUR_S, DAY_S = 3600, 86_400
AT_ONCE = {"low": "1 s", "high": "1 s"}
LATER = {"start": "100 d", "curve": [{"share": 1.0, "time": "0 s"}]}
NEVER = {"share": 0.0, "delay": "1 d"}


def plain(**changes: Any) -> Scenario:
    """Return ten days of one premises with a PPMID: version 1 is listed on day 1, sent on day 2,
    and nothing goes wrong.

    *changes* are of the firmware block, its paths joined by two underscores, or whole other blocks.
    """
    block: dict[str, Any] = {
        "step": "1 d",
        "models": {
            "plain": {
                "type": "ppmid",
                "share": 1.0,
                "size": "4800 B",
                "sleepy": False,
                "downgrades": "refused",
                "permitted": {},
                "asks_from": 0,
                "cut": 0.0,
            }
        },
        "releases": [{"model": "plain", "class": "security", "first": "1 d"}],
        "off": {},
        "pipeline": {
            "assurance": {"low": "0 s", "high": "0 s"},
            "reject": 0.0,
            "resubmit": "1 d",
            "listing": "0 s",
            "data_error": 0.0,
            "correction": "0 s",
            "withdrawn": 0.0,
            "withdrawn_after": "1 d",
        },
        "local": {
            "take_up": 0.0,
            "classes": ["security"],
            "lead": "0 s",
            "variant": 0.0,
            "channels": {"pushed": {"share": 1.0, "delay": "1 s"}},
        },
        "screening": {
            "design": "none",
            "signed": 0.0,
            "list_age": "0 s",
            "fail": "closed",
            "install": "1 s",
            "token_life": "1 s",
            "retry": "1 d",
            "false_accept": 0.0,
            "false_reject": 0.0,
        },
        "ota": {
            "types": ["ppmid"],
            "classes": ["security"],
            "start": "0 s",
            "hub_ready": {"start": "0 s", "curve": [{"share": 1.0, "time": "0 s"}]},
            "distribution": {"north": {"low": "1 h", "high": "1 h"}},
            "capacity": {"north": "1 /s"},
            "loss": 0.0,
            "block": "48 B",
            "interval_awake": 1000,
            "interval_sleepy": 2000,
            "interruption": 0.0,
            "resume": "1 h",
            "activation": {"wait": {"low": "2 h", "high": "2 h"}, "failure": 0.0},
            "response": {
                "delay": {"low": "30 min", "high": "30 min"},
                "loss": 0.0,
                "patience": "1 d",
            },
            "retries": 0,
            "retry_after": "1 d",
            "cut_length": AT_ONCE,
        },
        "campaign": {
            "lead": "1 d",
            "order": "random",
            "priority": ["security", "defect", "specification", "feature", "non_core"],
            "at_once": 1,
            "ramp": {"kind": "constant", "step": "1 s", "share": 1.0},
            "open": {"at": "00:00", "length": "24 h"},
            "blackouts": [],
            "soak": "1 d",
            "approval": "0 s",
            "least": 1,
            "error_threshold": 1.0,
            "success_threshold": 0.0,
            "gates": 0,
            "sweeps": 0,
            "sweep_every": "1 d",
        },
        "reads": {
            "install": "0 /d",
            "gain": "0 /d",
            "call": NEVER,
            "compliance": "100 d",
            "event_delay": "1 h",
            "prices": {
                "missed": 67,
                "wasted": 1,
                "wrong_path": 5,
                "false_compliance": 67,
                "false_alarm": 10,
            },
        },
    }
    others = {
        name: changes.pop(name)
        for name in ("updates", "reporting", "estate", "window", "alerts")
        if name in changes
    }
    for path, value in changes.items():
        *above, last = path.split("__")
        part = block
        for name in above:
            part = part[name]
        part[last] = value
    world = tiny(
        window={"length": "10 d"} | others.get("window", {}),
        estate={"premises": 1} | others.get("estate", {}),
        updates={"policy": "local_and_ota"} | others.get("updates", {}),
        reporting={"rule": "none"} | others.get("reporting", {}),
        alerts=others.get("alerts", {}),
    )
    tree = world.model_dump(by_alias=True) | {"firmware": block}
    return Scenario.model_validate(
        tree, context={"calendar": Calendar(world.window.start, local=False)}
    )


def told(scenario: Scenario) -> tuple[Tables, list[Any]]:
    """Return the tables of the twin, and the life of its first device."""
    trace = Trace([], [])
    tables = twin.replicate(scenario, 0, trace=trace)
    return tables, list(trace.lives[0])


def counted(tables: Tables, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Return *columns* of *table*."""
    return list(tables[table][list(columns)].itertuples(index=False, name=None))


def sums(tables: Tables, device_type: str = "ppmid") -> dict[str, int]:
    """Return what table `status` sums for *device_type*."""
    return {
        what: value
        for name, what, value in counted(tables, "status", "device_type", "what", "value")
        if name == device_type
    }


def smi(tables: Tables, *columns: str) -> tuple[Any, ...]:
    """Return *columns* of the SMI's row of table `ledgers` for PPMIDs."""
    rows = tables["ledgers"]
    return next(
        rows[(rows.ledger == "smi") & (rows.device_type == "ppmid")][list(columns)].itertuples(
            index=False, name=None
        )
    )


METER = {
    "models": {
        "plain": {
            "type": "esme",
            "share": 1.0,
            "size": "4800 B",
            "sleepy": True,
            "downgrades": "refused",
            "permitted": {},
            "asks_from": 0,
            "cut": 1.0,
        }
    },
    "ota__types": ["esme"],
}


def test_a_display_is_updated_over_the_air_and_the_record_follows_with_the_answer():
    tables, life = told(plain())

    # Offered on day 2; an hour to the hub; 100 blocks of a second; run at once; the answer half an
    # hour later.
    assert life == ["north", 4, 0, 1, 1, 0, "idle", 0, 0, -1, -1]
    assert smi(tables, "wrong_s", "n_repairs", "repair_s", "n_changes") == (1800, 1, 1800, 1)
    assert counted(tables, "jobs", "version", "ended", "n") == [(1, "done", 1)]
    assert counted(
        tables,
        "campaigns",
        "due_s",
        "started_s",
        "ended_s",
        "ended",
        "n_groups",
        "n_targets",
        "n_done",
    ) == [(2 * DAY_S, 2 * DAY_S, 3 * DAY_S + 1, "finished", 1, 1, 1)]
    assert sorted(counted(tables, "latencies", "step", "low_s", "high_s")) == [
        ("activation", 0, 1),
        ("distribution", 2896, 4096),
        ("han", 90, 128),
        ("response", 1448, 2048),
        ("whole", 4096, 5792),
    ]
    assert dict(counted(tables, "told", "kind", "n")) == {
        "activated": 1,
        "answer": 1,
        "image": 1,
        "image_request": 1,
        "transferred": 1,
    }


def test_a_meter_whose_answer_is_lost_stays_suspended_without_mp105():
    tables, life = told(
        plain(
            **METER,
            ota__response={
                "delay": {"low": "30 min", "high": "30 min"},
                "loss": 1.0,
                "patience": "1 d",
            },
        )
    )

    # a sleepy meter waits two seconds a block, and two hours for 11.3
    runs_s = 2 * DAY_S + HOUR_S + 200 + 2 * HOUR_S
    assert life == ["north", 1, 0, 1, 0, 0, "stuck", 1, 0, runs_s, -1]
    assert sums(tables, "esme")["suspended_s"] == 10 * DAY_S - runs_s
    assert sums(tables, "esme")["suspended_end_n"] == 1
    assert counted(tables, "jobs", "ended", "n") == [("open", 1)]


def test_mp105_reads_a_suspended_meter_until_an_answer_comes():
    response = {"delay": {"low": "30 min", "high": "30 min"}, "loss": 0.5, "patience": "1 d"}
    mp105 = {"start": "0 s", "read": {"low": "10 s", "high": "10 s"}}
    estate = {"premises": 200}
    tables, _ = told(
        plain(
            **METER,
            estate=estate,
            ota__response=response,
            ota__mp105=mp105,
            window={"length": "60 d"},
        )
    )

    ended = dict(counted(tables, "jobs", "ended", "n"))
    assert set(ended) == {"done", "repaired"}
    assert ended["done"] + ended["repaired"] == 200
    assert 70 < ended["done"] < 130
    reads = dict(counted(tables, "told", "kind", "n"))["repair_read"]
    assert reads >= ended["repaired"]  # each read that is lost is made again
    # From 11.3 to the answer half an hour; from a lost answer a day to a look and ten seconds for
    # its answer, again and again.
    assert sums(tables, "esme")["suspended_s"] == 200 * 1800 + reads * (DAY_S + 10)


def test_an_activation_may_cut_the_supply_and_the_hub_says_so():
    common = {"share": 1.0, "genuine": False, "target": "1 s", "size": "1 B"}
    kinds = {
        "cut": {"code": "AD1", "sender": "hub", "cause": "cut", "after": "3 min"} | common,
        "back": {"code": "8F36", "sender": "esme", "cause": "cut_restored"} | common,
        "received": {"code": "8F72", "sender": "esme", "cause": "received"} | common,
    }
    scenario = plain(
        **METER,
        alerts={"active": list(kinds), "kinds": kinds},
        ota__cut_length={"low": "10 min", "high": "10 min"},
    )
    trace = Trace([], [])
    tables = twin.replicate(scenario, 0, trace=trace)

    runs_s = 2 * DAY_S + HOUR_S + 200 + 2 * HOUR_S
    assert sorted(
        (kind, slot, raised_s, fate) for kind, _, slot, _, raised_s, _, fate, *_ in trace.messages
    ) == [
        ("back", 1, runs_s + 600, "delivered"),
        ("cut", 0, runs_s + 180, "delivered"),
        ("received", 1, runs_s - 2 * HOUR_S, "delivered"),
    ]
    assert dict(counted(tables, "told", "kind", "n"))["cut"] == 1


@pytest.mark.parametrize(("retries", "ended", "checks"), [(0, "wan_lost", 1), (3, "wan_lost", 4)])
def test_what_the_wan_loses_is_sent_again_as_often_as_the_scenario_says(
    retries: int, ended: str, checks: int
):
    tables, _ = told(plain(ota__loss=1.0, ota__retries=retries))

    assert counted(tables, "jobs", "ended", "n") == [(ended, 1)]
    assert dict(counted(tables, "told", "kind", "n")) == {"image": checks, "image_request": checks}
    assert counted(tables, "campaigns", "n_failed", "n_silent") == [(0, 1)], "nobody told of it"


def test_devices_that_are_off_and_hubs_that_are_not_ready_are_no_targets_to_blame():
    off, _ = told(plain(off={"ppmid": 1.0}))
    unready, _ = told(plain(ota__hub_ready=LATER))

    assert counted(off, "jobs", "ended") == [("han_failed",)]
    assert counted(unready, "jobs", "ended") == [("refused_hub",)]


def test_a_local_update_is_wrong_in_the_smi_until_a_report_tells():
    local = {"local__take_up": 1.0, "ota__classes": []}
    silent, silent_life = told(plain(**local))
    periodic, life = told(plain(**local, reporting={"rule": "periodic", "period": "1 d"}))
    at_change, _ = told(plain(**local, reporting={"rule": "on_change"}))

    assert counted(silent, "local", "image", "outcome", "n") == [("listed", "installed", 1)]
    assert silent_life[3:5] == [1, 0]
    assert silent_life[9] > DAY_S
    assert smi(silent, "wrong_s") == (10 * DAY_S - silent_life[9],)
    assert life[3:5] == [1, 1]
    assert smi(periodic, "repair_s") == (DAY_S + HOUR_S - silent_life[9],)  # the report of 01:00
    assert smi(at_change, "wrong_s", "n_repairs") == (0, 1)


def test_a_ban_stops_who_obeys_after_its_grace():
    banned, _ = told(
        plain(
            local__take_up=1.0,
            ota__classes=[],
            updates={
                "ban": {"start": "0 s", "grace": "1 d", "scope": "everywhere", "compliance": 1.0}
            },
        )
    )
    late, _ = told(
        plain(
            local__take_up=1.0,
            ota__classes=[],
            updates={
                "ban": {"start": "0 s", "grace": "5 d", "scope": "everywhere", "compliance": 1.0}
            },
        )
    )
    elsewhere = {"start": "0 s", "grace": "0 s", "scope": "where_ota_works", "compliance": 1.0}
    unready, _ = told(
        plain(local__take_up=1.0, ota__classes=[], updates={"ban": elsewhere}, ota__hub_ready=LATER)
    )

    assert [counted(tables, "local", "outcome") for tables in (banned, late, unready)] == [
        [("banned",)],
        [("installed",)],
        [("installed",)],
    ]


@pytest.mark.parametrize(
    ("design", "lead", "variant", "outcome"),
    [
        ("none", "0 s", 1.0, "installed"),
        ("signature", "0 s", 1.0, "blocked"),
        ("signature", "0 s", 0.0, "installed"),
        ("token", "0 s", 1.0, "blocked"),
        ("token", "0 s", 0.0, "installed"),
        ("allow_list", "0 s", 0.0, "installed"),
        ("audit", "0 s", 1.0, "installed"),
    ],
)
def test_screening_stops_what_its_design_can_tell(
    design: str, lead: str, variant: float, outcome: str
):
    tables, life = told(
        plain(
            local__take_up=1.0,
            local__variant=variant,
            local__lead=lead,
            ota__classes=[],
            screening__design=design,
        )
    )

    assert counted(tables, "local", "image", "screened", "outcome") == [
        ("variant" if variant else "listed", design not in ("none", "audit"), outcome),
    ]
    assert life[3] == (0 if outcome == "blocked" else 129 if variant else 1)
    assert (sums(tables)["variant_s"] > 0) == (life[3] == 129)


def test_an_image_offered_before_it_is_listed_runs_unlisted_until_then():
    tables, life = told(plain(local__take_up=1.0, ota__classes=[], pipeline__listing="3 d"))

    installed_s = life[9]
    assert counted(tables, "local", "image", "outcome") == [("unlisted", "installed")]
    assert sums(tables)["unlisted_s"] == 4 * DAY_S - installed_s


def test_an_audit_finds_a_variant_when_it_is_reported():
    tables, life = told(
        plain(
            local__take_up=1.0,
            local__variant=1.0,
            ota__classes=[],
            screening__design="audit",
            reporting={"rule": "periodic"},
        )
    )

    assert life[3:5] == [129, 129]
    assert sums(tables)["found_n"] == 1
    assert 0 < sums(tables)["found_s"] <= HOUR_S


def test_the_gateway_answers_so_many_an_hour_and_the_others_come_back_a_day_later():
    hours = {"days": [0, 0, 1, 0, 0, 0, 0], "hours": [0] * 20 + [1] + [0] * 3}
    scenario = plain(
        local__take_up=1.0,
        local__hours=hours,
        ota__classes=[],
        screening__design="token",
        screening__capacity="2 /h",
        estate={"premises": 5},
    )
    tables, _ = told(scenario)

    # Five come on day 2 between 20:00 and 21:00, three again on day 3, one on day 4.
    assert counted(tables, "local", "outcome", "n") == [("busy", 4), ("installed", 5)]


def test_a_hub_that_is_exchanged_forgets_and_a_new_one_may_ask():
    exchange = {"start": "5 d", "share": 1.0, "curve": [{"share": 1.0, "time": "0 s"}]}
    rule = {"rule": "hub_batch", "period": "1 d"}
    lost, lost_life = told(plain(reporting=rule, ota__exchange=exchange | {"reseed": False}))
    asked, asked_life = told(plain(reporting=rule, ota__exchange=exchange | {"reseed": True}))

    for tables, life, unknown_s, version in (
        (lost, lost_life, 5 * DAY_S, 255),
        (asked, asked_life, 0, 1),
    ):
        hub = tables["ledgers"][
            (tables["ledgers"].ledger == "hub") & (tables["ledgers"].device_type == "ppmid")
        ]
        assert hub.unknown_s.tolist() == [unknown_s]
        assert life[5] == version
        assert sums(tables)["forgotten_n"] == 1


def test_an_image_on_the_han_is_lost_with_its_hub():
    halfway_s = 2 * DAY_S + HOUR_S + 50
    exchange = {
        "start": f"{halfway_s} s",
        "share": 1.0,
        "curve": [{"share": 1.0, "time": "0 s"}],
        "reseed": True,
    }
    tables, _ = told(plain(ota__exchange=exchange))

    assert counted(tables, "jobs", "ended") == [("image_lost",)]


def test_a_path_of_permitted_steps_takes_a_group_and_a_sweep():
    models = {"plain": plain().firmware.models["plain"].model_dump() | {"permitted": {2: [1]}}}  # type: ignore[union-attr]
    releases = [
        {"model": "plain", "class": "feature", "first": "1 h"},
        {"model": "plain", "class": "security", "first": "1 d"},
    ]
    tables, life = told(plain(models=models, releases=releases, campaign__sweeps=1))

    assert counted(tables, "jobs", "version", "ended") == [(1, "done"), (2, "done")]
    assert life[3:5] == [2, 2]
    assert counted(tables, "campaigns", "version", "n_groups", "n_targets", "ended") == [
        (2, 2, 2, "finished")
    ]


def test_wrong_data_on_the_list_fail_the_hash_check_until_they_are_corrected():
    wrong, _ = told(plain(pipeline__data_error=1.0, pipeline__correction="3 d"))

    assert counted(wrong, "jobs", "ended") == [("refused_hash",)]


def test_records_that_lag_mislead_whoever_decides_on_them():
    wrong = {"local__take_up": 1.0, "ota__classes": [], "reads__compliance": "3 d"}
    tables, _ = told(plain(**wrong))
    wasted, _ = told(plain(local__take_up=1.0))

    assert counted(tables, "decisions", "process", "outcome", "price", "n") == [
        ("compliance", "false_alarm", 10.0, 3),
        ("incident", "right", 0.0, 1),
    ]
    assert ("targeting", "wasted", 1.0, 1) in counted(
        wasted, "decisions", "process", "outcome", "price", "n"
    )
    assert counted(wasted, "jobs", "ended") == [("not_permitted",)]


def test_worlds_without_a_firmware_block_have_its_tables_empty():
    tables = twin.replicate(tiny(), 0)

    names = (
        "releases",
        "campaigns",
        "jobs",
        "steps",
        "latencies",
        "local",
        "readings",
        "decisions",
        "told",
        "status",
        "states",
    )
    assert [len(tables[name]) for name in names] == [0] * 11


def test_a_life_over_the_air_is_told():
    told_lines = story.tell(plain(), 0, 0).splitlines()

    assert (
        told_lines[0]
        == "PPMID in north, premises 0 (user large); model plain; reached by WAN; takes no local"
        " updates; rule none, does not report. Everyone was run, queues included."
    )
    assert told_lines[1:] == [
        "2026-01-03 00:00:00  version 1 is to be sent over the air, and the DSP accepts it",
        "2026-01-03 01:00:00  the hub has the image",
        "2026-01-03 01:01:40  the device has the image",
        "2026-01-03 01:01:40  it runs version 1",
        "2026-01-03 01:31:40  version 1: the answer arrives, and the SMI is written",
        "2026-01-03 01:31:40  the SMI record is RIGHT again after 30 min",
        (
            "In the 10.00 d after warm-up: SMI record RIGHT for 9.98 d, WRONG for 0.02 d; hub"
            " record UNKNOWN for 10.00 d."
        ),
    ]


def test_what_goes_wrong_in_a_life_is_told():
    lost = story.tell(plain(ota__loss=1.0, ota__retries=1), 0, 0)
    off = story.tell(plain(off={"ppmid": 1.0}), 0, 0)
    meter = story.tell(
        plain(
            **METER,
            ota__response={
                "delay": {"low": "30 min", "high": "30 min"},
                "loss": 1.0,
                "patience": "1 d",
            },
        ),
        0,
        1,
    )
    local = story.tell(
        plain(local__take_up=1.0, local__variant=1.0, ota__classes=[], screening__design="audit"),
        0,
        0,
    )
    exchange = {
        "start": "5 d",
        "share": 1.0,
        "curve": [{"share": 1.0, "time": "0 s"}],
        "reseed": False,
    }
    forgotten = story.tell(plain(reporting={"rule": "hub_batch"}, ota__exchange=exchange), 0, 0)

    assert "2026-01-03 01:00:00  it is lost on the way to the hub; it will be sent again" in lost
    assert (
        "2026-01-04 01:00:00  version 1 is to be sent over the air, attempt 2, and the DSP"
        " accepts it"
        in lost
    )
    assert "version 1: it is lost on the way to the hub" in lost
    assert "switched off for ever" in off
    assert "version 1: it does not get over the HAN" in off
    assert "is told to run it (11.3), it runs version 1; the SMI has it Suspended" in meter
    assert "the world ends; the SMI record has been WRONG for" in meter
    assert (
        "tries a local update (variant image): installed; it runs version 1 in a variant; the SMI"
        " says 0"
        in local
    )
    assert "2026-01-06 00:00:00  its hub is exchanged; the new one knows nothing of it" in forgotten
    assert "UNKNOWN for 5.00 d" in forgotten


def test_a_life_out_of_a_large_estate_says_that_its_premises_was_run_alone():
    told_text = story.tell(plain(estate={"premises": 1_000_000}), 0, 123_456)

    assert "premises 123456 " in told_text
    assert "Only this premises was run: campaigns and the gateway see it alone" in told_text
    assert "the answer arrives, and the SMI is written" in told_text


def test_rows_of_meters_come_after_those_of_the_other_types():
    models = plain().firmware.models  # type: ignore[union-attr]
    meter = models["plain"].model_copy(update={"type": "esme"})
    scenario = plain(
        models={
            name: model.model_dump()
            for name, model in (("plain", models["plain"]), ("meter", meter))
        },
        estate={"premises": 3},
    )

    assert [story.find(scenario, 0, row) for row in (2, 3)] == [
        story.Address("north", "ppmid", 2),
        story.Address("north", "esme", 0),
    ]
