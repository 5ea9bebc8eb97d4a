"""Three small worlds whose every table is committed: a result that moves is a diff that somebody
has to read.
"""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

import pytest

from tests.golden.write import tables_as_text

HERE = Path(__file__).resolve().parent


@pytest.mark.parametrize("scenario", sorted(HERE.glob("*.yaml")), ids=lambda path: path.stem)
def test_no_number_has_moved(scenario: Path):
    """See README.md in this folder for what to do when one has."""
    committed = scenario.with_suffix(".csv").read_text(encoding="utf-8")

    diff = list(
        unified_diff(
            committed.splitlines(),
            tables_as_text(scenario).splitlines(),
            "committed",
            "now",
            lineterm="",
            n=1,
        )
    )

    assert not diff, "numbers moved (tests/golden/README.md):\n" + "\n".join(diff[:200])


def test_the_worlds_are_eventful():
    """Every fate, both ledgers, queues at each kind of stage and several kinds of traffic occur in
    what is pinned.
    """
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(HERE.glob("*.csv")))

    for word in (
        "delivered",
        "refused",
        "lost",
        "expired",
        "in_flight",
        "csp",
        "dsp",
        "user",
        "end_to_end",
        "on_demand",
        "version_report",
        "hub",
        "request",
    ):
        assert f"{word}," in text
