"""What becomes of images sent over the air: ends of jobs, how far attempts come, how long each step
takes, campaigns, and what all of it raises (S1-14).

Everything is counted after warm-up. A world without a firmware block has none of these.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from sim.metrics.firmware import devices
from sim.metrics.load import REPORT, Rows, Values, Window, in_bands, pooled, totals, where
from sim.tables import Tables
from sim.units import DAY_S, added
from sim.words import JobEnd, JobStep

RECORDED: Final = ("done", "repaired")
ENDS: Final = JobEnd.words()
STEPS: Final = JobStep.words()
UNSENT: Final = "withdrawn"
STOPPED: Final = ("aborted", "stalled")
WHOLE: Final = "whole"


def job_end_share(tables: Tables, window: Window) -> Values:
    """Share of the jobs (a version offered to a device) that end so; every job ends in exactly one
    way, so the shares add up to 1.

    Groups: end; there is no `all`. Unit: share.
    """
    ends = totals(tables["jobs"], "ended", "n")
    return (
        {end: ends.get(end, 0) / added(ends.values()) for end in ENDS}
        if added(ends.values())
        else {}
    )


def job_sent_share(tables: Tables, window: Window) -> Values:
    """Share of the jobs that were sent, or still would be: all but those withdrawn before, ÷ jobs.

    Groups: device type; `all` is every type together. Unit: share.
    """
    jobs = {name: np.asarray(column) for name, column in tables["jobs"].items()}
    sent = {name: column[jobs["ended"] != UNSENT] for name, column in jobs.items()}
    return pooled(totals(sent, "device_type", "n"), totals(jobs, "device_type", "n"))


def job_recorded_share(tables: Tables, window: Window) -> Values:
    """Share of the jobs that end with the new version recorded, at once or by a repair: (done +
    repaired) ÷ (jobs − withdrawn).

    Groups: device type; `all` is every type together. Unit: share.
    """
    jobs = {
        name: np.asarray(column)[np.asarray(tables["jobs"]["ended"]) != UNSENT]
        for name, column in tables["jobs"].items()
    }
    return pooled(
        totals(where(jobs, ended=RECORDED), "device_type", "n"), totals(jobs, "device_type", "n")
    )


def attempts_per_job(tables: Tables, window: Window) -> Values:
    """Attempts that the DSP checked ÷ jobs that were not withdrawn: 1 without resends.

    A job first offered before warm-up counts with its later attempts only, one offered for after
    the end without any. Groups: device type; `all` is every type together. Unit: none.
    """
    jobs = {
        name: np.asarray(column)[np.asarray(tables["jobs"]["ended"]) != UNSENT]
        for name, column in tables["jobs"].items()
    }
    return pooled(_steps(tables, "offered"), totals(jobs, "device_type", "n"))


def _steps(tables: Tables, step: str) -> dict[str, float]:
    return totals(where(tables["steps"], step=step), "device_type", "n")


def attempt_step_share(tables: Tables, window: Window) -> Values:
    """Share of the attempts checked by the DSP that come as far as a step: offered, accepted, taken
    by the hub, held, activated, answered, recorded.

    Groups: step; there is no `all`. Unit: share.
    """
    n = totals(tables["steps"], "step", "n")
    return {step: n.get(step, 0) / n["offered"] for step in STEPS} if n.get("offered") else {}


def goodput_share(tables: Tables, window: Window) -> Values:
    """Share of the images sent by the DSP (attempts it accepted) that end as a record: recorded ÷
    accepted. The rest was carried for nothing anybody knows of.

    Groups: device type; `all` is every type together. Unit: share.
    """
    return pooled(_steps(tables, "recorded"), _steps(tables, "accepted"))


def step_share(tables: Tables, window: Window) -> Values:
    """Share of the attempts checked by the DSP whose time at a step is known, for they came so far:
    attempts with a time ÷ attempts offered.

    Groups: `step` of every type together, `step/device type`; `all` is the whole way. Unit: share.
    """
    rows, offered = tables["latencies"], _steps(tables, "offered")
    whole = added(offered.values())
    if not whole:
        return {}
    found = {step: n / whole for step, n in totals(rows, "step", "n").items()}
    for name, n in offered.items():
        own = totals(where(rows, device_type=name), "step", "n") if n else {}
        found |= {f"{step}/{name}": k / n for step, k in own.items()}
    return found | ({"all": found[WHOLE]} if WHOLE in found else {})


def step_quantile(tables: Tables, window: Window, *, share: float) -> Values:
    """Time that *share* of the attempts do not exceed at a step: distribution, han, activation,
    response, or whole (DSP to record).

    Found in the bands of the table `latencies`, linearly within a band: bands are half-octaves, so
    the value is true to a factor of √2, and mostly nearer. Groups: `step` of every type together,
    `step/device type`; `all` is the whole way. Unit: s.
    """
    rows: Any = tables["latencies"]
    by_type = [
        f"{step}/{name}" for step, name in zip(rows["step"], rows["device_type"], strict=True)
    ]
    found = {
        step: _quantile(where(rows, step=step), share)
        for step in sorted({str(step) for step in rows["step"]})
    }
    found |= {
        name: _quantile(where({**rows, "name": np.array(by_type)}, name=name), share)
        for name in sorted(set(by_type))
    }
    return found | ({"all": found[WHOLE]} if WHOLE in found else {})


def _quantile(rows: Rows, share: float) -> float:
    return in_bands(rows, "n", share * float(np.sum(rows["n"])))


def _ended(tables: Tables, window: Window) -> Rows:
    """Return the campaigns that ended after warm-up."""
    rows: Any = tables["campaigns"]
    return {
        name: np.asarray(column)[np.asarray(rows["ended_s"]) >= window.warm_up_s]
        for name, column in rows.items()
    }


def _begun(tables: Tables, window: Window) -> Rows:
    """Return the campaigns that began, and had not ended before warm-up did."""
    rows: Any = {name: np.asarray(column) for name, column in tables["campaigns"].items()}
    alive = (rows["ended_s"] < 0) | (rows["ended_s"] >= window.warm_up_s)
    return {name: column[(rows["started_s"] >= 0) & alive] for name, column in rows.items()}


def _counted(rows: Rows) -> dict[str, float]:
    """Return how many campaigns there are of each class of release."""
    return totals(rows | {"one": np.ones(len(rows["ended"]), np.int64)}, "release_class", "one")


def campaign_finished_share(tables: Tables, window: Window) -> Values:
    """Share of the campaigns that began which finished after warm-up: finished ÷ (finished,
    aborted, stalled, superseded, and running when the window ends).

    Groups: class of release; `all` is every class together. Unit: share.
    """
    rows = _begun(tables, window)
    return pooled(_counted(where(rows, ended="finished")), _counted(rows))


def campaign_ended_share(tables: Tables, window: Window) -> Values:
    """Share of the campaigns that began which ended after warm-up, however: all but those running
    when the window ends. Groups: class of release; `all` is every class together. Unit: share.
    """
    rows = _begun(tables, window)
    ended = {name: column[rows["ended_s"] >= 0] for name, column in rows.items()}
    return pooled(_counted(ended), _counted(rows))


def campaign_days_mean(tables: Tables, window: Window) -> Values:
    """Mean time from a campaign's first group to its last gate, of campaigns that finished after
    warm-up. Absent where none did.

    Groups: class of release; `all` is every class together. Unit: d.
    """
    rows = where(_ended(tables, window), ended="finished")
    lengths = totals(
        rows | {
            "s": rows["ended_s"] - rows["started_s"],
            "one": np.ones(len(rows["ended_s"]), np.int64),
        },
        "release_class",
        "s",
    )
    numbers = totals(
        rows | {"one": np.ones(len(rows["ended_s"]), np.int64)}, "release_class", "one"
    )
    return {name: s / DAY_S for name, s in pooled(lengths, numbers).items()}


def campaign_stopped_share(tables: Tables, window: Window) -> Values:
    """Share of the campaigns that ended after warm-up whose gate stopped them: (aborted + stalled)
    ÷ (finished + aborted + stalled + superseded).

    Groups: class of release; `all` is every class together. Unit: share.
    """
    rows = _ended(tables, window)
    one = rows | {"one": np.ones(len(rows["ended_s"]), np.int64)}
    return pooled(
        totals(where(one, ended=STOPPED), "release_class", "one"),
        totals(one, "release_class", "one"),
    )


def told_total(tables: Tables, window: Window, *, kind: str) -> Values:
    """How often what the table `told` counts happened: activations that cut the hub's supply
    (MP102), however shortly. Unit: cuts.
    """
    n = totals(tables["told"], "kind", "n")
    return {"all": n.get(kind, 0)} if n else {}


def messages_per_device_year(tables: Tables, window: Window) -> Values:
    """Messages of firmware (images, requests, activations, answers, reports, alerts), whatever
    becomes of them, ÷ devices ÷ years measured.

    Groups: kind of the table `told`; `all` is every kind but what is carried on other traffic.
    Unit: messages per device-year.
    """
    told, n = totals(tables["told"], "kind", "n"), added(devices(tables).values()) * window.years
    rates = {kind: k / n for kind, k in told.items()} if n else {}
    return (
        rates | {"all": added(rate for kind, rate in rates.items() if kind != "carried")}
        if rates
        else {}
    )


def _alerts(tables: Tables) -> tuple[str, ...]:
    """Return the kinds of alert with a sender, in a firmware world; none in another. Its version
    reports pass the network by.
    """
    kinds = where(tables["kinds"], named=True, alert=True)["kind"].tolist()
    return tuple(kind for kind in kinds if kind != REPORT) if len(tables["told"]["kind"]) else ()


def kind_alerts(tables: Tables, window: Window) -> Values:
    """Alerts raised in a firmware world, by kind, whatever becomes of them; those of a supply cut
    by an activation are false outages (MP102).

    Groups: kind; `all` is every kind together. Unit: alerts.
    """
    found = totals(where(tables["fates"], kind=_alerts(tables)), "kind", "n")
    n = {kind: found.get(kind, 0) for kind in _alerts(tables)}
    return n | {"all": added(n.values())} if n else {}


def kind_peak(tables: Tables, window: Window, *, stage: str) -> Values:
    """Most arrivals of one kind of alert at *stage* in any second after warm-up, in a firmware
    world. Groups: kind; `all` is the largest. Unit: alerts/s.
    """
    rows = where(tables["peaks"], stage=stage, kind=_alerts(tables), k_s=1)
    peaks = {
        kind: max(where(rows, kind=kind)["peak_n"].tolist())
        for kind in sorted(set(rows["kind"].tolist()))
    }
    return peaks | {"all": max(peaks.values())} if peaks else {}
