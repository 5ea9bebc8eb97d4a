"""In storms too nothing is lost that is not counted as lost: one world with faults, alerts and
mitigations combined (docs/model.md 7 to 11).
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from sim.kernels import draws
from sim.scenario.schema import Scenario
from sim.streams import stream_key
from sim.tables import Tables, Trace
from sim.twin.estate import lay_out_regions
from sim.twin.traffic import population

SERVERS = ("cell", "csp", "dsp")


def entered(scenario: Scenario) -> dict[str, int]:
    """Return how many anonymous messages of each kind there are, drawn anew."""
    spec, seconds = scenario.traffic, range(scenario.window.length)
    totals = dict.fromkeys(spec.kinds, 0)
    for region in lay_out_regions(scenario):
        for kind, traffic in spec.kinds.items() if spec.level else ():
            weights = np.array(spec.profiles[traffic.profile]) / np.mean(
                spec.profiles[traffic.profile]
            )
            mean_per_s = (
                spec.level * float(traffic.rate) * population(scenario, region, traffic.per)
            )
            thresholds = [draws.poisson_cdf_thresholds(mean_per_s * weight) for weight in weights]
            key = np.uint64(stream_key(scenario.seed, 0, f"traffic.{kind}"))
            totals[kind] += sum(
                int(
                    draws.poisson_count(
                        draws.word(key, region.number, s, 0), thresholds[s // 3600 % 24]
                    )
                )
                for s in seconds
            )
    return totals


def central(scenario: Scenario) -> list[str]:
    """Return the kinds of message that are made at the DSP."""
    return [name for name, kind in scenario.traffic.kinds.items() if kind.made_at == "dsp"]


def check_messages(scenario: Scenario, tables: Tables, trace: Trace) -> None:
    """Every message has one fate, and all counts of messages are of the same messages."""
    fates = tables["fates"]
    named = fates[fates["kind"].isin(tables["kinds"].query("named")["kind"])]
    assert Counter((m[0], m[6], m[7]) for m in trace.messages) == Counter(
        {(r.kind, r.fate, r.stage): r.n for r in named.itertuples()}
    )
    by_kind = fates.groupby("kind")["n"].sum()
    assert all(by_kind.get(kind, 0) == n for kind, n in entered(scenario).items())
    attempts, targets = tables["attempts"].set_index("kind"), tables["targets"].set_index("kind")
    assert (targets["n"] == attempts["n_messages"].reindex(targets.index)).all()
    assert (targets["n_late"] <= targets["n"]).all()
    assert (attempts["n_messages"] <= by_kind.reindex(attempts.index, fill_value=0)).all()
    wan = tables["segments"].query("segment == 'wan' and kind != 'request'").set_index("kind")["n"]
    crossed = attempts["n_attempts"].where(~attempts.index.isin(central(scenario)), 0)
    assert (wan.reindex(attempts.index, fill_value=0) == crossed).all()
    ended = fates.query("fate == 'delivered'").groupby("kind")["n"].sum()
    delays = tables["delays"].query("stage == 'end_to_end'").groupby("kind")["n"].sum()
    assert ended.to_dict() == delays.to_dict()


def check_attempts(scenario: Scenario, tables: Tables) -> None:
    """Retries keep to their cap; who is never tried again makes one attempt."""
    retry = next(
        (row for stage in scenario.network for row in stage.mitigations if row.kind == "retry"),
        None,
    )
    for row in tables["attempts"].itertuples():
        cap = retry.cap if retry is not None and (not retry.kinds or row.kind in retry.kinds) else 0
        assert row.n_messages <= row.n_attempts <= (1 + cap) * row.n_messages
        assert row.n_wasted <= row.n_attempts - row.n_messages


def check_stages(scenario: Scenario, tables: Tables) -> None:
    """Every server passes, refuses or still holds what arrived; what leaves one stage arrives at
    the next.
    """
    arrived, served = (
        tables[name].query("stage != 'end_to_end'").groupby("stage")["n"].sum()
        for name in ("arrivals", "delays")
    )
    waiting, rows = tables["stages"].groupby("stage")["waiting_at_end_n"].sum(), tables["rows"]
    timeline = tables["timeline"].groupby("stage")[["n_arrived", "n_served"]].sum()
    by_kind = tables["attempts"].set_index("kind")["n_attempts"]
    made_there = int(by_kind.reindex(central(scenario), fill_value=0).sum())
    attempts = int(by_kind.sum()) - made_there
    open_stages = [stage for stage in scenario.network if stage.stage in SERVERS]
    for number, stage in enumerate(open_stages):
        came, went = arrived.get(stage.stage, 0), served.get(stage.stage, 0)
        assert (timeline.loc[stage.stage, "n_arrived"], timeline.loc[stage.stage, "n_served"]) == (
            came,
            went,
        )
        stopped = rows[rows["stage"] == stage.stage]["n_stopped"].sum()
        refused = came - went - waiting[stage.stage]
        assert refused == stopped if stage.buffer is None else refused >= stopped
        before = served.get(open_stages[number - 1].stage, 0) if number else attempts
        before += made_there if stage.stage == "dsp" else 0
        since = 0 if stage.stage == "dsp" and made_there else max(0, number - 1)
        late = any(other.latency > 0 for other in open_stages[since:number])
        delayed = late or any(row.kind == "access_barring" for row in stage.mitigations)
        assert came <= before if delayed else came == before
    delivered = tables["fates"].query("fate == 'delivered'")["n"].sum()
    last = served.get(open_stages[-1].stage, 0)
    is_past_all = made_there > 0 and all(stage.stage != "dsp" for stage in open_stages)
    last += made_there if is_past_all else 0
    last_is_late = any(
        stage.latency for stage in (open_stages if is_past_all else open_stages[-1:])
    )
    arrived_at_door = delivered + tables["attempts"]["n_wasted"].sum()
    assert arrived_at_door <= last if last_is_late else arrived_at_door == last


def check_rows(tables: Tables) -> None:
    """What devices and hubs stopped is what the fates say they stopped; the DSP throttles no
    message that its row did not.
    """
    stopped = {
        key: n
        for key, n in tables["rows"].groupby(["stage", "mitigation"])["n_stopped"].sum().items()
        if n
    }
    ended = tables["fates"].groupby(["fate", "stage"])["n"].sum()
    assert stopped.get(("device", "token_bucket"), 0) == ended.get(("throttled", "device"), 0)
    by_rows = sum(stopped.get(("hub", kind), 0) for kind in ("dedupe", "consolidate", "batch"))
    assert by_rows <= ended.get(("consolidated", "hub"), 0)
    assert stopped.get(("dsp", "alert_storm_protection"), 0) >= ended.get(("throttled", "dsp"), 0)


def check_cells_and_records(scenario: Scenario, tables: Tables) -> None:
    """Cells make up their regions, and every device-second is RIGHT, WRONG or UNKNOWN."""
    cells, stages = (
        tables[name].set_index(by) for name, by in (("cells", "region"), ("stages", "server"))
    )
    regions = stages[stages["stage"] == "cell"].reindex(cells.index)
    for column in ("waiting_s", "over_capacity_s"):
        assert (regions[column] <= cells[column]).all()
        assert (cells[column] <= regions[column] * cells["n_cells"]).all()
    assert (cells["peak_waiting_n"] <= regions["peak_waiting_n"]).all()
    ledgers = tables["ledgers"]
    assert (
        ledgers["right_s"] + ledgers["wrong_s"] + ledgers["unknown_s"]
        == ledgers["n_devices"] * scenario.window.length
    ).all()


def check(scenario: Scenario, tables: Tables, trace: Trace) -> None:
    """Hold one world to everything."""
    check_messages(scenario, tables, trace)
    check_attempts(scenario, tables)
    check_stages(scenario, tables)
    check_rows(tables)
    check_cells_and_records(scenario, tables)
