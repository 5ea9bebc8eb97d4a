"""Every file in `scenarios/invalid` is refused with its exact sentence and line, at once, and
writes nothing.

A file says in its first line what it must earn (`# expects: LINE:COLUMN: path: sentence`); one that
cannot hold a comment has a `.expects` file beside it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sim.experiment.aims import targets_of
from sim.scenario.design import cells
from sim.scenario.experiments import Experiment
from sim.scenario.faults import MOST_FAULTS, ScenarioError
from sim.scenario.load import load, resolved
from sim.scenario.tree import LARGEST_B

INVALID = Path("scenarios/invalid")
FILES = sorted(
    path.relative_to(Path(__file__).parents[2])
    for path in (Path(__file__).parents[2] / INVALID).rglob("*.yaml")
)
# what refusing a file may take, counted and not timed: a second or so anywhere, and the same on a
# busy machine
MOST_CALLS = 2_000_000


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch, root):
    monkeypatch.chdir(root)


def checked(path: Path | str, sets: tuple[str, ...]) -> None:
    """Do what `sim check` does."""
    loaded = load(path, sets)
    cells(loaded)
    if isinstance(loaded, Experiment):
        targets_of(loaded)


def refused(path: Path | str, sets: tuple[str, ...] = ()) -> ScenarioError:
    n, profiled = 0, sys.getprofile()

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal n
        n += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        with pytest.raises(ScenarioError) as error:
            checked(path, sets)
    finally:
        sys.setprofile(profiled)
    print(f"{n:,} calls")
    assert n < MOST_CALLS
    return error.value


def expected(path: Path) -> str:
    """Return the line that the file at *path* must earn, with the name of the file it stands in."""
    beside = path.with_suffix(".expects")
    text = (
        beside.read_text()
        if beside.exists()
        else path.read_bytes().partition(b"\n")[0].decode().rstrip("\r").removeprefix("# expects: ")
    )
    text = text.rstrip("\n")
    return f"{path}:{text}" if text[0].isdigit() else text


def test_there_are_enough_files():
    assert len(FILES) >= 300
    assert len([path for path in FILES if path.parent.name == "storms"]) >= 90
    assert len([path for path in FILES if path.parent.name == "firmware"]) >= 110


@pytest.mark.parametrize(
    "path", FILES, ids=lambda path: path.relative_to(INVALID).with_suffix("").as_posix()
)
def test_an_invalid_file_earns_its_sentence(path):
    faults = refused(path).faults
    assert str(faults[0]) == expected(path)
    assert 1 <= len(faults) <= MOST_FAULTS
    for fault in faults:
        assert "\n" not in str(fault)
        assert str(fault).isprintable()


def test_all_faults_of_a_file_come_at_once():
    assert [
        fault.path for fault in refused(INVALID / "cross/three_blocks_at_once.yaml").faults
    ] == ["window.length", "estate.regions", "reporting.rule"]


def write(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "big.yaml"
    path.write_bytes(data)
    return path


HEAD = b"schema_version: 1\nextends: gb_base\nname: broken\nquestion: none\n"
TOO_LARGE = {
    "scalar of 64 MB": (b'question: "' + b"x" * 64_000_000 + b'"\n', "larger than 1 MiB"),
    "one byte over 1 MiB": (HEAD + b"#" * (LARGEST_B + 1 - len(HEAD)), "larger than 1 MiB"),
    "450,000 deep": (b"a: " + b"[" * 450_000, "nested more than 40 deep"),
    "450,000 deep in mappings": (b"{a: " * 200_000, "nested more than 40 deep"),
    "a million keys": (b"".join(b"k%d: 1\n" % n for n in range(1_000_000)), "larger than 1 MiB"),
    "80,000 keys": (b"".join(b"k%d: 1\n" % n for n in range(80_000)), "more than 25,000 values"),
    "20,000 unknown keys": (
        HEAD + b"".join(b"k%d: 1\n" % n for n in range(20_000)),
        "this key is not known",
    ),
    "20,000 anchors": (
        HEAD + b"".join(b"k%d: &a%d 1\n" % (n, n) for n in range(20_000)),
        "the anchor",
    ),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_file_too_large_to_keep_is_refused_as_fast(tmp_path, name):
    data, sentence = TOO_LARGE[name]
    assert sentence in str(refused(write(tmp_path, data)).faults[0])


NOT_UTF_8 = {
    "latin-1": (HEAD + b"# caf\xe9\n", (5, 6), "is not UTF-8"),
    "a lone surrogate": (HEAD + b"# \xed\xa0\x80\n", (5, 3), "is not UTF-8"),
    "UTF-16": (HEAD.decode().encode("utf-16"), (1, 1), "begins with a byte order mark"),
    "UTF-16 without a mark": (
        HEAD.decode().encode("utf-16-le"),
        (1, 2),
        "holds the control character U+0000",
    ),
}


@pytest.mark.parametrize("name", NOT_UTF_8)
def test_another_encoding_is_refused_where_it_shows(tmp_path, name):
    data, place, sentence = NOT_UTF_8[name]
    fault = refused(write(tmp_path, data)).faults[0]
    assert ((fault.line, fault.column), fault.path) == (place, "document")
    assert sentence in fault.message


def test_a_scenario_of_exactly_1_mib_is_read(tmp_path):
    path = write(tmp_path, HEAD + b"#" * (LARGEST_B - len(HEAD)))
    assert load(path).name == "broken"


def test_what_is_not_a_file_is_refused_without_being_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "ring.yaml").symlink_to("ring.yaml")
    cases = {
        tmp_path / "missing.yaml": "no such file",
        tmp_path: "is a folder",
        tmp_path / "pipe.yaml": "not a regular file",
        tmp_path / "ring.yaml": "cannot be read",
        Path("/dev/zero"): "not a regular file",
        tmp_path / ("x" * 300 + ".yaml"): "cannot be read",
        Path("missing.yaml") / "deeper.yaml": "no such file",
    }
    for path, sentence in cases.items():
        fault = refused(path).faults[0]
        assert sentence in fault.message, path
        assert (fault.line, fault.column, fault.path) == (1, 1, "document")
    assert "its name holds a NUL" in str(refused("a\0b.yaml"))


def test_an_unreadable_file_is_refused(tmp_path, monkeypatch):
    def forbid(*_arguments, **_keywords):
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, HEAD)
    monkeypatch.setattr(Path, "open", forbid)  # the tests may run as root, whom no mode keeps out
    assert "cannot be read: Permission denied" in str(refused(path))


def test_an_unknown_name_suggests_the_shipped_one():
    assert "(did you mean gb_base?)" in str(refused("gb_bsae"))


WHOLE = """
schema_version: 1
extends: gb_base
name: whole
question: none
network:
  - {stage: device, mitigations: [{kind: jitter, window: 5 min}]}
  - stage: hub
    buffer: 5
    overflow: keep_latest
    mitigations: [
      {kind: retry, base: 1 min, factor: 2, most: 1 h, jitter: full, cap: 5, timeout: 1 min,
       budget: 10 %, budget_window: 2 min}]
  - stage: cell
    mitigations: [
      {kind: access_barring, kinds: [chatter], above: 5, share: 50 %, hold: 5 min},
      {kind: shape, rate: 5 /s}]
  - stage: dsp
    capacity: 5 /s
    buffer: 5
    priority: [version_report]
    latency: 1 s
    mitigations: [
      {kind: alert_storm_protection, threshold: 5, window: 1 h, forward_period: 24 h,
       exclude: [8F75]}]
  - {stage: user, operators: 5, flood_above: 10, flood_below: 5}
