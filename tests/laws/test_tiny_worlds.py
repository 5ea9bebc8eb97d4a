"""Every world of scenarios/laws, whose first line states its exact answer, gives that answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sim.run import replicate
from sim.scenario.load import load
from sim.tables import Tables
from tests.laws.worlds import DAY_S, delays, fates, ledger, peak

HOUR_S = 3600
Answer = Iterator[tuple[object, object]]  # what is found, and what it is to be


def one_second(tables: Tables) -> Answer:
    yield peak(tables, 1), (1000, 2 * HOUR_S)
    yield delays(tables, "dsp"), dict.fromkeys(range(100), 10)
    yield delays(tables, "end_to_end"), dict.fromkeys(range(100), 10)
    stage = tables["stages"].iloc[0]
    yield (
        stage["over_capacity_s"],
        stage["waiting_s"],
        stage["peak_waiting_n"],
        stage["waiting_at_end_n"],
    ), (1, 99, 990, 0)


def half_messages(tables: Tables) -> Answer:
    yield delays(tables, "dsp"), {second: 2 + second % 2 for second in range(400)}


def full_buffer(tables: Tables) -> Answer:
    yield fates(tables), {"delivered": 100, "refused": 900}
    yield delays(tables, "dsp"), dict.fromkeys(range(10), 10)


def two_stages(tables: Tables) -> Answer:
    yield delays(tables, "csp"), dict.fromkeys(range(50), 20)
    yield delays(tables, "end_to_end"), dict.fromkeys(range(5, 105), 10)
    yield delays(tables, "dsp"), {0: 10} | dict.fromkeys(range(1, 50), 20) | {50: 10}
    yield tables["stages"].groupby("stage")["peak_waiting_n"].max().to_dict(), {
        "csp": 980,
        "dsp": 500,
    }


def all_lost(tables: Tables) -> Answer:
    yield fates(tables), {"lost": 1000}
    yield ledger(tables)["n_repairs"], 0
    yield ledger(tables)["wrong_s"] > 0, True


def no_coverage(tables: Tables) -> Answer:
    yield fates(tables), {"expired": 1000}
    yield ledger(tables)["n_repairs"], 0
    yield ledger(tables)["wrong_s"] > 0, True


def dark_day(tables: Tables) -> Answer:
    yield fates(tables), {"delivered": 2000, "expired": 1000}


def lights_on(tables: Tables) -> Answer:
    yield peak(tables, 1), (1000, DAY_S + 4 * HOUR_S)
    yield fates(tables), {"delivered": 1000}


def whole_period(tables: Tables) -> Answer:
    sums = ledger(tables)
    yield (sums["n_changes"], sums["n_repairs"], sums["repair_s"]), (
        1000,
        1000,
        1000 * (6 * HOUR_S + 9),
    )


def displays(tables: Tables) -> Answer:
    sums = ledger(tables, "smi", "ihd")
    yield (sums["wrong_s"], sums["right_s"], sums["unknown_s"]), (0, 0, 1000 * 7 * DAY_S)
    yield fates(tables), {"delivered": 7000}
    yield sums["n_changes"] > 30_000, True


def quarterly(tables: Tables) -> Answer:
    yield fates(tables), {"delivered": 400}


def daily(tables: Tables) -> Answer:
    yield fates(tables), {"delivered": 36_500}


def heartbeat(tables: Tables) -> Answer:
    yield fates(tables), {"delivered": 100 * (4 + 52)}
    yield (ledger(tables)["wrong_s"], ledger(tables)["n_repairs"]), (0, 400)


def one_for_two(tables: Tables) -> Answer:
    yield fates(tables), {"delivered": 1000}
    senders = tables["population"].groupby("what")["n"].sum()
    yield (senders["senders"], senders["reporting"]), (1000, 2000)


def thirteen_million(tables: Tables) -> Answer:
    yield fates(tables), {"delivered": 13_000_000}
    yield tables["segments"].set_index("segment")["bytes"].to_dict(), {
        "han": 1_716_000_000,
        "wan": 1_716_000_000,
        "dsp": 1_716_000_000,
        "user": 24_401_000_000,
    }


ANSWERS: dict[str, Callable[[Tables], Answer]] = {
    answer.__name__: answer
    for answer in (
        all_lost,
        daily,
        dark_day,
        displays,
        full_buffer,
        half_messages,
        heartbeat,
        lights_on,
        no_coverage,
        one_for_two,
        one_second,
        quarterly,
        thirteen_million,
        two_stages,
        whole_period,
    )
}


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_the_world_gives_its_exact_answer(name):
    """Whatever the seed: nothing in these answers is drawn, or what is drawn does not matter."""
    for seed in (20190801, 7):
        answer = [*ANSWERS[name](replicate(load(f"laws/{name}", [f"seed={seed}"]), 0))]

        assert answer
        assert [found for found, _ in answer] == [expected for _, expected in answer]


def test_every_law_world_states_an_answer_that_is_checked(root: Path):
    """A file without a check would be a claim without proof."""
    files = {
        path.stem: path.read_text(encoding="utf-8")
        for path in (root / "scenarios" / "laws").glob("*.yaml")
    }

    assert set(files) == set(ANSWERS)
    assert all(text.startswith("# Exact answer: ") for text in files.values())
