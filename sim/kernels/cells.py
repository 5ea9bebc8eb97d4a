"""Slots of the WAN cells: thousands of servers, most of them idle."""

from __future__ import annotations

import numpy as np

from sim.kernels.busiest import is_fullest, is_watched, look_after, look_before, may_be_busiest
from sim.kernels.compiled import inner, njit
from sim.kernels.crowding import cells_of
from sim.kernels.moving import coming
from sim.kernels.ordering import by_server
from sim.kernels.protection import refresh
from sim.kernels.quiet import region_passes
from sim.kernels.servers import bytes_allowed, messages_allowed
from sim.kernels.serving import waiting_at
from sim.kernels.traffic import Naming, named_now
from sim.kernels.work import work


@inner
def cells(net, k, t):
    """Work through slot t + before of the cells, region by region."""
    setup = net.setup
    leaving = net.leaving
    book = net.book
    room = net.room
    stage = setup.stages[k]
    came = room.moving[k % 2]
    s = t + stage.before
    i = t - leaving.start
    n = coming(net, k, t)
    of_region = room.first_of_region
    for j in range(n):
        room.by_region[j] = j
        room.server[j] = came[j].place // 8
    by_server(room.by_region, room.server, n, of_region, room.more_ids)
    first_cell = np.int64(0)
    for region in range(leaving.counts.shape[0]):
        n_cells = cells_of(setup, region)
        mine = of_region[region + 1] - of_region[region]
        if (
            mine == 0
            and room.cells_waiting[region] == 0
            and not leaving.crowded[region, i]
            and not setup.cells_watched
            and not is_watched(book, region, s)
            and not is_fullest(net, region, t)
        ):
            region_passes(setup, leaving, book, stage, region, (i, i + 1))
        else:
            for j in range(mine):
                room.ids[j] = room.by_region[of_region[region] + j]
            n_before = n
            n = named_now(net, region, t, Naming.OF_HOMES, k, n)
            for j in range(n_before, n):
                room.ids[mine + j - n_before] = j
            ids = room.ids[: mine + n - n_before]
            _count_seen(net, k, stage.recorded + region, s, ids)
            _each_cell(net, k, region, first_cell, s, ids)
        first_cell += n_cells


@inner
def _count_seen(net, k, recorded, s, arrived):
    """Count those who have *arrived* at the cells of a region in slot *s*."""
    setup = net.setup
    if s < setup.warm_up_s:
        return
    second = s - setup.day_start_s
    for who in arrived:
        kind = net.room.moving[k % 2, who].kind
        net.book.seen[recorded, kind, second] += 1


@njit(nogil=True, inline="always")
def _each_cell(net, k, region, first_cell, s, ids):
    """Let each cell of *region* (from number *first_cell* of the stage on) work through slot *s*,
    in which *ids*, of those under way to it, arrive.
    """
    setup = net.setup
    rows = net.rows
    queues = net.queues
    book = net.book
    room = net.room
    stage = setup.stages[k]
    recorded = stage.recorded + region
    n_cells = cells_of(setup, region)
    for j in range(len(ids)):
        home = np.int64(room.moving[k % 2, ids[j]].premises)
        room.server[j] = home // setup.premises_per_cell
    first = room.first[: n_cells + 1]
    by_server(ids, room.server, len(ids), first, room.more_ids)
    room.cells_waiting[region] = 0
    for v in range(first_cell, first_cell + n_cells):
        arrived = ids[first[v - first_cell] : first[v - first_cell + 1]]
        if len(arrived) == 0 and waiting_at(net, stage.first + v) == 0:
            continue
        if stage.n_rows:
            refresh(rows, stage, stage.first + v, s)
        load_b = np.int64(0)
        for who in arrived:
            load_b += setup.sizes[k, room.moving[k % 2, who].kind]
        looks = may_be_busiest(net, k, v, s, len(arrived))
        if looks:
            look_before(net, k, v, recorded, s, arrived)
        waiting = work(net, k, v, recorded, s, arrived)
        room.cells_waiting[region] += waiting
        limit = queues.limits[stage.first + v]
        came = len(arrived) - room.slot[0].n_put_off
        load_b -= room.slot[0].put_off_b
        over = came > messages_allowed(limit, s) or load_b > bytes_allowed(limit, s)
        _note_cell(setup, book, region, s, came, over, waiting)
        if looks:
            look_after(net, k, v, recorded, s, came)


@njit(nogil=True, inline="always")
def _note_cell(setup, book, region, s, n, over, waiting):
    """Count what one cell did in slot *s*: *n* arrived, *over* its capacity or not, and *waiting*
    wait.
    """
    if s < setup.warm_up_s:
        return
    cells = book.cells[region]
    cells.peak = max(cells.peak, n)
    cells.peak_waiting = max(cells.peak_waiting, waiting)
    cells.n_over += over
    cells.n_waiting += waiting > 0
    book.over[region, s - setup.day_start_s] += over
