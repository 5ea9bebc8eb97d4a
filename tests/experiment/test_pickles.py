"""Nothing is ever unpickled from the disk: a results folder of somebody else's can be wrong, but it
cannot run anything.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(300)


def test_results_are_read_without_a_pickle(tmp_path):
    """Run, resumed, adopted, merged, measured, reported, compared and verified: no pickle names a
    global, and every file read is of a kind that holds data.
    """
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("witness.py"), tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])

    assert [what for what, happened in told["happened"].items() if not happened] == []
    assert told["found"] == []
    assert told["hears"] == ["datetime.date"]
    assert {".parquet", ".json", ".csv", ".yaml"} <= set(told["read"])
    assert not {".pkl", ".pickle", ".joblib", ".npy", ".npz"} & set(told["read"])
