"""Records of a firmware world: the plain history of `sim.twin.ledgers`, walked along the table of
transitions.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.transitions import after
from sim.twin.ledgers import Record


@dataclass(eq=False, slots=True)
class Walked(Record):
    """A record whose *state* (right, wrong or unknown) follows the rows of machine `record`; one
    that is not kept is unknown for ever.
    """

    state: str = "right"

    def __post_init__(self) -> None:
        if not self.is_kept:
            self.state = "unknown"

    def change(self, now_s: int, version_true: int) -> None:
        """The device has changed to *version_true*, and the record has not heard of it."""
        if self.is_kept:
            is_back = self.state == "wrong" and self.version == version_true
            self._follow("change_back" if is_back else "change", now_s, version_true)

    def hear(self, now_s: int, version_true: int) -> None:
        """The device has changed to *version_true*, and the record hears of it at once."""
        if self.is_kept:
            self.version = version_true
            self._follow("write", now_s, version_true)

    def write(self, now_s: int, made_s: int, version: int, version_true: int) -> None:
        """Set the record to the *version* of evidence made at *made_s*, unless evidence made later
        has been written.
        """
        if self.is_kept and not (self.writes and made_s < self.writes[-1][1]):
            self.version = version
            self.writes.append((now_s, made_s, version))
            self._follow("write" if version == version_true else "write_old", now_s, version_true)

    def forget(self, now_s: int, version_true: int) -> None:
        """The record goes with its hub."""
        if self.is_kept:
            if self.state == "wrong":
                self.episodes[-1] = (self.episodes[-1][0], now_s)
                self.forgotten_s.append(now_s)
            self._follow("forget", now_s, version_true)

    def _follow(self, event: str, now_s: int, version_true: int) -> None:
        before, self.state = self.state, after("record", self.state, event)
        if before == "unknown" and self.state != "unknown":
            self.unknown[-1] = (self.unknown[-1][0], now_s)
        if before != "unknown" and self.state == "unknown":
            self.unknown.append((now_s, None))
        elif self.state != "unknown":
            self.settle(now_s, version_true)
            assert (self.state == "wrong") == (
                self.wrong_since_s is not None
            ), "the table of transitions and the comparison with the truth agree"
