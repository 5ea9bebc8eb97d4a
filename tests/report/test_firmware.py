"""The sections of firmware worlds, on worlds made up by formulas, whose answers are known:
policies, screening, store and forward, rollouts, MP105.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

import sim
from sim.experiment.plan import ENGINES
from sim.metrics import METRICS
from sim.report import answer, findings, write
from sim.report.lives import course
from sim.report.rules import rules
from sim.report.study import Study
from tests.report.reading import differences, grid, same, summary

BASE = """schema_version: 1
experiment: {name}
question: {question}
scenario: gb_firmware
set: {{estate: {{premises: 300}}, window: {{warm_up: 30 d, length: {length} d}}{more}}}
options:
{options}
{comparator}
replications: 3
metrics: [record_wrong_share, unlisted_device_days]
"""
LOCAL = "updates: {policy: local_and_ota}"
ASKED = {
    "policies": (
        "How wrong do the SMI and 8.2 become under each policy? (H3)",
        1460,
        "",
        [
            "p1: {updates: {policy: ota_only}}",
            f"p2: {{{LOCAL}}}",
            f"p4: {{{LOCAL}, reporting: {{rule: periodic, period: 1 d}}}}",
            f"p5: {{{LOCAL}, reporting: {{rule: audit, read: {{rate: 1 /year}}}}}}",
        ],
        "comparator: p2",
    ),
    "screening": (
        "Can local updates be held to the list? (H4)",
        365,
        f", {LOCAL}",
        [
            "none: {firmware: {screening: {design: none}}}",
            "allow_list: {firmware: {screening: {design: allow_list}}}",
            (
                "token: {firmware: {screening: {design: token, gateway_outages: [{start: 100 d,"
                " every: 100 d, duration: 36 h}]}}}"
            ),
            "audit: {firmware: {screening: {design: audit}}}",
        ],
        "comparator: none",
    ),
    "waiting": (
        "Can local updates be held to the list, or to a time? (H4)",
        365,
        f", {LOCAL}",
        [
            "none: {firmware: {screening: {design: none}}}",
            "token: {firmware: {screening: {design: token}}}",
        ],
        "comparator: none\nfactors: {firmware.local.lead: [10 d, 60 d]}\ndesign: grid",
    ),
    "hubs": (
        "Should the hub store, forward, both or neither? (H5)",
        730,
        (
            f", {LOCAL}, firmware: {{ota: {{exchange: {{start: 365 d, share: 30 %, curve: [{{share:"
            " 100 %, time: 180 d}], reseed: false}}}"
        ),
        [
            "neither: {reporting: {rule: none}}",
            "store: {reporting: {rule: hub_store, read: {rate: 1 /year, refreshes_smi: false}}}",
            "both: {reporting: {rule: hub_batch, period: 7 d}}",
            "forward: {reporting: {rule: on_change}}",
        ],
        "comparator: neither",
    ),
    "moment": (
        "Should the hub store or forward, by a timer or at once? (H5)",
        730,
        f", {LOCAL}, reporting: {{period: 28 d}}",
        [
            "neither: {reporting: {rule: none}}",
            "at_once: {reporting: {rule: on_change}}",
            "forward: {reporting: {rule: periodic}}",
            "both: {reporting: {rule: hub_batch}}",
        ],
        "comparator: neither",
    ),
    "rollouts": (
        "How fast may a rollout be?",
        365,
        ", alerts: {active: [false_outage]}",
        [
            "quick: {firmware: {campaign: {ramp: {step: 2 d}}}}",
            "slow: {firmware: {campaign: {ramp: {step: 6 d}}}}",
            "long_soak: {firmware: {campaign: {ramp: {step: 2 d}, soak: 14 d}}}",
            "stopped: {firmware: {campaign: {ramp: {step: 30 d}}}}",
        ],
        "",
    ),
    "mp105": (
        "What does the repair of Suspended devices change?",
        365,
        (
            ", firmware: {ota: {types: [esme]}, models: {esme_a: {type: esme, share: 100 %, size: 1"
            " kB, sleepy: false, downgrades: refused, asks_from: 0, cut: 0 %}}}"
        ),
        [
            "without: {firmware: {ota: {mp105: {start: 3650 d}}}}",
            "with_repair: {firmware: {ota: {mp105: {start: 200 d}}}}",
        ],
        "comparator: without",
    ),
}

# Every metric from the first to the last of firmware's.
NAMES = list(METRICS)
FIRMWARE = NAMES[NAMES.index("read_wrong_share") : NAMES.index("dsp_kind_per_s_peak") + 1]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return the results of each of the five questions, by name."""
    folder, found = tmp_path_factory.mktemp("firmware"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENGINES, "fast", "tests.report.toy_firmware")
        for name, (question, length, more, options, comparator) in ASKED.items():
            told = "\n".join(f"  {option}" for option in options)
            text = BASE.format(
                name=name,
                question=question,
                length=length,
                more=more,
                options=told,
                comparator=comparator,
            )
            (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
            found[name] = sim.run(folder / f"{name}.yaml", out=folder, jobs=1, report=False)
    return found


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("policies", "f3_records_over_time"),
        ("screening", "f4_screening"),
        ("hubs", "f5_store_forward"),
        ("rollouts", "fr_rollouts"),
        ("mp105", "fs_suspended"),
    ],
)
def test_each_question_has_its_figure_and_its_page(runs, name, figure):
    """The figure is a sound SVG; the page says scale, replications and grade below it and runs
    nothing.
    """
    found = findings(runs[name])
    write(runs[name].path)

    assert [picture.name for picture in found.pictures] == [figure]
    assert ElementTree.fromstring(
        (runs[name].path / "figures" / f"{figure}.svg").read_text(encoding="utf-8")
    ).tag.endswith("svg")
    page = (runs[name].path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert page.count("A sample of 300 premises") >= 2
    assert "weakest evidence used: grade D" in page
    assert answer(runs[name]).count("A2. How far attempts over the air come") == 1


def test_t3_is_the_summary(runs):
    """Shares of records, reads and decisions are those of `summary.csv`; who reads is told apart,
    and what it costs is per thousand devices.
    """
    want, found = summary(runs["policies"]), findings(runs["policies"])
    readers = {row["policy"]: row for row in grid(found, "T3b")}

    for row in grid(found, "T3. "):
        cell = row["policy"]
        for column, name in [
            ("right", "record_right_share"),
            ("wrong", "record_wrong_share"),
            ("unknown", "record_unknown_share"),
            ("reads wrong", "read_wrong_share"),
            ("decisions in error", "decision_error_share"),
        ]:
            assert same(row[column], *want[cell, name, "all"], 100)
        assert same(
            row["£ a year, 1,000 devices"],
            *want[cell, "decision_cost_gbp_per_device_year", "all"],
            1000,
        )
        assert same(readers[cell]["read by call"], *want[cell, "read_wrong_share", "call"], 100)
    told = "p1 (local updates none, over the air PPMID, HCALCS from day 0, reports none)"
    assert f"{told} leaves the inventory least wrong" in found.answer
    value, half_width = differences(runs["policies"])["p1", "record_wrong_share", "all"]
    said = re.search(r"p1 has fewer of them wrong by (.+?) percentage points", found.answer)
    assert said
    assert same(said[1], -value, half_width, 100)
    assert any(
        "under p5 the audit's sample says" in point.lower() and "of the replications" in point
        for point in found.points
    )
    assert "call, 23.2 ± " in next(
        point for point in found.points if point.startswith("Who is misled most, under p2")
    )


def test_what_is_an_input_stands_beside_the_run(runs):
    """T3e: take-up × devices that are on, for policies with local updates and without a report."""
    rows = grid(findings(runs["policies"]), "T3e")
    want = summary(runs["policies"])["p2", "record_wrong_share", "ppmid"]

    assert [row["policy"] for row in rows] == ["p2"]
    assert rows[0]["PPMID records wrong in the long run, by multiplication"] == "22.5 %"
    assert same(rows[0]["in the run"], *want, 100)
    assert any(
        "25 % × 90 % of them on = 22.5 %" in point for point in findings(runs["policies"]).points
    )


def test_the_floor_is_what_no_report_mends(runs):
    """Homes never reached × what is wrong without reports, and what each point more of them adds.
    """
    want, points = summary(runs["policies"]), findings(runs["policies"]).points
    [told] = [point for point in points if point.startswith("The floor")]
    wrong = {name: want[name, "record_wrong_share", "all"][0] for name in ("p2", "p4")}
    inside = (wrong["p4"] - 0.057 * wrong["p2"]) / 0.943
    said = re.search(r"so about (\S+) ± \S+ % of all", told)

    assert "5.7 % of premises are never reached" in told
    assert float(said[1]) == pytest.approx(5.7 * wrong["p2"], rel=0.02)
    assert f"adds about {wrong['p2'] - inside:.2g} points" in told
    assert "p4 leaves" in told.lower()
    assert "no better than" not in told, "no policy without reports lies between"


def test_money_is_said_to_rest_on_a_price(runs):
    """All errors of the toy are of one kind."""
    told = (
        "100 % of that rests on one price, £67 for each false compliance (grade C, from £0 to £120)"
    )
    assert told in findings(runs["policies"]).answer


def test_who_is_behind_is_told_by_class_and_by_whose_it_is_to_send(runs):
    """T3f: defects are sent over the air to PPMIDs and HCALCSs, features in the home alone."""
    rows = grid(findings(runs["policies"]), "T3f")
    want = summary(runs["policies"])
    sent = {
        (row["device type"], row["class of release"]): row["sent"]
        for row in rows
        if row["policy"] == "p2"
    }

    assert sent["PPMID", "defect"] == sent["HCALCS", "defect"] == "over the air"
    assert sent["PPMID", "feature"] == sent["IHD", "feature"] == "in the home alone"
    assert sent["HCALCS", "feature"] == "nobody"
    assert sent["IHD", "defect"] == "in the home alone"
    for row in rows:
        kind = f"{row['device type'].lower()}/{row['class of release']}"
        found = want[row["policy"], "behind_class_device_share", kind]
        assert same(row["devices behind"], *found, 100)


def test_ages_of_wrong_records_are_told_by_type_and_region(runs):
    """Of every world that asks for wrong records: mean and quantiles, as in `summary.csv`."""
    found, want = findings(runs["policies"]), summary(runs["policies"])
    rows = grid(found, "How old wrong records are")

    assert {row["device type"] for row in rows} >= {"all", "PPMID"}
    for row in rows:
        kind = row["device type"].lower()
        for column, metric, group in (
            ("mean age, d", "wrong_age_days_mean", kind),
            ("half older than, d", "wrong_age_days_p50", kind),
            ("1 in 20 older than, d", "wrong_age_days_p95", kind),
            ("mean of north, d", "wrong_age_days_mean", f"{kind}/north"),
        ):
            assert same(row[column], *want[row["world"], metric, group])
    [point] = [point for point in found.points if point.startswith("How old wrong records are")]
    assert point.endswith(", the same in each world.")  # made up so


def test_the_inventory_is_told_by_device_type(runs):
    """T3d: right, wrong and unknown of each type under each policy, as in `summary.csv`; of an IHD
    there is no record to be wrong.
    """
    want, rows = summary(runs["policies"]), grid(findings(runs["policies"]), "T3d")
    assert {(row["policy"], row["device type"]) for row in rows} == {
        (f"p{n}", kind) for n in (1, 2, 4, 5) for kind in ("PPMID", "IHD", "HCALCS")
    }
    for row in rows:
        kind = row["device type"].lower()
        for state in ("right", "unknown") if kind == "ihd" else ("right", "wrong", "unknown"):
            assert same(row[state], *want[row["policy"], f"record_{state}_share", kind], 100)
        assert kind != "ihd" or row["wrong"] == "–"


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("p0", ("none", "none", "none", "none")),
        ("p1", ("banned from day 90; 95 % obey", "none", "PPMID, HCALCS from day 0", "none")),
        (
            "p4",
            ("allowed", "none", "PPMID, HCALCS from day 0", "on change, and every 91 d (PPMID)"),
        ),
        (
            "p7",
            (
                "allowed",
                "token, fails closed, its gateway there from day 913",
                "PPMID, HCALCS from day 0",
                "on change, and every 91 d (PPMID)",
            ),
        ),
    ],
)
def test_a_policy_is_told_as_its_scenario_has_it(policy, told):
    assert rules(sim.load(f"firmware/{policy}")) == told


