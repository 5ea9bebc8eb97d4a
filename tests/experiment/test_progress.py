"""Progress: silent when quick or asked to be, plain lines in a log, a bar on a terminal."""

from __future__ import annotations

import io

import pytest

import sim.experiment.progress as progress
from sim.experiment.progress import Bar, Lines, Silence, clock, watch


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def slow(monkeypatch):
    """Let half a second pass each time the clock is looked at."""
    times = iter(range(100_000))
    monkeypatch.setattr(progress, "monotonic", lambda: next(times) / 2)


def test_lines_come_each_tenth_with_rate_and_time_left(slow):
    """A line says how many, what share of the work, the rate and the time left; the last says how long it took."""
    stream = io.StringIO()
    with watch(["a"] * 10 + ["b"] * 30, 40.0, quiet=False, stream=stream) as bar:
        for cell in ["a"] * 10 + ["b"] * 30:
            bar.advance(1.0, cell)
    lines = stream.getvalue().splitlines()

    assert isinstance(bar, Lines)
    assert 9 <= len(lines) <= 11
    assert all(" of 2 cells, " in line and "of 40 replications (" in line and "a second, " in line and line.endswith("left") for line in lines[:-1])
    assert lines[2].startswith("1 of 2 cells, ")
    assert lines[-1].startswith("2 of 2 cells, 40 of 40 replications (100%), ")
    assert "left" not in lines[-1]


def test_what_is_over_in_no_time_says_nothing():
    stream = io.StringIO()
    with watch("abc", 3.0, quiet=False, stream=stream) as bar:
        for cell in "abc":
            bar.advance(1.0, cell)
    assert stream.getvalue() == ""
    assert bar.done == 3


def test_a_terminal_has_a_bar(slow):
    """With the same words, and gone in the end."""
    stream = Terminal()
    with watch("aaaa", 4.0, quiet=False, stream=stream) as bar:
        bar.advance(1.0, "a")
        bar.advance(1.0, "a")
    assert isinstance(bar, Bar)
    assert "2 of 4 replications (50%)" in stream.getvalue()


def test_quiet_is_quiet():
    assert type(watch("aaaa", 4.0, quiet=True, stream=Terminal())) is Silence
    assert type(watch([], 0.0, quiet=False, stream=Terminal())) is Silence


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "0 s"), (99, "99 s"), (100, "2 min"), (5999, "100 min"), (9000, "2.5 h")])
def test_times_are_said_as_people_do(seconds, text):
    assert clock(seconds) == text
