"""What of this machine this process may use: processors, memory and address space.

A container, a batch queue or a shell may have given it less than there is. Everyone who must know
asks here. Libraries ask too, but read the limit of one group alone; a limit holds for all below it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final

_PROC: Final = Path("/proc")
_GROUPS: Final = Path("/sys/fs/cgroup")


def processors() -> int:
    """Return how many processors this process may keep busy: those that it may run on, and no more
    than the quota of its control groups, rounded down; at least one.
    """
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    quotas = (quota for group in _groups("cpu") if (quota := _processor_quota(group)) is not None)
    return max(1, min([allowed, *map(int, quotas)]))


def free_memory() -> int | None:
    """Return the bytes of memory that are free for us: of the machine's, or of what is left to one
    of our control groups, whichever is less. None where the system does not say.
    """
    free = _table(_PROC / "meminfo").get("MemAvailable:")
    rooms = [] if free is None else [free * 1024]
    rooms += [room for group in _groups("memory") if (room := _memory_room(group)) is not None]
    return min(rooms, default=None)


def address_space() -> int | None:
    """Return how many bytes of addresses one process may use (`ulimit -v`), or None: any number."""
    try:
        import resource
    except ImportError:  # this system has no such limits
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


def _groups(controller: str) -> Iterator[Path]:
    """Yield the folder of each control group that this process is in, the innermost first, where
    *controller* (cpu or memory) may have a limit. A container sees the outer ones under other names
    than /proc has, or not at all: some of these folders may not be there.
    """
    for line in _text(_PROC / "self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if not path:  # not a line that we know
            continue
        if not controllers:  # version 2, alone or beside version 1
            homes = [_GROUPS, _GROUPS / "unified"]
        elif controller in controllers.split(","):
            homes = [_GROUPS / controllers, _GROUPS / controller]
        else:
            continue
        inner = PurePosixPath(path.lstrip("/"))
        yield from (home / group for home in homes for group in (inner, *inner.parents))


def _processor_quota(group: Path) -> float | None:
    """Return how many processors' time *group* may take; None where it has no limit."""
    quota, period = [*_text(group / "cpu.max").split(), "", ""][:2]
    if not quota:
        quota, period = _text(group / "cpu.cfs_quota_us"), _text(group / "cpu.cfs_period_us")
    with suppress(ValueError, ZeroDivisionError):  # "max", or version 1's -1: no limit
        share = int(quota) / int(period)
        return share if share > 0 else None
    return None


def _memory_room(group: Path) -> int | None:
    """Return the bytes that *group* may still take: its limit less what it holds, but for pages of
    files that the kernel gives back when asked. None where it has no limit.
    """
    pages = _table(group / "memory.stat")
    for limit, used, given_back in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        with suppress(ValueError):  # "max", or the file of the other version: not there
            room = int(_text(group / limit)) - int(_text(group / used))
            return max(0, room + pages.get(given_back, 0))
    return None


def _table(path: Path) -> dict[str, int]:
    """Return the first number of each line of *path* by the line's first word."""
    rows = (line.split() for line in _text(path).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}


def _text(path: Path) -> str:
    """Return what the system says in *path*, or nothing."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
