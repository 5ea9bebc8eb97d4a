"""The rows of a stage, each against a plain reading of docs/model.md section 10."""

from __future__ import annotations

from collections import defaultdict, deque
from fractions import Fraction
from math import floor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from sim.kernels import protection
from sim.kernels.draws import threshold
from sim.kernels.pool import ATTEMPT
from sim.kernels.protection import ROW, ROW_MEMORY, SENDER_MEMORY, Rows
from sim.kernels.seconds import NEVER
from sim.kernels.servers import STAGE
from sim.network.layout import watch_list
from sim.words import Mitigation
from tests.oracles import philox

FIRST, SERVER, N_SERVERS = 4, 5, 3  # the stage's servers are 4, 5 and 6
KEYS = np.array([0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210], np.uint64)
# by kind; the last shares its code with the second
LISTED, CODES = [True, True, False, True], [0, 1, 2, 1]
SHARES = [0.5, 0.26, 0.24]
RATES = st.fractions(min_value=0, max_value=4, max_denominator=9)
VISITS = st.lists(
    st.tuples(st.integers(1, 9), st.lists(st.integers(0, 2), max_size=6), st.booleans()),
    min_size=1,
    max_size=25,
)
#        slots since the visit before, kinds of who arrives, whether they come as counts


@njit
def _refresh(rows, stage, v, s):  # type: ignore[no-untyped-def]
    protection.refresh(rows, stage, v, s)


@njit
def _calm(rows, stage, v, s, by_kind):  # type: ignore[no-untyped-def]
    return protection.calm(rows, stage, v, s, by_kind)


@njit
def _all_pass(rows, stage, v, s, by_kind):  # type: ignore[no-untyped-def]
    protection.note_arrivals(rows, stage, v, s, by_kind)
    protection.pay(rows, stage, v, by_kind)


@njit
def _stopped(rows, stage, v, s, waiting, messages, keys):  # type: ignore[no-untyped-def]
    verdict = np.ones(len(messages), np.bool_)
    protection.stopped_by(
        rows,
        0,
        stage,
        v,
        s,
        waiting,
        messages,
        np.arange(len(messages)).astype(np.int32),
        len(messages),
        keys,
        verdict,
    )
    return verdict


@njit
def _barred_until(keys, row, m, s):  # type: ignore[no-untyped-def]
    return protection.barred_until(keys, row, m, s)


@njit
def _allowed_by_shapes(rows, stage, v, s, allowed):  # type: ignore[no-untyped-def]
    return protection.allowed_by_shapes(rows, stage, v, s, allowed)


def rows_of(what: int, a: int, b: int, c: int = 0, d: int = 0) -> tuple[Rows, np.void]:
    """Return the memory of one row, and the stage it belongs to."""
    stage, ring = np.zeros(1, STAGE), N_SERVERS * b if what == Mitigation.CIRCUIT_BREAKER else 0
    stage["first"], stage["n"], stage["n_rows"] = FIRST, N_SERVERS, 1
    state = np.zeros((1, N_SERVERS), ROW_MEMORY)
    state["latest_slot"] = -1
    state["tokens"] = c if what == Mitigation.ADMISSION else 0
    most = a if what == Mitigation.ALERT_STORM_PROTECTION else 1
    history = np.zeros(64, SENDER_MEMORY)
    history["last_passed"] = -NEVER
    rows = Rows(
        np.array([[(what, 0, a, b, c, d, 0)] * N_SERVERS], ROW),
        np.array([LISTED]),
        state,
        np.zeros(ring, np.int32),
        np.array(CODES),
        np.array(SHARES),
        np.zeros(len(SHARES), np.int64),
        np.zeros(64, np.uint64),
        history,
        np.zeros((64, most), np.int32),
    )
    return rows, stage[0]


def messages_of(kinds: list[int], senders: list[tuple[int, int]] | None = None) -> np.ndarray:
    """Return arrivals of *kinds*, from (place, premises) *senders*; users in turn."""
    out = np.zeros(len(kinds), ATTEMPT)
    out["kind"], out["user"] = kinds, np.arange(len(kinds)) % len(SHARES)
    if senders:
        out["place"], out["premises"] = zip(*senders, strict=True)
    return out


