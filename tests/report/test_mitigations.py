"""H8 on a day made up so that the answers are known: what stops the storm, what loses the alert
that matters, and what SECMP0062's rule alone can do.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from math import inf
from types import SimpleNamespace

import pytest

import sim
from sim.experiment.plan import ENGINES
from sim.metrics import Estimate
from sim.report import answer, findings, protection, write
from sim.report.remedies import Remedies, changes
from sim.report.study import Study
from sim.scenario.design import cells
from sim.scenario.load import load
from tests.report.reading import differences, grid, same, summary

CSP = "{stage: csp, capacity: 900 /s}"
USER = "{stage: user, operators: 4, flood_above: 10, flood_below: 5}"
PLAIN = "{stage: dsp, capacity: 50 /s}"
SECMP0062 = "{kind: alert_storm_protection, threshold: 5, window: 1 h, forward_period: 24 h}"
RETRY = "{kind: retry, base: 10 s, factor: 2, most: 1 h, jitter: full, cap: 3}"
EXPERIMENT = f"""schema_version: 1
experiment: mitigations
question: >-
  Which mitigation, at which layer, with which setting, stops the storm without losing the alert
  that matters? (H8)
scenario: gb_base
set:
  window: {{warm_up: 0 s, length: 1 d}}
  estate: {{premises: 300}}
  traffic: {{level: 100 %}}
  reporting: {{rule: periodic, phase: {{source: fixed_clock, jitter: 0 s}}}}
  alerts: {{active: [chatter, power_outage]}}
  network: [{CSP}, {PLAIN}, {USER}]
options:
  storm: {{traffic: {{level: 100 %}}}}
  no_storm: {{reporting: {{rule: none}}}}
  protection_alone: {{network: [
    {CSP}, {{stage: dsp, capacity: 50 /s, mitigations: [{SECMP0062}]}}, {USER}]}}
  hub_dedupe: {{network: [
    {{stage: hub, mitigations: [{{kind: dedupe, window: 1 h}}]}}, {CSP}, {PLAIN}, {USER}]}}
  shedding: {{network: [
    {CSP},
    {{stage: dsp, capacity: 50 /s, mitigations: [
      {{kind: shed, above: 100, kinds: [version_report]}}]}},
    {USER}]}}
  spread_out: {{network: [
    {{stage: device, mitigations: [{{kind: jitter, window: 10 s}}, {RETRY}]}},
    {CSP}, {PLAIN}, {USER}]}}
factors:
  network.0.mitigations.0.window: {{levels: [10 s, 1 h], when: {{option: spread_out}}}}
  network.0.mitigations.1.cap: {{levels: [0, 8], when: {{option: spread_out}}}}
