"""A local attempt, what may stop it, and when it is made (docs/firmware.md sections 3 and 4)."""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.draws import gap_s, scaled
from sim.kernels.firmware.columns import PLAIN, SLOT, Stream
from sim.kernels.firmware.records import change, drawn, happened, is_able, is_listed
from sim.kernels.prefetch import prefetch
from sim.kernels.seconds import NEVER
from sim.words import VARIANT, Design, DeviceType, Outcome, Reach, Trigger

BLOCK = 64  # devices looked at together
_WEEK_S = 604_800
_HOUR_S = 3_600
_HOUR_S = 3_600


@njit(**PLAIN)
def channel_of(facts, place, index):
    """Return the number of the local channel of a device."""
    word, channel = np.uint64(drawn(facts, Stream.LOCAL_CHANNEL, place, index, 0)), 0
    while channel < facts.n_channels - 1 and word >= facts.channels[channel]:
        channel += 1
    return channel


@njit(**PLAIN)
def attempt_s(facts, place, index, version, offered_s, rates, hours):
    """Return when a device tries *version*, offered at *offered_s*: one gap later, at an hour that
    people do such things.
    """
    t = offered_s + gap_s(
        drawn(facts, Stream.LOCAL_DELAY, place, index, version),
        rates[channel_of(facts, place, index)],
    )
    if len(hours):
        word = np.uint64(drawn(facts, Stream.LOCAL_HOUR, place, index, version))
        h = np.int64(np.searchsorted(hours, word, side="right"))
        low = hours[h - 1] if h else np.uint64(0)
        t = (
            t // _WEEK_S * _WEEK_S
            + h * _HOUR_S
            + np.int64(((word - low) * np.uint64(_HOUR_S)) // (hours[h] - low))
        )
        if t < offered_s:
            t += _WEEK_S
    return min(t, NEVER)


@njit(**PLAIN)
def offer_locally(w_, facts_, devices, rows, kind, version, offered_s, rates, hours, next_s):
    """Let the devices of *rows*, all of one model and *kind*, all of whom take part, try *version*,
    offered now.
    """
    w, facts = w_[0], facts_[0]
    for start in range(0, len(rows), BLOCK):
        stop = min(start + BLOCK, len(rows))
        for i in range(start, stop):
            prefetch(devices, rows[i])
        for i in range(start, stop):
            device = devices[rows[i]]
            device.local_version = version
            device.local_s = attempt_s(
                facts, w.region * 8 + SLOT[kind], device.index, version, offered_s, rates, hours
            )
            next_s[device.index] = min(next_s[device.index], device.local_s)


@njit(**PLAIN)
def due_attempts(devices, start, stop, until_s, row, second):
    """Write the rows of [start, stop) that try before *until_s*, and when, into int64 *row* and
    *second*; return how many (the first time, with no room).
    """
    n = 0
    for i in range(start, stop):
        if devices[i].local_s < until_s:
            if n < len(row):
                row[n], second[n] = i, devices[i].local_s
            n += 1
    return n


@njit(**PLAIN)
def local_attempt(w, facts, sums, kind, device, homes, now_s, is_busy):
    """Let *device* be updated locally, if nothing stops it; *is_busy*: the gateway has no answer
    left in this hour.
    """
    place = w.region * 8 + SLOT[kind]
    index = device.index
    version = np.int64(device.local_version)
    is_variant = happened(facts, Stream.LOCAL_VARIANT, place, index, version, w.variant)
    on_list = is_listed(facts, device.model, version, now_s)
    device.local_s = NEVER
    screened, outcome = False, Outcome.INSTALLED
    if _is_banned(w, facts, kind, device, homes, now_s):
        outcome = Outcome.BANNED
    elif (
        w.design in (Design.SIGNATURE, Design.ALLOW_LIST, Design.TOKEN)
        and device.running % VARIANT >= facts.asks_from[device.model]
    ):
        screened = True
        outcome = _screened(w, facts, place, device, version, is_variant, on_list, now_s, is_busy)
    if (
        outcome == Outcome.INSTALLED
        and not facts.permitted[device.model, version, device.running % VARIANT]
    ):
        outcome = Outcome.NOT_PERMITTED
    if outcome in (Outcome.BUSY, Outcome.EXPIRED, Outcome.GATEWAY_DOWN):
        device.local_s = min(now_s + w.again_s, NEVER)
    if now_s >= w.measure_s:
        sums.local[
            kind,
            channel_of(facts, place, index),
            2 if is_variant else 0 if on_list else 1,
            int(screened),
            outcome,
        ] += 1
    if outcome == Outcome.INSTALLED:
        reach = homes[index].reach
        change(
            w, facts, sums, kind, device, reach, now_s, version + VARIANT if is_variant else version
        )
        if (
            w.trigger == Trigger.EVENT
            and device.told_s == NEVER
            and facts.reports[kind]
            and is_able(w, device, reach)
        ):
            device.told_s = min(now_s + w.event_delay_s, NEVER)


@njit(**PLAIN)
def _is_banned(w, facts, kind, device, homes, now_s):
    if now_s < w.ban_s:
        return False
    if not w.ban_everywhere:
        needs_hub = kind in (DeviceType.PPMID, DeviceType.HCALCS)
        works = (
            facts.over_air[kind] and now_s >= w.ota_s and homes[device.index].reach == Reach.REACHED
        )
        if not works or (needs_hub and homes[device.index].ready_s > now_s):
            return False
    return happened(
        facts, Stream.LOCAL_COMPLIES, w.region * 8 + SLOT[kind], device.index, 0, w.comply
    )


@njit(**PLAIN)
def _screened(w, facts, place, device, version, is_variant, on_list, now_s, is_busy):
    """Return what becomes of an attempt of a device that asks."""
    index = device.index
    if w.design == Design.TOKEN:
        for k in range(facts.n_outages):
            if facts.out_from_s[k] <= now_s < facts.out_until_s[k]:
                return Outcome.INSTALLED if w.fails_open else Outcome.GATEWAY_DOWN
        if is_busy:
            return Outcome.BUSY
        stops = is_variant or not on_list
    elif w.design == Design.ALLOW_LIST:
        stops = is_variant or not is_listed(facts, device.model, version, now_s - w.list_age_s)
    else:
        stops = is_variant and not happened(
            facts, Stream.SCREEN_SIGNED, place, index, version, w.signed
        )
    if happened(
        facts,
        Stream.SCREEN_ERROR,
        place,
        index,
        version,
        w.false_accept if stops else w.false_reject,
    ):
        stops = not stops
    if stops:
        return Outcome.BLOCKED
    if (
        w.design == Design.TOKEN
        and 1 + scaled(drawn(facts, Stream.SCREEN_INSTALL, place, index, version), w.install_s)
        > w.token_life_s
    ):
        return Outcome.EXPIRED
    return Outcome.INSTALLED