def allows(rate: Fraction, s: int) -> int:
    """Return what *rate* allows in slot *s*."""
    return floor((s + 1) * rate) - floor(s * rate)


def counted(kinds: list[int]) -> np.ndarray:
    """Return how many there are of each kind."""
    return np.bincount(np.array(kinds, np.int64), minlength=len(LISTED)).astype(np.int64)


@given(
    arrivals=st.lists(
        st.tuples(
            st.sampled_from([0, 1, 1, 2, 3, 5]),
            st.sampled_from([(9, 7)] * 2 + [(10, 7)]),
            st.sampled_from([1, 1, 3, 0, 2]),
        ),
        min_size=20,
    ),
    limit=st.integers(1, 3),
    window=st.integers(1, 7),
    period=st.one_of(st.just(0), st.integers(1, 8)),
    one_in=st.integers(2, 4),
    grow_at=st.integers(0, 40),
)
def test_the_storm_rule_counts_in_a_sliding_window(
    arrivals, limit, window, period, one_in, grow_at
):
    """Each sender and code has a window of its own; what is suppressed is counted too; a longer
    list of senders remembers what the shorter knew.
    """
    rows, stage = rows_of(
        Mitigation.ALERT_STORM_PROTECTION, limit, window, period, 0 if period else one_in
    )
    seen: defaultdict[tuple[object, int], deque[int]] = defaultdict(deque)
    passed: dict[tuple[object, int], int] = {}
    over: defaultdict[tuple[object, int], int] = defaultdict(int)
    s = 0
    for number, (later, sender, kind) in enumerate(arrivals):
        s += later
        rows = watch_list(rows, 200) if number == grow_at else rows
        own, throttled = (sender, CODES[kind]), False
        while seen[own] and seen[own][0] <= s - window:
            seen[own].popleft()
        if LISTED[kind]:
            over[own] = over[own] + 1 if len(seen[own]) >= limit else 0
            if over[own] and period:
                throttled = own in passed and passed[own] > s - period
                passed[own] = passed[own] if throttled else s
            elif over[own]:
                throttled = over[own] % one_in != 0
            seen[own].append(s)

        assert _stopped(
            rows, stage, SERVER, s, 0, messages_of([kind], [sender]), KEYS
        ).tolist() == [throttled]


def test_a_full_list_of_senders_tells_them_all_apart():
    """The hash table finds the right place however many share a bucket."""
    rows, stage = rows_of(Mitigation.ALERT_STORM_PROTECTION, 1, 10**6, 0, 10**6)
    senders = [(place, premises) for place in range(4) for premises in range(16)]
    first, again = (
        _stopped(rows, stage, SERVER, s, 0, messages_of([0] * 64, senders), KEYS) for s in range(2)
    )

    assert not first.any()
    assert again.all()
    assert (rows.senders != 0).all()


@given(visits=VISITS, rate=RATES, burst=st.integers(0, 7))
def test_admission_takes_tokens(visits, rate, burst):
    """Tokens come in every slot, also in those in which nobody looked; those who pass as counts
    take theirs; other servers keep their own.
    """
    rows, stage = rows_of(Mitigation.ADMISSION, rate.numerator, rate.denominator, burst)
    tokens, s = burst, -1
    for later, kinds, as_counts in visits:
        for slot in range(s + 1, s + later + 1):
            tokens = min(burst, tokens + allows(rate, slot))
        s += later
        _refresh(rows, stage, SERVER, s)
        refused = []
        for kind in kinds:
            refused.append(LISTED[kind] and tokens == 0)
            tokens -= LISTED[kind] and tokens > 0
        calm = _calm(rows, stage, SERVER, s, counted(kinds))

        assert calm == (not any(refused))
        if calm and as_counts:
            _all_pass(rows, stage, SERVER, s, counted(kinds))
        else:
            assert _stopped(rows, stage, SERVER, s, 0, messages_of(kinds), KEYS).tolist() == refused
    assert rows.state["tokens"][0, [0, 2]].tolist() == [burst, burst]