faults:
  power_cuts: [
    {region: north, share: 5 %, start: 1 d, duration: 1 h,
     curve: [{share: 90 %, time: 1 h}, {share: 100 %, time: 1 d}]}]
  hub_reboots: [{region: north, share: 5 %, rate: 4 /year, duration: 1 h, restoration: 5 min}]
  wan_outages: [{region: north, share: 5 %, start: 1 d, every: 7 d, duration: 1 h}]
  stage_outages: [{stage: dsp, server: all, start: 1 d, duration: 1 h}]
  clock_locks: [{region: north, share: 5 %, start: 1 d, at: "00:00", spread: 5 min}]
alerts: {active: [tamper]}
"""


def keys_of(value: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if isinstance(value, list):
        return [
            found
            for index, item in enumerate(value)
            for found in keys_of(item, (*path, str(index)))
        ]
    if not isinstance(value, dict):
        return []
    return [
        found
        for key, item in value.items()
        for found in ((*path, key), *keys_of(item, (*path, key)))
    ]


def test_every_field_of_the_schema_misspelt_suggests_the_right_one(tmp_path):
    path = write(tmp_path, WHOLE.encode())
    scenario = load(path)
    # names that the user chooses are not misspelt, they are new
    free = ("regions", "users", "kinds", "profiles")
    fields = [
        where
        for where in keys_of(scenario.model_dump(mode="json"))
        if where[-2:-1] == () or where[-2] not in free
    ]
    assert len(fields) > 200
    for *parents, field in fields:
        wrong = ".".join([*parents, field[0] + field])
        faults = [fault for fault in refused(path, (f"{wrong}=1",)).faults if fault.path == wrong]
        assert f"(did you mean {field}?)" in str(faults[0]), wrong
        assert (faults[0].file, faults[0].line) == ("--set", 1)


@pytest.mark.parametrize(
    ("sets", "fault"),
    [
        (
            ("reporting.period",),
            (
                "--set:1:1: reporting.period: 'reporting.period' is not path=value, such as"
                " reporting.period=7 d"
            ),
        ),
        (("=5",), "--set:1:1: document: '=5' is not path=value, such as reporting.period=7 d"),
        (("seed=1", "seed=2"), "--set:2:1: seed: is set twice; set it once"),
        (("reporting.period=5 m",), "'m' is not a unit of a duration"),
        (("reporting.perod=5 d",), "(did you mean period?)"),
        (
            ("network.2.capacity=5 /s",),
            (
                "--set:1:1: network.2.capacity: '2' is not in the list network; allowed: an index"
                " from 0 to 1"
            ),
        ),
        (("network.-1.capacity=5 /s",), "'-1' is not in the list network"),
        (("seed.x=1",), "--set:1:1: seed.x: seed is the single value 20190801 and holds no 'x'"),
        (("seed=[1",), "--set:1:1: seed: is not valid YAML"),
        (("seed=!!int 1",), "--set:1:6: seed: the tag '!!int' is not read"),
        (("seed=1\nname: x",), "is more than one value"),
        (("seed=",), "has no value; write null"),
        (("extends=gb_base",), "cannot be set from outside"),
        (("seed=null",), "is empty, but it is required"),
        (("reporting.devices.0=ppm",), "--set:1:21: reporting.devices.0: 'ppm' is not known"),
    ],
)
def test_a_wrong_set_earns_its_sentence(sets, fault):
    assert fault in str(refused("gb_base", sets))


def test_a_good_scenario_is_not_refused():
    assert resolved(load("gb_base")).startswith("schema_version: 2\nname: gb_base\n")
