"""A job over the air, from the DSP's check to the record (docs/firmware.md section 5): every step a
row of `sim.transitions`.
"""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.draws import scaled
from sim.kernels.firmware.columns import (
    ACTIVATION_FAILED,
    ATTEMPT_IS_MEASURED,
    IS_OFF,
    IS_SUSPENDED,
    JOB_IS_MEASURED,
    PLAIN,
    SENDER_KNOWS,
    SLOT,
    STEP_REFUSED,
    Stream,
)
from sim.kernels.firmware.records import change, drawn, happened, is_listed, overlap, write
from sim.kernels.seconds import NEVER
from sim.words import (
    VARIANT,
    AlertCause,
    DeviceType,
    FirmwareMessage,
    JobEnd,
    JobEvent,
    JobState,
    JobStep,
    Leg,
    Reach,
    Status,
)

RESUMPTIONS = 8  # docs/firmware.md section 5: after eight interruptions a transfer has failed


@njit(**PLAIN)
def step(facts, device, event):
    """Take the job of *device* one row further in the table of transitions."""
    following = facts.transitions[device.job, event]
    if following == 255:
        raise ValueError("a job did what the table of transitions has no row for")
    device.job = following


@njit(**PLAIN)
def end_job(facts, sums, device, event, reason):
    """End the job of *device*."""
    step(facts, device, event)
    if device.marks & JOB_IS_MEASURED:
        sums.jobs[device.model, device.version, reason] += 1
    sums.counted[device.model, device.goal, SENDER_KNOWS[reason]] += 1
    device.job_s = NEVER
    device.version = 0
    device.attempt = 0
    device.looks = 0


@njit(**PLAIN)
def fail_attempt(w, facts, sums, device, now_s, reason):
    """End an attempt that may be made again."""
    if device.attempt < w.retries:
        step(facts, device, JobEvent.RETRY)
        device.attempt += 1
        device.looks = 0
        device.job_s = min(now_s + w.retry_s, NEVER)
    else:
        end_job(facts, sums, device, JobEvent.FAIL, reason)


@njit(**PLAIN, inline="always")
def between(facts, stream, place, index, occasion, low, n):
    """Return a time drawn evenly from *low* to *low* + *n* - 1."""
    return low + scaled(drawn(facts, stream, place, index, occasion), n)


@njit(**PLAIN)
def took(facts, sums, kind, device, what, seconds):
    """Count a step that took so long."""
    if device.marks & ATTEMPT_IS_MEASURED:
        band = np.searchsorted(facts.latency_edges, seconds, side="right") - 1
        sums.latencies[kind, what, band] += 1


@njit(**PLAIN)
def came_to(sums, kind, device, what):
    """Count an attempt that came so far."""
    if device.marks & ATTEMPT_IS_MEASURED:
        sums.steps[kind, what] += 1


@njit(**PLAIN, inline="always")
def _transfer_s(w, facts, kind, device):
    """Return how long the image takes over the HAN, and keep how often it is interrupted (8: it
    does not arrive).
    """
    place = w.region * 8 + SLOT[kind]
    occasion = 8 * np.int64(device.version) + device.attempt
    r = 0
    while r < RESUMPTIONS and happened(
        facts, Stream.OTA_INTERRUPTED, place, device.index, 8 * occasion + r, w.interruption
    ):
        r += 1
    device.resumed = r
    return facts.han_s[device.model] + r * w.resume_s


@njit(**PLAIN, inline="always")
def job_event(w, facts, sums, kind, device, homes, now_s, raised, n_raised):
    """Let the next thing of the job of *device* happen; return how many things have been raised by
    now.
    """
    state = device.job
    if state == JobState.OFFERED:
        _checked(w, facts, sums, kind, device, homes, now_s)
    elif state == JobState.DISTRIBUTING:
        _arrived(w, facts, sums, kind, device, homes, now_s)
    elif state == JobState.TRANSFERRING:
        n_raised = _transferred(w, facts, sums, kind, device, homes, now_s, raised, n_raised)
    elif state == JobState.HELD:
        n_raised = _activated(w, facts, sums, kind, device, homes, now_s, raised, n_raised)
    elif state == JobState.ANSWERING:
        _answered(w, facts, sums, kind, device, now_s)
    elif state == JobState.READING:
        _repaired(w, facts, sums, kind, device, now_s)
    else:
        _looked(w, facts, sums, kind, device, now_s)
    return n_raised


