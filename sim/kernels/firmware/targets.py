"""Whom a campaign offers an image, from whom it is withdrawn, and what is read of all devices at
once (docs/firmware.md sections 6 and 8).
"""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.draws import word
from sim.kernels.firmware.advance import compliance
from sim.kernels.firmware.air import end_job, step
from sim.kernels.firmware.columns import JOB_IS_MEASURED, PLAIN, SLOT, Stream
from sim.kernels.firmware.records import drawn, state_of
from sim.kernels.prefetch import AHEAD, prefetch
from sim.kernels.seconds import NEVER
from sim.words import VARIANT, Decision, JobEnd, JobEvent, JobState, ReadProcess, RolloutOrder

BLOCK = 64  # devices looked at together
BEYOND = np.int32(NEVER - 1)  # of one that has none before the world ends


@njit(**PLAIN)
def _key(w, facts, place, device, said, goal, order, per_cell, n_cells, users):
    """Return the place of *device* in a campaign, in [0, 2^32), by what its word *said* and by what
    goes before that in an *order* that is not random.
    """
    if order == RolloutOrder.BY_CELL:
        return ((np.int64(device.index) // per_cell << 32) + said) // n_cells
    if order == RolloutOrder.BY_RISK:
        return ((min(np.int64(device.smi % VARIANT), goal - 1) << 32) + said) // goal
    of_user, user = np.uint64(drawn(facts, Stream.ESTATE_USER, w.region * 8, device.index, 0)), 0
    while user < len(users) and of_user >= users[user]:
        user += 1
    return ((np.int64(user) << 32) + said) // (len(users) + 1)


@njit(**PLAIN)
def choose(
    w_,
    facts_,
    sums_,
    devices,
    rows,
    homes,
    kind,
    model,
    goal,
    low,
    high,
    hops,
    order,
    per_cell,
    n_cells,
    users,
    now_s,
    found,
    keys,
    room,
):
    """Offer version hops[record] to the targets of a group among int32 *rows*, all of one *model*,
    in premises *homes*; write their rows into *found*, their places in the campaign into uint32
    *keys*, and return how many there are. `place_in_time` gives each its second. *room*: for two
    int64 of a `BLOCK`.
    """
    w = w_[0]
    n = 0
    facts = facts_[0]
    sums = sums_[0]
    places = room[0]
    inside = room[1]
    place = w.region * 8 + SLOT[kind]
    for start in range(0, len(rows), BLOCK):
        stop = min(start + BLOCK, len(rows))
        for i in range(start, stop):
            places[i - start] = word(facts.keys[Stream.ROLLOUT_ORDER], place, homes[i], goal)
        if order != RolloutOrder.RANDOM:
            for i in range(start, stop):
                places[i - start] = _key(
                    w,
                    facts,
                    place,
                    devices[rows[i]],
                    places[i - start],
                    goal,
                    order,
                    per_cell,
                    n_cells,
                    users,
                )
        n_inside = _between(places, stop - start, low, high, inside)
        for j in range(n_inside):
            prefetch(devices, rows[start + inside[j]])
        for j in range(n_inside):
            i = inside[j]
            device = devices[rows[start + i]]
            if device.job == JobState.IDLE and _is_offered(
                facts, sums, device, kind, model, goal, hops, now_s >= w.measure_s
            ):
                found[n], keys[n] = rows[start + i], places[i]
                n += 1
    return n


@njit(**PLAIN)
def _between(places, stop, low, high, inside):
    """Write which of places[:stop] lie in [low, high) into *inside*; return how many."""
    n = 0
    for i in range(stop):
        inside[n] = i
        n += low <= places[i] < high
    return n


@njit(**PLAIN)
def _is_offered(facts, sums, device, kind, model, goal, hops, is_measured):
    """Read the record of a device that is looked at, decide, and offer it what follows from its
    record, if anything does; return whether.
    """
    record, truth = np.int64(device.smi % VARIANT), np.int64(device.running % VARIANT)
    hop = hops[record] if record < goal else 0
    outcome = 0
    if record >= goal:
        outcome = Decision.MISSED if truth < goal else 0
    elif truth >= goal:
        outcome = Decision.WASTED
    elif hop and not facts.permitted[model, hop, truth]:
        outcome = Decision.WRONG_PATH
    if is_measured:
        sums.readings[ReadProcess.TARGETING, kind, state_of(kind, device)] += 1
        sums.decisions[ReadProcess.TARGETING, kind, outcome] += 1
    if hop:
        step(facts, device, JobEvent.OFFER)
        device.version = hop
        device.goal = goal
        device.attempt = 0
        device.looks = 0
    return hop > 0


@njit(**PLAIN)
def place_in_time(w_, devices, found, keys, low, high, seconds, begins, lengths, next_s):
    """Give the targets *found* by `choose` their seconds: by their places *keys* in [low, high),
    over *seconds* open ones.
    """
    w = w_[0]
    for i in range(len(found)):
        prefetch(devices, found[min(i + AHEAD, len(found) - 1)])
        device = devices[found[i]]
        left, at_s = ((np.int64(keys[i]) - low) * seconds) // (high - low), np.int64(BEYOND)
        for k in range(len(begins)):
            if left < lengths[k]:
                at_s = min(begins[k] + left, np.int64(BEYOND))
                break
            left -= lengths[k]
        device.job_s = at_s
        device.marks = (
            (device.marks | JOB_IS_MEASURED)
            if at_s >= w.measure_s
            else (device.marks & ~JOB_IS_MEASURED)
        )
        next_s[device.index] = min(next_s[device.index], np.int32(at_s))


@njit(**PLAIN)
def withdraw(facts_, sums_, devices, rows, goal):
    """Withdraw what the campaign for *goal* has offered to the devices of *rows*, all of its model,
    and the DSP has not seen.
    """
    facts, sums = facts_[0], sums_[0]
    for i in range(len(rows)):
        device = devices[rows[i]]
        if device.goal == goal and device.job == JobState.OFFERED:
            end_job(facts, sums, device, JobEvent.WITHDRAW, JobEnd.WITHDRAWN)


@njit(**PLAIN)
def read_all(sums_, devices, start, stop, kind, goals):
    """Read the record of every device among rows [start, stop), and decide whether it is up to
    date.
    """
    sums = sums_[0]
    for row in range(start, stop):
        device = devices[row]
        sums.readings[ReadProcess.COMPLIANCE, kind, state_of(kind, device)] += 1
        sums.decisions[
            ReadProcess.COMPLIANCE, kind, compliance(kind, device, goals[device.model])
        ] += 1


@njit(**PLAIN)
def scope(sums_, devices, rows, kind, version):
    """Ask the records of the devices of *rows*, all of one model, who runs less than *version*."""
    sums = sums_[0]
    for i in range(len(rows)):
        device = devices[rows[i]]
        says, is_so = device.smi % VARIANT < version, device.running % VARIANT < version
        sums.readings[ReadProcess.INCIDENT, kind, state_of(kind, device)] += 1
        outcome = Decision.RIGHT
        if says != is_so:
            outcome = Decision.FALSE_ALARM if says else Decision.MISSED
        sums.decisions[ReadProcess.INCIDENT, kind, outcome] += 1


@njit(**PLAIN)
def earliest(devices, starts, homes, next_s):
    """Write the second of every premises' next event."""
    for home in range(len(next_s)):
        next_s[home] = min(homes[home].exchanged_s, homes[home].gain_s, homes[home].install_s)
    for row in range(starts[0], starts[5]):
        device = devices[row]
        next_s[device.index] = min(
            next_s[device.index], device.read_s, device.local_s, device.job_s
        )
