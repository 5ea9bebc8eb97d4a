"""Numbers as a working group reads them."""

from __future__ import annotations

from math import inf, nan

import pytest

from sim.metrics import Estimate
from sim.report.words import counted, duration, interval, listed, number, often, percent, rounded, span, tied


@pytest.mark.parametrize(
    ("value", "half_width", "text"),
    [
        (351160.0, 156.87, "351,160 ± 160"), (1.00490461, 0.01331, "1.005 ± 0.013"), (5147.2, 2300.0, "5,100 ± 2,300"), (0.0, 0.0, "0 ± 0"),
        (52.142857142857, 9.8e-15, "52.14 ± 0"), (-0.4, 3.0, "−0.4 ± 3.0"), (1415.6667, 6.2516, "1,415.7 ± 6.3"), (0.00004, 0.002, "0.0000 ± 0.0020"),
        (999.96, 0.0996, "999.960 ± 0.100"), (12.0, nan, "12 (no interval)"), (0.0123456, nan, "0.01235 (no interval)"), (365.0, 0.0, "365 ± 0"),
    ],
)  # fmt: skip
def test_a_value_is_rounded_to_what_its_interval_supports(value, half_width, text):
    """Two digits of half-width, and the value to the same place."""
    assert interval(Estimate(value, half_width, 3, "s")) == text


def test_shares_read_as_percentages_and_absence_as_a_dash():
    """A share is scaled together with its half-width."""
    assert percent(Estimate(0.00302817, 0.00021078, 5, "share")) == "0.303 ± 0.021 %"
    assert interval(Estimate(2.0, 0.5, 5, "d"), 1, "d") == "2.00 ± 0.50 d"
    assert percent(None) == "–"


def test_a_doubtful_interval_is_marked():
    """Where coverage is known to be poor, a dagger stands beside the number."""
    assert percent(Estimate(0.25, 0.1, 3, "share", caution="few")) == "25 ± 10 % †"
    assert interval(Estimate(7.0, 0.0, 3, "s", caution="equal"), 1, "s") == "7 ± 0 s †"
    assert interval(Estimate(7.0, nan, 1, "s")) == "7 (no interval)"


def test_numbers():
    """Thousands grouped, no exponents, a true minus."""
    assert [number(v) for v in (0, 1.5, 1234.5, 4_600_000.0, -2.25, 0.00123456, inf, nan)] == [
        "0", "1.5", "1,234", "4,600,000", "−2.25", "0.001235", "unlimited", "–",
    ]  # fmt: skip
    assert [number(v, d) for v, d in ((1234.5, -2), (0.04, 1), (-0.04, 1))] == ["1,200", "0.0", "0.0"]
    assert rounded(175.58, 3) == "176"


def test_times():
    """In the unit that reads best, exactly, and as a rate."""
    assert [duration(s) for s in (12, 119, 5670, 86_400 * 3)] == ["12 s", "119 s", "94.5 min", "3 days"]
    assert [span(s) for s in (86_380, 86_400, 0, 90_061)] == ["23 h 59 min 40 s", "1 d", "0 s", "1 d 1 h 1 min 1 s"]
    assert [often(s) for s in (86_400, 604_800, 43_200)] == ["a day", "a week", "every 12 h"]


def test_lists_and_counts():
    """British plurals, no comma before the last."""
    assert [listed(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert [counted(1, "rule"), counted(17, "rule")] == ["one rule", "17 rules"]


def test_no_line_ends_inside_a_quantity():
    """A number keeps its interval and its unit; words still part."""
    assert tied("12.3 ± 0.4 % of 25 s and 3 messages") == "12.3\u00a0±\u00a00.4\u00a0% of 25\u00a0s and 3 messages"
