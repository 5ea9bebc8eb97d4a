"""Truth and records of one device: what changes them, and every second of disagreement
(docs/firmware.md section 7).
"""

from __future__ import annotations

import numpy as np

from sim.kernels import ledgers
from sim.kernels.compiled import njit
from sim.kernels.dials import reading, strikes
from sim.kernels.draws import gap_s, scaled, word
from sim.kernels.firmware.columns import IS_OFF, PLAIN, SLOT, TAKES_PART, Stream
from sim.kernels.ledgers import Total
from sim.kernels.seconds import NEVER
from sim.words import (
    UNKNOWN_VERSION,
    VARIANT,
    Design,
    DeviceType,
    JobState,
    Ledger,
    PhaseSource,
    Reach,
    RecordState,
    Status,
    Trigger,
)


@njit(**PLAIN, inline="always")
def drawn(facts, stream, place, index, occasion):
    """Return the word of a *stream* (its number) at an address."""
    return word(facts.keys[stream], place, index, occasion)


@njit(**PLAIN, inline="always")
def happened(facts, stream, place, index, occasion, share):
    """Return whether the uint64 threshold *share* happens at an address."""
    return np.uint64(drawn(facts, stream, place, index, occasion)) < share


@njit(**PLAIN, inline="always")
def overlap(w, since, until):
    """Return the seconds of [since, until) that are measured."""
    return max(np.int64(0), min(np.int64(until), w.horizon_s) - max(np.int64(since), w.measure_s))


@njit(**PLAIN)
def is_able(w, device, reach):
    """Return whether what *device* reports can arrive."""
    if device.marks & IS_OFF:
        return False
    return (device.marks & TAKES_PART) != 0 if w.is_cloud else reach == Reach.REACHED


@njit(**PLAIN)
def is_listed(facts, model, version, second):
    """Return whether *version*, no variant, is on the CPL at *second*; what devices ran at first
    always is.
    """
    return version == 0 or (
        facts.listed_s[model, version] <= second < facts.delisted_s[model, version]
    )


@njit(**PLAIN)
def account_for_image(w, facts, sums, kind, device, until_s):
    """Add the time that *device* ran what it runs, until *until_s*, as far as it was not on the
    CPL.
    """
    version, since = np.int64(device.running), np.int64(device.changed_s)
    if version >= VARIANT:
        sums.status[kind, Status.VARIANT_S] += overlap(w, since, until_s)
    elif version:
        listed = np.int64(facts.listed_s[device.model, version])
        delisted = np.int64(facts.delisted_s[device.model, version])
        sums.status[kind, Status.UNLISTED_S] += overlap(
            w, since, min(np.int64(until_s), listed)
        ) + overlap(w, max(since, delisted), until_s)


@njit(**PLAIN)
def settle_smi(w, facts, sums, kind, device, now_s):
    """Begin or end a WRONG episode of the SMI's record."""
    if kind == DeviceType.IHD:
        return
    is_wrong = device.smi != device.running
    if is_wrong and device.wrong_smi_s < 0:
        device.wrong_smi_s = now_s
        sums.totals[kind, Ledger.SMI, Total.N_WRONG] += 1
    elif not is_wrong and device.wrong_smi_s >= 0:
        totals, bands = sums.totals[kind, Ledger.SMI], sums.bands[kind, Ledger.SMI]
        ledgers.add_spell(
            device.wrong_smi_s, now_s, True, w.measure_s, facts.stale_edges[:], totals, bands
        )
        device.wrong_smi_s = -1
        sums.totals[kind, Ledger.SMI, Total.N_WRONG] -= 1


@njit(**PLAIN)
def settle_hub(w, facts, sums, kind, device, now_s):
    """Begin or end a WRONG episode of the hub's record, if it is known."""
    if device.hub == UNKNOWN_VERSION:
        return
    is_wrong = device.hub != device.running
    if is_wrong and device.wrong_hub_s < 0:
        device.wrong_hub_s = now_s
        sums.totals[kind, Ledger.HUB, Total.N_WRONG] += 1
    elif not is_wrong and device.wrong_hub_s >= 0:
        totals, bands = sums.totals[kind, Ledger.HUB], sums.bands[kind, Ledger.HUB]
        ledgers.add_spell(
            device.wrong_hub_s, now_s, True, w.measure_s, facts.stale_edges[:], totals, bands
        )
        device.wrong_hub_s = -1
        sums.totals[kind, Ledger.HUB, Total.N_WRONG] -= 1


@njit(**PLAIN)
def forget(w, facts, sums, kind, device, now_s):
    """Lose the hub's record of *device*."""
    if device.hub == UNKNOWN_VERSION:
        return
    if device.wrong_hub_s >= 0:
        totals, bands = sums.totals[kind, Ledger.HUB], sums.bands[kind, Ledger.HUB]
        ledgers.add_spell(
            device.wrong_hub_s, now_s, False, w.measure_s, facts.stale_edges[:], totals, bands
        )
        sums.totals[kind, Ledger.HUB, Total.N_WRONG] -= 1
    device.hub, device.wrong_hub_s = UNKNOWN_VERSION, now_s
    sums.totals[kind, Ledger.HUB, Total.N_UNKNOWN] += 1


