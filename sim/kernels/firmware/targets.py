"""Whom a campaign offers an image, from whom it is withdrawn, and what is read of all devices at once (docs/firmware.md sections 6 and 8)."""

from __future__ import annotations

import numpy as np
from numba import njit

from sim.kernels.firmware.advance import compliance
from sim.kernels.firmware.air import IDLE, OFFER, OFFERED, WITHDRAW, end_job, step
from sim.kernels.firmware.columns import (
    E_WITHDRAWN,
    FALSE_ALARM,
    K_ORDER,
    K_USER,
    MEASURED_JOB,
    MISSED,
    NEVER,
    P_COMPLIANCE,
    P_INCIDENT,
    P_TARGETING,
    SLOT,
    VARIANT,
    WASTED,
    WRONG_PATH,
)
from sim.kernels.firmware.records import drawn, state_of

RANDOM, BY_CELL, BY_SUPPLIER, BY_RISK = range(4)
UNPLACED = NEVER  # second of a job that has been offered and not yet been given one
BEYOND = np.int32(NEVER - 1)  # of one that has none before the world ends


@njit(cache=True, nogil=True)
def _key(w, facts, place, device, goal, order, per_cell, n_cells, users):  # type: ignore[no-untyped-def]
    """Return the place of *device* in a campaign, in [0, 2^32)."""
    word = np.int64(drawn(facts, K_ORDER, place, device.index, goal))
    if order == RANDOM:
        return word
    if order == BY_CELL:
        return ((np.int64(device.index) // per_cell << 32) + word) // n_cells
    if order == BY_RISK:
        return ((min(np.int64(device.smi % VARIANT), goal - 1) << 32) + word) // goal
    said, user = np.uint64(drawn(facts, K_USER, w.region * 8, device.index, 0)), 0
    while user < len(users) and said >= users[user]:
        user += 1
    return ((np.int64(user) << 32) + word) // (len(users) + 1)


@njit(cache=True, nogil=True)
def choose(w_, facts_, sums_, devices, start, stop, kind, model, goal, low, high, hops, order, per_cell, n_cells, users, now_s):  # type: ignore[no-untyped-def]
    """Offer version hops[record] to the targets of a group among rows [start, stop), all of one *kind*; return how many there are.

    A target's second is set by `spread`; until then its place in the campaign stands in `begun_s`.
    """
    w, n, facts, sums = w_[0], 0, facts_[0], sums_[0]
    place, is_measured = w.region * 8 + SLOT[kind], now_s >= w.measure_s
    for row in range(start, stop):
        device = devices[row]
        if device.model != model or device.job != IDLE:
            continue
        key = _key(w, facts, place, device, goal, order, per_cell, n_cells, users)
        if key < low or key >= high:
            continue
        record, truth = np.int64(device.smi % VARIANT), np.int64(device.running % VARIANT)
        hop = hops[record] if record < goal else 0
        outcome = 0
        if record >= goal:
            outcome = MISSED if truth < goal else 0
        elif truth >= goal:
            outcome = WASTED
        elif hop and not facts.permitted[model, hop, truth]:
            outcome = WRONG_PATH
        if is_measured:
            sums.readings[P_TARGETING, kind, state_of(kind, device)] += 1
            sums.decisions[P_TARGETING, kind, outcome] += 1
        if hop:
            step(facts, device, OFFER)
            device.version, device.goal, device.attempt, device.looks, device.job_s = hop, goal, 0, 0, UNPLACED
            device.begun_s = np.int32(np.int64(key) - 2**31)
            n += 1
    return n


@njit(cache=True, nogil=True)
def place_in_time(w_, devices, start, stop, model, goal, low, high, seconds, begins, lengths, next_s):  # type: ignore[no-untyped-def]
    """Give the targets that `choose` found among rows [start, stop) their seconds: by their places in [low, high), over *seconds* open ones."""
    w = w_[0]
    for row in range(start, stop):
        device = devices[row]
        if device.model != model or device.job != OFFERED or device.goal != goal or device.job_s != UNPLACED:
            continue
        left, at_s = ((np.int64(device.begun_s) + 2**31 - low) * seconds) // (high - low), np.int64(BEYOND)
        for k in range(len(begins)):
            if left < lengths[k]:
                at_s = min(begins[k] + left, np.int64(BEYOND))
                break
            left -= lengths[k]
        device.job_s = at_s
        device.flags = (device.flags | MEASURED_JOB) if at_s >= w.measure_s else (device.flags & ~MEASURED_JOB)
        next_s[device.index] = min(next_s[device.index], np.int32(at_s))


@njit(cache=True, nogil=True)
def withdraw(facts_, sums_, devices, start, stop, model, goal):  # type: ignore[no-untyped-def]
    """Withdraw what the campaign for *goal* has offered and the DSP has not seen."""
    facts, sums = facts_[0], sums_[0]
    for row in range(start, stop):
        device = devices[row]
        if device.model == model and device.goal == goal and device.job == OFFERED:
            end_job(facts, sums, device, WITHDRAW, E_WITHDRAWN)


@njit(cache=True, nogil=True)
def read_all(sums_, devices, start, stop, kind, goals):  # type: ignore[no-untyped-def]
    """Read the record of every device among rows [start, stop), and decide whether it is up to date."""
    sums = sums_[0]
    for row in range(start, stop):
        device = devices[row]
        sums.readings[P_COMPLIANCE, kind, state_of(kind, device)] += 1
        sums.decisions[P_COMPLIANCE, kind, compliance(kind, device, goals[device.model])] += 1


@njit(cache=True, nogil=True)
def scope(sums_, devices, start, stop, kind, model, version):  # type: ignore[no-untyped-def]
    """Ask the records of *model* who runs less than *version*."""
    sums = sums_[0]
    for row in range(start, stop):
        device = devices[row]
        if device.model == model:
            says, is_so = device.smi % VARIANT < version, device.running % VARIANT < version
            sums.readings[P_INCIDENT, kind, state_of(kind, device)] += 1
            sums.decisions[P_INCIDENT, kind, 0 if says == is_so else FALSE_ALARM if says else MISSED] += 1


@njit(cache=True, nogil=True)
def earliest(devices, starts, homes, next_s):  # type: ignore[no-untyped-def]
    """Write the second of every premises' next event."""
    for home in range(len(next_s)):
        next_s[home] = min(homes[home].exchanged_s, homes[home].gain_s, homes[home].install_s)
    for row in range(starts[0], starts[5]):
        device = devices[row]
        next_s[device.index] = min(next_s[device.index], device.read_s, device.local_s, device.job_s)
