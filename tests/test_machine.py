"""What this process may use: of the machine, of its control groups, of its limits."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

import sim.machine as machine

MB = 1_000_000


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Return a function that writes the system's files, by path below `/`, for it to ask."""
    monkeypatch.setattr(machine, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(machine, "_GROUPS", tmp_path / "sys/fs/cgroup")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)

    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return write


GROUP = "sys/fs/cgroup/batch/job7"


@pytest.mark.parametrize(
    ("files", "n"),
    [
        ({}, 16),
        ({"proc/self/cgroup": "0::/batch/job7\n"}, 16),
        ({"proc/self/cgroup": "0::/batch/job7\n", f"{GROUP}/cpu.max": "max 100000\n"}, 16),
        ({"proc/self/cgroup": "0::/batch/job7\n", f"{GROUP}/cpu.max": "350000 100000\n"}, 3),
        ({"proc/self/cgroup": "0::/batch/job7\n", f"{GROUP}/cpu.max": "50000 100000\n"}, 1),
        ({"proc/self/cgroup": "not what we know\n0:\n"}, 16),
        # A limit holds for all groups below it.
        (
            {
                "proc/self/cgroup": "0::/batch/job7\n",
                f"{GROUP}/cpu.max": "800000 100000\n",
                "sys/fs/cgroup/batch/cpu.max": "200000 100000\n",
            },
            2,
        ),
        # In a container, /proc has the name outside of it, and the folder is what it sees as root.
        ({"proc/self/cgroup": "0::/../../x\n", "sys/fs/cgroup/cpu.max": "400000 100000\n"}, 4),
        # Version 1.
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/job\n2:memory:/job\n",
                "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "250000\n",
                "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "100000\n",
            },
            2,
        ),
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            16,
        ),
    ],
)
def test_processors_are_those_that_we_may_keep_busy(system, files, n):
    """The least of affinity and every group's quota, whole ones, and at least one."""
    system(files)
    assert machine.processors() == n


def test_one_processor_of_many(root):
    """A batch queue pins us to one: `sim plan` says so (`one_processor.sh`)."""
    pin = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    code = f"{pin}; from sim.machine import processors; print(processors())"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
    )
    assert answer.stdout.strip() == "1"


MEMINFO = "MemTotal: 32000000 kB\nMemFree: 100 kB\nMemAvailable: 1000000 kB\n"


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, None),
        ({"proc/meminfo": MEMINFO}, 1_024_000_000),
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "0::/batch/job7\n",
                f"{GROUP}/memory.max": "max\n",
                f"{GROUP}/memory.current": "5\n",
            },
            1_024_000_000,
        ),
        # Pages of files that the kernel gives back when asked are free.
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "0::/batch/job7\n",
                f"{GROUP}/memory.max": f"{280 * MB}\n",
                f"{GROUP}/memory.current": f"{100 * MB}\n",
                f"{GROUP}/memory.stat": f"anon 7\ninactive_file {30 * MB}\nactive_file 9\n",
            },
            210 * MB,
        ),
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "0::/batch/job7\n",
                f"{GROUP}/memory.max": f"{280 * MB}\n",
                f"{GROUP}/memory.current": f"{290 * MB}\n",
            },
            0,
        ),
        # Version 1: the outer group is the tighter one.
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "2:memory:/outer/inner\n",
                "sys/fs/cgroup/memory/outer/inner/memory.limit_in_bytes": "9223372036854771712\n",
                "sys/fs/cgroup/memory/outer/inner/memory.usage_in_bytes": f"{50 * MB}\n",
                "sys/fs/cgroup/memory/outer/memory.limit_in_bytes": f"{280 * MB}\n",
                "sys/fs/cgroup/memory/outer/memory.usage_in_bytes": f"{100 * MB}\n",
                "sys/fs/cgroup/memory/outer/memory.stat": f"total_inactive_file {10 * MB}\n",
            },
            190 * MB,
        ),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "junk\n"}, None),
    ],
)
def test_memory_is_what_is_left_to_us(system, files, free):
    """Of the machine's, or of the limit of a group that we are in, whichever is less."""
    system(files)
    assert machine.free_memory() == free


def test_the_real_machine_is_asked():
    """Here, unless its groups are full."""
    assert 1 <= machine.processors() <= (os.cpu_count() or 1)
    assert machine.free_memory() > 50 * MB


def test_addresses_are_limited_by_the_shell(monkeypatch):
    """`ulimit -v`, which a process may ask of itself."""
    asked = resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda what: (asked, asked))
    assert machine.address_space() is None
    asked = 5_000 * MB
    assert machine.address_space() == 5_000 * MB
