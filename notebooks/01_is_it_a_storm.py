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
# # Could a daily version report be an alert storm? (H1)
#
# Every display that can would tell the inventory once a day which firmware it runs. The number of
# reports is modest; whether they are a storm depends on *when* each one leaves. This notebook reads
# a result, draws it and says what it means. It defines nothing: every number comes from the run.

# %% tags=["parameters"]
# a results folder, such as ../results/daily_version_report; empty: run a sample of the estate now
run = ""
out = "../results"  # where the sample's results go
scale = "1/100"  # a hundredth of the estate, and of all that is of the estate
replications = 2

# %%
import sim
from sim.report import findings

sample = {"estate.scale": scale, "replications": replications}
results = (
    sim.Results(run) if run else sim.run("daily_version_report", out=out, report=False, **sample)
)
found = findings(results)
print(results.manifest["question"])

# %% [markdown]
# ## The answer
# A storm is more alerts in a second than a stage passes on, so that something waits. The same
# reports are sent under four ways of choosing the moment, and once not at all; all meet the same
# luck, so what differs between them is the choice alone.

# %%
print(found.answer)

# %% [markdown]
# ## Where and when
# One panel a server: the three CSP regions, then the DSP that all of them feed. A fixed clock fills
# one quarter of an hour in every region at once; a power cut does the same to its own region a day
# later; hashed moments leave the day as flat as it was.

# %%
found.pictures[0]

# %% [markdown]
# ## How big, and what waits
# T1, for PPMIDs and IHDs together. `peak_k` is the most alerts in any k seconds: it is large for
# every k when a storm lasts, and only for k = 1 when it is a spike.

# %%
print("\n\n".join(grid.text() for grid in found.grids[:3]))

# %% [markdown]
# ## What it pushes aside
# The harm of a storm is not its own size but what comes too late because of it: on-demand messages
# have 25 s. The paired difference from `no_report` says how many more of each kind miss their
# target in a day.

# %%
differences = results.table("differences")
late = differences[
    (differences["metric"] == "late_per_day") & (differences["group"] == "on_demand")
]
late[
    ["cell", "difference", "half_width", "unpaired_half_width", "n", "condition", "condition_share"]
]

# %% [markdown]
# ## How it is addressed
# The protection in service counts copies of an alert *per device*, and a device with one report a
# day never has two to count: it cannot see a storm made of many devices. Spreading the moment can:
# hash it from the device's identity.

# %%
for cell in ("no_report-ihd_ppmid", "hashed-ihd_ppmid", "fixed_clock-ihd_ppmid"):
    print(f"{cell:22} {results.metric('csp_alerts_per_s_peak', 'north', cell=cell)}")

# %% [markdown]
# ## A sample is not the estate
# Peaks do not scale. In a hundredth of the estate with a hundredth of the capacity, chance alone
# makes the busiest second larger beside the mean, and so nearer to capacity, than in the whole:
# compare the ratio below with the same one of a full run. Decide from the full run (`make run`);
# learn from the sample.

# %%
print(results.metric("dsp_peak_to_mean_ratio", cell="no_report-ihd_ppmid"))

# %% [markdown]
# ## What would change the answer

# %%
print("\n".join(f"- {doubt}" for doubt in found.doubts))