def test_reports_are_told_with_how_often_they_come():
    said = {
        rule: rules(sim.load("gb_firmware", [f"reporting.rule={rule}", *more]))[3]
        for rule, more in (
            ("periodic", ["reporting.period=1 d"]),
            ("audit", ["reporting.read.rate=0.2 /year"]),
            ("on_change", []),
        )
    }
    assert said["periodic"].startswith("periodic, every 1 d (")
    assert said["audit"].startswith("audit, 0.2 reads a year (")
    assert said["on_change"].startswith("on change (")


def test_right_wrong_and_unknown_add_up_at_every_moment(runs):
    """The course of F3: three shares of all devices, from the first step after warm-up to the end;
    nothing wrong is folded into what is unknown.
    """
    study = Study(runs["policies"])
    own = course(study, study.cells[1], "smi", ("ppmid", "ihd", "hcalcs"))

    assert own.wrong.shape == own.unknown.shape == (3, len(own.days))
    assert own.days[0] == 37
    assert own.days[-1] == 1490
    assert (own.right + own.wrong + own.unknown).tolist() == [
        [pytest.approx(1)] * len(own.days)
    ] * 3
    assert own.unknown[0].tolist() == pytest.approx([80 / 890] * len(own.days))
    assert own.wrong[0, -1] == pytest.approx((200 + 2) / 890, abs=0.002)


