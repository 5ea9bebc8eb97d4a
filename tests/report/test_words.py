"""Numbers as a working group reads them."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import pytest

from sim.metrics import Condition, Estimate, estimate
from sim.report.words import (
    counted,
    duration,
    interval,
    listed,
    number,
    often,
    once,
    percent,
    rounded,
    span,
    tied,
    time_of,
)


@pytest.mark.parametrize(
    ("value", "half_width", "text"),
    [
        (351160.0, 156.87, "351,160 ± 160"),
        (1.00490461, 0.01331, "1.005 ± 0.013"),
        (5147.2, 2300.0, "5,100 ± 2,300"),
        (0.0, 0.0, "0"),
        (52.142857142857, 9.8e-15, "52.14"),
        (-0.4, 3.0, "−0.4 ± 3.0"),
        (1415.6667, 6.2516, "1,415.7 ± 6.3"),
        (0.00004, 0.002, "0.0000 ± 0.0020"),
        (999.96, 0.0996, "999.960 ± 0.100"),
        (12.0, nan, "12 (no interval)"),
        (0.0123456, nan, "0.01235 (no interval)"),
        (365.0, 0.0, "365"),
    ],
)
def test_a_value_is_rounded_to_what_its_interval_supports(value, half_width, text):
    """Two digits of half-width, and the value to the same place."""
    assert interval(Estimate(value, half_width, 3, "s")) == text


def test_whom_numbers_speak_of_is_said_once_in_a_sentence():
    """Again in the next sentence, and where it is of others."""
    of = "(of the 91 % of device time with a record)"

    assert (
        once(f"A 2 % {of}, B 3 % {of} and C 4 % (of the 5 % that came).")
        == f"A 2 % {of}, B 3 % and C 4 % (of the 5 % that came)."
    )
    assert once(f"A 2 % {of}. B 3 % {of}.") == f"A 2 % {of}. B 3 % {of}."


@pytest.mark.parametrize(
    ("days", "text"), [(11.3, "11.3 ± 1.1 d"), (1.5, "36.0 ± 3.6 h"), (0.034, "49.0 ± 4.9 min")]
)
def test_a_time_is_in_the_unit_that_reads_best(days, text):
    """With its interval in the same."""
    assert time_of(Estimate(days, days / 10, 5, "d"), 86_400) == text


def test_shares_read_as_percentages_and_absence_as_a_dash():
    """A share is scaled together with its half-width."""
    assert percent(Estimate(0.00302817, 0.00021078, 5, "share")) == "0.303 ± 0.021 %"
    assert interval(Estimate(2.0, 0.5, 5, "d"), 1, "d") == "2.00 ± 0.50 d"
    assert percent(None) == "–"


@pytest.mark.parametrize(
    ("value", "bounds", "text"),
    [
        (0.0013, (0.0, 0.004), "0.13 % (0 to 0.40 %)"),  # ± would go below nought
        (0.98, (0.95, 1.0), "98.0 % (95.0 to 100.0 %)"),
        (0.99, (0.98, 1.0), "99.0 ± 1.0 %"),
        # a little lopsided: fewer digits
        (0.2, (0.16, 0.2405), "20.0 ± 4.0 %"),
        (0.2, (0.16, 0.2455), "20 ± 4 %"),
        (0.2, (0.16, 0.28), "20.0 % (16.0 to 28.0 %)"),
        (0.5, (0.5, 0.5), "50 %"),
    ],
)
def test_a_lopsided_interval_is_never_said_as_plus_or_minus(value, bounds, text):
    """Its ends are said, and no end leaves the range of its unit."""
    low, high = bounds
    assert percent(Estimate(value, (high - low) / 2, 5, "share", bounds=bounds)) == text


def test_a_number_never_stands_without_whom_it_speaks_of():
    """The share of all beside it, and in how many replications; nothing where that is all."""
    few = Condition(0.0123, "messages that arrive")
    assert (
        interval(Estimate(2.0, 0.5, 5, "d", condition=few))
        == "2.00 ± 0.50 (of the 1.23 % of messages that arrive)"
    )
    assert (
        interval(Estimate(2.0, 0.5, 5, "d", condition=Condition(0.9996, "messages that arrive")))
        == "2.00 ± 0.50"
    )
    assert (
        interval(Estimate(2.0, 0.5, 3, "d", replications=5))
        == "2.00 ± 0.50 (in 3 of 5 replications)"
    )
    both = Condition(0.5, "jobs that end", 0.25)
    assert (
        interval(Estimate(2.0, 0.5, 3, "d", condition=both))
        == "2.00 ± 0.50 (of the 50 % and 25 % of jobs that end)"
    )


def test_what_is_never_reached_says_so():
    """Infinity has no interval; in how many replications, where not in all."""
    assert (
        interval(Estimate(inf, nan, 3, "s", never="not reached by 99 %"), 1, "s")
        == "not reached by 99 %"
    )
    some = estimate([1.0, inf, 3.0], "s")
    assert interval(replace(some, never="not drained")) == "not drained in 1 of 3 replications"
    assert interval(Estimate(7.0, nan, 1, "s")) == "7 (no interval)"


def test_numbers():
    """Thousands grouped, no exponents, a true minus."""
    assert [number(v) for v in (0, 1.5, 1234.5, 4_600_000.0, -2.25, 0.00123456, inf, nan)] == [
        "0",
        "1.5",
        "1,234",
        "4,600,000",
        "−2.25",
        "0.001235",
        "unlimited",
        "–",
    ]
    assert [number(v, d) for v, d in ((1234.5, -2), (0.04, 1), (-0.04, 1))] == [
        "1,200",
        "0.0",
        "0.0",
    ]
    assert rounded(175.58, 3) == "176"


def test_times():
    """In the unit that reads best, exactly, and as a rate."""
    assert [duration(s) for s in (12, 119, 5670, 86_400 * 3)] == [
        "12 s",
        "119 s",
        "94.5 min",
        "3 days",
    ]
    assert [span(s) for s in (86_380, 86_400, 0, 90_061)] == [
        "23 h 59 min 40 s",
        "1 d",
        "0 s",
        "1 d 1 h 1 min 1 s",
    ]
    assert [often(s) for s in (86_400, 604_800, 43_200)] == ["a day", "a week", "every 12 h"]


def test_lists_and_counts():
    """British plurals, no comma before the last."""
    assert [listed(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert [counted(1, "rule"), counted(17, "rule")] == ["one rule", "17 rules"]


def test_no_line_ends_inside_a_quantity():
    """A number keeps its interval and its unit; words still part."""
    assert (
        tied("12.3 ± 0.4 % of 25 s and 3 messages")
        == "12.3\u00a0±\u00a00.4\u00a0% of 25\u00a0s and 3 messages"
    )
