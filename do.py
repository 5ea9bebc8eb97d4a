"""Set up and go, with nothing but Python and pip: `python3 do.py run`, `python3 do.py test`.

The first call makes `.venv` beside this file from `requirements.lock`, every file checked against
its hash, with the command `sim` in it; `test` and `dev` add `requirements-dev.lock`. Later calls
start at once. Relative paths are those of the folder that the command is given in.
"""

from __future__ import annotations  # an older Python must get as far as its refusal

import hashlib
import os
import shlex
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
# What the locks were resolved and tested for; a test holds it to pyproject.toml.
OLDEST, NEWEST = (3, 11), (3, 13)
USER, DEVELOPER = HERE / "requirements.lock", HERE / "requirements-dev.lock"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
# Each task: what is called, and which locks it needs. `-P`: a folder called sim, or a file called
# yaml.py, where the command is given is not ours.
TASKS = {
    "run": (["-P", "-m", "sim", "run"], [USER]),
    "sim": (["-P", "-m", "sim"], [USER]),
    "python": ([], [USER]),
    # In the order of `tests/conftest.py`: what takes long is not left to the end.
    "test": (
        ["-m", "pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"],
        [USER, DEVELOPER],
    ),
    "dev": ([], [USER, DEVELOPER]),
}


class Refusal(Exception):
    """A sentence for the user: why nothing can be set up here, and what to do."""


def pip_install(python: Path, lock: Path) -> list[str]:
    """Return the command that installs *lock* for *python*: what it pins and nothing else, so that
    pip resolves nothing and a later release changes nothing.
    """
    pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    return [*pip, "--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(lock)]


def _line(lock: Path) -> str:
    """Return what the stamp says of *lock* once it is installed."""
    return f"{lock.name} {hashlib.sha256(lock.read_bytes()).hexdigest()}"


def set_up(locks: list[Path]) -> None:
    """Make `.venv` hold what *locks* say. A stamp of this Python, this folder and each lock tells
    what it holds already.
    """
    stamp = VENV / "installed.txt"
    made = f"{sys.version} in {HERE}".replace("\n", " ")
    have = stamp.read_text(encoding="utf-8").splitlines() if stamp.exists() else []
    if have[:1] != [made] or not set(have[1:]) <= {_line(USER), _line(DEVELOPER)}:
        print("Setting up .venv: once, about a minute …", file=sys.stderr, flush=True)
        _make_environment()
        have = [made]
    for lock in locks:
        if _line(lock) not in have:
            _install(lock)
            have.append(_line(lock))
            # Last, so that a set-up that is cut short is done again.
            stamp.write_text("\n".join(have), encoding="utf-8")


def _make_environment() -> None:
    """Make `.venv` anew, so that nothing of an older lock stays, with this checkout importable and
    the command `sim` in it.
    """
    try:
        venv.create(VENV, clear=True, with_pip=True)
    except (subprocess.CalledProcessError, ImportError):
        told = "on Debian and Ubuntu: apt install python3-venv"
        raise Refusal(f"this Python cannot make an environment with pip ({told})") from None
    except OSError as error:
        raise Refusal(f"cannot make {VENV}: {error.strerror}") from None
    bases = {"base": str(VENV), "platbase": str(VENV)}
    packages = Path(sysconfig.get_path("purelib", "venv", bases))
    (packages / "sim-checkout.pth").write_text(f"{HERE}\n", encoding="utf-8")
    if os.name == "nt":
        command = PYTHON.parent / "sim.cmd"
        command.write_text(f'@"{PYTHON}" -P -m sim %*\n', encoding="utf-8")
        return
    # A line for the shell and not for Python: the path of an interpreter in a first line may
    # hold no space and has a greatest length.
    command = PYTHON.parent / "sim"
    line = f'exec {shlex.quote(str(PYTHON))} -P -m sim "$@"'
    command.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    command.chmod(0o755)


def _install(lock: Path) -> None:
    if subprocess.run(pip_install(PYTHON, lock), check=False, stdout=sys.stderr).returncode:
        cure = "its reasons are above; when they are mended, give the same command again"
        raise Refusal(f"pip could not install {lock.name}: {cure}")


def _refused(arguments: list[str]) -> str | None:
    """Return why nothing is set up for *arguments*, or None."""
    if not arguments or arguments[0] not in TASKS:
        return f"needs one of: {', '.join(TASKS)}"
    here = sys.version_info[:2]
    if OLDEST <= here <= NEWEST:
        return None
    known = "{}.{} to {}.{}".format(*OLDEST, *NEWEST)
    cure = "python{}.{} do.py {}".format(*NEWEST, " ".join(arguments))
    return (
        f"this is Python {here[0]}.{here[1]}, and requirements.lock knows {known}; "
        f"give the command to one of those, such as: {cure}"
    )


def _from(folder: Path, argument: str) -> str:
    """Return *argument*, made absolute when its part before `::` names something in *folder*: tests
    run in the checkout, wherever the command is given.
    """
    there = folder / argument.partition("::")[0]
    if argument and not argument.startswith("-") and there.exists():
        return str(folder / argument)
    return argument


def main(arguments: list[str]) -> int:
    """Set up, then run the task named first with the other *arguments*; return its exit code."""
    if why := _refused(arguments):
        print(why, file=sys.stderr)
        return 2
    task, rest = arguments[0], arguments[1:]
    call, locks = TASKS[task]
    try:
        set_up(locks)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    if task == "run":
        rest = rest or ["daily_version_report"]
    if task == "test":
        rest = [_from(Path.cwd(), argument) for argument in rest]
        os.chdir(HERE)
    command = [str(PYTHON), *call, *rest]
    if os.name == "nt":  # no exec there that waits
        return subprocess.call(command)
    os.execv(command[0], command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
