"""Quantities as text and back: what is read, what is refused, and with which words."""

from __future__ import annotations

import ast
import datetime
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim import units
from tests.house.source import MODULES, tree


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2000 ms", 2),
        ("0 s", 0),
        ("15 min", 900),
        ("15min", 900),
        ("1.5 h", 5400),
        ("1 d", 86_400),
        ("2 w", 1_209_600),
        ("20_000 s", 20_000),
        ("0.5 min", 30),
    ],
)
def test_durations_become_whole_seconds(text, seconds):
    assert units.parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "per_s"),
    [
        ("4600 /s", Fraction(4600)),
        ("4600/s", Fraction(4600)),
        ("4 /year", Fraction(4, 31_536_000)),
        ("0.955794 /d", Fraction(955_794, 86_400_000_000)),
    ],
)
def test_rates_are_exact_fractions_per_second_of_a_365_day_year(text, per_s):
    assert units.parse_rate(text) == per_s


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("132 B", 132),
        ("256 kB", 256_000),
        ("1.5 MB", 1_500_000),
        ("1 GB", 10**9),
        ("2 KiB", 2048),
        ("1 MiB", 2**20),
    ],
)
def test_sizes_become_bytes(text, size):
    assert units.parse_size(text) == size


@pytest.mark.parametrize(
    ("value", "share"),
    [
        ("7 %", 0.07),
        ("0.7%", 0.007),
        (0.07, 0.07),
        (1, 1.0),
        ("100 %", 1.0),
        (0, 0.0),
        ("0 %", 0.0),
    ],
)
def test_shares_are_percentages_or_bare_fractions(value, share):
    assert units.parse_share(value) == share


@pytest.mark.parametrize(
    ("value", "number"), [("20_000_000", 20_000_000), (5, 5), (0, 0), ("1_000", 1000)]
)
def test_counts_take_digit_groups(value, number):
    assert units.parse_count(value) == number


@pytest.mark.parametrize(("text", "second"), [("00:00", 0), ("02:00", 7200), ("23:59:59", 86_399)])
def test_times_of_day_become_seconds(text, second):
    assert units.parse_time_of_day(text) == second
    assert units.format_time_of_day(second) == text


def test_dates_are_days_of_the_calendar():
    assert units.parse_date("2024-02-29") == datetime.date(2024, 2, 29)
    with pytest.raises(ValueError, match="not a day of the calendar"):
        units.parse_date("2026-02-29")


REFUSED = {
    units.parse_duration: {
        3600: "has no unit",
        "3600": "has no unit",
        "5 m": r"did you mean 5 min\?",
        "5 M": r"did you mean 5 min\?",
        "5 days": r"did you mean 5 d\?",
        "5d 3h": "not one number and one unit",
        "1e3 s": "not one number and one unit",
        "9**9**9 s": "not one number and one unit",
        "nan d": "not a duration",
        "inf s": "not a duration",
        "٥ d": "not a duration",
        "５ d": "not a duration",
        "5\u00a0d": "is not a unit",
        " 5 d": "not a duration",
        "5 d\n": "not a unit|not a dur",
        "-5 d": "is negative",
        "+5 d": r"did you mean 5 d\?",
        "500 ms": "whole number of seconds",
        "1.2.3 d": "not one number",
        ".5 d": "not a duration",
        "": "not a duration",
        "1_00 s": "not a unit|not one number",
        "5 kB": "not a unit of a duration",
        True: "not a duration",
        None: "nothing is not a duration",
        "9" * 401 + " s": "not a duration",
    },
    units.parse_rate: {
        4: "has no unit",
        "4 s": "not a unit of a rate",
        "4 /y": r"did you mean 4 /year\?",
        "4 Hz": r"did you mean 4 /s\?",
        "-1 /s": "is negative",
    },
    units.parse_size: {
        132: "has no unit",
        "7 kb": r"did you mean 7 kB\?",
        "7 KB": r"did you mean 7 kB\?",
        "0.5 B": "whole number of bytes",
        "1 kbit": "not a unit",
    },
    units.parse_share: {
        25: r"did you mean 25 %\?",
        1.5: r"did you mean 1.5 %\?",
        "107 %": "more than a whole",
        250: r"0 to 1$",
        "0.4": "has no unit",
        float("nan"): "finite",
        float("inf"): "finite",
        -0.1: "negative",
        True: "not a number",
        "half": "not a share",
    },
    units.parse_count: {
        5.0: "digits only",
        "5": "without quotes",
        "20,000": "groups of three",
        "1_00": "groups of three",
        -1: "negative",
        True: "not a whole number",
        "٥": "not a whole",
    },
    units.parse_time_of_day: {
        "2:00": "not a time of day",
        "24:00": "no leap seconds",
        "23:59:60": "no leap seconds",
        200: "not a time of day",
        "02:00 am": "not a time",
    },
    units.parse_date: {
        "2026-1-1": "not a date",
        "01/01/2026": "not a date",
        20260101: "not a date",
        "2026-13-01": "not a day",
        "２026-01-01": "not a date",
    },
}


@pytest.mark.parametrize(
    ("parse", "value", "sentence"),
    [
        pytest.param(parse, value, sentence, id=f"{parse.__name__}-{number}")
        for parse, cases in REFUSED.items()
        for number, (value, sentence) in enumerate(cases.items())
    ],
)
def test_what_a_unit_could_mean_twice_is_refused_in_one_sentence(parse, value, sentence):
    with pytest.raises(ValueError, match=sentence) as refused:
        parse(value)
    assert "\n" not in str(refused.value)
    assert str(refused.value).isascii()


@settings(derandomize=True, max_examples=200)
@given(st.integers(0, 2**40))
def test_a_duration_written_out_reads_back(seconds):
    assert units.parse_duration(units.format_duration(seconds)) == seconds


@settings(derandomize=True, max_examples=200)
@given(st.integers(0, 10**9), st.integers(0, 6), st.sampled_from(sorted(units.RATES)))
def test_a_rate_written_out_reads_back_exactly(number, places, unit):
    rate = units.parse_rate(
        f"{number // 10**places}.{number % 10**places:0{places}d} {unit}"
        if places
        else f"{number} {unit}"
    )
    assert units.parse_rate(units.format_rate(rate)) == rate


@settings(derandomize=True, max_examples=300)
@given(st.floats(0, 1))
def test_a_share_written_out_reads_back_to_the_same_float(share):
    assert units.parse_share(units.format_share(share)) == share


def test_a_rate_without_an_exact_decimal_is_not_rounded():
    with pytest.raises(ValueError, match="no exact decimal"):
        units.format_rate(Fraction(1, 11))


def test_floats_are_added_up_alike_on_every_python():
    """From Python 3.12 on `sum` says 1.0 here; a metric that used it would depend on who ran it."""
    assert units.added([0.1] * 10) == 0.9999999999999999
    assert units.added(iter((1, 2))) == 3
    assert units.added([]) == 0
    metrics = [path for path in MODULES if path.parent.name == "metrics"]
    calls = (
        node.func for path in metrics for node in ast.walk(tree(path)) if isinstance(node, ast.Call)
    )
    called = {function.id for function in calls if isinstance(function, ast.Name)}
    assert "added" in called
    assert "sum" not in called
