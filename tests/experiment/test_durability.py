"""A sweep that is killed, altered or out of room: it ends in the same bytes, or names what is
wrong. `python -m benchmarks.durability` does more of each.
"""

from __future__ import annotations

import errno

import pytest

from tests.experiment import mischief

pytestmark = pytest.mark.timeout(600)  # processes start slowly on a machine that does other things


def test_sudden_deaths_of_everyone(tmp_path):
    """The process group is killed at random instants; the same command takes the sweep up until it
    ends.
    """
    told = mischief.group_kills(tmp_path, 4, seed=1, replications=5, most=6)

    assert told["kills"] == 4
    assert told["identical"] == told["sweeps"]


def test_sudden_deaths_of_workers(tmp_path):
    """Single workers are killed: the sweep goes on, and a replication that was killed twice is
    named.
    """
    told = mischief.worker_kills(
        tmp_path, 2, seed=2, replications=8, backends=("loky",), within_s=1.0
    )

    assert told["kills"] == 2
    assert told["identical"] + told["named, then identical"] == told["sweeps"]


@pytest.mark.parametrize("damage", [mischief.flip, mischief.cut, mischief.wipe])
def test_altered_files_are_named_and_mended(tmp_path, damage):
    """Any altered file of a finished run is named by `verify`; the same command runs again what was
    altered, and no more.
    """
    told = mischief.damages(tmp_path, 5, 3, damage, replications=1)

    assert told["altered"] >= 4
    assert told["named"] == told["identical"] == told["altered"]


@pytest.mark.parametrize(
    ("once", "code"),
    [(False, errno.ENOSPC), (True, errno.ENOSPC), (False, errno.EROFS)],
    ids=["full", "full for a moment", "read-only"],
)
def test_a_disk_that_refuses_any_write(tmp_path, once, code):
    """A sentence, no part of a file left, and with room again the same command ends as if nothing
    had happened.
    """
    told = mischief.full_disks(tmp_path, once=once, every=89, offset=11 if once else 1, code=code)

    assert told["identical"] == told["refused"] >= 3
    assert once or told["told in a sentence"] == told["refused"]
