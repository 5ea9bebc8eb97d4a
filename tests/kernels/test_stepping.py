"""Kernels that are not compiled: the same bytes, and no number that leaves its width."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from sim import run
from sim.kernels import stepping
from tests.twins import firmware, storms, worlds

# A steady world, a storm with rows, retries and faults, and a firmware world: small ones, as every
# step is taken in Python.
WORLDS = {"steady": (worlds.world, 0), "storm": (storms.storm, 4), "firmware": (firmware.world, 3)}

STEP = """
import sys
from types import ModuleType
import numpy as np
ours = ModuleType("tests")
ours.__path__ = ["tests"]
sys.modules["tests"] = ours
np.seterr(over="raise")  # compiled code is silent when a number leaves its width
from tests.kernels.test_stepping import WORLDS, digest
for kind in WORLDS:
    print(kind, digest(kind))
"""


def digest(kind: str) -> str:
    """Return a digest of every table of the world of *kind*."""
    make, number = WORLDS[kind]
    tables = run.replicate(make(number), 0)
    text = "".join(f"{name}\n{tables[name].to_csv(index=False)}" for name in sorted(tables))
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def stepped(root) -> dict[str, str]:
    """Return the digests of a process in which nothing is compiled."""
    command = [sys.executable, "-c", STEP]
    uncompiled = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": "."}
    answer = subprocess.run(
        command, cwd=root, env=uncompiled, capture_output=True, text=True, check=False, timeout=200
    )
    assert answer.returncode == 0, answer.stderr
    return dict(line.split() for line in answer.stdout.splitlines())


@pytest.mark.parametrize("kind", WORLDS)
def test_the_same_bytes_as_compiled(kind: str, stepped):
    assert stepped[kind] == digest(kind)


def test_a_record_has_its_fields_as_attributes_wherever_it_comes_from():
    """What is written through an attribute is in the array, also of one that NumPy made anew."""
    kind = stepping.record([("job", "u1"), ("due_s", "i4")])
    joined = np.concatenate([np.zeros(2, kind), np.zeros(1, kind)])

    @stepping.stepped
    def put(pair, place):
        array, _ = pair
        array[place].due_s = 7

    put((joined, "beside"), 2)
    assert joined["due_s"].tolist() == [0, 0, 7]
