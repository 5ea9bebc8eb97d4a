"""Where results come from: code, packages, machine."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from sim.machine import processors

_PACKAGES: Final = (
    "joblib",
    "llvmlite",
    "matplotlib",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "PyYAML",
    "scipy",
    "simpy",
)


def _git(*arguments: str) -> str | None:
    """Return what git says in the checkout this package lies in; None where there is no checkout or
    no git.
    """
    root, git = Path(__file__).parents[2], shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    answer = subprocess.run(
        [git, "-C", str(root), *arguments], capture_output=True, text=True, check=False, timeout=20
    )
    return answer.stdout.strip() if answer.returncode == 0 else None


def versions() -> dict[str, str]:
    """Return the version of each package that results may depend on."""
    return {name: metadata.version(name) for name in _PACKAGES}


def provenance() -> dict[str, Any]:
    """Return what a reader needs to run the same thing again: git commit, package versions, Python,
    platform and processors.
    """
    commit = _git("rev-parse", "HEAD")
    return {
        "git_commit": commit,
        "git_changed": (
            None
            if commit is None
            else bool(_git("status", "--porcelain", "--", "sim", "scenarios"))
        ),
        "packages": versions(),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cpus": processors(),
    }
