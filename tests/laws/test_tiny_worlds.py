"""Every world of scenarios/laws, whose first line states its exact answer, gives that answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sim.run import replicate
from sim.scenario.load import load
from sim.tables import Tables
from tests.laws.worlds import DAY_S, delays, fates, ledger, peak

HOUR_S = 3600


def one_second(tables: Tables) -> None:
    assert peak(tables, 1) == (1000, 2 * HOUR_S)
    assert delays(tables, "dsp") == delays(tables, "end_to_end") == dict.fromkeys(range(100), 10)
    stage = tables["stages"].iloc[0]
    assert (stage["over_capacity_s"], stage["waiting_s"], stage["peak_waiting_n"], stage["waiting_at_end_n"]) == (1, 99, 990, 0)


def half_messages(tables: Tables) -> None:
    assert delays(tables, "dsp") == {second: 2 + second % 2 for second in range(400)}


def full_buffer(tables: Tables) -> None:
    assert fates(tables) == {"delivered": 100, "refused": 900}
    assert delays(tables, "dsp") == dict.fromkeys(range(10), 10)


def two_stages(tables: Tables) -> None:
    assert delays(tables, "csp") == dict.fromkeys(range(50), 20)
    assert delays(tables, "end_to_end") == dict.fromkeys(range(5, 105), 10)
    assert delays(tables, "dsp") == {0: 10} | dict.fromkeys(range(1, 50), 20) | {50: 10}
    assert tables["stages"].groupby("stage")["peak_waiting_n"].max().to_dict() == {"csp": 980, "dsp": 500}


def all_lost(tables: Tables) -> None:
    assert fates(tables) == {"lost": 1000}
    assert ledger(tables)["n_repairs"] == 0
    assert ledger(tables)["wrong_s"] > 0


def no_coverage(tables: Tables) -> None:
    assert fates(tables) == {"expired": 1000}
    assert ledger(tables)["n_repairs"] == 0
    assert ledger(tables)["wrong_s"] > 0


def dark_day(tables: Tables) -> None:
    assert fates(tables) == {"delivered": 2000, "expired": 1000}


def lights_on(tables: Tables) -> None:
    assert peak(tables, 1) == (1000, DAY_S + 4 * HOUR_S)
    assert fates(tables) == {"delivered": 1000}


def whole_period(tables: Tables) -> None:
    sums = ledger(tables)
    assert (sums["n_changes"], sums["n_repairs"], sums["repair_s"]) == (1000, 1000, 1000 * (6 * HOUR_S + 9))


def displays(tables: Tables) -> None:
    sums = ledger(tables, "smi", "ihd")
    assert (sums["wrong_s"], sums["right_s"], sums["unknown_s"]) == (0, 0, 1000 * 7 * DAY_S)
    assert fates(tables) == {"delivered": 7000}
    assert sums["n_changes"] > 30_000


def quarterly(tables: Tables) -> None:
    assert fates(tables) == {"delivered": 400}


def daily(tables: Tables) -> None:
    assert fates(tables) == {"delivered": 36_500}


def heartbeat(tables: Tables) -> None:
    assert fates(tables) == {"delivered": 100 * (4 + 52)}
    assert (ledger(tables)["wrong_s"], ledger(tables)["n_repairs"]) == (0, 400)


def one_for_two(tables: Tables) -> None:
    assert fates(tables) == {"delivered": 1000}
    senders = tables["population"].groupby("what")["n"].sum()
    assert (senders["senders"], senders["reporting"]) == (1000, 2000)


def thirteen_million(tables: Tables) -> None:
    assert fates(tables) == {"delivered": 13_000_000}
    assert tables["segments"].set_index("segment")["bytes"].to_dict() == {
        "han": 1_716_000_000, "wan": 1_716_000_000, "dsp": 1_716_000_000, "user": 24_401_000_000,
    }


ANSWERS: dict[str, Callable[[Tables], None]] = {
    answer.__name__: answer
    for answer in (
        all_lost, daily, dark_day, displays, full_buffer, half_messages, heartbeat, lights_on, no_coverage, one_for_two, one_second, quarterly,
        thirteen_million, two_stages, whole_period,
    )
}


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_the_world_gives_its_exact_answer(name):
    """Whatever the seed: nothing in these answers is drawn, or what is drawn does not matter."""
    for seed in (20190801, 7):
        ANSWERS[name](replicate(load(f"laws/{name}", [f"seed={seed}"]), 0))


def test_every_law_world_states_an_answer_that_is_checked(root: Path):
    """A file without a check would be a claim without proof."""
    files = {path.stem: path.read_text(encoding="utf-8") for path in (root / "scenarios" / "laws").glob("*.yaml")}

    assert set(files) == set(ANSWERS)
    assert all(text.startswith("# Exact answer: ") for text in files.values())
