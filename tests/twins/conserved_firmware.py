"""In a firmware world nothing is lost that is not counted as lost (docs/firmware.md)."""

from __future__ import annotations

from collections import Counter

from sim.scenario.schema import Scenario
from sim.tables import Tables, Trace

STEPS = ("offered", "accepted", "taken", "held", "activated", "answered")
SILENT = ("unheard", "no_wan", "wan_lost", "han_failed", "image_lost")  # nobody says how it ended


def check_jobs(tables: Tables, trace: Trace) -> None:
    """Every job that a campaign offered has one end, and every attempt got as far as it got."""
    jobs = tables["jobs"]
    campaigns = tables["campaigns"]
    told = tables["told"].set_index("kind")["n"]
    open_n = sum(life[6] != "idle" for life in trace.lives)
    for model in set(jobs["model"]) | set(campaigns["model"]):
        ends = Counter(jobs[jobs["model"] == model].groupby("ended")["n"].sum().to_dict())
        of = campaigns[campaigns["model"] == model].filter(like="n_").sum()
        done, withdrawn, still = ends["done"] + ends["repaired"], ends["withdrawn"], ends["open"]
        assert (of["n_targets"], of["n_done"], of["n_withdrawn"]) == (ends.total(), done, withdrawn)
        assert of["n_silent"] == sum(ends[end] for end in SILENT)
        assert of["n_failed"] == ends.total() - done - withdrawn - still - of["n_silent"]
        open_n -= still
    assert open_n == 0, "what is open is under way in some device"
    steps = tables["steps"].groupby("step")["n"].sum()
    counts = [steps.get(step, 0) for step in STEPS]
    assert counts == sorted(counts, reverse=True)
    assert steps.get("recorded", 0) == jobs[jobs["ended"].isin(["done", "repaired"])]["n"].sum()
    assert (told.get("image_request", 0), told.get("image", 0)) == tuple(counts[:2])
    latencies = tables["latencies"].groupby("step")["n"].sum()
    assert [latencies.get(step, 0) for step in ("distribution", "han", "whole")] == [
        steps.get(step, 0) for step in ("taken", "held", "recorded")
    ]
    assert (
        steps.get("answered", 0)
        <= latencies.get("response", 0)
        <= told.get("answer", 0)
        <= latencies.get("activation", 0)
        <= steps.get("held", 0)
    )


def check_records(scenario: Scenario, tables: Tables, trace: Trace) -> None:
    """Every device-second is in one state, the last states are those of the devices, and what is
    read agrees with what is decided.
    """
    length_s, sums = scenario.window.length, tables["ledgers"]
    assert (
        (sums["right_s"] + sums["wrong_s"] + sums["unknown_s"]) == sums["n_devices"] * length_s
    ).all()
    assert (sums["n_repairs"] <= sums["n_changes"] + sums["n_devices"]).all()
    assert (sums["repair_s"] <= sums["wrong_s"]).all()
    bands = tables["staleness"].groupby(["ledger", "device_type"])["device_s"].sum()
    wrong = sums.groupby(["ledger", "device_type"])["wrong_s"].sum()
    assert bands[bands > 0].to_dict() == wrong[wrong > 0].to_dict()
    smi = sums[(sums["ledger"] == "smi") & (sums["device_type"] == "ihd")]
    assert set(smi["right_s"]) | set(smi["wrong_s"]) <= {0}
    last = tables["states"][
        (tables["states"]["at_s"] == length_s) & (tables["states"]["ledger"] == "smi")
    ]
    assert last["n_wrong"].sum() == sum(life[9] >= 0 for life in trace.lives)
    reads = (
        tables["readings"][tables["readings"]["state"] != "unknown"]
        .groupby(["process", "device_type"])["n"]
        .sum()
    )
    for (process, device_type), n in (
        tables["decisions"].groupby(["process", "device_type"])["n"].sum().items()
    ):
        assert n == reads[process, device_type]


def check_images(scenario: Scenario, tables: Tables, trace: Trace) -> None:
    """No device runs what was never built, and a variant came by the local channel."""
    built = Counter(tables["releases"]["model"])
    most = max(built.values(), default=0)
    assert all(life[3] % 128 <= most for life in trace.lives)
    variants = sum(life[3] >= 128 for life in trace.lives)
    status = tables["status"].groupby("what")["value"].sum()
    assert status.get("variant_end_n", 0) == variants
    local = tables["local"]
    assert (
        variants <= local[(local["image"] == "variant") & (local["outcome"] == "installed")][
            "n"
        ].sum()
    )
    suspended = sum(life[6] in ("suspended", "stuck", "reading") for life in trace.lives)
    assert (
        suspended
        <= status.get("suspended_end_n", 0)
        <= sum(life[6] != "idle" for life in trace.lives)
    )
    changes = tables["ledgers"].query("ledger == 'smi'")["n_changes"].sum()
    steps = tables["steps"].groupby("step")["n"].sum()
    assert changes == steps.get("activated", 0) + local[local["outcome"] == "installed"]["n"].sum()


def check(scenario: Scenario, tables: Tables, trace: Trace) -> None:
    """Hold one world, measured from its first second, to everything."""
    check_jobs(tables, trace)
    check_records(scenario, tables, trace)
    check_images(scenario, tables, trace)
