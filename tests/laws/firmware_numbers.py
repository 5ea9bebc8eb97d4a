"""What a run counts beside what a leaf of firmware says is due (`numbers.py`)."""

from __future__ import annotations

from collections.abc import Callable
from math import exp
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
    tables = firmware_world(NEVER_READY | {"estate.premises": N, "firmware.ota.exchange": wave})
    return Counted(counted(tables["jobs"], "ended")["done"], N * part(share))


def halfway(share: str) -> Counted:
    """Soon after the wave has begun the share of its first point is exchanged, and few besides."""
    curve = f"[{{share: {share}, time: 10 s}}, {{share: 100 %, time: 1000 d}}]"
    wave = {"firmware.ota.exchange": f"{{start: 0 s, share: 100 %, curve: {curve}, reseed: false}}"}
    tables = firmware_world(NEVER_READY | wave | {"estate.premises": N, "window.length": "3 d"})
    due = part(share) + (1 - part(share)) * DAY_S / (1000 * DAY_S)
    return Counted(counted(tables["jobs"], "ended")["done"], N * due)


def listed(column: str, leaf: str, more: dict[str, str]) -> Callable[[str], Counted]:
    """Count the images, one a day, to which something happens after they are listed: at the second
    in *column* of the table `releases`.
    """

    def count(share: str) -> Counted:
        daily = {"firmware.releases": "[{model: it, class: feature, first: 1 d, every: 1 d}]"}
        pipeline = {f"firmware.pipeline.{name}": value for name, value in more.items()}
        world = daily | pipeline | {leaf: share, "firmware.ota.classes": "[]"}
        tables = [firmware_world(world, replication)["releases"] for replication in range(8)]
        happened = sum(int((table[column] > table["listed_s"]).sum()) for table in tables)
        return Counted(happened, 8 * 59 * part(share))

    return count


def rejected(share: str) -> Counted:
    """Each image comes back with the same chance until it passes: p / (1 − p) times on average."""
    daily = {"firmware.releases": "[{model: it, class: feature, first: 1 d, every: 1 d}]"}
    world = daily | {"firmware.pipeline.reject": share, "firmware.pipeline.resubmit": "1 min"}
    world |= {"firmware.ota.classes": "[]"}
    n = sum(int(firmware_world(world, r)["releases"]["n_rejected"].sum()) for r in range(8))
    again = part(share) / (1 - part(share))
    return Counted(n, 8 * 59 * again, 1 + 2 * again)


def signed(share: str) -> Counted:
    """Every attempt is with a variant; those that carry a stolen signature are installed."""
    screened = {"firmware.screening.design": "signature", "firmware.screening.signed": share}
    tables = firmware_world(LOCAL | screened | {"firmware.local.variant": "100 %"})
    return Counted(counted(tables["local"], "outcome").get("installed", 0), N * part(share))


def turned_away(outage: str, due: float) -> Counted:
    """Attempts come 10 d after the offer on average, and nobody comes back who meets an outage."""
    closed = {
        "firmware.screening.design": "token", "firmware.screening.fail": "closed",
        "firmware.screening.retry": "1000 d", "firmware.screening.gateway_outages": f"[{outage}]",
        "firmware.local.channels.pushed.delay": "10 d", "window.length": "360 d",
    }  # fmt: skip
    tables = firmware_world(LOCAL | closed)
    return Counted(counted(tables["local"], "outcome")["gateway_down"], N * due)


def down_for(duration: str) -> Counted:
    out = parse_duration(duration) / DAY_S
    due = (1 - exp(-out / 10)) / (1 - exp(-1 / 10))
    return turned_away(f"{{start: 0 s, every: 1 d, duration: {duration}}}", due)


def down_each(every: str) -> Counted:
    gap = parse_duration(every) / DAY_S
    lead = -1 % gap  # the offer comes on day 1; the next outage begins so much later
    due = exp(-lead / 10) * (1 - exp(-0.25 / 10)) / (1 - exp(-gap / 10))
    return turned_away(f"{{start: 0 s, every: {every}, duration: 6 h}}", due)


