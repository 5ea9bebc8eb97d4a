"""The order within one second of a firmware world (`docs/firmware.md` section 9), between the turns that the model's own processes take."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from sim.turns import Turn
from sim.twin.moments import Moment

if TYPE_CHECKING:
    from sim.twin.firmware.world import FirmwareWorld

RELEASES: Final = Turn.CHANGES + 0.01
CAMPAIGNS: Final = Turn.CHANGES + 0.02
SCANS: Final = Turn.CHANGES + 0.03


class Kind(IntEnum):
    """What happens in a premises, in this order; of one kind by slot."""

    EXCHANGE = 1
    JOBS = 2
    LOCAL = 3
    TOLD = 4
    TIMERS = 5
    READS = 6
    CALLS = 7
    INSTALLS = 8
    GAINS = 9


_KIND_STEP: Final = 0.08
_SLOT_STEP: Final = 0.01  # seven slots fit between two kinds
LOCAL_JUDGED: Final = Turn.CHANGES + Kind.LOCAL * _KIND_STEP + 7 * _SLOT_STEP  # when all who try in this second have come


def until(world: FirmwareWorld, second: int, kind: Kind, slot: int = 0) -> Moment:
    """Return the event of *second*, at the place of *kind* and *slot* in it."""
    return Moment(world.env, second - int(world.env.now), Turn.CHANGES + kind * _KIND_STEP + slot * _SLOT_STEP)
