"""A stage against queueing theory and against a plain SimPy `Resource`: what a slot is, what it
costs, and that it vanishes as slots shrink.

A stage of capacity r passes floor((s+1) r) − floor(s r) messages in slot s. With whole c per slot
and Poisson arrivals the number it holds obeys N' = max(N − c, 0) + A: the very chain of Crommelin
for M/D/c seen every D, so with slots as long as a service its mean delay *is* that of M/D/c.
"""

from __future__ import annotations

from collections import deque
from fractions import Fraction

import numpy as np
import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sim.kernels.counting import guided, poisson_arrivals
from sim.kernels.draws import poisson_cdf_thresholds, word
from sim.kernels.queues import allowance
from sim.streams import stream_key
from tests.laws.significance import agrees, t_statistic
from tests.laws.slots import REFUSED, WAITING, serve_slots
from tests.laws.worlds import mean_delay_s, replications

KEY = np.uint64(stream_key(2022, 0, "message.rank"))


def passed(
    slots, rate: Fraction, n_slots: int, buffer: int = -1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (slot of departure, number waiting after each slot, allowance left) of units arriving
    in *slots* at an empty stage.
    """
    left = allowance(rate.numerator, rate.denominator, 0, n_slots)
    waiting = np.zeros(n_slots, np.int64)
    departs = serve_slots(np.sort(np.asarray(slots, np.int32)), left, buffer, waiting)
    return departs, waiting, left


def uniforms(n: int, place: int) -> np.ndarray:
    """Return *n* numbers in (0, 1), drawn at addresses."""
    return np.array([(int(word(KEY, place, i, 0)) + 0.5) / 2**32 for i in range(n)])


# -- exact -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("batch", "capacity", "every"),
    [(7, 3, 3), (100, 10, 10), (1, 1, 1), (64, 1, 64), (250, 40, 7), (5, 8, 2)],
)
def test_batches_that_drain_in_time_wait_by_their_number(batch, capacity, every):
    """D/D/c with batches: the k-th of n messages waits ⌊(k−1)/c⌋ slots, batch after batch."""
    arrivals = np.repeat(np.arange(20) * every, batch)

    departs, waiting, _ = passed(arrivals, Fraction(capacity), 20 * every + batch)

    assert (departs - arrivals).tolist() == 20 * [k // capacity for k in range(batch)]
    assert waiting.max() == max(batch - capacity, 0)


@pytest.mark.parametrize(
    "rate",
    [
        Fraction(5, 2),
        Fraction(1, 3),
        Fraction(7, 60),
        Fraction(100, 3600),
        Fraction(1),
        Fraction(999, 1000),
    ],
)
def test_a_fractional_capacity_accrues(rate):
    """The k-th of a batch leaves in the first slot by whose end k messages have been allowed: ⌈k/r⌉
    − 1. It never gains or loses one.
    """
    n = 500

    departs, _, _ = passed(np.zeros(n), rate, int(n / rate) + 2)

    assert departs.tolist() == [
        -(-k * rate.denominator // rate.numerator) - 1 for k in range(1, n + 1)
    ]


@pytest.mark.parametrize(("arriving", "capacity"), [(13, 10), (11, 10), (3, 1)])
def test_the_backlog_of_an_overload_is_the_fluid_one(arriving, capacity):
    """B(t) = (λ − μ) t while it lasts, then it drains in B/μ."""
    lasts = 50
    arrivals = np.repeat(np.arange(lasts), arriving)
    drained = -(-arriving * lasts // capacity)

    _, waiting, _ = passed(arrivals, Fraction(capacity), 3 * drained)

    assert waiting[:lasts].tolist() == [(arriving - capacity) * (t + 1) for t in range(lasts)]
    assert waiting[lasts:].tolist() == [
        max(0, (arriving - capacity) * lasts - capacity * (t + 1))
        for t in range(3 * drained - lasts)
    ]
    assert np.flatnonzero(waiting).max() == drained - 2


# -- path by path ----------------------------------------------------------------------------------


def by_hand(slots: list[int], allowed: list[int], buffer: int) -> tuple[list[int], list[int]]:
    """Serve slot by slot with a deque; return (departure or REFUSED or WAITING, number waiting
    after each slot).
    """
    departs, queue, waiting = [int(WAITING)] * len(slots), deque[int](), []
    for s, room in enumerate(allowed):
        while queue and room:
            departs[queue.popleft()], room = s, room - 1
        for unit in (u for u, slot in enumerate(slots) if slot == s):
            if room:
                departs[unit], room = s, room - 1
            elif buffer < 0 or len(queue) < buffer:
                queue.append(unit)
            else:
                departs[unit] = int(REFUSED)
        waiting.append(len(queue))
    return departs, waiting


RATES = st.fractions(min_value=Fraction(1, 20), max_value=12, max_denominator=60)
ARRIVALS = st.lists(st.integers(0, 39), max_size=120).map(sorted)


@given(slots=ARRIVALS, rate=RATES, buffer=st.integers(-1, 12))
def test_a_path_is_that_of_a_queue_kept_by_hand(slots, rate, buffer):
    """Any arrivals, any capacity, any buffer: the same unit in the same slot."""
    departs, waiting, _ = passed(slots, rate, 60, buffer)

    allowed = [
        (s + 1) * rate.numerator // rate.denominator - s * rate.numerator // rate.denominator
        for s in range(60)
    ]
    assert (departs.tolist(), waiting.tolist()) == by_hand(slots, allowed, buffer)


@given(slots=ARRIVALS, rate=RATES)
def test_the_backlog_is_lindleys(slots, rate):
    """W' = max(0, W + arrivals − allowed), and a unit's delay is the time that backlog takes."""
    _, waiting, _ = passed(slots, rate, 60)

    backlog, path = 0, []
    for s in range(60):
        allowed = (
            s + 1
        ) * rate.numerator // rate.denominator - s * rate.numerator // rate.denominator
        backlog = max(0, backlog + slots.count(s) - allowed)
        path.append(backlog)
    assert waiting.tolist() == path


@given(slots=ARRIVALS, rate=RATES, buffer=st.integers(-1, 12))
def test_little_conservation_and_work_conservation_hold_on_every_path(slots, rate, buffer):
    """∫N = Σ time in queue to the slot; born = served + refused + waiting; no allowance is left
    where someone waits; first come, first served.
    """
    departs, waiting, left = passed(slots, rate, 60, buffer)
    arrived = np.array(slots, np.int64)
    served, stayed = departs >= 0, departs == WAITING

    assert waiting.sum() == (departs[served] - arrived[served]).sum() + (60 - arrived[stayed]).sum()
    assert served.sum() + stayed.sum() + (departs == REFUSED).sum() == len(slots)
    assert not ((waiting > 0) & (left > 0)).any()
    assert (np.diff(departs[served]) >= 0).all()
    assert (departs[served] >= arrived[served]).all()


@given(slots=ARRIVALS, low=ARRIVALS, rate=RATES)
def test_a_high_class_does_not_see_a_low_one(slots, low, rate):
    """The second queue gets what the first leaves: the first departs as if alone, and both together
    as one queue would, in number.
    """
    alone, waiting, left = passed(slots, rate, 60)
    second = serve_slots(np.array(low, np.int32), left, -1, waiting)

    together, waiting_together, _ = passed(sorted([*slots, *low]), rate, 60)

    assert alone.tolist() == passed(slots, rate, 60)[0].tolist()
    assert waiting.tolist() == waiting_together.tolist()
    assert np.sort(np.concatenate([alone, second])).tolist() == np.sort(together).tolist()


@given(slots=ARRIVALS, rate=RATES, more=st.integers(1, 5), buffer=st.integers(0, 12))
def test_more_capacity_never_makes_a_longer_queue(slots, rate, more, buffer):
    """A whole number more in every slot; and a buffer refuses no more then."""
    _, waiting, _ = passed(slots, rate, 60)
    refused = (passed(slots, rate, 60, buffer)[0] == REFUSED).sum()

    assert (passed(slots, rate + more, 60)[1] <= waiting).all()
    assert (passed(slots, rate + more, 60, buffer)[0] == REFUSED).sum() <= refused


# -- steady state ----------------------------------------------------------------------------------


def crommelin_wait(load: float, c: int) -> float:
    """Return the mean wait of M/D/c in units of a service (Crommelin 1932, in the form of Franx
    2001); *load* is the utilisation.
    """
    i = np.arange(1, 3001)
    at_least = stats.poisson(i * load * c).sf
    return float((at_least(i * c - 1) - at_least(i * c) / load).sum())


def test_the_formula_is_the_one_server_form_for_one_server():
    """M/D/1: ρ/(2 (1 − ρ)) services."""
    for load in (0.3, 0.6, 0.9):
        assert crommelin_wait(load, 1) == pytest.approx(load / (2 * (1 - load)), rel=1e-9)
    assert crommelin_wait(0.8, 20) == pytest.approx(0.0358741, abs=5e-8)  # tabulated


CONFIGURATIONS = [
    (0.3, 1),
    (0.6, 1),
    (0.8, 1),
    (0.9, 1),
    (0.6, 2),
    (0.8, 2),
    (0.9, 2),
    (0.6, 5),
    (0.8, 5),
    (0.9, 5),
    (0.8, 20),
    (0.9, 20),
    (0.9, 100),
]


def mean_waiting(load: float, c: int, replication: int) -> float:
    """Return the mean number waiting at a stage with *c* a slot, after a fifth of the slots: over
    fifteen relaxation times at the highest load. A stage that passes more a slot forgets sooner,
    and sees as many customers in fewer slots.
    """
    n_slots = min(30_000, 600_000 // c)
    dropped = n_slots // 5
    counts = np.empty(n_slots, np.int32)
    thresholds = poisson_cdf_thresholds(load * c)
    key = np.uint64(stream_key(1, replication, "traffic.customers"))
    poisson_arrivals(key, c, 0, n_slots, guided([thresholds] * 24), counts)
    slots = np.repeat(np.arange(n_slots, dtype=np.int32), counts)
    waiting = np.zeros(n_slots, np.int64)
    serve_slots(slots, np.full(n_slots, c, np.int64), -1, waiting)
    return float(waiting[dropped:].mean())


def test_poisson_arrivals_wait_as_in_m_d_c():
    """Each configuration within five sigma over 100 replications, each with over a thousand delayed
    customers; and all of them together by chi-squared.
    """
    squares = []
    for load, c in CONFIGURATIONS:
        # Little: what waits is the arrival rate times the wait
        queue = load * c * crommelin_wait(load, c)
        t, allowed = t_statistic(
            (mean_waiting(load, c, replication) for replication in range(100)), queue
        )
        assert abs(t) <= allowed, (load, c, t)
        squares.append(t * t)
    assert stats.chi2(len(squares)).sf(sum(squares)) > 1e-6


@pytest.mark.parametrize(("load", "c"), [(0.8, 1), (0.6, 2), (0.8, 5), (0.9, 20)])
def test_the_whole_engine_waits_as_in_m_d_c(load, c):
    """Anonymous traffic of one premises through the DSP, from scenario to table."""
    kind = (
        f"{{alert: true, per: premises, rate: {load * c:.1f} /s, target: 1 h, size: 1 B, profile:"
        " flat}"
    )
    others = {
        f"traffic.kinds.{name}.rate": "0 /d"
        for name in ("dcc_alert", "on_demand", "future_dated", "scheduled_read")
    }
    settings = others | {
        "estate.premises": 1,
        "traffic.level": "100 %",
        "traffic.kinds.device_alert": kind,
        "network": f"[{{stage: dsp, capacity: {c} /s}}]",
        "window.warm_up": "1 h",
        "window.length": "12 h",
    }

    assert agrees(
        (mean_delay_s(tables, "dsp", "device_alert") for tables in replications(settings, 20)),
        crommelin_wait(load, c),
    )


# -- slots against continuous time -----------------------------------------------------------------


def resource_starts(arrivals: np.ndarray, services_s: list[float]) -> list[np.ndarray]:
    """Return when each message's service starts at each of a row of plain SimPy resources, in the
    order the messages arrive at the first.
    """
    env = simpy.Environment()
    stages = [simpy.Resource(env) for _ in services_s]
    starts = [np.full(len(arrivals), np.nan) for _ in services_s]

    def message(number: int, at: float):
        yield env.timeout(at)
        for stage, service_s, started in zip(stages, services_s, starts, strict=True):
            with stage.request() as turn:
                yield turn
                started[number] = env.now
                yield env.timeout(service_s)

    for number, at in enumerate(arrivals):
        env.process(message(number, float(at)))
    env.run()
    return starts


def bursts(n: int, lasts_s: float, place: int) -> np.ndarray:
    """Return *n* arrival times: half of them spread out, half within three short bursts."""
    u = uniforms(2 * n, place)
    spread = u[:n] * lasts_s
    centres = lasts_s * np.array([0.2, 0.5, 0.55])
    packed = centres[np.arange(n) % 3] + u[n:] * lasts_s / 40
    return np.sort(np.where(np.arange(n) % 2 == 0, spread, packed))


@pytest.mark.parametrize("rate", [Fraction(1), Fraction(5, 2), Fraction(10), Fraction(37, 3)])
@pytest.mark.parametrize("load", [0.5, 0.95, 1.3])
def test_a_stage_is_within_one_slot_of_a_simpy_resource(rate, load):
    """The slot in which a message is served, and the slot in which the resource takes it up, differ
    by at most one: message by message.
    """
    lasts_s = 300
    arrivals = bursts(int(lasts_s * load * rate), lasts_s, 1)

    (starts,) = resource_starts(arrivals, [1 / float(rate)])
    departs, _, _ = passed(np.floor(arrivals), rate, 3 * lasts_s)

    assert np.abs(departs - np.floor(starts + 1e-9)).max() <= 1


@pytest.mark.parametrize(("first", "second"), [(10, 8), (8, 10), (10, 10), (Fraction(5, 2), 2)])
def test_two_stages_are_within_two_slots(first, second):
    """One slot a stage."""
    arrivals = bursts(int(300 * Fraction(second)), 300, 2)

    starts = resource_starts(arrivals, [1 / float(first), 1 / float(second)])[1]
    middle, _, _ = passed(np.floor(arrivals), Fraction(first), 900)
    departs, _, _ = passed(middle, Fraction(second), 900)

    assert np.abs(departs - np.floor(starts + 1e-9)).max() <= 2


def test_delays_converge_to_the_continuous_queue_as_slots_shrink():
    """The same arrivals in slots of 1, 1/2, … 1/64 s: no message's delay is off by two slots, the
    mean error halves with the slot, the mean delay agrees.
    """
    rate, lasts_s = 2_560, 20
    arrivals = bursts(int(0.95 * rate * lasts_s), lasts_s, 3)
    (starts,) = resource_starts(arrivals, [1 / rate])
    waits = starts - arrivals

    errors = {}
    for parts in (1, 2, 4, 8, 16, 32, 64):
        slots = np.floor(arrivals * parts).astype(np.int64)
        departs, _, _ = passed(slots, Fraction(rate, parts), 4 * lasts_s * parts)
        off = np.abs((departs - slots) / parts - waits)
        assert off.max() < 2 / parts
        assert (departs - slots).mean() / parts == pytest.approx(waits.mean(), abs=0.2 / parts)
        errors[parts] = off.mean()

    assert waits.mean() > 0.1
    slope = np.polyfit(np.log2(list(errors)), np.log2(list(errors.values())), 1)[0]
    assert slope == pytest.approx(-1, abs=0.1)
