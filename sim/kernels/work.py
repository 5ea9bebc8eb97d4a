"""One server at work in one slot: its arrivals in order, through the rows, served, waiting or
refused (docs/model.md sections 7 and 10).
"""

from __future__ import annotations

from sim.kernels.attempts import ask_ahead, end_message, leave_network, refuse
from sim.kernels.compiled import inner
from sim.kernels.lines import Lane, remind
from sim.kernels.moving import onward
from sim.kernels.noting import note_slot, turned_away
from sim.kernels.ordering import in_order
from sim.kernels.protection import barred_until, stopped_by
from sim.kernels.servers import is_out
from sim.kernels.serving import allowed_at, serve, waiting_at
from sim.kernels.setup import Key
from sim.words import Fate, Mitigation

NOT_TAKEN = -1


@inner
def work(net, k, v, recorded, s, arrived):
    """Put the arrivals of slot *s* in order (*arrived*: their places among those under way to stage
    *k*), take them through the rows, and serve; return how many wait then. `Room.slot` knows how
    many were put off.
    """
    rows = net.rows
    room = net.room
    stage = net.setup.stages[k]
    n, waiting = len(arrived), waiting_at(net, stage.first + v)
    in_order(net, room.moving[k % 2], arrived, n)
    room.slot[0].n_put_off = 0
    room.slot[0].put_off_b = 0
    for i in range(stage.first_row, stage.first_row + stage.n_rows):
        if n and rows.rows[i, 0].what != Mitigation.CODEL:
            n = take_through(net, k, i, v, recorded, s, waiting, arrived, n)
    first = room.n_moving[(k + 1) % 2]
    serve(net, k, v, arrived[:n], s, allowed_at(net, k, v, s))
    note_slot(net, k, recorded, s, arrived[:n], first)
    onward(net, k, first, s)
    n_refused = room.slot[0].n_refused
    for j in range(n_refused):
        ask_ahead(net, room.refused, j, n_refused)
        refuse(net, room.refused[j], k, s)
    return waiting_at(net, stage.first + v)


@inner
def take_through(net, k, i, v, recorded, s, waiting, arrived, n):
    """Take the first *n* of *arrived* through row *i*; return how many pass, moved to the front."""
    setup = net.setup
    rows = net.rows
    book = net.book
    room = net.room
    stage = setup.stages[k]
    came = room.moving[k % 2]
    row = rows.rows[i, v]
    what = row.what
    if what == Mitigation.REDELIVERY:
        if not is_out(setup.outages, stage.first + v, s):
            return n
        for j in range(n):
            room.verdict[j] = rows.listed[i, came[arrived[j]].kind]
    else:
        stopped_by(
            rows,
            i,
            stage,
            stage.first + v,
            s,
            waiting,
            came,
            arrived,
            n,
            setup.keys[Key.BARRED :],
            room.verdict,
        )
    kept = 0
    for j in range(n):
        who = arrived[j]
        if not room.verdict[j]:
            arrived[kept] = who
            kept += 1
            continue
        attempt = came[who]
        kind = attempt.kind
        later = NOT_TAKEN
        if what == Mitigation.ACCESS_BARRING:
            later = barred_until(setup.keys[Key.BARRED :], row, attempt, s)
        elif what == Mitigation.REDELIVERY:
            later = _taken_at(setup.outages, stage.first + v, s, row.a, row.b)
        measured = attempt.raised >= setup.warm_up_s
        book.stopped[i, kind, 0 if later < 0 else 1] += measured
        if what in (Mitigation.ACCESS_BARRING, Mitigation.REDELIVERY):
            room.slot[0].n_put_off += 1
            room.slot[0].put_off_b += setup.sizes[k, kind]
            if s >= setup.warm_up_s:
                book.seen[recorded, kind, s - setup.day_start_s] -= 1
        else:
            turned_away(net, kind, recorded, s)
        if later >= 0:
            remind(net.pool, Lane.ARRIVES + k, later - stage.before, attempt)
        elif what in (Mitigation.ALERT_STORM_PROTECTION, Mitigation.REDELIVERY):
            end_message(net, attempt, Fate.THROTTLED, k, s)
            leave_network(net, attempt)
        else:
            refuse(net, attempt, k, s)
    return kept


@inner
def _taken_at(outages, server, s, after, hold):
    """Return the slot in which a user who is out in slot *s* takes a message, or -1 if that is too
    late.
    """
    later = s + after
    while is_out(outages, server, later):
        for j in range(len(outages)):
            if outages[j].server == server and outages[j].start <= later < outages[j].stop:
                later = outages[j].stop
        if later - s > hold:
            return NOT_TAKEN
    return later
