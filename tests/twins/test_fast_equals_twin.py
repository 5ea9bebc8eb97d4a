"""The fast path and the twin, world by world: every table equal, every message, every device's last
state.
"""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest

from sim import run, twin
from sim.tables import TABLES, Tables, Trace
from tests.twins import conserved_steady
from tests.twins.conserved import hold
from tests.twins.drawn import drawn
from tests.twins.worlds import RULES, SOURCES, world

N_WORLDS = 120  # the same worlds in every commit
NUMBERS = (*range(N_WORLDS), *drawn(30))


@cache
def _twin_of(number: int) -> tuple[Tables, Trace]:
    trace = Trace([], [])
    return twin.replicate(world(number), 0, trace=trace), trace


@pytest.mark.parametrize("number", NUMBERS)
def test_fast_equals_twin(number: int):
    tables, trace = _twin_of(number)
    fast_trace = Trace([], [])
    fast = run.replicate(world(number), 0, trace=fast_trace)

    assert set(fast) == set(tables) == set(TABLES)
    for name, expected in tables.items():
        pd.testing.assert_frame_equal(fast[name], expected, check_exact=True, obj=name)
    assert sorted(fast_trace.messages) == sorted(trace.messages)
    assert sorted(fast_trace.devices) == sorted(trace.devices)


@pytest.mark.parametrize("number", NUMBERS)
def test_nothing_is_lost_that_is_not_counted(number: int):
    scenario, told = world(number), _twin_of(number)
    conserved_steady.check_as_measured(scenario, *told)
    hold(conserved_steady.check, scenario, told)


def test_the_worlds_cover_what_a_scenario_can_say():
    scenarios = [world(number) for number in range(N_WORLDS)]

    assert {(s.reporting.rule, s.reporting.phase.source) for s in scenarios} == {
        (rule, source) for rule in RULES for source in SOURCES
    }
    assert {s.updates.local.driver for s in scenarios} == {"poisson", "releases"}
    assert {tuple(stage.stage for stage in s.network) for s in scenarios} >= {
        (),
        ("csp", "dsp"),
        ("csp", "dsp", "user"),
        ("user",),
    }
    stages = [stage for s in scenarios for stage in s.network]
    assert {stage.buffer for stage in stages} >= {None, 0, 1, 4}
    assert any(
        stage.capacity is not None and stage.capacity.rate.denominator > 1 for stage in stages
    )
    assert {stage.priority for stage in stages} >= {
        (),
        ("version_report",),
        ("zeal", "version_report"),
    }
    assert {stage.latency for stage in stages} >= {0, 1, 120}
    assert {len(s.faults.power_cuts) for s in scenarios} >= {0, 1, 2, 3}
    for share in ("loss", "han_loss"):
        assert {getattr(s.reporting, share) > 0 for s in scenarios} == {True, False}
    assert {
        (s.traffic.level > 0, s.window.warm_up > 0, s.reporting.phase.jitter > 0) for s in scenarios
    } >= {(True, True, True), (False, False, False)}
    assert {
        s.reporting.read.refreshes_smi for s in scenarios if s.reporting.rule == "hub_store"
    } == {True, False}


def test_the_worlds_are_eventful():
    tables = [_twin_of(number)[0] for number in range(N_WORLDS)]

    fates = pd.concat([t["fates"] for t in tables])
    assert set(fates.fate[fates.kind == "version_report"]) == {
        "delivered",
        "refused",
        "lost",
        "expired",
        "in_flight",
    }
    assert set(fates.stage) >= {"csp", "dsp"}
    assert sum((t["ledgers"].n_repairs > 0).any() for t in tables) > N_WORLDS / 4
    assert sum((t["stages"].waiting_s > 0).any() for t in tables) > N_WORLDS / 4
    assert sum((t["fates"].kind == "version_report").any() for t in tables) > N_WORLDS / 2
