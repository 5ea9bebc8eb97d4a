"""A job over the air, from the DSP's check to the record (docs/firmware.md section 5): every step a row of `sim.transitions`."""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.draws import scaled
from sim.kernels.firmware.columns import (
    C_ACTIVATED,
    C_CUT,
    C_RECEIVED,
    C_TRANSFERRED,
    COUNTED_AS,
    E_ACTIVATION_FAILED,
    E_DONE,
    E_HAN_FAILED,
    E_HASH,
    E_HUB,
    E_IMAGE_LOST,
    E_LISTING,
    E_NO_WAN,
    E_NOT_PERMITTED,
    E_REPAIRED,
    E_UNHEARD,
    E_WAN_LOST,
    ESME,
    FAILED,
    HCALCS,
    K_ACTIVATION,
    K_ANSWER,
    K_ANSWER_LOST,
    K_CUT,
    K_CUT_LENGTH,
    K_DISTRIBUTION,
    K_INTERRUPTED,
    K_LOST,
    K_REPAIR,
    K_REPAIR_LOST,
    K_WAIT,
    L_ACTIVATION,
    L_DISTRIBUTION,
    L_HAN,
    L_RESPONSE,
    L_WHOLE,
    MEASURED_JOB,
    MEASURED_TRY,
    NEVER,
    OFF,
    PLAIN,
    PPMID,
    REFUSED,
    S_ACCEPTED,
    S_ACTIVATED,
    S_ANSWERED,
    S_HELD,
    S_OFFERED,
    S_RECORDED,
    S_TAKEN,
    SLOT,
    SUSPENDED,
    T_ACTIVATED,
    T_ACTIVATION,
    T_ANSWER,
    T_CUT,
    T_IMAGE,
    T_IMAGE_REQUEST,
    T_RECEIVED,
    T_REPAIR,
    T_TRANSFERRED,
    VARIANT,
    Z_SUSPENDED,
)
from sim.kernels.firmware.records import change, drawn, happened, is_listed, overlap, write

IDLE, OFFERED, DISTRIBUTING, TRANSFERRING, HELD, ANSWERING, SUSPENDED_JOB, STUCK, READING = range(9)  # sim.transitions.JOB_STATES
(OFFER, WITHDRAW, REFUSE, ACCEPT, FAIL, RETRY, TAKE, HOLD, ACTIVATE, RECORD, MISS, SUSPEND, READ, RESEND, REPAIR) = range(15)  # JOB_EVENTS
RESUMPTIONS = 8  # docs/firmware.md section 5: after eight interruptions a transfer has failed


@njit(**PLAIN)
def step(facts, device, event):  # type: ignore[no-untyped-def]
    """Take the job of *device* one row further in the table of transitions."""
    following = facts.transitions[device.job, event]
    if following == 255:
        raise ValueError("a job did what the table of transitions has no row for")
    device.job = following


@njit(**PLAIN)
def end_job(facts, sums, device, event, reason):  # type: ignore[no-untyped-def]
    """End the job of *device*."""
    step(facts, device, event)
    if device.flags & MEASURED_JOB:
        sums.jobs[device.model, device.version, reason] += 1
    sums.counted[device.model, device.goal, COUNTED_AS[reason]] += 1
    device.job_s, device.version, device.attempt, device.looks = NEVER, 0, 0, 0


@njit(**PLAIN)
def fail_attempt(w, facts, sums, device, now_s, reason):  # type: ignore[no-untyped-def]
    """End an attempt that may be made again."""
    if device.attempt < w.retries:
        step(facts, device, RETRY)
        device.attempt += 1
        device.looks = 0
        device.job_s = min(now_s + w.retry_s, np.int64(NEVER))
    else:
        end_job(facts, sums, device, FAIL, reason)


@njit(**PLAIN, inline="always")
def between(facts, stream, place, index, occasion, low, n):  # type: ignore[no-untyped-def]
    """Return a time drawn evenly from *low* to *low* + *n* - 1."""
    return low + scaled(drawn(facts, stream, place, index, occasion), n)


