"""What a run counts beside what a leaf of firmware says is due (`numbers.py`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sim.units import DAY_S, parse_duration
from tests.laws.firmware_worlds import counted, firmware_world
from tests.laws.numbers import SHARES, Counted, Counting, N, part, rest, times
from tests.laws.worlds import ledger

LOCAL: Final = {
    "firmware.local.take_up": "100 %", "firmware.local.classes": "[feature]", "estate.premises": N,
    "firmware.releases": "[{model: it, class: feature, first: 1 d}]",
}  # fmt: skip


def looked_at(process: str, leaf: str, days: float = 59) -> Callable[[str], Counted]:
    def count(rate: str) -> Counted:
        tables = firmware_world(LOCAL | {leaf: rate, "window.length": f"{days} d"})
        return Counted(counted(tables["readings"], "process").get(process, 0), times(rate, days))

    return count


def audited(rate: str) -> Counted:
    audit = {"reporting.rule": "audit", "reporting.read.rate": rate, "reporting.loss": "0 %"}
    tables = firmware_world(LOCAL | audit | {"window.length": "10 d"})
    return Counted(counted(tables["readings"], "process")["audit"], times(rate, 10))


def called(share: str) -> Counted:
    call = {"firmware.reads.call": f"{{share: {share}, delay: 1 min}}"}
    tables = firmware_world(LOCAL | call)
    n_changes = ledger(tables)["n_changes"]
    return Counted(counted(tables["readings"], "process")["call"], n_changes * part(share))


def called_late(delay: str) -> Counted:
    """All install in the first minute of day 1; the mean share has called by the mean's end."""
    call = {"firmware.reads.call": f"{{share: 100 %, delay: {delay}}}"}
    m = parse_duration(delay)
    length = {"window.length": f"{DAY_S + 1 + m} s", "firmware.local.channels.pushed.delay": "1 s"}
    tables = firmware_world(LOCAL | call | length)
    return Counted(counted(tables["readings"], "process")["call"], N * (1 - (1 - 1 / m) ** (m - 1)))


def complied(every: str) -> Counted:
    tables = firmware_world(LOCAL | {"firmware.reads.compliance": every})
    n = (60 * DAY_S - 1) // parse_duration(every)
    return Counted(counted(tables["readings"], "process")["compliance"], n * N, 0)


def off(share: str) -> Counted:
    tables = firmware_world({"estate.premises": N, "firmware.off.ppmid": share})
    return Counted(counted(tables["jobs"], "ended").get("han_failed", 0), N * part(share))


def of_the_model(share: str) -> Counted:
    models = {"it": {"share": share}, "other": {"share": rest(share)}}
    tables = firmware_world({"estate.premises": N}, models=models)
    return Counted(counted(tables["jobs"], "model")["it"], N * part(share))


def take_part(share: str) -> Counted:
    tables = firmware_world(LOCAL | {"firmware.local.take_up": share})
    return Counted(counted(tables["local"], "outcome")["installed"], N * part(share), 1)


def by_channel(share: str) -> Counted:
    app = f"{{share: {rest(share)}, delay: 1 h}}"
    two = f"{{pushed: {{share: {share}, delay: 1 h}}, app: {app}, usb: null}}"
    tables = firmware_world(LOCAL | {"firmware.local.channels": two})
    return Counted(counted(tables["local"], "channel")["pushed"], N * part(share))


def ready(share: str) -> Counted:
    curve = f"{{start: 0 s, curve: [{{share: {share}, time: 0 s}}]}}"
    tables = firmware_world({"estate.premises": N, "firmware.ota.hub_ready": curve})
    return Counted(counted(tables["jobs"], "ended")["done"], N * part(share))


def exchanged(share: str) -> Counted:
    wave = f"{{start: 0 s, share: {share}, curve: [{{share: 100 %, time: 0 s}}], reseed: false}}"
    never = {"firmware.ota.hub_ready": "{start: 0 d, curve: [{share: 0 %, time: 0 s}]}"}
    tables = firmware_world(never | {"estate.premises": N, "firmware.ota.exchange": wave})
    return Counted(counted(tables["jobs"], "ended")["done"], N * part(share))


def halfway(share: str) -> Counted:
    """Soon after the wave has begun the share of its first point is exchanged, and few besides."""
    curve = f"[{{share: {share}, time: 10 s}}, {{share: 100 %, time: 1000 d}}]"
    never = {"firmware.ota.hub_ready": "{start: 0 d, curve: [{share: 0 %, time: 0 s}]}"}
    wave = {"firmware.ota.exchange": f"{{start: 0 s, share: 100 %, curve: {curve}, reseed: false}}"}
    tables = firmware_world(never | wave | {"estate.premises": N, "window.length": "3 d"})
    due = part(share) + (1 - part(share)) * DAY_S / (1000 * DAY_S)
    return Counted(counted(tables["jobs"], "ended")["done"], N * due)


READS: Final = ("12 /year", "2 /d")
COUNTED: Final[Counting] = {
    "firmware.reads.install": (looked_at("install", "firmware.reads.install"), READS),
    "firmware.reads.gain": (looked_at("gain", "firmware.reads.gain"), READS),
    "reporting.read.rate (audit)": (audited, ("30 /year", "1 /d", "5 /d")),
    "firmware.reads.call.share": (called, SHARES),
    "firmware.reads.call.delay": (called_late, ("1 min", "1 h")),
    "firmware.reads.compliance": (complied, ("1 d", "7 d")),
    "firmware.off": (off, SHARES),
    "firmware.models.NAME.share": (of_the_model, SHARES),
    "firmware.local.take_up": (take_part, SHARES),
    "firmware.local.channels.NAME.share": (by_channel, SHARES),
    "firmware.ota.hub_ready.curve.0.share": (ready, SHARES),
    "firmware.ota.exchange.share": (exchanged, SHARES),
    "firmware.ota.exchange.curve.0.share": (halfway, SHARES),
}  # fmt: skip
