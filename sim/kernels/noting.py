"""What is noted of a second in which a server is in somebody's way."""

from __future__ import annotations

import numpy as np

from sim.kernels.book import Stir
from sim.kernels.compiled import inner
from sim.words import StageKind


@inner
def note_slot(net, k, recorded, s, arrived, first):
    """Note what a server of stage *k* (*recorded* as that) did in slot *s*: *arrived* (their places
    among those under way to it) came past its rows; who is served is under way to the next stage
    from number *first* on, who is refused is in `Room.refused`.
    """
    book = net.book
    room = net.room
    turn = (k + 1) % 2
    second = s - net.setup.day_start_s
    came = room.moving[k % 2]
    going = room.moving[turn]
    n = room.n_moving[turn]
    held = book.held[recorded]
    for who in arrived:
        attempt = came[who]
        held[attempt.kind] += 1
    begin = first
    while begin < n:
        end = end_of_alike(going, begin, n)
        _note_served(net, going[begin], recorded, s, end - begin)
        begin = end
    for j in range(room.slot[0].n_refused):
        attempt = room.refused[j]
        held[attempt.kind] -= 1
        turned_away(net, attempt.kind, recorded, s)
    waits = book.stirs[Stir.WAITING, recorded, second]
    for kind in range(len(held)):
        waits[kind] = held[kind]
    book.stirred[recorded] = True


@inner
def _note_served(net, attempt, recorded, s, n):
    """Note that server *recorded* served *attempt* and those like it, *n* together, in slot *s*."""
    setup = net.setup
    book = net.book
    kind = attempt.kind
    raised = np.int64(attempt.raised)
    held = book.held[recorded]
    held[kind] -= n
    age = s - raised
    if age > setup.targets[kind]:
        second = s - setup.day_start_s
        book.stirs[Stir.LATE, recorded, second, kind] += n
    if raised >= setup.warm_up_s:
        row = recorded * len(held) + kind
        stay = s - attempt.at
        book.delays[row, stay] += n


@inner
def end_of_alike(attempts, begin, n):
    """Return where those of the first *n* of *attempts* end that are, from *begin* on, of one kind,
    raised in one second, and came to their stage in one.
    """
    alike = attempts[begin]
    end = begin + 1
    while (
        end < n
        and attempts[end].kind == alike.kind
        and attempts[end].raised == alike.raised
        and attempts[end].at == alike.at
    ):
        end += 1
    return end


@inner
def turned_away(net, kind, recorded, s):
    """Note that server *recorded* turned a message of *kind* away in slot *s*."""
    book = net.book
    second = s - net.setup.day_start_s
    book.stirs[Stir.TURNED_AWAY, recorded, second, kind] += 1
    book.stirred[recorded] = True


@inner
def note_late(net, attempt, recorded, s):
    """Note whether *attempt* leaves server *recorded* late, in slot *s*."""
    setup = net.setup
    book = net.book
    kind = attempt.kind
    age = s - attempt.raised
    if age > setup.targets[kind]:
        second = s - setup.day_start_s
        book.stirs[Stir.LATE, recorded, second, kind] += 1
        book.stirred[recorded] = True


@inner
def note_late_before(net, attempt, k, t):
    """Note whether *attempt*, which left its hub in second *t*, long after it was raised, and has
    no name before stage *k*, left the stages before it late.
    """
    for passed in range(k):
        stage = net.setup.stages[passed]
        recorded = stage.recorded
        if stage.what != StageKind.DSP:
            recorded += attempt.place // 8
        note_late(net, attempt, recorded, t + stage.before)
