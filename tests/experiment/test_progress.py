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


def of(cells, weight=1.0):
    """Return one task of *weight* for each letter of *cells*."""
    return [(cell, weight) for cell in cells]


def test_lines_come_each_tenth_with_rate_and_time_left(slow):
    """A line says how many, what share of the work, the rate and the time left; the last says how
    long it took.
    """
    stream, cells = io.StringIO(), "a" * 10 + "b" * 30
    with watch(of(cells), 1, quiet=False, stream=stream) as bar:
        for cell in cells:
            bar.advance(cell, 1.0)
    lines = stream.getvalue().splitlines()

    assert isinstance(bar, Lines)
    assert 9 <= len(lines) <= 11
    for line in lines[:-1]:
        assert " of 2 cells, " in line
        assert "of 40 replications (" in line
        assert "a second, " in line
        assert line.endswith("left")
    assert lines[2].startswith("1 of 2 cells, ")
    assert lines[-1].startswith("2 of 2 cells, 40 of 40 replications (100%), ")
    assert "left" not in lines[-1]


def test_time_left_is_by_what_the_cells_own_took(slow):
    """Not by elapsed ÷ done: those of a slow cell are yet to come, two at once; a cell of which
    none is done takes what its weight says, as the others did theirs.
    """
    tasks = [*of("aaaa", 1.0), *of("bbbb", 10.0)]
    bar = watch(tasks, 2, quiet=True)
    for _ in range(4):
        bar.advance("a", 3.0)
    assert bar.seconds_left() == pytest.approx(4 * 10 * 3.0 / 2)
    bar.advance("b", 60.0)  # twice as long as foretold
    assert bar.seconds_left() == pytest.approx(3 * 60.0 / 2)
    bar.advance("b", None)  # done, and nobody could say how long it took
    assert bar.seconds_left() == pytest.approx(2 * 60.0 / 2)
    bar.advance("b", 60.0)
    assert bar.seconds_left() == pytest.approx(60.0)  # the last has nobody beside it


def test_what_was_compiled_is_no_part_of_the_time_left(monkeypatch):
    """A minute of compiling, then a second each: the rate and the time left are of the second."""
    now = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    stream = io.StringIO()
    with watch(of("aaaa"), 1, quiet=False, stream=stream) as bar:
        bar.phase("compiling, once, about 60 s")
        now[0] += 60
        bar.begin()
        for _ in range(4):
            now[0] += 1
            bar.advance("a", 1.0)
    lines = stream.getvalue().splitlines()

    assert lines[0] == "compiling, once, about 60 s"
    assert lines[1] == "2 of 4 replications (50%), 1 a second, 2 s left"
    assert lines[-1] == "4 of 4 replications (100%), 1 a second in 4 s"


def test_what_is_over_in_no_time_says_nothing():
    stream = io.StringIO()
    with watch(of("abc"), 1, quiet=False, stream=stream) as bar:
        for cell in "abc":
            bar.advance(cell, 0.0)
    assert stream.getvalue() == ""
    assert bar.done == 3


def test_a_terminal_has_a_bar(slow):
    """With the same words, and gone in the end."""
    stream = Terminal()
    with watch(of("aaaa"), 1, quiet=False, stream=stream) as bar:
        bar.phase("compiling, once, about 20 s")
        bar._bar.refresh()
        bar.begin()
        bar.advance("a", 1.0)
        bar.advance("a", 1.0)
    assert isinstance(bar, Bar)
    assert "compiling, once" in stream.getvalue()
    assert "2 of 4 replications (50%)" in stream.getvalue()


def test_quiet_is_quiet():
    assert type(watch(of("aaaa"), 1, quiet=True, stream=Terminal())) is Silence
    assert type(watch([], 1, quiet=False, stream=Terminal())) is Silence


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (99, "99 s"), (100, "2 min"), (5999, "100 min"), (9000, "2.5 h")],
)
def test_times_are_said_as_people_do(seconds, text):
    assert clock(seconds) == text
