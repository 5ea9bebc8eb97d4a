"""The one table that both engines walk: nothing in it is out of reach, nothing is said twice, and
its numbers are its names (S3-28).
"""

from __future__ import annotations

import pytest

from sim.transitions import FORBIDDEN, TRANSITIONS, after, job_table
from sim.words import JobEvent, JobState

MACHINES = {
    machine: [row for row in TRANSITIONS if row.machine == machine]
    for machine in dict.fromkeys(row.machine for row in TRANSITIONS)
}


def _reached(rows, start):
    """Return the states that *rows* lead to from *start*, itself included."""
    found = {start}
    while more := {row.next for row in rows if row.state in found} - found:
        found |= more
    return found


def test_there_are_four_machines():
    assert list(MACHINES) == ["job", "image", "attempt", "record"]
    assert {row.item for row in TRANSITIONS} == {"S1-14", "S1-09", "S1-12", "S1-16"}


@pytest.mark.parametrize("machine", MACHINES)
def test_every_state_is_reached_from_the_first(machine):
    rows = MACHINES[machine]

    assert _reached(rows, rows[0].state) == {
        state for row in rows for state in (row.state, row.next)
    }


@pytest.mark.parametrize("machine", MACHINES)
def test_an_event_leads_to_one_state(machine):
    pairs = [(row.state, row.event) for row in MACHINES[machine]]

    assert len(set(pairs)) == len(pairs)
    assert [after(machine, row.state, row.event) for row in MACHINES[machine]] == [
        row.next for row in MACHINES[machine]
    ]


def test_no_job_is_caught():
    """From every state of a job there is a way back to idle; an image and an attempt end where
    nothing follows.
    """
    rows = MACHINES["job"]

    assert all("idle" in _reached(rows, state) for state in JobState.words())
    for machine, ends in {
        "image": {"never_listed", "delisted"},
        "attempt": {"banned", "blocked", "replaced", "not_permitted", "installed"},
    }.items():
        assert {row.next for row in MACHINES[machine]} - {
            row.state for row in MACHINES[machine]
        } == ends


def test_the_numbers_of_a_job_are_its_names():
    table = job_table()

    assert {row.state for row in MACHINES["job"]} == set(JobState.words())
    assert len(table) == len(JobState.words()) < FORBIDDEN
    for state, following in zip(JobState.words(), table, strict=True):
        happens = {row.event: row.next for row in MACHINES["job"] if row.state == state}
        named = {
            event: JobState(number).word
            for event, number in zip(JobEvent.words(), following, strict=True)
            if number != FORBIDDEN
        }
        assert named == happens


def test_what_is_not_a_row_cannot_happen():
    with pytest.raises(KeyError):
        after("job", "idle", "record")
    with pytest.raises(KeyError):
        after("record", "offered", "write")
