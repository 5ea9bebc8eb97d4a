"""What a plain run says of where it is pressed and how it ended: the small files that once misled.
"""

from __future__ import annotations

import re
from math import sqrt

import pytest
from scipy import stats

import sim
from sim.metrics import Kind, paired_difference
from sim.report import answer, findings, write
from sim.report.bottleneck import bottleneck
from sim.report.endings import rollouts
from sim.report.flips import _said
from sim.report.ranking import Entry, Ranking, needed, negative
from sim.report.study import Study

SHORT = {
    "window.warm_up": "1 d",
    "window.length": "3 d",
    "reporting.rule": "periodic",
    "reporting.period": "1 d",
}
AT_TWO = {
    "reporting.phase": {"source": "fixed_clock", "at": "02:00", "window": "0 s", "jitter": "0 s"}
}
NOTHING = {"traffic.level": "0 %"}


@pytest.fixture
def ran(tmp_path):
    """Return a function that runs gb_base small, as its changes say."""

    def run(premises=1_000, replications=2, base="gb_base", **changes):
        return sim.run(
            base,
            out=tmp_path,
            jobs=1,
            report=False,
            premises=premises,
            replications=replications,
            **changes,
        )

    return run


def stages(csp, dsp):
    """Return a network of two stages with these capacities."""
    return [{"stage": "csp", "capacity": csp}, {"stage": "dsp", "capacity": dsp}]


def test_the_bottleneck_is_named_whatever_stage_it_is(ran):
    """Reports wait at the CSPs nearly always; the DSP is idle, and no news."""
    run = ran(**SHORT, **AT_TWO, network=stages("200 /d", "4600 /s"))
    study = Study(run)
    worst = bottleneck(study, study.cells[0])

    assert worst.place.stage == "csp"
    assert worst.waiting.value > 0.7
    assert re.search(
        rf"the bottleneck is {worst.place} \([^)]*\): .* something waits there \S+ ",
        findings(run).answer,
    )
    rows = {row[0] for row in findings(run).grids[0].rows}
    assert {"csp_waiting_share", "csp_load_share", "csp_waiting_at_end_n"} <= rows


def test_nothing_is_used_to_more_than_all_of_it(ran):
    """What comes is a multiple of capacity; a queue that stands at the end is told."""
    found = findings(ran(**SHORT, network=stages("100 /h", "1 /year")))

    assert re.search(
        r"the bottleneck is the DSP \(1 /year\): \S+ ± \S+ times what it passes on comes to it",
        found.answer,
    )
    assert re.search(r"messages still wait when the window ends", found.answer)
    assert (
        "0 % of all messages have arrived when the window ends, and there is no time within which"
        " 99 % do"
        in found.answer
    )
    told = {row[0]: row[2] for row in found.grids[0].rows if row[1] == "all"}
    assert told["dsp_load_share"].endswith("×")
    assert told["end_to_end_delay_s_p99"] == "not reached by 99 %"


def test_most_refused_is_not_said_as_if_nothing_waited(ran):
    """A buffer of nothing refuses nearly all; 99 % of those that came through took no time, and
    nobody says so.
    """
    tight = [{"stage": "dsp", "capacity": "1 /s", "buffer": 0}]
    run = ran(**SHORT, **AT_TWO, **NOTHING, network=tight)

    assert run.metric("end_to_end_delay_s_p99").value == float("inf")
    assert run.metric("end_to_end_passed_share").value < 0.05
    assert "not reached by 99 %" in str(run.metric("end_to_end_delay_s_p99"))
    assert "99 % of all messages are there" not in findings(run).answer
    assert (
        "of all messages have arrived when the window ends, and there is no time within which 99"
        " % do"
        in findings(run).answer
    )
    longest = run.metric("end_to_end_delay_s_max")
    assert longest.condition.who == "messages that reach the SMI"
    assert re.search(r"of the \S+ % of messages that reach the SMI", str(longest))


def test_a_capacity_of_nothing_is_told(ran):
    """Nothing gets past it, and no load is a share of nought."""
    found = findings(ran(**SHORT, **NOTHING, network=stages("0 /s", "10 /s")))

    assert "it passes on nothing (its capacity is 0)" in found.answer
    assert "Nothing passes the stage csp: its capacity is 0." in found.points


def test_a_rollout_that_was_stopped_says_so(ran):
    """How it ended, when, and how many devices had it: first of all."""
    one = {
        "window.warm_up": "0 d",
        "window.length": "200 d",
        "firmware.ota.activation.failure": "40 %",
    }
    one |= {
        "firmware.releases": [{"model": "ppmid_a", "class": "security", "first": "1 d"}],
        "firmware.campaign.error_threshold": "10 %", "firmware.campaign.least": "10",
    }  # fmt: skip
    run = ran(premises=600, base="gb_firmware", **one)
    [rollout] = rollouts(Study(run), Study(run).cells[0])

    assert set(rollout.ended) <= {"aborted", "stalled"}
    assert re.match(
        r"The rollout of ppmid_a 1 \(security\) (was aborted|stalled) ", findings(run).answer
    )
    assert re.search(r"devices that were offered it have it recorded, ", findings(run).answer)
    for text in (answer(run), write(run).read_text(encoding="utf-8")):
        assert any(f"{end} " in text.replace("\u00a0", " ") for end in ("was aborted", "stalled"))


