"""The network, second by second: counts while nobody is in anybody's way, names and queues where somebody is (docs/model.md sections 7 and 10).

Step t takes those who leave in second t through all stages; a stage with *before* seconds of latency before it works on slot t + before. Whatever comes back
(a refusal, a time-out, a bar) acts in a later step, so nothing is ever decided before its causes are known.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sim.kernels.attempts import (
    BARRED, BUDGET, CELLS_WATCHED, DAY_START, FIRSTS, FIRSTS_NOW, HORIZON, LATENCY, N_ANONYMOUS, N_OPEN, N_STAGES, PER_CELL, RETRIES, RETRIES_NOW, STOP, TRACED,
    WARM_UP, fail, finish, give_up_or_go, leave_network, refuse,
)  # fmt: skip
from sim.kernels.net import Net
from sim.kernels.ordering import by_server, in_order
from sim.kernels.pool import (
    ARRIVES, DELIVERED, DUE, IN_FLIGHT, N_ENDED, NEVER, NONE, THROTTLED, TIME_OUT, due_now, give_back, let_go, remind, room_left,
)  # fmt: skip
from sim.kernels.protection import (
    BARRING, CODEL, REDELIVERY, STORM, allowed_by_shapes, barred_until, calm, note_arrivals, pay, refresh, stopped_by,
)  # fmt: skip
from sim.kernels.references import BookRef, LeavingRef, LinksRef, PoolRef, QueuesRef, RoomRef, RowsRef, SetupRef
from sim.kernels.servers import CELL, CSP, DSP, UNLIMITED, USER, is_out, serve, share_of_slot
from sim.kernels.traffic import EVERYONE, NAMED, WATCHED, kept_by_hubs, named_now

PEAK, OVER, WAITING, PEAK_WAITING = range(4)  # places in `Book.cells`
DONE, NEEDS_ROOM = 0, 1


@njit(cache=True, nogil=True)
def advance(net, from_s, to_s):  # type: ignore[no-untyped-def]
    """Take steps [from, to) of *net* (`Net`); return the first not taken, and whether it needs more room."""
    a, b, c, d, e, f, g, h = net
    shared = Net(
        SetupRef(
            a.c, a.stages, a.levels, a.outages, a.retry, a.retried, a.keys, a.home_keys, a.kind_user, a.targets, a.gasps, a.premises_first, a.user_of,
            a.dark_until, a.budget,
        ),
        LeavingRef(
            b.start, b.counts, b.measured, b.total, b.by_user, b.by_user_measured, b.crowded, b.busiest, b.first, b.members, b.flows, b.watched,
        ),
        PoolRef(c.messages, c.free, c.events, c.free_events, c.wheel, c.wheel_n, c.ended, c.n),
        LinksRef(d.region, d.start, d.stop, d.number, d.covers, d.spread, d.key, d.premises_per_cell),
        RowsRef(e.rows, e.listed, e.state, e.ring, e.shares, e.senders, e.history, e.times),
        QueuesRef(f.head, f.tail, f.n, f.good),
        BookRef(g.seen, g.served, g.waits, g.undelayed, g.delays, g.ends, g.fates, g.late, g.attempts, g.stopped, g.cells, g.over, g.deliver),
        RoomRef(
            h.box, h.ids, h.more_ids, h.keys, h.more_keys, h.server, h.served, h.refused, h.verdict, h.first, h.by_kind, h.is_calm, h.cells_waiting,
        ),
    )  # fmt: skip
    for t in range(from_s, to_s):
        if _lacks_room(shared.leaving, shared.pool, shared.setup.c, t):
            return t, NEEDS_ROOM
        _step(shared, t)
    return to_s, DONE


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _lacks_room(leaving, pool, c, t):  # type: ignore[no-untyped-def]
    """Whether step *t* might need more records than are free."""
    new = np.int64(pool.wheel_n[t % len(pool.wheel)])
    for region in range(leaving.counts.shape[0]):
        for kind in range(leaving.counts.shape[1]):
            new += leaving.counts[region, kind, t - leaving.start]
    messages, events = room_left(pool)
    known = len(pool.messages) - messages + new
    if messages < new or (len(pool.events) and events < known + new):
        return True
    tells = c[TRACED] or (c[LATENCY] > 0 and t + c[LATENCY] >= c[STOP])
    return tells and len(pool.ended) - pool.n[N_ENDED] < known


@njit(cache=True, nogil=True, inline="always")
def _step(net, t):  # type: ignore[no-untyped-def]
    """Take those who leave in second *t*, and those who come again then, through all stages."""
    setup, leaving, pool, links, book, room = net.setup, net.leaving, net.pool, net.links, net.book, net.room
    if len(links.start):
        for region in range(leaving.counts.shape[0]):
            if _some_link_is_down(links, region, t):
                kept_by_hubs(setup, leaving, book, pool, links, region, t)
    if setup.retry[BUDGET] >= 0:
        _count_firsts(setup, leaving, t)
    events = np.empty(pool.wheel_n[t % len(pool.wheel)], np.int32)
    n_events = due_now(pool, t, events)
    for j in range(n_events):
        event = pool.events[events[j]]
        if event.what == DUE:
            copy = give_up_or_go(setup, book, pool, links, event.who, event.turn, t)
            if copy != NONE:
                if setup.c[N_OPEN] > 0:
                    _send(room.box, pool.messages, 0, copy)
                else:
                    _at_the_door(setup, book, pool, room.box, copy, t)
            let_go(pool, event.who)
        elif event.what == ARRIVES:
            _send(room.box, pool.messages, event.stage, event.who)
            let_go(pool, event.who)
    for k in range(setup.c[N_STAGES]):
        if t + setup.stages[k].before >= setup.c[HORIZON]:
            room.box[k, 0], room.box[k, 1], room.box[k, 2] = NONE, NONE, 0
        elif setup.stages[k].what == CELL:
            _cells(net, k, t)
        else:
            _servers(net, k, t)
    for j in range(n_events):
        event = pool.events[events[j]]
        if event.what == TIME_OUT:
            m = pool.messages[event.who]
            if m.attempt == event.turn and not m.failed and m.ended > t:
                fail(setup, pool, event.who, t)
            let_go(pool, event.who)
    give_back(pool, events, n_events)


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _some_link_is_down(links, region, t):  # type: ignore[no-untyped-def]
    for k in range(len(links.start)):
        if links.region[k] == region and links.start[k] <= t < links.stop[k] + links.spread:
            return True
    return False


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _count_firsts(setup, leaving, t):  # type: ignore[no-untyped-def]
    """Add the last second's attempts to those before it, and begin the next second's."""
    for region in range(leaving.counts.shape[0]):
        budget = setup.budget[region]
        budget[FIRSTS] += budget[FIRSTS_NOW]
        budget[RETRIES] += budget[RETRIES_NOW]
        budget[FIRSTS_NOW] = budget[RETRIES_NOW] = 0
        for kind in range(leaving.counts.shape[1]):
            if setup.retried[kind]:
                budget[FIRSTS_NOW] += leaving.counts[region, kind, t - leaving.start]


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _send(box, messages, k, who):  # type: ignore[no-untyped-def]
    """Let *who* arrive at stage *k* in this step."""
    messages[who].next = NONE
    if box[k, 2] == 0:
        box[k, 0] = who
    else:
        messages[box[k, 1]].next = who
    box[k, 1] = who
    box[k, 2] += 1


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _at_the_door(setup, book, pool, box, who, at):  # type: ignore[no-untyped-def]
    """Attempt *who* reaches the SMI's door at second *at*: the first of a message ends it, and is passed on to a user."""
    whole, c = pool.messages[who].message, setup.c
    m = pool.messages[whole]
    if m.ended == NEVER:
        finish(setup, book, pool, whole, DELIVERED if at < c[HORIZON] else IN_FLIGHT, -1, at)
        if at < c[HORIZON] and c[N_STAGES] > c[N_OPEN] and m.kind >= c[N_ANONYMOUS]:
            _send(box, pool.messages, c[N_OPEN], who)
            return
    elif at < c[HORIZON] and m.raised >= c[WARM_UP]:
        book.attempts[m.kind, 2] += 1
    leave_network(pool, who)
    let_go(pool, whole)


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _onward(setup, book, pool, box, k, who, s):  # type: ignore[no-untyped-def]
    """Attempt *who* departs stage *k* in slot *s*."""
    c = setup.c
    if k + 1 < c[N_OPEN]:
        _send(box, pool.messages, k + 1, who)
    elif k + 1 == c[N_OPEN]:
        _at_the_door(setup, book, pool, box, who, s + setup.stages[k].latency)
    else:
        whole = pool.messages[who].message
        leave_network(pool, who)
        let_go(pool, whole)


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _arrivals(messages, box, k, ids):  # type: ignore[no-untyped-def]
    """Empty the box of stage *k* into *ids*; return how many."""
    who, n = box[k, 0], box[k, 2]
    for j in range(n):
        ids[j] = who
        who = messages[who].next
    box[k, 0], box[k, 1], box[k, 2] = NONE, NONE, 0
    return n


