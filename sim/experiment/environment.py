"""What makes a replication beside its scenario: source, compiled code, Python and packages.

It is part of each replication's key, so nothing is taken up from another environment; and a worker
of another one refuses the work (docs/decisions/0012-who-made-it.md).
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from sim.kernels.identity import kernel_hash
from sim.scenario.compose import shipped_folder
from sim.store import source_hash

# What a number may come from. The rest of the locks serves files, words and pictures.
_PACKAGES: Final = ("llvmlite", "numba", "numpy", "pandas", "pyarrow", "scipy", "simpy")
_PROGRAM: Final = frozenset({".py", ".html", ".yaml", ".csv"})
_HASH: Final = 64  # characters of a SHA-256
_TOLD: Final = {"source": "the model's source", "kernels": "compiled code"}


@cache
def environment() -> dict[str, Any]:
    """Return the environment of this process: SHA-256 of the model's source and of all that
    compiled code depends on, the versions of Python and of each package that a number comes from.
    """
    return {
        "source": source_hash(),
        "kernels": kernel_hash(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
    }


@cache
def program_hash() -> str:
    """Return the SHA-256 of this program and of all that it is shipped with: what a report depends
    on beside its results, base scenarios and the evidence for them included.
    """
    digest = hashlib.sha256()
    for folder in (Path(__file__).parents[1], shipped_folder()):
        for path in sorted(folder.rglob("*")):
            if path.suffix in _PROGRAM and path.is_file():
                digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@cache
def maker() -> dict[str, str]:
    """Return who makes the replications of this process: host, platform, processor."""
    processor = platform.processor() or platform.machine()
    return {
        "host": platform.node(),
        "platform": platform.platform(),
        "processor": processor,
    }


def of_manifest(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the environment that *manifest* tells; of one of before it told, the source alone."""
    known: dict[str, Any] = manifest.get("environment") or {"source": manifest["source"]}
    return known


def unlike(
    other: Mapping[str, Any], ours: Mapping[str, Any], words: tuple[str, str] = ("there", "here")
) -> Iterator[str]:
    """Yield a phrase for each part in which environment *other* is not as *ours*, each with its
    word of *words*; what one of the two does not tell is passed over.
    """
    theirs, here = _parts(other), _parts(ours)
    for name in (name for name in here if theirs.get(name, here[name]) != here[name]):
        before, after = _shown(theirs[name]), _shown(here[name])
        yield f"{name} {before} {words[0]}, {after} {words[1]}"


def _shown(part: str) -> str:
    """Return a version as it is, a hash by its beginning."""
    return part[:8] if len(part) == _HASH else part


def _parts(known: Mapping[str, Any]) -> dict[str, str]:
    """Return what the environment *known* tells, by what a person calls it."""
    hashes = {told: known[part] for part, told in _TOLD.items() if part in known}
    python = {"Python": known["python"]} if "python" in known else {}
    return hashes | python | dict(known.get("packages", {}))


def whereabouts() -> str:
    """Return how a person finds this process: its Dask worker's address, or its number."""
    place = f"process {os.getpid()}"
    if "distributed" in sys.modules:
        from distributed import get_worker

        with suppress(ValueError):  # no worker of Dask's
            place = str(get_worker().address)
    return place
