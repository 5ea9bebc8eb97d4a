"""Compiled kernels, kept between processes in files that are believed only when whole and ours.

Numba's own cache asks whether the file of a kernel has changed, and not those of the kernels that
it calls; it believes what it finds; and two processes that compile at once write over each other's
files. So a folder is named by all that is compiled, a file by function and types, and each begins
with a SHA-256 of its name and the rest (docs/decisions/0011-kernels-kept.md).
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle  # noqa: TID251  (Numba's form; our own files, under a hash that is checked first)
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import numba
from numba import types
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from sim.kernels.identity import kernel_hash
from sim.kernels.stepping import compiles, stepped

_HERE: Final = Path(__file__).parent
_NAME: Final = "kernels-"
_FORGOTTEN_S: Final = 30 * 86_400.0
_DIGEST_B: Final = 32
_WIDTH: Final = 64  # bits of an integer between kernels
_log = logging.getLogger("sim.kernels")


def _bases() -> Iterator[Path]:
    """Yield where compiled kernels may be kept, the best first."""
    if named := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(named)
    yield _HERE / "__pycache__"
    with suppress(RuntimeError):  # nobody has a home
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        yield home / "gb-meter-estate-simulator"


@cache
def kept_in() -> Path | None:
    """Return the folder of compiled kernels; None where nothing can be written: they are compiled
    anew in every process.
    """
    for base in _bases():
        folder = base / f"{_NAME}{kernel_hash()[:16]}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            os.utime(folder)  # in use
        except OSError:
            continue
        _forget(base)
        return folder
    return None


def _forget(base: Path) -> None:
    """Delete folders of *base* that no process has used for thirty days."""
    for folder in base.glob(f"{_NAME}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _FORGOTTEN_S:
                shutil.rmtree(folder, ignore_errors=True)


def _seal(path: Path, body: bytes) -> bytes:
    """Return what stands before *body* in *path*. Its name and its folder's are in it, so that no
    file passes for another, nor one of other source for ours.
    """
    name = f"{path.parent.name}/{path.name}"
    return hashlib.sha256(name.encode() + b"\0" + body).digest()


def unsealed(path: Path) -> bytes | None:
    """Return what was kept in *path*; None when it is not there, or not as it was written."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    body = data[_DIGEST_B:]
    return body if data[:_DIGEST_B] == _seal(path, body) else None


def kept(folder: Path) -> list[bool]:
    """Return for each compiled kernel of *folder* whether it is whole."""
    return [unsealed(path) is not None for path in sorted(folder.glob("*.kernel"))]


class _Kept(NullCache):  # type: ignore[misc]  # Numba has no types
    """What Numba asks of the cache of one function: a file for each signature and processor."""

    def __init__(self, function: Callable[..., Any], folder: Path) -> None:
        module = function.__module__.removeprefix("sim.kernels.")
        self._name = re.sub(r"[^\w.]", "", f"{module}.{function.__qualname__}")
        self._folder = folder

    def _path(self, signature: Any, codegen: Any) -> Path:
        """Return the file of this function for the types of *signature* on this processor."""
        key = hashlib.sha256(repr((str(signature), codegen.magic_tuple())).encode()).hexdigest()
        return self._folder / f"{self._name}-{key[:24]}.kernel"

    def load_overload(self, signature: Any, context: Any) -> Any:
        """Return what was compiled for *signature*, or None: it is compiled."""
        context.refresh()
        path = self._path(signature, context.codegen())
        body = unsealed(path)
        if body is not None:
            try:
                return CompileResult._rebuild(context, *pickle.loads(body))  # noqa: S301
            except Exception:  # noqa: BLE001  (whatever is wrong with it, it can be compiled anew)
                body = None
        if path.exists():
            _set_aside(path)
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep what was compiled for *signature*, whole or not at all."""
        path, body = self._path(signature, result.codegen), dumps(result._reduce())
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            temporary.write_bytes(_seal(path, body) + body)
            os.replace(temporary, path)
        except OSError as refusal:
            _say_once(f"a compiled kernel could not be kept in {path.parent}: {refusal.strerror}")
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _set_aside(path: Path) -> None:
    with suppress(OSError):
        os.replace(path, path.with_suffix(".damaged"))
    _say_once(f"a compiled kernel in {path.parent} was damaged; it is set aside and compiled anew")


@cache
def _say_once(sentence: str) -> None:
    _log.warning(sentence)


def _of_one_width(kind: Any) -> Any:
    """Return the type under which an argument of *kind* is passed: integers that 64 bits with a
    sign hold are that, so that a function is compiled once whoever calls it with what.
    """
    kind = types.unliteral(kind)
    is_narrow = isinstance(kind, types.Integer) and kind.bitwidth < _WIDTH
    return types.int64 if is_narrow or isinstance(kind, types.IntEnumMember) else kind


def _at_the_border(dispatcher: Any) -> None:
    """Let kernels that call *dispatcher* pass their integers in one width."""
    resolve = dispatcher.get_call_template

    def resolved(arguments: Any, named: Any) -> Any:
        return resolve(tuple(map(_of_one_width, arguments)), named)

    dispatcher.get_call_template = resolved


def njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return Numba's compiler of one function with *options*, its results kept in `kept_in`."""

    def compiled(function: Callable[..., Any]) -> Any:
        if not compiles():
            return stepped(function)
        dispatcher = numba.njit(**options)(function)
        if options.get("inline") != "always":
            _at_the_border(dispatcher)
        folder = kept_in()
        if folder is not None:
            dispatcher._cache = _Kept(function, folder)
        return dispatcher

    return compiled


def inner(function: Callable[..., Any]) -> Any:
    """Return the compiler's version of a *function* that other kernels alone call and that makes no
    array: it has no wrapper for Python, and counts nobody's references.
    """
    return njit(nogil=True, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
