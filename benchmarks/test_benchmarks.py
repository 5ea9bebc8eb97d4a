"""What `make bench` runs: everything, with every answer checked on the way."""

from __future__ import annotations

from benchmarks.__main__ import main


def test_all_answers_agree() -> None:
    """Print the report and write RESULTS.md."""
    assert main([]) == 0
