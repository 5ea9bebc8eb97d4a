"""A server slot by slot against queues of plain Python, read from docs/model.md sections 7 and 10.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from math import floor, inf
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from sim.kernels import servers, serving
from sim.kernels.net import shared
from sim.kernels.servers import OUTAGE
from tests.oracles import nets

AT = 1  # of three servers
# places of who arrives, and what is allowed
SLOTS = st.lists(
    st.tuples(st.lists(st.integers(0, 2), max_size=4), st.integers(0, 3)), min_size=1, max_size=30
)
HARD_PRESSED = st.lists(
    st.tuples(st.lists(st.just(0), max_size=2), st.sampled_from([0, 1, 1, 1, 3])),
    min_size=12,
    max_size=40,
)


@njit
def _serve(net, arrived, s, allowed):  # type: ignore[no-untyped-def]
    own = shared(net)
    for who in arrived:
        own.room.moving[0, who].at = s
    own.room.n_moving[1] = 0
    serving.serve(own, 0, AT, arrived, s, allowed)


@njit
def _is_out(outages, server, s):  # type: ignore[no-untyped-def]
    return servers.is_out(outages, server, s)


@njit
def _share_of_slot(numerator, denominator, s):  # type: ignore[no-untyped-def]
    return servers.share_of_slot(numerator, denominator, s)


SIZES = (3, 5, 0)  # bytes of a message of each kind, which is its place of priority
RATES_B = st.one_of(st.none(), st.fractions(min_value=0, max_value=12, max_denominator=5))


class Rules(NamedTuple):
    """What a stage says of its queues, -1: nothing; and bytes a slot, if they are what is limited.
    """

    buffer: int
    drops_oldest: bool
    lifo: int
    codel: tuple[int, int]
    rate_b: Fraction | None = None


class Left:
    """What is left of a slot: messages, and bytes; once a message is too large, nothing."""

    def __init__(self, n: int, n_bytes: float) -> None:
        self.n, self.n_bytes, self.is_short = n, n_bytes, False

    def takes(self, size: int) -> bool:
        """Take a message of *size*, if it may be served."""
        if not self.n or self.is_short:
            return False
        self.is_short = size > self.n_bytes
        if not self.is_short:
            self.n, self.n_bytes = self.n - 1, self.n_bytes - size
        return not self.is_short


RULES = st.builds(
    Rules,
    buffer=st.integers(-1, 4),
    drops_oldest=st.booleans(),
    lifo=st.integers(-1, 3),
    codel=st.one_of(st.just((-1, -1)), st.tuples(st.integers(0, 3), st.integers(0, 5))),
    rate_b=RATES_B,
)


class Place:
    """One queue of one server: who waits and since when, and the slots that were good."""

    def __init__(self, rules: Rules, size: int) -> None:
        self.rules, self.size = rules, size
        self.waits: deque[tuple[int, int]] = deque()
        self.good: list[int] = [0]

    def slot(
        self, s: int, arrivals: list[int], left: Left
    ) -> tuple[list[int], list[int], list[int]]:
        """Return who is served, stopped and, of those, dropped in slot *s*, of which *left* is
        left.
        """
        served: list[int] = []
        refused: list[int] = []
        dropped: list[int] = []
        fresh, newest = False, 0 <= self.rules.lifo < len(self.waits)
        target, interval = self.rules.codel
        overloaded = interval >= 0 and s - max(g for g in self.good if g < s or g == 0) > interval
        if newest:
            for who in arrivals:
                self.join(who, s, refused)
        while self.waits and left.n and not left.is_short:
            who, since = self.waits[-1 if newest else 0]
            is_dropped = overloaded and s - since > target
            if not is_dropped and not left.takes(self.size):
                break
            self.waits.remove((who, since))
            if is_dropped:
                dropped.append(who)
                continue
            served.append(who)
            fresh |= s - since <= target
        if not newest:
            for who in arrivals:
                if left.takes(self.size):
                    served.append(who)
                    fresh = True
                else:
                    self.join(who, s, refused)
        if fresh or not self.waits:
            self.good.append(s)
        return served, refused + dropped if newest else dropped + refused, dropped

    def join(self, who: int, s: int, refused: list[int]) -> None:
        """Wait, or be refused, or have the longest waiting refused."""
        if self.rules.buffer < 0 or len(self.waits) < self.rules.buffer:
            self.waits.append((who, s))
        elif self.rules.drops_oldest and self.waits:
            refused.append(self.waits.popleft()[0])
            self.waits.append((who, s))
        else:
            refused.append(who)


@given(slots=SLOTS, rules=RULES, n_places=st.integers(1, 3), idle=st.booleans())
def test_a_server_serves_keeps_and_refuses_as_the_page_says(slots, rules, n_places, idle):
    """Every order of service, buffer and place of priority; a slot in which nobody is there may be
    left out.
    """
    for found, expected in follow(slots, rules, n_places, idle):
        assert found == expected


@given(
    slots=HARD_PRESSED,
    target=st.integers(0, 3),
    interval=st.integers(0, 4),
    lifo=st.sampled_from([-1, -1, 2]),
    idle=st.booleans(),
)
def test_codel_drops_who_waited_too_long_once_all_do(slots, target, interval, lifo, idle):
    """A server that is behind for many slots, now and then catches up, and is overloaded to the
    very slot.
    """
    for found, expected in follow(slots, Rules(-1, False, lifo, (target, interval)), 1, idle):
        assert found == expected


def follow(
    slots: list[tuple[list[int], int]], rules: Rules, n_places: int, idle: bool
) -> Iterator[tuple[list[Any], list[Any]]]:
    """Yield, slot by slot, who is served, who is stopped, how many of each place by `codel`, how
    many wait in each place, and how many at the other servers: of the kernel's server, and of
    queues of plain Python. *idle*: leave out the slots in which nobody is there.
    """
    setup, queues = nets.no_setup(), nets.empty_queues()
    places = [Place(rules, size) for size in SIZES[:n_places]]
    kept_b = 0.0
    setup.stages["drop_oldest"][0], setup.stages["levels"][0] = rules.drops_oldest, n_places
    setup.stages["codel_target"][0], setup.stages["codel_interval"][0] = rules.codel
    setup.stages["codel_row"][0] = 0
    setup.levels[0] = 0, 1, 2
    setup.sizes[0] = SIZES
    rate = rules.rate_b or Fraction(0)
    queues.limits[AT] = (
        rate.numerator,
        rate.denominator,
        rules.rate_b is not None,
        rules.buffer,
        rules.lifo,
    )
    net = nets.net(setup=setup, queues=queues)
    came, waits = net.room.moving[0], net.pool.lines["n"][: nets.N_LINES]
    came["raised"] = 0
    who = 0
    for s, (kinds, allowed) in enumerate(slots):
        arrived = [(who + i, kind % n_places) for i, kind in enumerate(kinds)]
        who += len(arrived)
        nobody = not arrived and not any(place.waits for place in places)
        # who is served, who is stopped, and how many of each place `codel` drops
        expected: tuple[list[int], list[int], list[int]] = ([], [], [])
        slot_b = floor((s + 1) * rate) - floor(s * rate) if rules.rate_b is not None else inf
        left = Left(allowed, slot_b + kept_b)
        for level, place in enumerate(places):
            served, stopped, dropped = place.slot(s, [a for a, of in arrived if of == level], left)
            expected[0].extend(served)
            expected[1].extend(stopped)
            expected[2].append(len(dropped))
        kept_b = left.n_bytes if left.is_short and any(place.waits for place in places) else 0
        if idle and nobody:
            continue
        for a, level in arrived:
            came[a]["kind"], came[a]["who"] = level, a
        by_kind = net.book.stopped[0, :, 0]
        before = by_kind.copy()

        _serve(net, np.array([a for a, _ in arrived], np.int32), s, allowed)

        served = net.room.moving[1, : net.room.n_moving[1]]["who"].tolist()
        stopped = net.room.refused[: net.room.slot[0].n_refused]["who"].tolist()
        dropped = (by_kind - before)[:n_places].tolist()
        of_server = waits.reshape(-1, nets.N_PLACES)
        waiting, others = of_server[AT, :n_places].tolist(), of_server[[0, 2]].ravel().tolist()
        yield (
            [served, stopped, dropped, waiting, others],
            [*expected, [len(place.waits) for place in places], [0] * len(others)],
        )


@given(
    rate=st.fractions(min_value=0, max_value=10**6, max_denominator=31_536_000),
    s=st.integers(0, 60 * 31_536_000),
)
def test_a_slot_allows_its_whole_messages(rate, s):
    """floor((s+1) r) − floor(s r), exactly."""
    assert _share_of_slot(rate.numerator, rate.denominator, s) == floor((s + 1) * rate) - floor(
        s * rate
    )


@given(
    outages=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(0, 9)), max_size=4
    ),
    server=st.integers(0, 2),
    s=st.integers(0, 10),
)
def test_a_server_is_out_from_start_to_stop(outages, server, s):
    """Intervals are half-open; any of several is enough."""
    assert _is_out(np.array(outages, OUTAGE), server, s) == any(
        v == server and s in range(start, stop) for v, start, stop in outages
    )
