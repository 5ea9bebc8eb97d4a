"""Compiled code is the code in the folder: whole, of this source, and never a reason to stop."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sim.kernels import compiled, identity
from sim.words import Fate

# A kernel of one file that calls those of another: what a region draws (sim.kernels.draws).
DRAW = """
import sys
import numpy as np
from sim.kernels.compiled import kept, kept_in
from sim.kernels.upgrades import shares_out
index, shares = np.arange(40, dtype=np.uint32), np.array([2**30, 2**31], np.uint64)
drawn = shares_out(np.uint64(7), 3, index, shares)
print("".join(map(str, drawn)), len(kept(kept_in()) if kept_in() else ()))
"""


def draw(tree: Path, **env: str) -> tuple[str, int, str]:
    """Return what the kernels below *tree* draw, how many are kept, and what is said on stderr."""
    answer = subprocess.run(
        [sys.executable, "-P", "-c", DRAW],
        env={**os.environ, "PYTHONPATH": str(tree), **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert answer.returncode == 0, answer.stderr
    drawn, n_kept = answer.stdout.split()
    return drawn, int(n_kept), answer.stderr


@pytest.fixture
def tree(root, tmp_path):
    """Return a folder with a copy of the package that nothing was compiled for."""
    shutil.copytree(root / "sim", tmp_path / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def folders(tree: Path) -> list[Path]:
    """Return the folders of compiled kernels in *tree*."""
    return sorted((tree / "sim/kernels/__pycache__").glob("kernels-*"))


def test_a_callee_that_changed_is_compiled_anew(tree, tmp_path):
    """Ten Philox rounds made seven in the file of a callee: other numbers, those of a cold start.
    """
    ten, n_kept, _ = draw(tree)
    assert draw(tree)[:2] == (ten, n_kept)

    path = tree / "sim/kernels/draws.py"
    path.write_text(path.read_text().replace("in range(10)", "in range(7)"))
    seven = draw(tree)[0]

    assert seven != ten
    assert draw(tree, NUMBA_CACHE_DIR=str(tmp_path / "cold"))[0] == seven
    assert len(folders(tree)) == 2


def damages(whole: bytes, other: bytes) -> dict[str, bytes]:
    """Return what a file may be found as."""
    middle = len(whole) // 2
    return {
        "empty": b"",
        "a byte": whole[:1],
        "the seal alone": whole[:32],
        "half": whole[:middle],
        "all but a byte": whole[:-1],
        "a bit": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "a hole": whole[:middle] + bytes(512) + whole[middle + 512 :],
        "noise": bytes(range(256)) * 40,
        "another kernel": other,
    }


@pytest.fixture(scope="module")
def sound(root, tmp_path_factory):
    """Return a tree with its kernels compiled, and what they draw."""
    tree = tmp_path_factory.mktemp("sound")
    shutil.copytree(root / "sim", tree / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    return tree, draw(tree)[0]


@pytest.mark.parametrize("damage", damages(b"\0" * 4096, b""))
def test_a_damaged_kernel_is_set_aside_and_compiled_anew(sound, damage):
    """Whatever a file has become: the same numbers, one sentence, and the next start is quiet."""
    tree, drawn = sound
    (kernel,) = folders(tree)[0].glob("upgrades.shares_out*.kernel")
    whole = kernel.read_bytes()
    other = compiled._seal(kernel.with_name("another.kernel"), whole[32:]) + whole[32:]
    kernel.write_bytes(damages(whole, other)[damage])

    again, _, said = draw(tree)

    assert again == drawn
    assert said.count("\n") == 1
    assert "was damaged; it is set aside and compiled anew" in said
    assert draw(tree)[::2] == (drawn, "")


def test_what_is_whole_and_cannot_be_used_is_compiled_anew(sound):
    """A file of another Numba under a right seal, say: its form is not ours to foretell."""
    tree, drawn = sound
    (kernel,) = folders(tree)[0].glob("upgrades.shares_out*.kernel")
    kernel.write_bytes(compiled._seal(kernel, b"no pickle") + b"no pickle")

    assert draw(tree)[0] == drawn
    assert draw(tree)[::2] == (drawn, "")


def test_nowhere_to_write_is_no_reason_to_stop(sound, root, tmp_path):
    """A file where a folder should be stands for a read-only disk: root may write anywhere else."""
    _, drawn = sound
    tree, wall = tmp_path / "read-only", tmp_path / "wall"
    shutil.copytree(root / "sim", tree / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    wall.touch()
    (tree / "sim/kernels/__pycache__").touch()

    nowhere = {"NUMBA_CACHE_DIR": f"{wall}/in", "XDG_CACHE_HOME": f"{wall}/out"}
    assert draw(tree, PYTHONDONTWRITEBYTECODE="1", **nowhere) == (drawn, 0, "")


def test_two_that_compile_at_once_do_no_harm(tree):
    """Two processes of nothing compiled: the same numbers, and every file is whole afterwards."""
    command = [sys.executable, "-P", "-c", DRAW]
    env = {**os.environ, "PYTHONPATH": str(tree)}
    both = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in "ab"]
    drawn = {process.communicate(timeout=100)[0].split()[0] for process in both}

    (folder,) = folders(tree)
    files = sorted(path.name for path in folder.iterdir())
    assert len(drawn) == 1
    assert all(compiled.kept(folder))
    assert draw(tree)[0] in drawn
    assert sorted(path.name for path in folder.iterdir()) == files


def test_a_user_without_a_home_is_served(tmp_path, monkeypatch):
    """No HOME and no entry among the users: nowhere is left, which is no reason to stop."""

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    wall = tmp_path / "wall"
    wall.touch()
    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(compiled, "_HERE", wall)
    monkeypatch.setattr(Path, "home", homeless)

    assert compiled.kept_in.__wrapped__() is None


def test_folders_that_nobody_uses_go(tmp_path, monkeypatch):
    """After thirty days, for one in use is touched; a folder of another name is not ours."""
    for name, days in (("kernels-old", 31), ("kernels-new", 29), ("else", 99)):
        (tmp_path / name).mkdir()
        then = time.time() - days * 86_400
        os.utime(tmp_path / name, (then, then))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))

    ours = compiled.kept_in.__wrapped__()

    assert {path.name for path in tmp_path.iterdir()} == {"else", "kernels-new", ours.name}


def test_the_hash_is_of_every_file_and_version(tmp_path, monkeypatch):
    """A change in any kernel's file or in what compiles is another folder."""
    shutil.copytree(identity.HERE, tmp_path / "kernels", ignore=shutil.ignore_patterns("__py*"))
    shutil.copy(identity.HERE.parent / "words.py", tmp_path)
    first = identity.kernel_hash()
    monkeypatch.setattr(identity, "HERE", tmp_path / "kernels")
    assert identity.kernel_hash.__wrapped__() == first

    monkeypatch.setattr(identity, "version", lambda name: f"another {name}")
    assert identity.kernel_hash.__wrapped__() != first
    monkeypatch.undo()
    for path in sorted(tmp_path.rglob("*.py")):
        monkeypatch.setattr(identity, "HERE", tmp_path / "kernels")
        path.write_bytes(path.read_bytes() + b"\n")
        assert identity.kernel_hash.__wrapped__() != first
        path.write_bytes(path.read_bytes()[:-1])


def test_a_kernel_is_compiled_once_whoever_calls_it(monkeypatch):
    """From a byte, a word, a literal and a member of an enumeration: integers of one width."""
    monkeypatch.setattr(compiled, "kept_in", lambda: None)

    @compiled.njit(nogil=True)
    def doubled(number):
        return 2 * number

    @compiled.njit(nogil=True)
    def calls(small, large):
        return doubled(small[0]), doubled(large[0]), doubled(3), doubled(Fate.LOST)

    assert calls(np.array([200], np.uint8), np.array([-7], np.int64)) == (400, -14, 6, 10)
    assert len(doubled.signatures) == 1
