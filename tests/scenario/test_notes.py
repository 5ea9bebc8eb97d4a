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
ROW = "network.dsp.mitigations=[{kind: shed, kinds: [version_report], above: 10}]"


def notes(base: str, *sets: str) -> str:
    """Return the notes of a shipped scenario or experiment under *sets*, one a line."""
    return "\n".join(notes_of([cell.scenario for cell in cells(load(base, sets))]))


@pytest.mark.parametrize(
    ("base", "sets", "told"),
    [
        ("gb_base", ("reporting.loss=5 %",), "reporting.loss moves nothing here: it is read only"),
        ("gb_firmware", ("updates.local.rate=9 /year",), "updates.local.rate moves nothing here"),
        ("gb_base", ("traffic.kinds.on_demand.rate=1 /d",), "traffic.kinds.on_demand.rate moves"),
        (
            "firmware/p4",
            ("network=[{stage: dsp, capacity: 1 /s}]", ROW),
            "network.dsp.mitigations.0 moves nothing here",
        ),
        ("gb_base", ("reporting.rule=periodic",), "nothing can be pushed aside"),
        ("gb_base", (*DAILY, "reporting.devices=[ppmid, hcalcs]"), "hcalcs never changes version"),
        ("gb_base", (*DAILY, "updates.policy=ota_only"), "ppmid and ihd never change version"),
        (
            "gb_firmware",
            ("reporting.rule=periodic", "updates.policy=ota_only", "reporting.devices=[ihd]"),
            "ihd never changes version",
        ),
        ("gb_base", (*DAILY, "reporting.period=400 d"), "The window is short for reporting.period"),
        (
            "firmware/p4",
            ("reporting.heartbeat=380 d",),
            "The window is short for reporting.heartbeat",
        ),
        ("firmware/p4", ("firmware.reads.compliance=500 d",), "No compliance report falls into"),
        (
            "gb_base",
            ("faults.stage_outages=[{stage: dsp, server: all, start: 1 d, duration: 1 h}]",),
            "faults.stage_outages.0 ends at 25 h, before measuring begins at 30 d",
        ),
        (
            "gb_base",
            ("faults.wan_outages=[{region: north, share: 5 %, rate: 0.1 /year, duration: 4 h}]",),
            "faults.wan_outages.0 comes 0.11 times on average",
        ),
        (
            "gb_base",
            (
                "faults.stage_outages=[{stage: dsp, server: all, start: 31 d, every: 380 d,"
                " duration: 1 h}]",
            ),
            "would come again after 380 d",
        ),
        ("gb_base", ("reporting.rule=on_change",), "28 % of the devices that are updated locally"),
        ("gb_base", ("window.warm_up=0 s",), "There is no warm-up"),
        ("gb_firmware", (), "at most 21 % of the devices that releases reach"),
    ],
)
def test_what_may_not_be_meant_is_noted(base: str, sets: tuple[str, ...], told: str) -> None:
    assert told in notes(base, *sets)


@pytest.mark.parametrize(
    ("base", "sets", "silent"),
    [
        ("gb_base", ("reporting.rule=periodic", "reporting.loss=5 %"), "moves nothing"),
        ("gb_firmware", ("firmware.local.take_up=30 %",), "moves nothing"),
        ("gb_base", (*DAILY, ROW), "moves nothing"),
        ("gb_base", DAILY, "pushed aside"),
        ("gb_base", DAILY, "never change"),
        ("firmware/meters", ("reporting.rule=periodic",), "never change"),
        ("gb_base", (*DAILY, "reporting.period=300 d"), "The window is short"),
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
    days = int(short.rpartition(" d 99 %")[0].rpartition("After ")[2])
    enough = notes("gb_base", "reporting.rule=on_change", f"window.warm_up={days} d")
    almost = notes("gb_base", "reporting.rule=on_change", f"window.warm_up={days - 1} d")
    assert "warm-up" not in enough
    assert "99 %" in almost


def test_what_differs_from_the_base_is_listed_with_its_value() -> None:
    told = notes("gb_base", "estate.premises=20000", "reporting.loss=5 %", "network=[]")
    assert told.splitlines()[0] == (
        "Differs from gb_base in estate.premises (20,000), reporting.loss (5 %), network ([])."
    )
    assert not notes("gb_base", *DAILY[:0], "window.warm_up=425 d").count("question")


def test_a_note_of_some_cells_says_of_how_many() -> None:
    told = notes("cheapest_record")
    assert "(So in 16 of 17 cells.)" in told
    assert told.startswith("All cells differ from gb_base in replications (5)")


def test_a_leaf_that_some_cell_reads_is_not_noted() -> None:
    """Of its options only some are told by a timer, which has a phase."""
    assert "moves nothing" not in notes("cheapest_record", "reporting.phase.window=12 h")


@pytest.mark.parametrize("name", sorted(shipped()))
def test_nothing_shipped_sets_what_nobody_reads(name: str) -> None:
    """But for one: `flip` has one evidence for both losses, whatever the rule."""
    told = notes(name)
    if name == "experiments/flip":
        told = told.replace("reporting.han_loss moves nothing", "")
    assert "nothing here" not in told


def test_check_plan_manifest_and_answer_note_the_same(tmp_path: Path) -> None:
    sets = [*SMALL, "reporting.loss=5 %"]
    due = list(notes_of([load("gb_base", sets)]))
    assert len(due) > 1
    asked = [word for change in sets for word in ("--set", change)]
    checked = CliRunner().invoke(main, ["check", "gb_base", *asked])
    assert checked.stdout == "gb_base: sound\n"
    assert checked.stderr.splitlines() == [f"gb_base: note: {note}" for note in due]
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
