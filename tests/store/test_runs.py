"""Run folders: found again, sealed, and checked file by file."""

from __future__ import annotations

import json
import os

import pytest

from sim.store import (
    StoreError,
    find_run,
    finished_runs,
    hashes,
    log,
    log_seal,
    publish,
    read_file,
    read_manifest,
    slug,
    start_run,
    verify,
    vouch,
    write_file,
    write_manifest,
)

PLAN = "0123456789abcdef" * 4


@pytest.fixture
def run(tmp_path):
    """Return a finished run with two files."""
    folder, _ = start_run(tmp_path, "a_world", PLAN)
    write_file(folder / "summary.csv", b"cell\n")
    write_file(folder / "tables/days.parquet", b"PAR1 not really")
    write_manifest(folder, {"plan": PLAN, "status": "complete", "files": hashes(folder)})
    publish(folder)
    return folder


def test_an_unfinished_run_of_the_same_plan_is_taken_up(tmp_path):
    """Before there is a manifest, and while its status says so."""
    folder, resumed = start_run(tmp_path, "a_world", PLAN)
    assert not resumed
    assert folder.parent == tmp_path / "a_world"
    assert folder.name.endswith("-01234567")
    for status in ("running", "interrupted", "failed"):
        write_manifest(folder, {"plan": PLAN, "status": status, "files": {}})
        assert start_run(tmp_path, "a_world", PLAN) == (folder, True)


def test_another_plan_with_the_same_eight_digits_is_not(tmp_path):
    """The manifest holds the whole hash."""
    folder, _ = start_run(tmp_path, "a_world", PLAN)
    write_manifest(folder, {"plan": "another", "status": "running", "files": {}})

    assert start_run(tmp_path, "a_world", PLAN)[0] != folder


def test_finished_runs_of_a_plan_are_known(run):
    """The newest first; not those that did not finish, nor another plan's."""
    out = run.parent.parent
    fresh, _ = start_run(out, "a_world", PLAN)
    assert [folder for folder, _ in finished_runs(out, "a_world", PLAN)] == [run]
    write_manifest(fresh, {"plan": PLAN, "status": "complete", "files": {}})
    assert [folder for folder, _ in finished_runs(out, "a_world", PLAN)] == [fresh, run]
    assert list(finished_runs(out, "a_world", "another")) == []


def test_a_finished_run_is_left_alone(run):
    """Who starts a run gets a fresh folder, also within the second."""
    fresh, resumed = start_run(run.parent.parent, "a_world", PLAN)

    assert fresh != run
    assert not resumed


def test_a_run_is_found_by_path_folder_and_name(run, tmp_path):
    """`RUN` on the command line."""
    assert find_run(str(run), tmp_path) == run
    assert find_run(str(run.parent), tmp_path / "nowhere") == run
    assert find_run("a_world", tmp_path) == run


@pytest.mark.parametrize(
    ("latest", "told"),
    [
        ("20260101T000000Z-00000000\n", "no results at a_world"),
        ("../../etc", "latest is damaged: it does not name a run"),
        ("", "latest is damaged: it does not name a run"),
        ("x" * 100, "latest is damaged: it does not name a run"),
    ],
)
def test_latest_is_only_a_name(run, tmp_path, latest, told):
    """A `latest` that names no run of this folder leads nowhere."""
    (run.parent / "latest").write_text(latest)

    with pytest.raises(StoreError, match=told) as caught:
        find_run("a_world", tmp_path)
    assert caught.value.code == 3


def test_any_damage_to_latest_is_seen(run, tmp_path):
    """A bit turned in the name does not lead to another run; one of before, a name alone, does."""
    path = run.parent / "latest"
    good = path.read_bytes()
    for at in range(len(good.rstrip())):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises(StoreError, match="latest is damaged"):
            find_run("a_world", tmp_path)
    path.write_text(f"{run.name}\n")
    assert find_run("a_world", tmp_path) == run