def test_silence_stops_no_rollout_and_is_told(ran):
    """40 % of the displays are switched off and say nothing: it goes on, and says so."""
    run = ran(
        premises=600,
        base="gb_firmware",
        **{
            "window.warm_up": "0 d",
            "window.length": "200 d",
            "firmware.off": {"ppmid": "40 %", "ihd": "0 %", "hcalcs": "0 %"},
            "firmware.releases": [{"model": "ppmid_a", "class": "security", "first": "1 d"}],
            "firmware.pipeline": {"reject": "0 %", "data_error": "0 %", "withdrawn": "0 %"},
            "firmware.local.take_up": "0 %",
            "firmware.ota.hub_ready": {
                "start": "0 d",
                "curve": [{"share": "100 %", "time": "0 s"}],
            },
            "firmware.campaign": {"error_threshold": "10 %", "least": 10, "sweeps": 0},
        },
    )
    [rollout] = rollouts(Study(run), Study(run).cells[0])

    assert set(rollout.ended) == {"finished"}
    assert rollout.silent.value > 0.35 * rollout.offered.value > 100 * rollout.failed.value
    assert re.search(
        r", \S+ (\S+ \S+ |\(.*?\) )?told that it failed, and of .* nobody heard how it went\.",
        findings(run).answer,
    )


def ranking(*values):
    """Return the ranking of options with these *values* by replication."""
    from sim.metrics import METRICS

    metric = METRICS["late_per_day"]
    named = zip("abcdef", values, strict=False)
    return Ranking(
        metric, [Entry(name, metric.estimate(of), dict(enumerate(of))) for name, of in named]
    )


def enough(n, apart):
    """Whether *n* replications tell a difference in four runs of five, if it and its spread stay.
    """
    spread = apart.half_width * sqrt(apart.n) / stats.t.ppf(0.975, apart.n - 1)
    return (stats.t.ppf(0.975, n - 1) + stats.t.ppf(0.8, n - 1)) * spread / sqrt(n) <= abs(
        apart.value
    )


def test_a_winner_is_named_only_where_the_interval_does():
    """Told apart pair by pair; else whom it cannot be told from, and about how many replications
    would.
    """
    clear = ranking([1.0, 5.0, 9.0], [2.0, 6.1, 9.9])
    assert clear.lowest.what == "a"
    assert clear.doubt(clear.lowest, str) == ""

    unclear = ranking([1.0, 2.0, 3.0, 4.0], [4.1, 1.0, 4.0, 2.0], [90.0, 80.0, 70.0, 95.0])
    [rival] = unclear.rivals(unclear.lowest)
    apart = unclear.apart(unclear.lowest, rival)
    assert rival.what == "b"
    assert enough(needed(apart), apart)
    assert not enough(0.98 * needed(apart), apart)
    assert re.fullmatch(
        r", though this run cannot tell it from b \(about [\d,]+ replications would\)",
        unclear.doubt(unclear.lowest, str),
    )
    assert unclear.doubt(unclear.highest, str) == ""

    alike = ranking([1.0, 2.0], [1.0, 2.0])
    assert alike.alike
    assert alike.doubt(alike.lowest, str) == ", the same as b"


def test_what_was_never_reached_is_told_apart_by_how_often():
    """Infinity has no paired difference; never against always is told, once against never is not.
    """
    never = float("inf")
    once = ranking([1.0] * 8, [never] + [3.0] * 7)
    assert once.highest.what == "b"
    assert once.apart(once.lowest, once.highest) is None
    assert [entry.what for entry in once.rivals(once.lowest)] == ["b"]
    assert ranking([1.0] * 8, [never] * 8).ends_told()


def test_a_difference_the_other_way_round_takes_its_interval_along():
    """Value and ends together: what is said of a difference below nought lies within its ends."""
    apart = paired_difference(
        [1.0, 2.0, 9.0, 4.0, 5.0, 3.0, 2.0, 1.0, 0.0, 2.0], [9.0] * 10, "share", Kind.SKEWED
    )
    other = negative(apart)
    assert apart.bounds is not None
    assert (other.value, other.low, other.high) == (-apart.value, -apart.high, -apart.low)
    said = _said(apart, "record_wrong_share")
    value, low, high = (
        float(text.replace(",", "").replace("−", "-"))
        for text in re.findall(r"[−\d,.]+\d", said)[:3]
    )
    assert said == _said(other, "record_wrong_share")
    assert low <= value <= high if " to " in said else low > 0


def test_the_worst_of_many_is_no_finding():
    """Five options that differ by luck alone: in 200 such runs the ends are told apart in few."""
    worlds = stats.norm(10, 1).rvs((200, 5, 5), random_state=7).tolist()
    told = sum(ranking(*options).ends_told() for options in worlds)
    assert told <= 0.05 * 200 + 3 * (200 * 0.05 * 0.95) ** 0.5


def test_the_same_in_every_cell_is_no_lowest_and_no_highest(tmp_path):
    """Factors that move nothing: never the same number as lowest and as highest."""
    file = tmp_path / "inert.yaml"
    file.write_text(
        "schema_version: 1\nexperiment: inert\nquestion: Which drives it?\nscenario: gb_base\nset:"
        " {estate: {premises: 100}, network_for: 100, window: {warm_up: 0 d, length: 20 d},"
        " reporting: {rule: none}}\nfactors:\n  reporting.loss: [0 %, 20 %]\n  reporting.heartbeat:"
        " [7 d, 91 d]\nreplications: 2\nmetrics: [record_wrong_share]\n",
        encoding="utf-8",
    )
    found = findings(sim.run(file, out=tmp_path, jobs=1, report=False))

    assert re.fullmatch(r"Of 4 cells, record wrong share is .+, the same in each\.", found.answer)
