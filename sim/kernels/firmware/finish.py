"""What the horizon cuts off: spells that last, jobs that are open, devices left Suspended."""

from __future__ import annotations

import numpy as np

from sim.kernels import ledgers
from sim.kernels.compiled import njit
from sim.kernels.firmware.columns import IS_SUSPENDED, JOB_IS_MEASURED
from sim.kernels.firmware.records import account_for_image, overlap
from sim.kernels.ledgers import Total
from sim.words import UNKNOWN_VERSION, VARIANT, JobEnd, JobState, Ledger, Status


@njit(nogil=True)
def finish(w_, facts_, sums_, devices, start, stop, kind):
    """Account for the rows [start, stop), all of one *kind*, at the horizon; return (devices
    Suspended, devices that run a variant).
    """
    w = w_[0]
    n_suspended = 0
    n_variants = 0
    facts = facts_[0]
    sums = sums_[0]
    for row in range(start, stop):
        device = devices[row]
        if device.wrong_smi_s >= 0:
            totals, bands = sums.totals[kind, Ledger.SMI], sums.bands[kind, Ledger.SMI]
            ledgers.add_spell(
                device.wrong_smi_s,
                w.horizon_s,
                False,
                w.measure_s,
                facts.stale_edges[:],
                totals,
                bands,
            )
        if device.hub == UNKNOWN_VERSION:
            sums.totals[kind, Ledger.HUB, Total.UNKNOWN_S] += overlap(
                w, device.wrong_hub_s, w.horizon_s
            )
        elif device.wrong_hub_s >= 0:
            totals, bands = sums.totals[kind, Ledger.HUB], sums.bands[kind, Ledger.HUB]
            ledgers.add_spell(
                device.wrong_hub_s,
                w.horizon_s,
                False,
                w.measure_s,
                facts.stale_edges[:],
                totals,
                bands,
            )
        account_for_image(w, facts, sums, kind, device, w.horizon_s)
        if device.marks & IS_SUSPENDED:
            sums.status[kind, Status.SUSPENDED_S] += overlap(w, device.activated_s, w.horizon_s)
            n_suspended += 1
        n_variants += device.running >= VARIANT
        if device.job != JobState.IDLE and device.marks & JOB_IS_MEASURED:
            sums.jobs[device.model, device.version, JobEnd.OPEN] += 1
    return np.int64(n_suspended), np.int64(n_variants)
