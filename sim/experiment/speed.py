"""How fast this machine is, as a multiple of the machine that the model of costs was fitted on.

It is measured once, and kept beside the kernels that were compiled here.
"""

from __future__ import annotations

import json
import os
import platform
from contextlib import suppress
from functools import cache
from pathlib import Path
from time import process_time
from typing import Final

from sim.machine import processors

REFERENCE_S: Final = 0.053  # what `_exercise` takes there
_TIMES: Final = 5


@cache
def slowness() -> float:
    """Return how many times as long this machine takes as the reference machine; measured if no
    machine like it is known here.
    """
    kept, host = _kept(), (platform.machine(), platform.processor(), platform.node())
    machine = " ".join(map(str, (*host, processors(), platform.python_version())))
    with suppress(OSError, ValueError, KeyError, TypeError):  # not measured yet, or not by us
        found = json.loads(kept.read_text(encoding="utf-8"))
        if found["machine"] == machine:
            return float(found["slowness"])
    slow = min(_exercise() for _ in range(_TIMES)) / REFERENCE_S
    with suppress(OSError):  # it is measured again next time
        kept.write_text(json.dumps({"machine": machine, "slowness": slow}), encoding="utf-8")
    return slow


def _kept() -> Path:
    """Return where the speed is kept; where nothing can be written, a file that is never there."""
    from sim.kernels.compiled import kept_in

    return (kept_in() or Path(os.devnull)) / "speed.json"


def _exercise() -> float:
    """Return the processor's seconds for work like the engine's: whole numbers mixed and put in
    order, and looked up out of order.
    """
    import numpy as np

    began = process_time()
    numbers = np.arange(1 << 19, dtype=np.uint64)
    for shift in (13, 7, 17):
        numbers = (numbers * np.uint64(0x9E3779B97F4A7C15)) ^ (numbers >> np.uint64(shift))
    order = np.argsort(numbers, kind="stable")
    np.cumsum(numbers[order])
    return process_time() - began
