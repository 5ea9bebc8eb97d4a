"""H9 on worlds of fluid minutes, whose answers are known: which policy comes back, how long it
takes, where the boundary is, and why.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from math import inf

import pytest

import sim
from sim.experiment.plan import ENGINES
from sim.report import answer, findings, write
from sim.report.aftermath import Aftermath
from sim.report.study import Study
from tests.report.reading import grid, same, summary
from tests.report.toy import MEAN

HUB = (
    "{stage: hub, mitigations: [{kind: retry, base: 1 s, factor: 1, most: 30 s, jitter: none, cap:"
    " 3, timeout: 30 s%s}]}"
)
EXPERIMENT = f"""schema_version: 1
experiment: recovery
question: After an outage of the DSP, does it recover by itself, and how long does it take? (H9)
scenario: gb_base
set:
  window: {{warm_up: 1 h, length: 9 h}}
  estate: {{premises: 300}}
  network_for: 300
  traffic: {{level: 100 %}}
  faults: {{stage_outages: [{{stage: dsp, server: all, start: 3 h, duration: 10 min}}]}}
options:
  no_retry: {{network: [{{stage: dsp, capacity: 10 /s}}]}}
  eager: {{network: [{HUB % ""}, {{stage: dsp, capacity: 10 /s}}]}}
  budget: {{network: [{HUB % ", budget: 10 %"}, {{stage: dsp, capacity: 10 /s}}]}}
factors:
  faults.stage_outages.0.duration: [5 min, 30 min]
  traffic.level: [20 %, 80 %, 120 %]
replications: 2
metrics: [drain_time_s, returned_to_normal_share]
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return the results of three retry policies, two outages and three loads."""
    folder = tmp_path_factory.mktemp("recovery")
    (folder / "recovery.yaml").write_text(EXPERIMENT, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENGINES, "fast", "tests.report.toy")
        return sim.run(folder / "recovery.yaml", out=folder, jobs=1, report=False)


def test_the_answer_names_who_comes_back_and_who_does_not(results):
    """At 72 % of capacity after half an hour; and says by arithmetic why: 4 × 0.72 is above 1, 1.1
    × 0.72 below.
    """
    text = findings(results).answer

    assert text.startswith(
        "That depends on what is sent again. After 30 min of outage of the DSP, at 120 % of today's"
        " traffic, a load of 71.9 "
    )
    assert "recovers by itself under no retry (2 of 2; 2" in text
    assert re.search(
        r"Under eager \(0 of 2; 0 to \d+ %\) the storm outlives its trigger: with eager it is back"
        r" to normal in 0 of 2 \(0 to ",
        text,
    )
    assert (
        "may be sent up to 4 times, which makes of the load before 2.88 times the capacity" in text
    )
    assert "With budget it is sent at most 1.1 times, 0.791 of the capacity" in text


def test_t9_is_the_summary(results):
    """A row a policy; drain time, closed form, load and share returned are those of `summary.csv`.
    """
    want, rows = summary(results), grid(findings(results), "T9. ")

    assert [row["policy"] for row in rows] == ["no retry", "eager", "budget"]
    for row in rows:
        cell = f"{row['policy'].replace(' ', '_')}-30min-120pc"
        assert same(row["load before"], *want[cell, "load_before_share", "dsp/dsp"], 100)
        assert same(row["amplification"], *want[cell, "amplification_ratio", "all"])
        assert same(row["closed form"], *want[cell, "drain_fluid_s", "dsp/dsp"], 1 / 60)
        assert row["back to normal"].startswith(
            f"{2 * want[cell, 'returned_to_normal_share', 'all'][0]:.0f} of 2"
        )
        if row["policy"] == "eager":
            assert want[cell, "drain_time_s", "all"][0] == inf
            assert (row["drain time"], row["metastable"]) == ("not drained", "yes")
        else:
            assert same(row["drain time"], *want[cell, "drain_time_s", "all"], 1 / 60)
            assert row["metastable"] == "no"


def test_fluid_worlds_drain_as_the_closed_form_says(results):
    """Without retries within a minute of outage × load ÷ (1 − load), at every load and outage."""
    outcomes = Aftermath(Study(results)).of("no retry")

    assert len(outcomes) == 6
    for outcome in outcomes:
        load = MEAN * float(outcome.cell.scenario.traffic.level) * 1.001 / 10
        assert outcome.fluid.value == pytest.approx(outcome.outage_s * load / (1 - load), rel=0.02)
        assert abs(outcome.drain.value - outcome.fluid.value) <= 90


def test_the_boundary_of_each_policy_is_said(results):
    """Eager retries come back from 12 % of capacity and not from 48 %; arithmetic vouches for 25 %;
    the others come back from everywhere.
    """
    points = findings(results).points
    eager = next(point for point in points if point.startswith("eager: "))

    assert eager.startswith("eager: after 30 min it recovers up to a load of 12 ")
    assert "is not back at 48 " in eager
    assert (
        "metastable from somewhere between the two; up to 25 % (1 ÷ 4 attempts) it must recover, by"
        " arithmetic"
        in eager
    )
    assert sum("no metastable state was found" in point for point in points) == 2


def test_its_figures_are_the_loop_the_drain_time_and_the_minutes(results):
    """Each drawn, with title and alternative text; the page holds the three, and the answer is
    printed whole.
    """
    found = findings(results)
    write(results)

    assert [picture.name for picture in found.pictures] == [
        "f9_hysteresis",
        "f9_drain_time",
        "f9_timeline",
    ]
    assert found.pictures[0].title.startswith("With eager the way down is not the way up")
    for picture in found.pictures:
        svg = (results.path / "figures" / f"{picture.name}.svg").read_text(encoding="utf-8")
        assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert "T9. What each policy makes of 30 min at 120 % of the traffic" in answer(results)
    assert "T9c" not in answer(results)
    assert "T9c. Every policy" in (results.path / "report.html").read_text(encoding="utf-8")


USERS = """schema_version: 1
experiment: userout
question: After an outage of a user, does it recover? (H9)
scenario: gb_base
set:
  window: {warm_up: 10 min, length: 3 h}
  estate: {premises: 100}
  traffic: {level: 100 %}
  reporting: {rule: periodic, period: 15 min, phase: {window: 15 min}}
  network_for: 100
  network: [{stage: hub, mitigations: []}, {stage: user, capacity: 10 /s, latency: 1 s}]
  faults: {stage_outages: [{stage: user, server: all, start: 70 min, duration: 5 min}]}
