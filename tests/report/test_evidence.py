"""What was assumed: every leaf, the changed first, with its grade."""

from __future__ import annotations

import sim
from sim.report.evidence import assumed, footing, grades, is_sample, replications, scale
from sim.report.study import Study, base_leaves
from sim.scenario.assumptions import load_assumptions


def test_every_leaf_of_the_base_is_listed_once(runs):
    """Each row of assumptions.csv is there, or what it says stands under the rows below it."""
    rows = assumed(Study(runs["storm"]))
    paths = [row.path for row in rows]
    known = {row.path for row in load_assumptions()}

    assert len(paths) == len(set(paths))
    missing = {path for path in known if path not in paths} - {"faults.power_cuts"}
    assert {path for path in missing if not path.startswith(("firmware.", "updates.ban."))} <= set(
        base_leaves("gb_firmware")
    )
    assert all(row.source for row in rows)


def test_what_the_run_changed_stands_first(runs):
    """The capacities, the period, the phases; then what it left alone, the weakest evidence first.
    """
    rows = assumed(Study(runs["storm"]))
    changed = {row.path: row for row in rows if row.changed}

    assert [row.changed for row in rows] == sorted((row.changed for row in rows), reverse=True)
    assert {
        "network.csp.capacity",
        "reporting.phase.source",
        "traffic.level",
        "estate.premises",
        "faults.power_cuts.0.region",
    } <= set(changed)
    assert "traffic.kinds.on_demand.rate" not in changed
    assert changed["reporting.phase.source"].value == "hashed | fixed_clock | power_on | activation"
    assert (
        changed["network.csp.capacity"].value,
        changed["network.csp.capacity"].base,
        changed["network.csp.capacity"].grade,
    ) == ("20 /s", "2000 /s", "D")
    left = [row.grade for row in rows if not row.changed]
    assert left == sorted(left, key="DCBA–".index)


def test_a_leaf_without_a_row_borrows_that_of_its_block(runs):
    """A power cut's start is judged as power cuts are."""
    rows = {row.path: row for row in assumed(Study(runs["storm"]))}

    assert rows["faults.power_cuts.0.start"].grade == "D"
    assert "storms review" in rows["faults.power_cuts.0.start"].source
    assert rows["network.csp.latency"].grade == "–"


def test_the_footing_of_every_figure(runs):
    """Scale, replications, interval, worst grade."""
    study = Study(runs["storm"])

    assert is_sample(study)
    assert scale(study) == "a sample of 20,000 premises (the base estate has 20,000,000)"
    assert replications(study) == "means of 2 replications with their 95 % intervals"
    assert replications(Study(runs["calm"])) == "one replication: no interval"
    assert footing(study).endswith(
        "weakest evidence used: grade D (an assumption without public evidence)."
    )
    assert grades(assumed(study)).count("of grade") == 4


def test_a_scale_is_no_assumption_of_grade_d(tmp_path):
    """It says how much is simulated; what is assumed stands at its value for all of the estate."""
    small = {"window.warm_up": "0 s", "window.length": "1 d"}
    run = sim.run(
        "gb_base", out=tmp_path, jobs=1, report=False, scale="1/100000", replications=1, **small
    )
    (row,) = (row for row in assumed(Study(run)) if row.path == "estate.scale")
    assert (row.value, row.base, row.grade) == ("1/100000", "1", "–")
