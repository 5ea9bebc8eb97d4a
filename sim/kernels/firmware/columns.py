"""What a life is made of: the columns of a device and a premises, the rules of the world as numbers, and the sums that are kept.

One record of 65 bytes a device: whoever acts is read and written once, and a device that does nothing is never touched.
"""

from __future__ import annotations

from enum import IntEnum, unique
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.kernels.dials import Dial
from sim.kernels.ledgers import Total
from sim.kernels.stepping import record
from sim.words import (
    Decision,
    DeviceType,
    FirmwareMessage,
    JobEnd,
    JobEvent,
    JobState,
    JobStep,
    Ledger,
    Leg,
    LocalImage,
    Outcome,
    ReadProcess,
    RecordState,
    Status,
)

# How the kernels that handle one device at a time are compiled. None makes an array, so Numba need not count who holds one (a flag of its own): that counting
# was half their time.
PLAIN: Final = {"nogil": True, "_nrt": False}
MOST_VERSIONS = 101
# By type of device: its slot among the eight of a region.
SLOT = np.array([4, 5, 6, 1, 2], np.int64)
IN_SLOT_ORDER = np.array([3, 4, 0, 1, 2], np.int64)
N_TYPES = len(DeviceType)
# Marks of a device (`flags` is a word of NumPy's).
IS_OFF = np.uint8(1)
TAKES_PART = np.uint8(2)  # in local updates
IS_SUSPENDED = np.uint8(4)
JOB_IS_MEASURED = np.uint8(8)
ATTEMPT_IS_MEASURED = np.uint8(16)
ACTIVATION_FAILED = np.uint8(32)
STEP_REFUSED = np.uint8(64)

# A device is 64 bytes, a line of memory, and a premises half of one: who looks at either waits for one line and no more.
DEVICE = record([
    ("index", "u4"), ("local_s", "i4"), ("told_s", "i4"), ("timer_s", "i4"), ("read_s", "i4"), ("call_s", "i4"), ("job_s", "i4"),
    ("wrong_smi_s", "i4"), ("wrong_hub_s", "i4"), ("confirmed_s", "i4"), ("changed_s", "i4"), ("begun_s", "i4"), ("activated_s", "i4"),
    ("model", "u1"), ("running", "u1"), ("smi", "u1"), ("hub", "u1"), ("job", "u1"), ("version", "u1"), ("goal", "u1"), ("attempt", "u1"), ("looks", "u1"),
    ("resumed", "u1"), ("local_version", "u1"), ("marks", "u1"),
])  # fmt: skip
MEANINGS: Final = {  # of the columns of a device; times are seconds, `NEVER` for none
    "index": "number of its premises", "local_s": "next local attempt", "told_s": "next report of a change", "timer_s": "next timed report that matters",
    "read_s": "next read (R1, R11)", "call_s": "next read after a change", "job_s": "next event of its job", "wrong_smi_s": "WRONG in the SMI since, or -1",
    "wrong_hub_s": "WRONG or UNKNOWN at the hub since; -1: is not", "confirmed_s": "latest evidence written was made", "changed_s": "runs what it runs since",
    "begun_s": "its image was accepted",
    "activated_s": "its activation, Suspended since; before that, its image reached the hub",
    "model": "number of its model", "running": "version it runs", "smi": "version in the SMI", "hub": "version at the hub; 255 UNKNOWN",
    "job": "state of its job", "version": "version sent", "goal": "goal of the campaign that sends it", "attempt": "attempt of the job",
    "looks": "reads of a Suspended device in this attempt",
    "resumed": "interruptions of its transfer", "local_version": "version it will try locally", "marks": "what is true of it",
}  # fmt: skip


HOME = record([
    ("ready_s", "i4"), ("exchanged_s", "i4"), ("free_s", "i4"), ("gain_s", "i4"), ("install_s", "i4"), ("reach", "u1"), ("", "u1", 11),
])  # fmt: skip
HOME_MEANINGS: Final = {  # of the columns of a premises, beside the second of its next event, which stands alone because it is read the most
    "ready_s": "its hub can serve displays and load control from", "exchanged_s": "its hub is exchanged; -1 - second: has been",
    "free_s": "its hub has sent what it had to send over the HAN", "gain_s": "next change of supplier", "install_s": "next read at installation",
    "reach": "`Reach`",
}  # fmt: skip


RULES = record([
    *((name, "i8") for name in (
        "measure_s", "horizon_s", "region", "trigger", "from_hub", "stores", "refreshes", "is_cloud",
        "is_digest", "period_s", "phase", "at_s", "phase_window_s",
        "event_delay_s", "ban_s", "ban_everywhere", "ota_s", "design", "list_age_s", "fails_open", "install_s", "token_life_s", "again_s", "reseed",
        "distribution_low", "distribution_n", "resume_s", "wait_low", "wait_n", "answer_low", "answer_n", "patience_s", "repair_s", "repair_low", "repair_n",
        "retries", "retry_s", "cut_low", "cut_n", "emits",
    )),
    *((name, "u8") for name in (
        "loss", "han_loss", "comply", "variant", "signed", "false_accept", "false_reject", "wan_loss", "interruption", "failure", "answer_loss", "call",
    )),
    *((name, "f8") for name in ("read_rate", "gain_rate", "install_rate", "call_rate")),
])  # fmt: skip

