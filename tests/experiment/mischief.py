"""What can befall a sweep: processes killed, bytes altered, a disk that is full. Each campaign
returns what came of it, or fails with an assertion.

The tests run a few of each; `python -m benchmarks.durability` runs them all. The sweeps are of the
stand-in engine: it is the folder that is on trial.
"""

from __future__ import annotations

import errno
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
# outside pytest, `tests` is the name of somebody else's package
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import standin  # noqa: E402
from driver import report  # noqa: E402

import sim.store.files as files  # noqa: E402
from sim.experiment import Options, Source, execute, planned  # noqa: E402
from sim.experiment.plan import ENGINES  # noqa: E402
from sim.scenario.load import load  # noqa: E402
from sim.store import StoreError, find_run, read_manifest, verify  # noqa: E402

DRIVER = HERE / "driver.py"
EXPERIMENT = """\
schema_version: 1
experiment: small
question: {question}
scenario: gb_base
set: {{estate: {{premises: 60}}, window: {{warm_up: 0 s, length: 1 d}}, question: {question}}}
options: {{quiet: {{reporting: {{rule: none}}}}, daily: {{reporting: {{rule: periodic}}}}}}
factors: {{reporting.loss: [0 %, 5 %]}}
comparator: quiet
replications: {replications}
seed: 7
"""


def write_experiment(folder, question, replications):
    """Write the experiment of four cells with its *question*, which says what mischief the engine
    does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.yaml").write_text(
        EXPERIMENT.format(question=question, replications=replications)
    )
    return folder


def start(folder, out, jobs, backend="loky"):
    """Start the driver in a process group of its own."""
    command = [
        sys.executable,
        str(DRIVER),
        str(folder / "small.yaml"),
        str(folder / out),
        str(jobs),
        backend,
    ]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def ended(process):
    """Wait for the driver; return its lines, the last of which is the run's folder."""
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stderr
    return stdout.splitlines()


def finish(folder, out, jobs, backend="loky"):
    """Run the driver to its end; return its lines."""
    return ended(start(folder, out, jobs, backend))


def digest(run):
    """Return the SHA-256 of a run's tables and summaries, each with its name: what all that befalls
    it must not change.
    """
    found = hashlib.sha256()
    for path in [*sorted((run / "tables").iterdir()), run / "summary.csv", run / "differences.csv"]:
        found.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()


def temporary(folder):
    """Return every temporary file or folder below *folder*."""
    return [path for path in folder.rglob("*") if path.name.endswith(".tmp")]


def is_sound(run, want):
    """Whether *run* is whole, as it was written, with the digest wanted and nothing temporary
    beside it.
    """
    return (verify(run), temporary(run.parent), digest(run)) == ([], [], want)


def wait_until_begun(folder, out, process):
    """Wait until the run's folder is there, or the process has ended."""
    while not list(folder.glob(f"{out}/small/*-*")) and process.poll() is None:
        time.sleep(0.005)


def workers_of(pid):
    """Return the worker processes of process *pid*; Dask starts its own from another thread."""
    found, children = list[int](), list[str]()
    with suppress(OSError):
        children = [
            child
            for thread in Path(f"/proc/{pid}/task").iterdir()
            for child in (thread / "children").read_text().split()
        ]
    for child in children:
        with suppress(OSError):
            command = Path(f"/proc/{child}/cmdline").read_bytes()
            if b"popen_loky" in command or b"spawn_main" in command:
                found.append(int(child))
    return found


def wait_for_more(n, folder, out, process, total):
    """Wait until *n* more replications are on disk, or all *total* are, or the process has ended;
    return whether all are.
    """

    def kept():
        return len(
            [
                path
                for path in folder.glob(f"{out}/small/*/cells/*")
                if not path.name.startswith(".")
            ]
        )

    enough = min(kept() + n, total)
    while kept() < enough and process.poll() is None:
        time.sleep(0.005)
    return kept() == total