def down_from(start: str) -> Counted:
    since = parse_duration(start) / DAY_S - 1
    return turned_away(f"{{start: {start}, duration: 1000 d}}", exp(-since / 10))


def ready_by(leaf: str, wave: str, more: dict[str, str]) -> Callable[[str], Counted]:
    """Count the hubs that serve displays on day 1, of those that do so evenly over a time."""

    def count(time: str) -> Counted:
        by_then = {leaf: wave.replace("TIME", time), "estate.premises": N}
        tables = firmware_world(more | by_then)
        return Counted(counted(tables["jobs"], "ended")["done"], N * DAY_S / parse_duration(time))

    return count


def tried_again(retry_after: str) -> Counted:
    """Images lost once and taken the second time: done by so long after the first offer and three
    minutes, and not yet shortly before.
    """
    lossy = {"firmware.ota.loss": "60 %", "firmware.ota.retries": 1, "estate.premises": N}
    again_s = DAY_S + parse_duration(retry_after)
    done = []
    for length_s in (again_s - 5, again_s + 180):
        length = {"firmware.ota.retry_after": retry_after, "window.length": f"{length_s} s"}
        done.append(counted(firmware_world(lossy | length)["jobs"], "ended")["done"])
    return Counted(done[1] - done[0], N * 0.6 * 0.4)


READY: Final = "{start: 0 s, curve: [{share: 100 %, time: TIME}]}"
EXCHANGED: Final = "{start: 0 s, share: 100 %, curve: [{share: 100 %, time: TIME}], reseed: false}"
NEVER_READY: Final = {"firmware.ota.hub_ready": "{start: 0 d, curve: [{share: 0 %, time: 0 s}]}"}
CURVES: Final = ("2 d", "10 d")
READS: Final = ("12 /year", "2 /d")
COUNTED: Final[Counting] = {
    "firmware.reads.install": (looked_at("install", "firmware.reads.install"), READS),
    "firmware.reads.gain": (looked_at("gain", "firmware.reads.gain"), READS),
    "reporting.read.rate (audit)": (audited, ("30 /year", "1 /d", "5 /d")),
    "firmware.reads.call.share": (called, SHARES),
    "firmware.reads.call.delay": (called_late, ("1 min", "1 h")),
    "firmware.reads.compliance": (complied, ("1 d", "7 d")),
    "firmware.pipeline.data_error": (
        listed("corrected_s", "firmware.pipeline.data_error", {"correction": "1 h"}), SHARES,
    ),
    "firmware.pipeline.withdrawn": (
        listed("delisted_s", "firmware.pipeline.withdrawn", {"withdrawn_after": "1 h"}), SHARES,
    ),
    "firmware.pipeline.reject": (rejected, SHARES),
    "firmware.screening.signed": (signed, SHARES),
    "firmware.screening.gateway_outages.0.duration": (down_for, ("6 h", "12 h")),
    "firmware.screening.gateway_outages.0.every": (down_each, ("1 d", "2 d")),
    "firmware.screening.gateway_outages.0.start": (down_from, ("5 d", "20 d")),
    "firmware.ota.hub_ready.curve.0.time": (
        ready_by("firmware.ota.hub_ready", READY, {}), CURVES,
    ),
    "firmware.ota.exchange.curve.0.time": (
        ready_by("firmware.ota.exchange", EXCHANGED, NEVER_READY), CURVES,
    ),
    "firmware.ota.retry_after": (tried_again, ("1 d", "3 d")),
    "firmware.off": (off, SHARES),
    "firmware.models.NAME.share": (of_the_model, SHARES),
    "firmware.local.take_up": (take_part, SHARES),
    "firmware.local.channels.NAME.share": (by_channel, SHARES),
    "firmware.ota.hub_ready.curve.0.share": (ready, SHARES),
    "firmware.ota.exchange.share": (exchanged, SHARES),
    "firmware.ota.exchange.curve.0.share": (halfway, SHARES),
}  # fmt: skip
