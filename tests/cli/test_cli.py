"""The command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import sim.experiment.costs as costs
import sim.experiment.plan as plans
from sim.cli import main
from sim.store import find_run, verify
from tests.cli import engines

EXPERIMENT = """\
schema_version: 1
experiment: small
question: Does the command line work?
scenario: gb_base
set: {estate: {premises: 60}, window: {warm_up: 0 s, length: 2 d}}
options: {quiet: {reporting: {rule: none}}, daily: {reporting: {rule: periodic}}}
comparator: quiet
replications: 2
metrics: [dsp_alerts_per_s_peak, record_wrong_share]
"""


def sim(*arguments):
    """Run `sim` with *arguments* in this process."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with a small experiment and its results under `out`, run from the command
    line.
    """
    folder = tmp_path_factory.mktemp("home")
    (folder / "small.yaml").write_text(EXPERIMENT)
    answer = sim("run", folder / "small.yaml", "--out", folder / "out", "--jobs", 1)
    assert answer.exit_code == 0, answer.output
    (folder / "answer.txt").write_text(answer.stdout)
    (folder / "errors.txt").write_text(answer.stderr)
    return folder


@pytest.fixture
def run(home):
    """Return the run's folder."""
    return find_run("small", home / "out")


@pytest.fixture
def mischief(monkeypatch):
    """Let replication 1 raise what the test says."""
    monkeypatch.setitem(plans.ENGINES, "fast", "tests.cli.engines")
    monkeypatch.setattr(engines, "MISCHIEF", {})
    return engines.MISCHIEF


def test_run_prints_the_answer_then_where_the_rest_is(home, run):
    """Results on stdout; on stderr nothing but progress, and that only where the machine took
    seconds.
    """
    *answer, report, results = (home / "answer.txt").read_text().splitlines()

    assert any(line for line in answer)
    assert report.startswith(f"report: {run}/")
    assert results == f"results: {run}"
    assert all(
        " of 4 replications (" in line for line in (home / "errors.txt").read_text().splitlines()
    )
    assert verify(run) == []


def test_run_speaks_json(home):
    """With --json, stdout is one document: where, how it went, and the summary."""
    answer = sim(
        "run",
        home / "small.yaml",
        "--out",
        home / "json",
        "--jobs",
        1,
        "--json",
        "--replications",
        1,
        "--seed",
        5,
    )
    told = json.loads(answer.stdout)

    assert answer.exit_code == 0
    assert told["status"] == "complete"
    assert {row["cell"] for row in told["summary"]} == {"quiet", "daily"}
    assert {(row["n"], row["half_width"]) for row in told["summary"]} == {(1, None)}
    assert told["warnings"] == ["one replication of each cell: no interval"]


def test_run_with_the_twin_says_the_same(home, run):
    """The other engine, the same tables of arrivals and ledgers."""
    assert (
        sim(
            "run",
            home / "small.yaml",
            "--out",
            home / "twin",
            "--jobs",
            1,
            "--engine",
            "twin",
            "-q",
        ).exit_code
        == 0
    )
    twin = find_run("small", home / "twin")

    for name in ("arrivals", "ledgers", "fates"):
        assert (twin / f"tables/{name}.parquet").read_bytes() == (
            run / f"tables/{name}.parquet"
        ).read_bytes()


def test_faults_are_told_with_their_lines(tmp_path):
    """All of them, on stderr, with exit code 2, and nothing is written."""
    path = tmp_path / "bad.yaml"
    path.write_text(
        "schema_version: 1\nextends: gb_base\nname: bad\nseeds: 3\nestate: {premises: -4}\n"
    )
    for command in ("run", "check", "plan"):
        answer = sim(command, path, *(["--out", tmp_path / "out"] if command == "run" else []))
        assert answer.exit_code == 2
        assert answer.stdout == ""
        assert f"{path}:4:1: seeds: " in answer.stderr
        assert f"{path}:5:20: estate.premises: -4 is negative" in answer.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("fly",),
        ("run",),
        ("run", "gb_base", "--replications", "0"),
        ("run", "gb_base", "--engine", "warp"),
        ("explain", "x"),
        ("check",),
    ],
)
def test_bad_usage_is_exit_code_2(arguments):
    answer = sim(*arguments)
    assert answer.exit_code == 2
    assert "Usage:" in answer.stderr