@njit(**PLAIN, inline="always")
def _checked(w, facts, sums, kind, device, homes, now_s):
    """At the DSP: hash, list and hub."""
    is_measured = now_s >= w.measure_s
    model = device.model
    version = device.version
    device.marks = (
        (device.marks | ATTEMPT_IS_MEASURED)
        if is_measured
        else (device.marks & ~ATTEMPT_IS_MEASURED)
    )
    came_to(sums, kind, device, JobStep.OFFERED)
    sums.told[FirmwareMessage.IMAGE_REQUEST] += is_measured
    if now_s < facts.corrected_s[model, version]:
        end_job(facts, sums, device, JobEvent.REFUSE, JobEnd.REFUSED_HASH)
    elif not is_listed(facts, model, np.int64(version), now_s):
        end_job(facts, sums, device, JobEvent.REFUSE, JobEnd.REFUSED_LISTING)
    elif (kind in (DeviceType.PPMID, DeviceType.HCALCS)) and homes[device.index].ready_s > now_s:
        end_job(facts, sums, device, JobEvent.REFUSE, JobEnd.REFUSED_HUB)
    else:
        step(facts, device, JobEvent.ACCEPT)
        came_to(sums, kind, device, JobStep.ACCEPTED)
        sums.told[FirmwareMessage.IMAGE] += is_measured
        device.begun_s = now_s
        device.job_s = min(now_s + _distribution_s(w, facts, kind, device), NEVER)


@njit(**PLAIN)
def _distribution_s(w, facts, kind, device):
    """Return how long the image of this attempt is on its way from the DSP to the hub."""
    place, occasion = w.region * 8 + SLOT[kind], 8 * np.int64(device.version) + device.attempt
    low, n = w.distribution_low, w.distribution_n
    return between(facts, Stream.OTA_DISTRIBUTION, place, device.index, occasion, low, n)


@njit(**PLAIN, inline="always")
def _arrived(w, facts, sums, kind, device, homes, now_s):
    """At the hub, or never."""
    occasion = 8 * np.int64(device.version) + device.attempt
    if homes[device.index].reach != Reach.REACHED:
        end_job(facts, sums, device, JobEvent.FAIL, JobEnd.NO_WAN)
    elif happened(
        facts, Stream.OTA_LOST, w.region * 8 + SLOT[kind], device.index, occasion, w.wan_loss
    ):
        fail_attempt(w, facts, sums, device, now_s, JobEnd.WAN_LOST)
    else:
        step(facts, device, JobEvent.TAKE)
        came_to(sums, kind, device, JobStep.TAKEN)
        took(facts, sums, kind, device, Leg.DISTRIBUTION, now_s - np.int64(device.begun_s))
        seconds = _transfer_s(w, facts, kind, device)
        until_s = min(max(np.int64(now_s), np.int64(homes[device.index].free_s)) + seconds, NEVER)
        homes[device.index].free_s, device.job_s = until_s, until_s


