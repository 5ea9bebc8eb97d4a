"""What compiling takes, whether it was done, and that it is done before the first replication."""

from __future__ import annotations

import json

import pytest

from sim.experiment import Options, Source, compiling, execute, needs, planned
from sim.experiment.compiling import COMPILE_S, compile_for, parts, uncompiled
from sim.experiment.costs import slowness
from sim.scenario.load import load
from sim.scenario.reach import clock_moves
from tests.cli.test_cli import sim
from tests.experiment import standin
from tests.experiment.conftest import SMALL

STORM = [
    "estate.premises=2000000",
    "reporting.rule=periodic",
    "reporting.phase={source: fixed_clock, at: '03:00', jitter: 10 s}",
    "network=[{stage: dsp, capacity: 26 /s}]",
]


@pytest.fixture
def cold(tmp_path, monkeypatch):
    """Let nothing be compiled yet, for all that is known; return where that is kept."""
    folder = tmp_path / "kept"
    folder.mkdir()
    monkeypatch.setattr(compiling, "kept_in", lambda: folder)
    return folder


def test_a_world_needs_the_kernels_of_its_parts():
    """An estate or a firmware's life; a network only where somebody waits in it."""
    assert parts(load("gb_base")) == {"estate"}
    assert parts(load("gb_base", STORM)) == {"estate", "network"}
    assert parts(load("gb_base", ["estate.premises=20", *STORM[1:]])) == {"estate"}
    assert parts(load("gb_firmware")) == {"firmware"}


def test_what_was_compiled_is_known_until_it_is_deleted(cold, monkeypatch):
    """By a file for each part; where nothing can be kept, each process compiles it anew."""
    worlds = [load("gb_base", STORM), load("gb_firmware")]
    assert uncompiled(worlds) == set(COMPILE_S)
    compile_for("tests.experiment.standin", worlds[:1])
    assert uncompiled(worlds) == {"firmware"}
    (cold / "network.compiled").unlink()
    assert uncompiled(worlds) == {"firmware", "network"}
    monkeypatch.setattr(compiling, "kept_in", lambda: None)
    compile_for("tests.experiment.standin", worlds)
    assert uncompiled(worlds) == set(COMPILE_S)


def test_a_hamlet_is_lived_once_for_a_source(cold, monkeypatch):
    """However often a world of its rules is run, until what was compiled is deleted."""
    worlds = []
    monkeypatch.setattr(standin, "replicate", lambda world, replication: worlds.append(world))
    for seed in range(3):
        compile_for("tests.experiment.standin", [load("gb_base", [*STORM, f"seed={seed}"])])
    assert len(worlds) == 1

    compile_for("tests.experiment.standin", [load("gb_base", ["reporting.rule=on_change"])])
    assert len(worlds) == 2
    (cold / "network.compiled").unlink()
    compile_for("tests.experiment.standin", [load("gb_base", STORM)])
    assert len(worlds) == 3


def test_the_clock_of_a_hamlet_moves_where_that_of_its_world_does(cold, monkeypatch):
    """On the day that it lives, whenever in the window that is."""
    worlds = []
    monkeypatch.setattr(standin, "replicate", lambda world, replication: worlds.append(world))
    fixed = ["reporting.rule=periodic", "reporting.phase.source=fixed_clock"]
    clocks = [load("gb_base", [*fixed, f"window.clock={clock}"]) for clock in ("utc", "local")]
    compile_for("tests.experiment.standin", clocks)
    assert [clock_moves(world.window, world.reporting) for world in worlds] == [(), ((3600, 3600),)]


def test_hamlets_meet_what_their_worlds_meet(cold, monkeypatch):
    """Few premises, yet somebody waits in them; and all of a firmware's life."""
    worlds = []
    monkeypatch.setattr(standin, "replicate", lambda world, replication: worlds.append(world))
    compile_for("tests.experiment.standin", [load("gb_base", STORM), load("gb_firmware")])

    storm, day, life = worlds
    assert {world.estate.premises for world in worlds} == {20}
    assert storm.network[0].capacity.rate < 1e-4
    assert day.window.length < life.window.length == load("gb_firmware").window.length


def test_what_fails_in_a_hamlet_is_not_known_as_compiled(cold, monkeypatch):
    """Its own replications will tell what is wrong with it."""

    def fail(world, replication):
        raise ValueError("no such world")

    monkeypatch.setattr(standin, "replicate", fail)
    compile_for("tests.experiment.standin", [load("gb_base")])
    assert uncompiled([load("gb_base")]) == {"estate"}


def test_the_plan_says_first_and_later_times(cold):
    """Of the parts that it needs and that are not compiled; the twin has none."""
    storm, twin = planned(load("gb_base", STORM), "fast"), planned(load("gb_base", STORM), "twin")
    both = COMPILE_S["estate"] + COMPILE_S["network"]
    assert needs(storm, 1).compiling == pytest.approx(slowness() * both)
    assert needs(twin, 1).compiling == 0
    text = sim("plan", "gb_base").stdout
    assert "s; this first time " in text
    assert " s more, to compile" in text
    assert json.loads(sim("plan", "gb_base", "--json").stdout)["compiling"] > 0

    for part in COMPILE_S:
        (cold / f"{part}.compiled").touch()
    assert needs(storm, 1).compiling == 0
    assert "compile" not in sim("plan", "gb_base").stdout


def test_compiling_is_a_phase_of_its_own(cold, pretend, tmp_path, capsys):
    """Said once, before the first replication; not again."""
    world = planned(load("gb_base", [*SMALL, "replications=2"]), "fast")
    for times, again in ((1, False), (0, True)):
        execute(world, tmp_path, Source("", "", ()), Options(1, quiet=False, again=again))
        assert capsys.readouterr().err.count("compiling, once, about ") == times
