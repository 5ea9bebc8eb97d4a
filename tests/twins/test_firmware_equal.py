"""The fast path and the twin in firmware worlds, world by world: every table equal, every message,
every device's last state.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pandas as pd
import pytest

from sim import run, transitions, twin
from sim.planning.releases import images
from sim.rules import RULES
from sim.scenario.alerts import FIRMWARE_CAUSES
from sim.scenario.checks import findings
from sim.tables import TABLES, Tables, Trace
from sim.transitions import TRANSITIONS
from sim.twin.firmware import estate, ledgers
from sim.words import JobState
from tests.twins import conserved_firmware
from tests.twins.conserved import hold
from tests.twins.drawn import drawn
from tests.twins.firmware import DESIGNS, ORDERS, RAMPS, SOURCES, world

N_WORLDS = 200  # the same worlds in every commit
NUMBERS = (*range(N_WORLDS), *drawn(30))
# how long the intervals are that the fast path takes at once: they change the time taken and
# nothing else
BATCHES_S = (86_400, 5_000, 61_000)


# rows of the table of transitions that the twin has looked up
WALKED: set[tuple[str, str, str]] = set()


@pytest.fixture(scope="module", autouse=True)
def _watched() -> Iterator[None]:
    def after(machine: str, state: str, event: str) -> str:
        WALKED.add((machine, state, event))
        return transitions.after(machine, state, event)

    with pytest.MonkeyPatch.context() as patch:
        for module in (estate, ledgers):
            patch.setattr(module, "after", after)
        yield


@cache
def _twin_of(number: int) -> tuple[Tables, Trace]:
    trace = Trace([], [])
    return twin.replicate(world(number), 0, trace=trace), trace


@pytest.mark.parametrize("number", NUMBERS)
def test_fast_equals_twin(number: int):
    tables, trace = _twin_of(number)
    fast_trace = Trace([], [])
    fast = run.replicate(
        world(number),
        0,
        trace=fast_trace,
        threads=1 + number % 2,
        batch_s=BATCHES_S[number % len(BATCHES_S)],
    )

    assert set(fast) == set(tables) == set(TABLES)
    for name, expected in tables.items():
        pd.testing.assert_frame_equal(fast[name], expected, check_exact=True, obj=name)
    assert fast_trace.lives == trace.lives
    assert sorted(fast_trace.messages) == sorted(trace.messages)


@pytest.mark.parametrize("number", NUMBERS)
def test_nothing_is_lost_that_is_not_counted(number: int):
    hold(conserved_firmware.check, world(number), _twin_of(number))


def test_the_worlds_are_scenarios_that_would_be_accepted():
    for number in range(N_WORLDS):
        scenario = world(number)

        assert (
            list(findings({name: getattr(scenario, name) for name in type(scenario).model_fields}))
            == []
        )


def test_the_worlds_cover_what_a_firmware_block_can_say():
    scenarios = [world(number) for number in range(N_WORLDS)]
    blocks = [scenario.firmware for scenario in scenarios if scenario.firmware is not None]

    assert {(s.reporting.rule, s.reporting.phase.source) for s in scenarios} == {
        (rule, source) for rule in RULES for source in SOURCES
    }
    assert {block.screening.design for block in blocks} == set(DESIGNS)
    assert {block.campaign.order for block in blocks} == set(ORDERS)
    assert {block.campaign.ramp.kind for block in blocks} == set(RAMPS)
    assert {block.campaign.sweeps for block in blocks} >= {0, 1, 3}
    assert {
        (block.ota.exchange.reseed if block.ota.exchange is not None else None) for block in blocks
    } == {None, True, False}
    assert {(block.ota.mp105 is None, block.ota.retries) for block in blocks} >= {
        (True, 0),
        (False, 0),
        (True, 7),
        (False, 7),
    }
    assert {s.updates.ban.scope if s.updates.ban is not None else None for s in scenarios} == {
        None,
        "everywhere",
        "where_ota_works",
    }
    assert {model.type for block in blocks for model in block.models.values()} == {
        "ppmid",
        "ihd",
        "hcalcs",
        "esme",
        "gsme",
    }
    assert {
        (bool(model.permitted), model.downgrades)
        for block in blocks
        for model in block.models.values()
    } == {(path, down) for path in (True, False) for down in ("refused", "allowed")}
    assert {(block.local.hours is None, len(block.local.channels)) for block in blocks} == {
        (whenever, n) for whenever in (True, False) for n in (1, 2, 3)
    }
    assert {
        s.alerts.kinds[kind].cause for s in scenarios for kind in s.alerts.active if s.network
    } >= set(FIRMWARE_CAUSES)
    assert sum(bool(s.network) for s in scenarios) == N_WORLDS / 4


def test_the_worlds_are_eventful():
    tables = [_twin_of(number)[0] for number in range(N_WORLDS)]

    def seen(table: str, column: str) -> set[str]:
        return {value for t in tables for value in t[table][column]}

    assert seen("jobs", "ended") == {
        "done",
        "repaired",
        "unheard",
        "withdrawn",
        "refused_hash",
        "refused_listing",
        "refused_hub",
        "no_wan",
        "wan_lost",
        "han_failed",
        "image_lost",
        "activation_failed",
        "not_permitted",
        "open",
    }
    assert seen("campaigns", "ended") == {
        "finished",
        "aborted",
        "stalled",
        "superseded",
        "running",
        "waiting",
    }
    assert seen("local", "outcome") == {
        "banned",
        "blocked",
        "busy",
        "expired",
        "gateway_down",
        "not_permitted",
        "installed",
    }
    assert seen("local", "image") == {"listed", "unlisted", "variant"}
    assert seen("readings", "process") == {
        "install",
        "gain",
        "call",
        "compliance",
        "incident",
        "targeting",
        "audit",
    }
    assert seen("decisions", "outcome") == {
        "right",
        "missed",
        "wasted",
        "wrong_path",
        "false_compliance",
        "false_alarm",
    }
    assert seen("told", "kind") == {
        "version_report",
        "carried",
        "request",
        "detail",
        "image_request",
        "image",
        "activation",
        "answer",
        "repair_read",
        "transferred",
        "received",
        "activated",
        "cut",
    }
    assert seen("steps", "step") == {
        "offered",
        "accepted",
        "taken",
        "held",
        "activated",
        "answered",
        "recorded",
    }
    for what in (
        "suspended_s",
        "unlisted_s",
        "variant_s",
        "suspended_end_n",
        "variant_end_n",
        "found_n",
        "forgotten_n",
    ):
        assert (
            sum((t["status"].value[t["status"].what == what] > 0).any() for t in tables) >= 5
        ), what
    assert {life[6] for number in range(N_WORLDS) for life in _twin_of(number)[1].lives} == set(
        JobState.words()
    )
    assert sum((t["fates"].kind == "activated").any() for t in tables) > N_WORLDS / 20


def test_every_row_of_the_table_of_transitions_happens_somewhere():
    for number in range(N_WORLDS):
        _twin_of(number)

    assert {
        (row.machine, row.state, row.event) for row in TRANSITIONS if row.machine != "image"
    } == WALKED


def test_every_fate_of_an_image_happens_somewhere():
    made = [image for number in range(N_WORLDS) for image in images(world(number), 0)]

    assert any(image.n_rejected > 0 for image in made)
    assert any(image.corrected_s > image.listed_s for image in made)
    assert any(image.delisted_s < image.corrected_s for image in made)
