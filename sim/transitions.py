"""Everything that can happen to a device's job, an image, a local attempt and a record: one table,
which both engines walk (S3-28).

The fast path walks it as an array of small numbers, the twin by name; `docs/transitions.md` and its
diagram are written from it. What is not a row here cannot happen: looking it up raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sim.words import JobEvent, JobState


@dataclass(frozen=True, slots=True)
class Transition:
    """In *machine*, the *event* takes *state* to *next*; *item* is what asks for it (MISSION_MAP),
    *meaning* one sentence.
    """

    machine: str
    state: str
    event: str
    next: str
    item: str
    meaning: str


def _rows(machine: str, item: str, *rows: tuple[str, str, str, str]) -> tuple[Transition, ...]:
    return tuple(
        Transition(machine, state, event, following, item, meaning)
        for state, event, following, meaning in rows
    )


_JOB: Final = _rows(
    "job",
    "S1-14",
    ("idle", "offer", "offered", "A campaign offers a version, for a later second."),
    (
        "offered",
        "withdraw",
        "idle",
        "The campaign was aborted, stalled or superseded before that second.",
    ),
    (
        "offered",
        "refuse",
        "idle",
        "The DSP refuses: wrong hash, not on the CPL, or a hub that is not ready.",
    ),
    ("offered", "accept", "distributing", "The image goes from the DSP by the CSP to the hub."),
    ("distributing", "fail", "idle", "It never arrives, and is not sent again."),
    ("distributing", "retry", "offered", "It never arrives, and will be sent again."),
    (
        "distributing",
        "take",
        "transferring",
        "The hub has it, and sends it over the HAN when it is free.",
    ),
    ("transferring", "fail", "idle", "The device does not get it, and it is not sent again."),
    ("transferring", "retry", "offered", "The device does not get it, and it will be sent again."),
    ("transferring", "hold", "held", "The device holds it and waits to be told to run it (11.3)."),
    ("transferring", "activate", "answering", "A PPMID runs it at once (11.4), or cannot."),
    ("held", "activate", "answering", "The device is told to run it, and does or cannot."),
    ("answering", "record", "idle", "Success arrives, and the inventory is written."),
    ("answering", "fail", "idle", "Failure arrives; it is not sent again."),
    ("answering", "retry", "offered", "Failure arrives; it will be sent again."),
    ("answering", "miss", "idle", "A PPMID's alert is lost: nobody knows."),
    (
        "answering",
        "suspend",
        "suspended",
        (
            "The answer to 11.3 is lost: the inventory keeps the old version, the device stays"
            " Suspended (MP105)."
        ),
    ),
    ("suspended", "read", "reading", "The supplier reads the version (11.2)."),
    (
        "suspended",
        "resend",
        "stuck",
        "The supplier may only send 11.3 again, which repairs nothing.",
    ),
    ("stuck", "read", "reading", "Reading a Suspended device is allowed from now on (MP105)."),
    (
        "reading",
        "repair",
        "idle",
        "The answer says that the device runs the new version, and the inventory is written.",
    ),
    (
        "reading",
        "fail",
        "idle",
        "The answer says that it does not, the inventory is written, and it is not sent again.",
    ),
    (
        "reading",
        "retry",
        "offered",
        "The answer says that it does not, the inventory is written, and it will be sent again.",
    ),
    ("reading", "miss", "suspended", "The answer is lost."),
)
_IMAGE: Final = _rows(
    "image",
    "S1-09",
    ("none", "build", "built", "The manufacturer builds it."),
    ("built", "assure", "submitted", "Assurance is done; it goes to the CPL gateway."),
    ("submitted", "reject", "submitted", "The gateway rejects it; it is submitted again."),
    ("submitted", "give_up", "never_listed", "It has been rejected too often."),
    ("submitted", "list", "listed", "It is on the Central Products List."),
    (
        "submitted",
        "list_wrongly",
        "mislisted",
        "It is listed with data that are valid and wrong: its hash does not match.",
    ),
    ("mislisted", "correct", "listed", "The data are corrected."),
    ("mislisted", "withdraw", "delisted", "It is taken off the list."),
    ("listed", "withdraw", "delisted", "It is taken off the list."),
)
_REQUEST: Final = _rows(
    "attempt",
    "S1-12",
    ("none", "try", "tried", "A local update is attempted."),
    ("tried", "ban", "banned", "Local updates are banned here, and the owner obeys."),
    ("tried", "block", "blocked", "Screening stops it."),
    (
        "tried",
        "turn_away",
        "tried",
        "The gateway is busy or down, or its token has expired: it is tried again later.",
    ),
    ("tried", "replace", "replaced", "A newer version is offered before it is tried again."),
    (
        "tried",
        "refuse",
        "not_permitted",
        "The device refuses the step: a downgrade, or not a permitted predecessor.",
    ),
    ("tried", "install", "installed", "The device runs it."),
)
_RECORD: Final = _rows(
    "record", "S1-16",
    ("right", "change", "wrong", "The device changes and the record does not."),
    ("right", "write", "right", "Evidence confirms it."),
    ("right", "write_old", "wrong", "Evidence made before the last change arrives after it."),
    ("wrong", "change", "wrong", "The device changes again."),
    ("wrong", "change_back", "right", "The device goes back to what the record says."),
    ("wrong", "write", "right", "Evidence of what the device runs is written."),
    ("wrong", "write_old", "wrong", "Evidence of something it no longer runs is written."),
    ("right", "forget", "unknown", "A hub's record goes with the hub."),
    ("wrong", "forget", "unknown", "A hub's record goes with the hub."),
    ("unknown", "change", "unknown", "The device changes, and nobody hears of it."),
    ("unknown", "write", "right", "The new hub hears of the device."),
)  # fmt: skip
TRANSITIONS: Final = (*_JOB, *_IMAGE, *_REQUEST, *_RECORD)

_NEXT: Final = {(row.machine, row.state, row.event): row.next for row in TRANSITIONS}


def after(machine: str, state: str, event: str) -> str:
    """Return the state of *machine* after *event* in *state*; raises `KeyError` for what cannot
    happen.
    """
    return _NEXT[machine, state, event]


FORBIDDEN: Final = 255


def job_table() -> list[list[int]]:
    """Return the number of the state after each state (row) and event (column) of a job;
    `FORBIDDEN` where there is no such transition.
    """
    table = [[FORBIDDEN] * len(JobEvent) for _ in JobState]
    for row in _JOB:
        table[JobState.of(row.state)][JobEvent.of(row.event)] = JobState.of(row.next)
    return table
