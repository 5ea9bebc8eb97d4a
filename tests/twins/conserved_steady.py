"""Nothing is lost that is not counted as lost: messages, device-seconds and queue lengths of one
world (docs/model.md sections 7 to 9).
"""

from __future__ import annotations

from collections import Counter

from sim.scenario.schema import Scenario
from sim.tables import Tables, Trace


def per_kind(tables: Tables) -> dict[str, Counter[str]]:
    """Return the fates of each kind of message."""
    fates: dict[str, Counter[str]] = {}
    for row in tables["fates"].itertuples():
        fates.setdefault(row.kind, Counter())[row.fate] += row.n
    return fates


def check_messages(tables: Tables, trace: Trace) -> None:
    """What entered is delivered, refused or in flight, named and anonymous alike; what was sent and
    did not enter expired or was lost.
    """
    fates = per_kind(tables)
    entered = tables["targets"].set_index("kind")["n"].to_dict()
    for kind, n in entered.items():
        mine = fates.get(kind, Counter())
        assert n == mine["delivered"] + mine["refused"] + mine["in_flight"]
    assert Counter(fate for *_, fate, _, _ in trace.messages) == fates.get(
        "version_report", Counter()
    )
    assert (tables["targets"]["n_late"] <= tables["targets"]["n"]).all()


def check_stages(scenario: Scenario, tables: Tables) -> None:
    """Every server passes, refuses or still holds what arrived; and what leaves a stage arrives at
    the next, but for what a latency keeps on the way.
    """
    refused = Counter(
        dict(tables["fates"].query("fate == 'refused'").groupby("stage")["n"].sum().items())
    )
    totals = {
        name: tables[name].groupby(["stage", "server"])["n"].sum()
        for name in ("arrivals", "delays")
    }
    arrived, served = Counter[str](), Counter[str]()
    for stage in tables["stages"].itertuples():
        mine = {name: total.get((stage.stage, stage.server), 0) for name, total in totals.items()}
        assert (
            0 <= mine["arrivals"] - mine["delays"] - stage.waiting_at_end_n <= refused[stage.stage]
        )
        arrived[stage.stage] += mine["arrivals"] - stage.waiting_at_end_n
        served[stage.stage] += mine["delays"]
    for stage in scenario.network:
        assert arrived[stage.stage] == served[stage.stage] + refused[stage.stage]
    for first, second in zip(scenario.network, scenario.network[1:], strict=False):
        if second.stage == "dsp":
            came = tables["arrivals"].query("stage == 'dsp'")["n"].sum()
            assert came == served["csp"] if first.latency == 0 else came <= served["csp"]


def check_records(scenario: Scenario, tables: Tables, trace: Trace) -> None:
    """Every device-second is RIGHT, WRONG or UNKNOWN: ledgers, bands of staleness, and the records
    wrong at the end of a day.
    """
    ledgers = tables["ledgers"]
    assert (
        ledgers["right_s"] + ledgers["wrong_s"] + ledgers["unknown_s"]
        == ledgers["n_devices"] * scenario.window.length
    ).all()
    assert (ledgers[["right_s", "wrong_s", "unknown_s", "n_repairs", "repair_s"]] >= 0).all(
        axis=None
    )
    ihd = ledgers.query("ledger == 'smi' and device_type == 'ihd'")
    assert (ihd["wrong_s"] + ihd["right_s"] == 0).all()
    keys = ["ledger", "device_type"]
    wrong = ledgers.groupby(keys)["wrong_s"].sum()
    assert (tables["staleness"].groupby(keys)["device_s"].sum() == wrong[wrong > 0]).all()
    devices = ledgers.groupby(keys)["n_devices"].sum()
    assert (tables["days"].groupby(keys)["n_wrong"].max() <= devices).all()
    still_wrong = Counter(
        slot for _, _, slot, _, _, _, _, since, _, _ in trace.devices if since >= 0
    )
    last = (
        tables["days"]
        .query("ledger == 'smi'")
        .sort_values("day")
        .groupby("device_type")["n_wrong"]
        .last()
    )
    assert {name: n for name, n in last.items() if n} == {
        name: still_wrong[slot] for name, slot in (("ppmid", 4), ("hcalcs", 6)) if still_wrong[slot]
    }


def check_peaks(tables: Tables) -> None:
    """A larger bin holds at least as much; a sum of kinds at most the sum; no peak above all
    arrivals.
    """
    peaks = tables["peaks"].pivot_table(
        index=["stage", "server", "kind"], columns="k_s", values="peak_n"
    )
    if peaks.empty:
        return
    assert (peaks[1] <= peaks[60]).all()
    assert (peaks[60] <= peaks[900]).all()
    arrivals = tables["arrivals"].groupby(["stage", "server", "kind"])["n"].sum()
    largest = tables["arrivals"].groupby(["stage", "server", "kind"])["peak_1_n"].max()
    for key, row in peaks.iterrows():
        if key[2] not in ("all", "alerts"):
            assert row[1] == largest.get(key, 0)
            assert row[900] <= arrivals.get(key, 0)
    for (stage, server), group in peaks.groupby(level=["stage", "server"]):
        kinds = group.drop(index=[(stage, server, "all"), (stage, server, "alerts")])
        assert (kinds.max() <= group.loc[(stage, server, "all")]).all()
        assert (group.loc[(stage, server, "all")] <= kinds.sum()).all()


def check(scenario: Scenario, tables: Tables, trace: Trace) -> None:
    """Hold one world, measured from its first second, to everything."""
    check_messages(tables, trace)
    check_stages(scenario, tables)
    check_as_measured(scenario, tables, trace)


def check_as_measured(scenario: Scenario, tables: Tables, trace: Trace) -> None:
    """Hold one world, whatever its warm-up, to what is true of any."""
    check_records(scenario, tables, trace)
    check_peaks(tables)
