"""Slots of the WAN cells: thousands of servers, most of them idle."""

from __future__ import annotations

from enum import IntEnum, unique

import numpy as np

from sim.kernels.attempts import Scalar
from sim.kernels.compiled import njit
from sim.kernels.moving import arrivals
from sim.kernels.ordering import by_server
from sim.kernels.protection import refresh
from sim.kernels.servers import bytes_allowed, messages_allowed
from sim.kernels.traffic import Naming, named_now
from sim.kernels.work import count_seen, work


@unique
class CellCount(IntEnum):
    """Places in `Book.cells`."""

    PEAK = 0
    OVER = 1
    WAITING = 2
    PEAK_WAITING = 3


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def cells(net, k, t):
    """Work through slot t + before of the cells, region by region."""
    setup, leaving, pool, links, rows, queues, book, room = net
    stage = setup.stages[k]
    messages = pool.messages
    c = setup.c
    s = t + stage.before
    i = t - leaving.start
    second = t + stage.before - c[Scalar.DAY_START]
    n = arrivals(messages, room.box, k, room.ids)
    first_cell = stage.first
    mine = np.zeros(leaving.counts.shape[0] + 1, np.int64)
    for j in range(n):
        room.server[j] = messages[room.ids[j]].region
    by_server(room.ids, room.server, n, mine, room.more_ids)
    others = room.ids[:n].copy()
    for region in range(leaving.counts.shape[0]):
        n_cells = (
            setup.premises_first[region + 1] - setup.premises_first[region] + c[Scalar.PER_CELL] - 1
        ) // c[Scalar.PER_CELL]
        n = mine[region + 1] - mine[region]
        if (
            n == 0
            and room.cells_waiting[region] == 0
            and not leaving.crowded[region, i]
            and not c[Scalar.CELLS_WATCHED]
        ):
            _cells_pass(setup, leaving, book, stage.recorded + region, region, s, i)
            first_cell += n_cells
            continue
        room.ids[:n] = others[mine[region] : mine[region + 1]]
        n = named_now(setup, leaving, book, pool, links, room, region, t, Naming.OF_HOMES, n)
        count_seen(setup, book, stage.recorded + region, s, messages, room.ids, n)
        for j in range(n):
            room.server[j] = np.int64(messages[room.ids[j]].premises) // c[Scalar.PER_CELL]
        first = room.first[: n_cells + 1]
        by_server(room.ids, room.server, n, first, room.more_ids)
        room.cells_waiting[region] = 0
        for cell in range(n_cells):
            arrived, v = room.ids[first[cell] : first[cell + 1]], first_cell - stage.first + cell
            if len(arrived) == 0 and queues.n[first_cell + cell].sum() == 0:
                continue
            if stage.n_rows:
                refresh(rows, stage, first_cell + cell, s)
            load_b = np.int64(0)
            for who in arrived:
                load_b += setup.sizes[k, messages[who].kind]
            waiting, away, away_b = work(net, k, v, stage.recorded + region, s, arrived)
            room.cells_waiting[region] += waiting
            limit = queues.limits[first_cell + cell]
            came, came_b = len(arrived) - away, load_b - away_b
            over = came > messages_allowed(limit, s) or came_b > bytes_allowed(limit, s)
            _note_cell(setup, book, region, s, came, over, waiting)
        book.waits[stage.recorded + region, second] = room.cells_waiting[region]
        first_cell += n_cells


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _note_cell(setup, book, region, s, n, over, waiting):
    """Count what one cell did in slot *s*: *n* arrived, *over* its capacity or not, and *waiting*
    wait.
    """
    if s < setup.c[Scalar.WARM_UP]:
        return
    cells = book.cells[region]
    cells[CellCount.PEAK] = max(cells[CellCount.PEAK], n)
    cells[CellCount.PEAK_WAITING] = max(cells[CellCount.PEAK_WAITING], waiting)
    cells[CellCount.OVER] += over
    cells[CellCount.WAITING] += waiting > 0
    book.over[region, s - setup.c[Scalar.DAY_START]] += over


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _cells_pass(setup, leaving, book, recorded, region, s, i):
    """Let all who come to the cells of a region in slot *s* pass at once."""
    n = np.int64(0)
    for kind in range(leaving.counts.shape[1]):
        if setup.central[kind]:
            continue
        book.undelayed[recorded, kind] += leaving.measured[region, kind, i]
        n += leaving.counts[region, kind, i]
    if s >= setup.c[Scalar.WARM_UP]:
        book.cells[region, CellCount.PEAK] = max(
            book.cells[region, CellCount.PEAK], leaving.busiest[region, i]
        )
        book.served[recorded, s - setup.c[Scalar.DAY_START]] += n
        for kind in range(leaving.counts.shape[1]):
            if setup.central[kind]:
                continue
            book.seen[recorded, kind, s - setup.c[Scalar.DAY_START]] += leaving.counts[
                region, kind, i
            ]