options: {no_retry: {}}
factors: {"faults.stage_outages.0.duration": [1 min, 5 min], traffic.level: [40 %, 100 %]}
replications: 2
metrics: [drain_time_s, returned_to_normal_share]
"""


def test_a_user_may_be_the_server_that_was_out(tmp_path):
    """It has a capacity like any other; the page is written."""
    (tmp_path / "userout.yaml").write_text(USERS, encoding="utf-8")
    assert sim.run(tmp_path / "userout.yaml", out=tmp_path, jobs=1).report_path.is_file()


def test_a_budget_with_a_window_is_held_to_it(tmp_path):
    """Retries of its share and of a second in each window: 1 + 0.1 + 3 ÷ 60 times; nothing is said
    of what calm hours saved, and the longest drain is that of a window's savings at most.
    """
    told = EXPERIMENT.replace("budget: 10 %", "budget: 10 %, budget_window: 1 min")
    (tmp_path / "recovery.yaml").write_text(told, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENGINES, "fast", "tests.report.toy")
        results = sim.run(tmp_path / "recovery.yaml", out=tmp_path, jobs=1, report=False)
    said = findings(results)
    outcome = next(one for one in Aftermath(Study(results)).outcomes if one.policy == "budget")
    load = outcome.before.value

    assert "With budget it is sent at most 1.15 times" in said.answer
    assert not any("in calm hours" in point for point in said.points)
    assert outcome.longest_drain_s(600) == pytest.approx(
        load * (1.15 * 600 + 0.1 * 60) / (1 - 1.15 * load)
    )
