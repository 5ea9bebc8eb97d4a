"""A stand-in for the model: declared tables, made up from the address of the replication, in no
time.
"""

from __future__ import annotations

import os
import signal
import time
from hashlib import blake2b

from sim.scenario.schema import Scenario
from sim.tables import TABLES, Tables, frame
from sim.tables.column import Column

TEXT = {
    "kind": "version_report",
    "stage": "dsp",
    "server": "dsp",
    "ledger": "smi",
    "device_type": "ppmid",
    "region": "north",
    "fate": "delivered",
    "process": "gain",
}
# (scenario, seed, replication) of every replication run in this process
CALLS: list[tuple[str, int, int]] = []


def _number(address: str) -> int:
    return int.from_bytes(blake2b(address.encode(), digest_size=4).digest()) % 100 + 1


def _held(column: Column, numbers: list[int]) -> list[int]:
    """Return *numbers* as the *column* can hold them: of yes and no, always yes, so that every
    replication has rows of the same kinds.
    """
    if column.dtype == "bool":
        return [True] * len(numbers)
    return [number % 96 for number in numbers] if column.name == "quarter" else numbers


def made_up(seed: int, replication: int, n: int = 5) -> Tables:
    """Return every declared table with *n* rows of numbers drawn for (*seed*, *replication*)."""
    tables = {}
    for t, (name, table) in enumerate(TABLES.items()):
        columns = {}
        for c, column in enumerate(table.columns):
            text = [TEXT.get(column.name, "all")] * n
            numbers = [_number(f"{seed}/{replication}/{t}/{c}/{row}") for row in range(n)]
            columns[column.name] = text if column.dtype == "str" else _held(column, numbers)
        tables[name] = frame(name, columns)
    # the bands hold the wrong time, all of it
    tables["staleness"]["device_s"] = tables["ledgers"]["wrong_s"]
    return tables


def replicate(scenario: Scenario, replication: int) -> Tables:
    """Stand in for an engine: made-up tables, after the time that `question` asks for, or the
    mischief.
    """
    words = scenario.question.split()
    if "AWAKE" not in os.environ:
        time.sleep(0.02 * words.count("sleep"))
    busy_s = sum(int(word.removeprefix("burn")) for word in words if word.startswith("burn")) / 1000
    began = time.process_time()
    while time.process_time() - began < busy_s:
        pass
    first = scenario.reporting.rule == "none" and not scenario.reporting.loss
    if replication == 1 and ("die" in words or ("poison" in words and first)):
        os.kill(os.getpid(), signal.SIGKILL)
    if "linger" in words and replication == 1:
        time.sleep(60)
    if "fail" in words and replication == 1:
        raise ValueError("no such world")
    CALLS.append((scenario.name, scenario.seed, replication))
    return made_up(scenario.seed, replication)
