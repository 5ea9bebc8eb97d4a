"""No mitigation without a law: the page lists every kind of row, and every law it names is a test.
"""

from __future__ import annotations

import re

from sim.mitigations import MITIGATIONS
from tests.house.source import ROOT, functions

PAGE = (ROOT / "docs/mitigations.md").read_text(encoding="utf-8")
LINES = re.findall(r"^\| `([^`]+)` \|.* `(test_\w+)` \|$", PAGE, flags=re.MULTILINE)
LAWS = {
    function.name
    for path in (ROOT / "tests/laws").glob("test_*.py")
    for function in functions(path)
}


def test_every_kind_of_row_has_a_law_on_the_page():
    assert set(MITIGATIONS) <= {what for what, _ in LINES}
    assert len(LINES) == PAGE.count("\n| `") >= 20


def test_every_law_on_the_page_is_a_test():
    named = {law for _, law in LINES} | set(re.findall(r"\(`(test_\w+)`\)", PAGE))

    assert named - LAWS == set()
    assert len({law for _, law in LINES}) == len(LINES)