def test_any_damage_to_the_log_is_seen(run):
    """What was there when the run was sealed stays; who comes later may add to it."""
    log(run, "the first line")
    log(run, "the second line")
    write_manifest(run, read_manifest(run) | {"log": log_seal(run)})
    log(run, "another runner's line")
    assert verify(run) == []

    good = (run / "run.log").read_bytes()
    for damage in (good[:30], good.replace(b"first", b"third"), b""):
        (run / "run.log").write_bytes(damage)
        (finding,) = verify(run)
        assert f"{run / 'run.log'} is damaged" in finding
    (run / "run.log").unlink()
    assert "run.log cannot be read" in verify(run)[0]


def test_a_sound_run_has_no_findings(run):
    assert verify(run) == []


def test_every_kind_of_damage_is_named(run):
    """Altered, missing, unexpected, linked: one sentence each."""
    (run / "summary.csv").write_bytes(b"cell.\n")
    (run / "tables/days.parquet").rename(run / "tables/nights.parquet")
    (run / "figures").symlink_to(run / "tables")

    findings = "\n".join(verify(run))
    assert "summary.csv is damaged" in findings
    assert "days.parquet cannot be read" in findings
    assert "nights.parquet is not in the manifest" in findings
    assert "figures is not in the manifest" in findings


def test_every_byte_of_the_manifest_counts(run):
    """A flip anywhere in the manifest is a finding: in a value the seal breaks, elsewhere the JSON.
    """
    path = run / "manifest.json"
    good = path.read_bytes()
    for at in range(len(good)):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        assert verify(run), at
    path.write_bytes(good)
    assert verify(run) == []


def test_an_unfinished_run_is_a_finding(run):
    """Results of a run that was cut short are not to be relied on."""
    write_manifest(run, read_manifest(run) | {"status": "interrupted"})

    assert verify(run) == [f"{run}: the run did not finish (interrupted)"]


def test_a_new_report_does_not_vouch_for_an_old_table(run):
    """Writing the report again enters its hash and no other."""
    (run / "tables/days.parquet").write_bytes(b"tampered with")
    write_file(run / "report.html", b"<p>again</p>")
    vouch(run, [run / "report.html"])

    assert [finding.split(":")[0] for finding in verify(run)] == [
        f"{run}/tables/days.parquet is damaged"
    ]


def test_a_manifest_is_sorted_and_sealed(run):
    """Equal manifests are equal bytes."""
    text = (run / "manifest.json").read_text()
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert set(read_manifest(run)) == {"plan", "status", "files"}


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path):
    """A file where the folder should be."""
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(StoreError, match="cannot write .*out") as caught:
        start_run(tmp_path / "out", "a_world", PLAN)
    assert caught.value.code == 1


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    """Readers see the old bytes or the new ones."""
    write_file(tmp_path / "a.txt", b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"cannot write .*a\.txt: No space left on device"):
        write_file(tmp_path / "a.txt", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert read_file(tmp_path / "a.txt") == b"old"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("p4, 1 d", "p4-1-d"),
        ("../../etc", "etc"),
        ("…", "unnamed"),
        ("A" * 80, "a" * 64),
        ("a_b-c.d", "a_b-c.d"),
    ],
)
def test_names_become_paths_by_one_rule(name, path):
    """No name leads out of its folder."""
    assert slug(name) == path


def test_the_log_is_not_written_through_a_link(run, tmp_path):
    """Lines are added to the log of the run, and to nothing that a link in its place points to."""
    log(run, "started")
    log(run, "complete")
    assert [line.split(" ", 1)[1] for line in (run / "run.log").read_text().splitlines()] == [
        "started",
        "complete",
    ]
    (tmp_path / "precious").write_text("untouched")
    (run / "run.log").unlink()
    (run / "run.log").symlink_to(tmp_path / "precious")
    with pytest.raises(StoreError, match=r"cannot write .*run\.log"):
        log(run, "tampered")
    assert (tmp_path / "precious").read_text() == "untouched"