@njit(**PLAIN)
def took(facts, sums, kind, device, what, seconds):  # type: ignore[no-untyped-def]
    """Count a step that took so long."""
    if device.flags & MEASURED_TRY:
        band = np.searchsorted(facts.latency_edges, seconds, side="right") - 1
        sums.latencies[kind, what, band] += 1


@njit(**PLAIN)
def came_to(sums, kind, device, what):  # type: ignore[no-untyped-def]
    """Count an attempt that came so far."""
    if device.flags & MEASURED_TRY:
        sums.steps[kind, what] += 1


@njit(**PLAIN, inline="always")
def _transfer_s(w, facts, kind, device):  # type: ignore[no-untyped-def]
    """Return how long the image takes over the HAN, and keep how often it is interrupted (8: it does not arrive)."""
    place, occasion, r = w.region * 8 + SLOT[kind], 8 * np.int64(device.version) + device.attempt, 0
    while r < RESUMPTIONS and happened(facts, K_INTERRUPTED, place, device.index, 8 * occasion + r, w.interruption):
        r += 1
    device.resumed = r
    return facts.han_s[device.model] + r * w.resume_s


@njit(**PLAIN, inline="always")
def job_event(w, facts, sums, kind, device, homes, now_s, raised, n_raised):  # type: ignore[no-untyped-def]
    """Let the next thing of the job of *device* happen; return how many things have been raised by now."""
    state = device.job
    if state == OFFERED:
        _checked(w, facts, sums, kind, device, homes, now_s)
    elif state == DISTRIBUTING:
        _arrived(w, facts, sums, kind, device, homes, now_s)
    elif state == TRANSFERRING:
        n_raised = _transferred(w, facts, sums, kind, device, homes, now_s, raised, n_raised)
    elif state == HELD:
        n_raised = _activated(w, facts, sums, kind, device, homes, now_s, raised, n_raised)
    elif state == ANSWERING:
        _answered(w, facts, sums, kind, device, now_s)
    elif state == READING:
        _repaired(w, facts, sums, kind, device, now_s)
    else:
        _looked(w, facts, sums, kind, device, now_s)
    return n_raised


@njit(**PLAIN, inline="always")
def _checked(w, facts, sums, kind, device, homes, now_s):  # type: ignore[no-untyped-def]
    """At the DSP: hash, list and hub."""
    is_measured, model, version = now_s >= w.measure_s, device.model, device.version
    device.flags = (device.flags | MEASURED_TRY) if is_measured else (device.flags & ~MEASURED_TRY)
    came_to(sums, kind, device, S_OFFERED)
    sums.told[T_IMAGE_REQUEST] += is_measured
    if now_s < facts.corrected_s[model, version]:
        end_job(facts, sums, device, REFUSE, E_HASH)
    elif not is_listed(facts, model, np.int64(version), now_s):
        end_job(facts, sums, device, REFUSE, E_LISTING)
    elif (kind in (PPMID, HCALCS)) and homes[device.index].ready_s > now_s:
        end_job(facts, sums, device, REFUSE, E_HUB)
    else:
        step(facts, device, ACCEPT)
        came_to(sums, kind, device, S_ACCEPTED)
        sums.told[T_IMAGE] += is_measured
        device.begun_s = now_s
        place, occasion = w.region * 8 + SLOT[kind], 8 * np.int64(version) + device.attempt
        took_s = between(facts, K_DISTRIBUTION, place, device.index, occasion, w.distribution_low, w.distribution_n)
        device.job_s = min(now_s + took_s, np.int64(NEVER))


@njit(**PLAIN, inline="always")
def _arrived(w, facts, sums, kind, device, homes, now_s):  # type: ignore[no-untyped-def]
    """At the hub, or never."""
    occasion = 8 * np.int64(device.version) + device.attempt
    if homes[device.index].reach != 0:
        end_job(facts, sums, device, FAIL, E_NO_WAN)
    elif happened(facts, K_LOST, w.region * 8 + SLOT[kind], device.index, occasion, w.wan_loss):
        fail_attempt(w, facts, sums, device, now_s, E_WAN_LOST)
    else:
        step(facts, device, TAKE)
        came_to(sums, kind, device, S_TAKEN)
        took(facts, sums, kind, device, L_DISTRIBUTION, now_s - np.int64(device.begun_s))
        device.activated_s = now_s
        seconds = _transfer_s(w, facts, kind, device)
        until_s = min(max(np.int64(now_s), np.int64(homes[device.index].free_s)) + seconds, np.int64(NEVER))
        homes[device.index].free_s, device.job_s = until_s, until_s


