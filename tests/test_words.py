"""One word in page, columns, tables and both engines: the enumerations against what they name."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from sim import words
from sim.kernels.firmware.columns import stream_names
from sim.metrics import firmware as metrics
from sim.metrics import firmware_air
from sim.scenario import air, alerts, fields, firmware, rows
from sim.scenario.stages import STAGES
from sim.streams import STREAMS
from sim.tables import TABLES
from sim.transitions import TRANSITIONS

ENUMERATIONS = [one for one in vars(words).values() if isinstance(one, type) and issubclass(one, words.Word)]
IN_COLUMNS = {
    ("fates", "fate"): words.Fate,
    ("jobs", "ended"): words.JobEnd,
    ("steps", "step"): words.JobStep,
    ("latencies", "step"): words.Leg,
    ("local", "image"): words.LocalImage,
    ("local", "outcome"): words.Outcome,
    ("readings", "process"): words.ReadProcess,
    ("readings", "state"): words.RecordState,
    ("decisions", "outcome"): words.Decision,
    ("told", "kind"): words.FirmwareMessage,
    ("status", "what"): words.Status,
    ("releases", "device_type"): words.DeviceType,
    ("stages", "stage"): words.StageKind,
    ("ledgers", "ledger"): words.Ledger,
}
IN_SCENARIOS = {
    words.Mitigation: rows.ROWS,
    words.Overflow: fields.Overflow,
    words.Backoff: rows.Backoff,
    words.AlertCause: alerts.CAUSES,
    words.PhaseSource: fields.PhaseSource,
    words.DeviceType: firmware.LIVING,
    words.StageKind: set(STAGES) - {"device", "hub"},
}


def allowed(annotation: object) -> set[str]:
    """Return the words that a field of *annotation* (`Annotated[str, OneOf(…)]`) may have."""
    [form] = [one for one in get_args(annotation) if isinstance(one, fields.OneOf)]
    return set(form.allowed)


@pytest.mark.parametrize("one", ENUMERATIONS, ids=lambda one: one.__name__)
def test_numbers_are_written_out_and_begin_at_nought(one: type[words.Word]):
    assert sorted(one) == list(range(len(one)))
    assert [one.of(word) for word in one.words()] == list(range(len(one)))


@pytest.mark.parametrize(("table", "column"), IN_COLUMNS)
def test_a_column_says_the_words_it_may_have(table: str, column: str):
    """Each word of the enumeration stands in the meaning of the column, as a word."""
    [meaning] = [one.meaning for one in TABLES[table].columns if one.name == column]

    assert set(IN_COLUMNS[table, column].words()) <= set(re.findall(r"[a-z_]+", meaning))


@pytest.mark.parametrize("one", IN_SCENARIOS, ids=lambda one: one.__name__)
def test_a_scenario_may_say_every_word(one: type[words.Word]):
    written = IN_SCENARIOS[one]

    assert set(one.words()) == (set(written) if isinstance(written, set | tuple | dict) else allowed(written))


def test_the_two_others_that_a_scenario_chooses_from():
    order = air.Campaign.model_fields["order"]
    design = firmware.Screening.model_fields["design"]

    assert [form.allowed for form in order.metadata if isinstance(form, fields.OneOf)] == [
        words.RolloutOrder.words()
    ]
    assert set(words.Design.words()) in [
        set(form.allowed) for form in design.metadata if isinstance(form, fields.OneOf)
    ]


def test_a_job_has_the_states_and_events_of_the_page():
    rows_of = [row for row in TRANSITIONS if row.machine == "job"]

    assert {row.state for row in rows_of} | {row.next for row in rows_of} == set(words.JobState.words())
    assert {row.event for row in rows_of} == set(words.JobEvent.words())
    records = [row for row in TRANSITIONS if row.machine == "record"]
    assert {row.state for row in records} == set(words.RecordState.words())


def test_metrics_know_the_words_of_their_tables():
    assert set(firmware_air.ENDS) == set(words.JobEnd.words())
    assert words.JobStep.words() == firmware_air.STEPS
    assert set(metrics.OUTCOMES) == set(words.Outcome.words())
    assert set(metrics.PROCESSES) == set(words.ReadProcess.words()) - {"audit"}


def test_a_life_draws_from_streams_that_exist():
    assert set(stream_names()) <= set(STREAMS)
