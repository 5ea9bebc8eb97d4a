"""From an experiment to its cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.scenario import design
from sim.scenario.design import Cell, cells
from sim.scenario.faults import ScenarioError
from sim.scenario.load import load
from sim.units import parse_rate, parse_share

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
        "options: [p1, {name: hub, set: {reporting: {rule: R4}}}]\nfactors: {reporting.period: [1"
        " d, 7 d], reporting.devices: [[ppmid], [ppmid, ihd]]}\n",
    )
    assert [cell.name for cell in grid] == [
        f"{option}-{period}-{devices}"
        for option in ("p1", "hub")
        for period in ("1d", "7d")
        for devices in ("ppmid", "ppmid_ihd")
    ]
    last = grid[-1]
    assert (last.option, last.levels) == (
        "hub",
        {"reporting.period": "7 d", "reporting.devices": "ppmid, ihd"},
    )
    assert (
        last.scenario.reporting.rule,
        last.scenario.reporting.period,
        last.scenario.reporting.devices,
    ) == ("hub_batch", 604_800, ("ppmid", "ihd"))
    assert grid[0].scenario.updates.policy == "ota_only"


def test_a_list_takes_levels_together(tmp_path):
    pairs = made(
        tmp_path,
        "design: list\nfactors: {reporting.period: [1 d, 7 d], reporting.loss: [0.5 %, 5 %]}\n",
    )
    assert [cell.name for cell in pairs] == ["1d-0p5pc", "7d-5pc"]
    assert [cell.scenario.reporting.loss for cell in pairs] == [0.005, 0.05]


def test_what_comes_later_wins(tmp_path):
    body = (
        "set: {seed: 1, estate.premises: 100, reporting: {period: 2 d}}\noptions: {slow:"
        " {reporting: {period: 3 d}}}\nreplications: 7\n"
    )
    (cell,) = made(tmp_path, body)
    assert (
        cell.scenario.seed,
        cell.scenario.estate.premises,
        cell.scenario.reporting.period,
        cell.scenario.replications,
    ) == (1, 100, 259_200, 7)
    (cell,) = made(tmp_path, body + "seed: 2\n", ("reporting.period=4 d", "replications=9"))
    assert (cell.scenario.seed, cell.scenario.reporting.period, cell.scenario.replications) == (
        2,
        345_600,
        9,
    )


def test_an_overlay_changes_only_what_its_own_file_says(tmp_path):
    (cell,) = made(tmp_path, "set: {reporting: {period: 9 d}}\noptions: [policies/p1]\n")
    assert (
        cell.name,
        cell.scenario.name,
        cell.scenario.updates.policy,
        cell.scenario.reporting.period,
    ) == ("p1", "gb_base", "ota_only", 777_600)


def test_equal_names_are_told_apart(tmp_path):
    levels = '{"a b": {reporting.loss: 1 %}, a_b: {reporting.loss: 2 %}}'
    twins = made(tmp_path, f"factors: {{x: {{levels: {levels}}}}}\n")
    assert [cell.name for cell in twins] == ["a_b", "a_b_2"]


def test_every_cell_name_can_be_a_folder(tmp_path):
    names = ["../../x", "A b.c/100%", "y" * 90, "y" * 90 + "z"]
    levels = ", ".join(f"'{name}': {{reporting.loss: {n} %}}" for n, name in enumerate(names))
    worst = made(tmp_path, f"factors: {{x: {{levels: {{{levels}}}}}}}\n")
    names = [cell.name for cell in worst]
    assert len(set(names)) == 4
    assert all(
        len(name) <= 64
        and name.strip("abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
        and name[0].isalnum()
        for name in names
    )


def test_a_fault_in_a_cell_stands_in_the_experiment_and_names_the_cell(tmp_path):
    path = write(
        tmp_path,
        "options:\n  good: {}\n  bad: {reporting: {rule: on_change_heartbeat, heartbeat: 1 h}}\n",
    )
    with pytest.raises(ScenarioError) as error:
        cells(load(path))
    assert [(fault.file, fault.line, fault.path) for fault in error.value.faults] == [
        (str(path), 7, "reporting.phase.window")
    ]

    path = write(tmp_path, "options: [p4]\n", HEAD.replace("gb_base", "base.yaml"))
    (tmp_path / "base.yaml").write_text(
        "schema_version: 1\nextends: gb_base\nreporting: {phase: {window: 2 d}}\n", encoding="utf-8"
    )
    with pytest.raises(ScenarioError) as error:
        cells(load(path))
    (fault,) = error.value.faults
    assert (fault.file, fault.line) == (str(path), 5)
    assert fault.message.startswith("in cell p4: a window of 2 d is longer")


def test_a_fault_of_the_scenario_itself_is_reported_once(tmp_path):
    path = write(tmp_path, "options: [p0, p1, p2]\n", HEAD.replace("gb_base", "base.yaml"))
    (tmp_path / "base.yaml").write_text(
        "schema_version: 1\nextends: gb_base\nseed: x\n", encoding="utf-8"
    )
    with pytest.raises(ScenarioError) as error:
        cells(load(path))
    assert [(Path(fault.file).name, fault.path) for fault in error.value.faults] == [
        ("base.yaml", "seed")
    ]


def test_a_factor_cannot_also_be_set(tmp_path):
    with pytest.raises(ScenarioError, match="is a factor of this experiment"):
        made(tmp_path, "factors: {reporting.period: [1 d, 7 d]}\n", ("reporting.period=2 d",))


@pytest.mark.parametrize("comparator", ["p1", "p1-1d"])
def test_the_comparator_is_an_option_or_a_cell(tmp_path, comparator):
    assert (
        len(
            made(
                tmp_path,
                "options: [p1, p4]\nfactors: {reporting.period: [1 d, 7 d]}\ncomparator:"
                f" {comparator}\n",
            )
        )
        == 4
    )


def test_zip_is_another_word_for_list(tmp_path):
    pairs = made(
        tmp_path,
        "design: zip\nfactors: {reporting.period: [1 d, 7 d], reporting.loss: [0.5 %, 5 %]}\n",
    )
    assert [cell.name for cell in pairs] == ["1d-0p5pc", "7d-5pc"]


def test_cases_are_named_worlds(tmp_path):
    body = (
        "options: [p1, p4]\ncases:\n  usual: {reporting.period: 7 d}\n  worst: {reporting.period: 1"
        " d, reporting.loss: 5 %}\n"
    )
    found = made(tmp_path, body)
    assert [cell.name for cell in found] == ["p1-usual", "p1-worst", "p4-usual", "p4-worst"]
    assert [cell.levels for cell in found[:2]] == [
        {"reporting.period": "7 d"},
        {"reporting.period": "1 d", "reporting.loss": "5 %"},
    ]
    assert [
        (cell.scenario.reporting.period, cell.scenario.reporting.loss) for cell in found[:2]
    ] == [(604_800, 0.0), (86_400, 0.05)]
    listed = made(
        tmp_path,
        "design: cases\ncases: [{name: usual, set: {reporting.period: 7 d}}, {reporting.loss: 5"
        " %}]\n",
    )
    assert [cell.name for cell in listed] == ["usual", "5pc"]


def test_one_at_a_time_varies_each_factor_from_end_to_end(tmp_path):
    found = made(
        tmp_path,
        "design: one_at_a_time\nfactors: {reporting.loss: assumed, reporting.rule: [none,"
        " periodic]}\n",
    )
    assert [cell.name for cell in found] == [
        "base",
        "loss_0pc",
        "loss_20pc",
        "rule_none",
        "rule_periodic",
    ]
    assert [cell.levels for cell in found] == [
        {},
        {"reporting.loss": "0 %"},
        {"reporting.loss": "20 %"},
        {"reporting.rule": "none"},
        {"reporting.rule": "periodic"},
    ]


SAMPLE = (
    "design: latin_hypercube\npoints: 8\nseed: 5\nfactors: {updates.local.rate: assumed,"
    " reporting.loss: {low: 1 %, high: 2 %}}\n"
)


def test_a_sample_writes_its_values_in_the_levels(tmp_path):
    found = made(tmp_path, SAMPLE)
    assert [cell.name for cell in found] == [f"s{n}" for n in range(8)]
    assert [cell.points for cell in found] == [(n,) for n in range(8)]
    for cell in found:
        rate, loss = cell.levels["updates.local.rate"], cell.levels["reporting.loss"]
        assert (parse_rate(rate), parse_share(loss)) == (
            cell.scenario.updates.local.rate,
            cell.scenario.reporting.loss,
        )
    assert sorted(
        int(8 * (float(cell.levels["reporting.loss"].split()[0]) - 1)) for cell in found
    ) == list(range(8))


def test_a_sample_does_not_depend_on_the_order_of_the_file(tmp_path):
    turned = SAMPLE.replace(
        "{updates.local.rate: assumed, reporting.loss: {low: 1 %, high: 2 %}}",
        "{reporting.loss: {low: 1 %, high: 2 %}, updates.local.rate: assumed}",
    )
    assert turned != SAMPLE
    assert [cell.levels for cell in made(tmp_path, SAMPLE)] == [
        cell.levels for cell in made(tmp_path, turned)
    ]
    assert [cell.levels for cell in made(tmp_path, SAMPLE)] != [
        cell.levels for cell in made(tmp_path, SAMPLE, ("seed=6",))
    ]


def test_options_meet_the_same_points(tmp_path):
    found = made(tmp_path, SAMPLE + "options: [p1, p4]\n")
    assert len(found) == 16
    assert [cell.levels for cell in found[:8]] == [cell.levels for cell in found[8:]]


def test_a_coupled_factor_sets_several_paths(tmp_path):
    body = (
        "factors:\n  network:\n    levels:\n      small: {network.0.capacity: 5 /s,"
        " network.1.capacity: 9 /s}\n"
    )
    body += "      large: {network.0.capacity: 50 /s, network.1.capacity: 90 /s}\n"
    body += "  slow: {paths: [reporting.heartbeat, reporting.phase.window], levels: [1 d, 2 d]}\n"
    found = made(tmp_path, body)
    assert [cell.name for cell in found] == ["small-1d", "small-2d", "large-1d", "large-2d"]
    assert found[1].levels == {"network": "small", "slow": "2 d"}
    assert [stage.capacity.rate for stage in found[1].scenario.network] == [5, 9]
    assert (found[1].scenario.reporting.heartbeat, found[1].scenario.reporting.phase.window) == (
        172_800,
        172_800,
    )


CONDITIONAL = """\
options: {often: {reporting: {rule: periodic}}, beat: {reporting: {rule: on_change_heartbeat}}}
factors:
  reporting.loss: [1 %, 2 %]
  reporting.heartbeat: {levels: [7 d, 28 d], when: {option: beat}}