@unique
class Stream(IntEnum):
    """Streams of luck that a life draws from (`sim.streams`), by their places in `FACTS.keys`."""

    HAN_LOSS = 0
    PHASE_HASHED = 1
    PHASE_START = 2
    REPORT_LOSS = 3
    CHANGE_LOSS = 4
    READ_GAP = 5
    LOCAL_DELAY = 6
    LOCAL_HOUR = 7
    LOCAL_VARIANT = 8
    LOCAL_COMPLIES = 9
    SCREEN_SIGNED = 10
    SCREEN_INSTALL = 11
    SCREEN_ERROR = 12
    OTA_DISTRIBUTION = 13
    OTA_LOST = 14
    OTA_INTERRUPTED = 15
    OTA_ACTIVATION_WAIT = 16
    OTA_ACTIVATION = 17
    OTA_RESPONSE = 18
    OTA_RESPONSE_LOST = 19
    OTA_REPAIR = 20
    OTA_REPAIR_LOST = 21
    OTA_CUT = 22
    OTA_CUT_LENGTH = 23
    ROLLOUT_ORDER = 24
    READS_INSTALL = 25
    READS_GAIN = 26
    READS_CALL = 27
    READS_CALL_DELAY = 28
    ESTATE_USER = 29
    LOCAL_CHANNEL = 30


def stream_names() -> list[str]:
    """Return the names of `Stream` as `sim.streams` has them: "ota.lost"."""
    return [stream.name.lower().replace("_", ".", 1) for stream in Stream]


# What no device changes, as one record, so that kernels pass one pointer: keys by stream, the table of transitions, models, images, outages of the gateway.
MOST_MODELS, MOST_OUTAGES, MOST_CHANNELS = 64, 8_192, 16
MOST_MOVES = 122  # of clocks, two a year
N_STALE, N_LATENCIES = 43, 57  # edges of bands; held to `sim.tables` by a test
FACTS = record([
    ("keys", "u8", len(Stream)),
    ("transitions", "u1", (len(JobState), len(JobEvent))),
    ("han_s", "i8", MOST_MODELS),
    ("asks_from", "i8", MOST_MODELS),
    ("cut", "u8", MOST_MODELS),
    ("permitted", "u1", (MOST_MODELS, MOST_VERSIONS, MOST_VERSIONS)),
    ("listed_s", "i8", (MOST_MODELS, MOST_VERSIONS)),
    ("corrected_s", "i8", (MOST_MODELS, MOST_VERSIONS)),
    ("delisted_s", "i8", (MOST_MODELS, MOST_VERSIONS)),
    ("n_outages", "i8"),
    ("out_from_s", "i8", MOST_OUTAGES),
    ("out_until_s", "i8", MOST_OUTAGES),
    ("stale_edges", "i8", N_STALE),
    ("latency_edges", "i8", N_LATENCIES),
    ("reports", "u1", N_TYPES),
    ("over_air", "u1", N_TYPES),
    ("n_channels", "i8"),
    ("channels", "u8", MOST_CHANNELS),
    *((f"dial_{name}", "i8", MOST_MOVES + 1) for name in Dial._fields),
])


class Region(NamedTuple):
    """The devices of a region, sorted by type and premises, where each type begins, its premises, and the second of the next event of each.

    Whose row is whose: by block of 64 premises and type, uint64 *fitted* has a bit for each premises that has one, int32 *rows* the row of the first.
    """

    devices: NDArray[Any]
    starts: NDArray[Any]
    homes: NDArray[Any]
    next_s: NDArray[Any]
    fitted: NDArray[Any]
    rows: NDArray[Any]


@unique
class SenderKnows(IntEnum):
    """What the sender of a job knows of its end: a gate sees what is told, and silence tells it
    nothing.
    """

    DONE = 0
    FAILED = 1
    SILENT = 2
    WITHDRAWN = 3


# By how the job ended.
SENDER_KNOWS = np.full(len(JobEnd), SenderKnows.SILENT, np.int64)
SENDER_KNOWS[[JobEnd.DONE, JobEnd.REPAIRED]] = SenderKnows.DONE
SENDER_KNOWS[[JobEnd.REFUSED_HASH, JobEnd.REFUSED_LISTING, JobEnd.REFUSED_HUB]] = SenderKnows.FAILED
SENDER_KNOWS[[JobEnd.ACTIVATION_FAILED, JobEnd.NOT_PERMITTED]] = SenderKnows.FAILED
SENDER_KNOWS[JobEnd.WITHDRAWN] = SenderKnows.WITHDRAWN


# What is summed of one part of a region: one record.
SUMS = record([
    ("totals", "i8", (N_TYPES, len(Ledger), len(Total))),
    ("bands", "i8", (N_TYPES, len(Ledger), N_STALE - 1)),
    ("jobs", "i8", (MOST_MODELS, MOST_VERSIONS, len(JobEnd))),
    ("steps", "i8", (N_TYPES, len(JobStep))),
    ("latencies", "i8", (N_TYPES, len(Leg), N_LATENCIES - 1)),
    ("local", "i8", (N_TYPES, MOST_CHANNELS, len(LocalImage), 2, len(Outcome))),
    ("readings", "i8", (len(ReadProcess), N_TYPES, len(RecordState))),
    ("decisions", "i8", (len(ReadProcess), N_TYPES, len(Decision))),
    ("told", "i8", len(FirmwareMessage)),
    ("status", "i8", (N_TYPES, len(Status))),
    ("running", "i8", (MOST_MODELS, MOST_VERSIONS)),
    ("counted", "i8", (MOST_MODELS, MOST_VERSIONS, len(SenderKnows))),
    ("suspended", "i8", N_TYPES),
])


RAISED = record([("cause", "u1"), ("type", "u1"), ("index", "u4"), ("second", "i4"), ("length", "i4")])  # what makes alerts of firmware causes
