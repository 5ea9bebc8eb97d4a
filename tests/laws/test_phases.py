"""The storm is made by phase and not by count (S1-18): how many reports meet in one second, one
minute and one quarter of an hour.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.laws.significance import FALSE_ALARM, agrees, largest_of
from tests.laws.worlds import DAY_S, peak, replications, tables_of

N = 60_000
DAILY = {
    "estate.premises": N,
    "reporting.rule": "periodic",
    "network": "[{stage: csp}, {stage: dsp}]",
}


def counted_by_quarter(table: pd.DataFrame) -> dict[int, int]:
    """Return the arrivals at the DSP by quarter of an hour."""
    at_dsp = table[table["stage"] == "dsp"]
    return dict(zip(at_dsp["quarter"], at_dsp["n"], strict=True))


def phase(**fields: object) -> dict[str, object]:
    """Return the daily report under a phase."""
    return DAILY | {f"reporting.phase.{name}": value for name, value in fields.items()}


def test_locked_to_a_clock_all_report_in_one_second():
    """Everyone at 02:00:00 of each day, and nobody else ever."""
    tables = tables_of(phase(source="fixed_clock", at="02:00") | {"window.length": "3 d"})

    assert peak(tables, 1) == (N, 7200)
    # one quarter of an hour of the day, at both stages
    assert tables["arrivals"]["n"].tolist() == [3 * N, 3 * N]
    assert set(tables["arrivals"]["quarter"]) == {8}


@pytest.mark.parametrize(("start", "at", "quarters"), [
    ("2026-03-27", "02:30", [10, 10, 6, 6, 6]),  # 02:30 in summer is 01:30 of UTC
    # does not exist on the 29th: as the clock moves, at 01:00 of UTC
    ("2026-03-27", "01:30", [6, 6, 4, 2, 2]),
    ("2026-10-24", "01:30", [6, 6, 10, 10, 10]),  # comes twice on the 25th: the first counts
    ("2026-10-24", "02:30", [10, 14, 14, 14, 14]),
])  # fmt: skip
def test_a_fixed_clock_follows_british_time(start, at, quarters):
    """Counted from 00:00 British time of the first day; by UTC nothing moves."""

    def found(clock: str) -> list[int]:
        fields = phase(source="fixed_clock", at=at) | {
            "window.start": start,
            "window.clock": clock,
            "estate.premises": 600,
        }
        arrivals = counted_by_quarter(
            tables_of(fields | {"window.length": f"{len(quarters)} d"})["arrivals"]
        )
        return sorted(quarter for quarter, n in arrivals.items() for _ in range(n // 600))

    assert found("local") == sorted(quarters)
    assert found("utc") == quarters[:1] * len(quarters)


@pytest.mark.parametrize(("start", "at"), [("2026-03-29", "01:10"), ("2026-10-25", "02:10")])
def test_what_leaves_before_the_end_does_not_hang_on_when_the_end_is(start, at):
    """Early reports of a time after the move of a clock, which comes after the end of the shorter
    window.
    """
    fields = phase(source="fixed_clock", at=at, jitter="15 min") | {
        "window.start": start,
        "window.clock": "local",
        "estate.premises": 300,
    }
    move_s = 3600 if start.startswith("2026-03") else 7200

    def left(length_s: int) -> dict[int, int]:
        table = tables_of(fields | {"window.length": f"{length_s} s"})["arrivals"]
        return counted_by_quarter(table)

    short, long = left(move_s), left(move_s + 900)
    assert (sum(short.values()) > 0) == start.startswith("2026-03")
    assert {quarter: n for quarter, n in long.items() if quarter < move_s // 900} == short


@pytest.mark.parametrize("jitter_s", [1, 10, 60, 300, 1800])
def test_a_fixed_clock_with_jitter_spreads_over_twice_the_jitter(jitter_s):
    """N/(2J) a second: the largest second lies where the largest of 2J binomial counts does, and
    within [at − J, at + J).
    """
    tables = tables_of(phase(source="fixed_clock", at="03:00", jitter=f"{jitter_s} s"))

    n, at_s = peak(tables, 1)

    low, high = largest_of(2 * jitter_s, N, 1 / (2 * jitter_s))
    assert low <= n <= high
    assert -jitter_s <= at_s - 3 * 3600 < jitter_s
    assert tables["arrivals"]["n"].sum() == 2 * N


@pytest.mark.parametrize("window_s", [60, 300, 3600, 7200, DAY_S])
def test_hashed_senders_spread_evenly_over_the_window(window_s):
    """The largest second and minute are those of a Poisson stream; with a day's window every
    quarter has its share.
    """
    tables = tables_of(phase(source="hashed", at="00:00", window=f"{window_s} s"))

    for k_s in (1, 60):
        low, high = largest_of(window_s // k_s, N, k_s / window_s)
        assert low <= peak(tables, k_s)[0] <= high
    if window_s == DAY_S:
        quarters = tables["arrivals"][tables["arrivals"]["stage"] == "dsp"]["n"]
        assert stats.chisquare(quarters).pvalue > FALSE_ALARM


def test_hashed_senders_keep_their_second():
    """A sender's place comes from its identity: the second day repeats the first."""
    one, two = (
        tables_of(phase(source="hashed", at="05:30", window="2 h") | {"window.length": f"{days} d"})
        for days in (1, 2)
    )

    assert peak(one, 1) == peak(two, 1)
    assert (2 * one["arrivals"]["n"] == two["arrivals"]["n"]).all()