def test_t4_adds_up_and_says_what_gets_through(runs):
    """Every row of T4b adds up to its attempts; nine of ten ask, so a tenth of what is not listed
    gets through, and all of it was never asked about.
    """
    found = findings(runs["screening"])
    rows = grid(found, "T4b")

    assert len(rows) == 12
    for row in rows:
        numbers = [float(text.replace(",", "")) for text in list(row.values())[2:]]
        assert sum(numbers[1:]) == pytest.approx(numbers[0], abs=1)
    t4 = {row["design"]: row for row in grid(found, "T4. ")}
    assert t4["none"]["let through"].startswith("100 ")
    assert t4["allow list"]["let through"].startswith("10.")
    assert t4["audit"]["detection delay, d"].startswith("30")
    assert any(
        "devices, 30.00 d after the change" in point or "devices, 30 d after" in point
        for point in found.points
    )
    assert t4["token"]["gateway up"] == f"{100 * (1 - 3 * 1.5 / 365):.2f} %"
    assert "No design makes sure of it" in found.answer
    assert any(
        "never asked about" in point
        and "allow list 100 % and token 100 %" in point
        and "none" not in point
        for point in found.points
    )


def test_waiting_is_told_beside_the_controls(runs):
    """Where manufacturers wait and nobody controls, no more is left than the best control leaves
    where they do not; and what waiting does not stop is said.
    """
    (point,) = (point for point in findings(runs["waiting"]).points if "only way" in point)

    assert point.startswith(
        "A control is not the only way: none, lead 60 d, leaves 502.0 ± 5.0 device-days of firmware"
        " not on the list, fewer than token, lead 10 d."
    )
    assert point.endswith("never submitted, which waiting does not stop.")
    assert not any("only way" in point for point in findings(runs["screening"]).points)