# -- stages of few servers: CSP regions, the DSP, users ---------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _servers(net, k, t):  # type: ignore[no-untyped-def]
    """Work through slot t + before of a CSP, DSP or user stage."""
    setup, leaving, pool, links, rows, queues, book, room = net
    stage, messages = setup.stages[k], pool.messages
    s, i, n_regions = t + stage.before, t - leaving.start, leaving.counts.shape[0]
    n = _arrivals(messages, room.box, k, room.ids)
    storms = _has(rows, stage, STORM)
    if storms:
        for region in range(n_regions):
            n = named_now(setup, leaving, book, pool, links, region, t, WATCHED, room.ids, n)
    by_kind, measured = room.by_kind, np.zeros(leaving.counts.shape[1], np.int64)
    by_kind[: stage.n] = 0
    for j in range(n):
        by_kind[_server_of(stage, messages[room.ids[j]]), messages[room.ids[j]].kind] += 1
    anyone = False
    for v in range(stage.n):
        _add_counts(stage, leaving, v, i, by_kind[v], setup.c[N_ANONYMOUS])
        if stage.n_rows:
            refresh(rows, stage, stage.first + v, s)
        waiting = queues.n[stage.first + v].sum()
        total = by_kind[v].sum()
        room.is_calm[v] = waiting == 0 and total <= _allowed(setup, rows, stage, v, s)
        if stage.n_rows and room.is_calm[v]:
            room.is_calm[v] = calm(rows, stage, stage.first + v, s, by_kind[v]) and not (storms and n and stage.mixed)
        anyone = anyone or not room.is_calm[v]
        if not room.is_calm[v] and stage.what == CSP:
            n = named_now(setup, leaving, book, pool, links, v, t, EVERYONE, room.ids, n)
    if anyone and stage.what != CSP:
        n_before = n
        for region in range(n_regions):
            n = named_now(setup, leaving, book, pool, links, region, t, EVERYONE if stage.what == DSP else NAMED, room.ids, n)
        for j in range(n_before, n if stage.what == USER else n_before):  # they came to the SMI's door in time
            finish(setup, book, pool, room.ids[j], DELIVERED, -1, t + setup.c[LATENCY])
    for j in range(n):
        room.server[j] = _server_of(stage, messages[room.ids[j]])
    first = room.first[: stage.n + 1]
    if stage.n > 1:
        by_server(room.ids, room.server, n, first, room.more_ids)
    else:
        first[0], first[1] = 0, n
    for v in range(stage.n):
        arrived = room.ids[first[v] : first[v + 1]]
        if room.is_calm[v]:
            measured[:] = 0
            _add_measured(stage, leaving, v, i, s, setup, measured)
            _all_pass(net, k, v, s, arrived, by_kind[v], measured, storms)
        else:
            _count_seen(setup, book, stage.recorded + v, s, messages, arrived, len(arrived))
            waiting, _ = _work(net, k, v, stage.recorded + v, s, arrived)
            book.waits[stage.recorded + v, s - setup.c[DAY_START]] = waiting


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _has(rows, stage, what):  # type: ignore[no-untyped-def]
    for i in range(stage.first_row, stage.first_row + stage.n_rows):
        if rows.rows[i].what == what:
            return True
    return False


