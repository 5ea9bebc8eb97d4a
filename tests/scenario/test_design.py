"""From an experiment to its cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.scenario.design import Cell, cells
from sim.scenario.faults import ScenarioError
from sim.scenario.load import load, resolved

HEAD = "schema_version: 1\nexperiment: trial\nquestion: none\nscenario: gb_base\n"


def write(folder: Path, body: str, head: str = HEAD) -> Path:
    path = folder / "trial.yaml"
    path.write_text(head + body, encoding="utf-8")
    return path


def made(folder: Path, body: str, sets: tuple[str, ...] = ()) -> tuple[Cell, ...]:
    return cells(load(write(folder, body), sets))


def test_a_scenario_is_one_cell():
    (cell,) = cells(load("gb_base"))
    assert (cell.name, cell.option, cell.levels, cell.scenario.name) == ("base", "", {}, "gb_base")


def test_a_grid_crosses_options_and_levels_with_the_last_factor_fastest(tmp_path):
    grid = made(
        tmp_path,
        "options: [p1, {name: hub, set: {reporting: {rule: R4}}}]\nfactors: {reporting.period: [1 d, 7 d], reporting.devices: [[ppmid], [ppmid, ihd]]}\n",
    )
    assert [cell.name for cell in grid] == [
        f"{option}-{period}-{devices}" for option in ("p1", "hub") for period in ("1d", "7d") for devices in ("ppmid", "ppmid_ihd")
    ]
    last = grid[-1]
    assert (last.option, last.levels) == ("hub", {"reporting.period": "7 d", "reporting.devices": "ppmid, ihd"})
    assert (last.scenario.reporting.rule, last.scenario.reporting.period, last.scenario.reporting.devices) == ("hub_batch", 604_800, ("ppmid", "ihd"))
    assert grid[0].scenario.updates.policy == "ota_only"


def test_a_list_takes_levels_together(tmp_path):
    pairs = made(tmp_path, "design: list\nfactors: {reporting.period: [1 d, 7 d], reporting.loss: [0.5 %, 5 %]}\n")
    assert [cell.name for cell in pairs] == ["1d-0p5pc", "7d-5pc"]
    assert [cell.scenario.reporting.loss for cell in pairs] == [0.005, 0.05]


def test_what_comes_later_wins(tmp_path):
    body = "set: {seed: 1, estate.premises: 100, reporting: {period: 2 d}}\noptions: {slow: {reporting: {period: 3 d}}}\nreplications: 7\n"
    (cell,) = made(tmp_path, body)
    assert (cell.scenario.seed, cell.scenario.estate.premises, cell.scenario.reporting.period, cell.scenario.replications) == (1, 100, 259_200, 7)
    (cell,) = made(tmp_path, body + "seed: 2\n", ("reporting.period=4 d", "replications=9"))
    assert (cell.scenario.seed, cell.scenario.reporting.period, cell.scenario.replications) == (2, 345_600, 9)


def test_an_overlay_changes_only_what_its_own_file_says(tmp_path):
    (cell,) = made(tmp_path, "set: {reporting: {period: 9 d}}\noptions: [policies/p1]\n")
    assert (cell.name, cell.scenario.name, cell.scenario.updates.policy, cell.scenario.reporting.period) == ("p1", "gb_base", "ota_only", 777_600)


def test_equal_names_are_told_apart(tmp_path):
    twins = made(tmp_path, "factors: {reporting.period: [1 d, 1d]}\n")
    assert [cell.name for cell in twins] == ["1d", "1d_2"]
    assert resolved(twins[0].scenario) == resolved(twins[1].scenario)


def test_every_cell_name_can_be_a_folder(tmp_path):
    worst = made(tmp_path, "factors: {question: ['../../x', 'A b.c/100%', '" + "y" * 90 + "', '" + "y" * 90 + "z']}\n")
    names = [cell.name for cell in worst]
    assert len(set(names)) == 4
    assert all(len(name) <= 64 and name.strip("abcdefghijklmnopqrstuvwxyz0123456789_-") == "" and name[0].isalnum() for name in names)


def test_a_fault_in_a_cell_stands_in_the_experiment_and_names_the_cell(tmp_path):
    path = write(tmp_path, "options:\n  good: {}\n  bad: {reporting: {rule: on_change_heartbeat, heartbeat: 1 h}}\n")
    with pytest.raises(ScenarioError) as error:
        cells(load(path))
    assert [(fault.file, fault.line, fault.path) for fault in error.value.faults] == [(str(path), 7, "reporting.phase.window")]

    path = write(tmp_path, "options: [p4]\n", HEAD.replace("gb_base", "base.yaml"))
    (tmp_path / "base.yaml").write_text("schema_version: 1\nextends: gb_base\nreporting: {phase: {window: 2 d}}\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as error:
        cells(load(path))
    (fault,) = error.value.faults
    assert (fault.file, fault.line) == (str(path), 5)
    assert fault.message.startswith("in cell p4: a window of 2 d is longer")


def test_a_fault_of_the_scenario_itself_is_reported_once(tmp_path):
    path = write(tmp_path, "options: [p0, p1, p2]\n", HEAD.replace("gb_base", "base.yaml"))
    (tmp_path / "base.yaml").write_text("schema_version: 1\nextends: gb_base\nseed: x\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as error:
        cells(load(path))
    assert [(Path(fault.file).name, fault.path) for fault in error.value.faults] == [("base.yaml", "seed")]


def test_a_factor_cannot_also_be_set(tmp_path):
    with pytest.raises(ScenarioError, match="is a factor of this experiment"):
        made(tmp_path, "factors: {reporting.period: [1 d, 7 d]}\n", ("reporting.period=2 d",))


@pytest.mark.parametrize("comparator", ["p1", "p1-1d"])
def test_the_comparator_is_an_option_or_a_cell(tmp_path, comparator):
    assert len(made(tmp_path, f"options: [p1, p4]\nfactors: {{reporting.period: [1 d, 7 d]}}\ncomparator: {comparator}\n")) == 4
