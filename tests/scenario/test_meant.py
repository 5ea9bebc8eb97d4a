"""What a file probably meant: keys, names and spellings that are refused with the right one beside
them.
"""

from __future__ import annotations

import pytest

import sim
from sim.scenario.design import cells
from sim.scenario.faults import ScenarioError
from sim.scenario.load import load

HEAD = "schema_version: 1\nexperiment: e\nquestion: q\nscenario: gb_base\n"


def refused(tmp_path, text, sets=()):
    """Return the faults of a file."""
    (tmp_path / "f.yaml").write_text(text)
    with pytest.raises(ScenarioError) as error:
        cells(load(tmp_path / "f.yaml", sets))
    return {fault.path: fault.message for fault in error.value.faults}


@pytest.mark.parametrize(
    ("path", "levels"),
    [
        ("reporting.loss", "[5 %, 0.05]"),
        ("reporting.period", "[24 h, 1 d]"),
        ("updates.local.rate", "[60 /h, 1 /min]"),
        ("estate.premises", "[1_000, 1000]"),
        ("estate.premises", "[1000, 1e3]"),
        ("reporting.phase.at", '["02:00", "02:00:00"]'),
        ("reporting.size", "[1 kB, 1000 B]"),
        ("network.csp.capacity", "[1 kB/s, 60 kB/min]"),
        ("estate.scale", "[1/100, 1/100]"),
        ("reporting.rule", "[periodic, periodic]"),
    ],
)
def test_a_level_in_two_spellings_is_one(tmp_path, path, levels):
    """As for equal texts: two worlds that are one are not compared."""
    told = refused(tmp_path, f"{HEAD}factors: {{{path}: {levels}}}\n")
    assert "listed twice" in told[f"factors.{path}"]


def test_the_first_spelling_is_named(tmp_path):
    """And levels that differ are none."""
    told = refused(tmp_path, f"{HEAD}factors: {{reporting.loss: [5 %, 0.05]}}\n")
    assert told["factors.reporting.loss"] == "the level 0.05 is 5 %, listed twice"
    (tmp_path / "g.yaml").write_text(
        f"{HEAD}factors: {{reporting.loss: [5 %, 0.5, 50.5 %], reporting.period: [1 d, 25 h]}}\n"
    )
    assert len(cells(load(tmp_path / "g.yaml"))) == 6


def test_what_is_of_the_experiment_is_no_factor(tmp_path):
    """Nor does an option or a case set it; every such fault at once."""
    body = (
        "options: {a: {replications: 5}, b: {name: x}}\nfactors: {seed: [1, 2], both: {paths:"
        " [question], levels: [a, b]}}\n"
    )
    told = refused(tmp_path, HEAD + body)
    assert set(told) == {"options.a.replications", "options.b.name", "factors.seed", "factors.both"}
    assert (
        told["factors.seed"]
        == "seed is of the experiment and the same for all cells; write seed at its top"
    )
    assert set(
        refused(tmp_path, HEAD + "cases: [{seed: 5}, {name: n, set: {replications: 2}}]\n")
    ) == {"cases.0.seed", "cases.1.replications"}


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        ("premises=5", r"did you mean estate\.premises\?"),
        ("take_up=5 %", "this key is not known"),  # two leaves have that name
        ("window.length=1 year", "write 365 d"),
        ("window.length=0.5 years", r"write 182\.5 d"),
        ("estate.regions.nroth=10 %", r"did you mean north\?"),
        ("estate.premises=2.5e-1", "is not a whole number"),
        ("estate.premises=1.5", "is not a whole number"),
    ],
)  # fmt: skip
def test_a_set_is_answered_with_what_it_meant(sets, told):
    """A leaf by its name alone, a unit, a name of the file's own."""
    with pytest.raises(ScenarioError, match=told):
        load("gb_base", [sets])


def test_a_model_that_is_not_there_is_answered_with_one_that_is():
    """Instead of a list of what it lacks alone."""
    with pytest.raises(ScenarioError, match=r"did you mean ppmid_c\?"):
        load("gb_firmware", ["firmware.models.ppmid_x.size=1 kB"])


def test_a_whole_number_may_have_an_exponent():
    """Where it is one."""
    assert load("gb_base", ["estate.premises=2e6"]).estate.premises == 2_000_000


def test_a_text_keeps_all_its_text(tmp_path):
    """What YAML would take for a comment, or a mapping, too."""
    for question in ("Run #3: now?", "a: b", "[1]", "5", "'tis so"):
        assert load("gb_base", [f"question={question}"]).question == question
    assert load("gb_base", ['question="Run #3"']).question == "Run #3"
    run = sim.run(
        "gb_base",
        out=tmp_path,
        jobs=1,
        report=False,
        question="Run #3: now?",
        premises=20,
        replications=1,
        **{"window.warm_up": "0 s", "window.length": "1 d"},
    )
    assert run.manifest["question"] == "Run #3: now?"


def test_a_file_that_extends_nothing_is_told_how_to_begin(tmp_path):
    """One sentence, not one for each block."""
    told = refused(tmp_path, "schema_version: 1\nname: mine\nreporting: {rule: periodic}\n")
    assert set(told) == {"extends"}
    assert "begin with extends: gb_base" in told["extends"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("sweep", "factors"),
        ("parameters", "factors"),
        ("runs", "replications"),
        ("base", "scenario"),
        ("optons", "options"),
    ],
)
def test_a_key_of_another_tool_is_answered_with_ours(tmp_path, word, meant):
    """An experiment's keys."""
    told = refused(tmp_path, f"{HEAD}{word}: {{reporting.loss: [0 %]}}\n")
    assert told[word].endswith(f"(did you mean {meant}?)")


def test_what_all_cells_share_may_be_set_for_all(tmp_path):
    """How often they are run, and their seed."""
    (tmp_path / "g.yaml").write_text(HEAD + "set: {replications: 5, seed: 9}\n")
    (cell,) = cells(load(tmp_path / "g.yaml"))
    assert (cell.scenario.replications, cell.scenario.seed) == (5, 9)
