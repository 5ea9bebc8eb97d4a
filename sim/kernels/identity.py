"""What compiled code depends on, as one hash; nothing is compiled or loaded to say it."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
COMPILERS: Final = ("numba", "llvmlite", "numpy")


@cache
def kernel_hash() -> str:
    """Return the SHA-256 of all that compiled code depends on: every file of `sim.kernels`, which
    has every compiled function and imports of `sim` only the words (tests/house hold it to that),
    those, and the versions of Python and of what compiles.
    """
    digest = hashlib.sha256()
    for path in (*sorted(HERE.rglob("*.py")), HERE.parent / "words.py"):
        digest.update(f"{path.relative_to(HERE.parent).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    versions = (sys.version_info[:2], *((name, version(name)) for name in COMPILERS))
    digest.update(repr(versions).encode())
    return digest.hexdigest()
