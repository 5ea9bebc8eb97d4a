"""The fast path and the twin in storms, world by world: every table equal, every message, every
device's last state.
"""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest

from sim import run, twin
from sim.mitigations import MITIGATIONS
from sim.network.room import SHELF
from sim.scenario.checks import findings
from sim.tables import TABLES, Tables, Trace
from tests.twins import conserved_storms
from tests.twins.conserved import hold
from tests.twins.drawn import drawn
from tests.twins.storms import ALERTS, BACKOFFS, COUNTED, FAULTS, RULES, SOURCES, storm

N_STORMS = 225  # the same worlds in every commit
NUMBERS = (*range(N_STORMS), *drawn(30))
# how long the intervals are that the fast path takes at once: they change the time taken and
# nothing else
BATCHES_S = (86_400, 1_000, 61, 300)


@cache
def _twin_of(number: int) -> tuple[Tables, Trace]:
    trace = Trace([], [])
    return twin.replicate(storm(number), 0, trace=trace), trace


@pytest.mark.parametrize("number", NUMBERS)
def test_fast_equals_twin(number: int):
    tables, trace = _twin_of(number)
    fast_trace = Trace([], [])
    if number % 2:
        SHELF.clear()  # its memory is new and small; that of the others is what another left
    fast = run.replicate(
        storm(number), 0, trace=fast_trace, batch_s=BATCHES_S[number % len(BATCHES_S)]
    )

    assert set(fast) == set(tables) == set(TABLES)
    for name, expected in tables.items():
        pd.testing.assert_frame_equal(fast[name], expected, check_exact=True, obj=name)
    assert sorted(fast_trace.messages) == sorted(trace.messages)
    assert sorted(fast_trace.devices) == sorted(trace.devices)


@pytest.mark.parametrize("number", NUMBERS)
def test_nothing_is_lost_that_is_not_counted(number: int):
    hold(conserved_storms.check, storm(number), _twin_of(number))


def test_the_storms_are_scenarios_that_would_be_accepted():
    for number in range(N_STORMS):
        scenario = storm(number)

        assert (
            list(findings({name: getattr(scenario, name) for name in type(scenario).model_fields}))
            == []
        )


def test_the_storms_cover_what_a_scenario_can_say():
    scenarios = [storm(number) for number in range(N_STORMS)]

    stages = [stage for s in scenarios for stage in s.network]
    rows = [row for stage in stages for row in stage.mitigations]
    retries = [row for row in rows if row.kind == "retry"]
    assert {(stage.stage, row.kind) for stage in stages for row in stage.mitigations} == {
        (stage, row.id) for row in MITIGATIONS.values() for stage in row.layers
    }
    assert {len(stage.mitigations) for stage in stages} >= {0, 1, 2, 3}
    assert {row.jitter for row in retries} == set(BACKOFFS)
    assert {(row.timeout is None, row.budget is None) for row in retries} == {
        (True, True),
        (True, False),
        (False, True),
        (False, False),
    }
    assert {row.budget_window for row in retries} == {None, 7, 600}
    assert {(stage.buffer, stage.overflow) for stage in stages if stage.stage == "hub"} >= {
        (None, None),
        (1, None),
        (2, "drop_oldest"),
        (3, "keep_latest"),
    }
    assert {stage.overflow for stage in stages if stage.stage == "dsp" and stage.buffer == 6} == {
        "drop_oldest"
    }
    assert {len(stage.priority) for stage in stages} == {0, 1, 2}
    made_at = [s.traffic.kinds["alarm"].made_at for s in scenarios if s.traffic.level]
    assert min(map(made_at.count, ("home", "dsp"))) >= 20
    assert {s.reporting.rule for s in scenarios} == set(RULES)
    assert {s.reporting.phase.source for s in scenarios} == set(SOURCES)
    for what in FAULTS:
        entries = [entry for s in scenarios for entry in getattr(s.faults, what)]
        assert {(entry.rate is None, entry.every is None) for entry in entries} == {
            (True, True),
            (True, False),
            (False, True),
        }
    assert {outage.stage for s in scenarios for outage in s.faults.stage_outages} == {
        "csp",
        "dsp",
        "user",
    }
    assert {len(entry.curve) > 0 for s in scenarios for entry in s.faults.power_cuts} == {
        True,
        False,
    }
    assert {s.alerts.kinds[kind].cause for s in scenarios for kind in s.alerts.active} == {
        "outage",
        "restoration",
        "reboot",
        "random",
        "chatter",
    }
    assert (
        {s.window.warm_up > 0 for s in scenarios}
        == {s.traffic.level > 0 for s in scenarios}
        == {True, False}
    )


def test_the_storms_are_eventful():
    tables = [_twin_of(number)[0] for number in range(N_STORMS)]

    fates = pd.concat([t["fates"] for t in tables])
    assert set(fates.fate[fates.kind == "version_report"]) == {
        "delivered",
        "consolidated",
        "throttled",
        "refused",
        "lost",
        "expired",
        "in_flight",
    }
    assert set(fates.kind) == {"version_report", *ALERTS, *COUNTED}
    assert set(zip(fates.fate, fates.stage, strict=True)) >= {
        ("throttled", "device"),
        ("consolidated", "hub"),
        ("refused", "hub"),
        ("refused", "cell"),
        ("refused", "csp"),
        ("refused", "dsp"),
        ("throttled", "dsp"),
    }
    rows = (
        pd.concat([t["rows"] for t in tables])
        .groupby(["stage", "mitigation"])[["n_stopped", "n_put_off"]]
        .sum()
    )
    idle = {"retry", "shape", "lifo", "staggered_reconnect"}
    assert set(rows.index[rows.sum(axis=1) > 0]) == {
        (stage, row.id)
        for row in MITIGATIONS.values()
        for stage in row.layers
        if row.id not in idle
    }
    attempts = pd.concat([t["attempts"] for t in tables]).groupby("kind").sum()
    assert (attempts.n_attempts > attempts.n_messages).drop("tampered").all()
    assert attempts.n_wasted.sum() > 100
    assert sum((t["ledgers"].n_repairs > 0).any() for t in tables) > N_STORMS / 4
