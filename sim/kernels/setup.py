"""What the network's kernels are told before the first step, and what it is called."""

from __future__ import annotations

from enum import IntEnum, unique
from typing import Final, NamedTuple

import numpy as np

from sim.kernels.stepping import record


@unique
class Key(IntEnum):
    """Places in `Setup.keys`."""

    RANK = 0
    WAIT = 1
    BARRED = 2
    BAR = 3


BUDGET: Final = record([
    ("firsts", "i8"),       # first attempts of the seconds before this one that it counts
    ("firsts_now", "i8"),   # of this second
    ("retries", "i8"),      # attempts after the first, of the seconds before
    ("retries_now", "i8"),  # of this second
])  # fmt: skip


ATTEMPTS: Final = record([
    ("firsts", "i4"),   # first attempts of a second
    ("retries", "i4"),  # its attempts after the first
])  # fmt: skip


class RetryTerms(NamedTuple):
    """How a sender tries again: seconds *base_s*, *factor* and *most_s* of the back-off with its
    *jitter* (`Backoff`), *cap* on how often, *timeout_s* (-1: none) and *budget*, a share in 2^32
    of the first attempts (-1: none).
    """

    base_s: int
    factor: int
    most_s: int
    jitter: int
    cap: int
    timeout_s: int
    budget: int


class Setup(NamedTuple):
    """What does not change within an interval. Seconds: *horizon_s*, *warm_up_s*, the interval's
    end, *stop_s*, the start of its day, *day_start_s*, and *latency_s* of all stages before the
    SMI's door. The first *n_anonymous* kinds have no names; of *n_stages* the first *n_open* are
    before the door. Whether there are users behind it (*has_users*), hubs keep what meets a link
    that is down (*hubs_keep*), every message is told (*is_traced*), homes of anonymous messages
    matter (*homes_matter*), and every second of cells does (*cells_watched*).

    *stages* (`STAGE`), int8 *levels* and int64 *sizes* in bytes (both stage × kind), *outages*,
    *retry* (`RetryTerms`) and bool *retried* kinds, stream *keys* and *home_keys* by kind; by kind
    int64 *kind_user* (-1: its home's), *targets*, bool *gasps* (no darkness stops it) and *central*
    (made at the DSP, no stage before it sees it); int64 *premises_first* of each region in uint8
    *user_of* and int32 *dark_until*. What *budget* (`BUDGET`) holds by region does change, and so
    does *made* (`ATTEMPTS`), by region and second of the budget's window, turn by turn (no seconds:
    it counts all since the world began).
    """

    horizon_s: int
    warm_up_s: int
    stop_s: int
    day_start_s: int
    latency_s: int
    n_anonymous: int
    n_stages: int
    n_open: int
    has_users: bool
    hubs_keep: bool
    is_traced: bool
    homes_matter: bool
    cells_watched: bool
    premises_per_cell: int
    stages: np.ndarray
    levels: np.ndarray
    sizes: np.ndarray
    outages: np.ndarray
    retry: RetryTerms
    retried: np.ndarray
    keys: np.ndarray
    home_keys: np.ndarray
    kind_user: np.ndarray
    targets: np.ndarray
    gasps: np.ndarray
    central: np.ndarray
    premises_first: np.ndarray
    user_of: np.ndarray
    dark_until: np.ndarray
    budget: np.ndarray
    made: np.ndarray