@njit(cache=True, nogil=True, inline="always")
def _server_of(stage, m):  # type: ignore[no-untyped-def]
    """Return the server of message *m* among those of a CSP, DSP or user stage."""
    return np.int64(m.region) if stage.what == CSP else (np.int64(m.user) if stage.what == USER else np.int64(0))


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _add_counts(stage, leaving, v, i, by_kind, n_anonymous):  # type: ignore[no-untyped-def]
    """Add to *by_kind* those without a name who come to server *v*."""
    if stage.what == USER:
        for kind in range(leaving.by_user.shape[1]):
            by_kind[n_anonymous + kind] += leaving.by_user[v, kind, i]
        return
    for region in range(leaving.counts.shape[0]):
        if stage.what == DSP or region == v:
            for kind in range(leaving.counts.shape[1]):
                by_kind[kind] += leaving.counts[region, kind, i]


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _add_measured(stage, leaving, v, i, s, setup, measured):  # type: ignore[no-untyped-def]
    """Add to *measured* those without a name at server *v* who were raised after the warm-up."""
    if stage.what == USER:
        for kind in range(leaving.by_user.shape[1]):
            measured[setup.c[N_ANONYMOUS] + kind] += leaving.by_user_measured[v, kind, i]
        return
    for region in range(leaving.measured.shape[0]):
        if stage.what == DSP or region == v:
            for kind in range(leaving.measured.shape[1]):
                measured[kind] += leaving.measured[region, kind, i]


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _allowed(setup, rows, stage, v, s):  # type: ignore[no-untyped-def]
    """Return how many server *v* may serve in slot *s*."""
    if is_out(setup.outages, stage.first + v, s):
        return np.int64(0)
    allowed = UNLIMITED if stage.denominator == 0 else share_of_slot(stage.numerator, stage.denominator, s)
    return allowed_by_shapes(rows, stage, s, allowed)


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _count_seen(setup, book, recorded, s, messages, ids, n):  # type: ignore[no-untyped-def]
    """Count the arrivals of slot *s*."""
    if s >= setup.c[WARM_UP]:
        for j in range(n):
            book.seen[recorded, messages[ids[j]].kind, s - setup.c[DAY_START]] += 1


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _all_pass(net, k, v, s, arrived, by_kind, measured, storms):  # type: ignore[no-untyped-def]
    """Let all who come to server *v* in slot *s* pass at once; alert storm protection looks at those with names."""
    setup, _, pool, _, rows, _, book, room = net
    stage, messages, recorded, second = setup.stages[k], pool.messages, setup.stages[k].recorded + v, s - setup.c[DAY_START]
    n = len(arrived)
    if s >= setup.c[WARM_UP]:
        for kind in range(len(by_kind)):
            book.seen[recorded, kind, second] += by_kind[kind]
    if stage.n_rows:
        note_arrivals(rows, stage, stage.first + v, s, by_kind)
        pay(rows, stage, stage.first + v, by_kind)
    if storms and n:
        in_order(messages, arrived, n, room.keys, room.more_ids, room.more_keys, setup.c[N_ANONYMOUS])
        for i in range(stage.first_row, stage.first_row + stage.n_rows):
            if rows.rows[i].what == STORM:
                n, _ = _filter(net, k, i, v, recorded, s, 0, arrived, n)
    for kind in range(len(by_kind)):
        book.undelayed[recorded, kind] += measured[kind]
    if s >= setup.c[WARM_UP]:
        book.served[recorded, second] += by_kind.sum() - (len(arrived) - n)
    for j in range(n):
        m = messages[arrived[j]]
        book.undelayed[recorded, m.kind] += messages[m.message].raised >= setup.c[WARM_UP]
        _onward(setup, book, pool, room.box, k, arrived[j], s)