comparator: storm
replications: 2
metrics: [dsp_messages_per_s_peak, late_per_day, genuine_loss_share]
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return the results of a storm, the world without it, and four mitigations, of one of which
    four settings.
    """
    folder = tmp_path_factory.mktemp("mitigations")
    (folder / "mitigations.yaml").write_text(EXPERIMENT, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENGINES, "fast", "tests.report.toy")
        return sim.run(folder / "mitigations.yaml", out=folder, jobs=1, report=False)


def test_the_answer_names_what_stops_the_storm_and_loses_nothing(results):
    """Shedding reports and an hour of jitter do; deduplication at the hub and the protection alone
    do not.
    """
    found = findings(results)

    assert "the busiest second brings the DSP 920.5 ± " in found.answer
    assert "Of 4 mitigations, 2 stop it" in found.answer
    assert "; without losing more genuine alerts than " in found.answer
    assert (
        "never come or come late: spread out (jitter window 1 h, retry cap 0) and shedding."
        in found.answer
    )
    assert (
        "Of these, the busiest second falls most under spread out (jitter window 1 h, retry cap 0)"
        " (at the device: jitter (window 1 h)"
        in found.answer
    )
    assert (
        "Shedding leaves the busiest second as it is. Shedding refuses 75 % of the version reports."
        in found.answer
    )
    assert "Do not stop it: hub dedupe and protection alone." in found.points


def test_the_protection_alone_is_measured_on_both_kinds_of_storm(results):
    """One sentence, both numbers: none of the daily reports, 97.5 % of what chatters, all of it
    counted.
    """
    point = next(point for point in findings(results).points if "SECMP0062" in point)
    want = summary(results)

    assert point.startswith(
        "SECMP0062's rule alone does nothing against a report a day from every home (it stops 0 %"
    )
    assert want["protection_alone", "throttled_share", "chatter"][0] == 0.975
    assert "stops 97.5 %" in point
    assert "all 4,000 a day" in point
    assert "counted for anomaly detection" in point


def test_what_loses_the_alert_that_matters_is_named_with_its_code(results):
    """Deduplication at the hub consolidates half of the outage alerts."""
    point = next(
        point
        for point in findings(results).points
        if point.startswith("What loses the alert that matters")
    )

    assert "hub dedupe 50 percentage points more" in point
    assert "of power outage, AD1, 93.33 % in place of 43.33 %" in point
    assert "shedding" not in point


def test_t8_is_measured_against_the_storm_and_against_the_calm(results):
    """Cuts and delays are paired with the storm, lateness with the world without it, shares are
    those of `summary.csv`.
    """
    want = summary(results)
    less = differences(results)
    rows = {row["mitigation"]: row for row in grid(findings(results), "T8. ")}
    remedies = Remedies(Study(results))

    assert list(rows) == [
        "storm",
        "spread out (jitter window 1 h, retry cap 0)",
        "hub dedupe",
        "protection alone",
        "shedding",
        "no storm",
    ]
    for cell in remedies.cells:
        row = rows[remedies.called(cell)]
        assert same(row["genuine delayed"], *want[cell.name, "genuine_delayed_share", "all"], 100)
        assert same(row["genuine lost"], *want[cell.name, "genuine_suppressed_share", "all"], 100)
        if want[cell.name, "end_to_end_delay_s_p90", "version_report"][0] == inf:
            assert (cell.name, row["added delay (p90), s"]) == ("shedding", "not reached by 90 %")
            assert (cell.name, "end_to_end_delay_s_p90", "version_report") not in less
        else:
            assert same(
                row["added delay (p90), s"],
                *less[cell.name, "end_to_end_delay_s_p90", "version_report"],
            )
        more = (
            want[cell.name, "late_per_day", "on_demand"][0]
            + want[cell.name, "late_per_day", "power_outage"][0]
        )
        more -= (
            want["no_storm", "late_per_day", "on_demand"][0]
            + want["no_storm", "late_per_day", "power_outage"][0]
        )
        assert float(row["other messages late a day"].split()[0].replace(",", "")) == pytest.approx(
            more, rel=0.01
        )
        cut = (
            1
            - want[cell.name, "dsp_messages_per_s_peak", "all"][0]
            / want["storm", "dsp_messages_per_s_peak", "all"][0]
        )
        assert float(row["peak cut"].split()[0]) == pytest.approx(100 * cut, abs=0.1)
    assert [(row["layer"], row["built by"]) for row in rows.values()][1:4] == [
        ("device", "device makers"),
        ("hub", "hub makers"),
        ("dsp", "DSP"),
    ]


@pytest.mark.parametrize(
    ("lost_on", "told"), [(None, "Yes: on the list no more genuine alerts are lost"), (0.1, "")]
)
def test_whether_a_code_should_be_on_the_list_is_answered(lost_on, told):
    """Yes where what is on it loses none and what is off it does; and what that spares in load."""
    worlds = [
        cell
        for cell in cells(load("alert_exclusion_list"))
        if cell.name in ("on_the_list", "off_the_list")
    ]
    lost = {"on_the_list": lost_on, "off_the_list": 0.237}

    def costs(cell):
        value = lost[cell.name]
        return None if value is None else Estimate(value, 0.052, 3, "share")

    remedies = SimpleNamespace(
        cells=worlds, costs=costs, cut=lambda _: Estimate(0.0, 0.0, 3, "share")
    )

    found = protection.listing(remedies)

    assert found.startswith(told)
    assert found == "" or found.endswith(
        "off it the protection suppresses or delays 23.7 ± 5.2 % more, and spares the busiest"
        " second nothing."
    )


def test_settings_are_what_differs_from_the_storm(results):
    """Read from the resolved worlds, layer by layer; what both have is not a mitigation."""
    study = Study(results)
    by_option = {cell.option: cell for cell in study.cells}
    told = {
        option: [
            (change.layer, change.setting)
            for change in changes(by_option[option], by_option["storm"])
        ]
        for option in ("shedding", "hub_dedupe")
    }

    assert told["hub_dedupe"] == [("hub", "dedupe (window 1 h)")]
    assert told["shedding"] == [("dsp", "shed (kinds version_report, above 100)")]


def test_f8_is_coloured_by_outcome(results):
    """Ten seconds of jitter leave others late whatever the cap, an hour with cap 0 does not; the
    page holds both figures and every setting.
    """
    study = Study(results)
    remedies = Remedies(study)
    found = findings(results)
    write(results)

    outcomes = {
        tuple(cell.levels.values()): remedies.outcome(cell)
        for cell in remedies.sweeps["spread_out"]
    }
    assert outcomes == {("10 s", "0"): 2, ("10 s", "8"): 2, ("1 h", "0"): 0, ("1 h", "8"): 0}
    assert [picture.name for picture in found.pictures] == ["f8_phase_diagram", "f8_mitigations"]
    assert found.pictures[0].title.startswith(
        "Of 4 settings of jitter window and retry cap, 2 keep"
    )
    for picture in found.pictures:
        assert ElementTree.fromstring(
            (results.path / "figures" / f"{picture.name}.svg").read_text(encoding="utf-8")
        ).tag.endswith("svg")
    page = (results.path / "report.html").read_text(encoding="utf-8")
    assert all(f"T8{part}. " in page for part in ("", "b", "c", "d"))
    assert "T8. What each mitigation does" in answer(results)