def test_check_names_each_file(home):
    """Sound files on stdout, faults on stderr; one bad file fails the lot. Changes apply to all."""
    assert (
        sim("check", home / "small.yaml", "gb_base").stdout
        == f"{home / 'small.yaml'}: sound\ngb_base: sound\n"
    )
    answer = sim("check", "gb_base", "nowhere", "--json")
    assert answer.exit_code == 2
    told = json.loads(answer.stdout)
    assert [len(item["faults"]) for item in told] == [0, 1]
    assert set(told[1]["faults"][0]) == {"file", "line", "column", "path", "message"}
    assert sim("check", "gb_base", "--set", "estate.premises=none").exit_code == 2


def test_failures_are_a_table_and_exit_code_1(home, tmp_path, mischief):
    """The rest is kept and reported; control characters in a cause are written out."""
    mischief["error"] = ValueError
    answer = sim("run", home / "small.yaml", "--out", tmp_path, "--jobs", 1)

    assert answer.exit_code == 1
    assert "2 of 4 replications failed" in answer.stderr
    assert "quiet            1  ValueError: no such world\\x1b[2J" in answer.stderr
    assert "\x1b" not in answer.output
    assert "results: " in answer.stdout


def test_ctrl_c_is_exit_code_130_and_keeps_what_is_finished(home, tmp_path, mischief):
    """Running the same command again finishes the same run."""
    mischief["error"] = KeyboardInterrupt
    answer = sim("run", home / "small.yaml", "--out", tmp_path, "--jobs", 1)
    assert answer.exit_code == 130
    assert "interrupted; what was finished is kept in" in answer.stderr
    assert answer.stdout == ""
    stopped = next((tmp_path / "small").glob("*-*"))

    mischief.clear()
    assert (
        f"results: {stopped}" in sim(
            "run", home / "small.yaml", "--out", tmp_path, "--jobs", 1
        ).stdout
    )


def test_results_that_cannot_be_written_are_exit_code_1(home, tmp_path):
    (tmp_path / "out").write_text("in the way")
    answer = sim("run", home / "small.yaml", "--out", tmp_path / "out")
    assert answer.exit_code == 1
    assert answer.stderr.startswith("cannot write ")
    assert len(answer.stderr.splitlines()) == 1


def test_plan_says_what_it_takes_and_runs_nothing(home, tmp_path):
    answer = sim("plan", home / "small.yaml", "--out", tmp_path)
    told = json.loads(sim("plan", home / "small.yaml", "--json", "--out", tmp_path).stdout)

    assert answer.exit_code == 0
    lines = [line for line in answer.stdout.splitlines() if not line.startswith("note: ")]
    assert [line.split()[0] for line in lines] == [
        "plan", "cells", "replications", "device-years", "alerts", "time", "memory", "disk",
    ]  # fmt: skip
    assert (told["cells"], told["replications"]) == (2, 4)
    assert told["alerts"] == pytest.approx(60 * 0.88 * 2 * 2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["plan", "run"])
def test_what_does_not_fit_is_exit_code_4(home, tmp_path, monkeypatch, command):
    """Refused before anything is run or written."""
    monkeypatch.setattr(costs, "free_memory", lambda: 1_000_000)
    answer = sim(command, home / "small.yaml", "--out", tmp_path / "out")
    assert answer.exit_code == 4
    assert "of memory" in answer.stderr
    assert not (tmp_path / "out").exists()


