"""The busiest WAN cell: that to which most came in one second. Nobody knows which it will be, so it
is watched from its peak on, until another has a higher one.
"""

from __future__ import annotations

from sim.kernels.book import Around, Stir
from sim.kernels.compiled import inner
from sim.kernels.serving import count_waiting


@inner
def watched_until(book):
    """Return the slot until which the busiest cell so far is watched."""
    busiest = book.busiest[0]
    return busiest.at + book.around.shape[2]


@inner
def is_watched(book, region, s):
    """Whether the busiest cell so far is one of *region*, and watched in slot *s*."""
    return book.busiest[0].region == region and s < watched_until(book)


@inner
def is_fullest(net, region, t):
    """Whether more of those who leave in second *t* come to some cell of *region*, in the same slot
    as cells come first, than ever came to one before: which it is, names alone tell.
    """
    most = net.leaving.busiest[region, t - net.leaving.start]
    return t >= net.setup.warm_up_s and most > net.book.busiest[0].peak


@inner
def _was_of_late(book, v, s):
    """Whether cell *v* is the busiest so far, and watched in slot *s*."""
    return v == book.busiest[0].cell and s < watched_until(book)


@inner
def may_be_busiest(net, k, v, s, n):
    """Whether slot *s* of cell *v* of stage *k*, to which *n* come, may have to be remembered: it
    is the busiest so far and its peak was of late, or may become it.
    """
    book = net.book
    may_be = n > book.busiest[0].peak or _was_of_late(book, v, s)
    return may_be and s >= net.setup.warm_up_s


@inner
def look_before(net, k, v, recorded, s, arrived):
    """Remember what is known of cell *v* and its region before it works through slot *s*, in which
    *arrived* come: what is more of it afterwards is what the cell did.
    """
    room = net.room
    did = room.cell_did
    came = did[Around.ARRIVED]
    did[:] = 0
    _add_region(net, recorded, s, -1)
    for who in arrived:
        attempt = room.moving[k % 2, who]
        came[attempt.kind] += 1
    server = net.setup.stages[k].first + v
    count_waiting(net, server, did[Around.SERVED])


@inner
def look_after(net, k, v, recorded, s, n):
    """Remember what cell *v* did in slot *s*, in which *n* came to it and were not put off."""
    book = net.book
    stage = net.setup.stages[k]
    if n > book.busiest[0].peak:
        _begin_to_watch(book, recorded - stage.recorded, v, s, n)
    if not _was_of_late(book, v, s):
        return
    did = net.room.cell_did
    came = did[Around.ARRIVED]
    served = did[Around.SERVED]
    waiting = did[Around.WAITING]
    server = stage.first + v
    _add_region(net, recorded, s, 1)
    count_waiting(net, server, waiting)
    since = s - book.busiest[0].at
    for kind in range(len(came)):
        served[kind] += came[kind]
        served[kind] -= waiting[kind]
        for what in range(len(did)):
            book.around[what, kind, since] = did[what, kind]


@inner
def _add_region(net, recorded, s, times):
    """Add to what a cell did, so many *times*, what is counted of its region in slot *s*; who is
    turned away is not served.
    """
    book = net.book
    second = s - net.setup.day_start_s
    seen = book.seen[recorded]
    late = book.stirs[Stir.LATE, recorded, second]
    turned_away = book.stirs[Stir.TURNED_AWAY, recorded, second]
    did = net.room.cell_did
    for kind in range(len(seen)):
        did[Around.ARRIVED, kind] += times * seen[kind, second]
        did[Around.LATE, kind] += times * late[kind]
        did[Around.SERVED, kind] -= times * turned_away[kind]


@inner
def _begin_to_watch(book, region, v, s, n):
    """Let cell *v* of *region*, to which *n* come in slot *s*, be the busiest."""
    busiest = book.busiest[0]
    busiest.region = region
    busiest.cell = v
    busiest.peak = n
    busiest.at = s
    book.around[:] = 0
