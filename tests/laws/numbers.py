"""What a run counts beside what a leaf says is due: of each rate, share and duration of a scenario,
a small world in which it alone is at work (those of firmware: `firmware_numbers.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.estate.estate import SLOTS, place
from sim.kernels.draws import bounded_pareto, word
from sim.scenario.load import load
from sim.streams import stream_key
from sim.tables import Tables
from sim.units import DAY_S, parse_duration, parse_rate
from tests.laws.firmware_worlds import counted
from tests.laws.worlds import fates, ledger, tables_of

N: Final = 1000
ALERT: Final = "{code: 8F3F, sender: ppmid, genuine: true, target: 2 h, size: 100 B, share: 100 %"
CUT: Final = "region: north, share: 100 %, restoration: 0 s"
SMALL: Final = {"estate.premises": 1}
ON_THE_HOUR: Final = {
    "reporting.rule": "periodic", "reporting.period": "1 h",
    "reporting.phase": "{source: fixed_clock, at: '00:00', window: 0 s, jitter: 0 s}",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counted:
    """What a run at one level of a leaf *found*, what the level says is *due*, and the largest
    number of the things counted that *one* stroke of luck makes at once (0: there is no luck).
    """

    found: float
    due: float
    one: float = 1.0


Counting = dict[str, tuple[Callable[[str], Counted], tuple[str, ...]]]  # leaf: what counts, levels


def times(rate: str, days: float, n: float = N) -> float:
    """Return how many strokes of *rate* there are at *n* clocks in so many *days*."""
    return float(parse_rate(rate)) * DAY_S * days * n


def part(share: str) -> float:
    """Return what "7 %" says, as a number."""
    return float(share.removesuffix(" %")) / 100


def sent(tables: Tables, kind: str = "version_report") -> int:
    """Return how many messages of *kind* were made, whatever became of them."""
    return sum(fates(tables, kind).values())


def triggers(tables: Tables, what: str) -> list[tuple[int, int]]:
    """Return (start, end) of what went wrong, of the sort *what*."""
    rows = tables["triggers"]
    return [(row.start_s, row.end_s) for row in rows[rows["what"] == what].itertuples()]


def reach(leaf: str) -> Callable[[str], Counted]:
    def count(share: str) -> Counted:
        tables = tables_of(ON_THE_HOUR | {leaf: share, "window.length": "1 h"})
        return Counted(fates(tables).get("expired", 0), N * part(share))

    return count


def fitted(share: str) -> Counted:
    tables = tables_of(ON_THE_HOUR | {"estate.devices.ppmid": share, "window.length": "1 h"})
    return Counted(sent(tables), N * part(share))


def rest(share: str) -> str:
    """Return what is left of 100 %."""
    return f"{100 - float(share.removesuffix(' %')):g} %"


def of_the_region(share: str) -> Counted:
    regions = {"estate.regions": f"{{north: {share}, central: {rest(share)}, south: 0 %}}"}
    devices = ledger(tables_of(regions | {"window.length": "1 h"}), region="north")["n_devices"]
    return Counted(devices, N * part(share), 0)


def of_the_user(share: str) -> Counted:
    gone = ", ".join(f"large_{letter}: null" for letter in "abcdef")
    users = {"estate.users": f"{{a: {share}, b: {rest(share)}, {gone}, small: null}}"}
    served = users | {"network": "[{stage: dsp}, {stage: user}]", "window.length": "1 h"}
    arrived = counted(tables_of(ON_THE_HOUR | served)["arrivals"], "server", stage="user")
    return Counted(arrived["a"], N * part(share))


def lost(share: str) -> Counted:
    tables = tables_of(ON_THE_HOUR | {"reporting.loss": share, "window.length": "2 h"})
    return Counted(fates(tables)["lost"], 2 * N * part(share))


def changes(rate: str) -> Counted:
    tables = tables_of({"updates.local.rate": rate, "window.length": "2 d"})
    return Counted(ledger(tables)["n_changes"], times(rate, 2))


def takers(share: str) -> Counted:
    hourly = {"updates.local.rate": "1 /h", "updates.local.take_up": share}
    return Counted(ledger(tables_of(hourly))["n_changes"], 24 * N * part(share), 25)


def reads(rate: str) -> Counted:
    read = {"reporting.read": f"{{rate: {rate}, refreshes_smi: true}}", "window.length": "10 d"}
    return Counted(sent(tables_of(read | {"reporting.rule": "hub_store"})), times(rate, 10))


def at_random(rate: str) -> Counted:
    kind = {"alerts.kinds.it": f"{ALERT}, cause: random, rate: {rate}}}", "alerts.active": "[it]"}
    return Counted(sent(tables_of(kind | {"window.length": "10 d"}), "it"), times(rate, 10))


def chatter(rate: str) -> Counted:
    """With the law of `gb_base`, in which the noisiest chatters 182 times as much as the mean: they
    raise what their own rates say.
    """
    law = f"cause: chatter, rate: {rate}, tail: 1.1, spread: 1000}}"
    kind = {"alerts.kinds.it": f"{ALERT}, {law}", "alerts.active": "[it]"}
    key = np.uint64(stream_key(load("gb_base").seed, 0, "alert.rate.it"))
    at = place(sorted(load("gb_base").estate.regions).index("north"), SLOTS["ppmid"])
    multiples = [bounded_pareto(word(key, at, index, 0), 1.1, 1000.0) for index in range(N)]
    return Counted(sent(tables_of(kind), "it"), times(rate, 1, 1) * sum(multiples))


def raisers(share: str) -> Counted:
    cut = f"[{{{CUT}, start: 1 h, duration: 1 h}}]"
    some = ALERT.replace("100 %", share)
    kind = {"alerts.kinds.it": f"{some}, cause: outage, after: 3 min}}", "alerts.active": "[it]"}
    return Counted(sent(tables_of(kind | {"faults.power_cuts": cut}), "it"), N * part(share))


def existing(rate: str) -> Counted:
    kind = f"{{alert: false, per: premises, rate: {rate}, target: 1 h, size: 0 B, profile: day}}"
    none = dict.fromkeys(("device_alert", "dcc_alert", "future_dated", "scheduled_read"), "null")
    others = {f"traffic.kinds.{name}": gone for name, gone in none.items()}
    tables = tables_of(others | {"traffic.level": "100 %", "traffic.kinds.on_demand": kind})
    return Counted(sent(tables, "on_demand"), times(rate, 1))


def way(fault: str) -> dict[str, str]:
    """Return a network in which *fault* can strike."""
    return {"network": "[{stage: dsp}]"} if fault == "stage_outages" else {}


def struck(fault: str, more: str) -> Callable[[str], Counted]:
    def count(rate: str) -> Counted:
        at_rate = {f"faults.{fault}": f"[{{{more}, rate: {rate}}}]", "window.length": "20 d"}
        tables = tables_of(at_rate | SMALL | way(fault))
        return Counted(len(triggers(tables, fault)), times(rate, 20, 1))

    return count


def taken(fault: str, cause: str, more: str) -> Callable[[str], Counted]:
    def count(share: str) -> Counted:
        one = f"[{{region: north, share: {share}, start: 1 h, duration: 1 h, {more}}}]"
        after = ", after: 3 min" if cause == "outage" else ""
        kind = f"{ALERT.replace('ppmid', 'hub')}, cause: {cause}{after}}}"
        raised = {"alerts.kinds.it": kind, "alerts.active": "[it]"}
        return Counted(sent(tables_of(raised | {f"faults.{fault}": one}), "it"), N * part(share))

    return count


def cut_off(share: str) -> Counted:
    """Cells of ten premises, each of which has one report to send while they are out."""
    outage = f"[{{region: north, share: {share}, start: 30 min, duration: 1 h}}]"
    cells = {"faults.wan_outages": outage, "estate.premises_per_cell": 10, "window.length": "2 h"}
    return Counted(fates(tables_of(ON_THE_HOUR | cells))["expired"], N * part(share), 10)


def locked(share: str) -> Counted:
    lock = f"[{{region: north, share: {share}, start: 30 min, at: '00:20', spread: 0 s}}]"
    of_a_day = {"reporting.period": "1 d", "window.warm_up": "1 h", "window.length": "1 d"}
    locks = {"faults.clock_locks": lock, "network": "[{stage: dsp}]"}
    tables = tables_of(ON_THE_HOUR | of_a_day | locks)
    quarters = counted(tables["arrivals"], "quarter", kind="version_report", stage="dsp")
    return Counted(quarters[1], N * part(share))


def lengths(fault: str, more: str) -> Callable[[str], Counted]:
    def count(duration: str) -> Counted:
        one = {f"faults.{fault}": f"[{{{more}, start: 1 h, duration: {duration}}}]"}
        ((start_s, end_s),) = triggers(tables_of(one | SMALL | way(fault)), fault)
        return Counted(end_s - start_s, parse_duration(duration), 0)

    return count


def begins(fault: str, more: str) -> Callable[[str], Counted]:
    def count(start: str) -> Counted:
        one = {f"faults.{fault}": f"[{{{more}, start: {start}}}]"}
        ((start_s, _),) = triggers(tables_of(one | SMALL | way(fault)), fault)
        return Counted(start_s, parse_duration(start), 0)

    return count


def again(fault: str, more: str) -> Callable[[str], Counted]:
    def count(every: str) -> Counted:
        one = {f"faults.{fault}": f"[{{{more}, start: 0 s, every: {every}}}]"}
        starts = [start for start, _ in triggers(tables_of(one | SMALL | way(fault)), fault)]
        return Counted(sum(np.diff(starts)) / (len(starts) - 1), parse_duration(every), 0)

    return count


def window(leaf: str) -> Callable[[str], Counted]:
    def count(duration: str) -> Counted:
        day = {"window.warm_up": "0 s", "window.length": "1 d", "updates.local.take_up": "0 %"}
        smi = ledger(tables_of(day | {leaf: duration}))
        measured_s = parse_duration(duration) if leaf == "window.length" else DAY_S
        return Counted(smi["right_s"], N * measured_s, 0)

    return count


def timer(rule: str, leaf: str) -> Callable[[str], Counted]:
    def count(period: str) -> Counted:
        spread = {"reporting.phase": f"{{source: hashed, at: '00:00', window: {period}}}"}
        still = {"reporting.rule": rule, leaf: period, "updates.local.take_up": "0 %"}
        n_s = 12 * parse_duration(period)
        return Counted(sent(tables_of(still | spread | {"window.length": f"{n_s} s"})), 12 * N, 0)

    return count


def installed(delay: str) -> Counted:
    """Return who has installed within one mean of the delay."""
    releases = f"{{driver: releases, rate: 1 /year, first_release: 0 s, delay: {delay}}}"
    m = parse_duration(delay)
    tables = tables_of({"updates.local": releases, "window.length": delay})
    return Counted(ledger(tables)["n_changes"], N * (1 - (1 - 1 / m) ** (m - 1)))


def published(first: str) -> Counted:
    releases = f"{{driver: releases, rate: 1 /year, first_release: {first}, delay: 1 s}}"
    silent = {"reporting.rule": "none", "window.length": "2 d"}
    wrong_s = ledger(tables_of({"updates.local": releases} | silent))["wrong_s"]
    return Counted(wrong_s, N * (2 * DAY_S - parse_duration(first) - 1), 0)


def in_time(kind: str, world: Callable[[str], dict[str, str]]) -> Callable[[str], Counted]:
    """Count the late messages of *kind* where each takes a second longer than their target."""

    def late(latency_s: int, target: str) -> tuple[int, int]:
        way = {"network": f"[{{stage: dsp, latency: {latency_s} s}}]", "window.length": "2 h"}
        tables = tables_of(world(target) | way)
        rows = tables["targets"]
        return int(rows[rows["kind"] == kind]["n_late"].sum()), fates(tables, kind)["delivered"]

    def count(target: str) -> Counted:
        n_late, _ = late(parse_duration(target), target)
        assert n_late == 0
        n_late, n = late(parse_duration(target) + 1, target)
        return Counted(n_late, n, 0)

    return count


def reported(target: str) -> dict[str, str]:
    return ON_THE_HOUR | {"reporting.target": target}


def alerted(target: str) -> dict[str, str]:
    kind = f"{ALERT.replace('2 h', target)}, cause: outage, after: 3 min}}"
    cut = f"[{{{CUT}, start: 10 min, duration: 10 min}}]"
    return {"alerts.kinds.it": kind, "alerts.active": "[it]", "faults.power_cuts": cut}


def requested(target: str) -> dict[str, str]:
    return {"traffic.level": "100 %", "traffic.kinds.on_demand.target": target}


FAULTS: Final = {
    "power_cuts": CUT, "hub_reboots": CUT, "wan_outages": "region: north, share: 100 %",
    "stage_outages": "stage: dsp, server: all",
}  # fmt: skip
LOCK: Final = "region: north, share: 100 %, at: '00:10', spread: 0 s"
SHORT: Final = {name: f"{more}, duration: 1 s" for name, more in FAULTS.items()}
SHORT["clock_locks"] = LOCK
RATES: Final = ("3 /d", "15 /d")
TARGETS: Final = ("5 s", "2 min")
TIMES: Final = ("1 h", "5 h")
SHARES: Final = ("7 %", "50 %")
COUNTED: Final[Counting] = {
    "estate.devices": (fitted, SHARES),
    "estate.regions": (of_the_region, SHARES),
    "estate.users": (of_the_user, SHARES),
    "estate.no_wan_share": (reach("estate.no_wan_share"), SHARES),
    "estate.not_communicating_share": (reach("estate.not_communicating_share"), SHARES),
    "updates.local.take_up": (takers, SHARES),
    "updates.local.rate": (changes, ("4 /year", "1 /d", "20 /h", "1 /min")),
    "updates.local.delay": (installed, ("1 h", "1 d")),
    "updates.local.first_release": (published, ("1 h", "1 d")),
    "reporting.loss": (lost, SHARES),
    "reporting.read.rate": (reads, ("30 /year", "1 /d", "5 /d", "2 /h")),
    "reporting.period": (timer("periodic", "reporting.period"), ("1 h", "1 d")),
    "reporting.heartbeat": (timer("on_change_heartbeat", "reporting.heartbeat"), ("1 h", "1 d")),
    "reporting.target": (in_time("version_report", reported), TARGETS),
    "traffic.kinds.NAME.rate": (existing, ("1 /d", "9 /h")),
    "alerts.kinds.NAME.rate": (at_random, ("30 /year", "1 /d", "5 /d", "2 /h")),
    "alerts.kinds.NAME.rate (chatter)": (chatter, ("20 /d", "400 /d")),
    "traffic.kinds.NAME.target": (in_time("on_demand", requested), TARGETS),
    "alerts.kinds.NAME.target": (in_time("it", alerted), TARGETS),
    "alerts.kinds.NAME.share": (raisers, SHARES),
    "faults.power_cuts.0.share": (taken("power_cuts", "outage", "restoration: 0 s"), SHARES),
    "faults.hub_reboots.0.share": (taken("hub_reboots", "reboot", "restoration: 0 s"), SHARES),
    "faults.wan_outages.0.share": (cut_off, SHARES),
    "faults.clock_locks.0.share": (locked, SHARES),
    **{f"faults.{name}.0.rate": (struck(name, more), RATES) for name, more in SHORT.items()},
    **{f"faults.{name}.0.start": (begins(name, more), TIMES) for name, more in SHORT.items()},
    **{f"faults.{name}.0.every": (again(name, more), TIMES) for name, more in SHORT.items()},
    **{f"faults.{name}.0.duration": (lengths(name, more), TIMES) for name, more in FAULTS.items()},
    "window.warm_up": (window("window.warm_up"), ("0 s", "1 d")),
    "window.length": (window("window.length"), ("1 h", "3 d")),
}  # fmt: skip
