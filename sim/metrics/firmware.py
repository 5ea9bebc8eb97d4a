"""What records do to those who read them, and what devices run in a firmware world: reads,
decisions, screening, suspension, and audits (S1-12 … S1-18).

Everything is counted after warm-up. A world without a firmware block has none of these.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from sim.metrics.intervals import wilson
from sim.metrics.load import Rows, Values, Window, pooled, totals, where
from sim.metrics.records import wrong_share
from sim.tables import Tables
from sim.units import DAY_S, added
from sim.words import Outcome, ReadProcess

AUDIT: Final = "audit"
PROCESSES: Final = tuple(sorted(set(ReadProcess.words()) - {ReadProcess.AUDIT.word}))
# How each process that decides can err. What did not happen is 0 and not absent, or a mean over
# replications would leave those without it out.
ERRORS: Final = {
    "compliance": ("false_compliance", "false_alarm"),
    "gain": ("false_compliance", "false_alarm"),
    "incident": ("missed", "false_alarm"),
    "targeting": ("missed", "wasted", "wrong_path"),
}
OUTCOMES: Final = tuple(sorted(Outcome.words()))
UNWANTED: Final = ("unlisted", "variant")
STOPPED: Final = ("blocked", "busy", "expired", "gateway_down")


def by_group(rows: Rows, names: Any, column: str = "n") -> dict[str, float]:
    """Return the sum of *column* for each of the *names* of the rows."""
    return totals({"name": list(names), column: rows[column]}, "name", column)


def devices(tables: Tables) -> dict[str, float]:
    """Return how many devices of each type there are."""
    return totals(where(tables["ledgers"], ledger="smi"), "device_type", "n_devices")


# -- reads and decisions ---------------------------------------------------------------------------


def _reads(tables: Tables) -> Rows:
    """Return the reads of those who use the inventory; an audit looks at it and is none of them."""
    table: Any = tables["readings"]
    return where(table, process=tuple(sorted({str(name) for name in table["process"]} - {AUDIT})))


def read_share(tables: Tables, window: Window, *, state: str) -> Values:
    """Share of the reads of the SMI that return a record in this *state* (WRONG, or UNKNOWN: none):
    n(state) ÷ reads, so weighted by who reads.

    Groups: process that reads (audits are no users and left out); `all` is every process together.
    Unit: share.
    """
    rows = _reads(tables)
    return pooled(totals(where(rows, state=state), "process", "n"), totals(rows, "process", "n"))


def reads_per_device_year(tables: Tables, window: Window) -> Values:
    """Reads of the SMI ÷ devices ÷ years measured. Groups: process that reads; `all` is every
    process but audits. Unit: reads per device-year.
    """
    reads, n = totals(_reads(tables), "process", "n"), added(devices(tables).values())
    rates = (
        {process: reads.get(process, 0) / n / window.years for process in PROCESSES}
        if n and reads
        else {}
    )
    return rates | {"all": added(rates.values())} if rates else {}


def decision_error_share(tables: Tables, window: Window) -> Values:
    """Share of the decisions taken on a record that are in error: missed, wasted, wrong path, false
    compliance or false alarm, ÷ decisions of the process.

    Groups: `process` for all its errors, `process/outcome` for one; `all` is every process
    together. Unit: share.
    """
    rows: Any = {name: np.asarray(column) for name, column in tables["decisions"].items()}
    made = totals(rows, "process", "n")
    wrong = {name: column[rows["outcome"] != "right"] for name, column in rows.items()}
    pairs = list(zip(wrong["process"], wrong["outcome"], strict=True))
    one = by_group(wrong, [f"{process}/{outcome}" for process, outcome in pairs])
    shares = {
        f"{process}/{error}": one.get(f"{process}/{error}", 0) / n
        for process, n in made.items()
        if n
        for error in ERRORS[process]
    }
    return pooled(totals(wrong, "process", "n"), made) | shares


def decision_cost_total(tables: Tables, window: Window) -> Values:
    """What decisions in error cost: Σ n × price. Groups: process that decides; `all` is every
    process together. Unit: £.
    """
    rows: Any = tables["decisions"]
    costs = by_group({"pounds": rows["n"] * rows["price"]}, rows["process"], "pounds")
    return (
        {process: costs.get(process, 0) for process in ERRORS} | {"all": added(costs.values())}
        if costs
        else {}
    )


def decision_cost_per_device_year(tables: Tables, window: Window) -> Values:
    """`decision_cost_gbp_total` ÷ devices ÷ years measured. Groups: process that decides; `all` is
    every process together. Unit: £ per device-year.
    """
    n = added(devices(tables).values()) * window.years
    return (
        {process: cost / n for process, cost in decision_cost_total(tables, window).items()}
        if n
        else {}
    )


# -- the local channel -----------------------------------------------------------------------------


def let_through_share(tables: Tables, window: Window) -> Values:
    """Share of the local attempts with an image not on the CPL, or never submitted, that end with
    the device running it: installed ÷ attempts.

    Groups: image (unlisted, variant); `all` is both. Unit: share.
    """
    rows = where(tables["local"], image=UNWANTED)
    return pooled(
        totals(where(rows, outcome="installed"), "image", "n"), totals(rows, "image", "n")
    )


def blocked_wrongly_share(tables: Tables, window: Window) -> Values:
    """Share of the local attempts with an image on the CPL that screening stops: (blocked + busy +
    expired + gateway down) ÷ attempts.

    Who is turned away and tries again makes a further attempt. Groups: outcome; `all` is the four
    together. Unit: share.
    """
    rows = where(tables["local"], image="listed")
    n, stopped = added(rows["n"].tolist()), totals(where(rows, outcome=STOPPED), "outcome", "n")
    return (
        {outcome: stopped.get(outcome, 0) / n for outcome in STOPPED}
        | {"all": added(stopped.values()) / n}
        if n
        else {}
    )


def local_outcome_share(tables: Tables, window: Window) -> Values:
    """Share of the local attempts that end in each outcome; the shares add up to 1. Groups:
    outcome; there is no `all`. Unit: share.
    """
    ends = totals(tables["local"], "outcome", "n")
    return (
        {outcome: ends.get(outcome, 0) / added(ends.values()) for outcome in OUTCOMES}
        if added(ends.values())
        else {}
    )


# -- what devices run, and how that is known -------------------------------------------------------


def _status(tables: Tables, what: str) -> dict[str, float]:
    """Return a sum of the table `status` by device type: 0 for a type with a life, as `states`
    lists them, of which there is nothing.
    """
    found = totals(where(tables["status"], what=what), "device_type", "value")
    return {
        name: found.get(name, 0)
        for name in sorted(
            {str(name) for table in ("states", "status") for name in tables[table]["device_type"]}
        )
    }


def status_total(tables: Tables, window: Window, *, what: tuple[str, ...]) -> Values:
    """A count or sum of devices in a status: Σ over *what* of the table `status`; device-time is
    told in days.

    Suspended: the answer to an activation was lost (MP105). Unlisted: it runs what is not on the
    CPL, a variant (never submitted) or not. Forgotten: hub records lost with an exchanged hub.
    Found: by an audit. Groups: device type; `all` is every type together. Unit: devices, records or
    device-days.
    """
    sums = _added(tables, what)
    found = {name: value / (DAY_S if what[0].endswith("_s") else 1) for name, value in sums.items()}
    return found | {"all": added(found.values())} if found else {}


def _added(tables: Tables, what: tuple[str, ...]) -> dict[str, float]:
    parts = [_status(tables, name) for name in what]
    return {name: added(part[name] for part in parts) for name in parts[0]}


def status_share(tables: Tables, window: Window, *, what: tuple[str, ...]) -> Values:
    """Share of all device time in a status (suspended; running what is not on the CPL, a variant or
    not): device-seconds ÷ (devices × seconds measured).

    Groups: device type; `all` is every type together. Unit: share.
    """
    seconds = _added(tables, what)
    return (
        pooled(seconds, {name: n * window.length_s for name, n in devices(tables).items()})
        if seconds
        else {}
    )


def behind_share(tables: Tables, window: Window) -> Values:
    """Share of devices that run less than the highest version of their model on the CPL, off or
    not: mean over the moments of the table `states`.

    Groups: device type; `all` is every type together. Unit: share.
    """
    rows = where(tables["states"], ledger="smi")
    moments = len(set(rows["at_s"].tolist()))
    n = {
        name: number * moments
        for name, number in devices(tables).items()
        if name in set(rows["device_type"])
    }
    return pooled(totals(rows, "device_type", "n_behind"), n)


def behind_class_share(tables: Tables, window: Window) -> Values:
    """Share of devices of a type that run less than the highest version of a class on the CPL: mean
    over the moments of the table `behind`. Who is behind in two classes is in both.

    Groups: `type/class`; there is no `all`. Unit: share.
    """
    rows: Any = {name: np.asarray(column) for name, column in tables["behind"].items()}
    moments, n = len(set(rows["at_s"].tolist())), devices(tables)
    kinds = list(zip(rows["device_type"].tolist(), rows["release_class"].tolist(), strict=True))
    sums = by_group(rows, [f"{kind}/{of}" for kind, of in kinds], "n_behind")
    return {
        f"{kind}/{of}": sums[f"{kind}/{of}"] / (n[kind] * moments)
        for kind, of in sorted(set(kinds)) if n.get(kind)
    }  # fmt: skip


def detection_days_mean(tables: Tables, window: Window) -> Values:
    """Mean time from the installation of what is not on the CPL until an audit found it: Σ delays ÷
    devices found. Absent where none was found.

    Groups: device type; `all` is every type together. Unit: d.
    """
    return {
        name: s / DAY_S
        for name, s in pooled(_status(tables, "found_s"), _status(tables, "found_n")).items()
    }


def detected_share(tables: Tables, window: Window) -> Values:
    """Share of the installations of what is not on the CPL that an audit found: found ÷ installed
    after warm-up. Absent where more were found than installed: some are of before, and nobody
    counts how many of those there were.

    Groups: device type; `all` is every type together. Unit: share.
    """
    found = _status(tables, "found_n")
    here = where(tables["local"], image=UNWANTED, outcome="installed")
    shares = pooled(found, totals(here, "device_type", "n"))
    return {name: share for name, share in shares.items() if share <= 1}


# -- what an audit says of the records -------------------------------------------------------------


def _sample(tables: Tables) -> tuple[dict[str, float], dict[str, float]]:
    """Return the reads of an audit that met a record by device type, and of those the wrong ones;
    `all` in both.
    """
    rows = where(tables["readings"], process=AUDIT, state=("right", "wrong"))
    n = totals(rows, "device_type", "n")
    wrong = totals(where(rows, state="wrong"), "device_type", "n")
    n = {name: k for name, k in n.items() if k}
    wrong = {name: wrong.get(name, 0) for name in n}
    return (
        ({**n, "all": added(n.values())}, {**wrong, "all": added(wrong.values())})
        if n
        else ({}, {})
    )


def _truth(tables: Tables, window: Window) -> Values:
    """Return the time-averaged share of records wrong of the types that are audited, `all` weighted
    as the audit weights them.
    """
    n, _ = _sample(tables)
    shares = wrong_share(tables, window, ledger="smi")
    own = {name: shares[name] for name in n if name != "all" and name in shares}
    weight = added(n[name] for name in own)
    return (
        own | {"all": added(n[name] * share for name, share in own.items()) / weight}
        if weight
        else {}
    )


def audit_met_share(tables: Tables, window: Window) -> Values:
    """Share of the reads of an audit that found a record: those that met one, RIGHT or WRONG, ÷
    all.

    Groups: device type; `all` is every type together. Unit: share.
    """
    n, _ = _sample(tables)
    reads = totals(where(tables["readings"], process=AUDIT), "device_type", "n")
    return pooled(n, reads) if n else {}


def audit_wrong_share(tables: Tables, window: Window) -> Values:
    """What an audit takes the share of records wrong to be: its reads that found a record wrong ÷
    its reads that found a record.

    Groups: device type; `all` is every type together. Unit: share.
    """
    n, wrong = _sample(tables)
    return {name: wrong[name] / n[name] for name in n}


def audit_half_width_share(tables: Tables, window: Window) -> Values:
    """Half the width of the 95 % interval (Wilson's) that an auditor would give
    `audit_wrong_share`, from the size of the sample alone.

    Groups: device type; `all` is every type together. Unit: share.
    """
    n, wrong = _sample(tables)
    ends = {name: wilson(wrong[name], n[name]) for name in n}
    return {name: float(high - low) / 2 for name, (low, high) in ends.items()}


def audit_error_share(tables: Tables, window: Window) -> Values:
    """How far the audit is off: `audit_wrong_share` − time-averaged share of records wrong, of the
    types audited; below 0, it is too kind.

    Devices that never answer are in the truth and not in the sample. Groups: device type; `all` is
    every type together. Unit: share.
    """
    truth = _truth(tables, window)
    return {
        name: share - truth[name]
        for name, share in audit_wrong_share(tables, window).items()
        if name in truth
    }


def audit_covers_share(tables: Tables, window: Window) -> Values:
    """Whether the 95 % interval of the audit holds the time-averaged share of records wrong: 1 or 0
    in a replication. Groups: device type. Unit: share.
    """
    n, wrong = _sample(tables)
    truth = _truth(tables, window)
    ends = {name: wilson(wrong[name], n[name]) for name in n if name in truth}
    return {name: float(low <= truth[name] <= high) for name, (low, high) in ends.items()}


def audit_sample(tables: Tables, window: Window) -> Values:
    """Reads of an audit that found a record a year: what its interval rests on. Groups: device
    type; `all` is every type together. Unit: reads/year.
    """
    n, _ = _sample(tables)
    return {name: k / window.years for name, k in n.items()}
