"""Capacities in bytes, and server by server (docs/model.md section 7)."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import count
from math import floor

import pandas as pd
import pytest

from sim.metrics import METRICS, Window
from tests.laws.worlds import delays, tables_of

AT_S = 2 * 3600
CLOCK = {
    "reporting.rule": "periodic",
    "reporting.phase": '{source: fixed_clock, at: "02:00"}',
    "updates.policy": "ota_only",
    "estate.premises": 100,
}
SIZE_B = 132  # of a version report
XML_B = 1701 + 4 * 44  # of the same to a user: the wrapper, and 132 B in base64


def through(capacity, stage="dsp", **more):
    """Return the tables of 100 reports in one second through one stage."""
    return tables_of(CLOCK | {"network": f"[{{stage: {stage}, capacity: {capacity}}}]"} | more)


def first_slot(rate: Fraction, bytes_: int) -> int:
    """Return how many seconds after the clock struck *rate* has allowed so many bytes."""
    done = floor(AT_S * rate)
    return next(s for s in count() if floor((AT_S + s + 1) * rate) - done >= bytes_)


@pytest.mark.parametrize("rate", ["100", "131.5", "132", "250", "1000", "7000", "132.25"])
def test_a_queue_is_served_at_its_rate_of_bytes(rate):
    """The k-th of them departs in the first slot by which k messages' bytes were allowed, to the
    second.
    """
    found = delays(through(f"{rate} B/s"), "dsp")

    expected = [first_slot(Fraction(rate), SIZE_B * k) for k in range(1, 101)]
    assert found == Counter(expected)


def test_bytes_and_messages_are_one_where_all_are_alike():
    """1,320 B/s are ten reports a second: every table is the same."""
    in_bytes = through("1320 B/s")
    for name, table in through("10 /s").items():
        pd.testing.assert_frame_equal(table, in_bytes[name], check_exact=True, obj=name)


def test_a_user_is_served_in_the_bytes_of_its_own_messages():
    """DUIS is fourteen times as long as GBCS: one user's own bandwidth passes one of them a second.
    """
    one_user = {
        "estate.users": (
            "{small: 100 %, " + ", ".join(f"large_{letter}: null" for letter in "abcdef") + "}"
        )
    }
    assert delays(through(f"{XML_B} B/s", "user", **one_user), "user") == dict.fromkeys(
        range(100), 1
    )
    assert delays(through(f"{100 * XML_B} B/s", "user", **one_user), "user") == {0: 100}


def test_over_capacity_counts_bytes():
    """One slot has all hundred; 13,200 B are enough, one less is not."""
    for rate, seconds in (("13200 B/s", 0), ("13199 B/s", 1)):
        stages = through(rate)["stages"]
        assert stages["over_capacity_s"].sum() == seconds
        assert stages["capacity_per_s"].tolist() == [float(Fraction(rate.split()[0]) / SIZE_B)]


def test_one_region_halved_leaves_the_others_alone():
    """The north queues twice as long; what the central and the south see is the same to the digit.
    """
    regions = {
        "estate.regions": "{north: 40 %, central: 30 %, south: 30 %}",
        "estate.premises": 300,
    }
    even = through("4 /s", "csp", **regions)
    halved = through("{north: 2 /s, others: 4 /s}", "csp", **regions)
    for name in ("stages", "arrivals", "peaks", "timeline"):
        mine, theirs = (
            tables[name][tables[name]["server"] != "north"] for tables in (even, halved)
        )
        pd.testing.assert_frame_equal(mine, theirs, check_exact=True, obj=name)
    waited = [
        tables["stages"].set_index("server").loc["north", "waiting_s"] for tables in (even, halved)
    ]
    assert waited == [29, 59]


def test_buffers_and_rows_are_given_server_by_server():
    """Nobody may wait in the north, everybody elsewhere; a shape holds the south down."""
    regions = {
        "estate.regions": "{north: 40 %, central: 30 %, south: 30 %}",
        "estate.premises": 300,
    }
    stage = (
        "[{stage: csp, capacity: 10 /s, buffer: {north: 0, others: 1_000},"
        " mitigations: [{kind: shape, rate: {south: 1 /s, others: 50 /s}}]}]"
    )
    stages = tables_of(CLOCK | regions | {"network": stage})
    fates = stages["fates"]
    by_server = stages["stages"].set_index("server")["waiting_s"]
    assert fates[fates["fate"] == "refused"]["n"].sum() == 120 - 10
    assert by_server.to_dict() == {"central": 8, "north": 0, "south": 89}


def test_a_region_without_capacity_hides_no_other():
    """What uses how much of its capacity is told of those that have one."""
    regions = {
        "estate.regions": "{north: 40 %, central: 30 %, south: 30 %}",
        "estate.premises": 300,
    }
    closed = through("{north: 0 /s, others: 10 /s}", "csp", **regions)
    shares = METRICS["csp_load_share"].measure(closed, Window(0, 86_400))
    assert set(shares) == {"central", "south", "all"}
    assert shares["south"] == pytest.approx(90 / 864_000)
