"""The seconds around a server's fullest, in closed form: all report at once, and what they do then
is arithmetic.
"""

from __future__ import annotations

import pytest

from sim.tables import AROUND_PEAK_S
from tests.laws.storms import ALERT, REPORT, reboots, seen, storm, wan_out

HOMES, AT_S, TARGET_S = 1000, 1200, 5
COLUMNS = ["n_arrived", "n_served", "waiting_n", "n_late"]


def seconds(world, stage, kind=REPORT):
    """Return by second what happened at *stage* to *kind*: arrived, served, waiting, late."""
    rows = world.tables["around_peaks"]
    rows = rows[(rows["stage"] == stage) & (rows["kind"] == kind)]
    return {int(row.at_s): tuple(int(row[name]) for name in COLUMNS) for _, row in rows.iterrows()}


def drains(n, each, since_s, ages_s=0):
    """Return what happens where *n* come in one second, *ages_s* after they were raised, and *each*
    are served a second.
    """
    out = {}
    for k in range(-(-n // each)):
        served = min(each, n - k * each)
        late = served * (ages_s + k > TARGET_S)
        out[since_s + k] = (n * (k == 0), served, n - k * each - served, late)
    return out


@pytest.mark.parametrize("capacity", [1, 10, 30, 999, 1000])
def test_those_who_come_together_leave_one_capacity_a_second_and_late_from_the_target_on(capacity):
    world = seen(
        storm(
            homes=HOMES,
            length="1 h",
            period="6 h",
            phase={"at": "00:20"},
            network={"csp": {}, "dsp": {"capacity": f"{capacity} /s"}},
        )
    )

    found = seconds(world, "dsp")
    expected = drains(HOMES, capacity, AT_S)
    assert found == {s: row for s, row in expected.items() if s <= AT_S + AROUND_PEAK_S}
    assert seconds(world, "csp") == {AT_S: (HOMES, HOMES, 0, 0)}


@pytest.mark.parametrize("capacity", [None, "25 /s"])
def test_who_was_kept_by_a_link_is_late_wherever_it_comes(capacity):
    """Raised at 300 s, kept until 660 s: late at each stage, be it calm or crowded."""
    dsp = {} if capacity is None else {"capacity": capacity}
    world = seen(
        storm(
            homes=HOMES,
            length="1 h",
            period="6 h",
            phase={"at": "00:05"},
            faults=wan_out("1 min", "10 min"),
            network={"hub": {"buffer": 1}, "cell": {}, "csp": {}, "dsp": dsp, "user": {}},
        )
    )

    for stage in ("cell", "csp"):
        assert seconds(world, stage) == {660: (HOMES, HOMES, 0, HOMES)}
    assert seconds(world, "dsp") == drains(HOMES, HOMES if capacity is None else 25, 660, 360)
    users = seconds(world, "user")
    assert sum(served for _, served, _, _ in users.values()) == HOMES
    assert all(late == served for _, served, _, late in users.values())


def test_a_latency_beyond_the_target_makes_everybody_late_behind_it():
    network = {"csp": {"latency": f"{TARGET_S + 1} s"}, "dsp": {"latency": "1 s"}}
    world = seen(
        storm(homes=HOMES, length="1 h", period="6 h", phase={"at": "00:20"}, network=network)
    )

    assert seconds(world, "csp") == {AT_S: (HOMES, HOMES, 0, 0)}
    assert seconds(world, "dsp") == {AT_S + TARGET_S + 1: (HOMES, HOMES, 0, HOMES)}


@pytest.mark.parametrize("capacity", [None, 4])
@pytest.mark.parametrize("homes", [250, 70])
def test_of_cells_the_first_of_the_fullest_is_told(capacity, homes):
    """Homes are numbered through the cells: where there are more than one, the first is full."""
    each = min(homes, 100)
    world = seen(
        storm(
            homes=homes,
            length="1 h",
            period="6 h",
            phase={"at": "00:20"},
            estate={"premises_per_cell": 100},
            network={"cell": {} if capacity is None else {"capacity": f"{capacity} /s"}},
        )
    )

    assert seconds(world, "cell") == drains(each, capacity or each, AT_S)
    assert world.one("cells", "peak_1_n", region="north") == each


def test_what_comes_to_the_busiest_cell_afterwards_is_told_though_all_is_calm():
    """Every hub restarts a minute after the reports, and again after the quarter of an hour that is
    kept: its alert is not among those that make the peak, and is told until then.
    """
    world = seen(
        storm(
            homes=250,
            length="1 h",
            period="6 h",
            phase={"at": "00:20"},
            estate={"premises_per_cell": 100},
            alerts=(ALERT,),
            faults=reboots(AROUND_PEAK_S, start_s=AT_S + 60),
            network={"cell": {}},
        )
    )

    assert seconds(world, "cell") == {AT_S: (100, 100, 0, 0)}
    assert seconds(world, "cell", ALERT) == {AT_S + 61: (100, 100, 0, 0)}


def test_a_plain_day_keeps_a_quarter_of_an_hour_each_way():
    """Who comes to a stage that limits nobody leaves it in the same second; nothing that is further
    away is kept.
    """
    world = seen(
        storm(
            homes=HOMES,
            length="2 h",
            period="2 h",
            phase={"source": "hashed", "window": "2 h"},
            network={"dsp": {}},
        )
    )

    peak_s = world.one("peaks", "at_s", stage="dsp", kind="all", k_s=1)
    found = seconds(world, "dsp")
    assert min(found) >= peak_s - AROUND_PEAK_S
    assert max(found) <= peak_s + AROUND_PEAK_S
    passed = world.passed()
    assert found == {s: (n, n, 0, 0) for s, n in passed.items() if abs(s - peak_s) <= AROUND_PEAK_S}
