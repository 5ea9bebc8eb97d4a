"""What every test shares: one cache of compiled kernels, examples that never change, no progress bars."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent

# Figures are drawn off screen, also in processes that tests start.
os.environ.setdefault("MPLBACKEND", "Agg")

# Derandomised: a failure here is a failure everywhere, and a green run stays green. No deadline: a first call may compile a kernel.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, database=None, print_blob=True)
# For a long night's search: HYPOTHESIS_PROFILE=search pytest …
hypothesis.settings.register_profile("search", max_examples=2000, deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the checkout."""
    return ROOT
