# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What is the cheapest rule that keeps the inventory right? (H2)
#
# The working group weighed three rules: the hub stores the version, the hub forwards it, the device
# reports it every day. The model compares seven, at several periods, by what they cost (messages
# per device-year) and what they leave wrong (share of PPMID records). This notebook reads a result,
# draws it and says what it means. It defines nothing: every number comes from the run.

# %% tags=["parameters"]
# a results folder, such as ../results/cheapest_record; empty: run a smaller sample over a shorter
# time now
run = ""
out = "../results"  # where the sample's results go
premises = 4_000  # records scale with them; at these rates nothing waits
warm_up = "28 d"
length = "56 d"
replications = 2

# %%
import sim
from sim.report import findings

sample = {
    "estate.premises": premises,
    "estate.scale": 1,
    "window.warm_up": warm_up,
    "window.length": length,
    "replications": replications,
}
results = sim.Results(run) if run else sim.run("cheapest_record", out=out, report=False, **sample)
found = findings(results)
print(results.manifest["question"])

# %% [markdown]
# ## The answer

# %%
print(found.answer)

# %% [markdown]
# ## The frontier
# A rule is dominated when another sends no more messages and leaves no more records wrong. The line
# joins those that are not: what can be had for a given number of messages. Periodic rules pay for
# every period in which nothing changed; a report of change does not.

# %%
found.pictures[0]

# %%
print(found.grids[0].text())

# %% [markdown]
# ## Where losses come in bursts
# A lost report of a change leaves the record wrong until the next change, or the next heartbeat.
# Where a WAN cell is out for days, a heartbeat mends what was lost meanwhile, and so does a hub
# that keeps the latest report until its link is back.

# %%
print(found.grids[1].text())

# %% [markdown]
# ## Daily against on change with a heartbeat
# Both met the same changes and the same luck, so the difference is taken replication by
# replication. The width that two independent samples would have needed stands beside it: what the
# pairing gains.

# %%
differences = results.table("differences")
rows = differences[
    differences["cell"].str.startswith("r6_")
    & (differences["metric"] == "record_wrong_share")
    & (differences["group"] == "ppmid")
]
rows[
    [
        "cell",
        "comparator",
        "difference",
        "half_width",
        "unpaired_half_width",
        "n",
        "condition",
        "condition_share",
    ]
]

# %% [markdown]
# ## Wrong is not the whole story
# A record that nobody contradicts may be right for months without being confirmed. The age of
# confirmation is what a heartbeat buys beside repairing losses; and an IHD has no record at all, so
# its share unknown is 1 under every rule.

# %%
for cell in ("r3_periodic_1d-up", "r5_on_change-up", "r6_heartbeat_7d-up"):
    print(f"{cell:18} {results.metric('confirmation_age_days_mean', 'ppmid', cell=cell)}")
print(
    "IHD records unknown:", results.metric("record_unknown_share", "ihd", cell="r3_periodic_1d-up")
)

# %% [markdown]
# ## What would change the answer

# %%
print("\n".join(f"- {doubt}" for doubt in found.doubts))
