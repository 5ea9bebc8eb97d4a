"""How wrong a record is, in closed form: derived here, for the clock of whole seconds, so that a
test needs no allowance for the clock.

A local change comes one gap after the one before, which is a change in every second with
probability λ = 1 − x, independently: the chance of no change in k given seconds is x^k. Write E =
x^T for a period T, and A = (1 − E) / (T (1 − x)) for the mean of x^k over k = 0 … T−1. As λ → 0
with λT fixed, A → (1 − e^−λT)/(λT), and every form below becomes the one usually quoted.

Every version is new, so a record is RIGHT exactly when no change happened between the second in
which the report it holds looked at the version and now.
"""

from __future__ import annotations

import numpy as np


def _none_in(seconds: float, rate_per_s: float) -> float:
    """Return x^k, the chance of no change in so many *seconds*."""
    return (1 - rate_per_s) ** seconds


def _unchanged(rate_per_s: float, period_s: int) -> float:
    """Return A, the chance of no change since the last nominal report, averaged over a period."""
    return (1 - _none_in(period_s, rate_per_s)) / (period_s * rate_per_s)


def periodic_wrong_share(
    rate_per_s: float, period_s: int, loss: float = 0.0, han_loss: float = 0.0, latency_s: int = 0
) -> float:
    """Share of time WRONG of a record refreshed every T, each report lost with probability p: R3,
    and R2 and R4 through a hub that misses changes.

    The last report that was not lost is the j-th back with probability (1 − p) p^j. It left k + jT
    seconds ago (k < T is where now stands in the period) and was written d later; the record is
    RIGHT when nothing changed since: x^(k + jT), and x^d more with a latency. A sum over j and a
    mean over k give

        right = (1 − h) (1 − p) A x^d / (1 − p E).

    h is the chance that a hub's own record is WRONG when it sends: the share of changes it missed,
    for it is wrong exactly when it missed the last one. With p = h = d = 0 this is 1 − right = 1 −
    (1 − e^−λT)/(λT).
    """
    right = _unchanged(rate_per_s, period_s) * _none_in(latency_s, rate_per_s)
    return 1 - right * (1 - han_loss) * (1 - loss) / (1 - loss * _none_in(period_s, rate_per_s))


def on_change_wrong_share(rate_per_s: float, loss: float, start_s: int, stop_s: int) -> float:
    """Mean share of records WRONG in [start, stop) when each change is told at once and lost with
    probability p (R5, or a hub's own record).

    WRONG means that there has been a change and the last one was not heard: p (1 − x^t) at second
    t, for a record RIGHT at 0; p in the long run.
    """
    unchanged = _none_in(start_s, rate_per_s) * _unchanged(rate_per_s, stop_s - start_s)
    return loss * (1 - unchanged)


def heartbeat_wrong_share(rate_per_s: float, period_s: int, loss: float) -> float:
    """R6: each change told at once, and the version every T, all of them lost with probability p.

    WRONG means that the report of the last change was lost, and every heartbeat since. The two are
    independent of each other, and the second is the event "WRONG" under heartbeats alone: the
    shares multiply.
    """
    return loss * periodic_wrong_share(rate_per_s, period_s, loss)


def read_wrong_share(rate_per_s: float, heard_per_s: float) -> float:
    """R1: a record refreshed when its device is read, which in any second happens with probability
    ρ (lost answers left out of it).

    A second with a read leaves the record RIGHT (a change of the same second comes before it); one
    with a change and no read leaves it WRONG; any other as it was. In the long run w = (1 − ρ) (λ +
    (1 − λ) w), so w = (1 − ρ) λ / (λ + ρ − λρ): λ / (λ + ρ) when both are rare.
    """
    return (1 - heard_per_s) * rate_per_s / (rate_per_s + heard_per_s - rate_per_s * heard_per_s)


def mean_episode_s(period_s: int, loss: float, latency_s: int = 0) -> float:
    """How long the record is WRONG after an isolated change: T/2 + T p/(1 − p) + d, less the half
    second between whole seconds and a continuous clock.

    The next report comes 0 … T−1 seconds after the change (in the same second, a change comes
    first); each one lost costs a period more.
    """
    return (period_s - 1) / 2 + period_s * loss / (1 - loss) + latency_s


def mean_staleness_s(rate_per_s: float, period_s: int, loss: float = 0.0) -> float:
    """Time-averaged staleness under a report every T.

    After a report the record is RIGHT with probability R = (1 − p)/(1 − pE). A spell then begins k
    = 1 … T seconds later with probability x^(k−1) (1 − x) and lasts L = T − k + T·G, G geometric
    with mean p/(1 − p); its integral of staleness is L²/2. Rate: one report a period.
    """
    k = np.arange(1, period_s + 1)
    begins = (1 - rate_per_s) ** (k - 1) * rate_per_s
    lost, lost_squared = loss / (1 - loss), loss * (1 + loss) / (1 - loss) ** 2
    squared = (
        (period_s - k) ** 2 + 2 * (period_s - k) * period_s * lost + period_s**2 * lost_squared
    )
    right = (1 - loss) / (1 - loss * _none_in(period_s, rate_per_s))
    return float(right * (begins * squared).sum() / 2 / period_s)


def mean_confirmation_age_s(period_s: int, loss: float, latency_s: int = 0) -> float:
    """Mean age of the latest report written: T (1 + p)/(2 (1 − p)) + d.

    Reports written are T·X apart, X geometric on 1, 2, …: the age is a saw-tooth from d, whose mean
    is d + T E[X²]/(2 E[X]).
    """
    return period_s * (1 + loss) / (2 * (1 - loss)) + latency_s
