"""What a life is made of: the columns of a device and a premises, the rules of the world as numbers, and the sums that are kept.

One record of 65 bytes a device: whoever acts is read and written once, and a device that does nothing is never touched.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.kernels.dials import Dial

# How the kernels that handle one device at a time are compiled. None makes an array, so Numba need not count who holds one (a flag of its own): that counting
# was half their time.
PLAIN: Final = {"nogil": True, "_nrt": False}
NEVER = np.int32(2**31 - 1)
UNKNOWN = 255  # a hub's record that is not there
VARIANT = 128  # added to a version: an image that was never submitted
MOST_VERSIONS = 101
PPMID, IHD, HCALCS, ESME, GSME = range(5)  # order of rows; their slots:
SLOT = np.array([4, 5, 6, 1, 2], np.int64)
IN_SLOT_ORDER = np.array([3, 4, 0, 1, 2], np.int64)
N_TYPES = 5
OFF, TAKES_PART, SUSPENDED, MEASURED_JOB, MEASURED_TRY, FAILED, REFUSED = (np.uint8(1 << bit) for bit in range(7))  # flags of a device

# A device is 64 bytes, a line of memory, and a premises half of one: who looks at either waits for one line and no more.
DEVICE = np.dtype([
    ("index", "u4"), ("local_s", "i4"), ("told_s", "i4"), ("timer_s", "i4"), ("read_s", "i4"), ("call_s", "i4"), ("job_s", "i4"),
    ("wrong_smi_s", "i4"), ("wrong_hub_s", "i4"), ("confirmed_s", "i4"), ("changed_s", "i4"), ("begun_s", "i4"), ("activated_s", "i4"),
    ("model", "u1"), ("running", "u1"), ("smi", "u1"), ("hub", "u1"), ("job", "u1"), ("version", "u1"), ("goal", "u1"), ("attempt", "u1"), ("looks", "u1"),
    ("resumed", "u1"), ("local_version", "u1"), ("flags", "u1"),
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
    "resumed": "interruptions of its transfer", "local_version": "version it will try locally", "flags": "what is true of it",
}  # fmt: skip


HOME = np.dtype([
    ("ready_s", "i4"), ("exchanged_s", "i4"), ("free_s", "i4"), ("gain_s", "i4"), ("install_s", "i4"), ("reach", "u1"), ("", "u1", 11),
])  # fmt: skip
HOME_MEANINGS: Final = {  # of the columns of a premises, beside the second of its next event, which stands alone because it is read the most
    "ready_s": "its hub can serve displays and load control from", "exchanged_s": "its hub is exchanged; -1 - second: has been",
    "free_s": "its hub has sent what it had to send over the HAN", "gain_s": "next change of supplier", "install_s": "next read at installation",
    "reach": "0 reached, 1 no WAN, 2 not communicating",
}  # fmt: skip


# Reporting rules as numbers: by what they do, not by name.
NO_RULE, TIMED, CHANGES, CHANGES_AND_TIMED, READS, AUDITS, EVENTS = range(7)
DESIGNS: Final = ("none", "audit", "signature", "allow_list", "token")
D_NONE, D_AUDIT, D_SIGNATURE, D_ALLOW_LIST, D_TOKEN = range(5)
PHASES: Final = ("fixed_clock", "hashed", "power_on")

RULES = np.dtype([
    *((name, "i8") for name in (
        "measure_s", "horizon_s", "region", "rule", "from_hub", "stores", "refreshes", "is_cloud", "is_digest", "period_s", "phase", "at_s", "phase_window_s",
        "event_delay_s", "ban_s", "ban_everywhere", "ota_s", "design", "list_age_s", "fails_open", "install_s", "token_life_s", "again_s", "reseed",
        "distribution_low", "distribution_n", "resume_s", "wait_low", "wait_n", "answer_low", "answer_n", "patience_s", "repair_s", "repair_low", "repair_n",
        "retries", "retry_s", "cut_low", "cut_n", "emits",
    )),
    *((name, "u8") for name in (
        "loss", "han_loss", "comply", "variant", "signed", "false_accept", "false_reject", "wan_loss", "interruption", "failure", "answer_loss", "call",
    )),
    *((name, "f8") for name in ("read_rate", "gain_rate", "install_rate", "call_rate")),
])  # fmt: skip

STREAMS: Final = (
    "han.loss", "phase.hashed", "phase.start", "report.loss", "change.loss", "read.gap", "local.delay", "local.hour", "local.variant", "local.complies",
    "screen.signed", "screen.install", "screen.error", "ota.distribution", "ota.lost", "ota.interrupted", "ota.activation_wait", "ota.activation",
    "ota.response", "ota.response_lost", "ota.repair", "ota.repair_lost", "ota.cut", "ota.cut_length", "rollout.order", "reads.install", "reads.gain",
    "reads.call", "reads.call_delay", "estate.user", "local.channel",
)  # fmt: skip
(K_HAN_LOSS, K_HASHED, K_START, K_REPORT_LOSS, K_CHANGE_LOSS, K_READ, K_DELAY, K_HOUR, K_VARIANT, K_COMPLIES, K_SIGNED, K_INSTALL_TIME, K_ERROR, K_DISTRIBUTION,
 K_LOST, K_INTERRUPTED, K_WAIT, K_ACTIVATION, K_ANSWER, K_ANSWER_LOST, K_REPAIR, K_REPAIR_LOST, K_CUT, K_CUT_LENGTH, K_ORDER, K_INSTALL, K_GAIN, K_CALL,
 K_CALL_DELAY, K_USER, K_CHANNEL) = range(31)  # fmt: skip


# What no device changes, as one record, so that kernels pass one pointer: keys by stream, the table of transitions, models, images, outages of the gateway.
MOST_MODELS, MOST_OUTAGES, MOST_CHANNELS = 64, 8_192, 16
MOST_MOVES = 122  # of clocks, two a year
N_STALE, N_LATENCIES = 43, 57  # edges of bands; held to `sim.tables` by a test
FACTS = np.dtype([
    ("keys", "u8", len(STREAMS)), ("transitions", "u1", (9, 15)), ("han_s", "i8", MOST_MODELS), ("asks_from", "i8", MOST_MODELS), ("cut", "u8", MOST_MODELS),
    ("permitted", "u1", (MOST_MODELS, MOST_VERSIONS, MOST_VERSIONS)), ("listed_s", "i8", (MOST_MODELS, MOST_VERSIONS)),
    ("corrected_s", "i8", (MOST_MODELS, MOST_VERSIONS)), ("delisted_s", "i8", (MOST_MODELS, MOST_VERSIONS)), ("n_outages", "i8"),
    ("out_from_s", "i8", MOST_OUTAGES), ("out_until_s", "i8", MOST_OUTAGES), ("stale_edges", "i8", N_STALE), ("latency_edges", "i8", N_LATENCIES),
    ("reports", "u1", N_TYPES), ("over_air", "u1", N_TYPES), ("n_channels", "i8"), ("channels", "u8", MOST_CHANNELS),
    *((f"dial_{name}", "i8", MOST_MOVES + 1) for name in Dial._fields),
])  # fmt: skip


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


ENDS: Final = ("done", "repaired", "unheard", "withdrawn", "refused_hash", "refused_listing", "refused_hub", "no_wan", "wan_lost", "han_failed", "image_lost",
               "activation_failed", "not_permitted", "open")  # fmt: skip
(E_DONE, E_REPAIRED, E_UNHEARD, E_WITHDRAWN, E_HASH, E_LISTING, E_HUB, E_NO_WAN, E_WAN_LOST, E_HAN_FAILED, E_IMAGE_LOST, E_ACTIVATION_FAILED, E_NOT_PERMITTED,
 E_OPEN) = range(14)  # fmt: skip
STEPS: Final = ("offered", "accepted", "taken", "held", "activated", "answered", "recorded")
S_OFFERED, S_ACCEPTED, S_TAKEN, S_HELD, S_ACTIVATED, S_ANSWERED, S_RECORDED = range(7)
LATENCIES: Final = ("distribution", "han", "activation", "response", "whole")
L_DISTRIBUTION, L_HAN, L_ACTIVATION, L_RESPONSE, L_WHOLE = range(5)
IMAGES: Final = ("listed", "unlisted", "variant")
OUTCOMES: Final = ("banned", "blocked", "busy", "expired", "gateway_down", "not_permitted", "installed")
O_BANNED, O_BLOCKED, O_BUSY, O_EXPIRED, O_DOWN, O_NOT_PERMITTED, O_INSTALLED = range(7)
PROCESSES: Final = ("install", "gain", "call", "compliance", "incident", "targeting", "audit")
P_INSTALL, P_GAIN, P_CALL, P_COMPLIANCE, P_INCIDENT, P_TARGETING, P_AUDIT = range(7)
R_RIGHT, R_WRONG, R_UNKNOWN = range(3)
DECISIONS: Final = ("right", "missed", "wasted", "wrong_path", "false_compliance", "false_alarm")
DECISION_RIGHT, MISSED, WASTED, WRONG_PATH, FALSE_COMPLIANCE, FALSE_ALARM = range(6)
TOLD: Final = ("version_report", "carried", "request", "detail", "image_request", "image", "activation", "answer", "repair_read", "transferred", "received",
               "activated", "cut")  # fmt: skip
(T_REPORT, T_CARRIED, T_REQUEST, T_DETAIL, T_IMAGE_REQUEST, T_IMAGE, T_ACTIVATION, T_ANSWER, T_REPAIR, T_TRANSFERRED, T_RECEIVED, T_ACTIVATED,
 T_CUT) = range(13)  # fmt: skip
STATUS: Final = ("suspended_s", "unlisted_s", "variant_s", "found_n", "found_s", "forgotten_n")
Z_SUSPENDED, Z_UNLISTED, Z_VARIANT, Z_FOUND, Z_FOUND_S, Z_FORGOTTEN = range(6)
# How the ends of jobs are counted by campaign: a gate sees what is told, and silence tells it nothing.
COUNTED: Final = ("done", "failed", "silent", "withdrawn")
COUNTED_AS = np.full(len(ENDS), COUNTED.index("silent"), np.int64)
COUNTED_AS[[E_DONE, E_REPAIRED]] = COUNTED.index("done")
COUNTED_AS[[E_HASH, E_LISTING, E_HUB, E_ACTIVATION_FAILED, E_NOT_PERMITTED]] = COUNTED.index("failed")
COUNTED_AS[E_WITHDRAWN] = COUNTED.index("withdrawn")
# What the totals of a ledger count, after those of `sim.kernels.ledgers`.
UNKNOWN_S, N_UNKNOWN = 9, 10
N_TOTALS = 11


# What is summed of one part of a region: one record.
SUMS = np.dtype([
    ("totals", "i8", (N_TYPES, 2, N_TOTALS)), ("bands", "i8", (N_TYPES, 2, N_STALE - 1)), ("jobs", "i8", (MOST_MODELS, MOST_VERSIONS, len(ENDS))),
    ("steps", "i8", (N_TYPES, len(STEPS))), ("latencies", "i8", (N_TYPES, len(LATENCIES), N_LATENCIES - 1)),
    ("local", "i8", (N_TYPES, MOST_CHANNELS, len(IMAGES), 2, len(OUTCOMES))), ("readings", "i8", (len(PROCESSES), N_TYPES, 3)),
    ("decisions", "i8", (len(PROCESSES), N_TYPES, len(DECISIONS))), ("told", "i8", len(TOLD)), ("status", "i8", (N_TYPES, len(STATUS))),
    ("running", "i8", (MOST_MODELS, MOST_VERSIONS)), ("counted", "i8", (MOST_MODELS, MOST_VERSIONS, len(COUNTED))), ("suspended", "i8", N_TYPES),
])  # fmt: skip


RAISED = np.dtype([("cause", "u1"), ("type", "u1"), ("index", "u4"), ("second", "i4"), ("length", "i4")])  # what makes alerts of firmware causes
C_TRANSFERRED, C_RECEIVED, C_ACTIVATED, C_CUT = range(4)