def test_verify_names_what_is_damaged(home, run, tmp_path):
    """0 when all is as written, 3 with the file's name when not, 3 when there is nothing."""
    assert sim("verify", "small", "--out", home / "out").stdout.endswith(
        "all as they were written\n"
    )
    copy = shutil.copytree(run, tmp_path / "copy")
    data = bytearray((copy / "summary.csv").read_bytes())
    data[100] ^= 1
    (copy / "summary.csv").write_bytes(data)

    answer = sim("verify", copy)
    assert answer.exit_code == 3
    assert "summary.csv is damaged" in answer.stderr
    assert len(json.loads(sim("verify", copy, "--json").stdout)["findings"]) == 1
    assert [sim(command, copy).exit_code for command in ("report",)] == [3]
    assert [sim("explain", copy, "--device", 0).exit_code, sim("compare", copy, run).exit_code] == [
        3,
        3,
    ]
    nowhere = sim("verify", "nowhere", "--out", tmp_path)
    assert nowhere.exit_code == 3
    assert "no results at nowhere" in nowhere.stderr


def test_reproduce_runs_one_replication_again(home, run, tmp_path):
    """0 and a sentence when every byte is the same; 3 when the run is damaged."""
    answer = sim("reproduce", "small", "--out", home / "out")
    assert answer.exit_code == 0
    assert "reproduced, all" in answer.stdout
    assert json.loads(sim("reproduce", run, "--pick", 3, "--json").stdout)["differ"] == []

    copy = shutil.copytree(run, tmp_path / "copy")
    (copy / "summary.csv").write_text("cell\n")
    assert sim("reproduce", copy).exit_code == 3


def test_report_is_written_again_from_the_folder_alone(run, tmp_path):
    """The same run elsewhere; the manifest vouches for the new files."""
    copy = shutil.copytree(run, tmp_path / "copy")
    (copy / "report.html").write_text("cut short")
    (copy / "figures/stray.svg").write_text("of a report that was cut short")
    assert sim("verify", copy).exit_code == 3
    answer = sim("report", copy)

    assert answer.exit_code == 0
    assert answer.stdout.startswith(f"report: {copy}/")
    assert verify(copy) == []


def test_run_and_report_take_one_name(tmp_path):
    """Whatever was given to `run` finds its newest results, whatever they are called there; two
    files of one name are told apart.
    """
    small = [
        "--out",
        tmp_path,
        "--set",
        "estate.premises=20",
        "--set",
        "window.length=1 d",
        "--replications",
        1,
        "--jobs",
        1,
    ]
    mine = tmp_path / "law_daily.yaml"
    mine.write_text("schema_version: 1\nextends: laws/daily\nquestion: Another?\n")
    for file in ("laws/daily", mine):
        assert sim("run", file, *small).exit_code == 0

    for file, question in (("laws/daily", "How many messages"), (mine, "Another?")):
        answer = sim("report", file, "--out", tmp_path)
        assert answer.exit_code == 0, answer.stderr
        assert question in (tmp_path / answer.stdout.removeprefix("report: ").strip()).read_text()


def test_compare_tells_leaves_and_metrics_apart(home, run, tmp_path):
    """What was changed, and what came of it."""
    sim(
        "run",
        home / "small.yaml",
        "--out",
        tmp_path,
        "--jobs",
        1,
        "-q",
        "--set",
        "reporting.period=2 d",
    )
    other = next((tmp_path / "small").glob("*-*"))
    answer = sim("compare", run, other)
    told = json.loads(sim("compare", run, other, "--json").stdout)

    assert answer.exit_code == 0
    assert told["leaves"] == [
        {"cell": cell, "leaf": "reporting.period", "run": "1 d", "other": "2 d"}
        for cell in ("quiet", "daily")
    ]
    assert {row["cell"] for row in told["metrics"]} == {"daily"}
    row = next(row for row in told["metrics"] if row["metric"] == "reports_per_device_year")
    assert row["difference"] == pytest.approx(row["other"] - row["run"])
    assert -250 < row["difference"] < -110
    assert "reporting.period  1 d  2 d" in answer.stdout
    assert sim("compare", run, run).stdout == "no leaf differs\nno metric differs\n"


