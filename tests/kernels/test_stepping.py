"""Kernels that are not compiled: the same bytes, and no number that leaves its width."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from sim.kernels import stepping

# A steady world, a storm with rows, retries and faults, and a firmware world: small ones, as every
# step is taken in Python.
WORLDS = ("steady:0", "storm:4", "firmware:3")


def digests(root: Path, *options: str, **env: str) -> list[str]:
    """Return what `tools/digests` prints of `WORLDS` under Python *options* and in *env*."""
    answer = subprocess.run(
        [sys.executable, *options, "tools/digests", *WORLDS],
        cwd=root,
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.splitlines()


def test_the_same_bytes_as_compiled(root):
    """And no overflow, of which compiled code says nothing: a warning would be an error."""
    uncompiled = digests(root, "-W", "error::RuntimeWarning", NUMBA_DISABLE_JIT="1")

    assert len(uncompiled) == len(WORLDS)
    assert uncompiled == digests(root)


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


def test_integers_are_passed_in_one_width_as_compiled_ones_are():
    """What 64 bits with a sign hold becomes that; keys and thresholds stay without a sign."""
    given = np.uint8(255), np.int32(-1), np.uint32(2**32 - 1), np.int64(7), np.uint64(2**64 - 1)

    @stepping.stepped
    def passed(*numbers):
        return numbers

    assert passed(*given) == given
    assert [type(one) for one in passed(*given)] == [*[np.int64] * 4, np.uint64]
