"""Seconds in which nobody is in anybody's way: all stages see the same counts, each later by the
latencies before it.
"""

from __future__ import annotations

import numpy as np

from sim.kernels.compiled import inner, njit
from sim.kernels.references import refer
from sim.words import StageKind


@njit(nogil=True)
def pass_quietly(setup, leaving, book, begin, end):
    """Let all who leave in seconds [begin, end) of the interval pass every stage in the second they
    come to it (nobody waits, and no row would stop anybody).
    """
    pass_seconds(refer(setup), refer(leaving), refer(book), begin, end)


@inner
def pass_seconds(setup, leaving, book, begin, end):
    """Do as `pass_quietly`, for kernels that have references."""
    if setup.retry.budget >= 0:
        for i in range(begin, end):
            count_firsts(setup, leaving, i)
    for k in range(len(setup.stages)):
        stage = setup.stages[k]
        if stage.what == StageKind.USER:
            _users_pass(setup, leaving, book, stage, (begin, end))
        else:
            for region in range(leaving.counts.shape[0]):
                region_passes(setup, leaving, book, stage, region, (begin, end))


@inner
def _users_pass(setup, leaving, book, stage, span):
    """Let all pass who leave in seconds *span* of the interval and come to a user."""
    seconds = _seconds(setup, leaving, stage, span)
    for user in range(stage.n):
        for named in range(leaving.by_user.shape[1]):
            came = leaving.by_user[user, named]
            measured = leaving.by_user_measured[user, named]
            kind = setup.n_anonymous + named
            server = stage.recorded + user, kind
            _add(book, server, came, measured, seconds)


@inner
def region_passes(setup, leaving, book, stage, region, span):
    """Let all pass who leave *region* in seconds *span* of the interval and come to *stage*, which
    is not the users'.
    """
    is_shared = stage.what == StageKind.DSP
    seconds = _seconds(setup, leaving, stage, span)
    server = stage.recorded
    if not is_shared:
        server += region
    for kind in range(leaving.counts.shape[1]):
        if is_shared or not setup.central[kind]:
            came = leaving.counts[region, kind]
            measured = leaving.measured[region, kind]
            _add(book, (server, kind), came, measured, seconds)
    if stage.what == StageKind.CELL:
        cells = book.cells[region]
        _, counted, until, _ = seconds
        for i in range(counted, until):
            most = leaving.busiest[region, i]
            cells.peak = max(cells.peak, most)


@inner
def _seconds(setup, leaving, stage, span):
    """Return, of those who leave in *span*, the first second, the first in whose slot at *stage*
    anything is counted, and the end; and the slot of the day for second 0 of the interval.
    """
    begin, end = span
    since = leaving.start + stage.before
    counted = max(begin, setup.warm_up_s - since)
    until = min(end, setup.horizon_s - since)
    slot = since - setup.day_start_s
    return begin, counted, until, slot


@inner
def _add(book, server, came, measured, seconds):
    """Add who *came* to *server* (as recorded, and the kind), and how many of them are measured, to
    the book; *seconds* as `_seconds` gives them.
    """
    begin, counted, end, slot = seconds
    seen = book.seen[server]
    total = np.int64(0)
    for i in range(begin, end):
        total += measured[i]
    for i in range(counted, end):
        seen[slot + i] += came[i]
    book.undelayed[server] += total


@inner
def count_firsts(setup, leaving, i):
    """Add the last second's attempts to those before it, take those away that the budget's window
    has left behind, and begin those of second *i* of the interval: what a retry budget knows.
    """
    window_s = setup.made.shape[1]
    for region in range(leaving.counts.shape[0]):
        budget = setup.budget[region]
        budget.firsts += budget.firsts_now
        budget.retries += budget.retries_now
        if window_s > 0:
            slot = (leaving.start + i) % window_s
            made = setup.made[region, slot]
            budget.firsts -= made.firsts
            budget.retries -= made.retries
            made.firsts = budget.firsts_now
            made.retries = budget.retries_now
        budget.firsts_now = budget.retries_now = 0
        for kind in range(leaving.counts.shape[1]):
            if setup.retried[kind]:
                budget.firsts_now += leaving.counts[region, kind, i]
