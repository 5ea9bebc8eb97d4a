"""Let premises live, one after the other, each from its last event to a second to come, all its
devices in order of time (docs/firmware.md section 9).
"""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import njit
from sim.kernels.draws import gap_s
from sim.kernels.firmware.air import job_event
from sim.kernels.firmware.columns import IN_SLOT_ORDER, IS_OFF, PLAIN, SLOT, Stream
from sim.kernels.firmware.locally import local_attempt
from sim.kernels.firmware.records import (
    drawn,
    forget,
    happened,
    hear,
    is_able,
    period_of,
    rearm,
    sender,
    state_of,
    write,
)
from sim.kernels.prefetch import prefetch
from sim.kernels.seconds import NEVER
from sim.words import (
    UNKNOWN_VERSION,
    VARIANT,
    Decision,
    DeviceType,
    FirmwareMessage,
    HomeEvent,
    ReadProcess,
    Status,
    Trigger,
)

ROOM = 8  # things raised by one event, at most
AT_ONCE = 256  # premises looked up together


@njit(**PLAIN)
def advance(w_, facts_, sums_, region, first, last, until_s, goals, busy_row, raised, due, rows):
    """Let premises [first, last) live until *until_s*; *goals*: highest version of each model on
    the CPL meanwhile; *busy_row*: rows, in order, whose next local attempt finds the gateway busy;
    *due*, *rows*: room for `AT_ONCE` premises, and for the rows of their devices.

    Returns (the premises at which *raised* had no more room, or *last*; how many things were
    raised).
    """
    w = w_[0]
    facts = facts_[0]
    sums = sums_[0]
    n_raised = 0
    start = first
    while start < last:
        stop = min(start + AT_ONCE, last)
        n_due = _due(region, start, stop, until_s, due, rows)
        for i in range(n_due):
            home = due[i]
            n_raised = _live(
                w, facts, sums, region, home, until_s, goals, busy_row, raised, rows[i], n_raised
            )
            if region.next_s[home] < until_s:
                return home, n_raised
        start = stop
    return last, n_raised


@njit(**PLAIN)
def _due(region, start, stop, until_s, due, rows):
    """Write which premises of [start, stop) have an event before *until_s*, and the rows of their
    devices; return how many.

    A premises waits longest for memory: all are asked for before the first lives.
    """
    n = 0
    for home in range(start, stop):
        due[n] = home
        n += region.next_s[home] < until_s
    for i in range(n):
        prefetch(region.homes, due[i])
    for kind in range(5):
        if region.starts[kind] == region.starts[kind + 1]:
            rows[:n, kind] = -1
            continue
        for i in range(n):
            home = due[i]
            row = _row(region.fitted[home >> 6, kind], region.rows[home >> 6, kind], home & 63)
            rows[i, kind] = row
            if row >= 0:
                prefetch(region.devices, row)
    return n


@njit(**PLAIN, inline="always")
def _live(w, facts, sums, region, home, until_s, goals, busy_row, raised, rows, n_raised):
    """Let one premises live until *until_s*, or until *raised* has no more room; return how many
    things have been raised by now.
    """
    devices, homes = region.devices, region.homes
    while True:
        now_s, what, kind = _next(devices, rows, homes, home)
        if now_s >= until_s or n_raised + ROOM > len(raised):
            region.next_s[home] = now_s
            return n_raised
        n_raised = _happen(
            w,
            facts,
            sums,
            devices,
            rows,
            homes,
            home,
            now_s,
            what,
            kind,
            goals,
            busy_row,
            raised,
            n_raised,
        )


@njit(**PLAIN, inline="always")
def _row(fitted, first, bit):
    """Return the row of the device of a premises, the *bit*-th of its block, or -1: as many after
    the *first* as bits of *fitted* are set before it.
    """
    if not (fitted >> np.uint64(bit)) & np.uint64(1):
        return np.int64(-1)
    x = fitted & ((np.uint64(1) << np.uint64(bit)) - np.uint64(1))
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    x += x >> np.uint64(8)
    x += x >> np.uint64(16)
    x += x >> np.uint64(32)
    return np.int64(first) + np.int64(x & np.uint64(0x7F))