"""


def test_a_conditional_factor_is_left_alone_where_it_does_not_apply(tmp_path):
    """Cells are not duplicated: one of `often` stands for both heartbeats."""
    found = made(tmp_path, CONDITIONAL)
    assert [cell.name for cell in found] == [
        "often-1pc",
        "often-2pc",
        "beat-1pc-7d",
        "beat-1pc-28d",
        "beat-2pc-7d",
        "beat-2pc-28d",
    ]
    assert [cell.points for cell in found] == [(0, 1), (2, 3), (0,), (1,), (2,), (3,)]
    assert found[0].levels == {"reporting.loss": "1 %"}
    assert found[0].scenario.reporting.heartbeat == 604_800


def test_a_condition_may_be_another_factors_level(tmp_path):
    body = (
        "factors:\n  reporting.rule: [none, periodic]\n  reporting.period: {levels: [1 d, 7 d],"
        " when: {reporting.rule: periodic}}\n"
    )
    body += "  reporting.loss: {levels: [0 %, 5 %], when: {reporting.period: [7 d]}}\n"
    assert [cell.name for cell in made(tmp_path, body)] == [
        "none",
        "periodic-1d",
        "periodic-7d-0pc",
        "periodic-7d-5pc",
    ]


def test_what_is_excluded_is_left_out(tmp_path):
    body = (
        "options: [p1, p4]\nfactors: {reporting.period: [1 d, 7 d], reporting.loss: [0 %, 1 %, 5"
        " %]}\n"
    )
    body += (
        "exclude: [{option: p1, reporting.period: 1 d}, {reporting.loss: [0 %, 5 %],"
        " reporting.period: 7 d}]\n"
    )
    assert [cell.name for cell in made(tmp_path, body)] == [
        "p1-7d-1pc",
        "p4-1d-0pc",
        "p4-1d-1pc",
        "p4-1d-5pc",
        "p4-7d-1pc",
    ]


def test_more_than_ten_thousand_cells_are_made_when_asked_for_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(design, "MOST_CELLS", 3)
    loaded = load(write(tmp_path, "factors: {reporting.loss: [1 %, 2 %, 3 %, 4 %]}\n"))
    with pytest.raises(ScenarioError, match="4 cells; more than 3 are made only with --yes"):
        cells(loaded)
    assert len(cells(loaded, yes=True)) == 4
    with pytest.raises(ScenarioError, match="no experiment has more than"):
        cells(
            load(
                write(
                    tmp_path,
                    "design: sobol\npoints: 524288\noptions: [p1, p2, p4]\nfactors:"
                    " {reporting.loss: assumed}\n",
                )
            ),
            yes=True,
        )