def test_timers_that_start_with_the_power_are_spread_until_there_is_a_cut():
    """Every device came on at a moment of its own."""
    tables = tables_of(phase(source="power_on"))

    low, high = largest_of(DAY_S, N, 1 / DAY_S)
    assert low <= peak(tables, 1)[0] <= high


@pytest.mark.parametrize("restoration_s", [60, 600, 900, 3600])
def test_a_power_cut_packs_a_region_into_its_restoration(restoration_s):
    """The day after, N devices report in as long as their power took to come back: N ÷ restoration
    a second. The other region notices nothing.
    """
    regions = {
        "estate.regions": "{north: 50 %, central: 50 %, south: 0 %}",
        "estate.premises": 2 * N,
    }
    cut = (
        f"[{{region: north, share: 100 %, start: 5 h, duration: 1 h, restoration: {restoration_s}"
        " s}]"
    )

    tables = tables_of(
        phase(source="power_on") | regions | {"faults.power_cuts": cut, "window.length": "2 d"}
    )

    for k_s in (1, 60, 900):
        n, at_s = peak(tables, k_s, stage="csp", server="north")
        low, high = largest_of(max(1, restoration_s // k_s), N, min(1.0, k_s / restoration_s))
        assert low <= n <= high
        assert DAY_S + 6 * 3600 <= at_s < DAY_S + 6 * 3600 + restoration_s
    spread = largest_of(2 * DAY_S, N, 1 / DAY_S)
    assert spread[0] <= peak(tables, 1, stage="csp", server="central")[0] <= spread[1]


def test_a_release_packs_activation_timers():
    """Timers that start at the change inherit the curve of installation: the fraction of a day's
    devices that installed in the busiest quarter.
    """
    settings = phase(source="activation") | {
        "updates.local": "{driver: releases, rate: 1 /year, first_release: 0 s, delay: 1 h}",
        "window.length": "1 d",
        "window.warm_up": "1 d",
    }

    tables = tables_of(settings)

    first_quarter = -np.expm1(-900 / 3600)
    n, at_s = peak(tables, 900)
    assert at_s == DAY_S
    assert n == pytest.approx(N * first_quarter, abs=5.1 * np.sqrt(N * first_quarter))


@pytest.mark.parametrize("jitter_s", [0, 5, 600])
def test_jitter_moves_reports_and_makes_none(jitter_s):
    """One report a day and device, however much it strays (a day's border apart, which jitter may
    cross).
    """
    settings = phase(source="hashed", at="06:00", window="6 h", jitter=f"{jitter_s} s") | {
        "window.length": "4 d"
    }

    counts = [
        tables["arrivals"].query("stage == 'dsp'")["n"].sum()
        for tables in replications(settings, 2)
    ]

    assert counts == [4 * N, 4 * N]


def test_the_mean_of_a_jittered_clock_is_its_time():
    """Uniform on [−J, J): a quarter of the reports leaves in each quarter of the interval."""
    settings = phase(source="fixed_clock", at="12:00", jitter="30 min")

    shares = [
        tables["arrivals"].query("stage == 'dsp'").set_index("quarter")["n"] / N
        for tables in replications(settings, 12)
    ]

    assert all(set(share.index) == {46, 47, 48, 49} for share in shares)
    for quarter in (46, 47, 48, 49):
        assert agrees((share[quarter] for share in shares), 0.25)
