"""The firmware block: it is read as `docs/firmware.md` names it, written back, misspelt keys are
known, and what is unusual but sound is accepted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.scenario.air import CLASSES
from sim.scenario.alerts import FIRMWARE_CAUSES
from sim.scenario.faults import ScenarioError
from sim.scenario.firmware import LIVING, Firmware
from sim.scenario.firmware_checks import versions
from sim.scenario.load import load, resolved, shipped
from sim.scenario.schema import Scenario

WORLDS = sorted(name for name in shipped() if name == "gb_firmware" or name.startswith("firmware/"))
FULL = (  # what gb_firmware leaves out, so that every field of the block is there
    'firmware.models.ppmid_a.permitted={"2": [1], "3": [1, 2]}',
    "firmware.screening.gateway_outages=[{start: 10 d, every: 30 d, duration: 1 d}]",
    "firmware.screening.capacity=10 /s",
    (
        "firmware.ota.exchange={start: 100 d, share: 30 %, curve: [{share: 100 %, time: 1 d}],"
        " reseed: true}"
    ),
    "firmware.campaign.blackouts=[{start: 10 d, duration: 14 d}]",
    "updates.ban={start: 10 d, grace: 10 d, scope: where_ota_works, compliance: 50 %}",
)


def world(*sets: str, of: str = "gb_firmware") -> Scenario:
    scenario = load(of, sets)
    assert isinstance(scenario, Scenario)
    return scenario


def firmware(*sets: str) -> Firmware:
    block = world(*sets).firmware
    assert block is not None
    return block


@pytest.mark.parametrize("name", WORLDS)
def test_every_shipped_world_is_read_and_written_back(tmp_path, name):
    scenario = world(of=name)
    path = tmp_path / "again.yaml"
    path.write_text(resolved(scenario), encoding="utf-8")
    assert load(path) == scenario
    assert scenario.firmware is not None


def test_the_full_block_is_read_and_written_back(tmp_path):
    scenario = world(*FULL)
    path = tmp_path / "again.yaml"
    path.write_text(resolved(scenario), encoding="utf-8")
    assert load(path) == scenario
    assert scenario.firmware is not None
    assert scenario.firmware.models["ppmid_a"].permitted == {2: (1,), 3: (1, 2)}


def test_the_default_world_has_every_kind_of_thing_that_is_asked_about():
    block = firmware()
    assert {model.type for model in block.models.values()} == {"ppmid", "ihd", "hcalcs"}
    assert {release.release_class for release in block.releases} == {
        "feature",
        "defect",
        "security",
    }
    assert set(block.campaign.priority) == set(CLASSES)
    assert {alert.cause for alert in world().alerts.kinds.values()} >= set(FIRMWARE_CAUSES)
    assert versions(block, world().window) == {
        "hcalcs_a": 3,
        "ihd_a": 5,
        "ppmid_a": 7,
        "ppmid_b": 6,
        "ppmid_c": 6,
    }


def test_names_are_in_their_order_whatever_the_file_says():
    block = firmware(
        "firmware.models.a_model={type: ihd, share: 0, size: 1 B, sleepy: false, downgrades:"
        " refused, asks_from: 0, cut: 0}"
    )
    for mapping in (
        block.models,
        block.local.channels,
        block.ota.distribution,
        block.ota.capacity,
        block.off,
    ):
        assert list(mapping) == sorted(mapping)
    assert next(iter(block.models)) == "a_model"


def fields(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every key in *value* that the schema names."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from fields(item, (*path, str(index)))
    elif isinstance(value, dict):
        for key, item in value.items():
            if not path or path[-1] not in (
                "models",
                "channels",
                "distribution",
                "capacity",
                "permitted",
                "off",
            ):
                yield (*path, key)
            yield from fields(item, (*path, key))


def test_every_field_of_the_block_misspelt_suggests_the_right_one():
    block = firmware(*FULL).model_dump(mode="json", by_alias=True)
    paths = {re.sub(r"\.\d+\.", ".0.", ".".join(path)): path for path in fields(block)}
    assert len(paths) > 130
    for *parents, field in paths.values():
        wrong = ".".join(["firmware", *parents, field[0] + field])
        with pytest.raises(ScenarioError) as error:
            world(*FULL, f"{wrong}=1")
        assert f"(did you mean {field}?)" in next(
            fault.message for fault in error.value.faults if fault.path == wrong
        )


@pytest.mark.parametrize(
    "sets",
    [
        ("firmware.releases=[]",),  # nothing ever happens, and reads are read all the same
        ("firmware.ota.types=[]", "firmware.ota.classes=[]"),
        ("firmware.local.take_up=0 %", "firmware.local.classes=[]", "firmware.local.hours=null"),
        ("firmware.ota.mp105=null",),
        ('firmware.models.ppmid_b.permitted={"3": [0, 1], "1": [0]}',),
        # a way down that no other way leads back from, save those that nobody restricts
        ('firmware.models.ppmid_b.permitted={"1": [2]}',),
        ("firmware.models.hcalcs_a.asks_from=100",),
        ("firmware.screening.design=audit", "firmware.models.ppmid_a.asks_from=100"),
        (
            (
                "firmware.campaign.ramp={kind: groups, first: null, factor: null, shares: [1 %, 9"
                " %, 90 %]}"
            ),
        ),
        (
            "firmware.campaign.ramp={kind: constant, first: null, factor: null, share: 30 %}",
            "firmware.campaign.open.length=24 h",
        ),
        (
            "updates.ban={start: 0 d, grace: 0 d, scope: where_ota_works, compliance: 0 %}",
            "firmware.ota.start=90 d",
        ),
        ("reporting.rule=cloud", "reporting.period=7 d"),
        ("reporting.rule=none", "reporting.devices=[esme]"),  # says nothing while nothing reports
        (
            "network=[{stage: dsp, capacity: 1 /s}]",
            "faults.stage_outages=[{stage: dsp, server: all, start: 1 d, duration: 1 h}]",
        ),
        (
            "estate.devices.hcalcs=0",
            "firmware.releases=[{model: ppmid_a, class: defect, first: 1 d}]",
        ),
        ("alerts.active=[image_activated, image_transferred, tamper]",),
    ],
)
def test_what_is_unusual_but_sound_is_accepted(sets):
    assert world(*sets).name == "gb_firmware"


def test_what_is_wrong_in_several_blocks_is_said_at_once():
    sets = (
        "firmware.models.ppmid_a.share=40 %",
        "reporting.phase.jitter=1 s",
        "firmware.campaign.ramp.share=1 %",
        "updates.ban={start: 9 d, grace: 9999 d, scope: everywhere, compliance: 1}",
    )
    with pytest.raises(ScenarioError) as error:
        world(*sets)
    assert {fault.path for fault in error.value.faults} == {
        "firmware.models.ppmid_c.share",
        "reporting.phase.jitter",
        "firmware.campaign.ramp.share",
        "updates.ban",
    }


@pytest.mark.parametrize(
    ("rule", "period_s"),
    [
        ("digest", 172_800),
        ("piggy_back", 172_800),
        ("cloud", 172_800),
        ("event_read", 0),
        ("audit", 0),
    ],
)
def test_rules_with_a_timer_have_a_period(rule, period_s):
    assert world(f"reporting.rule={rule}", "reporting.period=2 d").reporting.timer_s == period_s


def test_the_types_that_live_are_those_of_the_contract():
    assert LIVING == ("ppmid", "ihd", "hcalcs", "esme", "gsme")
    assert "ppmid, ihd, hcalcs, esme, gsme in that order" in (
        Path(__file__).parents[2] / "docs/firmware.md"
    ).read_text(encoding="utf-8")
