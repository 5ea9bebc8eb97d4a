"""Workers, here and under Dask: one result wherever they are, and what dies with them is named."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from sim.experiment import Failure, Options, Source, execute, planned, pulse
from sim.experiment.attempts import KILLED, Job
from sim.experiment.environment import environment, unlike
from sim.experiment.processes import Processes
from sim.experiment.work import Workers, work
from sim.scenario.load import load
from sim.store import StoreError, find_run, finished, verify, writer
from sim.store.files import born
from tests.experiment.mischief import (
    digest,
    ended,
    finish,
    is_sound,
    start,
    temporary,
    workers_of,
    write_experiment,
)
from tests.experiment.test_execute import CELLS

pytestmark = pytest.mark.timeout(600)  # processes start slowly on a machine that does other things


def kept(folder, out):
    """Return how many replications are on disk."""
    return len(
        [path for path in folder.glob(f"{out}/small/*/cells/*") if not path.name.startswith(".")]
    )


def wait_for(n, folder, out, process):
    """Wait until *n* replications are on disk, or the process has ended."""
    while kept(folder, out) < n and process.poll() is None:
        time.sleep(0.005)


def tree(pid):
    """Return *pid* and every process below it."""
    below = [
        int(child)
        for thread in Path(f"/proc/{pid}/task").iterdir()
        for child in (thread / "children").read_text().split()
    ]
    return [pid, *(deeper for child in below for deeper in tree(child))]


def listening(pids):
    """Return the address of every TCP socket on which one of *pids* listens, as the kernel writes
    it.
    """
    mine = {
        os.readlink(path)
        for pid in pids
        for path in Path(f"/proc/{pid}/fd").iterdir()
        if path.is_symlink()
    }
    lines = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    return [line[1] for line in lines if line[3] == "0A" and f"socket:[{line[9]}]" in mine]


def digest_alone(folder, monkeypatch):
    """Return the digest of the experiment in *folder*, done by one process that sleeps nowhere."""
    monkeypatch.setenv("AWAKE", "1")
    return digest(Path(finish(folder, "alone", 1)[-1]))


def test_one_result_wherever_the_work_is_done(tmp_path):
    """In this process, by two loky workers, and on a Dask cluster of two workers of which one is
    killed midway: one hash. Dask listens on loopback alone.
    """
    folder = write_experiment(tmp_path, "sleep " * 3, 5)
    runs = [Path(finish(folder, "here", 1)[-1])]

    loky = start(folder, "loky", 2)
    wait_for(5, folder, "loky", loky)
    assert listening(tree(loky.pid)) == []
    runs.append(Path(ended(loky)[-1]))

    dask = start(folder, "dask", 2, "dask:local")
    wait_for(7, folder, "dask", dask)
    sockets = listening(tree(dask.pid))
    os.kill(workers_of(dask.pid)[0], signal.SIGKILL)
    assert kept(folder, "dask") < 20
    runs.append(Path(ended(dask)[-1]))

    assert len(sockets) >= 3
    # 127.0.0.1, as a little-endian machine reads it
    assert {address.partition(":")[0] for address in sockets} == {"0100007F"}
    assert len({digest(run) for run in runs}) == 1
    assert all(is_sound(run, digest(runs[0])) for run in runs)


@contextmanager
def a_cluster(folder, sources=(Path(__file__).parents[2],)):
    """Run a Dask scheduler and a worker for each of *sources*, the folder of its simulator, as a
    deployer would start them; give the scheduler's process and the file of its address.
    """
    python = [sys.executable, "-m", "dask"]

    def quiet(source):
        path = os.pathsep.join(map(str, (Path(__file__).parent, source)))
        silence = dict.fromkeys(("stdout", "stderr"), subprocess.DEVNULL)
        return silence | {"env": os.environ | {"PYTHONPATH": path}, "cwd": folder}

    where = folder / "scheduler.json"
    here = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", where]
    scheduler = subprocess.Popen([*python, "scheduler", *here], **quiet(sources[0]))
    worker = [
        *python, "worker", "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard",
        "--scheduler-file", where, "--local-directory", folder / "w",
    ]  # fmt: skip
    processes = [scheduler, *(subprocess.Popen(worker, **quiet(source)) for source in sources)]
    try:
        yield scheduler, where
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(30)


def an_altered_simulator(folder):
    """Copy the simulator into *folder* and alter its model in a comment; return the folder."""
    root = Path(__file__).parents[2]
    shutil.copytree(root / "sim", folder / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    with open(folder / "sim/ledgers.py", "a") as file:
        file.write("# another model\n")
    return folder


def address_of(where):
    """Wait for the scheduler's file *where*; return its address."""
    while not where.exists() or not where.read_text().rstrip().endswith("}"):
        time.sleep(0.02)  # it is there before it is written
    return where.read_text().partition('"address": "')[2].partition('"')[0]


