"""The words of the model: one word in pages, both engines, columns, tables and reports. A kernel
sees a member as a number, a table has its `word`; no number is written to a file.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

# Versions are a byte each.
VARIANT: Final = 128  # added to a version: an image that was never submitted
UNKNOWN_VERSION: Final = 255  # of a record that is not there


class Word(IntEnum):
    """A number with a meaning; what it is in tables is its `word`."""

    @property
    def word(self) -> str:
        """The name as tables and scenarios write it."""
        return self.name.lower()

    @classmethod
    def words(cls) -> tuple[str, ...]:
        """Return the words of all members, in the order of their numbers."""
        return tuple(one.word for one in sorted(cls))

    @classmethod
    def of(cls, word: str) -> int:
        """Return the number of *word*; an unknown one is a programming error (`KeyError`)."""
        return int(cls[word.upper()])


class DeviceType(Word):
    """Types of device that have a firmware, in the order of their rows."""

    PPMID = 0
    IHD = 1
    HCALCS = 2
    ESME = 3
    GSME = 4


class Reach(Word):
    """Whether messages reach a premises."""

    REACHED = 0
    NO_WAN = 1
    NOT_COMMUNICATING = 2


class StageKind(Word):
    """Stages of the network that have servers, from the home inwards."""

    CELL = 0
    CSP = 1
    DSP = 2
    USER = 3


class MessageCause(Word):
    """What makes a sender speak."""

    TIMER = 0
    CHANGE = 1
    READ = 2
    ALERT = 3


class Fate(Word):
    """How a message ends."""

    IN_FLIGHT = 0
    DELIVERED = 1
    CONSOLIDATED = 2
    THROTTLED = 3
    REFUSED = 4
    LOST = 5
    EXPIRED = 6


class AlertCause(Word):
    """What makes an alert; the last five happen in a firmware world alone."""

    OUTAGE = 0
    RESTORATION = 1
    REBOOT = 2
    RANDOM = 3
    CHATTER = 4
    TRANSFERRED = 5
    RECEIVED = 6
    ACTIVATED = 7
    CUT = 8
    CUT_RESTORED = 9


class Mitigation(Word):
    """What a row of a stage does (`sim.scenario.rows`)."""

    JITTER = 0
    TOKEN_BUCKET = 1
    DEDUPE = 2
    CONSOLIDATE = 3
    BATCH = 4
    HOLD_DOWN = 5
    RETRY = 6
    ACCESS_BARRING = 7
    ALERT_STORM_PROTECTION = 8
    CIRCUIT_BREAKER = 9
    ADMISSION = 10
    SHED = 11
    ALLOCATION = 12
    SHAPE = 13
    LIFO = 14
    CODEL = 15
    STAGGERED_RECONNECT = 16
    REDELIVERY = 17


class Overflow(Word):
    """What a full buffer does."""

    DROP_NEWEST = 0
    DROP_OLDEST = 1
    KEEP_LATEST = 2


class Backoff(Word):
    """How luck spreads the wait before another attempt."""

    NONE = 0
    FULL = 1
    EQUAL = 2
    DECORRELATED = 3


class Ledger(Word):
    """Who keeps a record."""

    SMI = 0
    HUB = 1


class RecordState(Word):
    """What a record is beside the truth."""

    RIGHT = 0
    WRONG = 1
    UNKNOWN = 2


class Trigger(Word):
    """What makes a device or hub say which version runs."""

    NONE = 0
    TIMER = 1
    CHANGE = 2
    CHANGE_AND_TIMER = 3
    READ = 4
    AUDIT = 5
    EVENT = 6


class PhaseSource(Word):
    """What sets the second at which a timer is due."""

    FIXED_CLOCK = 0
    POWER_ON = 1
    ACTIVATION = 2
    HASHED = 3


class ReadProcess(Word):
    """Who reads a record, and decides on it."""

    INSTALL = 0
    GAIN = 1
    CALL = 2
    COMPLIANCE = 3
    INCIDENT = 4
    TARGETING = 5
    AUDIT = 6


class Decision(Word):
    """What became of a decision that a record led to."""

    RIGHT = 0
    MISSED = 1
    WASTED = 2
    WRONG_PATH = 3
    FALSE_COMPLIANCE = 4
    FALSE_ALARM = 5


class HomeEvent(Word):
    """What happens in a premises of a firmware world, in the order of who acts first in a second.
    """

    EXCHANGE = 0
    JOB = 1
    LOCAL = 2
    REPORT = 3
    TIMER = 4
    READ = 5
    CALL = 6
    INSTALL = 7
    GAIN = 8


class JobState(Word):
    """States of a device's job (`sim.transitions`)."""

    IDLE = 0
    OFFERED = 1
    DISTRIBUTING = 2
    TRANSFERRING = 3
    HELD = 4
    ANSWERING = 5
    SUSPENDED = 6
    STUCK = 7
    READING = 8