@njit(**PLAIN, inline="always")
def _next(devices, rows, homes, home):
    """Return (second, what, whose kind) of the next event of a premises: in one second by what,
    then by slot. One number says all three: the least is next.
    """
    exchange_s = NEVER if homes[home].is_exchanged else np.int64(homes[home].exchanged_s)
    first = _rank(exchange_s, HomeEvent.EXCHANGE, 0)
    first = min(
        first,
        _rank(homes[home].install_s, HomeEvent.INSTALL, 0),
        _rank(homes[home].gain_s, HomeEvent.GAIN, 0),
    )
    for slot in range(5):
        row = rows[IN_SLOT_ORDER[slot]]
        if row >= 0:
            device = devices[row]
            first = min(
                first,
                _rank(device.job_s, HomeEvent.JOB, slot),
                _rank(device.local_s, HomeEvent.LOCAL, slot),
                _rank(device.told_s, HomeEvent.REPORT, slot),
                _rank(device.timer_s, HomeEvent.TIMER, slot),
                _rank(device.read_s, HomeEvent.READ, slot),
                _rank(device.call_s, HomeEvent.CALL, slot),
            )
    return first >> 8, (first >> 4) & 15, IN_SLOT_ORDER[first & 15]


@njit(**PLAIN, inline="always")
def _rank(second, what, slot):
    return np.int64(second) << 8 | np.int64(what << 4 | slot)


@njit(**PLAIN, inline="always")
def _happen(
    w, facts, sums, devices, rows, homes, home, now_s, what, kind, goals, busy_row, raised, n_raised
):
    """Let one event happen; return how many things have been raised by now."""
    reach = homes[home].reach
    if what == HomeEvent.EXCHANGE:
        homes[home].is_exchanged = 1
        _exchange(w, facts, sums, devices, rows, now_s)
        for other in IN_SLOT_ORDER:
            if rows[other] >= 0:
                rearm(w, facts, other, devices[rows[other]], reach, now_s)
    elif what == HomeEvent.INSTALL:
        _look_at_all(w, sums, devices, rows, ReadProcess.INSTALL, now_s)
        homes[home].install_s = min(
            now_s
            + gap_s(drawn(facts, Stream.READS_INSTALL, w.region * 8, home, now_s), w.install_rate),
            NEVER,
        )
    elif what == HomeEvent.GAIN:
        _look_at_all(w, sums, devices, rows, ReadProcess.GAIN, now_s)
        _gained(w, facts, sums, devices, rows, reach, now_s, goals)
        homes[home].gain_s = min(
            now_s + gap_s(drawn(facts, Stream.READS_GAIN, w.region * 8, home, now_s), w.gain_rate),
            NEVER,
        )
    else:
        device = devices[rows[kind]]
        if what == HomeEvent.JOB:
            n_raised = job_event(w, facts, sums, kind, device, homes, now_s, raised, n_raised)
        elif what == HomeEvent.LOCAL:
            is_busy = False
            if len(busy_row):
                at = np.searchsorted(busy_row, rows[kind])
                is_busy = at < len(busy_row) and busy_row[at] == rows[kind]
            local_attempt(w, facts, sums, kind, device, homes, now_s, is_busy)
        elif what == HomeEvent.REPORT:
            _tell(w, facts, sums, kind, device, now_s)
        elif what == HomeEvent.TIMER:
            _report(w, facts, sums, kind, device, now_s)
        elif what == HomeEvent.READ:
            _read(w, facts, sums, kind, device, now_s)
        else:
            device.call_s = NEVER
            _look(w, sums, kind, device, ReadProcess.CALL, now_s)
        rearm(w, facts, kind, device, reach, now_s + 1 if what >= HomeEvent.TIMER else now_s)
    return n_raised


@njit(**PLAIN)
def _exchange(w, facts, sums, devices, rows, now_s):
    """The hub goes, and with it what it knew."""
    if not w.stores:
        return
    for kind in IN_SLOT_ORDER:
        if rows[kind] < 0:
            continue
        device = devices[rows[kind]]
        if device.hub != UNKNOWN_VERSION and now_s >= w.measure_s:
            sums.status[kind, Status.FORGOTTEN_N] += 1
        forget(w, facts, sums, kind, device, now_s)
        if w.reseed and not device.marks & IS_OFF:
            hear(w, facts, sums, kind, device, now_s)


