"""What is printed is what was measured, and the sentences follow from it."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.metrics import METRICS, Estimate, Window, measure
from sim.report import answer, cheapest, findings
from sim.report import contest as contest_of
from sim.report.contest import Contest
from sim.report.floor import Floor
from sim.report.grids import WIDTH
from sim.report.study import Study
from sim.tables import TABLES
from tests.report.reading import differences, grid, same, summary


def cell(option, devices):
    """Return the name of a cell of the storm experiment."""
    return f"{option}-{devices.replace(', ', '_')}"


@pytest.mark.parametrize("name", ["storm", "calm"])
def test_t1_is_the_summary(runs, name):
    """Every load, delay and queue of T1 is that of `summary.csv`, rounded."""
    want, found = summary(runs[name]), findings(runs[name])
    load, delays = grid(found, "T1a"), grid(found, "T1b")

    assert len(load) == len(delays) == 10
    for row, waits in zip(load, delays, strict=True):
        server = row["stage"].removeprefix("CSP ") if row["stage"] != "DSP" else "all"
        stage = "dsp" if row["stage"] == "DSP" else "csp"
        where = cell(row["option"], "ihd, ppmid")
        assert waits["stage"] == row["stage"]
        for column, metric in [
            ("mean/s", "alerts_per_s_mean"),
            ("peak in 1 s", "alerts_per_s_peak"),
            ("peak in 60 s", "alerts_per_60s_peak"),
            ("peak in 900 s", "alerts_per_900s_peak"),
            ("peak ÷ mean", "peak_to_mean_ratio"),
        ]:
            assert same(row[column], *want[where, f"{stage}_{metric}", server])
        assert same(waits["time waiting"], *want[where, f"{stage}_waiting_share", server], 100)
        assert same(waits["longest queue"], *want[where, f"{stage}_peak_waiting_n", server])
        assert same(waits["p99 delay, s"], *want[where, f"{stage}_delay_s_p99", "all"])


def test_what_is_pushed_aside_is_the_paired_difference(runs):
    """On-demand messages made late: those of the cell less those of its comparator, replication by
    replication.
    """
    want, found = differences(runs["storm"]), findings(runs["storm"])

    for row in grid(found, "T1c"):
        own = cell(row["option"], "ihd, ppmid")
        others = [
            want[own, "late_per_day", kind][0]
            for kind in ("dcc_alert", "device_alert", "future_dated", "on_demand", "scheduled_read")
        ]
        assert float(
            row["other messages made late a day"].split(" ± ")[0].replace(",", "")
        ) == pytest.approx(sum(others), rel=0.05, abs=0.5)
        assert same(
            row["added to the load"],
            *summary(runs["storm"])[own, "baseline_uplift_share", "all"],
            100,
        )
    assert any(row["of kinds"] != "none" for row in grid(found, "T1c"))


def test_the_storms_named_are_those_in_which_something_waits(runs):
    """A storm is where the interval of the paired difference of waiting lies above nought."""
    want, text = differences(runs["storm"]), findings(runs["storm"]).answer
    storms = set()
    for option in ("hashed", "fixed_clock", "power_on", "activation"):
        waiting = [
            want[key]
            for key in want
            if key[0] == cell(option, "ihd, ppmid")
            and re.fullmatch("(csp|dsp)_waiting_share", key[1])
        ]
        if any(value - half_width > 0 for value, half_width in waiting):
            storms.add(option.replace("_", " "))

    assert text.startswith("Yes")
    named = re.search(r"make a storm \([^)]*\): ([^.]*)\.", text)
    assert named
    assert set(re.split(", | and ", named[1])) == storms
    assert "fixed clock" in storms


def test_a_calm_network_is_no_storm(runs):
    """Where nothing waits the answer is no, and one replication is said to have no interval."""
    text = answer(runs["calm"].path)

    assert "\nNo, at this scale and capacity:" in text
    assert (
        "nothing waits at any stage" in text
        or "no more waits than without reports at any stage" in text
    )
    assert "one replication: no interval" in text
    assert "±" not in text.partition("T1a")[2].partition("A sample")[0]


def test_the_protection_is_dismissed_by_proof(runs):
    """The least time between two reports of one device is the period less twice the jitter."""
    point = next(point for point in findings(runs["storm"]).points if "SECMP0062" in point)

    assert "a proof, not a measurement" in point
    assert "never less than 23 h 59 min 40 s apart" in point


def in_words(results):
    """Return the name of the cell of each rule where no WAN cell is out, by what T2 calls it."""
    return {plain: name for name, plain in plain_names(results).items()}


def test_t2_is_the_summary(runs):
    """Messages, wrong share and ages of every rule are those of `summary.csv`, rounded; the
    cheapest stands first.
    """
    want, rows = summary(runs["record"]), grid(findings(runs["record"]), "T2. ")
    cells = in_words(runs["record"])

    assert {cells[row["rule"]] for row in rows} == {
        name for name, _, _ in want if name.endswith("-up")
    }
    for row in rows:
        name = cells[row["rule"]]
        assert same(row["messages per device-year"], *want[name, "messages_per_device_year", "all"])
        assert same(row["records wrong"], *want[name, "record_wrong_share", "ppmid"], 100)
        assert same(
            row["records wrong for more than 7 days"],
            *want[name, "record_wrong_past_7d_share", "ppmid"],
            100,
        )
        assert same(row["mean staleness, d"], *want[name, "staleness_days_mean", "ppmid"])
        assert same(row["confirmation age, d"], *want[name, "confirmation_age_days_mean", "ppmid"])
    costs = [want[cells[row["rule"]], "messages_per_device_year", "all"][0] for row in rows]
    assert costs == sorted(costs)


def test_t2_prices_a_percentage_point_along_the_frontier(runs):
    """What a rule costs more than the one before it on the frontier, at a penny a message in the
    base estate of 20 million premises, ÷ the percentage points it leaves wrong less.
    """
    want, found = summary(runs["record"]), grid(findings(runs["record"]), "T2. ")
    cells, head = in_words(runs["record"]), "£ M a year per percentage point"
    on_it = [row for row in found if row["verdict"] == "on the frontier"]

    assert {row[head] for row in found if row not in on_it[1:]} == {"–"}
    for before, row in pairwise(on_it):
        (a, b), (x, y) = (
            [
                want[cells[each["rule"]], metric, group][0]
                for metric, group in (
                    ("messages_per_device_year", "all"),
                    ("record_wrong_share", "ppmid"),
                )
            ]
            for each in (before, row)
        )
        due = 0.01 * (x - a) * 20e6 * (0.80 + 0.08) / (100 * (b - y)) / 1e6
        said = row[head].removeprefix("about ").split()[0].replace(",", "")
        assert float(said) == pytest.approx(due, rel=0.06)


def test_t2b_is_the_same_rules_where_cells_are_out(runs):
    """Each rule in each world as in `summary.csv`; the answer says of the cheapest what is left."""
    want, found = summary(runs["record"]), findings(runs["record"])
    rows = grid(found, "T2b")
    cells = in_words(runs["record"])
    *_, lone, out, kept = rows[0]

    assert (lone, kept) == (
        "reports lost one by one",
        f"{out}, and hubs keep the latest report until they are back",
    )
    assert out == "WAN cells are out 10.9 % of the time, 10 d at a time"
    for row in rows:
        for head, level in ((lone, "up"), (out, "out_in_bursts"), (kept, "out_in_bursts_but_kept")):
            name = cells[row["rule"]].replace("-up", f"-{level}")
            assert same(row[head], *want[name, "record_wrong_past_7d_share", "ppmid"], 100)
    assert f"Where {out}, R" in found.answer
    assert f"Where {kept}, R" in found.answer


def plain_names(results):
    """Return what each rule is called in a sentence, by the name of its cell."""
    contest = Contest(Study(results))
    return {choice.cell.name: contest.called(choice) for choice in contest.choices}


def test_dominated_rules_are_named_with_what_dominates_them(runs):
    """Each verdict of T2 holds in `summary.csv`, and the points say the same."""
    want, found = summary(runs["record"]), findings(runs["record"])
    place = {
        name: (
            want[name, "messages_per_device_year", "all"][0],
            want[name, "record_wrong_share", "ppmid"][0],
        )
        for name, _, _ in want
        if "-up" in name
    }
    behind = {
        name
        for name, (x, y) in place.items()
        if any(a <= x and b <= y and (a, b) != (x, y) for a, b in place.values())
    }

    cells = in_words(runs["record"])
    for row in grid(found, "T2. "):
        name = cells[row["rule"]]
        assert (row["verdict"] == "on the frontier") == (name not in behind)
        if name in behind:
            winner = row["verdict"].removeprefix("dominated by ").removesuffix(" †")
            assert cells[winner] not in behind
            assert all(a <= b for a, b in zip(place[cells[winner]], place[name], strict=True))
            assert any(
                point.startswith(f"Dominated by {winner}:") and row["rule"] in point
                for point in found.points
            )
    assert "r3_periodic_1d-up" in behind


def test_on_change_with_heartbeat_is_compared_pair_by_pair(runs):
    """The difference in the answer is the one of `differences.csv`."""
    text = findings(runs["record"]).answer
    ours = r"(R6 \([^)]*\)) \((?:(?!R6 ).)*? wrong\) sends about one message for each"
    said = re.search(
        rf"{ours} (\S+) of those and has (fewer|more) records wrong by (.+?) percentage points",
        text,
    )

    assert said
    [name] = [cell for cell, plain in plain_names(runs["record"]).items() if plain == said[1]]
    value, half_width = differences(runs["record"])[name, "record_wrong_share", "ppmid"]
    assert same(said[4], abs(value), half_width, 100)
    assert (said[3] == "fewer") == (value <= 0)
    ours, daily = (
        summary(runs["record"])[each, "messages_per_device_year", "all"][0]
        for each in (name, "r3_periodic_1d-up")
    )
    assert float(said[2]) == pytest.approx(daily / ours, rel=0.05)


def test_the_cheapest_rule_that_is_right_enough_is_named(runs):
    """No cheaper rule leaves at most 1 % wrong for more than seven days."""
    want, text = summary(runs["record"]), findings(runs["record"]).answer
    late, cost = "record_wrong_past_7d_share", "messages_per_device_year"
    able = {
        name: want[name, cost, "all"][0]
        for name, _, _ in want
        if "-up" in name and want[name, late, "ppmid"][0] <= 0.01
    }
    best = plain_names(runs["record"])[min(able, key=able.get)]

    assert f"at most 1 % of the PPMID records wrong for more than 7 days is {best}:" in text


def test_where_no_rule_can_it_says_what_the_floor_is(runs, monkeypatch):
    """A bar below the floor: the homes never reached times what is wrong where nobody reports."""
    for module in (cheapest, contest_of):
        monkeypatch.setattr(module, "RIGHT_ENOUGH", 0.001)
    want, contest = summary(runs["record"]), Contest(Study(runs["record"]))
    silent = want["r0_none-up", "record_wrong_past_7d_share", "ppmid"][0]
    floor = contest.floor
    found = cheapest.findings(contest.study)

    assert floor.unreached == pytest.approx(0.05 + 0.007)
    assert floor.value.value == pytest.approx(0.057 * silent)
    assert "and none can: 5.7 % of premises are never reached" in found.answer
    [told] = [point for point in found.points if point.startswith("The floor:")]
    assert "5.7 % × 25 % = 1.43 %" in told


@given(st.floats(0.01, 0.5), st.floats(0.05, 0.9), st.floats(0, 0.04))
def test_the_floor_parts_those_reached_from_the_others(unreached, silent, inside):
    """What is found of all is made of both, and turns where it says it does."""
    floor = Floor(unreached, Estimate(silent, 0.0, 3, "share"))
    found = Estimate(unreached * silent + (1 - unreached) * inside, 0.0, 3, "share")

    assert floor.reached(found).value == pytest.approx(inside, abs=1e-9)
    turning = floor.turning(found, Estimate(0.045, 0.0, 3, "share")).value
    assert turning * silent + (1 - turning) * inside == pytest.approx(0.045)


def test_where_the_floor_turns_has_the_ends_of_all_three():
    """25 ± 1 % wrong in silence, 1 ± 0.5 % where reached, and at most 2 ± 0.1 % of all."""
    floor = Floor(0.0, Estimate(0.25, 0.01, 3, "share"))
    most = Estimate(0.02, 0.001, 3, "share")
    turning = floor.turning(Estimate(0.01, 0.005, 3, "share"), most)

    assert turning.value == pytest.approx(0.01 / 0.24)
    assert turning.bounds == pytest.approx((0.004 / 0.245, 0.016 / 0.235))
    assert floor.turning(Estimate(0.03, 0.001, 3, "share"), most).bounds == (0.0, 0.0)
    assert (
        floor.turning(Estimate(0.01, 0.001, 3, "share"), Estimate(0.3, 0.0, 3, "share")).value
        == 1.0
    )


def test_a_plain_scenario_says_what_it_measured(runs):
    """Every row of the table is a row of `summary.csv`."""
    want = {key[1:]: value for key, value in summary(runs["plain"]).items()}
    rows = grid(findings(runs["plain"]), "T1")

    assert len(rows) > 20
    for row in rows:
        scale = 100 if METRICS[row["metric"]].unit == "share" else 1
        assert same(row["value"], *want[row["metric"], row["group"]], scale)


def test_the_answer_fits_a_terminal(run):
    """Question first, prose within the width, every table titled."""
    text = answer(run.path)
    question = run.manifest["question"]

    assert text.startswith(question[:40] if question != "none" else run.manifest["name"])
    assert all(
        len(line) <= WIDTH
        for paragraph in text.split("\n\n")
        if "---" not in paragraph
        for line in paragraph.splitlines()
    )
    assert "A sample of" in text
    assert all(character.isprintable() or character == "\n" for character in text)


def test_the_values_of_a_run_are_those_of_its_tables(runs):
    """What the report compares pair by pair is what the tables say, and what was summarised."""
    study = Study(runs["record"])

    for cell in study.cells:
        for metric, group in (("messages_per_device_year", "all"), ("record_wrong_share", "ppmid")):
            values = study.series(cell, metric, group)
            assert sum(values.values()) / len(values) == pytest.approx(
                study.estimate(cell, metric, group).value
            )
            for r, value in values.items():
                tables = {name: study.tables(name, cell)[r] for name in TABLES}
                assert measure(tables, Window(7 * 86_400, 28 * 86_400))[metric, group] == value
