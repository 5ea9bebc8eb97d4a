"""Set up and go, with nothing but Python 3.11 and pip: `python3 do.py run [FILE …]`, `python3 do.py test [OPTION …]`, `python3 do.py python …`.

The first call makes `.venv` beside this file from `requirements.lock`, every file checked against its hash; later calls start at once.
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCK, VENV = HERE / "requirements.lock", HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
TASKS = {"run": ["-m", "sim", "run"], "test": ["-m", "pytest"], "python": []}


def set_up() -> None:
    """Make `.venv` hold what the lock says; a stamp of the lock and of this Python tells whether it does already."""
    stamp, want = VENV / "lock.sha256", f"{hashlib.sha256(LOCK.read_bytes()).hexdigest()} {sys.version}"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == want:
        return
    print("Setting up .venv: once, about a minute …", file=sys.stderr, flush=True)
    venv.create(VENV, clear=True, with_pip=True)  # anew, so that nothing of an older lock stays
    pip = [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:", "-r", str(LOCK)]
    subprocess.run(pip, check=True, stdout=sys.stderr)
    stamp.write_text(want, encoding="utf-8")  # last, so that a set-up cut short is done again


def main(arguments: list[str]) -> int:
    """Set up, then run the task named first with the other *arguments*; return its exit code."""
    if sys.version_info < (3, 11) or not arguments or arguments[0] not in TASKS:
        print(f"needs Python 3.11 or newer (this is {sys.version.split()[0]}) and one of: {', '.join(TASKS)}", file=sys.stderr)
        return 2
    set_up()
    rest = arguments[1:] or (["daily_version_report"] if arguments[0] == "run" else [])
    command = [str(PYTHON), *TASKS[arguments[0]], *rest]
    os.chdir(HERE)
    if os.name == "nt":  # no exec there that waits
        return subprocess.call(command)
    os.execv(command[0], command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
