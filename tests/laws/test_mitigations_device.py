"""What a device can do, each with its law: H8. The list of all mitigations and their laws is
`docs/mitigations.md`.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.laws.storms import REPORT, chatter_world, differing, largest_share, seen, storm

HOMES = 2000


def test_hashed_phase_spreads_a_storm_over_its_window():
    """On one clock all N report in one second. Hashed over W seconds they still all do, no sooner
    and no later, and no second has more than chance allows.
    """
    fixed = seen(storm(homes=HOMES, length="1 h", period="1 h", network={"dsp": {}}))
    hashed = seen(
        storm(
            homes=HOMES,
            length="1 h",
            period="1 h",
            phase={"source": "hashed", "window": "10 min"},
            network={"dsp": {}},
        )
    )

    assert fixed.passed() == {0: HOMES}
    assert hashed.passed().total() == HOMES
    assert set(hashed.passed()) <= set(range(600))
    low, high = largest_share(600, HOMES)
    assert low <= max(hashed.passed().values()) <= high


def jittered(window_s: int) -> Counter[int]:
    """Return how many of 2,000 reports due at 0 leave in each second under a jitter of *window_s*.
    """
    rows = [{"kind": "jitter", "window": f"{window_s} s"}]
    return seen(
        storm(homes=HOMES, length="1 h", period="1 h", network={"device": rows, "dsp": {}})
    ).passed()


def test_more_jitter_never_raises_the_one_second_peak():
    """A wait is ⌊u W⌋. Under k times the window it is ⌊u k W⌋, and ⌊⌊u k W⌋ / k⌋ = ⌊u W⌋: each
    second splits into k, and no part exceeds its whole.
    """
    windows = (1, 2, 6, 30, 60, 600, 3600)

    leaving = {window: jittered(window) for window in windows}

    assert leaving[1] == {0: HOMES}
    for narrow, wide in zip(windows, windows[1:], strict=False):
        merged: Counter[int] = Counter()
        for second, n in leaving[wide].items():
            merged[second * narrow // wide] += n
        assert merged == leaving[narrow]
        assert (
            max(leaving[wide].values())
            <= max(leaving[narrow].values())
            <= max(leaving[wide].values()) * (wide // narrow)
        )


@pytest.mark.parametrize("window_s", [7, 60, 100, 450])
def test_jitter_delays_each_by_less_than_its_window_and_loses_none(window_s):
    """Uniform: no second holds more than the largest of W binomials."""
    leaving = jittered(window_s)

    assert leaving.total() == HOMES
    assert set(leaving) <= set(range(window_s))
    low, high = largest_share(window_s, HOMES)
    assert low <= max(leaving.values()) <= high


@pytest.mark.parametrize("burst", [1, 2, 5])
def test_a_token_bucket_lets_a_burst_pass_and_then_one_per_token(burst):
    """Messages every 10 s, a token every 60 s: at 0, 10, … the burst, then at 60, 120, …; the
    others are throttled where they are made.
    """
    rows = [{"kind": "token_bucket", "every": "60 s", "burst": burst}]
    world = seen(
        storm(homes=3, length="10 min", period="10 s", network={"device": rows, "dsp": {}})
    )

    expected = [10 * k for k in range(burst)] + [60 * k for k in range(1, 10)]
    assert list(world.times().values()) == 3 * [expected]
    assert world.fates(at="device") == {"throttled": 3 * (60 - burst - 9)}
    assert world.row("token_bucket") == 3 * (60 - burst - 9)


@pytest.mark.parametrize(("every_s", "burst"), [(60, 1), (60, 4), (300, 2)])
def test_a_token_bucket_never_passes_more_than_burst_and_tokens(every_s, burst):
    """However a device chatters: from any message passed to any later one, t seconds on, at most
    burst + t / every pass; and what is throttled had to be.
    """
    rows = [{"kind": "token_bucket", "every": f"{every_s} s", "burst": burst}]
    world = chatter_world(device=rows)

    for times in world.times("chatters").values():
        assert all(
            j - i + 1 <= burst + (times[j] - times[i]) // every_s
            for i in range(len(times))
            for j in range(i, len(times))
        )
    throttled = world.of("chatters", "throttled")
    for message in throttled:  # the tokens of some span that ends now are spent
        times = [t for t in world.times("chatters")[message.sender] if t <= message.raised_s]
        assert any(
            len(times) - i >= burst + (message.raised_s - times[i]) / every_s - 1
            for i in range(len(times))
        )
    assert throttled


def test_a_token_bucket_leaves_alone_who_sends_no_faster_than_tokens_come():
    """Messages every 60 s, a token every 60 s, burst 1: the world is the same as without it, but
    for nothing.
    """
    rows = [{"kind": "token_bucket", "every": "60 s", "burst": 1}]
    with_it, without = (
        seen(storm(period="60 s", length="20 min", network={"device": stage, "dsp": {}}))
        for stage in (rows, [])
    )

    assert differing(with_it, without) == []
    assert with_it.fates(REPORT) == {"delivered": 200}