def test_explain_tells_a_life(run):
    """At the run's own luck, and against another cell."""
    answer = sim("explain", run, "--device", 3, "--cell", "daily", "--versus", "quiet")
    assert answer.exit_code == 0
    assert "premises" in answer.stdout
    assert json.loads(sim("explain", run, "--device", 3, "--json").stdout)["cell"] == "quiet"
    for wrong in (
        ("--device", 999_999),
        ("--device", 1, "--cell", "loud"),
        ("--device", 1, "--versus", "loud"),
    ):
        assert sim("explain", run, *wrong).exit_code == 2


def test_list_gives_each_file_its_question():
    """Every shipped file that `check` takes."""
    told = json.loads(sim("list", "--json").stdout)
    assert {"gb_base", "cheapest_record", "daily_version_report"} <= set(told)
    assert told["daily_version_report"].endswith("(H1)")
    assert "gb_base" in sim("list").stdout


def test_schema_is_for_people_and_editors():
    assert "`estate.premises`" in sim("schema").stdout
    assert "$schema" in json.loads(sim("schema", "--format", "json").stdout)


def test_doctor_knows_the_machine():
    told = json.loads(sim("doctor", "--json").stdout)
    assert told["python"] == sys.version.split()[0]
    assert {"processors", "memory_free", "disk_free", "kernel_cache", "numba"} <= set(told)
    assert (Path(told["pages"]) / "glossary.md").exists()
    assert "memory_free" in sim("doctor").stdout


def test_nothing_a_terminal_would_obey_is_printed(tmp_path):
    """Control characters in names and questions are written out."""
    assert "\x1b" not in sim("check", "a\x1b[2Jb").output
    assert "\x1b" not in sim("verify", "a\x1b[2Jb", "--out", tmp_path).output


def test_the_program_starts_light(root):
    """Help, check, list and schema load nothing heavy, each in a fresh process."""
    heavy = {
        "numpy",
        "pandas",
        "numba",
        "scipy",
        "matplotlib",
        "pyarrow",
        "simpy",
        "joblib",
        "jinja2",
        "rich",
    }
    code = (
        "import sys\nfrom sim.cli import main\ntry: main()\nfinally:"
        " print(*sorted({m.partition('.')[0] for m in sys.modules}), file=sys.stderr)"
    )
    for arguments in (["--help"], ["run", "--help"], ["check", "gb_base"], ["list"], ["schema"]):
        answer = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert not heavy & set(answer.stderr.split())


def test_python_m_sim_is_sim(root, home, run):
    """The module, the exit codes and the streams of a real process."""
    command = [sys.executable, "-m", "sim", "verify", "small", "--out", home / "out"]
    answer = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith(str(run))
    assert (
        subprocess.run(
            [sys.executable, "-m", "sim", "run", "nowhere"],
            cwd=root,
            capture_output=True,
            timeout=60,
            check=False,
        ).returncode
        == 2
    )


def test_a_run_in_which_nothing_succeeds_has_no_report(home, tmp_path, mischief):
    """Every cause is told, and that is all there is to tell."""
    mischief["error"] = ValueError
    mischief["always"] = ValueError
    answer = sim("run", home / "small.yaml", "--out", tmp_path, "--jobs", 1, "--replications", 1)

    assert answer.exit_code == 1
    assert answer.stdout == ""
    assert "2 of 2 replications failed" in answer.stderr


def test_a_backend_is_one_that_is_there(monkeypatch):
    """loky, or Dask where it is installed; anything else is bad usage."""
    monkeypatch.setattr("sim.cli.options.find_spec", lambda name: None)
    for backend, words in (
        ("fog", "neither loky nor dask:ADDRESS"),
        ("dask:", "neither loky nor dask:ADDRESS"),
        ("dask:tcp://127.0.0.1:1", "extra `dask`"),
    ):
        answer = sim("run", "gb_base", "--backend", backend)
        assert answer.exit_code == 2
        assert words in answer.stderr
