"""The names under which luck is drawn (DESIGN 1; `docs/model.md` section 2).

A stream name is an API: the same name, seed and replication give the same luck in every scenario,
which is what makes a comparison of policies paired. Renaming one changes results and is flagged in
the changelog.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

STREAMS: Final[dict[str, str]] = {
    "estate.fitted": "whether a premises has a device of a type",
    "estate.reach": "whether a premises has WAN and communicates",
    "estate.user": "which user is responsible for a premises",
    "local.takes_part": "whether a device takes local updates",
    "local.gap": "time from one local update to the next",
    "local.release_delay": "time from a release to its installation",
    "han.loss": "whether the hub misses a version change",
    "phase.hashed": "a sender's place in the reporting window",
    "phase.start": "when a timer last started before the window",
    "report.jitter": "how far a timed report strays from its time",
    "report.loss": "whether a timed report or a read's answer is lost",
    "change.jitter": "how long a report of a change waits",
    "change.loss": "whether a report of a change is lost",
    "message.rank": "the order of messages that arrive within one second",
    "cut.footprint": "which premises a power cut takes",
    "cut.restoration": "when a premises gets its power back",
    "reboot.footprint": "which hubs a wave of reboots takes",
    "reboot.restoration": "when a hub is up again",
    "wan.footprint": "which WAN cells an outage takes",
    "wan.reconnect": "how long a hub waits before it connects again",
    "lock.footprint": "whose clock is locked",
    "lock.skew": "how far a locked clock is off",
    "fault.gap": "time from one fault to the next",
    "retry.wait": "how long a sender waits before it tries again",
    "row.jitter": "how long a device holds a message back",
    "row.batch": "when a hub sends its batches",
    "row.hold_down": "how long a hub is silent after its power is back",
    "row.barred": "whether a congested cell bars an attempt",
    "row.bar": "how long a barred attempt waits",
    "firmware.model": "which model a device is",
    "firmware.off": "whether a device is switched off for ever",
    "hub.ready": "when a hub can serve displays and load control",
    "hub.exchanged": "whether a hub is exchanged",
    "hub.exchange": "when a hub is exchanged",
    "release.assurance": "how long the assurance of an image takes",
    "release.rejected": "whether the CPL gateway rejects a submission",
    "release.data_error": "whether an image is listed with wrong data",
    "release.withdrawn": "whether an image is taken off the list",
    "local.channel": "by which channel a device is updated locally",
    "local.delay": "time from a local offer to the attempt",
    "local.hour": "the hour of the week of an attempt",
    "local.variant": "whether an attempt is with an image never submitted",
    "local.complies": "whether an owner obeys a ban",
    "screen.signed": "whether a variant carries a stolen signature",
    "screen.install": "time from a token to the installation",
    "screen.error": "whether screening errs",
    "ota.distribution": "time from the DSP to the hub",
    "ota.lost": "whether an image is lost on the WAN",
    "ota.interrupted": "whether a transfer over the HAN is interrupted",
    "ota.activation_wait": "time from an image held to its activation",
    "ota.activation": "whether an activation fails",
    "ota.response": "time from activation to its answer",
    "ota.response_lost": "whether the answer is lost",
    "ota.repair": "time from looking at a Suspended device to its answer",
    "ota.repair_lost": "whether that answer is lost",
    "ota.cut": "whether an activation cuts the hub's supply",
    "ota.cut_length": "how long it does",
    "rollout.order": "a device's place in a campaign",
    "read.gap": "time from one read of a device to the next",
    "reads.install": "time from one installation's read to the next",
    "reads.gain": "time from one change of supplier to the next",
    "reads.call": "whether somebody reads after a change",
    "reads.call_delay": "time until then",
}
PREFIXES: Final[dict[str, str]] = {  # followed by a kind of traffic or alert
    "traffic.": "how many anonymous messages of it enter in a second",
    "home.": "the premises of an anonymous message of it",
    "alert.who.": "which devices raise it",
    "alert.rate.": "how fast a chattering device raises it",
    "alert.gap.": "time from one of them to the next, at random or of chatter",
}


def stream_key(seed: int, replication: int, stream: str) -> int:
    """Return the 64-bit Philox key of *stream*; an unlisted name is a programming error
    (`KeyError`).
    """
    if stream not in STREAMS and not stream.startswith(tuple(PREFIXES)):
        raise KeyError(f"no stream named {stream!r}")
    digest = blake2b(f"{seed}/{replication}/{stream}".encode()).digest()
    return int.from_bytes(digest[:8], "little")
