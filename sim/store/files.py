"""Files, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from time import time
from typing import BinaryIO, Final

_TEMPORARY: Final = re.compile(
    r"\.(?P<final>.+)\.(?P<host>[a-z0-9_-]+)\.(?P<pid>\d+)-(?P<born>\d+)\.tmp"
)
_ABANDONED_S: Final = 3600.0
# Neither a symbolic link nor a pipe is ever followed or waited for.
_PLAIN_FILE: Final = (
    getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)


class StoreError(Exception):
    """A sentence for the user, and the exit *code* it earns: 1 when results cannot be written, 3
    when they are missing or corrupt.
    """

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


def sha256(data: bytes) -> str:
    """Return the SHA-256 of *data* in hex."""
    return hashlib.sha256(data).hexdigest()


def to_json(value: object) -> bytes:
    """Return *value* as JSON with sorted keys: equal values, equal bytes."""
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"


def slug(name: str) -> str:
    """Return *name* as a file name: lower-case letters, digits, `_`, `-` and inner dots, at most
    64.
    """
    return re.sub(r"[^a-z0-9_.-]+", "-", name.lower()).strip("-.")[:64].strip("-.") or "unnamed"


@contextmanager
def in_a_sentence(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write *path* (disk full, read-only, a file in the way) into a
    sentence.
    """
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}", 1) from error


def settle(folder: Path) -> None:
    """Make the names in *folder* durable, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def open_new(path: Path) -> BinaryIO:
    """Open the new file *path* for writing; nothing that is there already is written to, be it a
    file, a link or a pipe.
    """
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN_FILE, 0o666), "wb")


def flush(file: BinaryIO) -> None:
    """Bring what was written to *file* to the disk."""
    file.flush()
    os.fsync(file.fileno())


def write_new(path: Path, data: bytes) -> None:
    """Write *data* to the new file *path* and flush it to the disk."""
    with open_new(path) as file:
        file.write(data)
        flush(file)


@cache
def _writer(pid: int) -> str:
    """Return who writes: this machine, process *pid* and when that began, so that neither another
    machine's number nor one used again is taken for it.
    """
    return f"{slug(socket.gethostname())[:32].replace('.', '-')}.{pid}-{born(pid)}"


def writer() -> str:
    """Return this process's mark on its temporary names."""
    return _writer(os.getpid())


def temporary_name(path: Path) -> Path:
    """Return a name beside *path* that says whose it is, so that an orphan can be told from work in
    hand.
    """
    return path.with_name(f".{path.name}.{writer()}.tmp")


def write_file(path: Path, data: bytes) -> None:
    """Write *data* to *path* at once: readers see the old file or the new one, never a part. Raises
    `StoreError`.
    """
    temporary = temporary_name(path)
    with in_a_sentence(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        try:
            write_new(temporary, data)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        settle(path.parent)


def append(path: Path, data: bytes) -> None:
    """Add *data* to the end of the regular file *path*; a symbolic link is not followed. Raises
    `StoreError`.
    """
    with (
        in_a_sentence(path),
        open(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _PLAIN_FILE, 0o666), "ab"
        ) as file,
    ):
        file.write(data)


def read_file(path: Path) -> bytes:
    """Return the bytes of the regular file *path*; a symbolic link, a pipe or a missing file raises
    `StoreError`.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _PLAIN_FILE)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode) or path.is_symlink():
                raise StoreError(f"{path} is not a regular file", 3)
            return file.read()
    except OSError as error:
        reason = (
            "is a symbolic link"
            if path.is_symlink()
            else f"cannot be read: {error.strerror or error}"
        )
        raise StoreError(f"{path} {reason}", 3) from error


def born(pid: int) -> int:
    """Return when process *pid* began, in ticks since the machine did; 0 when it runs no more (a
    zombie does not) or the system does not say.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == b"Z" else int(fields[19])


def _runs(pid: int, began: int) -> bool:
    """Whether the process *pid* that began at *began* runs here; elsewhere than on POSIX there is
    no harmless way to ask.
    """
    if began:
        return born(pid) == began
    if os.name != "posix" or pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_temporary(path: Path) -> bool:
    """Whether *path* has a name that `temporary_name` gives."""
    return _TEMPORARY.fullmatch(path.name) is not None


def _is_orphan(path: Path) -> bool:
    """Whether nobody needs the temporary *path*: its writer is gone; or is of another machine, and
    the final folder is there or an hour has passed.
    """
    whose = _TEMPORARY.fullmatch(path.name)
    if whose is None:
        return False
    if whose["host"] == writer().partition(".")[0]:
        return not _runs(int(whose["pid"]), int(whose["born"]))
    try:
        return (
            path.with_name(whose["final"]).is_dir() or time() - path.lstat().st_mtime > _ABANDONED_S
        )
    except FileNotFoundError:  # in the meantime it has become what it was to be
        return False


def remove(path: Path) -> None:
    """Delete the file or folder *path* if it is there."""
    with suppress(FileNotFoundError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def clean(folder: Path) -> list[str]:
    """Delete temporary files and folders in *folder* and one level below whose writer is gone;
    return their names.
    """
    orphans = [
        path
        for pattern in (".*.tmp", "*/.*.tmp")
        for path in folder.glob(pattern)
        if _is_orphan(path)
    ]
    with in_a_sentence(folder):
        for path in orphans:
            doomed = path.with_name(f".gone-{sha256(path.name.encode())[:12]}.{writer()}.tmp")
            with suppress(FileNotFoundError):
                # so that a writer elsewhere, should it live after all, cannot give a half-deleted
                # folder its final name
                os.rename(path, doomed)
                remove(doomed)
    return sorted(path.name for path in orphans)
