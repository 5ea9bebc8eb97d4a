"""Files, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_ORPHAN: Final = re.compile(r"\..+\.(\d+)\.tmp")
# Neither a symbolic link nor a pipe is ever followed or waited for.
_PLAIN_FILE: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class StoreError(Exception):
    """A sentence for the user, and the exit *code* it earns: 1 when results cannot be written, 3 when they are missing or corrupt."""

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
    """Return *name* as a file name: lower-case letters, digits, `_`, `-` and inner dots, at most 64."""
    return re.sub(r"[^a-z0-9_.-]+", "-", name.lower()).strip("-.")[:64].strip("-.") or "unnamed"


@contextmanager
def in_a_sentence(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write *path* (disk full, read-only, a file in the way) into a sentence."""
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


def write_new(path: Path, data: bytes) -> None:
    """Write *data* to the new file *path* and flush it to the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN_FILE, 0o666)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def temporary_name(path: Path) -> Path:
    """Return a name beside *path* that says whose it is, so that an orphan can be told from work in hand."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def write_file(path: Path, data: bytes) -> None:
    """Write *data* to *path* at once: readers see the old file or the new one, never a part. Raises `StoreError`."""
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
    """Add *data* to the end of the regular file *path*; a symbolic link is not followed. Raises `StoreError`."""
    with in_a_sentence(path), open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _PLAIN_FILE, 0o666), "ab") as file:
        file.write(data)


def read_file(path: Path) -> bytes:
    """Return the bytes of the regular file *path*; a symbolic link, a pipe or a missing file raises `StoreError`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _PLAIN_FILE)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode) or path.is_symlink():
                raise StoreError(f"{path} is not a regular file", 3)
            return file.read()
    except OSError as error:
        reason = "is a symbolic link" if path.is_symlink() else f"cannot be read: {error.strerror or error}"
        raise StoreError(f"{path} {reason}", 3) from error


def _runs(pid: int) -> bool:
    """Whether a process *pid* runs here; elsewhere than on POSIX there is no harmless way to ask."""
    if os.name != "posix" or pid == os.getpid():  # our own number on something we did not write is a number used again
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_dead_but_listed(pid)


def _is_dead_but_listed(pid: int) -> bool:
    """Whether *pid* is a zombie: killed, and its end not yet noticed by its parent."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] == b"Z"
    except OSError:
        return False


def clean(folder: Path) -> list[str]:
    """Delete temporary files and folders in *folder* and one level below whose writer is gone; return their names."""
    orphans = [path for pattern in (".*.tmp", "*/.*.tmp") for path in folder.glob(pattern) if (m := _ORPHAN.fullmatch(path.name)) and not _runs(int(m[1]))]
    with in_a_sentence(folder):
        for path in orphans:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    return sorted(path.name for path in orphans)
