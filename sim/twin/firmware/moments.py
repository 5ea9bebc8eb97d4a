"""The order within one second of a firmware world (`docs/firmware.md` section 9), between the turns
that the model's own processes take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.turns import Turn
from sim.twin.moments import Moment
from sim.words import HomeEvent

if TYPE_CHECKING:
    from sim.twin.firmware.world import FirmwareWorld

RELEASES: Final = Turn.DECISIONS + 0.01
CAMPAIGNS: Final = Turn.DECISIONS + 0.02
SCANS: Final = Turn.DECISIONS + 0.03


_EVENT_STEP: Final = 0.08
_SLOT_STEP: Final = 0.01  # seven slots fit between two events
# When all who try in this second have come.
LOCAL_JUDGED: Final = Turn.CHANGES + (1 + HomeEvent.LOCAL) * _EVENT_STEP + 7 * _SLOT_STEP


def until(world: FirmwareWorld, second: int, event: HomeEvent, slot: int = 0) -> Moment:
    """Return the event of *second*, at the place of *event* and *slot* in it."""
    turn = Turn.CHANGES + (1 + event) * _EVENT_STEP + slot * _SLOT_STEP
    return Moment(world.env, second - int(world.env.now), turn)