def group_kills(folder, kills, seed, *, replications, backends=("loky",), most=25, within_s=0.5):
    """SIGKILL the process group *kills* times in sweeps that are taken up until they end; return
    how many sweeps and kills that were.

    A kill strikes at a random instant of *within_s* once none to *most* more replications are done,
    and of a longer one once all are: in any part of the work.
    """
    luck = random.Random(seed)
    write_experiment(folder, "sleep", replications)
    want = digest(Path(finish(folder, "alone", 1)[-1]))
    done = sweeps = 0
    while done < kills:
        out, sweeps = f"killed{sweeps}", sweeps + 1
        while True:
            jobs, backend = luck.choice((1, 2, 2)), luck.choice(backends)
            process = start(folder, out, jobs, backend)
            wait_until_begun(folder, out, process)
            if done < kills:
                all_there = wait_for_more(
                    luck.randrange(most), folder, out, process, 4 * replications
                )
                # or a slow machine would never see an end
                spared = all_there and luck.random() < 0.5
                with suppress(subprocess.TimeoutExpired):
                    process.wait(
                        None if spared else luck.uniform(0, within_s * (20 if all_there else 1))
                    )
            if done < kills and process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                done += 1
                process.communicate()
                continue
            run = Path(ended(process)[-1])
            assert is_sound(run, want), (out, verify(run), temporary(run.parent))
            assert len(list(run.parent.glob("*-*"))) == 1
            break
    return {"sweeps": sweeps, "kills": done, "identical": sweeps}


def worker_kills(
    folder, kills, seed, *, replications, backends=("loky", "dask:local"), within_s=2.0
):
    """SIGKILL single workers *kills* times, at most two in a sweep; return how the sweeps ended.

    A replication whose worker was killed twice is named, and the same command does it.
    """
    luck = random.Random(seed)
    write_experiment(folder, "sleep", replications)
    want = digest(Path(finish(folder, "alone", 1)[-1]))
    done, told = 0, {"sweeps": 0, "kills": 0, "identical": 0, "named, then identical": 0}
    while done < kills:
        out, backend = f"killed{told['sweeps']}", backends[told["sweeps"] % len(backends)]
        told["sweeps"] += 1
        process, landed = start(folder, out, 2, backend), 0
        while not (process.poll() is not None or workers_of(process.pid)):
            time.sleep(0.01)
        while landed < min(2, kills - done) and process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(luck.uniform(0, within_s))
            if process.poll() is None and (workers := workers_of(process.pid)):
                with suppress(ProcessLookupError):
                    os.kill(luck.choice(workers), signal.SIGKILL)
                    landed += 1
        *named, run = ended(process)
        done += landed
        assert all("killed twice" in line for line in named), named
        if named:
            run = finish(folder, out, 1)[-1]
        assert is_sound(Path(run), want), (
            out,
            backend,
            verify(Path(run)),
            temporary(Path(run).parent),
        )
        told["named, then identical" if named else "identical"] += 1
    return told | {"kills": done}


def pairs(folder, n, seed, *, replications):
    """Let two runners, one of which may be killed, work on one folder at once, *n* times; then the
    folder is finished; return how that ended.
    """
    luck = random.Random(seed)
    write_experiment(folder, "sleep", replications)
    want = digest(Path(finish(folder, "alone", 1)[-1]))
    for pair in range(n):
        first = start(folder, f"both{pair}", luck.choice((1, 2)))
        time.sleep(luck.uniform(0, 2))
        second = start(folder, f"both{pair}", luck.choice((1, 2)))
        wait_until_begun(folder, f"both{pair}", first)
        if pair % 2:
            with suppress(subprocess.TimeoutExpired):
                first.wait(luck.uniform(0, 2))
            if first.poll() is None:
                os.killpg(first.pid, signal.SIGKILL)
            first.communicate()
        else:
            ended(first)
        run = Path(ended(second)[-1])
        assert is_sound(run, want), (pair, verify(run), temporary(run.parent))
    return {"pairs": n, "identical": n}


@contextmanager
def stand_in():
    """Let the fast engine be the stand-in; give the list of its calls."""
    engine, ENGINES["fast"] = ENGINES["fast"], "standin"
    standin.CALLS.clear()
    try:
        yield standin.CALLS
    finally:
        ENGINES["fast"] = engine


def carry_out(folder):
    """Run the experiment in *folder* in this process; return the run's folder."""
    plan = planned(load(folder / "small.yaml"), "fast")
    return execute(plan, folder / "out", Source("", "", ()), Options(1), then=report).path


def flip(data, luck):
    """Return *data* with one bit turned."""
    altered = bytearray(data)
    altered[luck.randrange(len(data))] ^= 1 << luck.randrange(8)
    return bytes(altered)


def cut(data, luck):
    """Return the beginning of *data*."""
    return data[: luck.randrange(len(data))]


def wipe(data, luck):
    """Return *data* with 64 bytes of it zero."""
    place = luck.randrange(len(data))
    return data[:place] + bytes(len(data[place : place + 64])) + data[place + 64 :]


