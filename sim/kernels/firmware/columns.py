"""What a life is made of: the columns of a device and a premises, the rules of the world as numbers, and the sums that are kept.

One record of 65 bytes a device: whoever acts is read and written once, and a device that does nothing is never touched.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

NEVER = np.int32(2**31 - 1)
UNKNOWN = 255  # a hub's record that is not there
VARIANT = 128  # added to a version: an image that was never submitted
MOST_VERSIONS = 101
PPMID, IHD, HCALCS, ESME, GSME = range(5)  # order of rows; their slots:
SLOT = np.array([4, 5, 6, 1, 2], np.int64)
IN_SLOT_ORDER = np.array([3, 4, 0, 1, 2], np.int64)
N_TYPES = 5
OFF, TAKES_PART, SUSPENDED, MEASURED_JOB, MEASURED_TRY, FAILED, REFUSED = (np.uint8(1 << bit) for bit in range(7))  # flags of a device

DEVICE = np.dtype([
    ("index", "u4"), ("local_s", "i4"), ("told_s", "i4"), ("timer_s", "i4"), ("read_s", "i4"), ("call_s", "i4"), ("job_s", "i4"),
    ("wrong_smi_s", "i4"), ("wrong_hub_s", "i4"), ("confirmed_s", "i4"), ("changed_s", "i4"), ("begun_s", "i4"), ("activated_s", "i4"), ("read_n", "u2"),
    ("model", "u1"), ("running", "u1"), ("smi", "u1"), ("hub", "u1"), ("job", "u1"), ("version", "u1"), ("goal", "u1"), ("attempt", "u1"),
    ("looks", "u1"), ("local_version", "u1"), ("flags", "u1"),
])  # fmt: skip
MEANINGS: Final = {  # of the columns of a device; times are seconds, `NEVER` for none
    "index": "number of its premises", "local_s": "next local attempt", "told_s": "next report of a change", "timer_s": "next timed report that matters",
    "read_s": "next read (R1, R11)", "call_s": "next read after a change", "job_s": "next event of its job", "wrong_smi_s": "WRONG in the SMI since, or -1",
    "wrong_hub_s": "WRONG or UNKNOWN at the hub since; -1: is not", "confirmed_s": "latest evidence written was made", "changed_s": "runs what it runs since",
    "begun_s": "its image was accepted; before that, its place in the campaign", "activated_s": "its activation; Suspended since", "read_n": "reads so far",
    "model": "number of its model", "running": "version it runs", "smi": "version in the SMI", "hub": "version at the hub; 255 UNKNOWN",
    "job": "state of its job", "version": "version sent", "goal": "goal of the campaign that sends it", "attempt": "attempt of the job",
    "looks": "reads of a Suspended device in this attempt", "local_version": "version it will try locally", "flags": "what is true of it",
}  # fmt: skip


class Homes(NamedTuple):
    """The premises of a region: seconds of their next event, hub ready, exchanged (-1 - second: has been) and free, next gain and install; their numbers."""

    next_s: NDArray[Any]
    reach: NDArray[Any]
    ready_s: NDArray[Any]
    exchanged_s: NDArray[Any]
    free_s: NDArray[Any]
    gain_s: NDArray[Any]
    install_s: NDArray[Any]
    gain_n: NDArray[Any]
    install_n: NDArray[Any]


HOME_COLUMNS: Final = (("next_s", "i4"), ("reach", "u1"), ("ready_s", "i4"), ("exchanged_s", "i4"), ("free_s", "i4"), ("gain_s", "i4"), ("install_s", "i4"),
                       ("gain_n", "u2"), ("install_n", "u2"))  # fmt: skip


def bytes_per_device(devices_per_premises: float) -> float:
    """Return the bytes of a device's columns and its part of its premises'."""
    return DEVICE.itemsize + sum(np.dtype(kind).itemsize for _, kind in HOME_COLUMNS) / devices_per_premises


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


class Facts(NamedTuple):
    """Arrays of the world that no device changes: keys by stream; of models; of images by model and version; outages of the gateway; bands; who reports."""

    keys: NDArray[Any]
    transitions: NDArray[Any]
    han_s: NDArray[Any]
    asks_from: NDArray[Any]
    cut: NDArray[Any]
    permitted: NDArray[Any]
    listed_s: NDArray[Any]
    corrected_s: NDArray[Any]
    delisted_s: NDArray[Any]
    out_from_s: NDArray[Any]
    out_until_s: NDArray[Any]
    stale_edges: NDArray[Any]
    latency_edges: NDArray[Any]
    reports: NDArray[Any]
    over_air: NDArray[Any]
    channels: NDArray[Any]


class Region(NamedTuple):
    """The devices of a region, sorted by type and premises, where each type begins, and its premises.

    Whose row is whose: by block of 64 premises and type, uint64 *fitted* has a bit for each premises that has one, int32 *rows* the row of the first.
    """

    devices: NDArray[Any]
    starts: NDArray[Any]
    homes: Homes
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
COUNTED: Final = ("done", "failed", "withdrawn")
# What the totals of a ledger count, after those of `sim.kernels.ledgers`.
UNKNOWN_S, N_UNKNOWN = 9, 10
N_TOTALS = 11


class Sums(NamedTuple):
    """What is kept of one part of a region, int64: the arrays of `sums`."""

    totals: NDArray[Any]
    bands: NDArray[Any]
    jobs: NDArray[Any]
    steps: NDArray[Any]
    latencies: NDArray[Any]
    local: NDArray[Any]
    readings: NDArray[Any]
    decisions: NDArray[Any]
    told: NDArray[Any]
    status: NDArray[Any]
    running: NDArray[Any]
    counted: NDArray[Any]
    suspended: NDArray[Any]


def sums(n_models: int, n_channels: int, n_bands: int, n_latency_bands: int) -> Sums:
    """Return sums of nothing."""
    shapes = (
        (N_TYPES, 2, N_TOTALS), (N_TYPES, 2, n_bands), (n_models, MOST_VERSIONS, len(ENDS)), (N_TYPES, len(STEPS)), (N_TYPES, len(LATENCIES), n_latency_bands),
        (N_TYPES, n_channels, len(IMAGES), 2, len(OUTCOMES)), (len(PROCESSES), N_TYPES, 3), (len(PROCESSES), N_TYPES, len(DECISIONS)), (len(TOLD),),
        (N_TYPES, len(STATUS)), (n_models, MOST_VERSIONS), (n_models, MOST_VERSIONS, len(COUNTED)), (N_TYPES,),
    )  # fmt: skip
    return Sums(*(np.zeros(shape, np.int64) for shape in shapes))


RAISED = np.dtype([("cause", "u1"), ("type", "u1"), ("index", "u4"), ("second", "i4"), ("length", "i4")])  # what makes alerts of firmware causes
C_TRANSFERRED, C_RECEIVED, C_ACTIVATED, C_CUT = range(4)