# -- one server at work -----------------------------------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _work(net, k, v, recorded, s, arrived):  # type: ignore[no-untyped-def]
    """Put the arrivals of slot *s* in order, take them through the rows, and serve; return how many wait then, and how many were put off."""
    setup, _, pool, _, rows, queues, book, room = net
    stage, messages, server, c = setup.stages[k], pool.messages, setup.stages[k].first + v, setup.c
    n, waiting = len(arrived), queues.n[server].sum()
    in_order(messages, arrived, n, room.keys, room.more_ids, room.more_keys, c[N_ANONYMOUS])
    codel, n_put_off = NONE, 0
    for i in range(stage.first_row, stage.first_row + stage.n_rows):
        if rows.rows[i].what == CODEL:
            codel = i
        elif n:
            n, away = _filter(net, k, i, v, recorded, s, waiting, arrived, n)
            n_put_off += away
    for j in range(n):
        messages[arrived[j]].at = s
    n_served, n_refused = serve(
        messages, queues, stage, setup.levels[k], server, arrived, n, s, _allowed(setup, rows, stage, v, s), room.served, room.refused
    )
    if s >= c[WARM_UP]:
        book.served[recorded, s - c[DAY_START]] += n_served
    for j in range(n_served):
        m = messages[room.served[j]]
        if messages[m.message].raised >= c[WARM_UP]:
            book.delays[recorded * book.seen.shape[1] + m.kind, s - m.at] += 1
        _onward(setup, book, pool, room.box, k, room.served[j], s)
    for j in range(n_refused):
        who = room.refused[j]
        if who < 0:  # dropped by codel
            who = -2 - who
            book.stopped[codel, messages[who].kind, 0] += messages[messages[who].message].raised >= c[WARM_UP]
        refuse(setup, book, pool, who, k, s)
    return queues.n[server].sum(), n_put_off


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _filter(net, k, i, v, recorded, s, waiting, arrived, n):  # type: ignore[no-untyped-def]
    """Take the first *n* of *arrived* through row *i*; return how many pass, moved to the front, and how many have not arrived at all yet."""
    setup, _, pool, _, rows, _, book, room = net
    stage, messages, what, c = setup.stages[k], pool.messages, rows.rows[i].what, setup.c
    if what == REDELIVERY:
        if not is_out(setup.outages, stage.first + v, s):
            return n, 0
        for j in range(n):
            room.verdict[j] = rows.listed[i, messages[arrived[j]].kind]
    else:
        stopped_by(rows, i, stage, stage.first + v, s, waiting, messages, arrived, n, setup.keys[BARRED:], room.verdict)
    kept, away = 0, 0
    for j in range(n):
        who = arrived[j]
        if not room.verdict[j]:
            arrived[kept] = who
            kept += 1
            continue
        m = messages[who]
        whole, kind, later = m.message, m.kind, NONE
        if what == BARRING:
            later = barred_until(setup.keys[BARRED:], rows.rows[i], m, s)
        elif what == REDELIVERY:
            later = _taken_at(setup.outages, stage.first + v, s, rows.rows[i].a, rows.rows[i].b)
        measured = messages[whole].raised >= c[WARM_UP]
        book.stopped[i, kind, 0 if later < 0 else 1] += measured
        if what == BARRING or what == REDELIVERY:
            away += 1
            if s >= c[WARM_UP]:
                book.seen[recorded, kind, s - c[DAY_START]] -= 1
        if later >= 0:
            remind(pool, later - stage.before, ARRIVES, who, 0, k)
        elif what == STORM or what == REDELIVERY:
            if messages[whole].ended == NEVER:
                finish(setup, book, pool, whole, THROTTLED, k, s)
            leave_network(pool, who)
            let_go(pool, whole)
        else:
            refuse(setup, book, pool, who, k, s)
    return kept, away


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _taken_at(outages, server, s, after, hold):  # type: ignore[no-untyped-def]
    """Return the slot in which a user who is out in slot *s* takes a message, or -1 if that is too late."""
    later = s + after
    while is_out(outages, server, later):
        for j in range(len(outages)):
            if outages[j].server == server and outages[j].start <= later < outages[j].stop:
                later = outages[j].stop
        if later - s > hold:
            return NONE
    return later