@njit(**PLAIN, inline="always")
def _transferred(w, facts, sums, kind, device, homes, now_s, raised, n_raised):  # type: ignore[no-untyped-def]
    """At the device, or not."""
    arrived_s = np.int64(device.activated_s)
    if device.flags & OFF or device.resumed == RESUMPTIONS:
        fail_attempt(w, facts, sums, device, now_s, E_HAN_FAILED)
        return n_raised
    exchanged_s = np.int64(homes[device.index].exchanged_s)
    if arrived_s < (-1 - exchanged_s if exchanged_s < 0 else exchanged_s) <= now_s:
        fail_attempt(w, facts, sums, device, now_s, E_IMAGE_LOST)
        return n_raised
    came_to(sums, kind, device, S_HELD)
    took(facts, sums, kind, device, L_HAN, now_s - arrived_s)
    by_hub = kind in (PPMID, HCALCS)
    sums.told[T_TRANSFERRED if by_hub else T_RECEIVED] += now_s >= w.measure_s
    n_raised = note(w, raised, n_raised, C_TRANSFERRED if by_hub else C_RECEIVED, kind, device.index, now_s, 0)
    if kind == PPMID:
        return _activated(w, facts, sums, kind, device, homes, now_s, raised, n_raised)
    step(facts, device, HOLD)
    device.job_s = min(now_s + _wait_s(w, facts, kind, device), np.int64(NEVER))
    return n_raised


@njit(**PLAIN)
def _wait_s(w, facts, kind, device):  # type: ignore[no-untyped-def]
    if kind == PPMID:
        return np.int64(0)
    return between(facts, K_WAIT, w.region * 8 + SLOT[kind], device.index, 8 * np.int64(device.version) + device.attempt, w.wait_low, w.wait_n)


@njit(**PLAIN)
def note(w, raised, n_raised, cause, kind, index, second, length):  # type: ignore[no-untyped-def]
    """Write down what makes an alert, where alerts travel."""
    if not w.emits:
        return n_raised
    raised[n_raised].cause, raised[n_raised].type, raised[n_raised].index = cause, kind, index
    raised[n_raised].second, raised[n_raised].length = second, length
    return n_raised + 1


@njit(**PLAIN)
def _activated(w, facts, sums, kind, device, homes, now_s, raised, n_raised):  # type: ignore[no-untyped-def]
    """Told to run it: the device does, or cannot; either way it answers."""
    place, occasion, is_measured = w.region * 8 + SLOT[kind], 8 * np.int64(device.version) + device.attempt, now_s >= w.measure_s
    device.flags &= ~(FAILED | REFUSED)
    step(facts, device, ACTIVATE)
    if kind != PPMID:
        sums.told[T_ACTIVATION] += is_measured
        sums.suspended[kind] += 1
        device.flags |= SUSPENDED
    took(facts, sums, kind, device, L_ACTIVATION, _wait_s(w, facts, kind, device))
    device.activated_s = now_s
    sums.told[T_ANSWER] += is_measured
    device.job_s = min(now_s + between(facts, K_ANSWER, place, device.index, occasion, w.answer_low, w.answer_n), np.int64(NEVER))
    if not facts.permitted[device.model, device.version, device.running % VARIANT]:
        device.flags |= REFUSED
        return n_raised
    if happened(facts, K_ACTIVATION, place, device.index, occasion, w.failure):
        device.flags |= FAILED
        return n_raised
    came_to(sums, kind, device, S_ACTIVATED)
    change(w, facts, sums, kind, device, homes[device.index].reach, now_s, device.version)
    if kind == PPMID:
        sums.told[T_ACTIVATED] += is_measured
        n_raised = note(w, raised, n_raised, C_ACTIVATED, kind, device.index, now_s, 0)
    if kind == ESME and happened(facts, K_CUT, place, device.index, occasion, facts.cut[device.model]):
        sums.told[T_CUT] += is_measured
        length = between(facts, K_CUT_LENGTH, place, device.index, occasion, w.cut_low, w.cut_n)
        n_raised = note(w, raised, n_raised, C_CUT, kind, device.index, now_s, length)
    return n_raised