@njit(**PLAIN, inline="always")
def _transferred(w, facts, sums, kind, device, homes, now_s, raised, n_raised):
    """At the device, or not."""
    if device.marks & IS_OFF or device.resumed == RESUMPTIONS:
        fail_attempt(w, facts, sums, device, now_s, JobEnd.HAN_FAILED)
        return n_raised
    arrived_s = np.int64(device.begun_s) + _distribution_s(w, facts, kind, device)
    if arrived_s < homes[device.index].exchanged_s <= now_s:
        fail_attempt(w, facts, sums, device, now_s, JobEnd.IMAGE_LOST)
        return n_raised
    came_to(sums, kind, device, JobStep.HELD)
    took(facts, sums, kind, device, Leg.HAN, now_s - arrived_s)
    by_hub = kind in (DeviceType.PPMID, DeviceType.HCALCS)
    sums.told[FirmwareMessage.TRANSFERRED if by_hub else FirmwareMessage.RECEIVED] += (
        now_s >= w.measure_s
    )
    n_raised = note(
        w,
        raised,
        n_raised,
        AlertCause.TRANSFERRED if by_hub else AlertCause.RECEIVED,
        kind,
        device.index,
        now_s,
        0,
    )
    if kind == DeviceType.PPMID:
        return _activated(w, facts, sums, kind, device, homes, now_s, raised, n_raised)
    step(facts, device, JobEvent.HOLD)
    device.job_s = min(now_s + _wait_s(w, facts, kind, device), NEVER)
    return n_raised


@njit(**PLAIN)
def _wait_s(w, facts, kind, device):
    if kind == DeviceType.PPMID:
        return np.int64(0)
    place, occasion = w.region * 8 + SLOT[kind], 8 * np.int64(device.version) + device.attempt
    return between(
        facts, Stream.OTA_ACTIVATION_WAIT, place, device.index, occasion, w.wait_low, w.wait_n
    )


@njit(**PLAIN)
def note(w, raised, n_raised, cause, kind, index, second, length):
    """Write down what makes an alert, where alerts travel."""
    if not w.emits:
        return n_raised
    raised[n_raised].cause = cause
    raised[n_raised].type = kind
    raised[n_raised].index = index
    raised[n_raised].second, raised[n_raised].length = second, length
    return n_raised + 1


@njit(**PLAIN)
def _activated(w, facts, sums, kind, device, homes, now_s, raised, n_raised):
    """Told to run it: the device does, or cannot; either way it answers."""
    place = w.region * 8 + SLOT[kind]
    occasion = 8 * np.int64(device.version) + device.attempt
    is_measured = now_s >= w.measure_s
    device.marks &= ~(ACTIVATION_FAILED | STEP_REFUSED)
    step(facts, device, JobEvent.ACTIVATE)
    if kind != DeviceType.PPMID:
        sums.told[FirmwareMessage.ACTIVATION] += is_measured
        sums.suspended[kind] += 1
        device.marks |= IS_SUSPENDED
    took(facts, sums, kind, device, Leg.ACTIVATION, _wait_s(w, facts, kind, device))
    device.activated_s = now_s
    sums.told[FirmwareMessage.ANSWER] += is_measured
    device.job_s = min(
        now_s
        + between(
            facts, Stream.OTA_RESPONSE, place, device.index, occasion, w.answer_low, w.answer_n
        ),
        NEVER,
    )
    if not facts.permitted[device.model, device.version, device.running % VARIANT]:
        device.marks |= STEP_REFUSED
        return n_raised
    if happened(facts, Stream.OTA_ACTIVATION, place, device.index, occasion, w.failure):
        device.marks |= ACTIVATION_FAILED
        return n_raised
    came_to(sums, kind, device, JobStep.ACTIVATED)
    change(w, facts, sums, kind, device, homes[device.index].reach, now_s, device.version)
    if kind == DeviceType.PPMID:
        sums.told[FirmwareMessage.ACTIVATED] += is_measured
        n_raised = note(w, raised, n_raised, AlertCause.ACTIVATED, kind, device.index, now_s, 0)
    if kind == DeviceType.ESME and happened(
        facts, Stream.OTA_CUT, place, device.index, occasion, facts.cut[device.model]
    ):
        sums.told[FirmwareMessage.CUT] += is_measured
        length = between(
            facts, Stream.OTA_CUT_LENGTH, place, device.index, occasion, w.cut_low, w.cut_n
        )
        n_raised = note(w, raised, n_raised, AlertCause.CUT, kind, device.index, now_s, length)
    return n_raised


