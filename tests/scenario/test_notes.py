"""What `check` notes of sound files, and that plan, manifest and answer note the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import sim
from sim.cli import main
from sim.report import answer
from sim.scenario.design import cells
from sim.scenario.load import load, shipped
from sim.scenario.notes import notes_of

SMALL = ("window={warm_up: 1 d, length: 2 d}", "estate.premises=500", "replications=1")
DAILY = ("reporting.rule=periodic", "traffic.level=100 %")
LOCK = 'faults.clock_locks=[{region: north, share: 50 %, start: 31 d, at: "00:00"}]'
CLOUD = ("updates.policy=ota_only", "reporting.rule=cloud", "firmware.local.take_up=90 %")
BANNED = (
    "updates.ban.scope=where_ota_works",
    "firmware.ota.classes=[non_core]",
    "firmware.ota.hub_ready.start=200 d",
)
ROW = "network.dsp.mitigations=[{kind: shed, kinds: [version_report], above: 10}]"


def notes(base: str, *sets: str) -> str:
    """Return the notes of a shipped scenario or experiment under *sets*, one a line."""
    return "\n".join(notes_of([cell.scenario for cell in cells(load(base, sets))]))


@pytest.mark.parametrize(
    ("base", "sets", "told"),
    [
        ("gb_base", ("reporting.loss=5 %",), "reporting.loss has no effect here: it has one only"),
        ("gb_firmware", ("updates.local.rate=9 /year",), "updates.local.rate has no effect here"),
        (
            "gb_base",
            ("traffic.kinds.on_demand.rate=1 /d",),
            "traffic.kinds.on_demand.rate has no effect",
        ),
        (
            "firmware/p4",
            ("network=[{stage: dsp, capacity: 1 /s}]", ROW),
            "network.dsp.mitigations.0 has no effect here",
        ),
        ("gb_base", ("reporting.rule=periodic",), "nothing but version reports"),
        ("gb_base", (*DAILY, "reporting.devices=[ppmid, hcalcs]"), "hcalcs never changes version"),
        ("gb_base", (*DAILY, "updates.policy=ota_only"), "ppmid and ihd never change version"),
        ("gb_base", (*DAILY, "reporting.devices=[ihd]"), "no record of an ihd"),
        ("gb_base", ("traffic.level=100 %", LOCK), "faults.clock_locks have no effect"),
        ("gb_firmware", ("network=[{stage: dsp, capacity: 1 /s}]",), "No message goes through"),
        ("gb_base", (LOCK,), "No message goes through"),
        ("gb_base", (*DAILY, LOCK.replace("50 %", "0 %")), "faults.clock_locks.0 takes nobody"),
        ("gb_firmware", ("firmware.ota.start=9000 d",), "firmware.ota.start is 9000 d, and the"),
        ("gb_base", ("reporting.rule=hub_store",), "The warm-up (30 d) is short"),
        (
            "gb_base",
            ("network.dsp.mitigations=[{kind: shed, above: 10}]",),
            "network.dsp.mitigations.0 has no effect",
        ),
        (
            "gb_firmware",
            ("reporting.rule=periodic", "updates.policy=ota_only", "reporting.devices=[ihd]"),
            "ihd never changes version",
        ),
        (
            "gb_base",
            (*DAILY, "reporting.period=400 d"),
            "reporting.period is 400 d, and only 365 d are measured: not every",
        ),
        (
            "firmware/p4",
            ("reporting.heartbeat=380 d",),
            "reporting.heartbeat is 380 d, and only 365 d are measured",
        ),
        ("firmware/p4", ("firmware.reads.compliance=500 d",), "No compliance report is made"),
        (
            "gb_base",
            ("faults.stage_outages=[{stage: dsp, server: all, start: 1 d, duration: 1 h}]",),
            "faults.stage_outages.0 is over at 25 h, before measuring begins at 30 d",
        ),
        (
            "gb_base",
            ("faults.wan_outages=[{region: north, share: 5 %, rate: 0.1 /year, duration: 4 h}]",),
            "faults.wan_outages.0 comes in 10 % of the replications",
        ),
        (
            "gb_base",
            (
                (
                    "faults.stage_outages=[{stage: dsp, server: all, start: 31 d, every: 380 d,"
                    " duration: 1 h}]"
                ),
            ),
            "faults.stage_outages.0 comes once: 380 d later the world is over",
        ),
        (
            "gb_base",
            ("reporting.rule=on_change",),
            "only 28 % of the devices that are updated locally have changed",
        ),
        ("gb_base", ("window.warm_up=0 s",), "There is no warm-up"),
        ("gb_firmware", (), "at most 21 % of the devices that some release reaches"),
    ],
)
def test_what_may_not_be_meant_is_noted(base: str, sets: tuple[str, ...], told: str) -> None:
    assert told in notes(base, *sets)


@pytest.mark.parametrize(
    ("base", "sets", "silent"),
    [
        ("gb_base", ("reporting.rule=periodic", "reporting.loss=5 %"), "no effect"),
        ("gb_firmware", ("firmware.local.take_up=30 %",), "no effect"),
        ("gb_base", (*DAILY, ROW), "no effect"),
        ("gb_base", (*DAILY, LOCK), "no effect"),
        ("gb_base", (*DAILY, LOCK), "takes nobody"),
        ("gb_base", ("reporting.rule=periodic", "alerts.active=[tamper]"), "nothing but version"),
        ("gb_base", ("estate.devices.ppmid=0 %", "estate.devices.ihd=0 %"), "warm-up"),
        ("firmware/p2", CLOUD, "no effect"),
        ("firmware/p1", BANNED, "hub_ready.start has no"),
        ("gb_base", ("network.dsp.capacity=600 kB/s", "reporting.size=140 B"), "size has no"),
        ("gb_base", ("reporting.rule=hub_store", "reporting.request_size=9 B"), "no effect"),
        (
            "gb_base",
            (
                "faults.wan_outages=[{region: north, share: 5 %, rate: 1 /d, duration: 4 h}]",
                "estate.premises_per_cell=2000",
            ),
            "premises_per_cell has",
        ),
        ("gb_base", DAILY, "nothing but version reports"),
        ("gb_base", DAILY, "never change"),
        ("firmware/meters", ("reporting.rule=periodic",), "never change"),
        ("gb_base", (*DAILY, "reporting.period=300 d"), "are measured"),
        ("firmware/p4", (), "compliance"),
        (
            "gb_base",
            ("faults.stage_outages=[{stage: dsp, server: all, start: 31 d, duration: 1 h}]",),
            "faults.stage_outages.0",
        ),
        ("gb_base", ("window.warm_up=425 d",), "warm-up"),
        ("gb_base", DAILY, "warm-up"),  # its timer tells every version in a day
        ("gb_base", ("updates.policy=ota_only",), "warm-up"),
    ],
)
def test_what_is_meant_is_not_noted(base: str, sets: tuple[str, ...], silent: str) -> None:
    assert silent not in notes(base, *sets)


def test_a_warm_up_as_long_as_told_is_long_enough() -> None:
    short = notes("gb_base", "reporting.rule=on_change")
    days = int(short.rpartition(" d would be enough")[0].rpartition(" ")[2])
    enough = notes("gb_base", "reporting.rule=on_change", f"window.warm_up={days} d")
    almost = notes("gb_base", "reporting.rule=on_change", f"window.warm_up={days - 1} d")
    assert "warm-up" not in enough
    assert "99 %" in almost


def test_what_differs_from_the_base_is_listed_with_its_value() -> None:
    told = notes("gb_base", "estate.premises=20000", "reporting.loss=5 %", "network=[]")
    assert (
        told.splitlines()[0]
        == "Differs from the base scenario in estate.premises (20,000), reporting.loss (5 %),"
        " network (none)."
    )
    assert notes("gb_base", "window.warm_up=425 d", "question=why?").count("question") == 0


def test_a_note_of_some_cells_says_of_how_many() -> None:
    assert "(In 7 of the 8 worlds compared.)" in notes("policies")
    told = notes("cheapest_record")
    assert told.startswith("All worlds compared differ from the base scenario in replications (5)")


def test_a_note_with_numbers_of_its_own_in_each_cell_is_that_of_one() -> None:
    told = notes("screening")
    assert "at most 26 % of the devices" in told
    assert (
        "(This is of one of the 22 worlds compared; it is so, with other numbers at most, in 21"
        " more.)"
        in told
    )


def test_a_leaf_that_some_cell_reads_is_not_noted() -> None:
    """Of its options only some are told by a timer, which has a phase."""
    assert "phase.window has no effect" not in notes(
        "cheapest_record", "reporting.phase.window=12 h"
    )


@pytest.mark.parametrize("name", sorted(shipped()))
def test_nothing_shipped_sets_what_nobody_reads(name: str) -> None:
    """But for three: `flip` has one evidence for both losses, whatever the rule; the block
    `firmware/p6` is for worlds that last longer than its base; and in `cheapest_record` the rule
    that reports nothing meets outages too.
    """
    if name not in ("experiments/flip", "firmware/p6", "cheapest_record"):
        assert "no effect" not in notes(name)


def test_check_plan_manifest_and_answer_note_the_same(tmp_path: Path) -> None:
    sets = [*SMALL, "reporting.loss=5 %"]
    due = notes("gb_base", *sets).splitlines()
    assert len(due) > 1
    asked = [word for change in sets for word in ("--set", change)]
    checked = CliRunner().invoke(main, ["check", "gb_base", *asked])
    assert checked.stdout == "gb_base: sound\n"
    assert checked.stderr.splitlines() == [f"gb_base: note: {note}" for note in due]
    assert checked.output.splitlines()[-1] == "gb_base: sound"  # on a terminal the verdict is last
    as_json = CliRunner().invoke(main, ["check", "gb_base", *asked, "--json"])
    assert json.loads(as_json.stdout)[0]["notes"] == due
    planned = CliRunner().invoke(main, ["plan", "gb_base", *asked])
    assert [line for line in planned.stdout.splitlines() if line.startswith("note: ")] == [
        f"note: {note}" for note in due
    ]
    as_json = CliRunner().invoke(main, ["plan", "gb_base", *asked, "--json"])
    assert json.loads(as_json.stdout)["notes"] == due
    results = sim.run("gb_base", out=tmp_path, **dict(pair.split("=", 1) for pair in sets))
    assert results.manifest["notes"] == due
    said = " ".join(answer(results).split())
    assert all(f"- Note: {note}" in said for note in due)


def test_every_fault_of_an_experiment_is_told_at_once() -> None:
    sets = ["metrics=[record_wrong_shar]", "estate.premise=5", "reporting.rul=none"]
    asked = [word for change in sets for word in ("--set", change)]
    told = CliRunner().invoke(main, ["check", "cheapest_record", *asked])
    assert told.exit_code == 2
    assert "metrics.0: is not a metric (did you mean record_wrong_share?)" in told.stderr
    assert "estate.premise: this key is not known" in told.stderr
    assert "reporting.rul: this key is not known" in told.stderr
