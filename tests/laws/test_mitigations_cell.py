"""What a WAN cell can do, each with its law: H8."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.laws.storms import REPORT, Seen, largest_share, seen, storm, wan_out

HOMES = 1000


def returning(spread_s: int | None) -> Counter[int]:
    """Return when homes send a report each, kept while the link was down from 1 min to 11 min and
    due to leave as it returns.
    """
    rows = [] if spread_s is None else [{"kind": "staggered_reconnect", "spread": f"{spread_s} s"}]
    network = {"hub": {"buffer": 1}, "cell": rows, "dsp": {}}
    world = seen(
        storm(
            homes=HOMES,
            length="2 h",
            period="6 h",
            phase={"at": "00:05"},
            faults=wan_out("1 min", "10 min"),
            network=network,
        )
    )
    assert world.fates() == {"delivered": HOMES}
    return world.passed()


def test_without_it_all_send_as_the_link_returns():
    """The worst second there can be."""
    assert returning(None) == returning(1) == {660: HOMES}


@pytest.mark.parametrize("spread_s", [20, 600])
def test_staggered_reconnection_lets_nobody_in_before_and_all_in_within_its_spread(spread_s):
    """None before 660 s, none after the spread, none lost, and no second with more than chance puts
    there: N / spread and its allowance.
    """
    back = returning(spread_s)

    assert set(back) <= set(range(660, 660 + spread_s))
    low, high = largest_share(spread_s, HOMES)
    assert low <= max(back.values()) <= high


def test_a_wider_spread_never_raises_the_peak():
    """As for jitter: ⌊⌊u k S⌋ / k⌋ = ⌊u S⌋, so that each second splits into k."""
    spreads = (1, 4, 20, 600, 3600)
    backs = {spread: returning(spread) for spread in spreads}

    for narrow, wide in zip(spreads, spreads[1:], strict=False):
        merged: Counter[int] = Counter()
        for second, n in backs[wide].items():
            merged[660 + (second - 660) * narrow // wide] += n
        assert merged == backs[narrow]
        assert max(backs[wide].values()) <= max(backs[narrow].values())


def barred(rows, capacity="3 /s") -> Seen:
    """Return what becomes of five reports a second, for 100 s, at a cell of 3 a second."""
    network = {
        "device": [{"kind": "token_bucket", "every": "2 h", "burst": 100}],
        "cell": {"capacity": capacity, "mitigations": rows},
        "dsp": {},
    }
    return seen(storm(homes=5, length="20 min", period="1 s", network=network))


@pytest.mark.parametrize(
    ("above", "share", "hold_s"),
    [(0, 1.0, 1), (0, 1.0, 60), (5, 1.0, 10), (5, 0.5, 10), (40, 1.0, 30)],
)
def test_access_barring_loses_none_and_keeps_the_queue_short(above, share, hold_s):
    """All that come are served in the end. Where all are barred while more than *above* wait, no
    more wait than *above* and what comes in one slot; and in any case no more than without.
    """
    without = barred([])
    world = barred(
        [{"kind": "access_barring", "above": above, "share": share, "hold": f"{hold_s} s"}]
    )

    assert without.fates() == world.fates() == {"delivered": 500, "throttled": 5 * 1200 - 500}
    assert world.row("access_barring", "n_put_off") > 0
    peak = world.one("stages", "peak_waiting_n", stage="cell")
    most = world.one("peaks", "peak_n", stage="cell", kind=REPORT, k_s=1)
    assert peak <= without.one("stages", "peak_waiting_n", stage="cell") == 200
    assert peak <= above + most or share < 1
    assert world.one("delays", "n", stage="cell", kind=REPORT, delay_s=0) > 0
    # one that is put off has not come
    assert world.tables["arrivals"].query("stage == 'cell'")["n"].sum() == 500


def test_a_cell_that_is_not_crowded_bars_nobody():
    """As many wait as *above*, and not one more."""
    world = barred([{"kind": "access_barring", "above": 200, "share": 1.0, "hold": "1 min"}])

    assert world.messages == barred([]).messages
    assert world.row("access_barring", "n_put_off") == 0


def test_cells_do_not_share_their_capacity():
    """Ten cells of 10 homes at one a second each: every cell takes its own ten slots, as one home
    alone takes none.
    """
    scenario = storm(
        homes=100,
        length="10 min",
        period="1 h",
        estate={"premises_per_cell": 10},
        network={"cell": {"capacity": "1 /s"}, "dsp": {}},
    )

    assert Counter(seen(scenario).waits()) == dict.fromkeys(range(10), 10)