def test_t5_is_paired_with_the_world_that_has_neither(runs):
    """Differences are those of `differences.csv`; storing alone is told to do nothing; the square
    has the best of each corner.
    """
    less, found = differences(runs["hubs"]), findings(runs["hubs"])
    rows = {row["rule"]: row for row in grid(found, "T5. ")}

    assert {name: (row["stores"], row["forwards"]) for name, row in rows.items()} == {
        "neither": ("no", "no"),
        "store": ("yes", "no"),
        "both": ("yes", "yes"),
        "forward": ("no", "yes"),
    }
    for name in ("store", "both", "forward"):
        assert same(rows[name]["less none, points"], *less[name, "record_wrong_share", "all"], 100)
        assert same(
            rows[name]["reads wrong, less none, points"],
            *less[name, "read_wrong_share", "all"],
            100,
        )
    assert found.answer.startswith("Of 3 rules, both leaves fewest records of the inventory wrong,")
    assert "the same as forward" in found.answer, "so that no one of the four is named"
    assert "By a timer" not in found.answer
    assert found.answer.endswith("so that this is no verdict on storing.")
    assert any(
        point.startswith("Storing alone does nothing for the inventory") for point in found.points
    )
    assert [row["passed on"].rpartition("(")[2] for row in grid(found, "T5b")] == [
        "forward)",
        "both)",
    ]


def test_what_is_the_moments_is_not_the_stores(runs):
    """The kind is named first where no other rivals it; forwarding by a timer stands beside it."""
    less, found = differences(runs["moment"]), findings(runs["moment"])
    by_a_timer = found.answer.partition(
        "By a timer, as stores are polled, forwarding alone (forward) is "
    )[2]

    assert found.answer.startswith("Forward only: of 3 rules, at once leaves fewest records of the")
    assert "forward only (at once) −" in found.answer
    assert "store and forward (both) −" in found.answer
    assert same(by_a_timer, *less["forward", "record_wrong_share", "all"], 100)