@given(visits=VISITS, above=st.integers(0, 6), window=st.integers(1, 6), opens=st.integers(1, 6))
def test_a_breaker_opens_when_too_many_came(visits, above, window, opens):
    """What came in the window counts, refused or not; it opens, stays open and closes in slots in
    which nobody looked.
    """
    rows, stage = rows_of(Mitigation.CIRCUIT_BREAKER, above, window, opens)
    came: list[int] = []  # by slot
    open_until = 0
    for later, kinds, as_counts in visits:
        came += [0] * (later - 1)
        for slot in range(len(came) - later + 1, len(came) + 1):
            if slot >= open_until and sum(came[max(0, slot - window) : slot]) > above:
                open_until = slot + opens
        s = len(came)
        came.append(sum(LISTED[kind] for kind in kinds))
        refused = [LISTED[kind] and s < open_until for kind in kinds]
        _refresh(rows, stage, SERVER, s)
        calm = _calm(rows, stage, SERVER, s, counted(kinds))

        assert calm == (not any(refused))
        if calm and as_counts:
            _all_pass(rows, stage, SERVER, s, counted(kinds))
        else:
            assert _stopped(rows, stage, SERVER, s, 0, messages_of(kinds), KEYS).tolist() == refused


@given(
    kinds=st.lists(st.integers(0, 2), max_size=30),
    above=st.fractions(min_value=0, max_value=25, max_denominator=4),
    s=st.integers(0, 9),
)
def test_allocation_gives_each_user_a_share(kinds, above, s):
    """Only a slot with more than the threshold is shared out; the first of each user pass."""
    rows, stage = rows_of(Mitigation.ALLOCATION, above.numerator, above.denominator)
    n, used, refused = allows(above, s), [0] * len(SHARES), []
    for number, kind in enumerate(kinds):
        user = number % len(SHARES)
        used[user] += LISTED[kind]
        refused.append(
            LISTED[kind]
            and sum(LISTED[k] for k in kinds) > n
            and used[user] > floor(SHARES[user] * n + 1e-9)
        )

    assert _stopped(rows, stage, SERVER, s, 0, messages_of(kinds), KEYS).tolist() == refused
    assert _calm(rows, stage, SERVER, s, counted(kinds)) == (not any(refused))


@given(
    kinds=st.lists(st.integers(0, 2), min_size=1, max_size=20),
    above=st.integers(0, 3),
    waiting=st.integers(0, 5),
    share=st.sampled_from([0.0, 0.5, 1.0]),
    hold=st.integers(1, 50),
    s=st.integers(0, 10**6),
)
def test_a_crowded_cell_bars_and_a_crowded_server_sheds(kinds, above, waiting, share, hold, s):
    """Both look at who waited after the slot before; a barred message draws whether, and until
    when.
    """
    senders = [(9, number) for number in range(len(kinds))]
    messages = messages_of(kinds, senders)
    barring, stage = rows_of(Mitigation.ACCESS_BARRING, above, threshold(share), hold)
    shedding, _ = rows_of(Mitigation.SHED, above, 0)
    barred = [
        LISTED[kind] and waiting > above and philox.word(int(KEYS[0]), *sender, s) < share * 2**32
        for kind, sender in zip(kinds, senders, strict=True)
    ]
    until = [s + 1 + philox.word(int(KEYS[1]), *sender, s) * hold // 2**32 for sender in senders]

    assert _stopped(barring, stage, SERVER, s, waiting, messages, KEYS).tolist() == barred
    assert [_barred_until(KEYS, barring.rows[0, 0], m, s) for m in messages] == until
    assert _stopped(shedding, stage, SERVER, s, waiting, messages, KEYS).tolist() == [
        LISTED[kind] and waiting > above for kind in kinds
    ]


@given(
    rate=RATES,
    s=st.integers(0, 50),
    allowed=st.integers(0, 5),
    kinds=st.lists(st.integers(0, 2), max_size=6),
)
def test_a_shape_is_a_second_capacity(rate, s, allowed, kinds):
    """The smaller of the two counts, for all kinds."""
    rows, stage = rows_of(Mitigation.SHAPE, rate.numerator, rate.denominator)

    assert _allowed_by_shapes(rows, stage, SERVER - FIRST, s, allowed) == min(
        allowed, allows(rate, s)
    )
    assert _calm(rows, stage, SERVER, s, counted(kinds)) == (len(kinds) <= allows(rate, s))
