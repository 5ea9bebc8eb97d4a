"""Worlds of a commit: beyond those that are always the same, and to be asked for again."""

from __future__ import annotations

from tests.twins import drawn as numbers
from tests.twins.drawn import drawn


def test_two_commits_draw_other_worlds(monkeypatch):
    monkeypatch.delenv("DRAWN_FROM", raising=False)
    monkeypatch.setattr(numbers, "_of_the_commit", lambda: 0xABC)
    first = drawn(60)
    monkeypatch.setattr(numbers, "_of_the_commit", lambda: 0xDEF)

    assert len(first) == len(drawn(60)) == 60
    assert min(*first, *drawn(60)) >= 1_000_000
    assert not {*first} & {*drawn(60)}


def test_a_world_that_failed_is_asked_for_by_its_number(monkeypatch):
    monkeypatch.setenv("DRAWN_FROM", "206661869")

    assert [*drawn(2)] == [206661869, 206661870]