def test_rollouts_are_points_and_those_beaten_are_set_back(runs):
    """Slower and louder is dominated; what was stopped is no point, and says so."""
    found = findings(runs["rollouts"])
    t, mute = grid(found, "TR. "), found.grids[0].mute

    assert [row["verdict"] for row in t] == [
        "on the frontier",
        "on the frontier",
        "dominated by quick",
        "not finished in every window, or no alerts",
    ]
    assert mute == {2}
    same = "Every rollout makes the same 30 false outage alerts, and a slower one spreads them: "
    assert found.answer.startswith(f"{same}quick finishes a campaign in 22.0 ± ")
    assert (
        "Of 3 rollouts, 2 are worth having; the other one is matched or beaten by" in found.answer
    )
    assert [row["stopped at a gate"].split(" ")[0] for row in t] == ["0", "0", "0", "100"]


def test_the_repair_is_told_by_who_is_left_suspended(runs):
    """Ten without it, none with it; the page has both courses."""
    found = findings(runs["mp105"])

    assert "under ‘without’, 10 devices are" in found.answer
    assert "under ‘with repair’ 0 devices are" in found.answer
    assert [row["repair from"] for row in grid(found, "TS. ")] == ["never", "day 200"]


def test_steps_and_their_times_are_told_with_the_resolution_of_the_bands(runs):
    """A2 falls from step to step; A3 gives the times of the made-up bands, and says how far to
    trust them; A1 adds up.
    """
    found = findings(runs["mp105"])
    steps, times = grid(found, "A2")[0], grid(found, "A3")
    shares = [
        float(steps[step].split(" ")[0])
        for step in ("accepted", "taken", "held", "activated", "answered", "recorded")
    ]

    assert shares == sorted(shares, reverse=True)
    assert times[1] == {
        "world": "without",
        "step": "hub to device",
        "p50": "41.2 min",
        "p95": "47.6 min",
        "p99": "48.1 min",
    }
    assert (
        "half an octave" in next(each for each in found.grids if each.title.startswith("A3")).note
    )
    assert sum(float(row["without"].split(" ")[0]) for row in grid(found, "A1")) == pytest.approx(
        100, abs=0.1
    )


def test_a_real_world_fills_what_the_sections_need(tmp_path):
    """The engine's own tables: every metric of firmware is there, ends add up to attempts and jobs,
    and the page is made.
    """
    changes = {
        "window.warm_up": "30 d",
        "window.length": "300 d",
        "firmware.screening.design": "token",
        "firmware.screening.capacity": "1 /h",
        "firmware.screening.gateway_outages": [
            {"start": "60 d", "every": "30 d", "duration": "4 d"}
        ],
        "reporting.rule": "hub_batch",
        "reporting.period": "7 d",
        "firmware.ota.exchange": {
            "start": "100 d",
            "share": "40 %",
            "curve": [{"share": "100 %", "time": "100 d"}],
            "reseed": False,
        },
        "firmware.ota.response.loss": "10 %",
        "firmware.local.variant": "20 %",
        "network": [{"stage": "dsp", "capacity": "50 /s"}],
        "alerts.active": ["image_transferred", "image_activated"],
    }
    run = sim.run("gb_firmware", out=tmp_path, jobs=1, premises=400, replications=2, **changes)
    want = summary(run)
    missing = {name for name in FIRMWARE if not any(key[1] == name for key in want)}

    assert missing <= {
        "audit_detection_days_mean",
        "audit_wrong_share",
        "audit_half_width_share",
        "audit_error_share",
        "audit_covers_share",
        "audit_reads_per_year",
        "audit_met_share",
    }
    for name in ("job_end_share", "local_outcome_share"):
        assert sum(value for (_, of, _), (value, _) in want.items() if of == name) == pytest.approx(
            1
        )
    shares = [
        want["gb_firmware", "attempt_step_share", step][0]
        for step in ("offered", "accepted", "taken", "held", "activated", "answered")
    ]
    assert shares == sorted(shares, reverse=True)
    assert want["gb_firmware", "hub_record_unknown_share", "ppmid"][0] > 0.01
    assert want["gb_firmware", "hub_records_forgotten_n", "ppmid"][0] > 10
    assert want["gb_firmware", "dsp_kind_per_s_peak", "image_activated"][0] >= 1
    assert want["gb_firmware", "messages_per_device_year", "all"][0] > 30
    assert run.report_path.exists()