# -- WAN cells: thousands of servers, most of them idle ---------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _cells(net, k, t):  # type: ignore[no-untyped-def]
    """Work through slot t + before of the cells, region by region."""
    setup, leaving, pool, links, rows, queues, book, room = net
    stage, messages, c = setup.stages[k], pool.messages, setup.c
    s, i, second = t + stage.before, t - leaving.start, t + stage.before - c[DAY_START]
    n = _arrivals(messages, room.box, k, room.ids)
    first_cell = stage.first
    mine = np.zeros(leaving.counts.shape[0] + 1, np.int64)
    for j in range(n):
        room.server[j] = messages[room.ids[j]].region
    by_server(room.ids, room.server, n, mine, room.more_ids)
    others = room.ids[:n].copy()
    for region in range(leaving.counts.shape[0]):
        n_cells = (setup.premises_first[region + 1] - setup.premises_first[region] + c[PER_CELL] - 1) // c[PER_CELL]
        n = mine[region + 1] - mine[region]
        if n == 0 and room.cells_waiting[region] == 0 and not leaving.crowded[region, i] and not c[CELLS_WATCHED]:
            _cells_pass(setup, leaving, book, stage.recorded + region, region, s, i)
            first_cell += n_cells
            continue
        room.ids[:n] = others[mine[region] : mine[region + 1]]
        n = named_now(setup, leaving, book, pool, links, region, t, EVERYONE, room.ids, n)
        _count_seen(setup, book, stage.recorded + region, s, messages, room.ids, n)
        for j in range(n):
            room.server[j] = np.int64(messages[room.ids[j]].premises) // c[PER_CELL]
        first = room.first[: n_cells + 1]
        by_server(room.ids, room.server, n, first, room.more_ids)
        room.cells_waiting[region] = 0
        for cell in range(n_cells):
            arrived, v = room.ids[first[cell] : first[cell + 1]], first_cell - stage.first + cell
            if len(arrived) == 0 and queues.n[first_cell + cell].sum() == 0:
                continue
            if stage.n_rows:
                refresh(rows, stage, first_cell + cell, s)
            waiting, away = _work(net, k, v, stage.recorded + region, s, arrived)
            room.cells_waiting[region] += waiting
            _note_cell(setup, book, region, stage, s, len(arrived) - away, waiting)
        book.waits[stage.recorded + region, second] = room.cells_waiting[region]
        first_cell += n_cells


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _note_cell(setup, book, region, stage, s, n, waiting):  # type: ignore[no-untyped-def]
    """Count what one cell did in slot *s*: *n* arrived, and *waiting* wait."""
    if s < setup.c[WARM_UP]:
        return
    cells = book.cells[region]
    over = stage.denominator > 0 and n > share_of_slot(stage.numerator, stage.denominator, s)
    cells[PEAK], cells[PEAK_WAITING] = max(cells[PEAK], n), max(cells[PEAK_WAITING], waiting)
    cells[OVER] += over
    cells[WAITING] += waiting > 0
    book.over[region, s - setup.c[DAY_START]] += over


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _cells_pass(setup, leaving, book, recorded, region, s, i):  # type: ignore[no-untyped-def]
    """Let all who come to the cells of a region in slot *s* pass at once."""
    n = np.int64(0)
    for kind in range(leaving.counts.shape[1]):
        book.undelayed[recorded, kind] += leaving.measured[region, kind, i]
        n += leaving.counts[region, kind, i]
    if s >= setup.c[WARM_UP]:
        book.cells[region, PEAK] = max(book.cells[region, PEAK], leaving.busiest[region, i])
        book.served[recorded, s - setup.c[DAY_START]] += n
        for kind in range(leaving.counts.shape[1]):
            book.seen[recorded, kind, s - setup.c[DAY_START]] += leaving.counts[region, kind, i]
