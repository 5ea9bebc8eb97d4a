"""What a run of a part of the estate says of itself: no verdict, its luck, and what turns at half
its size.
"""

from __future__ import annotations

import pytest
from scipy.stats import poisson

import sim
from sim.report import answer, findings, sample
from sim.report.study import Study
from sim.store import read_file, sha256, vouch, write_file
from tests.report.reading import Page

DAY_S = 86_400


@pytest.fixture(scope="module")
def thousandth(tmp_path_factory):
    """Return the headline question, asked of a thousandth of the nation."""
    out = tmp_path_factory.mktemp("thousandth")
    return sim.run("daily_version_report", out=out, jobs=1, scale="1/1000", replications=1)


def test_a_thousandth_answers_as_the_nation_does_or_says_that_it_cannot_tell(thousandth):
    """A clock that strikes for all is a storm; whether hashed moments are none luck hides in so
    small a part.
    """
    said = findings(thousandth).answer

    assert said.startswith("Yes, it can be. ")
    assert "The worst is fixed clock" in said
    assert "Of hashed this sample cannot tell: its busiest second brings " in said
    assert "a scale of about 1/20 would tell" in said
    assert "nothing waits" not in said
    assert "The moment alone can address it" not in said


def test_the_error_of_the_scale_is_printed(thousandth):
    """On the terminal, in Python and on the page: how far luck moves a second at capacity."""
    told = (
        "Scale 1/1000: 20,000 of 20,000,000 premises, and all that is of the estate in proportion."
    )
    assert any(
        told in point and "2 messages expected) has 0 to 5 by luck, 19 times in 20" in point
        for point in findings(thousandth).points
    )
    assert "a scale of 1/1000: 20,000 of 20,000,000 premises".capitalize() in answer(
        thousandth
    ).replace("\n", " ")
    assert told in Page(thousandth.report_path.read_text(encoding="utf-8")).text


def test_premises_without_a_scale_are_no_verdict(tmp_path):
    """Said first, on the terminal, in Python and on the page."""
    small = {"window.warm_up": "0 s", "window.length": "1 d", "traffic.level": "100 %"}
    run = sim.run("gb_base", out=tmp_path, jobs=1, premises=20_000, replications=1, **small)

    told = "Not a verdict on Great Britain: 20,000 premises meet a network that is for 20,000,000"
    assert findings(run).answer.startswith(told)
    assert f"\n{told}" in answer(run).replace("\n", " ").replace(" Not a", "\nNot a")
    assert told in Page(run.report_path.read_text(encoding="utf-8")).text
    assert "give all 20,000,000 premises and estate.scale: 1/1000" in findings(run).answer


@pytest.mark.parametrize(
    "changes",
    [
        {"network": []},
        {"network_for": 300},
        {"network_for": "null"},
        {"premises": 20_000_000, "scale": "3/200000"},
    ],
)
def test_what_has_no_network_or_its_own_is_left_alone(tmp_path, changes):
    """No capacity, one that is for these premises, nobody who says, or all in proportion."""
    small = {"premises": 300, "window.warm_up": "0 s", "window.length": "1 d"} | changes
    run = sim.run("gb_base", out=tmp_path, jobs=1, replications=1, report=False, **small)

    assert "Not a verdict" not in answer(run)


@pytest.mark.parametrize(
    ("capacity", "share"), [(2, 0.3), (20, 0.3), (200, 0.5), (2000, 0.9), (46, 0.95)]
)
def test_luck_is_told_from_a_storm_as_the_distribution_says(capacity, share):
    """Poisson, by another library: how often a day at capacity has so busy a second, and how often
    a second at capacity so few.
    """
    most = poisson.isf(0.05 / DAY_S, capacity)
    assert not sample.is_more_than_luck(float(most), capacity, DAY_S)
    assert sample.is_more_than_luck(float(most) + 1, capacity, DAY_S)
    busiest = poisson.isf(0.05 / DAY_S, share * capacity)
    assert sample._tells(share, capacity, DAY_S) == (busiest < poisson.ppf(0.05, capacity))


def test_a_load_below_capacity_is_seldom_called_a_storm():
    """Of 400 days whose every second expects just what is passed on, at most 5 % + 3 σ; the draws
    are those of a generator of the test's own.
    """
    import numpy as np

    draws = np.random.default_rng(20190801)
    called = sum(
        sample.is_more_than_luck(float(draws.poisson(20, DAY_S).max()), 20, DAY_S)
        for _ in range(400)
    )
    assert called <= 400 * 0.05 + 3 * (400 * 0.05 * 0.95) ** 0.5


HALVES = """schema_version: 1
experiment: halves
question: Which rule leaves fewer wrong?
scenario: gb_base
set:
  window: {warm_up: 10 d, length: 40 d}
  estate: {premises: 400}
  network: []
options:
  on_change: {reporting: {rule: on_change, loss: 20 %}}
  daily: {reporting: {rule: periodic, loss: 20 %}}
replications: 5
metrics: [record_wrong_share]
"""


@pytest.fixture(scope="module")
def halves(tmp_path_factory):
    """Return a run of a part of the estate, with its second size."""
    folder = tmp_path_factory.mktemp("halves")
    (folder / "halves.yaml").write_text(HALVES)
    return sim.run(folder / "halves.yaml", out=folder / "out", jobs=1, report=False)