@njit(**PLAIN)
def hear(w, facts, sums, kind, device, now_s):
    """Let the hub know what *device* runs."""
    if device.hub == UNKNOWN_VERSION:
        sums.totals[kind, Ledger.HUB, Total.UNKNOWN_S] += overlap(w, device.wrong_hub_s, now_s)
        sums.totals[kind, Ledger.HUB, Total.N_UNKNOWN] -= 1
        device.wrong_hub_s = -1
    device.hub = device.running
    settle_hub(w, facts, sums, kind, device, now_s)


@njit(**PLAIN)
def change(w, facts, sums, kind, device, reach, now_s, version):
    """Let *device* run *version* from *now_s*, and do what its rule asks for at a change."""
    place = w.region * 8 + SLOT[kind]
    account_for_image(w, facts, sums, kind, device, now_s)
    sums.running[device.model, device.running % VARIANT] -= 1
    sums.running[device.model, version % VARIANT] += 1
    device.running, device.changed_s = version, now_s
    if now_s >= w.measure_s:
        sums.totals[kind, Ledger.SMI, Total.N_CHANGES] += 1
    if w.stores and not happened(facts, Stream.HAN_LOSS, place, device.index, now_s, w.han_loss):
        hear(w, facts, sums, kind, device, now_s)
    settle_smi(w, facts, sums, kind, device, now_s)
    settle_hub(w, facts, sums, kind, device, now_s)
    if (
        (w.trigger == Trigger.CHANGE or w.trigger == Trigger.CHANGE_AND_TIMER)
        and facts.reports[kind]
        and is_able(w, device, reach)
    ):
        device.told_s = now_s
    if device.call_s == NEVER and happened(
        facts, Stream.READS_CALL, place, device.index, now_s, w.call
    ):
        device.call_s = min(
            now_s
            + gap_s(drawn(facts, Stream.READS_CALL_DELAY, place, device.index, now_s), w.call_rate),
            NEVER,
        )


@njit(**PLAIN)
def write(w, facts, sums, kind, device, now_s, made_s, version):
    """Write evidence of *version*, made at *made_s*, into the SMI at *now_s*, unless later evidence
    was written.
    """
    if kind == DeviceType.IHD or made_s < device.confirmed_s:
        return
    device.confirmed_s = made_s
    if device.smi == version:
        return
    device.smi = version
    settle_smi(w, facts, sums, kind, device, now_s)
    if (
        w.design == Design.AUDIT
        and now_s >= w.measure_s
        and (version >= VARIANT or not is_listed(facts, device.model, version, now_s))
    ):
        sums.status[kind, Status.FOUND_N] += 1
        sums.status[kind, Status.FOUND_S] += now_s - np.int64(device.changed_s)


@njit(**PLAIN)
def anchor_s(w, facts, place, index):
    """Return the anchor of a timer, in [-period, 0)."""
    if w.phase == PhaseSource.FIXED_CLOCK:
        return w.at_s % w.period_s - w.period_s
    if w.phase == PhaseSource.HASHED:
        return (
            w.at_s + scaled(drawn(facts, Stream.PHASE_HASHED, place, index, 0), w.phase_window_s)
        ) % w.period_s - w.period_s
    return -scaled(drawn(facts, Stream.PHASE_START, place, index, 0), w.period_s)


@njit(**PLAIN)
def read_at(facts, second):
    """Return what the clocks of reports read in *second*; in the one before the first, -1."""
    return reading(
        facts.dial_start_s[:], facts.dial_ahead_s[:], facts.dial_before[:], np.int64(second)
    )


@njit(**PLAIN)
def strikes_next(w, facts, first, now_s):
    """Return when a timer due at *first* and every period after it fires next, at or after *now_s*.
    """
    late = max(np.int64(0), read_at(facts, now_s - 1) + 1 - first)
    due = first + (late + w.period_s - 1) // w.period_s * w.period_s
    return strikes(facts.dial_start_s[:], facts.dial_ahead_s[:], facts.dial_before[:], due)


@njit(**PLAIN)
def period_of(w, facts, place, index, now_s):
    """Return the number of the period of the timed report that is made now."""
    if w.phase != PhaseSource.FIXED_CLOCK:
        return np.int64(now_s) // w.period_s
    read = read_at(facts, now_s)
    return (read - (read - anchor_s(w, facts, place, index)) % w.period_s) // w.period_s


@njit(**PLAIN)
def sender(w, kind):
    """Return the place of whoever sends timed reports of devices of a *kind*."""
    return w.region * 8 + (0 if w.from_hub else SLOT[kind])


@njit(**PLAIN)
def rearm(w, facts, kind, device, reach, now_s):
    """Find the next timed report, at or after *now_s*, if it can matter: one that says what the SMI
    holds already changes nothing.

    While an answer is under way it can: it would be the later evidence.
    """
    is_timed = w.trigger == Trigger.TIMER or w.trigger == Trigger.CHANGE_AND_TIMER
    if (
        device.timer_s != NEVER
        or not is_timed
        or kind == DeviceType.IHD
        or not facts.reports[kind]
        or not is_able(w, device, reach)
    ):
        return
    says = device.hub if w.from_hub else device.running
    if says == UNKNOWN_VERSION or (says == device.smi and device.job != JobState.ANSWERING):
        return
    first = anchor_s(w, facts, sender(w, kind), device.index) + w.period_s
    device.timer_s = min(strikes_next(w, facts, first, now_s), NEVER)


@njit(**PLAIN, inline="always")
def state_of(kind, device):
    """Return what the SMI's record of *device* is."""
    if kind == DeviceType.IHD:
        return RecordState.UNKNOWN
    return RecordState.WRONG if device.smi != device.running else RecordState.RIGHT