@njit(**PLAIN)
def _no_longer_suspended(w, sums, kind, device, now_s):  # type: ignore[no-untyped-def]
    if device.flags & SUSPENDED:
        device.flags &= ~SUSPENDED
        sums.suspended[kind] -= 1
        sums.status[kind, Z_SUSPENDED] += overlap(w, device.activated_s, now_s)


@njit(**PLAIN, inline="always")
def _answered(w, facts, sums, kind, device, now_s):  # type: ignore[no-untyped-def]
    """The answer arrives, or does not."""
    place, occasion = w.region * 8 + SLOT[kind], 8 * np.int64(device.version) + device.attempt
    if happened(facts, K_ANSWER_LOST, place, device.index, occasion, w.answer_loss):
        if kind == PPMID:
            end_job(facts, sums, device, MISS, E_UNHEARD)
        else:
            step(facts, device, SUSPEND)
            device.job_s = min(now_s + w.patience_s, np.int64(NEVER))
        return
    took(facts, sums, kind, device, L_RESPONSE, now_s - np.int64(device.activated_s))
    _no_longer_suspended(w, sums, kind, device, now_s)
    if device.flags & FAILED:
        fail_attempt(w, facts, sums, device, now_s, E_ACTIVATION_FAILED)
    elif device.flags & REFUSED:
        end_job(facts, sums, device, FAIL, E_NOT_PERMITTED)
    else:
        came_to(sums, kind, device, S_ANSWERED)
        came_to(sums, kind, device, S_RECORDED)
        took(facts, sums, kind, device, L_WHOLE, now_s - np.int64(device.begun_s))
        write(w, facts, sums, kind, device, now_s, np.int64(device.activated_s), device.version)
        end_job(facts, sums, device, RECORD, E_DONE)


@njit(**PLAIN)
def _looked(w, facts, sums, kind, device, now_s):  # type: ignore[no-untyped-def]
    """The supplier looks at a device left Suspended: it may read it, or only repeat what repairs nothing."""
    if now_s < w.repair_s:
        step(facts, device, RESEND)
        device.job_s = min(w.repair_s, np.int64(NEVER))
        return
    step(facts, device, READ)
    sums.told[T_REPAIR] += now_s >= w.measure_s
    occasion = 64 * (8 * np.int64(device.version) + device.attempt) + device.looks
    device.job_s = min(now_s + between(facts, K_REPAIR, w.region * 8 + SLOT[kind], device.index, occasion, w.repair_low, w.repair_n), np.int64(NEVER))


@njit(**PLAIN)
def _repaired(w, facts, sums, kind, device, now_s):  # type: ignore[no-untyped-def]
    """The answer of that read arrives, or does not; what it says decides what became of the attempt."""
    occasion = 64 * (8 * np.int64(device.version) + device.attempt) + device.looks
    device.looks = (device.looks + 1) % 64
    if happened(facts, K_REPAIR_LOST, w.region * 8 + SLOT[kind], device.index, occasion, w.answer_loss):
        step(facts, device, MISS)
        device.job_s = min(now_s + w.patience_s, np.int64(NEVER))
        return
    _no_longer_suspended(w, sums, kind, device, now_s)
    write(w, facts, sums, kind, device, now_s, now_s, device.running)
    if device.running % VARIANT >= device.version:
        came_to(sums, kind, device, S_RECORDED)
        took(facts, sums, kind, device, L_WHOLE, now_s - np.int64(device.begun_s))
        end_job(facts, sums, device, REPAIR, E_REPAIRED)
    else:
        fail_attempt(w, facts, sums, device, now_s, E_ACTIVATION_FAILED)