def test_a_part_is_run_once_more_at_half_its_size(halves):
    """One replication of each cell, in a file of its own and in no summary; the log of the run is
    of the whole.
    """
    assert halves.half is not None
    assert {cell for cell, _, _ in halves.half} == {"on_change", "daily"}
    assert halves.half["daily", "record_wrong_share", "all"] not in set(halves.values()["value"])
    assert max(halves.summary["n"]) == 5
    assert (halves.path / "half" / "cells").is_dir()
    assert any(
        "says the same of which worlds have the lowest and the highest record wrong share" in point
        for point in findings(halves).points
    )


def test_a_conclusion_that_turns_is_said(halves):
    """Where half the size has another rule lowest, and the run tells the two apart."""
    text = read_file(halves.path / "half.csv").decode("utf-8")
    row = next(
        line for line in text.splitlines() if line.startswith("daily,record_wrong_share,all,")
    )
    path = halves.path / "half.csv"
    write_file(path, text.replace(row, "daily,record_wrong_share,all,0.9").encode())
    vouch(halves.path, [path])
    told = " ".join(findings(Study(halves.path)).points)

    assert (
        "This turns with the size of the sample: at half of it, with one replication, record wrong"
        " share is lowest in on change, not in daily"
        in told
    )
    assert sha256(read_file(path)) in halves.path.joinpath("manifest.json").read_text()


def test_nothing_is_said_of_what_was_not_run_again(halves):
    """Where the half lacks a cell, as when that failed, or all of them."""
    path = halves.path / "half.csv"
    whole = read_file(path)
    for kept in (1, whole.count(b"\n") // 2):
        write_file(path, b"\n".join(whole.splitlines()[:kept]) + b"\n")
        vouch(halves.path, [path])
        assert not [
            point
            for point in findings(Study(halves.path)).points
            if "half of it" in point or "half this" in point
        ]
    write_file(path, whole)
    vouch(halves.path, [path])


STORM = """schema_version: 1
experiment: hours
question: Is it a storm?
scenario: gb_base
set:
  window: {{warm_up: 0 s, length: 6 h}}
  {estate}
  {network}
  reporting: {{rule: periodic, phase: {{source: fixed_clock, at: "03:00", jitter: {jitter}}}}}
options:
  silent: {{reporting: {{rule: none}}}}
  loud: {{reporting: {{rule: periodic}}}}
comparator: silent
replications: {n}
metrics: [dsp_alerts_per_s_peak, late_per_day]
"""


@pytest.fixture
def stormed(tmp_path):
    """Return a function that asks whether reports of one clock are a storm, and gives the answer.
    """

    def ask(estate, network, jitter="30 min", n=1):
        file = tmp_path / "hours.yaml"
        file.write_text(STORM.format(estate=estate, network=network, jitter=jitter, n=n))
        return findings(sim.run(file, out=tmp_path / "out", jobs=1, report=False)).answer

    return ask


def test_a_scale_and_numbers_divided_by_hand_agree(stormed):
    """What waits before a shape, for minutes, is a storm at any scale: never Yes for one, No for
    the other.
    """
    shape = "mitigations: [{{kind: shape, rate: {} /s}}]"
    scaled = stormed(
        "estate: {scale: 1/1000}",
        f"network: {{csp: {{capacity: 20000 /s, {shape.format(1000)}}}}}",
    )
    divided = stormed(
        "estate: {premises: 20_000}",
        f"network_for: 20_000\n  network: [{{stage: csp, capacity: 20 /s, {shape.format(1)}}}]",
    )
    assert scaled.startswith("Yes")
    assert divided.startswith("Yes")


def test_an_overload_of_minutes_is_told_from_luck(stormed):
    """No second of it stands out, and the queue does: more comes in half an hour than is passed on.
    """
    said = stormed("estate: {scale: 1/1000, not_communicating_share: 0 %}", "network: {}")
    assert said.startswith("Yes")
    assert "cannot tell" not in said


def test_a_storm_of_bytes_is_seen_beside_a_silent_comparator(stormed):
    """To which nothing comes at all; and no multiple is made of messages of other sizes."""
    said = stormed(
        "estate: {premises: 2_000}",
        "network_for: 2_000\n  network: [{stage: dsp, capacity: 1 kB/s}]",
        jitter="10 s",
    )
    assert said.startswith("Yes")
    assert "which passes on 1000 B/s" in said


SHAPED = [{"stage": "dsp", "mitigations": [{"kind": "shape", "rate": "5 /s"}]}]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"premises": 300_000, "scale": "1/1000"},
            "give all 20,000,000 premises and estate.scale: 3/200000,",
        ),
        (
            {"premises": 300, "network": SHAPED, "network_for": 600},
            "300 premises meet a network that is for 600",
        ),
        (
            {"premises": 300, "network_for": 200},
            "300 premises meet a network that is for 200; say with network_for if it is theirs",
        ),
    ],
)
def test_no_verdict_says_what_is_amiss(tmp_path, changes, told):
    """With the scale that was asked for, of rows alone, and of more premises than there should be.
    """
    small = {"window.warm_up": "0 s", "window.length": "1 d"} | changes
    run = sim.run("gb_base", out=tmp_path, jobs=1, replications=1, report=False, **small)
    assert told in findings(run).answer


def test_a_queue_at_just_its_fill_is_seldom_called_too_long():
    """Of 400 walks over six hours at capacity, at most 5 % + 3 σ are."""
    import numpy as np

    draws = np.random.default_rng(20190801)
    called = 0
    for _ in range(400):
        walk = np.cumsum(draws.poisson(4, 6 * 3600) - 4.0)
        longest = (walk - np.minimum.accumulate(np.minimum(walk, 0))).max()
        called += sample.is_longer_than_luck(float(longest), 4, 6 * 3600)
    assert called <= 400 * 0.05 + 3 * (400 * 0.05 * 0.95) ** 0.5
