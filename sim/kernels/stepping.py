"""Kernels that are not compiled (`NUMBA_DISABLE_JIT`), so that a debugger steps through them and
branches are counted; and records that are the same for both.

Compiled code reads a field of a record as an attribute, which NumPy allows of `np.record` alone.
So every record of a kernel is of that type, and what NumPy has made of it since is seen as such.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numba
import numpy as np


def compiles() -> bool:
    """Whether kernels are compiled; where `NUMBA_DISABLE_JIT` is set they are stepped through."""
    return not numba.config.DISABLE_JIT


def record(fields: Sequence[tuple[Any, ...]], is_aligned: bool = False) -> np.dtype[Any]:
    """Return the type of a record with *fields*, as `np.dtype` takes them."""
    return _as_record(np.dtype(list(fields), align=is_aligned))


def _as_record(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype((np.record, dtype))


def stepped(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return *function* as it is, with its arguments as compiled kernels pass them on: integers in
    one width, and arrays of records seen as such.
    """

    @wraps(function)
    def called(*arguments: Any) -> Any:
        return function(*map(_passed, arguments))

    return called


def _passed(value: Any) -> Any:
    is_narrow = isinstance(value, np.integer) and value.itemsize < np.int64().itemsize
    return np.int64(value) if is_narrow else _seen(value)


def _seen(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.type is np.void:
        return value.view(_as_record(value.dtype))
    if isinstance(value, tuple):
        parts = tuple(map(_seen, value))
        if all(part is old for part, old in zip(parts, value, strict=True)):
            return value
        return type(value)(*parts) if hasattr(value, "_fields") else parts
    return value