@njit(**PLAIN)
def _look(w, sums, kind, device, process, now_s):
    if now_s >= w.measure_s:
        sums.readings[process, kind, state_of(kind, device)] += 1


@njit(**PLAIN)
def _look_at_all(w, sums, devices, rows, process, now_s):
    for kind in range(5):
        if rows[kind] >= 0:
            _look(w, sums, kind, devices[rows[kind]], process, now_s)


@njit(**PLAIN)
def compliance(kind, device, goal):
    """Return what becomes of the question whether *device* is up to date, asked of the record."""
    says, is_so = device.smi % VARIANT >= goal, device.running % VARIANT >= goal
    if says == is_so:
        return Decision.RIGHT
    return Decision.FALSE_COMPLIANCE if says else Decision.FALSE_ALARM


@njit(**PLAIN)
def _gained(w, facts, sums, devices, rows, reach, now_s, goals):
    """The gaining supplier decides on what it has read, and under R10 reads the devices themselves.
    """
    for kind in range(5):
        if rows[kind] < 0:
            continue
        device = devices[rows[kind]]
        if kind != DeviceType.IHD and now_s >= w.measure_s:
            sums.decisions[
                ReadProcess.GAIN, kind, compliance(kind, device, goals[device.model])
            ] += 1
        if w.trigger == Trigger.EVENT and facts.reports[kind] and is_able(w, device, reach):
            _asked(w, facts, sums, kind, device, now_s)


@njit(**PLAIN)
def _asked(w, facts, sums, kind, device, now_s):
    """A device is read and answers; the SMI is written if the answer arrives."""
    sums.told[FirmwareMessage.REQUEST] += now_s >= w.measure_s
    sums.told[FirmwareMessage.VERSION_REPORT] += now_s >= w.measure_s
    if not happened(
        facts, Stream.REPORT_LOSS, w.region * 8 + SLOT[kind], device.index, now_s, w.loss
    ):
        write(w, facts, sums, kind, device, now_s, now_s, device.running)


@njit(**PLAIN)
def _tell(w, facts, sums, kind, device, now_s):
    """The report of a change, or the read that an install triggers."""
    device.told_s = NEVER
    if w.trigger == Trigger.EVENT:
        _asked(w, facts, sums, kind, device, now_s)
        return
    sums.told[FirmwareMessage.VERSION_REPORT] += now_s >= w.measure_s
    if not happened(
        facts, Stream.CHANGE_LOSS, w.region * 8 + SLOT[kind], device.index, now_s, w.loss
    ):
        write(w, facts, sums, kind, device, now_s, now_s, device.running)


@njit(**PLAIN)
def _report(w, facts, sums, kind, device, now_s):
    """A timed report that can matter; those that cannot are counted by arithmetic, and so is this
    one.
    """
    device.timer_s = NEVER
    says = device.hub if w.from_hub else device.running
    place = sender(w, kind)
    if says == UNKNOWN_VERSION or happened(
        facts,
        Stream.REPORT_LOSS,
        place,
        device.index,
        period_of(w, facts, place, device.index, now_s),
        w.loss,
    ):
        return
    if w.is_digest and says != device.smi and kind != DeviceType.IHD:
        sums.told[FirmwareMessage.DETAIL] += now_s >= w.measure_s
    write(w, facts, sums, kind, device, now_s, now_s, says)


@njit(**PLAIN)
def _read(w, facts, sums, kind, device, now_s):
    """A read by a clock of the device's own (R1, R11)."""
    place, is_measured = w.region * 8 + SLOT[kind], now_s >= w.measure_s
    device.read_s = min(
        now_s + gap_s(drawn(facts, Stream.READ_GAP, place, device.index, now_s), w.read_rate), NEVER
    )
    sums.told[FirmwareMessage.REQUEST] += is_measured
    sums.told[FirmwareMessage.VERSION_REPORT] += is_measured
    if happened(facts, Stream.REPORT_LOSS, place, device.index, now_s, w.loss):
        return
    if w.trigger == Trigger.AUDIT:
        _look(w, sums, kind, device, ReadProcess.AUDIT, now_s)
        write(w, facts, sums, kind, device, now_s, now_s, device.running)
    elif w.refreshes and device.hub != UNKNOWN_VERSION:
        write(w, facts, sums, kind, device, now_s, now_s, device.hub)
