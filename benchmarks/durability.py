"""Kill, alter and fill up, far more often than the tests do: `python -m benchmarks.durability
[--quick] [CAMPAIGN …]` prints a table.

All campaigns in full also write it to DURABILITY.md. Whoever may mount (root) tries small disks
too; others leave that campaign out.

Each campaign asserts as it goes: a sweep that is killed, altered or out of room ends in the tables
of one that was left alone, byte for byte, or names what is wrong; nobody has to do anything but
give the same command again; no temporary file is left. All luck is seeded.
"""

from __future__ import annotations

import errno
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any, Final

from benchmarks.__main__ import HERE, machine, table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "experiment"))
import mischief

Told = dict[str, int]
HEAD: Final = """\
# Killed, altered, out of room

"Identical": the sweep ended, with nothing but the same command given again, in the tables and
summaries of a sweep that was left alone, byte for byte, `sim verify` found nothing, and no
temporary file was left. Every campaign asserts that of each sweep; one that fails writes no table.
Kills strike at random instants of any part of the work, with one worker and two, under loky and
Dask. A call refused alone that would have made a folder which is there already is not told: nothing
is lost by it.
"""
BOTH: Final = ("loky", "loky", "loky", "dask:local")


def real_disks(folder: Path, sizes_kb: range) -> Told:
    """Run on disks that really are too small, then on the same disk made large enough; and on one
    that has become read-only.
    """
    mischief.write_experiment(folder, "none", 4)
    want = mischief.digest(Path(mischief.finish(folder, "alone", 1)[-1]))
    told = {"disks": 0, "told in a sentence": 0, "identical": 0}
    for size in sizes_kb:
        disk = folder / f"disk{size}"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "none", disk], check=True)
        try:
            process = mischief.start(folder, f"{disk.name}/out", 1)
            stdout, stderr = process.communicate(timeout=300)
            full = process.returncode != 0 or len(stdout.splitlines()) > 1
            told["disks"] += 1
            told["told in a sentence"] += (
                full and "No space left on device" in stdout + stderr and "Traceback" not in stderr
            )
            assert not mischief.temporary(disk), mischief.temporary(disk)
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            process = mischief.start(folder, f"{disk.name}/out", 1)
            stdout, stderr = process.communicate(timeout=300)
            assert process.returncode == 1, stdout
            assert "Read-only file system" in stderr
            assert "Traceback" not in stderr
            subprocess.run(["mount", "-o", "remount,rw,size=64m", disk], check=True)
            run = Path(mischief.finish(folder, f"{disk.name}/out", 1)[-1])
            assert mischief.is_sound(run, want), run
            told["identical"] += 1
        finally:
            subprocess.run(["umount", disk], check=True)
    return told


def campaigns(*, quick: bool) -> dict[str, Callable[[Path], dict[str, Any]]]:
    """Return every campaign by name; *quick*: a tenth of each."""
    part = 10 if quick else 1
    found: dict[str, Callable[[Path], dict[str, Any]]] = {
        "SIGKILL of the process group": lambda folder: mischief.group_kills(
            folder, 60 // part, 1, replications=40, backends=BOTH
        ),
        "SIGKILL of one worker": lambda folder: mischief.worker_kills(
            folder, 30 // part, 2, replications=40
        ),
        "two runners, every other killed": lambda folder: mischief.pairs(
            folder, 10 // part, 3, replications=20
        ),
        "one bit turned": lambda folder: mischief.damages(
            folder, 300 // part, 4, mischief.flip, replications=1
        ),
        "cut short": lambda folder: mischief.damages(
            folder, 50 // part, 5, mischief.cut, replications=1
        ),
        "64 bytes zero": lambda folder: mischief.damages(
            folder, 50 // part, 6, mischief.wipe, replications=1
        ),
        "disk full from write k on": lambda folder: mischief.full_disks(
            folder, once=False, every=part
        ),
        "disk full at write k alone": lambda folder: mischief.full_disks(
            folder, once=True, every=part
        ),
        "read-only from write k on": lambda folder: mischief.full_disks(
            folder, once=False, every=5 * part, code=errno.EROFS
        ),
        "disks of 50 to 1,500 kB, then read-only": lambda folder: real_disks(
            folder, range(50, 1500, 50 * part)
        ),
    }
    with suppress(OSError, subprocess.CalledProcessError), tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True, capture_output=True)
        subprocess.run(["umount", folder], check=True)
        return found
    del found["disks of 50 to 1,500 kB, then read-only"]  # only who may mount can try it
    return found


def main(arguments: list[str]) -> None:
    """Run the campaigns asked for (none: all) and print what came of each."""
    chosen = [argument for argument in arguments if argument != "--quick"]
    every = campaigns(quick="--quick" in arguments)
    rows = []
    for name in chosen or every:
        with tempfile.TemporaryDirectory() as folder:
            began = monotonic()
            told = every[name](Path(folder))
            rows.append(
                [
                    name,
                    "; ".join(f"{what} {n:,}" for what, n in told.items()),
                    f"{monotonic() - began:,.0f}",
                ]
            )
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    told_all = table(["campaign", "what came of it", "seconds"], rows)
    print(told_all)
    if not arguments:
        (HERE / "DURABILITY.md").write_text(
            f"{HEAD}\n{machine('python -m benchmarks.durability')}\n{told_all}", encoding="utf-8"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