class JobEvent(Word):
    """What happens to a job (`sim.transitions`)."""

    OFFER = 0
    WITHDRAW = 1
    REFUSE = 2
    ACCEPT = 3
    FAIL = 4
    RETRY = 5
    TAKE = 6
    HOLD = 7
    ACTIVATE = 8
    RECORD = 9
    MISS = 10
    SUSPEND = 11
    READ = 12
    RESEND = 13
    REPAIR = 14


class JobEnd(Word):
    """How a job ends; `OPEN` where the window ends first."""

    DONE = 0
    REPAIRED = 1
    UNHEARD = 2
    WITHDRAWN = 3
    REFUSED_HASH = 4
    REFUSED_LISTING = 5
    REFUSED_HUB = 6
    NO_WAN = 7
    WAN_LOST = 8
    HAN_FAILED = 9
    IMAGE_LOST = 10
    ACTIVATION_FAILED = 11
    NOT_PERMITTED = 12
    OPEN = 13


class JobStep(Word):
    """How far an attempt over the air came."""

    OFFERED = 0
    ACCEPTED = 1
    TAKEN = 2
    HELD = 3
    ACTIVATED = 4
    ANSWERED = 5
    RECORDED = 6


class Leg(Word):
    """Parts of an attempt over the air whose time is taken."""

    DISTRIBUTION = 0
    HAN = 1
    ACTIVATION = 2
    RESPONSE = 3
    WHOLE = 4


class FirmwareMessage(Word):
    """What is counted in table `told`: messages of a firmware world, and what makes alerts."""

    VERSION_REPORT = 0
    CARRIED = 1
    REQUEST = 2
    DETAIL = 3
    IMAGE_REQUEST = 4
    IMAGE = 5
    ACTIVATION = 6
    ANSWER = 7
    REPAIR_READ = 8
    TRANSFERRED = 9
    RECEIVED = 10
    ACTIVATED = 11
    CUT = 12


class Status(Word):
    """What is summed of devices in table `status`: device-seconds (`…_s`) and counts (`…_n`)."""

    SUSPENDED_S = 0
    UNLISTED_S = 1
    VARIANT_S = 2
    FOUND_N = 3
    FOUND_S = 4
    FORGOTTEN_N = 5


class RolloutOrder(Word):
    """In which order a campaign takes devices."""

    RANDOM = 0
    BY_CELL = 1
    BY_SUPPLIER = 2
    BY_RISK = 3


class Design(Word):
    """How local updates are screened."""

    NONE = 0
    SIGNATURE = 1
    ALLOW_LIST = 2
    TOKEN = 3
    AUDIT = 4


class LocalImage(Word):
    """What a local attempt installs: an image on the CPL or not, or a variant never submitted."""

    LISTED = 0
    UNLISTED = 1
    VARIANT = 2


class Outcome(Word):
    """What becomes of a local attempt."""

    BANNED = 0
    BLOCKED = 1
    BUSY = 2
    EXPIRED = 3
    GATEWAY_DOWN = 4
    NOT_PERMITTED = 5
    INSTALLED = 6
