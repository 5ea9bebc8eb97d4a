"""One word in page, columns, tables and both engines: the enumerations against what they name."""

from __future__ import annotations

import re

import pytest

from sim import words
from sim.kernels.firmware.columns import stream_names
from sim.mitigations import MITIGATIONS
from sim.scenario.stages import STAGES
from sim.streams import STREAMS
from sim.tables import TABLES
from sim.transitions import TRANSITIONS

ENUMERATIONS = [
    one for one in vars(words).values() if isinstance(one, type) and issubclass(one, words.Word)
]
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


@pytest.mark.parametrize("one", ENUMERATIONS, ids=lambda one: one.__name__)
def test_numbers_are_written_out_and_begin_at_nought(one: type[words.Word]):
    assert sorted(one) == list(range(len(one)))
    assert [one.of(word) for word in one.words()] == list(range(len(one)))


@pytest.mark.parametrize(("table", "column"), IN_COLUMNS)
def test_a_column_says_the_words_it_may_have(table: str, column: str):
    """Each word of the enumeration stands in the meaning of the column, as a word."""
    [meaning] = [one.meaning for one in TABLES[table].columns if one.name == column]

    assert set(IN_COLUMNS[table, column].words()) <= set(re.findall(r"[a-z_]+", meaning))


def test_every_row_of_a_stage_has_its_word():
    assert words.Mitigation.words() == tuple(MITIGATIONS)
    assert words.StageKind.words() == tuple(
        name for name in STAGES if name not in ("device", "hub")
    )


def test_a_job_has_the_states_and_events_of_the_page():
    rows_of = [row for row in TRANSITIONS if row.machine == "job"]

    assert {row.state for row in rows_of} | {row.next for row in rows_of} == set(
        words.JobState.words()
    )
    assert {row.event for row in rows_of} == set(words.JobEvent.words())
    records = [row for row in TRANSITIONS if row.machine == "record"]
    assert {row.state for row in records} == set(words.RecordState.words())


def test_a_life_draws_from_streams_that_exist():
    assert set(stream_names()) <= set(STREAMS)
