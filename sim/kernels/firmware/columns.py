"""What a life is made of: the columns of a device and a premises, the rules of the world as
numbers, and the sums that are kept.

One record of 65 bytes a device: whoever acts is read and written once, and a device that does
nothing is never touched.
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

# How the kernels that handle one device at a time are compiled. None makes an array, so Numba need
# not count who holds one (a flag of its own): that counting was half their time.
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

# A device is 64 bytes, a line of memory, and a premises half of one: who looks at either waits for
# one line and no more. Times are seconds, `NEVER` for none.
DEVICE = record([
    ("index", "u4"),          # number of its premises
    ("local_s", "i4"),        # next local attempt
    ("told_s", "i4"),         # next report of a change
    ("timer_s", "i4"),        # next timed report that matters
    ("read_s", "i4"),         # next read (R1, R11)
    ("call_s", "i4"),         # next read after a change
    ("job_s", "i4"),          # next event of its job
    ("wrong_smi_s", "i4"),    # WRONG in the SMI since; -1: is not
    ("wrong_hub_s", "i4"),    # WRONG or UNKNOWN at the hub since; -1: is not
    ("confirmed_s", "i4"),    # latest evidence that is written was made
    ("changed_s", "i4"),      # runs what it runs since
    ("begun_s", "i4"),        # its image was accepted
    ("activated_s", "i4"),    # its image was activated; Suspended since
    ("model", "u1"),          # number of its model
    ("running", "u1"),        # version it runs
    ("smi", "u1"),            # version in the SMI, which keeps none of an IHD
    ("hub", "u1"),            # version at the hub; `UNKNOWN_VERSION` for none
    ("job", "u1"),            # `JobState`
    ("version", "u1"),        # version sent
    ("goal", "u1"),           # goal of the campaign that sends it
    ("attempt", "u1"),        # attempt of the job, from 0
    ("looks", "u1"),          # reads of a Suspended device in this attempt
    ("resumed", "u1"),        # interruptions of its transfer
    ("local_version", "u1"),  # version it will try locally
    ("marks", "u1"),          # what is true of it: the bits above
])  # fmt: skip
# Beside the second of its next event, which stands alone because it is read the most.
HOME = record([
    ("ready_s", "i4"),        # its hub can serve displays and load control from
    ("exchanged_s", "i4"),    # its hub is exchanged
    ("free_s", "i4"),         # its hub has sent what it had to send over the HAN
    ("gain_s", "i4"),         # next change of supplier
    ("install_s", "i4"),      # next read at installation
    ("reach", "u1"),          # `Reach`
    ("is_exchanged", "u1"),   # whether its hub has been exchanged
    ("", "u1", 10),           # to half a line
])  # fmt: skip
RULES = record([
    ("measure_s", "i8"),          # s: measuring begins
    ("horizon_s", "i8"),          # s: the world ends
    ("region", "i8"),             # number of the region
    ("trigger", "i8"),            # `Trigger` of the reporting rule
    ("from_hub", "i8"),           # bool: hubs report
    ("stores", "i8"),             # bool: hubs keep versions
    ("refreshes", "i8"),          # bool: an answer of the hub is written to the SMI
    ("is_cloud", "i8"),           # bool: reports go by broadband
    ("is_digest", "i8"),          # bool: details follow
    ("period_s", "i8"),           # s: period of the timer; 0 for none
    ("phase", "i8"),              # `PhaseSource`
    ("at_s", "i8"),               # s of day: of a fixed clock, start of the hashed window
    ("phase_window_s", "i8"),     # s: length of the hashed window
    ("event_delay_s", "i8"),      # s: from a local install to its read
    ("ban_s", "i8"),              # s: the ban holds from; NEVER for none
    ("ban_everywhere", "i8"),     # bool: it holds also where no image goes over the air
    ("ota_s", "i8"),              # s: updates over the air exist from
    ("design", "i8"),             # `Design` of screening
    ("list_age_s", "i8"),         # s: age of the list a device holds
    ("fails_open", "i8"),         # bool: devices install while the gateway is down
    ("install_s", "i8"),          # s: longest time from a token to the installation
    ("token_life_s", "i8"),       # s: how long a token is good
    ("again_s", "i8"),            # s: until who was turned away comes again
    ("reseed", "i8"),             # bool: an exchanged hub asks its devices
    ("distribution_low", "i8"),   # s: shortest way from the DSP to the hub
    ("distribution_n", "i8"),     # how many whole seconds the way may take
    ("resume_s", "i8"),           # s: cost of an interruption
    ("wait_low", "i8"),           # s: shortest wait for activation
    ("wait_n", "i8"),             # how many whole seconds it may be
    ("answer_low", "i8"),         # s: shortest time to the answer
    ("answer_n", "i8"),           # how many whole seconds it may be
    ("patience_s", "i8"),         # s: silence after which the supplier looks
    ("repair_s", "i8"),           # s: MP105 holds from; NEVER for none
    ("repair_low", "i8"),         # s: shortest time of its read
    ("repair_n", "i8"),           # how many whole seconds it may be
    ("retries", "i8"),            # attempts after the first, at most
    ("retry_s", "i8"),            # s: between attempts
    ("cut_low", "i8"),            # s: shortest cut of supply by an activation
    ("cut_n", "i8"),              # how many whole seconds it may be
    ("emits", "i8"),              # bool: what makes alerts is written down
    # Thresholds (`draws.threshold`) of the share of times that:
    ("loss", "u8"),               # a report is lost
    ("han_loss", "u8"),           # the hub misses a change
    ("comply", "u8"),             # an owner obeys the ban
    ("variant", "u8"),            # a local image was never submitted
    ("signed", "u8"),             # a variant carries a valid signature
    ("false_accept", "u8"),       # what should be stopped passes
    ("false_reject", "u8"),       # what should pass is stopped
    ("wan_loss", "u8"),           # an image is lost on the WAN
    ("interruption", "u8"),       # a transfer is interrupted
    ("failure", "u8"),            # an activation fails
    ("answer_loss", "u8"),        # an answer is lost
    ("call", "u8"),               # a change is followed by a read
    # Rates of exponential clocks:
    ("read_rate", "f8"),          # 1/s: reads of a device (R1, R11)
    ("gain_rate", "f8"),          # 1/s: changes of supplier of a premises
    ("install_rate", "f8"),       # 1/s: reads at installation of a premises
    ("call_rate", "f8"),          # 1/s: 1 over the mean time to a call
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


# What no device changes, as one record, so that kernels pass one pointer: keys by stream, the table
# of transitions, models, images, outages of the gateway.
MOST_MODELS = 64
MOST_OUTAGES = 8_192
MOST_CHANNELS = 16
MOST_MOVES = 122  # of clocks, two a year
N_STALE, N_LATENCIES = 43, 57  # edges of bands; held to `sim.tables` by a test
FACTS = record(
    [
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
    ]
)


class Region(NamedTuple):
    """The devices of a region, sorted by type and premises, where each type begins, its premises,
    and the second of the next event of each.

    Whose row is whose: by block of 64 premises and type, uint64 *fitted* has a bit for each
    premises that has one, int32 *rows* the row of the first.
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
SUMS = record(
    [
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
    ]
)


# What makes alerts of firmware causes.
RAISED = record([
    ("cause", "u1"),          # `AlertCause`
    ("type", "u1"),           # `DeviceType` of the device
    ("index", "u4"),          # number of its premises
    ("second", "i4"),         # when it happens
    ("length", "i4"),         # s: how long a cut lasts; 0 for what has no length
])  # fmt: skip