def latest_is_damaged(run):
    """Return the sentence that who asks for the latest run is told when its name is not sound."""
    try:
        assert find_run(str(run.parent), run) == run
    except StoreError as refusal:
        return [str(refusal)]
    return []


def damages(folder, n, seed, damage, *, replications):
    """Alter one file of a finished run *n* times: it is named, and the same command does again the
    replication that it was of, and no other.
    """
    luck = random.Random(seed)
    write_experiment(folder, "none", replications)
    told = {"altered": 0, "named": 0, "identical": 0, "run again": 0}
    with stand_in() as calls:
        run = carry_out(folder)
        want = digest(run)
        for _ in range(n):
            names = [*read_manifest(run)["files"], "manifest.json", "run.log", "../latest"]
            name = luck.choice(sorted(names))
            data = (run / name).read_bytes()
            if (altered := damage(data, luck)) == data:
                continue
            (run / name).write_bytes(altered)
            told["altered"] += 1
            findings = verify(run) if name != "../latest" else latest_is_damaged(run)
            assert len(findings) == 1, (name, findings)
            assert str((run / name).resolve()) in findings[0]
            told["named"] += 1
            calls.clear()
            mended = carry_out(folder)
            again = name.startswith("cells/")
            assert len(calls) == again, (name, calls)
            assert mended == run
            assert latest_is_damaged(run) == []
            assert is_sound(run, want), (name, verify(run))
            told["identical"] += 1
            told["run again"] += again
            for aside in run.glob("cells/*.corrupt*"):
                shutil.rmtree(aside)
    return told


class FullDisk:
    """Counts what is written to the disk, and refuses call number *after* and, unless *once*, all
    that follow.
    """

    def __init__(self, after, *, once, code=errno.ENOSPC):
        self.after, self.once, self.code, self.calls = after, once, code, 0
        self._patched = []

    def _count(self):
        self.calls += 1
        if self.calls == self.after or (self.calls > self.after and not self.once):
            raise OSError(self.code, os.strerror(self.code))

    def _patch(self, owner, name, refusing):
        self._patched.append((owner, name, vars(owner).get(name)))
        setattr(owner, name, refusing)

    def __enter__(self):
        for name in ("fsync", "rename", "replace", "mkdir"):
            self._patch(os, name, self._refusing(getattr(os, name)))
        make = os.open

        def make_file(path, flags, *rest, **more):
            if flags & os.O_CREAT:
                self._count()
            return make(path, flags, *rest, **more)

        def open_file(file, mode="r", *rest):
            opened = open(file, mode, *rest)  # noqa: SIM115  (whoever asked closes it)
            return opened if "r" in mode else _File(opened, self._count)

        self._patch(os, "open", make_file)
        self._patch(files, "open", open_file)
        return self

    def _refusing(self, call):
        def refuse(*arguments, **more):
            self._count()
            return call(*arguments, **more)

        return refuse

    def __exit__(self, *error):
        for owner, name, before in self._patched:
            if before is None:
                delattr(owner, name)
            else:
                setattr(owner, name, before)


class _File:
    """A file whose writes are counted; one that is refused has written half."""

    def __init__(self, file, count):
        self._file, self._count = file, count

    def write(self, data):
        try:
            self._count()
        except OSError:
            self._file.write(memoryview(data)[: len(data) // 2])
            raise
        return self._file.write(data)

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()


def full_disks(folder, *, once, every=1, offset=1, code=errno.ENOSPC):
    """Refuse each write of a run in turn (each *every*-th): a sentence, nothing half done, and the
    same command ends as if nothing had happened.
    """
    write_experiment(folder, "none", 1)
    with stand_in():
        with FullDisk(10**9, once=True) as counted:
            run = carry_out(folder)
        want = digest(run)
        told = {"writes": counted.calls, "refused": 0, "told in a sentence": 0, "identical": 0}
        for call in range(offset, counted.calls + 1, every):
            shutil.rmtree(folder / "out")
            try:
                with FullDisk(call, once=once, code=code):
                    path = carry_out(folder)
                manifest = read_manifest(path)  # it was one replication's write
                said = [failure["cause"] for failure in manifest["failures"]]
            except StoreError as refusal:
                said = [str(refusal)]
            told["refused"] += 1
            assert not temporary(folder), (call, temporary(folder))
            assert all(os.strerror(code) in cause for cause in said), (call, said)
            told["told in a sentence"] += bool(said)
            run = carry_out(folder)
            assert is_sound(run, want), (call, verify(run), temporary(folder))
            assert not list(run.glob("cells/*.corrupt*")), call
            told["identical"] += 1
    return told