def wait_for_workers(address, n):
    """Wait until *n* workers are known to the scheduler."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(n, timeout=120)


def test_a_worker_of_other_source_refuses_by_name(tmp_path):
    """It does none of our work; alone, it is a sentence and exit 1, and nothing is kept of it."""
    folder = write_experiment(tmp_path, "none", 2)
    with a_cluster(tmp_path, [an_altered_simulator(tmp_path / "altered")]) as (_, where):
        address = address_of(where)
        wait_for_workers(address, 1)
        process = start(folder, "out", 2, f"dask:{address}")
        stderr = process.communicate(timeout=100)[1]
    assert process.returncode == 1
    assert f"no worker of dask:{address} fits: worker tcp://127.0.0.1:" in stderr
    assert f"on {platform.node()} has another environment: the model's source" in stderr
    assert kept(folder, "out") == 0


def test_beside_a_worker_that_refuses_the_others_do_it_all(tmp_path, monkeypatch):
    """The log names it, every replication is made by ours, and the bytes are ours."""
    folder = write_experiment(tmp_path, "sleep " * 30, 4)  # long enough for all to answer
    older = an_altered_simulator(tmp_path / "older")
    (older / "sim/experiment/environment.py").unlink()
    (older / "sim/experiment/answering.py").unlink()
    sources = [an_altered_simulator(tmp_path / "altered"), older, Path(__file__).parents[2]]
    with a_cluster(tmp_path, sources) as (_, where):
        address = address_of(where)
        wait_for_workers(address, 3)
        run = Path(finish(folder, "out", 2, f"dask:{address}")[-1])
    text = (run / "run.log").read_text()
    assert text.count("refused: worker tcp://127.0.0.1:") == 2
    assert text.count(" has another environment: the model's source ") == 1
    assert text.count(" has another simulator, or none (") == 1
    assert is_sound(run, digest_alone(folder, monkeypatch))


def test_a_process_of_other_packages_refuses(tmp_path, monkeypatch, experiment):
    """Here too: what runs is not what the key says, be it that the source was edited meanwhile."""
    other = environment() | {"packages": environment()["packages"] | {"numpy": "0.1"}}
    monkeypatch.setattr("sim.experiment.work.environment", lambda: other)
    tasks = planned(experiment(), "fast").tasks[:3]

    with pytest.raises(StoreError, match=r"worker process \d+ on .*: numpy .* there, 0\.1 here"):
        work(tmp_path, tasks, "tests.experiment.standin", Workers(2, 1), lambda *ended: None)
    assert not list((tmp_path / "cells").iterdir())


def test_what_differs_is_said_part_by_part():
    """Hashes shortened; what one of the two does not tell is passed over."""
    ours = {"source": "a" * 64, "kernels": "b" * 64, "python": "3.11.7", "packages": {"numpy": "2"}}
    theirs = {"source": "c" * 64, "python": "3.12.1", "packages": {"numpy": "3", "scipy": "1"}}

    assert list(unlike(ours, ours)) == []
    assert list(unlike(theirs, ours)) == [
        "the model's source cccccccc there, aaaaaaaa here",
        "Python 3.12.1 there, 3.11.7 here",
        "numpy 3 there, 2 here",
    ]


@pytest.mark.parametrize("backend", ["loky", "dask:local"])
def test_a_worker_that_hangs_is_named_and_replaced(tmp_path, monkeypatch, backend):
    """Stopped, it gives no sign of life; its replications are done by others."""
    monkeypatch.setenv("SILENCE_S", "8")
    folder = write_experiment(tmp_path, "sleep " * 20, 4)
    process = start(folder, "out", 2, backend)
    wait_for(4, folder, "out", process)
    stopped = workers_of(process.pid)[0]
    os.kill(stopped, signal.SIGSTOP)
    try:
        run = Path(ended(process)[-1])
    finally:
        with suppress(ProcessLookupError):
            os.kill(stopped, signal.SIGKILL)
    name = f"worker process {stopped}:" if backend == "loky" else "worker tcp://127.0.0.1:"
    text = (run / "run.log").read_text()
    assert name in text
    assert "no sign of life for 8 s; it" in text
    assert "ended and replaced" in text or "its nanny ends and replaces it" in text
    assert is_sound(run, digest_alone(folder, monkeypatch))


@pytest.mark.parametrize("backend", ["loky", "dask:local"])
def test_a_runner_that_is_killed_leaves_no_worker_behind(tmp_path, backend):
    """The runner alone is killed; who worked for it has gone within seconds."""
    folder = write_experiment(tmp_path, "linger", 2)  # a minute for each second replication
    process = start(folder, "out", 2, backend)
    while process.poll() is None and not list(folder.glob("out/small/*/cells/.started-*-1-*")):
        time.sleep(0.01)
    workers = workers_of(process.pid)
    assert workers
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 30
    while any(map(born, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(born, workers))


def test_a_worker_that_has_grown_goes_on(tmp_path):
    """It keeps memory on purpose: nothing is gained by one that begins anew."""
    processes = Processes()
    pool = processes._pool_for(Job(tmp_path, "sim.run", 1, writer(), environment()), 1)
    try:
        worker = pool.submit(os.getpid).result()
        time.sleep(1.1)  # loky looks once a second
        pool.submit(exec, "import builtins; builtins.held = b'1' * 400_000_000").result()
        time.sleep(1.1)
        assert pool.submit(os.getpid).result() == worker
    finally:
        processes.dismiss()


def test_a_runner_that_slept_has_not_listened(monkeypatch):
    """Who was stopped with all its workers for an hour does not end them when it goes on."""
    now = [0.0]
    monkeypatch.setattr(pulse.time, "monotonic", lambda: now[0])
    listener = pulse.Listener()
    assert listener.silent({7: 1}) == []
    now[0] += 3600
    assert listener.silent({7: 1}) == []
    assert listener.silent({7: 2}) == []
    told = []
    for _ in range(130):
        now[0] += 1
        told += listener.silent({7: 2})
    assert told == [7, 7]  # after a minute, and once more if it is still there after another
    told = []
    for _ in range(310):  # who loads its packages has given no sign yet, and is given longer
        now[0] += 1
        told += listener.silent({8: 0})
    assert told == [8]


def test_a_scheduler_of_somebody_elses(tmp_path, monkeypatch):
    """`dask:ADDRESS` gives the same bytes; when the scheduler is gone, a sentence says so and the
    same command goes on, with workers or without.
    """
    folder = write_experiment(tmp_path, "sleep " * 12, 5)
    with a_cluster(tmp_path) as (scheduler, where):
        address = address_of(where)
        process = start(folder, "out", 2, f"dask:{address}")
        wait_for(3, folder, "out", process)
        scheduler.kill()
        stderr = process.communicate(timeout=100)[1]
    assert process.returncode == 1
    assert f"dask:{address}" in stderr
    assert "Traceback" not in stderr
    before = kept(folder, "out")
    assert 3 <= before < 20

    run = Path(finish(folder, "out", 1)[-1])
    assert f"{20 - before} replications in" in (run / "run.log").read_text()
    assert is_sound(run, digest_alone(folder, monkeypatch))


def test_nobody_at_the_address(pretend, experiment, tmp_path):
    plan, how = planned(experiment(), "fast"), Options(backend="dask:nowhere://127.0.0.1:1")
    with pytest.raises(StoreError, match="cannot reach dask:nowhere://"):
        execute(plan, tmp_path / "out", Source("", "", ()), how)


def test_ctrl_c_in_the_terminal_stops_everyone_and_keeps_what_is_finished(tmp_path):
    """SIGINT goes to parent and workers alike; only the parent answers."""
    folder = write_experiment(tmp_path, "sleep " * 4, 5)
    process = start(folder, "stopped", 2)
    wait_for(3, folder, "stopped", process)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=100)
    assert process.returncode != 0

    run = next((folder / "stopped/small").glob("*-*"))
    assert '"status": "interrupted"' in (run / "manifest.json").read_text()
    assert temporary(folder) == []
    before = kept(folder, "stopped")
    assert 3 <= before < 20
    assert finish(folder, "stopped", 1)[-1] == str(run)
    assert f"{20 - before} replications in" in (run / "run.log").read_text()


@pytest.mark.parametrize(
    ("backend", "everyone"), [("loky", False), ("loky", True), ("dask:local", True)]
)
def test_sigterm_is_answered_as_ctrl_c_is(tmp_path, backend, everyone):
    """A cluster wants its machine back, and tells `sim run` alone or all its processes: exit 130,
    what is finished kept, nothing temporary left.
    """
    folder = write_experiment(tmp_path, "none", 60)
    command = [
        sys.executable,
        "-m",
        "sim",
        "run",
        folder / "small.yaml",
        "--out",
        folder / "out",
        "--jobs",
        "2",
        "--backend",
        backend,
    ]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    )
    wait_for(5, folder, "out", process)
    (os.killpg if everyone else os.kill)(process.pid, signal.SIGTERM)
    stderr = process.communicate(timeout=100)[1]
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr

    run = next((folder / "out/small").glob("*-*"))
    assert f"kept in {run}" in stderr
    assert '"status": "interrupted"' in (run / "manifest.json").read_text()
    assert temporary(folder) == []
    before = kept(folder, "out")
    assert 5 <= before < 240
    plan = planned(load(folder / "small.yaml"), "fast")
    assert len(finished(run, [task.address for task in plan.tasks])[0]) == before


@pytest.mark.parametrize("backend", ["loky", "dask:local"])
def test_what_kills_its_worker_twice_is_given_up_by_name(tmp_path, backend):
    """Replication 1 of one cell kills its process; the innocent ones that ran beside it are
    finished.
    """
    *failures, run = finish(write_experiment(tmp_path, "poison", 2), "out", 2, backend)

    assert failures == [f"{CELLS[0]} 1 {KILLED}"]
    assert len(list((Path(run) / "cells").iterdir())) == 7
    assert verify(Path(run)) == []
    assert '"status": "failed"' in (Path(run) / "manifest.json").read_text()


def test_workers_that_cannot_begin_are_not_waited_for(tmp_path, monkeypatch, experiment):
    """When processes die before they do anything, however often, every replication says so."""
    tasks = planned(experiment(), "fast").tasks[:3]

    def dead(*arguments):
        from joblib.externals.loky.process_executor import BrokenProcessPool

        raise BrokenProcessPool("gone")
        yield  # a generator, like the one it stands for

    monkeypatch.setattr("sim.experiment.processes.Processes.batch", dead)
    done = []
    note = lambda task, seconds: done.append(task)  # noqa: E731
    failures = work(tmp_path, tasks, "standin", Workers(2, 1), note)
    assert failures == [
        Failure(
            task.address.cell,
            task.address.replication,
            "worker processes end before they begin",
            "",
        )
        for task in tasks
    ]
    assert done == list(tasks)


def test_two_runners_of_one_plan_do_no_harm(tmp_path):
    """No lock: both may compute the same replication, and both write the same bytes."""
    folder = write_experiment(tmp_path, "sleep", 4)
    first, second = start(folder, "both", 1), start(folder, "both", 1)
    runs = [Path(ended(process)[-1]) for process in (first, second)]
    alone = Path(finish(folder, "alone", 1)[-1])
    assert all(is_sound(run, digest(alone)) for run in runs)


def test_a_run_killed_in_its_report_is_taken_up(pretend, experiment, carry_out, tmp_path):
    """All is there but `latest`: nothing is run again."""
    run = carry_out(experiment()).path
    (run.parent / "latest").unlink()
    calls = len(pretend)

    assert carry_out(experiment()).path == run
    assert len(pretend) == calls
    assert find_run(str(run.parent), tmp_path) == run


def test_what_then_makes_is_part_of_the_run(pretend, experiment, tmp_path):
    """It is called once there are results, and not when there are none."""
    seen = []
    loaded = experiment()

    def then(run):
        seen.append((run, (run.parent / "latest").exists()))

    plan, source = planned(loaded, "fast"), Source("", "", ())
    run = execute(plan, tmp_path / "out", source, Options(1), then=then).path

    assert seen == [(run, False)]
    assert load(tmp_path / "small.yaml") == loaded
