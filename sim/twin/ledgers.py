"""What a record says of a device, kept as a plain history and measured afterwards (`docs/model.md`
section 8).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Record:
    """The version that a ledger holds of one device, and its WRONG episodes as [begin, end) pairs,
    *end* open (None) while it lasts.

    A record that is not kept is UNKNOWN for ever. *writes* lists (second written, second the report
    was made, version) of every report written. In a firmware world a record may be lost: *unknown*
    lists such spells, *forgotten_s* the seconds at which an episode ended so, which is no repair.
    """

    is_kept: bool
    version: int = 0
    episodes: list[tuple[int, int | None]] = field(default_factory=list)
    writes: list[tuple[int, int, int]] = field(default_factory=list)
    unknown: list[tuple[int, int | None]] = field(default_factory=list)
    forgotten_s: list[int] = field(default_factory=list)

    @property
    def wrong_since_s(self) -> int | None:
        """Second since which the record is WRONG, or None."""
        return self.episodes[-1][0] if self.episodes and self.episodes[-1][1] is None else None

    def settle(self, now_s: int, version_true: int) -> None:
        """Compare the record with the truth: an episode begins or ends when they part or meet."""
        if not self.is_kept:
            return
        since_s = self.wrong_since_s
        if since_s is None and self.version != version_true:
            self.episodes.append((now_s, None))
        elif since_s is not None and self.version == version_true:
            self.episodes[-1] = (since_s, now_s)

    def write(self, now_s: int, made_s: int, version: int, version_true: int) -> None:
        """Set the record to the *version* carried by a report made at *made_s*, unless a report
        made later has been written.
        """
        if self.is_kept and not (self.writes and made_s < self.writes[-1][1]):
            self.version = version
            self.writes.append((now_s, made_s, version))
            self.settle(now_s, version_true)

    def version_before(self, second: int) -> int:
        """Return the version held just before *second*."""
        return next(
            (version for written_s, _, version in reversed(self.writes) if written_s < second), 0
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """One record's measured window: seconds WRONG and UNKNOWN, twice the integral of staleness, and
    repairs.
    """

    wrong_s: int
    unknown_s: int
    staleness_2s2: int
    n_repairs: int
    repair_s: int


def measure(record: Record, start_s: int, stop_s: int) -> Measured:
    """Return what *record* did in [start_s, stop_s); the integrals are whole numbers, so they are
    exact.
    """
    wrong_s = staleness_2s2 = n_repairs = repair_s = 0
    for began_s, ended_s in record.episodes:
        low, high = max(began_s, start_s), stop_s if ended_s is None else ended_s
        if high > low:
            wrong_s += high - low
            staleness_2s2 += (high - began_s) ** 2 - (low - began_s) ** 2
        if ended_s is not None and began_s >= start_s and ended_s not in record.forgotten_s:
            n_repairs += 1
            repair_s += ended_s - began_s
    lost = (
        (max(began_s, start_s), stop_s if ended_s is None else ended_s)
        for began_s, ended_s in record.unknown
    )
    unknown_s = (
        sum(max(0, high - low) for low, high in lost) if record.is_kept else stop_s - start_s
    )
    return Measured(wrong_s, unknown_s, staleness_2s2, n_repairs, repair_s)


def wrong_by_band(record: Record, start_s: int, stop_s: int, edges_s: tuple[int, ...]) -> list[int]:
    """Return the seconds of [start_s, stop_s) spent WRONG with a staleness in each band of
    *edges_s*.
    """
    bands = [0] * (len(edges_s) - 1)
    for began_s, ended_s in record.episodes:
        youngest = max(began_s, start_s) - began_s
        oldest = (stop_s if ended_s is None else ended_s) - began_s
        for band, (low, high) in enumerate(zip(edges_s[:-1], edges_s[1:], strict=True)):
            bands[band] += max(0, min(high, oldest) - max(low, youngest))
    return bands


def was_wrong_before(record: Record, second: int) -> bool:
    """Return whether the record was WRONG just before *second*: after everything that happened
    earlier than it.
    """
    return any(
        began_s < second and (ended_s is None or ended_s >= second)
        for began_s, ended_s in record.episodes
    )


def is_unknown_before(record: Record, second: int) -> bool:
    """Return whether the record was UNKNOWN just before *second*."""
    return not record.is_kept or any(
        began_s < second and (ended_s is None or ended_s >= second)
        for began_s, ended_s in record.unknown
    )


def confirmation_2s2(record: Record, start_s: int, stop_s: int) -> int:
    """Return twice the integral over [start_s, stop_s) of the time since the latest report written
    was made (since 0 before the first).
    """
    doubled = 0
    made_s = 0
    since_s = start_s
    for written_s, next_made_s, _ in [*record.writes, (stop_s, 0, 0)]:
        if written_s > since_s:
            doubled += (written_s - made_s) ** 2 - (since_s - made_s) ** 2
            since_s = written_s
        made_s = next_made_s
    return doubled