@njit(**PLAIN)
def _no_longer_suspended(w, sums, kind, device, now_s):
    if device.marks & IS_SUSPENDED:
        device.marks &= ~IS_SUSPENDED
        sums.suspended[kind] -= 1
        sums.status[kind, Status.SUSPENDED_S] += overlap(w, device.activated_s, now_s)


@njit(**PLAIN, inline="always")
def _answered(w, facts, sums, kind, device, now_s):
    """The answer arrives, or does not."""
    place, occasion = w.region * 8 + SLOT[kind], 8 * np.int64(device.version) + device.attempt
    if happened(facts, Stream.OTA_RESPONSE_LOST, place, device.index, occasion, w.answer_loss):
        if kind == DeviceType.PPMID:
            end_job(facts, sums, device, JobEvent.MISS, JobEnd.UNHEARD)
        else:
            step(facts, device, JobEvent.SUSPEND)
            device.job_s = min(now_s + w.patience_s, NEVER)
        return
    took(facts, sums, kind, device, Leg.RESPONSE, now_s - np.int64(device.activated_s))
    _no_longer_suspended(w, sums, kind, device, now_s)
    if device.marks & ACTIVATION_FAILED:
        fail_attempt(w, facts, sums, device, now_s, JobEnd.ACTIVATION_FAILED)
    elif device.marks & STEP_REFUSED:
        end_job(facts, sums, device, JobEvent.FAIL, JobEnd.NOT_PERMITTED)
    else:
        came_to(sums, kind, device, JobStep.ANSWERED)
        came_to(sums, kind, device, JobStep.RECORDED)
        took(facts, sums, kind, device, Leg.WHOLE, now_s - np.int64(device.begun_s))
        write(w, facts, sums, kind, device, now_s, np.int64(device.activated_s), device.version)
        end_job(facts, sums, device, JobEvent.RECORD, JobEnd.DONE)


@njit(**PLAIN)
def _looked(w, facts, sums, kind, device, now_s):
    """The supplier looks at a device left Suspended: it may read it, or only repeat what repairs
    nothing.
    """
    if now_s < w.repair_s:
        step(facts, device, JobEvent.RESEND)
        device.job_s = min(w.repair_s, NEVER)
        return
    step(facts, device, JobEvent.READ)
    sums.told[FirmwareMessage.REPAIR_READ] += now_s >= w.measure_s
    occasion = 64 * (8 * np.int64(device.version) + device.attempt) + device.looks
    device.job_s = min(
        now_s
        + between(
            facts,
            Stream.OTA_REPAIR,
            w.region * 8 + SLOT[kind],
            device.index,
            occasion,
            w.repair_low,
            w.repair_n,
        ),
        NEVER,
    )


@njit(**PLAIN)
def _repaired(w, facts, sums, kind, device, now_s):
    """The answer of that read arrives, or does not; what it says decides what became of the
    attempt.
    """
    occasion = 64 * (8 * np.int64(device.version) + device.attempt) + device.looks
    device.looks = (device.looks + 1) % 64
    if happened(
        facts,
        Stream.OTA_REPAIR_LOST,
        w.region * 8 + SLOT[kind],
        device.index,
        occasion,
        w.answer_loss,
    ):
        step(facts, device, JobEvent.MISS)
        device.job_s = min(now_s + w.patience_s, NEVER)
        return
    _no_longer_suspended(w, sums, kind, device, now_s)
    write(w, facts, sums, kind, device, now_s, now_s, device.running)
    if device.running % VARIANT >= device.version:
        came_to(sums, kind, device, JobStep.RECORDED)
        took(facts, sums, kind, device, Leg.WHOLE, now_s - np.int64(device.begun_s))
        end_job(facts, sums, device, JobEvent.REPAIR, JobEnd.REPAIRED)
    else:
        fail_attempt(w, facts, sums, device, now_s, JobEnd.ACTIVATION_FAILED)
