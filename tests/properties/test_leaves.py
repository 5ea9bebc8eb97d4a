"""No leaf of firmware is idle: change any one of them and some table changes. What other blocks
have and a firmware world has not moves nothing, and is listed.

A world is as small as it can be with everything in it that the leaf needs.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import pytest

from sim.run import replicate
from sim.scenario.leaves import leaves_of
from sim.scenario.load import load, resolved
from sim.scenario.schema import Scenario
from sim.scenario.tree import parse
from sim.tables import Tables
from sim.units import format_duration, parse_duration

METER = "size: 512 kB, sleepy: false, downgrades: refused, asks_from: 0"
BUSY: Final = {  # everything happens often, and to many
    "window": "{warm_up: 10 d, length: 290 d}",
    "estate.premises": "150",
    "estate.devices": "{esme: 1, gsme: 1, ppmid: 1, ihd: 1, hcalcs: 1}",
    "estate.no_wan_share": "5 %",
    "estate.premises_per_cell": "20",
    "reporting": (
        "{rule: on_change_heartbeat, devices: [ppmid, ihd, hcalcs, esme, gsme], heartbeat: 60 d,"
        " phase: {window: 60 d}}"
    ),
    "firmware.models.esme_a": f"{{type: esme, share: 100 %, cut: 50 %, {METER}}}",
    "firmware.models.gsme_a": f"{{type: gsme, share: 100 %, cut: 0 %, {METER}}}",
    "firmware.models.ppmid_a.permitted": '{"3": [1, 2]}',
    "firmware.releases": (
        "["
        + ", ".join(
            f"{{model: {model}, class: {kind}, first: {first} d, every: {every} d}}"
        for model, kind, first, every in (
            ("ppmid_a", "defect", 5, 60),
            ("ppmid_a", "security", 55, 100),
            ("ppmid_b", "feature", 9, 50),
            ("ppmid_c", "specification", 12, 70),
            ("ihd_a", "feature", 3, 60),
            ("hcalcs_a", "defect", 4, 60),
            ("esme_a", "defect", 7, 60),
            ("gsme_a", "security", 2, 80),
        )  # fmt: skip
        )
        + "]"
    ),
    "firmware.off": "{ppmid: 10 %, ihd: 10 %, hcalcs: 10 %, esme: 10 %, gsme: 10 %}",
    "firmware.pipeline": (
        "{assurance: {low: 3 d, high: 9 d}, reject: 40 %, resubmit: 5 d, data_error: 40 %,"
        " correction: 20 d, withdrawn: 30 %, withdrawn_after: 30 d}"
    ),
    "firmware.local": "{take_up: 50 %, lead: 8 d, variant: 20 %}",
    "firmware.screening": (
        "{design: token, signed: 30 %, capacity: 1 /h, token_life: 10 min, retry: 5 d,"
        " false_accept: 20 %, false_reject: 20 %, gateway_outages: [{start: 20 d, every: 30 d,"
        " duration: 5 d}]}"
    ),
    "firmware.ota": (
        "{types: [ppmid, hcalcs, esme, gsme], classes: [security, defect, specification, feature],"
        " loss: 20 %, interruption: 40 %, retries: 2, retry_after: 5 d, exchange: {start: 60 d,"
        " share: 50 %, curve: [{share: 50 %, time: 20 d}, {share: 100 %, time: 90 d}], reseed:"
        " false}}"
    ),
    "firmware.ota.hub_ready": (
        "{start: 5 d, curve: [{share: 60 %, time: 10 d}, {share: 90 %, time: 100 d}]}"
    ),
    "firmware.ota.activation.failure": "20 %",
    "firmware.ota.response": "{loss: 30 %, patience: 3 d}",
    "firmware.ota.mp105.start": "50 d",
    "firmware.campaign": (
        "{lead: 2 d, at_once: 2, ramp: {first: 10 %}, blackouts: [{start: 30 d, duration: 5 d}],"
        " soak: 2 d, least: 20, gates: 3, error_threshold: 70 %, success_threshold: 45 %,"
        " sweep_every: 5 d}"
    ),
    "firmware.reads": (
        "{install: 2 /year, gain: 2 /year, call: {share: 50 %, delay: 2 d}, compliance: 30 d}"
    ),
    "updates.ban": "{start: 150 d, grace: 20 d, scope: where_ota_works, compliance: 70 %}",
}
_CONSTANT: Final = "{kind: constant, first: null, factor: null, share: 50 %}"
_UNHEARD: Final = {"reporting": "{rule: none, devices: [], phase: {window: 1 d}}"}
# an older version comes late to homes that have a newer one over the air
_DOWN: Final = _UNHEARD | {
    "updates.ban": "null",
    "firmware.models.ppmid_a": "{downgrades: allowed, permitted: null, share: 100 %}",
    "firmware.models.ppmid_b.share": "0 %",
    "firmware.models.ppmid_c.share": "0 %",
    "firmware.releases": (
        "[{model: ppmid_a, class: defect, first: 5 d, every: 60 d}, {model: ppmid_a, class:"
        " security, first: 15 d, every: 60 d}]"
    ),
    "firmware.local.classes": "[defect]",
    "firmware.local.channels.pushed.delay": "60 d",
    "firmware.screening.design": "none",
    "firmware.pipeline": "{reject: 0 %, data_error: 0 %, withdrawn: 0 %}",
}
_ON_THE_NETWORK: Final = {
    "firmware.models.ppmid_a.permitted": "null",
    "window": "{warm_up: 0 d, length: 30 d}",
    "updates.ban": "null",
    "network": "[{stage: dsp, capacity: 1000 /s}]",
    "alerts.active": "[false_outage, false_restored]",
    "firmware.pipeline": (
        "{assurance: {low: 1 d, high: 1 d}, reject: 0 %, listing: 0 d, data_error: 0 %, withdrawn:"
        " 0 %}"
    ),
    "firmware.ota.exchange": "null",
    "firmware.ota.activation.wait": "{low: 1 h, high: 2 h}",
    "firmware.screening.gateway_outages": "[]",
    "firmware.campaign": "{lead: 1 d, ramp: {first: 90 %}, blackouts: []}",
}
OTHERWISE: Final[dict[str, dict[str, str]]] = {  # what a leaf needs beside a busy world
    "firmware.models.ppmid_a.downgrades": _DOWN,
    "firmware.ota.interval_sleepy": {"firmware.models.ppmid_a.sleepy": "true"},
    "firmware.campaign.ramp.share": {"firmware.campaign.ramp": _CONSTANT},
    "firmware.campaign.ramp.shares": {
        "firmware.campaign.ramp": "{kind: groups, first: null, factor: null, shares: [50 %, 50 %]}"
    },
    "firmware.campaign.least": {"estate.premises": "400"},
    "firmware.reads.prices.wasted": {"estate.premises": "400"},
    "firmware.reads.prices.missed": _DOWN,
    "firmware.reads.prices.false_compliance": _DOWN,
    "firmware.reads.prices.wrong_path": (
        _UNHEARD | {"firmware.models.ppmid_a.permitted": '{"3": [0], "4": [0], "5": [0]}'}
    ),
    "firmware.reads.event_delay": {"reporting": "{rule: event_read, devices: [ppmid]}"},
    "firmware.ota.cut_length.low": _ON_THE_NETWORK,
    "firmware.ota.cut_length.high": _ON_THE_NETWORK,
    "firmware.ota.exchange.reseed": {
        "reporting": "{rule: hub_poll, devices: [ppmid], period: 60 d, phase: {window: 60 d}}"
    },
    "firmware.screening.signed": {"firmware.screening.design": "signature"},
    "firmware.screening.list_age": {"firmware.screening.design": "allow_list"},
}
_HOURS: Final = "[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]"
INSTEAD: Final[dict[str, dict[str, str]]] = {  # a change that needs a hand
    "firmware.models.ppmid_a.share": {
        "firmware.models.ppmid_a.share": "10 %",
        "firmware.models.ppmid_b.share": "70 %",
    },
    "firmware.models.ppmid_a.type": {
        "firmware.models.ppmid_b.share": "80 %",
        "firmware.models.ppmid_a": "{type: ihd, share: 50 %}",
        "firmware.models.ihd_a.share": "50 %",
    },
    "firmware.models.ppmid_a.permitted.3": {"firmware.models.ppmid_a.permitted": '{"3": [0]}'},
    "firmware.models.ppmid_a.asks_from": {"firmware.models.ppmid_a.asks_from": "3"},
    "firmware.models.ppmid_a.cut": {"firmware.models.esme_a.cut": "0 %"},
    "firmware.models.ppmid_a.downgrades": {"firmware.models.ppmid_a.downgrades": "refused"},
    "firmware.releases.0.model": {"firmware.releases.0.model": "ppmid_b"},
    "firmware.releases.0.class": {"firmware.releases.0.class": "non_core"},
    "firmware.local.classes": {"firmware.local.classes": "[security]"},
    "firmware.local.channels.pushed.share": {
        "firmware.local.channels.pushed.share": "10 %",
        "firmware.local.channels.app.share": "80 %",
    },
    "firmware.local.hours.hours": {"firmware.local.hours.hours": _HOURS},
    "firmware.screening.design": {"firmware.screening.design": "audit"},
    "firmware.screening.capacity": {"firmware.screening.capacity": "5 /h"},
    "firmware.ota.types": {"firmware.ota.types": "[ppmid, esme, gsme]"},
    "firmware.ota.classes": {"firmware.ota.classes": "[security]"},
    "firmware.ota.start": {"firmware.ota.start": "100 d"},
    "firmware.ota.interval_awake": {"firmware.ota.interval_awake": "60000"},
    "firmware.ota.interval_sleepy": {"firmware.ota.interval_sleepy": "60000"},
    "firmware.ota.capacity.north": {"firmware.ota.capacity.north": "5 /d"},
    "firmware.ota.exchange.curve.0.time": {"firmware.ota.exchange.curve.0.time": "60 d"},
    "firmware.ota.response.delay.low": {"firmware.ota.response.delay.low": "20 min"},
    "firmware.ota.mp105.read.low": {"firmware.ota.mp105.read": "{low: 2 d, high: 3 d}"},
    "firmware.ota.cut_length.low": {"firmware.ota.cut_length.low": "5 min"},
    "firmware.campaign.order": {"firmware.campaign.order": "by_risk"},
    "firmware.campaign.priority": {
        "firmware.campaign.priority": "[feature, defect, non_core, specification, security]"
    },
    "firmware.campaign.ramp.kind": {"firmware.campaign.ramp": _CONSTANT},
    "firmware.campaign.ramp.shares": {"firmware.campaign.ramp.shares": "[10 %, 90 %]"},
    "firmware.campaign.open.length": {"firmware.campaign.open.length": "1 h"},
    "firmware.campaign.least": {"firmware.campaign.least": "100000"},
    "updates.ban.start": {"updates.ban.start": "100 d"},
    "updates.ban.scope": {"updates.ban.scope": "everywhere"},
}
# leaves of other blocks that say nothing in a firmware world, each with another value and the
# reason
INERT: Final = {
    "updates.local.driver": ("releases", "firmware.local says who is updated locally, and when"),
    "updates.local.rate": ("9 /year", "firmware.releases says how often"),
    "updates.local.take_up": ("90 %", "firmware.local.take_up does"),
    "updates.local.first_release": ("3 d", "firmware.releases says when"),
    "updates.local.delay": ("50 d", "firmware.local.channels does"),
    "reporting.target": ("25 s", "reports pass the network by: none is late"),
}
WORDS: Final = {"true": "false", "false": "true", "refused": "allowed", "closed": "open"}


def sets_of(settings: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{path}={value}" for path, value in settings.items())


def world(settings: dict[str, str]) -> Scenario:
    scenario = load("gb_firmware", sets_of(settings))
    assert isinstance(scenario, Scenario)
    return scenario


@cache
def tables_of(sets: tuple[str, ...]) -> Tables:
    scenario = load("gb_firmware", sets)
    assert isinstance(scenario, Scenario)
    return replicate(scenario, 0)


def every_leaf() -> dict[str, str]:
    """Return one leaf of each name in the schema, with its value: one model, one release, one
    region.
    """
    tree = parse(resolved(world(BUSY)), "busy")[0].value
    assert isinstance(tree, dict)
    assert isinstance(tree["updates"].value, dict)
    leaves = leaves_of(tree["firmware"], "firmware") | leaves_of(
        tree["updates"].value["ban"], "updates.ban"
    )
    one = r"(models|channels|distribution|capacity|off|days)\.[a-z_]+|\.\d+"
    # these are taken
    ours = sorted(
        leaves,
        key=lambda path: any(name in path for name in (".ppmid_a.", ".north", ".pushed.", ".0")),
    )
    return {
        path: leaves[path]
        for path in {
            re.sub(one, lambda match: match[0].partition(".")[0] + ".X", path): path
            for path in ours
        }.values()
        if leaves[path]
    }


# of ramps of other kinds
LEAVES: Final = every_leaf() | {
    "firmware.campaign.ramp.share": "50 %",
    "firmware.campaign.ramp.shares": "50 %, 50 %",
}


def changed(value: str) -> str:
    """Return another value like *value*."""
    number = re.match(r"[0-9.]+", value)
    if value.endswith("%"):
        return "80 %" if float(value[:-1]) < 60 else "30 %"
    if value in WORDS:
        return WORDS[value]
    if re.fullmatch(r"\d\d:\d\d", value):
        return '"11:00"' if value != "11:00" else '"05:00"'
    if " /" in value and number:
        return f"{float(number[0]) / 3:.6f}{value[number.end() :]}"
    if re.fullmatch(r"[0-9.]+ (d|h|min|s)", value):
        return format_duration(parse_duration(value) * 2 + 86_400)
    if value.endswith(" B") and number:
        return f"{int(number[0]) * 2} B"
    return str(int(float(value)) + 1)


def moved(settings: dict[str, str], change: dict[str, str]) -> list[str]:
    """Return the tables that *change* changes in the world of *settings*."""
    before, after = tables_of(sets_of(settings)), tables_of(sets_of(settings | change))
    return [name for name in before if not before[name].equals(after[name])]


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_leaf_of_firmware_moves_something(leaf: str) -> None:
    assert moved(BUSY | OTHERWISE.get(leaf, {}), INSTEAD.get(leaf) or {leaf: changed(LEAVES[leaf])})


@pytest.mark.parametrize("leaf", INERT)
def test_what_says_nothing_in_a_firmware_world_moves_nothing(leaf: str) -> None:
    value, reason = INERT[leaf]
    assert moved(BUSY, {leaf: value}) == [], reason


def test_every_exception_is_still_one() -> None:
    assert {*OTHERWISE, *INSTEAD} <= {*LEAVES}
